"""What a person names at the command line: orders, units of articles, and moments in UTC."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import typer

from hub.cli.edge import NoSuchThingError
from hub.store.database import Tx
from hub.store.views import orders


def order_id(tx: Tx, text: str) -> str:
    """The order that is meant by a number (with or without #), our id, or the channel's. Raises NoSuchThingError."""
    found = orders.ids_of(tx, text)
    if not found:
        raise NoSuchThingError(f"there is no order {text!r}")
    if len(found) > 1:
        rows = orders.rows_of(tx, found)
        which = ", ".join(f"{one.channel}: {one.id}" for one in rows.values())
        raise NoSuchThingError(f"{len(found)} orders are called {text!r}; say which by its id ({which})")
    return found[0]


def units_by_sku(items: Iterable[str]) -> dict[str, int]:
    """Units of articles, each said as SKU=UNITS; what is said twice is added up. Raises BadParameter."""
    found: dict[str, int] = {}
    for item in items:
        sku, _, units = item.rpartition("=")
        if not sku or not units.isdecimal():
            raise typer.BadParameter(f"write {item!r} as SKU=UNITS")
        found[sku] = found.get(sku, 0) + int(units)
    return found


def utc(moment: datetime | None) -> datetime | None:
    """A moment as a person typed it; without a zone it is UTC."""
    return None if moment is None else moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
