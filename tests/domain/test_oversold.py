"""What is proposed for orders whose units are gone. Orders are named newest first; the oldest is served first."""

from __future__ import annotations

import pytest

from hub.domain.oversold import propose


@pytest.mark.parametrize(
    ("wanted", "elsewhere", "incoming", "buyable", "expected"),
    [
        ([2], {"EAST": 2}, 0, False, ["send it from EAST"]),
        ([2], {"EAST": 2, "HUB": 5}, 0, False, ["send it from HUB"]),
        ([2, 2], {"EAST": 3}, 0, True, ["buy more, or cancel it", "send it from EAST"]),
        ([4], {"EAST": 3, "HUB": 1}, 0, True, ["bring units here from EAST by a transfer"]),
        ([4], {"EAST": 3}, 4, True, ["wait for the units that are on their way"]),
        ([3, 4], {}, 4, True, ["buy more, or cancel it", "wait for the units that are on their way"]),
        ([1], {}, 0, False, ["cancel it: nothing is left and nobody supplies it"]),
        ([], {"EAST": 3}, 0, True, []),
    ],
)
def test_each_order_is_offered_the_least_that_serves_it(wanted, elsewhere, incoming, buyable, expected):
    found = propose(wanted, elsewhere, incoming, buyable=buyable)
    assert [one.words for one in found] == expected
