"""The lease on the ticks: of all processes on one database, one makes them.

`orderhub serve` does everything alone, so it takes the lease for itself and refuses to start beside another process
that has it. A `worker` tries for it again and again, and makes the ticks while it holds it.
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import structlog

from hub.store import leases
from hub.store.database import Database
from hub.store.leases import LeaseRow

log = structlog.get_logger()

TICKS = "ticks"


class AlreadyRunningError(Exception):
    """Another process does this job on the same database; the message says which."""


def _holder(role: str) -> str:
    # The random part tells two processes apart that have one number on one host, as in containers started anew.
    return f"{role}@{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[:120]


def duration(tick_s: float) -> timedelta:
    """How long a lease lives without a sign of its holder: five ticks, and two seconds at least."""
    return timedelta(seconds=max(2.0, 5 * tick_s))


@dataclass(slots=True)
class Lease:
    """One process's claim on a job. `fence` is its token while it holds the lease."""

    db: Database
    role: str  # serve or worker; part of the holder's name, so that people see who has it
    ttl: timedelta
    name: str = TICKS
    fence: int | None = None
    holder: str = field(init=False)

    def __post_init__(self) -> None:
        self.holder = _holder(self.role)

    def hold(self) -> bool:
        """Renew the lease, or take it when it is free; whether it is ours now."""
        with self.db.begin() as tx:
            now = leases.clock(tx)
            if self.fence is not None and leases.renew(tx, self.name, self.holder, self.fence, self.ttl, now):
                return True
            was_ours = self.fence is not None
            self.fence = leases.acquire(tx, self.name, self.holder, self.ttl, now)
        if was_ours and self.fence is None:
            log.warning("lease.lost", name=self.name, holder=self.holder)
        elif self.fence is not None:
            log.info("lease.taken", name=self.name, holder=self.holder, fence=self.fence)
        return self.fence is not None

    def claim_alone(self, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take the lease before anything is started; wait out one whose holder shows no sign of life.

        Raises AlreadyRunningError when somebody renews it meanwhile. A holder that died on this machine is not waited
        for.
        """
        waiting = False
        seen = self._first_look()
        while seen is not None and not self.hold():
            now_seen = self._look()
            if now_seen is not None and now_seen.expires_at > seen.expires_at:
                raise AlreadyRunningError(self._who(now_seen))
            if not waiting:
                log.info("lease.waiting", name=self.name, holder=seen.holder, at_most_s=self.ttl.total_seconds())
                waiting = True
            sleep(0.1)

    def _first_look(self) -> LeaseRow | None:
        """The lease that stands in the way, None when it is ours already."""
        with self.db.begin() as tx:
            now = leases.clock(tx)
            found = leases.get(tx, self.name)
            if found is not None and found.expires_at >= now and _is_dead(found.holder):
                self.fence = leases.take_over(tx, found, self.holder, self.ttl, now)
            else:
                self.fence = leases.acquire(tx, self.name, self.holder, self.ttl, now)
        return None if self.fence is not None else found

    def _look(self) -> LeaseRow | None:
        with self.db.read() as tx:
            return leases.get(tx, self.name)

    def _who(self, found: LeaseRow) -> str:
        role, _, place = found.holder.partition("@")
        host, _, rest = place.partition(":")
        process = rest.partition(":")[0]
        return (
            f"an `orderhub {role}` (process {process} on {host}) works on this database already. "
            "Stop it first, or give this one a database of its own (ORDERHUB_DATABASE)."
        )

    def held_by_serve(self) -> str | None:
        """Why a worker may not start: a living `serve` does everything alone. None when nothing stands against it."""
        with self.db.read() as tx:
            now = leases.clock(tx)
            found = leases.get(tx, self.name)
        if found is None or found.expires_at < now or not found.holder.startswith("serve@") or _is_dead(found.holder):
            return None
        return self._who(found)

    def release(self) -> None:
        """Let the next one have it at once. Safe to call twice."""
        if self.fence is None:
            return
        with self.db.begin() as tx:
            leases.release(tx, self.name, self.holder, self.fence, leases.clock(tx))
        self.fence = None


def _is_dead(holder: str) -> bool:
    """Whether the holder was a process of this machine that is no more; False when that cannot be known."""
    host, _, rest = holder.partition("@")[2].partition(":")
    number = rest.partition(":")[0]
    if host != socket.gethostname() or not number.isdigit():
        return False
    if int(number) == os.getpid():
        return True  # an earlier life of a process with our number
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
