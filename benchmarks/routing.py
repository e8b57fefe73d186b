"""How long a routing decision takes, and what the cost strategy makes of a published instance.

python -m benchmarks.routing [--decisions 300]
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from hub.domain.routing.network import Network
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Destination, Lane, Need, Place, Rules, Snapshot, Step

PUBLISHED = Path("../shared/contracts/nextmv/input.json")
LINES, LOCATIONS = (1, 3, 8), (10, 100, 1000)
ARTICLES = 400
HELD = 0.5  # part of the articles that a location has


def network(count: int, draw: random.Random) -> Network:
    """Locations strewn over two countries."""
    return Network(
        Place(
            f"id-{number:04}",
            f"L{number:04}",
            "US" if number % 4 else "CA",
            draw.uniform(26, 52),
            draw.uniform(-123, -68),
            rank=number % 9,
        )
        for number in range(count)
    )


def snapshots(places: Network, lines: int, count: int, draw: random.Random) -> Iterator[Snapshot]:
    """Orders over the same places, each with the stock of its own articles as the ledger would give it."""
    for _ in range(count):
        articles = draw.sample(range(ARTICLES), lines)
        needs = tuple(
            Need(f"l{number}", f"v{article}", draw.choice((1, 1, 1, 2))) for number, article in enumerate(articles)
        )
        stock = {
            (place.id, need.variant_id): draw.randint(1, 40)
            for place in places
            for need in needs
            if draw.random() < HELD
        }
        yield Snapshot(needs, Destination("US", "", draw.uniform(26, 48), draw.uniform(-123, -70)), places, stock)


def milliseconds(lines: int, locations: int, decisions: int) -> list[float]:
    """How long each decision took, inputs hash and trace included."""
    draw = random.Random(f"{lines} {locations}")  # noqa: S311
    places = network(locations, draw)
    taken = []
    for snapshot in snapshots(places, lines, decisions + 5, draw):
        begun = time.perf_counter()
        plan(snapshot)
        taken.append((time.perf_counter() - begun) * 1000)
    return taken[5:]


def published(path: Path) -> Snapshot:
    """The instance as the router's input: kilograms, litres and euros become grams, millilitres and cents.

    A carrier's capacity is the volume it takes along. Cartons are whole, and what is not used is not charged.
    """
    told: dict[str, Any] = json.loads(path.read_text(), parse_float=Decimal)
    needs = tuple(
        Need(
            item["item_id"],
            item["item_id"],
            int(item["quantity"]),
            weight_g=_whole(1000 * item["unit_weight"]),
            volume_ml=_whole(1000 * item["unit_volume"]),
        )
        for item in told["items"]
    )
    places = tuple(
        Place(
            centre["distribution_center_id"],
            centre["distribution_center_id"],
            carton_ml=_whole(1000 * told["carton_volume"]),
            per_carton_minor=_whole(100 * centre["handling_cost"]),
            lanes=tuple(
                _lane(told, centre["distribution_center_id"], carrier)
                for carrier in told["carrier_dimensional_weight_factors"]
            ),
        )
        for centre in told["distribution_centers"]
    )
    stock = {
        (centre["distribution_center_id"], item): units
        for centre in told["distribution_centers"]
        for item, units in centre["inventory"].items()
    }
    return Snapshot(needs, Destination(), places, stock, rules=Rules((Step(assign="split"),), "cost"))


def _lane(told: dict[str, Any], centre: str, carrier: str) -> Lane:
    costs = told["carrier_delivery_costs"][centre][carrier]
    tiers = zip(costs["weight_tiers"], costs["weight_rates"], strict=True)
    return Lane(
        carrier,
        tuple((_whole(1000 * up_to), _whole(100 * rate)) for up_to, rate in tiers),
        _whole(1000 * told["carrier_dimensional_weight_factors"][carrier]),
        _whole(1000 * told["carrier_capacities"][centre][carrier]),
    )


def _whole(value: Decimal | int) -> int:
    assert value == int(value), value
    return int(value)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--decisions", type=int, default=300)
    decisions = parser.parse_args().decisions
    print(
        f"plan(), milliseconds of {decisions} decisions each, with inputs hash and trace; half of the shelves are empty"
    )
    print(f"{'lines':>6} {'locations':>10} {'median':>8} {'p99':>8}")
    for locations in LOCATIONS:
        for lines in LINES:
            taken = sorted(milliseconds(lines, locations, decisions))
            p99 = taken[min(len(taken) - 1, int(len(taken) * 0.99))]
            print(f"{lines:>6} {locations:>10} {statistics.median(taken):>8.3f} {p99:>8.3f}")
    if not PUBLISHED.is_file():
        print(f"the published order-fulfillment instance is not at {PUBLISHED}: skipped")
        return 0
    begun = time.perf_counter()
    decided = plan(published(PUBLISHED))
    assert decided.cost_minor is not None
    assert not decided.remainder
    print(
        f"published order-fulfillment instance, cost strategy: {Decimal(decided.cost_minor) / 100}"
        f" in {(time.perf_counter() - begun) * 1000:.0f} ms,"
        f" searched to the end: {'yes' if is_exact(decided.trace) else 'no'}"
    )
    for part in decided.parts:
        for lane, units in part.lanes.items():
            print(f"  {part.place_id} by {lane}: {', '.join(f'{count} {item}' for item, count in units.items())}")
    return 0


def is_exact(trace: Any) -> bool:
    return not any(step["notes"] for step in trace["steps"])


if __name__ == "__main__":
    sys.exit(main())
