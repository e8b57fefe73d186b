"""Lots with expiry and serial numbers: which go first, which not at all, and what has to be said of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

TRACKING: Mapping[str, str] = {
    "none": "Units are alike.",
    "lot": "Every unit belongs to a lot, which may expire.",
    "serial": "Every unit has a number of its own.",
}
SERIAL_NEXT: Mapping[str, tuple[str, ...]] = {
    "in_stock": ("shipped", "scrapped"),
    "shipped": ("returned", "in_stock"),
    "returned": ("in_stock", "scrapped"),
    "scrapped": ("in_stock",),
}
SERIAL_MEANING: Mapping[str, str] = {
    "in_stock": "It is on the shelf, or on its way between two of our locations.",
    "shipped": "It left with an order.",
    "returned": "It came back and is not on the shelf yet.",
    "scrapped": "It is gone: thrown away, lost, or missing in a count.",
}


class LotError(ValueError):
    """What was said of lots or serial numbers cannot be; the message says what can."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What the goods say of themselves: a lot with its expiry, or serial numbers."""

    lot: str = ""
    expires_on: date | None = None
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """Units of one lot at one location."""

    lot_id: str
    code: str
    units: int
    expires_on: date | None
    blocked: bool

    def sells(self, today: date) -> bool:
        """Whether it may leave: a lot is good to the end of the day on which it expires."""
        return not self.blocked and (self.expires_on is None or self.expires_on >= today)


def fefo(shelves: Sequence[Shelf], units: int, today: date) -> list[tuple[Shelf, int]]:
    """(shelf, units) to pick: what expires first goes first, what is expired or blocked never.

    Fewer than `units` when the lots do not hold as many.
    """
    picks = []
    for shelf in sorted((one for one in shelves if one.units > 0 and one.sells(today)), key=_order):
        here = min(units, shelf.units)
        if here:
            picks.append((shelf, here))
            units -= here
    return picks


def _order(shelf: Shelf) -> tuple[date, str]:
    return shelf.expires_on or date.max, shelf.code


def check_marks(sku: str, tracking: str, units: int, marks: Marks) -> None:
    """What has to be said of units that arrive. Raises LotError."""
    if tracking == "lot" and not marks.lot:
        raise LotError(f"{sku} is kept by lot: say which lot the {units} units are of")
    if tracking == "serial":
        check_serials(sku, units, marks.serials)
    if tracking == "none" and (marks.lot or marks.serials):
        raise LotError(f"{sku} is kept without lots and serial numbers; leave them out, or turn tracking on first")


def check_serials(sku: str, units: int, serials: Collection[str]) -> None:
    """Raises LotError when there is not one serial number for each unit."""
    if len(set(serials)) != len(serials):
        raise LotError(f"{sku}: a serial number stands there twice")
    if len(serials) != units:
        raise LotError(f"{sku} is kept by serial number: {units} units need {units} numbers, {len(serials)} were given")


def check_serial(code: str, status: str, wanted: str) -> None:
    """Raises LotError, naming the allowed next states."""
    if wanted not in SERIAL_NEXT[status]:
        allowed = ", ".join(SERIAL_NEXT[status])
        raise LotError(f"serial number {code} is {status.replace('_', ' ')}; next can be: {allowed}")
