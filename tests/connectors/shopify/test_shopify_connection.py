"""The connection itself: what "check" says, quotas, and what each failure becomes."""

from __future__ import annotations

import pytest
from jsonschema import Draft202012Validator

from connectors.shopify.client import GRAPHQL, Admin, failure, wait_for_points, withheld
from connectors.shopify.plugin import SCOPES, Shopify
from connectors.shopify.sandbox import ShopifySandbox
from hub import schemas
from hub.domain.shipping import ShipmentNotice, ShippedPackage, StockUpdate
from hub.mapping import load
from hub.sdk import errors
from hub.testing import Fault, connect
from hub.testing.context import MemoryLimiter


def test_a_good_connection_says_which_shop_it_is(shopify):
    found = shopify.check()
    assert (found.ok, found.unique_id, found.label) == (True, "1", "Demo")


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"access_token": "wrong"}, "auth_rejected", "access_token"),
        ({"shop": "other.myshopify.com"}, "config_invalid", "shop"),
        ({"api_version": "2026-10"}, "config_invalid", "shop"),
        ({"api_version": "2026-04"}, "config_invalid", "api_version"),
        ({"base_url": "http://127.0.0.1:9"}, "transient", ""),
    ],
)
def test_a_bad_setting_is_named(changes, code, field, settings):
    found = connect(Shopify, {**settings, **changes}).check()
    assert (found.ok, found.error_code, found.field) == (False, code, field)
    assert found.error


def test_a_missing_scope_is_named(shop, shopify):
    shop.api.scopes = ["read_orders", "write_products"]
    found = shopify.check()
    assert (found.ok, found.error_code) == (False, "missing_permission")
    assert "write_inventory" in found.error
    assert "read_customers" in found.error
    assert "read_products" not in found.error


def test_every_scope_that_is_asked_for_is_needed_and_no_other(shop, shopify, window, clock):
    def everything():
        assert list(shopify.orders(window, None))
        assert list(shopify.items(window, None))
        assert shopify.places()
        told = StockUpdate(str(shop.state.by_sku("MUG")[1].id), "MUG", 9, clock().isoformat(), location=place)
        assert shopify.set_stock([told], "k")[0].error is None
        shopify.confirm(ShipmentNotice("SH-1", str(order.id), clock().isoformat(), (package,)), "k")

    order, place = shop.place_order([("MUG", 2)]), str(shop.state.locations[0].id)
    package = ShippedPackage("1Z1", "UPS", ((str(order.lines[0].id), 1),), None)
    shop.api.scopes = SCOPES
    everything()
    for scope in SCOPES:
        shop.api.scopes = [one for one in SCOPES if scope not in (one, one.replace("write_", "read_"))]
        found = shopify.check()
        assert (found.ok, found.error_code) == (False, "missing_permission")


def test_a_connection_says_what_of_people_it_is_not_shown(shop, shopify):
    assert shopify.check().warning == ""
    shop.place_order([("MUG", 1)])
    assert shopify.check().warning == ""
    shop.api.unapproved = {"address1", "firstName"}
    found = shopify.check()
    assert found.ok
    assert "not approved to use the address1 field" in found.warning
    assert "not approved to use the firstName field" in found.warning


def test_writing_includes_reading(shop, shopify):
    shop.api.scopes = [scope.replace("read_", "write_") for scope in SCOPES]
    assert shopify.check().ok


@pytest.mark.parametrize("kind", ["garbage", "error_500", "drop", "throttle"])
def test_check_never_raises_for_what_the_remote_side_does(kind, shop, shopify):
    shop.faults.append(Fault(kind, "graphql", times=9))
    assert not shopify.check().ok


def test_a_wrong_token_is_rejected(settings, window):
    with pytest.raises(errors.AuthRejected):
        next(connect(Shopify, {**settings, "access_token": "wrong"}).orders(window, None))


def test_a_used_up_quota_puts_the_work_off_until_there_are_enough_points(shop, shopify, window):
    shop.points, shop.restored_per_second = 0.0, 50.0
    with pytest.raises(errors.RateLimited) as put_off:
        next(shopify.orders(window, None))
    asked = 2 + 2 * 3  # two orders of twenty lines, as the sandbox counts
    assert put_off.value.retry_after_s == pytest.approx(asked / 50)
    assert put_off.value.bucket == "graphql"


def test_nobody_calls_while_the_quota_lacks_points(shop, settings, window):
    limiter = MemoryLimiter()
    shop.points, shop.restored_per_second = 0.0, 1.0
    with pytest.raises(errors.RateLimited):
        next(connect(Shopify, settings, limiter=limiter).orders(window, None))
    asked = len(shop.calls)
    with pytest.raises(errors.RateLimited):
        next(connect(Shopify, settings, limiter=limiter).orders(window, None))
    assert len(shop.calls) == asked
    assert limiter.take(GRAPHQL) > 0


def cost(asked, left, rate=50.0, most=1000.0):
    status = {"maximumAvailable": most, "currentlyAvailable": left, "restoreRate": rate}
    return {"extensions": {"cost": {"requestedQueryCost": asked, "throttleStatus": status}}}


@pytest.mark.parametrize(
    ("answer", "wait"),
    [(cost(452, 202), 5.0), (cost(100, 500), 0.0), (cost(5000, 0), 20.0), ({}, 0.0), (cost(10, 0, rate=0), 0.0)],
)
def test_the_wait_is_what_is_missing_by_what_is_restored(answer, wait):
    assert wait_for_points(answer) == pytest.approx(wait)


