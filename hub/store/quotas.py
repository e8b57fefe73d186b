"""Quotas of outside systems, shared by every process: token buckets in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from hub.sdk import RateLimit
from hub.store.database import Database, utcnow
from hub.store.tables import rate_bucket


@dataclass(frozen=True, slots=True)
class SharedLimiter:
    """Token buckets of one connection (or of one plugin, where the vendor counts per app)."""

    db: Database
    connection_id: str
    plugin: str

    def _key(self, limit: RateLimit) -> dict[str, str]:
        scope = self.connection_id if limit.scope == "connection" else f"app:{self.plugin}"
        return {"scope": scope, "bucket": limit.bucket}

    def take(self, limit: RateLimit) -> float:
        """Take one token and return 0, or take none and return the seconds until there is one."""
        now_ms = _milliseconds(utcnow())
        key = self._key(limit)
        where = (rate_bucket.c.scope == key["scope"], rate_bucket.c.bucket == key["bucket"])
        with self.db.begin() as tx:
            row = tx.execute(select(rate_bucket).where(*where).with_for_update()).first()
            if row is None:
                try:
                    with tx.begin_nested():
                        full = (limit.burst - 1) * 1000
                        tx.execute(insert(rate_bucket).values(**key, millitokens=full, filled_at_ms=now_ms))
                except IntegrityError:
                    return 0.05  # another process made it this moment
                return 0.0
            if row.paused_until_ms > now_ms:
                return float(row.paused_until_ms - now_ms) / 1000
            gained = int((now_ms - row.filled_at_ms) * limit.per_second)
            tokens = min(limit.burst * 1000, row.millitokens + max(0, gained))
            if tokens < 1000:
                return max(0.001, float(1000 - tokens) / 1000 / limit.per_second)
            tx.execute(update(rate_bucket).where(*where).values(millitokens=tokens - 1000, filled_at_ms=now_ms))
            return 0.0

    def pause(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody take a token for `seconds`."""
        key = self._key(limit)
        until = _milliseconds(utcnow()) + int(seconds * 1000)
        with self.db.begin() as tx:
            tx.execute(
                update(rate_bucket)
                .where(rate_bucket.c.scope == key["scope"], rate_bucket.c.bucket == key["bucket"])
                .values(paused_until_ms=until, millitokens=0)
            )


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
