"""Asking ShipHero to stop."""

from __future__ import annotations

import pytest

from hub.sdk import errors
from hub.testing import Fault


def test_an_open_order_is_cancelled_and_its_stock_is_free(sandbox, shiphero, request_for):
    ref = shiphero.submit(request_for("FO-1", MUG=2), "key").ref
    assert shiphero.cancel(ref, "customer", "key").accepted is True
    assert sandbox.orders[0]["fulfillment_status"] == "canceled"
    assert next(level["allocated"] for level in sandbox.warehouse.levels.values() if level["sku"] == "MUG") == 0


def test_cancelling_twice_is_accepted_twice_and_asked_once(sandbox, shiphero, request_for):
    ref = shiphero.submit(request_for("FO-1"), "key").ref
    shiphero.cancel(ref, "customer", "key")
    assert shiphero.cancel(ref, "customer", "key").accepted is True
    assert sandbox.count("mutation OrderCancel") == 1


def test_what_was_shipped_is_not_even_tried(sandbox, shiphero, request_for):
    ref = shiphero.submit(request_for("FO-1"), "key").ref
    sandbox.ship("FO-1", "1Z1")
    answer = shiphero.cancel(ref, "customer", "key")
    assert (answer.accepted, answer.reason) == (False, "ShipHero has shipped the order")
    assert sandbox.count("mutation OrderCancel") == 0


def test_what_was_shipped_in_part_is_refused_in_shipheros_words(sandbox, shiphero, request_for):
    ref = shiphero.submit(request_for("FO-1", MUG=2), "key").ref
    sandbox.ship("FO-1", "1Z1", {"MUG": 1})
    answer = shiphero.cancel(ref, "customer", "key")
    assert answer.accepted is False
    assert "valid labels" in answer.reason


@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop"])
def test_a_lost_answer_is_settled_by_asking_again(sandbox, shiphero, request_for, kind):
    ref = shiphero.submit(request_for("FO-1"), "key").ref
    sandbox.faults.append(Fault(kind, "mutation OrderCancel"))
    with pytest.raises(errors.OutcomeUnknown):
        shiphero.cancel(ref, "customer", "key")
    assert shiphero.cancel(ref, "customer", "key").accepted is True


def test_an_order_that_shiphero_does_not_know_is_not_found(shiphero):
    with pytest.raises(errors.NotFound):
        shiphero.cancel("T3JkZXI6OTk5", "customer", "key")
