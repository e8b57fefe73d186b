"""Rehearsal: the same orders on the same stock, decided by two sets of rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from hub.domain.routing.plan import plan
from hub.domain.routing.rehearsal import Case, Replay, differences, figures
from hub.domain.routing.shapes import Lane, Rules, Snapshot, Step
from tests.domain.routing.towns import changed, world

MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)
OPENING = {("id-phl", "A"): 2, ("id-chi", "A"): 5, ("id-chi", "B"): 5}


def cases(*snapshots: Snapshot, on: date = MONDAY) -> list[Case]:
    return [Case(f"o{number}", f"#{number}", on, one) for number, one in enumerate(snapshots, 1)]


def replayed(asked: list[Case]) -> Replay:
    side = Replay.on(OPENING, plan)
    for case in asked:
        side.take(case)
    return side


def places(side: Replay) -> list[list[str]]:
    return [sorted(outcome.where) for outcome in side.outcomes]


def test_each_order_takes_its_units_from_what_the_orders_before_have_left() -> None:
    side = replayed(cases(*[world("PHL, CHI", "A")] * 4))
    assert places(side) == [["PHL"], ["PHL"], ["CHI"], ["CHI"]]
    assert side.stock["A"] == {"id-phl": 0, "id-chi": 3}


def test_both_sides_start_from_the_same_stock() -> None:
    far = Rules((Step(rankers=("scarcity",)),))
    nearest, scarce = world("PHL, CHI", "A"), world("PHL, CHI", "A", rules=far)
    baseline, draft = replayed(cases(nearest, nearest)), replayed(cases(scarce, scarce))
    assert places(baseline) == [["PHL"], ["PHL"]]
    assert places(draft) == [["CHI"], ["CHI"]]
    assert [old.id for old, _ in differences(baseline.outcomes, draft.outcomes)] == ["o1", "o2"]
    assert differences(baseline.outcomes, replayed(cases(nearest, nearest)).outcomes) == []


def test_the_figures_count_shipments_kilometres_cost_and_what_is_missing() -> None:
    network = changed(
        world("PHL, CHI", "A B", promise=TUESDAY),
        PHL={"base_minor": 500, "per_unit_minor": 50, "arrives_on": TUESDAY},
        CHI={"base_minor": 900, "per_unit_minor": 10, "arrives_on": TUESDAY},
    )
    only_a = replace(network, needs=network.needs[:1])
    much = replace(only_a, needs=(replace(only_a.needs[0], units=5),))
    found = replayed(cases(only_a, network, much))
    # #1 PHL A; #2 CHI A B (one parcel is better than two); #3 PHL 1 and CHI 4, of 5.
    assert places(found) == [["PHL"], ["CHI"], ["CHI", "PHL"]]
    assert figures(found.outcomes, OPENING, found.stock) == {
        "orders": 3,
        "shipments": 4,
        "shipments_per_100_orders": 133,
        "split_orders": 1,
        "units": 8,
        "unfilled_units": 0,
        "unfilled_orders": 0,
        "cost_minor": (500 + 50) + (900 + 20) + (500 + 50) + (900 + 40),
        "late_shipments": 0,
        "km": round(129.6 + 1144.3 + 129.6 + 1144.3),
        "stock_outs": 2,
        "locations": {"CHI": {"shipments": 2, "units": 6}, "PHL": {"shipments": 2, "units": 2}},
    }


def test_an_order_that_leaves_one_place_in_two_parcels_is_in_several_parcels() -> None:
    post, van = Lane("post", ((1000, 300),)), Lane("van", ((1000, 400),))
    snapshot = changed(world("PHL", "A B", rules=Rules(strategy="cost")), PHL={"lanes": (post, van)})
    heavy = replace(snapshot, needs=tuple(replace(need, weight_g=800) for need in snapshot.needs))
    opening = {("id-phl", "A"): 1, ("id-phl", "B"): 1}
    side = Replay.on(opening, plan)
    side.take(*cases(heavy))
    said = figures(side.outcomes, opening, side.stock)
    assert (said["shipments"], said["split_orders"], said["cost_minor"]) == (2, 1, 700)


def test_what_is_late_and_what_is_missing_is_counted() -> None:
    late = Rules((Step(late_ok=True),))
    snapshot = changed(world("PHL", "A=3", promise=MONDAY, rules=late), PHL={"arrives_on": TUESDAY})
    found = replayed(cases(snapshot))
    said = figures(found.outcomes, OPENING, found.stock)
    assert (said["late_shipments"], said["unfilled_units"], said["unfilled_orders"]) == (1, 1, 1)


def test_a_place_takes_no_more_in_a_day_than_its_capacity() -> None:
    snapshot = changed(world("PHL, CHI", "A"), PHL={"capacity_left": 1})
    side = Replay.on(OPENING, plan)
    for case in (*cases(snapshot, snapshot), *cases(snapshot, on=TUESDAY)):
        side.take(case)
    assert places(side) == [["PHL"], ["CHI"], ["PHL"]]


def test_no_orders_come_to_nothing() -> None:
    assert figures([], OPENING, {})["shipments_per_100_orders"] == 0
