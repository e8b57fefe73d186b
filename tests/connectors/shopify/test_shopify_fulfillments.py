"""Shipments told to a shop: one fulfillment for each, whatever gets lost on the way."""

from __future__ import annotations

import pytest

from connectors.shopify.client import Admin, refusal
from connectors.shopify.queries import CREATE_FULFILLMENT
from hub.domain.shipping import ShipmentNotice, ShippedPackage
from hub.sdk import errors
from hub.testing import Fault


@pytest.fixture
def order(shop):
    """Three MUGs and one TEE, to be shipped."""
    return shop.place_order([("MUG", 3), ("TEE", 1)])


def notice(order, *packages, **changes):
    """A notice; packages are (tracking number, units by place of the line)."""
    made = tuple(
        ShippedPackage(
            tracking_number=number,
            carrier=carrier,
            lines=tuple((str(order.lines[place].id), units) for place, units in content.items()),
            tracking_url=f"https://track.example.com/{number}" if number else None,
        )
        for number, content, carrier in ((*package, "UPS")[:3] for package in packages)
    )
    return ShipmentNotice(
        reference="S-1", order_external_id=str(order.id), shipped_at="2026-11-20T12:00:00Z", packages=made, **changes
    )


def test_a_parcel_becomes_a_fulfillment_with_tracking(shop, shopify, order):
    ref = shopify.confirm(notice(order, ("1Z1", {0: 2, 1: 1})), "k1")
    (made,) = shop.fulfillments(order.id)
    assert made == {
        "id": ref,
        "numbers": ["1Z1"],
        "company": "UPS",
        "units": {str(order.lines[0].id): 2, str(order.lines[1].id): 1},
        "notified": True,
    }


def test_what_is_left_can_be_shipped_later(shop, shopify, order):
    shopify.confirm(notice(order, ("1Z1", {0: 2})), "k1")
    shopify.confirm(notice(order, ("1Z2", {0: 1, 1: 1}), notify_customer=False), "k2")
    assert [one["numbers"] for one in shop.fulfillments(order.id)] == [["1Z1"], ["1Z2"]]
    assert [one.status for one in order.fulfillment_orders] == ["CLOSED"]
    assert shop.fulfillments(order.id)[1]["notified"] is False


def test_parcels_of_one_carrier_make_one_fulfillment_with_all_numbers(shop, shopify, order):
    shopify.confirm(notice(order, ("1Z1", {0: 3}), ("1Z2", {1: 1})), "k1")
    assert [one["numbers"] for one in shop.fulfillments(order.id)] == [["1Z1", "1Z2"]]


def test_parcels_of_two_carriers_make_two_fulfillments(shop, shopify, order):
    shopify.confirm(notice(order, ("1Z1", {0: 3}), ("DHL9", {1: 1}, "DHL")), "k1")
    assert [(one["company"], one["numbers"]) for one in shop.fulfillments(order.id)] == [
        ("UPS", ["1Z1"]),
        ("DHL", ["DHL9"]),
    ]


def test_lines_that_the_shop_has_at_two_locations_make_two_fulfillments(shop, shopify):
    second = shop.add_location("Downtown")
    shop.add_product("CAP", "8.00", stock={second.id: 5})
    order = shop.place_order([("MUG", 1), ("CAP", 1)])
    refs = shopify.confirm(notice(order, ("1Z1", {0: 1, 1: 1})), "k1").split(",")
    assert [one["id"] for one in shop.fulfillments(order.id)] == refs
    assert [sum(one["units"].values()) for one in shop.fulfillments(order.id)] == [1, 1]


def test_the_same_tracking_number_again_has_been_done(shop, shopify, order):
    ref = shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")
    with pytest.raises(errors.AlreadyDone) as done:
        shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")
    assert done.value.ref == ref
    assert len(shop.fulfillments(order.id)) == 1


