"""The arithmetic of an order: whatever is bought, edited and rounded, the parts make Shopify's total."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.shopify.amounts import cut
from connectors.shopify.facts import decimal_text, numeric_id
from connectors.shopify.sandbox import ShopifySandbox
from connectors.shopify.sandbox_rest import rest_order
from hub import schemas
from hub.domain.entry import computed_total_minor
from hub.mapping import load

PRICES = st.integers(1, 99999).map(lambda cents: f"{cents // 100}.{cents % 100:02}")
LINES = st.lists(st.tuples(PRICES, st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=6)


@given(
    lines=LINES,
    tax=st.sampled_from(["0", "0.07", "0.0825", "0.19", "0.255"]),
    included=st.booleans(),
    off=st.integers(0, 3000),
    shipping=st.sampled_from(["0", "4.95", "19.99"]),
)
def test_the_parts_of_an_edited_order_make_its_current_total(lines, tax, included, off, shipping):
    shop = ShopifySandbox(clock=lambda: datetime(2026, 11, 20, 12, tzinfo=UTC))
    for number, (price, _, _) in enumerate(lines):
        shop.add_product(f"A{number}", price, stock=100)
    worth = sum(int(price.replace(".", "")) * units for price, units, _ in lines)
    off = min(off, worth)
    order = shop.place_order(
        [(f"A{number}", units) for number, (_, units, _) in enumerate(lines)],
        tax_rate=tax,
        taxes_included=included,
        shipping=shipping,
        discount=("SAVE", f"{off // 100}.{off % 100:02}") if off else None,
    )
    shop.edit_order(order.id, {f"A{number}": min(kept, units) for number, (_, units, kept) in enumerate(lines)})
    document = schemas.parse("order.v1", load("shopify/orders_webhook.yml").apply(rest_order(order)))
    assert computed_total_minor(document) == document.totals.total_minor
    assert document.totals.total_minor == int(order.sums(current=True).total * 100)
    assert all(
        line.total_minor == line.subtotal_minor - sum(one.amount_minor for one in line.discounts)
        for line in document.lines
    )
    assert all(one.amount_minor >= 0 for line in document.lines for one in line.discounts)


def old_order(**changes):
    """An order in the shape of years ago: no current figures, no shares on lines."""
    line = {"id": 1, "title": "Mug", "price": "10.00", "quantity": 2, "requires_shipping": True}
    return {
        "id": 17,
        "name": "#1001",
        "created_at": "2014-01-22T15:58:27-05:00",
        "updated_at": "2014-01-22T15:58:27-05:00",
        "currency": "USD",
        "financial_status": "paid",
        "taxes_included": False,
        "total_price": "32.10",
        "total_tax": "2.10",
        "tax_lines": [{"title": "State Tax", "rate": 0.07, "price": "2.10"}],
        "line_items": [line, {**line, "id": 2, "quantity": 1}],
        **changes,
    }


def mapped(order):
    return schemas.parse("order.v1", load("shopify/orders_webhook.yml").apply(order))


def test_taxes_of_the_whole_order_are_spread_over_its_lines():
    order = mapped(old_order())
    assert [[tax.amount_minor for tax in line.taxes] for line in order.lines] == [[140], [70]]
    assert order.lines[0].taxes[0].rate == "0.07"
    assert computed_total_minor(order) == order.totals.total_minor == 3210


def test_a_discount_of_the_whole_order_is_spread_over_its_lines():
    order = mapped(
        old_order(total_discounts="3.00", discount_codes=[{"code": "TEN", "amount": "3.00"}], total_price="29.10")
    )
    assert [line.discounts[0].amount_minor for line in order.lines] == [200, 100]
    assert [line.discounts[0].code for line in order.lines] == ["TEN", "TEN"]
    assert computed_total_minor(order) == order.totals.total_minor == 2910


def test_refunded_units_are_taken_off_where_no_current_quantity_is_stated():
    refund = {"refund_line_items": [{"line_item_id": 1, "quantity": 1}], "transactions": []}
    assert [line.quantity for line in mapped(old_order(refunds=[refund])).lines] == [1, 1]


def test_a_tip_that_is_booked_as_a_line_becomes_a_fee():
    tip = {"id": 3, "title": "Trinkgeld", "price": "2.00", "quantity": 1, "requires_shipping": False, "tip": {}}
    named = {**tip, "title": "Tip"}
    order = mapped(
        old_order(line_items=[*old_order()["line_items"], named], total_tip_received="2.00", total_price="34.10")
    )
    assert [line.external_id for line in order.lines] == ["1", "2"]
    assert [(fee.kind, fee.amount_minor) for fee in order.fees] == [("tip", 200)]
    assert computed_total_minor(order) == order.totals.total_minor == 3410


def test_figures_that_do_not_add_up_at_the_source_are_left_as_they_are():
    order = mapped(old_order(total_price="99.00"))
    assert order.totals.total_minor == 9900
    assert computed_total_minor(order) == 3210


def test_a_refund_of_money_alone_leaves_the_order_at_its_first_total():
    order = mapped(old_order(current_total_price="27.10", current_total_tax="2.10"))
    assert computed_total_minor(order) == order.totals.total_minor == 3210


@pytest.mark.parametrize(
    ("amount", "units", "of", "share"), [(100, 1, 3, 33), (101, 1, 2, 51), (7, 0, 3, 0), (7, 3, 3, 7), (5, 1, 0, 5)]
)
def test_a_share_is_rounded_half_up_and_whole_when_nothing_was_cut(amount, units, of, share):
    assert cut(amount, units, of) == share


@pytest.mark.parametrize(
    ("value", "id_"),
    [("gid://shopify/Order/17", "17"), (17, "17"), ("gid://shopify/InventoryLevel/3?inventory_item_id=4", "3")],
)
def test_an_id_is_the_number_at_the_end_of_a_global_id(value, id_):
    assert numeric_id(value) == id_


@pytest.mark.parametrize(("value", "text"), [(0.06, "0.06"), (1e-7, "0.0000001"), ("398.0", "398.0"), (5, "5")])
def test_a_number_becomes_plain_text(value, text):
    assert decimal_text(value) == text


@pytest.mark.parametrize("value", ["", "ten", "NaN", float("inf"), None])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ValueError, match="not a number"):
        decimal_text(value)
