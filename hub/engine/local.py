"""The engine of one process: threads that open doors, one thread per door at a time."""

from __future__ import annotations

import queue
import threading
import time

import structlog

from hub.engine.doors import Lane, Opener, lane

log = structlog.get_logger()


class LocalEngine:
    """Wake-ups in memory. `open_door` does the work and says whether there is more; a door woken while it is being
    worked on is opened once more afterwards.

    Doors that call out have `callers` threads of their own, so that a slow vendor does not keep orders from coming in.
    """

    def __init__(self, open_door: Opener, threads: int = 2, callers: int = 4) -> None:
        self._open = open_door
        self._queues: dict[Lane, queue.SimpleQueue[str | None]] = {
            "inside": queue.SimpleQueue(),
            "outside": queue.SimpleQueue(),
        }
        self._lock = threading.Lock()
        self._waiting: set[str] = set()
        self._working: set[str] = set()
        self._stopping = False
        self._idle = threading.Condition(self._lock)
        sizes: dict[Lane, int] = {"inside": threads, "outside": callers}
        self._threads = [
            threading.Thread(target=self._run, args=(name,), name=f"{name}-{number}", daemon=True)
            for name, size in sizes.items()
            for number in range(size)
        ]
        self._lanes: list[Lane] = [name for name, size in sizes.items() for _ in range(size)]

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
                self._queues[lane(door)].put(door)

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Let every thread finish the round it is in, and begin no more; False when one did not end in time."""
        with self._lock:
            self._stopping = True
        for name in self._lanes:
            self._queues[name].put(None)
        deadline = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def rescue(self) -> int:
        """Nothing to free: when this process dies, its doors are shut with it."""
        return 0

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Wait until no door is waiting or being worked on; False when that took too long."""
        with self._idle:
            return self._idle.wait_for(lambda: not self._waiting and not self._working, timeout_s)

    def _run(self, name: Lane) -> None:
        while (door := self._queues[name].get()) is not None:
            with self._lock:
                if self._stopping:
                    continue
                self._waiting.discard(door)
                self._working.add(door)
            more = False
            try:
                more = self._open(door, lambda: self._stopping)
            except Exception:
                log.exception("engine.step_failed", door=door)
            with self._idle:
                self._working.discard(door)
                if more:
                    self._waiting.add(door)
                if door in self._waiting:
                    self._queues[name].put(door)
                self._idle.notify_all()
