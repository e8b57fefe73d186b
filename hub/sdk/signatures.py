"""Webhook signatures: over the raw bytes, compared in constant time, an empty secret never matches."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Literal

from hub.sdk.errors import SignatureInvalid


def hmac_signature(
    secret: str | bytes, message: bytes, *, digest: str = "sha256", encoding: Literal["base64", "hex"] = "base64"
) -> str:
    """The HMAC of `message` as text. A secret that vendors write encoded is given decoded, as bytes."""
    key = secret.encode() if isinstance(secret, str) else secret
    raw = hmac.new(key, message, getattr(hashlib, digest)).digest()
    return raw.hex() if encoding == "hex" else base64.b64encode(raw).decode()


def require_hmac(
    secrets: Sequence[str | bytes],
    message: bytes,
    given: str | None,
    *,
    digest: str = "sha256",
    encoding: Literal["base64", "hex"] = "base64",
    prefix: str = "",
) -> None:
    """Check a signature against every valid secret, so that a secret can be rotated.

    `given` is the header as it came, with `prefix` before the signature. Raises SignatureInvalid when it is missing,
    wrong, or when there is no secret.
    """
    usable = [secret for secret in secrets if secret]
    if not usable:
        raise SignatureInvalid("the connection has no webhook secret")
    if not given or not given.startswith(prefix):
        raise SignatureInvalid("the signature header is missing")
    wanted = given.removeprefix(prefix).encode("utf-8", "replace")
    matches = [
        hmac.compare_digest(hmac_signature(secret, message, digest=digest, encoding=encoding).encode(), wanted)
        for secret in usable
    ]
    if not any(matches):
        raise SignatureInvalid("the signature does not match")


def constant_time_equal(secrets: Sequence[str], given: str | None) -> bool:
    """Whether `given` equals one of the non-empty secrets, in constant time."""
    wanted = (given or "").encode("utf-8", "replace")
    # A list, not a generator: every secret is compared, whichever one matches.
    return any([hmac.compare_digest(secret.encode(), wanted) for secret in secrets if secret])  # noqa: C419
