"""The page on states says of purchase orders, transfers, counts and serial numbers what the code does."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from hub.domain import counts, lots, purchasing, transfers
from hub.store.tables import supply

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "states.md").read_text(encoding="utf-8")


def table(heading: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """(meaning, what can follow) by state, from the table below a heading."""
    part = PAGE[PAGE.index(f"## {heading}\n") :]
    lines = next(block for block in part.split("\n\n") if block.startswith("| ")).splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {
        state.strip("`"): (meaning, tuple(one.strip("` ") for one in after.split(",") if one != chr(0x2013)))
        for state, meaning, after in cells
    }


@pytest.mark.parametrize(
    ("heading", "after", "meaning"),
    [
        ("Purchase orders", {state: tuple(after) for state, after in purchasing.MOVES.items()}, purchasing.MEANING),
        ("Transfers", transfers.NEXT, transfers.MEANING),
        ("Stock counts", counts.NEXT, counts.MEANING),
        ("Serial numbers", lots.SERIAL_NEXT, lots.SERIAL_MEANING),
    ],
)
def test_the_table_is_that_of_the_code(
    heading: str, after: Mapping[str, tuple[str, ...]], meaning: Mapping[str, str]
) -> None:
    assert table(heading) == {state: (meaning[state], after[state]) for state in after}


def test_the_database_knows_the_same_states() -> None:
    assert set(purchasing.MOVES) == set(supply.PURCHASE_STATUSES)
    assert set(transfers.NEXT) == set(supply.TRANSFER_STATUSES)
    assert set(counts.NEXT) == set(supply.COUNT_STATUSES)
