"""The script: every order with the place where it has to end, written down before the hub hears of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

BY_3PL = "EAST"  # the location whose parcels the 3PL packs; all others buy labels
SHIPPED = frozenset({"in_transit", "delivered"})

Units = Mapping[str, int]  # by "LOCATION SKU", or by "SKU"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an order stands, with everything the world outside has of it.

    `left` and `kept` are units by location and article that were shipped or are still being packed, `waits` units
    without a place. `at_3pl` are its living orders at the 3PL, `stopped` those that were called off there. `told` is
    how many parcels the channel was told of, `told_units` what was in them.
    """

    state: str
    left: Units = field(default_factory=dict)
    kept: Units = field(default_factory=dict)
    waits: Units = field(default_factory=dict)
    at_3pl: int = 0
    stopped: int = 0
    labels: int = 0
    sales_orders: int = 0
    invoices: int = 0
    told: int = 0
    told_units: Units = field(default_factory=dict)

    def differences(self, found: Standing) -> Iterator[str]:
        """What is not as expected, in words."""
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(found, one.name)
            if mine != theirs:
                yield f"{one.name.replace('_', ' ')}: expected {_shown(mine)}, found {_shown(theirs)}"


def standing(state: str, left: str = "", kept: str = "", waits: str = "", **unusual: Any) -> Standing:
    """A standing in short: units are written as "EAST MUG 2, WEST PEN 1".

    What follows from that as a rule is filled in: one order at the 3PL, one label for each other location, one parcel
    told per location, a sales order unless the order is on hold, an invoice once everything has left. `unusual` names
    what is otherwise.
    """
    shipped, packed = units(left), units(kept)
    places = {key.split()[0] for key in shipped}
    usual: dict[str, Any] = {
        "at_3pl": int(BY_3PL in places | {key.split()[0] for key in packed}),
        "labels": len(places - {BY_3PL}),
        "sales_orders": int(not state.startswith("on_hold")),
        "invoices": int(state in SHIPPED),
        "told": len(places),
        "told_units": by_sku(shipped),
    }
    return Standing(state, shipped, packed, units(waits), **(usual | unusual))


def units(text: str) -> dict[str, int]:
    """Units from a text such as "EAST MUG 2, WEST PEN 1"."""
    found: dict[str, int] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        name, _, count = part.rpartition(" ")
        found[name] = int(count)
    return found


def by_sku(found: Units) -> dict[str, int]:
    """Units by article, wherever they are."""
    totals: dict[str, int] = {}
    for key, count in found.items():
        sku = key.split()[-1]
        totals[sku] = totals.get(sku, 0) + count
    return totals


@dataclass(frozen=True, slots=True)
class Scripted:
    """One order of the story: `role` is the channel, `why` what is special about it."""

    role: str
    external_id: str
    number: str
    why: str
    expected: Standing


@dataclass(slots=True)
class Script:
    """Every order of the story, in the order in which they were placed."""

    orders: list[Scripted] = field(default_factory=list)

    def expect(self, role: str, external_id: str, number: str, why: str, expected: Standing) -> Scripted:
        self.orders.append(Scripted(role, external_id, number, why, expected))
        return self.orders[-1]

    def count(self, role: str) -> int:
        return sum(one.role == role for one in self.orders)


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{count} {key}" for key, count in sorted(value.items())) or "none"
    return str(value)
