"""The demo ends well when every order is where it belongs, and says so when one is not."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from hub.demo.day import Day
from hub.demo.run import one_more
from hub.demo.script import Script, standing, units
from hub.demo.teller import Teller, terminal
from hub.demo.town import Town, TownError

README = Path(__file__).parents[2] / "README.md"
MOST_S = 300  # a machine that runs all tests at once is slow; the demo alone takes a tenth of it

SWAPPED = """
from dataclasses import replace
from hub.demo.run import run

def swap(script):
    first = script.orders[0]
    script.orders[0] = replace(first, expected=replace(first.expected, state="cancelled"))

raise SystemExit(run(once=True, before_report=swap))
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, timeout=MOST_S, check=False)


@pytest.fixture(scope="module")
def told() -> subprocess.CompletedProcess[str]:
    return run("-c", "from hub.cli import main; main()", "demo", "--once")


def test_every_order_of_the_demo_ends_where_it_belongs(told: subprocess.CompletedProcess[str]) -> None:
    assert told.returncode == 0, told.stdout + told.stderr
    assert "WRONG" not in told.stdout
    assert "all in place" in told.stdout


def rows(text: str) -> dict[str, list[str]]:
    """Rows of all tables by their first cell."""
    cells = [[cell.strip() for cell in line.split("│")[1:-1]] for line in text.splitlines() if line.startswith("│")]
    return {first: rest for first, *rest in cells}


def test_the_readme_shows_what_the_demo_prints(told: subprocess.CompletedProcess[str]) -> None:
    shown = README.read_text(encoding="utf-8").partition("<!-- demo -->")[2].partition("<!-- /demo -->")[0]
    assert rows(shown) == rows(told.stdout)
    assert len(rows(shown)) > 20


def test_the_demo_shows_its_orders_by_final_state(told: subprocess.CompletedProcess[str]) -> None:
    shown = rows(told.stdout)
    for state in ("delivered", "in transit", "in fulfilment", "backordered", "on hold: unmapped", "cancelled"):
        _, _, expected, found, mark = shown[state]
        assert expected == found != "0"
        assert mark == "yes"
    shop, market, *_ = shown["all"]
    assert int(shop) > 0
    assert int(market) > 0
    assert int(shop) + int(market) >= 60


def test_nothing_is_done_twice_in_the_demo(told: subprocess.CompletedProcess[str]) -> None:
    for what in ("orders handed to the 3PL", "labels bought", "sales orders booked", "invoices booked", "parcels told"):
        row = next(line for line in told.stdout.splitlines() if what in line)
        expected, found, twice = re.findall(r"\d+", row.partition(what)[2])[-3:]
        assert expected == found
        assert twice == "0"


def test_an_order_that_is_not_where_it_belongs_fails_the_demo_by_name() -> None:
    broken = run("-c", SWAPPED)
    assert broken.returncode == 1, broken.stdout + broken.stderr
    assert "1 astray" in broken.stdout
    [words] = [line for line in broken.stdout.splitlines() if line.startswith("WRONG")]
    assert words.startswith("WRONG  #1001")
    assert "state: expected cancelled, found in_fulfilment" in words


class Refused:
    """A town whose shop sells on while the hub refuses its webhooks."""

    shop = SimpleNamespace(place_order=lambda lines: SimpleNamespace(name="#2001", lines=lines))
    threepl = SimpleNamespace(orders=[])

    def tell_all(self, deliveries: list[tuple[str, object]]) -> None:
        raise TownError(f"the hub answered [401] to {len(deliveries)} good webhooks")


def test_the_open_console_goes_on_when_a_webhook_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    one_more(Day(cast("Town", Refused()), Teller(terminal())))
    said = capsys.readouterr().out
    assert "#2001" in said
    assert "answered [401]" in said


def test_a_standing_follows_from_where_the_units_are() -> None:
    split = standing("in_transit", "EAST MUG 2, WEST PEN 1")
    assert (split.at_3pl, split.labels, split.told, split.invoices, split.sales_orders) == (1, 1, 2, 1, 1)
    assert split.told_units == {"MUG": 2, "PEN": 1}
    held = standing("on_hold: unmapped")
    assert (held.at_3pl, held.labels, held.told, held.invoices, held.sales_orders) == (0, 0, 0, 0, 0)


def test_differences_name_what_is_not_as_expected() -> None:
    wanted = standing("in_transit", "EAST MUG 2")
    assert list(wanted.differences(wanted)) == []
    twice = replace(wanted, at_3pl=2, told_units=units("MUG 4"))
    assert list(wanted.differences(twice)) == [
        "at 3pl: expected 1, found 2",
        "told units: expected 2 MUG, found 4 MUG",
    ]


def test_the_script_counts_by_channel() -> None:
    script = Script()
    script.expect("shop", "1", "#1", "", standing("delivered", "WEST PEN 1"))
    assert (script.count("shop"), script.count("market")) == (1, 0)
