"""How long one decision may be thought over: counted, never timed, so that the same order always ends alike."""

from __future__ import annotations

from dataclasses import dataclass

MOST_EFFORT = 1_200_000  # figures that are compared for one decision: some 80 ms on a usual machine


class CutOffError(Exception):
    """A search has made as much effort as it may."""


@dataclass(slots=True)
class Effort:
    """How much one decision may still be thought over, counted in figures compared so that it always ends alike.

    Every search may use half of what is left, so that something is left for those that come after it.
    """

    left: int = MOST_EFFORT
    _least: int = 0

    def begin(self) -> None:
        """Another search begins."""
        self._least = self.left // 2

    def spend(self, figures: int) -> None:
        """Count so much. Raises CutOffError when the search may not go on."""
        self.left -= figures
        if self.left < self._least:
            raise CutOffError
