"""A hub with a shop and a 3PL on loopback, for what people do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from connectors.shopify.sandbox import ShopifySandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.flows import operate
from hub.store import invariants
from hub.store.database import Database
from hub.store.ledger import differences
from hub.store.tables import entity_event, orders
from hub.testing.world import World

PERSON = "mia@example.com"


@dataclass
class Desk:
    """A hub, its shop and its 3PL; `shop_id` and `threepl_id` were connected by a person."""

    world: World
    shop: ShopifySandbox
    threepl: ShipHeroSandbox
    shop_id: str
    threepl_id: str

    @property
    def runtime(self) -> Any:
        return self.world.runtime

    def buy(self, *lines: tuple[str, int]) -> str:
        """An order placed and taken in; its id here."""
        self.send("orders/create", self.shop.place_order(list(lines)))
        return self.newest()

    def send(self, topic: str, order: object) -> None:
        assert self.world.deliver(self.shop_id, *self.shop.webhook(topic, order)).status == 200
        self.world.run()

    def newest(self) -> str:
        return str(self.ask(select(orders.c.id).order_by(orders.c.id.desc()).limit(1))[0])

    def ask(self, query: Any) -> list[Any]:
        return list(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    def said(self, order_id: str | None = None) -> list[tuple[str, str]]:
        """(actor, kind) of the timeline, oldest first."""
        query = select(entity_event.c.actor, entity_event.c.kind).order_by(entity_event.c.id)
        if order_id is not None:
            query = query.where(entity_event.c.order_id == order_id)
        return [(row[0], row[1]) for row in self.world.read(lambda tx: tx.execute(query).all())]


def shop_settings(shop: ShopifySandbox) -> dict[str, Any]:
    return {
        "shop": shop.shop,
        "access_token": shop.token,
        "webhook_secret": shop.webhook_secret,
        "base_url": shop.url,
    }


def threepl_settings(threepl: ShipHeroSandbox) -> dict[str, Any]:
    return {"shop_name": "demo", "refresh_token": threepl.refresh_token, "base_url": threepl.url}


@pytest.fixture
def desk(db: Database) -> Iterator[Desk]:
    world, shop, threepl = World(db), ShopifySandbox(), ShipHeroSandbox()
    with shop.serve(), threepl.serve():
        for sku in ("MUG", "TEE", "NEW"):
            shop.add_product(sku, "10.00", stock=0)
            threepl.add_product(sku, on_hand=50)
        shop_id = operate.add_connection(world.runtime, "shopify", "Web shop", shop_settings(shop), person=PERSON).id
        threepl_id = operate.add_connection(
            world.runtime, "shiphero", "3PL", threepl_settings(threepl), person=PERSON
        ).id
        operate.add_location(
            world.runtime,
            "EAST",
            person=PERSON,
            country="US",
            handler="3PL",
            handling="threepl",
            address={
                "line1": "1 Dock Street",
                "city": "Newark",
                "region": "NJ",
                "postal_code": "07101",
                "country": "US",
            },
        )
        operate.add_location(world.runtime, "WEST", person=PERSON, country="US", rank=200)
        rows = [operate.ImportRow(1, "MUG", "WEST", 10), operate.ImportRow(2, "TEE", "WEST", 5)]
        operate.import_stock(world.runtime, rows, person=PERSON, reason="first count", create_articles=True)
        world.run()
        yield Desk(world, shop, threepl, shop_id, threepl_id)
    assert world.read(differences) == []
    assert world.read(invariants.every) == []
