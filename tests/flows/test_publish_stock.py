"""Publishing stock: every figure told once, in few statements however many there are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from threading import Thread

import pytest
from sqlalchemy import event, select

from connectors.shopify.sandbox import ShopifySandbox
from connectors.shopify.sandbox_shop import Order
from hub.flows.publish_stock import publish_stock
from hub.flows.reconcile import reconcile
from hub.plugins import Registry
from hub.store import catalog
from hub.store.database import Database
from hub.store.tables import listing
from hub.testing import Fault
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

    def everybody_buys(self, sku: str) -> list[Order]:
        """Customers buy one unit each for as long as the shop shows any."""
        placed = []
        while self.sandbox.available(sku) > 0:
            placed.append(self.sandbox.place_order([(sku, 1)]))
        return placed

    def send(self, order: Order) -> None:
        assert self.world.deliver(self.id, *self.sandbox.webhook("orders/create", order)).status == 200

    def by_hand(self, sku: str, units: int) -> None:
        """Somebody sets the figure in the shop."""
        found = self.sandbox.state.by_sku(sku)
        assert found is not None
        self.sandbox.state.stock[found[1].item, self.sandbox.state.locations[0].id] = units

    def settle(self, **span: float) -> None:
        """Let time pass, by default until orders are read that a figure waits for, and all be done that follows."""
        self.world.later(**(span or {"seconds": 11}))
        self.world.run()
        self.world.later(seconds=6)
        self.world.run()

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


# --- what the channel sold itself -----------------------------------------------------------------------------------


def told(shop: Shop) -> list[tuple[int, str]]:
    """(figure that the channel was last told, why not more) by listing."""
    query = select(listing.c.published_quantity, listing.c.publish_error)
    return [tuple(row) for row in shop.world.read(lambda tx: tx.execute(query).all())]


def test_a_channel_that_holds_another_figure_than_we_thought_is_told_again(shop: Shop) -> None:
    """The channel compares before it sets; the sale it made itself must not leave the old figure standing."""
    shop.list_articles(["MUG"], 4)
    shop.world.run()
    shop.sandbox.place_order([("MUG", 1)])  # the channel counts down by itself
    shop.world.stock("location MUG\nEAST 9")
    shop.world.run()
    shop.settle()
    assert shop.sandbox.available("MUG") == 8
    assert told(shop) == [(8, "")]


def test_units_that_the_channel_sold_are_not_put_on_sale_again_before_they_are_known(shop: Shop) -> None:
    shop.list_articles(["MUG"], 20)
    shop.world.run()
    placed = shop.everybody_buys("MUG")
    assert len(placed) == 20
    for order in placed[:12]:  # the other webhooks are still under way
        shop.send(order)
    shop.world.run()
    placed += shop.everybody_buys("MUG")
    [(figure, why)] = told(shop)
    assert (len(placed), figure) == (20, 0)
    assert "orders are read" in why

    shop.settle()  # the poll brings what no webhook has brought
    placed += shop.everybody_buys("MUG")
    for order in placed[12:]:
        shop.send(order)
    shop.settle()
    assert len(placed) == 20
    assert told(shop) == [(0, "")]
    assert shop.world.on_shelf()["EAST"]["MUG"] == (20, 0, 20)


def test_a_figure_that_falls_waits_for_nothing(shop: Shop) -> None:
    shop.list_articles(["MUG"], 9)
    shop.world.run()
    shop.sandbox.place_order([("MUG", 2)])
    shop.world.stock("location MUG\nEAST 12")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 7  # and not 12: two were sold
    shop.world.stock("location MUG\nEAST 5")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 5
    shop.world.stock("location MUG\nEAST 8")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 5  # the two are still not known
    shop.settle()
    assert shop.sandbox.available("MUG") == 6


def test_a_figure_that_somebody_lowered_at_the_channel_is_put_right_after_its_orders_were_read(shop: Shop) -> None:
    shop.list_articles(["MUG"], 9)
    shop.world.run()
    shop.by_hand("MUG", 2)
    shop.world.stock("location MUG\nEAST 10")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 2
    shop.settle()
    assert shop.sandbox.available("MUG") == 10
    assert told(shop) == [(10, "")]


def test_a_figure_that_somebody_raised_at_the_channel_is_put_right_at_once(shop: Shop) -> None:
    shop.list_articles(["MUG"], 9)
    shop.world.run()
    shop.by_hand("MUG", 50)
    shop.world.stock("location MUG\nEAST 60")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 60


def test_no_more_is_told_while_the_channels_orders_cannot_be_read(shop: Shop) -> None:
    shop.list_articles(["MUG"], 9)
    shop.world.run()
    shop.sandbox.place_order([("MUG", 3)])
    shop.sandbox.faults.append(Fault("error_500", "query Orders", times=99))
    shop.world.stock("location MUG\nEAST 10")
    shop.world.run()
    shop.settle()
    assert shop.sandbox.available("MUG") == 6
    asked = shop.sandbox.count("query Orders")
    shop.settle(seconds=6)
    assert shop.sandbox.count("query Orders") == asked, "a stream that fails is read at its own pace"
    shop.sandbox.faults.clear()
    shop.settle(minutes=20)
    assert shop.sandbox.available("MUG") == 7


def test_an_order_that_is_read_and_not_taken_in_yet_counts_as_unknown(shop: Shop) -> None:
    shop.list_articles(["MUG"], 9)
    shop.world.run()
    shop.sandbox.place_order([("MUG", 3)])
    shop.world.stock("location MUG\nEAST 10")
    shop.world.run()
    shop.world.later(seconds=11)
    reconcile(shop.world.runtime, shop.id, "orders")
    shop.world.later(seconds=6)
    publish_stock(shop.world.runtime, shop.id)
    assert shop.sandbox.available("MUG") == 6
    shop.settle()
    assert shop.sandbox.available("MUG") == 7


def test_a_channel_whose_orders_come_from_elsewhere_is_told_at_once(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin = shop.world.runtime.registry.get("shopify")
    blind = replace(plugin, manifest=replace(plugin.manifest, streams=()))
    monkeypatch.setattr(Registry, "get", lambda *_: blind)
    shop.list_articles(["MUG"], 9)
    shop.world.run()
    shop.sandbox.place_order([("MUG", 3)])
    shop.world.stock("location MUG\nEAST 10")
    shop.world.run()
    assert shop.sandbox.available("MUG") == 10
