"""Parcels across a customs border: everything known before EasyPost is asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connectors.carriers.easypost.customs import needs_customs
from hub.domain.documents import Address
from hub.sdk import errors

BERLIN = Address(name="Ada Example", line1="Torstr. 1", city="Berlin", postal_code="10119", country="DE")
TORONTO = Address(
    name="Ada Example", line1="1 King St", city="Toronto", region="ON", postal_code="M5H 1A1", country="CA"
)


def test_a_parcel_abroad_carries_its_declaration(opened, sandbox, parcel):
    opened(customs_signer="Ada Example").buy_label(parcel(ship_to=BERLIN), "k")

    declared = sandbox.bought[0]["customs_info"]
    (item,) = declared["customs_items"]
    assert (declared["customs_signer"], declared["customs_certify"]) == ("Ada Example", True)
    assert declared["eel_pfc"] == "NOEEI 30.37(a)"
    # Both mugs together: 25.00 USD and 600 g, which are 21.164... ounces.
    assert (item["description"], item["quantity"], item["value"], item["weight"]) == ("Blue mug", 2, "25.00", 21.2)
    assert (item["hs_tariff_number"], item["origin_country"]) == ("691200", "PT")


def test_values_in_another_currency_than_the_dollar_say_which(opened, sandbox, parcel):
    opened(customs_signer="Ada Example").buy_label(parcel(ship_to=BERLIN, currency="EUR"), "k")

    assert sandbox.bought[0]["customs_info"]["customs_items"][0]["currency"] == "EUR"


@pytest.mark.parametrize(
    ("missing", "field"),
    [
        ({"hs_code": None}, "lines[0].hs_code"),
        ({"hs_code": "n/a"}, "lines[0].hs_code"),
        ({"origin_country": None}, "lines[0].origin_country"),
        ({"weight_g": None}, "lines[0].weight_g"),
        ({"price_minor": 0}, "lines[0].price_minor"),
    ],
)
def test_what_customs_would_miss_is_named_before_any_call(opened, sandbox, parcel, missing, field):
    request = parcel(ship_to=BERLIN)
    request = replace(request, lines=(replace(request.lines[0], **missing),))

    with pytest.raises(errors.Rejected) as refused:
        opened(customs_signer="Ada Example").buy_label(request, "k")

    assert refused.value.field == field
    assert "MUG" in str(refused.value)
    assert sandbox.calls == []


def test_somebody_must_be_set_to_sign(easypost, sandbox, parcel):
    with pytest.raises(errors.ConfigInvalid) as wrong:
        easypost.buy_label(parcel(ship_to=BERLIN), "k")

    assert wrong.value.field == "customs_signer"
    assert sandbox.calls == []


def test_exports_to_canada_have_an_exemption_of_their_own(opened, sandbox, parcel):
    opened(customs_signer="Ada Example").buy_label(parcel(ship_to=TORONTO), "k")

    assert sandbox.bought[0]["customs_info"]["eel_pfc"] == "NOEEI 30.36"


def test_dear_exports_need_a_transaction_number(opened, sandbox, parcel):
    request = parcel(ship_to=BERLIN)
    half = replace(request.lines[0], quantity=1, price_minor=125_001)
    request = replace(request, lines=(half, replace(half, sku="RED-MUG")))

    with pytest.raises(errors.Rejected) as refused:
        opened(customs_signer="Ada Example").buy_label(request, "k")
    assert refused.value.field == "eel_pfc"

    opened(customs_signer="Ada Example", eel_pfc="AES X20260101999999").buy_label(request, "k")
    assert sandbox.bought[0]["customs_info"]["eel_pfc"] == "AES X20260101999999"


@pytest.mark.parametrize(
    ("there", "needed"),
    [
        (Address(country="US", region="NY"), False),
        (Address(country="US", region="AE"), True),
        (Address(country="US", region="GU"), True),
        (Address(country="CA"), True),
    ],
)
def test_customs_of_the_united_states(there, needed):
    assert needs_customs(Address(country="US", region="CA"), there) is needed


@pytest.mark.parametrize(("there", "needed"), [("FR", False), ("DE", False), ("CH", True), ("GB", True), ("US", True)])
def test_customs_of_the_union(there, needed):
    assert needs_customs(Address(country="DE"), Address(country=there)) is needed
