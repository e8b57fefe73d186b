"""Stock out, listings in."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs

import orjson
import pytest

from connectors.marketplaces.amazon.plugin import Amazon
from hub import schemas
from hub.domain.shipping import StockUpdate
from hub.mapping import load
from hub.sdk import Window, errors
from hub.testing import Fault, connect


def update(sku, quantity, **more):
    return StockUpdate(listing=sku, sku=sku, quantity=quantity, as_of="2026-11-22T12:00:00Z", **more)


def test_stock_is_told_per_sku_as_an_absolute_figure(shop, amazon):
    results = amazon.set_stock([update("MUG", 7, product_type="MUG"), update("TEE", 0)], "key")
    assert [result.error for result in results] == [None, None]
    assert (shop.quantity("MUG"), shop.quantity("TEE")) == (7, 0)


def test_the_patch_merges_so_that_handling_time_stays(shop, amazon):
    amazon.set_stock([update("MUG", 7, product_type="MUG")], "key")
    sent = orjson.loads(shop.calls[-1].body)
    assert (sent["productType"], sent["patches"][0]["op"]) == ("MUG", "merge")
    amazon.set_stock([update("MUG", 7)], "key")
    assert orjson.loads(shop.calls[-1].body)["productType"] == "PRODUCT"


@pytest.mark.parametrize(
    ("location", "told"), [("", "A2EUQ1WTGCTBG2,ATVPDKIKX0DER"), ("ATVPDKIKX0DER", "ATVPDKIKX0DER"),
                           ("supply-source-1", "A2EUQ1WTGCTBG2,ATVPDKIKX0DER")],
)  # fmt: skip
def test_a_figure_is_for_every_marketplace_unless_it_names_one(shop, clock, location, told):
    both = shop.settings() | {"marketplace_ids": ["A2EUQ1WTGCTBG2", "ATVPDKIKX0DER"]}
    connect(Amazon, both, clock=clock).set_stock([update("MUG", 7, location=location)], "key")
    assert parse_qs(shop.calls[-1].query)["marketplaceIds"] == [told]


def test_an_unknown_sku_fails_alone_and_for_good(amazon, shop):
    results = amazon.set_stock([update("NOPE", 1), update("MUG", 9)], "key")
    assert "NOPE" in results[0].error
    assert not results[0].retry
    assert results[1].error is None
    assert shop.quantity("MUG") == 9


def test_a_sku_with_odd_letters_arrives_whole(shop, amazon):
    shop.add_listing("A/B C%20+ä")
    assert amazon.set_stock([update("A/B C%20+ä", 3)], "key")[0].error is None
    assert shop.quantity("A/B C%20+ä") == 3


def test_a_lost_answer_is_asked_again_because_the_figure_is_absolute(shop, amazon):
    shop.faults.append(Fault("effect_then_drop", match="PATCH"))
    assert amazon.set_stock([update("MUG", 4)], "key")[0].error is None
    assert (shop.quantity("MUG"), shop.count("PATCH /listings")) == (4, 2)


def test_when_the_quota_ends_the_rest_of_the_batch_is_to_be_sent_again(shop, clock):
    shop.keep_rates = True
    for number in range(7):
        shop.add_listing(f"SKU-{number}")
    amazon = connect(Amazon, shop.settings(), clock=clock)
    results = amazon.set_stock([update(f"SKU-{number}", 1) for number in range(7)], "key")
    assert [result.error is None for result in results] == [True] * 5 + [False] * 2
    assert [result.retry for result in results] == [False] * 5 + [True] * 2
    with pytest.raises(errors.RateLimited):
        connect(Amazon, shop.settings(), clock=clock).set_stock([update("SKU-5", 1)], "key")


def test_a_dead_connection_is_not_hidden_in_item_results(shop):
    broken = connect(Amazon, shop.settings() | {"refresh_token": "wrong"})
    with pytest.raises(errors.AuthRejected):
        broken.set_stock([update("MUG", 1)], "key")


def every(amazon, clock, cursor=None, start=None):
    return list(amazon.items(Window(start, clock.now), cursor))


def test_a_listing_becomes_a_product_with_one_variant(shop, amazon, clock):
    shop.add_listing("FBA-MUG", by_amazon=True)
    products = {}
    for page in every(amazon, clock):
        for record in page.records:
            document = load("marketplaces/amazon/products.yml").apply(record.body)
            assert schemas.errors("product.v1", document) == []
            assert record.revision == document["revision"]
            products[record.external_id] = schemas.parse("product.v1", document)
    assert set(products) == {"MUG", "TEE", "FBA-MUG"}
    (mug,) = products["MUG"].variants
    assert (products["MUG"].title, mug.sku, mug.price, mug.currency, mug.tracked) == (
        "Mug",
        "MUG",
        "20.00",
        "USD",
        True,
    )
    assert ("product_type", "MUG") in [(option.name, option.value) for option in mug.options]
    assert products["FBA-MUG"].variants[0].tracked is False


def test_listings_are_paged_and_can_be_resumed(shop, amazon, clock):
    for number in range(48):
        shop.add_listing(f"SKU-{number:03d}")
    pages = every(amazon, clock)
    assert [len(page.records) for page in pages] == [20, 20, 10]
    assert [page.records for page in every(amazon, clock, pages[0].cursor)] == [page.records for page in pages[1:]]


def test_a_catalogue_of_more_than_a_thousand_is_read_in_several_searches(shop, amazon, clock):
    for number in range(2300):
        shop.add_listing(f"SKU-{number:04d}", at=clock.now - timedelta(seconds=5000 - number))
    found = [record.external_id for page in every(amazon, clock) for record in page.records]
    assert set(found) == set(shop.listings)
    assert len(found) - len(set(found)) <= 2  # where one search ends and the next begins


def test_more_than_a_thousand_changes_at_one_moment_stop_instead_of_losing_some(shop, amazon, clock):
    for number in range(1100):
        shop.add_listing(f"SKU-{number:04d}", at=clock.now - timedelta(hours=1))
    with pytest.raises(errors.SchemaDrift, match="1000 listings changed at one moment"):
        every(amazon, clock, start=clock.now - timedelta(hours=1))


def test_only_changed_listings_are_asked_for_after_the_first_read(shop, amazon, clock):
    shop.add_listing("OLD", at=clock.now - timedelta(days=2))
    pages = every(amazon, clock, start=clock.now - timedelta(hours=1))
    assert {record.external_id for page in pages for record in page.records} == {"MUG", "TEE"}
