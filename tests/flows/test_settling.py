"""An answer in hand is not thrown away: one that cannot be written down keeps no other from it."""

from __future__ import annotations

from hub.domain.shipping import Cancelled
from hub.store.database import Database
from tests.flows.scripted import Warehouse, warehouse
from tests.flows.wire import GONE, failing


def three_hand_overs(db: Database) -> Warehouse:
    house = warehouse(db)
    for _ in range(3):
        house.buy(("MUG", 1))
    return house


def test_a_transaction_that_the_database_gave_up_on_is_tried_again(db: Database) -> None:
    house = three_hand_overs(db)
    [first, *_] = house.rows("id")
    with failing(db, GONE, "settled_at=", first[0], times=2) as hit:
        house.deliver()
    assert len(hit) == 2
    assert house.rows("status") == [("delivered",)] * 3
    assert house.made() == ["submit"] * 3


def test_an_answer_that_cannot_be_written_down_leaves_its_row_unknown_and_the_others_as_they_are(db: Database) -> None:
    house = three_hand_overs(db)
    [first, *_] = house.rows("id")
    with failing(db, GONE, "settled_at=", first[0]):
        house.deliver()
    assert house.rows("status") == [("unknown",), ("delivered",), ("delivered",)]
    [(code, said), *_] = house.rows("error_code", "error")
    assert code == "not_settled"
    assert "server closed the connection" in said
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
