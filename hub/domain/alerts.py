"""When a position runs low, and when it has enough again."""

from __future__ import annotations

from typing import Literal

Kind = Literal["low", "out"]


def alert_of(available: int, threshold: int | None, *, is_open: bool) -> Kind | None:
    """The alert that a position deserves; None when it needs none.

    It is raised at the threshold and ends only a tenth above it, at least 1 unit, so that one unit sold and returned
    does not raise it again and again.
    """
    if threshold is None:
        return None
    margin = max(1, -(-threshold // 10)) if is_open else 0
    if available > threshold + margin:
        return None
    return "out" if available <= 0 else "low"
