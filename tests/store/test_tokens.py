"""Access tokens: fetched by one worker for all, and the rotated refresh token is kept before the token is used."""

from __future__ import annotations

import dataclasses
import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from sqlalchemy import select

from hub.sdk import errors
from hub.store import connections
from hub.store.database import new_id
from hub.store.sealing import Keyring, new_key
from hub.store.tables import credential
from tests.store.token_endpoint import TokenEndpoint, fetch_in_process, worker

KEYS = new_key("test")


class Clock:
    def __init__(self):
        self.now = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def __call__(self):
        return self.now

    def later(self, **span):
        self.now += timedelta(**span)


@pytest.fixture
def endpoint():
    made = TokenEndpoint()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def hired(store, endpoint, clock):
    """Hires workers of one connection."""
    keyring = Keyring.parse(KEYS)
    with store.begin() as tx:
        connection_id = connections.add(tx, keyring, plugin="shop", name=new_id(), config={}, secrets={})

    def hire(**options):
        given = {"clock": clock, "store_clock": clock, "sleep": lambda _: None, **options}
        return worker(store, keyring, connection_id, endpoint.url, **given)

    hire.connection_id = connection_id
    return hire


def bearer(tokens, **options):
    return tokens.headers(**options)["Authorization"].removeprefix("Bearer ")


def test_a_token_is_fetched_once_and_used_until_four_fifths_of_its_life(hired, endpoint, clock):
    assert [bearer(hired()) for _ in range(3)] == ["token-1"] * 3
    clock.later(seconds=2879)
    assert bearer(hired()) == "token-1"
    clock.later(seconds=1)
    assert bearer(hired()) == "token-2"
    assert endpoint.asked[0] == {
        "grant_type": "refresh_token",
        "client_id": "id",
        "client_secret": "s3cret-client",
        "refresh_token": "refresh-0",
    }


def test_the_rotated_refresh_token_is_the_next_one_that_is_shown(hired, endpoint, clock):
    for _ in range(3):
        bearer(hired())
        clock.later(hours=1)
    assert [asked["refresh_token"] for asked in endpoint.asked] == ["refresh-0", "refresh-1", "refresh-2"]


def test_the_rotated_refresh_token_is_stored_when_the_token_is_handed_out(store, hired, endpoint):
    tokens = hired()
    bearer(tokens)
    assert hired().store.refresh_token() == "refresh-1"
    with store.read() as tx:
        mine = credential.c.connection_id == hired.connection_id
        row = tx.execute(select(credential).where(mine)).mappings().one()
    stored = b"".join(value for value in row.values() if isinstance(value, bytes))
    assert b"token-1" not in stored
    assert b"refresh-1" not in stored


def test_eight_threads_that_need_a_token_at_once_make_one_call(hired, endpoint):
    endpoint.delay_s = 0.2
    tokens = hired(sleep=time.sleep)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: bearer(tokens), range(8)))
    assert found == ["token-1"] * 8
    assert len(endpoint.asked) == 1


def test_eight_threads_whose_token_was_refused_at_once_renew_it_once(hired, endpoint):
    endpoint.delay_s = 0.1
    tokens = hired(sleep=time.sleep)
    refused = tokens.headers()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: bearer(tokens, renew=True, refused=refused), range(8)))
    assert found == ["token-2"] * 8
    assert len(endpoint.asked) == 2


def test_two_processes_that_need_a_token_at_once_make_one_call(store, hired, endpoint):
    endpoint.delay_s = 0.2
    spawn = multiprocessing.get_context("spawn")
    results, start = spawn.Queue(), spawn.Event()
    given = (store.url, KEYS, hired.connection_id, endpoint.url, results, start)
    workers = [spawn.Process(target=fetch_in_process, args=given) for _ in range(2)]
    for one in workers:
        one.start()
    start.set()
    found = [results.get(timeout=30) for _ in workers]
    for one in workers:
        one.join(10)
    assert [*found[0], *found[1]] == ["Bearer token-1"] * 8
    assert len(endpoint.asked) == 1


def test_a_worker_that_looked_before_another_had_fetched_does_not_fetch_again(hired, endpoint):
    class SlowLook:
        """A store through which the first look sees nothing yet."""

        def __init__(self, store):
            self.store, self.looks = store, 0

        def read(self):
            self.looks += 1
            return None if self.looks == 1 else self.store.read()

        def __getattr__(self, name):
            return getattr(self.store, name)

    assert bearer(hired()) == "token-1"
    late = hired()
    assert bearer(dataclasses.replace(late, store=SlowLook(late.store))) == "token-1"
    assert len(endpoint.asked) == 1
    assert hired().store.claim()  # and it left no claim behind


class Late:
    """A store through which a new sign-in comes between the endpoint's answer and the moment it is kept."""

    def __init__(self, store, sign_in):
        self.store, self.sign_in = store, sign_in

    def save(self, token, refresh_token):
        self.sign_in()
        self.store.save(token, refresh_token)

    def __getattr__(self, name):
        return getattr(self.store, name)


