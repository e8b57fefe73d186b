"""Quotas of outside systems, shared by every process: token buckets in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.sdk import RateLimit
from hub.store.database import Database, Tx, utcnow
from hub.store.tables import rate_bucket

FULL_TOKEN = 1000  # millitokens
LOST_RACE_S = 0.05  # another process has just made the bucket: look again


@dataclass(frozen=True, slots=True)
class SharedLimiter:
    """Token buckets of one connection (or of one plugin, where the vendor counts per app).

    Each take is one short transaction. Clocks of several machines may differ: a bucket is never refilled twice for
    the same time, whichever clock says so.
    """

    db: Database
    connection_id: str
    plugin: str
    clock: Callable[[], datetime] = utcnow

    def take(self, limit: RateLimit) -> float:
        """Take one token and return 0, or take none and return the seconds until there is one."""
        now_ms = _milliseconds(self.clock())
        where = self._where(limit)
        with self.db.begin() as tx:
            row = tx.execute(select(rate_bucket).where(*where).with_for_update()).first()
            if row is None:
                made = self._make(tx, limit, millitokens=(limit.burst - 1) * FULL_TOKEN, filled_at_ms=now_ms)
                return 0.0 if made else LOST_RACE_S
            if row.paused_until_ms > now_ms:
                return float(row.paused_until_ms - now_ms) / 1000
            tokens = _tokens(limit, row, now_ms)
            if tokens < FULL_TOKEN:
                behind_ms = max(0, row.filled_at_ms - now_ms)
                return max(0.001, float(behind_ms) / 1000 + float(FULL_TOKEN - tokens) / FULL_TOKEN / limit.per_second)
            left = {"millitokens": tokens - FULL_TOKEN, "filled_at_ms": max(now_ms, row.filled_at_ms)}
            tx.execute(update(rate_bucket).where(*where).values(**left))
            return 0.0

    def pause(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody take a token for `seconds`; a longer pause stays. At most one call is free at its end."""
        until = _milliseconds(self.clock()) + int(seconds * 1000)
        where = self._where(limit)
        with self.db.begin() as tx:
            row = tx.execute(select(rate_bucket).where(*where).with_for_update()).first()
            if row is None:
                one = {"millitokens": FULL_TOKEN, "filled_at_ms": until, "paused_until_ms": until}
                if self._make(tx, limit, **one):
                    return
                row = tx.execute(select(rate_bucket).where(*where).with_for_update()).one()
            if row.paused_until_ms < until:
                left = min(FULL_TOKEN, _tokens(limit, row, until))
                paused = {"paused_until_ms": until, "filled_at_ms": max(until, row.filled_at_ms), "millitokens": left}
                tx.execute(update(rate_bucket).where(*where).values(**paused))

    def _scope(self, limit: RateLimit) -> str:
        return self.connection_id if limit.scope == "connection" else f"app:{self.plugin}"

    def _where(self, limit: RateLimit) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
        return rate_bucket.c.scope == self._scope(limit), rate_bucket.c.bucket == limit.bucket

    def _make(self, tx: Tx, limit: RateLimit, **values: int) -> bool:
        """Make the bucket; False when another process has done so this moment."""
        try:
            with tx.begin_nested():
                tx.execute(insert(rate_bucket).values(scope=self._scope(limit), bucket=limit.bucket, **values))
        except IntegrityError:
            return False
        return True


def _tokens(limit: RateLimit, row: Any, now_ms: int) -> int:
    """Millitokens in the bucket at a moment."""
    gained = int(max(0, now_ms - row.filled_at_ms) * limit.per_second)  # one a millisecond for each token a second
    return min(limit.burst * FULL_TOKEN, int(row.millitokens) + gained)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
