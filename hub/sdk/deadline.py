"""By when a piece of work that calls out has to be over: set around the work, kept by every request inside it."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# A reading of time.monotonic(); infinite where nothing limits the work.
_END: ContextVar[float] = ContextVar("deadline", default=math.inf)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """No request begins or goes on after `seconds` inside this block, however many requests the work makes."""
    token = _END.set(min(_END.get(), time.monotonic() + seconds))
    try:
        yield
    finally:
        _END.reset(token)


def time_left() -> float:
    """Seconds until the work has to be over; none or fewer when its time is up."""
    return _END.get() - time.monotonic()
