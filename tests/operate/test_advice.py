"""Rules that leave the decision to an address outside: asked after the transaction, held to what is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from hub.domain.routing.rules import Routing, RuleSet
from hub.domain.routing.shapes import Step
from hub.flows import operate
from hub.flows.replay import replay
from hub.flows.strategies import Adviser, adviser
from hub.sdk.network import networks, session
from hub.store import routing
from hub.store.tables import fulfillment_order, location, orders
from tests.flows.outside import Outside, outside_open
from tests.operate.conftest import PERSON, Desk
from tests.sdk.chaos import Bucket

OUTSIDE = RuleSet("outside", (Routing("every order", (Step(rankers=("ranked",)),), strategy="http"),))


@pytest.fixture
def outside() -> Iterator[Outside]:
    with outside_open() as server:
        server.parts = all_from("WEST")
        yield server


def all_from(code: str) -> Any:
    """An answer that ships every line from one location."""

    def parts(asked: dict[str, Any]) -> list[dict[str, Any]]:
        place = next(one["id"] for one in asked["locations"] if one["code"] == code)
        return [{"location": place, "units": {one["id"]: one["units"] for one in asked["lines"]}}]

    return parts


def ask(desk: Desk, outside: Outside | None) -> None:
    """Publish rules that leave decisions to the address."""
    at = None if outside is None else address(outside)
    desk.world.runtime = replace(desk.world.runtime, adviser=at)
    row = operate.save_draft(desk.runtime, OUTSIDE, person=PERSON)
    operate.start_rehearsal(desk.runtime, row.key, person=PERSON)
    desk.world.run()
    operate.publish_rules(desk.runtime, row.key, person=PERSON)


def address(outside: Outside) -> Adviser:
    return adviser(outside.url, session(networks(["127.0.0.0/8"])), Bucket(), time_limit_s=1.0)


def stock_at_both(desk: Desk) -> None:
    rows = [operate.ImportRow(1, "MUG", "EAST", 10), operate.ImportRow(2, "MUG", "WEST", 10)]
    operate.import_stock(desk.runtime, rows, person=PERSON, reason="count")
    desk.world.run()


def shipped_from(desk: Desk, order_id: str) -> list[str]:
    query = (
        select(location.c.code)
        .join(fulfillment_order, fulfillment_order.c.location_id == location.c.id)
        .where(fulfillment_order.c.order_id == order_id, fulfillment_order.c.exec_status != "cancelled")
    )
    return desk.ask(query)


def decided_by(desk: Desk, order_id: str) -> str:
    return desk.world.read(lambda tx: routing.decision(tx, order_id)).strategy


def test_an_order_goes_where_the_address_outside_says(desk: Desk, outside: Outside) -> None:
    stock_at_both(desk)
    ask(desk, outside)
    order_id = desk.buy(("MUG", 2))
    assert shipped_from(desk, order_id) == ["WEST"], "by rank it would be EAST"
    assert decided_by(desk, order_id) == "http@2"
    assert desk.ask(select(orders.c.asks_adviser)) == [None]
    assert len(outside.asked) == 1


def test_the_decision_is_made_again_from_the_answer_that_was_kept(desk: Desk, outside: Outside) -> None:
    stock_at_both(desk)
    ask(desk, outside)
    order_id = desk.buy(("MUG", 2))
    stored = desk.world.read(lambda tx: routing.decision(tx, order_id))
    again = replay(stored, desk.runtime.rankers, desk.runtime.strategies)
    assert again is not None
    assert again.same
    assert len(outside.asked) == 1, "nobody is asked for a replay"


def test_an_address_that_fails_leaves_the_order_to_the_ranks(desk: Desk, outside: Outside) -> None:
    stock_at_both(desk)
    outside.status = 500
    ask(desk, outside)
    order_id = desk.buy(("MUG", 2))
    assert shipped_from(desk, order_id) == ["EAST"]
    assert decided_by(desk, order_id) == "ranked@4"


def test_without_an_address_orders_go_by_rank_and_the_trace_says_why(desk: Desk) -> None:
    stock_at_both(desk)
    ask(desk, None)
    order_id = desk.buy(("MUG", 2))
    stored = desk.world.read(lambda tx: routing.decision(tx, order_id))
    assert shipped_from(desk, order_id) == ["EAST"]
    assert "ORDERHUB_ROUTING_URL" in stored.trace["steps"][0]["tried"][0]["why_not"]


def test_an_answer_is_held_to_what_is_there_when_it_arrives(desk: Desk, outside: Outside) -> None:
    stock_at_both(desk)
    ask(desk, outside)
    west = all_from("WEST")

    def gone_meanwhile(asked: dict[str, Any]) -> list[dict[str, Any]]:
        operate.adjust_stock(desk.runtime, "MUG", "WEST", person=PERSON, reason="broken", set_to=0)
        return west(asked)

    outside.parts = gone_meanwhile
    order_id = desk.buy(("MUG", 2))
    assert shipped_from(desk, order_id) == ["EAST"], "what WEST no longer has is not promised"


def test_an_answer_still_holds_when_other_stock_has_moved_meanwhile(desk: Desk, outside: Outside) -> None:
    stock_at_both(desk)
    ask(desk, outside)
    west = all_from("WEST")

    def sold_meanwhile(asked: dict[str, Any]) -> list[dict[str, Any]]:
        operate.adjust_stock(desk.runtime, "MUG", "WEST", person=PERSON, reason="counter", change=-1)
        return west(asked)

    outside.parts = sold_meanwhile
    assert shipped_from(desk, desk.buy(("MUG", 2))) == ["WEST"]


def test_what_a_place_refuses_is_asked_for_again(desk: Desk, outside: Outside) -> None:
    stock_at_both(desk)
    ask(desk, outside)
    order_id = desk.buy(("MUG", 2))
    [fo_id] = desk.ask(select(fulfillment_order.c.id).where(fulfillment_order.c.order_id == order_id))
    [number] = desk.ask(select(fulfillment_order.c.number).where(fulfillment_order.c.order_id == order_id))
    outside.parts = all_from("EAST")
    operate.refuse_by_hand(desk.runtime, order_id, number, "it is broken", person=PERSON, code="damaged")
    desk.world.run()
    assert shipped_from(desk, order_id) == ["EAST"]
    [parent] = desk.ask(select(fulfillment_order.c.parent_id).where(fulfillment_order.c.exec_status != "cancelled"))
    assert parent == fo_id
    assert len(outside.asked) == 2
