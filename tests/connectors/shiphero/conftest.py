"""A ShipHero sandbox on loopback and connectors to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime

import pytest

from connectors.threepl.shiphero.plugin import ShipHero
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.domain.documents import Address, DatePromise, Property
from hub.domain.shipping import FulfillmentRequest, RequestLine
from hub.testing import connect

Request = Callable[..., FulfillmentRequest]


@pytest.fixture
def sandbox() -> Iterator[ShipHeroSandbox]:
    """A warehouse "Primary" with ten MUGs and five TEEs."""
    made = ShipHeroSandbox()
    made.add_product("MUG", on_hand=10)
    made.add_product("TEE", on_hand=5)
    with made.serve():
        yield made


@pytest.fixture
def settings(sandbox: ShipHeroSandbox) -> dict[str, str]:
    return {"base_url": sandbox.url, "refresh_token": sandbox.refresh_token, "shop_name": "demo"}


@pytest.fixture
def shiphero(settings: dict[str, str]) -> ShipHero:
    return connect(ShipHero, settings)


@pytest.fixture
def request_for() -> Request:
    """A maker of fulfillment requests, by number and units per article."""

    def make(number: str = "FO-1", **units: int) -> FulfillmentRequest:
        lines = tuple(
            RequestLine(
                reference=f"{number}-{sku}",
                sku=sku,
                quantity=quantity,
                title=sku.title(),
                price_minor=1250,
                properties=(Property("engraving", "Hi"),),
            )
            for sku, quantity in (units or {"MUG": 2}).items()
        )
        return FulfillmentRequest(
            number=number,
            order_number="#1001",
            order_external_id="ord-1",
            currency="USD",
            lines=lines,
            ship_to=Address(
                name="Ann Mary Lee",
                line1="1 Main St",
                city="Springfield",
                region="IL",
                postal_code="62701",
                country="US",
            ),
            email="ann@example.com",
            service="ups/ground",
            ship_by=DatePromise(date(2026, 12, 24), "America/Chicago"),
            note="Wrap it",
            total_minor=2500,
            channel="demo",
        )

    return make


@pytest.fixture
def noon() -> datetime:
    return datetime(2026, 11, 22, 12, tzinfo=UTC)
