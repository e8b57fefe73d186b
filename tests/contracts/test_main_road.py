"""Every published order payload of Shopify and Amazon goes through the door and the intake of a real hub."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from connectors.marketplaces.amazon.translate import join_v0
from hub import schemas
from hub.sdk.signatures import hmac_signature
from hub.store import inbox as door
from hub.store import migrate
from hub.store.database import open_database
from hub.store.inbox import Arrival
from hub.store.tables import inbox, orders
from hub.testing.world import World

pytestmark = pytest.mark.contracts


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    db = open_database(f"sqlite:///{tmp_path}/hub.sqlite3")
    migrate.upgrade(db)
    yield World(db)
    db.dispose()


def shopify_orders(contracts: Path) -> list[tuple[str, dict[str, Any]]]:
    """Everything among the published REST fixtures that has the shape of an order, with the file's name."""
    found = []
    for path in sorted((contracts / "shopify/public/rest_fixtures").glob("*.json")):
        document = json.loads(path.read_text())
        for value in document.values() if isinstance(document, dict) else ():
            several = value if isinstance(value, list) else [value]
            priced = {"total_price", "subtotal_price"}
            found += [(path.name, one) for one in several if isinstance(one, dict) and priced <= one.keys()]
    return found


def published(contracts: Path, spec: str, keys: set[str]) -> list[dict[str, Any]]:
    """Every object with `keys` in a model's examples and in the vendor's sandbox cases, each once."""
    found: dict[bytes, dict[str, Any]] = {}

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            if keys <= value.keys() and not isinstance(value[min(keys)], dict):
                found[orjson.dumps(value, option=orjson.OPT_SORT_KEYS)] = value
            for one in value.values():
                walk(one)
        elif isinstance(value, list):
            for one in value:
                walk(one)

    for path in [contracts / f"amazon_spapi/spec/{spec}.json", *_cases(contracts, spec)]:
        walk(json.loads(path.read_text()))
    return list(found.values())


def _cases(contracts: Path, spec: str) -> list[Path]:
    return sorted((contracts / "amazon_spapi/public/sandbox" / spec).glob("*.json"))


def orders_v0(contracts: Path) -> list[dict[str, Any]]:
    """Orders of the older API joined with the items that were published for them, if any were."""
    items = {
        one["AmazonOrderId"]: one["OrderItems"]
        for one in published(contracts, "ordersV0", {"AmazonOrderId", "OrderItems"})
        if all("QuantityOrdered" in item for item in one["OrderItems"])
    }
    found = published(contracts, "ordersV0", {"AmazonOrderId", "OrderStatus"})
    return [join_v0(one, items.get(one["AmazonOrderId"], [])) for one in found]


def ended(world: World, platform: str, names: Sequence[str], count: Callable[..., None]) -> list[tuple[str, str]]:
    """How each payload ended, in order of arrival: its name, and its outcome or what is wrong at which place."""
    found = []
    rows = world.read(lambda tx: tx.execute(select(inbox).order_by(inbox.c.id)).mappings().all())
    for name, row in zip(names, rows, strict=True):
        parked = f"{row['error_code']} at {row['error_path']}"
        found.append((name, row["outcome"] if row["status"] == "done" else parked))
        count(platform, f"published orders through receive and intake: {found[-1][1]}")
        assert row["status"] in {"done", "dead"}, row["status"]
        assert (row["status"] == "dead") == bool(row["error"]), "parked without a reason, or done with one"
    for document in world.read(lambda tx: tx.execute(select(orders.c.document)).scalars().all()):
        assert schemas.errors("order.v1", document) == []
        count(platform, "canonical documents valid against order.v1")
    return found


def test_published_shopify_orders(world: World, contracts: Path, count: Callable[..., None]) -> None:
    settings = {"shop": "demo.myshopify.com", "access_token": "shpat-demo", "webhook_secret": "whsec-demo"}
    found = shopify_orders(contracts)
    for number, (_, one) in enumerate(found):
        # A shop of its own for each, since several fixtures show one order in different states.
        shop = world.connect("shopify", f"Shop {number}", settings)
        body = orjson.dumps(one)
        headers = {
            "x-shopify-topic": "orders/create",
            "x-shopify-event-id": f"event-{number}",
            "x-shopify-shop-domain": "demo.myshopify.com",
            "x-shopify-hmac-sha256": hmac_signature("whsec-demo", body),
        }
        assert world.deliver(shop, headers, body).status == 200
    world.run()
    assert ended(world, "Shopify", [name for name, _ in found], count) == [
        ("draft_orders.json", "schema_drift at lines[0].external_id"),  # no order yet: its lines have no ids
        ("order.json", "held_unmapped"),
        ("orders.json", "schema_drift at lines"),  # cut down by whoever published it
    ]


def test_published_amazon_orders(world: World, contracts: Path, count: Callable[..., None]) -> None:
    settings = {
        "seller_id": "A2EXAMPLE00001",
        "marketplace_ids": ["ATVPDKIKX0DER"],
        "region": "na",
        "client_id": "amzn1.application-oa2-client.demo",
        "client_secret": "demo",
        "refresh_token": "demo",
    }
    seller = world.connect("amazon", "Marketplace", settings)
    current = published(contracts, "orders_2026-01-01", {"orderId", "orderItems"})
    older = orders_v0(contracts)
    arrivals = [
        Arrival(stream, "orders", f"{stream}-{number}", orjson.dumps(one), f"{stream}:{number}", "poll")
        for stream, found in (("orders", current), ("orders_v0", older))
        for number, one in enumerate(found)
    ]
    with world.db.begin() as tx:
        door.store(tx, seller, arrivals, world.now())
    world.run()
    names = [one["orderId"] for one in current] + [one["Order"]["AmazonOrderId"] for one in older]
    without_items = "schema_drift at lines"  # published apart from their items
    assert ended(world, "Amazon", names, count) == [
        ("123-4567890-1234567", "applied"),
        ("250-1234567-8901234", "applied"),
        ("202-1234567-8901234", "applied"),
        ("028-1234567-8901234", "applied"),
        ("902-3159896-1390916", without_items),
        ("902-1845936-5435065", "held_unmapped"),
        ("902-8745147-1934268", without_items),
        ("902-3159896-1390916", without_items),
        ("902-3159896-1390916", without_items),
        ("921-3175655-0452641", without_items),
    ]
