"""Where each polled stream has got to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import or_, select, update

from hub.sdk.paging import Window
from hub.store.database import Tx, insert_new
from hub.store.rows import as_dicts
from hub.store.tables import connection, cursor


@dataclass(frozen=True, slots=True)
class CursorState:
    """Where a stream stands.

    `window` is the one that a broken run was reading, to be read on from `value`; None when the last one was read to
    its end. `rewinds` tells a run whether somebody has sent the stream back since it began.
    """

    value: dict[str, Any] | None
    synced_to: datetime | None
    window: Window | None
    rewinds: int


def _where(connection_id: str, stream: str) -> Any:
    return (cursor.c.connection_id == connection_id) & (cursor.c.stream == stream)


def ensure(tx: Tx, connection_id: str, streams: Mapping[str, datetime]) -> None:
    """Have a cursor for every polled stream, due at the given time when it is new."""
    rows = [{"connection_id": connection_id, "stream": name, "next_at": at} for name, at in streams.items()]
    insert_new(tx, cursor, rows, cursor.c.stream)


def get(tx: Tx, connection_id: str, stream: str) -> CursorState:
    row = tx.execute(select(cursor).where(_where(connection_id, stream))).first()
    if row is None:
        return CursorState(None, None, None, 0)
    window = Window(row.window_start, row.window_end) if row.window_end else None
    return CursorState(row.value, row.synced_to, window, row.rewinds)


def of_connection(tx: Tx, connection_id: str) -> list[dict[str, Any]]:
    query = select(cursor).where(cursor.c.connection_id == connection_id).order_by(cursor.c.stream)
    return as_dicts(tx.execute(query).all())


def due(tx: Tx, now: datetime) -> list[tuple[str, str]]:
    """(connection, stream) whose time has come."""
    query = (
        select(cursor.c.connection_id, cursor.c.stream)
        .join(connection, connection.c.id == cursor.c.connection_id)
        .where(
            connection.c.status == "active",
            cursor.c.next_at <= now,
            or_(connection.c.open_until.is_(None), connection.c.open_until <= now),
        )
        .order_by(cursor.c.next_at)
    )
    return [(row[0], row[1]) for row in tx.execute(query)]


def started(tx: Tx, connection_id: str, stream: str, now: datetime, next_at: datetime) -> None:
    """A run begins that took its time at `now`; what somebody asked for since then stays due."""
    insert_new(tx, cursor, [{"connection_id": connection_id, "stream": stream}], cursor.c.stream)
    tx.execute(update(cursor).where(_where(connection_id, stream)).values(last_started_at=now, last_seen=0))
    is_due = or_(cursor.c.next_at.is_(None), cursor.c.next_at <= now)
    tx.execute(update(cursor).where(_where(connection_id, stream), is_due).values(next_at=next_at))


def moved(
    tx: Tx, connection_id: str, stream: str, value: Mapping[str, Any] | None, window: Window, seen: int, rewinds: int
) -> None:
    """A page is stored: should the run break, `window` is read on from `value`.

    None leaves the place where it is, and so does a rewind meanwhile.
    """
    tx.execute(update(cursor).where(_where(connection_id, stream)).values(last_seen=cursor.c.last_seen + seen))
    if value is not None:
        here = {"value": dict(value), "window_start": window.start, "window_end": window.end}
        tx.execute(update(cursor).where(_unmoved(connection_id, stream, rewinds)).values(**here))


def finished(
    tx: Tx,
    connection_id: str,
    stream: str,
    synced_to: datetime,
    value: Mapping[str, Any] | None,
    now: datetime,
    rewinds: int,
) -> None:
    """A run that began at `now` read its window to the end; the next one begins with `value`.

    A stream that was sent back meanwhile keeps where it was sent.
    """
    done = {"last_ok_at": now, "last_error": "", "failures": 0}
    tx.execute(update(cursor).where(_where(connection_id, stream)).values(**done))
    there = {"value": value and dict(value), "synced_to": synced_to, "window_start": None, "window_end": None}
    tx.execute(update(cursor).where(_unmoved(connection_id, stream, rewinds)).values(**there))


def _unmoved(connection_id: str, stream: str, rewinds: int) -> Any:
    return _where(connection_id, stream) & (cursor.c.rewinds == rewinds)


def failed(
    tx: Tx, connection_id: str, stream: str, error: str, now: datetime, next_at: datetime, planned: datetime
) -> None:
    """Try again at `next_at`, later and later up to a quarter of an hour.

    `planned` is the next time that the run set when it began: another one was asked for meanwhile, and stays.
    """
    row = tx.execute(select(cursor.c.failures).where(_where(connection_id, stream))).scalar() or 0
    pause = min((next_at - now) * 2 ** min(row, 5), timedelta(minutes=15))
    tx.execute(update(cursor).where(_where(connection_id, stream)).values(failures=row + 1))
    put_off(tx, connection_id, stream, error, now + max(pause, next_at - now), planned)


def put_off(tx: Tx, connection_id: str, stream: str, why: str, next_at: datetime, planned: datetime) -> None:
    """Read at `next_at`, as the source asks, which is no failure. `planned` as of `failed`."""
    tx.execute(update(cursor).where(_where(connection_id, stream)).values(last_error=why[:2000]))
    is_as_planned = _where(connection_id, stream) & (cursor.c.next_at == planned)
    tx.execute(update(cursor).where(is_as_planned).values(next_at=next_at))


def found_by_sweep(tx: Tx, connection_id: str, stream: str, count: int) -> None:
    """Count records that only the poll brought."""
    tx.execute(
        update(cursor).where(_where(connection_id, stream)).values(found_by_sweep=cursor.c.found_by_sweep + count)
    )


def rewind(tx: Tx, connection_id: str, stream: str, to: datetime | None, now: datetime) -> None:
    """Read again from `to` (None: from the beginning). Only a person does this."""
    there = {"value": None, "synced_to": to, "window_start": None, "window_end": None}
    statement = update(cursor).where(_where(connection_id, stream))
    tx.execute(statement.values(**there, next_at=now, rewinds=cursor.c.rewinds + 1))


def run_now(tx: Tx, connection_id: str, now: datetime) -> None:
    """Have every stream of a connection read at once."""
    tx.execute(update(cursor).where(cursor.c.connection_id == connection_id).values(next_at=now))


def read_to(tx: Tx, connection_id: str, streams: Collection[str]) -> datetime | None:
    """Up to where all of these streams are stored; None when one was never read to its end."""
    query = select(cursor.c.synced_to).where(cursor.c.connection_id == connection_id, cursor.c.stream.in_(streams))
    found = list(tx.execute(query).scalars())
    return min(found) if len(found) == len(streams) and None not in found else None


def read_by(tx: Tx, connection_id: str, stream: str, at: datetime) -> None:
    """Have a stream read at `at` and not later. One that was read since, or failed to be, has its own next time."""
    insert_new(tx, cursor, [{"connection_id": connection_id, "stream": stream}], cursor.c.stream)
    later = or_(cursor.c.next_at.is_(None), cursor.c.next_at > at)
    not_since = or_(cursor.c.last_started_at.is_(None), cursor.c.last_started_at < at)
    tx.execute(update(cursor).where(_where(connection_id, stream), later, not_since).values(next_at=at))
