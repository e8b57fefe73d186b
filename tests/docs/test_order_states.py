"""The pages on states and entry checks say of holds, changes and checks what the code does."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.domain import changes, holds
from hub.domain.entry import BUILT_IN_CHECKS, Facts
from tests.docs.test_supply_states import PAGE, table
from tests.domain.test_entry import GOOD, replace

CHECKS = (Path(__file__).parents[2] / "docs" / "reference" / "entry-checks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("heading", "after", "meaning"),
    [
        ("Holds", holds.STATES, holds.MEANING),
        ("Changes of orders", changes.STATES, changes.MEANING),
    ],
)
def test_the_table_is_that_of_the_code(heading, after, meaning):
    assert table(heading) == {state: (meaning[state], after[state]) for state in after}


def test_what_a_hold_may_block_and_on_what_it_may_lie_is_that_of_the_code():
    block = next(one for one in PAGE.split("\n\n") if one.startswith("| it blocks"))
    rows = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    said = {name: [one.strip() for one in targets.split(",")] for name, _, targets in rows}
    assert said == {
        name: [target for target, allowed in holds.MAY_BLOCK.items() if name in allowed] for name in holds.BLOCKS
    }


def test_every_check_stands_on_the_page_with_what_it_finds_and_its_settings():
    block = next(one for one in CHECKS.split("\n\n") if one.startswith("| check"))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]]
    assert [(name.strip("`"), about) for name, about, _ in rows] == [
        (name, check.about) for name, check in BUILT_IN_CHECKS.items()
    ]
    for (_, _, settings), check in zip(rows, BUILT_IN_CHECKS.values(), strict=True):
        assert all(f"`{name}`" in settings for name in check.settings), settings
        assert settings.count("`") == 2 * len(check.settings), settings


def test_the_example_of_a_check_on_the_page_works():
    code = CHECKS.split("```python\n")[1].split("```")[0]
    made: dict[str, object] = {}
    exec(code, made)  # noqa: S102 - our own page
    check = made["GIFTS"]
    assert list(check.find(GOOD, Facts(settings=check.defaults()))) == []
    [found] = check.find(replace(GOOD, note="For her Birthday"), Facts(settings=check.defaults()))
    assert (found.kind, found.blocks) == ("gift", "release")
