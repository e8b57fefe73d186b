"""Money and meaning of orders, by hand-made payloads in Amazon's shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.marketplaces.amazon import figures, translate
from connectors.marketplaces.amazon.figures import PARTS, Charges
from hub import schemas
from hub.mapping import load
from hub.sdk import errors

US, DE, JP = "ATVPDKIKX0DER", "A1PA6795UKMFR9", "A1VC38T7YXB528"


def money(amount, currency="USD"):
    return {"amount": amount, "currencyCode": currency}


def entry(kind, amount, currency="USD", **details):
    made = {"type": kind, "subtotal": money(amount, currency)}
    if details:
        made["detailedBreakdowns"] = [
            {"subtype": subtype, "value": money(value, currency)} for subtype, value in details.items()
        ]
    return made


def item(total=None, *breakdowns, currency="USD", **more):
    made = {"orderItemId": "1", "quantityOrdered": 1, "product": {"sellerSku": "MUG", "asin": "B000000001"}}
    if total is not None:
        made["proceeds"] = {"proceedsTotal": money(total, currency), "breakdowns": list(breakdowns)}
    return made | more


def order(*items, total=None, marketplace=US, currency="USD", status="UNSHIPPED", **more):
    made = {
        "orderId": "902-0000001-0000001",
        "createdTime": "2026-11-22T10:00:00Z",
        "lastUpdatedTime": "2026-11-22T11:00:00.5Z",
        "salesChannel": {"channelName": "AMAZON", "marketplaceId": marketplace},
        "fulfillment": {"fulfillmentStatus": status, "fulfilledBy": "MERCHANT"},
        "orderItems": list(items),
    }
    if total is not None:
        made["proceeds"] = {"grandTotal": money(total, currency)}
    return made | more


def mapped(raw):
    document = load("marketplaces/amazon/orders.yml").apply(raw)
    assert schemas.errors("order.v1", document) == []
    return document


def parts_of(document):
    taxes = [
        tax["amount_minor"]
        for part in (*document["lines"], *document.get("shipping", ()), *document.get("fees", ()))
        for tax in part.get("taxes", ())
    ]
    charges = sum(line["total_minor"] for line in document["lines"])
    charges += sum(part["amount_minor"] for part in (*document.get("shipping", ()), *document.get("fees", ())))
    return charges + (0 if document["totals"]["taxes_included"] else sum(taxes))


def test_tax_that_adds_up_to_the_total_is_on_top():
    document = mapped(order(item("108.00", entry("ITEM", "100.00"), entry("TAX", "8.00", ITEM="8.00")), total="108.00"))
    assert document["totals"] == {"taxes_included": False, "total_minor": 10800}
    assert document["lines"][0]["taxes"] == [{"title": "Tax", "amount_minor": 800, "included": False}]
    assert parts_of(document) == 10800


def test_tax_that_the_total_already_holds_is_in_the_prices():
    bought = item("119.00", entry("ITEM", "119.00", "EUR"), entry("TAX", "19.00", "EUR", ITEM="19.00"), currency="EUR")
    document = mapped(order(bought, total="119.00", marketplace=DE, currency="EUR"))
    assert document["totals"] == {"taxes_included": True, "total_minor": 11900}
    assert parts_of(document) == 11900


def test_tax_that_amazon_keeps_is_paid_by_the_customer_besides_what_the_seller_gets():
    withheld = {"taxCollections": [{"model": "MARKETPLACE_FACILITATOR", "responsibleParty": "Amazon Services, Inc."}]}
    bought = item("100.00", entry("ITEM", "100.00"), entry("TAX", "8.00", ITEM="8.00"), tax=withheld)
    document = mapped(order(bought, total="100.00"))
    assert document["totals"] == {"taxes_included": False, "total_minor": 10800}
    assert document["lines"][0]["taxes"][0]["channel_liable"] is True
    assert parts_of(document) == 10800


@pytest.mark.parametrize("discount", ["-10.00", "10.00"])
def test_a_discount_is_taken_off_whatever_its_sign(discount):
    bought = item("90.00", entry("ITEM", "100.00"), entry("DISCOUNT", discount, ITEM=discount))
    bought["promotion"] = {"breakdowns": [{"promotionId": "SUMMER"}]}
    (line,) = mapped(order(bought, total="90.00"))["lines"]
    assert (line["subtotal_minor"], line["total_minor"]) == (10000, 9000)
    assert line["discounts"] == [{"amount_minor": 1000, "title": "SUMMER"}]


def test_a_charge_that_is_already_reduced_is_not_reduced_again():
    bought = item("90.00", entry("ITEM", "90.00"), entry("DISCOUNT", "-10.00", ITEM="-10.00"))
    (line,) = mapped(order(bought, total="90.00"))["lines"]
    assert (line["subtotal_minor"], line["total_minor"]) == (10000, 9000)


def test_shipping_discount_and_tax_stand_on_the_shipping_charge():
    bought = item(
        "104.50",
        entry("ITEM", "100.00"),
        entry("SHIPPING", "5.00"),
        entry("DISCOUNT", "-1.00", SHIPPING="-1.00"),
        entry("TAX", "0.50", SHIPPING="0.50"),
    )
    document = mapped(order(bought, total="104.50"))
    assert document["shipping"] == [
        {
            "amount_minor": 400,
            "discounts": [{"amount_minor": 100}],
            "taxes": [{"title": "Tax", "amount_minor": 50, "included": False}],
        }
    ]
    assert "taxes" not in document["lines"][0]
    assert parts_of(document) == document["totals"]["total_minor"] == 10450


def test_a_charge_of_a_kind_that_is_new_is_kept_as_another_fee():
    document = mapped(order(item("101.00", entry("ITEM", "100.00"), entry("STORAGE", "1.00")), total="101.00"))
    assert document["fees"] == [{"kind": "other", "title": "Other", "amount_minor": 100}]
    assert parts_of(document) == 10100


def test_yen_have_no_decimals():
    bought = item("5980", entry("ITEM", "5980", "JPY"), currency="JPY")
    assert mapped(order(bought, total="5980", marketplace=JP, currency="JPY"))["totals"]["total_minor"] == 5980


def test_an_amount_in_another_currency_is_parked_not_added():
    with pytest.raises(errors.SchemaDrift, match="EUR in an order in USD"):
        mapped(order(item("1.00", entry("ITEM", "1.00", "EUR")), total="1.00"))


def test_sums_that_do_not_add_up_are_kept_as_stated_for_a_person_to_see():
    document = mapped(order(item("77.00", entry("ITEM", "100.00")), total="77.00"))
    assert document["totals"]["total_minor"] == 7700
    assert parts_of(document) == 10000


def test_without_the_right_to_see_proceeds_unit_prices_count():
    bought = item(quantityOrdered=3)
    bought["product"]["price"] = {"unitPrice": money("12.50")}
    document = mapped(order(bought))
    assert document["lines"][0]["total_minor"] == document["totals"]["total_minor"] == 3750


def test_a_replacement_costs_nothing_and_names_what_it_replaces():
    bought = item()
    bought["product"]["price"] = {"unitPrice": money("12.50")}
    replaced = {"orderId": "902-0000000-0000009", "associationType": "REPLACEMENT_ORIGINAL_ID"}
    document = mapped(order(bought, associatedOrders=[replaced]))
    assert document["totals"]["total_minor"] == 0
    assert "REPLACEMENT" in document["tags"]
    assert {"name": "replaces", "value": "902-0000000-0000009"} in document["properties"]


def test_an_order_without_any_price_in_a_marketplace_that_is_not_known_is_parked():
    with pytest.raises(errors.SchemaDrift) as caught:
        mapped(order(item(), marketplace="A0UNKNOWN", status="PENDING"))
    assert caught.value.path == "currency"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("PENDING_AVAILABILITY", ("pending", "unpaid")),
        ("PENDING", ("pending", "unpaid")),
        ("UNSHIPPED", ("open", "paid")),
        ("PARTIALLY_SHIPPED", ("open", "paid")),
        ("SHIPPED", ("closed", "paid")),
        ("CANCELLED", ("cancelled", "voided")),
        ("UNFULFILLABLE", ("closed", "paid")),
        ("SOMETHING_NEW", ("pending", "unknown")),
    ],
)
def test_states_of_orders(status, expected):
    document = mapped(order(item(), status=status))
    assert (document["status"], document["payment_status"]) == expected
    assert {"name": "amazon_status", "value": status} in document["properties"]


def test_an_order_of_which_the_state_is_withheld_waits():
    document = mapped(order(item(), fulfillment=None))
    assert (document["status"], document["payment_status"], document["fulfilled_by"]) == (
        "pending",
        "unknown",
        "merchant",
    )


def test_a_shipper_that_is_not_known_is_not_us():
    raw = order(item(), fulfillment={"fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "SOMEBODY_NEW"})
    assert mapped(raw)["fulfilled_by"] == "channel"


def test_an_address_kind_that_is_not_known_is_neither_home_nor_business():
    raw = order(item(), recipient={"deliveryAddress": {"city": "Berlin", "addressType": "PICKUP_POINT"}})
    assert mapped(raw)["shipping_address"] == {"city": "Berlin"}


def test_cash_on_delivery_is_to_be_shipped_before_it_is_paid():
    raw = order(item(), payment={"paymentExecutions": [{"paymentMethod": "CashOnDelivery"}]})
    assert mapped(raw)["payment_status"] == "terms"


def test_the_ship_by_day_is_a_day_of_the_marketplace():
    window = {"earliestDateTime": "2026-11-23T08:00:00Z", "latestDateTime": "2026-11-25T07:59:59Z"}
    raw = order(item(), fulfillment={"fulfillmentStatus": "UNSHIPPED", "shipByWindow": window})
    assert mapped(raw)["schedule"]["ship_by"] == {"date": "2026-11-24", "zone": "America/Los_Angeles"}


def test_a_cancelled_item_wants_only_what_still_counts():
    executed = {"cancellationExecution": {"cancelledBy": "MERCHANT"}}
    counts = {"quantityFulfilled": 1, "quantityUnfulfilled": 0}
    (line,) = mapped(order(item(quantityOrdered=3, cancellation=executed, fulfillment=counts)))["lines"]
    assert (line["quantity"], line["ordered_quantity"]) == (1, 3)


def test_a_wish_to_cancel_changes_nothing_but_shows():
    wish = {"cancellationRequest": {"requester": "BUYER", "cancelReason": "Too late"}}
    document = mapped(order(item(cancellation=wish)))
    assert "CANCEL_REQUESTED" in document["tags"]
    assert document["lines"][0]["quantity"] == 1
    assert {"name": "cancel_requested", "value": "Too late"} in document["lines"][0]["properties"]


def test_an_old_order_is_read_with_its_items_and_parked_without():
    head = {
        "AmazonOrderId": "902-0000001-0000001",
        "PurchaseDate": "2024-01-02T03:04:05Z",
        "LastUpdateDate": "2024-01-02T03:04:05Z",
        "OrderStatus": "Unshipped",
        "FulfillmentChannel": "MFN",
        "MarketplaceId": US,
        "OrderTotal": {"CurrencyCode": "USD", "Amount": "24.20"},
    }
    bought = {
        "ASIN": "B000000001",
        "OrderItemId": "1",
        "SellerSKU": "MUG",
        "QuantityOrdered": 2,
        "ItemPrice": {"CurrencyCode": "USD", "Amount": "20.00"},
        "ItemTax": {"CurrencyCode": "USD", "Amount": "1.20"},
        "PromotionDiscount": {"CurrencyCode": "USD", "Amount": "2.00"},
        "PromotionIds": ["SUMMER"],
        "ShippingPrice": {"CurrencyCode": "USD", "Amount": "5.00"},
        "TaxCollection": {"Model": "MarketplaceFacilitator", "ResponsibleParty": "Amazon Services, Inc."},
    }
    field_map = load("marketplaces/amazon/orders_v0.yml")
    document = field_map.apply(translate.join_v0(head, [bought]))
    assert schemas.errors("order.v1", document) == []
    (line,) = document["lines"]
    assert (line["subtotal_minor"], line["total_minor"]) == (2000, 1800)
    assert parts_of(document) == document["totals"]["total_minor"] == 2420
    with pytest.raises(errors.SchemaDrift, match="lines: is required"):
        field_map.apply(translate.join_v0(head, []))


small = st.integers(0, 10**7)
by_part = st.dictionaries(st.sampled_from(PARTS), small, max_size=len(PARTS))


@given(st.lists(st.builds(Charges, charge=by_part, off=by_part, tax=by_part, withheld=st.booleans()), max_size=5),
       st.sampled_from(["gross", "net"]), st.booleans(), st.booleans())  # fmt: skip
def test_whatever_the_reading_the_parts_sum_up_to_the_stated_total(items, before, with_tax, on_top):
    charges = sum(sum(item.charge.values()) for item in items)
    off = sum(sum(item.off.values()) for item in items)
    tax = sum(sum(item.tax.values()) for item in items)
    stated = charges - (off if before == "gross" else 0) + (tax if with_tax else 0)
    settled = figures.settle(items, stated, tax_on_top=on_top)
    assert figures.total(settled) == stated + sum(item.unstated for item in settled)
