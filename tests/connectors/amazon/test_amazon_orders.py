"""Orders: what is read when, and what becomes of them."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from connectors.marketplaces.amazon.plugin import Amazon
from hub import schemas
from hub.flows.reconcile import window_for
from hub.mapping import load
from hub.sdk import Window, errors
from hub.testing import connect


def mapped(record):
    document = load("marketplaces/amazon/orders.yml").apply(record.body)
    assert schemas.errors("order.v1", document) == []
    return schemas.parse("order.v1", document)


def to_pay(order):
    """What a customer pays, summed from the parts."""
    taxes = [tax for part in (*order.lines, *order.shipping, *order.fees) for tax in part.taxes]
    parts = sum(line.total_minor for line in order.lines)
    parts += sum(part.amount_minor for part in (*order.shipping, *order.fees))
    return parts + (0 if order.totals.taxes_included else sum(tax.amount_minor for tax in taxes))


def last_search(shop):
    call = next(call for call in reversed(shop.calls) if call.path == "/orders/2026-01-01/orders")
    return {name: values[0] for name, values in parse_qs(call.query).items()}


def test_an_order_becomes_a_canonical_order(shop, amazon, lately):
    number = shop.place_order([("MUG", 2), ("TEE", 1)], shipping="4.99", tax="3.30", discount="5.00", gift_wrap="1.50")
    ((record,),) = [page.records for page in amazon.orders(lately, None)]
    order = mapped(record)
    assert record.external_id == order.external_id == number
    assert record.revision == order.revision == "2026-11-22T11:55:00.000000Z"
    assert (order.status, order.payment_status, order.currency) == ("open", "paid", "USD")
    mugs, tees = order.lines
    assert (mugs.sku, mugs.quantity, mugs.subtotal_minor, mugs.total_minor) == ("MUG", 2, 4000, 3500)
    assert [discount.amount_minor for discount in mugs.discounts] == [500]
    assert (mugs.taxes[0].amount_minor, mugs.taxes[0].channel_liable) == (330, True)
    assert (tees.external_variant_id, tees.total_minor) == ("TEE", 1550)
    assert [(charge.code, charge.amount_minor) for charge in order.shipping] == [("STANDARD", 499)]
    assert [(fee.kind, fee.amount_minor) for fee in order.fees] == [("gift_wrap", 150)]
    assert order.totals.total_minor == to_pay(order) == 3500 + 1550 + 499 + 150 + 330
    assert order.schedule.ship_by.zone == "America/Los_Angeles"


def test_a_pending_order_has_neither_prices_nor_an_address(shop, amazon):
    order = mapped(amazon.order(shop.place_order([("MUG", 2)], status="PENDING")))
    assert (order.status, order.payment_status) == ("pending", "unpaid")
    assert order.shipping_address is None
    assert (order.currency, order.totals.total_minor, order.lines[0].total_minor) == ("USD", 0, 0)
    assert order.lines[0].quantity == 2


def test_a_released_order_comes_again_with_prices(shop, amazon, clock, lately):
    number = shop.place_order([("MUG", 2)], status="PENDING")
    before = amazon.order(number)
    shop.release_order(number)
    ((record,),) = [page.records for page in amazon.orders(lately, None)]
    assert record.revision > before.revision
    assert mapped(record).totals.total_minor == 4000


def test_a_cancelled_order_wants_no_units_and_says_why(shop, amazon):
    number = shop.place_order([("MUG", 2)])
    shop.cancel_order(number, "Found cheaper")
    order = mapped(amazon.order(number))
    assert (order.status, order.payment_status, order.cancel_reason) == (
        "cancelled",
        "voided",
        "Found cheaper, by BUYER",
    )
    assert (order.lines[0].quantity, order.lines[0].ordered_quantity) == (0, 2)


def test_what_amazon_ships_is_not_ours_to_ship(shop, amazon):
    shop.add_listing("FBA-MUG", by_amazon=True)
    order = mapped(amazon.order(shop.place_order([("FBA-MUG", 1)])))
    assert (order.fulfilled_by, order.lines[0].fulfilled_by) == ("channel", "channel")


def test_pages_are_fetched_to_the_end_and_can_be_resumed_after_any(shop, amazon, clock, lately):
    made = {shop.place_order([("MUG", 1)], at=clock.now - timedelta(minutes=30, seconds=n)) for n in range(250)}
    pages = list(amazon.orders(lately, None))
    assert [len(page.records) for page in pages] == [100, 100, 50]
    assert {record.external_id for page in pages for record in page.records} == made
    assert pages[-1].cursor is None
    resumed = list(connect(Amazon, shop.settings(), clock=clock).orders(lately, pages[0].cursor))
    assert [page.records for page in resumed] == [page.records for page in pages[1:]]


def test_a_page_token_that_has_died_starts_its_search_again(shop, amazon, lately):
    for _ in range(101):
        shop.place_order([("MUG", 1)])
    first = next(amazon.orders(lately, None))
    shop.pages.clear()
    assert [len(page.records) for page in amazon.orders(lately, first.cursor)] == [100, 1]


def test_a_refused_search_without_a_token_is_not_repeated(shop, amazon, lately):
    with pytest.raises(errors.Rejected) as caught:
        list(amazon.orders(Window(lately.end, lately.start), None))
    assert caught.value.vendor_code == "InvalidInput"
    assert shop.count("GET /orders/2026-01-01/orders") == 1


def test_the_last_two_minutes_which_amazon_refuses_are_left_to_the_next_window(shop, amazon, clock):
    stream = amazon.manifest.stream("orders")
    young = shop.place_order([("MUG", 1)], at=clock.now - timedelta(seconds=30))
    older = shop.place_order([("MUG", 1)], at=clock.now - timedelta(minutes=4))
    first = window_for(stream, None, clock.now)
    assert [record.external_id for page in amazon.orders(first, None) for record in page.records] == [older]
    clock.tick(minutes=5)
    second = window_for(stream, first.end, clock.now)
    assert {record.external_id for page in amazon.orders(second, None) for record in page.records} == {older, young}


def test_a_window_without_a_start_reaches_back_as_far_as_amazon_does(shop, amazon, clock):
    list(amazon.orders(Window(None, clock.now - timedelta(minutes=3)), None))
    assert last_search(shop)["lastUpdatedAfter"] == "2024-11-22T11:57:00Z"


def test_an_order_that_does_not_exist_is_not_found(amazon):
    with pytest.raises(errors.NotFound):
        amazon.order("902-9999999-9999999")


def test_an_order_without_time_of_change_is_drift(shop, amazon, lately):
    number = shop.place_order([("MUG", 1)])
    found = amazon.order(number).body
    broken = {name: value for name, value in found.items() if name != "lastUpdatedTime"}
    with pytest.raises(errors.SchemaDrift, match="revision"):
        load("marketplaces/amazon/orders.yml").apply(broken)
