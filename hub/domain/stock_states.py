"""The states of a unit of stock and every move between them that there is; anything else is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STATES = ("available", "committed", "reserved", "damaged", "quality_hold", "safety_stock")
INCOMING = "incoming"  # ordered or on its way; outside of what is on hand
OUTSIDE = "outside"  # the world that units come from and leave to; None in a move
MOST_UNITS = 10_000_000  # of one article in one place, and in one request: more is a slip

MEANING: Mapping[str, str] = {
    "available": "On the shelf and free to be sold.",
    "committed": "Promised to a fulfillment order of this location.",
    "reserved": "Kept for a checkout, a transfer or a person, at this location.",
    "damaged": "On the shelf and not fit to be sold.",
    "quality_hold": "On the shelf and not yet passed by inspection.",
    "safety_stock": "Kept back on purpose, so that the last units are not promised.",
    INCOMING: "Ordered or on its way here; not on hand.",
}

# What people give as the reason of a correction; each may be followed by words of their own.
REASONS: Mapping[str, str] = {
    "count": "Counted on the shelf",
    "damaged": "Broken, soiled or unfit for sale",
    "lost": "Not to be found",
    "found": "Turned up again",
    "received": "Came in without a purchase order",
    "returned": "Came back from a customer",
    "stolen": "Stolen",
    "expired": "Past its date",
    "inspection": "Taken out for inspection, or passed it",
    "display": "On display, or back from it",
    "used": "Used up by ourselves: samples, gifts, spare parts",
    "buffer": "Kept back from sale, or given free",
    "correction": "A wrong entry is put right",
    "opening": "Opening stock",
}


def reason_text(reason: str, note: str = "") -> str:
    """A reason with the words of whoever gave it, as the ledger keeps it; at most 200 characters."""
    return ": ".join(filter(None, (reason.strip(), note.strip())))[:200]


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
# Moves that a person makes by hand. Committed units are a fulfillment order's, incoming ones a purchase order's or a
# transfer's, and units are reserved by a reservation: those change with what they belong to.
OF_OTHERS: Mapping[str, str] = {
    "committed": "committed units belong to fulfillment orders: cancel, refuse or ship those",
    INCOMING: "incoming units belong to purchase orders and transfers: receive or close those",
}
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
