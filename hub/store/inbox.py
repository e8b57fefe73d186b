"""The door in: what arrived, verbatim, until it is done or a person has dealt with it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select, update

from hub.domain.keys import fitting
from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import as_dicts, chunks
from hub.store.tables import PARTITIONS, connection, inbox

WAITING = ("received", "retry_wait")
KEY_CHARS = 200  # of a dedupe key
_PAUSED = select(connection.c.id).where(connection.c.status == "paused")
# What the door may take now or later by itself: arrivals of a paused connection lie there until it is resumed.
TAKEN = inbox.c.status.in_(WAITING), inbox.c.connection_id.not_in(_PAUSED)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Something to be stored at the door. `dedupe_key` is the same for every delivery of the same fact."""

    stream: str
    topic: str
    external_id: str
    body: bytes
    dedupe_key: str
    source: str
    revision: str = ""
    headers: Mapping[str, str] | None = None
    error: str | None = None  # set when it could not even be read: it is stored parked


def body_hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def partition_of(connection_id: str, external_id: str) -> int:
    return zlib.crc32(f"{connection_id}:{external_id}".encode()) % PARTITIONS


NUL, REPLACED = "\x00", "\ufffd"


def _storable(arrival: Arrival) -> Arrival:
    """No database can keep a NUL as text: what names one is stored parked, so that its sender need not come back."""
    texts = {name: getattr(arrival, name) for name in ("topic", "external_id", "revision", "dedupe_key")}
    if not any(NUL in text for text in texts.values()):
        return arrival
    cleaned = {name: text.replace(NUL, REPLACED) for name, text in texts.items()}
    return replace(arrival, **cleaned, error=arrival.error or "its id or its revision holds a NUL character")


def store(tx: Tx, connection_id: str, arrivals: Sequence[Arrival], now: datetime) -> list[Arrival]:
    """Keep what is new and count what was here before; returns the new ones.

    An arrival that cannot be read, or not be kept as it is, is stored parked.
    """
    rows: dict[str, dict[str, Any]] = {}
    arrivals = [replace(one, dedupe_key=fitting(one.dedupe_key, KEY_CHARS)) for one in map(_storable, arrivals)]
    for arrival in arrivals:
        rows.setdefault(
            arrival.dedupe_key,
            {
                "id": new_id(),
                "connection_id": connection_id,
                "partition": partition_of(connection_id, arrival.external_id or arrival.dedupe_key),
                "source": arrival.source,
                "stream": arrival.stream,
                "topic": arrival.topic[:120],
                "external_id": arrival.external_id[:255],
                "revision": arrival.revision[:64],
                "dedupe_key": arrival.dedupe_key,
                "headers": dict(arrival.headers) if arrival.headers else None,
                "body": arrival.body,
                "received_at": now,
                "status": "dead" if arrival.error else "received" if arrival.stream else "ignored",
                "outcome": None if arrival.stream or arrival.error else "ignored",
                "error_code": "malformed" if arrival.error else None,
                "error": arrival.error and arrival.error.replace(NUL, REPLACED),
            },
        )
    fresh = set(insert_new(tx, inbox, list(rows.values()), inbox.c.dedupe_key))
    known = [key for key in rows if key not in fresh]
    for part in chunks(known):
        tx.execute(
            update(inbox)
            .where(inbox.c.connection_id == connection_id, inbox.c.dedupe_key.in_(part))
            .values(duplicates=inbox.c.duplicates + 1)
        )
    return [arrival for arrival in arrivals if arrival.dedupe_key in fresh]


