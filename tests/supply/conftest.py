"""Three places of our own and what lies there, moved by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows import operate
from hub.store import catalog, invariants, lots
from hub.store.database import Database, new_id
from hub.store.ledger import COLUMNS, StockBook, differences
from hub.store.tables import (
    entity_event,
    fulfillment_order,
    listing,
    location,
    orders,
    stock_position,
    transfer_line,
    variant,
)
from hub.testing.world import World

PERSON = "mia@example.com"


@dataclass
class House:
    """A hub with a warehouse BER and two stores, PAR and ROM."""

    world: World

    @property
    def runtime(self) -> Any:
        return self.world.runtime

    def units(self, code: str, sku: str) -> dict[str, int]:
        """Units by state, those that are not zero."""
        query = (
            select(*(stock_position.c[name] for name in (*COLUMNS, "oversold")))
            .join(location, location.c.id == stock_position.c.location_id)
            .join(variant, variant.c.id == stock_position.c.variant_id)
            .where(location.c.code == code, variant.c.sku == sku)
        )
        row = self.world.read(lambda tx: tx.execute(query).mappings().first())
        return {name: units for name, units in (row or {}).items() if units}

    def line(self, sku: str) -> Mapping[str, int]:
        """The counters of the only transfer line of an article, those that are not zero."""
        query = select(transfer_line).join(variant, variant.c.id == transfer_line.c.variant_id)
        row = self.world.read(lambda tx: tx.execute(query.where(variant.c.sku == sku)).mappings().one())
        names = ("shipped", "received", "lost", "back_to_source", "over", "mis_shipped")
        return {name: row[name] for name in names if row[name]}

    def ask(self, query: Any) -> list[Any]:
        return list(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    def said(self, kind: str) -> list[str]:
        query = select(entity_event.c.message).where(entity_event.c.kind == kind).order_by(entity_event.c.id)
        return self.ask(query)

    def adjust(self, sku: str, code: str, **how: Any) -> None:
        operate.adjust_stock(self.runtime, sku, code, person=PERSON, reason="test", **how)

    def sell(self, sku: str, code: str, units: int, *, leave: bool = True) -> None:
        """Units are promised to an order and, with `leave`, leave the house."""
        with self.world.db.begin() as tx:
            [variant_id] = catalog.variants_by_sku(tx, [sku]).values()
            book = StockBook.open(tx, {variant_id}, self.world.now(), "test")
            position = book.position(catalog.location_by_code(tx, code).id, variant_id)
            ways = (("available", "committed"), ("committed", None)) if leave else (("available", "committed"),)
            for way in ways:
                book.move(position, units, *way, kind="ship", cause=("test", "order"), key=new_id())
            book.flush()


def furnished(db: Database) -> House:
    house = House(World(db))
    house.world.location("BER", "DE", zone="Europe/Berlin")
    house.world.location("PAR", "FR")
    house.world.location("ROM", "IT")
    house.world.stock("location MUG TEE CAP\nBER 10 5 0\nPAR 2 0 0")
    return house


@pytest.fixture
def house(db: Database) -> Iterator[House]:
    made = furnished(db)
    yield made
    assert made.world.read(differences) == []
    leaks = made.world.read(invariants.every)
    assert [one for one in leaks if one["state"] != "committed"] == [], "it has no orders, and commits by moves alone"
    assert made.world.read(lots.differences) == []


@dataclass
class Shop(House):
    """The same house with a web shop on loopback that sells from BER alone."""

    sandbox: ShopifySandbox
    shop_id: str

    def buy(self, *lines: tuple[str, int]) -> str:
        """Somebody buys; the order's id here."""
        placed = self.sandbox.place_order(list(lines))
        assert self.world.deliver(self.shop_id, *self.sandbox.webhook("orders/create", placed)).status == 200
        self.world.run()
        return str(self.ask(select(orders.c.id).order_by(orders.c.id.desc()).limit(1))[0])

    def fo(self, order_id: str) -> str:
        [number] = self.ask(select(fulfillment_order.c.number).where(fulfillment_order.c.order_id == order_id))
        return str(number)

    def ship(self, order_id: str, **how: Any) -> None:
        assert operate.ship_by_hand(self.runtime, order_id, self.fo(order_id), person=PERSON, **how)
        self.world.run()

    def told(self, sku: str) -> int | None:
        """What the shop was last told of an article, its own sales being known."""
        for _ in range(4):
            self.world.later(seconds=11)
            self.world.run()
        query = select(listing.c.published_quantity).join(variant, variant.c.id == listing.c.variant_id)
        return self.ask(query.where(variant.c.sku == sku))[0]


@pytest.fixture
def shop(db: Database) -> Iterator[Shop]:
    world, sandbox = World(db), ShopifySandbox()
    with sandbox.serve():
        made = Shop(world, sandbox, "")
        world.location("BER", "DE", zone="Europe/Berlin")
        world.location("PAR", "FR", rank=900)
        world.stock("location MUG YOG CAM\nBER 10 0 0")
        for sku in ("MUG", "YOG", "CAM"):
            sandbox.add_product(sku, "10.00", stock=0)
        settings = {
            "shop": sandbox.shop,
            "access_token": sandbox.token,
            "webhook_secret": sandbox.webhook_secret,
            "base_url": sandbox.url,
        }
        made.shop_id = operate.add_connection(world.runtime, "shopify", "Web shop", settings, person=PERSON).id
        operate.link_places(world.runtime, made.shop_id, {str(sandbox.state.locations[0].id): "BER"}, person=PERSON)
        world.run()
        yield made
    assert world.read(differences) == []
    assert world.read(invariants.every) == []
    assert world.read(lots.differences) == []
