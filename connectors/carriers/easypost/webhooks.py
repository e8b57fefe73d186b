"""Reading EasyPost's webhook deliveries. Pure: the current time is handed in."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from connectors.carriers.easypost.translate import revision
from hub.sdk import Event, WebhookRequest
from hub.sdk.errors import Malformed, SignatureInvalid
from hub.sdk.signatures import hmac_signature, require_hmac

PREFIX = "hmac-sha256-hex="
TOLERANCE = timedelta(minutes=5)
TRACKER_EVENTS = frozenset({"tracker.created", "tracker.updated"})


def signing_key(secret: str) -> str:
    """The secret as EasyPost keys its HMAC: in the compatibility decomposition, so that é is e and an accent.

    Source: https://docs.easypost.com/docs/webhooks and the vendor's own clients, read 2026-11-22.
    """
    return unicodedata.normalize("NFKD", secret)


def signature(secret: str, message: bytes) -> str:
    """A signature header's value."""
    return PREFIX + hmac_signature(signing_key(secret), message, encoding="hex")


def signed_message(request: WebhookRequest) -> bytes:
    """What the second signature covers: time, method and path as the headers state them, then the body."""
    stamp, path = request.headers.get("x-timestamp", ""), request.headers.get("x-path", "")
    return f"{stamp}{request.method.upper()}{path}".encode() + request.raw


def verify(request: WebhookRequest, secrets: Sequence[str], now: datetime) -> None:
    """Check a delivery. Raises SignatureInvalid.

    `X-Hmac-Signature-V2` also covers the time and is demanded wherever it is sent, so that an old delivery cannot be
    replayed; accounts without it send `X-Hmac-Signature` over the body alone.
    Source: https://support.easypost.com/hc/en-us/articles/39826034964237-Webhook-HMAC-Validation, read 2026-11-22.
    """
    keys = [signing_key(secret) for secret in secrets]
    second = request.headers.get("x-hmac-signature-v2")
    if second is None:
        require_hmac(keys, request.raw, request.headers.get("x-hmac-signature"), encoding="hex", prefix=PREFIX)
        return
    require_hmac(keys, signed_message(request), second, encoding="hex", prefix=PREFIX)
    _require_fresh(request.headers.get("x-timestamp", ""), now)


def _require_fresh(stamp: str, now: datetime) -> None:
    try:
        sent = parsedate_to_datetime(stamp)
    except (TypeError, ValueError) as error:
        raise SignatureInvalid(f"the delivery's time cannot be read: {stamp[:60]!r}") from error
    # "-0000" means UTC without a statement of place and is parsed as naive.
    sent = sent if sent.tzinfo else sent.replace(tzinfo=UTC)
    if abs(now - sent) > TOLERANCE:
        raise SignatureInvalid(f"the delivery was signed at {stamp}, more than five minutes from now")


def events(request: WebhookRequest) -> list[Event]:
    """The one event of a delivery: tracking, or something that the hub has no use for. Raises Malformed."""
    try:
        told = orjson.loads(request.raw)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the delivery is not JSON: {error}") from error
    if not isinstance(told, Mapping) or not isinstance(told.get("description"), str):
        raise Malformed("the delivery is not an EasyPost event: it has no description")
    return [_event(told)]


def _event(told: Mapping[str, Any]) -> Event:
    topic, result = told["description"], told.get("result")
    thing = result if isinstance(result, Mapping) else {}
    about = str(thing.get("id") or "")
    if topic not in TRACKER_EVENTS:
        return Event(stream="", external_id=about, topic=topic, event_id=str(told.get("id") or ""))
    if not about:
        raise Malformed("the tracking event has no tracker")
    return Event(
        stream="tracking",
        external_id=about,
        topic=topic,
        event_id=str(told.get("id") or ""),
        revision=revision(thing) if thing.get("updated_at") else "",
        body=dict(thing),
    )
