"""Promises: which units on order are for whom, in the turn in which they will be given out, and the day each customer
can be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from hub.domain.routing.rules import DEFAULT_SORT, SortKey, Turn, rank


@dataclass(frozen=True, slots=True)
class Supply:
    """Units of one article that are still to come on one purchase order line."""

    id: str
    units: int
    due: date | None  # None: the supplier has named no day; served last


@dataclass(frozen=True, slots=True)
class Waiting:
    """Units of one order line that wait."""

    line_id: str
    turn: Turn  # of its order
    units: int


@dataclass(frozen=True, slots=True)
class Share:
    """Units of one supply that are meant for one order line."""

    line_id: str
    supply_id: str
    units: int
    due: date | None


@dataclass(frozen=True, slots=True)
class Promise:
    """What an order line can be told. `due` is the day its last unit is expected; None when that is not known."""

    line_id: str
    due: date | None
    shares: tuple[Share, ...]
    is_there: bool = False  # all its units are on the shelf and about to be given a place: nothing to be told


def allot(
    supplies: Collection[Supply],
    waiting: Collection[Waiting],
    on_shelf: int = 0,
    sort: Sequence[SortKey] = DEFAULT_SORT,
) -> tuple[Promise, ...]:
    """Give the units of one article that are there and that are to come to the lines that wait for it.

    They are served in their turn, as units that come in are given out: from the shelf and then from the supply that
    comes first. A line for which there is not enough keeps the units it got but is promised no day. The answer depends
    on nothing but the arguments.
    """
    queue = _units(supplies)
    left: tuple[Supply, int] | None = None
    promises = []
    for wait in sorted(waiting, key=lambda one: (rank(one.turn, sort), one.line_id)):
        there = max(0, min(on_shelf, wait.units))
        on_shelf -= there
        shares, open_units = list[Share](), wait.units - there
        while open_units > 0:
            left = left if left is not None and left[1] > 0 else next(queue, None)
            if left is None:
                break
            supply, units = left
            taken = min(open_units, units)
            shares.append(Share(wait.line_id, supply.id, taken, supply.due))
            left, open_units = (supply, units - taken), open_units - taken
        due = _last(shares) if not open_units else None
        promises.append(Promise(wait.line_id, due, tuple(shares), is_there=there == wait.units))
    return tuple(promises)


def _units(supplies: Collection[Supply]) -> Iterator[tuple[Supply, int]]:
    ordered = sorted(supplies, key=lambda one: (one.due or date.max, one.id))
    return ((one, one.units) for one in ordered if one.units > 0)


def _last(shares: Collection[Share]) -> date | None:
    """The day the last of the units comes; None when a part of them has no day."""
    days = [share.due for share in shares]
    known = [day for day in days if day is not None]
    return max(known) if known and len(known) == len(days) else None
