"""Reconcile: read what changed at a connection, with an overlap, so that a lost webhook costs minutes and no order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
import structlog

from hub.flows.runtime import Runtime
from hub.sdk import (
    CatalogSource,
    FulfillmentTarget,
    OrderSource,
    Page,
    Record,
    StockSource,
    Stream,
    Window,
    errors,
)
from hub.store import availability, connections, cursors, inbox
from hub.store.connections import ConnectionRow
from hub.store.cursors import CursorState
from hub.store.inbox import Arrival, partition_of

log = structlog.get_logger()

MOST_PAGES = 1000
FIRST_READ = timedelta(days=7)  # how far back a new connection's orders are read
_METHODS: dict[str, tuple[type, str]] = {
    "order": (OrderSource, "orders"),
    "inventory": (StockSource, "stock"),
    "product": (CatalogSource, "items"),
    "shipment": (FulfillmentTarget, "updates"),
    "fulfillment": (FulfillmentTarget, "updates"),
}


def reconcile(runtime: Runtime, connection_id: str, stream_name: str) -> int:
    """Read one stream from where the last run ended; returns how many records were new.

    Each page and its cursor are stored in one transaction. An error moves nothing: what was stored stays, and the
    next run reads on from there.
    """
    with runtime.db.read() as tx:
        connection = connections.get(tx, connection_id)
    if connection.status != "active":
        return 0
    stream = runtime.plugin(connection).manifest.stream(stream_name)
    now = runtime.clock()
    planned = now + stream.every
    with runtime.db.begin() as tx:
        cursors.started(tx, connection_id, stream_name, now, planned)
    try:
        new = _read_on(runtime, connection, stream, now)
    except Exception as error:  # noqa: BLE001 - noted at the connection; the next run reads on
        _failed(runtime, connection, stream, error, planned)
        return 0
    with runtime.db.begin() as tx:
        connections.succeeded(tx, connection_id, now)
        risen = stream.kind == "inventory" and availability.fed(tx, connection_id, now)
    if risen:
        runtime.wake("stock")
    return new


def window_for(stream: Stream, synced_to: datetime | None, now: datetime) -> Window:
    """From the last run's end back by the overlap, up to now less the source's lag.

    The first run reads orders of the last days and everything else whole.
    """
    end = now - stream.lag
    if synced_to is not None:
        return Window(synced_to - stream.lookback, end)
    return Window(now - FIRST_READ if stream.kind == "order" else None, end)


def _read_on(runtime: Runtime, connection: ConnectionRow, stream: Stream, now: datetime) -> int:
    """Read what a broken run has left, in the very window that it had, and then what changed since."""
    new, is_rest = 0, True
    while is_rest:
        with runtime.db.read() as tx:
            state = cursors.get(tx, connection.id, stream.name)
        is_rest = state.window is not None
        window = state.window or window_for(stream, state.synced_to, now)
        new += _Reading(runtime, connection, stream, window, state).to_its_end(now)
    return new


@dataclass(frozen=True, slots=True)
class _Reading:
    """One window of one stream, begun or read on at the cursor in `state`."""

    runtime: Runtime
    connection: ConnectionRow
    stream: Stream
    window: Window
    state: CursorState

    def to_its_end(self, now: datetime) -> int:
        """Read every page; returns how many records were new.

        The cursor of the last page is where the next window begins: None is at its start.
        """
        new, page = 0, Page(())
        last = None if self.state.window else self.state.value  # a broken run may come by where it had been
        for number, page in enumerate(self._pages(), start=1):
            if number > MOST_PAGES:
                raise errors.SchemaDrift(f"more than {MOST_PAGES} pages in one run: the source seems to go in a circle")
            if page.records and page.cursor is not None and page.cursor == last:
                raise errors.SchemaDrift("the source gave the same cursor twice: it does not move on")
            new += self._store(page)
            last = dict(page.cursor) if page.cursor is not None else last
        with self.runtime.db.begin() as tx:
            key = self.connection.id, self.stream.name
            cursors.finished(tx, *key, self.window.end, page.cursor, now, self.state.rewinds)
        return new

    def _pages(self) -> Iterator[Page]:
        capability, method = _METHODS[self.stream.kind]
        connector = self.runtime.connector(self.connection)
        if not isinstance(connector, capability):
            raise errors.ConfigInvalid(f"{connector.manifest.label} cannot be polled for {self.stream.name}")
        pages: Iterator[Page] = getattr(connector, method)(self.window, self.state.value)
        return pages

    def _store(self, page: Page) -> int:
        source = "poll" if self.state.synced_to else "backfill"
        arrivals = [arrival(self.stream, record, source) for record in page.records]
        key = self.connection.id, self.stream.name
        with self.runtime.db.begin() as tx:
            fresh = inbox.store(tx, self.connection.id, arrivals, self.runtime.clock())
            cursors.moved(tx, *key, page.cursor, self.window, len(fresh), self.state.rewinds)
        named = [one.external_id or one.dedupe_key for one in fresh]
        self.runtime.wake_all({f"inbox:{partition_of(self.connection.id, name)}" for name in named})
        return len(fresh)


def arrival(stream: Stream, record: Record, source: str = "poll") -> Arrival:
    """A record read from a source as something for the inbox; the same state of the same thing has the same key.

    `source` is "backfill" for the first reading of a stream, where finding things is no sign of lost webhooks.
    """
    body = orjson.dumps(record.body)
    mark = record.revision or inbox.body_hash(body)
    return Arrival(
        stream=stream.name,
        topic=record.topic or stream.name,
        external_id=record.external_id,
        body=body,
        dedupe_key=f"{stream.name}:{record.external_id}:{mark}",
        source=source,
        revision=record.revision,
        error=record.error or None,
    )


def _failed(runtime: Runtime, connection: ConnectionRow, stream: Stream, error: Exception, planned: datetime) -> None:
    now, said = runtime.clock(), f"{type(error).__name__}: {error}"
    log.warning("reconcile.failed", connection=connection.name, stream=stream.name, error=said)
    note_failure(runtime, connection, error)
    next_at = now + timedelta(seconds=getattr(error, "retry_after_s", None) or 30)
    with runtime.db.begin() as tx:
        if isinstance(error, errors.RateLimited):
            cursors.put_off(tx, connection.id, stream.name, said, next_at, planned)
        else:
            cursors.failed(tx, connection.id, stream.name, said, now, next_at, planned)


def note_failure(runtime: Runtime, connection: ConnectionRow, error: Exception) -> None:
    """Write at the connection what a failed read means for it: sign in again, mend a setting, or wait."""
    with runtime.db.begin() as tx:
        if isinstance(error, errors.AuthRejected):
            connections.stop(tx, connection, "needs_sign_in", str(error))
        elif isinstance(error, (errors.MissingPermission, errors.ConfigInvalid)):
            field = getattr(error, "field", None) or None
            connections.stop(tx, connection, "misconfigured", str(error), field)
        elif not isinstance(error, errors.RateLimited):
            connections.failed(tx, connection.id, f"{type(error).__name__}: {error}", runtime.clock())
