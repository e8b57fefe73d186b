"""Connections with their health: how punctual each stream is, what waits, what webhooks brought."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import func, select

from hub.store import connections, listings
from hub.store.connections import ConnectionRow
from hub.store.database import Tx
from hub.store.sealing import Keyring
from hub.store.tables import cursor, external_ref, inbox, listing, location, outbox, webhook_rejection

Word = Literal[
    "on time", "late", "error", "needs sign-in", "misconfigured", "unavailable", "paused", "pending", "held back"
]
USUAL = timedelta(minutes=15)
RECENT = timedelta(hours=24)  # webhooks are counted over this time
_BY_STATUS: Mapping[str, Word] = {
    "paused": "paused",
    "needs_sign_in": "needs sign-in",
    "misconfigured": "misconfigured",
    "unavailable": "unavailable",
}

# How often each polled stream is read, by (plugin, stream): from the manifests.
Intervals = Mapping[tuple[str, str], timedelta]


@dataclass(frozen=True, slots=True)
class StreamView:
    """A polled stream. `synced_to`: everything changed before is stored. `found_by_sweep` counts records that no
    webhook had brought.
    """

    stream: str
    every: timedelta
    synced_to: datetime | None
    next_at: datetime | None
    last_started_at: datetime | None
    last_ok_at: datetime | None
    last_error: str
    failures: int
    last_seen: int
    found_by_sweep: int
    cursor: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class QueueLengths:
    """Rows that wait or need somebody; `stock_due` are listings with a figure that is not told yet."""

    inbox_waiting: int = 0
    inbox_parked: int = 0
    outbox_waiting: int = 0
    outbox_unknown: int = 0
    outbox_failed: int = 0
    outbox_held: int = 0
    stock_due: int = 0
    stock_errors: int = 0


@dataclass(frozen=True, slots=True)
class WebhookCounts:
    """Deliveries of the last 24 hours; `duplicates` are further deliveries of the same fact, `rejected` those with a
    bad signature, of which only the newest are kept.
    """

    received: int = 0
    duplicates: int = 0
    rejected: int = 0
    last_received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A connection as the list shows it. `word` is its state in one word, by schedule as well as by status."""

    row: ConnectionRow
    word: Word
    streams: tuple[StreamView, ...]
    queues: QueueLengths
    webhooks: WebhookCounts

    @property
    def last_sync_at(self) -> datetime | None:
        """When anything last went well."""
        times = [one.last_ok_at for one in self.streams if one.last_ok_at] + [self.row.last_ok_at or None]
        return max((time for time in times if time is not None), default=None)


@dataclass(frozen=True, slots=True)
class PlaceLink:
    """A place of the connection that is one of our locations."""

    external_id: str
    location_id: str
    location: str


@dataclass(frozen=True, slots=True)
class Rejection:
    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class ConnectionDetail:
    """One connection. `secrets` says which secrets are set, never what they are; None when no key opens them."""

    view: ConnectionView
    secrets: dict[str, bool] | None
    places: tuple[PlaceLink, ...]
    rejections: tuple[Rejection, ...]  # the last twenty


def every(tx: Tx, now: datetime, intervals: Intervals) -> list[ConnectionView]:
    """All connections by name, with a handful of queries for all of them together."""
    return _views(tx, connections.every(tx), now, intervals)


def detail(tx: Tx, key: str, now: datetime, intervals: Intervals, keyring: Keyring) -> ConnectionDetail:
    """The connection with that id or name. Raises UnknownConnectionError."""
    row = connections.get(tx, key)
    try:
        secrets: dict[str, bool] | None = connections.secret_status(tx, keyring, row.id)
    except Exception:  # noqa: BLE001 - the page has to open whatever is wrong with the keys
        secrets = None
    linked = (
        select(external_ref.c.external_id, location.c.id, location.c.code)
        .join(location, location.c.id == external_ref.c.entity_id)
        .where(external_ref.c.connection_id == row.id, external_ref.c.kind == "location")
        .order_by(location.c.code)
    )
    refused = (
        select(webhook_rejection.c.at, webhook_rejection.c.reason)
        .where(webhook_rejection.c.connection_id == row.id)
        .order_by(webhook_rejection.c.id.desc())
        .limit(20)
    )
    return ConnectionDetail(
        _views(tx, [row], now, intervals)[0],
        secrets,
        tuple(PlaceLink(*one) for one in tx.execute(linked)),
        tuple(Rejection(*one) for one in tx.execute(refused)),
    )


