"""A hub with a shop, a 3PL, a carrier, an ERP and stock, and the orders that are about to arrive at it."""

from __future__ import annotations

import random
from dataclasses import dataclass

from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.shopify.sandbox import ShopifySandbox
from hub.flows.facts import set_on_hand
from hub.sdk import WebhookRequest
from hub.store import catalog
from hub.store.database import Database
from hub.store.ledger import StockBook
from hub.testing.world import World

SKUS = 300
LINES = 3
PLENTY = 1_000_000  # units of every article at every location
# Code, country, latitude, longitude and who packs there.
PLACES = (
    ("CHI", "US", 41.8781, -87.6298, "threepl"),
    ("LAX", "US", 34.0522, -118.2437, "threepl"),
    ("PHL", "US", 39.9526, -75.1652, "threepl"),
    ("TOR", "CA", 43.6532, -79.3832, "label"),
    ("MTL", "CA", 45.5019, -73.5674, "label"),
)


@dataclass(frozen=True, slots=True)
class Town:
    """`payloads` are signed deliveries, one per order."""

    world: World
    shop_id: str
    payloads: list[WebhookRequest]


def build(db: Database, count: int, seed: int = 1) -> Town:
    """Set everything up and place `count` orders of three lines; nothing is delivered yet."""
    world, shop, draw = World(db), ShopifySandbox(), random.Random(seed)  # noqa: S311 - made-up orders
    settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret}
    shop_id = world.connect("shopify", "Web shop", settings)
    threepl = world.connect("shiphero", "3PL", {"shop_name": "demo", "refresh_token": "demo-refresh"})
    carrier = world.connect("easypost", "Carrier", {"api_key": "demo-key"})
    erp = OdooSandbox()
    with erp.serve():
        world.connect("odoo", "Books", erp.settings())
    for code, country, latitude, longitude, handling in PLACES:
        handler = threepl if handling == "threepl" else carrier
        place = {"latitude": latitude, "longitude": longitude, "handling": handling, "handler_id": handler}
        world.location(code, country, **place)
    skus = [f"SKU-{number:04}" for number in range(SKUS)]
    listings: list[dict[str, object]] = []
    for sku in skus:
        sold = shop.add_product(sku, f"{draw.randint(5, 90)}.00", stock=PLENTY, grams=draw.randint(50, 2000))
        names = {"external_id": str(sold.id), "inventory_external_id": str(sold.item), "sku": sku, "title": sku}
        listings.append({**names, "product_type": None, "pack_size": 1})
    _fill_shelves(world, shop_id, skus, listings)
    payloads = []
    for _ in range(count):
        wishes = [(sku, draw.randint(1, 3)) for sku in draw.sample(skus, LINES)]
        order = shop.place_order(wishes, shipping="4.90", tax_rate="0.08")
        headers, body = shop.webhook("orders/create", order)
        payloads.append(WebhookRequest("POST", body, {name.lower(): value for name, value in headers.items()}))
    return Town(world, shop_id, payloads)


def _fill_shelves(world: World, shop_id: str, skus: list[str], listings: list[dict[str, object]]) -> None:
    now = world.now()
    with world.db.begin() as tx:
        ids = catalog.add_variants(tx, [{"sku": sku, "weight_g": 300} for sku in skus], now)
        catalog.store_listings(tx, shop_id, listings)
        book = StockBook.open(tx, set(ids.values()), now, "benchmark")
        for place in catalog.locations(tx):
            for sku, variant_id in ids.items():
                key = f"{place.code}:{sku}"
                set_on_hand(book, place.id, variant_id, PLENTY, ("benchmark", sku), key=key, reason="first count")
        book.flush()
