"""A real browser before a real server: Chromium by Playwright, the console on loopback, a shop that sends to it.

Without Chromium the tests are skipped. ORDERHUB_CHROMIUM names another browser than the one on the path.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server

from connectors.shopify.sandbox import ShopifySandbox
from hub.settings import Settings
from hub.store import connections, migrate, people
from hub.store.database import open_database
from hub.testing.world import World
from hub.web.access import RULES
from hub.web.app import create_app

PASSWORD = "a lamp under the stairs"


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """One browser for all tests."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome")
    path = os.environ.get("ORDERHUB_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium on the path; set ORDERHUB_CHROMIUM")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@dataclass
class Town:
    """The console at `url`, and a shop that is not connected yet."""

    world: World
    shop: ShopifySandbox
    url: str
    app: Flask
    complaints: list[str] = field(default_factory=list)

    def first_run_link(self) -> str:
        with self.world.db.begin() as tx:
            return f"{self.url}/first-run/{people.make_link(tx)}"

    def plain_pages(self) -> list[str]:
        """The address of every page of the console that needs nothing named."""
        rules = [rule for rule in self.app.url_map.iter_rules() if "GET" in rule.methods and not rule.arguments]
        return sorted(rule.rule for rule in rules if RULES[rule.endpoint].by == "session")

    def buy(self, connection_id: str, *lines: tuple[str, int]) -> str:
        """Somebody buys, the shop tells the hub, and the hub does its work; the order's number."""
        order = self.shop.place_order(list(lines), shipping="4.00")
        token = self.world.read(lambda tx: connections.get(tx, connection_id)).webhook_token
        assert self.shop.deliver(f"{self.url}/in/{connection_id}/{token}", "orders/create", order) == 200
        self.world.run()
        return order.name


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    db = open_database(f"sqlite:///{tmp_path}/hub.sqlite3")
    migrate.upgrade(db)
    world, shop = World(db), ShopifySandbox()
    for sku in ("MUG", "TEE"):
        shop.add_product(sku, "10.00", stock=0)
    app = create_app(Settings(_env_file=None, cookie_secure=False), world.runtime)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    with shop.serve():
        yield Town(world, shop, f"http://127.0.0.1:{server.server_port}", app)
    server.shutdown()
    thread.join()
    server.server_close()
    db.dispose()


@pytest.fixture
def page(chromium: Any, town: Town) -> Iterator[Any]:
    """A page that notes everything the browser complains of, breaches of the content policy among it."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    opened.on("pageerror", lambda error: town.complaints.append(str(error)))
    opened.on("console", lambda said: town.complaints.append(said.text) if _is_complaint(said) else None)
    yield opened
    context.close()
    assert town.complaints == []


def _is_complaint(said: Any) -> bool:
    """A refused form answers 422, which the browser notes as a failed load; that is meant."""
    return said.type in {"error", "warning"} and "422" not in said.text
