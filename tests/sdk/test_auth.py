"""Credentials on calls: which header carries them, and a refused token is renewed once."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest

from hub.sdk import ApiKey, BasicAuth, Http, NoAuth, OAuth2, Response, errors
from hub.sdk.auth import FixedHeaders, authorizer, moved
from hub.testing.context import MemoryTokens
from tests.sdk.chaos import answer

REFUSED = answer(b'{"error": "expired"}', "401 Unauthorized")
VALUES = {"shop": "demo", "client_id": "id", "client_secret": "s3cret-client", "refresh_token": "refresh-0"}
AUTH = OAuth2(
    "https://{shop}.example.com/oauth/token",
    grant="refresh_token",
    client_id="client_id",
    client_secret="client_secret",
    refresh_token="refresh_token",
    token_url_setting="base_url",
)


def token(number):
    return answer(b'{"access_token": "token-%d", "expires_in": 3600}' % number)


@pytest.fixture
def signed_in(client, chaos):
    """Makes a client with OAuth whose vendor and token endpoint play these scripts, and the two servers."""

    def make(vendor, endpoint, auth=AUTH):
        shop, tokens = chaos(*vendor), chaos(*endpoint)
        values = {**VALUES, "base_url": tokens.url}
        return client(authorizer=authorizer(auth, values, MemoryTokens(), client)), shop, tokens

    return make


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_refused_token_is_renewed_and_the_call_repeated(signed_in, method):
    http, shop, tokens = signed_in([REFUSED, answer(b'{"n": 1}')], [token(1), token(2)])
    assert http.request(method, f"{shop.url}/x", data=b"body").json() == {"n": 1}
    assert [b"Bearer token-1" in shop.requests[0], b"Bearer token-2" in shop.requests[1]] == [True, True]
    assert [request.endswith(b"body") for request in shop.requests] == [True, True]
    assert (len(shop.requests), len(tokens.requests)) == (2, 2)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_token_that_is_refused_twice_needs_a_person(signed_in, method):
    http, shop, tokens = signed_in([REFUSED], [token(1), token(2), token(3)])
    with pytest.raises(errors.AuthRejected, match="expired"):
        http.request(method, f"{shop.url}/x")
    assert (len(shop.requests), len(tokens.requests)) == (2, 2)


def test_a_read_that_is_tried_again_renews_its_token_only_once(signed_in):
    http, shop, tokens = signed_in([REFUSED, answer(b"", "503 Busy"), REFUSED], [token(1), token(2), token(3)])
    with pytest.raises(errors.AuthRejected):
        http.get(f"{shop.url}/x")
    assert (len(shop.requests), len(tokens.requests)) == (3, 2)


def test_a_write_whose_token_cannot_be_had_was_not_sent(signed_in):
    http, shop, tokens = signed_in([answer()], [answer(b"", "503 Busy")])
    with pytest.raises(errors.Transient):
        http.post(f"{shop.url}/labels")
    assert (len(shop.requests), len(tokens.requests)) == (0, 1)


def test_an_endpoint_that_fails_is_asked_again_for_a_read_three_times_in_all(signed_in):
    http, shop, tokens = signed_in([answer()], [answer(b"", "503 Busy")])
    with pytest.raises(errors.Transient):
        http.get(f"{shop.url}/orders")
    assert (len(shop.requests), len(tokens.requests)) == (0, 3)


def test_an_expected_refusal_is_an_answer(signed_in):
    http, shop, tokens = signed_in([REFUSED], [token(1)])
    assert http.get(f"{shop.url}/x", expect=(401,)).status == 401
    assert len(tokens.requests) == 1


DEAD = answer(b'{"error": "token expired"}', "403 Forbidden")
DEAD_BUT_OK = answer(b'{"data": null, "error": "token expired"}')
SAYS_SO = replace(AUTH, expired_when=lambda response: b"token expired" in response.body)


@pytest.mark.parametrize("refusal", [DEAD, DEAD_BUT_OK], ids=["403", "200"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_dead_token_is_renewed_however_the_vendor_says_it(signed_in, method, refusal):
    http, shop, tokens = signed_in([refusal, answer(b'{"n": 1}')], [token(1), token(2)], SAYS_SO)
    assert http.request(method, f"{shop.url}/x", expect=(403,)).json() == {"n": 1}
    assert (len(shop.requests), len(tokens.requests)) == (2, 2)


def test_a_token_that_is_dead_again_needs_a_person_however_the_vendor_says_it(signed_in):
    http, shop, tokens = signed_in([DEAD], [token(1), token(2), token(3)], SAYS_SO)
    with pytest.raises(errors.AuthRejected, match="token expired"):
        http.post(f"{shop.url}/x")
    assert (len(shop.requests), len(tokens.requests)) == (2, 2)


def test_another_refusal_is_no_dead_token(signed_in):
    http, shop, tokens = signed_in([answer(b'{"error": "no such scope"}', "403 Forbidden")], [token(1)], SAYS_SO)
    with pytest.raises(errors.MissingPermission):
        http.post(f"{shop.url}/x")
    assert (len(shop.requests), len(tokens.requests)) == (1, 1)


@pytest.mark.parametrize("refusal", [REFUSED, DEAD, DEAD_BUT_OK], ids=["401", "403", "200"])
def test_one_who_hears_of_the_dead_token_late_takes_the_one_that_was_fetched_meanwhile(signed_in, refusal):
    others: list[Http] = []

    def renewed_by_another_meanwhile(peer):
        assert others[0].get(f"{shop.url}/other").json() == {"n": 1}
        refusal(peer)

    good = answer(b'{"n": 1}')
    vendor = [good, renewed_by_another_meanwhile, refusal, good, good]
    http, shop, tokens = signed_in(vendor, [token(1), token(2), token(3)], SAYS_SO)
    others.append(http)
    http.get(f"{shop.url}/first")
    assert http.post(f"{shop.url}/late").json() == {"n": 1}
    assert len(tokens.requests) == 2
    assert b"Bearer token-2" in shop.requests[-1]


def test_a_fixed_key_that_is_refused_is_not_shown_again(client, chaos):
    shop = chaos(REFUSED)
    with pytest.raises(errors.AuthRejected):
        client(authorizer=FixedHeaders({"X-Key": "k"})).get(f"{shop.url}/x")
    assert len(shop.requests) == 1


def test_a_call_without_credential_asks_for_no_token(signed_in):
    http, shop, tokens = signed_in([answer()], [token(1)])
    http.get(f"{shop.url}/public", auth=False)
    assert tokens.connections == 0
    assert b"uthorization" not in shop.requests[0]


@pytest.mark.parametrize(
    ("auth", "headers"),
    [
        (NoAuth(), {}),
        (ApiKey("X-Key", "key", "Token "), {"X-Key": "Token s3cret"}),
        (BasicAuth("user", "key"), {"Authorization": "Basic " + base64.b64encode("jö:s3cret".encode()).decode()}),
        (BasicAuth("user"), {"Authorization": "Basic " + base64.b64encode("jö:".encode()).decode()}),
    ],
)
def test_every_kind_of_credential_has_its_header(auth, headers):
    made = authorizer(auth, {"key": "s3cret", "user": "jö"}, MemoryTokens(), lambda: pytest.fail("nothing to call"))
    assert made.headers() == made.headers(renew=True) == headers
    assert not made.is_expired(Response(401, {}, b""))
    assert "s3cret" not in repr(made)


def test_parameters_of_the_token_call_go_as_the_vendor_wants_them(client, chaos):
    for body, wanted in (("form", b"grant_type=client_credentials&client_id=id"), ("json", b'"client_id":"id"')):
        endpoint = chaos(token(1))
        auth = OAuth2("{base_url}/token", "client_credentials", client_id="client_id", body=body)
        authorizer(auth, {**VALUES, "base_url": endpoint.url}, MemoryTokens(), client).headers()
        assert wanted in endpoint.requests[0]
        assert b"refresh" not in endpoint.requests[0]


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("", "https://demo.example.com/oauth/token?a=1"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/oauth/token?a=1"),
        ("http://127.0.0.1:8000/ignored", "http://127.0.0.1:8000/oauth/token?a=1"),
    ],
)
def test_one_setting_moves_an_address_to_a_sandbox(base, url):
    assert moved("https://demo.example.com/oauth/token?a=1", base) == url
