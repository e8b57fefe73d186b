"""The engine of one process: threads that open doors, one thread per door at a time."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import structlog

log = structlog.get_logger()


class LocalEngine:
    """Wake-ups in memory. `open_door` does the work and says whether there is more; a door woken while it is being
    worked on is opened once more afterwards."""

    def __init__(self, open_door: Callable[[str], bool], threads: int = 2) -> None:
        self._open = open_door
        self._queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._working: set[str] = set()
        self._stopping = False
        self._idle = threading.Condition(self._lock)
        self._threads = [
            threading.Thread(target=self._run, name=f"engine-{number}", daemon=True) for number in range(threads)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def wake(self, door: str) -> None:
        """Say that a door has mail. Cheap, and safe to repeat."""
        with self._lock:
            if self._stopping or door in self._waiting:
                return
            self._waiting.add(door)
            if door not in self._working:
                self._queue.put(door)

    def stop(self, timeout_s: float = 30.0) -> None:
        """Let every thread finish the step it is in, and take no more."""
        with self._lock:
            self._stopping = True
        for _ in self._threads:
            self._queue.put(None)
        for thread in self._threads:
            thread.join(timeout_s)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until no door is waiting or being worked on; False when that took too long."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._waiting and not self._working, timeout_s)

    def _run(self) -> None:
        while (door := self._queue.get()) is not None:
            with self._lock:
                if self._stopping:
                    continue
                self._waiting.discard(door)
                self._working.add(door)
            more = False
            try:
                more = self._open(door)
            except Exception:
                log.exception("engine.step_failed", door=door)
            with self._idle:
                self._working.discard(door)
                if more:
                    self._waiting.add(door)
                if door in self._waiting:
                    self._queue.put(door)
                self._idle.notify_all()
