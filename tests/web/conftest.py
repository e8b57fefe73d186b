"""A hub with one shop and its web application, on both databases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from connectors.shopify.sandbox import ShopifySandbox
from hub.settings import Settings
from hub.store import connections, people
from hub.store.database import Database
from hub.testing.world import World
from hub.web import passwords
from hub.web.app import create_app

PASSWORD = "a lamp under the stairs"
HASHED = passwords.hashed(PASSWORD)


@dataclass
class Site:
    """The hub, its web application, and a shop on loopback that sends to it."""

    world: World
    app: Flask
    shop: ShopifySandbox
    shop_id: str
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def hook(self) -> str:
        """Where the shop sends its webhooks."""
        token = self.world.read(lambda tx: connections.get(tx, self.shop_id)).webhook_token
        return f"/in/{self.shop_id}/{token}"

    def post_hook(self, headers: dict[str, str], body: bytes, **more: Any) -> TestResponse:
        return self.app.test_client().post(self.hook, data=body, headers=headers, **more)

    def person(self, role: str) -> str:
        """Somebody of that role, made once; the e-mail address."""
        email = f"{role}@example.com"
        with self.world.db.begin() as tx:
            if people.by_email(tx, email) is None:
                now = self.world.now()
                self.ids[role] = people.add_person(
                    tx, email=email, name=role.capitalize(), role=role, password_hash=HASHED, now=now
                )
        return email

    def signed_in(self, role: str = "owner") -> Browser:
        browser = Browser(self.app.test_client())
        answer = browser.submit("/sign-in", {"email": self.person(role), "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        return browser

    def key(self, role: str = "owner") -> dict[str, str]:
        """Headers of a program with a key of that role."""
        with self.world.db.begin() as tx:
            return {"Authorization": f"Bearer {people.add_key(tx, role, role, self.world.now())}"}

    def order(self, *lines: tuple[str, int], **more: Any) -> Any:
        """An order of the shop that has arrived and was handled; the shop's own record of it."""
        placed = self.shop.place_order(list(lines), **more)
        headers, body = self.shop.webhook("orders/create", placed)
        assert self.post_hook(headers, body).status_code == 200
        self.world.run()
        return placed


@dataclass
class Browser:
    """A client that sends forms as a page would, with the token that the page holds."""

    client: FlaskClient

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **more)

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get(path).text)
        assert found, f"{path} has no form"
        return found[1]

    def submit(self, path: str, form: dict[str, Any] | None = None, page: str = "") -> TestResponse:
        """Load `page` (the same address by default), then send the form to `path`."""
        return self.client.post(path, data={"csrf_token": self.token(page or path), **(form or {})})


@pytest.fixture
def site(db: Database) -> Iterator[Site]:
    world, shop = World(db), ShopifySandbox()
    with shop.serve():
        settings = {
            "shop": shop.shop,
            "access_token": shop.token,
            "webhook_secret": shop.webhook_secret,
            "base_url": shop.url,
        }
        shop_id = world.connect("shopify", "Web shop", settings)
        for sku in ("MUG", "TEE", "CAP"):
            shop.add_product(sku, "10.00", stock=0)
        app = create_app(Settings(_env_file=None, cookie_secure=False), world.runtime)
        yield Site(world, app, shop, shop_id)
