"""Connections: their secrets, their accounts, and the breaker that spares a vendor who is down."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from hub.sdk.auth import Token
from hub.store import connections
from hub.store.connections import StoredTokens, UnknownConnectionError
from hub.store.database import new_id
from hub.store.sealing import Keyring, WrongKeyError, new_key
from hub.store.tables import credential

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEYRING = Keyring.parse(new_key("test"))
SECRETS = {"api_key": "s3cret-one", "webhook_secret": "s3cret-two"}


@pytest.fixture
def made(store):
    """Makes connections."""

    def make(keyring=KEYRING, config=None, **options):
        with store.begin() as tx:
            given = {"plugin": "shop", "name": new_id(), "config": config or {}, "secrets": SECRETS, "now": NOON}
            return connections.add(tx, keyring, **{**given, **options})

    return make


def read(store, connection_id):
    with store.read() as tx:
        return connections.get(tx, connection_id)


def test_secrets_stand_in_the_database_only_sealed(store, made):
    mine = made(config={"shop": "demo"})
    with store.read() as tx:
        row = tx.execute(select(credential.c.sealed).where(credential.c.connection_id == mine)).scalar_one()
        assert connections.read_secrets(tx, KEYRING, mine) == SECRETS
        assert connections.secret_status(tx, KEYRING, mine) == {"api_key": True, "webhook_secret": True}
        printed = repr(connections.get(tx, mine))
    assert b"s3cret" not in row
    assert "s3cret" not in printed


def read_swapped(store, mine, other):
    with store.begin() as tx:
        swapped = select(credential.c.sealed).where(credential.c.connection_id == other).scalar_subquery()
        tx.execute(update(credential).where(credential.c.connection_id == mine).values(sealed=swapped))
        connections.read_secrets(tx, KEYRING, mine)


def test_secrets_of_another_row_do_not_open(store, made):
    with pytest.raises(WrongKeyError):
        read_swapped(store, made(), made())


def test_a_connection_is_found_by_id_and_by_name_and_a_missing_one_is_named(store, made):
    mine = made(name="The shop of " + new_id())
    assert read(store, read(store, mine).name).id == mine
    with store.read() as tx, pytest.raises(UnknownConnectionError, match=r"'nobody'.*connection list"):
        connections.get(tx, "nobody")


def test_a_rotation_seals_everything_anew_and_then_the_old_key_can_go(store, made):
    old, new = new_key("old"), new_key("new")
    mine = made(Keyring.parse(old))
    tokens = StoredTokens(store, Keyring.parse(old), mine, 0)
    tokens.save(Token("token-1", NOON, NOON), "refresh-1")
    with store.begin() as tx:
        connections.change_settings(tx, Keyring.parse(old), mine, {}, {"webhook_secret": "s3cret-three"}, NOON)
    tokens.save(Token("token-1", NOON, NOON), None)
    both = Keyring.parse(f"{new},{old},{_text(KEYRING)}")
    with store.begin() as tx:
        assert connections.reseal(tx, both, NOON) >= 1
        assert connections.reseal(tx, both, NOON) == 0
    alone = Keyring.parse(new)
    with store.read() as tx:
        assert connections.read_secrets(tx, alone, mine) == {**SECRETS, "webhook_secret": "s3cret-three"}
        _, signing = connections.get_sealed(tx, mine)[1].open(alone, mine, NOON)
        assert signing == ["s3cret-three", "s3cret-two"]
    after = StoredTokens(store, alone, mine, 0)
    assert (after.read().value, after.refresh_token()) == ("token-1", "refresh-1")
    with store.begin() as tx:  # leave the other rows of this module as they were
        assert connections.reseal(tx, Keyring.parse(f"{_text(KEYRING)},{new}"), NOON) >= 1


def _text(keyring):
    import base64

    return ",".join(f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in keyring.keys.items())


@pytest.mark.parametrize(
    ("config", "secrets", "token", "refresh"),
    [
        ({"shop": "demo"}, {}, "token-1", "refresh-1"),
        ({"shop": "demo"}, {"api_key": "s3cret-one"}, "token-1", "refresh-1"),
        ({"shop": "other"}, {}, None, "refresh-1"),
        ({"shop": "demo"}, {"webhook_secret": "new"}, None, "refresh-1"),
        ({"shop": "demo"}, {"api_key": "new"}, None, None),
    ],
)
def test_new_settings_drop_what_was_fetched_with_the_old_ones(store, made, config, secrets, token, refresh):
    mine = made(config={"shop": "demo"})
    tokens = StoredTokens(store, KEYRING, mine, 0)
    tokens.save(Token("token-1", NOON, NOON), "refresh-1")
    with store.begin() as tx:
        connections.change_settings(tx, KEYRING, mine, config, secrets, NOON)
        assert connections.read_secrets(tx, KEYRING, mine) == {**SECRETS, **secrets}
        row, sealed = connections.get_sealed(tx, mine)
    assert (row.config, sealed.sign_ins) == (config, 0 if refresh else 1)
    found = tokens.read()
    assert (found and found.value, tokens.refresh_token()) == (token, refresh)


def test_secrets_that_a_person_and_a_vendor_give_at_once_are_both_kept(store, made):
    """A secret that a vendor tells once is lost for ever otherwise. SQLite lets one writer in at a time anyhow."""
    mine = made()
    begun, told = threading.Event(), []

    def vendor():
        begun.wait(10)
        with store.begin() as tx:
            connections.keep_secrets(tx, KEYRING, mine, {"webhook_secret_orders": "told once"}, NOON)
        told.append(True)

    other = threading.Thread(target=vendor)
    other.start()
    with store.begin() as tx:
        connections.change_settings(tx, KEYRING, mine, {"shop": "demo"}, {"api_key": "new"}, NOON)
        begun.set()
        other.join(0.5)
        assert not told, "it waits until the settings are changed"
    other.join(10)
    with store.read() as tx:
        kept = connections.read_secrets(tx, KEYRING, mine)
    assert (kept["api_key"], kept["webhook_secret_orders"]) == ("new", "told once")


def test_an_account_has_one_connection(store, made):
    account = new_id()
    first, second, elsewhere = made(), made(), made(plugin="carrier")
    with store.begin() as tx:
        connections.set_account(tx, first, account, "Demo")
        connections.set_account(tx, first, account, "Demo, renamed")
        connections.set_account(tx, elsewhere, account, "Demo")
    with pytest.raises(IntegrityError), store.begin() as tx:
        connections.set_account(tx, second, account, "Demo")
    assert read(store, first).account_label == "Demo, renamed"


def test_two_connections_cannot_have_one_name(made):
    mine = new_id()
    made(name=mine)
    with pytest.raises(IntegrityError):
        made(name=mine)


def test_a_status_changes_once_and_says_why(store, made):
    mine = made()
    with store.begin() as tx:
        assert connections.set_status(tx, mine, "misconfigured", "no such shop", "shop")
        assert not connections.set_status(tx, mine, "misconfigured", "no such shop", "shop")
        assert connections.set_status(tx, mine, "misconfigured", "no such place", "shop")
    row = read(store, mine)
    assert (row.status, row.status_reason, row.status_field) == ("misconfigured", "no such place", "shop")


def fail(store, connection_id, now, times=1):
    with store.begin() as tx:
        for _ in range(times):
            connections.failed(tx, connection_id, "503", now)
    return read(store, connection_id)


def test_the_breaker_opens_after_ten_failures_in_a_row(store, made):
    mine = made()
    row = fail(store, mine, NOON, 9)
    assert (row.failures, row.open_until, row.last_error) == (9, None, "503")
    assert fail(store, mine, NOON).open_until == NOON + timedelta(seconds=30)


def test_the_breaker_opens_for_twice_as_long_each_time_up_to_a_quarter_of_an_hour(store, made):
    mine, now, pauses = made(), NOON, []
    fail(store, mine, now, 9)
    for _ in range(8):
        until = fail(store, mine, now).open_until
        pauses.append((until - now).total_seconds())
        now = until
    assert pauses == [30, 60, 120, 240, 480, 900, 900, 900]


def test_calls_that_were_out_when_it_opened_do_not_lengthen_it(store, made):
    mine = made()
    row = fail(store, mine, NOON, 24)
    assert (row.failures, row.open_until) == (10, NOON + timedelta(seconds=30))
    assert row.last_error_at == NOON


def test_a_success_closes_the_breaker_and_the_count_begins_anew(store, made):
    mine = made()
    fail(store, mine, NOON, 10)
    with store.begin() as tx:
        connections.succeeded(tx, mine, NOON + timedelta(seconds=31))
    row = read(store, mine)
    assert (row.failures, row.open_until, row.last_ok_at) == (0, None, NOON + timedelta(seconds=31))
    assert fail(store, mine, NOON, 9).open_until is None


def test_a_connection_that_was_never_used_can_be_forgotten(store, made):
    mine = made()
    with store.begin() as tx:
        connections.remove(tx, mine)
    with store.read() as tx:
        assert tx.execute(select(credential).where(credential.c.connection_id == mine)).first() is None
        with pytest.raises(UnknownConnectionError):
            connections.get(tx, mine)
