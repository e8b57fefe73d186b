"""Settings that were saved for an earlier version of a connector: brought over when a process starts, or left whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from sqlalchemy import select

from hub.flows.upgrade import upgrade_settings
from hub.plugins import LoadedPlugin, Registry
from hub.sdk import CheckResult, Connector, Manifest
from hub.store import connections
from hub.store.connections import ConnectionRow
from hub.store.database import Database
from hub.store.tables import entity_event
from hub.testing.world import World


def form(*names: str, secret: str) -> dict[str, Any]:
    plain = {name: {"type": "string", "title": name.title(), "minLength": 1} for name in names}
    hidden = {secret: {"type": "string", "title": "Key", "writeOnly": True}}
    return {"type": "object", "required": [*names, secret], "additionalProperties": False, "properties": plain | hidden}


def plugin(manifest: Manifest, connector: type[Connector]) -> LoadedPlugin:
    return LoadedPlugin("shop", "shop", manifest.version, connector, manifest, ())


class First(Connector):
    """Asks for an address and a password."""

    manifest = Manifest("shop", "Shop", "1.0.0", "demo", "https://example.com", form("address", secret="password"))

    def check(self) -> CheckResult:
        return CheckResult(ok=True)


class Second(First):
    """Asks for host and path apart, and calls the password a key."""

    manifest = replace(First.manifest, config_schema=form("host", "path", secret="key"), config_version=2)
    asked: ClassVar[list[int]] = []

    @classmethod
    def migrate_config(cls, settings: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:
        cls.asked.append(from_version)
        host, _, path = settings["address"].partition("/")
        return {"host": host, "path": path, "key": settings["password"]}


class Upgraded:
    """A hub with one connection, saved under the first version, that has just been given the second."""

    def __init__(self, db: Database) -> None:
        Second.asked.clear()
        self.world = World(db)
        self.install(First)

    def connect(self, address: str) -> str:
        return self.world.connect("shop", address, {"address": address, "password": "s3cret"})

    def install(self, connector: type[Connector]) -> None:
        registry = Registry((plugin(connector.manifest, connector),), ())
        self.world.runtime = replace(self.world.runtime, registry=registry)

    def row(self, connection_id: str) -> ConnectionRow:
        return self.world.read(lambda tx: connections.get(tx, connection_id))

    def secrets(self, connection_id: str) -> dict[str, str]:
        return self.world.read(lambda tx: connections.read_secrets(tx, self.world.runtime.keyring, connection_id))


@pytest.fixture
def hub(db: Database) -> Upgraded:
    return Upgraded(db)


def test_settings_and_secrets_are_brought_over_once(hub: Upgraded) -> None:
    shop = hub.connect("shop.example.com/api")
    hub.install(Second)
    assert [upgrade_settings(hub.world.runtime) for _ in range(2)] == [1, 0]
    row = hub.row(shop)
    assert (row.config, row.config_version, row.status) == ({"host": "shop.example.com", "path": "api"}, 2, "active")
    assert hub.secrets(shop) == {"key": "s3cret"}
    assert Second.asked == [1]
    told = select(entity_event.c.kind).where(entity_event.c.entity_id == shop)
    assert hub.world.read(lambda tx: tx.execute(told).scalars().all()) == ["upgraded"]


def test_what_the_vendor_told_stays(hub: Upgraded) -> None:
    shop = hub.connect("shop.example.com/api")
    with hub.world.db.begin() as tx:
        told = {"webhook_secret_orders": "whsec"}
        connections.keep_secrets(tx, hub.world.runtime.keyring, shop, told, hub.world.now())
    hub.install(Second)
    upgrade_settings(hub.world.runtime)
    assert hub.secrets(shop) == {"key": "s3cret", "webhook_secret_orders": "whsec"}


def test_settings_that_cannot_be_brought_over_are_left_and_wait_for_a_person(hub: Upgraded) -> None:
    no_path, good = hub.connect("shop.example.com"), hub.connect("other.example.com/api")
    hub.install(Second)
    assert upgrade_settings(hub.world.runtime) == 1
    row = hub.row(no_path)
    assert (row.config, row.config_version) == ({"address": "shop.example.com"}, 1)
    assert hub.secrets(no_path) == {"password": "s3cret"}
    assert (row.status, row.status_field) == ("misconfigured", "path")
    assert "could not be brought to version 2" in row.status_reason
    assert hub.row(good).config_version == 2


def test_a_defect_in_bringing_them_over_is_shown_and_changes_nothing(hub: Upgraded) -> None:
    class Broken(Second):
        @classmethod
        def migrate_config(cls, settings: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:  # noqa: ARG003
            raise KeyError("address")

    shop = hub.connect("shop.example.com/api")
    hub.install(Broken)
    assert upgrade_settings(hub.world.runtime) == 0
    assert hub.row(shop).config_version == 1
    assert "KeyError" in hub.row(shop).status_reason


def test_new_connections_and_saved_ones_are_of_the_newest_version(hub: Upgraded) -> None:
    hub.install(Second)
    shop = hub.world.connect("shop", "Shop", {"host": "shop.example.com", "path": "api", "key": "s3cret"})
    assert (hub.row(shop).config_version, upgrade_settings(hub.world.runtime)) == (2, 0)
