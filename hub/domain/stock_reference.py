"""The reference page of stock states, written from the table of moves.

`python -m hub.domain.stock_reference` prints it; a test compares it with docs/reference/stock-states.md.
"""

from __future__ import annotations

from hub.domain.stock_states import MEANING, MOVES, OF_OTHERS, OUTSIDE, REASONS, STATES

HEAD = """# Stock states

Written from the table of moves by `python -m hub.domain.stock_reference > docs/reference/stock-states.md`.

Every unit at a location is in one state.
On hand are all states but *incoming*: {on_hand}.
Units change their state by moves of the ledger alone.
A move that is not listed here is refused, and the refusal names the states that are possible.
"""
TAIL = """
## By hand

People move units by `orderhub stock move`, by `POST /api/v1/stock/{sku}/move` and on the page *Move* of the console.
They make every listed move but these:

"""
RULES = """
Units that are reserved for nobody, such as those on display, can be given free by hand.

## Rules that always hold

- On hand is the sum of its states, and a position is the sum of its moves.
- No state but *available* is ever below zero.
  That one is when a fact (a count, a feed, a sale elsewhere) took units that were promised.
  The shortage is shown as *oversold*, with the orders at risk.
- When promised units leave although such a fact had not found them, they were there: the rest is booked in again.
- A move is booked once for its key, with who, when, what brought it about, and why.
- Moves are never changed or deleted; a mistake is put right by another move.

## Reasons

What people give as a reason of a correction or a move; words of your own do as well.

"""


def page() -> str:
    """The whole page."""
    parts = [HEAD.format(on_hand=" + ".join(_words(state) for state in STATES))]
    parts += ["\n| State | Meaning | Can go to |", "|---|---|---|"]
    parts += [f"| `{state}` | {words} | {_onward(state)} |" for state, words in MEANING.items()]
    parts += ["\n## Moves\n", "| From | To | When |", "|---|---|---|"]
    parts += [f"| {_name(move.from_state)} | {_name(move.to_state)} | {move.when} |" for move in MOVES]
    parts.append(TAIL.rstrip("\n") + "\n")
    parts += [f"- {words[:1].upper()}{words[1:]}." for words in (*OF_OTHERS.values(), _RESERVED)]
    parts.append(RULES.rstrip("\n") + "\n")
    parts += ["| Reason | Meaning |", "|---|---|", *(f"| `{name}` | {words} |" for name, words in REASONS.items())]
    return "\n".join(parts).replace("\n\n\n", "\n\n") + "\n"


_RESERVED = "units become reserved by a reservation: `orderhub stock reserve`"


def _words(state: str) -> str:
    return state.replace("_", " ")


def _name(state: str | None) -> str:
    return OUTSIDE if state is None else f"`{state}`"


def _onward(state: str) -> str:
    return ", ".join(_name(move.to_state) for move in MOVES if move.from_state == state)


if __name__ == "__main__":
    print(page(), end="")  # noqa: T201 - printing it is what this module is called for
