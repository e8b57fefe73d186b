"""Stock feeds: when what a warehouse states is too bad to be believed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LEAST = 20  # articles that must go to nothing before a feed is doubted
FILE_PERCENT = 50  # of the articles with stock that a person's file may take to nothing without being asked


@dataclass(frozen=True, slots=True)
class Emptying:
    """A feed that takes articles to nothing: `emptied` of the `stocked` ones that had stock before.

    `booked` of the emptied ones are in the books already: they came before anybody could see the whole.
    """

    emptied: int
    stocked: int
    booked: int = 0

    @property
    def percent(self) -> int:
        return 100 * self.emptied // self.stocked if self.stocked else 0

    def said(self) -> str:
        """In words."""
        return f"{self.emptied} of {self.stocked} articles with stock would go to nothing ({self.percent} %)"

    def is_implausible(self, percent: int) -> bool:
        """Whether a person has to look first; `percent` 0 trusts every feed."""
        return percent > 0 and self.emptied >= LEAST and 100 * self.emptied >= percent * self.stocked


def emptying(changes: Iterable[tuple[int, int]], *, booked: int = 0) -> Emptying:
    """What (units before, units stated) of a feed amount to; `booked` of those without any left are booked already."""
    stocked = [stated for before, stated in changes if before > 0]
    return Emptying(sum(stated <= 0 for stated in stocked), len(stocked), booked)
