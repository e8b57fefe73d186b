"""Changes of an order: what they cost, and what becomes of a channel's word beside ours."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import schemas
from hub.domain import changes
from hub.domain.changes import AddLine, CancelOrder, LineNow, LineStep, SetMethod, SetQuantity, ShipTo
from hub.domain.entry import computed_total_minor
from hub.domain.money import distribute, nth_unit_share, to_decimal, to_minor

BERLIN = {"line1": "Demo Street 1", "city": "Berlin", "country": "DE"}
PARIS = {"line1": "Rue Demo 1", "city": "Paris", "country": "FR"}


def line(key: str, quantity: int, total: int, **more: Any) -> dict[str, Any]:
    return {"external_id": key, "sku": key.upper(), "quantity": quantity, "total_minor": total, **more}


def order(*lines: dict[str, Any], total: int | None = None, **more: Any) -> dict[str, Any]:
    document = {
        "external_id": "1",
        "number": "#1",
        "revision": "1",
        "placed_at": "2026-03-02T12:00:00Z",
        "currency": "EUR",
        "status": "open",
        "payment_status": "paid",
        "shipping_address": BERLIN,
        "lines": list(lines),
        "totals": {"taxes_included": True, "total_minor": 0},
        **more,
    }
    document["totals"]["total_minor"] = parts(document) if total is None else total
    return document


def value(document):
    return schemas.parse("order.v1", document)


def parts(document):
    return computed_total_minor(value(document))


def changed(current, *asks, channel=None, left=()):
    """The order once that is done, its total moved with it."""
    document = changes.after(current, channel or current, asks, dict(left))
    return changes.with_totals(document, parts(current), parts(document))


def money(channel, before, wanted):
    return changes.money(value(channel), value(before), value(wanted))


# The money rows of the domain page ---------------------------------------------------------------------------------


def test_m1_tax_is_rounded_once_and_the_total_is_34_12():
    # 24.99 at 10.75% is 2.686425, rounded half up 2.69; with 6.44 of shipping 34.12, not 34.116425.
    assert (2499 * 1075 + 5000) // 10000 == 269
    taxed = order(
        line("mug", 1, 2499, taxes=[{"amount_minor": 269}]),
        totals={"taxes_included": False, "total_minor": 0},
        shipping=[{"amount_minor": 644}],
    )
    assert parts(taxed) == 3412
    assert to_decimal(3412, "EUR") == "34.12"


def test_m2_a_discount_is_spread_exactly():
    assert distribute(1000, [3333, 3333, 3334]) == [333, 333, 334]
    assert distribute(1999, [12000, 3500, 4400]) == [1205, 352, 442]


def test_m3_three_units_of_10_00_come_off_as_3_33_and_3_33_and_3_34():
    stated = order(line("mug", 3, 1000))
    totals, now = [], stated
    for quantity in (2, 1, 0):
        now = changed(now, SetQuantity("mug", quantity), channel=stated)
        totals.append(now["totals"]["total_minor"])
    assert totals == [1000 - 333, 1000 - 333 - 333, 0]
    two_then_one = changed(stated, SetQuantity("mug", 1))
    assert 1000 - two_then_one["totals"]["total_minor"] == 666
    assert changed(two_then_one, SetQuantity("mug", 0), channel=stated)["totals"]["total_minor"] == 0


def test_m4_currencies_without_and_with_three_decimals_split_exactly():
    assert distribute(1001, [1, 1]) == [501, 500]
    thousandth = to_minor("1.001", "KWD")
    assert [to_decimal(one, "KWD") for one in distribute(thousandth, [1, 1])] == ["0.501", "0.500"]


def test_m5_a_discounted_line_gives_back_what_was_paid_for_it_never_its_list_price():
    # 10.00 off an order of 20.00 and 30.00: 4.00 and 6.00 by worth.
    off = distribute(1000, [2000, 3000])
    assert off == [400, 600]
    stated = order(
        line("mug", 1, 2000 - off[0], subtotal_minor=2000, discounts=[{"amount_minor": off[0]}]),
        line("tee", 1, 3000 - off[1], subtotal_minor=3000, discounts=[{"amount_minor": off[1]}]),
    )
    wanted = changed(stated, SetQuantity("mug", 0))
    moved = money(stated, stated, wanted)
    assert (moved.delta_minor, moved.refund_minor, moved.collect_minor) == (-1600, 1600, 0)
    assert wanted["lines"][0]["discounts"] == [{"amount_minor": 0}]


def test_m6_goods_that_were_added_and_never_paid_cost_nothing_to_take_off_again():
    stated = order(line("mug", 1, 3000))
    added = changed(stated, AddLine("hub:1", "TEE", 1, 1000))
    up = money(stated, stated, added)
    assert (up.delta_minor, up.refund_minor, up.collect_minor) == (1000, 0, 1000)
    back = changed(added, SetQuantity("hub:1", 0), channel=stated)
    down = money(stated, added, back)
    assert (down.refund_minor, down.collect_minor) == (0, 0), "no refund of what was never paid"
    assert up.delta_minor + down.delta_minor == 0
    both = changed(stated, AddLine("hub:1", "TEE", 1, 1000), SetQuantity("hub:1", 0))
    assert money(stated, stated, both).delta_minor == 0


# What lines cost at another quantity -------------------------------------------------------------------------------


@given(st.integers(-(10**9), 10**9), st.integers(1, 200), st.data())
def test_units_taken_off_are_worth_their_cumulative_shares(amount, of, data):
    quantity = data.draw(st.integers(0, of))
    taken = sum(nth_unit_share(amount, of, n) for n in range(1, of - quantity + 1))
    assert changes.rest(amount, of, quantity) == amount - taken


@given(st.integers(0, 10**6), st.integers(1, 20), st.lists(st.integers(0, 25), max_size=6))
def test_the_same_quantity_costs_the_same_whichever_way_one_came_there(total, of, steps):
    stated = order(line("mug", of, total, taxes=[{"amount_minor": total // 5}], discounts=[{"amount_minor": 7}]))
    now = stated
    for quantity in [*steps, of]:
        now = changed(now, SetQuantity("mug", quantity), channel=stated)
    assert now["lines"] == stated["lines"]
    assert now["totals"]["total_minor"] == stated["totals"]["total_minor"]


def test_taxes_and_discounts_go_with_the_units():
    stated = order(
        line("mug", 4, 3600, subtotal_minor=4000, discounts=[{"amount_minor": 400}], taxes=[{"amount_minor": 684}]),
        totals={"taxes_included": False, "total_minor": 0},
    )
    [mug] = changed(stated, SetQuantity("mug", 1))["lines"]
    assert (mug["total_minor"], mug["subtotal_minor"]) == (900, 1000)
    assert mug["discounts"] == [{"amount_minor": 100}]
    assert mug["taxes"] == [{"amount_minor": 171}]


def test_more_units_than_were_bought_cost_what_a_bought_one_costs():
    assert changed(order(line("mug", 2, 1800)), SetQuantity("mug", 3))["totals"]["total_minor"] == 2700


def test_an_added_article_costs_its_price_and_its_tax_at_any_quantity():
    stated = order(line("mug", 1, 1000), totals={"taxes_included": False, "total_minor": 0})
    three = changed(stated, AddLine("hub:1", "TEE", 3, 333, tax_minor=63))
    assert three["totals"]["total_minor"] == 1000 + 3 * (333 + 63)
    assert changed(three, SetQuantity("hub:1", 1), channel=stated)["totals"]["total_minor"] == 1000 + 396
    assert changes.with_totals(dict(stated), 5, 5) == stated


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (SetQuantity("cap", 1), "no line 'cap'"),
        (SetQuantity("mug", -1), "fewer than 0"),
        (AddLine("hub:1", "TEE", 0, 100), "1 or more of TEE"),
        (AddLine("hub:1", "TEE", 1, -100), "less than nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(ask, words):
    with pytest.raises(ValueError, match=words):
        changed(order(line("mug", 1, 1000)), ask)


def test_what_the_channel_has_taken_off_has_no_price_to_be_had_again_for():
    gone = order(line("mug", 0, 0), line("tee", 1, 500))
    with pytest.raises(ValueError, match="add it as an article, with its price"):
        changed(gone, SetQuantity("mug", 1))
    ours = changed(STATED, SetQuantity("mug", 2))
    document, clashes = merged(ours, gone)
    assert clashes == ["0 x MUG instead of our 2"]
    assert document["lines"][0]["total_minor"] == 2000, "what stays here costs what it cost here"
    assert changed(document, SetQuantity("mug", 1), channel=gone)["lines"][0]["total_minor"] == 1000


@pytest.mark.parametrize(
    ("payment", "paid"),
    [
        ({"payment_status": "paid"}, 5000),
        ({"payment_status": "authorized"}, 5000),
        ({"payment_status": "unpaid"}, 0),
        ({"payment_status": "terms"}, None),
        ({"payment_status": "unknown"}, None),
        (
            {
                "payment_status": "partially_paid",
                "payments": [
                    {"kind": "sale", "amount_minor": 3000, "status": "succeeded"},
                    {"kind": "sale", "amount_minor": 2000, "status": "failed"},
                    {"kind": "refund", "amount_minor": 500, "status": "succeeded"},
                ],
            },
            2500,
        ),
        (
            {
                "payment_status": "partially_refunded",
                "totals": {"taxes_included": True, "total_minor": 5000, "refunded_minor": 1500},
            },
            3500,
        ),
    ],
)
def test_what_was_paid_is_what_the_channel_says(payment, paid):
    assert changes.paid_minor(value(order(line("mug", 1, 5000), total=5000, **payment))) == paid


def test_nobody_guesses_what_is_to_be_refunded_where_nobody_knows_what_was_paid():
    stated = order(line("mug", 2, 2000), payment_status="terms")
    moved = money(stated, stated, changed(stated, SetQuantity("mug", 1)))
    assert (moved.delta_minor, moved.paid_minor, moved.refund_minor) == (-1000, None, 0)


# Cancelling --------------------------------------------------------------------------------------------------------


def test_a_cancelled_order_costs_what_has_left_of_it():
    stated = order(line("mug", 3, 3000), line("tee", 1, 500), shipping=[{"amount_minor": 400}])
    gone = changes.after(stated, stated, [CancelOrder("a mistake")], {"mug": 1, "tee": 0})
    assert [one["quantity"] for one in gone["lines"]] == [1, 0]
    assert (gone["status"], gone["cancel_reason"]) == ("cancelled", "a mistake")
    assert money(stated, stated, gone).delta_minor == -2500
    nothing_left = changes.costed(changes.after(stated, stated, [CancelOrder()], {"mug": 0}), stated, {})
    assert money(stated, stated, nothing_left).delta_minor == -3900, "with the shipping"


def test_what_has_left_and_was_taken_off_before_costs_nothing_when_the_order_is_cancelled():
    stated = order(line("mug", 0, 0), line("tee", 1, 500))
    there = changes.costed({**stated, "status": "cancelled"}, stated, {"mug": 2, "tee": 1})
    here = changes.after(stated, stated, [CancelOrder()], {"mug": 2, "tee": 1})
    for gone in (there, here):
        assert [(one["quantity"], one["total_minor"]) for one in gone["lines"]] == [(0, 0), (1, 500)]


# The channel's word and ours ---------------------------------------------------------------------------------------

STATED = order(line("mug", 3, 3000), line("tee", 1, 500))


def merged(ours, theirs):
    return changes.merged(STATED, ours, theirs)


def quantities(document):
    return {one["external_id"]: one["quantity"] for one in document["lines"]}


def test_what_only_the_channel_changes_is_taken():
    theirs = order(line("mug", 2, 2000), line("cap", 1, 100), shipping_address=PARIS, note="ring twice")
    document, clashes = merged(STATED, theirs)
    assert document == theirs
    assert clashes == []


def test_what_was_changed_here_outlives_a_document_that_does_not_speak_of_it():
    ours = changed(STATED, SetQuantity("mug", 1), ShipTo(PARIS), AddLine("hub:1", "CAP", 2, 100))
    document, clashes = merged(ours, order(*STATED["lines"], note="ring twice"))
    assert quantities(document) == {"mug": 1, "tee": 1, "hub:1": 2}
    assert (document["shipping_address"], document["note"]) == (PARIS, "ring twice")
    assert clashes == []


def test_when_both_come_to_the_same_they_agree():
    ours = changed(STATED, SetQuantity("mug", 1), ShipTo(PARIS))
    theirs = order(line("mug", 1, 1000), line("tee", 1, 500), shipping_address=PARIS)
    assert merged(ours, theirs) == (theirs, [])


def test_when_both_change_the_same_to_different_things_ours_stays_and_it_is_said():
    ours = changed(STATED, SetQuantity("mug", 1), SetQuantity("tee", 2), ShipTo(PARIS), SetMethod("pickup", "BER"))
    theirs = order(line("mug", 2, 2000), shipping_address={**BERLIN, "line1": "Elsewhere 9"}, delivery_method="none")
    document, clashes = merged(ours, theirs)
    assert quantities(document) == {"mug": 1, "tee": 2}
    assert document["shipping_address"] == PARIS
    assert document["delivery_method"] == "pickup"
    assert clashes == [
        "another address",
        "another way of delivery",
        "2 x MUG instead of our 1",
        "TEE taken off instead of our 2",
    ]


def test_a_line_that_was_taken_off_here_may_go_there_as_well():
    ours = changed(STATED, SetQuantity("tee", 0))
    document, clashes = merged(ours, order(line("mug", 3, 3000)))
    assert (quantities(document), clashes) == ({"mug": 3}, [])


def test_what_the_channel_goes_on_saying_is_told_in_words():
    ours = changed(STATED, SetQuantity("mug", 1), ShipTo(PARIS), AddLine("hub:1", "CAP", 2, 100))
    said = changes.differences(value(STATED), value(ours))
    assert said == ["3 x MUG", "no CAP", "the former address"]
    cancelled = changes.after(STATED, STATED, [CancelOrder()], {})
    assert changes.differences(value(STATED), value(cancelled)) == ["the order is open"]


def test_asks_are_kept_and_read_again():
    asks = [
        SetQuantity("mug", 1),
        AddLine("hub:1", "CAP", 2, 100),
        ShipTo(PARIS),
        SetMethod("pickup", "BER"),
        CancelOrder(),
    ]
    assert changes.from_json(changes.to_json(asks)) == asks
    assert changes.kind_of(asks) == "cancel"
    assert [changes.kind_of([one]) for one in asks] == ["edit", "edit", "address", "method", "cancel"]
    for wrong in ({"do": "explode"}, {"do": "set_quantity", "lines": 1}, {}):
        with pytest.raises(ValueError, match="nothing that can be done"):
            changes.from_json([wrong])


# Units -------------------------------------------------------------------------------------------------------------


@given(
    st.integers(0, 50).flatmap(
        lambda ordered: st.tuples(st.just(ordered), st.integers(0, ordered)).flatmap(
            lambda one: st.tuples(st.just(one), st.integers(0, one[0] - one[1])).flatmap(
                lambda two: st.tuples(st.just(two), st.integers(0, two[1]))
            )
        )
    ),
    st.integers(0, 60),
)
def test_units_that_go_were_loose_or_placed(counters, after):
    ((ordered, cancelled), routed), shipped = counters
    now = LineNow("1", "mug", "MUG", ordered, cancelled, routed, shipped)
    for step in changes.steps([now], {"mug": after}):
        assert step.after == max(after, shipped), "what has left stays"
        assert step.more - step.fewer == step.after - (ordered - cancelled)
        assert step.loose + step.placed == step.fewer
        assert 0 <= step.placed <= routed - shipped
        assert 0 <= step.loose <= ordered - cancelled - routed


@pytest.mark.parametrize(
    ("before", "shipped", "wanted", "refused"),
    [(3, 2, 2, 0), (3, 2, 1, 1), (3, 0, 0, 0), (0, 2, 0, 0), (1, 2, 0, 1), (1, 2, 1, 0), (0, 2, 1, 0)],
)
def test_only_units_that_left_because_they_were_wanted_stand_against_a_change(before, shipped, wanted, refused):
    now = LineNow("1", "mug", "MUG", 3, 0, 3, shipped)
    found = changes.gone([now], {"mug": before}, {"mug": wanted})
    assert found == ([(now, refused)] if refused else [])


def test_only_lines_that_change_take_a_step():
    same = LineNow("1", "mug", "MUG", 3, 1, 2, 0)
    fewer = LineNow("2", "tee", "TEE", 1, 0, 0, 0)
    assert changes.steps([same, fewer], {"mug": 2}) == [LineStep(fewer, 0)]


def test_what_has_moved_since_somebody_looked_is_named():
    seen = {"the order": "open", "line 1 (MUG)": "2 ordered", "FO-1": "open"}
    now = {"the order": "open", "line 1 (MUG)": "3 ordered", "FO-2": "open"}
    assert changes.moved(seen, now) == [
        "FO-2 is new: open",
        "line 1 (MUG): 2 ordered before, 3 ordered now",
        "FO-1 is gone",
    ]
