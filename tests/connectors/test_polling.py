"""Every polled stream of every connector, read by a hub: to its end, on from a broken run, and back by its overlap.

A connector that polls a new stream has to be given a trial here.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from flask import Response, request
from sqlalchemy import select

from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.marketplaces.amazon.sandbox import AmazonSandbox
from connectors.shopify.sandbox import ShopifySandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.flows.reconcile import reconcile
from hub.plugins import registry
from hub.store import cursors
from hub.store.cursors import CursorState
from hub.store.database import Database
from hub.store.tables import inbox
from hub.testing import Sandbox
from hub.testing.world import World


@dataclass
class Moment:
    """The vendor's clock: the hub's, except while something is done at another time."""

    world: World
    at: datetime | None = None

    def __call__(self) -> datetime:
        return self.at or self.world.now()


class Trial:
    """A vendor whose things change on demand. `several` of them take more than one page of the stream."""

    several = 7
    pages_by = ""  # text in the calls that ask for a page
    records_by = ""  # text in the calls that ask for its records, where these are others
    sandbox: Sandbox

    def __init__(self, clock: Moment) -> None:
        self.clock = clock
        self.numbers = itertools.count(1)
        self.open()

    def open(self) -> None:
        raise NotImplementedError

    def settings(self) -> dict[str, Any]:
        raise NotImplementedError

    def change(self) -> str:
        """Make a thing that changes now; its id as the stream tells it."""
        raise NotImplementedError

    def spoil(self, answer: Any) -> None:
        """Take the id or the time of change from the first record of a page."""
        raise NotImplementedError


class AmazonTrial(Trial):
    several = 101

    def open(self) -> None:
        self.sandbox = self.amazon = AmazonSandbox(clock=self.clock)
        self.amazon.add_listing("MUG", at=self.clock() - timedelta(days=9))

    def settings(self) -> dict[str, Any]:
        return self.amazon.settings()


class AmazonOrders(AmazonTrial):
    pages_by = "GET /orders/2026-01-01/orders"

    def change(self) -> str:
        return self.amazon.place_order([("MUG", 1)], at=self.clock())

    def spoil(self, answer: Any) -> None:
        del answer["orders"][0]["orderId"]


class AmazonProducts(AmazonTrial):
    several = 21
    pages_by = "GET /listings/"

    def change(self) -> str:
        sku = f"SKU-{next(self.numbers)}"
        self.amazon.add_listing(sku)
        return sku

    def spoil(self, answer: Any) -> None:
        del answer["items"][0]["sku"]


class ShipHeroTrial(Trial):
    def open(self) -> None:
        self.sandbox = self.shiphero = ShipHeroSandbox(max_page=3)
        self.shiphero.warehouse.clock = self.clock
        self.place = self.shiphero.add_product("MUG", on_hand=1000)

    def settings(self) -> dict[str, Any]:
        return {"base_url": self.sandbox.url, "refresh_token": self.shiphero.refresh_token, "shop_name": "demo"}


class ShipHeroShipments(ShipHeroTrial):
    pages_by = "shipments("

    def change(self) -> str:
        number = f"FO-{next(self.numbers)}"
        line = {"sku": "MUG", "partner_line_item_id": "1", "quantity": 1, "price": "1.00"}
        self.shiphero.warehouse.order_create(
            {"order_number": number, "shipping_address": {"country": "US"}, "line_items": [line]}
        )
        return self.shiphero.ship(number, f"1Z{number}", notify=False)

    def spoil(self, answer: Any) -> None:
        del answer["data"]["shipments"]["data"]["edges"][0]["node"]["created_date"]


class ShipHeroInventory(ShipHeroTrial):
    pages_by = "warehouse_products("

    def change(self) -> str:
        sku = f"SKU-{next(self.numbers)}"
        self.shiphero.add_product(sku, on_hand=1)
        return f"{self.place}:{sku}"

    def spoil(self, answer: Any) -> None:
        del answer["data"]["warehouse_products"]["data"]["edges"][0]["node"]["sku"]


class OdooTrial(Trial):
    several = 201
    pages_by = '"limit"'

    def open(self) -> None:
        self.sandbox = self.odoo = OdooSandbox()
        self.odoo.db.clock = self.clock

    def settings(self) -> dict[str, Any]:
        return self.odoo.settings()


class OdooStock(OdooTrial):
    def change(self) -> str:
        return f"{self.odoo.add_product(f'SKU-{next(self.numbers)}', on_hand={1: 1.0})}@1"

    def spoil(self, answer: Any) -> None:
        for row in answer[:1]:
            row["write_date"] = False


class OdooItems(OdooTrial):
    records_by = '"lst_price"'

    def change(self) -> str:
        product = self.odoo.add_product(f"SKU-{next(self.numbers)}")
        return str(self.odoo.db.tables["product.product"][product]["product_tmpl_id"])

    def spoil(self, answer: Any) -> None:
        for row in answer[:1]:
            row["write_date"] = False


class ShopifyTrial(Trial):
    def open(self) -> None:
        self.sandbox = self.shopify = ShopifySandbox(clock=self.clock)
        self.shopify.add_product("MUG", "10.00", stock=1000)

    def settings(self) -> dict[str, Any]:
        signs = {"shop": self.shopify.shop, "access_token": self.shopify.token}
        return {**signs, "base_url": self.sandbox.url, "page_size": 2}


class ShopifyOrders(ShopifyTrial):
    pages_by = "orders("

    def change(self) -> str:
        return str(self.shopify.place_order([("MUG", 1)]).id)

    def spoil(self, answer: Any) -> None:
        del answer["data"]["orders"]["nodes"][0]["updatedAt"]


class ShopifyProducts(ShopifyTrial):
    pages_by = "products("

    def change(self) -> str:
        self.shopify.add_product(f"SKU-{next(self.numbers)}", "10.00")
        return str(self.shopify.state.products[-1].id)

    def spoil(self, answer: Any) -> None:
        del answer["data"]["products"]["nodes"][0]["legacyResourceId"]


TRIALS: dict[tuple[str, str], type[Trial]] = {
    ("amazon", "orders"): AmazonOrders,
    ("amazon", "products"): AmazonProducts,
    ("odoo", "items"): OdooItems,
    ("odoo", "stock"): OdooStock,
    ("shiphero", "inventory"): ShipHeroInventory,
    ("shiphero", "shipments"): ShipHeroShipments,
    ("shopify", "orders"): ShopifyOrders,
    ("shopify", "products"): ShopifyProducts,
}


class Stream:
    """A connected stream, and how far the hub has got with it."""

    def __init__(self, world: World, trial: Trial, plugin: str, name: str) -> None:
        self.world, self.trial, self.name = world, trial, name
        self.stated = registry().get(plugin).manifest.stream(name)
        self.connection = world.connect(plugin, plugin, trial.settings(), poll=True)
        self.pages_left: int | None = None  # so many are answered before the vendor says no; None is all
        self.on_call: Callable[[], object] = lambda: None  # what happens at the vendor before it answers a call
        self.spoils = False  # whether the first record of each page comes broken
        trial.sandbox.app.before_request(self._on_call)
        trial.sandbox.app.after_request(self._perhaps_spoil)

    def change(self, count: int = 1, *, at: datetime) -> set[str]:
        """Make so many changes, one a second."""
        made = set()
        for number in range(count):
            self.trial.clock.at = at + timedelta(seconds=number)
            made.add(self.trial.change())
        self.trial.clock.at = None
        return made

    def read(self) -> None:
        reconcile(self.world.runtime, self.connection, self.name)

    @property
    def stored(self) -> set[str]:
        query = select(inbox.c.external_id).where(inbox.c.stream == self.name)
        return set(self.world.read(lambda tx: tx.execute(query).scalars().all()))

    @property
    def state(self) -> CursorState:
        return self.world.read(lambda tx: cursors.get(tx, self.connection, self.name))

    def _on_call(self) -> Response | None:
        self.on_call()
        if self.pages_left is None or not self._is_asked(self.trial.pages_by):
            return None
        self.pages_left -= 1
        return Response("not now", 409) if self.pages_left < 0 else None

    def _perhaps_spoil(self, response: Response) -> Response:
        if self.spoils and self._is_asked(self.trial.records_by or self.trial.pages_by):
            answer = response.get_json()
            self.trial.spoil(answer)
            response.set_data(orjson.dumps(answer))
        return response

    def _is_asked(self, text: str) -> bool:
        return text in f"{request.method} {request.path} {request.get_data(as_text=True)}"


@pytest.fixture(params=sorted(TRIALS), ids=" ".join)
def stream(request: pytest.FixtureRequest, db: Database) -> Iterator[Stream]:
    plugin, name = request.param
    world = World(db)
    trial = TRIALS[plugin, name](Moment(world))
    with trial.sandbox.serve():
        yield Stream(world, trial, plugin, name)


def test_every_polled_stream_has_its_trial() -> None:
    polled = {(one.name, stream.name) for one in registry().plugins for stream in one.manifest.streams if stream.polled}
    assert polled == set(TRIALS)


def test_a_stream_is_read_to_its_end_and_then_for_what_is_new_and_what_came_late(stream: Stream) -> None:
    now = stream.world.now
    known = stream.change(stream.trial.several, at=now() - timedelta(hours=3))
    stream.read()
    assert known <= stream.stored
    stream.world.later(minutes=30)
    known |= stream.change(at=now() - timedelta(minutes=15))
    stream.read()
    assert known <= stream.stored
    known |= stream.change(at=stream.state.synced_to - stream.stated.lookback / 2)
    stream.world.later(minutes=30)
    stream.read()
    assert known <= stream.stored
    stream.world.later(days=2)
    known |= stream.change(at=now() - timedelta(minutes=15))
    stream.read()
    assert known <= stream.stored
    assert (stream.state.value, stream.state.window) == (None, None)


def test_a_broken_run_is_read_on_and_what_changed_meanwhile_is_not_lost(stream: Stream) -> None:
    now = stream.world.now
    known = stream.change(stream.trial.several, at=now() - timedelta(hours=3))
    stream.pages_left = 1
    stream.read()
    first_page = known & stream.stored
    assert first_page
    assert first_page < known
    stream.world.later(hours=1)
    known |= stream.change(at=now() - timedelta(minutes=50))
    known |= stream.change(at=now() - timedelta(minutes=15))
    stream.pages_left = None
    stream.read()
    assert known <= stream.stored
    assert (stream.state.value, stream.state.window) == (None, None)
    stream.world.later(hours=1)
    known |= stream.change(at=now() - timedelta(minutes=15))
    stream.read()
    assert known <= stream.stored


def test_what_changed_late_in_a_broken_run_is_found_by_the_overlap(stream: Stream) -> None:
    now = stream.world.now
    known = stream.change(stream.trial.several, at=now() - timedelta(hours=3))
    stream.pages_left = 1
    stream.read()
    end = stream.state.window.end
    stream.pages_left = None
    stream.world.later(hours=1)
    late: set[str] = set()

    def come_late() -> None:
        if not late and stream.state.window is None:  # the rest of the broken run has been read
            late.update(stream.change(at=end - stream.stated.lookback / 2))

    stream.on_call = come_late
    stream.read()
    assert late
    assert known | late <= stream.stored


def test_a_run_that_breaks_again_and_again_gets_to_the_end(stream: Stream) -> None:
    now = stream.world.now
    known = stream.change(stream.trial.several, at=now() - timedelta(hours=3))
    for _ in range(20):
        stream.pages_left = 2
        stream.read()
        stream.world.later(minutes=5)
    assert known <= stream.stored


def test_one_record_that_cannot_be_read_is_parked_and_the_others_are_stored(stream: Stream) -> None:
    known = stream.change(2, at=stream.world.now() - timedelta(minutes=5))
    stream.spoils = True
    stream.read()
    assert known & stream.stored
    parked = select(inbox.c.error).where(inbox.c.stream == stream.name, inbox.c.status == "dead")
    assert stream.world.read(lambda tx: tx.execute(parked).scalars().all())
    assert stream.state.synced_to is not None
    stream.spoils = False
    stream.world.later(minutes=5)
    stream.read()
    assert known <= stream.stored


@pytest.mark.parametrize("stream", [("amazon", "orders"), ("amazon", "products")], indirect=True, ids=" ".join)
def test_a_broken_run_is_read_on_although_its_page_token_has_died(stream: Stream) -> None:
    known = stream.change(stream.trial.several, at=stream.world.now() - timedelta(hours=3))
    stream.pages_left = 1
    stream.read()
    stream.world.later(days=2)
    stream.trial.sandbox.pages.clear()
    stream.pages_left = None
    stream.read()
    assert known <= stream.stored
    assert stream.state.window is None
