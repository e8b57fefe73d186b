"""Why a place refuses, and what follows for its stock: five on hand, one promised to this order, four free."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from hub.domain.documents import FulfillmentLine
from hub.domain.rejections import REASONS, reason_for
from hub.domain.routing.shapes import Step
from hub.flows import operate
from hub.flows import refuse as refuse_flow
from hub.flows.desk import open_desk
from hub.flows.handover import count_answer
from hub.flows.operate import HoldOn, NotDoneError
from hub.store import orders
from hub.store.tables import acceptance, hold, location_exclusion, reservation, route_exclusion
from hub.store.views import problems
from tests.fulfillment.conftest import PERSON, Town
from tests.fulfillment.test_routing_life import publish, rules, said


@pytest.fixture
def order_id(town: Town) -> str:
    """An order that A-STORE is to ship; B-STORE has some too."""
    town.world.stock("""
        location MUG
        A-STORE    5
        B-STORE    5 """)
    made = town.order({"MUG": 1})
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 4, "committed": 1}
    return made


def refuse(town: Town, order_id: str, code: str, words: str = "") -> None:
    assert operate.refuse_by_hand(town.runtime, order_id, town.number(order_id), words, person=PERSON, code=code)
    town.world.run()


def goes_to_the_other_store(town: Town, order_id: str) -> None:
    assert town.fos(order_id) == [("A-STORE", "cancelled", "rejected"), ("B-STORE", "open", "unsubmitted")]
    first, second = town.state(order_id).fos
    assert first.reason_code in REASONS
    assert town.units("B-STORE", "MUG") == {"on_hand": 5, "available": 4, "committed": 1}
    assert [line.routed for line in town.state(order_id).lines] == [1]
    assert second.live_units == 1


def test_what_is_not_in_stock_is_written_off_to_nothing(town: Town, order_id: str) -> None:
    refuse(town, order_id, "not_in_stock")
    assert town.units("A-STORE", "MUG") == {}
    goes_to_the_other_store(town, order_id)


def test_other_orders_that_wait_for_what_is_not_there_are_flagged(town: Town, order_id: str) -> None:
    other = town.order({"MUG": 1})
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 3, "committed": 2}
    refuse(town, order_id, "not_in_stock")
    assert town.units("A-STORE", "MUG") == {"on_hand": 1, "committed": 1}
    assert town.holds(other) == ["at_risk"]
    assert town.holds(order_id) == []


def test_what_was_at_risk_at_one_place_leaves_from_the_next(town: Town, order_id: str) -> None:
    other = town.order({"MUG": 1})
    refuse(town, order_id, "not_in_stock")
    refuse(town, other, "not_in_stock")
    goes_to = ("B-STORE", "open", "unsubmitted")
    assert (town.fos(other)[-1], town.holds(other)) == (goes_to, [])
    assert operate.ship_by_hand(town.runtime, other, town.number(other), person=PERSON)


def test_a_mismatch_loses_the_units_that_were_asked_for(town: Town, order_id: str) -> None:
    refuse(town, order_id, "mismatch")
    assert town.units("A-STORE", "MUG") == {"on_hand": 4, "available": 4}
    goes_to_the_other_store(town, order_id)


def test_damaged_units_stay_on_hand_as_damaged(town: Town, order_id: str) -> None:
    refuse(town, order_id, "damaged")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 4, "damaged": 1}
    goes_to_the_other_store(town, order_id)


def test_worn_units_stay_reserved_for_display(town: Town, order_id: str) -> None:
    refuse(town, order_id, "worn_display")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 4, "reserved": 1}
    kept = select(reservation.c.owner_id).where(reservation.c.state == "active", reservation.c.owner_type == "person")
    assert town.ask(kept) == ["display"]
    goes_to_the_other_store(town, order_id)


@pytest.mark.parametrize("code", ["no_capacity", "closed"])
def test_a_place_that_has_too_much_to_do_or_is_closed_gets_nothing_new_for_a_while(
    town: Town, order_id: str, code: str
) -> None:
    refuse(town, order_id, code)
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    goes_to_the_other_store(town, order_id)
    assert town.fos(town.order({"MUG": 1})) == [("B-STORE", "open", "unsubmitted")]
    assert town.place("A-STORE").outage_until - town.world.now() > timedelta(hours=3)
    town.world.later(hours=5)
    assert town.fos(town.order({"MUG": 1})) == [("A-STORE", "open", "unsubmitted")]


def test_a_place_that_cools_down_may_be_asked_for_the_same_order_later(town: Town, order_id: str) -> None:
    refuse(town, order_id, "no_capacity")
    assert [until is not None for until in town.ask(select(route_exclusion.c.until))] == [True]
    town.world.later(hours=5)
    refuse(town, order_id, "other")
    assert town.fos(order_id)[-1] == ("A-STORE", "open", "unsubmitted")


def test_a_destination_that_cannot_be_delivered_to_is_learned(town: Town, order_id: str) -> None:
    refuse(town, order_id, "undeliverable_destination")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    goes_to_the_other_store(town, order_id)
    assert town.ask(select(location_exclusion.c.postal_prefix)) == ["10005"]
    assert town.fos(town.order({"MUG": 1}))[0][0] == "B-STORE"
    elsewhere = {"line1": "2 Main Street", "city": "Boston", "postal_code": "02108", "country": "US"}
    assert town.fos(town.order({"MUG": 1}, shipping_address=elsewhere))[0][0] == "A-STORE"


def test_a_wrong_address_holds_the_order_and_asks_no_other_place(town: Town, order_id: str) -> None:
    refuse(town, order_id, "incorrect_address", "no such house number")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert town.fos(order_id) == [("A-STORE", "cancelled", "rejected")]
    assert town.holds(order_id) == ["address"]
    [held] = town.state(order_id).holds
    operate.release_hold(town.runtime, order_id, held.id, person=PERSON)
    assert town.fos(order_id)[-1] == ("A-STORE", "open", "unsubmitted")


def test_a_wrong_address_stops_the_other_parcels_to_it_as_well(town: Town) -> None:
    town.world.stock("location MUG TEE\nA-STORE 5 0\nB-STORE 0 5")
    order_id = town.order({"MUG": 1, "TEE": 1})
    first, other = (fo.number for fo in town.state(order_id).fos)
    operate.refuse_by_hand(town.runtime, order_id, first, "no such street", person=PERSON, code="incorrect_address")
    assert town.holds(order_id) == ["address"]
    for begins in (operate.ship_by_hand, operate.accept_by_hand):
        with pytest.raises(NotDoneError, match=r"hold \(address\)"):
            begins(town.runtime, order_id, other, person=PERSON)
    town.world.stock("location MUG\nB-STORE 5")
    town.world.run()
    assert len(town.fos(order_id)) == 2, "nor is it routed while it waits"
    [held] = town.state(order_id).holds
    operate.release_hold(town.runtime, order_id, held.id, person=PERSON)
    assert operate.ship_by_hand(town.runtime, order_id, other, person=PERSON)
    assert len(town.fos(order_id)) == 3


def test_a_refusal_without_a_reason_that_anybody_knows_gives_the_units_back(town: Town, order_id: str) -> None:
    refuse(town, order_id, "other", "we do not feel like it")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    goes_to_the_other_store(town, order_id)


def test_a_reason_that_is_not_on_the_list_is_refused_with_the_list(town: Town, order_id: str) -> None:
    with pytest.raises(NotDoneError, match="not_in_stock, mismatch, damaged"):
        operate.refuse_by_hand(town.runtime, order_id, town.number(order_id), "", person=PERSON, code="boredom")


def test_a_place_that_refuses_is_less_likely_to_be_believed(town: Town, order_id: str) -> None:
    refuse(town, order_id, "other")
    rows = town.ask(select(acceptance.c.refused).where(acceptance.c.location_id == town.place("A-STORE").id))
    assert rows == [1.0]


def test_refusals_are_counted_by_line(town: Town) -> None:
    skus = ["S1", "S2", "S3", "S4", "S5", "S6"]
    table = [f"location {' '.join(skus)}"]
    for place, code in enumerate("CDEFGH"):
        town.world.location(f"{code}-STORE")
        table.append(f"{code}-STORE {' '.join('1' if place == sku else '0' for sku in range(6))}")
    town.world.stock("\n".join(table))
    publish(town, rules(Step(max_shipments=6)))
    order_id = town.order(dict.fromkeys(skus, 1))
    town.world.stock(f"location {' '.join(skus)}\nWAREHOUSE {' '.join('9' for _ in skus)}")
    for fo in town.state(order_id).fos:
        operate.refuse_by_hand(town.runtime, order_id, fo.number, "no", person=PERSON)
    assert town.holds(order_id) == []
    assert [line.routed for line in town.state(order_id).lines] == [1] * 6


def test_a_line_that_nobody_takes_is_held_and_the_others_go_on(town: Town) -> None:
    publish(town, rules(most_attempts=1))
    town.world.stock("location MUG TEE\nA-STORE 5 0\nB-STORE 0 5\nWAREHOUSE 5 5")
    order_id = town.order({"MUG": 1, "TEE": 1})
    assert town.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]
    mug, tee = town.state(order_id).lines
    operate.hold_order(town.runtime, order_id, "ask", person=PERSON, on=HoldOn(line="TEE"))
    refuse(town, order_id, "other")
    assert town.holds(order_id) == ["manual", "routing_exhausted"]
    assert [held.target_id for held in town.state(order_id).holds] == [tee.id, mug.id]
    assert [line.waits_as for line in town.state(order_id).lines] == [None, None], (
        "it waits for a person, not for goods"
    )
    for held in town.state(order_id).holds:
        operate.release_hold(town.runtime, order_id, held.id, person=PERSON)
    assert [fo[:2] for fo in town.fos(order_id)[1:]] == [("B-STORE", "open"), ("A-STORE", "open")]


# Several articles, and some units of one: five of each on hand, three mugs and two tees promised to this order.


@pytest.fixture
def both(town: Town) -> str:
    """An order of three mugs and two tees that A-STORE is to ship; B-STORE has mugs only."""
    town.world.stock("""
        location MUG TEE
        A-STORE    5   5
        B-STORE    5   0 """)
    made = town.order({"MUG": 3, "TEE": 2})
    assert town.fos(made) == [("A-STORE", "open", "unsubmitted")]
    return made


def refuse_some(town: Town, order_id: str, code: str, units: dict[str, int]) -> None:
    number = town.number(order_id)
    assert operate.refuse_by_hand(town.runtime, order_id, number, "", person=PERSON, code=code, units=units)
    town.world.run()


def promised(town: Town, order_id: str) -> dict[str, dict[str, int]]:
    """Units that places are to ship of the order, by place and article."""
    codes = {town.place(code).id: code for code in ("A-STORE", "B-STORE")}
    return {
        codes[fo.location_id]: {row.sku: row.live for row in fo.lines}
        for fo in town.state(order_id).fos
        if fo.live_units
    }


@pytest.mark.parametrize(
    ("code", "mugs"),
    [
        ("not_in_stock", {}),
        ("mismatch", {"on_hand": 2, "available": 2}),
        ("damaged", {"on_hand": 5, "available": 2, "damaged": 3}),
        ("worn_display", {"on_hand": 5, "available": 2, "reserved": 3}),
    ],
)
def test_only_the_article_that_is_named_is_booked_and_goes_elsewhere(
    town: Town, both: str, code: str, mugs: dict[str, int]
) -> None:
    refuse_some(town, both, code, {"MUG": 3})
    assert town.units("A-STORE", "MUG") == mugs
    assert town.units("A-STORE", "TEE") == {"on_hand": 5, "available": 3, "committed": 2}
    assert promised(town, both) == {"B-STORE": {"MUG": 3}, "A-STORE": {"TEE": 2}}
    assert [line.routed for line in town.state(both).lines] == [3, 2]


@pytest.mark.parametrize(
    ("code", "mugs"),
    [
        ("not_in_stock", {"on_hand": 2, "committed": 2}),
        ("mismatch", {"on_hand": 4, "available": 1, "committed": 3}),
        ("damaged", {"on_hand": 5, "available": 1, "damaged": 1, "committed": 3}),
        ("worn_display", {"on_hand": 5, "available": 1, "reserved": 1, "committed": 3}),
    ],
)
def test_of_one_article_only_the_units_that_are_named_are_booked(
    town: Town, both: str, code: str, mugs: dict[str, int]
) -> None:
    operate.adjust_stock(town.runtime, "MUG", "B-STORE", set_to=1, reason="count", person=PERSON)
    refuse_some(town, both, code, {"MUG": 1})
    assert town.units("A-STORE", "MUG") == mugs, "it has the others, and may be asked for them again"
    assert town.units("A-STORE", "TEE") == {"on_hand": 5, "available": 3, "committed": 2}
    assert [line.routed for line in town.state(both).lines] == [3, 2]


def test_a_reason_without_an_effect_may_be_said_of_one_article_too(town: Town, both: str) -> None:
    refuse_some(town, both, "other", {"MUG": 3})
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert promised(town, both) == {"B-STORE": {"MUG": 3}, "A-STORE": {"TEE": 2}}
    assert town.said("refused")[0].endswith("Another reason (3 x MUG).")


@pytest.mark.parametrize("code", [one.code for one in REASONS.values() if one.is_of_articles])
def test_by_hand_the_article_has_to_be_named_where_there_are_several(town: Town, both: str, code: str) -> None:
    with pytest.raises(NotDoneError, match="say of which of MUG, TEE, and of how many units"):
        operate.refuse_by_hand(town.runtime, both, town.number(both), "the mug", person=PERSON, code=code)
    assert town.fos(both) == [("A-STORE", "open", "unsubmitted")]


def test_what_is_not_on_the_fulfillment_order_cannot_be_refused(town: Town, both: str) -> None:
    for units, words in (({"CAP": 1}, "none of CAP"), ({"MUG": 4}, "3 units of MUG, and 4"), ({"TEE": 0}, "and 0")):
        with pytest.raises(NotDoneError, match=words):
            refuse_some(town, both, "damaged", units)


def test_a_fulfiller_that_names_no_article_has_nothing_written_off_and_somebody_looks(town: Town, both: str) -> None:
    first = town.number(both)
    assert said(town, both, "rejected", "Out of stock") == "applied"
    town.world.run()
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    assert town.units("A-STORE", "TEE") == {"on_hand": 5, "available": 5}
    assert town.holds(both) == ["stock_to_check"]
    assert "out what is there of MUG, TEE" in town.said("held")[0]
    assert promised(town, both) == {"B-STORE": {"MUG": 3}}, "neither article is asked for again there"
    assert operate.ship_by_hand(town.runtime, both, town.number(both), person=PERSON), "the order goes on meanwhile"
    [problem] = town.world.read(lambda tx: problems.find(tx, town.world.now(), move="yours"))
    assert (problem.what, problem.title) == (
        "stock_to_check",
        "Web shop: a location refused without naming the article",
    )
    assert first in problem.error


def test_a_fulfiller_may_name_the_lines_it_will_not_ship(town: Town, both: str) -> None:
    mug = town.fo(both).lines[0]
    lines = (
        FulfillmentLine(3, reference=mug.id, sku="THEIR-MUG", cancelled=3),
        FulfillmentLine(2, sku="TEE", cancelled=0),
    )
    assert said(town, both, "rejected", reason_code="not_in_stock", lines=lines) == "applied"
    town.world.run()
    assert town.units("A-STORE", "MUG") == {}
    assert town.units("A-STORE", "TEE") == {"on_hand": 5, "available": 3, "committed": 2}
    assert town.holds(both) == []


def test_a_fulfiller_that_will_ship_nothing_has_named_no_article(town: Town, both: str) -> None:
    lines = (FulfillmentLine(3, sku="MUG", cancelled=3), FulfillmentLine(2, sku="TEE", cancelled=2))
    assert said(town, both, "rejected", reason_code="not_in_stock", lines=lines) == "applied"
    assert town.units("A-STORE", "TEE") == {"on_hand": 5, "available": 5}
    assert town.holds(both) == ["stock_to_check"]


def test_what_was_not_refused_is_not_counted_as_refused(town: Town, both: str) -> None:
    publish(town, rules(most_attempts=1))
    refuse_some(town, both, "damaged", {"MUG": 3})
    mug, _ = town.state(both).lines
    assert [held.target_id for held in town.state(both).holds] == [mug.id]
    assert promised(town, both) == {"A-STORE": {"TEE": 2}}


def test_too_many_refusals_put_the_order_on_hold(town: Town) -> None:
    for code in "CDEFGH":
        town.world.location(f"{code}-STORE")
    town.world.stock("location MUG\n" + "\n".join(f"{code}-STORE 1" for code in "CDEFGH"))
    order_id = town.order({"MUG": 1})
    for _ in range(5):
        refuse(town, order_id, "other")
    assert [row[0] for row in town.fos(order_id)] == ["C-STORE", "D-STORE", "E-STORE", "F-STORE", "G-STORE"]
    assert town.holds(order_id) == ["routing_exhausted"]


@pytest.mark.parametrize(
    ("code", "text", "reason"),
    [
        ("damaged", "", "damaged"),
        ("out-of-stock", "Item is out of stock", "not_in_stock"),
        (None, "The shipping address is invalid", "incorrect_address"),
        (None, "Two of the mugs were broken", "damaged"),
        (None, "Carrier cannot deliver to this zip", "undeliverable_destination"),
        ("other", "store closed", "closed"),
        (None, "computer says no", "other"),
    ],
)
def test_what_a_fulfiller_says_is_taken_as_one_of_our_reasons(code: str | None, text: str, reason: str) -> None:
    assert reason_for(code, text).code == reason


def test_what_is_not_there_is_told_to_orders_that_others_work_on_at_this_moment(town: Town, order_id: str) -> None:
    if town.world.db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    other = town.order({"MUG": 1})
    mug, has_it = str(town.state(order_id).lines[0].variant_id), threading.Event()

    def edit_the_other() -> None:
        with town.world.db.begin() as tx:
            orders.load(tx, [other])
            has_it.set()
            open_desk(town.runtime, tx, {mug}, actor="test")  # waits for the stock that the refusal has

    with ThreadPoolExecutor(1) as pool, town.world.db.begin() as tx:
        states = orders.load(tx, [order_id])
        desk = open_desk(town.runtime, tx, {mug}, actor="test")
        desk.orders = dict(states)
        edit = pool.submit(edit_the_other)
        assert has_it.wait(10)
        state = states[order_id]
        refuse_flow.refuse(desk, state, state.fos[0], REASONS["not_in_stock"])
        desk.flush()
    assert edit.result() is None
    assert town.ask(select(hold.c.order_id).where(hold.c.kind == "at_risk")) == [other]


def test_answers_of_two_places_in_one_batch_wait_for_nobody(town: Town, order_id: str) -> None:
    """Two batches that hear of the same two places in the other order."""
    if town.world.db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    at_a = town.fo(order_id)
    at_b = replace(at_a, location_id=town.place("B-STORE").id)
    first_has_written = threading.Event()

    def second() -> None:
        with town.world.db.begin() as tx:
            desk = open_desk(town.runtime, tx, set(), actor="second")
            count_answer(desk, at_b, accepted=True)
            count_answer(desk, at_a, accepted=True)
            assert first_has_written.wait(10)
            desk.flush()

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(second)
        with town.world.db.begin() as tx:
            desk = open_desk(town.runtime, tx, set(), actor="first")
            count_answer(desk, at_a, accepted=True)
            first_has_written.set()
            count_answer(desk, at_b, accepted=True)
            desk.flush()
        assert other.result() is None
    assert [round(one, 3) for one in town.ask(select(acceptance.c.accepted).where(acceptance.c.category == ""))] == [
        2,
        2,
    ]
