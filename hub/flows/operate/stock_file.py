"""Stock files: CSV with a line per figure, as people and warehouses send them."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.files import NOT_UTF8, whole
from hub.flows.operate.stock import ImportRow, RowResult

RESULT_COLUMNS = ("row", "sku", "location", "status", "before", "after", "message")


def rows_of(file: Path) -> Iterator[ImportRow]:
    """The rows of a CSV file. Raises NotDoneError when it is not UTF-8 or its first line names no columns."""
    try:
        with file.open(newline="", encoding="utf-8-sig") as source:
            yield from read_rows(source)
    except UnicodeDecodeError as error:
        raise NotDoneError(NOT_UTF8) from error


def read_rows(source: Iterable[str]) -> Iterator[ImportRow]:
    """Rows of a stock file; the first line names the columns sku, location and on_hand, or change instead of on_hand.

    A column `expected` holds the units on hand that the writer saw. A figure that is no whole number is left to the
    import, which says so of that row. Raises NotDoneError when a column is missing, or both figures are there.
    """
    lines = iter(source)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    names = [name.strip().lower().replace(" ", "_") for name in next(csv.reader([first], delimiter=delimiter), [])]
    figure = "change" if "change" in names else "on_hand"
    if not {"sku", "location", figure} <= set(names):
        raise NotDoneError("the first line has to name the columns sku, location and on_hand (or change)")
    if {"on_hand", "change"} <= set(names):
        raise NotDoneError(
            "the first line names both on_hand and change: leave out the column that is not to be booked"
        )
    sku, place, units = names.index("sku"), names.index("location"), names.index(figure)
    seen = names.index("expected") if "expected" in names else None
    most = max(sku, place, units, seen or 0)
    for number, cells in enumerate(_cells(lines, delimiter), start=1):
        if not cells:
            continue
        cells.extend([""] * (most + 1 - len(cells)))
        expected = None
        if seen is not None and cells[seen].strip():
            found = whole(cells[seen])
            expected = -1 if found is None else found
        yield ImportRow(
            number, cells[sku].strip(), cells[place].strip(), whole(cells[units]), figure == "change", expected
        )


def _cells(lines: Iterator[str], delimiter: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines, delimiter=delimiter)
    except csv.Error as error:
        raise NotDoneError(f"the file cannot be read as CSV: {error}") from error


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
