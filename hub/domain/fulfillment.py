"""The life of a fulfillment order: the work at the place, and what was asked of it and answered.

Both are tables of moves with what brings each about. Anything else is refused with the list of what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

# What brings a move about, by the state it leaves and the state it reaches.
Machine = Mapping[str, Mapping[str, str]]

EXEC: Machine = {
    "scheduled": {
        "open": "its time has come, or a person opens it",
        "cancelled": "the order is cancelled or routed elsewhere",
    },
    "open": {
        "in_progress": "the request is accepted, picking starts, or a label is bought",
        "closed": "everything ships in one step",
        "cancelled": "it is moved, routed elsewhere, cancelled with its order, or refused",
    },
    "in_progress": {
        "closed": "every unit is shipped or cancelled",
        "incomplete": "the place gives up on what is left",
        "cancelled": "the place agrees to stop and nothing has shipped",
        "open": "the work is called back before picking",
    },
    "incomplete": {"closed": "what is left is moved to another fulfillment order, or cancelled"},
    "closed": {},
    "cancelled": {},
}

REQUEST: Machine = {
    "unsubmitted": {"submitted": "the place is asked; no hold blocks it and the work is open"},
    "submitted": {
        "accepted": "the place says yes",
        "rejected": "the place says no, with a reason",
        "timed_out": "the place has not answered in time",
        "cancellation_requested": "the place is asked to stop",
    },
    "accepted": {"cancellation_requested": "the place is asked to stop", "closed": "everything has shipped"},
    "cancellation_requested": {
        "cancellation_accepted": "the place has stopped",
        "cancellation_rejected": "it was too late to stop",
    },
    "cancellation_rejected": {
        "cancellation_requested": "the place is asked to stop again",
        "closed": "everything has shipped",
    },
    "rejected": {},
    "timed_out": {},
    "cancellation_accepted": {},
    "closed": {},
}


class MoveRefusedError(ValueError):
    """A fulfillment order cannot go there from where it stands; the message lists where it can go."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a move is not made, for people."""

    from_state: str
    to_state: str
    allowed: tuple[str, ...]

    def __str__(self) -> str:
        allowed = ", ".join(self.allowed) or "nowhere, it is final"
        return f"a fulfillment order does not go from {self.from_state} to {self.to_state}; it can go to: {allowed}"


def check(machine: Machine, from_state: str, to_state: str) -> None:
    """Raises MoveRefusedError, with the allowed next states, when there is no such move."""
    if to_state not in machine[from_state]:
        raise MoveRefusedError(str(Refusal(from_state, to_state, tuple(machine[from_state]))))


def way(machine: Machine, from_state: str, to_state: str) -> tuple[str, ...]:
    """The fewest moves between two states, each of them on the list; empty when it is there already.

    News come late and together: a place that reports a shipment has also accepted. Raises MoveRefusedError when no
    moves lead there.
    """
    ways: dict[str, tuple[str, ...]] = {from_state: ()}
    waiting = [from_state]
    for state in waiting:
        for following in machine[state]:
            if following not in ways:
                ways[following] = (*ways[state], following)
                waiting.append(following)
    if to_state not in ways:
        check(machine, from_state, to_state)
    return ways[to_state]
