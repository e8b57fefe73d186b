"""Rehearsal: past orders decided again under other rules, on stock of their own, and what would have come of it.

Each order is decided as if it came today, one after another, and takes its units from the stock that the ones before
it have left. Both sides of a comparison start from the same stock and see the same orders in the same turn.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from hub.domain.routing.network import Network, distance_to
from hub.domain.routing.price import carriage_of, lanes_of
from hub.domain.routing.shapes import Need, Part, Place, Plan, Sellable, Snapshot

Decide = Callable[[Snapshot], Plan]


@dataclass(frozen=True, slots=True)
class Case:
    """A past order to be decided again. Its snapshot says everything but the stock."""

    id: str
    number: str
    placed_on: date  # capacity is counted by this day
    snapshot: Snapshot


@dataclass(frozen=True, slots=True)
class Shipment:
    """What one place would send; `km` is None where a coordinate is missing."""

    location: str
    units: int
    parcels: int
    cost_minor: int
    km: float | None
    is_late: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What would come of one order. `where` is units by location and line, to compare two outcomes by."""

    id: str
    number: str
    shipments: tuple[Shipment, ...]
    unfilled: int
    reason: str
    where: Mapping[str, Mapping[str, int]]


@dataclass(slots=True)
class Replay:
    """One side of a comparison as it goes on: the stock that is left, and the outcomes so far."""

    stock: dict[str, dict[str, int]]  # units by variant and place
    decide: Decide
    outcomes: list[Outcome] = field(default_factory=list)
    _networks: dict[Any, tuple[Sequence[Place], Network]] = field(default_factory=dict)
    _taken: dict[tuple[str, date], int] = field(default_factory=dict)  # shipments by place and day
    _full: dict[date, frozenset[str]] = field(default_factory=dict)  # places without capacity, by day

    @classmethod
    def on(cls, opening: Sellable, decide: Decide) -> Replay:
        """A side that starts from this stock."""
        stock: dict[str, dict[str, int]] = {}
        for (place_id, variant_id), units in opening.items():
            stock.setdefault(variant_id, {})[place_id] = units
        return cls(stock, decide)

    def take(self, case: Case) -> Outcome:
        """Decide one order on the stock that is left, and take its units away."""
        network = self._network(case)
        wanted = {need.variant_id for need in case.snapshot.needs}
        sellable = {
            (place_id, variant_id): units
            for variant_id in wanted
            for place_id, units in self.stock.get(variant_id, {}).items()
            if units > 0
        }
        snapshot = replace(case.snapshot, places=network, sellable=sellable)
        plan = self.decide(snapshot)
        for part in plan.parts:
            self._book(case, part, network)
        outcome = _outcome(case, snapshot, plan, network)
        self.outcomes.append(outcome)
        return outcome

    def _network(self, case: Case) -> Network:
        """The places, made ready once; those that are full on the order's day take no more."""
        places, full = case.snapshot.places, self._full.get(case.placed_on, frozenset())
        key = (id(places), full)
        if key not in self._networks:
            shown = [replace(one, capacity_left=0) if one.id in full else one for one in places]
            self._networks[key] = (places, Network(shown))
        return self._networks[key][1]

    def _book(self, case: Case, part: Part, network: Network) -> None:
        variant_of = {need.line_id: need.variant_id for need in case.snapshot.needs}
        for line_id, units in part.units.items():
            self.stock[variant_of[line_id]][part.place_id] -= units
        place = _place(network, part.place_id)
        if place.capacity_left is None:
            return
        key = (part.place_id, case.placed_on)
        self._taken[key] = self._taken.get(key, 0) + 1
        if self._taken[key] >= place.capacity_left:
            self._full[case.placed_on] = self._full.get(case.placed_on, frozenset()) | {part.place_id}


def _place(network: Network, place_id: str) -> Place:
    position = network.position(place_id)
    assert position is not None  # noqa: S101 - the router names places of the network alone
    return network[position]


def _outcome(case: Case, snapshot: Snapshot, plan: Plan, network: Network) -> Outcome:
    needs = {need.line_id: need for need in snapshot.needs}
    return Outcome(
        case.id,
        case.number,
        tuple(_shipment(part, _place(network, part.place_id), snapshot, needs) for part in plan.parts),
        sum(rest.units for rest in plan.remainder),
        plan.reason,
        {_place(network, part.place_id).code: dict(part.units) for part in plan.parts},
    )


def _shipment(part: Part, place: Place, snapshot: Snapshot, needs: Mapping[str, Need]) -> Shipment:
    loads = list(part.lanes.values()) or [part.units]
    late = snapshot.promise is not None and place.arrives_on is not None and place.arrives_on > snapshot.promise
    return Shipment(
        place.code,
        sum(part.units.values()),
        len(loads),
        sum(_charge(place, name, load, needs) for name, load in zip(part.lanes or ("",), loads, strict=True)),
        distance_to(place, snapshot.destination),
        late,
    )


def _charge(place: Place, name: str, units: Mapping[str, int], needs: Mapping[str, Need]) -> int:
    """Carriage, cartons and handling of one parcel, by the lane that is named or the cheapest that takes it."""
    load = [(needs[line_id], count) for line_id, count in units.items()]
    lanes = [lane for lane in lanes_of(place) if not name or lane.name == name]
    carriage = [charge for lane in lanes if (charge := carriage_of(place, lane, load)) is not None]
    return min(carriage, default=0) + place.per_unit_minor * sum(units.values())


def figures(outcomes: Sequence[Outcome], opening: Sellable, left: Mapping[str, Mapping[str, int]]) -> dict[str, Any]:
    """What one side comes to. Amounts are whole minor units, `km` is all distances that are known together."""
    shipments = [one for outcome in outcomes for one in outcome.shipments]
    places: dict[str, dict[str, int]] = {}
    for one in shipments:
        load = places.setdefault(one.location, {"shipments": 0, "units": 0})
        load["shipments"] += one.parcels
        load["units"] += one.units
    parcels = sum(one.parcels for one in shipments)
    return {
        "orders": len(outcomes),
        "shipments": parcels,
        "shipments_per_100_orders": round(100 * parcels / len(outcomes)) if outcomes else 0,
        "split_orders": sum(sum(one.parcels for one in outcome.shipments) > 1 for outcome in outcomes),
        "units": sum(one.units for one in shipments),
        "unfilled_units": sum(outcome.unfilled for outcome in outcomes),
        "unfilled_orders": sum(outcome.unfilled > 0 for outcome in outcomes),
        "cost_minor": sum(one.cost_minor for one in shipments),
        "late_shipments": sum(one.is_late for one in shipments),
        "km": round(sum(one.km for one in shipments if one.km is not None)),
        "stock_outs": sum(
            units > 0 and left.get(variant, {}).get(place, 0) <= 0 for (place, variant), units in opening.items()
        ),
        "locations": dict(sorted(places.items())),
    }


def differences(baseline: Iterable[Outcome], draft: Iterable[Outcome]) -> list[tuple[Outcome, Outcome]]:
    """Orders that would go elsewhere, (baseline, draft), in their turn."""
    return [(old, new) for old, new in zip(baseline, draft, strict=True) if old.where != new.where]
