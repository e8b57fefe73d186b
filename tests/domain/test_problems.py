"""Many errors, one problem."""

from __future__ import annotations

from typing import get_args

import pytest

from hub.domain import problems


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("order 1001 has no sku", "order 1002 has no sku"),
        ("line 'MUG' is unknown", "line 'TEE' is unknown"),
        ("FO-7K2M9QWXYZ was refused", "FO-AAAAAAAAAA was refused"),
        ("no answer after 3.5 s", "no answer after 12 s"),
        ("mail to anna@example.com", "mail to bert@example.com"),
    ],
)
def test_what_differs_from_row_to_row_is_left_out(one: str, other: str) -> None:
    assert problems.normalised(one) == problems.normalised(other)


def test_different_errors_stay_apart() -> None:
    assert problems.normalised("the address is missing") != problems.normalised("the name is missing")


@pytest.mark.parametrize(
    "code", ["malformed", "schema_drift", "invalid_document", "mapping_failed", "privacy_request", "gave_up", "new"]
)
def test_every_parked_row_says_what_to_do(code: str) -> None:
    words = problems.of_inbox("Web shop", "orders", code, "lines[0].sku")
    assert "Web shop" in words.title
    assert words.next_step.endswith(".")
    assert words.move in get_args(problems.Move)


@pytest.mark.parametrize("status", ["dead", "rejected", "unknown", "held"])
@pytest.mark.parametrize("operation", ["submit", "cancel", "buy_label", "void", "confirm", "post", "new_one"])
def test_every_failed_message_says_whose_move_it_is(operation: str, status: str) -> None:
    assert problems.of_outbox("3PL", operation, status, looked_up=False).move == "yours"
    words = problems.of_outbox("3PL", operation, status, looked_up=True)
    assert (words.move == "theirs") == (status == "unknown")


def test_what_a_store_refuses_is_settled_by_a_choice_and_not_by_a_release() -> None:
    said = problems.of_hold("Web shop", "pickup_refused")
    assert said.title == "Web shop: a store cannot have it ready"
    assert "another store, shipped instead, or cancelled" in said.next_step
    assert "release" not in said.next_step
