"""What waits for stock gets it when it comes, the oldest order first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from connectors.shopify.sandbox import ShopifySandbox
from hub.engine.doors import due_doors
from hub.flows import refill as refill_module
from hub.store import catalog, invariants
from hub.store.database import Database
from hub.store.ledger import differences
from hub.store.tables import fulfillment_order, order_line, orders, reservation, route_decision, route_exclusion
from hub.testing.world import World


class Shop:
    """A shop whose orders are packed by hand at two places."""

    def __init__(self, world: World, sandbox: ShopifySandbox) -> None:
        self.world, self.sandbox = world, sandbox
        self.id = world.connect(
            "shopify",
            "Web shop",
            {
                "shop": sandbox.shop,
                "access_token": sandbox.token,
                "webhook_secret": sandbox.webhook_secret,
                "base_url": sandbox.url,
            },
        )

    def buy(self, *lines: tuple[str, int]) -> int:
        order = self.sandbox.place_order(list(lines))
        self.send("orders/create", order)
        return order.id

    def send(self, topic: str, order: object) -> None:
        assert self.world.deliver(self.id, *self.sandbox.webhook(topic, order)).status == 200
        self.world.run()

    def routed(self) -> list[int]:
        """Units that have a place, by order, oldest first."""
        query = (
            select(func.sum(order_line.c.routed))
            .join(orders, orders.c.id == order_line.c.order_id)
            .group_by(orders.c.id)
            .order_by(orders.c.placed_at, orders.c.id)
        )
        return list(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    def count(self, table: object) -> int:
        return int(self.world.read(lambda tx: tx.execute(select(func.count()).select_from(table)).scalar_one()))


@pytest.fixture
def shop(db: Database) -> Iterator[Shop]:
    world, sandbox = World(db), ShopifySandbox()
    with sandbox.serve():
        world.location("EAST")
        world.location("WEST", rank=200)
        for sku in ("MUG", "TEE"):
            sandbox.add_product(sku)
            with db.begin() as tx:
                catalog.add_variants(tx, [{"sku": sku}], world.now())
        yield Shop(world, sandbox)
    assert world.read(differences) == []
    assert world.read(invariants.every) == []


def test_a_delivery_goes_to_the_orders_that_wait_the_oldest_first(shop: Shop) -> None:
    shop.buy(("MUG", 3))
    shop.buy(("MUG", 2))
    shop.buy(("MUG", 1))
    assert shop.routed() == [0, 0, 0]
    shop.world.stock("""
        location MUG
        WEST       4 """)
    shop.world.run()
    assert shop.routed() == [3, 1, 0]
    assert shop.world.on_shelf()["WEST"]["MUG"] == (4, 0, 4)
    waiting = select(func.sum(reservation.c.quantity)).where(reservation.c.state == "active")
    assert shop.world.read(lambda tx: tx.execute(waiting).scalar()) == 2


def test_units_that_a_cancellation_frees_go_to_the_order_that_waits(shop: Shop) -> None:
    shop.world.stock("""
        location MUG
        EAST       2 """)
    first = shop.buy(("MUG", 2))
    shop.buy(("MUG", 1))
    assert shop.routed() == [2, 0]
    shop.world.later(seconds=2)
    shop.send("orders/cancelled", shop.sandbox.cancel_order(first))
    assert shop.routed() == [0, 1]
    assert shop.world.on_shelf()["EAST"]["MUG"] == (2, 1, 1)


def test_more_orders_than_fit_in_one_transaction_are_all_looked_after(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refill_module, "AT_ONCE", 2)
    for _ in range(5):
        shop.buy(("MUG", 1))
    shop.world.stock("""
        location MUG
        EAST      10 """)
    shop.world.run()
    assert shop.routed() == [1, 1, 1, 1, 1]


def test_an_order_for_which_there_is_still_no_place_is_left_as_it_is(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    with shop.world.db.begin() as tx:
        place = catalog.location_by_code(tx, "EAST")
        line = tx.execute(select(order_line.c.id)).scalar_one()
        row = {"id": "x", "order_line_id": line, "location_id": place.id, "reason": "no", "at": shop.world.now()}
        tx.execute(route_exclusion.insert().values(**row))
    decisions = shop.count(route_decision)
    shop.world.stock("""
        location MUG
        EAST       5 """)
    shop.world.run()
    assert shop.routed() == [0]
    assert shop.count(route_decision) == decisions
    assert "refill" not in list(due_doors(shop.world.runtime))


def test_stock_of_another_article_wakes_nobody(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    shop.world.stock("""
        location TEE
        EAST       5 """)
    shop.world.run()
    assert shop.count(fulfillment_order) == 0


def test_a_lost_wake_up_costs_a_tick_and_no_order(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    shop.world.stock("""
        location MUG
        EAST       1 """)
    shop.world.woken.clear()
    assert "refill" in list(due_doors(shop.world.runtime))
    shop.world.run()
    assert shop.routed() == [1]
