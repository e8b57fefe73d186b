"""One order that the hub fails at stops no other, and stands among the problems."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from hub.flows import operate
from hub.flows.desk import HoldTerms
from hub.flows.operate import HoldOn
from hub.store import catalog
from hub.store.database import Database
from hub.store.tables import entity_event, hold, orders, reservation, stock_position
from hub.store.views import problems
from tests.flows.scripted import Warehouse, warehouse
from tests.flows.wire import GONE, failing

PERSON = "mia@example.com"
DEFECT = ValueError("a defect with this one order")


def ids(house: Warehouse) -> list[str]:
    query = select(orders.c.id).order_by(orders.c.id)
    return list(house.world.read(lambda tx: tx.execute(query).scalars().all()))


def failures(house: Warehouse) -> list[tuple[str, tuple[str, ...]]]:
    found = house.world.read(lambda tx: problems.find(tx, house.world.now()))
    return [(one.error, one.order_ids) for one in found if one.kind == "failure"]


def times_told(house: Warehouse) -> int:
    query = select(entity_event.c.id).where(entity_event.c.kind == "failed")
    return len(house.world.read(lambda tx: tx.execute(query).all()))


def test_units_that_come_in_reach_the_other_orders(db: Database) -> None:
    house = warehouse(db)
    house.world.stock("location MUG\nEAST 0")
    for _ in range(3):
        house.buy(("MUG", 1))
    bad = ids(house)[1]
    with failing(db, DEFECT, "INSERT INTO route_decision", bad):
        for units in (10, 11):
            house.world.stock(f"location MUG\nEAST {units}")
            house.open("refill")
    assert house.world.on_shelf() == {"EAST": {"MUG": (11, 9, 2)}}
    [(said, about)] = failures(house)
    assert (said, about) == (
        "The hub failed at giving it units that have come in: ValueError: a defect with this one order",
        (bad,),
    )
    assert times_told(house) == 1, "it is not said again while nothing else happens"

    house.world.stock("location MUG\nEAST 12")
    house.open("refill")
    assert house.world.on_shelf() == {"EAST": {"MUG": (12, 9, 3)}}
    assert failures(house) == []


def test_holds_of_the_other_orders_end_in_time(db: Database) -> None:
    house = warehouse(db)
    for _ in range(3):
        house.buy(("MUG", 1))
    until = house.world.now() + timedelta(minutes=5)
    on = HoldOn(blocks="ship", terms=HoldTerms(auto_release_at=until))
    held = {one: operate.hold_order(house.world.runtime, one, "wait", person=PERSON, on=on) for one in ids(house)}
    bad = ids(house)[0]
    house.world.later(minutes=6)
    with failing(db, DEFECT, "UPDATE hold", held[bad]):
        for _ in range(2):
            house.world.clock_strikes()
    active = select(hold.c.order_id).where(hold.c.state == "active")
    assert house.world.read(lambda tx: tx.execute(active).scalars().all()) == [bad]
    assert [about for _, about in failures(house)] == [(bad,)]
    assert times_told(house) == 1


def test_reservations_that_can_be_ended_end_in_time(db: Database) -> None:
    house = warehouse(db)
    house.world.stock("location MUG TEE\nEAST 10 5")
    for sku in ("MUG", "TEE"):
        kept = [operate.ReserveLine(sku, 2, "EAST")]
        operate.reserve(house.world.runtime, kept, ("checkout", sku), person=PERSON)
    with db.begin() as tx:  # somebody writes past the books
        mug = stock_position.c.variant_id == catalog.variants_by_sku(tx, ["MUG"])["MUG"]
        tx.execute(update(stock_position).where(mug).values(reserved=0, available=stock_position.c.available + 2))
    house.world.later(minutes=16)
    for _ in range(2):
        house.world.clock_strikes()
    states = select(reservation.c.owner_id, reservation.c.state).order_by(reservation.c.id)
    found = [tuple(row) for row in house.world.read(lambda tx: tx.execute(states).all())]
    assert found == [("MUG", "active"), ("TEE", "expired")]
    [(said, _)] = failures(house)
    assert said.startswith("The hub failed at ending a reservation: OutOfStockError")
    assert times_told(house) == 1


def test_a_database_that_is_away_is_nobodys_failure(db: Database) -> None:
    house = warehouse(db)
    house.world.stock("location MUG\nEAST 0")
    house.buy(("MUG", 1))
    house.world.stock("location MUG\nEAST 10")
    with failing(db, GONE, "INSERT INTO route_decision"), pytest.raises(type(GONE)):
        house.open("refill")
    assert times_told(house) == 0
    house.open("refill")
    assert house.world.on_shelf() == {"EAST": {"MUG": (10, 9, 1)}}
