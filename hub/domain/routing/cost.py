"""The cheapest places, exactly: the choice of the `cost` strategy within one step.

The model. Every unit goes onto one lane (a carrier from a place); all units on a lane are one parcel. A parcel costs
its carriage (the lane's charge for the heavier of its weight and its dimensional weight, or the place's flat charge),
its cartons (volume divided by the carton's, rounded up), handling and shadow price of each unit, lateness, and the
chance of a refusal times what that costs; each parcel after the first costs the penalty for being one more. A lane
without units costs nothing. A line is divided only where no lane of the set can take it whole.

The search is branch and bound: sets of places by their least possible cost, and inside a set the lines one after
another onto lanes, given up as soon as the cost so far, which only rises, is more than the best that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hub.domain.routing.price import carriage_of, lanes_of, least_carriage, risk_of, unit_price, units_price
from hub.domain.routing.search import MOST_LINES, Chosen, Parts, Search, Vector, covers, less
from hub.domain.routing.shapes import Lane, Need, Place, Snapshot
from hub.domain.routing.share import bundles
from hub.domain.routing.shortlist import Offer, Shortlist, wanted_of

MOST_LOADS = 200_000  # ways to load lanes that are tried in one step, before it stops with the best that is known

Loads = tuple[tuple[tuple[Need, int], ...], ...]  # what each lane carries


class _CutOffError(Exception):
    """As many loads were tried as may be."""


def choose(shortlist: Shortlist) -> Chosen:
    """What a step ships and from where, by cost."""
    chosen = Search(shortlist).choose()
    if not chosen.parts:
        return chosen
    return _Bill(shortlist, chosen).cheapest()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A place that may be in the set."""

    position: int
    offer: Offer
    vector: Vector
    least: int  # no parcel from here costs less, apart from its units
    order: int  # where its rank puts it


