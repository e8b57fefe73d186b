"""Orders as a person handles them."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store.tables import fulfillment_order, hold, order_line, orders
from tests.operate.conftest import PERSON, Desk


def lifecycle(desk: Desk, order_id: str) -> str:
    return str(desk.ask(select(orders.c.lifecycle).where(orders.c.id == order_id))[0])


def active(desk: Desk, order_id: str) -> list[tuple[str, str]]:
    query = select(hold.c.id, hold.c.kind).where(hold.c.order_id == order_id, hold.c.state == "active")
    return [(row[0], row[1]) for row in desk.world.read(lambda tx: tx.execute(query).all())]


def test_an_order_goes_on_when_its_hold_is_released(desk: Desk) -> None:
    order = desk.shop.place_order([("MUG", 2)], paid="PENDING")
    desk.send("orders/create", order)
    order_id = desk.newest()
    [(hold_id, kind)] = active(desk, order_id)
    assert (kind, lifecycle(desk, order_id)) == ("unpaid", "pending")

    assert operate.release_hold(desk.runtime, order_id, hold_id, person=PERSON, note="they pay by invoice")
    assert lifecycle(desk, order_id) == "open"
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 8, 2)
    assert not operate.release_hold(desk.runtime, order_id, hold_id, person=PERSON), "the second time does nothing"
    assert (f"person:{PERSON}", "released") in desk.said(order_id)


def test_an_order_with_two_holds_waits_for_both(desk: Desk) -> None:
    order = desk.shop.place_order([("MUG", 1)], paid="PENDING")
    desk.send("orders/create", order)
    order_id = desk.newest()
    assert operate.hold_order(desk.runtime, order_id, "call the customer", person=PERSON)
    assert not operate.hold_order(desk.runtime, order_id, "call the customer", person=PERSON)
    for number, (hold_id, _) in enumerate(active(desk, order_id)):
        assert lifecycle(desk, order_id) == "pending", number
        operate.release_hold(desk.runtime, order_id, hold_id, person=PERSON)
    assert lifecycle(desk, order_id) == "open"


def test_a_cancelled_order_gives_its_units_back_once(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 3))
    assert operate.cancel_order(desk.runtime, order_id, "the customer called", person=PERSON)
    assert not operate.cancel_order(desk.runtime, order_id, "again", person=PERSON)
    assert lifecycle(desk, order_id) == "cancelled"
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 10, 0)
    with pytest.raises(NotDoneError, match="cancelled"):
        operate.hold_order(desk.runtime, order_id, "too late", person=PERSON)


def test_what_the_3pl_has_is_asked_back_when_a_person_cancels(desk: Desk) -> None:
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=5, reason="count", person=PERSON)
    order_id = desk.buy(("MUG", 1))
    operate.cancel_order(desk.runtime, order_id, "a mistake", person=PERSON)
    desk.world.run()
    assert desk.threepl.orders[0]["fulfillment_status"] == "canceled"
    assert lifecycle(desk, order_id) == "cancelled"


def test_linking_a_sku_lets_the_orders_go_on_that_wait_for_it(desk: Desk) -> None:
    waiting = [desk.buy(("NEW", 1), ("MUG", 1)), desk.buy(("NEW", 2))]
    assert {kind for one in waiting for _, kind in active(desk, one)} == {"unmapped"}
    with pytest.raises(NotDoneError, match="no article"):
        operate.link_sku(desk.runtime, desk.shop_id, "NEW", article="MUG-NEW", person=PERSON)

    linked = operate.link_sku(desk.runtime, desk.shop_id, "NEW", article="MUG-NEW", create=True, person=PERSON)
    assert set(linked.order_ids) == set(waiting)
    operate.adjust_stock(desk.runtime, "MUG-NEW", "WEST", set_to=9, reason="count", person=PERSON)
    desk.world.run()
    assert [lifecycle(desk, one) for one in waiting] == ["open", "open"]
    assert [active(desk, one) for one in waiting] == [[], []]
    assert desk.world.on_shelf()["WEST"]["MUG-NEW"] == (9, 6, 3)
    assert {"linked", "replayed"} & {kind for _, kind in desk.said(waiting[0])}

    again = operate.link_sku(desk.runtime, desk.shop_id, "NEW", article="MUG-NEW", person=PERSON)
    desk.world.run()
    assert again.order_ids == ()
    assert desk.world.on_shelf()["WEST"]["MUG-NEW"] == (9, 6, 3)
    desk.buy(("NEW", 1))
    assert desk.world.on_shelf()["WEST"]["MUG-NEW"] == (9, 5, 4), "the next order needs nobody"


def test_a_pack_counts_as_its_units(desk: Desk) -> None:
    order_id = desk.buy(("NEW", 2))
    operate.link_sku(desk.runtime, desk.shop_id, "NEW", article="MUG", pack_size=3, person=PERSON)
    desk.world.run()
    assert desk.ask(select(order_line.c.ordered).where(order_line.c.order_id == order_id)) == [6]
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 4, 6)


def test_units_the_channel_took_back_before_the_link_stay_cancelled(desk: Desk) -> None:
    order = desk.shop.place_order([("NEW", 5)])
    desk.send("orders/create", order)
    order_id = desk.newest()
    desk.shop.edit_order(order.id, {"NEW": 2})
    desk.send("orders/updated", order)
    operate.link_sku(desk.runtime, desk.shop_id, "NEW", article="MUG", person=PERSON)
    desk.world.run()
    line = order_line.c
    query = select(line.ordered, line.cancelled, line.routed).where(line.order_id == order_id)
    [(ordered, cancelled, routed)] = desk.world.read(lambda tx: tx.execute(query).all())
    assert (ordered - cancelled, routed) == (2, 2)


def test_a_cancelled_order_stays_as_it_is_when_its_sku_is_linked(desk: Desk) -> None:
    order = desk.shop.place_order([("NEW", 1), ("MUG", 1)])
    desk.send("orders/create", order)
    order_id = desk.newest()
    operate.cancel_order(desk.runtime, order_id, "not wanted", person=PERSON)
    operate.link_sku(desk.runtime, desk.shop_id, "NEW", article="TEE", person=PERSON)
    operate.replay(desk.runtime, ids=desk.ask(select(orders.c.inbox_id)), person=PERSON)
    desk.world.run()
    assert lifecycle(desk, order_id) == "cancelled"
    assert desk.ask(select(fulfillment_order.c.id).where(fulfillment_order.c.exec_status == "open")) == []
