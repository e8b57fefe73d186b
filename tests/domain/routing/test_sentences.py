"""The one sentence of a decision, and the trace it is made of, say what is so."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.routing.document import from_document, to_document
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import CostRules, Destination, Lane, Need, Place, Rules, Snapshot, Step
from hub.domain.routing.trace import readable, sentence
from tests.domain.routing.towns import NEW_YORK, by, changed, left, shipped, steps, world
from tests.domain.routing.worlds import long_order, snapshots

LATE = date(2026, 12, 24)


def reason(snapshot: Snapshot) -> str:
    decided = plan(snapshot)
    assert sentence(decided.trace) == decided.reason, "the sentence is made of the stored trace alone"
    return decided.reason


def step(snapshot: Snapshot, number: int = 0) -> Any:
    return plan(snapshot).trace["steps"][number]


# One location.


def test_a_place_that_stands_first_but_has_not_all_of_it_is_not_said_to_be_out_of_the_market() -> None:
    rules = steps(Step(assign="single", rankers=("market",)))
    nowhere = replace(world("CHI A, TOR A B", "A B", rules=rules), destination=Destination("US"))
    assert reason(nowhere) == "TOR because it ships all 2 lines, which CHI cannot."


def test_the_only_location_with_stock_is_said_to_be_that() -> None:
    assert reason(world("PHL A, BOS B")) == "PHL because it is the only location that has stock."


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ({"capacity_left": 0}, "its capacity is used up"),
        ({"closed": "it is switched off"}, "it is switched off"),
        ({"ships": False}, "it does not ship"),
        ({"serves": frozenset({"DE"})}, "it does not serve US"),
        ({"channels": frozenset({"another"})}, "it does not sell for this channel"),
        ({"arrives_on": LATE}, "it would arrive on 2026-12-24, promised for 2026-12-23"),
        ({"stock_buffer": 1}, "only what lies above 1 unit may leave"),
        ({"hazmat": False}, "it may not handle dangerous goods"),
        ({"size_classes": frozenset({"small"})}, "it cannot handle the size bulky"),
    ],
)
def test_why_another_location_with_stock_was_left_out_is_said(place: dict[str, Any], why: str) -> None:
    snapshot = changed(world("PHL A, BOS A, CHI B", promise=date(2026, 12, 23), channel="this"), PHL=place)
    snapshot = replace(snapshot, needs=(replace(snapshot.needs[0], hazmat=True, size_class="bulky"),))
    assert reason(snapshot) == f"BOS because it ships the line; PHL has it too, but {why}."
    assert step(snapshot)["dropped"] == [
        {"loc": "PHL", "why": why, "stock": "all"},
        {"loc": "CHI", "why": "it has none of the articles to give"},
    ]


def test_after_a_refusal_it_is_said_who_refused() -> None:
    snapshot = world("PHL A, BOS A", excluded=frozenset({("l1", "id-phl")}))
    assert reason(snapshot) == "BOS because it ships the line; PHL has it too, but it refused it before."


def test_a_line_that_is_for_one_place_is_said_to_be_that() -> None:
    snapshot = world("PHL A, BOS A")
    pinned = replace(snapshot, needs=(replace(snapshot.needs[0], pinned="id-bos"),))
    assert reason(pinned) == "BOS because it ships the line; PHL has it too, but the line is for another place."


def test_units_that_stay_at_a_location_are_not_said_to_be_missing_there() -> None:
    snapshot = world("PHL A=2, BOS A=3", rules=steps(Step(min_stock=2)))
    assert step(snapshot)["dropped"] == [
        {"loc": "PHL", "why": "only what lies above 2 units may leave", "stock": "all"}
    ]


def test_a_location_left_out_that_has_some_of_it_is_not_said_to_have_it() -> None:
    snapshot = changed(world("PHL A, BOS A=2", "A=2"), PHL={"capacity_left": 0})
    assert reason(snapshot) == "BOS because it ships the line; PHL has some of it, but its capacity is used up."


def test_a_ranker_that_says_nothing_of_a_place_is_not_said_to_prefer_the_other() -> None:
    snapshot = changed(world("PHL A, CHI A", rules=by("closest", "ranked")), PHL={"latitude": None})
    assert reason(snapshot) == "CHI because it ships the line, and closest says nothing of PHL."
    slack = replace(snapshot, promise=LATE, rules=by("promise_slack"))
    known = changed(slack, CHI={"arrives_on": LATE}, PHL={"latitude": 39.9526})
    assert (
        reason(known) == "CHI because it ships the line; PHL is nearer (130 km) but promise_slack says nothing of it."
    )


# Several locations.


def test_r7a_a_location_that_has_everything_and_is_too_far_away_is_named() -> None:
    ladder = Rules((Step("near, one parcel", radius_km=160, assign="single"), Step("near, several", radius_km=160)))
    assert reason(world("PHL A, NWK B, CHI A B", "A B", rules=ladder)) == (
        "NWK + PHL because no single location may ship everything:"
        " CHI has it, but it is 1144 km away, more than 160 km."
    )


def test_no_single_location_has_everything_is_said_where_it_is_so() -> None:
    assert reason(world("PHL A, BOS B", "A B")) == "PHL + BOS because no single location has everything."
    assert reason(world("PHL A, BOS B", "A B C")) == (
        "PHL + BOS because no single location has everything; 1 unit missing."
    )


def test_a_refusal_of_some_lines_is_in_the_trace_and_in_the_sentence() -> None:
    snapshot = world("PHL A B, BOS A", "A B", excluded=frozenset({("l1", "id-phl")}))
    assert reason(snapshot) == (
        "PHL + BOS because no single location may ship everything:"
        " PHL has it, but may not ship 1 line of it: it refused it before."
    )
    assert step(snapshot)["barred"] == [{"loc": "PHL", "why": "it refused it before", "lines": ["l1"], "stock": "all"}]
    assert "Held back at PHL, 1 line: it refused it before." in readable(plan(snapshot).trace)


def test_a_refusal_of_what_is_not_there_is_not_told() -> None:
    snapshot = world("PHL B, BOS A", "A B", excluded=frozenset({("l1", "id-phl")}))
    assert reason(snapshot) == "PHL + BOS because no single location has everything."
    assert (step(snapshot)["barred"], step(snapshot)["barred_total"]) == ([], 0)


def test_units_that_stay_at_a_location_and_would_have_done_are_told() -> None:
    snapshot = world("PHL A=3 B, BOS A", "A=3 B", rules=steps(Step(min_stock=1)))
    assert [(one["loc"], one["why"]) for one in step(snapshot)["barred"]] == [
        ("PHL", "only what lies above 1 unit may leave")
    ]


def test_that_no_few_locations_together_have_everything_is_told() -> None:
    snapshot = world("PHL A, BOS B, CHI C, TOR D", "A B C D", rules=steps(Step(assign="split")))
    assert step(snapshot)["tried"][-1] == {"set": [], "why_not": "no 3 locations together can ship everything"}
    assert "No 3 locations together can ship everything." in readable(plan(snapshot).trace)


# Something is missing.


def test_what_ships_the_most_is_said_to_be_that_only_among_what_the_rules_allow() -> None:
    most = "PHL because it ships the most; 1 unit missing."
    assert reason(world("PHL A", "A=2")) == most
    assert reason(world("PHL A, BOS B", "A=2", rules=Rules((Step("in time"), Step("late", late_ok=True))))) == most
    allowed = "PHL because it ships the most of what the rules allow; 1 unit missing."
    assert reason(world("PHL A, BOS A", "A=2", rules=steps(Step(max_shipments=1)))) == allowed
    assert reason(changed(world("PHL A, BOS A=2", "A=2"), BOS={"capacity_left": 0})) == allowed
    poor = steps(Step(min_shipment_value_minor=50))
    assert reason(world("PHL A, BOS B", "A B", values=(90, 20), rules=poor)) == allowed
    assert reason(
        world("PHL A, BOS A", "A=2", rules=steps(Step("near", radius_km=160), Step("never", radius_km=1)))
    ) == (allowed)


def test_why_nothing_ships_is_said() -> None:
    assert reason(world("PHL B")) == "No location can ship the unit: not in stock."
    closed = changed(world("PHL A", "A=2"), PHL={"closed": "it is switched off"})
    assert reason(closed) == "No location can ship any of the 2 units: in stock only at locations that were left out."


def test_what_lies_there_for_others_is_said_to_be_kept_and_never_taken() -> None:
    kept = {("id-phl", "A"): 2}
    other = replace(world("PHL B, BOS A", "A"), kept=kept)
    assert shipped(other) == {"BOS": {"l1": 1}}
    why = "it keeps 2 units for others who came before"
    assert reason(other) == f"BOS because it ships the line; PHL has it too, but {why}."
    assert step(other)["dropped"] == [{"loc": "PHL", "why": why, "stock": "all"}]
    some = replace(world("PHL A", "A=3"), kept=kept)
    assert shipped(some) == {"PHL": {"l1": 1}}
    assert step(some)["barred"] == [{"loc": "PHL", "lines": ["l1"], "why": why, "stock": "all"}]
    nothing = replace(world("PHL B", "A"), kept=kept)
    assert plan(nothing).remainder[0].code == "kept_for_others"
    assert reason(nothing) == "No location can ship the unit: what is in stock is kept for others who came before."
    assert plan(nothing).inputs_hash != plan(replace(nothing, kept={})).inputs_hash
    assert from_document(to_document(nothing)).kept == kept


def test_whose_coordinates_are_missing_is_said() -> None:
    near = world("PHL A", "A", rules=steps(Step("near", radius_km=160)))
    somewhere = changed(near, PHL={"latitude": None})
    assert step(somewhere)["dropped"] == [{"loc": "PHL", "why": "it has no coordinates", "stock": "all"}]
    nowhere = replace(near, destination=Destination("US"))
    why = "the order has no coordinates to measure from"
    assert step(nowhere)["dropped"] == [{"loc": "PHL", "why": why, "stock": "all"}]


def test_an_order_without_lines_has_nothing_to_ship() -> None:
    for places in ("PHL A", "PHL A, BOS B"):
        nothing = replace(world(places), needs=())
        assert reason(nothing) == "There is nothing to ship."
        assert reason(replace(nothing, places=())) == "There is nothing to ship."


# Notes where a search is not exact.


def test_that_a_search_was_cut_off_is_told_however_many_sets_were_told_before() -> None:
    snapshot = long_order(random.Random(2))  # noqa: S311
    poor = replace(snapshot.rules.steps[0], min_shipment_value_minor=3)
    needs = tuple(replace(need, value_minor=need.units) for need in snapshot.needs)
    found = step(replace(snapshot, needs=needs, rules=Rules((poor,))))
    cut_off = "too many sets of locations to try them all: the best that was found was taken"
    assert cut_off in found["notes"]
    assert cut_off[0].upper() + cut_off[1:] + "." in readable({"steps": [found]})


def test_what_ships_the_most_of_what_was_tried_is_said_to_be_that() -> None:
    needs = tuple(Need(f"l{number}", "A", 2 + number % 3, f"g{number}") for number in range(40))
    snapshot = Snapshot(needs, NEW_YORK, (Place("p", "P"),), {("p", "A"): 71}, rules=steps(Step()))
    assert reason(snapshot).startswith("P because it ships the most of what was tried;")


# Carriers.

POST = Lane("post", ((1000, 500),))


def test_a_line_that_no_carrier_takes_does_not_stop_the_others_and_the_trace_says_why() -> None:
    snapshot = changed(world("PHL A B, BOS B", "A B", rules=Rules(strategy="cost")), PHL={"lanes": (POST,)})
    heavy = replace(snapshot, needs=(replace(snapshot.needs[0], weight_g=5000), snapshot.needs[1]))
    assert shipped(heavy) == {"BOS": {"l2": 1}}
    assert left(heavy) == {"l1": 1}
    assert step(heavy)["barred"] == [
        {"loc": "PHL", "why": "none of its carriers takes one unit of it", "lines": ["l1"], "stock": "all"}
    ]


def test_what_the_carriers_of_a_place_do_not_take_in_one_parcel_waits() -> None:
    snapshot = changed(world("PHL A=12", "A=12", rules=Rules(strategy="cost")), PHL={"lanes": (POST,)})
    light = replace(snapshot, needs=(replace(snapshot.needs[0], weight_g=100),))
    assert shipped(light) == {"PHL": {"l1": 10}}
    assert reason(light) == "PHL because the carriers take no more than that (500 in minor units); 2 units missing."
    assert shipped(replace(light, rules=Rules((Step(assign="split"),), "cost"))) == {}


def test_what_costs_least_is_said_to_be_that_only_among_what_the_rules_allow() -> None:
    snapshot = changed(
        world("PHL A, BOS A", rules=Rules(strategy="cost")), PHL={"base_minor": 300}, BOS={"base_minor": 200}
    )
    assert reason(snapshot) == "BOS because it costs least (200 in minor units)."
    full = changed(snapshot, BOS={"capacity_left": 0})
    assert reason(full) == "PHL because it costs least of what the rules allow (300 in minor units)."


def test_an_order_of_many_lines_on_many_lanes_is_cut_off_and_ships_all_the_same() -> None:
    lanes = tuple(Lane(f"c{number}", ((700, 100 + number), (2000, 300))) for number in range(5))
    snapshot = world("PHL " + " ".join(f"K{n}" for n in range(20)), " ".join(f"K{n}" for n in range(20)))
    needs = tuple(replace(need, weight_g=90 + 7 * number) for number, need in enumerate(snapshot.needs))
    rules = Rules(strategy="cost", cost=CostRules(extra_shipment_penalty_minor=1))
    found = plan(changed(replace(snapshot, needs=needs, rules=rules), PHL={"lanes": lanes}))
    assert not found.remainder
    assert "costs least of what was tried" in found.reason


# Whatever the world.


@st.composite
def restricted(draw: st.DrawFn) -> Snapshot:
    """Worlds in which places are closed, full, far away, keep a buffer or refused, in one or two steps."""
    snapshot = draw(snapshots(assigns=("single", "split", "partial")))
    places = tuple(
        replace(
            place,
            closed=draw(st.sampled_from(("", "", "it is switched off"))),
            stock_buffer=draw(st.sampled_from((0, 0, 2))),
            groups=draw(st.sampled_from((frozenset(), frozenset({"near"})))),
        )
        for place in snapshot.places
    )
    first = replace(snapshot.rules.steps[0], name="first", groups=draw(st.sampled_from((frozenset(), {"near"}))))
    more = draw(st.sampled_from(((), (Step("second"),))))
    strategy = draw(st.sampled_from(("ranked", "ranked", "cost")))
    return replace(
        snapshot, places=places, rules=Rules((replace(first, groups=frozenset(first.groups)), *more), strategy)
    )


@settings(max_examples=400, deadline=None)
@given(restricted())
def test_what_a_sentence_says_of_stock_is_so(snapshot: Snapshot) -> None:
    said = reason(snapshot)
    wanted: dict[str, int] = {}
    for need in snapshot.needs:
        wanted[need.variant_id] = wanted.get(need.variant_id, 0) + need.units
    stock = {place.code: {name: snapshot.sellable[place.id, name] for name in wanted} for place in snapshot.places}
    everything = {code for code, has in stock.items() if all(has[name] >= units for name, units in wanted.items())}
    something = {code for code, has in stock.items() if any(has.values())}
    if "only location that has stock" in said:
        assert something == {said.split()[0]}
    if "no single location has everything" in said:
        assert not everything
    for code in re.findall(r"(\w+) has it\b", said):
        assert code in everything
    for code in re.findall(r"(\w+) has some of it", said):
        assert code in something - everything
    if "because it ships the most;" in said and not any(need.group for need in snapshot.needs):
        units = sum(sum(part.units.values()) for part in plan(snapshot).parts)
        assert units == max(sum(min(has[name], count) for name, count in wanted.items()) for has in stock.values())
    for drop in plan(snapshot).trace["steps"][0]["dropped"]:
        assert ("none of the articles" in drop["why"]) <= (drop["loc"] not in something)
        has = "all" if drop["loc"] in everything else "some" if drop["loc"] in something else None
        assert drop.get("stock") == has