def due(tx: Tx, partition: int, now: datetime, limit: int) -> list[dict[str, Any]]:
    """The oldest waiting rows of a partition, in order of arrival."""
    query = (
        select(inbox)
        .where(inbox.c.partition == partition, *TAKEN, or_(inbox.c.next_at.is_(None), inbox.c.next_at <= now))
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return as_dicts(tx.execute(query).all())


def has_waiting(tx: Tx, connection_id: str, streams: Collection[str]) -> bool:
    """Whether anything of these streams is stored and not taken in yet."""
    query = select(inbox.c.id).where(
        inbox.c.connection_id == connection_id, inbox.c.stream.in_(streams), inbox.c.status.in_(WAITING)
    )
    return tx.execute(query.limit(1)).first() is not None


def claim(tx: Tx, ids: Collection[str]) -> set[str]:
    """Lock the rows that still wait; nobody else gets them until the transaction ends."""
    claimed: set[str] = set()
    for part in chunks(ids):
        query = (
            select(inbox.c.id)
            .where(inbox.c.id.in_(part), inbox.c.status.in_(WAITING))
            .with_for_update(skip_locked=True)
        )
        claimed |= set(tx.execute(query).scalars())
    return claimed


def finish(tx: Tx, outcomes: Sequence[tuple[str, str, str | None]], mapping: str | None, now: datetime) -> None:
    """Mark rows done: (inbox id, outcome, what it was applied to)."""
    statement = (
        update(inbox)
        .where(inbox.c.id == bindparam("key"))
        .values(
            status="done",
            outcome=bindparam("said"),
            entity_id=bindparam("entity"),
            processed_at=now,
            mapping=mapping,
            attempts=inbox.c.attempts + 1,
            error=None,
            error_code=None,
            error_path=None,
        )
    )
    if outcomes:
        tx.execute(statement, [{"key": key, "said": said, "entity": entity} for key, said, entity in outcomes])


def park(tx: Tx, inbox_id: str, code: str, error: str, path: str | None, now: datetime) -> None:
    """Leave a row to a person, with what is wrong."""
    tx.execute(
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(
            status="dead",
            error_code=code,
            error=error[:4000],
            error_path=(path or "")[:255] or None,
            attempts=inbox.c.attempts + 1,
            processed_at=now,
        )
    )


MOST_ATTEMPTS = 8


def retry_later(tx: Tx, inbox_id: str, attempts: int, error: str, now: datetime) -> None:
    """Try again after a pause that doubles, or park after the eighth attempt."""
    if attempts + 1 >= MOST_ATTEMPTS:
        park(tx, inbox_id, "gave_up", error, None, now)
        return
    tx.execute(
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(
            status="retry_wait",
            attempts=attempts + 1,
            error=error[:4000],
            error_code="transient",
            next_at=now + timedelta(seconds=min(2**attempts, 3600)),
        )
    )


def replay(tx: Tx, ids: Collection[str]) -> list[int]:
    """Let parked or finished rows be handled again; returns the partitions that have mail."""
    partitions: set[int] = set()
    for part in chunks(ids):
        partitions |= set(
            tx.execute(
                update(inbox)
                .where(inbox.c.id.in_(part), inbox.c.status.not_in(WAITING))
                .values(status="received", outcome=None, next_at=None)
                .returning(inbox.c.partition)
            ).scalars()
        )
    return sorted(partitions)


def burst(
    tx: Tx, connection_id: str, streams: Collection[str], since: datetime, limit: int, *, code: str, accepted: str
) -> list[dict[str, Any]]:
    """What waits of these streams, and what was parked for the reason `code` since then; oldest first.

    Without what a person has accepted.
    """
    parked = and_(inbox.c.status == "dead", inbox.c.error_code == code, inbox.c.processed_at >= since)
    query = (
        select(inbox.c.id, inbox.c.stream, inbox.c.body)
        .where(
            inbox.c.connection_id == connection_id,
            inbox.c.stream.in_(list(streams)),
            or_(inbox.c.status.in_(WAITING), parked),
            or_(inbox.c.error_code.is_(None), inbox.c.error_code != accepted),
        )
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return as_dicts(tx.execute(query).all())


def booked_lately(
    tx: Tx, connection_id: str, streams: Collection[str], since: datetime, limit: int
) -> dict[str, str | None]:
    """What it was applied to, by id, of what came in these streams since then and was taken at once; newest first.

    What somebody has looked at, or was tried twice, is left out.
    """
    query = (
        select(inbox.c.id, inbox.c.entity_id)
        .where(
            inbox.c.connection_id == connection_id,
            inbox.c.stream.in_(list(streams)),
            inbox.c.status == "done",
            inbox.c.outcome.in_(("applied", "no_change")),
            inbox.c.received_at >= since,
            inbox.c.attempts == 1,
        )
        .order_by(inbox.c.id.desc())
        .limit(limit)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def parked_for(tx: Tx, connection_id: str, code: str) -> list[str]:
    """Rows of a connection that are parked for this reason, oldest first."""
    query = select(inbox.c.id).where(
        inbox.c.connection_id == connection_id, inbox.c.status == "dead", inbox.c.error_code == code
    )
    return list(tx.execute(query.order_by(inbox.c.id)).scalars())


def parked_connections(tx: Tx, code: str) -> dict[str, tuple[int, datetime, str]]:
    """Connections that have rows parked for this reason: how many, when the oldest came, and what is wrong."""
    query = (
        select(inbox.c.connection_id, func.count(), func.min(inbox.c.received_at), func.max(inbox.c.error))
        .where(inbox.c.status == "dead", inbox.c.error_code == code)
        .group_by(inbox.c.connection_id)
    )
    return {row[0]: (int(row[1]), row[2], row[3]) for row in tx.execute(query)}


def accept(tx: Tx, ids: Collection[str], code: str) -> list[int]:
    """Let parked rows be handled again under this mark: a person has looked at them. The partitions that have mail."""
    for part in chunks(ids):
        tx.execute(update(inbox).where(inbox.c.id.in_(part), inbox.c.status == "dead").values(error_code=code))
    return replay(tx, ids)


def replay_unplaced(tx: Tx, connection_id: str, streams: Collection[str]) -> list[int]:
    """Let rows of these streams be handled again that named a place or an article unknown at their time."""
    query = select(inbox.c.id).where(
        inbox.c.connection_id == connection_id,
        inbox.c.stream.in_(list(streams)),
        inbox.c.status == "done",
        inbox.c.outcome.in_(("ignored", "held_unmapped")),
    )
    return replay(tx, list(tx.execute(query).scalars())) if streams else []


def set_aside(tx: Tx, ids: Collection[str], now: datetime) -> list[str]:
    """A person wants nothing done with these parked rows; returns those that were parked."""
    done: list[str] = []
    for part in chunks(ids):
        done += (
            tx.execute(
                update(inbox)
                .where(inbox.c.id.in_(part), inbox.c.status == "dead")
                .values(status="ignored", outcome="ignored", processed_at=now)
                .returning(inbox.c.id)
            )
            .scalars()
            .all()
        )
    return done


def waiting_partitions(tx: Tx, now: datetime) -> list[int]:
    """Partitions that have due rows."""
    query = select(inbox.c.partition).where(*TAKEN, or_(inbox.c.next_at.is_(None), inbox.c.next_at <= now)).distinct()
    return sorted(tx.execute(query).scalars())


def counts(tx: Tx) -> dict[str, int]:
    """Rows by status."""
    return {row[0]: int(row[1]) for row in tx.execute(select(inbox.c.status, func.count()).group_by(inbox.c.status))}
