"""Buying: one label per reference whatever gets lost, the right rate, the right file."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.carriers.easypost.plugin import EasyPost
from hub.domain.shipping import Label
from hub.sdk import errors
from hub.testing import Fault

CREATE = '"to_address"'  # stands in the body of a creation and of nothing else
BUY = "/buy"


def buy_as_the_hub_does(easypost: EasyPost, request) -> Label:
    """Repeat what may be repeated, and settle an unknown outcome by look-up before buying again."""
    for _ in range(4):
        try:
            return easypost.buy_label(request, key=request.reference)
        except errors.OutcomeUnknown:
            found = easypost.find("buy_label", request.reference)
            if found is not None:
                return found
        except errors.Transient:
            continue
    raise AssertionError("no label after four attempts")


def test_a_label_is_bought_with_its_file_its_price_and_its_tracking(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")

    (shipment,) = sandbox.bought
    assert label.ref == shipment["id"]
    assert (label.carrier, label.service) == ("USPS", "GroundAdvantage")
    assert label.tracking_number == shipment["tracking_code"]
    # 650 g are 23 oz, two pounds begun; ZIP codes beginning with 1 and 0 are one zone apart: 480 + 32 * 2 * 2.
    assert (label.amount_minor, label.currency) == (608, "USD")
    assert label.label.startswith(b"%PDF-")
    assert label.tracking_url == shipment["tracker"]["public_url"]
    assert label.tracker_ref == shipment["tracker"]["id"]
    assert shipment["reference"] == "FO-1001-1"


def test_weight_and_measures_are_sent_in_ounces_and_inches_rounded_up(easypost, sandbox, parcel):
    easypost.buy_label(parcel(), "k")

    sent = sandbox.bought[0]["parcel"]
    # 650 / 28.349523125 = 22.928...; 254, 200 and 100 mm are 10, 7.874... and 3.937... inches.
    assert (sent["weight"], sent["length"], sent["width"], sent["height"]) == (23.0, 10, 7.9, 4)


def test_the_service_asked_for_is_bought_even_when_it_is_dearer(easypost, parcel):
    label = easypost.buy_label(parcel(carrier="usps", service="express"), "k")

    assert (label.carrier, label.service) == ("USPS", "Express")


def test_an_unknown_service_is_refused_naming_what_there_is_and_nothing_is_bought(easypost, sandbox, parcel):
    with pytest.raises(errors.Rejected) as refused:
        easypost.buy_label(parcel(service="Teleport"), "k")

    assert "UPS Ground" in str(refused.value)
    assert "USPS Priority" in str(refused.value)
    assert sandbox.bought == []


def test_only_the_chosen_carrier_accounts_are_rated(opened, parcel):
    easypost = opened(carrier_accounts=["ca_" + "2" * 32])

    assert [rate.carrier for rate in easypost.rates(parcel())] == ["UPS"]


@pytest.mark.parametrize("match", [CREATE, BUY])
@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop", "error_500", "drop"])
def test_a_lost_answer_ends_with_exactly_one_label(easypost, sandbox, parcel, match, kind):
    sandbox.faults.append(Fault(kind, match))

    label = buy_as_the_hub_does(easypost, parcel())

    assert [shipment["id"] for shipment in sandbox.bought] == [label.ref]
    assert label.label.startswith(b"%PDF-")


def test_a_lost_answer_to_the_creation_makes_no_second_shipment(easypost, sandbox, parcel):
    sandbox.faults.append(Fault("effect_then_500", CREATE))

    buy_as_the_hub_does(easypost, parcel())

    assert len(sandbox.shipments) == 1


def test_losing_both_answers_still_ends_with_one_label(easypost, sandbox, parcel):
    sandbox.faults += [Fault("effect_then_drop", CREATE), Fault("effect_then_500", BUY)]

    label = buy_as_the_hub_does(easypost, parcel())

    assert [shipment["id"] for shipment in sandbox.bought] == [label.ref]
    assert len(sandbox.shipments) == 1


def test_buying_twice_with_one_reference_gives_the_same_label(easypost, sandbox, parcel):
    assert easypost.buy_label(parcel(), "k") == easypost.buy_label(parcel(), "k")
    assert len(sandbox.bought) == 1


def test_two_references_are_two_labels(easypost, sandbox, parcel):
    first, second = easypost.buy_label(parcel(), "a"), easypost.buy_label(parcel(reference="FO-1001-2"), "b")

    assert first.tracking_number != second.tracking_number
    assert len(sandbox.bought) == 2


def test_a_shipment_for_another_parcel_is_not_bought_in_its_place(easypost, sandbox, parcel):
    sandbox.faults.append(Fault("effect_then_500", CREATE))
    with pytest.raises(errors.OutcomeUnknown):
        easypost.buy_label(parcel(weight_g=200), "k")

    easypost.buy_label(parcel(weight_g=650), "k")

    assert [shipment["parcel"]["weight"] for shipment in sandbox.bought] == [23.0]


def test_a_shipment_whose_rates_are_old_is_made_anew(easypost, sandbox, parcel):
    sandbox.clock = lambda: datetime.now(UTC) - timedelta(hours=25)
    sandbox.faults.append(Fault("effect_then_500", CREATE))
    with pytest.raises(errors.OutcomeUnknown):
        easypost.buy_label(parcel(), "k")
    sandbox.clock = lambda: datetime.now(UTC)

    easypost.buy_label(parcel(), "k")

    assert (len(sandbox.shipments), len(sandbox.bought)) == (2, 1)


def test_postage_that_exists_already_is_the_label(easypost, sandbox, parcel):
    easypost.buy_label(parcel(), "k")
    bought = sandbox.bought[0]

    again = easypost._bought(bought, parcel())

    assert again["tracking_code"] == bought["tracking_code"]
    assert len(sandbox.bought) == 1


def test_nothing_is_found_for_a_reference_that_was_never_used(easypost):
    assert easypost.find("buy_label", "FO-9") is None


def test_the_list_of_bought_shipments_finds_what_the_reference_does_not(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    # An earlier shipment of the same reference without a label hides the bought one from the direct look-up.
    hidden = {**sandbox.bought[0], "id": "shp_0", "postage_label": None}
    sandbox.shipments = {"shp_0": hidden} | sandbox.shipments

    found = easypost.find("buy_label", "FO-1001-1")

    assert found == label


def test_the_list_is_read_page_by_page(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    bought = sandbox.bought[0]
    others = {f"shp_z{n:04d}": {**bought, "id": f"shp_z{n:04d}", "reference": f"other-{n}"} for n in range(150)}
    sandbox.shipments = {"shp_0": {**bought, "id": "shp_0", "postage_label": None}} | sandbox.shipments | others

    assert easypost.find("buy_label", "FO-1001-1") == label
    assert sandbox.count("GET /v2/shipments") >= 3


def test_a_label_given_back_is_not_found_and_can_be_bought_anew(easypost, sandbox, parcel):
    first = easypost.buy_label(parcel(), "k")
    assert easypost.void(first.ref, "v")

    assert easypost.find("buy_label", "FO-1001-1") is None
    second = easypost.buy_label(parcel(), "k2")
    assert second.ref != first.ref
    assert easypost.buy_label(parcel(), "k2") == second
    assert len(sandbox.bought) == 2


@pytest.mark.parametrize(
    ("asked", "magic"), [("PDF", b"%PDF-"), ("PNG", b"\x89PNG\r\n\x1a\n"), ("ZPL", b"^XA")], ids=["PDF", "PNG", "ZPL"]
)
def test_the_label_comes_in_the_format_asked_for(easypost, parcel, asked, magic):
    label = easypost.buy_label(parcel(label_format=asked), "k")

    assert label.label_format == asked
    assert label.label.startswith(magic)


def test_the_printer_of_the_connection_decides_when_the_request_does_not(opened, parcel):
    label = opened(label_format="ZPL").buy_label(parcel(), "k")

    assert (label.label_format, label.label[:3]) == ("ZPL", b"^XA")


def test_a_label_in_another_format_is_converted(opened, sandbox, parcel):
    opened(label_format="PNG").buy_label(parcel(), "k")

    label = opened(label_format="ZPL").buy_label(parcel(), "k")

    assert label.label.startswith(b"^XA")
    assert len(sandbox.bought) == 1


def test_the_key_is_not_sent_to_the_host_of_the_files(easypost, sandbox, parcel):
    easypost.buy_label(parcel(), "k")

    (fetched,) = [call for call in sandbox.calls if call.path.startswith("/files/")]
    assert "Authorization" not in fetched.headers


@pytest.mark.parametrize("kind", ["error_500", "garbage"])
def test_a_file_that_is_not_there_yet_is_looked_up_again_and_nothing_is_bought_twice(easypost, sandbox, parcel, kind):
    sandbox.faults.append(Fault(kind, "/files/", times=3 if kind == "error_500" else 1))

    with pytest.raises(errors.OutcomeUnknown):
        easypost.buy_label(parcel(), "k")

    found = easypost.find("buy_label", "FO-1001-1")
    assert found is not None
    assert found.label.startswith(b"%PDF-")
    assert len(sandbox.bought) == 1


def test_a_file_that_is_gone_leaves_a_label_with_its_address(easypost, sandbox, parcel):
    label = easypost.buy_label(parcel(), "k")
    sandbox.bought[0]["postage_label"]["label_url"] = f"{sandbox.url}/files/postage_label/gone.pdf"

    again = easypost.buy_label(parcel(), "k")

    assert again == replace(label, label=b"", label_url=f"{sandbox.url}/files/postage_label/gone.pdf")


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 608), ("USD", 608), ("KWD", 608)])
def test_amounts_are_exact_in_currencies_of_none_two_and_three_decimals(easypost, sandbox, parcel, currency, minor):
    sandbox.currency = currency
    text = {"JPY": "608", "USD": "6.08", "KWD": "0.608"}[currency]

    label = easypost.buy_label(parcel(currency=currency), "k")

    assert sandbox.bought[0]["selected_rate"]["rate"] == text
    assert (label.amount_minor, label.currency) == (minor, currency)


def test_a_throttled_purchase_says_when_to_come_back(easypost, sandbox, parcel):
    sandbox.faults.append(Fault("throttle", CREATE, seconds=7))

    with pytest.raises(errors.RateLimited) as limited:
        easypost.buy_label(parcel(), "k")

    assert limited.value.retry_after_s == 7
    assert sandbox.shipments == {}


def test_rates_come_cheapest_first_and_are_not_bought_on(easypost, sandbox, parcel):
    rates = easypost.rates(parcel())

    assert [rate.amount_minor for rate in rates] == [608, 982, 1070, 3090]
    assert [rate.currency for rate in rates] == ["USD"] * 4
    easypost.buy_label(parcel(), "k")
    assert [shipment["reference"] for shipment in sandbox.shipments.values()] == [None, "FO-1001-1"]


def test_a_wrong_key_is_refused_for_good(opened, parcel):
    with pytest.raises(errors.AuthRejected):
        opened(api_key="EZTKwrong").buy_label(parcel(), "k")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"weight_g": 0}, "weight_g"),
        ({"ship_to": {"line1": None}}, "ship_to.line1"),
        ({"ship_to": {"city": None}}, "ship_to.city"),
        ({"ship_from": {"country": None}}, "ship_from.country"),
        ({"ship_to": {"name": None, "company": None}}, "ship_to.name"),
    ],
)
def test_what_is_missing_is_named_before_any_call(easypost, sandbox, parcel, changes, field):
    request = parcel()
    for name, value in changes.items():
        changed = replace(getattr(request, name), **value) if isinstance(value, dict) else value
        request = replace(request, **{name: changed})

    with pytest.raises(errors.Rejected) as refused:
        easypost.buy_label(request, "k")

    assert refused.value.field == field
    assert sandbox.calls == []
