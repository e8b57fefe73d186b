"""The post: webhooks by HTTP, as platforms send them, with a note of how long each answer took."""

from __future__ import annotations

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_TRIES = 5
BUSY = frozenset({429, 503})  # come back later


@dataclass(slots=True)
class Post:
    """Sends deliveries; `answers_s` are the seconds that each answer took. Safe to use from many threads."""

    answers_s: list[float] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """Post one delivery and give the status of the answer; a busy receiver is tried again, as platforms do."""
        status = 0
        for attempt in range(MOST_TRIES):
            began = time.monotonic()
            status, wait_s = _try(url, headers, body)
            with self._lock:
                self.answers_s.append(time.monotonic() - began)
            if status not in BUSY:
                break
            time.sleep(wait_s or 0.1 * 2**attempt)
        return status


def _try(url: str, headers: Mapping[str, str], body: bytes) -> tuple[int, float]:
    call = urllib.request.Request(url, body, dict(headers), method="POST")  # noqa: S310 - a loopback address
    try:
        with urllib.request.urlopen(call, timeout=30) as answer:  # noqa: S310 - as above
            return int(answer.status), 0.0
    except urllib.error.HTTPError as error:
        with error:
            return error.code, float(error.headers.get("Retry-After") or 0)
