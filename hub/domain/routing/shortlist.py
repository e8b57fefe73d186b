"""What one step can choose from: the places that could ship something, put together by what they offer, and ranked.

A thousand places offer an order of three lines only a few different things. So places are looked at by their offer,
and a ranker is asked only for the places between which the rankers before it did not decide.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import repeat
from math import inf
from typing import Any

from hub.domain.routing.network import Network
from hub.domain.routing.rankers import BY_UNITS, why_not_line
from hub.domain.routing.shapes import Need, Place, Ranker, Snapshot, Step
from hub.domain.routing.share import wanted_of

# Units that a place offers of each wanted article, no more than is wanted, and the lines that it may not ship.
Offer = tuple[tuple[int, ...], tuple[str, ...]]

Columns = Mapping[str, Sequence[int]]  # units by variant, one for each place of the network

LEADING = 20  # ranked places that a trace names


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The places are known by their position in the network."""

    step: Step
    snapshot: Snapshot  # the needs that are left, the units that this step may take
    network: Network
    variants: tuple[str, ...]  # the wanted articles, in the order in which offers count them
    offers: Mapping[Offer, Sequence[int]]  # places by what they offer
    forbidden: frozenset[tuple[str, str]]  # (line id, place id) pairs that are out of the question
    rankers: tuple[Ranker, ...]
    dropped: tuple[tuple[str, str], ...]  # code of each place that was left out, and why
    usable: frozenset[int] | None  # places that passed the filters; None is all
    is_whole: bool  # nothing of the order has a place yet
    unit_worth: Mapping[str, int]  # worth of one unit, by line, in minor units times `worth_factor`
    worth_factor: int  # so that a part of a line is worth its exact share
    _columns: Columns
    _refused: Mapping[int, Collection[str]]  # lines that a place may not ship, by position
    _known: dict[Any, Any] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(map(len, self.offers.values()))

    def place(self, position: int) -> Place:
        return self.network[position]

    def offer_of(self, position: int) -> Offer:
        wanted = wanted_of(self.snapshot.needs)
        units = tuple(max(0, min(wanted[variant], self._columns[variant][position])) for variant in self.variants)
        lines = self._refused.get(position, ())
        return _without(units, self.variants, self.snapshot.needs, lines) if lines else (units, ())

    def free(self, position: int) -> dict[str, int]:
        """Units by variant that the place offers."""
        return dict(zip(self.variants, self.offer_of(position)[0], strict=True))

    def ranks(self, position: int) -> tuple[int | None, ...]:
        """What each ranker says of the place."""
        if position not in self._known:
            place = self.network[position]
            self._known[position] = tuple(ranker(place, self.snapshot) for ranker in self.rankers)
        found: tuple[int | None, ...] = self._known[position]
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
        return self._refined(list(chosen.values()), 0, count)

    def _refined(self, alike: list[Sequence[int]], depth: int, count: int) -> list[int]:
        """`alike` are places between which the first `depth` rankers did not decide, together by their offer."""
        if depth == len(self.rankers):
            tied = sorted((one for places in alike for one in places), key=self._last_tie)
            return tied[:count]
        buckets: dict[float, list[Sequence[int]]] = {}
        ranker, snapshot, places = self.rankers[depth], self.snapshot, self.network.places
        for positions in alike:
            if ranker in BY_UNITS:
                said = ranker(places[positions[0]], snapshot)
                buckets.setdefault(inf if said is None else said, []).append(positions)
                continue
            apart: dict[float, list[int]] = {}
            for one in positions:
                said = ranker(places[one], snapshot)
                apart.setdefault(inf if said is None else said, []).append(one)
            for rank, some in apart.items():
                buckets.setdefault(rank, []).append(some)
        found: list[int] = []
        for rank in sorted(buckets):
            group = buckets[rank]
            if len(group) == 1 and len(group[0]) == 1:
                found += group[0]
            else:
                found += self._refined(group, depth + 1, count - len(found))
            if len(found) >= count:
                break
        return found

    def _last_tie(self, position: int) -> tuple[bool, int]:
        return not self.network[position].is_default, position


