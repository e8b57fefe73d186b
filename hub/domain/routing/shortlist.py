"""What one step can choose from: the places that could ship something, put together by what they offer, and ranked.

A thousand places offer an order of three lines only a few different things. So places are looked at by their offer,
and a ranker is asked only for the places between which the rankers before it did not decide.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from math import inf
from operator import eq
from typing import Any

from hub.domain import words
from hub.domain.routing.network import Network
from hub.domain.routing.rankers import min_splits, why_not_line
from hub.domain.routing.shapes import Need, Place, Ranker, Snapshot, Step
from hub.domain.routing.share import wanted_of

# Units that a place offers of each wanted article, no more than is wanted, and the lines that it may not ship.
Offer = tuple[tuple[int, ...], tuple[str, ...]]

Columns = Mapping[str, Sequence[int]]  # units by variant, one for each place of the network

WhyNot = Callable[[Need, Place], str]  # why a place may not ship a line, whatever its stock; "" when it may

LEADING = 20  # ranked places that a trace names
REFUSED = "it refused it before"


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The places are known by their position in the network."""

    step: Step
    snapshot: Snapshot  # the needs that are left, the units that this step may take
    network: Network
    variants: tuple[str, ...]  # the wanted articles, in the order in which offers count them
    wanted: tuple[int, ...]  # units of each that are wanted
    offers: Mapping[Offer, Sequence[int]]  # places by what they offer
    refused: Mapping[int, Mapping[str, str]]  # lines that a place may not ship, and why, by its position
    forbidden: frozenset[tuple[str, str]]  # the same as pairs of line id and place id
    rankers: tuple[Ranker, ...]
    dropped: tuple[tuple[int, str], ...]  # places that the filters left out, and why
    empty: Sequence[int]  # places that passed the filters and offer nothing
    usable: frozenset[int] | None  # places that passed the filters; None is all
    is_whole: bool  # nothing of the order has a place yet
    unit_worth: Mapping[str, int]  # worth of one unit, by line, in minor units times `worth_factor`
    worth_factor: int  # so that a part of a line is worth its exact share
    stock: Columns  # units that lie there, also those that are kept for others
    _offered: Columns  # and those of them that this step may take
    _known: dict[Any, Any] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(map(len, self.offers.values()))

    def place(self, position: int) -> Place:
        return self.network[position]

    def offer_of(self, position: int) -> Offer:
        most = zip(self.variants, self.wanted, strict=True)
        units = tuple(min(count, self._offered[variant][position]) for variant, count in most)
        lines = self.refused.get(position, ())
        return _without(units, self.variants, self.snapshot.needs, lines) if lines else (units, ())

    def by_stock(self, positions: Sequence[int]) -> tuple[list[int], list[int], list[int]]:
        """Those of the places that have everything that is wanted, free to ship or not, some of it, and none of it."""
        if not positions:
            return [], [], []
        offers = _offers(self.stock, self.snapshot.needs, positions, {})
        has_all = offers.pop((self.wanted, ()), [])
        has_none = offers.pop(((0,) * len(self.wanted), ()), [])
        return has_all, sorted(one for places in offers.values() for one in places), has_none

    @property
    def held_back(self) -> AbstractSet[int]:
        """Places that passed the filters and may not ship all that they have: they refused, or units stay there."""
        has = self.stock
        variants = {need.line_id: need.variant_id for need in self.snapshot.needs}
        found = {one for one, lines in self.refused.items() if any(has[variants[line]][one] for line in lines)}
        for variant, most in zip(self.variants, self.wanted, strict=True) if self._offered is not has else ():
            pairs = enumerate(zip(has[variant], self._offered[variant], strict=True))
            found.update(one for one, (units, offered) in pairs if offered < units and offered < most)
        return found if self.usable is None else found & self.usable

    def barred_lines(self, position: int) -> dict[str, str]:
        """Lines of which the place may not ship all that it has, and why not."""
        wanted, place = dict(zip(self.variants, self.wanted, strict=True)), self.network[position]
        buffer = f"only what lies above {words.units(max(place.stock_buffer, self.step.min_stock))} may leave"
        found = {}
        for need in self.snapshot.needs:
            variant, lies_there = need.variant_id, self.stock[need.variant_id][position]
            why = self.refused.get(position, {}).get(need.line_id)
            if lies_there and why is None and min(lies_there, wanted[variant]) > self._offered[variant][position]:
                kept = self.snapshot.kept.get((place.id, variant), 0)
                why = f"it keeps {words.units(kept)} for others who came before" if kept > 0 else buffer
            if lies_there and why is not None:
                found[need.line_id] = why
        return found

    def free(self, position: int) -> dict[str, int]:
        """Units by variant that the place offers."""
        return dict(zip(self.variants, self.offer_of(position)[0], strict=True))

    def lines_whole(self, offer: Offer) -> int:
        """How many of the lines a place with this offer can ship whole, one after another."""
        if not offer[1] and len(self.variants) == len(self.snapshot.needs):
            return sum(map(eq, offer[0], self.wanted))  # every line is of another article
        free, whole = dict(zip(self.variants, offer[0], strict=True)), 0
        for need in self.snapshot.needs:
            if free[need.variant_id] >= need.units and need.line_id not in offer[1]:
                free[need.variant_id] -= need.units
                whole += 1
        return whole

    def ranks(self, position: int) -> tuple[int | None, ...]:
        """What each ranker says of the place."""
        return tuple(self._said(depth, position) for depth in range(len(self.rankers)))

    def _said(self, depth: int, position: int) -> int | None:
        key = (depth, position)
        if key not in self._known:
            self._known[key] = self.rankers[depth](self.network[position], self.snapshot)
        found: int | None = self._known[key]
        return found

    @property
    def leading(self) -> Sequence[int]:
        """The best-ranked places, as many as a trace names."""
        if "leading" not in self._known:
            self._known["leading"] = self.best(LEADING)
        found: Sequence[int] = self._known["leading"]
        return found

    def best(self, count: int, among: Iterable[Offer] | None = None) -> list[int]:
        """The best-ranked places, no more than `count`, among those with certain offers.

        Rank by rank, then the default location, then the code, so that no tie is left to chance.
        """
        chosen = self.offers if among is None else {offer: self.offers[offer] for offer in among}
        return self._refined(list(chosen.items()), 0, count)

    def _refined(self, alike: list[tuple[Offer, Sequence[int]]], depth: int, count: int) -> list[int]:
        """`alike` are places between which the first `depth` rankers did not decide, together by their offer."""
        if depth == len(self.rankers):
            tied = sorted((one for _, places in alike for one in places), key=self._last_tie)
            return tied[:count]
        ranker, snapshot, places = self.rankers[depth], self.snapshot, self.network.places
        buckets: dict[float, list[tuple[Offer, Sequence[int]]]] = {}
        for offer, positions in alike:
            if ranker is min_splits:  # the same for all that offer the same
                buckets.setdefault(-self.lines_whole(offer), []).append((offer, positions))
                continue
            apart: dict[float, list[int]] = {}
            for one in positions:
                said = ranker(places[one], snapshot)
                apart.setdefault(inf if said is None else said, []).append(one)
            for rank, some in apart.items():
                buckets.setdefault(rank, []).append((offer, some))
        found: list[int] = []
        for rank in sorted(buckets):
            group = buckets[rank]
            is_decided = len(group) == 1 and len(group[0][1]) == 1
            best = group[0][1] if is_decided else self._refined(group, depth + 1, count - len(found))
            self._known.update(dict.fromkeys([(depth, one) for one in best], None if rank == inf else rank))
            found += best
            if len(found) >= count:
                break
        return found

    def _last_tie(self, position: int) -> tuple[bool, int]:
        return not self.network[position].is_default, position


