"""Entry checks: what keeps an order from being routed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from hub.domain.documents import Address, Fee, Order, OrderLine, Risk, ShippingCharge, Tax, Totals
from hub.domain.entry import HoldReason, added_tax_minor, computed_total_minor, holds, needs_address, ships_by_us

GOOD = Order(
    external_id="1",
    number="#1",
    revision="1",
    placed_at=datetime(2026, 3, 2, tzinfo=UTC),
    currency="EUR",
    status="open",
    payment_status="paid",
    lines=(
        OrderLine("10", 2, 2000, sku="MUG", taxes=(Tax(380),)),
        OrderLine("11", 1, 500, sku="TEE", taxes=(Tax(95),)),
    ),
    totals=Totals(taxes_included=False, total_minor=3700),
    shipping=(ShippingCharge(490, taxes=(Tax(93),)),),
    fees=(Fee("gift_wrap", 119, taxes=(Tax(23),)),),
    shipping_address=Address(line1="Demo Street 1", city="Berlin", country="DE"),
)


def kinds(order, unmapped=()):
    return [hold.kind for hold in holds(order, unmapped)]


def with_totals(**values):
    return replace(GOOD, totals=replace(GOOD.totals, **values))


def test_a_good_order_is_held_by_nothing():
    assert holds(GOOD, ()) == []


def test_taxes_are_added_only_where_prices_do_not_hold_them():
    assert added_tax_minor(GOOD) == 380 + 95 + 93 + 23
    assert computed_total_minor(GOOD) == 2000 + 500 + 490 + 119 + 591 == 3700
    included = with_totals(taxes_included=True, total_minor=3109)
    assert computed_total_minor(included) == 3109
    assert kinds(included) == []


def test_a_total_that_differs_by_one_cent_holds_the_order_and_names_both():
    (hold,) = holds(with_totals(total_minor=3701), ())
    assert hold.kind == "totals_mismatch"
    assert "37.01" in hold.reason
    assert "37.00" in hold.reason
    assert "EUR" in hold.reason


def test_each_article_that_is_not_linked_is_one_hold_with_its_own_handle():
    found = holds(GOOD, ["CAP", "SOCKS"])
    assert [(hold.kind, hold.handle) for hold in found] == [
        ("unmapped", "unmapped:CAP"),
        ("unmapped", "unmapped:SOCKS"),
    ]
    assert holds(GOOD, ["x" * 500])[0].handle == ("unmapped:" + "x" * 500)[:80]


@pytest.mark.parametrize(
    ("status", "held"),
    [
        ("paid", False),
        ("authorized", False),
        ("partially_refunded", False),
        ("terms", False),
        ("unknown", False),
        ("unpaid", True),
        ("partially_paid", True),
        ("refunded", True),
        ("voided", True),
    ],
)
def test_an_order_waits_for_its_money(status, held):
    assert kinds(replace(GOOD, payment_status=status)) == (["unpaid"] if held else [])


def test_an_order_that_the_channel_keeps_back_waits_for_that_alone():
    pending = replace(with_totals(total_minor=0), status="pending", payment_status="unpaid", shipping_address=None)
    assert kinds(pending) == ["pending"]


@pytest.mark.parametrize(
    ("address", "held"),
    [
        (None, True),
        (Address(), True),
        (Address(country="DE"), True),
        (Address(name="A", line1="Demo Street 1"), True),
        (Address(country="DE", city="Berlin"), False),
        (Address(country="DE", postal_code="10115"), False),
        (Address(country="DE", line1="Demo Street 1"), False),
    ],
)
def test_goods_need_somewhere_to_go(address, held):
    assert kinds(replace(GOOD, shipping_address=address)) == (["address"] if held else [])


@pytest.mark.parametrize(
    "change",
    [
        {"delivery_method": "pickup"},
        {"fulfilled_by": "channel"},
        {"lines": tuple(replace(line, requires_shipping=False) for line in GOOD.lines)},
        {"lines": tuple(replace(line, fulfilled_by="channel") for line in GOOD.lines)},
    ],
)
def test_what_we_do_not_ship_needs_no_address(change):
    order = replace(GOOD, shipping_address=None, **change)
    assert not needs_address(order)
    assert kinds(order) == []


def test_one_line_that_we_ship_is_enough_to_need_an_address():
    mixed = replace(GOOD, lines=(replace(GOOD.lines[0], requires_shipping=False), GOOD.lines[1]))
    assert [ships_by_us(mixed, 0), ships_by_us(mixed, 1)] == [False, True]
    assert needs_address(mixed)


@pytest.mark.parametrize(("level", "held"), [("low", []), ("medium", []), ("high", ["risk"])])
def test_only_a_high_risk_holds_an_order(level, held):
    assert kinds(replace(GOOD, risk=Risk(level))) == held


def test_every_hold_is_found_at_once_and_blocks_routing():
    bad = replace(with_totals(total_minor=1), payment_status="unpaid", shipping_address=None, risk=Risk("high"))
    found = holds(bad, ["CAP"])
    assert [hold.kind for hold in found] == ["unmapped", "unpaid", "totals_mismatch", "address", "risk"]
    assert {hold.blocks for hold in found} == {"routing"}
    assert len({hold.handle for hold in found}) == len(found)
    assert all(isinstance(hold, HoldReason) and hold.reason.endswith(".") for hold in found)
