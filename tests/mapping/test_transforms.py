"""Transforms hold under what platforms really send."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain import money
from hub.mapping import transforms
from hub.mapping.countries import country

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=ZONES)  # noqa: DTZ001 - zones are drawn


@given(st.integers(-(10**12), 10**12), st.sampled_from(["JPY", "EUR", "KWD", "CLF"]))
def test_an_amount_comes_through_text_and_float_unchanged(minor, currency):
    text = money.to_decimal(minor, currency)
    assert transforms.minor(text, currency) == minor
    assert transforms.minor(float(text), currency) == minor


@given(st.lists(st.decimals(-(10**9), 10**9, places=4, allow_nan=False), max_size=8))
def test_a_sum_of_decimals_is_exact(amounts):
    assert Decimal(transforms.sum_decimal([str(amount) for amount in amounts])) == sum(amounts, Decimal(0))


@given(MOMENTS, MOMENTS)
def test_revisions_compare_as_text_like_their_moments(one, other):
    one_text, other_text = transforms.revision(one.isoformat()), transforms.revision(other.isoformat())
    assert (one_text < other_text) == (one < other)
    assert len(one_text) == len("2026-01-02T03:04:05.000000Z")


@given(MOMENTS)
def test_a_datetime_names_the_same_moment_in_utc(moment):
    text = transforms.date_time(moment.isoformat())
    assert text.endswith("Z")
    assert datetime.fromisoformat(text) == moment.astimezone(UTC)


@pytest.mark.parametrize(
    "value", ["1e999999", "-1E+50", "0e99999", "1e-999999", "NaN", "Infinity", "1_000", "", " ", True, None, [], {}]
)
def test_what_is_no_figure_of_trade_is_refused(value):
    for change in (transforms.decimal, transforms.integer, transforms.negate):
        with pytest.raises(ValueError, match=r"is not|has too many digits"):
            change(value)


def test_long_decimals_lose_no_digit():
    long = "1234567890.12345678901234567890123456789"
    assert transforms.decimal(long) == long
    assert transforms.negate(long) == f"-{long}"
    assert transforms.absolute(f"-{long}") == long
    assert transforms.sum_decimal([long, "1"]) == "1234567891.12345678901234567890123456789"


@pytest.mark.parametrize("currency", [None, "", "XYZ", 978])
def test_an_amount_without_a_known_currency_is_refused(currency):
    with pytest.raises(ValueError, match="currency"):
        transforms.minor("1.00", currency)


@pytest.mark.parametrize("value", ["2026-01-02", "2026-13-01T00:00:00Z", "yesterday at ten", 1767323045, None])
def test_what_is_no_moment_is_refused(value):
    with pytest.raises(ValueError, match="is not a date with time"):
        transforms.date_time(value)


def test_a_date_in_a_zone_is_the_day_it_is_there():
    assert transforms.day("2026-03-08T04:30:00Z", "America/New_York") == "2026-03-07"
    assert transforms.day("2026-03-08", "America/New_York") == "2026-03-08"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("gb", "GB"), ("UK", "GB"), ("England", "GB"), ("276", "DE"), ("DEU", "DE"), ("Österreich", "AT"),
        ("Cote d'Ivoire", "CI"), ("The Netherlands", "NL"), ("Czech Republic", "CZ"), ("CZECHIA", "CZ"),
        ("United States of America", "US"), ("U.S.A.", "US"), ("Bosnia and Herzegovina", "BA"), ("日本", "JP"),
        ("Viet Nam", "VN"), ("Türkiye", "TR"), ("Turkey", "TR"), ("XK", "XK"), ("España", "ES"),
    ],
)  # fmt: skip
def test_countries_are_known_by_code_and_by_name(written, code):
    assert country(written) == code


@pytest.mark.parametrize("written", ["", "EU", "ZZ", "QQ", "Europe", "AN", None, 276])
def test_what_is_no_country_is_refused(written):
    with pytest.raises(ValueError, match="is not a country"):
        country(written)


def test_a_weight_is_rounded_to_whole_grams_half_up():
    assert transforms.unit_g("0.0005", "kg") == 1
    assert transforms.unit_g(2.5, "lb") == 1134
    assert transforms.unit_g(16, "OUNCES") == 454
    assert transforms.unit_g("500", "Gram") == 500
    with pytest.raises(ValueError, match="unit of weight"):
        transforms.unit_g(1, None)
