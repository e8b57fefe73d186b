"""Oversold: what to do about each order for which the units are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["reroute", "transfer", "wait", "buy", "cancel", "keep"]

WORDS: Mapping[Kind, str] = {
    "reroute": "send it from {place}",
    "transfer": "bring units here from {place} by a transfer",
    "wait": "wait for the units that are on their way",
    "buy": "buy more, or cancel it",
    "cancel": "cancel it: nothing is left and nobody supplies it",
    "keep": "leave it: the other repairs free its units",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """A proposal; `place` is where units would come from, "" when from nowhere of ours."""

    kind: Kind
    place: str = ""

    @property
    def words(self) -> str:
        return WORDS[self.kind].format(place=self.place)


def propose(
    wanted: Sequence[int], missing: int, elsewhere: Mapping[str, int], incoming: int, *, buyable: bool
) -> list[Repair]:
    """A repair for each order at risk; `wanted` are their units, newest first, `missing` the units that are not there.

    `elsewhere` are free units by place, `incoming` units on their way to the place that has oversold. What one order is
    given is not given to the next. Whoever ordered first is served first, so units are handed out from the oldest on;
    what is short after that, the newest go without.
    """
    left, coming, short = dict(elsewhere), incoming, missing
    found: dict[int, Repair] = {}
    for order in reversed(range(len(wanted))):
        place = _fullest(left)
        if short > 0 and left.get(place, 0) >= wanted[order]:
            left[place] -= wanted[order]
            short -= wanted[order]
            found[order] = Repair("reroute", place)
    without = []
    for order in (order for order in range(len(wanted)) if order not in found):
        if short > 0:
            without.append(order)
        else:
            found[order] = Repair("keep")
        short -= wanted[order]
    for order in reversed(without):
        units = wanted[order]
        if units <= sum(left.values()):
            found[order] = Repair("transfer", _fullest(left))
            left = _less(left, units)
        elif units <= coming:
            coming -= units
            found[order] = Repair("wait")
        else:
            found[order] = Repair("buy" if buyable else "cancel")
    return [found[order] for order in range(len(wanted))]


def _fullest(left: Mapping[str, int]) -> str:
    """The place with most free units; "" when there is none."""
    return max(left, key=lambda place: (left[place], place), default="")


def _less(left: Mapping[str, int], units: int) -> dict[str, int]:
    """Free units once so many are taken, from where most are first."""
    rest: dict[str, int] = {}
    for place, there in sorted(left.items(), key=lambda one: (-one[1], one[0])):
        taken = min(there, units)
        units -= taken
        rest[place] = there - taken
    return rest
