"""A failure that is heard of late undoes nothing that a person has done meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.flows import operate
from hub.flows.reconcile import reconcile
from hub.store import connections
from hub.store.tables import connection, inbox
from hub.testing.sandbox import Sandbox
from tests.operate.conftest import PERSON, Desk, shop_settings


def while_a_call_is_out(sandbox: Sandbox, act: Callable[[], Any]) -> None:
    """Do something once, between the next call and its answer."""
    waiting = [act]

    def meanwhile() -> None:
        if waiting:
            waiting.pop()()

    sandbox.app.before_request_funcs[None].append(meanwhile)


def status(desk: Desk, connection_id: str) -> str:
    return desk.ask(select(connection.c.status).where(connection.c.id == connection_id))[0]


def poll(desk: Desk) -> None:
    reconcile(desk.runtime, desk.shop_id, "orders")


def hand_over(desk: Desk) -> None:
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=9, reason="count", person=PERSON)
    desk.world.deliver(desk.shop_id, *desk.shop.webhook("orders/create", desk.shop.place_order([("MUG", 1)])))
    desk.world.run()


def test_a_connection_that_was_paused_during_a_call_stays_paused_when_the_call_is_refused(desk: Desk) -> None:
    desk.shop.token = "shpat_new"
    while_a_call_is_out(desk.shop, lambda: operate.pause(desk.runtime, desk.shop_id, person=PERSON))
    poll(desk)
    assert status(desk, desk.shop_id) == "paused"


def test_a_handler_that_was_paused_during_a_hand_over_stays_paused(desk: Desk) -> None:
    desk.threepl.refresh_token = "another"
    desk.threepl.expire_tokens()
    while_a_call_is_out(desk.threepl, lambda: operate.pause(desk.runtime, desk.threepl_id, person=PERSON))
    hand_over(desk)
    assert status(desk, desk.threepl_id) == "paused"


def test_a_call_with_the_secrets_before_does_not_undo_a_new_sign_in(desk: Desk) -> None:
    desk.shop.token = "shpat_new"
    settings = shop_settings(desk.shop)
    while_a_call_is_out(
        desk.shop, lambda: operate.change_connection(desk.runtime, desk.shop_id, settings, person=PERSON)
    )
    poll(desk)
    assert status(desk, desk.shop_id) == "active"


def test_a_refusal_of_before_the_account_was_mended_does_not_stop_the_connection(desk: Desk) -> None:
    good, desk.shop.token = desk.shop.token, "suspended"

    def mended() -> None:
        desk.shop.token = good
        assert operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).ok

    seen = desk.world.read(lambda tx: connections.get(tx, desk.shop_id))
    mended()
    with desk.world.db.begin() as tx:
        connections.stop(tx, seen, "needs_sign_in", "refused")
    assert status(desk, desk.shop_id) == "active"


def test_a_test_that_ends_after_a_pause_does_not_end_the_pause(desk: Desk) -> None:
    good, desk.shop.token = desk.shop.token, "suspended"
    assert not operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).ok
    assert status(desk, desk.shop_id) == "needs_sign_in"
    desk.shop.token = good
    while_a_call_is_out(desk.shop, lambda: operate.pause(desk.runtime, desk.shop_id, person=PERSON))
    assert operate.check_connection(desk.runtime, desk.shop_id, person=PERSON).ok
    assert status(desk, desk.shop_id) == "paused"


def test_a_plugin_that_is_missing_does_not_end_a_pause(desk: Desk) -> None:
    seen = desk.world.read(lambda tx: connections.get(tx, desk.threepl_id))
    operate.pause(desk.runtime, desk.threepl_id, person=PERSON)
    with desk.world.db.begin() as tx:
        connections.stop(tx, seen, "unavailable", "the plugin is not installed")
    assert status(desk, desk.threepl_id) == "paused"


def uninstall(desk: Desk, *, said_at: Callable[[], datetime] | None = None) -> None:
    """The shop tells that the app was removed, now or at another moment."""
    desk.shop.state.clock = said_at or desk.world.now
    body = {"id": 1, "domain": desk.shop.shop}
    assert desk.world.deliver(desk.shop_id, *desk.shop.webhook("app/uninstalled", body)).status == 200
    desk.world.run()


def sign_in_again(desk: Desk) -> None:
    desk.shop.token = "shpat_again"
    assert operate.change_connection(desk.runtime, desk.shop_id, shop_settings(desk.shop), person=PERSON).ok


def test_an_app_that_was_removed_needs_a_sign_in(desk: Desk) -> None:
    desk.world.later(hours=1)
    uninstall(desk)
    assert status(desk, desk.shop_id) == "needs_sign_in"


def test_a_removal_of_before_the_last_sign_in_is_old_when_it_is_replayed(desk: Desk) -> None:
    desk.world.later(hours=1)
    uninstall(desk)
    desk.world.later(hours=1)
    sign_in_again(desk)
    rows = desk.ask(select(inbox.c.id).where(inbox.c.topic == "app/uninstalled"))
    operate.replay(desk.runtime, person=PERSON, ids=rows)
    desk.world.run()
    assert status(desk, desk.shop_id) == "active"
    assert desk.ask(select(inbox.c.outcome).where(inbox.c.id.in_(rows))) == ["stale"]


def test_a_removal_that_arrives_late_is_dated_by_the_channel(desk: Desk) -> None:
    desk.world.later(hours=1)
    removed_at = desk.world.now()
    desk.world.later(hours=1)
    sign_in_again(desk)
    desk.world.later(hours=1)
    uninstall(desk, said_at=lambda: removed_at)
    assert status(desk, desk.shop_id) == "active"
