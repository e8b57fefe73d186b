"""Pages, windows and cursors of polled streams.

The law of cursors:

- A cursor is a JSON object of at most 4 KB with a key "v".
- The hub stores a page's records and the page's cursor in one transaction; an error moves nothing.
- A run that broke is read on from the last cursor that was stored, in the very window it had; what changed since is
  the next window, which overlaps the one before by the stream's lookback. So a cursor is a place inside its window.
- The cursor of a run's last page is where the next window begins: None, as from every source that is asked by time, is
  at its start. Only a source that keeps a journal of its own ends with a cursor, its place there.
- Enabling, disabling or upgrading never resets a cursor; only a person sends a stream back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from hub.sdk import errors

Cursor = Mapping[str, Any]

LONGEST_CURSOR = 4096  # bytes as JSON


@dataclass(frozen=True, slots=True)
class Window:
    """The span to read: `start` is included, `end` is not; both aware UTC. `start` is None on the first full read.

    A cursor comes back with the window it was made in, unless it is the one that a journal ended with.
    """

    start: datetime | None
    end: datetime


@dataclass(frozen=True, slots=True)
class Record:
    """One thing read from a vendor, in the vendor's own shape.

    `revision` is a sortable mark of its state (normally updated-at in UTC) and part of the dedupe key. `error` says
    why it cannot be read, when it cannot: it is parked as it came.
    """

    external_id: str
    body: Mapping[str, Any]
    revision: str = ""
    topic: str = ""
    error: str = ""


def read_each(items: Iterable[Any], read: Callable[[Any], Record]) -> tuple[Record, ...]:
    """The records of a page, each read on its own: one that cannot be read stops no other.

    Raises what the hub has to act on, such as Transient, when `read` calls out.
    """
    return tuple(_read_one(item, read) for item in items)


def _read_one(item: Any, read: Callable[[Any], Record]) -> Record:
    try:
        return read(item)
    except errors.SchemaDrift as error:
        said = str(error)
    except errors.ConnectorError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever this one item has that nobody expected
        said = f"{type(error).__name__}: {error}"
    return Record("", item, error=f"a record that cannot be read: {said}")


@dataclass(frozen=True, slots=True)
class Page:
    """Records and where to go on after them. `cursor` None on the last page says that the window is read to its end.

    Raises ValueError for a cursor that breaks the law.
    """

    records: tuple[Record, ...]
    cursor: Cursor | None = None

    def __post_init__(self) -> None:
        if self.cursor is None:
            return
        if "v" not in self.cursor:
            raise ValueError('a cursor needs a key "v", which tells later versions how to read it')
        if len(orjson.dumps(self.cursor)) > LONGEST_CURSOR:
            raise ValueError(f"a cursor of more than {LONGEST_CURSOR} bytes: it is a place, not a store")


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
