"""A shop on loopback whose goods are bought from suppliers, moved by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import func, select, update

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows import operate
from hub.flows.operate import purchasing, suppliers
from hub.flows.operate.purchasing import Wanted
from hub.store import catalog
from hub.store.tables import (
    entity_event,
    order_line,
    orders,
    purchase_order,
    purchase_order_line,
    stock_position,
    supply_promise,
    variant,
)
from hub.testing.world import World

PERSON = "mia@example.com"


class SupplyShop:
    """A hub with one shop, the places EAST and WEST, and the supplier ACME."""

    def __init__(self, world: World, sandbox: ShopifySandbox) -> None:
        self.world, self.sandbox, self.runtime = world, sandbox, world.runtime
        self.customers = 0
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
        world.location("EAST")
        world.location("WEST", rank=200)
        for sku in ("MUG", "TEE"):
            sandbox.add_product(sku)
            with world.db.begin() as tx:
                catalog.add_variants(tx, [{"sku": sku}], world.now())
        suppliers.add_supplier(self.runtime, "ACME", currency="EUR", person=PERSON, lead_time_days=14, review_days=7)

    def buy(self, *lines: tuple[str, int]) -> str:
        """An order placed and taken in; its id here."""
        self.customers += 1  # two like orders of one customer would be held as twins
        buyer = {"email": f"buyer{self.customers}@example.com", "firstName": "Ada", "lastName": "Buyer"}
        order = self.sandbox.place_order(list(lines), customer=buyer)
        self.send("orders/create", order)
        return str(self.ask(select(orders.c.id).where(orders.c.external_id == str(order.id)))[0][0])

    def send(self, topic: str, order: object) -> None:
        assert self.world.deliver(self.id, *self.sandbox.webhook(topic, order)).status == 200
        self.world.run()

    def ordered(
        self, units: int, due: date | None = None, *, sku: str = "MUG", place: str = "EAST", **more: Any
    ) -> str:
        """A purchase order that was sent to the supplier; its number."""
        lines = [Wanted(sku, units, 250, due)]
        number = purchasing.draft_purchase(self.runtime, "ACME", place, lines, person=PERSON, **more)
        purchasing.place_purchase(self.runtime, number, person=PERSON)
        return number

    def arrive(self, number: str, units: int, condition: str = "good", *, sku: str = "MUG", receipt: str = "") -> bool:
        row = purchasing.Delivered(sku, units, condition)
        done = purchasing.receive_purchase(self.runtime, number, [row], person=PERSON, receipt=receipt)
        self.world.run()
        return done

    def ask(self, query: Any) -> list[Any]:
        return list(self.world.read(lambda tx: tx.execute(query).all()))

    def status(self, number: str) -> str:
        return str(self.ask(select(purchase_order.c.status).where(purchase_order.c.number == number))[0][0])

    def line(self, number: str) -> Any:
        query = select(purchase_order_line).join(
            purchase_order, purchase_order.c.id == purchase_order_line.c.purchase_order_id
        )
        return self.ask(query.where(purchase_order.c.number == number))[0]

    def incoming(self, sku: str = "MUG") -> int:
        query = select(func.sum(stock_position.c.incoming)).join(variant, variant.c.id == stock_position.c.variant_id)
        return int(self.ask(query.where(variant.c.sku == sku))[0][0] or 0)

    def promised(self) -> dict[str, tuple[date | None, dict[str, int]]]:
        """The day and the units by purchase order that each order was promised, by order id; only lines that wait."""
        found: dict[str, tuple[date | None, dict[str, int]]] = {
            row.order_id: (row.promised_on, {})
            for row in self.ask(
                select(order_line.c.order_id, order_line.c.promised_on).where(order_line.c.waits_as.is_not(None))
            )
        }
        query = (
            select(order_line.c.order_id, purchase_order.c.number, supply_promise.c.quantity)
            .join(order_line, order_line.c.id == supply_promise.c.order_line_id)
            .join(purchase_order_line, purchase_order_line.c.id == supply_promise.c.purchase_order_line_id)
            .join(purchase_order, purchase_order.c.id == purchase_order_line.c.purchase_order_id)
        )
        for order_id, number, units in self.ask(query):
            found[order_id][1][number] = units
        return found

    def said(self, order_id: str, *kinds: str) -> list[str]:
        """Messages of these kinds on an order's timeline, oldest first."""
        query = select(entity_event.c.message).where(
            entity_event.c.order_id == order_id, entity_event.c.kind.in_(kinds)
        )
        return [row[0] for row in self.ask(query.order_by(entity_event.c.id))]

    def routed(self, order_id: str) -> int:
        return int(self.ask(select(func.sum(order_line.c.routed)).where(order_line.c.order_id == order_id))[0][0])

    def preorderable(self, sku: str = "MUG") -> None:
        with self.world.db.begin() as tx:
            tx.execute(update(variant).where(variant.c.sku == sku).values(preorderable=True))

    def count(self, sku: str, place: str, units: int) -> None:
        operate.adjust_stock(self.runtime, sku, place, person=PERSON, reason="count", set_to=units)
        self.world.run()
