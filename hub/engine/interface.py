"""What every engine can do."""

from __future__ import annotations

from typing import Protocol


class Engine(Protocol):
    """Opens doors that have mail. The tables are the truth: a wake-up may be lost, and costs a tick then."""

    def wake(self, door: str) -> None:
        """Say that a door has mail. Cheap, safe to repeat, never raises; called after the commit."""

    def start(self) -> None:
        """Begin to work. Call once."""

    def stop(self, timeout_s: float = 30.0) -> bool:
        """Begin nothing more and let running rounds finish; False when some did not in time. Safe to call twice."""

    def rescue(self) -> int:
        """Free doors whose worker died while it had them open; returns how many. For the holder of the lease."""
