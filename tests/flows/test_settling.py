"""An answer in hand is not thrown away: one that cannot be written down keeps no other from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from hub.domain.shipping import Cancelled
from hub.store.database import Database
from hub.store.errors import OperationalError
from tests.flows.scripted import Warehouse, warehouse


def three_hand_overs(db: Database) -> Warehouse:
    house = warehouse(db)
    for _ in range(3):
        house.buy(("MUG", 1))
    return house


@contextmanager
def broken_wire(db: Database, times: int, named: str) -> Iterator[list[str]]:
    """So many times the database gives up on a transaction that ends the delivery with this id."""
    hit: list[str] = []

    def break_off(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        said = str(parameters)
        if statement.startswith("UPDATE outbox") and "delivered" in said and named in said and len(hit) < times:
            hit.append(named)
            raise OperationalError(statement, {}, Exception("deadlock detected"))

    event.listen(db.writer, "before_cursor_execute", break_off)
    yield hit
    event.remove(db.writer, "before_cursor_execute", break_off)


def test_a_transaction_that_the_database_gave_up_on_is_tried_again(db: Database) -> None:
    house = three_hand_overs(db)
    [first, *_] = house.rows("id")
    with broken_wire(db, 2, first[0]) as hit:
        house.deliver()
    assert len(hit) == 2
    assert house.rows("status") == [("delivered",)] * 3
    assert house.made() == ["submit"] * 3


def test_an_answer_that_cannot_be_written_down_leaves_its_row_unknown_and_the_others_as_they_are(db: Database) -> None:
    house = three_hand_overs(db)
    [first, *_] = house.rows("id")
    with broken_wire(db, 99, first[0]):
        house.deliver()
    assert house.rows("status") == [("unknown",), ("delivered",), ("delivered",)]
    [(code, said), *_] = house.rows("error_code", "error")
    assert code == "not_settled"
    assert "deadlock detected" in said
    assert "R-FO-" in said, "so that a person can say under which id it happened"

    house.world.later(minutes=6)
    house.deliver()
    assert house.rows("status") == [("delivered",)] * 3
    assert house.made().count("submit") == 3


def test_an_answer_that_makes_no_sense_is_looked_up(db: Database) -> None:
    house = three_hand_overs(db)
    house.plugin.says["submit"] = [Cancelled(accepted=True)]
    house.deliver()
    assert sorted(house.rows("status")) == [("delivered",), ("delivered",), ("unknown",)]
    house.world.later(minutes=6)
    house.deliver()
    assert house.rows("status") == [("delivered",)] * 3
    assert house.made().count("submit") == 3
