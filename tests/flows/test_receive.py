"""The door for webhooks: what is answered, what is kept, and how little the database is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import event, select

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows.receive import Receipt, receive
from hub.sdk import WebhookRequest
from hub.sdk.signatures import hmac_signature
from hub.store import connections
from hub.store.database import Database
from hub.store.sealing import Keyring, new_key
from hub.store.tables import connection, credential, inbox, orders, webhook_rejection
from hub.testing.world import World

SIGNATURE = "x-shopify-hmac-sha256"
WORDS = ("demo", "second", "third")


class Shop:
    """A hub with one connected shop in which one order was placed."""

    def __init__(self, db: Database) -> None:
        self.world, self.sandbox = World(db), ShopifySandbox()
        settings = {"shop": self.sandbox.shop, "access_token": self.sandbox.token}
        self.id = self.world.connect("shopify", "Web shop", settings | {"webhook_secret": self.sandbox.webhook_secret})
        with db.read() as tx:
            self.token = connections.get(tx, self.id).webhook_token
        self.sandbox.add_product("MUG", "10.00", stock=5)
        headers, self.body = self.sandbox.webhook("orders/create", self.sandbox.place_order([("MUG", 1)]))
        self.headers = {name.lower(): value for name, value in headers.items()}

    def send(self, *, connection_id: str | None = None, token: str | None = None, **headers: str) -> Receipt:
        request = WebhookRequest("POST", self.body, self.headers | headers)
        return receive(self.world.runtime, connection_id or self.id, token or self.token, request)

    def change_secret(self, secret: str) -> None:
        with self.world.db.begin() as tx:
            config, fresh = {"shop": self.sandbox.shop}, {"webhook_secret": secret}
            connections.change_settings(tx, self.world.runtime.keyring, self.id, config, fresh, self.world.now())

    def kept(self) -> list:
        return list(self.world.read(lambda tx: tx.execute(select(inbox.c.duplicates)).scalars()))


@pytest.fixture
def shop(db: Database) -> Shop:
    return Shop(db)


def test_a_delivery_is_stored_and_the_next_step_is_woken(shop: Shop) -> None:
    assert shop.send().status == 200
    assert shop.kept() == [0]
    assert [door.split(":")[0] for door in shop.world.woken] == ["inbox"]


def test_the_same_delivery_again_is_counted_and_not_kept_twice(shop: Shop) -> None:
    assert [shop.send().status for _ in range(3)] == [200, 200, 200]
    assert shop.kept() == [2]


def test_deliveries_whose_long_ids_begin_alike_are_two(shop: Shop) -> None:
    for last in "12":
        assert shop.send(**{"x-shopify-event-id": "e" * 300 + last}).status == 200
    assert shop.kept() == [0, 0]


def test_a_delivery_costs_one_look_and_one_commit(shop: Shop) -> None:
    begun: list[str] = []
    for name, engine in {"writer": shop.world.db.writer, "reader": shop.world.db.reader}.items():
        event.listen(engine, "begin", lambda _, name=name: begun.append(name))
    assert shop.send().status == 200
    # PostgreSQL has one pool for both, so each beginning is heard by both names there.
    assert begun == (["reader", "writer"] if shop.world.db.is_sqlite else ["writer", "reader"] * 2)


def test_a_wrong_signature_is_refused_and_counted(shop: Shop) -> None:
    assert shop.send(**{SIGNATURE: "bm90IHRoaXM="}).status == 401
    assert shop.kept() == []
    assert len(shop.world.read(lambda tx: tx.execute(select(webhook_rejection.c.reason)).all())) == 1


def test_the_secret_before_is_taken_for_a_day_after_it_was_changed(shop: Shop) -> None:
    shop.change_secret("whsec-second")
    assert shop.send().status == 200
    assert shop.send(**{SIGNATURE: hmac_signature("whsec-second", shop.body)}).status == 200
    shop.world.later(hours=23)
    assert shop.send().status == 200
    shop.world.later(hours=2)
    assert shop.send().status == 401
    assert shop.send(**{SIGNATURE: hmac_signature("whsec-second", shop.body)}).status == 200


def test_a_secret_that_is_changed_twice_in_a_day_leaves_both_before_good_for_their_day(shop: Shop) -> None:
    shop.change_secret("whsec-second")
    shop.world.later(hours=20)
    shop.change_secret("whsec-third")
    assert [shop.send(**{SIGNATURE: hmac_signature(f"whsec-{one}", shop.body)}).status for one in WORDS] == [200] * 3
    shop.world.later(hours=5)
    assert [shop.send(**{SIGNATURE: hmac_signature(f"whsec-{one}", shop.body)}).status for one in WORDS] == [
        401,
        200,
        200,
    ]


def test_a_secret_that_the_vendor_replaces_stays_good_for_a_day_too(shop: Shop) -> None:
    for told in ("whsec-second", "whsec-third"):
        with shop.world.db.begin() as tx:
            secrets = {"webhook_secret_orders": told}
            connections.keep_secrets(tx, shop.world.runtime.keyring, shop.id, secrets, shop.world.now())
    assert shop.send(**{SIGNATURE: hmac_signature("whsec-second", shop.body)}).status == 200
    shop.world.later(hours=25)
    assert shop.send(**{SIGNATURE: hmac_signature("whsec-second", shop.body)}).status == 401


def test_a_replaced_secret_is_forgotten_in_the_night_after_its_day(shop: Shop) -> None:
    kept = select(credential.c.signing_sealed).where(credential.c.signing_sealed.is_not(None))
    shop.change_secret("whsec-second")
    shop.world.clock_strikes("night")
    [sealed] = shop.world.read(lambda tx: tx.execute(kept).scalars().all())
    assert shop.sandbox.webhook_secret.encode() not in sealed
    shop.world.later(hours=25)
    shop.world.clock_strikes("night")
    assert shop.world.read(lambda tx: tx.execute(kept).scalars().all()) == []


def test_of_a_sender_that_is_wrong_for_ever_the_newest_refusals_are_kept(shop: Shop) -> None:
    with shop.world.db.begin() as tx:
        other = connections.add(tx, shop.world.runtime.keyring, plugin="shopify", name="Other", config={}, secrets={})
        connections.reject_webhook(tx, other, "wrong too", shop.world.now())
        for number in range(connections.REJECTIONS_KEPT):
            connections.reject_webhook(tx, shop.id, f"wrong {number}", shop.world.now())
    for _ in range(2):
        assert shop.send(**{"x-shopify-hmac-sha256": "bm90IHRoaXM="}).status == 401
    shop.world.clock_strikes()
    kept = shop.world.read(lambda tx: tx.execute(select(webhook_rejection.c.reason)).scalars().all())
    assert len(kept) == connections.REJECTIONS_KEPT + 1
    assert {"wrong too", "wrong 2"} <= set(kept)
    assert {"wrong 0", "wrong 1"}.isdisjoint(kept)


def test_an_unknown_address_says_nothing_of_what_exists(shop: Shop) -> None:
    assert shop.send(token="guessed").status == 404
    assert shop.send(connection_id="guessed").status == 404
    assert shop.send(connection_id="Web shop").status == 404
    assert shop.kept() == []


def test_what_a_paused_connection_is_sent_is_kept_and_waits(shop: Shop) -> None:
    with shop.world.db.begin() as tx:
        connections.set_status(tx, shop.id, "paused")
    assert shop.send().status == 200
    assert shop.send(**{"x-shopify-hmac-sha256": "bm90IHRoaXM="}).status == 401
    shop.world.run()
    assert shop.world.read(lambda tx: tx.execute(select(inbox.c.status, inbox.c.attempts)).all()) == [("received", 0)]
    assert shop.world.read(lambda tx: tx.execute(select(orders.c.id)).all()) == []


def test_a_sender_comes_back_while_the_key_to_the_secrets_is_missing(shop: Shop) -> None:
    shop.world.runtime = replace(shop.world.runtime, keyring=Keyring.parse(new_key("other")))
    answer = shop.send()
    assert (answer.status, answer.retry_after_s) == (503, 10)
    assert shop.kept() == []


def test_a_connection_whose_plugin_is_not_installed_lets_the_sender_come_back(shop: Shop) -> None:
    with shop.world.db.begin() as tx:
        tx.execute(connection.update().values(plugin="gone"))
    assert shop.send().status == 503
