"""Who comes first when goods are few."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.flows import operate
from hub.flows.operate import NotDoneError, SettingsError
from hub.store.tables import fulfillment_order, orders
from tests.fulfillment.conftest import PERSON, Town
from tests.fulfillment.test_routing_life import publish, rules


def test_goods_that_come_in_go_to_the_order_that_has_to_leave_first_then_to_the_oldest(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 0")
    today = town.world.now().date()

    def wanted(days: int | None) -> str:
        day = {"date": (today + timedelta(days=days)).isoformat(), "zone": "UTC"} if days is not None else None
        return town.order({"MUG": 1}, **({"schedule": {"ship_by": day}} if day else {}))

    oldest, late, soon = wanted(None), wanted(9), wanted(2)
    urgent = wanted(None)
    with town.world.db.begin() as tx:
        tx.execute(orders.update().where(orders.c.id == urgent).values(priority=5))
    served = []
    for _ in range(4):
        have = town.units("WAREHOUSE", "MUG").get("on_hand", 0)
        town.world.later(seconds=1)
        town.world.stock(f"location MUG\nWAREHOUSE {have + 1}")
        town.world.run()
        served += [one for one in (oldest, late, soon, urgent) if town.fos(one) and one not in served]
    assert served == [urgent, soon, late, oldest]


def test_orders_whose_grace_period_is_over_are_routed_in_their_turn(town: Town) -> None:
    publish(town, rules(grace_minutes=30))
    town.world.stock("location MUG\nWAREHOUSE 3")
    oldest, *younger = [town.order({"MUG": 1}) for _ in range(60)]
    day = (town.world.now().date() + timedelta(days=1)).isoformat()
    due = town.order({"MUG": 1}, schedule={"ship_by": {"date": day, "zone": "UTC"}})
    urgent = town.order({"MUG": 1})
    with town.world.db.begin() as tx:
        tx.execute(orders.update().where(orders.c.id == urgent).values(priority=5))
    town.world.later(minutes=31)
    town.world.clock_strikes()
    assert [one for one in (oldest, *younger, due, urgent) if town.fos(one)] == [oldest, due, urgent]
    assert town.state(younger[-1]).route_after is None


def test_settings_of_a_location_are_checked_field_by_field(town: Town) -> None:
    wrong = {
        "rank": -1,
        "zone": "Moon/Sea",
        "calendar": {"cut_off": {"mon": "noon"}},
        "costs": {"parcel": {"germany": 490}},
    }
    with pytest.raises(SettingsError) as refused:
        operate.change_location(town.runtime, "A-STORE", wrong, person=PERSON)
    assert sorted(one.field for one in refused.value.errors) == ["calendar/cut_off/mon", "costs/parcel", "rank", "zone"]
    assert town.place("A-STORE").rank == 100


def test_tiers_of_a_carrier_go_from_the_lightest_to_the_heaviest(town: Town) -> None:
    post = {"name": "post", "tiers": [[1000, 400], [500, 300]]}
    with pytest.raises(SettingsError) as refused:
        operate.change_location(town.runtime, "A-STORE", {"costs": {"lanes": [post]}}, person=PERSON)
    [one] = refused.value.errors
    assert one.field == "costs/lanes/0/tiers/1"
    assert "the lightest goes first" in one.message


def test_settings_that_are_the_same_change_nothing(town: Town) -> None:
    values = {"groups": ["stores", "eu"], "capacity_per_day": 12, "calendar": {"cut_off": {"mon": "14:00"}}}
    done = operate.change_location(town.runtime, "A-STORE", values, person=PERSON)
    assert done == ("calendar", "capacity_per_day", "groups")
    assert operate.change_location(town.runtime, "A-STORE", values, person=PERSON) == ()
    assert operate.change_location(town.runtime, "A-STORE", {"capacity_per_day": None}, person=PERSON)
    assert town.place("A-STORE").capacity_per_day is None


def test_one_location_at_most_is_the_default_one(town: Town) -> None:
    for code in ("A-STORE", "B-STORE"):
        operate.change_location(town.runtime, code, {"is_default": True}, person=PERSON)
    assert [town.place(code).is_default for code in ("A-STORE", "B-STORE")] == [False, True]


def test_a_location_that_goes_out_of_action_gives_away_what_it_was_not_told_of(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    fresh, begun = town.order({"MUG": 1}), town.order({"MUG": 1})
    operate.accept_by_hand(town.runtime, begun, town.number(begun), person=PERSON)
    until = town.world.now() + timedelta(days=1)
    assert operate.set_outage(town.runtime, "A-STORE", until, person=PERSON, reason="flood") == 1
    assert [fo[:2] for fo in town.fos(fresh)] == [("A-STORE", "cancelled"), ("B-STORE", "open")]
    assert town.fos(begun) == [("A-STORE", "in_progress", "accepted")]
    assert operate.set_outage(town.runtime, "A-STORE", None, person=PERSON) == 0
    assert town.fos(town.order({"MUG": 1}))[0][0] == "A-STORE"
    with pytest.raises(NotDoneError, match="is over"):
        operate.set_outage(town.runtime, "A-STORE", town.world.now(), person=PERSON)


def test_the_calendar_says_when_it_leaves_and_arrives(town: Town) -> None:
    week = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "23:59")
    calendar = {"cut_off": week, "handling_days": 1, "transit_days": {"US": 0}}
    operate.change_location(town.runtime, "WAREHOUSE", {"calendar": calendar}, person=PERSON)
    town.world.stock("location MUG\nWAREHOUSE 5")
    town.order({"MUG": 1})
    [leaves] = town.ask(select(fulfillment_order.c.ship_on))
    [arrives] = town.ask(select(fulfillment_order.c.deliver_on))
    assert timedelta(days=1) <= leaves - town.world.now().date() <= timedelta(days=2)
    assert arrives == leaves
