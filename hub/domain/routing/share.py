"""Sharing lines among a few places that ship together.

Of all ways to share them those count in which every parcel is worth sending. Of those the one is taken that ships the
most units; then the one that leaves the fewest lines divided or short; then the one in which the first line goes whole
to the best-ranked place, then the second, and so on. Lines of a group are never divided, and a kit is not; but of
several kits on a line some may ship from one place and some from another.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from hub.domain.routing.shapes import Need

MOST_WAYS = 300  # ways to share that are tried for one set of places

Bundle = Sequence[Need]  # a line, or lines of a group
Way = tuple[tuple[str, int], ...]  # places, and how many sets of the bundle each of them ships
# Whether every place has a parcel worth sending, the units that ship, and minus the bundles that do not go whole.
Score = tuple[bool, int, int]


@dataclass(slots=True)
class Shares:
    """Who ships what: units by place and line. `free` is what is left, by place and variant."""

    free: dict[str, dict[str, int]]
    parts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def units(self) -> int:
        return sum(sum(part.values()) for part in self.parts.values())

    def of(self, place: str, need: Need) -> int:
        """Units of a line that this place ships."""
        return self.parts.get(place, {}).get(need.line_id, 0)

    def left(self, place: str, variant_id: str) -> int:
        return self.free[place].get(variant_id, 0)

    def take(self, place: str, need: Need, units: int) -> None:
        """Let the place ship units of the line; a negative number gives them back."""
        self.free[place][need.variant_id] -= units
        part = self.parts.setdefault(place, {})
        part[need.line_id] = part.get(need.line_id, 0) + units
        if not part[need.line_id]:
            del part[need.line_id]
        if not part:
            del self.parts[place]

    def copy(self) -> Shares:
        return Shares(
            {place: dict(units) for place, units in self.free.items()},
            {place: dict(units) for place, units in self.parts.items()},
        )


@dataclass(frozen=True, slots=True)
class Parcels:
    """What a parcel has to be worth. Figures are minor units times a common factor, so that they are whole."""

    least: int = 0
    unit_worth: Mapping[str, int] = field(default_factory=dict)  # of one unit, by line
    whole_order: int | None = None  # a parcel with so many units is always worth it; None: no parcel is

    def are_worth_it(self, parts: Mapping[Any, Mapping[str, int]]) -> bool:
        return not self.least or self.is_whole(parts) or all(map(self.is_enough, parts.values()))

    def is_whole(self, parts: Mapping[Any, Mapping[str, int]]) -> bool:
        return len(parts) == 1 and sum(sum(part.values()) for part in parts.values()) == self.whole_order

    def is_enough(self, part: Mapping[str, int]) -> bool:
        return self.worth_of(part) >= self.least

    def worth_of(self, part: Mapping[str, int]) -> int:
        return sum(units * self.unit_worth[line] for line, units in part.items())


ANY_PARCEL = Parcels()


class Shelf:
    """One set of places with their free units, best ranked first, and what is to be shared among them."""

    def __init__(
        self,
        free: Mapping[str, Mapping[str, int]],
        excluded: Collection[tuple[str, str]],
        needs: Sequence[Need],
        parcels: Parcels = ANY_PARCEL,
    ) -> None:
        self.places = tuple(free)
        self.excluded = excluded  # (line, place) pairs that are out of the question
        self.bundles = bundles(needs)
        self.ways_tried = 0
        self.parcels = parcels
        self.was_cut_off = False
        self._shares = Shares({place: dict(units) for place, units in free.items()})
        self._apart: list[Need] = []  # lines that are shared by quantity when everything else has its place
        self._parted = 0  # bundles that do not go whole from one place, so far
        self._best: Shares | None = None
        self._score: Score = (False, -1, 0)

    def shared(self) -> Shares:
        """The best way to share, or the best of those that were tried."""
        self._ideal = self._at_most(0)
        self._go(0)
        assert self._best is not None  # noqa: S101 - the first way is always tried to its end
        return self._best

    def _go(self, index: int) -> None:
        """Try the ways of the bundles from this one on, first those in which bundles go whole from good places."""
        if index == len(self.bundles):
            self._keep()
            return
        bundle = self.bundles[index]
        for way in self._ways(bundle):
            self.ways_tried += 1
            if self._best is not None and self.ways_tried > MOST_WAYS:
                self.was_cut_off = True
                return
            self._put(bundle, way, 1)
            if self._best is None or self._at_most(index + 1) > self._score:
                self._go(index + 1)
            self._put(bundle, way, -1)
            if self._score >= self._ideal:
                return

    def _ways(self, bundle: Bundle) -> Iterator[Way]:
        """Whole from one place, the best ranked first; kits in several places; fewer of them; and not at all."""
        most = sets_of(bundle)
        able = [(place, sets) for place in self.places if (sets := self._sets(place, bundle))]
        yield from (((place, most),) for place, sets in able if sets == most)
        if most > 1:
            for count in range(min(most, sum(sets for _, sets in able)), 0, -1):
                yield from (way for way in _divided(count, able) if count < most or len(way) > 1)
        yield ()

    def _put(self, bundle: Bundle, way: Way, sign: int) -> None:
        """Let places ship the bundle, or take it back. Without a place a line is shared by quantity in the end."""
        most = sets_of(bundle)
        for place, sets in way:
            for need in bundle:
                self._shares.take(place, need, sign * sets * (need.units // most))
        if len(way) == 1 and way[0][1] == most:
            return
        self._parted += sign
        if bundle[0].group is None and sign > 0:
            self._apart.append(bundle[0])
        elif bundle[0].group is None:
            self._apart.pop()

    def _keep(self) -> None:
        """Share by quantity what is left for that, and remember the whole when nothing better is known."""
        shares = self._shares.copy()
        self._fill(self._apart, shares)
        self._even_out(shares)
        each_ships = not self.parcels.least or len(shares.parts) == len(self.places)
        score = (each_ships and self.parcels.are_worth_it(shares.parts), shares.units, -self._parted)
        if score > self._score:
            self._best, self._score = shares, score

    def _at_most(self, index: int) -> Score:
        """No better than this can come of what is put so far and the bundles from this one on."""
        units, parted = self._shares.units, self._parted
        total: dict[str, int] = {}  # units that may still ship, by variant
        asked: dict[str, dict[str, int]] = {}  # and those that each place could be asked for
        for bundle in self.bundles[index:]:
            most, sets = sets_of(bundle), [self._sets(place, bundle) for place in self.places]
            parted += max(sets) < most
            if bundle[0].group is not None:
                for need in bundle:
                    each = need.units // most
                    _add(need, min(most, sum(sets)) * each, [one * each for one in sets], self.places, total, asked)
        for need in (*self._apart, *(bundle[0] for bundle in self.bundles[index:] if bundle[0].group is None)):
            units_of = [0 if (need.line_id, place) in self.excluded else need.units for place in self.places]
            _add(need, need.units, units_of, self.places, total, asked)
        for variant_id, count in total.items():
            free = (min(self._shares.left(place, variant_id), most) for place, most in asked[variant_id].items())
            units += min(count, sum(free))
        return self._may_be_worth_it(index), units, -parted

    def _may_be_worth_it(self, index: int) -> bool:
        """Whether every place may still come to a parcel that is worth sending, or to the whole order."""
        if not self.parcels.least or (self.parcels.whole_order is not None and len(self.places) == 1):
            return True
        for place in self.places:
            might = self.parcels.worth_of(self._shares.parts.get(place, {}))
            for need in (*self._apart, *(need for bundle in self.bundles[index:] for need in bundle)):
                if (need.line_id, place) not in self.excluded:
                    units = min(need.units, self._shares.left(place, need.variant_id))
                    might += units * self.parcels.unit_worth[need.line_id]
            if might < self.parcels.least:
                return False
        return True

    def _sets(self, place: str, bundle: Bundle) -> int:
        """How often the place may ship the bundle, or one of its kits, and still has it whole."""
        if any((need.line_id, place) in self.excluded for need in bundle):
            return 0
        return sets_in(self._shares.free[place], bundle)

    def _even_out(self, shares: Shares) -> None:
        """Move units of divided lines to parcels that are worth too little, from those that can spare them."""
        if self.parcels.are_worth_it(shares.parts):
            return
        for poor, rich, need in product(reversed(self.places), self.places, self._apart):
            if poor == rich or poor not in shares.parts or (need.line_id, poor) in self.excluded:
                continue
            each = self.parcels.unit_worth[need.line_id]
            missing = self.parcels.least - self.parcels.worth_of(shares.parts[poor])
            spare = self.parcels.worth_of(shares.parts.get(rich, {})) - self.parcels.least
            if missing > 0 and each and spare >= each:
                movable = min(shares.of(rich, need), shares.left(poor, need.variant_id))
                units = min(movable, -(-missing // each), spare // each)
                shares.take(rich, need, -units)
                shares.take(poor, need, units)

    def _fill(self, needs: Sequence[Need], shares: Shares) -> None:
        """Give the lines as many units as can be, moving one line aside for another where that helps."""
        for need in needs:
            left = need.units
            while left > 0 and (moved := self._place(need, left, needs, shares, set())):
                left -= moved

    def _place(self, need: Need, units: int, needs: Sequence[Need], shares: Shares, seen: set[str]) -> int:
        """Place up to `units` of a line; returns how many. `seen` are the places that are being cleared already."""
        for place in self.places:
            if place in seen or (need.line_id, place) in self.excluded:
                continue
            seen.add(place)
            moved = min(units, shares.left(place, need.variant_id))
            if not moved:
                moved = self._clear(place, need, units, needs, shares, seen)
            if moved:
                shares.take(place, need, moved)
                return moved
        return 0

    def _clear(self, place: str, need: Need, units: int, needs: Sequence[Need], shares: Shares, seen: set[str]) -> int:
        """Move up to `units` of another line of the same variant from a place to elsewhere; returns how many."""
        for other in needs:
            here = shares.of(place, other) if other.variant_id == need.variant_id and other is not need else 0
            if here and (moved := self._place(other, min(units, here), needs, shares, seen)):
                shares.take(place, other, -moved)
                return moved
        return 0


def bundles(needs: Sequence[Need]) -> list[list[Need]]:
    """Lines that ship together, groups where their first line stands."""
    found: dict[tuple[str, str], list[Need]] = {}
    for need in needs:
        key = ("line", need.line_id) if need.group is None else ("group", need.group)
        found.setdefault(key, []).append(need)
    return list(found.values())


def wanted_of(needs: Iterable[Need]) -> dict[str, int]:
    """Units by variant."""
    wanted: dict[str, int] = {}
    for need in needs:
        wanted[need.variant_id] = wanted.get(need.variant_id, 0) + need.units
    return wanted


def sets_of(bundle: Bundle) -> int:
    """How many kits the lines of a group make up; 1 for a line, and for a group that is never divided."""
    if not bundle[0].per_kit:
        return 1
    counts = {need.units // need.per_kit if need.per_kit and need.units % need.per_kit == 0 else 0 for need in bundle}
    return counts.pop() or 1 if len(counts) == 1 else 1


def sets_in(free: Mapping[str, int], bundle: Bundle) -> int:
    """How often the free units, by variant, have the bundle, or one of its kits, whole; no more than there are."""
    most = sets_of(bundle)
    return min(most, *(free.get(variant, 0) // (units // most) for variant, units in wanted_of(bundle).items()))


def _divided(count: int, able: Sequence[tuple[str, int]]) -> Iterator[Way]:
    """Every way to take so many sets from places with so many each, as many as can be from the first."""
    if count == 0:
        yield ()
    elif count <= sum(sets for _, sets in able):
        (place, sets), *others = able
        for taken in range(min(count, sets), -1, -1):
            for way in _divided(count - taken, others):
                yield ((place, taken), *way) if taken else way


def _add(
    need: Need,
    units: int,
    units_of: Sequence[int],
    places: Sequence[str],
    total: dict[str, int],
    asked: dict[str, dict[str, int]],
) -> None:
    """Count what may still ship of a line, altogether and from each place."""
    total[need.variant_id] = total.get(need.variant_id, 0) + units
    some = asked.setdefault(need.variant_id, {})
    for place, count in zip(places, units_of, strict=True):
        some[place] = some.get(place, 0) + count
