"""Shopify: our documents held to the published schemas, published payloads put through our maps."""

from __future__ import annotations

import gzip
from functools import cache

import orjson
import pytest
from graphql import (
    TypeInfo,
    build_client_schema,
    get_named_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_scalar_type,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values
from graphql.language import FieldNode, Visitor, visit
from graphql.utilities.type_info import TypeInfoVisitor

from connectors.shopify import queries
from connectors.shopify.client import PERSONAL, failure, wait_for_points
from connectors.shopify.plugin import API_VERSION, Shopify
from connectors.shopify.queries import DOCUMENTS
from connectors.shopify.sandbox import ShopifySandbox
from connectors.shopify.sources import LIVE
from connectors.shopify.webhooks import SUBSCRIBED
from hub import schemas
from hub.domain.entry import computed_total_minor
from hub.domain.shipping import ShipmentNotice, ShippedPackage, StockUpdate
from hub.mapping import load
from hub.mapping import table as code_table
from hub.sdk import Window, errors
from hub.testing import connect

pytestmark = pytest.mark.contracts

DEPRECATED = {"LineItem.fulfillmentService"}
"""Fields in use that Shopify has deprecated, each with no other way to learn the same of an order's line."""


@cache
def schema_of(folder, version):
    content = orjson.loads(
        gzip.decompress((folder / f"shopify/spec/admin_{version}.introspection.json.gz").read_bytes())
    )
    # The published schemas deprecate fields of interfaces in one place only, which graphql-core calls invalid.
    return build_client_schema(content.get("data", content), assume_valid=True)


@pytest.fixture
def schema(contracts):
    return schema_of(contracts, API_VERSION)


@pytest.fixture
def fixture(contracts):
    return lambda name: orjson.loads((contracts / f"shopify/public/rest_fixtures/{name}.json").read_bytes())


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_is_valid(name, schema, count):
    assert [error.message for error in validate(schema, parse(DOCUMENTS[name]))] == []
    count("Shopify", f"GraphQL documents valid on {API_VERSION}")


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_version_before_lacks_nothing_but_the_weight_of_lines(name, contracts, count):
    found = [error.message for error in validate(schema_of(contracts, "2026-04"), parse(DOCUMENTS[name]))]
    assert set(found) <= {"Cannot query field 'weight' on type 'LineItem'."}
    count("Shopify", "GraphQL documents valid on 2026-04" if not found else "GraphQL documents that need 2026-07")


def test_a_misspelt_field_is_noticed(schema):
    wrong = DOCUMENTS["ORDERS"].replace("updatedAt", "updatedOn")
    assert "updatedOn" in validate(schema, parse(wrong))[0].message


def fields_of(schema, document):
    """Every field that a document selects, with its parent type."""
    found = []
    info = TypeInfo(schema)

    class Collect(Visitor):
        def enter_field(self, node: FieldNode, *_):
            found.append((get_named_type(info.get_parent_type()), info.get_field_def(), node))

    visit(parse(document), TypeInfoVisitor(info, Collect()))
    return found


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_no_deprecated_field_is_asked_for_unless_it_is_listed(name, schema):
    old = {
        f"{parent.name}.{node.name.value}"
        for parent, field, node in fields_of(schema, DOCUMENTS[name])
        if field.deprecation_reason
    }
    assert old <= DEPRECATED


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_list_says_how_much_it_wants(name, schema):
    # The schema does not demand it; Shopify does at run time.
    for parent, field, node in fields_of(schema, DOCUMENTS[name]):
        if str(get_named_type(field.type)).endswith("Connection"):
            assert {"first", "last"} & {argument.name.value for argument in node.arguments}, (
                f"{parent.name}.{node.name.value}"
            )


def operation_of(document):
    return next(one for one in parse(document).definitions if one.kind == "operation_definition")


def wrong_variables(schema, body):
    """What of a call's variables does not fit the types that its document declares."""
    declared = operation_of(body["query"]).variable_definitions or ()
    read = get_variable_values(schema, declared, body["variables"])
    return [error.message for error in read] if isinstance(read, list) else []


def test_everything_that_is_sent_fits_the_schema(schema, count):
    """The connector is run against the sandbox; the schema then judges the variables of every call."""
    shop = ShopifySandbox()
    for sku in ("MUG", "TEE"):
        shop.add_product(sku, "12.50", stock=10)
    order = shop.place_order(
        [{"sku": "MUG", "quantity": 2, "duty": "1.00"}, ("TEE", 1)],
        discount=("SAVE", "3.00"),
        sale=("Autumn", "1.00"),
        tax_rate="0.07",
        shipping="5.00",
    )
    with shop.serve() as url:
        shopify = connect(Shopify, {"shop": shop.shop, "access_token": shop.token, "base_url": url, "page_size": 1})
        window = Window(order.placed.replace(year=2020), order.placed.replace(year=2030))
        assert shopify.check().ok
        assert [len(page.records) for page in shopify.orders(window, None)] == [1]
        assert dict(shopify.several([str(order.id)]))[str(order.id)]
        assert shopify.order(f"gid://shopify/FulfillmentOrder/{order.fulfillment_orders[0].id}")
        assert [len(page.records) for page in shopify.items(window, None)] == [1, 1]
        assert shopify.places()
        place, (_, variant) = str(shop.state.locations[0].id), shop.state.by_sku("TEE")
        told = StockUpdate(str(variant.id), "TEE", 3, "2026-11-20T12:00:00Z", location=place, previous=4)
        assert shopify.set_stock([told], "k")[0].actual == 9
        package = ShippedPackage("1Z1", "UPS", ((str(order.lines[0].id), 2),), "https://track.example.com/1Z1")
        assert shopify.confirm(ShipmentNotice("S-1", str(order.id), "2026-11-20T12:00:00Z", (package,)), "k")
        with pytest.raises(errors.AlreadyDone):  # how an unknown outcome is looked up
            shopify.confirm(ShipmentNotice("S-1", str(order.id), "2026-11-20T12:00:00Z", (package,)), "k")
        assert list(shopify.ensure("https://hub.example.com/in/1"))
        shopify.remove("https://hub.example.com/in/1")
    sent = [orjson.loads(call.body) for call in shop.calls]
    assert {body["query"] for body in sent} >= set(DOCUMENTS.values()) - {
        queries.ORDER,
        queries.ORDER_LINES,
        queries.ORDER_WORK,
        queries.PRODUCT_VARIANTS,
        queries.FULFILLMENT_ORDER_LINES,
    }
    orders = next(body for body in sent if body["query"] == queries.ORDERS)
    broken = {**orders, "variables": {**orders["variables"], "first": "many"}}
    assert wrong_variables(schema, broken)
    for body in sent:
        assert wrong_variables(schema, body) == []
        count("Shopify", "calls with variables that fit the schema")


def wrong_in(kind, value, path="data"):
    """What of an answer does not fit its declared type."""
    if is_non_null_type(kind):
        return [f"{path}: null"] if value is None else wrong_in(kind.of_type, value, path)
    if value is None:
        return []
    if is_list_type(kind):
        return [fault for at, one in enumerate(value) for fault in wrong_in(kind.of_type, one, f"{path}[{at}]")]
    if is_enum_type(kind):
        return [] if value in kind.values else [f"{path}: {value!r} is no {kind}"]
    if is_scalar_type(kind):
        return [] if isinstance(value, (str, int, float, bool)) else [f"{path}: {value!r}"]
    if is_object_type(kind):
        return [
            fault
            for name, inner in value.items()
            if name in kind.fields
            for fault in wrong_in(kind.fields[name].type, inner, f"{path}.{name}")
        ]
    return []


def test_the_sandbox_answers_orders_in_published_types(schema, count):
    shop = ShopifySandbox()
    shop.add_product("MUG", "12.50", stock=10)
    order = shop.place_order(
        [("MUG", 2)], discount=("SAVE", "3.00"), tax_rate="0.07", shipping="5.00", gift_card="1.00"
    )
    held = shop.place_order([("MUG", 2)])
    shop.hold(held.id, reason="Awaiting payment")
    later = shop.place_order([("MUG", 1)])
    shop.schedule(later.id, later.placed)
    shop.cancel_order(order.id)
    with shop.serve() as url:
        shopify = connect(Shopify, {"shop": shop.shop, "access_token": shop.token, "base_url": url})
        for one in (order, held, later):
            assert wrong_in(schema.type_map["Order"], shopify.order(str(one.id)).body) == []
            count("Shopify", "sandbox orders that fit the published types")


def test_every_state_of_a_fulfillment_order_is_known(schema):
    known = {state.lower() for state in schema.type_map["FulfillmentOrderStatus"].values}
    assert known == {state.lower() for state in LIVE} | {"cancelled", "closed", "incomplete"}


@pytest.mark.parametrize("name", sorted(PERSONAL))
def test_personal_data_of_an_order_may_be_empty(name, schema):
    assert not is_non_null_type(schema.type_map["Order"].fields[name].type)


def test_the_topics_exist(schema, count):
    assert set(SUBSCRIBED) <= set(schema.type_map["WebhookSubscriptionTopic"].values)
    count("Shopify", "webhook topics that exist", len(SUBSCRIBED))


def test_codes_that_are_told_apart_exist(schema):
    codes = set(schema.type_map["InventorySetQuantitiesUserErrorCode"].values)
    assert {
        "CHANGE_FROM_QUANTITY_STALE",
        "IDEMPOTENCY_CONCURRENT_REQUEST",
        "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED",
    } <= codes


@pytest.mark.parametrize(
    ("table", "kind", "apart"),
    [
        ("payment_status", "OrderDisplayFinancialStatus", set()),
        ("payment_kind", "OrderTransactionKind", {"suggested_refund"}),
        ("payment_outcome", "OrderTransactionStatus", set()),
        ("product_status", "ProductStatus", set()),
    ],
)
def test_code_tables_know_every_published_code(table, kind, apart, schema, count):
    published = {code.lower() for code in schema.type_map[kind].values}
    assert published - apart == {code.lower() for code in code_table(f"shopify/{table}").values}
    count("Shopify", "published codes in code tables", len(published))


def test_the_published_throttled_answer_puts_off_for_as_long_as_points_are_missing(contracts, count):
    answer = orjson.loads((contracts / "shopify/public/graphql_errors/throttled.json").read_bytes())
    error = failure(answer, safe=True)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s == wait_for_points(answer) == (452 - 202) / 50
    count("Shopify", "published error answers classified")


def test_a_published_order_becomes_a_valid_document(fixture, count):
    order = fixture("order")["order"]
    document = load("shopify/orders_webhook.yml").apply(order)
    assert schemas.errors("order.v1", document) == []
    assert document["external_id"] == str(order["id"])
    assert document["revision"] == "2008-01-10T16:00:00.000000Z"
    assert [line["external_id"] for line in document["lines"]] == [str(line["id"]) for line in order["line_items"]]
    assert [line["sku"] for line in document["lines"]] == [line["sku"] for line in order["line_items"]]
    assert document["shipping_address"]["country"] == "US"
    assert document["properties"][0] == order["note_attributes"][0]
    # 11.94 of tax for the whole order over three lines of equal worth.
    assert [line["taxes"][0]["amount_minor"] for line in document["lines"]] == [398, 398, 398]
    count("Shopify", "order payloads mapped")


def test_a_published_order_whose_total_contradicts_its_lines_does_not_add_up(fixture):
    document = schemas.parse("order.v1", load("shopify/orders_webhook.yml").apply(fixture("order")["order"]))
    # The fixture states 398.00 of goods and lists three lines of 199.00: its own numbers do not allow a match.
    assert (document.totals.total_minor, computed_total_minor(document)) == (40994, 3 * 19900 + 1194)


def test_a_published_order_without_lines_is_drift_and_says_where(fixture, count):
    (order,) = fixture("orders")["orders"]
    with pytest.raises(errors.SchemaDrift) as drift:
        load("shopify/orders_webhook.yml").apply(order)
    assert drift.value.path == "lines"
    count("Shopify", "payloads refused with the place named")


def test_a_published_order_that_lacks_lines_maps_once_it_has_them(fixture, count):
    (order,) = fixture("orders")["orders"]
    lines = fixture("order")["order"]["line_items"]
    # 597.00 of goods, 10.00 off, 11.94 of tax: the total of 598.94 that it states.
    whole = {**order, "line_items": lines, "tax_lines": [{"title": "State Tax", "rate": 0.02, "price": "11.94"}]}
    document = load("shopify/orders_webhook.yml").apply(whole)
    assert schemas.errors("order.v1", document) == []
    parsed = schemas.parse("order.v1", document)
    assert computed_total_minor(parsed) == parsed.totals.total_minor == 59894
    count("Shopify", "order payloads mapped")


def test_a_published_draft_is_no_order_for_its_lines_have_no_ids(fixture, count):
    for draft in fixture("draft_orders")["draft_orders"]:
        with pytest.raises(errors.SchemaDrift) as drift:
            load("shopify/orders_webhook.yml").apply(draft)
        assert drift.value.path == "lines[0].external_id"
        count("Shopify", "payloads refused with the place named")


def test_published_products_become_valid_documents(fixture, count):
    for product in fixture("products"):
        document = load("shopify/products_webhook.yml").apply(product)
        assert schemas.errors("product.v1", document) == []
        assert [one["external_id"] for one in document["variants"]] == [str(one["id"]) for one in product["variants"]]
        assert "<" not in document["description"]
        count("Shopify", "product payloads mapped")


def test_published_variants_become_valid_documents(fixture, count):
    variants = [*fixture("variants")["variants"], fixture("variant")["variant"]]
    product = {**fixture("products")[0], "variants": variants}
    document = load("shopify/products_webhook.yml").apply(product)
    assert schemas.errors("product.v1", document) == []
    assert [one["weight_g"] for one in document["variants"]] == [one["grams"] for one in variants]
    count("Shopify", "variant payloads mapped", len(variants))


@pytest.mark.parametrize("name", ["inventory_levels", "location_inventory_levels"])
def test_published_stock_levels_become_valid_documents(name, fixture, count):
    for level in fixture(name)["inventory_levels"]:
        document = load("shopify/inventory_levels.yml").apply(level)
        assert schemas.errors("inventory.v1", document) == []
        assert document["available"] == level["available"]
        assert document["as_of"] == "2018-05-07T19:33:38Z"
        count("Shopify", "stock level payloads mapped")
