"""Tracking, refunds, webhooks and the check of the connection."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from flask import Flask, request
from werkzeug.serving import make_server

from connectors.carriers.easypost.sandbox import EasyPostSandbox
from hub import schemas
from hub.mapping import load
from hub.sdk import WebhookRequest, errors
from hub.testing import Fault

SECRET = "a long secret with an accent: é"
URL = "https://hub.example.com/in/abc/def"
TRACKING = "carriers/easypost/tracking.yml"


def delivered(sandbox: EasyPostSandbox, code: str, secret: str = SECRET) -> WebhookRequest:
    body, headers = sandbox.delivery(URL, code, secret)
    return WebhookRequest("POST", body, {name.lower(): value for name, value in headers.items()}, url=URL)


def test_a_parcel_on_its_way_becomes_a_shipment_with_its_scans(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    for status in ("pre_transit", "in_transit", "out_for_delivery", "delivered"):
        sandbox.advance(label.tracking_number, status)

    record = easypost.track(label.tracker_ref)
    document = load(TRACKING).apply(record.body)

    assert schemas.errors("shipment.v1", document) == []
    assert (document["external_id"], document["status"]) == (label.ref, "delivered")
    (package,) = document["packages"]
    assert package["tracking_number"] == label.tracking_number
    assert [event["code"] for event in package["events"]] == [
        "pre_transit",
        "in_transit",
        "out_for_delivery",
        "delivered",
    ]
    assert package["events"][-1]["place"] == "Boston, MA, 02108, US"
    assert document["shipped_at"] == package["events"][1]["at"]
    assert document["estimated_delivery"] > document["shipped_at"]


def test_the_same_tracker_is_found_by_label_tracker_and_number(easypost, parcel):
    label = easypost.buy_label(parcel(), "k")

    by_tracker, by_label, by_number = map(easypost.track, (label.tracker_ref, label.ref, label.tracking_number))

    assert by_tracker == by_label == by_number
    assert by_tracker.revision.endswith(".000000Z")


def test_a_label_without_a_single_scan_is_a_label(easypost, parcel):
    label = easypost.buy_label(parcel(), "k")

    document = load(TRACKING).apply(easypost.track(label.ref).body)

    assert schemas.errors("shipment.v1", document) == []
    assert document["status"] == "label_created"
    assert "events" not in document["packages"][0]


def test_a_status_nobody_knows_is_kept_with_its_raw_code(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    sandbox.advance(label.tracking_number, "eaten_by_goat")

    document = load(TRACKING).apply(easypost.track(label.ref).body)

    assert schemas.errors("shipment.v1", document) == []
    (event,) = document["packages"][0]["events"]
    assert (event["code"], event["raw_code"]) == ("unknown", "eaten_by_goat/eaten_by_goat")


@pytest.mark.parametrize("ref", ["trk_404", "shp_404", "94000000"])
def test_tracking_of_nothing_is_not_found(easypost, ref):
    with pytest.raises(errors.NotFound):
        easypost.track(ref)


def test_a_label_is_given_back_once_and_asking_again_is_no_harm(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")

    assert easypost.void(label.ref, "v")
    assert easypost.void(label.ref, "v")
    assert sandbox.bought[0]["refund_status"] == "submitted"


@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop", "error_500"])
def test_a_lost_answer_to_the_refund_is_asked_again(easypost, sandbox, parcel, kind):
    label = easypost.buy_label(parcel(), "k")
    sandbox.faults.append(Fault(kind, "/refund"))

    assert easypost.void(label.ref, "v")


def test_a_carrier_may_refuse_to_take_a_label_back(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    sandbox.refuse_refunds = True

    assert not easypost.void(label.ref, "v")


def test_a_parcel_on_its_way_cannot_be_given_back(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    sandbox.advance(label.tracking_number, "in_transit")

    assert not easypost.void(label.ref, "v")


def test_giving_back_what_is_not_there_is_not_found(easypost):
    with pytest.raises(errors.NotFound):
        easypost.void("shp_404", "v")


def test_a_signed_delivery_tells_of_the_tracker(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    sandbox.advance(label.tracking_number, "in_transit")
    delivery = delivered(sandbox, label.tracking_number)

    easypost.verify(delivery, ["an older secret", SECRET])
    (event,) = easypost.events(delivery)

    assert (event.stream, event.topic, event.external_id) == ("tracking", "tracker.updated", label.tracker_ref)
    assert event.event_id.startswith("evt_")
    assert event.revision == easypost.track(label.ref).revision
    assert load(TRACKING).apply(event.body)["status"] == "in_transit"


def test_a_delivery_signed_with_another_secret_is_refused(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")

    with pytest.raises(errors.SignatureInvalid):
        easypost.verify(delivered(sandbox, label.tracking_number, "another secret"), [SECRET])


@pytest.mark.parametrize("secrets", [[], [""]])
def test_no_secret_is_never_a_match(easypost, sandbox, parcel, secrets):
    label = easypost.buy_label(parcel(), "k")

    with pytest.raises(errors.SignatureInvalid):
        easypost.verify(delivered(sandbox, label.tracking_number, ""), secrets)


def test_a_changed_body_is_refused(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    good = delivered(sandbox, label.tracking_number)

    with pytest.raises(errors.SignatureInvalid):
        easypost.verify(WebhookRequest("POST", good.raw.replace(b"unknown", b"delivered"), good.headers), [SECRET])


def test_the_time_of_a_delivery_cannot_be_changed(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    good = delivered(sandbox, label.tracking_number)

    with pytest.raises(errors.SignatureInvalid):
        easypost.verify(WebhookRequest("POST", good.raw, {**good.headers, "x-timestamp": "soon"}), [SECRET])


@pytest.mark.parametrize("minutes", [-6, 6])
def test_an_old_or_future_delivery_is_refused(easypost, sandbox, parcel, minutes):
    label = easypost.buy_label(parcel(), "k")
    sandbox.clock = lambda: datetime.now(UTC) + timedelta(minutes=minutes)

    with pytest.raises(errors.SignatureInvalid):
        easypost.verify(delivered(sandbox, label.tracking_number), [SECRET])


def test_the_older_signature_is_enough_where_the_newer_is_not_sent(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    delivery = delivered(sandbox, label.tracking_number)
    older = {name: value for name, value in delivery.headers.items() if name in {"content-type", "x-hmac-signature"}}

    easypost.verify(WebhookRequest("POST", delivery.raw, older), [SECRET])


def test_an_accent_is_the_same_accent_in_either_spelling(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")

    easypost.verify(delivered(sandbox, label.tracking_number, "secre\u0301t"), ["secr\u00e9t"])


@pytest.mark.parametrize("topic", ["batch.created", "refund.successful", "payment.completed"])
def test_events_of_other_things_are_of_no_use(easypost, topic):
    told = {"id": "evt_1", "description": topic, "result": {"id": "batch_1"}}

    (event,) = easypost.events(WebhookRequest("POST", orjson.dumps(told), {}))

    assert (event.stream, event.topic, event.external_id, event.event_id) == ("", topic, "batch_1", "evt_1")


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"{}", b'{"description": 1}', b'{"description": "tracker.updated"}'])
def test_a_delivery_that_cannot_be_read_is_malformed(easypost, raw):
    with pytest.raises(errors.Malformed):
        easypost.events(WebhookRequest("POST", raw, {}))


def test_ensuring_twice_makes_one_webhook(easypost, sandbox):
    assert list(easypost.ensure(URL)) == list(easypost.ensure(URL))

    (webhook,) = sandbox.webhooks.values()
    assert webhook["url"] == URL
    assert easypost.subscriptions() == list(easypost.ensure(URL))


def test_a_webhook_that_was_switched_off_is_made_anew(easypost, sandbox):
    (before,) = list(easypost.ensure(URL))
    sandbox.webhooks[before.external_id]["disabled_at"] = "2026-01-02T03:04:05Z"

    (after,) = list(easypost.ensure(URL))

    assert after.external_id != before.external_id
    assert list(sandbox.webhooks) == [after.external_id]


def test_removing_a_webhook_leaves_others_alone_and_may_be_repeated(easypost, sandbox):
    list(easypost.ensure(URL))
    list(easypost.ensure("https://other.example.com/in"))

    easypost.remove(URL)
    easypost.remove(URL)

    assert [webhook["url"] for webhook in sandbox.webhooks.values()] == ["https://other.example.com/in"]


def test_a_webhook_needs_a_secret(opened):
    with pytest.raises(errors.ConfigInvalid) as wrong:
        list(opened(webhook_secret="").ensure(URL))

    assert wrong.value.field == "webhook_secret"


def test_a_working_connection_names_its_account(easypost):
    result = easypost.check()

    assert (result.ok, result.label) == (True, "Demo")
    assert result.unique_id.startswith("user_")


def test_a_wrong_key_is_told_at_its_setting(opened):
    result = opened(api_key="EZTKwrong").check()

    assert (result.ok, result.error_code, result.field) == (False, "auth_rejected", "api_key")


def test_a_vendor_that_is_down_is_no_wrong_key(easypost, sandbox):
    sandbox.faults.append(Fault("error_500", "/v2/users", times=3))

    result = easypost.check()

    assert (result.ok, result.error_code, result.field) == (False, "transient", "")


def test_the_sandbox_posts_signed_news_to_the_webhook(easypost, sandbox, parcel):
    got: list[WebhookRequest] = []
    app = Flask("receiver")

    @app.post("/in")
    def take() -> str:
        headers = {name.lower(): value for name, value in request.headers.items()}
        got.append(WebhookRequest("POST", request.get_data(), headers))
        return "ok"

    server = make_server("127.0.0.1", 0, app)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/in"
        list(easypost.ensure(url))
        label = easypost.buy_label(parcel(), "k")
        assert sandbox.deliver(url, label.tracking_number) == 200
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

    easypost.verify(got[0], [SECRET])
    assert easypost.events(got[0])[0].external_id == label.tracker_ref
