"""One word for where an order stands."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.phase import OrderFacts, Work, fulfillment, phase

OPEN = OrderFacts("open", ordered=3, cancelled=0, routed=0, shipped=0, delivered=0, on_hold=False)
AT_WORK = Work("in_progress", "accepted")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (replace(OPEN, lifecycle="pending"), "pending"),
        (replace(OPEN, lifecycle="pending", on_hold=True), "on_hold"),
        (OPEN, "backordered"),
        (replace(OPEN, routed=3, work=(Work("open", "unsubmitted"),)), "routed"),
        (replace(OPEN, routed=3, work=(Work("open", "submitted"),)), "in_fulfilment"),
        (replace(OPEN, routed=3, work=(AT_WORK,)), "in_fulfilment"),
        (replace(OPEN, routed=2, work=(AT_WORK,)), "backordered"),
        (replace(OPEN, unfillable=1), "unfillable"),
        (replace(OPEN, unfillable=1, routed=2, work=(AT_WORK,)), "unfillable"),
        (replace(OPEN, unfillable=1, on_hold=True), "on_hold"),
        (replace(OPEN, unfillable=1, routed=2, work=(Work("in_progress", "cancellation_requested"),)), "amending"),
        (replace(OPEN, routed=3, work=(Work("in_progress", "cancellation_requested"),)), "amending"),
        (replace(OPEN, routed=3, on_hold=True, work=(AT_WORK,)), "on_hold"),
        (replace(OPEN, routed=3, work=(Work("incomplete", "closed"),)), "fulfilment_failed"),
        (replace(OPEN, routed=3, shipped=2, work=(AT_WORK,)), "in_fulfilment"),
        (replace(OPEN, lifecycle="completed", routed=3, shipped=3), "in_transit"),
        (replace(OPEN, lifecycle="completed", routed=3, shipped=3, delivered=3), "delivered"),
        (replace(OPEN, lifecycle="completed", cancelled=1, routed=2, shipped=2, delivered=2), "delivered"),
        (replace(OPEN, lifecycle="cancelled", cancelled=3), "cancelled"),
        (OrderFacts("completed", 0, 0, 0, 0, 0, on_hold=False), "delivered"),
        (OrderFacts("open", 0, 0, 0, 0, 0, on_hold=False), "ready"),
    ],
)
def test_an_order_is_in_the_first_phase_that_is_true(facts: OrderFacts, said: str) -> None:
    assert phase(facts) == said


@given(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
def test_what_has_left_is_all_a_part_or_nothing(ordered: int, cancelled: int, shipped: int) -> None:
    facts = OrderFacts("open", ordered + cancelled, cancelled, shipped, min(shipped, ordered), 0, on_hold=False)
    said = fulfillment(facts)
    assert (said == "unfulfilled") == (facts.shipped == 0)
    assert (said == "fulfilled") == (facts.shipped == ordered > 0)
