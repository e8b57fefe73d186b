"""Holds stop places that pack by hand as they stop handlers: no place begins, and no place's time runs."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.flows import operate
from hub.flows.operate import HoldOn, NotDoneError
from hub.store.views import queue
from tests.fulfillment.conftest import PERSON, Town
from tests.fulfillment.test_counter import PICKUP, act
from tests.fulfillment.test_routing_life import publish, rules


@pytest.fixture
def stocked(town: Town) -> Town:
    """Two stores that have an hour to answer."""
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    for code in ("A-STORE", "B-STORE"):
        town.change(code, answer_within_min=60)
    return town


def hold(town: Town, order_id: str, blocks: str, **more: str) -> str:
    held = operate.hold_order(
        town.runtime, order_id, "look first", person=PERSON, on=HoldOn(kind="fraud", blocks=blocks, **more)
    )
    assert held
    return held


def release(town: Town, order_id: str, held: str) -> None:
    assert operate.release_hold(town.runtime, order_id, held, person=PERSON)


def hours_pass(town: Town, hours: int = 3) -> None:
    for _ in range(hours):
        town.world.later(minutes=61)
        town.world.clock_strikes()


@pytest.mark.parametrize("blocks", ["release", "ship"])
def test_a_place_is_not_asked_while_a_hold_stops_the_work_and_loses_nothing_by_it(stocked: Town, blocks: str) -> None:
    publish(stocked, rules(grace_minutes=30))
    order_id = stocked.order({"MUG": 1})
    held = hold(stocked, order_id, blocks)
    stocked.world.later(minutes=31)
    stocked.world.clock_strikes()
    assert stocked.fos(order_id) == [("A-STORE", "open", "unsubmitted")]
    hours_pass(stocked)
    assert stocked.fos(order_id) == [("A-STORE", "open", "unsubmitted")]
    release(stocked, order_id, held)
    assert stocked.fos(order_id) == [("A-STORE", "open", "submitted")]
    assert stocked.fo(order_id).answer_by - stocked.world.now() > timedelta(minutes=59)
    hours_pass(stocked, 1)
    assert stocked.fos(order_id)[0] == ("A-STORE", "cancelled", "timed_out")


def test_the_time_of_a_place_that_was_asked_stands_still_under_a_hold(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1})
    assert stocked.fos(order_id) == [("A-STORE", "open", "submitted")]
    first, second = hold(stocked, order_id, "release"), hold(stocked, order_id, "ship", handle="another")
    hours_pass(stocked)
    release(stocked, order_id, first)
    hours_pass(stocked)
    assert stocked.fos(order_id) == [("A-STORE", "open", "submitted")]
    release(stocked, order_id, second)
    hours_pass(stocked, 1)
    assert stocked.fos(order_id)[0] == ("A-STORE", "cancelled", "timed_out")


@pytest.mark.parametrize("blocks", ["routing", "label"])
def test_other_holds_leave_the_time_of_a_place_alone(stocked: Town, blocks: str) -> None:
    order_id = stocked.order({"MUG": 1})
    hold(stocked, order_id, blocks)
    hours_pass(stocked, 1)
    assert stocked.fos(order_id)[0] == ("A-STORE", "cancelled", "timed_out")


def test_a_hold_on_one_fulfillment_order_or_line_stops_the_place_that_has_it_and_no_other(stocked: Town) -> None:
    stocked.world.stock("location TEE\nB-STORE 5")
    order_id = stocked.order({"MUG": 1, "TEE": 1})
    [only] = stocked.fos(order_id)
    assert only == ("B-STORE", "open", "submitted")
    hold(stocked, order_id, "release", line="TEE")
    with pytest.raises(NotDoneError, match=r"hold \(fraud\)"):
        act(stocked, operate.accept_by_hand, order_id)
    other = stocked.order({"MUG": 1})
    assert act(stocked, operate.accept_by_hand, other)


def test_a_place_does_not_take_on_what_is_held_until_it_is_released(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1})
    held = hold(stocked, order_id, "release")
    with pytest.raises(NotDoneError, match=r"a hold \(fraud\) stops FO-"):
        act(stocked, operate.accept_by_hand, order_id)
    assert stocked.fos(order_id) == [("A-STORE", "open", "submitted")]
    release(stocked, order_id, held)
    assert act(stocked, operate.accept_by_hand, order_id)


def test_a_place_may_refuse_what_is_held(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1})
    hold(stocked, order_id, "release")
    operate.refuse_by_hand(stocked.runtime, order_id, stocked.number(order_id), "no", person=PERSON)
    assert stocked.fos(order_id)[-1] == ("B-STORE", "open", "unsubmitted"), "the next one is not asked either"


def test_goods_for_collection_are_not_made_ready_while_they_are_held(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1}, **PICKUP)
    held = hold(stocked, order_id, "ship")
    with pytest.raises(NotDoneError, match=r"a hold \(fraud\) stops FO-"):
        act(stocked, operate.ready_for_collection, order_id)
    assert stocked.fo(order_id).ready_at is None
    release(stocked, order_id, held)
    assert act(stocked, operate.ready_for_collection, order_id)


def test_an_order_that_another_one_s_refusal_has_put_at_risk_keeps_its_place(stocked: Town) -> None:
    first, at_risk = stocked.order({"MUG": 1}), stocked.order({"MUG": 1})
    number = stocked.number(first)
    operate.refuse_by_hand(stocked.runtime, first, number, "", person=PERSON, code="not_in_stock")
    assert stocked.holds(at_risk) == ["at_risk"]
    hours_pass(stocked)
    assert stocked.fos(at_risk) == [("A-STORE", "open", "submitted")]
    [held] = stocked.state(at_risk).holds
    release(stocked, at_risk, held.id)
    assert stocked.fo(at_risk).answer_by > stocked.world.now()
    hours_pass(stocked, 1)
    assert stocked.fos(at_risk)[0] == ("A-STORE", "cancelled", "timed_out")


def test_the_queue_of_a_place_says_what_is_held(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1})
    place = stocked.place("A-STORE").id
    assert [task.held for task in stocked.world.read(lambda tx: queue.at(tx, place))] == [""]
    hold(stocked, order_id, "release")
    assert [task.held for task in stocked.world.read(lambda tx: queue.at(tx, place))] == ["fraud"]
