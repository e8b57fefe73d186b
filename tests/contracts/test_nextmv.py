"""The cost strategy held to a published order-fulfillment instance.

nextmv-io/python-apps, `go-highs-orderfulfillment/input.json`, Apache-2.0. The model published with it charges the
first weight tier of lanes that carry nothing, and parts of cartons; with whole cartons and nothing charged for what is
not used the optimum is 10.05, found by integer programming (HiGHS).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import pytest

from benchmarks.routing import published
from hub.domain.routing.plan import plan

pytestmark = pytest.mark.contracts


def test_the_published_instance_is_solved_to_the_optimum(contracts: Path, count: Callable[..., None]) -> None:
    instance = contracts / "nextmv" / "input.json"
    if not instance.is_file():
        pytest.skip(f"the published instance is not there: {instance}")
    decided = plan(published(instance))
    assert decided.cost_minor == 1005
    assert not decided.remainder
    assert decided.trace["steps"][0]["notes"] == [], "it is searched to the end"
    loads = {(part.place_id, lane): dict(units) for part in decided.parts for lane, units in part.lanes.items()}
    assert by_the_published_figures(json.loads(instance.read_text(), parse_float=Decimal), loads) == Decimal("10.05")
    count("nextmv", "instances solved to the optimum")


def by_the_published_figures(told: dict[str, Any], loads: dict[tuple[str, str], dict[str, int]]) -> Decimal:
    """What these loads cost and that they can be, reckoned from the file alone: kilograms, litres and its currency."""
    items = {item["item_id"]: item for item in told["items"]}
    for name, item in items.items():
        assert sum(load.get(name, 0) for load in loads.values()) == item["quantity"]
    total = Decimal(0)
    for centre in told["distribution_centers"]:
        name = centre["distribution_center_id"]
        mine = {lane: load for (place, lane), load in loads.items() if place == name}
        for item, units in centre["inventory"].items():
            assert sum(load.get(item, 0) for load in mine.values()) <= units
        for lane, load in mine.items():
            volume = sum(units * items[item]["unit_volume"] for item, units in load.items())
            weight = sum(units * items[item]["unit_weight"] for item, units in load.items())
            assert volume <= told["carrier_capacities"][name][lane]
            billed = max(weight, volume * told["carrier_dimensional_weight_factors"][lane])
            costs = told["carrier_delivery_costs"][name][lane]
            tiers = zip(costs["weight_tiers"], costs["weight_rates"], strict=True)
            total += next(rate for up_to, rate in tiers if billed <= up_to)
            cartons = (volume / told["carton_volume"]).to_integral_value(ROUND_CEILING)
            total += cartons * centre["handling_cost"]
    return total
