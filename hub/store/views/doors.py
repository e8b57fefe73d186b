"""The two doors: what arrived and what is to go out, row by row."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import connection, inbox, orders, outbox
from hub.store.views.pages import Page, before, cursor_after, cut, read_cursor, size


class UnknownRowError(KeyError):
    """There is no such row in the inbox or the outbox."""

    def __str__(self) -> str:
        return f"there is no {self.args[0]} row {self.args[1]!r}"


@dataclass(frozen=True, slots=True)
class InboxQuery:
    """What to look for in the inbox; everything given has to be true. `statuses` empty means all."""

    statuses: tuple[str, ...] = ()
    connection_id: str = ""
    stream: str = ""
    error_code: str = ""
    external_id: str = ""
    received_from: datetime | None = None
    received_to: datetime | None = None  # exclusive
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class InboxRow:
    """Something that arrived, without its body."""

    id: str
    connection_id: str
    channel: str
    source: str
    stream: str
    topic: str
    external_id: str
    revision: str
    received_at: datetime
    status: str
    outcome: str | None
    error_code: str | None
    error: str | None
    error_path: str | None
    attempts: int
    duplicates: int
    next_at: datetime | None
    processed_at: datetime | None
    entity_id: str | None
    mapping: str | None


@dataclass(frozen=True, slots=True)
class InboxDetail:
    row: InboxRow
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class OutboxQuery:
    """What to look for in the outbox; everything given has to be true. `statuses` empty means all."""

    statuses: tuple[str, ...] = ()
    connection_id: str = ""
    operation: str = ""
    order_id: str = ""
    error_code: str = ""
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """Something that is to be told to an outside system."""

    id: str
    connection_id: str
    channel: str
    operation: str
    order_id: str | None
    order_number: str | None
    subject_id: str
    reference: str
    status: str
    attempts: int
    created_at: datetime
    next_at: datetime
    settled_at: datetime | None
    external_id: str | None
    error_code: str | None
    error: str


@dataclass(frozen=True, slots=True)
class OutboxDetail:
    row: OutboxRow
    idempotency_key: str
    payload: dict[str, Any]
    sending_until: datetime | None


_NAMES: dict[str, Any] = {"channel": connection.c.name, "order_number": orders.c.number}
_INBOX = [_NAMES[name] if name in _NAMES else inbox.c[name] for name in InboxRow.__slots__]
_OUTBOX = [_NAMES[name] if name in _NAMES else outbox.c[name] for name in OutboxRow.__slots__]


def inbox_rows(tx: Tx, query: InboxQuery) -> Page[InboxRow]:
    """A page of the inbox, newest first. Raises BadCursorError."""
    limit = size(query.limit)
    joined = select(*_INBOX).join(connection, connection.c.id == inbox.c.connection_id).where(*_inbox_where(query))
    found = [
        InboxRow(*row) for row in tx.execute(_newest(joined, inbox.c.received_at, inbox.c.id, query).limit(limit + 1))
    ]
    rows, more = cut(found, limit)
    return Page(tuple(rows), cursor_after(rows[-1].received_at, rows[-1].id) if more else None)


def inbox_ids(tx: Tx, query: InboxQuery, most: int = 10_000) -> list[str]:
    """Ids of the rows that a query finds, newest first; at most `most`."""
    chosen = select(inbox.c.id).where(*_inbox_where(query)).order_by(inbox.c.id.desc()).limit(most)
    return list(tx.execute(chosen).scalars())


def inbox_by_id(tx: Tx, ids: Collection[str]) -> list[InboxRow]:
    """Rows by id, oldest first; ids that are not there are left out."""
    found: list[InboxRow] = []
    for part in chunks(ids):
        query = select(*_INBOX).join(connection, connection.c.id == inbox.c.connection_id).where(inbox.c.id.in_(part))
        found += [InboxRow(*row) for row in tx.execute(query.order_by(inbox.c.id))]
    return found


def inbox_row(tx: Tx, inbox_id: str) -> InboxDetail:
    """One row with its body. Raises UnknownRowError."""
    query = select(*_INBOX, inbox.c.headers, inbox.c.body).join(connection, connection.c.id == inbox.c.connection_id)
    row = tx.execute(query.where(inbox.c.id == inbox_id)).first()
    if row is None:
        raise UnknownRowError("inbox", inbox_id)
    return InboxDetail(InboxRow(*row[:-2]), row[-2] or {}, row[-1])


def inbox_counts(tx: Tx, connection_id: str = "") -> dict[str, int]:
    """Rows by status."""
    query = select(inbox.c.status, func.count()).group_by(inbox.c.status)
    if connection_id:
        query = query.where(inbox.c.connection_id == connection_id)
    return {row[0]: int(row[1]) for row in tx.execute(query)}


def outbox_rows(tx: Tx, query: OutboxQuery) -> Page[OutboxRow]:
    """A page of the outbox, newest first. Raises BadCursorError."""
    limit = size(query.limit)
    joined = _outbox(select(*_OUTBOX)).where(*_outbox_where(query))
    found = [
        OutboxRow(*row) for row in tx.execute(_newest(joined, outbox.c.created_at, outbox.c.id, query).limit(limit + 1))
    ]
    rows, more = cut(found, limit)
    return Page(tuple(rows), cursor_after(rows[-1].created_at, rows[-1].id) if more else None)


def outbox_ids(tx: Tx, query: OutboxQuery, most: int = 10_000) -> list[str]:
    """Ids of the rows that a query finds, newest first; at most `most`."""
    chosen = select(outbox.c.id).where(*_outbox_where(query)).order_by(outbox.c.id.desc()).limit(most)
    return list(tx.execute(chosen).scalars())


def outbox_row(tx: Tx, outbox_id: str) -> OutboxDetail:
    """One row with what it carries. Raises UnknownRowError."""
    query = _outbox(select(*_OUTBOX, outbox.c.idempotency_key, outbox.c.payload, outbox.c.sending_until))
    row = tx.execute(query.where(outbox.c.id == outbox_id)).first()
    if row is None:
        raise UnknownRowError("outbox", outbox_id)
    return OutboxDetail(OutboxRow(*row[:-3]), row[-3], row[-2], row[-1])


def outbox_counts(tx: Tx, connection_id: str = "") -> dict[str, int]:
    """Rows by status."""
    query = select(outbox.c.status, func.count()).group_by(outbox.c.status)
    if connection_id:
        query = query.where(outbox.c.connection_id == connection_id)
    return {row[0]: int(row[1]) for row in tx.execute(query)}


def _outbox(statement: Select[Any]) -> Select[Any]:
    named = statement.join(connection, connection.c.id == outbox.c.connection_id)
    return named.outerjoin(orders, orders.c.id == outbox.c.order_id)


def _inbox_where(query: InboxQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if query.statuses:
        where.append(inbox.c.status.in_(query.statuses))
    names = ("connection_id", "stream", "error_code", "external_id")
    where += [inbox.c[name] == getattr(query, name) for name in names if getattr(query, name)]
    if query.received_from is not None:
        where.append(inbox.c.received_at >= query.received_from)
    if query.received_to is not None:
        where.append(inbox.c.received_at < query.received_to)
    return where


def _outbox_where(query: OutboxQuery) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = []
    if query.statuses:
        where.append(outbox.c.status.in_(query.statuses))
    names = ("connection_id", "operation", "order_id", "error_code")
    where += [outbox.c[name] == getattr(query, name) for name in names if getattr(query, name)]
    return where


def _newest(
    statement: Select[Any], moment: ColumnElement[Any], key: ColumnElement[Any], query: InboxQuery | OutboxQuery
) -> Select[Any]:
    """Newest first. One status is read by the index on (status, moment), everything else by the key, which grows with
    time as well.
    """
    if len(query.statuses) == 1:
        if query.after:
            statement = statement.where(before(moment, key, query.after))
        return statement.order_by(moment.desc(), key.desc())
    if query.after:
        statement = statement.where(key < read_cursor(query.after, 2)[1])
    return statement.order_by(key.desc())
