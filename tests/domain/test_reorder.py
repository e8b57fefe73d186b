"""Reorder arithmetic, with values from a pencil."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.reorder import Demand, History, Position, Terms, back_test, demand_of, propose, surplus, z

WHOLE = (1 << 90) - 1
KNOWN = Demand(days=60, left_out=30, per_day=4.0, deviation=2.0)
TERMS = Terms(lead_days=14, review_days=7)


def test_the_demand_of_a_day_is_a_mean_over_the_days_with_stock() -> None:
    # 10 days, sold out on days 4 to 7: 6 days in stock with 3, 5, 4, 0, 6, 6 = 24, mean 4.
    history = History(10, {0: 3, 1: 5, 2: 4, 8: 6, 9: 6, 5: 99}, 0b1100001111)
    found = demand_of(history)
    assert (found.days, found.left_out, found.per_day) == (6, 4, 4.0)
    # Deviations -1, 1, 0, -4, 2, 2: squares 26, divided by 5.
    assert found.deviation == pytest.approx(sqrt(26 / 5))


def test_an_article_that_was_never_in_stock_has_no_known_demand() -> None:
    assert demand_of(History(10, {3: 5}, 0)) == Demand(0, 10, 0.0, 0.0)


@pytest.mark.parametrize(("level", "value"), [(50, 0.0), (90, 1.2816), (95, 1.6449), (99, 2.3263)])
def test_z_is_that_of_the_normal_table(level: int, value: float) -> None:
    assert z(level) == pytest.approx(value, abs=1e-4)


def test_point_and_level_are_demand_and_safety_stock() -> None:
    # Safety 1.6449 x 2 x sqrt(21) = 15.08; point 4 x 14 + 15.08 = 71.08; level 4 x 21 + 15.08 = 99.08.
    found = propose(KNOWN, Position(available=20, incoming=10, waiting=5), TERMS)
    assert found.safety == pytest.approx(15.08, abs=0.01)
    assert (found.point, found.level) == (72, 100)
    assert (found.position.units, found.wanted, found.units) == (25, 75, 75)


def test_nothing_is_ordered_above_the_reorder_point_and_up_to_the_level_at_it() -> None:
    assert propose(KNOWN, Position(73), TERMS).units == 0
    assert propose(KNOWN, Position(72), TERMS).units == 28


def test_units_come_in_packs_at_least_the_minimum_and_at_most_what_there_is_room_for() -> None:
    position = Position(25)
    assert propose(KNOWN, position, replace(TERMS, pack_size=12)).units == 84
    assert propose(KNOWN, position, replace(TERMS, pack_size=12, min_quantity=100)).units == 108
    cut = propose(KNOWN, position, replace(TERMS, pack_size=12, max_units=90))
    assert (cut.units, cut.remarks) == (60, ("cut from 84 to 60 units: at most 90 are kept",))
    none = propose(KNOWN, position, replace(TERMS, pack_size=12, max_units=90, min_quantity=72))
    assert (none.units, none.remarks) == (0, ("there is room for 60 units and the supplier's minimum is 72",))


def test_what_is_coming_and_what_is_drafted_counts_and_orders_that_wait_are_wanted_besides() -> None:
    assert Position(10, incoming=20, drafted=5, waiting=12).units == 23
    quiet = Demand(60, 0, 0.0, 0.0)
    assert propose(quiet, Position(0, waiting=7), TERMS).units == 7
    assert propose(quiet, Position(0, waiting=7, incoming=7), TERMS).units == 0


def test_a_reorder_point_of_ones_own_takes_the_place_of_the_reckoned_one() -> None:
    own = replace(TERMS, reorder_point=30)
    assert propose(KNOWN, Position(31), own).units == 0
    assert propose(KNOWN, Position(30), own).units == 70
    high = propose(Demand(60, 0, 0.0, 0.0), Position(5), replace(TERMS, reorder_point=40))
    assert (high.point, high.level, high.units) == (40, 40, 35)


def test_little_knowledge_is_said() -> None:
    assert propose(Demand(3, 87, 1.0, 0.0), Position(0), TERMS).remarks == ("only 3 days of demand are known",)


def test_the_back_test_holds_the_forecast_of_the_days_before_against_what_came() -> None:
    # Days 0 to 61: 2 a day. Days 62 to 89: 3 a day, but 7 of them out of stock.
    demand = {day: 2 if day < 62 else 3 for day in range(90)}
    out = sum(1 << day for day in range(70, 77))
    found = back_test(History(90, demand, WHOLE & ~out), 28)
    assert found is not None
    assert (found.days, found.forecast, found.actual, found.error) == (21, 42.0, 63, -21.0)
    assert back_test(History(90, demand, 0), 28) is None


def test_a_place_gives_away_only_what_is_above_its_level() -> None:
    assert surplus(propose(KNOWN, Position(150, waiting=10), TERMS)) == 40
    assert surplus(propose(KNOWN, Position(90, incoming=500), TERMS)) == 0


@given(
    per_day=st.integers(0, 40),
    deviation=st.integers(0, 20),
    available=st.integers(-20, 500),
    incoming=st.integers(0, 200),
    lead=st.integers(0, 90),
    review=st.integers(1, 30),
    pack=st.integers(1, 24),
    minimum=st.integers(0, 100),
    most=st.none() | st.integers(0, 2000),
    service=st.integers(50, 99),
)
def test_a_proposal_is_whole_packs_within_minimum_and_maximum_and_reaches_the_level(
    per_day: int,
    deviation: int,
    available: int,
    incoming: int,
    lead: int,
    review: int,
    pack: int,
    minimum: int,
    most: int | None,
    service: int,
) -> None:
    terms = Terms(lead, review, service, pack, minimum, most)
    found = propose(Demand(60, 0, per_day, deviation), Position(available, incoming), terms)
    after = found.position.units + found.units
    assert found.units % pack == 0
    assert found.units == 0 or found.units >= minimum
    assert found.units == 0 or most is None or after <= most
    assert found.units == 0 or found.position.units <= found.point
    if found.position.units <= found.point and most is None:
        assert after >= found.level
        assert found.units < max(found.level - found.position.units, minimum) + pack


@given(st.lists(st.integers(0, 50), min_size=2, max_size=60))
def test_mean_and_deviation_are_those_of_the_books(units: list[int]) -> None:
    from statistics import fmean, stdev

    found = demand_of(History(len(units), dict(enumerate(units)), (1 << len(units)) - 1))
    assert found.per_day == pytest.approx(fmean(units))
    assert found.deviation == pytest.approx(stdev(units), abs=1e-6)
