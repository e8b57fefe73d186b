"""First come, first served: whoever waits longest is served first, and nobody waits once there is a place."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from hub.flows import operate
from hub.flows.operate import ReserveLine
from hub.flows.replay import replay
from hub.store import routing
from hub.store.views import decisions
from tests.fulfillment.conftest import PERSON, Town

SLOW = {"cut_off": dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), "14:00"), "transit_days": {"*": 30}}


def routed(town: Town, order_id: str) -> int:
    return sum(line.routed for line in town.state(order_id).lines)


def test_goods_go_to_those_who_waited_even_when_a_newcomer_is_at_the_door_first(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 0")
    waited = town.order({"MUG": 6})
    town.world.stock("location MUG\nA-STORE 6")
    newcomer = town.order({"MUG": 6})  # before anybody has looked after those who wait
    assert routed(town, newcomer) == 0
    town.world.run()
    assert (routed(town, waited), routed(town, newcomer)) == (6, 0)


def test_an_order_with_an_earlier_turn_may_have_what_others_wait_for(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 0")
    town.order({"MUG": 6})
    town.world.stock("location MUG\nA-STORE 6")
    tomorrow = {"date": f"{town.world.now() + timedelta(days=1):%Y-%m-%d}", "zone": "America/New_York"}
    assert routed(town, town.order({"MUG": 2}, schedule={"ship_by": tomorrow})) == 2


def test_an_order_on_hold_keeps_its_units_from_later_ones(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 3")
    first = town.order({"MUG": 2}, payment_status="unpaid")
    second = town.order({"MUG": 2})
    assert (routed(town, first), routed(town, second)) == (0, 1), "one is left for the later order"
    [held] = town.state(first).holds
    operate.release_hold(town.runtime, first, held.id, person=PERSON)
    town.world.run()
    assert (routed(town, first), routed(town, second)) == (2, 1)


def test_an_order_is_told_that_what_lies_there_is_kept_for_an_earlier_one(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 3")
    town.order({"MUG": 3}, payment_status="unpaid")
    later = town.order({"MUG": 2})
    [decision] = town.world.read(lambda tx: decisions.of_order(tx, later))
    assert decision.reason == (
        "No location can ship any of the 2 units: what is in stock is kept for others who came before."
    )
    assert "Left out A-STORE: it keeps 3 units for others who came before." in decision.lines
    stored = town.world.read(lambda tx: routing.decision(tx, later))
    assert stored is not None
    again = replay(stored, town.runtime.rankers, town.runtime.strategies)
    assert again is not None
    assert again.same


def test_what_an_order_on_hold_gives_up_goes_to_those_who_wait(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 2")
    first = town.order({"MUG": 2}, payment_status="unpaid")
    second = town.order({"MUG": 2})
    assert routed(town, second) == 0
    operate.cancel_order(town.runtime, first, "changed their mind", person=PERSON)
    town.world.run()
    assert routed(town, second) == 2


def test_units_kept_for_a_checkout_are_not_given_to_an_order(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 1")
    [kept] = operate.reserve(town.runtime, [ReserveLine("MUG", 1)], ("checkout", "cart 1"), person=PERSON)
    order = town.order({"MUG": 1})
    assert routed(town, order) == 0
    operate.release_reservations(town.runtime, [kept.id], person=PERSON)
    town.world.run()
    assert routed(town, order) == 1


def test_units_kept_for_a_checkout_are_its_orders_whoever_else_waits(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 0")
    waiting = town.order({"MUG": 1})
    [kept] = operate.reserve(town.runtime, [ReserveLine("MUG", 1)], ("checkout", "cart 1"), person=PERSON)
    town.world.stock("location MUG\nA-STORE 1")
    order = town.order({"MUG": 1})
    operate.convert_reservations(town.runtime, [kept.id], order, person=PERSON)
    town.world.run()
    assert (routed(town, waiting), routed(town, order)) == (0, 1)


def test_what_is_kept_stays_where_most_units_are_not_split_off(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 1\nWAREHOUSE 4")
    town.order({"MUG": 2}, payment_status="unpaid")
    order = town.order({"MUG": 5})
    assert [(code, status) for code, status, _ in town.fos(order)] == [("WAREHOUSE", "open")]
    assert town.units("WAREHOUSE", "MUG") == {"on_hand": 4, "available": 1, "committed": 3}
    assert town.said("backordered") == ["Waiting for stock: 2 units."]


@pytest.mark.parametrize(
    ("shut", "opened"),
    [({"serves": ["JP"]}, {"serves": None}), ({"active": False}, {"active": True})],
    ids=["served again", "switched on"],
)
def test_an_order_that_waits_for_a_place_is_routed_when_the_place_is_changed(
    town: Town, shut: dict[str, Any], opened: dict[str, Any]
) -> None:
    town.world.stock("location MUG\nWAREHOUSE 9")
    operate.change_location(town.runtime, "WAREHOUSE", shut, person=PERSON)
    order = town.order({"MUG": 1})
    assert routed(town, order) == 0
    assert town.said("backordered") == ["Waiting for a place that can ship it: 1 unit."]
    operate.change_location(town.runtime, "WAREHOUSE", opened, person=PERSON)
    town.world.run()
    assert routed(town, order) == 1


def test_an_order_that_found_every_place_full_is_routed_the_next_day(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 9")
    operate.change_location(town.runtime, "WAREHOUSE", {"capacity_per_day": 1}, person=PERSON)
    town.order({"MUG": 1})
    second = town.order({"MUG": 1})
    assert routed(town, second) == 0
    town.world.later(days=1)
    town.world.clock_strikes("quarter")
    assert routed(town, second) == 1


def test_an_order_is_routed_when_an_outage_is_ended_or_over(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 9")
    until = town.world.now() + timedelta(hours=2)
    operate.set_outage(town.runtime, "WAREHOUSE", until, person=PERSON)
    first = town.order({"MUG": 1})
    assert routed(town, first) == 0
    operate.set_outage(town.runtime, "WAREHOUSE", None, person=PERSON)
    town.world.run()
    assert routed(town, first) == 1
    operate.set_outage(town.runtime, "WAREHOUSE", until, person=PERSON)
    second = town.order({"MUG": 1})
    town.world.later(hours=3)
    town.world.clock_strikes("quarter")
    assert routed(town, second) == 1


def test_what_nobody_can_bring_in_time_is_sent_late_rather_than_never(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 9")
    operate.change_location(town.runtime, "WAREHOUSE", {"calendar": SLOW}, person=PERSON)
    tomorrow = {"date": f"{town.world.now() + timedelta(days=1):%Y-%m-%d}", "zone": "America/New_York"}
    assert routed(town, town.order({"MUG": 1}, schedule={"deliver_by": tomorrow})) == 1
