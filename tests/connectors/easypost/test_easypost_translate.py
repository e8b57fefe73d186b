"""Exact arithmetic and the choice of a rate."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.carriers.easypost import translate
from connectors.carriers.easypost.units import inches, minor, number, ounces
from hub.sdk import errors


@given(st.integers(min_value=1, max_value=2_000_000))
def test_ounces_never_fall_short_and_never_exceed_by_a_tenth(grams: int) -> None:
    short = ounces(grams) * Decimal("28.349523125") - grams
    assert 0 <= short < Decimal("2.8349523125")


@given(st.integers(min_value=1, max_value=100_000))
def test_inches_never_fall_short_and_never_exceed_by_a_tenth(millimetres: int) -> None:
    short = inches(millimetres) * Decimal("25.4") - millimetres
    assert 0 <= short < Decimal("2.54")


@given(st.integers(min_value=0, max_value=10**12), st.integers(min_value=0, max_value=3))
def test_a_decimal_is_the_same_decimal_on_the_wire(amount: int, places: int) -> None:
    value = Decimal(amount).scaleb(-places)
    assert Decimal(repr(number(value))) == value


@pytest.mark.parametrize(("grams", "wanted"), [(1, "0.1"), (28, "1.0"), (29, "1.1"), (454, "16.1"), (1000, "35.3")])
def test_grams_in_ounces(grams: int, wanted: str) -> None:
    assert ounces(grams) == Decimal(wanted)


@pytest.mark.parametrize(
    ("amount", "currency"), [("6.075", "USD"), ("608.5", "JPY"), ("a lot", "USD"), ("6.07", "XXL")]
)
def test_an_amount_that_is_no_whole_number_of_minor_units_is_drift(amount: str, currency: str) -> None:
    with pytest.raises(errors.SchemaDrift) as drift:
        minor(amount, currency, "rates[].rate")
    assert drift.value.path == "rates[].rate"


def rate(ref: str, carrier: str, service: str, price: str, currency: str = "USD") -> dict[str, Any]:
    return {
        "id": ref,
        "carrier": carrier,
        "service": service,
        "rate": price,
        "currency": currency,
        "delivery_days": None,
    }


def test_the_cheapest_is_chosen_by_amount_and_not_by_text(parcel) -> None:
    shipment = {"rates": [rate("a", "USPS", "Express", "9.90"), rate("b", "USPS", "Priority", "10.10")]}

    assert translate.choose_rate(shipment, parcel()).ref == "a"


def test_rates_of_several_currencies_are_not_compared(parcel) -> None:
    shipment = {"rates": [rate("a", "CanadaPost", "Xpresspost", "9.00", "CAD"), rate("b", "USPS", "Priority", "9.90")]}

    assert translate.choose_rate(shipment, parcel()).ref == "b"
    with pytest.raises(errors.Rejected) as refused:
        translate.choose_rate(shipment, parcel(currency="EUR"))
    assert "CanadaPost Xpresspost (CAD), USPS Priority (USD)" in str(refused.value)
    assert translate.choose_rate(shipment, parcel(currency="EUR", carrier="CanadaPost")).currency == "CAD"


def test_what_the_carriers_said_is_passed_on(parcel) -> None:
    shipment = {
        "rates": [],
        "messages": [{"carrier": "UPS", "type": "rate_error", "message": "The postal code is wrong."}],
    }

    with pytest.raises(errors.Rejected, match=r"available: none; carriers said: The postal code is wrong\."):
        translate.choose_rate(shipment, parcel())


def test_a_price_finer_than_a_cent_stops_before_anything_is_bought(easypost, sandbox, parcel) -> None:
    finer = {"rates": [rate("a", "USPS", "Priority", "6.075")], "id": "shp_1"}

    with pytest.raises(errors.SchemaDrift):
        easypost._bought(finer, parcel())
    assert sandbox.calls == []
