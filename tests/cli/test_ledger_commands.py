"""Stock as it is moved, kept, looked back at and audited from the command line."""

from __future__ import annotations

import csv
import json
from typing import Any

import pytest
from sqlalchemy import update

from hub.store.database import open_database
from hub.store.tables import stock_position
from tests.cli.conftest import Shell


@pytest.fixture
def stocked(shell: Shell) -> Shell:
    """Ten mugs in Berlin."""
    shell.run("migrate")
    shell.run("location", "add", "BER", "--country", "DE")
    (shell.folder / "opening.csv").write_text("sku,location,on_hand\nMUG,BER,10\n")
    shell.run("stock", "import", str(shell.folder / "opening.csv"), "--create", "--reason", "opening")
    return shell


def states(shell: Shell) -> dict[str, int]:
    rows = json.loads(shell.run("stock", "show", "MUG", "--json").stdout)["rows"]
    return {name: units for name, units in rows[0]["positions"][0].items() if isinstance(units, int) and units}


def test_units_are_moved_once_for_a_key_and_refused_where_they_cannot_go(stocked: Shell) -> None:
    for _ in range(2):
        stocked.run(
            "stock", "move", "MUG", "BER", "--from", "available", "--to", "damaged", "--units", "2",
            "--reason", "damaged", "--note", "dropped", "--key", "k1",
        )  # fmt: skip
    assert states(stocked) == {"on_hand": 10, "available": 8, "damaged": 2}
    moves = json.loads(stocked.run("stock", "show", "MUG", "--ledger", "--json").stdout)["rows"]
    assert moves[0]["reason"] == "damaged: dropped"
    refused = stocked.run(
        "stock",
        "move",
        "MUG",
        "BER",
        "--from",
        "damaged",
        "--to",
        "safety_stock",
        "--units",
        "1",
        "--reason",
        "x",
        code=1,
    )
    assert "from damaged they can go to: available, outside" in refused.output


def test_a_correction_is_booked_only_on_what_the_caller_saw(stocked: Shell) -> None:
    late = stocked.run("stock", "adjust", "MUG", "BER", "--to", "7", "--expected", "9", "--reason", "count", code=1)
    assert "There are 10 units on hand and 9 were expected" in late.output
    stocked.run("stock", "adjust", "MUG", "BER", "--to", "7", "--expected", "10", "--reason", "count")
    assert states(stocked) == {"on_hand": 7, "available": 7}


def test_units_are_kept_listed_and_let_go(stocked: Shell) -> None:
    made = json.loads(stocked.run("stock", "reserve", "MUG", "3", "--for", "Mia", "--at", "BER", "--json").stdout)[
        "rows"
    ]
    assert states(stocked) == {"on_hand": 10, "available": 7, "reserved": 3}
    listed = json.loads(stocked.run("stock", "reservations", "--json").stdout)["rows"]
    assert [(one["id"], one["units"], one["location"]) for one in listed] == [(made[0]["id"], 3, "BER")]
    stocked.run("stock", "release", made[0]["id"], "--reason", "not needed")
    assert states(stocked) == {"on_hand": 10, "available": 10}


def test_stock_is_shown_as_it_was(stocked: Shell) -> None:
    before = json.loads(stocked.run("stock", "show", "--ledger", "MUG", "--json").stdout)["rows"][0]["at"]
    stocked.run("stock", "adjust", "MUG", "BER", "--by", "-4", "--reason", "lost")

    def then(moment: str) -> list[Any]:
        rows = json.loads(stocked.run("stock", "show", "MUG", "--at", moment, "--json").stdout)["rows"]
        return [(one["location"], one["on_hand"]) for one in rows]

    assert then(before) == [("BER", 10)]
    assert then("2999-01-01T00:00Z") == [("BER", 6)]
    assert then("2020-01-01T00:00Z") == []


def test_an_import_writes_what_came_of_each_row(stocked: Shell) -> None:
    file, results = stocked.folder / "count.csv", stocked.folder / "results.csv"

    def rows_of(text: str) -> list[tuple[str, ...]]:
        file.write_text(f"sku;location;on_hand;expected\n{text}")
        stocked.run("stock", "import", str(file), "--results", str(results), code=1)
        with results.open() as source:
            return [(one["row"], one["status"], one["before"], one["after"]) for one in csv.DictReader(source)]

    assert rows_of("MUG;BER;12;10\n???;BER;1;\n") == [("1", "changed", "10", "12"), ("2", "error", "", "")]
    assert rows_of("MUG;BER;13;10\n") == [("1", "error", "12", "")], "somebody has booked since it was seen"
    assert rows_of("MUG;BER;13;\nMUG;BER;14;\n") == [("1", "error", "", ""), ("2", "error", "", "")]


def test_an_audit_says_what_was_written_past_the_ledger_and_mends_nothing(stocked: Shell) -> None:
    stocked.run("stock", "audit")
    db = open_database(stocked.database)
    with db.begin() as tx:
        tx.execute(update(stock_position).values(available=12, on_hand=12))
    db.dispose()
    for _ in range(2):
        said = stocked.run("stock", "audit", code=1).output
        assert "12 units are available and the ledger adds up to 10" in said
    doctor = json.loads(stocked.run("doctor", "--json", code=1).stdout)["rows"]
    assert next(one for one in doctor if one["check"] == "stock ledger")["verdict"] == "fail"
    wrong = [
        len(one["differences"]) for one in json.loads(stocked.run("stock", "audit", "--last", "--json").stdout)["rows"]
    ]
    assert wrong == [1, 1, 0]
