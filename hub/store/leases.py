"""Leases: who of several processes may do a job now, with a token that rises with every new holder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from hub.store.database import Tx, insert_new, utcnow
from hub.store.tables import lease


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """A lease as it stands. `fence` rises with every new holder, so that a late act of an earlier one can be told."""

    name: str
    holder: str
    fence: int
    expires_at: datetime


def clock(tx: Tx) -> datetime:
    """The time by which leases run: the server's where several machines share one, else this machine's."""
    if tx.dialect.name == "postgresql":
        at: datetime = tx.execute(select(func.clock_timestamp())).scalar_one()
        return at
    return utcnow()


def get(tx: Tx, name: str) -> LeaseRow | None:
    row = tx.execute(select(lease).where(lease.c.name == name)).first()
    return None if row is None else LeaseRow(row.name, row.holder, row.fence, row.expires_at)


def acquire(tx: Tx, name: str, holder: str, ttl: timedelta, now: datetime) -> int | None:
    """Take a lease that is free or whose time is over; returns its new fence, None when somebody else holds it."""
    first = {"name": name, "holder": holder, "fence": 1, "expires_at": now + ttl}
    if insert_new(tx, lease, [first], lease.c.name):
        return 1
    done = tx.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.expires_at < now)
        .values(holder=holder, fence=lease.c.fence + 1, expires_at=now + ttl)
        .returning(lease.c.fence)
    )
    fence: int | None = done.scalar()
    return fence


def take_over(tx: Tx, gone: LeaseRow, holder: str, ttl: timedelta, now: datetime) -> int | None:
    """Take a lease whose holder is known to be dead before its time is over; None when it changed meanwhile."""
    done = tx.execute(
        update(lease)
        .where(lease.c.name == gone.name, lease.c.holder == gone.holder, lease.c.fence == gone.fence)
        .values(holder=holder, fence=lease.c.fence + 1, expires_at=now + ttl)
        .returning(lease.c.fence)
    )
    fence: int | None = done.scalar()
    return fence


def renew(tx: Tx, name: str, holder: str, fence: int, ttl: timedelta, now: datetime) -> bool:
    """Keep a lease for another `ttl`; False when somebody else has it. One that lapsed unnoticed is kept."""
    done = tx.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.holder == holder, lease.c.fence == fence)
        .values(expires_at=now + ttl)
        .returning(lease.c.fence)
    )
    return done.first() is not None


def release(tx: Tx, name: str, holder: str, fence: int, now: datetime) -> None:
    """Let the next one have it at once. The row stays, since the fence must never fall."""
    tx.execute(
        update(lease)
        .where(lease.c.name == name, lease.c.holder == holder, lease.c.fence == fence)
        .values(expires_at=now - timedelta(seconds=1))
    )
