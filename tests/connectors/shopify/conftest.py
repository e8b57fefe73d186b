"""A Shopify shop on loopback and connectors to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from connectors.shopify.plugin import Shopify
from connectors.shopify.sandbox import ShopifySandbox
from hub import schemas
from hub.mapping import load
from hub.sdk import Window
from hub.testing import connect

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


class Clock:
    """A clock that stands still until it is told to go on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def shop(clock: Clock) -> Iterator[ShopifySandbox]:
    """A shop with ten MUGs at 12.50 and five TEEs at 20.00."""
    made = ShopifySandbox(clock=clock)
    made.add_product("MUG", "12.50", title="Mug", stock=10)
    made.add_product("TEE", "20.00", title="Tee", stock=5)
    with made.serve():
        yield made


@pytest.fixture
def settings(shop: ShopifySandbox) -> dict[str, Any]:
    return {
        "shop": shop.shop,
        "access_token": shop.token,
        "webhook_secret": shop.webhook_secret,
        "base_url": shop.url,
        "page_size": 2,
    }


@pytest.fixture
def shopify(settings: dict[str, Any], clock: Clock) -> Shopify:
    return connect(Shopify, settings, clock=clock)


@pytest.fixture
def polled(shopify: Shopify) -> Callable[..., dict[str, Any]]:
    """The canonical document of an order as polling gives it; it must be valid."""

    def read(order: Any) -> dict[str, Any]:
        document = load("shopify/orders.yml").apply(shopify.order(str(order.id)).body)
        assert schemas.errors("order.v1", document) == []
        return document

    return read


@pytest.fixture
def pushed(shop: ShopifySandbox) -> Callable[..., dict[str, Any]]:
    """The canonical document of an order as a webhook gives it, which is partial; it must be valid."""

    def read(order: Any) -> dict[str, Any]:
        _, body = shop.webhook("orders/updated", order)
        document = load("shopify/orders_webhook.yml").apply(orjson.loads(body))
        assert schemas.errors("order.v1", document) == []
        assert document.pop("partial")
        return document

    return read


@pytest.fixture
def window() -> Window:
    return Window(NOON - timedelta(days=1), NOON + timedelta(days=1))
