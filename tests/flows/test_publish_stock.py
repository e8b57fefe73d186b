"""Publishing stock: every figure told once, in few statements however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import event, select

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows.publish_stock import publish_stock
from hub.store import catalog
from hub.store.database import Database
from hub.store.tables import listing
from hub.testing.world import World


class Shop:
    """A hub with one location and one shop, which lists as many articles as are asked for."""

    def __init__(self, db: Database, sandbox: ShopifySandbox) -> None:
        self.world, self.sandbox = World(db), sandbox
        settings = {"shop": sandbox.shop, "access_token": sandbox.token, "base_url": sandbox.url}
        self.id = self.world.connect("shopify", "Web shop", settings | {"webhook_secret": sandbox.webhook_secret})
        self.world.location("EAST")
        with db.begin() as tx:
            place = catalog.location_by_code(tx, "EAST")
            catalog.link_location(tx, self.id, str(sandbox.state.locations[0].id), place.id)

    def list_articles(self, skus: list[str], units: int) -> None:
        self.world.stock(f"location {' '.join(skus)}\nEAST {' '.join([str(units)] * len(skus))}")
        sold = {sku: self.sandbox.add_product(sku, "1.00", stock=0) for sku in skus}
        more = {"title": "", "product_type": None, "pack_size": 1}
        rows = [
            {"external_id": str(one.id), "inventory_external_id": str(one.item), "sku": sku, **more}
            for sku, one in sold.items()
        ]
        with self.world.db.begin() as tx:
            catalog.store_listings(tx, self.id, rows)

    def statements_of_publishing(self) -> int:
        counted: list[str] = []

        def count(_connection: object, _cursor: object, statement: str, *_: object) -> None:
            counted.append(statement)

        engines = {self.world.db.writer, self.world.db.reader}
        for engine in engines:
            event.listen(engine, "before_cursor_execute", count)
        publish_stock(self.world.runtime, self.id)
        for engine in engines:
            event.remove(engine, "before_cursor_execute", count)
        return len(counted)


@pytest.fixture
def shop(db: Database) -> Iterator[Shop]:
    sandbox = ShopifySandbox()
    with sandbox.serve():
        yield Shop(db, sandbox)


def test_thirty_figures_take_no_more_statements_than_two(shop: Shop) -> None:
    shop.list_articles(["MUG", "TEE"], 4)
    few = shop.statements_of_publishing()
    many = [f"CAP-{number}" for number in range(30)]
    shop.list_articles(many, 7)
    assert shop.statements_of_publishing() <= few
    assert {shop.sandbox.available(sku) for sku in many} == {7}
    assert (shop.sandbox.available("MUG"), shop.sandbox.available("TEE")) == (4, 4)
    rows = shop.world.read(
        lambda tx: tx.execute(select(listing.c.published_quantity, listing.c.publishing_until)).all()
    )
    assert sorted(tuple(row) for row in rows) == [(4, None)] * 2 + [(7, None)] * 30


def test_a_figure_that_is_the_same_again_is_told_nobody(shop: Shop) -> None:
    shop.list_articles(["MUG"], 4)
    publish_stock(shop.world.runtime, shop.id)
    calls = len(shop.sandbox.calls)
    shop.world.stock("location MUG\nEAST 3")
    shop.world.stock("location MUG\nEAST 4")
    publish_stock(shop.world.runtime, shop.id)
    assert len(shop.sandbox.calls) == calls
    due = select(listing.c.id).where(listing.c.stock_rev > listing.c.published_rev)
    assert shop.world.read(lambda tx: tx.execute(due).all()) == []


def test_telling_ends_before_another_run_may_tell_newer_figures(shop: Shop) -> None:
    shop.list_articles(["MUG"], 4)
    hurried = replace(shop.world.runtime, sending_time=timedelta(seconds=2))
    slow = Thread(target=publish_stock, args=(hurried, shop.id))
    with shop.sandbox.holding("inventorySetQuantities") as came:
        slow.start()
        assert came.wait(10)
        slow.join(10)
        assert not slow.is_alive()
        shop.world.stock("location MUG\nEAST 3")
        shop.world.later(minutes=1)
        shop.world.run()
    assert shop.sandbox.available("MUG") == 3


def test_a_channel_that_holds_another_figure_than_we_thought_is_told_again(shop: Shop) -> None:
    """The channel compares before it sets; the sale it made itself must not leave the old figure standing."""
    shop.list_articles(["MUG"], 4)
    shop.world.run()
    shop.sandbox.place_order([("MUG", 1)])  # the channel counts down by itself
    shop.world.stock("location MUG\nEAST 9")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 9
    told = select(listing.c.published_quantity, listing.c.publish_error)
    assert [tuple(row) for row in shop.world.read(lambda tx: tx.execute(told).all())] == [(9, "")]
