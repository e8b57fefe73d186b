"""Deliveries: whose they are, what they tell, and the subscriptions behind them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import threading
from datetime import datetime

import orjson
import pytest

from connectors.shopify.webhooks import SUBSCRIBED, WORK_TOPICS
from hub import schemas
from hub.mapping import load
from hub.sdk import WebhookRequest, errors
from hub.testing import Fault

URL = "https://hub.example.com/in/demo/abc"

# Worked out by hand with openssl: printf '{"id":17}' | openssl dgst -sha256 -hmac s3cret -binary | base64
BODY, SECRET, SIGNATURE = b'{"id":17}', "s3cret", "QdmLBxggWptOHj/Hu6wQ6Ugkp6jJ97QhUU/LcQ2SHcs="


def request(headers, raw):
    return WebhookRequest("POST", raw, {name.lower(): value for name, value in headers.items()})


def signed(raw, secret=SECRET, **headers):
    signature = base64.b64encode(hmac.new(secret.encode(), raw, hashlib.sha256).digest()).decode()
    return request({"X-Shopify-Hmac-Sha256": signature, **headers}, raw)


def test_a_known_signature_is_accepted(shopify):
    shopify.verify(request({"X-Shopify-Hmac-Sha256": SIGNATURE}, BODY), [SECRET])


def test_a_delivery_of_the_shop_is_signed_as_the_known_answer(shop):
    shop.webhook_secret = SECRET
    headers, body = shop.webhook("orders/create", {"id": 17})
    assert body == BODY
    assert headers["X-Shopify-Hmac-Sha256"] == SIGNATURE


def test_each_valid_secret_is_accepted_while_one_is_exchanged(shopify):
    shopify.verify(signed(BODY), ["new", SECRET])


@pytest.mark.parametrize("secrets", [[], [""], ["wrong"], ["s3cret "]])
def test_without_the_right_secret_nothing_is_accepted(secrets, shopify):
    with pytest.raises(errors.SignatureInvalid):
        shopify.verify(signed(BODY, ""), secrets)
    with pytest.raises(errors.SignatureInvalid):
        shopify.verify(signed(BODY), secrets)


@pytest.mark.parametrize("place", range(len(BODY)))
def test_a_flipped_byte_is_noticed(place, shopify):
    raw = bytearray(BODY)
    raw[place] ^= 1
    with pytest.raises(errors.SignatureInvalid):
        shopify.verify(request({"X-Shopify-Hmac-Sha256": SIGNATURE}, bytes(raw)), [SECRET])


def test_json_written_anew_is_not_what_was_signed(shopify):
    with pytest.raises(errors.SignatureInvalid):
        shopify.verify(request({"X-Shopify-Hmac-Sha256": SIGNATURE}, b'{"id": 17}'), [SECRET])


@pytest.mark.parametrize("signature", ["", SIGNATURE[:-4], SIGNATURE.lower(), "sha256=" + SIGNATURE, "ü"])
def test_a_signature_that_is_cut_or_changed_is_refused(signature, shopify):
    with pytest.raises(errors.SignatureInvalid):
        shopify.verify(request({"X-Shopify-Hmac-Sha256": signature}, BODY), [SECRET])


def test_a_delivery_without_signature_is_refused(shopify):
    with pytest.raises(errors.SignatureInvalid):
        shopify.verify(request({}, BODY), [SECRET])


def test_a_delivery_for_another_shop_is_refused_though_its_signature_is_right(shopify):
    shopify.verify(signed(BODY, **{"X-Shopify-Shop-Domain": "demo.myshopify.com"}), [SECRET])
    with pytest.raises(errors.SignatureInvalid, match="other"):
        shopify.verify(signed(BODY, **{"X-Shopify-Shop-Domain": "other.myshopify.com"}), [SECRET])


@pytest.mark.parametrize("topic", ["orders/create", "orders/updated", "orders/cancelled"])
def test_an_order_topic_tells_of_one_order(topic, shop, shopify):
    order = shop.place_order([("MUG", 1)])
    (event,) = shopify.events(request(*shop.webhook(topic, order, "event-1")))
    assert (event.stream, event.external_id, event.topic) == ("orders_webhook", str(order.id), topic)
    assert (event.event_id, event.revision) == ("event-1", "2026-11-20T12:00:00.000000Z")


def test_pushed_and_polled_orders_have_one_revision(shop, shopify):
    order = shop.place_order([("MUG", 1)])
    (event,) = shopify.events(request(*shop.webhook("orders/create", order)))
    assert event.revision == shopify.order(str(order.id)).revision


def test_a_repetition_has_the_same_event_id_and_the_delivery_id_stands_in(shop, shopify):
    order = shop.place_order([("MUG", 1)])
    headers, body = shop.webhook("orders/create", order)
    again, _ = shop.webhook("orders/create", order)
    assert headers["X-Shopify-Webhook-Id"] != again["X-Shopify-Webhook-Id"]
    assert shopify.events(request(headers, body)) == shopify.events(request(again, body))
    del headers["X-Shopify-Event-Id"]
    (event,) = shopify.events(request(headers, body))
    assert event.event_id == headers["X-Shopify-Webhook-Id"]


def test_a_stock_level_becomes_a_valid_document(shop, shopify):
    body = shop.level("MUG")
    (event,) = shopify.events(request(*shop.webhook("inventory_levels/update", body)))
    document = load("shopify/inventory_levels.yml").apply(body)
    assert schemas.errors("inventory.v1", document) == []
    assert event.stream == "inventory_levels"
    assert event.external_id == document["external_id"] == f"{body['inventory_item_id']}:{body['location_id']}"
    assert document["available"] == 10


def test_a_pushed_product_becomes_a_valid_document(shop, shopify):
    mug = shop.add_product("CUP-S", "9.00", title="Cup", options={"Size": "S"}, description="<p>Small &amp; blue</p>")
    product = next(one for one in shop.state.products if mug in one.variants)
    headers, body = shop.webhook("products/update", product)
    (event,) = shopify.events(request(headers, body))
    document = load("shopify/products_webhook.yml").apply(orjson.loads(body))
    assert schemas.errors("product.v1", document) == []
    assert event.stream == "products_webhook"
    assert document["description"] == "Small & blue"
    (variant,) = document["variants"]
    assert (variant["external_id"], variant["inventory_external_id"]) == (str(mug.id), str(mug.item))
    assert variant["options"] == [{"name": "Size", "value": "S"}]


@pytest.mark.parametrize(
    ("topic", "body", "subject"),
    [
        ("customers/data_request", {"shop_domain": "demo.myshopify.com", "customer": {"id": 5}}, "5"),
        ("customers/redact", {"shop_domain": "demo.myshopify.com", "customer": {"id": 5}}, "5"),
        ("shop/redact", {"shop_id": 1, "shop_domain": "demo.myshopify.com"}, "demo.myshopify.com"),
        ("app/uninstalled", {"id": 1, "myshopify_domain": "demo.myshopify.com"}, "demo.myshopify.com"),
    ],
)
def test_privacy_and_uninstalling_are_lifecycle_events(topic, body, subject, shop, shopify):
    (event,) = shopify.events(request(*shop.webhook(topic, body)))
    assert (event.stream, event.external_id, event.topic) == ("lifecycle", subject, topic)
    assert datetime.fromisoformat(event.revision).tzinfo is not None, "when it happened, however late it arrives"


def test_an_edit_is_left_to_the_update_that_comes_with_it(shop, shopify):
    body = {"order_edit": {"id": 1, "order_id": 17, "line_items": {"additions": [], "removals": []}}}
    (event,) = shopify.events(request(*shop.webhook("orders/edited", body)))
    assert (event.stream, event.external_id) == ("", "17")


def test_an_unknown_topic_is_of_no_use_but_no_error(shop, shopify):
    (event,) = shopify.events(request(*shop.webhook("themes/publish", {"id": 1})))
    assert event.stream == ""


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"17", b'{"id": NaN}', b"{}", b'{"id": true}', b"[" * 100_000])
def test_what_cannot_be_read_is_malformed(raw, shopify):
    with pytest.raises(errors.Malformed):
        shopify.events(request({"X-Shopify-Topic": "orders/create"}, raw))


def test_a_delivery_without_a_topic_is_malformed(shopify):
    with pytest.raises(errors.Malformed):
        shopify.events(request({}, BODY))


def test_subscriptions_are_made_once_and_made_again_when_lost(shop, shopify):
    first = list(shopify.ensure(URL))
    assert sorted(one.topic for one in first) == sorted(SUBSCRIBED)
    assert list(shopify.ensure(URL)) == first
    shop.api.hooks.pop(0)
    assert sorted(one.topic for one in list(shopify.ensure(URL))) == sorted(SUBSCRIBED)
    assert len(shop.api.hooks) == len(SUBSCRIBED)


def test_a_subscription_whose_answer_was_lost_is_not_made_twice(shop, shopify):
    shop.faults.append(Fault("effect_then_drop", "webhookSubscriptionCreate"))
    list(shopify.ensure(URL))
    assert len(shop.api.hooks) == len(SUBSCRIBED)


def test_only_the_subscriptions_of_one_address_are_removed(shop, shopify):
    list(shopify.ensure(URL))
    list(shopify.ensure(URL + "2"))
    shopify.remove(URL)
    shopify.remove(URL)
    assert {one.url for one in shopify.subscriptions()} == {URL + "2"}


def test_the_shop_delivers_over_http(shop):
    got = []

    class Hub(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(202)
            self.end_headers()

        def log_message(self, *args):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        order = shop.place_order([("MUG", 1)])
        assert shop.deliver(f"http://127.0.0.1:{server.server_port}/in", "orders/create", order) == 202
    finally:
        server.shutdown()
        server.server_close()
    assert orjson.loads(got[0][1])["id"] == order.id
    assert got[0][0]["X-Shopify-Shop-Domain"] == shop.shop


@pytest.mark.parametrize("topic", sorted(WORK_TOPICS))
def test_a_fulfillment_order_that_changed_is_named_by_its_own_id(topic, shop, shopify):
    work = shop.place_order([("MUG", 1)]).fulfillment_orders[0]
    [event] = shopify.events(request(*shop.webhook(topic, work)))
    assert (event.stream, event.topic) == ("fulfillment_orders", topic)
    assert event.external_id == f"gid://shopify/FulfillmentOrder/{work.id}"


def test_a_moved_fulfillment_order_is_named_whatever_the_part_of_the_body_is_called(shop, shopify):
    body = {"source_location": {"id": "gid://shopify/Location/3"},
            "original_fulfillment_order": {"id": "gid://shopify/FulfillmentOrder/5"}}  # fmt: skip
    [event] = shopify.events(request(*shop.webhook("fulfillment_orders/moved", body)))
    assert event.external_id == "gid://shopify/FulfillmentOrder/5"
    with pytest.raises(errors.Malformed, match="fulfillment order"):
        shopify.events(request(*shop.webhook("fulfillment_orders/moved", {"fulfillment_order": {"id": 5}})))
