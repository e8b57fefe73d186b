"""The doors as a person handles them: replay, retry, resolve."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import outbox as outbox_store
from hub.store.tables import fulfillment_order, inbox, orders, outbox
from hub.store.views import order as order_view
from hub.store.views import problems
from hub.store.views.doors import InboxQuery
from hub.testing import Fault
from hub.web.pages.next_step import next_step
from tests.operate.conftest import PERSON, Desk


def send_unreadable(desk: Desk) -> str:
    """A delivery that is signed and cannot be mapped; its inbox id."""
    headers, body = desk.shop.webhook("orders/create", {"id": 1})
    assert desk.world.deliver(desk.shop_id, headers, body).status == 200
    desk.world.run()
    return str(desk.ask(select(inbox.c.id).order_by(inbox.c.id.desc()).limit(1))[0])


def status(desk: Desk, outbox_id: str) -> str:
    return str(desk.ask(select(outbox.c.status).where(outbox.c.id == outbox_id))[0])


@pytest.fixture
def handed_over(desk: Desk) -> Desk:
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=5, reason="count", person=PERSON)
    return desk


def test_a_dry_run_says_what_would_be_replayed_and_touches_nothing(desk: Desk) -> None:
    desk.buy(("MUG", 1))
    query = InboxQuery(statuses=("done",), stream="orders_webhook")
    rows = operate.replay(desk.runtime, query=query, person=PERSON, dry_run=True)
    assert [row.status for row in rows] == ["done"]
    assert desk.ask(select(inbox.c.status).where(inbox.c.id == rows[0].id)) == ["done"]


def test_a_replayed_order_is_not_entered_twice(desk: Desk) -> None:
    desk.buy(("MUG", 1))
    operate.replay(desk.runtime, query=InboxQuery(stream="orders_webhook"), person=PERSON)
    desk.world.run()
    assert len(desk.ask(select(orders.c.id))) == 1
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 9, 1)
    [outcome] = desk.ask(select(inbox.c.outcome).where(inbox.c.stream == "orders_webhook"))
    assert outcome == "no_change"


def test_a_parked_row_is_set_aside_or_tried_again(desk: Desk) -> None:
    parked = send_unreadable(desk)
    assert desk.ask(select(inbox.c.status).where(inbox.c.id == parked)) == ["dead"]
    operate.replay(desk.runtime, ids=[parked], person=PERSON)
    desk.world.run()
    assert desk.ask(select(inbox.c.status).where(inbox.c.id == parked)) == ["dead"], "its cause is still there"
    assert operate.dismiss(desk.runtime, [parked], person=PERSON, reason="a test of theirs") == [parked]
    assert operate.dismiss(desk.runtime, [parked], person=PERSON, reason="a test of theirs") == []
    assert desk.ask(select(inbox.c.status).where(inbox.c.id == parked)) == ["ignored"]


def test_an_outcome_that_a_person_knows_is_entered_and_everything_follows(handed_over: Desk) -> None:
    desk = handed_over
    desk.threepl.faults.append(Fault("effect_then_drop", match="order_create", times=99))
    desk.threepl.faults.append(Fault("drop", match="orders", times=99))
    desk.buy(("MUG", 1))
    [row] = desk.ask(select(outbox.c.id))
    assert status(desk, row) == "unknown"
    assert operate.retry(desk.runtime, [row], person=PERSON).refused[0][0] == row, "it might arrive twice"
    with pytest.raises(NotDoneError, match="which id"):
        operate.resolve(desk.runtime, row, happened=True, person=PERSON)
    operate.resolve(desk.runtime, row, happened=True, external_id="T3JkZXI6MQ==", person=PERSON)
    assert status(desk, row) == "delivered"
    assert desk.ask(select(fulfillment_order.c.external_id)) == ["T3JkZXI6MQ=="]
    assert (f"person:{PERSON}", "resolved") in desk.said(desk.newest())
    with pytest.raises(NotDoneError, match="outcome is known"):
        operate.resolve(desk.runtime, row, happened=True, external_id="other", person=PERSON)


def test_what_did_not_happen_is_sent_again(handed_over: Desk) -> None:
    desk = handed_over
    desk.threepl.faults.append(Fault("drop", times=99))
    desk.buy(("MUG", 1))
    [row] = desk.ask(select(outbox.c.id))
    with desk.world.db.begin() as tx:
        tx.execute(update(outbox).where(outbox.c.id == row).values(status="unknown"))
    desk.threepl.faults.clear()
    assert operate.resolve(desk.runtime, row, happened=False, person=PERSON)
    desk.world.later(minutes=5)
    desk.world.run()
    assert status(desk, row) == "delivered"
    assert len(desk.threepl.orders) == 1


def test_a_refused_hand_over_is_not_sent_again_once_it_was_routed_elsewhere(handed_over: Desk) -> None:
    desk = handed_over
    desk.buy(("MUG", 1))
    [row] = desk.ask(select(outbox.c.id))
    with desk.world.db.begin() as tx:
        tx.execute(update(outbox).where(outbox.c.id == row).values(status="rejected"))
        tx.execute(update(fulfillment_order).values(exec_status="cancelled"))
    answer = operate.retry(desk.runtime, [row, "nowhere"], person=PERSON)
    assert answer.sent == ()
    assert {key for key, _ in answer.refused} == {row, "nowhere"}
    with desk.world.db.begin() as tx:  # as it was, so that the books can be compared
        tx.execute(update(fulfillment_order).values(exec_status="in_progress"))


def test_what_did_not_happen_and_nobody_wants_any_more_is_not_sent_again(handed_over: Desk) -> None:
    desk = handed_over
    desk.threepl.faults.append(Fault("drop", match="order", times=99))
    order_id = desk.buy(("MUG", 1))
    [row] = desk.ask(select(outbox.c.id))
    assert status(desk, row) == "unknown"
    [number] = desk.ask(select(fulfillment_order.c.number))
    with desk.world.db.begin() as tx:
        tx.execute(update(fulfillment_order).values(handler_id=None, handling="manual"))  # it was given to our people
    assert operate.refuse_by_hand(desk.runtime, order_id, number, "not here", person=PERSON)
    desk.threepl.faults.clear()
    assert not operate.resolve(desk.runtime, row, happened=False, person=PERSON)
    desk.world.later(minutes=5)
    desk.world.run()
    assert status(desk, row) == "superseded"
    assert desk.threepl.orders == []


def test_after_a_restore_messages_are_looked_up_before_anything_is_sent(handed_over: Desk) -> None:
    desk = handed_over
    desk.threepl.faults.append(Fault("error_500", match="order_create", times=1))
    order_id = desk.buy(("MUG", 1))
    [row] = desk.ask(select(outbox.c.id))
    with desk.world.db.begin() as tx:
        assert outbox_store.hold_all(tx, desk.world.now()) == 1
    desk.world.later(hours=1)
    desk.world.run()
    assert status(desk, row) == "held"
    assert len(desk.threepl.orders) == 0
    assert "held" in operate.retry(desk.runtime, [row], person=PERSON).refused[0][1]

    assert operate.release_outbox(desk.runtime, "3PL", person=PERSON) == 1
    desk.world.run()
    assert status(desk, row) == "delivered"
    assert len(desk.threepl.orders) == 1
    assert order_id


def stuck(desk: Desk) -> list[str]:
    """The operation of every problem with a message that is a person's."""
    found = desk.world.read(lambda tx: problems.find(tx, desk.runtime.clock(), move="yours"))
    return [one.what for one in found if one.kind == "outbox"]


