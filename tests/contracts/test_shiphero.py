"""ShipHero: our documents, the sandbox's answers and the published webhook, held to the published material."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from graphql import (
    FragmentDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    extend_schema,
    parse,
    validate,
    visit,
)
from graphql.type import (
    get_named_type,
    is_enum_type,
    is_list_type,
    is_non_null_type,
    is_object_type,
    is_scalar_type,
)

from connectors.threepl.shiphero import webhooks
from connectors.threepl.shiphero.plugin import ShipHero
from connectors.threepl.shiphero.queries import DOCUMENTS
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from connectors.threepl.shiphero.selection import root
from hub import schemas
from hub.domain.documents import Address
from hub.domain.shipping import FulfillmentRequest, RequestLine
from hub.mapping import load
from hub.sdk import WebhookRequest, Window, webhook_secret_name
from hub.testing import connect

pytestmark = pytest.mark.contracts


ADDED = """
enum CustomersWebhookHealth { HEALTHY WARNING UNHEALTHY }
extend type Webhook { enabled: Boolean health: CustomersWebhookHealth }
input EnableWebhookInput { webhook_id: String }
type EnableWebhookOutput { request_id: String complexity: Int webhook: Webhook }
extend type Mutation { webhook_enable(data: EnableWebhookInput!): EnableWebhookOutput }
"""
"""What ShipHero has published since, as far as it is used: https://developer.shiphero.com/schema/types/webhook.html and
https://developer.shiphero.com/schema/mutations/webhook-enable.html, read 2026-11-30.
"""


@pytest.fixture
def published(contracts):
    return build_schema((contracts / "shiphero/spec/shiphero_2022-04.graphql").read_text())


@pytest.fixture
def sdl(published):
    return extend_schema(published, parse(ADDED))


def test_what_was_added_since_is_not_in_the_published_schema(published):
    assert {"enabled", "health"}.isdisjoint(published.type_map["Webhook"].fields)
    assert "webhook_enable" not in published.mutation_type.fields


@pytest.fixture
def sample(contracts):
    return (contracts / "shiphero/public/webhook_shipment_update.json").read_bytes()


def fields_asked(document):
    """The documents' fields as (type, field), fragments included."""
    asked = []
    info = TypeInfo(document[0])

    class Collect(Visitor):
        def enter_field(self, node, *_):
            asked.append((info.get_parent_type().name, node.name.value))

    visit(document[1], TypeInfoVisitor(info, Collect()))
    return asked


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_document_is_valid_graphql_of_shiphero(sdl, name, count):
    document = parse(DOCUMENTS[name])
    assert validate(sdl, document) == []
    assert fields_asked((sdl, document))
    count("ShipHero", "GraphQL documents valid")


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_the_sandbox_reads_documents_as_graphql_does(name):
    """The small reader of the sandbox sees the same operation and root field."""
    kind, field = root(DOCUMENTS[name], {})
    operation = next(one for one in parse(DOCUMENTS[name]).definitions if not isinstance(one, FragmentDefinitionNode))
    assert (kind, field.name) == (operation.operation.value, operation.selection_set.selections[0].name.value)


def wrong(value, kind, path):
    """Where an answer is not of the type that the schema promises."""
    if is_non_null_type(kind):
        return [f"{path}: null"] if value is None else wrong(value, kind.of_type, path)
    if value is None:
        return []
    if is_list_type(kind):
        return [error for n, item in enumerate(value) for error in wrong(item, kind.of_type, f"{path}[{n}]")]
    named = get_named_type(kind)
    if is_object_type(named):
        unknown = [f"{path}.{name}: no such field" for name in value if name not in named.fields]
        return unknown + [
            error
            for name, item in value.items()
            if name in named.fields
            for error in wrong(item, named.fields[name].type, f"{path}.{name}")
        ]
    if is_enum_type(named):
        return [] if value in named.values else [f"{path}: {value!r} is no {named.name}"]
    assert is_scalar_type(named)
    fits = {"String": str, "Int": int, "Boolean": bool, "ISODateTime": str}
    return [] if isinstance(value, fits.get(named.name, object)) else [f"{path}: {value!r} is no {named.name}"]


def request_of(number):
    line = RequestLine(f"{number}-1", "MUG", 1, title="Mug", price_minor=500)
    return FulfillmentRequest(
        number, "#1", "o-1", "USD", (line,), Address(name="Ann Lee", line1="1 Main St", country="US")
    )


