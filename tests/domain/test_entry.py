"""Entry checks: what keeps an order from being routed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from hub.domain.documents import Address, ChannelHold, Fee, Order, OrderLine, Risk, ShippingCharge, Tax, Totals
from hub.domain.entry import (
    BUILT_IN_CHECKS,
    EntryCheck,
    Facts,
    HoldReason,
    Twin,
    added_tax_minor,
    computed_total_minor,
    findings,
    needs_address,
    ships_by_us,
    signature,
)

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


def holds(order, unmapped=(), *, checks=BUILT_IN_CHECKS, **chosen):
    """What the checks find; keywords are what a connection has chosen of each."""
    return findings(order, Facts(tuple(unmapped)), checks, chosen)


def kinds(order, unmapped=(), **chosen):
    return [hold.kind for hold in holds(order, unmapped, **chosen)]


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
    long = [hold.handle for hold in holds(GOOD, ["x" * 500, "x" * 501])]
    assert [len(handle) for handle in long] == [80, 80]
    assert len(set(long)) == 2


def test_a_check_that_is_off_finds_nothing_and_the_others_go_on():
    bad = replace(GOOD, payment_status="unpaid", shipping_address=None)
    assert kinds(bad, unpaid={"on": False}) == ["address"]
    assert kinds(bad, unpaid={"on": False}, address={"on": False}) == []


@pytest.mark.parametrize(("difference", "held"), [(0, []), (2, []), (-2, []), (3, ["totals_mismatch"])])
def test_a_difference_within_the_tolerance_is_let_pass(difference, held):
    order = with_totals(total_minor=3700 + difference)
    assert kinds(order, totals_mismatch={"tolerance_minor": 2}) == held


@pytest.mark.parametrize(
    ("score", "limit", "held"),
    [
        ("70", 70, ["risk"]),
        ("69.9", 70, []),
        ("0.91", 0.9, ["risk"]),
        (None, 70, []),
        ("bad", 70, []),
        ("99", None, []),
    ],
)
def test_a_fraud_score_holds_from_the_threshold_on(score, limit, held):
    chosen = {} if limit is None else {"risk": {"score": limit}}
    assert kinds(replace(GOOD, risk=Risk("medium", score)), **chosen) == held


@pytest.mark.parametrize(("limit", "held"), [("37.00", []), ("36.99", ["value"]), ("", []), (None, [])])
def test_an_order_above_the_limit_waits(limit, held):
    assert kinds(GOOD, value={"limit": limit}) == held


@pytest.mark.parametrize(
    ("minutes_apart", "settings", "held"),
    [(0, {}, True), (10, {}, True), (11, {}, False), (-10, {}, True), (30, {"minutes": 30}, True)],
)
def test_two_orders_of_one_basket_within_minutes_are_twins(minutes_apart, settings, held):
    twin = Twin("o-1", "#0", GOOD.placed_at + timedelta(minutes=minutes_apart))
    found = findings(GOOD, Facts(twins=(twin,)), BUILT_IN_CHECKS, {"twin": settings})
    assert [(one.kind, one.handle) for one in found] == ([("twin", "twin:o-1")] if held else [])
    assert all("#0" in one.reason for one in found)


def test_baskets_are_compared_by_what_was_bought_not_by_the_order_of_the_lines():
    mug, tee = {"sku": "MUG", "quantity": 2}, {"external_variant_id": "v1", "quantity": 1}
    assert signature({"lines": [mug, tee]}) == signature({"lines": [tee, mug]})
    assert signature({"lines": [mug, tee]}) != signature({"lines": [{**mug, "quantity": 1}, tee]})


def _explodes(_order, _facts):
    raise ZeroDivisionError("no scores today")


def _blocks_nonsense(_order, _facts):
    return [HoldReason("odd", "Odd.", "odd", blocks="the weather")]


@pytest.mark.parametrize(("find", "words"), [(_explodes, "no scores today"), (_blocks_nonsense, "the weather")])
def test_a_check_that_fails_holds_the_order_with_its_words_and_the_others_go_on(find, words):
    checks = {"theirs": EntryCheck("Theirs.", find), **BUILT_IN_CHECKS}
    failed, unpaid = holds(replace(GOOD, payment_status="unpaid"), checks=checks)
    assert (failed.kind, unpaid.kind) == ("check_failed", "unpaid")
    assert words in failed.reason
    assert failed.handle.startswith("check_failed:theirs:")


def test_a_finding_has_another_handle_when_it_rests_on_other_facts():
    one, two = (holds(with_totals(total_minor=minor))[0].handle for minor in (3701, 3702))
    assert one != two
    one, two = (holds(replace(GOOD, payment_status=said))[0].handle for said in ("unpaid", "partially_paid"))
    assert one != two
    one, two = (holds(replace(GOOD, shipping_address=a))[0].handle for a in (None, Address(country="DE")))
    assert one != two


def test_every_check_says_what_it_looks_at_and_names_its_settings():
    for name, check in BUILT_IN_CHECKS.items():
        assert check.about.endswith("."), name
        assert all(rule["title"] and rule["description"] for rule in check.settings.values()), name


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


def kept_back(*held, placed=(), order=GOOD):
    """(line, what waits, reason) of what the channel keeps back."""
    facts = Facts(placed=frozenset(placed))
    return [
        (one.line, one.blocks, one.reason) for one in findings(replace(order, holds=held), facts, BUILT_IN_CHECKS, {})
    ]


def test_an_order_that_the_channel_keeps_back_gets_no_place_and_says_why():
    assert kept_back(ChannelHold("7", "Awaiting payment")) == [
        ("", "routing", "The channel keeps it back: Awaiting payment")
    ]


def test_what_has_a_place_already_is_not_handed_over():
    assert [blocks for _, blocks, _ in kept_back(ChannelHold("7", "no"), placed=["10"])] == ["release"]
    parts = kept_back(ChannelHold("7", "no", lines=("10",)), ChannelHold("8", "no", lines=("11",)), placed=["10"])
    assert [(line, blocks) for line, blocks, _ in parts] == [("10", "release"), ("11", "routing")]


def test_lines_that_are_kept_back_wait_alone_and_all_of_them_are_the_order():
    assert [line for line, *_ in kept_back(ChannelHold("7", "no", lines=("11",)))] == ["11"]
    assert [line for line, *_ in kept_back(ChannelHold("7", "no", lines=("10", "11")))] == [""]
    card = replace(GOOD, lines=(*GOOD.lines, OrderLine("12", 1, 0, requires_shipping=False)))
    assert [line for line, *_ in kept_back(ChannelHold("7", "no", lines=("10", "11")), order=card)] == [""]


def test_another_hold_or_another_day_of_the_channel_is_another_finding():
    day = datetime(2026, 4, 1, 8, tzinfo=UTC)
    held = [
        ChannelHold("7", "no"),
        ChannelHold("8", "no"),
        ChannelHold("7", "no", day),
        ChannelHold("7", "no", day + timedelta(days=1)),
    ]
    handles = {one.handle for hold in held for one in holds(replace(GOOD, holds=(hold,)))}
    assert len(handles) == 4
