"""The door for webhooks: what is answered, and what is kept, for everything that may be sent to it."""

from __future__ import annotations

import gzip
import http.client
import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select
from werkzeug.serving import make_server

from hub.sdk.signatures import hmac_signature
from hub.store import connections
from hub.store.database import open_database
from hub.store.tables import inbox, orders, webhook_rejection
from hub.testing.world import World
from hub.web.app import create_app
from tests.web.conftest import Site


def rows(site: Site) -> list:
    return site.world.read(lambda tx: tx.execute(select(inbox).order_by(inbox.c.id)).all())


def told(site: Site) -> list:
    """What came by webhook; the shop was asked for the rest of it."""
    return [row for row in rows(site) if row.source == "webhook"]


def refusals(site: Site) -> int:
    return site.world.read(lambda tx: tx.execute(select(func.count()).select_from(webhook_rejection)).scalar_one())


def signed(site: Site, body: bytes, topic: str = "orders/create", **headers: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Shopify-Topic": topic,
        "X-Shopify-Shop-Domain": site.shop.shop,
        "X-Shopify-Hmac-Sha256": hmac_signature(site.shop.webhook_secret, body),
        **headers,
    }


def test_a_rightly_signed_delivery_is_kept_byte_for_byte_and_answered_200(site: Site) -> None:
    headers, body = site.shop.webhook("orders/create", site.shop.place_order([("MUG", 1)]))
    assert site.post_hook(headers, body).status_code == 200
    [row] = rows(site)
    assert (row.body, row.status, row.source, row.topic) == (body, "received", "webhook", "orders/create")


def test_the_same_delivery_twice_has_one_effect(site: Site) -> None:
    order = site.shop.place_order([("MUG", 1)])
    first = site.shop.webhook("orders/create", order, "event-1")
    again = site.shop.webhook("orders/create", order, "event-1")  # another delivery of the same event
    for headers, body in (first, first, again):
        assert site.post_hook(headers, body).status_code == 200
    site.world.run()
    [row] = told(site)
    assert row.duplicates == 2
    assert site.world.read(lambda tx: tx.execute(select(func.count()).select_from(orders)).scalar_one()) == 1


@pytest.mark.parametrize(
    "signature",
    [None, "", "AAAA", "not base64 ✗".encode().decode("latin-1"), hmac_signature("another-secret", b"{}"), "x" * 5000],
    ids=["missing", "empty", "truncated", "not ascii", "another secret", "long"],
)
def test_a_wrong_signature_is_refused_and_only_counted(site: Site, signature: str | None) -> None:
    headers = signed(site, b"{}")
    del headers["X-Shopify-Hmac-Sha256"]
    if signature is not None:
        headers["X-Shopify-Hmac-Sha256"] = signature
    assert site.post_hook(headers, b"{}").status_code == 401
    assert rows(site) == []
    assert refusals(site) == 1


def test_the_right_signature_of_another_connection_is_refused(site: Site) -> None:
    other = {"shop": "other.myshopify.com", "access_token": "t", "webhook_secret": "its own secret"}
    site.world.connect("shopify", "Other shop", other)
    body = b'{"id": 1}'
    headers = signed(site, body) | {"X-Shopify-Hmac-Sha256": hmac_signature("its own secret", body)}
    assert site.post_hook(headers, body).status_code == 401
    # One app may sign for many shops: the right signature for another shop is no better.
    assert (
        site.post_hook(signed(site, body) | {"X-Shopify-Shop-Domain": "other.myshopify.com"}, body).status_code == 401
    )
    assert rows(site) == []


def test_a_connection_without_a_secret_takes_nothing(site: Site) -> None:
    bare = site.world.connect("shopify", "Bare", {"shop": "bare.myshopify.com", "access_token": "t"})
    token = site.world.read(lambda tx: connections.get(tx, bare)).webhook_token
    headers = signed(site, b"{}") | {"X-Shopify-Hmac-Sha256": hmac_signature("", b"{}")}
    assert site.app.test_client().post(f"/in/{bare}/{token}", data=b"{}", headers=headers).status_code == 401


def test_a_refused_delivery_does_not_stand_in_the_way_of_the_good_one(site: Site) -> None:
    headers, body = site.shop.webhook("orders/create", site.shop.place_order([("MUG", 1)]))
    assert site.post_hook(headers | {"X-Shopify-Hmac-Sha256": "AAAA"}, body).status_code == 401
    assert site.post_hook(headers, body).status_code == 200
    assert len(rows(site)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"{not json",
        b"",
        b'{"id": NaN}',
        b'{"id": "\\ud800"}',
        '{"id": 1}'.encode("utf-16"),
        b'\xef\xbb\xbf{"id": 1}',
        b"[" * 100_000,
        b'{"id": 99999999999999999999999999}',
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"id": true}',
    ],
    ids=["broken", "empty", "NaN", "surrogate", "utf-16", "bom", "nested", "huge number", "bytes", "a list", "no id"],
)
def test_a_signed_body_that_cannot_be_read_is_kept_and_parked(site: Site, body: bytes) -> None:
    assert site.post_hook(signed(site, body), body).status_code == 200
    [row] = rows(site)
    assert (row.body, row.status, row.error_code) == (body, "dead", "malformed")


def test_a_body_that_maps_to_nothing_is_parked_later_and_stops_nobody(site: Site) -> None:
    body = b'{"id": 1, "id": 2, "note": "\\u0000"}'
    assert site.post_hook(signed(site, body), body).status_code == 200
    good = site.shop.webhook("orders/create", site.shop.place_order([("MUG", 1)]))
    site.post_hook(*good)
    site.world.run()
    assert sorted(row.status for row in told(site)) == ["dead", "done"]


