"""The `http` strategy: who decides outside is asked over the guarded client, and by rank where no good answer comes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from hub.domain.routing.rankers import BUILT_IN
from hub.flows.strategies import Adviser, adviser
from hub.sdk.network import networks, session
from tests.domain.routing.towns import by_code, world
from tests.flows.outside import Outside, outside_open
from tests.sdk.chaos import Bucket

ORDER = world("PHL A, CHI A")


@pytest.fixture
def outside() -> Iterator[Outside]:
    with outside_open() as server:
        yield server


def asking(outside: Outside, *, allowed: str = "127.0.0.0/8", time_limit_s: float = 2.0) -> Adviser:
    guarded = session(networks([allowed]))
    return adviser(outside.url, guarded, Bucket(), token="s3cret", time_limit_s=time_limit_s)


def test_the_outside_decision_is_taken_when_it_holds(outside: Outside) -> None:
    decided = asking(outside).strategy(ORDER, BUILT_IN)
    assert by_code(ORDER, decided) == {"CHI": {"l1": 1}}, "by rank it would be PHL"
    assert decided.strategy == "http@2"
    [asked] = outside.asked
    assert asked["token"] == "Bearer s3cret"
    assert [one["code"] for one in asked["question"]["input"]["locations"]] == ["CHI", "PHL"]


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        ({"status": 500}, "500"),
        ({"status": 404}, "404"),
        ({"body": b"<html>"}, "not JSON"),
        ({"location": "id-nowhere"}, "no location"),
    ],
)
def test_without_a_good_answer_the_order_is_routed_by_rank_and_the_trace_says_why(
    outside: Outside, trouble: dict[str, Any], why: str
) -> None:
    for name, value in trouble.items():
        setattr(outside, name, value)
    decided = asking(outside).strategy(ORDER, BUILT_IN)
    assert by_code(ORDER, decided) == {"PHL": {"l1": 1}}
    assert decided.strategy == "ranked@4"
    assert why in decided.trace["steps"][0]["tried"][0]["why_not"]


def test_who_answers_too_late_is_not_waited_for(outside: Outside) -> None:
    outside.sleeps = True
    decided = asking(outside, time_limit_s=0.3).strategy(ORDER, BUILT_IN)
    assert by_code(ORDER, decided) == {"PHL": {"l1": 1}}
    assert "no answer from outside" in decided.trace["steps"][0]["tried"][0]["why_not"]


def test_a_private_address_is_not_called_unless_it_is_allowed(outside: Outside) -> None:
    decided = asking(outside, allowed="10.99.0.0/16").strategy(ORDER, BUILT_IN)
    assert outside.asked == []
    assert by_code(ORDER, decided) == {"PHL": {"l1": 1}}
