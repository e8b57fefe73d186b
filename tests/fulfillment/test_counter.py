"""Customers collect in a store: what lies there, and what is sent there."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub import schemas
from hub.domain.changes import Ask, CancelOrder, SetMethod, SetQuantity
from hub.domain.lots import Marks
from hub.domain.routing.shapes import Step
from hub.flows import amend, operate
from hub.flows.desk import open_desk
from hub.flows.enter import Incoming
from hub.flows.operate import NotDoneError, lots
from hub.store import catalog, orders
from hub.store import lots as lot_store
from hub.store.database import new_id
from hub.store.tables import hold, stock_move
from hub.store.views import lots as lots_view
from hub.store.views import queue
from tests.fulfillment.conftest import PERSON, Town
from tests.fulfillment.test_routing_life import publish, rules

PICKUP: dict[str, Any] = {"delivery_method": "pickup", "pickup_location": "B-STORE"}


@pytest.fixture
def stocked(town: Town) -> Town:
    town.world.stock("""
        location  MUG TEE
        A-STORE     5   0
        B-STORE     5   0
        WAREHOUSE   9   9 """)
    return town


def act(town: Town, what: Any, order_id: str) -> bool:
    done: bool = what(town.runtime, order_id, town.number(order_id), person=PERSON)
    return done


def test_lots_and_numbers_that_nobody_collected_lie_in_the_store(stocked: Town) -> None:
    stocked.world.stock("location HAT CAM\nWAREHOUSE 0 0")
    count = {"person": PERSON, "reason": "count"}
    lots.track_article(stocked.runtime, "HAT", "lot", person=PERSON)
    lots.track_article(stocked.runtime, "CAM", "serial", person=PERSON)
    lots.adjust_lot(stocked.runtime, "HAT", "WAREHOUSE", Marks("L1", date(2030, 1, 1)), 3, **count)
    lots.adjust_lot(stocked.runtime, "CAM", "WAREHOUSE", Marks(serials=("A1",)), 1, **count)
    order_id = stocked.order({"HAT": 2, "CAM": 1}, **PICKUP)
    number = stocked.number(order_id)
    operate.ship_by_hand(stocked.runtime, order_id, number, person=PERSON, serials={"CAM": ["A1"]})
    act(stocked, operate.ready_for_collection, order_id)
    assert act(stocked, operate.not_collected, order_id)
    assert stocked.units("B-STORE", "HAT") == {"on_hand": 2, "available": 2}
    [hat] = stocked.world.read(lambda tx: lots_view.of_article(tx, "HAT"))
    assert {place.location: place.units for place in hat.places} == {"B-STORE": 2, "WAREHOUSE": 1}
    assert stocked.world.read(lambda tx: lots_view.serials_of(tx, "CAM")) == [("A1", "B-STORE")]
    assert stocked.world.read(lambda tx: lots_view.trace(tx, "L1"))[0].departures == ()
    assert stocked.world.read(lambda tx: lots_view.left_with(tx, order_id)) == []
    assert stocked.world.read(lot_store.differences) == []


def test_an_order_for_collection_is_packed_in_the_store_that_was_chosen(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 2}, **PICKUP)
    assert stocked.fos(order_id) == [("B-STORE", "open", "unsubmitted")]
    fo = stocked.fo(order_id)
    assert (fo.method, fo.handling) == ("pickup", "manual")


def test_goods_for_collection_leave_the_stock_when_the_customer_takes_them(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 2}, **PICKUP)
    with pytest.raises(NotDoneError, match="not ready to be collected"):
        act(stocked, operate.collected, order_id)
    assert act(stocked, operate.accept_by_hand, order_id)
    assert act(stocked, operate.ready_for_collection, order_id)
    assert not act(stocked, operate.ready_for_collection, order_id)
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 5, "available": 3, "committed": 2}
    assert act(stocked, operate.collected, order_id)
    assert not act(stocked, operate.collected, order_id)
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 3, "available": 3}
    state = stocked.state(order_id)
    assert stocked.fos(order_id) == [("B-STORE", "closed", "closed")]
    assert [(line.shipped, line.delivered) for line in state.lines] == [(2, 2)]
    assert state.lifecycle == "completed"


def test_what_the_store_has_not_got_is_sent_there_and_collected_there(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1, "TEE": 1}, **PICKUP)
    assert stocked.fos(order_id) == [("B-STORE", "open", "unsubmitted"), ("WAREHOUSE", "open", "unsubmitted")]
    there = stocked.fo(order_id)
    assert (there.method, there.deliver_to_id) == ("ship_to_store", stocked.place("B-STORE").id)
    with pytest.raises(NotDoneError, match="has not left WAREHOUSE"):
        act(stocked, operate.ready_for_collection, order_id)
    assert act(stocked, operate.ship_by_hand, order_id)
    assert act(stocked, operate.ready_for_collection, order_id)
    assert act(stocked, operate.collected, order_id)
    assert [(line.sku, line.delivered) for line in stocked.state(order_id).lines] == [("MUG", 0), ("TEE", 1)]


def test_a_store_that_takes_no_transfers_gets_nothing_sent(stocked: Town) -> None:
    stocked.change("B-STORE", transfers=False)
    order_id = stocked.order({"TEE": 1}, **PICKUP)
    assert stocked.fos(order_id) == []
    assert [line.waits_as for line in stocked.state(order_id).lines] == ["backorder"]


def test_a_warehouse_that_cannot_send_goods_to_the_store_gives_them_to_the_next_one(stocked: Town) -> None:
    stocked.world.location("X-WAREHOUSE")
    stocked.world.stock("location TEE\nX-WAREHOUSE 3")
    order_id = stocked.order({"TEE": 1}, **PICKUP)
    operate.refuse_by_hand(stocked.runtime, order_id, stocked.number(order_id), "too busy", person=PERSON)
    assert stocked.fos(order_id) == [("WAREHOUSE", "cancelled", "rejected"), ("X-WAREHOUSE", "open", "unsubmitted")]
    assert stocked.fo(order_id).method == "ship_to_store"
    assert stocked.holds(order_id) == []


@pytest.mark.parametrize(("wanted", "held"), [(1, []), (99, ["unfillable"])])
def test_an_order_is_held_for_units_without_a_place_only_when_nobody_can_send_them(
    stocked: Town, wanted: int, held: list[str]
) -> None:
    publish(stocked, rules(Step(on_remainder="hold")))
    order_id = stocked.order({"TEE": wanted}, **PICKUP)
    assert stocked.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]
    assert stocked.holds(order_id) == held
    assert len(stocked.said("backordered")) == len(held)


def test_goods_that_nobody_collects_become_a_problem_and_go_back_when_confirmed(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 2}, **PICKUP)
    act(stocked, operate.ready_for_collection, order_id)
    stocked.world.later(days=6)
    stocked.world.clock_strikes()
    assert stocked.holds(order_id) == []
    stocked.world.later(days=2)
    stocked.world.clock_strikes()
    stocked.world.clock_strikes()
    assert stocked.holds(order_id) == ["not_collected"]
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 5, "available": 3, "committed": 2}
    assert act(stocked, operate.not_collected, order_id)
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert stocked.holds(order_id) == ["refund_due"]
    assert stocked.state(order_id).lifecycle == "cancelled"
    with pytest.raises(NotDoneError, match="nobody collected it"):
        act(stocked, operate.not_collected, order_id)


def test_goods_that_were_sent_to_the_store_and_not_collected_are_the_store_s(stocked: Town) -> None:
    order_id = stocked.order({"TEE": 1}, **PICKUP)
    act(stocked, operate.ship_by_hand, order_id)
    act(stocked, operate.ready_for_collection, order_id)
    assert act(stocked, operate.not_collected, order_id)
    assert stocked.units("B-STORE", "TEE") == {"on_hand": 1, "available": 1}
    assert stocked.units("WAREHOUSE", "TEE") == {"on_hand": 8, "available": 8}
    assert stocked.holds(order_id) == ["refund_due"]
    said = f"Refund at Web shop what was paid for 1 x TEE: nobody collected {stocked.number(order_id)}."
    assert stocked.ask(select(hold.c.reason)) == [said]


def test_goods_that_are_the_store_s_own_again_are_neither_collected_nor_booked_in_twice(stocked: Town) -> None:
    order_id = stocked.order({"TEE": 1}, **PICKUP)
    act(stocked, operate.ship_by_hand, order_id)
    act(stocked, operate.ready_for_collection, order_id)
    act(stocked, operate.not_collected, order_id)
    for again in (operate.ready_for_collection, operate.collected, operate.not_collected):
        with pytest.raises(NotDoneError, match="is back on the shelf: nobody collected it"):
            act(stocked, again, order_id)
    assert stocked.units("B-STORE", "TEE") == {"on_hand": 1, "available": 1}
    booked_in = select(stock_move.c.quantity).where(stock_move.c.idempotency_key.like("uncollected:%"))
    assert stocked.ask(booked_in) == [1]
    place = stocked.place("B-STORE").id
    assert stocked.world.read(lambda tx: queue.at(tx, place)) == []


def channel_says(town: Town, order_id: str, **more: Any) -> str:
    """The channel sends the order once more, as it states it, with something else; the outcome."""
    state = town.state(order_id)
    document = {**state.of_channel, "revision": "2", **more}
    incoming = Incoming(
        new_id(), town.channel, document, schemas.parse("order.v1", document), schemas.fingerprint(document)
    )
    with town.world.db.begin() as tx:
        states = orders.load(tx, [order_id])
        ids = catalog.variants_by_sku(tx, [line.sku for line in state.lines])
        desk = open_desk(town.runtime, tx, set(ids.values()), actor="test")
        desk.orders = dict(states)
        articles = {(town.channel, f"sku:{sku}"): (variant_id, 1) for sku, variant_id in ids.items()}
        outcome = amend.amend(desk, incoming, states[order_id], articles)
        desk.flush()
    return outcome


def lines(town: Town, order_id: str) -> dict[str, tuple[int, int, int, int]]:
    """(ordered, cancelled, to be called back, routed) by SKU."""
    found = town.state(order_id).lines
    return {line.sku: (line.ordered, line.cancelled, line.unwanted, line.routed) for line in found}


def test_the_channel_s_next_word_does_not_bring_back_what_nobody_collected(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 2, "TEE": 1}, **PICKUP)
    lies_here = stocked.state(order_id).fos[0].number
    for what in (operate.ready_for_collection, operate.not_collected):
        assert what(stocked.runtime, order_id, lies_here, person=PERSON)
    before, work = lines(stocked, order_id), stocked.fos(order_id)
    assert before == {"MUG": (2, 2, 0, 0), "TEE": (1, 0, 0, 1)}
    assert [line["quantity"] for line in stocked.state(order_id).document["lines"]] == [0, 1]
    assert stocked.state(order_id).document["totals"]["total_minor"] == 1000
    assert channel_says(stocked, order_id, note="ring twice") == "applied"
    assert (lines(stocked, order_id), stocked.fos(order_id)) == (before, work)


def test_goods_that_wait_too_long_are_given_another_day(stocked: Town) -> None:
    stocked.change("B-STORE", zone="America/New_York")
    order_id = stocked.order({"MUG": 2}, **PICKUP)
    day = stocked.world.now().date() + timedelta(days=20)

    def wait(until: Any) -> bool:
        return operate.collect_until(stocked.runtime, order_id, stocked.number(order_id), until, person=PERSON)

    with pytest.raises(NotDoneError, match="does not wait at a counter"):
        wait(day)
    act(stocked, operate.ready_for_collection, order_id)
    stocked.world.later(days=8)
    stocked.world.clock_strikes()
    assert stocked.holds(order_id) == ["not_collected"]
    with pytest.raises(NotDoneError, match="is over at B-STORE"):
        wait(day - timedelta(days=15))
    assert wait(day)
    assert not wait(day)
    assert stocked.holds(order_id) == []
    stocked.world.later(days=11)
    stocked.world.clock_strikes()
    assert stocked.holds(order_id) == [], "the day has not ended at the store"
    stocked.world.later(days=3)
    stocked.world.clock_strikes()
    assert stocked.holds(order_id) == ["not_collected"], "and then it is told of again"
    act(stocked, operate.collected, order_id)
    with pytest.raises(NotDoneError, match="does not wait at a counter"):
        wait(day + timedelta(days=99))


def waiting(stocked: Town, units: int) -> str:
    """An order whose goods wait at the counter."""
    order_id = stocked.order({"MUG": units}, **PICKUP)
    assert act(stocked, operate.ready_for_collection, order_id)
    return order_id


def test_goods_of_a_cancelled_order_that_nobody_collected_are_cancelled_once(stocked: Town) -> None:
    order_id = waiting(stocked, 2)
    operate.cancel_order(stocked.runtime, order_id, "changed my mind", person=PERSON)
    assert stocked.fos(order_id) == [("B-STORE", "in_progress", "cancellation_requested")]
    assert act(stocked, operate.not_collected, order_id)
    assert lines(stocked, order_id) == {"MUG": (2, 2, 0, 0)}
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert stocked.state(order_id).lifecycle == "cancelled"


def test_what_is_still_wanted_of_goods_that_come_back_is_laid_ready_again(stocked: Town) -> None:
    order_id = waiting(stocked, 3)
    [line] = stocked.state(order_id).lines
    asks = [SetQuantity(line.external_id, 2)]
    asked = operate.change_order(stocked.runtime, order_id, asks, person=PERSON, reason="one too many")
    assert operate.confirm_change(stocked.runtime, asked.id, person=PERSON)
    assert act(stocked, operate.not_collected, order_id)
    assert lines(stocked, order_id) == {"MUG": (3, 1, 0, 2)}
    assert stocked.fos(order_id)[-1] == ("B-STORE", "open", "unsubmitted")
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 5, "available": 3, "committed": 2}


@pytest.fixture
def refused(stocked: Town) -> str:
    """An order whose store has said no."""
    order_id = stocked.order({"MUG": 1}, **PICKUP)
    number = stocked.number(order_id)
    operate.refuse_by_hand(stocked.runtime, order_id, number, "the shelf is empty", person=PERSON, code="not_in_stock")
    return order_id


def test_what_a_store_refuses_is_not_given_to_another_one(stocked: Town, refused: str) -> None:
    assert stocked.fos(refused) == [("B-STORE", "cancelled", "rejected")]
    assert stocked.holds(refused) == ["pickup_refused"]
    assert stocked.units("B-STORE", "MUG") == {}
    stocked.world.run()
    assert len(stocked.fos(refused)) == 1
    [said] = [one for one in stocked.said("held") if "pickup_refused" in one]
    assert "another store, have it shipped instead, or cancel" in said


def test_the_customer_may_choose_another_store(stocked: Town, refused: str) -> None:
    with pytest.raises(NotDoneError, match="can collect at: A-STORE, B-STORE"):
        operate.collect_elsewhere(stocked.runtime, refused, "WAREHOUSE", person=PERSON)
    assert operate.collect_elsewhere(stocked.runtime, refused, "A-STORE", person=PERSON)
    assert stocked.fos(refused)[-1] == ("A-STORE", "open", "unsubmitted")
    assert stocked.fo(refused).method == "pickup"
    assert stocked.holds(refused) == []


def test_or_have_it_shipped(stocked: Town, refused: str) -> None:
    assert operate.ship_instead(stocked.runtime, refused, person=PERSON)
    assert stocked.fo(refused).method == "ship"
    assert stocked.holds(refused) == []
    assert not operate.ship_instead(stocked.runtime, refused, person=PERSON)


def test_goods_that_a_store_has_are_taken_back_before_they_go_another_way(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1}, **PICKUP)
    assert operate.collect_elsewhere(stocked.runtime, order_id, "A-STORE", person=PERSON)
    assert stocked.fos(order_id) == [("B-STORE", "cancelled", "unsubmitted"), ("A-STORE", "open", "unsubmitted")]
    assert stocked.units("B-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert operate.ship_instead(stocked.runtime, order_id, person=PERSON)
    assert [fo.method for fo in stocked.state(order_id).fos if fo.is_live] == ["ship"]
    assert lines(stocked, order_id) == {"MUG": (1, 0, 0, 1)}


@pytest.mark.parametrize("laid_ready", [False, True])
def test_a_store_that_is_at_work_is_asked_back_before_they_go_another_way(stocked: Town, *, laid_ready: bool) -> None:
    order_id = stocked.order({"MUG": 1}, **PICKUP)
    number = stocked.number(order_id)
    act(stocked, operate.ready_for_collection if laid_ready else operate.accept_by_hand, order_id)
    assert operate.collect_elsewhere(stocked.runtime, order_id, "A-STORE", person=PERSON)
    assert stocked.fos(order_id) == [("B-STORE", "in_progress", "cancellation_requested")]
    if laid_ready:
        assert operate.not_collected(stocked.runtime, order_id, number, person=PERSON)
    else:
        assert operate.stopped_by_hand(stocked.runtime, order_id, number, person=PERSON)
    assert stocked.fos(order_id)[-1] == ("A-STORE", "open", "unsubmitted")
    assert stocked.holds(order_id) == []


def test_or_cancel(stocked: Town, refused: str) -> None:
    assert operate.cancel_order(stocked.runtime, refused, "refunded at the till", person=PERSON)
    assert stocked.state(refused).lifecycle == "cancelled"


def test_the_choice_is_no_more_when_the_order_is_cancelled(stocked: Town, refused: str) -> None:
    operate.cancel_order(stocked.runtime, refused, "no longer wanted", person=PERSON)
    assert stocked.holds(refused) == ["refund_due"]


def test_it_cannot_be_shipped_to_nowhere(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1}, **PICKUP, shipping_address={})
    with pytest.raises(NotDoneError, match="no delivery address"):
        operate.ship_instead(stocked.runtime, order_id, person=PERSON)


def test_a_place_of_collection_that_nobody_knows_holds_the_order(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1}, delivery_method="pickup", pickup_location="77")
    assert stocked.fos(order_id) == []
    assert stocked.holds(order_id) == ["pickup_location"]
    assert operate.collect_elsewhere(stocked.runtime, order_id, "A-STORE", person=PERSON)
    assert stocked.fos(order_id) == [("A-STORE", "open", "unsubmitted")]


@pytest.mark.parametrize("ask", [SetMethod("ship"), SetMethod("pickup", "A-STORE"), CancelOrder("too slow")])
def test_a_place_that_is_asked_for_no_more_holds_nothing(stocked: Town, ask: Ask) -> None:
    order_id = stocked.order({"MUG": 1}, delivery_method="pickup", pickup_location="77", payment_status="terms")
    assert stocked.holds(order_id) == ["pickup_location"]
    asked = operate.change_order(stocked.runtime, order_id, [ask], person=PERSON)
    assert operate.confirm_change(stocked.runtime, asked.id, person=PERSON)
    assert stocked.holds(order_id) == []
    is_over = isinstance(ask, CancelOrder)
    assert [work for _, work, _ in stocked.fos(order_id)] == ([] if is_over else ["open"])


def test_another_place_of_collection_is_shown_before_and_told_after(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1}, **PICKUP)
    asked = operate.change_order(stocked.runtime, order_id, [SetMethod("pickup", "A-STORE")], person=PERSON)
    assert asked.preview.method == ("pickup at B-STORE", "pickup at A-STORE")
    assert stocked.said("change_asked") == ["A change was asked for (delivery: pickup at A-STORE)."]
    assert operate.confirm_change(stocked.runtime, asked.id, person=PERSON)
    [said] = stocked.said("edited")
    assert "(delivery: pickup at A-STORE instead of pickup at B-STORE)" in said


@pytest.mark.parametrize("closed", [{"picks_up": False}, {"active": False}])
def test_nothing_is_sent_to_a_place_where_nobody_can_collect(stocked: Town, closed: dict[str, bool]) -> None:
    stocked.change("B-STORE", **closed)
    order_id = stocked.order({"MUG": 1, "TEE": 1}, **PICKUP)
    assert stocked.fos(order_id) == []
    assert stocked.holds(order_id) == ["pickup_location"]
    assert "Nobody can collect at B-STORE" in stocked.ask(select(hold.c.reason))[0]
    stocked.change("B-STORE", picks_up=True, active=True)
    [held] = stocked.ask(select(hold.c.id))
    assert operate.release_hold(stocked.runtime, order_id, held, person=PERSON)
    assert stocked.fos(order_id) == [("B-STORE", "open", "unsubmitted"), ("WAREHOUSE", "open", "unsubmitted")]


def test_what_is_shipped_is_not_collected(stocked: Town) -> None:
    order_id = stocked.order({"MUG": 1})
    with pytest.raises(NotDoneError, match="is shipped to the customer"):
        act(stocked, operate.ready_for_collection, order_id)
