"""Handing orders over: once, whatever happens on the way."""

from __future__ import annotations

import pytest

from connectors.threepl.shiphero.plugin import ShipHero
from hub.domain.shipping import Submitted
from hub.sdk import errors
from hub.testing import Fault, connect


def test_an_order_carries_our_number_lines_and_wishes(sandbox, settings, request_for):
    warehouse = sandbox.add_warehouse("Primary")
    shiphero = connect(ShipHero, {**settings, "default_warehouse": warehouse})
    submitted = shiphero.submit(request_for("FO-7", MUG=2, TEE=1), "key")
    (order,) = sandbox.orders
    assert submitted == Submitted(order["id"], accepted=True)
    assert (order["order_number"], order["partner_order_id"], order["shop_name"]) == ("FO-7", "FO-7", "demo")
    assert [
        (line["partner_line_item_id"], line["sku"], line["quantity"], line["price"]) for line in order["line_items"]
    ] == [
        ("FO-7-MUG", "MUG", 2, "12.50"),
        ("FO-7-TEE", "TEE", 1, "12.50"),
    ]
    assert {line["warehouse_id"] for line in order["line_items"]} == {warehouse}
    assert order["line_items"][0]["custom_options"] == {"engraving": "Hi"}
    assert (order["shipping_address"]["first_name"], order["shipping_address"]["last_name"]) == ("Ann Mary", "Lee")
    assert order["shipping_lines"] == {"title": "ups/ground", "price": "0.00", "carrier": "ups", "method": "ground"}
    assert order["required_ship_date"] == "2026-12-24T12:00:00"
    assert (order["packing_note"], order["total_price"]) == ("Wrap it", "25.00")


@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop"])
def test_an_order_whose_answer_is_lost_is_found_and_not_sent_again(sandbox, shiphero, request_for, kind):
    shiphero.check()  # the token is there, so that the fault meets the order
    sandbox.faults.append(Fault(kind, "order_create"))
    with pytest.raises(errors.OutcomeUnknown):
        shiphero.submit(request_for("FO-1"), "key")
    found = shiphero.find("submit", "FO-1")
    assert found == Submitted(sandbox.orders[0]["id"], accepted=True)
    assert len(sandbox.orders) == 1
    assert sandbox.count("mutation OrderCreate") == 1


@pytest.mark.parametrize("kind", ["error_500", "drop", "garbage"])
def test_an_order_that_never_took_effect_is_not_found(sandbox, shiphero, request_for, kind):
    shiphero.check()
    sandbox.faults.append(Fault(kind, "order_create"))
    with pytest.raises(errors.OutcomeUnknown):
        shiphero.submit(request_for("FO-1"), "key")
    assert shiphero.find("submit", "FO-1") is None
    assert sandbox.orders == []


def test_shiphero_takes_one_number_twice_which_is_why_outcomes_are_looked_up(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-1"), "key")
    shiphero.submit(request_for("FO-1"), "key")
    assert len(sandbox.orders) == 2
    assert shiphero.find("submit", "FO-1") == Submitted(sandbox.orders[0]["id"], accepted=True)


def test_a_refused_double_is_done_already(sandbox, shiphero, request_for):
    sandbox.warehouse.refuses_duplicates = True
    first = shiphero.submit(request_for("FO-1"), "key")
    with pytest.raises(errors.AlreadyDone) as refused:
        shiphero.submit(request_for("FO-1"), "key")
    assert refused.value.ref == first.ref
    assert len(sandbox.orders) == 1


def test_a_live_order_is_found_before_a_cancelled_one(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-1"), "key")
    sandbox.cancel("FO-1")
    second = shiphero.submit(request_for("FO-1"), "key")
    assert shiphero.find("submit", "FO-1") == second


def test_orders_of_other_shops_and_similar_numbers_are_not_ours(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-11"), "key")
    sandbox.orders[0]["shop_name"] = "other"
    shiphero.submit(request_for("FO-12"), "key")
    assert shiphero.find("submit", "FO-11") is None
    assert shiphero.find("submit", "FO-1") is None
    assert shiphero.find("buy_label", "FO-12") is None


def test_an_unknown_article_is_rejected_in_shipheros_words(sandbox, shiphero, request_for):
    with pytest.raises(errors.Rejected, match="sku HAT not found"):
        shiphero.submit(request_for("FO-1", HAT=1), "key")
    assert sandbox.orders == []


def test_a_line_id_that_is_too_long_is_rejected(shiphero, request_for):
    with pytest.raises(errors.Rejected, match="at most 45"):
        shiphero.submit(request_for("F" * 46, MUG=1), "key")


def test_too_few_credits_wait_as_long_as_shiphero_says(sandbox, shiphero, request_for, noon):
    shiphero.check()
    sandbox.warehouse.clock = lambda: noon
    sandbox._credited, sandbox.credits = noon, -230.0
    with pytest.raises(errors.RateLimited) as limited:
        shiphero.submit(request_for("FO-1"), "key")
    assert (limited.value.retry_after_s, limited.value.bucket) == (4.0, "graphql")
    assert sandbox.orders == []
    with pytest.raises(errors.RateLimited):  # nobody asks while the credits come back
        shiphero.find("submit", "FO-1")
    assert sandbox.count("OrdersByPartnerId") == 0
