"""The fewest places that ship the most, exactly: the choice of the `ranked` strategy within one step.

Finding the fewest places is NP-hard in general, and small in practice. Three things keep it small: places that offer
the same are tried once, a place is left aside when enough better-ranked ones offer at least as much, and a set is not
built up any further when the places that could still come cannot complete it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from operator import ge

from hub.domain.routing.shapes import Need
from hub.domain.routing.share import Shelf, bundles
from hub.domain.routing.shortlist import Offer, Shortlist, wanted_of

MOST_LINES = 12  # bundles of lines; longer orders take the fullest place first instead of trying all sets
MOST_TRIES = 200_000  # places tried in sets before the search gives up and takes the fullest place first
MOST_TOLD = 5  # sets that did not do, kept for the trace

Parts = Mapping[int, Mapping[str, int]]  # units by place and line, best-ranked place first
Vector = tuple[int, ...]


@dataclass(slots=True)
class Chosen:
    """What a step chose. `tried` are sets of codes that did not do, and why not."""

    parts: Parts = field(default_factory=dict)
    tried: list[tuple[tuple[str, ...], str]] = field(default_factory=list)
    cost_minor: int | None = None
    lanes: Mapping[int, Mapping[str, Mapping[str, int]]] = field(default_factory=dict)  # by place, lane and line

    @property
    def units(self) -> int:
        return sum(sum(part.values()) for part in self.parts.values())

    def told(self, codes: Sequence[str], why_not: str) -> None:
        if len(self.tried) < MOST_TOLD:
            self.tried.append((tuple(codes), why_not))


class _CutOffError(Exception):
    """The search has tried as many sets as it may."""


def choose(shortlist: Shortlist) -> Chosen:
    """What a step ships and from where, by rank."""
    return Search(shortlist).choose()


class Search:
    """One search in one shortlist."""

    def __init__(self, shortlist: Shortlist) -> None:
        self.list = shortlist
        self.step = shortlist.step
        self.needs = shortlist.snapshot.needs
        self.chosen = Chosen()
        self.bundles = bundles(self.needs)
        self.groups = [bundle for bundle in self.bundles if bundle[0].group is not None]
        wanted = wanted_of(self.needs)
        self.wanted: Vector = tuple(wanted[variant] for variant in shortlist.variants)
        self.goal: Vector = self.wanted + (1,) * len(self.groups)
        self.is_plain = not self.groups and not shortlist.forbidden
        self._tries = 0

    def choose(self) -> Chosen:
        if not self.list.offers:
            return self.chosen
        if self.single() or self.step.assign == "single":
            return self.chosen
        if len(self.bundles) > MOST_LINES:
            self.chosen.told((), f"more than {MOST_LINES} lines: the fullest places were taken first")
            self._fullest_first()
        elif self.step.assign == "split":
            self._try(self._fewest)
        else:
            self._try(self._most)
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
        groups and refusals make it hard to say.
        """
        if not self.is_plain:
            return None
        mine = self.list.offer_of(position)[0]
        offers = Counter({offer[0]: len(places) for offer, places in self.list.offers.items()})
        offers[mine] -= 1
        left = less(self.goal, mine)
        sizes = range(2, min(self.step.max_shipments, MOST_TOLD) + 1)
        return next((size for size in sizes if _can_cover(left, offers, size - 1)), None)

    def _try(self, search: Callable[[], None]) -> None:
        try:
            search()
        except _CutOffError:
            self.chosen.told((), f"more than {MOST_TRIES} sets to try: the fullest places were taken first")
            self._fullest_first()

    def _fewest(self) -> None:
        """The smallest set that takes everything, the best ranked of those."""
        for size in range(2, self.step.max_shipments + 1):
            for group in self._covering(size):
                parts = self.share(group)
                if _units(parts) == sum(self.wanted) and len(parts) == size and self.is_worth_it(parts):
                    self.chosen.parts = parts
                    return
        if not self.chosen.tried:
            self.chosen.told((), f"no {self.step.max_shipments} locations together have everything")

    def _most(self) -> None:
        """The set that takes the most units; of those the smallest, and then the best ranked."""
        for size in range(1, self.step.max_shipments + 1):
            if self.chosen.units == sum(self.wanted):
                return
            for group, at_most in self._filling(size):
                if at_most <= self.chosen.units:
                    continue
                parts = self.share(group)
                if _units(parts) > self.chosen.units and self.is_worth_it(parts):
                    self.chosen.parts = parts

    def share(self, group: Sequence[int]) -> dict[int, Mapping[str, int]]:
        """Units by place and line, as many as the group, best ranked first, can ship.

        Taking lines one after another is best unless a group or a refusal stands in the way; then it may take what
        another line needed more, and every way is tried.
        """
        ids = {self.list.network.ids[one]: one for one in group}
        shelf = Shelf({place_id: self.list.free(one) for place_id, one in ids.items()}, self.list.forbidden)
        shares = shelf.by_preference(self.needs)
        if not self.is_plain and shares.units < self._at_most(group):
            shares = shelf.fullest(self.needs, shares)
        return {one: shares.parts[place_id] for place_id, one in ids.items() if place_id in shares.parts}

    def _at_most(self, group: Sequence[int]) -> int:
        """No more units than this can come from the group."""
        offered = zip(*(self.list.offer_of(one)[0] for one in group), strict=True)
        return sum(min(units, sum(some)) for units, some in zip(self.wanted, offered, strict=True))

    def is_worth_it(self, parts: Parts) -> bool:
        """Whether no parcel is worth too little. A parcel that has the whole order is always worth it."""
        least = self.step.min_shipment_value_minor
        if not least or (self.list.is_whole and len(parts) == 1 and _units(parts) == sum(self.wanted)):
            return True
        for position, units in parts.items():
            worth = sum(count * self.list.unit_worth[line] for line, count in units.items())
            if worth < least:
                codes = [self.list.place(one).code for one in parts]
                code = self.list.place(position).code
                self.chosen.told(codes, f"the parcel from {code} would be worth {int(worth)}, less than {least}")
                return False
        return True

    # Sets of places, in the order of their ranks.

    @cached_property
    def _pool(self) -> list[tuple[int, Vector, Offer]]:
        """Places worth trying, best ranked first.

        As many as may ship together are kept of those that offer the same, and a place is left aside when as many
        better-ranked ones offer at least as much: one of them could take its part. That holds only as long as it does
        not matter which parcel ships what, so where parcels have a least worth, all places stay.
        """
        most = self.step.max_shipments
        by_worth = self.step.min_shipment_value_minor > 0
        found = [
            (position, self.vector(offer), offer)
            for offer in self.list.offers
            for position in self.list.best(self.list.total if by_worth else most, [offer])
        ]
        found.sort(key=lambda one: self._order(one[0]))
        if by_worth:
            return found
        kept: list[tuple[int, Vector, Offer]] = []
        for one in found:
            _, vector, (_, lines) = one
            better = 0
            for _, other, (_, others) in kept:
                if covers(other, vector) and set(others) <= set(lines):
                    better += 1
                    if better == most:
                        break
            else:
                kept.append(one)
        return kept

    @cached_property
    def _tops(self) -> list[Vector]:
        """The most that any place from here on in the pool offers of each."""
        tops = [(0,) * len(self.goal)]
        for _, vector, _ in reversed(self._pool):
            tops.append(tuple(map(max, tops[-1], vector)))
        return tops[::-1]

    def _order(self, position: int) -> tuple[tuple[float, ...], bool, int]:
        ranks = tuple(inf if rank is None else rank for rank in self.list.ranks(position))
        return ranks, not self.list.place(position).is_default, position

    def _covering(self, size: int) -> Iterator[tuple[int, ...]]:
        """Sets of `size` places that could take everything, the best ranked first."""
        for group, left in self._grown((), 0, self.goal, size, self._could_cover):
            if not any(left):
                yield group

    def _could_cover(self, left: Vector, start: int, more: int) -> bool:
        return all(units <= more * top for units, top in zip(left, self._tops[start], strict=True))

    def _filling(self, size: int) -> Iterator[tuple[tuple[int, ...], int]]:
        """Sets of `size` places that could take more units than the best known, and how many they take at most."""
        total, articles = sum(self.wanted), len(self.wanted)

        def could_beat(left: Vector, start: int, more: int) -> bool:
            tops = self._tops[start]
            missing = sum(max(0, left[one] - more * tops[one]) for one in range(articles))
            return total - missing > self.chosen.units

        for group, left in self._grown((), 0, self.goal, size, could_beat):
            yield group, total - sum(left[:articles])

    def _grown(
        self,
        group: tuple[int, ...],
        start: int,
        left: Vector,
        more: int,
        promising: Callable[[Vector, int, int], bool],
    ) -> Iterator[tuple[tuple[int, ...], Vector]]:
        """The group with `more` places added in every way.

        Of places that offer the same only the best ranked is taken, since whatever can follow the others can follow it.
        """
        tried: set[Offer] = set()
        for index in range(start, len(self._pool)):
            position, vector, offer = self._pool[index]
            if offer in tried:
                continue
            tried.add(offer)
            self._tries += 1
            if self._tries > MOST_TRIES:
                raise _CutOffError
            rest = less(left, vector)
            if not promising(rest, index + 1, more - 1):
                continue
            if more == 1:
                yield (*group, position), rest
            else:
                yield from self._grown((*group, position), index + 1, rest, more - 1, promising)

    def _fullest_first(self) -> None:
        """Take the place that has most of what is left, then the next: not always the fewest places."""
        group: list[int] = []
        left = self.goal
        while len(group) < self.step.max_shipments:
            gain, _, position = max(
                (sum(left) - sum(less(left, vector)), -index, position)
                for index, (position, vector, _) in enumerate(self._pool)
            )
            if not gain or position in group:
                break
            group.append(position)
            left = less(left, self.vector(self.list.offer_of(position)))
        order = {position: index for index, (position, _, _) in enumerate(self._pool)}
        parts = self.share(sorted(group, key=order.__getitem__))
        enough = sum(self.wanted) if self.step.assign == "split" else self.chosen.units + 1
        if _units(parts) >= enough and self.is_worth_it(parts):
            self.chosen.parts = parts

    def vector(self, offer: Offer) -> Vector:
        """What an offer has of each article, and whether it has each group whole."""
        units, lines = offer
        if not self.groups:
            return units
        free = dict(zip(self.list.variants, units, strict=True))
        return units + tuple(int(_has(free, lines, bundle)) for bundle in self.groups)

    def _tell_why_not_alone(self) -> None:
        for position in self.list.leading[:1]:
            lines = lines_whole(self.list, position)
            code = self.list.place(position).code
            self.chosen.told((code,), f"it has {lines} of {len(self.needs)} lines whole")


