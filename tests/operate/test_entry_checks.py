"""Entry checks on their way through the hub: found in bulk, released by themselves, and sticky once dismissed."""

from __future__ import annotations

from dataclasses import replace as changed
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.domain.entry import BUILT_IN_CHECKS, EntryCheck, HoldReason
from hub.flows import operate
from hub.store.tables import connection, hold, orders
from tests.operate.conftest import PERSON, Desk

ADA = {"first_name": "Ada", "last_name": "Example", "email": "Ada@Example.com"}


def held(desk: Desk, order_id: str) -> list[str]:
    query = select(hold.c.kind).where(hold.c.order_id == order_id, hold.c.state == "active")
    return desk.ask(query.order_by(hold.c.id))


def hold_id(desk: Desk, order_id: str, kind: str) -> str:
    [found] = desk.ask(
        select(hold.c.id).where(hold.c.order_id == order_id, hold.c.kind == kind, hold.c.state == "active")
    )
    return str(found)


def place(desk: Desk, *lines: tuple[str, int], **more: Any) -> tuple[Any, str]:
    """An order of the shop, taken in; the shop's record and our id."""
    made = desk.shop.place_order(list(lines), **more)
    desk.send("orders/create", made)
    return made, desk.newest()


def choose(desk: Desk, **chosen: Any) -> None:
    with desk.world.db.begin() as tx:
        tx.execute(update(connection).where(connection.c.id == desk.shop_id).values(entry_checks=chosen))


def test_the_second_of_two_orders_of_one_basket_waits_and_is_never_deleted(desk: Desk) -> None:
    _, first = place(desk, ("MUG", 1), ("TEE", 1), customer=ADA)
    _, second = place(desk, ("TEE", 1), ("MUG", 1), customer={**ADA, "email": "ada@example.com"})
    _, other = place(desk, ("MUG", 2), customer=ADA)
    assert [held(desk, one) for one in (first, second, other)] == [[], ["twin"], []]
    [number] = desk.ask(select(orders.c.number).where(orders.c.id == first))
    assert number in desk.ask(select(hold.c.reason))[0]
    operate.release_hold(desk.runtime, second, hold_id(desk, second, "twin"), person=PERSON)
    assert desk.ask(select(orders.c.lifecycle).order_by(orders.c.id)) == ["open", "open", "open"]


def test_twins_in_one_batch_are_found_too(desk: Desk) -> None:
    for _ in range(2):
        made = desk.shop.place_order([("MUG", 1)], customer=ADA)
        assert desk.world.deliver(desk.shop_id, *desk.shop.webhook("orders/create", made)).status == 200
    desk.world.run()
    assert sorted(held(desk, one) for one in desk.ask(select(orders.c.id))) == [[], ["twin"]]


def test_a_cancelled_order_has_no_twins(desk: Desk) -> None:
    _, first = place(desk, ("MUG", 1), customer=ADA)
    operate.cancel_order(desk.runtime, first, "by mistake", person=PERSON)
    _, second = place(desk, ("MUG", 1), customer=ADA)
    assert held(desk, second) == []


def test_an_order_goes_on_when_its_twin_is_cancelled(desk: Desk) -> None:
    _, first = place(desk, ("MUG", 1), customer=ADA)
    _, second = place(desk, ("MUG", 1), customer=ADA)
    _, third = place(desk, ("MUG", 1), customer=ADA)
    desk.world.clock_strikes()
    assert [held(desk, one) for one in (second, third)] == [["twin"], ["twin", "twin"]]
    operate.cancel_order(desk.runtime, first, "pressed twice", person=PERSON)
    desk.world.clock_strikes()
    assert [held(desk, one) for one in (second, third)] == [[], ["twin"]]
    lifecycle = select(orders.c.lifecycle).order_by(orders.c.id)
    assert desk.ask(lifecycle) == ["cancelled", "open", "pending"]
    ended = [one for one in desk.said(second) if one[1] == "released"]
    desk.world.clock_strikes()
    assert [one for one in desk.said(second) if one[1] == "released"] == ended == [("clock", "released")]


def test_orders_without_an_address_to_write_to_are_no_twins(desk: Desk) -> None:
    _, first = place(desk, ("MUG", 1), customer=None)
    _, second = place(desk, ("MUG", 1), customer=None)
    assert [held(desk, one) for one in (first, second)] == [[], []]


def test_what_is_not_so_any_more_is_released_by_itself(desk: Desk) -> None:
    made, order_id = place(desk, ("MUG", 1), paid="PENDING")
    assert held(desk, order_id) == ["unpaid"]
    made.paid = "PAID"
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert held(desk, order_id) == []
    query = select(hold.c.state, hold.c.released_by)
    assert [tuple(row) for row in desk.world.read(lambda tx: tx.execute(query).all())] == [("released", "intake")]
    assert desk.ask(select(orders.c.lifecycle)) == ["open"]


def test_what_a_person_released_does_not_come_back_for_the_same_facts(desk: Desk) -> None:
    made, order_id = place(desk, ("MUG", 1), paid="PENDING")
    operate.release_hold(desk.runtime, order_id, hold_id(desk, order_id, "unpaid"), person=PERSON)
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring twice"))
    assert held(desk, order_id) == [], "the same fact"
    made.paid = "PARTIALLY_PAID"
    desk.send("orders/updated", desk.shop.edit_order(made.id, note="ring three times"))
    assert held(desk, order_id) == ["unpaid"], "another fact"


def test_a_connection_chooses_its_checks_and_their_limits(desk: Desk) -> None:
    choose(desk, unpaid={"on": False}, value={"limit": "25.00"})
    _, small = place(desk, ("MUG", 2), paid="PENDING")
    _, large = place(desk, ("MUG", 3))
    assert [held(desk, one) for one in (small, large)] == [[], ["value"]]


def _down(_order: Any, _facts: Any) -> list[HoldReason]:
    raise ConnectionError("the fraud service is away")


def _vip(order: Any, _facts: Any) -> list[HoldReason]:
    return [HoldReason("vip", "Write a card.", f"vip:{order.number}", "release")] if "VIP" in order.tags else []


@pytest.fixture
def with_theirs(desk: Desk) -> Desk:
    """A hub in which a company's own checks are installed."""
    theirs = {**BUILT_IN_CHECKS, "fraud": EntryCheck("Asks a service.", _down), "vip": EntryCheck("Cards.", _vip)}
    desk.world.runtime = changed(desk.world.runtime, entry_checks=theirs)
    return desk


def test_a_check_that_fails_parks_nothing_and_holds_with_its_words(with_theirs: Desk) -> None:
    made, order_id = place(with_theirs, ("MUG", 1))
    assert held(with_theirs, order_id) == ["check_failed"]
    assert "the fraud service is away" in with_theirs.ask(select(hold.c.reason))[0]
    assert "dead" not in with_theirs.world.inbox_outcomes()
    operate.release_hold(with_theirs.runtime, order_id, hold_id(with_theirs, order_id, "check_failed"), person=PERSON)
    with_theirs.send("orders/updated", with_theirs.shop.edit_order(made.id, note="ring twice"))
    assert held(with_theirs, order_id) == []


def test_a_check_of_ones_own_holds_what_it_names(with_theirs: Desk) -> None:
    choose(with_theirs, fraud={"on": False})
    _, order_id = place(with_theirs, ("MUG", 1), tags=["VIP"])
    assert held(with_theirs, order_id) == ["vip"]
    assert with_theirs.ask(select(hold.c.blocks)) == ["release"]
    assert with_theirs.ask(select(orders.c.lifecycle)) == ["open"], "it is routed, and not handed over"
