"""A connection that cannot be opened keeps its mail, and comes back by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import select

from hub.plugins import Registry
from hub.sdk import errors
from hub.store import connections
from hub.store.database import Database
from hub.store.errors import OperationalError
from hub.store.sealing import Keyring, new_key
from hub.store.tables import entity_event
from tests.flows.scripted import warehouse
from tests.flows.wire import GONE, failing


def test_a_database_that_is_away_says_nothing_of_the_connection(db: Database) -> None:
    house = warehouse(db)
    house.buy(("MUG", 1))
    with failing(db, GONE, "JOIN credential"), pytest.raises(OperationalError):
        house.deliver()
    assert house.connection.status == "active"
    assert house.rows("status", "attempts") == [("pending", 0)]
    house.deliver()
    assert house.rows("status") == [("delivered",)]


@pytest.mark.parametrize("missing", ["key", "plugin"])
def test_a_connection_goes_on_when_what_was_missing_is_there_again(db: Database, missing: str) -> None:
    house = warehouse(db)
    house.buy(("MUG", 1))
    whole = house.world.runtime
    other = {"key": {"keyring": Keyring.parse(new_key("other"))}, "plugin": {"registry": Registry((), ())}}[missing]
    house.world.runtime = replace(whole, **other)
    house.deliver()
    assert house.connection.status == "unavailable"
    assert house.rows("status", "attempts") == [("pending", 0)]
    house.world.clock_strikes()
    assert house.connection.status == "unavailable", "nothing has changed"

    house.world.runtime = whole
    house.world.clock_strikes()
    assert house.connection.status == "active"
    assert house.rows("status") == [("delivered",)]
    kinds = select(entity_event.c.kind).where(entity_event.c.entity_id == house.id)
    assert house.world.read(lambda tx: tx.execute(kinds).scalars().all()) == ["reopened"]


def test_a_connection_that_a_person_has_paused_stays_paused(db: Database) -> None:
    house = warehouse(db)
    house.buy(("MUG", 1))

    def paused_meanwhile() -> Exception:
        with db.begin() as tx:
            connections.set_status(tx, house.id, "paused", "by a person")
        return errors.AuthRejected("the token is refused")

    house.plugin.says["submit"] = [paused_meanwhile]
    house.deliver()
    assert house.connection.status == "paused"
    house.world.clock_strikes()
    assert house.connection.status == "paused"
    assert house.rows("status") == [("retry_wait",)]
