"""Which places have enough, answered for all of them at once by whole numbers of which each bit is a place."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

Vector = tuple[int, ...]


class Holders:
    """Which of many places have so much of each, answered for all of them at once: bit 0 is the first."""

    def __init__(self, vectors: Sequence[Vector]) -> None:
        self._everybody = (1 << len(vectors)) - 1
        self._with = [self._by_units(column) for column in zip(*vectors, strict=True)]

    @staticmethod
    def _by_units(column: Sequence[int]) -> tuple[list[int], list[int]]:
        """Figures that occur, smallest first, and for each the places that have as much or more."""
        exactly: dict[int, int] = {}
        for index, units in enumerate(column):
            exactly[units] = exactly.get(units, 0) | (1 << index)
        figures = sorted(exactly)
        have = [exactly[units] for units in figures]
        for index in range(len(have) - 2, -1, -1):
            have[index] |= have[index + 1]
        return figures, have

    def of(self, least: Vector) -> int:
        """The places that have at least so much of each."""
        found = self._everybody
        for units, (figures, have) in zip(least, self._with, strict=True):
            if units:
                index = bisect_left(figures, units)
                found &= have[index] if index < len(have) else 0
        return found


def bits(places: int) -> Iterator[int]:
    """The positions of the bits that are set, from the first on."""
    while places:
        lowest = places & -places
        yield lowest.bit_length() - 1
        places ^= lowest
