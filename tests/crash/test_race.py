"""Many buyers, few units: the hub never commits more than there are.

A short form runs with the suite. With ORDERHUB_LONG=1 (`make race`) 1,000 orders over three channels run after 100
units, ten times on each database.
"""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import func, select

from connectors.shopify.sandbox import ShopifySandbox
from connectors.shopify.sandbox_shop import CUSTOMER
from hub.engine.doors import due_doors, open_door
from hub.store.database import Database
from hub.store.ledger import differences
from hub.store.tables import fo_line, hold, order_line, orders, reservation, stock_move, stock_position
from hub.testing.world import World

DRAINERS = 4
LONG = os.environ.get("ORDERHUB_LONG") == "1"
RUNS, ORDERS, UNITS = (10, 1_000, 100) if LONG else (1, 150, 15)


@pytest.mark.parametrize("run", range(RUNS))
def test_all_units_are_committed_and_no_unit_more(db: Database, run: int):
    """Orders over three channels, for units at two places."""
    world = _race(db, ORDERS, UNITS, ("north", "south", "market"))
    assert _sum(world, stock_position.c.committed) == UNITS, f"run {run}"
    assert _sum(world, stock_position.c.available) == 0
    assert _sum(world, fo_line.c.quantity) == UNITS
    assert _sum(world, order_line.c.routed) == UNITS
    assert _sum(world, reservation.c.quantity, reservation.c.state == "active") == ORDERS - UNITS


def test_of_50_orders_for_the_last_unit_one_gets_it(db: Database):
    world = _race(db, 50, 1, ("north",))
    assert _sum(world, stock_move.c.quantity, stock_move.c.kind == "commit") == 1
    assert _sum(world, order_line.c.routed) == 1
    assert _sum(world, reservation.c.quantity, reservation.c.state == "active") == 49
    (position,) = world.read(lambda tx: tx.execute(select(stock_position).where(stock_position.c.on_hand > 0)).all())
    assert (position.available, position.committed, position.oversold) == (0, 1, 0)


def _race(db: Database, orders_placed: int, units: int, names: tuple[str, ...]) -> World:
    """The world after so many orders of one unit each came in over all these channels at the same time."""
    world = World(db)
    shops = [ShopifySandbox(shop=f"{name}.myshopify.com") for name in names]
    channels = [_connect(world, shop) for shop in shops]
    world.location("BER", country="US")
    world.location("NYC", country="US")
    world.stock(f"location MUG\nBER {units // 2}\nNYC {units - units // 2}")
    for shop in shops:
        shop.add_product("MUG", "10.00", stock=orders_placed)
    deliveries = []
    for number in range(orders_placed):
        shop = shops[number % len(shops)]
        buyer = {**CUSTOMER, "email": f"buyer{number}@example.com"}  # one who orders twice at once would be held
        body = shop.webhook("orders/create", shop.place_order([("MUG", 1)], customer=buyer))
        deliveries.append((channels[number % len(shops)], *body))
    all_sent = threading.Event()
    with ThreadPoolExecutor(DRAINERS + 16) as pool:
        drainers = [pool.submit(_drain, world, all_sent) for _ in range(DRAINERS)]
        receipts = list(pool.map(lambda one: world.deliver(*one).status, deliveries))
        all_sent.set()
        for drainer in drainers:
            drainer.result()

    assert receipts == [200] * orders_placed
    assert _sum(world, orders.c.id, count=True) == orders_placed
    assert _sum(world, hold.c.id, count=True) == 0
    assert world.inbox_outcomes() == {"applied": orders_placed}
    assert world.read(differences) == []
    return world


def _connect(world: World, shop: ShopifySandbox) -> str:
    settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret}
    return world.connect("shopify", shop.shop, settings)


def _drain(world: World, all_sent: threading.Event) -> None:
    """Open every inbox door that has mail, as one of several workers that nobody keeps apart."""
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        last_round = all_sent.is_set()
        doors = [door for door in due_doors(world.runtime) if door.startswith("inbox:")]
        for door in doors:
            open_door(world.runtime, door)
        if last_round and not doors:
            return
    raise AssertionError("the inbox did not get empty")


def _sum(world: World, column, *where, count: bool = False) -> int:
    what = func.count(column) if count else func.coalesce(func.sum(column), 0)
    return int(world.read(lambda tx: tx.execute(select(what).where(*where)).scalar_one()))
