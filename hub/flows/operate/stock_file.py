"""Stock files: CSV with a line per figure, as people and warehouses send them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.stock import ImportRow, RowResult

RESULT_COLUMNS = ("row", "sku", "location", "status", "before", "after", "message")


def rows_of(file: Path) -> Iterator[ImportRow]:
    """The rows of a CSV file. Raises NotDoneError when its first line does not name the columns."""
    with file.open(newline="", encoding="utf-8-sig") as source:
        yield from read_rows(source)


def read_rows(source: Iterable[str]) -> Iterator[ImportRow]:
    """Rows of a stock file; the first line names the columns sku, location and on_hand, or change instead of on_hand.

    A column `expected` holds the units on hand that the writer saw. A figure that is no whole number is left to the
    import, which says so of that row. Raises NotDoneError when a column is missing.
    """
    lines = iter(source)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    names = [name.strip().lower() for name in next(csv.reader([first], delimiter=delimiter), [])]
    figure = "change" if "change" in names else "on_hand"
    if not {"sku", "location", figure} <= set(names):
        raise NotDoneError("the first line has to name the columns sku, location and on_hand (or change)")
    sku, place, units = names.index("sku"), names.index("location"), names.index(figure)
    seen = names.index("expected") if "expected" in names else None
    most = max(sku, place, units, seen or 0)
    for number, cells in enumerate(csv.reader(lines, delimiter=delimiter), start=1):
        if not cells:
            continue
        cells.extend([""] * (most + 1 - len(cells)))
        expected = None if seen is None or not cells[seen].strip() else _whole(cells[seen], missing=-1)
        yield ImportRow(
            number, cells[sku].strip(), cells[place].strip(), _whole(cells[units]), figure == "change", expected
        )


def _whole(text: str, missing: int | None = None) -> int | None:
    try:
        return int(text)
    except ValueError:
        return missing


def key_of(content: bytes) -> str:
    """The same key for the same file, so that its changes are booked once."""
    return hashlib.sha256(content).hexdigest()[:32]


def write_results(target: IO[str], results: Sequence[RowResult]) -> None:
    """A result per row as CSV."""
    out = csv.writer(target, lineterminator="\n")
    out.writerow(RESULT_COLUMNS)
    out.writerows(
        (one.number, one.sku, one.location, one.status, _cell(one.before), _cell(one.after), one.message)
        for one in results
    )


def _cell(units: int | None) -> int | str:
    return "" if units is None else units
