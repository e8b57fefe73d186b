"""Stock told to a shop: absolute, compared with what was last told, and never twice."""

from __future__ import annotations

import orjson
import pytest

from connectors.shopify.client import Admin
from connectors.shopify.queries import SET_QUANTITIES
from hub.domain.shipping import StockUpdate
from hub.sdk import errors
from hub.testing import Fault


@pytest.fixture
def update(shop):
    """A maker of updates, by SKU."""

    def make(sku, quantity, previous=None, *, location="", inventory_item=None):
        _, variant = shop.state.by_sku(sku)
        return StockUpdate(
            listing=str(variant.id),
            sku=sku,
            quantity=quantity,
            as_of="2026-11-20T12:00:00Z",
            inventory_item=str(variant.item) if inventory_item is None else inventory_item,
            location=location or str(shop.state.locations[0].id),
            previous=previous,
        )

    return make


def test_figures_are_set_where_they_are_what_was_last_told(shop, shopify, update):
    results = shopify.set_stock([update("MUG", 7, 10), update("TEE", 0, 5)], "k1")
    assert [one.error for one in results] == [None, None]
    assert (shop.available("MUG"), shop.available("TEE")) == (7, 0)


def test_a_figure_never_told_is_set_whatever_is_there_and_says_so(shop, shopify, update):
    shopify.set_stock([update("MUG", 3)], "k1")
    sent = orjson.loads(shop.calls[-1].body)["variables"]["input"]["quantities"][0]
    assert sent["changeFromQuantity"] is None
    assert shop.available("MUG") == 3


def test_a_figure_that_changed_meanwhile_is_reported_and_the_rest_is_set(shop, shopify, update):
    shop.place_order([("MUG", 1)])
    stale, fine = shopify.set_stock([update("MUG", 7, 10), update("TEE", 2, 5)], "k1")
    assert "CHANGE_FROM_QUANTITY_STALE" in stale.error
    assert (stale.actual, stale.retry) == (9, False)
    assert fine.error is None
    assert (shop.available("MUG"), shop.available("TEE")) == (9, 2)


def test_results_stand_in_the_order_of_the_batch(shop, shopify, update):
    unknown = update("MUG", 1, inventory_item="1")
    elsewhere = update("TEE", 1, location="1")
    results = shopify.set_stock([unknown, update("MUG", 4, 10), elsewhere, update("TEE", 4, 5)], "k1")
    assert ["INVALID_INVENTORY_ITEM" in (one.error or "") for one in results] == [True, False, False, False]
    assert "INVALID_LOCATION" in results[2].error
    assert (shop.available("MUG"), shop.available("TEE")) == (4, 4)


def test_the_inventory_item_is_looked_up_where_only_the_variant_is_known(shop, shopify, update):
    known, unknown = (
        update("MUG", 4, 10, inventory_item=""),
        StockUpdate("1", "NO", 1, "2026-11-20T12:00:00Z", location="1"),
    )
    results = shopify.set_stock([unknown, known], "k1")
    assert "no variant" in results[0].error
    assert results[1].error is None
    assert shop.available("MUG") == 4


def test_an_update_without_a_location_is_refused_before_it_is_sent(shop, shopify, update):
    nowhere = StockUpdate("1", "MUG", 1, "2026-11-20T12:00:00Z", inventory_item="1")
    assert "location" in shopify.set_stock([nowhere], "k1")[0].error
    assert shop.count("inventorySetQuantities") == 0


@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop", "error_500", "drop"])
def test_a_lost_answer_is_asked_for_again_with_the_same_key(kind, shop, shopify, update):
    shop.faults.append(Fault(kind, "inventorySetQuantities"))
    (result,) = shopify.set_stock([update("MUG", 7, 10)], "k1")
    assert result.error is None
    assert shop.available("MUG") == 7
    assert len(shop.api.spent_keys) == 1


def test_the_same_batch_again_changes_nothing(shop, shopify, update):
    shopify.set_stock([update("MUG", 7, 10)], "k1")
    shop.place_order([("MUG", 1)])
    (result,) = shopify.set_stock([update("MUG", 7, 10)], "k1")
    assert result.error is None
    assert shop.available("MUG") == 6


def test_a_refused_batch_again_is_judged_by_what_the_shop_holds_by_then(shop, shopify, update):
    """Shopify remembers a refusal under its key and wants another one, however often that happens."""
    asked = [update("MUG", 7, 9)]
    for _ in range(3):
        (result,) = shopify.set_stock(asked, "k1")
        assert result.actual == 10
    shop.place_order([("MUG", 1)])
    (result,) = shopify.set_stock(asked, "k1")
    assert (result.error, shop.available("MUG")) == (None, 7)


def test_the_shop_refuses_a_key_that_was_refused_before(shop, shopify):
    row = {"inventoryItemId": "gid://shopify/InventoryItem/1", "locationId": "gid://shopify/Location/1"}
    given = {
        "name": "available",
        "reason": "correction",
        "quantities": [{**row, "quantity": 1, "changeFromQuantity": 0}],
    }
    codes = [Admin(shopify.ctx).write(SET_QUANTITIES, input=given, key="k")["userErrors"][0]["code"] for _ in range(2)]
    assert codes == ["INVALID_INVENTORY_ITEM", "IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED"]


def test_other_figures_under_the_same_key_of_the_hub_are_another_request(shop, shopify, update):
    shopify.set_stock([update("MUG", 7, 10)], "k1")
    (result,) = shopify.set_stock([update("MUG", 5, 7)], "k1")
    assert result.error is None
    assert shop.available("MUG") == 5


def test_the_shop_refuses_a_change_without_an_idempotency_key(shop, shopify):
    given = {"name": "available", "reason": "correction", "quantities": []}
    with pytest.raises(errors.Rejected, match="idempotent"):
        Admin(shopify.ctx).write(SET_QUANTITIES.replace("@idempotent(key: $key)", ""), input=given, key="k")


def test_the_shop_refuses_a_change_that_does_not_say_what_it_expects(shop, shopify):
    row = {"inventoryItemId": "gid://shopify/InventoryItem/1", "locationId": "gid://shopify/Location/1", "quantity": 1}
    given = {"name": "available", "reason": "correction", "quantities": [row]}
    with pytest.raises(errors.Rejected, match="changeFromQuantity"):
        Admin(shopify.ctx).write(SET_QUANTITIES, input=given, key="k")
