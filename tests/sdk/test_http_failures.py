"""What becomes of a call that fails: the class of the error says whether anything was sent."""

from __future__ import annotations

import gzip
import socket
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from hub.sdk import RateLimit, Response, errors
from hub.sdk.http import MAX_BODY, error_for_status, retry_after
from tests.sdk.chaos import answer, certificate, drip, hang_up, reset, silence

METHODS = ["GET", "POST"]


@pytest.fixture
def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.mark.parametrize("method", METHODS)
def test_a_refused_connection_is_passing_because_nothing_was_sent(client, closed_port, method):
    with pytest.raises(errors.Transient, match=r"no connection to 127\.0\.0\.1.*refused"):
        client().request(method, f"http://127.0.0.1:{closed_port}/x")


@pytest.mark.parametrize("method", METHODS)
def test_a_name_that_cannot_be_resolved_is_passing(client, method):
    with pytest.raises(errors.Transient, match=r"the name nowhere\.invalid cannot be resolved"):
        client(allowed_hosts=("*",)).request(method, "https://nowhere.invalid/x")


@pytest.mark.parametrize("method", METHODS)
def test_a_server_that_does_not_take_connections_is_passing(client, method):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # fill its queue, so that the kernel answers no further call
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with pytest.raises(errors.Transient, match=r"no connection to 127.0.0.1 within 0.2 s"):
            client(connect_timeout_s=0.2).request(method, f"http://127.0.0.1:{port}/x")
        for one in waiting:
            one.close()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("name", "days"), [("localhost", 1), ("localhost", -1)], ids=["self-signed", "expired"])
def test_an_untrusted_certificate_is_passing_and_never_overlooked(client, chaos, tmp_path, method, name, days):
    server = chaos(answer(), tls=certificate(tmp_path, name, days).context)
    with pytest.raises(errors.Transient, match="the certificate of localhost is not trusted: "):
        client().request(method, f"{server.url}/x")
    assert server.requests == []
    assert server.connections == (3 if method == "GET" else 1)


def test_a_certificate_of_another_name_is_passing_even_when_its_issuer_is_trusted(client, chaos, tmp_path):
    shown = certificate(tmp_path, "elsewhere.example.com")
    server = chaos(answer(), tls=shown.context)
    with pytest.raises(errors.Transient, match="not trusted: Hostname mismatch"):
        client(ca_bundle=str(shown.file)).post(f"{server.url}/x")
    assert server.requests == []


def test_further_authorities_are_trusted_beside_the_public_ones(client, chaos, tmp_path):
    from hub.sdk.network import _trusting

    shown = certificate(tmp_path)
    server = chaos(answer(b'{"ok": true}'), tls=shown.context)
    assert client(ca_bundle=str(shown.file)).post(f"{server.url}/x").json() == {"ok": True}
    assert len(_trusting(str(shown.file)).get_ca_certs()) > 50


def test_a_missing_file_of_authorities_is_said_and_nothing_is_sent(client, chaos, tmp_path):
    server = chaos(answer())
    with pytest.raises(errors.Transient, match="file with further certificate authorities"):
        client(ca_bundle=str(tmp_path / "none.pem")).post("https://localhost/x")
    assert server.requests == []


def test_a_tls_connection_that_breaks_after_the_request_leaves_a_write_unknown(client, chaos, tmp_path):
    shown = certificate(tmp_path)
    server = chaos(hang_up, tls=shown.context)  # no close_notify: OpenSSL calls this an SSL error
    http = client(ca_bundle=str(shown.file))
    with pytest.raises(errors.OutcomeUnknown):
        http.post(f"{server.url}/labels", json={"a": 1})
    with pytest.raises(errors.Transient):
        http.get(f"{server.url}/labels")
    assert len(server.requests) == 4


BROKEN = {
    "silence": silence(2),
    "reset": reset,
    "hang up": hang_up,
    "half a status line": drip(b"HTTP/1.1 2", 0),
    "half a head": drip(b"HTTP/1.1 200 OK\r\nContent-Le", 0),
    "half a body": answer(b'{"a":', length=100),
    "broken chunks": drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0),
    "no HTTP": drip(b"SSH-2.0-nothing\r\n\r\n", 0),
    "broken gzip": answer(b"not gzip", Content_Encoding="gzip"),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_what_breaks_after_a_write_was_sent_is_unknown_and_is_not_repeated(client, chaos, fault):
    server = chaos(BROKEN[fault])
    with pytest.raises(errors.OutcomeUnknown):
        client().post(f"{server.url}/labels", json={"parcel": 1}, read_timeout_s=0.2)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", BROKEN)
