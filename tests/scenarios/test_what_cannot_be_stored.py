"""What no column can hold is kept as it came and parked at once, on both databases, and nothing else waits for it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from sqlalchemy import select

from hub.flows.reconcile import arrival
from hub.sdk import Record
from hub.store import connections
from hub.store import inbox as inbox_store
from hub.store.tables import inbox, listing, orders, package
from tests.scenarios.test_main_road import Town

STOCK = """
    location MUG
    EAST      10 """


def parked(town: Town) -> list[tuple[str, str, str]]:
    """(error code, path, error) of what waits for a person after one attempt."""
    query = select(inbox.c.error_code, inbox.c.error_path, inbox.c.error, inbox.c.attempts, inbox.c.outcome)
    rows = town.world.read(lambda tx: tx.execute(query.where(inbox.c.status == "dead")).all())
    assert all(row.attempts <= 1 for row in rows)
    return [(row.error_code, row.error_path, row.error) for row in rows]


def paper(town: Town, **lines: Any) -> dict[str, Any]:
    """A new order as a webhook tells it, to be changed."""
    made: dict[str, Any] = orjson.loads(town.shop.webhook("orders/create", town.shop.place_order([("MUG", 1)]))[1])
    made["line_items"][0].update(lines)
    return made


@pytest.mark.parametrize("identity", ["1\x00", "\x00", "5\x00\x00"])
def test_an_id_with_a_nul_is_taken_in_and_parked(town: Town, identity: str) -> None:
    town.world.stock(STOCK)
    body = {**paper(town), "id": identity}
    headers, raw = town.shop.webhook("orders/create", body)
    assert town.world.deliver(town.shop_id, headers, raw).status == 200
    assert town.world.deliver(town.shop_id, headers, raw).status == 200, "and known the second time"
    town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    town.world.run()
    [(code, _, error)] = parked(town)
    assert (code, "NUL" in error) == ("malformed", True)
    assert town.column(inbox.c.body, inbox.c.status == "dead") == [raw]
    assert len(town.column(orders.c.id)) == 1


@pytest.mark.parametrize(
    ("path", "longest", "change"),
    [
        ("/number", 120, lambda text: {"name": text}),
        ("/customer/email", 255, lambda text: {"email": text}),
        ("/lines/0/sku", 120, lambda text: {"line_items": [{"sku": text}]}),
    ],
)
def test_an_order_that_says_too_much_is_parked_with_the_place_and_the_reason(
    town: Town, path: str, longest: int, change: Any
) -> None:
    town.world.stock(STOCK)
    for extra in (0, 1):
        body, said = paper(town), change("x" * (longest + extra))
        body["line_items"][0] |= said.pop("line_items", [{}])[0]
        assert town.send("orders/create", body | said) == 200
        town.world.run()
    [(code, where, error)] = parked(town)
    assert code == "invalid_document"
    assert where == path
    assert f"longer than {longest} characters" in error
    assert len(town.column(orders.c.id)) == 1, "the longest that fits is taken"


def test_a_tracking_number_that_is_too_long_is_parked(town: Town) -> None:
    town.world.stock(STOCK)
    for _ in range(2):
        town.send("orders/create", town.shop.place_order([("MUG", 1)]))
    town.world.run()
    for sent, length in zip(town.threepl.orders, (120, 121), strict=True):
        town.threepl.ship(sent["order_number"], "9" * length, notify=False)
        headers, body = town.threepl.webhook("Shipment Update", sent["order_number"])
        assert town.world.deliver(town.threepl_id, headers, body).status == 200
    town.world.run()
    [(code, where, _)] = parked(town)
    assert (code, where) == ("invalid_document", "/packages/0/tracking_number")
    assert town.column(package.c.tracking_number) == ["9" * 120]


def test_an_article_whose_sku_is_too_long_is_parked(town: Town) -> None:
    variant = town.shop.add_product("N" * 121, "1.00", stock=0)
    product = next(one for one in town.shop.state.products if variant in one.variants)
    assert town.world.deliver(town.shop_id, *town.shop.webhook("products/update", product)).status == 200
    town.world.run()
    [(code, where, _)] = parked(town)
    assert (code, where) == ("invalid_document", "/variants/0/sku")
    assert "N" * 121 not in town.column(listing.c.sku)


def test_two_states_of_something_with_a_very_long_id_are_two(town: Town) -> None:
    """A key that was cut off would be the same for both, and the second would be taken for a repetition."""
    town.world.stock(STOCK)
    for moment in ("2026-03-02T12:00:00Z", "2026-03-02T12:00:01Z"):
        body = {**paper(town), "id": "9" * 250, "updated_at": moment}
        headers, raw = town.shop.webhook("orders/create", body, event_id=f"{'e' * 250}{moment}")
        assert town.world.deliver(town.shop_id, headers, raw).status == 200
    town.world.run()
    assert sorted(town.world.inbox_outcomes()) == ["applied", "stale"]


def test_a_page_of_a_poll_is_kept_with_the_record_whose_id_cannot_be_stored(town: Town) -> None:
    connection = town.world.read(lambda tx: connections.get(tx, town.shop_id))
    stream = town.world.runtime.plugin(connection).manifest.stream("orders")
    page = [arrival(stream, Record(external_id, {"id": external_id}, "2026-03-02")) for external_id in ("1\x00", "2")]
    with town.world.db.begin() as tx:
        assert len(inbox_store.store(tx, town.shop_id, page, town.world.now())) == 2
        assert inbox_store.store(tx, town.shop_id, page, town.world.now()) == []
    assert [code for code, _, _ in parked(town)] == ["malformed"]
    assert sorted(town.column(inbox.c.external_id)) == ["1\ufffd", "2"]
