"""Ticks: every few seconds the holder of the lease looks for doors with due rows and rings for them.

A tick only rings. What it finds is in the tables already, so a missed tick costs time and nothing else.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from hub.engine.doors import due_doors, watched_doors
from hub.engine.interface import Engine
from hub.engine.lease import Lease
from hub.flows.runtime import Runtime

log = structlog.get_logger()

MINUTE_S = 60
QUARTER_S = 900
HOUR_S = 3600
NIGHT_HOUR = 3  # UTC


class Ticks:
    """The clockwork of one process. `lost` is called when the lease, once held, went to somebody else."""

    def __init__(
        self,
        runtime: Runtime,
        engine: Engine,
        lease: Lease,
        tick_s: float,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._runtime = runtime
        self._engine = engine
        self._lease = lease
        self._lost = lost
        self._one = threading.Lock()
        self._clock = BackgroundScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._clock.add_job(self.tick, "interval", seconds=tick_s, id="sweep")
        self._clock.add_job(self.watch, "interval", seconds=HOUR_S, id="watch")
        self._clock.add_job(self.ring, "interval", ["timed:minute"], seconds=MINUTE_S, id="minute")
        self._clock.add_job(self.ring, "interval", ["timed:quarter"], seconds=QUARTER_S, id="quarter")
        self._clock.add_job(self.ring, "cron", ["timed:night"], hour=NIGHT_HOUR, id="night")

    def start(self) -> None:
        """Tick at once, since what was left behind is due now, and then by the clock."""
        self.tick()
        self.watch()
        self.ring("timed:minute")
        self._clock.start()

    def stop(self) -> None:
        """No more ticks; the lease is free for the next one. Safe to call twice."""
        if self._clock.running:
            self._clock.shutdown(wait=True)
        try:
            self._lease.release()
        except Exception as error:  # noqa: BLE001 - it lapses by itself
            log.warning("lease.not_released", error=str(error))

    def tick(self) -> int:
        """Renew the lease, free doors of dead workers and ring for every due door; returns how many."""
        try:
            if not self._is_ours():
                return 0
            self._engine.rescue()
            doors = list(due_doors(self._runtime))
        except Exception as error:  # noqa: BLE001 - the database is away; the next tick tries again
            log.warning("tick.failed", error=f"{type(error).__name__}: {error}")
            return 0
        for door in doors:
            self._engine.wake(door)
        return len(doors)

    def ring(self, door: str) -> None:
        """Ring for work that is due by the clock alone."""
        try:
            if self._is_ours():
                self._engine.wake(door)
        except Exception as error:  # noqa: BLE001 - the next time the clock comes round tries again
            log.warning("clock.failed", door=door, error=f"{type(error).__name__}: {error}")

    def watch(self) -> None:
        """Have every connection's webhook subscriptions looked after."""
        try:
            doors = list(watched_doors(self._runtime)) if self._is_ours() else []
        except Exception as error:  # noqa: BLE001 - the next hour tries again
            log.warning("watch.failed", error=f"{type(error).__name__}: {error}")
            return
        for door in doors:
            self._engine.wake(door)

    def _is_ours(self) -> bool:
        with self._one:
            had_it = self._lease.fence is not None
            has_it = self._lease.hold()
        if had_it and not has_it:
            self._lost()
        return has_it