@pytest.mark.parametrize("number", ["1Z1", None])
@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop"])
def test_a_lost_answer_ends_with_exactly_one_fulfillment(kind, number, shop, shopify, order):
    shop.faults.append(Fault(kind, "fulfillmentCreate"))
    told = notice(order, (number, {0: 1}))
    with pytest.raises(errors.OutcomeUnknown):
        shopify.confirm(told, "k1")
    with pytest.raises(errors.AlreadyDone) as done:
        shopify.confirm(told, "k1")
    (made,) = shop.fulfillments(order.id)
    assert done.value.ref == made["id"]


@pytest.mark.parametrize("kind", ["error_500", "drop"])
def test_a_call_that_took_no_effect_is_made_up_for(kind, shop, shopify, order):
    shop.faults.append(Fault(kind, "fulfillmentCreate"))
    with pytest.raises(errors.OutcomeUnknown):
        shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")
    assert shop.fulfillments(order.id) == []
    shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")
    assert len(shop.fulfillments(order.id)) == 1


def test_two_untracked_parcels_of_the_same_line_are_two_fulfillments(shop, shopify, clock, order):
    shopify.confirm(notice(order, (None, {0: 1})), "k1")
    clock.go_on(hours=3)
    later = ShipmentNotice("S-2", str(order.id), "2026-11-20T15:00:00Z", notice(order, (None, {0: 1})).packages)
    shopify.confirm(later, "k2")
    assert len(shop.fulfillments(order.id)) == 2


def test_what_has_all_been_fulfilled_by_hand_is_done(shop, shopify, order):
    shopify.confirm(notice(order, ("BY-HAND", {0: 3, 1: 1})), "k1")
    with pytest.raises(errors.AlreadyDone):
        shopify.confirm(notice(order, ("1Z1", {0: 3})), "k2")
    assert len(shop.fulfillments(order.id)) == 1


def test_more_units_than_are_left_are_refused_by_name(shop, shopify, order):
    shop.edit_order(order.id, {"MUG": 1})
    with pytest.raises(errors.Rejected, match="has only 1 of them") as no:
        shopify.confirm(notice(order, ("1Z1", {0: 2})), "k1")
    assert no.value.vendor_code == "EXCEEDS_REMAINING"
    assert shop.fulfillments(order.id) == []


def test_an_order_on_hold_says_so(shop, shopify, order):
    shop.hold(order.id)
    with pytest.raises(errors.Rejected, match="on hold"):
        shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")
    shop.hold(order.id, held=False)
    assert shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")


def test_a_cancelled_order_takes_no_shipment(shop, shopify, order):
    shop.cancel_order(order.id)
    with pytest.raises(errors.Rejected):
        shopify.confirm(notice(order, ("1Z1", {0: 1})), "k1")


def test_an_unknown_order_is_not_found(shopify, order):
    unknown = ShipmentNotice("S-1", "1", "2026-11-20T12:00:00Z", notice(order, ("1Z1", {0: 1})).packages)
    with pytest.raises(errors.NotFound):
        shopify.confirm(unknown, "k1")


def test_the_shop_itself_refuses_more_than_is_left(shop, shopify, order):
    opened = order.fulfillment_orders[0]
    given = {
        "lineItemsByFulfillmentOrder": [
            {
                "fulfillmentOrderId": f"gid://shopify/FulfillmentOrder/{opened.id}",
                "fulfillmentOrderLineItems": [{"id": f"gid://shopify/X/{opened.lines[0].id}", "quantity": 4}],
            }
        ]
    }
    no = refusal(Admin(shopify.ctx).write(CREATE_FULFILLMENT, fulfillment=given))
    assert "Invalid" in str(no)


def test_an_order_with_many_lines_is_fulfilled_whole(shop, shopify):
    order = shop.place_order([{"title": f"Tile {n}", "price": "1.00"} for n in range(120)])
    shopify.confirm(notice(order, ("1Z1", dict.fromkeys(range(120), 1))), "k1")
    assert len(shop.fulfillments(order.id)[0]["units"]) == 120
