"""How often something may be asked for: token buckets in the memory of one process."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

MOST_KEYS = 10_000  # buckets kept; a full one says nothing and is dropped first


@dataclass(slots=True)
class Limiter:
    """`per_second` tokens return to each key's bucket, up to `burst`. Safe to use from many threads.

    `put_off` counts how often there was none.
    """

    per_second: float
    burst: int
    clock: Callable[[], float] = time.monotonic
    put_off: int = 0
    _buckets: dict[str, tuple[float, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, key: str) -> float:
        """Take a token and return 0, or take none and return the seconds until there is one."""
        now = self.clock()
        with self._lock:
            left, at = self._buckets.get(key, (float(self.burst), now))
            left = min(float(self.burst), left + (now - at) * self.per_second)
            wait = 0.0 if left >= 1 else (1 - left) / self.per_second
            self._buckets[key] = (left - 1 if not wait else left, now)
            self.put_off += bool(wait)
            if len(self._buckets) > MOST_KEYS:
                self._forget(now)
            return wait

    def _forget(self, now: float) -> None:
        """Drop the buckets that are full by now, and when there are none, the oldest half."""
        full = [key for key, (left, at) in self._buckets.items() if left + (now - at) * self.per_second >= self.burst]
        oldest = sorted(self._buckets, key=lambda key: self._buckets[key][1])[: MOST_KEYS // 2]
        for key in full or oldest:
            del self._buckets[key]
