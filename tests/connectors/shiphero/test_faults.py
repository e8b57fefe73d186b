"""What ShipHero's messages mean."""

from __future__ import annotations

import pytest

from connectors.threepl.shiphero.faults import classify
from hub.sdk import errors


@pytest.mark.parametrize(
    ("message", "code", "safe", "expected"),
    [
        ("Order not found", 5, True, errors.NotFound),
        ("Order not found", 4, False, errors.NotFound),
        ("Argument sku is required", 3, False, errors.Rejected),
        ("Not enough credits", 30, False, errors.RateLimited),
        ("You are not authorized to perform this action", 5, False, errors.MissingPermission),
        ("Token has expired", 2, False, errors.AuthRejected),
        ("An order with this number already exists", 3, False, errors.AlreadyDone),
        ("Unexpected error", 1, True, errors.Transient),
        ("Unexpected error", 1, False, errors.OutcomeUnknown),
        ('Cannot query field "x" on type "Order".', None, True, errors.SchemaDrift),
        ("Address could not be used", 3, False, errors.Rejected),
    ],
)
def test_the_message_decides(message, code, safe, expected):
    error = classify("order_update", [{"message": message, "code": code, "request_id": "r1"}], safe=safe)
    assert type(error) is expected
    assert message in str(error)
    assert "r1" in str(error)


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"time_remaining": "7 seconds"}, 7.0),
        ({"time_remaining": 3}, 3.0),
        ({"time_remaining": "0 seconds"}, 1.0),
        ({"required_credits": 1200, "remaining_credits": 0}, 20.0),
        ({}, 10.0),
    ],
)
def test_the_wait_is_what_shiphero_says_or_what_the_missing_credits_take(more, seconds):
    error = classify("orders", [{"message": "Not enough credits", "code": 30, **more}], safe=True)
    assert isinstance(error, errors.RateLimited)
    assert error.retry_after_s == seconds


def test_neither_data_nor_error_is_nothing_for_a_read_and_unknown_for_a_write():
    assert isinstance(classify("order", [], safe=True), errors.NotFound)
    assert isinstance(classify("order_create", [], safe=False), errors.OutcomeUnknown)
