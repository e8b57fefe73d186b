"""Shipments and stock, read page by page and turned into the hub's documents."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from connectors.threepl.shiphero import client, translate
from hub import schemas
from hub.mapping import load
from hub.sdk import Page, Window, errors

SHIPMENTS = load("threepl/shiphero/shipments.yml")
INVENTORY = load("threepl/shiphero/inventory.yml")


def whole_day(now: datetime | None = None) -> Window:
    now = now or datetime.now(UTC)
    return Window(now - timedelta(days=1), now + timedelta(minutes=1))


def read(pages):
    return [record for page in pages for record in page.records]


def valid(name, document):
    assert schemas.errors(name, document) == []
    return schemas.parse(name, document)


def test_a_shipment_carries_our_number_lines_tracking_and_units(sandbox, shiphero, request_for):
    ref = shiphero.submit(request_for("FO-1", MUG=2, TEE=1), "key").ref
    shipment_id = sandbox.ship("FO-1", "1Z9", notify=False)
    (record,) = read(shiphero.updates(whole_day(), None))
    shipment = valid("shipment.v1", SHIPMENTS.apply(dict(record.body)))
    assert (shipment.external_id, shipment.fulfillment_reference, shipment.fulfillment_external_id) == (
        shipment_id,
        "FO-1",
        ref,
    )
    assert (shipment.status, shipment.shipped_at.tzinfo) == ("shipped", UTC)
    (package,) = shipment.packages
    assert (package.tracking_number, package.carrier, package.service) == ("1Z9", "UPS", "UPS Ground")
    assert [(line.reference, line.sku, line.quantity) for line in package.lines] == [
        ("FO-1-MUG", "MUG", 2),
        ("FO-1-TEE", "TEE", 1),
    ]


def test_an_order_shipped_in_two_parts_is_two_shipments(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-1", MUG=3), "key")
    sandbox.ship("FO-1", "1Z1", {"MUG": 1}, notify=False)
    assert sandbox.orders[0]["fulfillment_status"] == "pending"
    sandbox.ship("FO-1", "1Z2", notify=False)
    documents = [SHIPMENTS.apply(dict(record.body)) for record in read(shiphero.updates(whole_day(), None))]
    assert [document["packages"][0]["lines"][0]["quantity"] for document in documents] == [1, 2]
    assert sandbox.orders[0]["fulfillment_status"] == "fulfilled"


def test_a_voided_label_is_a_new_state_that_sorts_later(sandbox, shiphero, request_for):
    shiphero.submit(request_for("FO-1"), "key")
    shipment_id = sandbox.ship("FO-1", "1Z1", notify=False)
    (before,) = read(shiphero.updates(whole_day(), None))
    sandbox.void(shipment_id)
    (after,) = read(shiphero.updates(whole_day(), None))
    assert before.external_id == after.external_id
    assert before.revision < after.revision
    assert valid("shipment.v1", SHIPMENTS.apply(dict(after.body))).status == "voided"


def test_every_shipment_of_many_pages_is_read_once(sandbox, shiphero, request_for):
    sandbox.add_product("MUG", on_hand=100)
    numbers = [f"FO-{n}" for n in range(25)]
    for number in numbers:
        shiphero.submit(request_for(number, MUG=1), "key")
        sandbox.ship(number, f"1Z{number}", notify=False)
    pages = list(shiphero.updates(whole_day(), None))
    assert [len(page.records) for page in pages] == [10, 10, 5]
    assert [record.body["order"]["order_number"] for page in pages for record in page.records] == numbers
    assert [page.cursor is None for page in pages] == [False, False, True]


def test_a_broken_run_goes_on_behind_its_last_page(sandbox, shiphero, request_for):
    sandbox.add_product("MUG", on_hand=100)
    for n in range(15):
        shiphero.submit(request_for(f"FO-{n}", MUG=1), "key")
        sandbox.ship(f"FO-{n}", f"1Z{n}", notify=False)
    window = whole_day()
    first = next(iter(shiphero.updates(window, None)))
    rest = list(shiphero.updates(window, first.cursor))
    seen = [record.body["order"]["order_number"] for page in [first, *rest] for record in page.records]
    assert seen == [f"FO-{n}" for n in range(15)]
    assert rest[-1].cursor is None


def test_a_shipment_with_more_lines_than_a_page_shows_is_read_whole(sandbox, shiphero, request_for):
    skus = {f"SKU{n}": 1 for n in range(client.LINES_A_SHIPMENT + 5)}
    for sku in skus:
        sandbox.add_product(sku, on_hand=1)
    sandbox.max_page = 500
    shiphero.submit(request_for("FO-1", **skus), "key")
    sandbox.ship("FO-1", "1Z1", notify=False)
    (record,) = read(shiphero.updates(whole_day(), None))
    assert len(SHIPMENTS.apply(dict(record.body))["packages"][0]["lines"]) == len(skus)


def test_a_page_cursor_that_does_not_move_stops_the_run(sandbox, shiphero):
    sandbox.stuck_cursor = True
    with pytest.raises(errors.SchemaDrift, match="same page cursor twice"):
        list(shiphero.stock(whole_day(), None))


def test_stock_is_told_per_warehouse_as_it_was_when_read(sandbox, shiphero, request_for):
    west = sandbox.add_product("MUG", "West", 4)
    shiphero.submit(request_for("FO-1", MUG=2), "key")
    records = read(shiphero.stock(whole_day(), None))
    levels = {
        (one.sku, one.location): one for one in (valid("inventory.v1", INVENTORY.apply(dict(r.body))) for r in records)
    }
    primary = sandbox.add_warehouse("Primary")
    assert (levels["MUG", primary].on_hand, levels["MUG", primary].committed, levels["MUG", primary].available) == (
        10,
        2,
        8,
    )
    assert (levels["MUG", west].on_hand, levels["MUG", west].available) == (4, 4)
    assert {record.external_id for record in records} == {level.external_id for level in levels.values()}


def test_two_counts_within_one_second_are_two_figures(sandbox, shiphero, noon):
    marks = []
    for units in (50, 10):
        sandbox.add_product("MUG", on_hand=units)
        for level in sandbox.warehouse.levels.values():
            level["updated_at"] = noon.strftime("%Y-%m-%dT%H:%M:%S")
        (record,) = [
            one
            for one in read(shiphero.stock(Window(None, noon + timedelta(minutes=1)), None))
            if one.body["sku"] == "MUG"
        ]
        marks.append(record.revision)
    assert len(set(marks)) == 2


def test_stock_that_did_not_change_since_the_window_began_is_not_told(sandbox, shiphero):
    later = datetime.now(UTC) + timedelta(hours=1)
    sandbox.warehouse.clock = lambda: later
    sandbox.add_product("MUG", on_hand=3)
    records = read(shiphero.stock(Window(later - timedelta(minutes=1), later + timedelta(minutes=1)), None))
    assert [record.body["sku"] for record in records] == ["MUG"]


def test_a_figure_that_changes_while_pages_are_read_hides_no_other(sandbox, shiphero):
    sandbox.max_page = 2
    skus = {f"SKU-{number}" for number in range(7)}
    for sku in sorted(skus):
        sandbox.add_product(sku, on_hand=1)
    clock = sandbox.warehouse.clock
    pages = shiphero.stock(Window(None, clock() + timedelta(seconds=1)), None)
    seen = [record.body["sku"] for record in next(pages).records]
    for sku in sorted(skus):  # each of them is sold meanwhile
        sandbox.warehouse.clock = lambda: clock() + timedelta(minutes=1)
        sandbox.add_product(sku, on_hand=50)
        seen += [record.body["sku"] for record in next(pages, Page(())).records]
    assert skus <= set(seen)


def test_the_first_read_has_no_start(sandbox, shiphero):
    assert len(read(shiphero.stock(Window(None, datetime.now(UTC) + timedelta(minutes=1)), None))) == 2


def test_the_end_of_a_window_is_rounded_up_so_that_no_second_is_cut():
    moment = datetime(2026, 1, 2, 3, 4, 5, 1, UTC)
    assert (translate.instant(moment), translate.end_instant(moment)) == ("2026-01-02T03:04:05", "2026-01-02T03:04:06")
