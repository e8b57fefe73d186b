"""Random small worlds, and the brute force that the router is compared with."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, product

from hypothesis import strategies as st

from hub.domain.routing.plan import plan
from hub.domain.routing.rankers import BUILT_IN
from hub.domain.routing.shapes import Need, Place, Rules, Snapshot, Step
from tests.domain.routing.towns import NEW_YORK, PLACES

LONG = os.environ.get("ORDERHUB_LONG") == "1"
ARTICLES = ("A", "B", "C")
CODES = tuple(PLACES)


@st.composite
def snapshots(draw: st.DrawFn, *, assigns: Sequence[str] = ("partial",), most_units: int = 4) -> Snapshot:
    """Small worlds in which stock is scarce, places refuse and some lines belong together."""
    needs = tuple(
        Need(
            f"l{number}",
            draw(st.sampled_from(ARTICLES)),
            draw(st.integers(1, most_units)),
            draw(st.sampled_from((None, None, None, "g1", "g2"))),
            value_minor=draw(st.sampled_from((0, 100, 1000))),
        )
        for number in range(draw(st.integers(1, 4)))
    ) + draw(kits())
    codes = draw(st.lists(st.sampled_from(CODES), unique=True, min_size=1, max_size=5))
    places = tuple(
        replace(
            PLACES[code],
            rank=draw(st.integers(1, 2)),
            is_default=code == "BOS",
            capacity_left=draw(st.sampled_from((None, None, 1, 0))),
        )
        for code in codes
    )
    sellable = {(place.id, article): draw(st.integers(0, most_units + 1)) for place in places for article in ARTICLES}
    refusals = [(need.line_id, place.id) for need in needs for place in places]
    excluded = draw(st.frozensets(st.sampled_from(refusals), max_size=3))
    step = Step(
        assign=draw(st.sampled_from(assigns)),
        max_shipments=draw(st.integers(1, 3)),
        rankers=tuple(draw(st.permutations(("min_splits", "market", "closest", "ranked")))),
        min_stock=draw(st.sampled_from((0, 0, 1))),
    )
    return Snapshot(needs, NEW_YORK, places, sellable, excluded, Rules((step,)))


@st.composite
def kits(draw: st.DrawFn) -> tuple[Need, ...]:
    """Often no kits, otherwise the components of one to three."""
    count = draw(st.sampled_from((0, 0, 1, 2, 3)))
    parts = draw(st.lists(st.tuples(st.sampled_from(ARTICLES), st.integers(1, 2)), min_size=1, max_size=2))
    return tuple(
        Need(f"l8{index}", article, count * each, "kit", value_minor=300, per_kit=each)
        for index, (article, each) in enumerate(parts if count else ())
    )


# Units that ship, codes of the places, and for each bundle of lines the one place that ships it whole, or "".
Answer = tuple[int, tuple[str, ...], tuple[str, ...]]


def brute_force(snapshot: Snapshot) -> Answer:
    """What a step without a least worth of parcels should choose: every set, and inside it every way to share."""
    [step] = snapshot.rules.steps
    ranked = _by_rank(snapshot)
    wanted = sum(need.units for need in snapshot.needs)
    best: tuple[int, tuple[Place, ...]] = (0, ())
    for size in range(1, (1 if step.assign == "single" else step.max_shipments) + 1):
        for group in combinations(ranked, size):
            units = most_units(snapshot, group)
            if units > best[0] and (step.assign == "partial" or units == wanted):
                best = (units, group)
    units, group = best
    return units, tuple(place.code for place in group), best_sharing(snapshot, group)


def _by_rank(snapshot: Snapshot) -> list[Place]:
    """Places that may be asked, best ranked first: every ranker is asked of every place."""
    [step] = snapshot.rules.steps
    seen = replace(snapshot, sellable={key: units - step.min_stock for key, units in snapshot.sellable.items()})
    asked = [place for place in snapshot.places if place.capacity_left != 0]

    def key(place: Place) -> tuple[object, ...]:
        said = [BUILT_IN[name](place, seen) for name in step.rankers]
        return ([(one is None, one or 0) for one in said], not place.is_default, place.code)

    return sorted(asked, key=key)


def most_units(snapshot: Snapshot, group: Sequence[Place]) -> int:
    """The most units that the group can ship, by trying every home of every group and every division of every line."""
    return _fill(_bundles(snapshot), group, snapshot, _stock(snapshot))


def best_sharing(snapshot: Snapshot, group: Sequence[Place]) -> tuple[str, ...]:
    """Who ships which bundle whole: of the ways with the most units the one with the most of them whole, and of those
    the first, places in the order of their ranks.
    """
    bundles = _bundles(snapshot)
    best: tuple[int, int, tuple[str, ...]] = (-1, 0, ())
    for homes in product((*group, None), repeat=len(bundles)):
        stock, units = _stock(snapshot), 0
        for bundle, home in zip(bundles, homes, strict=True):
            for need in bundle if home else ():
                assert home is not None
                stock[home.id, need.variant_id] = stock.get((home.id, need.variant_id), 0) - need.units
                stock[home.id, ""] = -1 if (need.line_id, home.id) in snapshot.excluded else stock.get((home.id, ""), 0)
                units += need.units
        if min(stock.values(), default=0) < 0:
            continue
        apart = [
            bundle
            for bundle, home in zip(bundles, homes, strict=True)
            if not home and (bundle[0].group is None or bundle[0].per_kit)
        ]
        units += _fill(apart, group, snapshot, stock)
        whole = sum(home is not None for home in homes)
        if (units, whole) > best[:2]:
            best = (units, whole, tuple(home.code if home else "" for home in homes))
    return best[2]


def _bundles(snapshot: Snapshot) -> list[list[Need]]:
    bundles: dict[str, list[Need]] = {}
    for need in snapshot.needs:
        bundles.setdefault(need.group or f"line {need.line_id}", []).append(need)
    return list(bundles.values())


def _stock(snapshot: Snapshot) -> dict[tuple[str, str], int]:
    [step] = snapshot.rules.steps
    return {key: max(0, units - step.min_stock) for key, units in snapshot.sellable.items()}


def _fill(
    bundles: Sequence[Sequence[Need]], group: Sequence[Place], snapshot: Snapshot, stock: Mapping[tuple[str, str], int]
) -> int:
    if not bundles:
        return 0
    bundle, *rest = bundles
    best = _fill(rest, group, snapshot, stock)
    for taken in _ways(bundle, group, snapshot, stock):
        after = dict(stock)
        for key, units in taken.items():
            after[key] -= units
        best = max(best, sum(taken.values()) + _fill(rest, group, snapshot, after))
    return best


def _ways(
    bundle: Sequence[Need], group: Sequence[Place], snapshot: Snapshot, stock: Mapping[tuple[str, str], int]
) -> Iterator[dict[tuple[str, str], int]]:
    """What a bundle may take from whom: a group whole from one place, kits in every division, as a line is."""
    if bundle[0].per_kit:
        able = [place for place in group if not any((need.line_id, place.id) in snapshot.excluded for need in bundle)]
        count = bundle[0].units // bundle[0].per_kit
        for split in product(range(count + 1), repeat=len(able)):
            taken: dict[tuple[str, str], int] = {}
            for (place, sets), need in product(zip(able, split, strict=True), bundle):
                key = (place.id, need.variant_id)
                taken[key] = taken.get(key, 0) + sets * need.per_kit
            if 0 < sum(split) <= count and all(stock.get(key, 0) >= units for key, units in taken.items()):
                yield taken
        return
    if bundle[0].group is not None:
        for place in group:
            wanted: dict[tuple[str, str], int] = {}
            for need in bundle:
                key = (place.id, need.variant_id)
                wanted[key] = wanted.get(key, 0) + need.units
            allowed = not any((need.line_id, place.id) in snapshot.excluded for need in bundle)
            if allowed and all(stock.get(key, 0) >= units for key, units in wanted.items()):
                yield wanted
        return
    [need] = bundle
    able = [place for place in group if (need.line_id, place.id) not in snapshot.excluded]
    for split in product(*(range(min(need.units, stock.get((place.id, need.variant_id), 0)) + 1) for place in able)):
        if 0 < sum(split) <= need.units:
            yield {(place.id, need.variant_id): units for place, units in zip(able, split, strict=True) if units}


def router(snapshot: Snapshot) -> Answer:
    """What the router ships and from where, in the same form."""
    decided = plan(snapshot)
    codes = {place.id: place.code for place in snapshot.places}
    ranked = [place.code for place in _by_rank(snapshot)]
    units = sum(sum(part.units.values()) for part in decided.parts)
    homes = []
    for bundle in _bundles(snapshot):
        [whole] = [
            codes[part.place_id]
            for part in decided.parts
            if all(part.units.get(need.line_id) == need.units for need in bundle)
        ] or [""]
        homes.append(whole)
    return units, tuple(sorted((codes[part.place_id] for part in decided.parts), key=ranked.index)), tuple(homes)


def long_order(draw: random.Random, places: int = 60) -> Snapshot:
    """An order of many lines that no few places have together: more sets than can be tried."""
    needs = tuple(Need(f"l{number:02}", f"v{number}", draw.randint(1, 9)) for number in range(draw.randint(13, 24)))
    network = tuple(Place(f"p{number}", f"P{number:02}", rank=draw.randint(1, 9)) for number in range(places))
    stock = {
        (place.id, need.variant_id): draw.randint(1, 5) for place in network for need in needs if draw.random() < 0.3
    }
    step = Step(assign="partial", rankers=("ranked",), max_shipments=draw.randint(4, 8))
    return Snapshot(needs, NEW_YORK, network, stock, rules=Rules((step,)))
