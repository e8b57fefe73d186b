"""The cheapest places, exactly: the choice of the `cost` strategy within one step.

The model. Every unit goes onto one lane (a carrier from a place); all units on a lane are one parcel. A parcel costs
its carriage (the lane's charge for the heavier of its weight and its dimensional weight, or the place's flat charge),
its cartons (volume divided by the carton's, rounded up), handling and shadow price of each unit, lateness, and the
chance of a refusal times what that costs; each parcel after the first costs the penalty for being one more. A lane
without units costs nothing. A line is divided only where no lane of the set can take it whole, and a kit never; a line
that no lane of a place takes a unit of does not ship from there.

The search is branch and bound: sets of places by their least possible cost, and inside a set the lines one after
another onto lanes, given up as soon as the cost so far, which only rises, is more than the best that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from hub.domain.routing.effort import CutOffError, Effort
from hub.domain.routing.holders import Vector
from hub.domain.routing.price import carriage_of, lanes_of, least_carriage, risk_of, unit_price, units_price
from hub.domain.routing.rankers import why_not_line
from hub.domain.routing.search import Chosen, Parts, Search, covers, less
from hub.domain.routing.shapes import Lane, Need, Place, Snapshot
from hub.domain.routing.share import Bundle, bundles, sets_in, sets_of
from hub.domain.routing.shortlist import Offer, Shortlist

CUT_OFF = "too many ways to load the carriers to try them all: the cheapest of those that were tried was taken"
OVERLOADED = "the carriers do not take all of it: as much as they take was loaded"
LOADING = 150  # effort of looking at a way to load the lanes, in figures compared
MOST_COMPARED = 20  # cheaper places that a place is compared with, before it is tried

Onto = tuple[int, Lane]  # a place and one of its lanes


def why_not(need: Need, place: Place) -> str:
    """Why a place may not ship a line by cost, whatever its stock; "" when it may."""
    why = why_not_line(need, place)
    if why or not place.lanes:
        return why
    taken = any(least_carriage(place, lane, [(need, 1)]) is not None for lane in place.lanes)
    return "" if taken else "none of its carriers takes one unit of it"


def choose(shortlist: Shortlist, effort: Effort) -> Chosen:
    """What a step ships and from where, by cost."""
    chosen = Search(shortlist, effort).choose()
    if not chosen.parts:
        return chosen
    return _Bill(shortlist, chosen, effort).cheapest()


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

    def __init__(self, shortlist: Shortlist, by_rank: Chosen, effort: Effort) -> None:
        self.list = shortlist
        self.snapshot = shortlist.snapshot
        self.rules = shortlist.snapshot.rules.cost
        self.search = Search(shortlist, effort)
        self.effort = effort
        self.units = by_rank.units
        self.by_rank = by_rank
        self.best: tuple[int, int, tuple[int, ...]] | None = None  # cost, places, their ranks
        self.chosen = Chosen(tried=by_rank.tried, notes=by_rank.notes)

    def cheapest(self) -> Chosen:
        self.effort.begin()
        try:
            self._price(tuple(self.by_rank.parts), self.by_rank.parts)
            for size in range(1, 1 + (1 if self.list.step.assign == "single" else self.list.step.max_shipments)):
                self._grow((), 0, self.search.goal, size)
        except CutOffError:
            self.chosen.noted(CUT_OFF)
        if not self.chosen.parts:
            self._load_what_goes()
        for note in self.search.chosen.notes:
            self.chosen.noted(note)
        return self.chosen

    def _grow(self, group: tuple[_Candidate, ...], start: int, left: Vector, more: int) -> None:
        """Price every set that has the group and `more` places after `start`, unless it cannot be the cheapest."""
        for index in range(start, len(self._pool)):
            one = self._pool[index]
            self.effort.spend(3 * len(left) + 15)
            rest = less(left, one.vector)
            grown = (*group, one)
            if not self._may_be_best(grown, more - 1):
                return  # those that follow cost no less
            if self._is_full and not all(a <= (more - 1) * b for a, b in zip(rest, self._tops, strict=True)):
                continue
            if more > 1:
                self._grow(grown, index + 1, rest, more - 1)
            else:
                self._load(tuple(sorted(grown, key=lambda two: two.order)))

    def _may_be_best(self, group: Sequence[_Candidate], more: int) -> bool:
        if self.best is None:
            return True
        parcels = len(group) + more
        floor = sum(one.least for one in group) + group[-1].least * more
        floor += (parcels - 1) * self.rules.extra_shipment_penalty_minor
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
        for divide_any in (False, True):
            if _Loading(self, needs, lanes, divide_any=divide_any).was_possible():
                return

    def _load_what_goes(self) -> None:
        """Where the lanes cannot take all of the ranked choice: load line by line what they take, if a part will do."""
        self.chosen.noted(OVERLOADED)
        lanes = [(one, lane) for one in self.by_rank.parts for lane in lanes_of(self.list.place(one))]
        loading = _Loading(self, self.snapshot.needs, lanes, divide_any=True)
        loading.load_what_goes()
        if self.list.step.assign == "partial":
            self.keep(lanes, loading.loads)

    def keep(self, lanes: Sequence[Onto], loads: Sequence[Sequence[tuple[Need, int]]]) -> None:
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
        if parts and (self.best is None or key < self.best) and self.search.is_worth_it(parts):
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
        parcel or better ranked.
        """
        snapshot, found = self.snapshot, []
        kinds = tuple({need.category: need for need in snapshot.needs}.values())  # others are refused as often
        for offer, positions in self.list.offers.items():
            vector = self.search.vector(offer)
            for position in positions:
                place = self.list.place(position)
                found.append(
                    (
                        _terms(place, kinds, snapshot),
                        _Candidate(position, offer, vector, _least(place, kinds, snapshot), self._order[position]),
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
                for known, other in kept[:MOST_COMPARED]
            )
            if better < most:
                kept.append((terms, one))
        return sorted((one for _, one in kept), key=lambda one: (one.least, one.order))


class _Loading:
    """One search for the cheapest way to put some lines onto some lanes."""

    def __init__(self, bill: _Bill, needs: Sequence[Need], lanes: Sequence[Onto], *, divide_any: bool) -> None:
        self.bill, self.lanes, self.divide_any = bill, lanes, divide_any
        self.list, self.snapshot = bill.list, bill.snapshot
        self.stock = {one: self.list.free(one) for one, _ in lanes}
        self.loads: list[list[tuple[Need, int]]] = [[] for _ in lanes]
        self.prices: list[int | None] = [0 for _ in lanes]  # no load that has this one in it costs less; None: no such
        self.order = sorted(
            bundles(needs), key=lambda bundle: (-sum(need.weight_g * need.units for need in bundle), bundle[0].line_id)
        )
        self.undivided = {
            bundle[0].line_id
            for bundle in self.order
            if not any(self._fits(bundle, lane, _pieces(bundle)) for lane in range(len(lanes)))
        }
        places = [self.list.place(position) for position in self.stock]
        cheapest = [
            sum(need.units * min(unit_price(place, need, self.snapshot) for place in places) for need in bundle)
            for bundle in self.order
        ]
        self.after = [sum(cheapest[index:]) for index in range(len(self.order) + 1)]
        self.found = False

    def was_possible(self) -> bool:
        """Keep the cheapest way, when it is the cheapest of all; whether there is a way at all."""
        self._go(0)
        return self.found

    def load_what_goes(self) -> None:
        """Put as much onto the lanes as they take, one line after another."""
        for bundle in sorted(self.order, key=lambda bundle: bundle[0].line_id):
            left = _pieces(bundle)
            whole = [lane for lane in range(len(self.lanes)) if self._fits(bundle, lane, left)]
            for lane in whole[:1] or range(len(self.lanes)):
                fits = (pieces for pieces in range(left, 0, -1) if self._fits(bundle, lane, pieces))
                pieces = next(fits, 0)
                self._put(bundle, self._onto(lane, pieces), 1)
                left -= pieces

    def _go(self, index: int) -> None:
        self.bill.effort.spend(LOADING)
        best, so_far = self.bill.best, self._so_far()
        if so_far is None or (best is not None and so_far + self.after[index] > best[0]):
            self.found = self.found or so_far is not None  # there may be a way, but it is dearer
            return
        if index == len(self.order):
            self.found = True
            self.bill.keep(self.lanes, self.loads)
            return
        for way in self._ways(self.order[index]):
            before = self._put(self.order[index], way, 1)
            self._go(index + 1)
            self._put(self.order[index], way, -1)
            self.prices = before

    def _so_far(self) -> int | None:
        """No way to go on from these loads costs less; None when a lane cannot take its load."""
        total = 0
        for price in self.prices:
            if price is None:
                return None
            total += price
        parcels = sum(map(bool, self.loads))
        return total + max(0, parcels - 1) * self.bill.rules.extra_shipment_penalty_minor

    def _ways(self, bundle: Bundle) -> Iterator[Sequence[int]]:
        """Pieces of the bundle for each lane; it goes whole where it can."""
        pieces = _pieces(bundle)
        for lane in range(len(self.lanes)):
            if self._fits(bundle, lane, pieces):
                yield self._onto(lane, pieces)
        if self.divide_any or bundle[0].line_id in self.undivided:
            yield from self._divided(bundle, 0, pieces, {})

    def _onto(self, lane: int, pieces: int) -> list[int]:
        return [pieces if one == lane else 0 for one in range(len(self.lanes))]

    def _fits(self, bundle: Bundle, lane: int, pieces: int) -> bool:
        position, carrier = self.lanes[lane]
        if pieces > self._free(bundle, position):
            return False
        load = [*self.loads[lane], *_lines(bundle, pieces)]
        return least_carriage(self.list.place(position), carrier, load) is not None

    def _put(self, bundle: Bundle, way: Sequence[int], sign: int) -> list[int | None]:
        """Load a bundle, or take it off again; the prices as they were."""
        before = list(self.prices)
        for lane, pieces in enumerate(way):
            if not pieces:
                continue
            position, carrier = self.lanes[lane]
            for need, count in _lines(bundle, pieces):
                self.stock[position][need.variant_id] -= sign * count
                if sign > 0:
                    self.loads[lane].append((need, count))
                else:
                    self.loads[lane].pop()
            if sign > 0:
                self.prices[lane] = self._price(position, carrier, self.loads[lane])
        return before

    def _price(self, position: int, lane: Lane, load: Sequence[tuple[Need, int]]) -> int | None:
        place = self.list.place(position)
        carriage = least_carriage(place, lane, load)
        if carriage is None:
            return None
        return carriage + risk_of(place, load, self.snapshot) + units_price(place, load, self.snapshot)

    def _divided(self, bundle: Bundle, lane: int, left: int, used: Mapping[int, int]) -> Iterator[list[int]]:
        """Every way to divide a bundle among at least two of the lanes from this one on, as far as stock goes."""
        if lane == len(self.lanes):
            if not left:
                yield []
            return
        free = [self._free(bundle, one) - used.get(one, 0) for one in dict(self.lanes[lane:])]
        if sum(free) < left:
            return
        position = self.lanes[lane][0]
        for pieces in range(min(left, free[0], _pieces(bundle) - 1), -1, -1):
            after = {**used, position: used.get(position, 0) + pieces}
            for rest in self._divided(bundle, lane + 1, left - pieces, after):
                yield [pieces, *rest]

    def _free(self, bundle: Bundle, position: int) -> int:
        """Pieces of the bundle that the place may ship and still has."""
        place_id = self.list.network.ids[position]
        if any((need.line_id, place_id) in self.list.forbidden for need in bundle):
            return 0
        stock = self.stock[position]
        return stock[bundle[0].variant_id] if bundle[0].group is None else sets_in(stock, bundle)


def _pieces(bundle: Bundle) -> int:
    """In how many pieces a bundle may be divided: units of a line, kits of a group that is kits."""
    return bundle[0].units if bundle[0].group is None else sets_of(bundle)


def _lines(bundle: Bundle, pieces: int) -> list[tuple[Need, int]]:
    """So many pieces of the bundle as lines and units."""
    return [(need, pieces * (need.units // _pieces(bundle))) for need in bundle]


def _terms(place: Place, kinds: Sequence[Need], snapshot: Snapshot) -> tuple[tuple[object, ...], Vector]:
    """What has to be equal for two places' prices to be compared, and the prices that then count."""
    prices = [place.base_minor, *(unit_price(place, need, snapshot) for need in snapshot.needs)]
    prices += [risk_of(place, [(need, 1)], snapshot) for need in kinds]
    return (place.lanes, place.carton_ml, place.per_carton_minor), tuple(prices)


def _least(place: Place, kinds: Sequence[Need], snapshot: Snapshot) -> int:
    """No parcel from the place costs less, apart from its units."""
    empty = [charge for lane in lanes_of(place) if (charge := least_carriage(place, lane, [])) is not None]
    return min(empty, default=0) + min(risk_of(place, [(need, 1)], snapshot) for need in kinds)