def test_every_answer_of_the_sandbox_has_the_types_of_the_schema(sdl, count):
    sandbox = ShipHeroSandbox()
    sandbox.add_product("MUG", on_hand=9)
    answers = []
    sandbox.app.after_request(lambda response: answers.append((response.get_json(), response)) or response)
    with sandbox.serve():
        shiphero = connect(
            ShipHero, {"base_url": sandbox.url, "refresh_token": sandbox.refresh_token, "shop_name": "demo"}
        )
        shiphero.places()
        first, second = (shiphero.submit(request_of(number), "key") for number in ("FO-1", "FO-2"))
        sandbox.ship("FO-1", "1Z1", notify=False)
        assert shiphero.cancel(second.ref, "", "key").accepted
        assert shiphero.find("submit", "FO-1") == first
        window = Window(None, datetime.now(UTC) + timedelta(minutes=1))
        assert list(shiphero.updates(window, None))
        assert list(shiphero.stock(window, None))
        shiphero.client.whole({"id": sandbox.shipments[0]["id"], "line_items": {"pageInfo": {"hasNextPage": True}}})
        told = list(shiphero.ensure("https://hub.example.com/in/1"))
        sandbox.switch_off("Inventory Update")
        kept = {webhook_secret_name(one.topic): one.secret for one in told}
        shiphero = ShipHero(replace(shiphero.ctx, secrets={**shiphero.ctx.secrets, **kept}))
        list(shiphero.ensure("https://hub.example.com/in/1"))
        shiphero.remove("https://hub.example.com/in/1")
    data = [answer["data"] for answer, _ in answers if "data" in answer]
    errors = []
    for one in data:
        ((name, value),) = one.items()
        parent = sdl.query_type if name in sdl.query_type.fields else sdl.mutation_type
        errors += wrong(value, parent.fields[name].type, name)
    assert errors == []
    roots = {parse(text).definitions[0].selection_set.selections[0].name.value for text in DOCUMENTS.values()}
    assert roots <= {name for one in data for name in one}
    count("ShipHero", "sandbox answers of the schema's types", len(data))


def test_what_we_send_fits_the_input_types(sdl, count):
    sandbox = ShipHeroSandbox()
    sandbox.add_product("MUG", on_hand=9)
    with sandbox.serve():
        shiphero = connect(
            ShipHero, {"base_url": sandbox.url, "refresh_token": sandbox.refresh_token, "shop_name": "demo"}
        )
        ref = shiphero.submit(request_of("FO-1"), "key").ref
        shiphero.cancel(ref, "customer", "key")
        list(shiphero.ensure("https://hub.example.com/in/1"))
        shiphero.remove("https://hub.example.com/in/1")
    sent = [orjson.loads(call.body) for call in sandbox.calls if b"mutation" in call.body]
    inputs = {
        "OrderCreate": "CreateOrderInput",
        "OrderCancel": "CancelOrderInput",
        "WebhookCreate": "CreateWebhookInput",
        "WebhookDelete": "DeleteWebhookInput",
    }
    for one in sent:
        name = next(word for word in inputs if f"mutation {word}(" in one["query"])
        assert unfit(one["variables"]["data"], sdl.type_map[inputs[name]], name) == []
    assert len(sent) == 2 + 2 * len(webhooks.WANTED)
    count("ShipHero", "mutation inputs of the schema's types", len(sent))


def unfit(value, kind, path):
    """Where an argument is not of its input type."""
    if is_non_null_type(kind):
        return [f"{path}: null"] if value is None else unfit(value, kind.of_type, path)
    if is_list_type(kind):
        return [error for item in value for error in unfit(item, kind.of_type, path)]
    if is_scalar_type(kind):
        fits = {"String": str, "Int": int, "Boolean": bool, "ISODateTime": str}
        return [] if isinstance(value, fits.get(kind.name, object)) else [f"{path}: {value!r} is no {kind.name}"]
    missing = [
        f"{path}.{name}"
        for name, field in kind.fields.items()
        if is_non_null_type(field.type) and value.get(name) is None
    ]
    unknown = [f"{path}.{name}" for name in value if name not in kind.fields]
    inner = [
        error
        for name, item in value.items()
        if name in kind.fields
        for error in unfit(item, kind.fields[name].type, f"{path}.{name}")
    ]
    return missing + unknown + inner


def test_the_published_shipment_webhook_becomes_a_shipment(sample, count):
    raw = orjson.loads(sample)["fulfillment"]
    (event,) = webhooks.events(WebhookRequest("POST", sample, {}), datetime.now(UTC))
    document = load("threepl/shiphero/shipments_webhook.yml").apply(orjson.loads(sample))
    assert (event.stream, event.external_id) == ("shipments_webhook", raw["shipment_uuid"])
    assert schemas.errors("shipment.v1", document) == []
    shipment = schemas.parse("shipment.v1", document)
    assert (shipment.fulfillment_reference, shipment.fulfillment_external_id) == (
        raw["partner_order_id"],
        raw["order_uuid"],
    )
    (package,) = shipment.packages
    assert (package.tracking_number, package.carrier, package.service) == ("Pickup", "UPS", "UPS Ground")
    assert package.tracking_url == raw["custom_tracking_url"]
    assert [(line.reference, line.sku, line.quantity) for line in package.lines] == [
        (line["id"], line["sku"], line["quantity"]) for line in raw["line_items"]
    ]
    assert shipment.shipped_at == datetime(2022, 5, 24, 18, 20, 15, tzinfo=UTC)
    count("ShipHero", "webhook samples mapped")


def test_the_sandbox_tells_of_shipments_in_the_published_shape(sample, count):
    sandbox = ShipHeroSandbox()
    sandbox.add_product("MUG", on_hand=1)
    with sandbox.serve():
        connect(
            ShipHero, {"base_url": sandbox.url, "refresh_token": sandbox.refresh_token, "shop_name": "demo"}
        ).submit(request_of("FO-1"), "key")
        sandbox.ship("FO-1", "1Z1", notify=False)
        told = orjson.loads(sandbox.webhook("Shipment Update", "FO-1")[1])
    published = orjson.loads(sample)
    assert set(told) == set(published)
    assert set(told["fulfillment"]) <= set(published["fulfillment"])
    assert set(told["fulfillment"]["line_items"][0]) <= set(published["fulfillment"]["line_items"][0])
    count("ShipHero", "sandbox webhooks in the published shape")
