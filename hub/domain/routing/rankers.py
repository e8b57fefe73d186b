"""The built-in rankers: one signal each. They are compared one after another, never added up.

A ranker gives a place a whole number, lower is better, or None where it has nothing to say. It sees the snapshot of
the step: the needs that are left, and the units that the step may take.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from inspect import Parameter, signature

from hub.domain.routing.network import distance_to
from hub.domain.routing.price import parcel_price, shortage
from hub.domain.routing.shapes import Need, Place, Ranker, Snapshot

UNLIMITED = -(10**9)  # better than any capacity that is counted
MILLION = 1_000_000


def min_splits(place: Place, snapshot: Snapshot) -> int | None:
    """Fewer parcels: places that can ship more of the lines whole come first."""
    left: dict[str, int] = {}
    whole = 0
    for need in _allowed(place, snapshot):
        free = left.setdefault(need.variant_id, _free(place, need, snapshot))
        if free >= need.units:
            left[need.variant_id] = free - need.units
            whole += 1
    return -whole


def market(place: Place, snapshot: Snapshot) -> int | None:
    """Stay in the destination's market: its market id where places name theirs, otherwise its country."""
    destination = snapshot.destination
    if place.markets and destination.market:
        return 0 if destination.market in place.markets else 1
    return country(place, snapshot)


def country(place: Place, snapshot: Snapshot) -> int | None:
    """Stay in the destination's country."""
    if not snapshot.destination.country:
        return None
    return 0 if place.country == snapshot.destination.country else 1


def closest(place: Place, snapshot: Snapshot) -> int | None:
    """Nearest first, in steps of 100 m; silent where a coordinate is missing."""
    away = distance_to(place, snapshot.destination)
    return None if away is None else round(away * 10)


def ranked(place: Place, snapshot: Snapshot) -> int | None:  # noqa: ARG001 - every ranker takes both
    """The operator's own order."""
    return place.rank


def promise_slack(place: Place, snapshot: Snapshot) -> int | None:
    """Most days to spare before the promise; late ones last. Silent without a promise or a day of arrival."""
    if snapshot.promise is None or place.arrives_on is None:
        return None
    return (place.arrives_on - snapshot.promise).days


def capacity_left(place: Place, snapshot: Snapshot) -> int | None:  # noqa: ARG001 - every ranker takes both
    """Most capacity left today; a place without a limit comes first."""
    return UNLIMITED if place.capacity_left is None else -place.capacity_left


def stock_depth(place: Place, snapshot: Snapshot) -> int | None:
    """Deepest shelf: counts the article of which the place has least, among those it has at all."""
    held = [_free(place, need, snapshot) for need in _held(place, snapshot)]
    return -min(held) if held else None


def scarcity(place: Place, snapshot: Snapshot) -> int | None:
    """Protect stock that is scarce here, so that a later order finds it; in parts per million, the scarcest counts.

    Where its demand is known, an article is as scarce as its weeks of supply fall short of the target, and not scarce
    where nobody asks for it; where no place's demand is known, as small as this place's share of all units is.
    """
    return max((_scarcity(place, need, snapshot) for need in _held(place, snapshot)), default=None)


def acceptance_rate(place: Place, snapshot: Snapshot) -> int | None:
    """Most likely to take the order; the category it is least likely to take counts. Silent where nothing is known."""
    chances = [place.acceptance_by_category.get(need.category, place.acceptance_ppm) for need in snapshot.needs]
    known = [chance for chance in chances if chance is not None]
    return -min(known) if known else None


def cost(place: Place, snapshot: Snapshot) -> int | None:
    """Cheapest by the unit, reckoned as the `cost` strategy does for one parcel; in thousandths of minor units."""
    load = [(need, min(need.units, _free(place, need, snapshot))) for need in _held(place, snapshot)]
    price = parcel_price(place, load, snapshot) if load else None
    return None if price is None else price * 1000 // sum(units for _, units in load)


def metafield(place: Place, snapshot: Snapshot, key: str) -> int | None:  # noqa: ARG001 - every ranker takes both
    """A number that the operator noted at the place, lowest first: `metafield:key`. Silent where it is no number."""
    value = place.attributes.get(key)
    try:
        return None if value is None else int(value)
    except ValueError:
        return None


BUILT_IN: Mapping[str, Ranker] = {
    one.__name__: one
    for one in (
        min_splits,
        market,
        country,
        closest,
        ranked,
        promise_slack,
        capacity_left,
        stock_depth,
        scarcity,
        acceptance_rate,
        cost,
        metafield,
    )
}


class UnknownNameError(KeyError):
    """The rules name a ranker or a strategy that is not there, or a ranker not as it has to be named."""

    def __str__(self) -> str:
        return str(self.args[0])


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """That there is nothing of this name, and what there is."""
    return f"no {kind} is called {name!r}; there are: {', '.join(sorted(known))}"


def mistake_in(spec: str, rankers: Mapping[str, Ranker]) -> str:
    """What is wrong with a ranker as a step names it; "" when nothing is."""
    name, colon, argument = spec.partition(":")
    if name not in rankers:
        return unknown("ranker", name, rankers)
    takes = _arguments(rankers[name])
    if not takes:
        return f"the ranker {name} takes no argument: write {name}" if colon else ""
    if not argument and any(one.default is Parameter.empty for one in takes):
        return f"the ranker {name} needs an argument: write {name}:{takes[0].name}"
    return ""


@lru_cache(maxsize=256)
def _arguments(ranker: Ranker) -> tuple[Parameter, ...]:
    """What a ranker takes beside the place and the snapshot."""
    return tuple(signature(ranker).parameters.values())[2:]


def bound(spec: str, rankers: Mapping[str, Ranker]) -> Ranker:
    """The ranker that a step names, its argument given. Raises UnknownNameError."""
    wrong = mistake_in(spec, rankers)
    if wrong:
        raise UnknownNameError(wrong)
    name, _, argument = spec.partition(":")
    ranker = rankers[name]
    return (lambda place, snapshot: ranker(place, snapshot, argument)) if argument else ranker


def _allowed(place: Place, snapshot: Snapshot) -> Iterator[Need]:
    """Lines that the place may ship."""
    for need in snapshot.needs:
        if not why_not_line(need, place) and (need.line_id, place.id) not in snapshot.excluded:
            yield need


def why_not_line(need: Need, place: Place) -> str:
    """Why a place may not ship a line, whatever its stock; "" when it may."""
    if need.pinned is not None and need.pinned != place.id:
        return "the line is for another place"
    if need.hazmat and not place.hazmat:
        return "it may not handle dangerous goods"
    if need.size_class and place.size_classes and need.size_class not in place.size_classes:
        return f"it cannot handle the size {need.size_class}"
    return ""


def _held(place: Place, snapshot: Snapshot) -> Iterator[Need]:
    """Lines of which the place may ship at least one unit."""
    return (need for need in _allowed(place, snapshot) if _free(place, need, snapshot) > 0)


def _free(place: Place, need: Need, snapshot: Snapshot) -> int:
    return snapshot.sellable.get((place.id, need.variant_id), 0)


def _scarcity(place: Place, need: Need, snapshot: Snapshot) -> int:
    short = shortage(place.id, need.variant_id, snapshot, of=MILLION)
    if short is not None:
        return short
    total = snapshot.network_units.get(need.variant_id)
    if total is None:
        total = sum(max(0, snapshot.sellable.get((one.id, need.variant_id), 0)) for one in snapshot.places)
    return MILLION - MILLION * min(_free(place, need, snapshot), total) // total if total > 0 else MILLION
