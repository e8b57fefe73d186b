"""Places are asked to stop: they have stopped, it was too late, or the answer crosses other news."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.domain.changes import ShipTo
from hub.domain.shipping import Cancelled, Submitted
from hub.flows import deadlines, operate, settle
from hub.flows.desk import Desk
from hub.flows.operate import NotDoneError
from hub.flows.operate.orders import at_desk
from hub.flows.ship import Parcel, everything, ship
from hub.sdk import errors
from hub.store import outbox as outbox_store
from hub.store.orders import OrderState
from hub.store.tables import acceptance, outbox, stock_move
from tests.fulfillment.conftest import PERSON, Town
from tests.fulfillment.test_routing_life import said

Answer = Callable[[Town, dict[str, Any]], None]


def sent(town: Town, operation: str) -> dict[str, Any]:
    """The message of that kind that is due, as it is being sent."""
    with town.world.db.begin() as tx:
        handler = town.place("A-STORE").handler_id
        rows = outbox_store.claim(tx, handler, "run", town.world.now(), 4, town.runtime.sending_time)
    [row] = [dict(one) for one in rows if one["operation"] == operation]
    return row


def answer(town: Town, row: dict[str, Any], result: object) -> None:
    with town.world.db.begin() as tx:
        settle.success(town.runtime, tx, row, result, set())


def says_no(town: Town, row: dict[str, Any]) -> None:
    answer(town, row, Cancelled(accepted=False, reason="already packed"))


def refuses(town: Town, row: dict[str, Any]) -> None:
    with town.world.db.begin() as tx:
        settle.rejected(town.runtime, tx, row, errors.Rejected("already packed"), set())


NO = pytest.mark.parametrize("no", [says_no, refuses])


@pytest.fixture
def at_3pl(town: Town) -> str:
    """An order that a 3PL has at A-STORE and has an hour to answer; B-STORE has the goods too."""
    threepl = ShipHeroSandbox()
    settings = {"shop_name": "demo", "refresh_token": threepl.refresh_token}
    handler = town.world.connect("shiphero", "3PL", settings)
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    town.change("A-STORE", answer_within_min=60, handler_id=handler, handling="threepl")
    order_id = town.order({"MUG": 2})
    answer(town, sent(town, "submit"), Submitted("X1"))
    assert town.fos(order_id) == [("A-STORE", "open", "submitted")]
    return order_id


def cancelled_there(town: Town, order_id: str) -> dict[str, Any]:
    """The channel's word: the order is cancelled. The message that asks the place to stop."""
    assert operate.cancel_order(town.runtime, order_id, "changed my mind", person=PERSON)
    assert town.fos(order_id)[0][2] == "cancellation_requested"
    return sent(town, "cancel")


def leaves(town: Town, order_id: str) -> None:
    def work(desk: Desk, state: OrderState) -> bool:
        fo = state.fos[0]
        parcel = Parcel(everything(fo), "1Z999AA10123456784")
        ship(desk, state, fo, [parcel], connection_id=fo.handler_id, external_id="S-1", shipped_at=desk.now)
        return True

    assert at_desk(town.runtime, order_id, PERSON, work)


def timed_out(town: Town, order_id: str) -> dict[str, Any]:
    """The place does not answer in time. The message that tells it to stop."""
    town.world.later(minutes=61)
    deadlines.time_out_unanswered(town.runtime)
    assert town.fos(order_id)[0] == ("A-STORE", "cancelled", "timed_out")
    return sent(town, "cancel")


# A cancellation that arrives while the place is at work


def test_units_come_back_once_when_the_place_stops(town: Town, at_3pl: str) -> None:
    said(town, at_3pl, "accepted")
    row = cancelled_there(town, at_3pl)
    answer(town, row, Cancelled(accepted=True))
    answer(town, row, Cancelled(accepted=True))
    assert town.fos(at_3pl) == [("A-STORE", "cancelled", "cancellation_accepted")]
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert town.ask(select(func.sum(stock_move.c.quantity)).where(stock_move.c.kind == "release")) == [2]
    assert town.state(at_3pl).lifecycle == "cancelled"
    assert town.holds(at_3pl) == ["refund_due"]


