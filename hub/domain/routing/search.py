"""The fewest places that ship the most: the choice of the `ranked` strategy within one step.

Finding the fewest places is NP-hard in general, and small in practice. Five things keep it small: the best two places
are mostly found without ranking all the others, places that offer the same are tried once, a place is left aside when
enough better-ranked ones offer at least as much, a set is not built up any further when the places that could still
come cannot complete it, and the last place of a set is found by asking all places at once. What is left of hard cases
is bounded by counting, so that the same order always ends alike.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from operator import ge

from hub.domain import words
from hub.domain.routing.effort import CutOffError, Effort
from hub.domain.routing.holders import Holders, Vector, bits
from hub.domain.routing.share import Parcels, Shelf, bundles, sets_in, sets_of
from hub.domain.routing.shortlist import Offer, Shortlist

MOST_TOLD = 5  # sets that did not do, kept for the trace
CUT_OFF = "too many sets of locations to try them all: the best that was found was taken"
CUT_OFF_SHARING = "too many ways to share the lines to try them all: the best that was found was taken"
POOR_PARCELS = "sets of locations with a parcel of too little worth were left aside"

Parts = Mapping[int, Mapping[str, int]]  # units by place and line, best-ranked place first
Group = tuple[int, ...]  # places by where they stand in the pool


@dataclass(slots=True)
class Chosen:
    """What a step chose. `tried` are sets of codes that did not do, and why not; `notes` tell where it is not exact."""

    parts: Parts = field(default_factory=dict)
    tried: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    cost_minor: int | None = None
    lanes: Mapping[int, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)  # by place, lane and line

    @property
    def units(self) -> int:
        return sum(sum(part.values()) for part in self.parts.values())

    def told(self, codes: Sequence[str], why_not: str) -> None:
        one = (tuple(codes), why_not)
        if len(self.tried) < MOST_TOLD and one not in self.tried:
            self.tried.append(one)

    def noted(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def choose(shortlist: Shortlist, effort: Effort) -> Chosen:
    """What a step ships and from where, by rank."""
    return Search(shortlist, effort).choose()


class Search:
    """One search in one shortlist."""

    def __init__(self, shortlist: Shortlist, effort: Effort) -> None:
        self.list = shortlist
        self.step = shortlist.step
        self.needs = shortlist.snapshot.needs
        self.chosen = Chosen()
        self.bundles = bundles(self.needs)
        self.groups = [bundle for bundle in self.bundles if bundle[0].group is not None]
        self.wanted: Vector = shortlist.wanted
        self.goal: Vector = self.wanted + tuple(map(sets_of, self.groups))
        self.parcels = Parcels(
            self.step.min_shipment_value_minor * shortlist.worth_factor,
            shortlist.unit_worth,
            sum(self.wanted) if shortlist.is_whole else None,
        )
        self.is_plain = not self.groups and not shortlist.forbidden
        self._look = len(self.goal) + 5  # effort of looking at a place
        self._grow = 3 * len(self.goal) + 15  # and of trying it in a set
        self._effort = effort
        self._group: Group = ()  # where what is chosen stands in the pool
        self._least = 0  # units that a set has to ship to be worth sharing

    def choose(self) -> Chosen:
        if not self.list.offers:
            return self.chosen
        if self.single() or self.step.assign == "single":
            return self.chosen
        if not self._fewest() and self.step.assign == "partial":
            self._most()
        return self.chosen

    def single(self) -> bool:
        """The best-ranked place that takes everything."""
        whole = [offer for offer in self.list.offers if offer[0] == self.wanted]
        if not whole:
            self._tell_why_not_alone()
            return False
        have_all = {position for offer in whole for position in self.list.offers[offer]}
        best = next((one for one in self.list.leading if one in have_all), None)
        if best is None:
            [best] = self.list.best(1, whole)
        parts = {best: {need.line_id: need.units for need in self.needs}}
        if not self.is_worth_it(parts):
            return False
        self.chosen.parts = parts
        return True

    def fewest_with(self, position: int) -> int | None:
        """How many places it takes when this one is among them; None when the step's most do not suffice, or where
        that is hard to say.
        """
        if not self.is_plain:
            return None
        mine = self.list.offer_of(position)[0]
        offers = Counter({offer[0]: len(places) for offer, places in self.list.offers.items()})
        offers[mine] -= 1
        left = less(self.goal, mine)
        sizes = range(2, min(self.step.max_shipments, MOST_TOLD) + 1)
        try:
            return next((size for size in sizes if self._can_cover(left, offers, size - 1)), None)
        except CutOffError:
            return None

    def _can_cover(self, left: Vector, offers: Counter[Vector], more: int) -> bool:
        """Whether so many of the offers could complete what is left."""
        if not any(left):
            return True
        if more == 0:
            return False
        first = next(index for index, units in enumerate(left) if units)
        for offer, count in list(offers.items()):
            if count > 0 and offer[first]:
                self._effort.spend(self._grow)
                offers[offer] -= 1
                done = self._can_cover(less(left, offer), offers, more - 1)
                offers[offer] += 1
                if done:
                    return True
        return False

    def _fewest(self) -> bool:
        """The smallest set that takes everything, the best ranked of those; whether there is one."""
        self._effort.begin()
        self._least = sum(self.wanted)
        try:
            if self.step.max_shipments > 1 and self._pair():
                return True
            for size in range(2, self.step.max_shipments + 1):
                for group in self._covering((), 0, self.goal, size):
                    if self._take(group):
                        return True
        except CutOffError:
            self.chosen.noted(CUT_OFF)
            return self._take(self._fullest_first())
        most = self.step.max_shipments
        some = f"{most} locations together" if most > 1 else "single location"
        self.chosen.told((), f"no {some} can ship everything")
        return False

    def _pair(self) -> bool:
        """The best-ranked two places that take everything, found without ranking all of them; whether there are two.

        Who stands first in them is the best-ranked place that another one completes, so it is looked for among those
        that lead. When it is not there, or their parcels are worth too little, every set is tried.
        """
        offers = list(self.list.offers)
        self._effort.spend(len(self.goal) * len(offers))
        holders = Holders([self.vector(offer) for offer in offers])
        for first in self.list.leading:
            rest = less(self.goal, self.vector(self.list.offer_of(first)))
            completing = [offers[index] for index in bits(holders.of(rest))]
            others = [one for one in self.list.best(2, completing) if one != first]
            if others:
                parts = self.share([first, others[0]])
                if _units(parts) < self._least or not self.is_worth_it(parts):
                    return False
                self.chosen.parts = parts
                return True
        return False

    def _most(self) -> None:
        """The set that takes the most units; of those the smallest, and then the best ranked."""
        self._effort.begin()
        self._least = 1
        self._take(self._fullest_first())
        try:
            for size in range(1, self.step.max_shipments + 1):
                self._least = self.chosen.units + (size > len(self._group))
                for group in self._filling((), 0, self.goal, size):
                    self._take(group)
        except CutOffError:
            self.chosen.noted(CUT_OFF)

    def _take(self, group: Group) -> bool:
        """Choose a set when it ships enough and is better than the one that was chosen; whether it is chosen now."""
        parts = self.share([self._pool[index][0] for index in sorted(group)])
        units = _units(parts)
        if units < self._least or not self.is_worth_it(parts):
            return False
        group = tuple(index for index in sorted(group) if self._pool[index][0] in parts)
        if not self.chosen.parts or (-units, len(group), group) < (-self.chosen.units, len(self._group), self._group):
            self.chosen.parts, self._group = parts, group
        self._least = units + 1  # what comes later with as many units is no smaller and no better ranked
        return True

    def share(self, positions: Sequence[int]) -> dict[int, Mapping[str, int]]:
        """Units by place and line, as many as these places, best ranked first, can ship."""
        ids = {self.list.network.ids[one]: one for one in positions}
        free = {place_id: self.list.free(one) for place_id, one in ids.items()}
        shelf = Shelf(free, self.list.forbidden, self.needs, self.parcels)
        shares = shelf.shared()
        self._effort.left -= 300 + 25 * shelf.ways_tried * len(self.needs)
        if shelf.was_cut_off:
            self.chosen.noted(CUT_OFF_SHARING)
        return {one: shares.parts[place_id] for place_id, one in ids.items() if place_id in shares.parts}

    def is_worth_it(self, parts: Parts) -> bool:
        """Whether no parcel is worth too little. A parcel that has the whole order is always worth it."""
        if self.parcels.are_worth_it(parts):
            return True
        codes = [self.list.place(one).code for one in parts]
        poor = next(one for one, part in parts.items() if not self.parcels.is_enough(part))
        worth = self.parcels.worth_of(parts[poor]) // self.list.worth_factor
        least = self.step.min_shipment_value_minor
        code = self.list.place(poor).code
        self.chosen.told(codes, f"the parcel from {code} would be worth {worth}, less than {least}")
        self.chosen.noted(POOR_PARCELS)
        return False

    # Sets of places, in the order of their ranks.

    @cached_property
    def _pool(self) -> list[tuple[int, Vector, Offer]]:
        """Places worth trying, best ranked first.

        As many as may ship together are kept of those that offer the same, and a place is left aside when as many
        better-ranked ones offer at least as much: one of them could take its part.
        """
        offer_of = {position: offer for offer, places in self.list.offers.items() for position in places}
        ranked = [(position, offer_of[position]) for position in self.list.best(self.list.total)]
        most, seen = self.step.max_shipments, Counter[Offer]()
        found = []
        for position, offer in ranked:
            if seen[offer] < most:
                seen[offer] += 1
                found.append((position, self.vector(offer), offer))
        able = _able([offer for _, _, offer in found])
        holders = Holders([vector for _, vector, _ in found])
        kept = []
        for index, one in enumerate(found):
            _, vector, (_, lines) = one
            better = holders.of(vector) & ((1 << index) - 1)
            for line, places in able.items():
                if line not in lines:
                    better &= places
            if better.bit_count() < most:
                kept.append(one)
        return kept

    @property
    def _ask(self) -> int:
        """Effort of asking all places at once who completes a set."""
        return len(self.goal) * (2 + len(self._pool) // 200)

    @cached_property
    def _holders(self) -> Holders:
        return Holders([vector for _, vector, _ in self._pool])

    @cached_property
    def _tops(self) -> list[tuple[Vector, int]]:
        """The most that any place from here on in the pool offers of each, and of all articles together."""
        tops = [((0,) * len(self.goal), 0)]
        for _, vector, offer in reversed(self._pool):
            best, widest = tops[-1]
            tops.append((tuple(map(max, best, vector)), max(widest, sum(offer[0]))))
        return tops[::-1]

    def _covering(self, group: Group, start: int, left: Vector, more: int) -> Iterator[Group]:
        """The group with `more` places added in every way that could take everything, the best ranked first.

        Of places that offer the same only the best ranked is taken, since whatever can follow the others can follow it.
        """
        tried: set[Offer] = set()
        last = more == 1
        self._effort.spend(self._ask if last else 0)
        for index in bits(self._holders.of(left) >> start) if last else range(len(self._pool) - start):
            self._effort.spend(self._grow)
            if not self._could_cover(left, start + index, more):
                return
            _, vector, offer = self._pool[start + index]
            if offer in tried:
                continue
            tried.add(offer)
            rest = less(left, vector)
            if last:
                yield (*group, start + index)
            elif rest != left or not self.is_plain:
                yield from self._covering((*group, start + index), start + index + 1, rest, more - 1)

    def _could_cover(self, left: Vector, start: int, more: int) -> bool:
        tops, widest = self._tops[start]
        if sum(left[: len(self.wanted)]) > more * widest:
            return False
        return all(units <= more * top for units, top in zip(left, tops, strict=True))

    def _filling(self, group: Group, start: int, left: Vector, more: int, got: int = 0) -> Iterator[Group]:
        """The group with `more` places added in every way that could ship as many units as are asked for.

        What a place adds to a set only falls as the set grows, so that what the best could add now is a bound.
        """
        self._effort.spend(self._look * (len(self._pool) - start))
        gains = [sum(map(min, left, offer[0])) for _, _, offer in self._pool[start:]]
        tried: set[Offer] = set()
        for index, (gain, after) in enumerate(zip(gains, _most_after(gains, more - 1), strict=True), start):
            _, vector, offer = self._pool[index]
            if got + gain + after < self._least or offer in tried or (self.is_plain and not gain):
                continue
            tried.add(offer)
            self._effort.spend(self._grow)
            if more == 1:
                yield (*group, index)
            else:
                yield from self._filling((*group, index), index + 1, less(left, vector), more - 1, got + gain)

    def _fullest_first(self) -> Group:
        """The place that has most of what is left, then the next: not always the fewest places."""
        group: list[int] = []
        left = self.goal
        while len(group) < self.step.max_shipments:
            gains = [
                (sum(map(min, left, vector)), -index)
                for index, (_, vector, _) in enumerate(self._pool)
                if index not in group
            ]
            gain, index = max(gains, default=(0, 0))
            if not gain:
                break
            group.append(-index)
            left = less(left, self._pool[-index][1])
        return tuple(group)

    def vector(self, offer: Offer) -> Vector:
        """What an offer has of each article, and how often it has each group, or its kits, whole."""
        units, lines = offer
        if not self.groups:
            return units
        free = dict(zip(self.list.variants, units, strict=True))
        return units + tuple(
            0 if any(need.line_id in lines for need in bundle) else sets_in(free, bundle) for bundle in self.groups
        )

    def _tell_why_not_alone(self) -> None:
        for position in self.list.leading[:1]:
            lines = self.list.lines_whole(self.list.offer_of(position))
            code = self.list.place(position).code
            self.chosen.told((code,), f"it has {lines} of {words.lines(len(self.needs))} whole")


def _able(offers: Sequence[Offer]) -> dict[str, int]:
    """The places that may ship a line, by the lines that some may not."""
    return {
        line: sum(1 << index for index, (_, others) in enumerate(offers) if line not in others)
        for line in {line for _, lines in offers for line in lines}
    }


def _most_after(gains: Sequence[int], count: int) -> list[int]:
    """For each place what the `count` best ones behind it add together."""
    found, best = [0] * len(gains), list[int]()
    for index in range(len(gains) - 1, -1, -1):
        found[index] = sum(best)
        insort(best, gains[index])
        del best[: max(0, len(best) - count)]
    return found


def _units(parts: Parts) -> int:
    return sum(sum(part.values()) for part in parts.values())


def less(left: Vector, offered: Vector) -> Vector:
    return tuple([max(0, units - some) for units, some in zip(left, offered, strict=True)])


def covers(one: Vector, other: Vector) -> bool:
    return all(map(ge, one, other))
