"""Deliveries of ShipHero and the registrations for them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.threepl.shiphero import webhooks
from connectors.threepl.shiphero.plugin import ShipHero
from hub import schemas
from hub.mapping import load
from hub.sdk import WebhookRequest, Window, errors, webhook_secret_name
from hub.testing import Fault, Sandbox


def delivery(headers, body):
    return WebhookRequest("POST", body, {name.lower(): value for name, value in headers.items()})


def mapped(event, request):
    stream = {
        "shipments_webhook": "shipment.v1",
        "inventory_webhook": "inventory.v1",
        "orders_webhook": "fulfillment.v1",
    }
    document = load(f"threepl/shiphero/{event.stream}.yml").apply(event.body or json.loads(request.raw))
    assert schemas.errors(stream[event.stream], document) == []
    return schemas.parse(stream[event.stream], document)


@pytest.fixture
def shipped(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-1", MUG=2), "key")
    sandbox.ship("FO-1", "1Z1", notify=False)
    return sandbox


def test_a_delivery_is_known_by_its_signature(shipped, shiphero):
    request = delivery(*shipped.webhook("Shipment Update", "FO-1"))
    shiphero.verify(request, ["old", shipped.webhook_secret])
    for secrets in ([], [""], ["other"]):
        with pytest.raises(errors.SignatureInvalid):
            shiphero.verify(request, secrets)
    for raw in (request.raw[:-1] + b" ", json.dumps(json.loads(request.raw)).encode()):
        with pytest.raises(errors.SignatureInvalid):
            shiphero.verify(WebhookRequest("POST", raw, request.headers), [shipped.webhook_secret])
    with pytest.raises(errors.SignatureInvalid):
        shiphero.verify(WebhookRequest("POST", request.raw, {}), [shipped.webhook_secret])


def test_a_shipment_told_and_a_shipment_read_are_the_same(shipped, shiphero):
    request = delivery(*shipped.webhook("Shipment Update", "FO-1"))
    (event,) = shiphero.events(request)
    told = mapped(event, request)
    now = datetime.now(UTC)
    (page,) = shiphero.updates(Window(now - timedelta(hours=1), now + timedelta(minutes=1)), None)
    (record,) = page.records
    read = schemas.parse("shipment.v1", load("threepl/shiphero/shipments.yml").apply(dict(record.body)))
    assert (event.external_id, event.revision) == (record.external_id, record.revision)
    assert (told.fulfillment_reference, told.fulfillment_external_id) == ("FO-1", shipped.orders[0]["id"])
    assert [(line.reference, line.quantity) for line in told.packages[0].lines] == [("FO-1-MUG", 2)]
    assert (told.packages[0].tracking_number, told.shipped_at) == (read.packages[0].tracking_number, read.shipped_at)


def test_two_packages_have_each_their_own_lines(shipped):
    body = json.loads(shipped.webhook("Shipment Update", "FO-1")[1])
    line = body["fulfillment"]["line_items"][0]
    body["fulfillment"]["line_items"] = [
        {**line, "quantity": 1, "package": "Package #1"},
        {**line, "quantity": 1, "package": "Package #2"},
    ]
    body["fulfillment"]["packages"] = [
        {"name": f"Package #{n}", "tracking_number": f"1Z{n}", "shipping_carrier": "UPS", "shipping_method": "Ground"}
        for n in (1, 2)
    ]
    document = load("threepl/shiphero/shipments_webhook.yml").apply(body)
    assert schemas.errors("shipment.v1", document) == []
    assert [(package["tracking_number"], len(package["lines"])) for package in document["packages"]] == [
        ("1Z1", 1),
        ("1Z2", 1),
    ]
    body["fulfillment"]["line_items"][0]["package"] = "Package #9"
    with pytest.raises(errors.SchemaDrift, match="packages that are not listed"):
        load("threepl/shiphero/shipments_webhook.yml").apply(body)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("Order Canceled", "cancelled"),
        ("Order Allocated", "accepted"),
        ("Order Deallocated", "on_hold"),
        ("Order Packed Out", "in_progress"),
    ],
)
def test_what_happens_to_an_order_is_told(shipped, shiphero, kind, status):
    request = delivery(*shipped.webhook(kind, "FO-1"))
    (event,) = shiphero.events(request)
    fulfillment = mapped(event, request)
    assert (fulfillment.status, fulfillment.external_id) == (status, shipped.orders[0]["id"])
    if kind != "Order Packed Out":  # that one alone does not name our number
        assert fulfillment.reference == "FO-1"


def test_stock_is_told_for_the_warehouse_that_changed(shipped, shiphero):
    request = delivery(*shipped.webhook("Inventory Update", "MUG"))
    (event,) = shiphero.events(request)
    level = mapped(event, request)
    assert (level.sku, level.location, level.on_hand, level.available) == (
        "MUG",
        shipped.add_warehouse("Primary"),
        8,
        8,
    )
    assert level.external_id == event.external_id


def test_stock_without_a_warehouse_tells_nothing(shiphero):
    body = {"webhook_type": "Inventory Update", "inventory": [{"sku": "MUG", "inventory": "3", "on_hand": "3"}]}
    (event,) = shiphero.events(WebhookRequest("POST", json.dumps(body).encode(), {}))
    assert event.stream == ""


def test_tests_and_unknown_kinds_are_ignored_and_broken_bodies_are_malformed(shipped, shiphero):
    body = json.loads(shipped.webhook("Shipment Update", "FO-1")[1])
    for sent in ({**body, "test": "1"}, {"webhook_type": "Tote Complete"}):
        (event,) = shiphero.events(WebhookRequest("POST", json.dumps(sent).encode(), {}))
        assert event.stream == ""
    for raw in (
        b"{",
        b"[]",
        b'{"webhook_type": 3}',
        b'{"webhook_type": "Shipment Update"}',
        b'{"webhook_type": "Inventory Update", "inventory": 3}',
    ):
        with pytest.raises(errors.Malformed):
            shiphero.events(WebhookRequest("POST", raw, {}))


def test_a_delivery_that_comes_again_has_the_same_id(shipped, shiphero):
    headers, body = shipped.webhook("Inventory Update", "MUG")
    twice = [shiphero.events(delivery(headers, body))[0].event_id for _ in range(2)]
    bare = [shiphero.events(WebhookRequest("POST", body, {}))[0].event_id for _ in range(2)]
    assert twice[0] == twice[1] != bare[0] == bare[1]


def knowing(shiphero, told):
    """The connector as the hub opens it once it has kept the secrets that were told."""
    kept = {webhook_secret_name(one.topic): one.secret for one in told if one.secret}
    return ShipHero(replace(shiphero.ctx, secrets={**shiphero.ctx.secrets, **kept}))


def test_registering_twice_makes_each_webhook_once_and_tells_its_secret_once(sandbox, shiphero):
    url = "https://hub.example.com/in/1"
    first = list(shiphero.ensure(url))
    second = list(knowing(shiphero, first).ensure(url))
    assert [one.topic for one in first] == list(webhooks.WANTED)
    assert len(sandbox.hooks) == len(webhooks.WANTED)
    assert {one.secret for one in first} == {hook["shared_signature_secret"] for hook in sandbox.hooks}
    assert {one.secret for one in second} == {""}
    assert [one.external_id for one in first] == [one.external_id for one in second]
    assert first[0].secret not in repr(first)


def test_each_webhook_is_told_before_the_next_is_made(sandbox, shiphero):
    for made, _ in enumerate(shiphero.ensure("https://hub.example.com/in/1"), start=1):
        assert len(sandbox.hooks) == made


def test_a_webhook_whose_secret_nobody_kept_is_made_anew(sandbox, shiphero):
    url = "https://hub.example.com/in/1"
    told = list(shiphero.ensure(url))
    again = list(knowing(shiphero, told[1:]).ensure(url))
    assert [bool(one.secret) for one in again] == [True, False, False, False, False, False]
    assert again[0].external_id != told[0].external_id
    assert len(sandbox.hooks) == len(webhooks.WANTED)


def test_a_webhook_that_was_switched_off_is_switched_on_again(sandbox, shiphero):
    url = "https://hub.example.com/in/1"
    told = list(shiphero.ensure(url))
    sandbox.switch_off("Inventory Update")
    again = list(knowing(shiphero, told).ensure(url))
    assert [hook["enabled"] for hook in sandbox.hooks] == [True] * len(webhooks.WANTED)
    assert [one.external_id for one in again] == [one.external_id for one in told]


def test_a_webhook_that_went_missing_or_points_elsewhere_is_put_right(sandbox, shiphero):
    list(shiphero.ensure("https://old.example.com/in/1"))
    sandbox.hooks.pop(0)
    ensured = list(shiphero.ensure("https://new.example.com/in/1"))
    assert {hook["url"] for hook in sandbox.hooks} == {"https://new.example.com/in/1"}
    assert all(one.secret for one in ensured)
    assert sorted(one.topic for one in shiphero.subscriptions()) == sorted(webhooks.WANTED)


def test_a_registration_whose_secret_was_lost_on_the_way_is_made_anew(sandbox, shiphero):
    shiphero.check()
    sandbox.faults.append(Fault("effect_then_drop", "webhook_create"))
    ensured = list(shiphero.ensure("https://hub.example.com/in/1"))
    assert len(sandbox.hooks) == len(webhooks.WANTED)
    assert {one.secret for one in ensured} == {hook["shared_signature_secret"] for hook in sandbox.hooks}


def test_removing_takes_our_url_alone_and_may_be_repeated(sandbox, shiphero):
    list(shiphero.ensure("https://hub.example.com/in/1"))
    other = {"id": "x", "name": "PO Update", "url": "https://erp.example.com", "shop_name": "erp"}
    sandbox.hooks.append({**other, "enabled": True, "health": "HEALTHY"})
    shiphero.remove("https://hub.example.com/in/1")
    shiphero.remove("https://hub.example.com/in/1")
    assert [hook["url"] for hook in sandbox.hooks] == ["https://erp.example.com"]


def test_the_sandbox_tells_everyone_who_registered_with_their_own_secret(sandbox, shiphero, request_for):
    hub = Sandbox("hub")
    hub.app.post("/in")(lambda: ("", 200))
    with hub.serve() as url:
        secrets = {one.topic: one.secret for one in list(shiphero.ensure(f"{url}/in"))}
        shiphero.submit(request_for("FO-1", MUG=2), "key")
        sandbox.ship("FO-1", "1Z1")
        assert sandbox.notify("Inventory Update", "MUG") == [200]
        assert sandbox.deliver(f"{url}/nowhere", "Order Canceled", "FO-1") == 404
    shipment, inventory, _ = hub.calls
    for call, topic in ((shipment, "Shipment Update"), (inventory, "Inventory Update")):
        shiphero.verify(delivery(call.headers, call.body), [secrets[topic]])
        with pytest.raises(errors.SignatureInvalid):
            shiphero.verify(delivery(call.headers, call.body), [secrets["Order Canceled"]])


def test_people_outside_can_ship_through_the_sandbox(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-1", MUG=2), "key")
    client = sandbox.app.test_client()
    assert (
        client.post("/_sandbox/ship", json={"order_number": "FO-1", "tracking": "1Z1", "lines": {"MUG": 3}}).status_code
        == 400
    )
    assert client.post("/_sandbox/hold", json={"order_number": "FO-1"}).status_code == 200
    assert client.post("/_sandbox/ship", json={"order_number": "FO-1", "tracking": "1Z1"}).status_code == 400
    client.post("/_sandbox/release", json={"order_number": "FO-1"})
    assert client.post("/_sandbox/ship", json={"order_number": "FO-1", "tracking": "1Z1"}).status_code == 200
    assert sandbox.orders[0]["fulfillment_status"] == "fulfilled"