def lines_whole(shortlist: Shortlist, position: int) -> int:
    """How many of the lines the place can ship whole, one after another."""
    free = shortlist.free(position)
    whole = 0
    for need in shortlist.snapshot.needs:
        allowed = (need.line_id, shortlist.network.ids[position]) not in shortlist.forbidden
        if allowed and free[need.variant_id] >= need.units:
            free[need.variant_id] -= need.units
            whole += 1
    return whole


def _has(free: Mapping[str, int], forbidden: Sequence[str], bundle: Sequence[Need]) -> bool:
    if any(need.line_id in forbidden for need in bundle):
        return False
    return all(free[variant] >= units for variant, units in wanted_of(bundle).items())


def _units(parts: Parts) -> int:
    return sum(sum(part.values()) for part in parts.values())


def less(left: Vector, offered: Vector) -> Vector:
    return tuple([max(0, units - some) for units, some in zip(left, offered, strict=True)])


def covers(one: Vector, other: Vector) -> bool:
    return all(map(ge, one, other))


def _can_cover(left: Vector, offers: Counter[Vector], more: int) -> bool:
    """Whether so many of the offers could complete what is left."""
    if not any(left):
        return True
    if more == 0:
        return False
    first = next(index for index, units in enumerate(left) if units)
    for offer, count in list(offers.items()):
        if count > 0 and offer[first]:
            offers[offer] -= 1
            done = _can_cover(less(left, offer), offers, more - 1)
            offers[offer] += 1
            if done:
                return True
    return False
