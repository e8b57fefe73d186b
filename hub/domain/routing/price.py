"""What a parcel costs, in whole minor units: carriage, handling, lateness, the risk of a refusal, and scarce stock."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from hub.domain.routing.shapes import Lane, Need, Place, Snapshot

MILLION = 1_000_000

Load = Sequence[tuple[Need, int]]  # lines and how many units of each

FLAT = Lane("", ())  # the carrier of a place that names none: it charges the place's `base_minor`


def lanes_of(place: Place) -> tuple[Lane, ...]:
    return place.lanes or (FLAT,)


def parcel_price(place: Place, load: Load, snapshot: Snapshot) -> int | None:
    """The parcel's price on its cheapest lane, without the penalty for being one more; None when no lane takes it."""
    carriage = [charge for lane in lanes_of(place) if (charge := carriage_of(place, lane, load)) is not None]
    return min(carriage) + risk_of(place, load, snapshot) + units_price(place, load, snapshot) if carriage else None


def carriage_of(place: Place, lane: Lane, load: Load) -> int | None:
    """What the lane charges, and what the cartons cost; None when it cannot take the load."""
    charges = _charges(place, lane, load)
    return charges[0] if charges else None


def least_carriage(place: Place, lane: Lane, load: Load) -> int | None:
    """No load that has this one in it is charged less; None when the lane cannot take it."""
    return min(_charges(place, lane, load), default=None)


def _charges(place: Place, lane: Lane, load: Load) -> list[int]:
    """Carriage and cartons for this load, then for heavier ones; empty when the lane cannot take it."""
    volume_ml = sum(need.volume_ml * units for need, units in load)
    if lane.capacity_ml is not None and volume_ml > lane.capacity_ml:
        return []
    cartons = -(-volume_ml // place.carton_ml) if place.carton_ml and volume_ml else 1
    handling = cartons * place.per_carton_minor
    if lane is FLAT:
        return [place.base_minor + handling]
    billed_mg = max(1000 * sum(need.weight_g * units for need, units in load), volume_ml * lane.dimensional_g_per_l)
    return [charge + handling for up_to_g, charge in lane.tiers if billed_mg <= 1000 * up_to_g]


def mistakes_in(lanes: Sequence[tuple[str, Sequence[int]]]) -> Iterator[tuple[str, str]]:
    """What is wrong with lanes, given as their names and the heaviest parcel of each tier; JSON pointers and words."""
    names = [name for name, _ in lanes]
    for index, (name, tiers) in enumerate(lanes):
        if name in names[:index]:
            yield f"/{index}/name", f"another lane is called {name!r} already"
        for tier, (lighter, heavier) in enumerate(pairwise(tiers), start=1):
            if heavier <= lighter:
                yield (
                    f"/{index}/tiers/{tier}",
                    f"up to {heavier} g stands behind up to {lighter} g: the lightest goes first",
                )


def units_price(place: Place, load: Load, snapshot: Snapshot) -> int:
    """Handling of the units, and what they would have been worth to later orders."""
    return sum(units * unit_price(place, need, snapshot) for need, units in load)


def unit_price(place: Place, need: Need, snapshot: Snapshot) -> int:
    stated = snapshot.shadow_minor.get((place.id, need.variant_id))
    if stated is None:
        stated = shortage(place.id, need.variant_id, snapshot, of=snapshot.rules.cost.shadow_base_minor)
    return place.per_unit_minor + (stated or 0)


def risk_of(place: Place, load: Load, snapshot: Snapshot) -> int:
    """What lateness costs, and what a refusal would cost times its chance; the least accepted category counts."""
    rules = snapshot.rules.cost
    late = 0
    if snapshot.promise is not None and place.arrives_on is not None:
        late = max(0, (place.arrives_on - snapshot.promise).days) * rules.late_penalty_minor
    chances = [place.acceptance_by_category.get(need.category, place.acceptance_ppm) for need, _ in load]
    refused = MILLION - min((chance for chance in chances if chance is not None), default=MILLION)
    return late + (refused * (rules.reroute_minor + rules.delay_minor) + MILLION // 2) // MILLION


def shortage(place_id: str, variant_id: str, snapshot: Snapshot, *, of: int) -> int | None:
    """As much of `of` as the place's weeks of supply fall short of the target; None where the demand is not known."""
    demand = snapshot.weekly_demand_milli.get((place_id, variant_id))
    if demand is None:
        return None
    wanted = demand * snapshot.rules.cost.target_weeks  # thousandths of a unit
    short = wanted - 1000 * max(0, snapshot.sellable.get((place_id, variant_id), 0))
    return (of * short + wanted // 2) // wanted if short > 0 else 0
