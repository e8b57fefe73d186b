"""What is to be given back to customers after an order became smaller here: it stands there until the channel did it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.domain.changes import AddLine, CancelOrder, SetQuantity
from hub.flows import operate
from hub.flows.operate import waiting as waiting_operate
from hub.store.tables import fulfillment_order, hold, order_line, orders
from hub.store.views import orders as orders_view
from hub.store.views import problems
from tests.operate.conftest import PERSON, Desk


def buy(desk: Desk, *lines: tuple[str, int], **more: Any) -> tuple[Any, str]:
    made = desk.shop.place_order(list(lines), **more)
    desk.send("orders/create", made)
    return made, desk.newest()


def change(desk: Desk, order_id: str, *asks: Any) -> None:
    asked = operate.change_order(desk.runtime, order_id, asks, person=PERSON)
    assert operate.confirm_change(desk.runtime, asked.id, person=PERSON)
    desk.world.run()


def line_of(desk: Desk, order_id: str, sku: str) -> str:
    line = order_line.c
    return str(desk.ask(select(line.external_id).where(line.order_id == order_id, line.sku == sku))[0])


def to_refund(desk: Desk, order_id: str) -> list[str]:
    """What the order's active holds say is to be given back."""
    mine = hold.c.order_id == order_id, hold.c.kind == "refund_due", hold.c.state == "active"
    return desk.ask(select(hold.c.reason).where(*mine))


def at_3pl(desk: Desk, sku: str, units: int) -> None:
    operate.adjust_stock(desk.runtime, sku, "EAST", set_to=units, reason="count", person=PERSON)


def test_a_paid_order_that_is_cancelled_here_says_how_much_is_to_be_refunded_and_where(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 3), shipping="4.50")
    assert to_refund(desk, order_id) == []
    operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    assert to_refund(desk, order_id) == [
        "Refund 34.50 USD at Web shop: the customer paid 34.50 USD, and the order costs 0.00 USD now."
    ]
    yours = desk.world.read(lambda tx: problems.find(tx, desk.world.now(), move="yours"))
    [found] = [one for one in yours if one.kind == "hold"]
    assert (found.what, found.order_ids) == ("refund_due", (order_id,))
    assert found.title == "Web shop: customers are to get money back"


def test_it_is_over_when_the_channel_says_that_it_was_refunded(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3))
    operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert len(to_refund(desk, order_id)) == 1
    desk.send("orders/cancelled", desk.shop.cancel_order(made.id))
    assert to_refund(desk, order_id) == []


def test_what_a_person_has_settled_is_not_asked_for_again(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3))
    operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    [held] = desk.ask(select(hold.c.id).where(hold.c.kind == "refund_due"))
    assert operate.release_hold(desk.runtime, order_id, held, person=PERSON, note="paid by bank")
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert to_refund(desk, order_id) == []


def test_units_that_are_taken_off_are_refunded_at_their_share_and_the_rest_goes_on(desk: Desk) -> None:
    made, order_id = buy(desk, ("MUG", 3), ("TEE", 1), discount=("SPRING", "4.00"))
    change(desk, order_id, SetQuantity(line_of(desk, order_id, "MUG"), 1))
    assert to_refund(desk, order_id) == [
        "Refund 18.00 USD at Web shop: the customer paid 36.00 USD, and the order costs 18.00 USD now."
    ]
    row = desk.world.read(lambda tx: orders_view.rows_of(tx, [order_id]))[order_id]
    assert row.phase == "routed"
    change(desk, order_id, SetQuantity(line_of(desk, order_id, "MUG"), 2))
    [said] = to_refund(desk, order_id)
    assert said.startswith("Refund 9.00 USD at Web shop")
    desk.send("orders/updated", desk.shop.refund_order(made.id, {"MUG": 1}, amount="9.00"))
    assert to_refund(desk, order_id) == []


def test_nothing_is_refunded_of_what_was_never_paid(desk: Desk) -> None:
    _, unpaid = buy(desk, ("MUG", 1), paid="PENDING")
    operate.cancel_order(desk.runtime, unpaid, "a mistake", person=PERSON)
    _, grown = buy(desk, ("TEE", 1))
    change(desk, grown, AddLine("", "MUG", 2, 1000))
    added = next(one for one in desk.ask(select(order_line.c.external_id)) if one.startswith("hub:"))
    change(desk, grown, SetQuantity(added, 0))
    assert desk.ask(select(hold.c.id).where(hold.c.kind == "refund_due")) == []


def test_money_that_was_only_promised_is_let_go_and_not_refunded(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 1), paid="AUTHORIZED")
    operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    assert to_refund(desk, order_id) == [
        "Let 10.00 USD go at Web shop: 10.00 USD are authorized, and the order costs 0.00 USD now."
    ]


def test_nothing_is_refunded_before_the_places_have_stopped(desk: Desk) -> None:
    at_3pl(desk, "MUG", 3)
    _, order_id = buy(desk, ("MUG", 3))
    operate.pause(desk.runtime, "3PL", person=PERSON)
    change(desk, order_id, CancelOrder("too slow"))
    assert desk.ask(select(fulfillment_order.c.request_status)) == ["cancellation_requested"]
    assert to_refund(desk, order_id) == []
    operate.resume(desk.runtime, "3PL", person=PERSON)
    desk.world.run()
    assert desk.ask(select(orders.c.lifecycle)) == ["cancelled"]
    assert [one.split(" at ")[0] for one in to_refund(desk, order_id)] == ["Refund 30.00 USD"]


@pytest.mark.parametrize("shipped", [0, 2])
def test_of_a_cancelled_order_what_has_left_is_paid_for(desk: Desk, shipped: int) -> None:
    at_3pl(desk, "TEE", 5)
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=0, reason="count", person=PERSON)
    _, order_id = buy(desk, ("MUG", 2), ("TEE", 1))
    if shipped:
        [number] = desk.ask(select(fulfillment_order.c.number).where(fulfillment_order.c.handling == "manual"))
        operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    operate.cancel_order(desk.runtime, order_id, "too slow", person=PERSON)
    desk.world.run()
    [said] = to_refund(desk, order_id)
    assert said.startswith(f"Refund {10 if shipped else 30}.00 USD at Web shop")


def test_units_that_waited_too_long_are_to_be_refunded(desk: Desk) -> None:
    _, order_id = buy(desk, ("MUG", 12))
    [line_id] = desk.ask(select(order_line.c.id))
    soon = desk.world.now() + timedelta(minutes=1)
    waiting_operate.set_cancel_date(desk.runtime, order_id, line_id, soon, person=PERSON)
    desk.world.later(minutes=2)
    desk.world.clock_strikes()
    [said] = to_refund(desk, order_id)
    assert said.startswith("Refund 20.00 USD at Web shop: the customer paid 120.00 USD")
