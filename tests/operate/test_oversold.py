"""Units that are gone though they were promised: who is at risk, and what a person can do in one step."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.flows import operate
from hub.flows.operate import ImportRow, NotDoneError, availability
from hub.flows.operate.oversold import reroute
from hub.store.tables import fulfillment_order, location
from hub.store.views import oversold, problems
from tests.operate.conftest import PERSON, Desk


def count(desk: Desk, sku: str, place: str, units: int) -> None:
    operate.adjust_stock(desk.runtime, sku, place, set_to=units, reason="count", person=PERSON)
    desk.world.run()


def short(desk: Desk) -> list[oversold.Oversold]:
    return desk.world.read(oversold.find)


def test_the_newest_orders_are_at_risk_and_go_where_units_are(desk: Desk) -> None:
    first, second, third = (desk.buy(("TEE", units)) for units in (2, 2, 1))
    waits = desk.buy(("TEE", 3))
    count(desk, "TEE", "WEST", 3)
    (found,) = short(desk)
    assert (found.sku, found.location, found.missing) == ("TEE", "WEST", 2)
    assert [one.order_id for one in found.orders] == [third, second], "newest first, as many as cover two units"
    assert [one.order_id for one in found.waiting] == [waits]
    (problem,) = (
        one for one in desk.world.read(lambda tx: problems.find(tx, desk.world.now())) if one.kind == "oversold"
    )
    assert (problem.title, problem.order_ids) == ("TEE is oversold at WEST", (third, second, waits))
    with pytest.raises(NotDoneError, match="no other place"):
        reroute(desk.runtime, found.position_id, person=PERSON)

    operate.import_stock(desk.runtime, [ImportRow(1, "TEE", "EAST", 3)], person=PERSON, reason="count")
    assert [one.repair.words for one in short(desk)[0].orders if one.repair] == [
        "leave it: the other repairs free its units",
        "send it from EAST",
    ]
    done = reroute(desk.runtime, found.position_id, person=PERSON)
    desk.world.run()
    assert (len(done.moved), done.asked, done.gone) == (1, (), ())
    assert short(desk) == []
    live = select(fulfillment_order.c.order_id).where(fulfillment_order.c.exec_status.in_(("open", "in_progress")))
    places = live.join(location, location.c.id == fulfillment_order.c.location_id)
    assert second in desk.ask(places.where(location.c.code == "EAST"))
    assert {first, third} <= set(desk.ask(places.where(location.c.code == "WEST")))
    with pytest.raises(NotDoneError, match="nothing is oversold"):
        reroute(desk.runtime, found.position_id, person=PERSON)


def test_what_is_kept_for_people_is_named_beside_the_orders(desk: Desk) -> None:
    line = operate.ReserveLine("TEE", 4, "WEST")
    [kept] = operate.reserve(desk.runtime, [line], ("person", "the studio"), person=PERSON)
    count(desk, "TEE", "WEST", 2)
    (found,) = short(desk)
    assert (found.missing, found.orders) == (2, ())
    assert [(one.whom, one.units, one.id) for one in found.kept] == [("the studio", 4, kept.id)]
    operate.release_reservations(desk.runtime, [kept.id], person=PERSON)
    assert short(desk) == []


def test_more_promised_than_may_wait_is_a_problem_with_the_newest_orders(desk: Desk) -> None:
    availability.set_article(desk.runtime, "TEE", person=PERSON, backorder_limit=2)
    first = desk.buy(("TEE", 7))  # five are there, two wait
    assert backlog(desk) == []
    second, third = desk.buy(("TEE", 1)), desk.buy(("TEE", 2))
    (found,) = backlog(desk)
    assert (found.title, found.error) == ("More of TEE is promised than may wait", "5 units are promised, and 2 may be")
    assert found.order_ids == (third, second)
    availability.set_article(desk.runtime, "TEE", person=PERSON, backorder_limit=5)
    assert backlog(desk) == []
    availability.set_article(desk.runtime, "TEE", person=PERSON, backorder_limit=0)
    assert backlog(desk)[0].order_ids == (third, second, first)
    count(desk, "TEE", "WEST", 10)
    assert backlog(desk) == []


def backlog(desk: Desk) -> list[problems.Problem]:
    found = desk.world.read(lambda tx: problems.find(tx, desk.world.now()))
    return [one for one in found if one.kind == "backlog"]


def test_what_was_handed_over_is_asked_back_first(desk: Desk) -> None:
    operate.import_stock(
        desk.runtime, [ImportRow(1, "NEW", "EAST", 1)], person=PERSON, reason="count", create_articles=True
    )
    desk.buy(("NEW", 1))
    desk.world.run()
    operate.import_stock(
        desk.runtime, [ImportRow(1, "NEW", "EAST", 0), ImportRow(2, "NEW", "WEST", 4)], person=PERSON, reason="count"
    )
    (found,) = short(desk)
    done = reroute(desk.runtime, found.position_id, person=PERSON)
    assert (done.moved, len(done.asked)) == ((), 1)
    again = reroute(desk.runtime, found.position_id, person=PERSON) if short(desk) else None
    assert again is None or len(again.gone) == 1, "it is asked back once"
    desk.world.run()
    assert short(desk) == []
