"""What is proposed for orders whose units are gone. Orders are named newest first; the oldest is served first."""

from __future__ import annotations

import pytest

from hub.domain.oversold import propose

BUY, KEEP = "buy more, or cancel it", "leave it: the other repairs free its units"
COMING = "wait for the units that are on their way"


@pytest.mark.parametrize(
    ("wanted", "missing", "elsewhere", "incoming", "buyable", "expected"),
    [
        ([2], 2, {"EAST": 2}, 0, False, ["send it from EAST"]),
        ([2], 2, {"EAST": 2, "HUB": 5}, 0, False, ["send it from HUB"]),
        ([2, 2], 4, {"EAST": 3}, 0, True, [BUY, "send it from EAST"]),
        ([1, 3], 3, {"EAST": 3}, 0, False, [KEEP, "send it from EAST"]),
        ([1, 3], 4, {"EAST": 3}, 0, False, ["cancel it: nothing is left and nobody supplies it", "send it from EAST"]),
        ([4], 4, {"EAST": 3, "HUB": 1}, 0, True, ["bring units here from EAST by a transfer"]),
        ([4], 4, {"EAST": 3}, 4, True, [COMING]),
        ([3, 4], 7, {}, 4, True, [BUY, COMING]),
        ([1], 1, {}, 0, False, ["cancel it: nothing is left and nobody supplies it"]),
        ([], 1, {"EAST": 3}, 0, True, []),
    ],
)
def test_each_order_is_offered_the_least_that_serves_it(wanted, missing, elsewhere, incoming, buyable, expected):
    found = propose(wanted, missing, elsewhere, incoming, buyable=buyable)
    assert [one.words for one in found] == expected