def test_a_token_of_the_secrets_before_is_not_kept_after_a_new_sign_in(store, hired, endpoint):
    def sign_in():
        with store.begin() as tx:
            keyring = Keyring.parse(KEYS)
            connections.change_settings(tx, keyring, hired.connection_id, {}, {"refresh_token": "new"}, Clock().now)

    before = hired()
    assert bearer(dataclasses.replace(before, store=Late(before.store, sign_in))) == "token-1"
    after = hired(store_sign_ins=1)
    assert (after.store.read(), after.store.refresh_token()) == (None, None)
    assert bearer(after) == "token-2", "it need not wait for the claim of the other"
    before.store.release()
    before.store.save(before.store.read(), "refresh-1")
    assert not before.store.claim()
    assert after.store.refresh_token() == "refresh-2"


def test_a_refresh_token_is_kept_when_only_other_settings_changed_meanwhile(store, hired, endpoint):
    def change():
        with store.begin() as tx:
            connections.change_settings(tx, Keyring.parse(KEYS), hired.connection_id, {"page": 5}, {}, Clock().now)

    tokens = hired()
    bearer(dataclasses.replace(tokens, store=Late(tokens.store, change)))
    assert hired().store.refresh_token() == "refresh-1"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, b'{"error": "invalid_grant"}', errors.AuthRejected),
        (401, b'{"error": "invalid_client"}', errors.AuthRejected),
        (403, b"forbidden", errors.AuthRejected),
        (200, b'{"error": "bad_verification_code"}', errors.AuthRejected),
        (200, b'{"access_token": null}', errors.AuthRejected),
        (200, b"[]", errors.AuthRejected),
        (200, b"<html>maintenance</html>", errors.Transient),
        (200, b"", errors.Transient),
        (500, b"", errors.Transient),
        (503, b"", errors.Transient),
        (302, b"", errors.Transient),
        (429, b"", errors.RateLimited),
        (301, b"", errors.ConfigInvalid),
        (404, b"", errors.ConfigInvalid),
        (422, b"", errors.ConfigInvalid),
    ],
)
def test_what_the_token_endpoint_says_is_never_taken_for_an_answer_to_the_call(hired, endpoint, status, body, error):
    endpoint.answers = [(status, body)]
    with pytest.raises(errors.ConnectorError) as caught:
        bearer(hired())
    assert type(caught.value) is error
    assert len(endpoint.asked) == 1
    assert bearer(hired()) == "token-1"  # the claim was given back: nobody waits until it lapses


def test_a_refusal_shows_no_secret(hired, endpoint, clock):
    bearer(hired())
    clock.later(hours=2)
    endpoint.answers = [(400, b'{"error": "invalid_grant", "token": "refresh-1"}')]
    with pytest.raises(errors.AuthRejected, match=r"invalid_grant.*•••") as caught:
        bearer(hired())
    assert "refresh-1" not in str(caught.value)


def test_an_endpoint_that_is_not_there_is_passing_and_the_claim_is_given_back(hired, endpoint):
    away = hired()
    away.values["token_host"] = "http://127.0.0.1:9"
    with pytest.raises(errors.Transient, match="no connection"):
        bearer(away)
    assert bearer(hired()) == "token-1"


def test_the_claim_of_a_worker_that_died_lapses(hired, endpoint, clock):
    assert hired().store.claim()  # and then the process was killed
    with pytest.raises(errors.Transient, match="another worker is renewing"):
        bearer(hired())
    assert endpoint.asked == []
    clock.later(seconds=21)
    assert bearer(hired()) == "token-1"


def test_a_worker_that_waits_takes_over_when_the_claim_lapses(hired, endpoint, clock):
    assert hired().store.claim()
    assert bearer(hired(sleep=lambda seconds: clock.later(seconds=seconds))) == "token-1"


def test_a_short_claim_lapses_sooner(hired, clock):
    assert hired(store_claim_lasts=timedelta(seconds=2)).store.claim()
    clock.later(seconds=1.9)
    assert not hired().store.claim()
    clock.later(seconds=0.2)
    assert hired().store.claim()


def test_while_one_renews_the_others_use_the_token_until_it_is_dead(hired, endpoint, clock):
    bearer(hired())
    clock.later(seconds=3000)  # past its renewal, before its end
    assert hired().store.claim()
    assert bearer(hired()) == "token-1"
    with pytest.raises(errors.Transient):  # but not when it is the very one that was refused
        bearer(hired(), renew=True)


@pytest.mark.parametrize(("stated", "lives_s"), [("3600", 3600), (None, 3600), (0, 3600), ("soon", 3600), (60, 60)])
def test_the_life_of_a_token_is_an_hour_unless_stated(hired, endpoint, clock, stated, lives_s):
    endpoint.answers = [(200, orjson.dumps({"access_token": "a", "expires_in": stated}))]
    assert bearer(hired()) == "a"
    assert hired().store.read().expires_at == clock.now + timedelta(seconds=lives_s)


def test_tokens_and_secrets_are_not_printed(hired):
    tokens = hired()
    bearer(tokens)
    printed = repr(tokens) + repr(tokens.store.read()) + repr(tokens.headers) + repr(tokens.store)
    for secret in ("token-1", "s3cret-client", "refresh-0", KEYS.partition(":")[2]):
        assert secret not in printed