def test_what_breaks_after_a_read_is_tried_three_times_and_passing(client, chaos, bucket, fault):
    server = chaos(BROKEN[fault])
    with pytest.raises(errors.Transient):
        client().get(f"{server.url}/orders", read_timeout_s=0.2)
    assert len(server.requests) == 3
    assert bucket.taken == ["all"] * 3  # every try costs a token


def test_a_read_that_works_the_third_time_works(client, chaos):
    server = chaos(reset, answer(b"", "503 busy"), answer(b'{"n": 1}'))
    assert client().get(f"{server.url}/orders").json() == {"n": 1}


def test_a_post_that_only_reads_is_tried_again(client, chaos):
    server = chaos(reset, answer(b'{"n": 1}'))
    assert client().post(f"{server.url}/graphql", json={"query": "{shop}"}, safe=True).json() == {"n": 1}
    assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [b'{"query":"{shop}"}'] * 2


def test_a_body_that_was_sent_in_part_counts_as_sent(client, chaos):
    def cut(peer):
        peer.recv(10)
        reset(peer)

    server = chaos(cut, reads_request=False)
    with pytest.raises(errors.OutcomeUnknown):
        client().post(f"{server.url}/labels", data=b"x" * 5_000_000)


def test_a_head_without_end_is_cut_off(client, chaos):
    def endless(peer):
        peer.sendall(b"HTTP/1.1 200 OK\r\nX: ")
        for _ in range(160):
            peer.sendall(b"a" * 65536)

    with pytest.raises(errors.OutcomeUnknown):
        client().post(f"{chaos(endless).url}/x")


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000, b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000],
)
def test_one_byte_at_a_time_ends_at_the_deadline_in_head_and_body(client, chaos, said):
    began = time.monotonic()
    with pytest.raises(errors.OutcomeUnknown, match="no complete answer in time"):
        client().post(f"{chaos(drip(said)).url}/x", read_timeout_s=0.4)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("unpacked", [False, True], ids=["plain", "gzip bomb"])
def test_a_body_of_more_than_ten_megabytes_is_cut_off(client, chaos, unpacked):
    body = b"\0" * (MAX_BODY + 1)
    packed = answer(gzip.compress(b"\0" * 200_000_000), Content_Encoding="gzip") if unpacked else answer(body)
    server = chaos(packed)
    tracemalloc.start()
    try:
        with pytest.raises(errors.OutcomeUnknown, match="longer than 10485760 bytes"):
            client().post(f"{server.url}/x")
        assert tracemalloc.get_traced_memory()[1] < 5 * MAX_BODY
    finally:
        tracemalloc.stop()
    with pytest.raises(errors.SchemaDrift, match="longer than"):
        client().get(f"{server.url}/x")
    assert len(server.requests) == 2  # asking again would bring the same


NO_JSON = {
    "truncated": answer(b'{"orders": [{"id"'),
    "empty": answer(b""),
    "no content": answer(b"", "204 No Content"),
    "a page for people": answer(b"<html>checking your browser</html>", Content_Type="text/html"),
    "nested without end": answer(b"[" * 100_000),
    "not a number": answer(b'{"a": NaN}'),
    "UTF-16": answer('{"a": 1}'.encode("utf-16")),
}


@pytest.mark.parametrize("what", NO_JSON)
def test_an_answer_that_is_not_json_is_drift_for_a_read_and_unknown_for_a_write(client, chaos, what):
    server = chaos(NO_JSON[what])
    with pytest.raises(errors.SchemaDrift, match="is not JSON"):
        client().get(f"{server.url}/x").json()
    with pytest.raises(errors.OutcomeUnknown, match="is not JSON"):
        client().post(f"{server.url}/x").json()


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (301, errors.ConfigInvalid, errors.ConfigInvalid),
        (302, errors.Transient, errors.OutcomeUnknown),
        (303, errors.Transient, errors.OutcomeUnknown),
        (307, errors.Transient, errors.Transient),
        (308, errors.ConfigInvalid, errors.ConfigInvalid),
        (400, errors.Rejected, errors.Rejected),
        (401, errors.AuthRejected, errors.AuthRejected),
        (402, errors.MissingPermission, errors.MissingPermission),
        (403, errors.MissingPermission, errors.MissingPermission),
        (404, errors.NotFound, errors.NotFound),
        (408, errors.Transient, errors.OutcomeUnknown),
        (409, errors.Conflict, errors.Conflict),
        (410, errors.NotFound, errors.NotFound),
        (412, errors.Conflict, errors.Conflict),
        (422, errors.Rejected, errors.Rejected),
        (425, errors.Transient, errors.OutcomeUnknown),
        (429, errors.RateLimited, errors.RateLimited),
        (500, errors.Transient, errors.OutcomeUnknown),
        (502, errors.Transient, errors.OutcomeUnknown),
        (503, errors.Transient, errors.OutcomeUnknown),
        (504, errors.Transient, errors.OutcomeUnknown),
        (520, errors.Transient, errors.OutcomeUnknown),
        (599, errors.Transient, errors.OutcomeUnknown),
    ],
)
def test_every_status_has_one_class(client, chaos, status, read, write):
    server = chaos(answer(b'{"message": "no such thing"}', f"{status} X", Location="/elsewhere"))
    for method, kind in (("GET", read), ("POST", write)):
        with pytest.raises(errors.ConnectorError) as caught:
            client().request(method, f"{server.url}/orders?page=2")
        assert type(caught.value) is kind
        assert f"{method} /orders: {status}" in str(caught.value)
    assert type(error_for_status(status, "", safe=True)) is read
    assert type(error_for_status(status, "", safe=False)) is write


