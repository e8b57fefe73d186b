"""The states of a unit of stock and every move between them that there is; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STATES = ("available", "committed", "reserved", "damaged", "quality_hold", "safety_stock")
INCOMING = "incoming"  # ordered or on its way; outside of what is on hand
OUTSIDE = "outside"  # the world that units come from and leave to; None in a move

MEANING: Mapping[str, str] = {
    "available": "On the shelf and free to be sold.",
    "committed": "Promised to a fulfillment order of this location.",
    "reserved": "Kept for a checkout, a transfer or a person, at this location.",
    "damaged": "On the shelf and not fit to be sold.",
    "quality_hold": "On the shelf and not yet passed by inspection.",
    "safety_stock": "Kept back on purpose, so that the last units are not promised.",
    INCOMING: "Ordered or on its way here; not on hand.",
}


class MoveRefusedError(ValueError):
    """Units in this state cannot go there; the message lists where they can go."""


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed move; None for a state is the world outside."""

    from_state: str | None
    to_state: str | None
    when: str  # what brings it about, in a few words


def _both_ways(state: str, there: str, back: str) -> tuple[Move, Move]:
    return Move("available", state, there), Move(state, "available", back)


MOVES: tuple[Move, ...] = (
    Move(None, INCOMING, "expect: a purchase order is placed, or a transfer leaves"),
    *(Move(INCOMING, state, "receive") for state in ("available", "damaged", "quality_hold")),
    *_both_ways("reserved", "reserve", "the reservation ends"),
    Move("available", "committed", "a fulfillment order is made"),
    Move("reserved", "committed", "a reservation becomes a fulfillment order"),
    Move("committed", "available", "a fulfillment order is cancelled or refused"),
    Move("committed", "damaged", "refused: the units were found damaged"),
    Move("committed", "reserved", "refused: the units are on display"),
    *_both_ways("damaged", "found damaged", "repaired or found good"),
    *_both_ways("quality_hold", "taken out for inspection", "passed inspection"),
    *_both_ways("safety_stock", "kept back", "given free"),
    Move("committed", None, "ship; or corrected with a reason"),
    *(Move(state, None, "corrected with a reason") for state in (*STATES, INCOMING) if state != "committed"),
    *(Move(None, state, "corrected or returned with a reason") for state in STATES),
)
_WORDS = {(move.from_state, move.to_state): move.when for move in MOVES}


def next_states(from_state: str | None) -> tuple[str, ...]:
    """Where units in this state can go, in the order of the table; OUTSIDE is out of the house."""
    return tuple(move.to_state or OUTSIDE for move in MOVES if move.from_state == from_state)


def check_move(from_state: str | None, to_state: str | None) -> None:
    """Raises MoveRefusedError, with the allowed next states, when there is no such move."""
    if (from_state, to_state) in _WORDS:
        return
    allowed = ", ".join(next_states(from_state)) or "nowhere"
    raise MoveRefusedError(
        f"units do not go from {from_state or OUTSIDE} to {to_state or OUTSIDE}; "
        f"from {from_state or OUTSIDE} they can go to: {allowed}"
    )
