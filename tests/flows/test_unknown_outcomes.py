"""A call without a clear answer: what is not known stays so until it is found or surely not there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from hub.sdk import errors
from hub.store import connections
from hub.store.connections import BREAKER_OPENS_AFTER
from hub.store.database import Database
from tests.flows.scripted import NOTHING, Warehouse, warehouse

LOST = errors.OutcomeUnknown("the connection broke")
NO_ANSWER = [
    errors.RateLimited("too many calls", 40.0),
    errors.AuthRejected("the token is refused"),
    errors.MissingPermission("may not read orders", "orders:read"),
    errors.ConfigInvalid("no such warehouse", "warehouse"),
    errors.Conflict("somebody else is at it"),
    errors.Rejected("this filter is not allowed"),
    errors.NotFound("no such page"),
    errors.Transient("out of order"),
    errors.AlreadyDone("done before"),
    errors.OutcomeUnknown("the connection broke again"),
    errors.SchemaDrift("a list was expected"),
    KeyError("data"),
]
STOPS = {
    errors.AuthRejected: "needs_sign_in",
    errors.MissingPermission: "misconfigured",
    errors.ConfigInvalid: "misconfigured",
}


def lost_hand_over(db: Database, how: str = "lookup") -> Warehouse:
    """An order that the house has taken, without the hub having heard so; its look-up is due."""
    house = warehouse(db, {"submit": how})
    house.plugin.says["submit"] = [LOST]
    house.buy(("MUG", 1))
    house.deliver()
    assert house.rows("status") == [("unknown",)]
    house.world.later(seconds=20)
    return house


@pytest.mark.parametrize("how", ["lookup", "native"])
def test_a_look_up_without_an_answer_leaves_the_outcome_unknown(db: Database, how: str) -> None:
    house = lost_hand_over(db, how)
    for error in NO_ANSWER:
        house.plugin.says["find" if how == "lookup" else "submit"] = [error]
        house.deliver()
        assert house.rows("status") == [("unknown",)], error
        assert house.connection.status == STOPS.get(type(error), "active")
        with house.world.db.begin() as tx:
            connections.set_status(tx, house.id, "active")  # somebody has signed in again
        house.world.later(minutes=6)
    house.deliver()
    assert house.rows("status", "external_id") == [("delivered", f"R-{house.plugin.asked[0][1]}")]
    assert len(house.plugin.took) == 1


def test_a_throttled_look_up_waits_as_long_as_the_vendor_asks(db: Database) -> None:
    house = lost_hand_over(db)
    house.plugin.says["find"] = [errors.RateLimited("too many calls", 40.0)]
    began = house.world.now()
    house.deliver()
    [(next_at,)] = house.rows("next_at")
    assert timedelta(seconds=40) <= next_at - began <= timedelta(seconds=60)
    assert house.rows("attempts") == [(1,)]
    assert house.connection.failures == 1, "of the lost call alone"


def test_what_the_vendor_lists_late_is_found_and_not_sent_twice(db: Database) -> None:
    house = lost_hand_over(db)
    house.plugin.says["find"] = [NOTHING]
    house.deliver()
    assert house.rows("status", "error_code") == [("unknown", "not_there")]
    house.deliver()
    assert house.made() == ["submit", "find"], "the second look comes later"
    house.world.later(minutes=2)
    house.deliver()
    assert house.rows("status") == [("delivered",)]
    assert house.made() == ["submit", "find", "find"]


def test_what_is_twice_not_there_is_sent_again(db: Database) -> None:
    house = lost_hand_over(db)
    house.plugin.took.clear()  # it never arrived
    house.deliver()
    house.world.later(minutes=2)
    house.deliver()
    assert house.rows("status", "attempts") == [("delivered", 2)]
    assert house.made() == ["submit", "find", "find", "submit"]


def test_a_look_that_failed_between_two_is_none_of_them(db: Database) -> None:
    house = lost_hand_over(db)
    house.plugin.says["find"] = [NOTHING, errors.Transient("out of order"), NOTHING]
    for _ in range(3):
        house.deliver()
        house.world.later(minutes=6)
    assert house.rows("status") == [("unknown",)]
    house.deliver()
    assert house.rows("status") == [("delivered",)]
    assert house.made().count("submit") == 1


def test_look_ups_come_before_new_calls(db: Database) -> None:
    house = lost_hand_over(db)
    house.buy(("MUG", 1))
    house.deliver()
    assert house.made() == ["submit", "find", "submit"]


def test_what_nobody_can_look_up_waits_for_a_person_and_opens_no_breaker(db: Database) -> None:
    house = lost_hand_over(db, "none")
    for _ in range(BREAKER_OPENS_AFTER + 2):
        house.world.later(minutes=61)
        house.deliver()
    assert house.rows("status") == [("unknown",)]
    assert (house.connection.failures, house.connection.open_until) == (1, None)
    assert house.made() == ["submit"]


def test_look_ups_that_fail_open_the_breaker(db: Database) -> None:
    house = lost_hand_over(db)
    house.plugin.says["find"] = [errors.Transient("out of order")] * BREAKER_OPENS_AFTER
    for _ in range(BREAKER_OPENS_AFTER):
        house.world.later(minutes=6)
        house.deliver()
    assert house.connection.open_until is not None
