"""Purchase orders go through their states and no others, and take no more than may be received."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.purchasing import (
    MOVES,
    Line,
    PurchaseRefusedError,
    after_receipt,
    check_acknowledged,
    check_cancel,
    check_move,
    check_receipt,
    most,
)

# domain.md D2, PurchaseOrder, word for word.
ALLOWED = {
    ("draft", "ordered"), ("ordered", "acknowledged"), ("acknowledged", "partially_received"),
    ("partially_received", "received"), ("received", "closed"), ("draft", "cancelled"), ("ordered", "cancelled"),
    ("acknowledged", "cancelled"), ("partially_received", "closed_short"),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after"), list(product(MOVES, MOVES)))
def test_every_transition_of_the_design_is_allowed_and_no_other(before: str, after: str) -> None:
    if (before, after) in ALLOWED:
        check_move(before, after)
    else:
        with pytest.raises(PurchaseRefusedError, match=f"{before} to {after}"):
            check_move(before, after)


def test_a_refused_transition_lists_the_states_that_are_allowed_next() -> None:
    with pytest.raises(PurchaseRefusedError, match="next can be: acknowledged, cancelled"):
        check_move("ordered", "closed")
    with pytest.raises(PurchaseRefusedError, match="it is final"):
        check_move("cancelled", "draft")


def test_it_is_not_cancelled_when_anything_was_received() -> None:
    check_cancel("acknowledged", [Line(10)])
    with pytest.raises(PurchaseRefusedError, match="3 units have been received"):
        check_cancel("acknowledged", [Line(10), Line(5, received=3)])


def test_goods_that_arrive_acknowledge_the_order_and_the_last_ones_complete_it() -> None:
    assert after_receipt("ordered", [Line(10, received=4)]) == ("acknowledged", "partially_received")
    assert after_receipt("ordered", [Line(10, received=10)]) == ("acknowledged", "partially_received", "received")
    assert after_receipt("partially_received", [Line(10, received=9)]) == ()
    assert after_receipt("partially_received", [Line(10, received=10)]) == ("received",)
    assert after_receipt("received", [Line(10, received=11)]) == ()


def test_a_line_is_complete_when_what_the_supplier_confirmed_has_arrived() -> None:
    assert Line(10, acknowledged=8, received=8).open == 0
    assert Line(10, received=8).open == 2
    assert Line(10, received=4, closed=6).open == 0


@pytest.mark.parametrize(
    ("ordered", "percent", "allowed"), [(10, 0, 10), (10, 10, 11), (10, 9, 10), (7, 50, 10), (100, 5, 105)]
)
def test_the_most_that_may_be_received_is_the_order_and_its_tolerance(ordered: int, percent: int, allowed: int) -> None:
    assert most(ordered, percent) == allowed
    check_receipt(Line(ordered), allowed, 0, percent)
    with pytest.raises(PurchaseRefusedError, match=f"{allowed} more can be taken"):
        check_receipt(Line(ordered), allowed + 1, 0, percent)


def test_a_confirmation_is_between_what_arrived_and_what_may_arrive() -> None:
    check_acknowledged(Line(10, received=4), 4, 0)
    with pytest.raises(PurchaseRefusedError, match="4 have been received"):
        check_acknowledged(Line(10, received=4), 3, 0)
    with pytest.raises(PurchaseRefusedError, match="at most 11"):
        check_acknowledged(Line(10), 12, 10)


@given(
    ordered=st.integers(1, 200),
    percent=st.integers(0, 100),
    boxes=st.lists(st.tuples(st.integers(1, 80), st.integers(0, 80)), max_size=12),
)
def test_however_goods_arrive_no_more_are_received_than_ordered_and_tolerated(
    ordered: int, percent: int, boxes: list[tuple[int, int]]
) -> None:
    line, status = Line(ordered), "ordered"
    for units, rejected in boxes:
        try:
            check_receipt(line, units, rejected, percent)
        except PurchaseRefusedError:
            continue
        line = Line(ordered, received=line.received + units, rejected=line.rejected + rejected)
        for to in after_receipt(status, [line]):
            check_move(status, to)
            status = to
        assert line.received <= ordered * (100 + percent) / 100
        assert line.rejected <= line.received
        assert (status == "received") == (line.received >= ordered)