def sell_what_the_3pl_does_not_know(desk: Desk) -> str:
    """An order for an article that we take to lie at the 3PL; the outbox row of its hand-over."""
    desk.shop.add_product("LAMP", "10.00", stock=0)
    rows = [operate.ImportRow(1, "LAMP", "EAST", 5)]
    operate.import_stock(desk.runtime, rows, person=PERSON, reason="first count", create_articles=True)
    desk.buy(("LAMP", 1))
    return str(desk.ask(select(outbox.c.id).where(outbox.c.operation == "submit"))[0])


def test_a_refused_hand_over_is_settled_when_another_place_has_the_units(desk: Desk) -> None:
    operate.import_stock(
        desk.runtime, [operate.ImportRow(1, "LAMP", "WEST", 5)], person=PERSON, reason="count", create_articles=True
    )
    row = sell_what_the_3pl_does_not_know(desk)
    assert ("delivery", "rejected") in desk.said(desk.newest())
    assert status(desk, row) == "superseded"
    assert stuck(desk) == []
    order = desk.world.read(lambda tx: order_view.detail(tx, desk.newest()))
    assert next_step(order).title == "Routed"


def test_a_refused_hand_over_is_a_problem_as_long_as_no_other_place_has_the_units(desk: Desk) -> None:
    row = sell_what_the_3pl_does_not_know(desk)
    assert status(desk, row) == "rejected"
    assert stuck(desk) == ["submit"]
    operate.adjust_stock(desk.runtime, "LAMP", "WEST", set_to=3, reason="count", person=PERSON)
    desk.world.run()
    assert status(desk, row) == "superseded"
    assert stuck(desk) == []


