"""Orders that came in part are asked for until all of them is known."""

from __future__ import annotations

from sqlalchemy import func, select

from hub.engine.doors import open_door
from hub.store.database import Database
from hub.store.tables import inquiry
from tests.flows.scripted import warehouse
from tests.flows.wire import GONE, failing


def test_an_answer_that_cannot_be_stored_is_asked_for_again(db: Database) -> None:
    house = warehouse(db)
    headers, body = house.shop.webhook("orders/create", house.shop.place_order([("MUG", 1)]))
    assert house.world.deliver(house.shop_id, headers, body).status == 200
    house.open("inbox")
    with failing(db, GONE, "INSERT INTO inbox") as hit:
        open_door(house.world.runtime, f"ask:{house.shop_id}")
    assert hit
    asked = select(func.count()).select_from(inquiry)
    assert house.world.read(lambda tx: tx.execute(asked).scalar_one()) == 1
    house.world.later(minutes=1)
    for kind in ("ask", "inbox"):
        house.open(kind)
    assert house.world.read(lambda tx: tx.execute(asked).scalar_one()) == 0
    house.deliver()
    assert house.rows("status") == [("delivered",)]