@NO
def test_when_it_is_too_late_to_stop_the_order_is_held_for_a_person(town: Town, at_3pl: str, no: Answer) -> None:
    said(town, at_3pl, "accepted")
    no(town, cancelled_there(town, at_3pl))
    assert town.fos(at_3pl) == [("A-STORE", "in_progress", "cancellation_rejected")]
    assert town.holds(at_3pl) == ["cancel_too_late"]
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 3, "committed": 2}, "nothing comes back"
    [told] = [one for one in town.said("held") if "cancel_too_late" in one]
    assert "A-STORE could not stop" in told
    assert "already packed" in told


def test_what_is_said_twice_holds_the_order_once(town: Town, at_3pl: str) -> None:
    cancelled_there(town, at_3pl)
    said(town, at_3pl, "cancellation_rejected")
    [held] = town.state(at_3pl).holds
    operate.release_hold(town.runtime, at_3pl, held.id, person=PERSON)
    said(town, at_3pl, "cancellation_rejected")
    assert town.holds(at_3pl) == []


@NO
def test_goods_that_leave_while_the_place_is_asked_to_stop_hold_the_order(town: Town, at_3pl: str, no: Answer) -> None:
    row = cancelled_there(town, at_3pl)
    leaves(town, at_3pl)
    assert town.holds(at_3pl) == ["cancel_too_late"], "whether or not an answer comes"
    no(town, row)
    assert town.fos(at_3pl) == [("A-STORE", "closed", "closed")]
    assert town.holds(at_3pl) == ["cancel_too_late"]
    assert town.state(at_3pl).lifecycle == "completed"
    assert town.units("A-STORE", "MUG") == {"on_hand": 3, "available": 3}
    ended = {"says_no": "delivered", "refuses": "rejected"}[no.__name__]
    assert town.ask(select(outbox.c.status).where(outbox.c.operation == "cancel")) == [ended]
    [told] = town.said("cancel_refused")
    assert "already packed" in told


# A place that was given up on


@NO
def test_a_place_that_goes_on_after_its_time_is_a_person_s_business(town: Town, at_3pl: str, no: Answer) -> None:
    no(town, timed_out(town, at_3pl))
    assert town.holds(at_3pl) == ["late_accept"]
    assert town.fos(at_3pl) == [("A-STORE", "cancelled", "timed_out"), ("B-STORE", "open", "unsubmitted")]
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}


def test_so_is_one_whose_news_say_that_it_cannot_stop(town: Town, at_3pl: str) -> None:
    timed_out(town, at_3pl)
    assert said(town, at_3pl, "cancellation_rejected", "already packed") == "applied"
    assert town.holds(at_3pl) == ["late_accept"]


def test_one_that_stops_as_it_was_told_is_nobody_s_business(town: Town, at_3pl: str) -> None:
    answer(town, timed_out(town, at_3pl), Cancelled(accepted=True))
    assert town.holds(at_3pl) == []


# Places that pack by hand


MOVED = {"line1": "2 State Street", "city": "Trenton", "postal_code": "08601", "country": "US"}


@pytest.fixture
def accepted(town: Town) -> str:
    """An order that A-STORE is at work on; B-STORE has the goods too."""
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    order_id = town.order({"MUG": 2})
    assert operate.accept_by_hand(town.runtime, order_id, town.number(order_id), person=PERSON)
    return order_id


def asked_back(town: Town, order_id: str, *asks: Any) -> str:
    """The order is changed or cancelled while its place is at work; the number of the fulfillment order."""
    if asks:
        asked = operate.change_order(town.runtime, order_id, asks, person=PERSON)
        assert operate.confirm_change(town.runtime, asked.id, person=PERSON)
    else:
        assert operate.cancel_order(town.runtime, order_id, "changed my mind", person=PERSON)
    assert town.fos(order_id) == [("A-STORE", "in_progress", "cancellation_requested")]
    return town.number(order_id)


def test_a_store_says_that_it_has_stopped_and_the_units_come_back_once(town: Town, accepted: str) -> None:
    number = asked_back(town, accepted)
    assert operate.stopped_by_hand(town.runtime, accepted, number, person=PERSON)
    assert not operate.stopped_by_hand(town.runtime, accepted, number, person=PERSON)
    assert town.fos(accepted) == [("A-STORE", "cancelled", "cancellation_accepted")]
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert town.state(accepted).lifecycle == "cancelled"
    assert town.holds(accepted) == ["refund_due"]