def shortlist(
    step: Step,
    rankers: tuple[Ranker, ...],
    snapshot: Snapshot,
    columns: Columns,
    *,
    unit_worth: Mapping[str, int],
    worth_factor: int,
    is_whole: bool,
) -> Shortlist:
    """The places a step can choose from. `columns` are the units that are left, `snapshot.needs` the needs."""
    network = Network.of(snapshot.places)
    wanted = {need.variant_id for need in snapshot.needs}
    columns = {variant: column for variant, column in columns.items() if variant in wanted}
    usable, dropped = network.filtered(snapshot, step)
    buffered = step.min_stock > 0 or network.has_buffers
    if buffered:
        columns = _above_buffer(columns, network, step)
        sellable = {
            (place_id, variant): units
            for variant, column in columns.items()
            for place_id, units in zip(network.ids, column, strict=True)
            if units > 0
        }
        snapshot = replace(snapshot, sellable=sellable)
    everywhere = len(usable) == len(network)
    variants = tuple(columns)
    forbidden = _forbidden(snapshot.needs, snapshot.excluded, network, usable)
    offers = _offers(variants, columns, snapshot.needs, usable, everywhere=everywhere, forbidden=forbidden)
    nothing = [offer for offer in offers if not any(offer[0])]
    empty = [(network[one].code, _why_nothing(offer, snapshot.needs)) for offer in nothing for one in offers.pop(offer)]
    return Shortlist(
        step,
        snapshot,
        network,
        variants,
        offers,
        frozenset((line, network.ids[one]) for one, lines in forbidden.items() for line in lines),
        rankers,
        tuple(sorted((*dropped, *empty))) if empty else dropped,
        None if everywhere else frozenset(usable),
        is_whole,
        unit_worth,
        worth_factor,
        columns,
        forbidden,
    )


def _above_buffer(columns: Columns, network: Network, step: Step) -> Columns:
    """Only what lies above the units that stay at a place counts."""
    buffers = [max(place.stock_buffer, step.min_stock) for place in network]
    return {
        variant: [max(0, units - buffer) for units, buffer in zip(column, buffers, strict=True)]
        for variant, column in columns.items()
    }


def _forbidden(
    needs: Sequence[Need], excluded: Collection[tuple[str, str]], network: Network, usable: Sequence[int]
) -> dict[int, set[str]]:
    """Lines that a place may not ship, by the place's position."""
    found: dict[int, set[str]] = {}
    lines = {need.line_id for need in needs}
    for line_id, place_id in excluded:
        position = network.position(place_id)
        if position is not None and line_id in lines:
            found.setdefault(position, set()).add(line_id)
    for need in needs:
        if need.pinned is not None or need.hazmat or need.size_class:
            for position in usable:
                if why_not_line(need, network[position]):
                    found.setdefault(position, set()).add(need.line_id)
    return found


def _offers(
    variants: Sequence[str],
    columns: Columns,
    needs: Sequence[Need],
    usable: Sequence[int],
    *,
    everywhere: bool,
    forbidden: Mapping[int, Collection[str]],
) -> dict[Offer, list[int]]:
    """Places by what they offer."""
    wanted = wanted_of(needs)
    capped = []
    for variant in variants:
        column, most = columns[variant], wanted[variant]
        some = column if everywhere else [column[one] for one in usable]
        capped.append([most if units >= most else max(0, units) for units in some])
    by_units: dict[tuple[int, ...], list[int]] = {}
    for position, units in zip(usable, zip(*capped, strict=True), strict=True):
        if units in by_units:
            by_units[units].append(position)
        else:
            by_units[units] = [position]
    if not forbidden:
        return {(units, ()): positions for units, positions in by_units.items()}
    found: dict[Offer, list[int]] = {}
    for units, positions in by_units.items():
        for position in positions:
            lines = forbidden.get(position, ())
            offer = _without(units, variants, needs, lines) if lines else (units, ())
            found.setdefault(offer, []).append(position)
    return found


def _without(units: tuple[int, ...], variants: Sequence[str], needs: Sequence[Need], lines: Collection[str]) -> Offer:
    """The offer of a place that may not ship some lines."""
    allowed = wanted_of(need for need in needs if need.line_id not in lines)
    left = tuple(min(count, allowed.get(variant, 0)) for variant, count in zip(variants, units, strict=True))
    return left, tuple(sorted(lines))


def _why_nothing(offer: Offer, needs: Sequence[Need]) -> str:
    if len(offer[1]) == len(needs):
        return "it refused these lines before, or may not ship them"
    return "it has none of the articles"


def columns_of(snapshot: Snapshot, network: Network) -> dict[str, list[int]]:
    """Sellable units by wanted variant, one for each place."""
    get = snapshot.sellable.get
    variants = sorted({need.variant_id for need in snapshot.needs})
    return {variant: list(map(get, zip(network.ids, repeat(variant)), repeat(0))) for variant in variants}