def sell_what_the_shop_cancels_meanwhile(desk: Desk) -> str:
    """A parcel of an order that the shop has cancelled, which it does not want to hear of; that outbox row."""
    order = desk.shop.place_order([("MUG", 1)])
    desk.send("orders/create", order)
    desk.shop.cancel_order(order.id)
    [number] = desk.ask(select(fulfillment_order.c.number))
    operate.ship_by_hand(desk.runtime, desk.newest(), number, person=PERSON, carrier="DHL", tracking_number="1")
    desk.world.run()
    return str(desk.ask(select(outbox.c.id).where(outbox.c.operation == "confirm"))[0])


def test_a_refused_message_is_set_aside_with_a_reason_and_can_still_be_sent(desk: Desk) -> None:
    row = sell_what_the_shop_cancels_meanwhile(desk)
    order = desk.world.read(lambda tx: order_view.detail(tx, desk.newest()))
    assert (status(desk, row), stuck(desk)) == ("rejected", ["confirm"])
    assert next_step(order).title == "A message is stuck"
    with pytest.raises(NotDoneError, match="say why"):
        operate.set_aside(desk.runtime, [row], person=PERSON, reason=" ")
    done = operate.set_aside(desk.runtime, [row], person=PERSON, reason="refunded by telephone")
    assert (done.done, done.refused) == ((row,), ())
    assert (status(desk, row), stuck(desk)) == ("set_aside", [])
    assert next_step(desk.world.read(lambda tx: order_view.detail(tx, desk.newest()))).title == "On its way"
    said = [one.message for one in desk.world.read(lambda tx: order_view.detail(tx, desk.newest())).timeline]
    assert f"Set aside by {PERSON}: refunded by telephone" in said
    assert operate.set_aside(desk.runtime, [row], person=PERSON, reason="again").done == ()
    assert operate.retry(desk.runtime, [row], person=PERSON).sent == (row,)
    desk.world.run()
    assert status(desk, row) == "rejected"


def test_a_refusal_that_a_person_knows_to_be_wrong_is_entered_as_done(desk: Desk) -> None:
    row = sell_what_the_shop_cancels_meanwhile(desk)
    operate.resolve(desk.runtime, row, happened=True, external_id="gid://shopify/Fulfillment/1", person=PERSON)
    assert status(desk, row) == "delivered"
    assert "confirmed" in [kind for _, kind in desk.said(desk.newest())]
    assert stuck(desk) == []


def test_a_refused_hand_over_is_not_said_to_have_happened_once_its_units_went_elsewhere(desk: Desk) -> None:
    row = sell_what_the_3pl_does_not_know(desk)
    for happened in (True, False):
        with pytest.raises(NotDoneError, match="ship them twice"):
            operate.resolve(desk.runtime, row, happened=happened, external_id="x", person=PERSON)
    assert status(desk, row) == "rejected"


def test_goods_that_are_still_to_leave_are_not_set_aside_with_their_message(handed_over: Desk) -> None:
    desk = handed_over
    desk.threepl.faults.append(Fault("error_500", match="order_create", times=99))
    order_id = desk.buy(("MUG", 1))
    [row] = desk.ask(select(outbox.c.id))
    for _ in outbox_store.SCHEDULE_S:
        for _ in range(3):  # the call, and two looks whether it arrived
            desk.world.later(hours=12)
            desk.world.run()
    assert status(desk, row) == "dead"
    [(_, why)] = operate.set_aside(desk.runtime, [row], person=PERSON, reason="done by telephone").refused
    assert "still to leave" in why
    [number] = desk.ask(select(fulfillment_order.c.number))
    operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    assert status(desk, row) == "superseded", "shipping by hand takes the message back"
    assert operate.set_aside(desk.runtime, [row, "none"], person=PERSON, reason="x").refused == (
        (row, "it is superseded"),
        ("none", "there is no such message"),
    )


def test_a_stop_that_nobody_answered_is_not_set_aside_but_answered(handed_over: Desk) -> None:
    desk = handed_over
    order = desk.shop.place_order([("MUG", 1)])
    desk.send("orders/create", order)
    desk.threepl.faults.append(Fault("error_500", match="order_cancel", times=99))
    desk.send("orders/cancelled", desk.shop.cancel_order(order.id))
    [row] = desk.ask(select(outbox.c.id).where(outbox.c.operation == "cancel"))
    with desk.world.db.begin() as tx:
        tx.execute(update(outbox).where(outbox.c.id == row).values(status="dead"))
    [(_, why)] = operate.set_aside(desk.runtime, [row], person=PERSON, reason="it is stopped").refused
    assert "say what happened instead" in why
    operate.resolve(desk.runtime, row, happened=True, person=PERSON)
    assert (status(desk, row), desk.ask(select(orders.c.lifecycle))) == ("delivered", ["cancelled"])
