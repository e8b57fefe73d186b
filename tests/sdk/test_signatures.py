"""Webhook signatures: over the bytes as they came, against every secret that still holds."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.sdk.errors import SignatureInvalid
from hub.sdk.signatures import constant_time_equal, hmac_signature, require_hmac
from tests.contracts.conftest import ROOT

BODY = b'{"id": 1, "total": "10.50"}'
# RFC 4231, test cases 1 and 2, read 2026-11-22: https://www.rfc-editor.org/rfc/rfc4231
RFC_4231 = [
    ("\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
    ("Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
]


@pytest.mark.parametrize(("secret", "message", "signature"), RFC_4231)
def test_the_signatures_are_those_of_the_standard(secret, message, signature):
    assert hmac_signature(secret, message, encoding="hex") == signature
    require_hmac([secret], message, signature, encoding="hex")
    require_hmac([secret], message, base64.b64encode(bytes.fromhex(signature)).decode())


@given(body=st.binary(min_size=1, max_size=200), at=st.integers(0, 10_000), secret=st.text("abcdef", min_size=1))
def test_one_flipped_bit_is_noticed(body, at, secret):
    signed = hmac_signature(secret, body)
    require_hmac([secret], body, signed)
    flipped = bytearray(body)
    flipped[at % len(body)] ^= 1 << at % 8
    with pytest.raises(SignatureInvalid, match="does not match"):
        require_hmac([secret], bytes(flipped), signed)


@pytest.mark.parametrize(
    ("secrets", "given_", "words"),
    [
        (["other"], hmac_signature("right", BODY), "does not match"),
        (["right"], hmac_signature("right", BODY)[:-4], "does not match"),
        (["right"], hmac_signature("right", BODY) + " ", "does not match"),
        (["right"], hmac_signature("right", BODY).swapcase(), "does not match"),
        (["right"], "päß", "does not match"),
        (["right"], "\udc80", "does not match"),
        (["right"], None, "header is missing"),
        (["right"], "", "header is missing"),
        ([], hmac_signature("", BODY), "no webhook secret"),
        ([""], hmac_signature("", BODY), "no webhook secret"),
        (["", "right"], hmac_signature("", BODY), "does not match"),
    ],
)
def test_what_is_not_signed_with_our_secret_is_refused(secrets, given_, words):
    with pytest.raises(SignatureInvalid, match=words):
        require_hmac(secrets, BODY, given_)


def test_a_body_that_was_parsed_and_written_again_is_refused():
    signed = hmac_signature("right", BODY)
    with pytest.raises(SignatureInvalid):
        require_hmac(["right"], json.dumps(json.loads(BODY), separators=(",", ":")).encode(), signed)


@pytest.mark.parametrize("signer", ["new", "old"])
def test_while_a_secret_is_rotated_both_are_good(signer):
    require_hmac(["new", "old"], BODY, hmac_signature(signer, BODY))


def test_a_prefix_belongs_to_the_header():
    signed = hmac_signature("right", BODY, encoding="hex")
    require_hmac(["right"], BODY, f"sha256={signed}", encoding="hex", prefix="sha256=")
    for bad in (signed, f"sha1={signed}"):
        with pytest.raises(SignatureInvalid, match="missing"):
            require_hmac(["right"], BODY, bad, encoding="hex", prefix="sha256=")


def test_shared_words_are_equal_only_to_a_secret_that_is_there():
    assert constant_time_equal(["new", "old"], "old")
    assert not constant_time_equal(["", "old"], "")
    assert not constant_time_equal(["old"], None)
    assert not constant_time_equal([], "old")
    assert not constant_time_equal(["old"], "ol\udc80")


@pytest.mark.contracts
@pytest.mark.skipif(not ROOT.is_dir(), reason="the published platform material is not beside the project")
def test_published_vectors_are_met():
    vectors = json.loads((ROOT / "signature_vectors/public/vectors.json").read_text())
    by_scheme = {vector["scheme"]: vector for vector in vectors}
    shopify = by_scheme["shopify-oauth-query-hmac"]
    assert hmac_signature(shopify["secret"], shopify["signing_string"].encode(), encoding="hex") == shopify["expected"]
    tiktok = by_scheme["tiktok-shop-request-sign"]
    assert hmac_signature(tiktok["app_secret"], tiktok["signing_string"].encode(), encoding="hex") == tiktok["expected"]
    standard = by_scheme["standard-webhooks-v1"]
    # This scheme's key is the decoded secret. The one published happens to be no UTF-8, which our text secrets need.
    key = base64.b64decode(standard["secret"].removeprefix("whsec_"))
    message = f"{standard['id']}.{standard['timestamp']}.{standard['body']}".encode()
    assert hmac_signature(key, message) == standard["expected"].removeprefix("v1,")
