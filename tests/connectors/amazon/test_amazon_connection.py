"""Signing in, checking, and how Amazon's refusals are understood."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from connectors.marketplaces.amazon.manifest import MANIFEST
from connectors.marketplaces.amazon.plugin import Amazon
from connectors.marketplaces.amazon.sandbox import SELLER
from hub.sdk import capabilities, errors
from hub.testing import Fault, connect
from hub.testing.context import MemoryLimiter, MemoryTokens


def test_the_sandbox_settings_are_what_the_form_asks_for(shop):
    Draft202012Validator(MANIFEST.config_schema).validate(shop.settings())


def test_it_can_do_what_a_marketplace_needs():
    assert set(capabilities(Amazon)) == {"OrderSource", "StockSink", "ShipmentSink", "CatalogSource"}


def test_the_check_names_account_and_store(amazon):
    found = amazon.check()
    assert (found.ok, found.unique_id, found.label) == (True, SELLER, "Demo store")


def test_the_check_names_a_marketplace_where_the_account_does_not_sell(shop, clock):
    wrong = connect(Amazon, shop.settings() | {"marketplace_ids": ["A1PA6795UKMFR9"]}, clock=clock).check()
    assert (wrong.ok, wrong.error_code, wrong.field) == (False, "config_invalid", "marketplace_ids")
    assert "A1PA6795UKMFR9" in wrong.error


@pytest.mark.parametrize(
    ("setting", "words"), [("refresh_token", "invalid_grant"), ("client_secret", "invalid_client")]
)
def test_a_wrong_credential_asks_a_person_to_sign_in_again(shop, setting, words):
    found = connect(Amazon, shop.settings() | {setting: "wrong"}).check()
    assert (found.ok, found.error_code) == (False, "auth_rejected")
    assert words in found.error


def test_one_access_token_serves_many_calls_and_goes_in_amazons_header(shop, amazon, lately):
    amazon.check()
    list(amazon.orders(lately, None))
    assert shop.count("POST /auth/o2/token") == 1
    call = shop.calls[-1]
    headers = {name.lower(): value for name, value in call.headers.items()}
    assert headers["x-amz-access-token"] in shop.tokens
    assert "authorization" not in headers


def test_a_token_that_amazon_has_dropped_is_replaced_at_once(shop, clock):
    tokens = MemoryTokens()
    amazon = connect(Amazon, shop.settings(), tokens=tokens, clock=clock)
    assert amazon.check().ok
    shop.expire_tokens()
    assert amazon.check().ok
    assert tokens.fetched == 2


def test_workers_that_hear_of_a_dead_token_one_after_another_fetch_one(shop, clock):
    tokens = MemoryTokens()
    first, second = (connect(Amazon, shop.settings(), tokens=tokens, clock=clock) for _ in range(2))
    number = shop.place_order([("MUG", 1)])
    first.order(number)
    shop.expire_tokens()
    waiting = [second]
    # The second is refused and goes on with a new token while the call of the first is under way.
    shop.app.before_request_funcs[None].insert(0, lambda: waiting.pop().order(number) and None if waiting else None)
    assert first.order(number).external_id == number
    assert shop.count("POST /auth/o2/token") == 2


def test_a_missing_role_is_a_missing_permission_not_a_dead_token(shop, clock):
    tokens = MemoryTokens()
    other = connect(Amazon, shop.settings() | {"seller_id": "A1SOMEBODYELSE"}, tokens=tokens, clock=clock)
    with pytest.raises(errors.MissingPermission, match="Access to requested resource is denied"):
        other._client.listings(["ATVPDKIKX0DER"], None, "2026-11-22T12:00:00Z", None)
    assert tokens.fetched == 1


def test_a_throttled_search_waits_for_the_rate_that_amazon_states(shop, clock, lately):
    shop.keep_rates = True
    limiter = MemoryLimiter()
    amazon = connect(Amazon, shop.settings(), limiter=limiter, clock=clock)
    for _ in range(20):
        list(amazon.orders(lately, None))
    with pytest.raises(errors.RateLimited) as caught:
        list(amazon.orders(lately, None))
    assert caught.value.bucket == "orders.search"
    assert caught.value.retry_after_s == pytest.approx(1 / 0.0056)
    assert "orders.search" in limiter.paused_until
    assert "orders.get" not in limiter.paused_until


def test_a_search_is_free_again_after_three_minutes(shop, clock, lately):
    shop.keep_rates = True
    for _ in range(20):
        list(connect(Amazon, shop.settings(), clock=clock).orders(lately, None))
    clock.tick(seconds=179)
    assert list(connect(Amazon, shop.settings(), clock=clock).orders(lately, None))


@pytest.mark.parametrize(
    ("method", "path", "bucket"),
    [
        ("GET", "/orders/2026-01-01/orders", "orders.search"),
        ("GET", "/orders/2026-01-01/orders/902-1", "orders.get"),
        ("POST", "/orders/v0/orders/902-1/shipmentConfirmation", "orders.confirm"),
        ("PATCH", "/listings/2021-08-01/items/A1/MUG", "listings.patch"),
        ("GET", "/listings/2021-08-01/items/A1", "listings.search"),
        ("GET", "/sellers/v1/marketplaceParticipations", "sellers"),
    ],
)
def test_each_operation_draws_on_its_own_quota(amazon, method, path, bucket):
    assert amazon.ctx.http.limit_for(method, f"https://sellingpartnerapi-eu.amazon.com{path}").bucket == bucket


def test_a_read_survives_one_lost_answer(shop, amazon, lately):
    shop.place_order([("MUG", 1)])
    shop.faults.append(Fault("error_500", match="GET /orders"))
    assert len(next(amazon.orders(lately, None)).records) == 1


def test_a_page_of_maintenance_is_drift_not_an_empty_shop(shop, amazon, lately):
    shop.faults.append(Fault("garbage", match="GET /orders"))
    with pytest.raises(errors.SchemaDrift):
        list(amazon.orders(lately, None))


def test_the_region_decides_the_host_when_no_other_address_is_set(shop):
    settings = {name: value for name, value in shop.settings().items() if name != "base_url"}
    far_east = connect(Amazon, settings | {"region": "fe"})
    assert far_east._client.base_url == "https://sellingpartnerapi-fe.amazon.com"