def shortlist(
    step: Step,
    rankers: tuple[Ranker, ...],
    snapshot: Snapshot,
    stock: Columns,
    *,
    unit_worth: Mapping[str, int],
    worth_factor: int,
    is_whole: bool,
    why_not: WhyNot = why_not_line,
) -> Shortlist:
    """The places a step can choose from. `stock` are the units that are left, `snapshot.needs` the needs."""
    network = Network.of(snapshot.places)
    wanted = dict(sorted(wanted_of(snapshot.needs).items()))
    stock = {variant: stock[variant] for variant in wanted}
    usable, dropped = network.filtered(snapshot, step)
    offered = _above_buffer(stock, network, step) if step.min_stock or network.has_buffers else stock
    refused = _refused(snapshot, network, usable, why_not)
    forbidden = frozenset((line, network.ids[one]) for one, lines in refused.items() for line in lines)
    everywhere = len(usable) == len(network)
    offers = _offers(offered, snapshot.needs, None if everywhere else usable, refused)
    empty = sorted(one for offer in [offer for offer in offers if not any(offer[0])] for one in offers.pop(offer))
    if offered is not stock:
        snapshot = replace(snapshot, sellable=cells_of(offered, network))
    if forbidden - snapshot.excluded:
        snapshot = replace(snapshot, excluded=snapshot.excluded | forbidden)
    lying = _with_kept(stock, network, snapshot) if snapshot.kept else stock
    return Shortlist(
        step,
        snapshot,
        network,
        tuple(wanted),
        tuple(wanted.values()),
        offers,
        refused,
        forbidden,
        rankers,
        dropped,
        empty,
        None if everywhere else frozenset(usable),
        is_whole,
        unit_worth,
        worth_factor,
        lying,
        offered,
    )


