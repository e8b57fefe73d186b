"""A warehouse and two stores that ship by hand, and orders that enter without a shop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from sqlalchemy import select

from connectors.shopify.sandbox import ShopifySandbox
from hub import schemas
from hub.flows import enter
from hub.flows.desk import open_desk
from hub.flows.enter import Incoming
from hub.store import catalog, invariants, orders
from hub.store.database import Database, new_id
from hub.store.ledger import COLUMNS, differences
from hub.store.orders import FoState, OrderState
from hub.store.tables import entity_event, hold, location, stock_position, variant
from hub.testing.world import World

PERSON = "mia@example.com"
NEW_YORK = {"line1": "1 Wall Street", "city": "New York", "postal_code": "10005", "country": "US"}


@dataclass
class Town:
    """A hub and the channel that its orders come from."""

    world: World
    channel: str = ""
    numbers: Iterator[int] = field(default_factory=lambda: count(1001))

    @property
    def runtime(self) -> Any:
        return self.world.runtime

    def order(self, units: Mapping[str, int], **said: Any) -> str:
        """An order for these articles, paid and in order; its id. `said` are more fields of its document."""
        number = str(next(self.numbers))
        lines = [
            {"external_id": f"{number}-{sku}", "sku": sku, "quantity": wanted, "total_minor": 1000 * wanted}
            for sku, wanted in units.items()
        ]
        total = sum(one["total_minor"] for one in lines)
        document = {
            "external_id": number,
            "number": f"#{number}",
            "revision": "1",
            "placed_at": self.world.now().isoformat().replace("+00:00", "Z"),
            "currency": "USD",
            "status": "open",
            "payment_status": "paid",
            "lines": lines,
            "totals": {"taxes_included": True, "total_minor": total},
            "shipping_address": NEW_YORK,
            **said,
        }
        order = schemas.parse("order.v1", document)
        incoming = Incoming(new_id(), self.channel, document, order, schemas.fingerprint(document))
        with self.world.db.begin() as tx:
            ids = catalog.variants_by_sku(tx, units)
            articles = {(self.channel, f"sku:{sku}"): (variant_id, 1) for sku, variant_id in ids.items()}
            desk = open_desk(self.runtime, tx, set(ids.values()), actor="test")
            entered = enter.enter(desk, incoming, articles).id
            desk.flush()
        return entered

    def state(self, order_id: str) -> OrderState:
        return self.world.read(lambda tx: orders.load(tx, [order_id], lock=False))[order_id]

    def fos(self, order_id: str) -> list[tuple[str, str, str]]:
        """(location, work, request) of the order's fulfillment orders, first one first."""
        codes = dict(self.world.read(lambda tx: tx.execute(select(location.c.id, location.c.code)).all()))
        return [(codes[fo.location_id], fo.exec_status, fo.request_status) for fo in self.state(order_id).fos]

    def fo(self, order_id: str) -> FoState:
        """The latest fulfillment order."""
        return self.state(order_id).fos[-1]

    def number(self, order_id: str) -> str:
        return self.fo(order_id).number

    def units(self, code: str, sku: str) -> dict[str, int]:
        """Units by state, those that are not zero."""
        query = (
            select(*(stock_position.c[name] for name in ("on_hand", *COLUMNS)))
            .join(location, location.c.id == stock_position.c.location_id)
            .join(variant, variant.c.id == stock_position.c.variant_id)
            .where(location.c.code == code, variant.c.sku == sku)
        )
        row = self.world.read(lambda tx: tx.execute(query).mappings().first())
        return {name: held for name, held in (row or {}).items() if held}

    def holds(self, order_id: str) -> list[str]:
        """Kinds of the active holds of an order."""
        query = select(hold.c.kind).where(hold.c.order_id == order_id, hold.c.state == "active").order_by(hold.c.id)
        return self.ask(query)

    def place(self, code: str) -> Any:
        return self.world.read(lambda tx: catalog.location_by_code(tx, code))

    def change(self, code: str, **values: Any) -> None:
        """Set columns of a location."""
        with self.world.db.begin() as tx:
            catalog.change_location(tx, catalog.location_by_code(tx, code).id, **values)

    def ask(self, query: Any) -> list[Any]:
        return list(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    def said(self, kind: str) -> list[str]:
        return self.ask(select(entity_event.c.message).where(entity_event.c.kind == kind).order_by(entity_event.c.id))


@pytest.fixture
def town(db: Database) -> Iterator[Town]:
    town = Town(World(db))
    shop = ShopifySandbox()
    settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret}
    town.channel = town.world.connect("shopify", "Web shop", settings)
    town.world.location("A-STORE", kind="store", picks_up=True)
    town.world.location("B-STORE", kind="store", picks_up=True)
    town.world.location("WAREHOUSE")
    yield town
    assert town.world.read(differences) == []
    assert town.world.read(invariants.every) == []
