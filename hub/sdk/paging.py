"""Pages, windows and cursors of polled streams.

The law of cursors: a cursor is a JSON object of at most 4 KB with a key "v"; the hub stores a page's records and the
page's cursor in one transaction; an error moves nothing; enabling, disabling or upgrading never resets it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Cursor = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Window:
    """The span to read: `start` is included, `end` is not; both aware UTC. `start` is None on the first full read."""

    start: datetime | None
    end: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One thing read from a vendor, in the vendor's own shape.

    `revision` is a sortable mark of its state (normally updated-at in UTC) and part of the dedupe key.
    """

    external_id: str
    body: Mapping[str, Any]
    revision: str = ""
    topic: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Records and where to go on after them. `cursor` None means: the hub moves on to the end of the window."""

    records: tuple[Record, ...]
    cursor: Cursor | None = None


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A delivery as it arrived. `headers` has lower-case names; `raw` are the bytes that were signed."""

    method: str
    raw: bytes
    headers: Mapping[str, str]
    query: Mapping[str, str] = field(default_factory=dict)
    url: str = ""


@dataclass(frozen=True, slots=True)
class WebhookResponse:
    """An answer to a handshake, sent verbatim."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that a delivery tells.

    `stream` names a stream of the manifest (its mapping is used), or "" when the hub has no use for it.
    `external_id` is the id of the order, shipment or item, and decides which events are handled one after another.
    `event_id` is the vendor's id of the fact, the same on every retry; "" falls back to a hash of the body.
    `body` is the part of the delivery that belongs to this event; None means the raw delivery.
    """

    stream: str
    external_id: str
    topic: str
    event_id: str = ""
    revision: str = ""
    body: Mapping[str, Any] | None = None
