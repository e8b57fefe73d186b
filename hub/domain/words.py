"""Small words that people read in reasons and timelines."""

from __future__ import annotations


def units(count: int) -> str:
    """A number of units, such as "1 unit" or "2 units"."""
    return f"{count} unit" if count == 1 else f"{count} units"


def lines(count: int) -> str:
    """A number of lines, such as "1 line" or "2 lines"."""
    return f"{count} line" if count == 1 else f"{count} lines"
