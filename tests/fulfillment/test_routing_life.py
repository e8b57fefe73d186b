"""The router inside the hub: the gate, capacity, deadlines, re-route, re-evaluation, replay."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from hub.domain.documents import Fulfillment
from hub.domain.routing.rules import Reevaluation, Routing, RuleSet, document, document_hash
from hub.domain.routing.shapes import Step
from hub.flows import operate, track
from hub.flows.desk import open_desk
from hub.flows.replay import replay
from hub.store import orders, routing
from hub.store.database import new_id
from hub.store.tables import (
    fo_line,
    fulfillment_order,
    hold,
    order_line,
    route_decision,
    routing_rule_set,
    stock_move,
    variant,
)
from hub.store.views import orders as orders_view
from tests.fulfillment.conftest import PERSON, Town


def publish(town: Town, rules: RuleSet) -> None:
    with town.world.db.begin() as tx:
        row = {"id": new_id(), "name": rules.name, "version": 1, "status": "published", "created_by": "test"}
        digest = document_hash(rules)
        said = {"document": document(rules), "document_hash": digest, "created_at": town.world.now()}
        tx.execute(routing_rule_set.insert().values(**row, **said))


def rules(*steps: Step, **more: object) -> RuleSet:
    return RuleSet("test", (Routing("every order", steps or (Step(),)),), **more)  # type: ignore[arg-type]


def said(town: Town, order_id: str, status: str, reason: str | None = None, **more: object) -> str:
    """The fulfiller of the first fulfillment order says something; the outcome."""
    with town.world.db.begin() as tx:
        state = orders.load(tx, [order_id])[order_id]
        variants = {line.variant_id for line in state.lines if line.variant_id}
        desk = open_desk(town.runtime, tx, variants, actor="tracking")
        desk.orders = {order_id: state}
        outcome = track.fulfillment(desk, state, state.fos[0], Fulfillment("ext", status, reason=reason, **more))
        desk.flush()
    return outcome


def phase(town: Town, order_id: str) -> str:
    """Where the order stands, in the word of its page."""
    found: str = town.world.read(lambda tx: orders_view.rows_of(tx, [order_id]))[order_id].phase
    return found


# The gate


def test_an_order_rests_for_the_grace_period_and_is_routed_after_it(town: Town) -> None:
    publish(town, rules(grace_minutes=30))
    town.world.stock("location MUG\nWAREHOUSE 5")
    order_id = town.order({"MUG": 1})
    town.world.clock_strikes()
    assert town.fos(order_id) == []
    town.world.later(minutes=31)
    town.world.clock_strikes()
    assert town.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]
    assert town.state(order_id).route_after is None


def test_an_order_that_is_not_to_be_shipped_before_a_day_waits_for_it(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 5")
    day = (town.world.now() + timedelta(days=3)).date().isoformat()
    order_id = town.order({"MUG": 1}, schedule={"ship_after": {"date": day, "zone": "America/New_York"}})
    assert town.fos(order_id) == []
    town.world.later(days=4)
    town.world.clock_strikes()
    assert town.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]


DAILY = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), "23:59")


def test_goods_that_must_not_arrive_early_are_scheduled_and_handed_over_in_time(town: Town) -> None:
    town.change("WAREHOUSE", calendar={"cut_off": DAILY, "transit_days": {"US": 1}})
    town.world.stock("location MUG\nWAREHOUSE 5")
    day = town.world.now().date() + timedelta(days=14)
    order_id = town.order({"MUG": 1}, schedule={"deliver_after": {"date": day.isoformat(), "zone": "UTC"}})
    assert town.fos(order_id) == [("WAREHOUSE", "scheduled", "unsubmitted")]
    assert town.units("WAREHOUSE", "MUG") == {"on_hand": 5, "available": 4, "committed": 1}
    due = town.fo(order_id).fulfil_at
    assert due is not None
    assert timedelta(days=1) <= day - due.date() <= timedelta(days=3)  # a day, or a weekend more
    town.world.later(days=14)
    town.world.clock_strikes()
    assert town.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]


def test_the_days_of_scheduled_work_are_reckoned_from_when_it_begins(town: Town) -> None:
    town.change("WAREHOUSE", calendar={"cut_off": DAILY, "handling_days": 2, "transit_days": {"US": 1}})
    town.world.stock("location MUG\nWAREHOUSE 5")
    tuesday = town.world.now().date() + timedelta(days=14 - town.world.now().weekday() + 1)
    town.order({"MUG": 1}, schedule={"deliver_after": {"date": tuesday.isoformat(), "zone": "UTC"}})
    fo = fulfillment_order.c
    [dates] = town.world.read(lambda tx: tx.execute(select(fo.fulfil_at, fo.ship_on, fo.deliver_on)).all())
    # Work begins on Saturday, takes two more days, and a parcel travels for one.
    begins, leaves = tuesday - timedelta(days=3), tuesday - timedelta(days=1)
    assert (dates.fulfil_at.date(), dates.ship_on, dates.deliver_on) == (begins, leaves, tuesday)


def test_a_place_that_does_not_know_how_long_parcels_travel_begins_at_once(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 5")
    day = (town.world.now() + timedelta(days=9)).date().isoformat()
    order_id = town.order({"MUG": 1}, schedule={"deliver_after": {"date": day, "zone": "UTC"}})
    assert town.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]


def test_a_window_for_the_delivery_keeps_nothing_back_that_has_to_leave_before(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 5")
    today = town.world.now()
    said = {
        "ship_by": {"date": (today + timedelta(days=2)).date().isoformat(), "zone": "UTC"},
        "deliver_after": {"date": (today + timedelta(days=4)).date().isoformat(), "zone": "UTC"},
    }
    assert town.fos(town.order({"MUG": 1}, schedule=said)) == [("WAREHOUSE", "open", "unsubmitted")]


def test_without_any_location_an_order_is_held_and_not_guessed(town: Town) -> None:
    town.world.stock("location MUG\nWAREHOUSE 5")
    for code in ("A-STORE", "B-STORE", "WAREHOUSE"):
        town.change(code, active=False)
    order_id = town.order({"MUG": 1})
    assert town.holds(order_id) == ["no_location"]
    town.change("WAREHOUSE", active=True)
    [held] = town.state(order_id).holds
    operate.release_hold(town.runtime, order_id, held.id, person=PERSON)
    assert town.fos(order_id) == [("WAREHOUSE", "open", "unsubmitted")]


def test_a_place_takes_no_more_orders_than_its_capacity_of_the_day(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 9\nB-STORE 9")
    town.change("A-STORE", capacity_per_day=2)
    taken = [town.fos(town.order({"MUG": 1}))[0][0] for _ in range(3)]
    assert taken == ["A-STORE", "A-STORE", "B-STORE"]
    town.world.later(days=1)
    assert town.fos(town.order({"MUG": 1}))[0][0] == "A-STORE"


def test_a_place_that_ships_to_some_countries_gets_no_order_from_others(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 9\nB-STORE 9")
    town.change("A-STORE", serves=["CA"])
    assert town.fos(town.order({"MUG": 1}))[0][0] == "B-STORE"


def test_units_without_a_place_wait_as_the_rules_say(town: Town) -> None:
    publish(town, rules(Step(on_remainder="queue:call the customer")))
    town.world.stock("location MUG\nWAREHOUSE 1")
    order_id = town.order({"MUG": 3})
    [line] = town.state(order_id).lines
    assert (line.routed, line.waits_as, line.queue) == (1, "queue", "call the customer")
    assert phase(town, order_id) == "unfillable"


def test_or_are_held(town: Town) -> None:
    publish(town, rules(Step(on_remainder="hold")))
    town.world.stock("location MUG\nWAREHOUSE 1")
    assert town.holds(town.order({"MUG": 3})) == ["unfillable"]


def test_or_are_cancelled_after_some_days(town: Town) -> None:
    publish(town, rules(Step(on_remainder="auto_cancel:14")))
    town.world.stock("location MUG\nWAREHOUSE 1")
    order_id = town.order({"MUG": 3})
    [line] = town.state(order_id).lines
    assert line.waits_as == "backorder"
    assert phase(town, order_id) == "backordered"
    assert line.auto_cancel_at is not None
    assert timedelta(days=13) < line.auto_cancel_at - town.world.now() <= timedelta(days=14)


# Deadlines, and work that is called back


@pytest.fixture
def asked(town: Town) -> str:
    """An order that A-STORE has an hour to answer."""
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    town.change("A-STORE", answer_within_min=60)
    order_id = town.order({"MUG": 1})
    assert town.fos(order_id) == [("A-STORE", "open", "submitted")]
    return order_id


def test_a_place_that_does_not_answer_in_time_loses_the_order_to_the_next_one(town: Town, asked: str) -> None:
    town.world.later(minutes=59)
    town.world.clock_strikes()
    assert len(town.fos(asked)) == 1
    town.world.later(minutes=2)
    town.world.clock_strikes()
    assert town.fos(asked) == [("A-STORE", "cancelled", "timed_out"), ("B-STORE", "open", "unsubmitted")]
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}


def test_a_place_that_accepts_too_late_is_a_person_s_business(town: Town, asked: str) -> None:
    town.world.later(hours=2)
    town.world.clock_strikes()
    assert said(town, asked, "accepted") == "applied"
    assert town.holds(asked) == ["late_accept"]
    assert town.fos(asked)[0] == ("A-STORE", "cancelled", "timed_out")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}


def test_a_place_that_has_accepted_has_all_the_time_it_needs(town: Town, asked: str) -> None:
    operate.accept_by_hand(town.runtime, asked, town.number(asked), person=PERSON)
    town.world.later(hours=5)
    town.world.clock_strikes()
    assert town.fos(asked) == [("A-STORE", "in_progress", "accepted")]


def test_units_come_back_once_when_a_place_stops_what_it_had_accepted(town: Town, asked: str) -> None:
    said(town, asked, "accepted")
    operate.cancel_order(town.runtime, asked, "changed my mind", person=PERSON)
    assert town.units("A-STORE", "MUG")["committed"] == 1 or town.fos(asked)[0][1] == "cancelled"
    said(town, asked, "cancelled")
    said(town, asked, "cancelled")
    assert town.units("A-STORE", "MUG") == {"on_hand": 5, "available": 5}
    back = select(func.sum(stock_move.c.quantity)).where(stock_move.c.kind == "release")
    assert town.ask(back) == [1]
    assert town.state(asked).lifecycle == "cancelled"


# Two at one time


def test_fifty_orders_for_thirty_units_commit_exactly_thirty(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 10\nB-STORE 10\nWAREHOUSE 10")
    made = [town.order({"MUG": 1}) for _ in range(50)]
    for order_id in made:  # everything is taken back, so that all of it is routed at one time
        held = operate.hold_order(town.runtime, order_id, "wait", person=PERSON)
        assert held
    with town.world.db.begin() as tx:
        tx.execute(hold.update().values(state="released"))
    run = threading.Barrier(2)

    def route_all() -> None:
        run.wait()
        for order_id in made:
            operate.route_order(town.runtime, order_id, person=PERSON)

    threads = [threading.Thread(target=route_all) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = town.ask(select(order_line.c.routed))
    assert (sum(lines), len(lines)) == (30, 50)
    assert town.ask(select(func.sum(fo_line.c.quantity))) == [30]
    committed = [town.units(code, "MUG") for code in ("A-STORE", "B-STORE", "WAREHOUSE")]
    assert committed == [{"on_hand": 10, "committed": 10}] * 3
    decisions = town.ask(select(func.count()).select_from(route_decision))
    for order_id in made:
        assert operate.route_order(town.runtime, order_id, person=PERSON) is False
    assert town.ask(select(func.count()).select_from(route_decision)) == decisions


# Replay and re-evaluation


def test_a_decision_is_made_again_bit_for_bit(town: Town) -> None:
    town.change("A-STORE", capacity_per_day=7, attributes={"floor": 3}, groups=["stores"])
    town.change("WAREHOUSE", costs={"parcel": {"US": 500}, "lanes": [{"name": "post", "tiers": [[1000, 400]]}]})
    town.world.stock("location MUG TEE\nA-STORE 1 0\nB-STORE 2 1\nWAREHOUSE 0 3")
    order_id = town.order({"MUG": 3, "TEE": 2})
    kept = town.world.read(lambda tx: routing.decision(tx, order_id))
    runtime = town.runtime
    again = replay(kept, runtime.rankers, runtime.strategies)
    assert again is not None
    assert again.same
    assert again.plan.inputs_hash == kept.inputs_hash
    units = {part.place_id: dict(part.units) for part in again.plan.parts}
    made = {fo.location_id: {row.order_line_id: row.quantity for row in fo.lines} for fo in town.state(order_id).fos}
    assert units == made


def test_a_later_decision_supersedes_the_earlier_one(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 5\nB-STORE 5")
    order_id = town.order({"MUG": 1})
    operate.refuse_by_hand(town.runtime, order_id, town.number(order_id), "no", person=PERSON)
    rows = town.world.read(
        lambda tx: tx.execute(
            select(route_decision.c.id, route_decision.c.superseded_by).order_by(route_decision.c.attempt)
        ).all()
    )
    assert [row[1] for row in rows] == [rows[1][0], None]


SPLIT = {"MUG": 1, "TEE": 1}
OFTEN = Reevaluation(after_minutes=60, cool_down_minutes=30)


def test_work_that_nobody_has_begun_moves_when_fewer_parcels_are_possible(town: Town) -> None:
    publish(town, rules(reevaluate=OFTEN))
    town.world.stock("location MUG TEE\nA-STORE 1 0\nB-STORE 0 1")
    order_id = town.order(SPLIT)
    town.world.stock("location MUG TEE\nWAREHOUSE 1 1")
    town.world.later(minutes=59)
    town.world.clock_strikes()
    assert len([fo for fo in town.fos(order_id) if fo[1] == "open"]) == 2
    town.world.later(minutes=2)
    town.world.clock_strikes()
    assert [fo[:2] for fo in town.fos(order_id)] == [
        ("A-STORE", "cancelled"),
        ("B-STORE", "cancelled"),
        ("WAREHOUSE", "open"),
    ]
    assert town.units("WAREHOUSE", "MUG") == {"on_hand": 1, "committed": 1}
    town.world.later(days=1)
    town.world.clock_strikes()
    assert len(town.fos(order_id)) == 3


def test_nothing_moves_for_a_plan_that_is_only_as_good_or_where_the_rules_do_not_say_so(town: Town) -> None:
    town.world.stock("location MUG\nA-STORE 1")
    order_id = town.order({"MUG": 1})
    town.world.stock("location MUG\nWAREHOUSE 1")
    town.world.later(days=1)
    town.world.clock_strikes()
    publish(town, rules(reevaluate=Reevaluation(after_minutes=60)))
    town.world.clock_strikes()
    assert town.fos(order_id) == [("A-STORE", "open", "unsubmitted")]


@pytest.fixture
def better(town: Town) -> str:
    """An order of two parcels for which one would do by now."""
    publish(town, rules(reevaluate=OFTEN, most_attempts=1))
    town.world.location("D-STORE")
    town.world.stock("location MUG TEE\nA-STORE 1 0\nB-STORE 1 0\nD-STORE 0 1")
    order_id = town.order(SPLIT)
    operate.refuse_by_hand(town.runtime, order_id, town.state(order_id).fos[0].number, "no", person=PERSON)
    assert town.holds(order_id) == ["routing_exhausted"]
    [held] = town.state(order_id).holds
    said = town.ask(select(hold.c.reason).where(hold.c.id == held.id))
    assert said[0].endswith("have failed. Release the hold to ask the places that are left, or change the order.")
    operate.release_hold(town.runtime, order_id, held.id, person=PERSON)
    assert [fo[:2] for fo in town.fos(order_id)[1:]] == [("D-STORE", "open"), ("B-STORE", "open")]
    town.world.stock("location MUG TEE\nWAREHOUSE 1 1")
    town.world.later(hours=3)
    return order_id


def test_refusals_of_before_do_not_count_against_a_better_plan(town: Town, better: str) -> None:
    town.world.clock_strikes()
    assert [fo[:2] for fo in town.fos(better) if fo[1] == "open"] == [("WAREHOUSE", "open")]
    assert town.holds(better) == []
    assert [line.routed for line in town.state(better).lines] == [1, 1]


def test_nothing_is_taken_away_when_the_better_plan_cannot_be_adopted_at_once(town: Town, better: str) -> None:
    with town.world.db.begin() as tx:  # from now on an address outside decides, which is asked later
        how = rules(reevaluate=OFTEN)
        outside = replace(how, routings=(replace(how.routings[0], strategy="http"),))
        tx.execute(routing_rule_set.update().values(document=document(outside), document_hash=document_hash(outside)))
    before = town.fos(better)
    town.world.clock_strikes()
    assert town.fos(better) == before
    assert [line.routed for line in town.state(better).lines] == [1, 1]
    assert town.state(better).asks_adviser is None


@pytest.mark.parametrize(("heaviest_g", "goes_to"), [(100, "B-STORE"), (9000, "A-STORE")])
def test_a_parcel_that_no_lane_takes_is_not_taken_for_a_cheap_one(town: Town, heaviest_g: int, goes_to: str) -> None:
    publish(town, rules(Step(rankers=("ranked",)), reevaluate=OFTEN))
    town.change("A-STORE", costs={"lanes": [{"name": "letter", "tiers": [[heaviest_g, 100]]}]}, rank=1)
    town.change("B-STORE", costs={"parcel": {"US": 500}}, rank=50)
    town.world.stock("location MUG\nB-STORE 1")
    with town.world.db.begin() as tx:
        tx.execute(variant.update().values(weight_g=5000))
    order_id = town.order({"MUG": 1})
    town.world.stock("location MUG\nA-STORE 1")
    town.world.later(hours=3)
    town.world.clock_strikes()
    assert [fo[0] for fo in town.fos(order_id) if fo[1] == "open"] == [goes_to]


def test_work_that_was_accepted_is_left_alone(town: Town) -> None:
    publish(town, rules(reevaluate=Reevaluation(after_minutes=60)))
    town.world.stock("location MUG TEE\nA-STORE 1 0\nB-STORE 0 1")
    order_id = town.order(SPLIT)
    for fo in town.state(order_id).fos:
        operate.accept_by_hand(town.runtime, order_id, fo.number, person=PERSON)
    town.world.stock("location MUG TEE\nWAREHOUSE 1 1")
    town.world.later(days=1)
    town.world.clock_strikes()
    assert len(town.fos(order_id)) == 2