def _above_buffer(columns: Columns, network: Network, step: Step) -> Columns:
    """Only what lies above the units that stay at a place counts."""
    buffers = [max(place.stock_buffer, step.min_stock) for place in network]
    return {
        variant: [max(0, units - buffer) for units, buffer in zip(column, buffers, strict=True)]
        for variant, column in columns.items()
    }


def _with_kept(columns: Columns, network: Network, snapshot: Snapshot) -> Columns:
    """The units that lie there, with those that are kept for others."""
    return {
        variant: [
            units + max(0, snapshot.kept.get((place_id, variant), 0))
            for place_id, units in zip(network.ids, column, strict=True)
        ]
        for variant, column in columns.items()
    }


def _refused(snapshot: Snapshot, network: Network, usable: Sequence[int], why_not: WhyNot) -> dict[int, dict[str, str]]:
    """Lines that a place may not ship, and why, by the place's position."""
    found: dict[int, dict[str, str]] = {}
    lines = {need.line_id for need in snapshot.needs}
    for line_id, place_id in snapshot.excluded:
        position = network.position(place_id)
        if position is not None and line_id in lines:
            found.setdefault(position, {})[line_id] = REFUSED
    for need in snapshot.needs:
        if why_not is not why_not_line or need.pinned is not None or need.hazmat or need.size_class:
            for position in usable:
                why = why_not(need, network[position])
                if why:
                    found.setdefault(position, {}).setdefault(need.line_id, why)
    return found


def _offers(
    columns: Columns,
    needs: Sequence[Need],
    usable: Sequence[int] | None,
    refused: Mapping[int, Mapping[str, str]],
) -> dict[Offer, list[int]]:
    """Places by what they offer; `usable` are those that may be asked, None is all."""
    wanted = wanted_of(needs)
    capped = []
    for variant, column in columns.items():
        most = wanted[variant]
        some = column if usable is None else [column[one] for one in usable]
        capped.append([most if units > most else units for units in some])  # noqa: FURB136 - half the time of min
    by_units: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
    rows = zip(*capped, strict=True)
    for position, units in enumerate(rows) if usable is None else zip(usable, rows, strict=True):
        by_units[units].append(position)
    if not refused:
        return {(units, ()): positions for units, positions in by_units.items()}
    variants = tuple(columns)
    found: defaultdict[Offer, list[int]] = defaultdict(list)
    for units, positions in by_units.items():
        for position in positions:
            lines = refused.get(position, ())
            found[_without(units, variants, needs, lines) if lines else (units, ())].append(position)
    return dict(found)


def _without(units: tuple[int, ...], variants: Sequence[str], needs: Sequence[Need], lines: Collection[str]) -> Offer:
    """The offer of a place that may not ship some lines."""
    allowed = wanted_of(need for need in needs if need.line_id not in lines)
    left = tuple(min(count, allowed.get(variant, 0)) for variant, count in zip(variants, units, strict=True))
    return left, tuple(sorted(lines))


def columns_of(snapshot: Snapshot, network: Network) -> dict[str, list[int]]:
    """Sellable units by wanted variant, one for each place."""
    columns = {variant: [0] * len(network) for variant in sorted({need.variant_id for need in snapshot.needs})}
    positions = network.positions
    for (place_id, variant), units in snapshot.sellable.items():
        if units > 0 and variant in columns and place_id in positions:
            columns[variant][positions[place_id]] = units
    return columns


def cells_of(columns: Columns, network: Network) -> dict[tuple[str, str], int]:
    """Units by place and variant, where there are any."""
    return {
        (place_id, variant): units
        for variant, column in columns.items()
        for place_id, units in zip(network.ids, column, strict=True)
        if units > 0
    }
