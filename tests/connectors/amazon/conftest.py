"""A served Amazon sandbox and a connector that speaks to it; both see one clock, which stands still until moved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from connectors.marketplaces.amazon.plugin import Amazon
from connectors.marketplaces.amazon.sandbox import AmazonSandbox
from hub.sdk import Window
from hub.testing import connect


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    def __call__(self):
        return self.now

    def tick(self, **span):
        self.now += timedelta(**span)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shop(clock):
    sandbox = AmazonSandbox(clock=clock)
    sandbox.add_listing("MUG", "Mug", price="20.00", quantity=5, product_type="MUG")
    sandbox.add_listing("TEE", "Tee", price="15.50", quantity=5, product_type="SHIRT")
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def amazon(shop, clock):
    return connect(Amazon, shop.settings(), clock=clock)


@pytest.fixture
def lately(clock):
    """The window that the hub reads: two hours up to the stream's lag."""
    return Window(clock.now - timedelta(hours=2), clock.now - timedelta(minutes=3))
