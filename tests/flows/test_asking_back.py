"""A place that refused to stop can be asked again, and each time is a matter of its own."""

from __future__ import annotations

from sqlalchemy import select

from hub.domain.shipping import Cancelled
from hub.sdk import errors
from hub.store.database import Database
from hub.store.tables import fulfillment_order, orders
from tests.flows.scripted import warehouse


def test_a_place_that_refused_to_stop_is_asked_again_under_another_key(db: Database) -> None:
    house = warehouse(db)
    order = house.shop.place_order([("MUG", 3)])
    house.tell("orders/create", order)
    house.deliver()
    house.plugin.says["cancel"] = [Cancelled(accepted=False, reason="being packed")]
    house.world.later(seconds=2)
    house.tell("orders/updated", house.shop.edit_order(order.id, {"MUG": 2}))
    house.deliver()
    states = select(fulfillment_order.c.request_status).order_by(fulfillment_order.c.id)
    assert house.world.read(lambda tx: tx.execute(states).scalars().all()) == ["cancellation_rejected"]

    house.world.later(seconds=2)
    house.tell("orders/cancelled", house.shop.cancel_order(order.id))
    house.deliver()
    assert house.rows("operation", "status") == [(what, "delivered") for what in ("submit", "cancel", "cancel")]
    keys = [key for what, key in house.plugin.asked if what == "cancel"]
    assert len(set(keys)) == 2
    assert house.world.read(lambda tx: tx.execute(select(orders.c.lifecycle)).scalars().all()) == ["cancelled"]
    assert house.world.on_shelf() == {"EAST": {"MUG": (10, 10, 0)}}


def test_what_has_not_arrived_is_not_handed_over_only_to_be_called_back(db: Database) -> None:
    house = warehouse(db)
    order = house.shop.place_order([("MUG", 3)])
    house.tell("orders/create", order)
    house.plugin.says["submit"] = [errors.OutcomeUnknown("the connection broke")]
    house.deliver()
    house.plugin.took.clear()  # it never arrived
    house.world.later(seconds=20)
    house.tell("orders/cancelled", house.shop.cancel_order(order.id))
    for _ in range(3):
        house.deliver()
        house.world.later(minutes=2)
    assert house.rows("operation", "status") == [("submit", "superseded"), ("cancel", "delivered")]
    assert house.made() == ["submit", "find", "find"]
    assert house.world.read(lambda tx: tx.execute(select(orders.c.lifecycle)).scalars().all()) == ["cancelled"]
    assert house.world.on_shelf() == {"EAST": {"MUG": (10, 10, 0)}}