class _Bill:
    """One search for the cheapest way to ship as many units as the ranked choice ships."""

    def __init__(self, shortlist: Shortlist, by_rank: Chosen) -> None:
        self.list = shortlist
        self.snapshot = shortlist.snapshot
        self.rules = shortlist.snapshot.rules.cost
        self.search = Search(shortlist)
        self.units = by_rank.units
        self.by_rank = by_rank
        self.best: tuple[int, int, tuple[int, ...]] | None = None  # cost, places, their ranks
        self.chosen = Chosen(tried=by_rank.tried)
        self._tried = 0

    def cheapest(self) -> Chosen:
        self._price(tuple(self.by_rank.parts), self.by_rank.parts)
        if len(self.search.bundles) > MOST_LINES:
            self.chosen.told((), f"more than {MOST_LINES} lines: the places that rank best were taken")
            return self.chosen
        try:
            for size in range(1, 1 + (1 if self.list.step.assign == "single" else self.list.step.max_shipments)):
                self._grow((), 0, self.search.goal, size)
        except _CutOffError:
            self.chosen.told((), f"more than {MOST_LOADS} ways to try: the best of those is taken")
        return self.chosen

    def _grow(self, group: tuple[_Candidate, ...], start: int, left: Vector, more: int) -> None:
        """Price every set that has the group and `more` places after `start`, unless it cannot be the cheapest."""
        for index in range(start, len(self._pool)):
            one = self._pool[index]
            rest = less(left, one.vector)
            grown = (*group, one)
            if not self._may_be_best(grown, more - 1):
                continue
            if self._is_full and not all(a <= (more - 1) * b for a, b in zip(rest, self._tops, strict=True)):
                continue
            if more > 1:
                self._grow(grown, index + 1, rest, more - 1)
            else:
                self._load(tuple(sorted(grown, key=lambda two: two.order)))

    def _may_be_best(self, group: Sequence[_Candidate], more: int) -> bool:
        if self.best is None:
            return True
        others = min(one.least for one in self._pool) * more
        parcels = len(group) + more
        floor = sum(one.least for one in group) + others + (parcels - 1) * self.rules.extra_shipment_penalty_minor
        return floor + self._least_units <= self.best[0]

    def _load(self, group: Sequence[_Candidate]) -> None:
        """Price the cheapest way in which the set ships as many units as can be."""
        positions = tuple(one.position for one in group)
        parts = self.search.share(positions)
        if sum(sum(part.values()) for part in parts.values()) == self.units:
            self._price(positions, parts)

    def _price(self, positions: tuple[int, ...], parts: Parts) -> None:
        """Keep the cheapest way in which these places ship as many of each line as in `parts`."""
        needs = []
        for need in self.snapshot.needs:
            units = sum(part.get(need.line_id, 0) for part in parts.values())
            if units:
                needs.append(replace(need, units=units))
        lanes = [(one, lane) for one in positions for lane in lanes_of(self.list.place(one))]
        for divisible in (False, True):
            if self._fill(needs, lanes, divide_any=divisible):
                return

    def _fill(self, needs: Sequence[Need], lanes: Sequence[tuple[int, Lane]], *, divide_any: bool) -> bool:
        """Put the lines onto lanes one after another; True when there is a way at all."""
        stock = {one: self.list.free(one) for one, _ in lanes}
        loads: list[list[tuple[Need, int]]] = [[] for _ in lanes]
        found = False

        def fits(bundle: Sequence[Need], lane: int) -> bool:
            position, carrier = lanes[lane]
            place = self.list.place(position)
            if any((need.line_id, place.id) in self.list.forbidden for need in bundle):
                return False
            if any(count > stock[position][variant] for variant, count in wanted_of(bundle).items()):
                return False
            return least_carriage(place, carrier, [*loads[lane], *((need, need.units) for need in bundle)]) is not None

        def ways(bundle: Sequence[Need]) -> Iterator[tuple[int, ...]]:
            """Units for each lane; a bundle goes whole where it can."""
            for lane in range(len(lanes)):
                if fits(bundle, lane):
                    yield tuple(-1 if one == lane else 0 for one in range(len(lanes)))
            if bundle[0].group is None and (divide_any or bundle[0].line_id in undivided):
                yield from self._divided(bundle[0], lanes, stock)

        def put(bundle: Sequence[Need], way: Sequence[int], sign: int) -> None:
            for lane, units in enumerate(way):
                if not units:
                    continue
                for need in bundle:
                    count = need.units if units < 0 else units
                    stock[lanes[lane][0]][need.variant_id] -= sign * count
                    if sign > 0:
                        loads[lane].append((need, count))
                    else:
                        loads[lane].pop()

        def go(index: int) -> None:
            nonlocal found
            self._tried += 1
            if self._tried > MOST_LOADS:
                raise _CutOffError
            so_far = self._so_far(lanes, loads)
            if so_far is None or (self.best is not None and so_far + after[index] > self.best[0]):
                found = found or so_far is not None  # there may be a way, but it is dearer
                return
            if index == len(order):
                found = True
                self._keep(lanes, loads)
                return
            for way in ways(order[index]):
                put(order[index], way, 1)
                go(index + 1)
                put(order[index], way, -1)

        order = sorted(
            bundles(needs), key=lambda bundle: (-sum(need.weight_g * need.units for need in bundle), bundle[0].line_id)
        )
        undivided = {bundle[0].line_id for bundle in order if not any(fits(bundle, lane) for lane in range(len(lanes)))}
        places = [self.list.place(position) for position in stock]
        cheapest = [
            sum(need.units * min(unit_price(place, need, self.snapshot) for place in places) for need in bundle)
            for bundle in order
        ]
        after = [sum(cheapest[index:]) for index in range(len(order) + 1)]
        go(0)
        return found

    def _divided(
        self, need: Need, lanes: Sequence[tuple[int, Lane]], stock: Mapping[int, Mapping[str, int]]
    ) -> Iterator[tuple[int, ...]]:
        """Every way to divide a line among at least two lanes, as far as stock goes."""

        def go(lane: int, left: int, used: Mapping[int, int]) -> Iterator[tuple[int, ...]]:
            if lane == len(lanes):
                if not left:
                    yield ()
                return
            position = lanes[lane][0]
            free = stock[position][need.variant_id] - used.get(position, 0)
            if (need.line_id, self.list.network.ids[position]) in self.list.forbidden:
                free = 0
            for units in range(min(left, free, need.units - 1), -1, -1):
                for rest in go(lane + 1, left - units, {**used, position: used.get(position, 0) + units}):
                    yield (units, *rest)

        yield from go(0, need.units, {})

    def _so_far(self, lanes: Sequence[tuple[int, Lane]], loads: Sequence[Sequence[tuple[Need, int]]]) -> int | None:
        """No way to go on from these loads costs less; None when a lane cannot take its load."""
        total, parcels = 0, 0
        for (position, lane), load in zip(lanes, loads, strict=True):
            if load:
                place = self.list.place(position)
                carriage = least_carriage(place, lane, load)
                if carriage is None:
                    return None
                total += carriage + risk_of(place, load, self.snapshot) + units_price(place, load, self.snapshot)
                parcels += 1
        return total + max(0, parcels - 1) * self.rules.extra_shipment_penalty_minor

    def _keep(self, lanes: Sequence[tuple[int, Lane]], loads: Sequence[Sequence[tuple[Need, int]]]) -> None:
        """Remember full loads when nothing better is known: cheaper, from fewer places, or better ranked."""
        parts: dict[int, dict[str, int]] = {}
        by_lane: dict[int, dict[str, dict[str, int]]] = {}
        total, parcels = 0, 0
        for (position, lane), load in zip(lanes, loads, strict=True):
            if not load:
                continue
            place = self.list.place(position)
            carriage = carriage_of(place, lane, load)
            if carriage is None:
                return
            total += carriage + risk_of(place, load, self.snapshot) + units_price(place, load, self.snapshot)
            parcels += 1
            mine = parts.setdefault(position, {})
            for need, units in load:
                mine[need.line_id] = mine.get(need.line_id, 0) + units
            if place.lanes:
                by_lane.setdefault(position, {})[lane.name] = {need.line_id: units for need, units in load}
        total += max(0, parcels - 1) * self.rules.extra_shipment_penalty_minor
        key = (total, len(parts), tuple(sorted(self._order[one] for one in parts)))
        if (self.best is None or key < self.best) and self.search.is_worth_it(parts):
            self.best = key
            ordered = sorted(parts, key=self._order.__getitem__)
            self.chosen.parts = {one: parts[one] for one in ordered}
            self.chosen.lanes = {one: by_lane[one] for one in ordered if one in by_lane}
            self.chosen.cost_minor = total

    @cached_property
    def _order(self) -> dict[int, int]:
        """Where each place stands by rank."""
        return {position: index for index, position in enumerate(self.list.best(self.list.total))}

    @cached_property
    def _is_full(self) -> bool:
        return self.units == sum(self.search.wanted)

    @cached_property
    def _least_units(self) -> int:
        """What the units cost at the very least; nothing where not all of them ship."""
        if not self._is_full:
            return 0
        places = [self.list.place(one.position) for one in self._pool]
        return sum(
            need.units * min(unit_price(one, need, self.snapshot) for one in places) for need in self.snapshot.needs
        )

    @cached_property
    def _tops(self) -> Vector:
        """The most that any place offers of each."""
        return tuple(max(some) for some in zip(*(one.vector for one in self._pool), strict=True))

    @cached_property
    def _pool(self) -> list[_Candidate]:
        """Places worth trying, the cheapest first.

        One is left aside when as many as may ship together offer at least as much for no more, and are cheaper by the
        parcel or better ranked; not where parcels have a least worth, since then it matters which of them ships what.
        """
        needs, snapshot = self.snapshot.needs, self.snapshot
        found = []
        for offer, positions in self.list.offers.items():
            vector = self.search.vector(offer)
            for position in positions:
                place = self.list.place(position)
                found.append(
                    (
                        _terms(place, needs, snapshot),
                        _Candidate(position, offer, vector, _least(place, needs, snapshot), self._order[position]),
                    )
                )
        found.sort(key=lambda one: (one[0][1][0], one[1].order))
        most = self.list.step.max_shipments
        kept: list[tuple[tuple[tuple[object, ...], Vector], _Candidate]] = []
        for terms, one in found:
            better = sum(
                known[0] == terms[0]
                and covers(terms[1], known[1])
                and covers(other.vector, one.vector)
                and set(other.offer[1]) <= set(one.offer[1])
                for known, other in kept
            )
            if better < most or self.list.step.min_shipment_value_minor:
                kept.append((terms, one))
        return sorted((one for _, one in kept), key=lambda one: (one.least, one.order))


def _terms(place: Place, needs: Sequence[Need], snapshot: Snapshot) -> tuple[tuple[object, ...], Vector]:
    """What has to be equal for two places' prices to be compared, and the prices that then count."""
    prices = [place.base_minor, *(unit_price(place, need, snapshot) for need in needs)]
    prices += [risk_of(place, [(need, 1)], snapshot) for need in needs]
    return (place.lanes, place.carton_ml, place.per_carton_minor), tuple(prices)


def _least(place: Place, needs: Sequence[Need], snapshot: Snapshot) -> int:
    """No parcel from the place costs less, apart from its units."""
    empty = [charge for lane in lanes_of(place) if (charge := least_carriage(place, lane, [])) is not None]
    return min(empty, default=0) + min(risk_of(place, [(need, 1)], snapshot) for need in needs)
