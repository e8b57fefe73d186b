"""Goods on order are promised first come first served, and a promise moves only when it has to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.promises import Promise, Supply, Waiting, allot
from hub.domain.routing.rules import Turn

SEP_1, SEP_15, OCT_1 = date(2026, 9, 1), date(2026, 9, 15), date(2026, 10, 1)
START = datetime(2026, 8, 1, tzinfo=UTC)


def wait(name: str, units: int, minute: int = 0) -> Waiting:
    return Waiting(name, Turn(f"order {name}", START + timedelta(minutes=minute)), units)


A, B, C = wait("A", 6, 1), wait("B", 6, 2), wait("C", 5, 3)


def told(promises: tuple[Promise, ...]) -> dict[str, tuple[dict[str, int], date | None]]:
    return {one.line_id: ({share.supply_id: share.units for share in one.shares}, one.due) for one in promises}


def test_p1_pre_orders_are_allotted_first_come_first_served_to_purchase_orders_by_date() -> None:
    promises = allot([Supply("PO2", 10, OCT_1), Supply("PO1", 10, SEP_1)], [C, A, B])
    assert told(promises) == {
        "A": ({"PO1": 6}, SEP_1),
        "B": ({"PO1": 4, "PO2": 2}, OCT_1),
        "C": ({"PO2": 5}, OCT_1),
    }


def test_p2_a_purchase_order_that_slips_moves_only_the_promises_that_rest_on_it() -> None:
    before = told(allot([Supply("PO1", 10, SEP_1), Supply("PO2", 10, OCT_1)], [A, B, C]))
    after = told(allot([Supply("PO1", 10, SEP_15), Supply("PO2", 10, OCT_1)], [A, B, C]))
    assert {name for name in after if after[name][1] != before[name][1]} == {"A"}
    assert after["A"] == ({"PO1": 6}, SEP_15)


def test_a_line_for_which_too_little_is_on_order_is_promised_no_day_and_keeps_its_units() -> None:
    promises = told(allot([Supply("PO1", 8, SEP_1)], [A, B]))
    assert promises == {"A": ({"PO1": 6}, SEP_1), "B": ({"PO1": 2}, None)}


def test_goods_on_the_shelf_are_for_those_who_came_first_and_move_no_promise() -> None:
    first, second, third = allot([Supply("PO2", 10, OCT_1)], [A, B, C], on_shelf=8)
    assert (first.is_there, first.shares) == (True, ())
    assert (second.is_there, second.due, [share.units for share in second.shares]) == (False, OCT_1, [4])
    assert (third.is_there, third.due) == (False, OCT_1)


def test_who_has_an_earlier_turn_is_promised_the_earlier_goods() -> None:
    parcel = Waiting("P", Turn("order P", START + timedelta(minutes=9), ship_by=SEP_1), 8)
    supplies = [Supply("PO1", 10, SEP_1), Supply("PO2", 10, OCT_1)]
    assert told(allot(supplies, [A, parcel])) == {"P": ({"PO1": 8}, SEP_1), "A": ({"PO1": 2, "PO2": 4}, OCT_1)}
    assert told(allot(supplies, [A, parcel], sort=["placed_at"]))["A"] == ({"PO1": 6}, SEP_1)


def test_goods_without_a_day_are_given_last_and_promise_no_day() -> None:
    promises = told(allot([Supply("PO1", 6, None), Supply("PO2", 6, OCT_1)], [A, B]))
    assert promises == {"A": ({"PO2": 6}, OCT_1), "B": ({"PO1": 6}, None)}


def test_orders_of_the_same_moment_are_served_by_their_id() -> None:
    twins = [wait("Y", 1), wait("X", 1)]
    assert told(allot([Supply("PO1", 1, SEP_1)], twins)) == {"X": ({"PO1": 1}, SEP_1), "Y": ({}, None)}


days = st.none() | st.integers(0, 5).map(lambda days: SEP_1 + timedelta(days=days))
supplies = st.lists(st.tuples(st.integers(0, 12), days), max_size=6).map(
    lambda rows: [Supply(f"PO{index}", units, due) for index, (units, due) in enumerate(rows)]
)
lines = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 4)), max_size=8).map(
    lambda rows: [wait(f"L{index}", units, minute) for index, (units, minute) in enumerate(rows)]
)


@given(supplies, lines)
def test_no_more_is_promised_than_is_open_and_no_line_gets_more_than_it_wants(
    supplies: list[Supply], lines: list[Waiting]
) -> None:
    promises = allot(supplies, lines)
    for supply in supplies:
        given_away = sum(share.units for one in promises for share in one.shares if share.supply_id == supply.id)
        assert given_away <= supply.units
    wanted = {one.line_id: one.units for one in lines}
    assert {one.line_id for one in promises} == set(wanted)
    assert all(sum(share.units for share in one.shares) <= wanted[one.line_id] for one in promises)
    promised = sum(share.units for one in promises for share in one.shares)
    assert promised == min(sum(one.units for one in supplies), sum(wanted.values()))


@given(supplies, lines)
def test_nobody_is_served_before_somebody_who_ordered_earlier(supplies: list[Supply], lines: list[Waiting]) -> None:
    order = [one.line_id for one in sorted(lines, key=lambda one: (one.turn.placed_at, one.turn.id))]
    promises = {one.line_id: one for one in allot(supplies, lines)}
    wanted = {one.line_id: one.units for one in lines}
    missing = [wanted[name] - sum(share.units for share in promises[name].shares) for name in order]
    short = [index for index, units in enumerate(missing) if units]
    assert all(not promises[name].shares for name in order[short[0] + 1 :]) if short else True
    dues = [share.due or date.max for name in order for share in promises[name].shares]
    assert dues == sorted(dues), "the earlier order gets the earlier goods"


@given(supplies, lines, st.randoms())
def test_the_answer_does_not_depend_on_the_order_of_the_rows(supplies, lines, random) -> None:
    mixed = random.sample(supplies, len(supplies)), random.sample(lines, len(lines))
    assert told(allot(*mixed)) == told(allot(supplies, lines))
