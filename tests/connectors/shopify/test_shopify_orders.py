"""Orders out of a shop: read whole, in order of change, and the same in both shapes."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from connectors.shopify.plugin import Shopify
from connectors.shopify.sandbox import ShopifySandbox
from hub import schemas
from hub.domain.entry import computed_total_minor
from hub.domain.shipping import ShipmentNotice, ShippedPackage
from hub.mapping import load
from hub.sdk import Window, errors
from hub.testing import connect

ONLY_POLLED = {"payments", "gift_cards", "risk", "pickup_location", "withheld", "holds"}

BASKETS = {
    "plain": {},
    "taxed": {"tax_rate": "0.0825", "shipping": "5.90"},
    "taxes_included": {"tax_rate": "0.19", "taxes_included": True, "shipping": "4.90"},
    "discounts": {"tax_rate": "0.0825", "discount": ("SAVE", "7.01"), "sale": ("Autumn", "3.33"), "shipping": "5.90"},
    "shipping_offer": {"tax_rate": "0.1", "shipping": "9.99", "shipping_discount": "4.99"},
    "tip": {"tip": "2.00", "tax_rate": "0.0825"},
    "two_currencies": {"currency": "EUR", "rate": "0.92", "shipping": "5.00"},
    "guest": {"customer": None, "bill_to": None, "paid": "PENDING"},
    "notes": {
        "note": "Ring twice",
        "attributes": {"gift": "yes", "_source": "app"},
        "tags": ["vip", "wholesale"],
        "risk": "HIGH",
        "test": True,
        "source": "pos",
    },
    "gift_card": {"gift_card": "10.00"},
    "no_shipping_charge": {"shipping_title": ""},
}


def without(document, *names):
    return {name: value for name, value in document.items() if name not in names}


def read_all(shopify, window, cursor=None):
    return list(shopify.orders(window, cursor))


@pytest.mark.parametrize("basket", BASKETS)
def test_an_order_is_the_same_in_both_shapes_and_its_parts_make_its_total(basket, shop, polled, pushed):
    order = shop.place_order([("MUG", 3), ("TEE", 1)], **BASKETS[basket])
    one, other = polled(order), pushed(order)
    assert without(one, *ONLY_POLLED) == other
    for document in (one, other):
        parsed = schemas.parse("order.v1", document)
        assert computed_total_minor(parsed) == parsed.totals.total_minor


@pytest.mark.parametrize("basket", BASKETS)
def test_an_edited_and_then_cancelled_order_still_adds_up_in_both_shapes(basket, shop, polled, pushed):
    order = shop.place_order([("MUG", 3), ("TEE", 2)], **BASKETS[basket])
    for change in (
        lambda: shop.edit_order(order.id, {"MUG": 2}, add=[{"title": "Engraving", "price": "3.00", "ships": False}]),
        lambda: shop.edit_order(order.id, {"MUG": 1, "TEE": 0}),
        lambda: shop.cancel_order(order.id),
    ):
        change()
        one, other = polled(order), pushed(order)
        assert without(one, *ONLY_POLLED) == other
        parsed = schemas.parse("order.v1", one)
        assert computed_total_minor(parsed) == parsed.totals.total_minor


def test_ids_are_the_plain_numbers_in_both_shapes(shop, polled, pushed):
    order = shop.place_order([("MUG", 1)])
    for document in (polled(order), pushed(order)):
        assert document["external_id"] == str(order.id)
        assert document["lines"][0]["external_id"] == str(order.lines[0].id)


def test_a_line_carries_its_shares_of_all_discounts_and_taxes(shop, polled):
    # 3 x 12.50 + 20.00 = 57.50; 7.00 off by worth is 4.57 and 2.43; 8.25 % of 32.93 is 2.72 and of 17.57 is 1.45.
    document = polled(shop.place_order([("MUG", 3), ("TEE", 1)], tax_rate="0.0825", discount=("SAVE", "7.00")))
    mug, tee = document["lines"]
    assert (mug["subtotal_minor"], mug["total_minor"], mug["taxes"][0]["amount_minor"]) == (3750, 3293, 272)
    assert (tee["subtotal_minor"], tee["total_minor"], tee["taxes"][0]["amount_minor"]) == (2000, 1757, 145)
    assert mug["discounts"] == [{"code": "SAVE", "amount_minor": 457}]
    assert document["discounts"] == [{"code": "SAVE", "amount_minor": 700}]
    assert document["totals"]["total_minor"] == 3293 + 1757 + 272 + 145


def test_removed_units_take_their_shares_with_them(shop, polled):
    order = shop.place_order([("MUG", 2), ("TEE", 1)], discount=("SAVE", "4.50"))
    shop.edit_order(order.id, {"MUG": 1})
    mug = polled(order)["lines"][0]
    # 4.50 by worth of 25.00 and 20.00 is 2.50 and 2.00; one mug of two keeps half.
    assert (mug["quantity"], mug["ordered_quantity"]) == (1, 2)
    assert (mug["subtotal_minor"], mug["discounts"][0]["amount_minor"], mug["total_minor"]) == (1250, 125, 1125)


def test_a_refund_of_units_and_shipping_lowers_what_the_order_costs(shop, polled, pushed):
    order = shop.place_order([("MUG", 2)], shipping="6.00", tax_rate="0.1")
    shop.refund_order(order.id, {"MUG": 1}, amount="16.75", shipping="3.00")
    document = polled(order)
    assert document["lines"][0]["quantity"] == 1
    assert document["shipping"][0]["amount_minor"] == 300
    assert document["totals"]["refunded_minor"] == 1675
    assert document["totals"]["total_minor"] == 1250 + 300 + 125 + 30
    assert document["payment_status"] == "partially_refunded"
    assert without(document, *ONLY_POLLED) == pushed(order)
    assert shop.available("MUG") == 9


def test_a_cancelled_order_says_when_and_why_and_wants_nothing_more(shop, polled):
    order = shop.place_order([("MUG", 2)])
    shop.cancel_order(order.id, "fraud")
    document = polled(order)
    assert (document["status"], document["cancel_reason"]) == ("cancelled", "fraud")
    assert document["cancelled_at"] == "2026-11-20T12:00:00Z"
    assert [line["quantity"] for line in document["lines"]] == [0]
    assert shop.available("MUG") == 10


def test_every_change_gives_a_later_revision(shop, polled):
    order = shop.place_order([("MUG", 3)])
    seen = [polled(order)["revision"]]
    for units in (2, 1):
        shop.edit_order(order.id, {"MUG": units})
        seen.append(polled(order)["revision"])
    assert seen == sorted(set(seen))
    assert seen[0] == "2026-11-20T12:00:00.000000Z"


def test_gift_cards_need_no_shipping_and_custom_lines_have_no_variant(shop, polled):
    shop.add_product("CARD", "25.00", gift_card=True, ships=False)
    order = shop.place_order([("CARD", 1), {"title": "Wrapping", "price": "3.00", "ships": False}])
    document = polled(order)
    card, wrapping = document["lines"]
    assert (card["gift_card"], card["requires_shipping"]) == (True, False)
    assert "external_variant_id" not in wrapping
    assert document["delivery_method"] == "none"


def test_properties_of_a_line_stay_with_their_underscores(shop, polled, pushed):
    order = shop.place_order([{"sku": "MUG", "properties": {"Engraving": "Für Ada", "_batch": "7"}}])
    for document in (polled(order), pushed(order)):
        assert document["lines"][0]["properties"] == [
            {"name": "Engraving", "value": "Für Ada"},
            {"name": "_batch", "value": "7"},
        ]


def test_a_line_of_another_fulfillment_service_is_not_ours(shop, polled, pushed):
    order = shop.place_order([{"sku": "MUG", "service": "acme-warehouse"}, ("TEE", 1)])
    for document in (polled(order), pushed(order)):
        assert document["lines"][0]["fulfilled_by"] == "acme-warehouse"
        assert "fulfilled_by" not in document["lines"][1]


def test_duties_become_fees_and_their_line_tells_customs(shop, polled, pushed):
    order = shop.place_order([{"sku": "MUG", "duty": "2.40", "hs_code": "691200", "origin": "PT"}])
    for document in (polled(order), pushed(order)):
        assert document["fees"] == [{"kind": "duty", "title": "Duties", "amount_minor": 240}]
        assert (document["lines"][0]["hs_code"], document["lines"][0]["origin_country"]) == ("691200", "PT")
        assert document["totals"]["total_minor"] == 1250 + 240


def test_a_pickup_names_its_place(shop, polled, pushed):
    place = shop.add_location("Downtown")
    order = shop.place_order([("MUG", 1)], pickup_at=place)
    document = polled(order)
    assert (document["delivery_method"], document["pickup_location"]) == ("pickup", str(place.id))
    assert pushed(order)["delivery_method"] == "pickup"


def test_risk_payments_and_gift_cards_come_with_the_poll(shop, polled):
    document = polled(shop.place_order([("MUG", 2)], gift_card="10.00", risk="HIGH"))
    assert document["risk"]["level"] == "high"
    assert document["risk"]["reasons"]
    assert [(one["gateway"], one["amount_minor"]) for one in document["payments"]] == [
        ("gift_card", 1000),
        ("shopify_payments", 1500),
    ]
    assert document["gift_cards"] == [{"last_digits": "4f2a", "amount_minor": 1000}]


def test_the_customers_currency_is_kept_as_a_rate_and_amounts_stay_in_the_shops(shop, polled):
    document = polled(shop.place_order([("TEE", 5)], currency="EUR", rate="0.9"))
    assert (document["currency"], document["totals"]["total_minor"]) == ("USD", 10000)
    assert (document["fx"]["currency"], document["fx"]["rate"]) == ("EUR", "0.90000000")


def test_yen_have_no_smaller_unit(clock):
    shop = ShopifySandbox(currency="JPY", clock=clock)
    shop.add_product("MUG", "1250", stock=3)
    order = shop.place_order([("MUG", 3)], tax_rate="0.1", discount=("SAVE", "100"), shipping="500")
    with shop.serve() as url:
        shopify = connect(Shopify, {"shop": shop.shop, "access_token": shop.token, "base_url": url})
        document = load("shopify/orders.yml").apply(shopify.order(str(order.id)).body)
    assert document["lines"][0]["total_minor"] == 3650
    assert document["lines"][0]["unit_price"] == "1250"
    assert document["totals"]["total_minor"] == 3650 + 500 + 365 + 50


def test_pages_come_in_the_order_of_change_each_order_once(shop, shopify, clock, window):
    orders = []
    for _ in range(5):
        orders.append(shop.place_order([("MUG", 1)]))
        clock.go_on(minutes=1)
    shop.edit_order(orders[0].id, note="later")
    pages = read_all(shopify, window)
    assert [len(page.records) for page in pages] == [2, 2, 1]
    found = [record.external_id for page in pages for record in page.records]
    assert found == [str(order.id) for order in (*orders[1:], orders[0])]


def test_pages_within_one_second_have_cursors_of_their_own(shop, shopify, window):
    for _ in range(6):
        shop.place_order([("MUG", 1)])
    cursors = [page.cursor for page in read_all(shopify, window)]
    assert all(one != other for one, other in itertools.pairwise(cursors))


def test_after_a_finished_run_only_the_window_counts(shop, shopify, clock, window):
    for _ in range(3):
        shop.place_order([("MUG", 1)])
        clock.go_on(minutes=1)
    assert read_all(shopify, window)[-1].cursor is None
    found = [record for page in read_all(shopify, window) for record in page.records]
    assert len(found) == 3


def test_a_broken_run_goes_on_from_its_last_page_and_loses_nothing(shop, shopify, clock, window):
    for _ in range(5):
        shop.place_order([("MUG", 1)])
        clock.go_on(minutes=1)
    first = next(shopify.orders(window, None))
    rest = read_all(shopify, window, first.cursor)
    found = {record.external_id for page in (first, *rest) for record in page.records}
    assert found == {str(order_id) for order_id in shop.state.orders}
    assert first.cursor["v"] == 1


def test_the_window_is_closed_at_its_start_and_open_at_its_end(shop, shopify, clock):
    early = shop.place_order([("MUG", 1)])
    clock.go_on(hours=1)
    shop.place_order([("MUG", 1)])
    pages = read_all(shopify, Window(early.updated, early.updated + timedelta(hours=1)))
    assert [record.external_id for page in pages for record in page.records] == [str(early.id)]


def test_an_order_with_more_lines_than_a_page_is_read_whole(shop, shopify, polled):
    order = shop.place_order([{"title": f"Tile {n}", "price": "1.00"} for n in range(250)])
    document = polled(order)
    assert len(document["lines"]) == 250
    assert [line["external_id"] for line in document["lines"]] == [str(line.id) for line in order.lines]
    assert document["totals"]["total_minor"] == 25000


def test_a_query_that_costs_too_much_is_asked_again_for_fewer_orders(shop, settings, window):
    for _ in range(4):
        shop.place_order([("MUG", 1)])
    shop.api.most_rows = 1
    pages = read_all(connect(Shopify, {**settings, "page_size": 8}), window)
    assert [len(page.records) for page in pages] == [1, 1, 1, 1]


def test_an_empty_window_gives_one_empty_page(shopify, window):
    pages = read_all(shopify, window)
    assert [page.records for page in pages] == [()]


def test_an_order_on_hold_says_so_and_why_until_it_is_let_go(shop, shopify, polled):
    order = shop.place_order([("MUG", 1), ("TEE", 1)])
    assert polled(order)["holds"] == []
    shop.hold(order.id, reason="Awaiting payment")
    [held] = polled(order)["holds"]
    assert held["reason"] == "Awaiting payment"
    assert "lines" not in held  # all of it
    shop.hold(order.id, held=False)
    assert polled(order)["holds"] == []


def test_an_order_that_is_scheduled_says_until_when(shop, polled, clock):
    order = shop.place_order([("MUG", 1)])
    shop.schedule(order.id, clock() + timedelta(days=10))
    [held] = polled(order)["holds"]
    assert held["until"] == "2026-11-30T12:00:00.000000Z"


def test_a_part_of_an_order_that_is_kept_back_names_its_lines(shop, polled):
    order = shop.place_order([("MUG", 1), ("TEE", 1)])
    shop.hold(order.id, ["TEE"])
    assert [one["lines"] for one in polled(order)["holds"]] == [[str(order.lines[1].id)]]
    shop.schedule(order.id, None, ["MUG"])
    shop.hold(order.id, ["MUG"])
    assert [one.get("lines") for one in polled(order)["holds"]] == [None, None]  # both parts, so all of it


def test_a_hold_beyond_the_first_fulfillment_orders_is_seen(shop, polled):
    skus = [f"ART-{number}" for number in range(9)]
    for sku in skus:
        shop.add_product(sku, "1.00", stock=1)
    order = shop.place_order([(sku, 1) for sku in skus])
    for sku in skus[1:]:
        shop.hold(order.id, [sku])
    assert len(order.fulfillment_orders) == 9
    assert len(polled(order)["holds"]) == 8


def test_what_was_fulfilled_is_no_open_part_of_an_order_on_hold(shop, shopify, polled, clock):
    order = shop.place_order([("MUG", 1), ("TEE", 1)])
    shop.hold(order.id, ["TEE"])
    package = ShippedPackage("1Z1", "UPS", ((str(order.lines[0].id), 1),), None)
    shopify.confirm(ShipmentNotice("SH-1", str(order.id), clock().isoformat(), (package,)), "k")
    [held] = polled(order)["holds"]
    assert "lines" not in held


def test_a_hold_is_read_though_the_order_itself_was_not_changed(shop, shopify, clock):
    order, other = shop.place_order([("MUG", 1)]), shop.place_order([("MUG", 1)])
    first = {one.external_id: one for page in read_all(shopify, Window(None, clock() + timedelta(hours=1)))
             for one in page.records}  # fmt: skip
    assert set(first) == {str(order.id), str(other.id)}
    clock.go_on(days=3)
    shop.hold(order.id)
    pages = read_all(shopify, Window(clock() - timedelta(minutes=5), clock() + timedelta(minutes=5)))
    [found] = [one for page in pages for one in page.records]
    assert found.external_id == str(order.id)
    assert found.revision > first[found.external_id].revision
    assert load("shopify/orders.yml").apply(found.body)["revision"] > first[found.external_id].revision
    assert pages[-1].cursor is None


def test_orders_are_asked_for_together_and_each_by_itself_where_that_costs_too_much(shop, shopify):
    placed = [shop.place_order([("MUG", 1)]) for _ in range(5)]
    work = f"gid://shopify/FulfillmentOrder/{placed[0].fulfillment_orders[0].id}"
    asked = [*(str(order.id) for order in placed), "1", work, "gid://shopify/FulfillmentOrder/1"]
    alone = {one: shopify.order(one) for one in asked[:5]} | {"1": None, asked[-1]: None, work: shopify.order(work)}
    for most, calls in ((250, 1), (2, 7)):
        shop.api.most_rows = most
        before = shop.count("query OrdersById(")
        assert dict(shopify.several(asked)) == alone
        assert shop.count("query OrdersById(") - before == calls


def test_an_order_is_found_by_one_of_its_fulfillment_orders(shop, shopify):
    order = shop.place_order([("MUG", 1)])
    found = shopify.order(f"gid://shopify/FulfillmentOrder/{order.fulfillment_orders[0].id}")
    assert found == shopify.order(str(order.id))
    with pytest.raises(errors.NotFound):
        shopify.order("gid://shopify/FulfillmentOrder/1")


def test_an_order_whose_customer_may_not_be_seen_comes_without_and_says_so(shop, settings, polled, window):
    order = shop.place_order([("MUG", 1)], tax_rate="0.1")
    whole = polled(order)
    shop.api.scopes = [scope for scope in shop.api.scopes if scope != "read_customers"]
    said = []
    [page] = connect(Shopify, settings, warn=said.append).orders(window, None)
    document = load("shopify/orders.yml").apply(page.records[0].body)
    assert document["withheld"] == ["customer"]
    assert document["totals"] == whole["totals"]
    assert document["shipping_address"] == whole["shipping_address"]
    assert document["customer"]["email"] == whole["customer"]["email"]  # it stands at the order as well
    assert "read_customers" in said[0]


def test_an_order_that_is_shown_whole_later_is_news_though_nobody_changed_it(shop, shopify, polled):
    order = shop.place_order([("MUG", 1)])
    shop.api.unapproved = {"address1", "name"}
    part = shopify.order(str(order.id))
    assert load("shopify/orders.yml").apply(part.body)["withheld"] == ["billing_address", "shipping_address"]
    shop.api.unapproved = set()
    whole = shopify.order(str(order.id))
    assert part.revision != whole.revision
    assert polled(order)["withheld"] == []


def test_a_telephone_number_that_is_not_shown_leaves_the_address_whole(shop, polled):
    order = shop.place_order([("MUG", 1)])
    shop.api.unapproved = {"phone"}
    assert polled(order)["withheld"] == ["customer"]


def test_orders_that_may_not_be_read_at_all_name_the_scope(shop, shopify, window):
    shop.api.scopes = [scope for scope in shop.api.scopes if not scope.endswith("_orders")]
    with pytest.raises(errors.MissingPermission, match="read_orders"):
        next(shopify.orders(window, None))


def test_an_unknown_order_is_not_found(shopify):
    with pytest.raises(errors.NotFound):
        shopify.order("1")