def test_an_unknown_topic_is_kept_and_ignored(site: Site) -> None:
    body = b'{"id": 7}'
    assert site.post_hook(signed(site, body, "carts/update"), body).status_code == 200
    [row] = rows(site)
    assert (row.status, row.outcome) == ("ignored", "ignored")


@pytest.mark.parametrize("topic", ["customers/data_request", "customers/redact", "shop/redact"])
def test_the_three_privacy_topics_wait_for_a_person(site: Site, topic: str) -> None:
    body = b'{"shop_id": 1, "shop_domain": "demo.myshopify.com", "customer": {"id": 5}}'
    assert site.post_hook(signed(site, body, topic), body).status_code == 200
    site.world.run()
    [row] = rows(site)
    assert (row.status, row.error_code) == ("dead", "privacy_request")


def test_unknown_addresses_are_404_and_tell_nothing(site: Site) -> None:
    client, body = site.app.test_client(), b"{}"
    wrong_token = site.hook.rsplit("/", 1)[0] + "/guess"
    answers = {client.post(path, data=body, headers=signed(site, body)).data for path in ("/in/none/x", wrong_token)}
    assert client.post(wrong_token, data=body).status_code == 404
    assert len(answers) == 1
    assert rows(site) == []
    assert refusals(site) == 0


def test_a_paused_connection_takes_webhooks_so_that_platforms_go_on_sending(site: Site) -> None:
    with site.world.db.begin() as tx:
        connections.set_status(tx, site.shop_id, "paused")
    assert site.post_hook(signed(site, b"{}"), b"{}").status_code == 200
    assert len(rows(site)) == 1


def test_an_address_that_is_looked_at_says_405(site: Site) -> None:
    client = site.app.test_client()
    for answer in (client.get(site.hook), client.put(site.hook, data=b"{}"), client.delete(site.hook)):
        assert answer.status_code == 405
        assert "POST" in answer.headers["Allow"]
    assert refusals(site) == 0


def test_a_packed_body_is_415_and_nothing_is_unpacked(site: Site) -> None:
    bomb = gzip.compress(b"0" * 10_000_000)
    answer = site.post_hook(signed(site, bomb, **{"Content-Encoding": "gzip"}), bomb)
    assert answer.status_code == 415
    assert rows(site) == []


def test_a_form_upload_is_415_and_a_missing_type_is_fine(site: Site) -> None:
    body = b'{"id": 3}'
    assert (
        site.post_hook(signed(site, body) | {"Content-Type": "multipart/form-data; boundary=x"}, body).status_code
        == 415
    )
    headers = signed(site, body)
    del headers["Content-Type"]
    assert site.post_hook(headers, body).status_code == 200


def test_a_form_typed_delivery_is_verified_over_its_bytes(site: Site) -> None:
    """Flask empties the body of forms that were read as such; the signature must still be over what was sent."""
    body = b'{"id": 4}'
    headers = signed(site, body) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert site.post_hook(headers, body).status_code == 200
    assert rows(site)[0].body == body


def test_what_a_body_may_be_long_is_a_setting(site: Site) -> None:
    site.app.config["MAX_CONTENT_LENGTH"] = 1000
    body = b"0" * 1001
    assert site.post_hook(signed(site, body), body).status_code == 413
    assert site.post_hook(signed(site, body[:1000]), body[:1000]).status_code == 200
    assert len(rows(site)) == 1


@pytest.fixture
def served(site: Site) -> Iterator[int]:
    """The application on a real port."""
    site.app.config["MAX_CONTENT_LENGTH"] = 100_000
    server = make_server("127.0.0.1", 0, site.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_chunked_body_without_a_length_is_stopped_at_the_limit(site: Site, served: int) -> None:
    def send(chunks: int) -> int:
        body = b"a" * 1000 * chunks
        call = http.client.HTTPConnection("127.0.0.1", served, timeout=10)
        try:
            parts = (body[start : start + 1000] for start in range(0, len(body), 1000))
            call.request("POST", site.hook, parts, signed(site, body), encode_chunked=True)
            return call.getresponse().status
        except (BrokenPipeError, ConnectionResetError):
            return call.getresponse().status
        finally:
            call.close()

    assert send(20) == 200
    assert send(150) == 413
    assert len(rows(site)) == 1


def test_a_burst_beyond_the_limit_is_put_off_and_others_are_not(site: Site) -> None:
    limiter = site.app.extensions["orderhub"].webhooks
    assert (limiter.per_second, limiter.burst) == (500, 5000)
    limiter.clock, limiter.burst = (lambda: 100.0), 20
    body = b'{"id": 9}'
    headers = signed(site, body)
    client = site.app.test_client()
    answers = [client.post(site.hook, data=body, headers=headers) for _ in range(25)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 5
    assert int(answers[-1].headers["Retry-After"]) >= 1
    other = {"shop": "other.myshopify.com", "access_token": "t", "webhook_secret": site.shop.webhook_secret}
    second = site.world.connect("shopify", "Other shop", other)
    token = site.world.read(lambda tx: connections.get(tx, second)).webhook_token
    theirs = headers | {"X-Shopify-Shop-Domain": "other.myshopify.com"}
    assert client.post(f"/in/{second}/{token}", data=body, headers=theirs).status_code == 200
    limiter.clock = lambda: 101.0
    assert client.post(site.hook, data=body, headers=headers).status_code == 200


def test_without_a_database_the_sender_is_asked_to_come_back(site: Site) -> None:
    away = World(open_database("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2"))
    app = create_app(site.app.extensions["orderhub"].settings, away.runtime)
    answer = app.test_client().post(site.hook, data=b"{}", headers=signed(site, b"{}"))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
