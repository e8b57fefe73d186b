"""Webhook subscriptions are made where they are missing, and signing secrets that come with them are kept."""

from __future__ import annotations

from dataclasses import replace

from connectors.shopify.sandbox import ShopifySandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.engine.doors import open_door
from hub.flows.watch import watch
from hub.store import connections
from hub.store.database import Database
from hub.testing.world import World

PUBLIC = "https://hub.example.com"


def test_missing_subscriptions_are_made_once(db: Database):
    world, shop = World(db), ShopifySandbox()
    world.runtime = replace(world.runtime, public_url=PUBLIC)
    with shop.serve():
        settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": "whsec-demo", "base_url": shop.url}
        channel = world.connect("shopify", "Web shop", settings)
        made = watch(world.runtime, channel)
        open_door(world.runtime, f"watch:{channel}")
        assert made > 0
        assert watch(world.runtime, channel) == made
        connector = world.runtime.connector(world.read(lambda tx: connections.get(tx, channel)))
        assert len(connector.subscriptions()) == made
        assert {one.url for one in connector.subscriptions()} == {
            f"{PUBLIC}/in/{channel}/{world.read(lambda tx: connections.get(tx, channel)).webhook_token}"
        }


def test_a_secret_told_once_is_kept_and_used(db: Database):
    world, threepl = World(db), ShipHeroSandbox()
    world.runtime = replace(world.runtime, public_url=PUBLIC)
    with threepl.serve():
        settings = {"shop_name": "demo", "refresh_token": threepl.refresh_token, "base_url": threepl.url}
        warehouse = world.connect("shiphero", "3PL", settings)
        assert watch(world.runtime, warehouse) > 0
        hook = next(one for one in threepl.hooks if one["name"] == "Inventory Update")
        threepl.add_product("MUG", on_hand=3)
        delivery = threepl.webhook("Inventory Update", "MUG", hook["shared_signature_secret"])
        assert world.deliver(warehouse, *delivery).status == 200
        forged = threepl.webhook("Inventory Update", "MUG", "another secret")
        assert world.deliver(warehouse, *forged).status == 401


def test_a_vendor_that_does_not_answer_is_noted_at_the_connection(db: Database):
    world = World(db)
    world.runtime = replace(world.runtime, public_url=PUBLIC)
    settings = {"shop": "demo.myshopify.com", "access_token": "shpat-demo", "webhook_secret": "whsec-demo"}
    channel = world.connect("shopify", "Web shop", settings | {"base_url": "http://127.0.0.1:9"})
    assert watch(world.runtime, channel) == 0
    assert "webhooks:" in world.read(lambda tx: connections.get(tx, channel)).last_error


def test_nothing_is_asked_without_a_public_address(db: Database):
    world, shop = World(db), ShopifySandbox()
    with shop.serve():
        settings = {"shop": shop.shop, "access_token": shop.token, "webhook_secret": "whsec-demo", "base_url": shop.url}
        assert watch(world.runtime, world.connect("shopify", "Web shop", settings)) == 0
    assert shop.calls == []