def test_an_expected_status_is_an_answer(client, chaos):
    assert client().get(f"{chaos(answer(b'{}', '404 No')).url}/x", expect=(404,)).status == 404


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_never_followed(client, chaos, status):
    target = chaos(answer())
    server = chaos(answer(b"", f"{status} Moved", Location=f"{target.url}/y"))
    for method in METHODS:
        with pytest.raises(errors.ConnectorError):
            client().request(method, f"{server.url}/x")
    assert target.connections == 0


def test_a_vendor_that_moved_for_good_is_named(client, chaos):
    server = chaos(answer(b"", "301 Moved", Location="https://new.example.com/x"))
    with pytest.raises(errors.ConfigInvalid, match=r"moved this to https://new.example.com/x") as caught:
        client().get(f"{server.url}/x")
    assert caught.value.field == "base_url"
    assert len(server.requests) == 1


NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("0", 0.1),
        ("-3", 0.1),
        ("1000000000", 3600.0),
        ("inf", 3600.0),
        (format_datetime(NOON + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(NOON - timedelta(days=1), usegmt=True), 0.1),
        (format_datetime(NOON + timedelta(days=9), usegmt=True), 3600.0),
        ("", None),
        ("nan", None),
        ("soon", None),
        ("Mon, 32 Foo 2026 99:00:00 GMT", None),
    ],
)
def test_the_wish_to_wait_is_read_in_every_form_and_never_longer_than_an_hour(text, seconds):
    assert retry_after(Response(429, {"retry-after": text}, b""), lambda: NOON) == seconds


@pytest.mark.parametrize(
    ("header", "wait"), [({"Retry_After": "7"}, 7.0), ({"Retry_After": "1000000000"}, 3600.0), ({}, 5.0)]
)
@pytest.mark.parametrize("method", METHODS)
def test_a_throttled_call_pauses_its_bucket_and_is_not_repeated_here(client, chaos, bucket, method, header, wait):
    server = chaos(answer(b"slow down", "429 Too Many Requests", **header))
    limits = (RateLimit("all", 9, 9), RateLimit("orders", 1, 1, match=f"{method} /orders"))
    with pytest.raises(errors.RateLimited) as caught:
        client(limits=limits).request(method, f"{server.url}/orders/5")
    assert (caught.value.retry_after_s, caught.value.bucket) == (wait, "orders")
    assert bucket.pauses == [("orders", wait)]
    assert len(server.requests) == 1


def test_an_outage_with_a_wish_to_wait_is_put_off_instead_of_repeated(client, chaos):
    server = chaos(answer(b"", "503 Busy", Retry_After="120"))
    with pytest.raises(errors.Transient) as caught:
        client().get(f"{server.url}/x")
    assert caught.value.retry_after_s == 120
    assert len(server.requests) == 1


def test_a_short_wait_for_quota_is_waited_and_a_long_one_gives_the_worker_back(client, chaos, bucket):
    server, slept = chaos(answer()), []
    bucket.waits = [0.5, 0.25]
    client(sleep=slept.append).get(f"{server.url}/x")
    assert slept == [0.5, 0.25]
    bucket.waits = [1.5, 1.5, 0.0]
    with pytest.raises(errors.RateLimited, match="own quota all is used up"):
        client(sleep=slept.append).get(f"{server.url}/x")
    assert len(server.requests) == 1