def test_stopping_is_no_refusal_so_the_store_may_get_it_once_more(town: Town, accepted: str) -> None:
    number = asked_back(town, accepted, ShipTo(MOVED))
    assert operate.stopped_by_hand(town.runtime, accepted, number, person=PERSON)
    assert town.fos(accepted)[-1] == ("A-STORE", "open", "unsubmitted")
    assert town.state(accepted).excluded == set()
    assert town.ask(select(acceptance.c.refused)) == [0.0]


def test_a_store_says_that_it_is_too_late_and_a_person_decides(town: Town, accepted: str) -> None:
    number = asked_back(town, accepted)
    assert operate.too_late_by_hand(town.runtime, accepted, number, person=PERSON)
    assert not operate.too_late_by_hand(town.runtime, accepted, number, person=PERSON)
    assert town.fos(accepted) == [("A-STORE", "in_progress", "cancellation_rejected")]
    assert town.holds(accepted) == ["cancel_too_late"]
    with pytest.raises(NotDoneError, match=r"hold \(cancel too late\)"):
        operate.ship_by_hand(town.runtime, accepted, number, person=PERSON)
    [held] = town.state(accepted).holds
    operate.release_hold(town.runtime, accepted, held.id, person=PERSON)
    assert operate.ship_by_hand(town.runtime, accepted, number, person=PERSON)
    assert town.state(accepted).lifecycle == "completed"


def test_what_could_be_stopped_after_all_is_no_person_s_business_any_more(town: Town, accepted: str) -> None:
    number = asked_back(town, accepted)
    operate.too_late_by_hand(town.runtime, accepted, number, person=PERSON)
    assert operate.stopped_by_hand(town.runtime, accepted, number, person=PERSON)
    assert town.holds(accepted) == ["refund_due"]
    assert town.state(accepted).lifecycle == "cancelled"


def test_goods_that_a_store_ships_although_it_was_asked_to_stop_hold_the_order(town: Town, accepted: str) -> None:
    number = asked_back(town, accepted, ShipTo(MOVED))
    assert operate.ship_by_hand(town.runtime, accepted, number, person=PERSON)
    assert town.fos(accepted) == [("A-STORE", "closed", "closed")]
    assert town.holds(accepted) == ["cancel_too_late"]


def test_what_nobody_asked_to_stop_or_a_handler_has_is_not_stopped_by_hand(town: Town, at_3pl: str) -> None:
    for what in (operate.stopped_by_hand, operate.too_late_by_hand):
        with pytest.raises(NotDoneError, match="nobody waits for A-STORE to stop"):
            what(town.runtime, at_3pl, town.number(at_3pl), person=PERSON)
    cancelled_there(town, at_3pl)
    for what in (operate.stopped_by_hand, operate.too_late_by_hand):
        with pytest.raises(NotDoneError, match="cancel it there first"):
            what(town.runtime, at_3pl, town.number(at_3pl), person=PERSON)
    assert town.fos(at_3pl)[0][2] == "cancellation_requested"


def test_a_store_that_was_asked_to_stop_is_told_how_to_answer(town: Town, accepted: str) -> None:
    number = asked_back(town, accepted)
    with pytest.raises(NotDoneError, match="say that it has stopped, or that it is too late"):
        operate.accept_by_hand(town.runtime, accepted, number, person=PERSON)


@pytest.mark.parametrize("late", [operate.accept_by_hand, operate.ship_by_hand])
def test_a_store_that_begins_after_its_time_is_told_so_and_the_order_is_held(
    town: Town, late: Callable[..., bool]
) -> None:
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    town.change("A-STORE", answer_within_min=60)
    order_id = town.order({"MUG": 1})
    first = town.number(order_id)
    town.world.later(minutes=61)
    town.world.clock_strikes()
    work = town.fos(order_id)
    assert work == [("A-STORE", "cancelled", "timed_out"), ("B-STORE", "open", "unsubmitted")]
    for _ in range(2):
        with pytest.raises(NotDoneError, match="so that nothing leaves twice"):
            late(town.runtime, order_id, first, person=PERSON)
    assert town.holds(order_id) == ["late_accept"]
    assert town.fos(order_id) == work
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    with pytest.raises(NotDoneError, match=r"hold \(late accept\)"):
        operate.ship_by_hand(town.runtime, order_id, town.number(order_id), person=PERSON)
