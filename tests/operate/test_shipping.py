"""Locations that nobody's system serves are shipped from by hand."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store.tables import fulfillment_order, orders, package
from tests.operate.conftest import PERSON, Desk


def numbers(desk: Desk) -> list[str]:
    return desk.ask(select(fulfillment_order.c.number).order_by(fulfillment_order.c.id))


def test_goods_that_a_person_ships_leave_stock_and_the_channel_is_told(desk: Desk) -> None:
    order_id = desk.buy(("MUG", 2))
    [number] = numbers(desk)
    assert operate.ship_by_hand(
        desk.runtime, order_id, number, person=PERSON, carrier="Bike courier", tracking_number="BC-7"
    )
    assert not operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON), "the second time does nothing"
    desk.world.run()
    assert desk.world.on_shelf()["WEST"]["MUG"] == (8, 8, 0)
    assert desk.ask(select(orders.c.lifecycle)) == ["completed"]
    assert desk.ask(select(package.c.tracking_number)) == ["BC-7"]
    [shopped] = desk.shop.state.orders
    assert desk.shop.fulfillments(shopped)[0]["numbers"] == ["BC-7"]


def test_a_place_that_a_person_rules_out_is_not_tried_again(desk: Desk) -> None:
    operate.add_location(desk.runtime, "SOUTH", person=PERSON, country="US", rank=100)
    operate.adjust_stock(desk.runtime, "MUG", "SOUTH", set_to=5, reason="count", person=PERSON)
    order_id = desk.buy(("MUG", 1))
    [first] = numbers(desk)
    assert operate.refuse_by_hand(desk.runtime, order_id, first, "broken", person=PERSON)
    assert not operate.refuse_by_hand(desk.runtime, order_id, first, "broken", person=PERSON)
    # All else equal the rank decides, so SOUTH was asked first.
    assert desk.world.on_shelf()["SOUTH"]["MUG"] == (5, 5, 0)
    assert desk.world.on_shelf()["WEST"]["MUG"] == (10, 9, 1)


def test_what_a_3pl_has_is_not_shipped_by_hand_as_well(desk: Desk) -> None:
    operate.adjust_stock(desk.runtime, "TEE", "EAST", set_to=5, reason="count", person=PERSON)
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=0, reason="count", person=PERSON)
    order_id = desk.buy(("TEE", 1))
    assert len(desk.threepl.orders) == 1
    [number] = numbers(desk)
    with pytest.raises(NotDoneError, match="shipped twice"):
        operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