@pytest.mark.parametrize(
    ("code", "safe", "error"),
    [
        ("THROTTLED", True, errors.RateLimited),
        ("ACCESS_DENIED", True, errors.MissingPermission),
        ("SHOP_INACTIVE", True, errors.ConfigInvalid),
        ("INTERNAL_SERVER_ERROR", True, errors.Transient),
        ("INTERNAL_SERVER_ERROR", False, errors.OutcomeUnknown),
        ("MAX_COST_EXCEEDED", True, errors.Rejected),
        ("BAD_REQUEST", True, errors.Rejected),
        ("undefinedField", True, errors.SchemaDrift),
    ],
)
def test_every_kind_of_answer_with_errors_has_its_class(code, safe, error):
    said = failure({"errors": [{"message": "no", "extensions": {"code": code}}]}, safe=safe)
    assert type(said).__mro__.count(error) == 1
    assert "no" in str(said)


def test_a_missing_scope_in_an_answer_is_kept():
    said = {
        "message": "Access denied for orders field.",
        "extensions": {"code": "ACCESS_DENIED", "requiredAccess": "`read_orders` access scope."},
    }
    error = failure({"errors": [said]}, safe=True)
    assert isinstance(error, errors.MissingPermission)
    assert "read_orders" in error.scope


def denied(*path, code="ACCESS_DENIED"):
    return {"message": "no", "path": list(path), "extensions": {"code": code}}


@pytest.mark.parametrize(
    ("data", "errors_", "missing"),
    [
        ({"order": {"customer": None}}, [denied("order", "customer")], ["customer"]),
        (
            {"order": {"customer": {"firstName": None}}},
            [denied("order", "customer", "firstName")],
            ["customer.firstName"],
        ),
        (
            {"orders": {"nodes": [{"email": None, "phone": None}]}},
            [denied("orders", "nodes", 0, "email"), denied("orders", "nodes", 0, "phone")],
            ["email", "phone"],
        ),
        ({"order": None}, [denied("order", "customer")], []),  # more is gone than a person's data
        ({"order": {"customer": None}}, [denied("order", "customer"), denied("order", "lineItems")], []),
        ({"order": {"customer": None}}, [denied("order", "customer", code="INTERNAL_SERVER_ERROR")], []),
        ({"order": {"customer": None}}, [{"message": "no"}], []),
        ({"order": {"customer": None}}, ["no"], []),
        (None, [denied("order", "customer")], []),
    ],
)
def test_only_a_persons_data_may_be_missing_from_an_answer(data, errors_, missing):
    assert [name for _, name in withheld({"data": data, "errors": errors_})] == missing


def test_a_field_that_does_not_exist_is_drift(shopify):
    with pytest.raises(errors.SchemaDrift, match="fullfilmentStatus"):
        Admin(shopify.ctx).read("query { shop { fullfilmentStatus } }")


@pytest.mark.parametrize("size", ["", "(first: 251)", "(first: 0)"])
def test_the_shop_refuses_a_list_without_a_proper_size(size, shopify):
    with pytest.raises(errors.Rejected, match="first"):
        Admin(shopify.ctx).read(f"query {{ locations{size} {{ nodes {{ id }} }} }}")


def test_the_settings_accept_a_good_form_and_refuse_a_bad_one(settings):
    check = Draft202012Validator(Shopify.manifest.config_schema)
    assert check.is_valid({"shop": "demo.myshopify.com", "access_token": "x"})
    for wrong in ({"shop": "www.example.com"}, {"shop": "demo.myshopify.com.example.com"}, {"api_version": "2026-7"}):
        assert not check.is_valid({"shop": "demo.myshopify.com", "access_token": "x", **wrong})


def test_secrets_are_sent_in_their_header_only(shop, shopify):
    shopify.check()
    assert shop.calls[-1].headers["X-Shopify-Access-Token"] == shop.token
    assert shop.token.encode() not in shop.calls[-1].body


def test_locations_are_listed_with_those_switched_off(shop, shopify):
    shop.add_location("Old barn", "CA", active=False)
    assert [(place.name, place.active, place.address.country) for place in shopify.places()] == [
        ("Springfield", True, "US"),
        ("Old barn", False, "CA"),
    ]


def test_products_come_with_all_variants_and_the_shops_currency(shop, shopify, window):
    shop.add_product("CUP-0", "9.00", title="Cup", options={"Size": "0"}, status="UNLISTED", tags=["blue"])
    product = shop.state.products[-1]
    for number in range(1, 120):
        shop.add_product(f"CUP-{number}", "9.50", options={"Size": str(number)}, product=product)
    records = [record for page in shopify.items(window, None) for record in page.records]
    assert [record.external_id for record in records] == [str(one.id) for one in shop.state.products]
    document = load("shopify/products.yml").apply(records[-1].body)
    assert schemas.errors("product.v1", document) == []
    assert (document["status"], document["tags"]) == ("active", ["blue"])
    assert len(document["variants"]) == 120
    first = document["variants"][0]
    assert first["inventory_external_id"] == str(product.variants[0].item)
    assert (first["price"], first["currency"], first["weight_g"], first["tracked"]) == ("9.00", "USD", 250, True)


def test_a_scripted_day_repeats_itself(clock):
    def day():
        shop = ShopifySandbox(clock=clock)
        shop.add_product("MUG", "12.50", stock=10)
        order = shop.place_order([("MUG", 2)])
        return shop.webhook("orders/create", order)

    assert day() == day()
