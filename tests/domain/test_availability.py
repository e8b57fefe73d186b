"""What a channel may sell. Figures worked by hand from the formula."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.availability import publishable

UNITS = st.lists(st.integers(-50, 200), max_size=6)


def test_free_units_of_all_places_less_what_is_promised_and_what_is_kept():
    assert publishable([30 - 12, 7], threshold=5, unrouted=4) == 16


def test_one_place_that_is_short_does_not_eat_another_ones_stock():
    assert publishable([2 - 12, 20]) == 20


def test_each_channel_keeps_its_own_threshold():
    assert publishable([20], threshold=15) == 5
    assert publishable([20], threshold=5) == 15


def test_a_pack_is_sold_only_whole():
    assert [publishable([units], pack_size=6) for units in (0, 5, 6, 17, 18)] == [0, 0, 1, 2, 3]
    assert publishable([3, 3], pack_size=6) == 1


def test_nothing_is_never_less_than_nothing():
    assert publishable([]) == 0
    assert publishable([-4, -1]) == 0
    assert publishable([3], unrouted=9) == 0


@given(UNITS, st.integers(0, 40), st.integers(0, 40), st.integers(1, 12))
def test_never_more_is_offered_than_stands_on_the_shelves(units, unrouted, threshold, pack):
    offered = publishable(units, unrouted=unrouted, threshold=threshold, pack_size=pack)
    free = sum(unit for unit in units if unit > 0)
    assert offered >= 0
    assert offered == 0 or offered * pack + unrouted + threshold <= free
    assert (offered + 1) * pack + unrouted + threshold > free  # and not one pack less than could be sold


@given(UNITS, st.integers(0, 40), st.integers(0, 40))
def test_a_higher_threshold_or_one_more_promise_never_offers_more(units, unrouted, threshold):
    offered = publishable(units, unrouted=unrouted, threshold=threshold)
    assert publishable(units, unrouted=unrouted + 1, threshold=threshold) <= offered
    assert publishable(units, unrouted=unrouted, threshold=threshold + 1) <= offered
