"""Ticks: what a lost wake-up would have told is found again, by one process of all."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from connectors.shopify.sandbox import ShopifySandbox
from hub.engine.lease import Lease
from hub.engine.schedule import Ticks
from hub.store.database import Database
from hub.testing.world import World

LONG = timedelta(minutes=5)


class Noted:
    """An engine that only notes what it is told."""

    def __init__(self) -> None:
        self.woken: list[str] = []
        self.rescues = 0

    def wake(self, door: str) -> None:
        self.woken.append(door)

    def start(self) -> None: ...

    def stop(self, timeout_s: float = 30.0) -> bool:  # noqa: ARG002 - the interface has it
        return True

    def rescue(self) -> int:
        self.rescues += 1
        return 0


def order_arrives(world: World, *, base_url: str = "") -> str:
    shop = ShopifySandbox()
    settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret}
    channel = world.connect("shopify", "Web shop", settings | ({"base_url": base_url} if base_url else {}))
    shop.add_product("MUG", "10.00", stock=1)
    assert world.deliver(channel, *shop.webhook("orders/create", shop.place_order([("MUG", 1)]))).status == 200
    return channel


def until(truth: Callable[[], bool], seconds: float = 10.0) -> bool:
    deadline = time.monotonic() + seconds
    while not truth():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_a_tick_rings_for_a_door_whose_wake_up_was_lost(db: Database):
    world, engine = World(db), Noted()
    order_arrives(world)
    lost = world.woken.pop()
    ticks = Ticks(world.runtime, engine, Lease(db, "worker", LONG), 60)
    assert ticks.tick() == 1
    assert engine.woken == [lost]


def test_only_the_holder_of_the_lease_ticks(db: Database):
    world, mine, theirs = World(db), Noted(), Noted()
    order_arrives(world)
    first = Ticks(world.runtime, mine, Lease(db, "worker", LONG), 60)
    second = Ticks(world.runtime, theirs, Lease(db, "worker", LONG), 60)
    assert first.tick() == 1
    assert second.tick() == 0
    assert (theirs.woken, theirs.rescues) == ([], 0)
    first.stop()
    assert second.tick() == 1


def test_the_clock_ticks_by_itself_until_it_is_stopped(db: Database):
    world, engine = World(db), Noted()
    order_arrives(world)
    ticks = Ticks(world.runtime, engine, Lease(db, "worker", LONG), 0.1)
    ticks.start()
    assert until(lambda: len(engine.woken) >= 4)
    ticks.stop()
    told = len(engine.woken)
    time.sleep(0.4)
    assert len(engine.woken) == told
    ticks.stop()


def test_whoever_loses_the_lease_is_told(db: Database):
    world, lost = World(db), []
    sleeper = Ticks(world.runtime, Noted(), Lease(db, "serve", timedelta(seconds=0.2)), 60, lambda: lost.append(True))
    sleeper.tick()
    time.sleep(0.3)
    assert Lease(db, "serve", LONG).hold()
    sleeper.tick()
    assert lost == [True]


def test_a_tick_survives_a_database_that_is_away(db: Database):
    world, engine = World(db), Noted()
    ticks = Ticks(world.runtime, engine, Lease(replace(db, writer=db.writer), "worker", LONG), 60)
    with db.begin() as tx:
        tx.exec_driver_sql("ALTER TABLE lease RENAME TO lease_gone")
    assert ticks.tick() == 0
    with db.begin() as tx:
        tx.exec_driver_sql("ALTER TABLE lease_gone RENAME TO lease")
    order_arrives(world)
    assert ticks.tick() == 1


def test_subscriptions_are_looked_after_where_the_public_address_is_known(db: Database):
    world, engine = World(db), Noted()
    channel = order_arrives(world)
    quiet = Ticks(world.runtime, engine, Lease(db, "worker", LONG), 60)
    quiet.watch()
    assert engine.woken == []
    quiet.stop()
    world.runtime = replace(world.runtime, public_url="https://hub.example.com")
    Ticks(world.runtime, engine, Lease(db, "worker", LONG), 60).watch()
    assert engine.woken == [f"watch:{channel}"]
