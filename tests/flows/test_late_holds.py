"""A hold that comes while a message is being taken stops it all the same."""

from __future__ import annotations

from sqlalchemy import insert, select

from hub.flows import operate
from hub.store.database import Database, new_id
from hub.store.tables import hold, orders
from tests.flows.scripted import Warehouse, warehouse
from tests.flows.wire import meanwhile


def flag(house: Warehouse) -> None:
    """As a place does that misses the goods of many orders: without the order's lock."""
    with house.world.db.begin() as tx:
        order_id = tx.execute(select(orders.c.id)).scalar_one()
        lies = {"order_id": order_id, "target_type": "order", "target_id": order_id, "blocks": "ship"}
        said = {"kind": "at_risk", "reason": "not there", "handle": "at_risk", "source": "stock", "state": "active"}
        tx.execute(insert(hold).values(id=new_id(), created_at=house.world.now(), **lies, **said))


def test_a_hold_without_the_orders_lock_slips_in_before_no_call(db: Database) -> None:
    house = warehouse(db)
    house.buy(("MUG", 1))
    with meanwhile(db, "orders.document", lambda: flag(house)):  # the row is taken, its papers are being written
        house.deliver()
    assert house.made() == []
    assert house.rows("status", "attempts", "error_code") == [("pending", 0, "on_hold")]

    [held] = house.world.read(lambda tx: tx.execute(select(hold.c.id)).scalars().all())
    operate.release_holds(house.world.runtime, [held], person="mia@example.com")
    house.deliver()
    assert house.rows("status") == [("delivered",)]
