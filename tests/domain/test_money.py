"""Money: exact to the last minor unit."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.money import Money, distribute, exponent, nth_unit_share, to_decimal, to_minor

TOTALS = st.integers(-(10**12), 10**12)


@pytest.mark.parametrize(
    ("currency", "places"), [("JPY", 0), ("EUR", 2), ("USD", 2), ("KWD", 3), ("CLF", 4), ("ISK", 0)]
)
def test_decimal_places_are_those_of_iso_4217(currency, places):
    assert exponent(currency) == places


@pytest.mark.parametrize("code", ["eur", "XXX", "", "EURO", None])
def test_an_unknown_currency_is_an_error_with_its_name(code):
    with pytest.raises(ValueError, match=repr(code)):
        exponent(code)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("10.50", "EUR", 1050),
        ("-0.01", "EUR", -1),
        ("10.5000", "EUR", 1050),
        ("1001", "JPY", 1001),
        ("1.001", "KWD", 1001),
        ("1e2", "EUR", 10000),
    ],
)
def test_decimal_text_becomes_minor_units(text, currency, minor):
    assert to_minor(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("0.005", "EUR"), ("1.5", "JPY"), ("1.0001", "KWD"), ("1,50", "EUR"), ("", "EUR"), ("NaN", "EUR"), ("1_0", "EUR"),
        ("Infinity", "EUR"), ("1e400", "EUR"), ("99999999999999999999", "EUR"), (1.5, "EUR"), (None, "EUR"),
        ("1.0000000000000000000000000000001", "EUR"), ("1." + "0" * 50 + "1", "EUR"),
    ],
)  # fmt: skip
def test_what_is_not_exact_or_no_amount_is_refused(text, currency):
    with pytest.raises(ValueError, match=r"not a decimal amount|not a whole number|too large"):
        to_minor(text, currency)


@given(TOTALS, st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_minor_units_survive_the_way_out_and_back(minor, currency):
    assert to_minor(to_decimal(minor, currency), currency) == minor


@given(st.from_regex(r"\A[-+ ]?[0-9\u0663]{0,11}\.?[0-9]{0,4}\Z"), st.sampled_from(["JPY", "EUR", "KWD"]))
def test_text_and_number_of_one_amount_are_the_same_minor_units(text, currency):
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = None
    if number is None or number != round(number, exponent(currency)):
        with pytest.raises(ValueError, match=r"not a decimal amount|not a whole number"):
            to_minor(text, currency)
    else:
        assert to_minor(text, currency) == to_minor(number, currency) == number.scaleb(exponent(currency))


def test_decimal_text_has_all_places_of_its_currency():
    assert [to_decimal(-5, "EUR"), to_decimal(1001, "JPY"), to_decimal(1001, "KWD")] == ["-0.05", "1001", "1.001"]


def test_two_currencies_are_never_added_or_compared():
    euro, dollar = Money(100, "EUR"), Money(100, "USD")
    assert euro + euro == Money(200, "EUR")
    assert euro - Money(150, "EUR") == Money(-50, "EUR")
    assert -euro * 3 == Money(-300, "EUR")
    assert str(euro) == "1.00 EUR"
    for act in (lambda: euro + dollar, lambda: euro - dollar, lambda: euro < dollar, lambda: euro <= dollar):
        with pytest.raises(ValueError, match="two currencies"):
            act()
    with pytest.raises(ValueError, match="ISO 4217"):
        Money(1, "EURO")


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (1000, [3333, 3333, 3334], [333, 333, 334]),
        (1999, [120, 35, 44], [1205, 352, 442]),
        (1001, [1, 1], [501, 500]),
        (-1001, [1, 1], [-501, -500]),
        (2, [1, 1, 1], [1, 1, 0]),
        (0, [0, 0], [0, 0]),
        (5, [0, 1], [0, 5]),
        (0, [], []),
    ],
)
def test_a_total_is_spread_by_largest_remainder_with_ties_to_the_earlier(total, weights, parts):
    assert distribute(total, weights) == parts


@pytest.mark.parametrize(("total", "weights"), [(5, [0, 0]), (5, []), (5, [1, -1])])
def test_what_has_no_fair_split_is_refused(total, weights):
    with pytest.raises(ValueError, match="weight"):
        distribute(total, weights)


@given(TOTALS, st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any))
def test_parts_sum_up_exactly_and_none_is_off_by_a_whole_unit(total, weights):
    parts = distribute(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert all(abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True))


def test_a_line_refunded_unit_by_unit_gives_back_the_line():
    assert [nth_unit_share(1000, 3, n) for n in (1, 2, 3)] == [333, 333, 334]
    assert nth_unit_share(1000, 3, 1) + nth_unit_share(1000, 3, 2) == 666
    assert [nth_unit_share(-1000, 3, n) for n in (1, 2, 3)] == [-333, -333, -334]


@given(TOTALS, st.integers(1, 60))
def test_all_units_together_are_worth_the_line(total, units):
    assert sum(nth_unit_share(total, units, n) for n in range(1, units + 1)) == total


@pytest.mark.parametrize("n", [0, 4, -1])
def test_a_unit_that_does_not_exist_has_no_share(n):
    with pytest.raises(ValueError, match="does not exist"):
        nth_unit_share(1000, 3, n)
