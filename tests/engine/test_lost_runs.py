"""Rows that a dead or slow run had taken: they go on after the sending time, and its late answer changes nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from hub.store import catalog, listings, outbox
from hub.store.database import Database
from hub.store.tables import listing
from hub.store.tables import outbox as outbox_table
from hub.testing.world import World

SENDING = timedelta(seconds=30)


@pytest.fixture
def world(db: Database) -> World:
    return World(db)


@pytest.fixture
def warehouse(world: World) -> str:
    return world.connect("shiphero", "3PL", {"shop_name": "demo", "refresh_token": "refresh-demo"})


def put(world: World, connection_id: str) -> str:
    row = outbox.delivery(
        connection_id,
        "submit",
        fact="one",
        subject_id="one",
        order_id=None,
        reference="FO-1",
        payload={},
        now=world.now(),
    )
    with world.db.begin() as tx:
        return outbox.put_once(tx, [row])[0]


def claim(world: World, connection_id: str, run: str) -> list[dict]:
    with world.db.begin() as tx:
        return outbox.claim(tx, connection_id, run, world.now(), 10, SENDING)


def look_up(world: World, connection_id: str, run: str) -> list[dict]:
    with world.db.begin() as tx:
        outbox.lapse(tx, connection_id, world.now())
        return outbox.claim_unknown(tx, connection_id, run, world.now(), 10, SENDING)


def status(world: World) -> tuple[str, str | None]:
    row = world.read(lambda tx: tx.execute(select(outbox_table.c.status, outbox_table.c.claim)).one())
    return row[0], row[1]


def answer(world: World, row: dict, said: str) -> None:
    with world.db.begin() as tx:
        outbox.put_off(tx, row["id"], said, world.now(), "test", "test", claim=row["claim"])


def test_a_row_whose_sender_died_is_unknown_after_the_sending_time(world: World, warehouse: str):
    put(world, warehouse)
    assert len(claim(world, warehouse, "dead")) == 1
    assert look_up(world, warehouse, "heir") == []
    world.later(seconds=31)
    assert [row["reference"] for row in look_up(world, warehouse, "heir")] == ["FO-1"]
    assert status(world) == ("unknown", "heir")


def test_a_look_up_whose_run_died_is_done_again_after_the_sending_time(world: World, warehouse: str):
    put(world, warehouse)
    claim(world, warehouse, "dead")
    world.later(seconds=31)
    look_up(world, warehouse, "dead too")
    assert look_up(world, warehouse, "heir") == []
    world.later(seconds=31)
    assert len(look_up(world, warehouse, "heir")) == 1


def test_a_late_look_up_does_not_send_again_what_another_run_is_sending(world: World, warehouse: str):
    put(world, warehouse)
    claim(world, warehouse, "dead")
    world.later(seconds=31)
    [slow] = look_up(world, warehouse, "slow")
    world.later(seconds=31)
    [quick] = look_up(world, warehouse, "quick")
    answer(world, quick, "pending")
    assert len(claim(world, warehouse, "sender")) == 1
    answer(world, slow, "pending")  # it looked before the row was sent, and answers now
    assert status(world) == ("sending", "sender")
    assert claim(world, warehouse, "second sender") == []


def test_a_cancellation_waits_for_its_submission_whatever_the_clocks_of_the_machines_say(world: World, warehouse: str):
    shared = {"subject_id": "one", "order_id": None, "reference": "FO-1", "payload": {}, "now": world.now()}
    submit = outbox.delivery(warehouse, "submit", fact="one", **shared)
    cancel = outbox.delivery(warehouse, "cancel", fact="one:1", turn=1, **shared)
    submit["id"], cancel["id"] = cancel["id"], submit["id"]  # the second machine's clock is behind
    with world.db.begin() as tx:
        outbox.put_once(tx, [submit, cancel])
    assert [row["operation"] for row in claim(world, warehouse, "first")] == ["submit"]
    assert claim(world, warehouse, "second") == []
    with world.db.begin() as tx:
        assert outbox.settle(tx, submit["id"], "delivered", world.now())
    assert [row["operation"] for row in claim(world, warehouse, "third")] == ["cancel"]


def test_a_late_no_does_not_end_what_another_run_is_sending(world: World, warehouse: str):
    put(world, warehouse)
    [slow] = claim(world, warehouse, "slow")
    world.later(seconds=31)
    [quick] = look_up(world, warehouse, "quick")
    answer(world, quick, "pending")
    assert len(claim(world, warehouse, "sender")) == 1
    with world.db.begin() as tx:
        assert not outbox.settle(tx, slow["id"], "rejected", world.now(), claim=slow["claim"])
        assert outbox.settle(tx, slow["id"], "delivered", world.now()), "it is there, whoever says so"


def test_a_figure_whose_teller_died_is_told_again_after_the_sending_time(world: World):
    channel = world.connect(
        "shopify", "Web shop", {"shop": "demo.myshopify.com", "access_token": "x", "webhook_secret": "y"}
    )
    with world.db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "MUG"}], world.now())
        item = {"external_id": "1", "inventory_external_id": "2", "sku": "MUG", "title": "", "product_type": None}
        catalog.store_listings(tx, channel, [item | {"pack_size": 1}])

    def take() -> int:
        with world.db.begin() as tx:
            return len(listings.claim(tx, channel, world.now(), 10, SENDING))

    assert take() == 1
    assert take() == 0
    world.later(seconds=31)
    assert take() == 1
    until = world.read(lambda tx: tx.execute(select(listing.c.publishing_until)).scalar_one())
    assert isinstance(until, datetime)
