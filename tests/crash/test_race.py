"""Many buyers, few units: the hub never commits more than there are."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import func, select

from connectors.shopify.sandbox import ShopifySandbox
from hub.engine.doors import due_doors, open_door
from hub.store.database import Database
from hub.store.ledger import differences
from hub.store.tables import fo_line, hold, order_line, orders, reservation, stock_position
from hub.testing.world import World

ORDERS, UNITS, DRAINERS = 200, 20, 4


def test_200_orders_over_two_channels_share_20_units_exactly(db: Database):
    world = World(db)
    shops = [ShopifySandbox(shop=f"{name}.myshopify.com") for name in ("north", "south")]
    channels = [_connect(world, shop) for shop in shops]
    world.location("BER", country="US")
    world.location("NYC", country="US")
    world.stock(
        f"""
        location  MUG
        BER       {UNITS // 2}
        NYC       {UNITS // 2}
        """
    )
    for shop in shops:
        shop.add_product("MUG", "10.00", stock=ORDERS)
    deliveries = [
        (channels[number % 2], *shops[number % 2].webhook("orders/create", shops[number % 2].place_order([("MUG", 1)])))
        for number in range(ORDERS)
    ]
    all_sent = threading.Event()
    with ThreadPoolExecutor(DRAINERS + 16) as pool:
        drainers = [pool.submit(_drain, world, all_sent) for _ in range(DRAINERS)]
        receipts = list(pool.map(lambda one: world.deliver(*one).status, deliveries))
        all_sent.set()
        for drainer in drainers:
            drainer.result()

    assert receipts == [200] * ORDERS
    assert _sum(world, orders.c.id, count=True) == ORDERS
    assert _sum(world, stock_position.c.committed) == UNITS
    assert _sum(world, stock_position.c.available) == 0
    assert _sum(world, fo_line.c.quantity) == UNITS
    assert _sum(world, order_line.c.routed) == UNITS
    assert _sum(world, reservation.c.quantity, reservation.c.state == "active") == ORDERS - UNITS
    assert _sum(world, hold.c.id, count=True) == 0
    assert world.inbox_outcomes() == {"applied": ORDERS}
    assert world.read(differences) == []


def _connect(world: World, shop: ShopifySandbox) -> str:
    settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret}
    return world.connect("shopify", shop.shop, settings)


def _drain(world: World, all_sent: threading.Event) -> None:
    """Open every inbox door that has mail, as one of several workers that nobody keeps apart."""
    deadline = time.monotonic() + 60
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
