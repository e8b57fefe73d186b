"""Counted figures from a file: CSV with the columns sku (or barcode) and units, and lot, expires_on or serial."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date
from io import StringIO

from hub.flows.operate.counts import Entry
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.files import whole

_CODES, _UNITS = ("sku", "barcode", "code"), ("units", "counted", "quantity", "on_hand")


def read_count(text: str) -> list[Entry]:
    """The rows of a file; its first line names the columns. A figure that is no whole number is left to the count,
    which says so of its row. Raises NotDoneError when a column is missing or a day cannot be read.
    """
    first = text.lstrip("\ufeff").partition("\n")[0]
    reader = csv.DictReader(StringIO(text.lstrip("\ufeff")), delimiter=max(",;\t", key=first.count))
    names = {str(name).strip().lower(): str(name) for name in reader.fieldnames or ()}
    code = next((names[name] for name in _CODES if name in names), None)
    units = next((names[name] for name in _UNITS if name in names), None)
    if code is None or (units is None and "serial" not in names):
        raise NotDoneError("the first line has to name the columns sku (or barcode) and units")
    return list(_entries(reader, code, units, names))


def _entries(reader: csv.DictReader[str], code: str, units: str | None, names: dict[str, str]) -> Iterator[Entry]:
    for number, row in enumerate(reader, start=1):
        cells = {name: str(row.get(column) or "").strip() for name, column in names.items()}
        figure = whole(str(row.get(units) or "")) if units else 1
        yield Entry(
            number,
            str(row.get(code) or "").strip()[:120],
            figure,
            cells.get("lot", "")[:80],
            _day(cells.get("expires_on", "")),
            cells.get("serial", "")[:120],
        )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotDoneError(f"{text!r} is no day; write it as 2026-12-31") from None
