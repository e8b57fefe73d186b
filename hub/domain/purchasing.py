"""Purchase orders: the states they go through, and what a delivery does to their lines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

Status = Literal[
    "draft", "ordered", "acknowledged", "partially_received", "received", "closed", "closed_short", "cancelled"
]

MOVES: Mapping[str, Mapping[str, str]] = {
    "draft": {"ordered": "it is sent to the supplier", "cancelled": "it is not wanted any more"},
    "ordered": {
        "acknowledged": "the supplier confirms it, or goods arrive",
        "cancelled": "nothing was received",
    },
    "acknowledged": {
        "partially_received": "goods arrive",
        "cancelled": "nothing was received",
    },
    "partially_received": {
        "received": "everything that is expected has arrived",
        "closed_short": "the rest will not come",
    },
    "received": {"closed": "the papers are settled"},
    "closed": {},
    "closed_short": {},
    "cancelled": {},
}
MEANING: Mapping[str, str] = {
    "draft": "It is written, and may be changed; nothing is expected of it.",
    "ordered": "It was sent to the supplier; its units are incoming.",
    "acknowledged": "The supplier has confirmed it; what is not confirmed is not expected.",
    "partially_received": "Some of its units have arrived, others have not.",
    "received": "All units that were expected have arrived.",
    "closed": "Everything about it is settled.",
    "closed_short": "Some units arrived, and the rest will not come.",
    "cancelled": "It was given up before anything arrived.",
}
MOST_COST_MINOR = 10**10  # of one unit; so a whole purchase order of the most units can still be added up
OPEN = ("ordered", "acknowledged", "partially_received")  # goods are still expected
TAKES_GOODS = (*OPEN, "received")  # a late box within the tolerance is taken after everything arrived
CHANGES_DATES = ("draft", *OPEN)
# Where units go that arrive in a condition; None is back to the supplier. All but the good ones are rejected.
CONDITIONS: Mapping[str, str | None] = {
    "good": "available",
    "damaged": "damaged",
    "to_inspect": "quality_hold",
    "sent_back": None,
}


class PurchaseRefusedError(ValueError):
    """The purchase order does not allow it; the message says what it does allow."""


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one article on a purchase order."""

    ordered: int
    acknowledged: int | None = None  # None: the supplier has not said
    received: int = 0  # everything that arrived, rejected units included
    rejected: int = 0  # of the received ones
    closed: int = 0  # will not come any more

    @property
    def expected(self) -> int:
        """Units that are to come in all: what the supplier confirmed, else what was ordered."""
        return (self.ordered if self.acknowledged is None else self.acknowledged) - self.closed

    @property
    def open(self) -> int:
        """Units still to come."""
        return max(0, self.expected - self.received)


def check_move(status: str, to: str) -> None:
    """Raises PurchaseRefusedError, with the allowed next states, when there is no such move."""
    if to not in MOVES[status]:
        allowed = ", ".join(MOVES[status]) or "none; it is final"
        raise PurchaseRefusedError(f"a purchase order does not go from {status} to {to}; next can be: {allowed}")


def check_cancel(status: str, lines: Collection[Line]) -> None:
    """Raises PurchaseRefusedError when goods have arrived already."""
    check_move(status, "cancelled")
    received = sum(line.received for line in lines)
    if received:
        raise PurchaseRefusedError(f"{received} units have been received already; close it short instead")


def most(ordered: int, over_percent: int) -> int:
    """The most units that may be received on a line; parts of a unit do not count."""
    return ordered * (100 + over_percent) // 100


def check_receipt(line: Line, units: int, rejected: int, over_percent: int) -> None:
    """Raises PurchaseRefusedError when a delivery of `units`, `rejected` among them, is more than may be received."""
    if units < 1 or not 0 <= rejected <= units:
        raise PurchaseRefusedError(f"{units} units with {rejected} rejected among them is no delivery")
    allowed = most(line.ordered, over_percent) - line.closed
    if line.received + units > allowed:
        raise PurchaseRefusedError(
            f"{line.received + units} units would be received and {line.ordered} are ordered; with {over_percent} % "
            f"over-delivery allowed, {max(0, allowed - line.received)} more can be taken"
        )


def check_acknowledged(line: Line, units: int, over_percent: int) -> None:
    """Raises PurchaseRefusedError when the supplier confirms more than may be received, or less than has arrived."""
    allowed = most(line.ordered, over_percent)
    if units > allowed:
        raise PurchaseRefusedError(f"{units} units are confirmed and at most {allowed} may be received")
    if units < line.received + line.closed:
        raise PurchaseRefusedError(f"{units} units are confirmed and {line.received} have been received already")


def after_receipt(status: str, lines: Collection[Line]) -> tuple[str, ...]:
    """The states that a purchase order goes through when goods have arrived, in their order; the last is where it is.

    Goods that arrive say as much as a confirmation. Empty when it stays where it is.
    """
    if status == "received":
        return ()
    whole = all(line.open == 0 for line in lines)
    road = ("acknowledged", "partially_received", *(("received",) if whole else ()))
    passed = road[road.index(status) + 1 :] if status in road else road
    at = status
    for to in passed:
        check_move(at, to)
        at = to
    return passed
