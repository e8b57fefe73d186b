"""What is read from Odoo: stock figures, products, places."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from hub import schemas
from hub.mapping import load
from hub.sdk import Window

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = Window(None, NOW + HOUR)
RECENT = Window(NOW - HOUR, NOW + HOUR)


@pytest.fixture(autouse=True)
def fixed_clock(odoo):
    odoo.db.clock = lambda: NOW
    for table in odoo.db.tables.values():
        for row in table.values():
            row["write_date"] = "2026-03-01 00:00:00"


def records(pages):
    return [record for page in pages for record in page.records]


def documents(pages, mapping, target):
    made = [load(mapping).apply(record.body) for record in records(pages)]
    assert [schemas.errors(target, document) for document in made] == [[] for _ in made]
    return made


def test_a_figure_is_the_sum_over_lots_of_one_product_at_one_place(link, odoo):
    product = odoo.add_product("CUP")
    odoo.add("stock.quant", product_id=product, location_id=1, lot_id="A", quantity=3.0, reserved_quantity=1.0)
    odoo.add("stock.quant", product_id=product, location_id=1, lot_id="B", quantity=4.0)
    odoo.add("stock.quant", product_id=product, location_id=3, quantity=9.0)  # at a customer's, not ours
    asked_at = datetime.now(UTC)
    (document,) = documents(link().stock(RECENT, None), "erp/odoo/stock.yml", "inventory.v1")
    assert datetime.fromisoformat(document.pop("as_of")) >= asked_at, "it holds when it is read, not since it changed"
    assert document == {
        "external_id": f"{product}@1",
        "sku": "CUP",
        "external_variant_id": str(product),
        "location": "1",
        "on_hand": 7,
        "available": 6,
        "committed": 1,
    }


def test_the_last_unit_leaving_is_told_though_odoo_deletes_the_quant(link, odoo):
    mug = odoo.db.select("product.product", [["default_code", "=", "MUG"]])[0]["id"]
    odoo.db.tables["stock.quant"].clear()
    odoo.add("stock.move.line", product_id=mug, location_id=1, location_dest_id=3, quantity=5.0)
    (document,) = documents(link().stock(RECENT, None), "erp/odoo/stock.yml", "inventory.v1")
    assert (document["sku"], document["location"], document["on_hand"], document["available"]) == ("MUG", "1", 0, 0)


def test_stock_sold_before_it_came_is_none_on_hand_and_less_than_none_free(link, odoo):
    odoo.add("stock.quant", product_id=odoo.add_product("CUP"), location_id=2, quantity=-2.5)
    (document,) = documents(link().stock(RECENT, None), "erp/odoo/stock.yml", "inventory.v1")
    assert (document["on_hand"], document["available"]) == (0, -3)


def test_what_did_not_change_in_the_window_is_not_read(link):
    assert records(link().stock(RECENT, None)) == []
    assert [record.external_id for record in records(link().stock(ALL, None))] == ["6@1"]


def test_reading_goes_on_after_the_page_that_was_stored(link, odoo):
    for n in range(250):
        odoo.add("stock.quant", product_id=odoo.add_product(f"SKU-{n}"), location_id=1, quantity=1.0)
    first = next(iter(islice(link().stock(RECENT, None), 1)))
    assert len(first.records) == 200
    rest = records(link().stock(RECENT, first.cursor))
    assert len({record.external_id for record in (*first.records, *rest)}) == 250
    assert len(rest) == 50


def test_two_changes_in_one_second_are_two_revisions(link, odoo):
    key = odoo.add("stock.quant", product_id=odoo.add_product("CUP"), location_id=1, quantity=2.0)
    (before,) = records(link().stock(RECENT, None))
    odoo.db.tables["stock.quant"][key]["quantity"] = 1.0
    (after,) = records(link().stock(RECENT, None))
    assert before.revision != after.revision


def test_a_product_comes_with_all_its_variants_when_one_has_changed(link, odoo):
    template = odoo.add("product.template", name="Cap")
    odoo.add_product("CAP-R", "Cap", product_tmpl_id=template, price=9.5, weight=0.12, barcode="4006381333931")
    odoo.add_product("CAP-B", "Cap", product_tmpl_id=template, price=9.5, active=False)
    odoo.db.tables["product.template"][template]["write_date"] = "2026-03-01 00:00:00"
    odoo.db.tables["product.product"][max(odoo.db.tables["product.product"])]["write_date"] = "2026-03-01 00:00:00"
    (document,) = documents(link().items(RECENT, None), "erp/odoo/items.yml", "product.v1")
    assert (document["title"], document["status"], document["kind"]) == ("Cap", "active", "stock")
    red, blue = document["variants"]
    assert (red["sku"], red["price"], red["currency"], red["weight_g"]) == ("CAP-R", "9.5", "EUR", 120)
    assert (red["barcode"], red["requires_shipping"]) == ("4006381333931", True)
    assert blue["sku"] == "CAP-B"


def test_a_changed_name_of_the_product_is_a_change_of_its_variants(link, odoo):
    odoo.db.tables["product.template"][7]["write_date"] = "2026-03-02 12:00:00"
    (record,) = records(link().items(RECENT, None))
    assert [variant["default_code"] for variant in record.body["variants"]] == ["TEE"]


def test_places_are_the_internal_locations(link):
    assert [(place.external_id, place.name) for place in link().places()] == [("1", "WH/Stock"), ("2", "WH2/Stock")]
