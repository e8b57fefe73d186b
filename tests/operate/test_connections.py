"""Connections as a person handles them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows import operate
from hub.flows.operate import CheckFailedError, NotDoneError, SettingsError
from hub.flows.reconcile import reconcile
from hub.store import connections, cursors
from hub.store.cursors import CursorState
from hub.store.database import Database
from hub.store.figures import figures
from hub.store.tables import connection, cursor, fulfillment_order, inbox, orders
from hub.store.views import problems as problem_views
from hub.store.views.problems import Problem
from hub.testing import Fault
from hub.testing.world import World
from tests.operate.conftest import PERSON, Desk, shop_settings


def test_a_connected_shop_is_read_by_itself(desk: Desk) -> None:
    row = desk.world.read(lambda tx: connections.get(tx, "Web shop"))
    assert (row.status, row.account_id is not None) == ("active", True)
    streams = desk.world.read(lambda tx: cursors.of_connection(tx, row.id))
    assert streams
    assert all(one["last_ok_at"] is not None for one in streams)
    assert ("person:mia@example.com", "connected") in desk.said()


def test_wrong_settings_name_their_fields_and_nothing_is_stored(db: Database) -> None:
    world = World(db)
    with pytest.raises(SettingsError) as caught:
        operate.add_connection(
            world.runtime, "shopify", " ", {"shop": "demo.myshopify.com", "colour": "red"}, person=PERSON
        )
    assert {one.field for one in caught.value.errors} == {"name", "access_token", "colour"}
    assert world.read(connections.every) == []


def test_a_shop_that_cannot_be_reached_with_these_settings_is_not_stored(desk: Desk) -> None:
    settings = shop_settings(desk.shop) | {"access_token": "shpat_wrong"}
    with pytest.raises(CheckFailedError) as caught:
        operate.add_connection(desk.runtime, "shopify", "Other", settings, person=PERSON)
    assert caught.value.result.error_code == "auth_rejected"
    assert len(desk.ask(select(connection.c.id))) == 2


def test_the_same_account_is_not_connected_twice(desk: Desk) -> None:
    with pytest.raises(NotDoneError, match="connected already as Web shop"):
        operate.add_connection(desk.runtime, "shopify", "Twin", shop_settings(desk.shop), person=PERSON)
    with pytest.raises(SettingsError, match="already"):
        operate.add_connection(desk.runtime, "shopify", "Web shop", shop_settings(desk.shop), person=PERSON)
    assert len(desk.ask(select(connection.c.id))) == 2


def test_a_connection_without_sign_in_goes_on_when_it_works_again(desk: Desk) -> None:
    good = desk.shop.token
    desk.shop.token = "shpat_new"  # the shop no longer takes the old one
    assert not operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).ok
    assert desk.ask(select(connection.c.status).where(connection.c.id == desk.shop_id)) == ["needs_sign_in"]
    settings = {"shop": desk.shop.shop, "base_url": desk.shop.url, "access_token": "shpat_new"}
    assert operate.change_connection(desk.runtime, desk.shop_id, settings, person=PERSON).ok
    assert desk.ask(select(connection.c.status).where(connection.c.id == desk.shop_id)) == ["active"]
    secrets = desk.world.read(lambda tx: connections.read_secrets(tx, desk.runtime.keyring, desk.shop_id))
    assert secrets["access_token"] == "shpat_new"
    assert secrets["webhook_secret"] == desk.shop.webhook_secret, "a secret that is not given stays"
    assert good != "shpat_new"


def test_a_paused_connection_stays_paused_when_it_is_tested(desk: Desk) -> None:
    operate.pause(desk.runtime, desk.shop_id, person=PERSON)
    operate.pause(desk.runtime, desk.shop_id, person=PERSON)
    assert operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).ok
    assert desk.ask(select(connection.c.status).where(connection.c.id == desk.shop_id)) == ["paused"]
    operate.resume(desk.runtime, desk.shop_id, person=PERSON)
    assert desk.ask(select(connection.c.status).where(connection.c.id == desk.shop_id)) == ["active"]
    assert [kind for _, kind in desk.said() if kind in {"paused", "resumed"}] == ["paused", "resumed"]


def test_what_may_not_be_read_now_says_why(desk: Desk) -> None:
    operate.pause(desk.runtime, desk.shop_id, person=PERSON)
    with pytest.raises(NotDoneError, match="Web shop cannot be read: it is paused; resume"):
        operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)
    operate.resume(desk.runtime, desk.shop_id, person=PERSON)
    desk.shop.token = "shpat_new"
    operate.check_connection(desk.runtime, desk.shop_id, person=PERSON)
    with pytest.raises(NotDoneError, match=r"Web shop cannot be read: .*(token|sign)"):
        operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)


def test_orders_that_a_paused_shop_sends_are_taken_when_it_is_resumed(desk: Desk) -> None:
    operate.pause(desk.runtime, desk.shop_id, person=PERSON)
    desk.send("orders/create", desk.shop.place_order([("MUG", 1)]))
    desk.send("orders/create", desk.shop.place_order([("TEE", 1)]))
    assert desk.ask(select(orders.c.id)) == []
    assert desk.ask(select(inbox.c.status).where(inbox.c.source == "webhook")) == ["received", "received"]
    assert desk.world.read(lambda tx: figures(tx, desk.runtime.clock())).inbox_oldest_s == 0, "nobody is late"
    operate.resume(desk.runtime, desk.shop_id, person=PERSON)
    assert f"watch:{desk.shop_id}" in desk.world.woken, "a platform may have given up sending meanwhile"
    assert any(door.startswith("inbox:") for door in desk.world.woken)
    desk.world.run()
    assert len(desk.ask(select(orders.c.id))) == 2
    assert set(desk.ask(select(inbox.c.status).where(inbox.c.source == "webhook"))) == {"done"}


def test_a_paused_shop_keeps_nobody_else_from_being_served(desk: Desk) -> None:
    other = ShopifySandbox(shop="other.myshopify.com")
    other.add_product("MUG", "10.00", stock=0)
    other_id = desk.world.connect("shopify", "Other shop", shop_settings(other))
    operate.pause(desk.runtime, other_id, person=PERSON)
    for _ in range(150):  # more than a batch
        headers, body = other.webhook("orders/create", other.place_order([("MUG", 1)]))
        assert desk.world.deliver(other_id, headers, body).status == 200
    desk.buy(("MUG", 1))
    assert len(desk.ask(select(orders.c.id))) == 1


def test_a_stream_is_read_again_from_a_date_without_making_anything_twice(desk: Desk) -> None:
    desk.buy(("MUG", 1))
    operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)
    desk.world.run()
    before = len(desk.ask(select(inbox.c.id)))
    [stream] = desk.ask(
        select(cursor.c.stream).where(cursor.c.connection_id == desk.shop_id, cursor.c.stream == "orders")
    )
    operate.rewind(desk.runtime, desk.shop_id, stream, datetime(2026, 1, 1, tzinfo=UTC), person=PERSON)
    desk.world.run()
    assert len(desk.ask(select(inbox.c.id))) == before
    with pytest.raises(NotDoneError, match="no stream"):
        operate.rewind(desk.runtime, desk.shop_id, "dreams", None, person=PERSON)


def while_the_shop_answers(desk: Desk, do: Callable[[], object]) -> None:
    """Have a person do something, once, in the middle of the next call to the shop."""
    left = [do]
    desk.shop.app.before_request_funcs[None].insert(0, lambda: left.pop()() and None if left else None)


def orders_cursor(desk: Desk) -> CursorState:
    return desk.world.read(lambda tx: cursors.get(tx, desk.shop_id, "orders"))


def orders_due(desk: Desk) -> bool:
    return (desk.shop_id, "orders") in desk.world.read(lambda tx: cursors.due(tx, desk.world.now()))


def test_reading_asked_for_while_a_run_begins_is_done_after_it(desk: Desk) -> None:
    desk.world.later(hours=1)
    begun = desk.world.now()
    operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)
    reconcile(replace(desk.runtime, clock=lambda: begun), desk.shop_id, "orders")
    assert orders_due(desk)
    reconcile(desk.runtime, desk.shop_id, "orders")
    assert not orders_due(desk)


def test_reading_asked_for_outlives_a_run_that_fails(desk: Desk) -> None:
    desk.world.later(hours=1)
    while_the_shop_answers(desk, lambda: operate.sync_now(desk.runtime, desk.shop_id, person=PERSON))
    desk.shop.faults.append(Fault("throttle", times=1, seconds=60))
    reconcile(desk.runtime, desk.shop_id, "orders")
    assert orders_due(desk)
    desk.shop.faults.append(Fault("throttle", times=1, seconds=60))
    reconcile(desk.runtime, desk.shop_id, "orders")
    assert not orders_due(desk), "the shop asked for a minute"


def test_a_run_under_way_does_not_undo_that_its_stream_is_read_again(desk: Desk) -> None:
    long_ago = datetime(2026, 1, 1, tzinfo=UTC)
    desk.buy(("MUG", 1))
    desk.world.later(hours=1)
    while_the_shop_answers(desk, lambda: operate.rewind(desk.runtime, desk.shop_id, "orders", long_ago, person=PERSON))
    reconcile(desk.runtime, desk.shop_id, "orders")
    assert orders_cursor(desk).value is None
    assert orders_cursor(desk).synced_to == long_ago
    desk.world.run()
    assert orders_cursor(desk).synced_to > long_ago


def test_webhooks_are_set_up_once_and_their_secrets_are_kept(desk: Desk) -> None:
    first = operate.provision_webhooks(desk.runtime, desk.threepl_id, "https://hub.example.com", person=PERSON)
    assert first
    assert operate.provision_webhooks(desk.runtime, desk.threepl_id, "https://hub.example.com/", person=PERSON) == first
    secrets = desk.world.read(lambda tx: connections.read_secrets(tx, desk.runtime.keyring, desk.threepl_id))
    handed_out = {name: secret for name, secret in secrets.items() if name.startswith("webhook_secret_")}
    assert len(handed_out) == len(first)
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=5, reason="count", person=PERSON)
    desk.buy(("MUG", 1))
    [sent] = desk.threepl.orders
    desk.threepl.ship(sent["order_number"], "1Z999AA10123456784", notify=False)
    headers, body = desk.threepl.webhook(
        "Shipment Update", sent["order_number"], handed_out["webhook_secret_shipment_update"]
    )
    assert desk.world.deliver(desk.threepl_id, headers, body).status == 200
    with pytest.raises(NotDoneError, match="public address"):
        operate.provision_webhooks(desk.runtime, desk.threepl_id, "", person=PERSON)


def test_places_are_offered_and_linked(desk: Desk) -> None:
    [first, *_] = operate.places(desk.runtime, desk.shop_id)
    assert first.location is None
    operate.link_places(desk.runtime, desk.shop_id, {first.external_id: "EAST"}, person=PERSON)
    [again, *_] = operate.link_places(desk.runtime, desk.shop_id, {first.external_id: "WEST"}, person=PERSON)
    assert again.location == "WEST"
    with pytest.raises(NotDoneError, match="no location"):
        operate.link_places(desk.runtime, desk.shop_id, {first.external_id: "MOON"}, person=PERSON)


def test_a_vendor_that_does_not_answer_changes_no_status(desk: Desk) -> None:
    desk.shop.faults.append(Fault("error_500", times=20))
    assert not operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).ok
    assert desk.ask(select(connection.c.status).where(connection.c.id == desk.shop_id)) == ["active"]


def test_a_connection_does_not_move_to_another_account(desk: Desk) -> None:
    with desk.world.db.begin() as tx:
        connections.set_account(tx, desk.shop_id, "another-shop", "Another shop")
    result = operate.check_connection(desk.runtime, "Web shop", person=PERSON)
    assert not result.ok
    assert "another account" in result.error


def test_an_order_without_the_personal_data_that_an_app_may_not_see_is_kept_and_waits(desk: Desk) -> None:
    desk.shop.api.unapproved = {"address1"}
    desk.shop.place_order([("MUG", 1)])
    operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)
    desk.world.run()

    row = desk.world.read(lambda tx: connections.get(tx, desk.shop_id))
    assert row.status == "active", "what can be done goes on"
    assert "not approved to use the address1 field" in row.warning
    [told] = [one for one in problems(desk) if one.kind == "connection"]
    assert (told.what, told.move, told.error) == ("warning", "yours", row.warning)
    assert [one.what for one in problems(desk) if one.kind == "hold"] == ["address"]
    assert desk.ask(select(fulfillment_order.c.id)) == []

    desk.shop.api.unapproved = set()  # Shopify has approved the app
    assert operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).warning == ""
    operate.rewind(desk.runtime, desk.shop_id, "orders", desk.world.now() - timedelta(days=1), person=PERSON)
    desk.world.run()
    assert [one for one in problems(desk) if one.kind in {"connection", "hold"}] == []
    assert len(desk.ask(select(fulfillment_order.c.id))) == 1


def test_a_permission_that_is_lost_takes_no_address_from_orders_that_are_known(desk: Desk) -> None:
    order = desk.shop.place_order([("MUG", 1)])
    operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)
    desk.world.run()
    work = desk.ask(select(fulfillment_order.c.id))
    before = desk.ask(select(orders.c.document))[0]

    desk.shop.api.unapproved = {"address1", "firstName"}
    desk.shop.edit_order(order.id, note="Ring twice")
    desk.world.later(minutes=1)
    operate.sync_now(desk.runtime, desk.shop_id, person=PERSON)
    desk.world.run()
    [after] = desk.ask(select(orders.c.document))
    assert after["note"] == "Ring twice"
    assert (after["shipping_address"], after["customer"]) == (before["shipping_address"], before["customer"])
    assert desk.ask(select(fulfillment_order.c.id)) == work


def problems(desk: Desk) -> list[Problem]:
    return desk.world.read(lambda tx: problem_views.find(tx, desk.world.now()))
