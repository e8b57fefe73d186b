"""Tokens, the check of the settings, and places."""

from __future__ import annotations

import pytest

from connectors.threepl.shiphero.plugin import ShipHero
from hub.sdk import errors
from hub.testing import Fault, connect
from hub.testing.context import MemoryTokens


def test_the_refresh_token_is_sent_as_json_to_the_same_host_and_once(sandbox, settings):
    tokens = MemoryTokens()
    shiphero = connect(ShipHero, settings, tokens=tokens)
    assert shiphero.check().ok
    assert shiphero.places()
    assert (sandbox.count("POST /auth/refresh"), tokens.fetched) == (1, 1)


@pytest.mark.parametrize("with_200", [False, True])
def test_an_expired_token_is_renewed_once_and_the_order_is_made_once(sandbox, settings, request_for, with_200):
    sandbox.refuses_with_200 = with_200
    shiphero = connect(ShipHero, settings)
    shiphero.check()
    sandbox.expire_tokens()
    shiphero.submit(request_for("FO-1"), "key")
    assert sandbox.count("POST /auth/refresh") == 2
    assert len(sandbox.orders) == 1


@pytest.mark.parametrize("with_200", [False, True])
def test_workers_that_hear_of_a_dead_token_one_after_another_fetch_one(sandbox, settings, with_200):
    sandbox.refuses_with_200 = with_200
    tokens = MemoryTokens()
    first, second = (connect(ShipHero, settings, tokens=tokens) for _ in range(2))
    first.check()
    sandbox.expire_tokens()
    waiting = [second]
    # The second is refused and goes on with a new token while the call of the first is under way.
    sandbox.app.before_request_funcs[None].insert(0, lambda: waiting.pop().places() and None if waiting else None)
    assert first.places()
    assert sandbox.count("POST /auth/refresh") == 2


def test_a_wrong_refresh_token_asks_for_a_new_one(settings):
    result = connect(ShipHero, {**settings, "refresh_token": "wrong"}).check()
    assert (result.ok, result.error_code) == (False, "auth_rejected")
    assert "Unknown or invalid refresh token" in result.error


def test_the_account_names_the_connection(shiphero, settings):
    result = shiphero.check()
    assert (result.ok, result.label) == (True, "demo")
    customer = connect(ShipHero, {**settings, "customer_account_id": "Q1"}).check()
    assert customer.unique_id == f"{result.unique_id}/Q1"


def test_a_warehouse_that_does_not_exist_is_named_with_its_setting(settings):
    result = connect(ShipHero, {**settings, "default_warehouse": "nowhere"}).check()
    assert (result.ok, result.field, result.error_code) == (False, "default_warehouse", "config_invalid")


@pytest.mark.parametrize(
    ("fault", "code"), [("error_500", "transient"), ("garbage", "schema_drift"), ("throttle", "rate_limited")]
)
def test_a_remote_failure_is_told_and_not_raised(sandbox, shiphero, fault, code):
    sandbox.faults.append(Fault(fault, "POST /graphql", times=9))
    result = shiphero.check()
    assert (result.ok, result.error_code) == (False, code)


def test_places_are_the_warehouses_with_the_ids_that_orders_need(sandbox, shiphero):
    ids = [sandbox.add_warehouse("Primary"), sandbox.add_warehouse("West", "CA")]
    places = shiphero.places()
    assert [(place.external_id, place.name, place.address.country) for place in places] == [
        (ids[0], "Primary", "US"),
        (ids[1], "West", "CA"),
    ]


def test_a_secret_never_stands_in_an_error(sandbox, settings):
    sandbox.faults.append(Fault("error_500", "POST /auth/refresh", times=9))
    shiphero = connect(ShipHero, settings)
    with pytest.raises(errors.Transient) as failed:
        shiphero.places()
    assert settings["refresh_token"] not in str(failed.value)
