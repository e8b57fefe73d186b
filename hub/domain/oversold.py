"""Oversold: what to do about each order for which the units are gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["reroute", "transfer", "wait", "buy", "cancel"]

WORDS: Mapping[Kind, str] = {
    "reroute": "send it from {place}",
    "transfer": "bring units here from {place} by a transfer",
    "wait": "wait for the units that are on their way",
    "buy": "buy more, or cancel it",
    "cancel": "cancel it: nothing is left and nobody supplies it",
}


@dataclass(frozen=True, slots=True)
class Repair:
    """A proposal; `place` is where units would come from, "" when from nowhere of ours."""

    kind: Kind
    place: str = ""

    @property
    def words(self) -> str:
        return WORDS[self.kind].format(place=self.place)


def propose(wanted: Sequence[int], elsewhere: Mapping[str, int], incoming: int, *, buyable: bool) -> list[Repair]:
    """A repair for each order at risk; `wanted` are their units, newest first.

    `elsewhere` are free units by place, `incoming` units on their way to the place that has oversold. What one order is
    given is not given to the next. The newest are listed first since they are the ones to give way; but whoever
    ordered first is served first, so units are handed out from the oldest on.
    """
    left, coming = dict(elsewhere), incoming
    found: list[Repair] = []
    for units in reversed(wanted):
        place = max(left, key=lambda code: (left[code], code), default="")
        if place and left[place] >= units:
            left[place] -= units
            found.append(Repair("reroute", place))
        elif units <= sum(left.values()):
            found.append(Repair("transfer", place))
            left = _less(left, units)
        elif units <= coming:
            coming -= units
            found.append(Repair("wait"))
        else:
            found.append(Repair("buy" if buyable else "cancel"))
    return found[::-1]


def _less(left: Mapping[str, int], units: int) -> dict[str, int]:
    """Free units once so many are taken, from where most are first."""
    rest: dict[str, int] = {}
    for place, there in sorted(left.items(), key=lambda one: (-one[1], one[0])):
        taken = min(there, units)
        units -= taken
        rest[place] = there - taken
    return rest
