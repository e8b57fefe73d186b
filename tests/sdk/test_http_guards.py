"""Where a call may go, and what of it may be seen."""

from __future__ import annotations

import socket
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk import RateLimit, errors
from hub.sdk.auth import FixedHeaders
from hub.sdk.network import is_allowed, networks, session
from hub.sdk.redact import MASK, redactor
from tests.sdk.chaos import answer, hang_up

SECRET = "s3cr&t/+ value=ü"

REFUSED = [
    "0.0.0.0",  # noqa: S104 - not bound, refused
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255", "127.0.0.1",
    "127.8.8.8", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.9", "192.0.0.170",
    "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.7",
    "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:10.0.0.1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::10.0.0.1", "::8.8.8.8", "64:ff9b::8.8.8.8",
    "64:ff9b::a00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:a00:1::1", "2002:808:808::1",
    "3fff::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "::ffff:8.8.8.8", "2606:4700:4700::1111", "2a00:1450:4001::1"]


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public_is_refused(address):
    assert not is_allowed(address, tls=True, allowed=())


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_allowed_over_tls_only(address):
    assert is_allowed(address, tls=True, allowed=())
    assert not is_allowed(address, tls=False, allowed=())
    assert is_allowed(address, tls=False, allowed=networks(["0.0.0.0/0", "::/0"]))


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_a_v4_address_is_judged_alike_in_both_spellings_and_lists_only_add(ip):
    allowed = is_allowed(str(ip), tls=True, allowed=())
    if ip.version == 4:
        assert is_allowed(f"::ffff:{ip}", tls=True, allowed=()) == allowed
        assert not allowed or not (ip.is_private or ip.is_multicast or ip.is_reserved or ip.is_loopback)
    if ip.version == 4 or ip.ipv4_mapped is None:
        assert is_allowed(str(ip), tls=False, allowed=networks([f"{ip}/{ip.max_prefixlen}"]))


def test_a_network_on_the_list_opens_itself_and_nothing_else():
    erp = networks(["10.1.0.0/16", " 192.168.7.5 ", ""])
    assert is_allowed("10.1.2.3", tls=False, allowed=erp)
    assert is_allowed("::ffff:10.1.2.3", tls=False, allowed=erp)
    assert is_allowed("192.168.7.5", tls=False, allowed=erp)
    assert not is_allowed("10.2.0.1", tls=True, allowed=erp)
    with pytest.raises(ValueError, match="not-a-net"):
        networks(["not-a-net"])


SPELLINGS = ["127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "localhost", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("host", SPELLINGS)
def test_no_spelling_of_a_private_address_gets_one_byte_out(client, chaos, host):
    server = chaos(hang_up)
    http = client(session=session(()), allowed_hosts=("*",))
    with pytest.raises((errors.ConfigInvalid, errors.Transient)) as caught:
        http.post(f"http://{host}:{server.port}/latest/meta-data", data=b"key")
    if host != "[::ffff:127.0.0.1]":  # some machines cannot connect to it at all
        assert isinstance(caught.value, errors.ConfigInvalid)
        assert "ORDERHUB_ALLOW_NETWORKS" in str(caught.value)
        assert caught.value.field == "base_url"
    assert server.requests in ([], [b""])  # a connection at most, and nothing on it


def test_a_name_that_is_rebound_after_it_was_looked_up_gets_nothing(client, chaos, monkeypatch):
    server, real, answers = chaos(hang_up), socket.getaddrinfo, []

    def rebinding(host, *args, **kwargs):
        answers.append(host)
        return real("8.8.8.8" if len(answers) == 1 else "127.0.0.1", *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    socket.getaddrinfo("shop.example.com", server.port)  # whoever looks before the call sees a public address
    with pytest.raises(errors.ConfigInvalid, match=r"127\.0\.0\.1 is not a public address"):
        client(session=session(()), allowed_hosts=("*",)).post(f"http://shop.example.com:{server.port}/", data=b"key")
    assert answers[1:] == ["shop.example.com"]
    assert server.requests in ([], [b""])


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/x",
        "https://api.example.com.evil.example/x",
        "https://api.example.com@evil.example/x",
        "https://evil.example\\@api.example.com/x",
        "https://key:secret@api.example.com/x",
        "https://evil.example#@api.example.com/x",
        "https://api.example.com\t.evil.example/x",
        "https://api.example.com /x",
        "ftp://api.example.com/x",
        "file:///etc/passwd",
        "//api.example.com/x",
        "https:///x",
        "",
    ],
)
def test_only_hosts_of_the_manifest_can_be_called(client, bucket, url):
    with pytest.raises(errors.ConfigInvalid):
        client(allowed_hosts=("api.example.com", "*.shop.example.com")).get(url)
    assert bucket.taken == []


@pytest.mark.parametrize("pattern", ["127.0.0.1", "127.*"])
def test_listed_hosts_may_hold_a_wildcard(client, chaos, pattern):
    assert client(allowed_hosts=(pattern,)).get(f"{chaos(answer()).url}/x").status == 200


def test_names_of_hosts_have_no_case(client, chaos):
    server = chaos(answer())
    assert client(allowed_hosts=("LocalHost",)).get(f"http://LOCALHOST:{server.port}/x").status == 200


def test_a_call_says_who_we_are_and_carries_its_credential_unless_told_not_to(client, chaos):
    server = chaos(answer())
    http = client(authorizer=FixedHeaders({"Authorization": "Bearer abcdef"}))
    http.get(f"{server.url}/x", params={"q": "a b"})
    http.get(f"{server.url}/x", auth=False)
    first, second = [request.decode() for request in server.requests]
    assert first.startswith("GET /x?q=a+b HTTP/1.1\r\n")
    assert "\r\nUser-Agent: Orderhub/1\r\n" in first
    assert "\r\nAccept: application/json\r\n" in first
    assert "\r\nAuthorization: Bearer abcdef\r\n" in first
    assert "Authorization" not in second


def test_surroundings_do_not_change_a_call(client, chaos, monkeypatch, tmp_path):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    for name, value in {
        "NETRC": str(tmp_path / "netrc"),
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
        "REQUESTS_CA_BUNDLE": str(tmp_path / "none.pem"),
    }.items():
        monkeypatch.setenv(name, value)
    server = chaos(answer())
    assert client().get(f"{server.url}/x").status == 200
    assert b"Authorization" not in server.requests[0]


def test_cookies_of_one_account_never_reach_another(client, chaos):
    server = chaos(answer(Set_Cookie="session_id=of-the-first-shop; Path=/"))
    http = client()
    http.get(f"{server.url}/x")
    http.get(f"{server.url}/x")
    assert b"ookie" not in server.requests[1]


@pytest.mark.parametrize("value", ["two\r\nX-Admin: 1", "line\n", "•••"])
def test_a_secret_that_cannot_stand_in_a_header_is_named_as_a_setting_and_not_shown(client, chaos, value):
    server = chaos(answer())
    with pytest.raises(errors.ConfigInvalid, match="cannot be sent as it is") as caught:
        client(authorizer=FixedHeaders({"X-Key": value})).post(f"{server.url}/x")
    assert value.strip() not in str(caught.value)
    assert server.requests in ([], [b""])


@pytest.mark.parametrize("form", [SECRET, quote(SECRET, ""), quote(SECRET, "").lower(), quote_plus(SECRET), '\\"x'])
def test_secrets_are_masked_in_whatever_form_the_vendor_repeats_them(client, chaos, form):
    secret = '"xyz' if form == '\\"x' else SECRET
    shown = form if secret == SECRET else '\\"xyz'
    clean = redactor([secret, "ab"])
    said = answer(b"you sent key=" + shown.encode() + b" to us", "422 No")
    with pytest.raises(errors.Rejected) as caught:
        client(redact=clean).get(f"{chaos(said).url}/x")
    assert shown not in str(caught.value)
    assert f"you sent key={MASK} to us" in str(caught.value)


def test_the_longest_secret_is_masked_first_and_short_words_are_left_alone():
    assert redactor(["token-1", "token-1-and-more", "abc", ""])("token-1-and-more abc token-1") == f"{MASK} abc {MASK}"


def test_the_token_of_the_call_is_masked_although_it_is_no_setting(client, chaos):
    http = client(authorizer=FixedHeaders({"Authorization": "Bearer fetched-token"}))
    server = chaos(answer(b"bad token fetched-token", "422 No"), answer(b"<p>fetched-token</p>"))
    with pytest.raises(errors.Rejected, match=f"bad token {MASK}"):
        http.get(f"{server.url}/x")
    with pytest.raises(errors.SchemaDrift, match=f"<p>{MASK}</p>"):
        http.get(f"{server.url}/x").json()


def test_secrets_in_the_address_are_masked_when_the_connection_fails(client):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(errors.Transient) as caught:
        client(redact=redactor([SECRET])).get(
            f"http://127.0.0.1:{port}/bot{quote(SECRET, '')}/x", params={"key": SECRET}
        )
    assert f"/bot{MASK}/x" in str(caught.value)
    assert "key=" not in str(caught.value)


def test_what_the_vendor_says_is_cut_to_what_a_person_reads(client, chaos):
    with pytest.raises(errors.Rejected) as caught:
        client().get(f"{chaos(answer(b'no ' * 100_000, '422 No')).url}/x")
    assert len(str(caught.value)) == 500


def test_a_client_shows_no_secret_when_it_is_printed(client):
    assert "abcdef" not in repr(client(authorizer=FixedHeaders({"Authorization": "Bearer abcdef"})))
    assert "abcdef" not in repr(FixedHeaders({"Authorization": "Bearer abcdef"}))


def test_the_quota_of_a_call_is_the_one_with_the_longest_match(client):
    limits = (
        RateLimit("rest", 1, 1),
        RateLimit("orders", 1, 1, "GET /orders"),
        RateLimit("one", 1, 1, "GET /orders/*/items"),
    )
    http = client(limits=limits)
    found = [
        http.limit_for(*line)
        for line in (("GET", "https://x/orders/5/items"), ("GET", "https://x/orders"), ("POST", "https://x/orders"))
    ]
    assert [limit.bucket for limit in found] == ["one", "orders", "rest"]
    assert client(limits=()).limit_for("GET", "https://x/") is None


def test_a_connection_is_used_again(client, chaos):
    kept = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

    def twice(peer):
        peer.settimeout(0.3)
        peer.sendall(kept)
        while peer.recv(65536):
            peer.sendall(kept)

    server = chaos(twice)
    http = client()
    assert [http.get(f"{server.url}/x", read_timeout_s=1).json() for _ in range(3)] == [{}, {}, {}]
    assert server.connections == 1
