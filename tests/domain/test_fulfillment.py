"""The machines of a fulfillment order: what is not on the list is refused, with what is."""

from __future__ import annotations

from itertools import product

import pytest

from hub.domain.fulfillment import EXEC, REQUEST, Machine, MoveRefusedError, check, way
from hub.store.tables.fulfillment import EXEC_STATUSES, REQUEST_STATUSES

# As the domain's page draws them.
WORK = {
    "scheduled": {"open", "cancelled"},
    "open": {"in_progress", "closed", "cancelled"},
    "in_progress": {"closed", "incomplete", "cancelled", "open"},
    "incomplete": {"closed"},
    "closed": set(),
    "cancelled": set(),
}
ASKED = {
    "unsubmitted": {"submitted"},
    "submitted": {"accepted", "rejected", "timed_out", "cancellation_requested"},
    "accepted": {"cancellation_requested", "closed"},
    "cancellation_requested": {"cancellation_accepted", "cancellation_rejected"},
    "cancellation_rejected": {"cancellation_requested", "closed"},
    "rejected": set(),
    "timed_out": set(),
    "cancellation_accepted": set(),
    "closed": set(),
}
both = pytest.mark.parametrize(("machine", "drawn"), [(EXEC, WORK), (REQUEST, ASKED)], ids=["work", "request"])


@both
def test_every_move_on_the_page_is_allowed_and_no_other(machine: Machine, drawn: dict[str, set[str]]) -> None:
    for one, other in product(drawn, drawn):
        if other in drawn[one]:
            check(machine, one, other)
        else:
            with pytest.raises(MoveRefusedError):
                check(machine, one, other)


def test_a_refusal_lists_where_it_can_go() -> None:
    with pytest.raises(MoveRefusedError, match="from scheduled to closed; it can go to: open, cancelled"):
        check(EXEC, "scheduled", "closed")
    with pytest.raises(MoveRefusedError, match="nowhere, it is final"):
        check(REQUEST, "timed_out", "accepted")


@both
def test_news_that_come_together_are_moves_on_the_list_one_after_another(
    machine: Machine, drawn: dict[str, set[str]]
) -> None:
    for one, other in product(drawn, drawn):
        try:
            steps = way(machine, one, other)
        except MoveRefusedError:
            continue
        for before, after in zip((one, *steps), steps, strict=False):
            assert after in drawn[before]
        assert (one, *steps)[-1] == other


@pytest.mark.parametrize("final", ["rejected", "timed_out", "cancellation_accepted", "closed"])
def test_what_is_final_stays(final: str) -> None:
    for other in ASKED.keys() - {final}:
        with pytest.raises(MoveRefusedError):
            way(REQUEST, final, other)


def test_a_shipment_that_is_reported_first_was_accepted_too() -> None:
    assert way(REQUEST, "unsubmitted", "closed") == ("submitted", "accepted", "closed")


def test_the_tables_know_the_same_states() -> None:
    assert set(EXEC_STATUSES) == set(EXEC)
    assert set(REQUEST_STATUSES) == set(REQUEST)
