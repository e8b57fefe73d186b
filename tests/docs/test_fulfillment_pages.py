"""The pages on fulfillment orders say what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub.domain.fulfillment import EXEC, REQUEST, Machine
from hub.domain.rejections import REASONS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading."""
    _, _, below = (REFERENCE / page).read_text().partition(f"## {heading}\n")
    table = below.split("\n## ")[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("| `")
    ]


@pytest.mark.parametrize(
    ("heading", "machine"),
    [("Fulfillment orders: the work", EXEC), ("Fulfillment orders: the request", REQUEST)],
)
def test_the_page_of_states_has_every_move(heading: str, machine: Machine) -> None:
    told = {state.strip("`"): re.findall(r"`(\w+)`", to) for state, _, to in rows("states.md", heading)}
    assert told == {state: list(to) for state, to in machine.items()}


def test_the_page_of_reasons_has_every_reason_and_whom_it_lets_ask() -> None:
    told = {cells[0].strip("`"): cells[4] for cells in rows("rejection-reasons.md", "The list")}
    assert told == {one.code: "another place" if one.routes_again else "nobody" for one in REASONS.values()}