def status_word(row: ConnectionRow, streams: Sequence[StreamView], now: datetime) -> Word:
    """On time, late (more than one interval behind), error (more than two, or the breaker is open), or what a person
    has to do about it.
    """
    if row.status != "active":
        return _BY_STATUS[row.status]
    if row.outbox_held:
        return "held back"
    if row.open_until is not None and row.open_until > now:
        return "error"
    behind = [_behind(one, row, now) for one in streams]
    if any(intervals > 2 for intervals in behind):
        return "error"
    if any(intervals > 1 for intervals in behind):
        return "late"
    if any(one.last_ok_at is None for one in streams):
        return "pending"
    return "on time"


def _behind(stream: StreamView, row: ConnectionRow, now: datetime) -> float:
    """How many intervals ago the next run should have been done; a run may take an interval itself."""
    since = stream.last_ok_at or row.created_at
    return max(0.0, (now - since) / stream.every - 1)


def _views(tx: Tx, rows: Sequence[ConnectionRow], now: datetime, intervals: Intervals) -> list[ConnectionView]:
    ids = [row.id for row in rows]
    streams, queues, hooks = _streams(tx, rows, intervals), _queues(tx, ids), _webhooks(tx, ids, now)
    found = []
    for row in rows:
        known = tuple(streams.get(row.id, ()))
        word = status_word(row, known, now)
        found.append(ConnectionView(row, word, known, queues.get(row.id, QueueLengths()), hooks[row.id]))
    return found


def _streams(tx: Tx, rows: Sequence[ConnectionRow], intervals: Intervals) -> dict[str, list[StreamView]]:
    plugins = {row.id: row.plugin for row in rows}
    found: dict[str, list[StreamView]] = {}
    query = select(cursor).where(cursor.c.connection_id.in_(list(plugins))).order_by(cursor.c.stream)
    for row in tx.execute(query):
        found.setdefault(row.connection_id, []).append(
            StreamView(
                row.stream,
                intervals.get((plugins[row.connection_id], row.stream), USUAL),
                row.synced_to,
                row.next_at,
                row.last_started_at,
                row.last_ok_at,
                row.last_error,
                row.failures,
                row.last_seen,
                row.found_by_sweep,
                row.value,
            )
        )
    return found


_INBOX_FIELDS = {"received": "inbox_waiting", "retry_wait": "inbox_waiting", "dead": "inbox_parked"}
_OUTBOX_FIELDS = {
    "pending": "outbox_waiting",
    "sending": "outbox_waiting",
    "retry_wait": "outbox_waiting",
    "unknown": "outbox_unknown",
    "dead": "outbox_failed",
    "rejected": "outbox_failed",
    "held": "outbox_held",
}


def _queues(tx: Tx, ids: Sequence[str]) -> dict[str, QueueLengths]:
    """Queue lengths; only unfinished rows are counted, by their partial indexes."""
    counts: dict[str, dict[str, int]] = {key: {} for key in ids}
    for table, fields in ((inbox, _INBOX_FIELDS), (outbox, _OUTBOX_FIELDS)):
        for status, name in fields.items():
            query = (
                select(table.c.connection_id, func.count())
                .where(table.c.status == status, table.c.connection_id.in_(ids))
                .group_by(table.c.connection_id)
            )
            for connection_id, units in tx.execute(query):
                counts[connection_id][name] = counts[connection_id].get(name, 0) + int(units)
    for name, where in (("stock_due", listings.TO_TELL), ("stock_errors", listing.c.publish_error != "")):
        rows = select(listing.c.connection_id, func.count()).where(where, listing.c.connection_id.in_(ids))
        for connection_id, units in tx.execute(rows.group_by(listing.c.connection_id)):
            counts[connection_id][name] = int(units)
    return {key: QueueLengths(**found) for key, found in counts.items()}


def _webhooks(tx: Tx, ids: Sequence[str], now: datetime) -> dict[str, WebhookCounts]:
    since = now - RECENT
    # Keys grow with time, so the last day is the end of the primary key and needs no index of its own.
    first = f"{int(since.timestamp() * 1000):012x}"
    first_key = f"{first[:8]}-{first[8:]}"
    came = (
        select(inbox.c.connection_id, func.count(), func.sum(inbox.c.duplicates), func.max(inbox.c.received_at))
        .where(inbox.c.id >= first_key, inbox.c.source == "webhook", inbox.c.connection_id.in_(ids))
        .group_by(inbox.c.connection_id)
    )
    refused = (
        select(webhook_rejection.c.connection_id, func.count())
        .where(webhook_rejection.c.id >= first_key, webhook_rejection.c.connection_id.in_(ids))
        .group_by(webhook_rejection.c.connection_id)
    )
    rejected = {key: int(units) for key, units in tx.execute(refused)}
    received = {row[0]: (int(row[1]), int(row[2] or 0), row[3]) for row in tx.execute(came)}
    found = {}
    for key in ids:
        count, duplicates, last = received.get(key, (0, 0, None))
        found[key] = WebhookCounts(count, duplicates, rejected.get(key, 0), last)
    return found
