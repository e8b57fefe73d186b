"""Stock counts: what may follow what, and the correction that a count makes."""

from __future__ import annotations

from collections.abc import Mapping

NEXT: Mapping[str, tuple[str, ...]] = {
    "draft": ("assigned", "cancelled"),
    "assigned": ("counting", "cancelled"),
    "counting": ("review", "cancelled"),
    "review": ("applied", "recount", "cancelled"),
    "recount": ("counting", "cancelled"),
    "applied": (),
    "cancelled": (),
}
MEANING: Mapping[str, str] = {
    "draft": "It is written; nobody counts yet.",
    "assigned": "Somebody is to count.",
    "counting": "Figures are being entered.",
    "review": "Somebody looks at the differences before anything is booked.",
    "recount": "Some articles are to be counted once more.",
    "applied": "The corrections are in the books.",
    "cancelled": "Nothing was booked.",
}
UNCOUNTED = ("leave", "zero")
# Where missing units are taken from: what nobody was promised first.
_UNPROMISED = ("available", "safety_stock", "quality_hold", "damaged")


class RefusedError(ValueError):
    """The step makes no sense as things stand; the message says what does."""


def check(status: str, wanted: str) -> None:
    """Raises RefusedError, naming the allowed next states."""
    if wanted not in NEXT[status]:
        allowed = ", ".join(NEXT[status]) or "nothing, it is final"
        raise RefusedError(f"a count that is {status} cannot become {wanted}; next can be: {allowed}")


def correction(counted: int | None, seen: int, on_hand: int) -> int:
    """Units to add, or to take away with a minus. `seen` was in the books when it was counted; None counts as zero.

    Whatever was sold or received since is in `on_hand` and stays. Units that left meanwhile cannot be missing as well,
    so that never more is taken away than is there.
    """
    return max((counted or 0) - seen, -max(0, on_hand))


def take_out(units: Mapping[str, int], missing: int, aside: Mapping[str, int]) -> list[tuple[str, int]]:
    """(state, units) from which `missing` units are taken: those that are known to lie `aside` from there, as far as
    the position has as many.
    """
    parts = [(state, min(wanted, max(0, units.get(state, 0)))) for state, wanted in aside.items()]
    rest = {**units, **{state: units.get(state, 0) - taken for state, taken in parts}}
    return [*((state, taken) for state, taken in parts if taken), *take_from(rest, missing - sum(n for _, n in parts))]


def take_from(units: Mapping[str, int], missing: int) -> list[tuple[str, int]]:
    """(state, units) from which `missing` units are taken: unpromised ones first.

    What is still missing then was promised: it is taken from `available`, which shows it as oversold.
    """
    taken: dict[str, int] = {}
    for state in _UNPROMISED:
        here = min(missing, max(0, units.get(state, 0)))
        missing -= here
        if here:
            taken[state] = here
    if missing:
        taken["available"] = taken.get("available", 0) + missing
    return list(taken.items())
