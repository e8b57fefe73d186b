"""Telling Amazon what left."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.marketplaces.amazon.plugin import Amazon
from connectors.marketplaces.amazon.shipments import carrier, package_reference
from hub.domain.shipping import ShipmentNotice, ShippedPackage
from hub.sdk import errors
from hub.testing import Fault, connect


def parcel(lines, number="1Z999", by="UPS", **more):
    return ShippedPackage(tracking_number=number, carrier=by, lines=tuple(lines), **more)


def notice(order, *parcels, reference="FO-1"):
    return ShipmentNotice(reference, order, "2026-11-22T12:00:00Z", tuple(parcels))


@pytest.fixture
def order(shop):
    return shop.place_order([("MUG", 2), ("TEE", 1)])


@pytest.fixture
def lines(shop, order):
    return [item["orderItemId"] for item in shop.orders[order]["orderItems"]]


def test_a_shipped_order_is_confirmed(shop, amazon, order, lines):
    ref = amazon.confirm(notice(order, parcel([(lines[0], 2), (lines[1], 1)], service="Ground")), "key")
    (package,) = shop.packages(order)
    assert (package["packageReferenceId"], package["trackingNumber"], package["carrier"]) == (ref, "1Z999", "UPS")
    assert shop.status(order) == "SHIPPED"
    assert orjson.loads(shop.calls[-1].body)["packageDetail"]["shippingMethod"] == "Ground"


def test_two_parcels_of_one_order_have_two_ids(shop, amazon, order, lines):
    ref = amazon.confirm(notice(order, parcel([(lines[0], 2)], "A"), parcel([(lines[1], 1)], "B")), "key")
    assert [package["packageReferenceId"] for package in shop.packages(order)] == ref.split(",")
    assert len(set(ref.split(","))) == 2


def test_part_of_an_order_leaves_the_rest_open(shop, amazon, order, lines):
    amazon.confirm(notice(order, parcel([(lines[0], 1)])), "key")
    assert shop.status(order) == "PARTIALLY_SHIPPED"


def test_confirming_twice_edits_the_package_instead_of_adding_one(shop, amazon, order, lines):
    amazon.confirm(notice(order, parcel([(lines[0], 2), (lines[1], 1)], "WRONG")), "key")
    amazon.confirm(notice(order, parcel([(lines[0], 2), (lines[1], 1)], "RIGHT")), "key")
    assert [package["trackingNumber"] for package in shop.packages(order)] == ["RIGHT"]


@pytest.mark.parametrize("fault", ["effect_then_500", "effect_then_drop", "error_500", "drop"])
def test_a_lost_answer_leaves_one_package(shop, amazon, order, lines, fault):
    shop.faults.append(Fault(fault, match="shipmentConfirmation"))
    amazon.confirm(notice(order, parcel([(lines[0], 2), (lines[1], 1)])), "key")
    assert len(shop.packages(order)) == 1


def test_more_than_was_ordered_is_refused_in_amazons_words(amazon, order, lines):
    with pytest.raises(errors.Rejected, match="more than what is left") as caught:
        amazon.confirm(notice(order, parcel([(lines[0], 3)])), "key")
    assert caught.value.vendor_code == "InvalidInput"


def test_a_package_without_a_tracking_number_is_refused_before_it_is_sent(shop, amazon, order, lines):
    with pytest.raises(errors.Rejected) as caught:
        amazon.confirm(notice(order, parcel([(lines[0], 2)], None)), "key")
    assert caught.value.field == "tracking_number"
    assert shop.count("shipmentConfirmation") == 0


def test_an_unknown_order_is_not_found(amazon):
    with pytest.raises(errors.NotFound):
        amazon.confirm(notice("902-0000000-0000000", parcel([("1", 1)])), "key")


def test_a_parcel_that_was_confirmed_by_hand_counts_as_confirmed(shop, amazon, order, lines):
    everything = [(lines[0], 2), (lines[1], 1)]
    amazon.confirm(notice(order, parcel(everything, "1Z999"), reference="BY-HAND"), "key")
    amazon.confirm(notice(order, parcel(everything, "1Z999"), reference="FO-1"), "key")
    assert len(shop.packages(order)) == 1
    with pytest.raises(errors.Rejected, match="already fulfilled"):
        amazon.confirm(notice(order, parcel(everything, "OTHER"), reference="FO-2"), "key")


def test_with_several_marketplaces_the_order_says_which_it_is(shop, clock, order, lines):
    both = shop.settings() | {"marketplace_ids": ["A2EUQ1WTGCTBG2", "ATVPDKIKX0DER"]}
    connect(Amazon, both, clock=clock).confirm(notice(order, parcel([(lines[0], 2)])), "key")
    assert orjson.loads(shop.calls[-1].body)["marketplaceId"] == "ATVPDKIKX0DER"


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("ups", {"carrierCode": "UPS"}),
        ("FedEx", {"carrierCode": "FedEx"}),
        ("Royal_Mail", {"carrierCode": "Royal Mail"}),
        ("DHL Express", {"carrierCode": "DHL"}),
        ("Pigeon Post", {"carrierCode": "Other", "carrierName": "Pigeon Post"}),
        (None, {"carrierCode": "Other", "carrierName": "Other"}),
    ],
)
def test_carriers_go_by_amazons_names_or_as_other_with_their_own(name, sent):
    assert carrier(name) == sent


@given(st.text(min_size=1), st.integers(1, 50))
def test_a_package_id_is_a_positive_number_and_the_same_every_time(reference, number):
    made = package_reference(reference, number)
    assert 1 <= int(made) <= 999_999_999
    assert made == str(int(made)) == package_reference(reference, number)
