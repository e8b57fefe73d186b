"""What the list of orders finds, and what it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, select

from hub.flows import operate
from hub.store.tables import orders as orders_table
from hub.store.views import BadCursorError, orders
from hub.store.views import order as order_view
from hub.store.views.order import UnknownOrderError
from hub.store.views.orders import OrderQuery
from tests.operate.conftest import PERSON, Desk


def numbers(desk: Desk, **query: object) -> list[str]:
    page = desk.world.read(lambda tx: orders.find(tx, OrderQuery(**query)))  # type: ignore[arg-type]
    return [row.number for row in page.rows]


@pytest.fixture
def busy(desk: Desk) -> Desk:
    """Four orders: routed, short of stock, on hold, cancelled."""
    desk.buy(("MUG", 1), ("TEE", 1))
    desk.buy(("TEE", 50))
    desk.buy(("NEW", 1))
    operate.cancel_order(desk.runtime, desk.buy(("MUG", 2)), "a test", person=PERSON)
    return desk


def test_each_filter_finds_its_orders(busy: Desk) -> None:
    [cancelled, held, short, routed] = numbers(busy)
    assert numbers(busy, only="open") == [held, short, routed]
    assert numbers(busy, only="on_hold") == [held]
    assert numbers(busy, only="backordered") == [short]
    assert numbers(busy, only="in_fulfilment") == [short, routed]
    assert numbers(busy, only="cancelled") == [cancelled]
    assert numbers(busy, only="completed") == []
    assert numbers(busy, lifecycle=("pending", "cancelled")) == [cancelled, held]
    assert numbers(busy, connection_id=busy.threepl_id) == []
    now = datetime.now(UTC)
    assert numbers(busy, placed_from=now + timedelta(days=1)) == []
    assert len(numbers(busy, placed_to=now + timedelta(days=1))) == 4
    with pytest.raises(ValueError, match="filtered"):
        numbers(busy, only="lost")


def test_an_order_is_found_by_everything_a_person_has_at_hand(busy: Desk) -> None:
    page = busy.world.read(lambda tx: orders.find(tx, OrderQuery()))
    row = page.rows[-1]
    bare = row.number.lstrip("#")
    for text in (row.number, bare, row.external_id, f" {bare} "):
        assert numbers(busy, text=text) == [row.number], text
    for text in (row.email, row.email.split("@")[0], row.customer.split()[-1].lower(), row.email.upper()):
        assert row.number in numbers(busy, text=text), text
    assert numbers(busy, text="TEE") == numbers(busy, text="tee") == [one.number for one in page.rows[2:]]
    assert numbers(busy, text=bare[:-1]) == [one.number for one in page.rows], "the beginning of a number"
    for text in ("no such thing", "100%", "_", "'; DROP TABLE orders; --", "\\", "#"):
        assert isinstance(numbers(busy, text=text), list), text
    assert numbers(busy, text="%") == []


def test_an_order_is_found_by_its_tracking_number(desk: Desk) -> None:
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=5, reason="count", person=PERSON)
    operate.provision_webhooks(desk.runtime, desk.threepl_id, "https://hub.example.com", person=PERSON)
    order_id = desk.buy(("MUG", 1))
    [sent] = desk.threepl.orders
    desk.threepl.ship(sent["order_number"], "1Z999AA10123456784", notify=False)
    operate.sync_now(desk.runtime, desk.threepl_id, person=PERSON)
    desk.world.later(minutes=30)
    desk.world.run()
    [row] = desk.world.read(lambda tx: orders.find(tx, OrderQuery(text="1z999aa10123456784"))).rows
    assert (row.id, row.phase, row.fulfillment) == (order_id, "in_transit", "fulfilled")
    [shipment] = desk.world.read(lambda tx: order_view.detail(tx, order_id)).shipments
    assert shipment.packages[0].units == (("MUG", 1),)
    assert shipment.told_by == "3PL"


def test_a_row_shows_where_the_order_stands(busy: Desk) -> None:
    rows = busy.world.read(lambda tx: orders.find(tx, OrderQuery())).rows
    assert [row.phase for row in rows] == ["cancelled", "on_hold", "backordered", "routed"]
    assert rows[3].skus == ("MUG", "TEE")
    assert rows[3].units == 2
    assert [hold.kind for hold in rows[1].holds] == ["unmapped"]
    assert rows[3].channel == "Web shop"


def test_pages_hold_every_order_once_even_when_new_ones_come(busy: Desk) -> None:
    everything = numbers(busy)
    first = busy.world.read(lambda tx: orders.find(tx, OrderQuery(limit=3)))
    busy.buy(("MUG", 1))
    rest = busy.world.read(lambda tx: orders.find(tx, OrderQuery(limit=3, after=first.next)))
    assert [row.number for row in (*first.rows, *rest.rows)] == everything
    assert rest.next is None
    with pytest.raises(BadCursorError):
        numbers(busy, after="nonsense")


def test_a_page_takes_as_many_queries_for_fifty_orders_as_for_one(busy: Desk) -> None:
    asked: list[str] = []
    engine = busy.world.db.reader
    operate.hold_orders(busy.runtime, busy.ask(select(orders_table.c.id)), "look at it", person=PERSON)
    event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    numbers(busy, only="open", limit=1)
    for_one = len(asked)
    asked.clear()
    numbers(busy, only="open", limit=50)
    assert len(asked) == for_one


def test_an_order_tells_all_that_is_known_of_it(busy: Desk) -> None:
    [routed] = busy.ask(select(orders_table.c.id).order_by(orders_table.c.id).limit(1))
    detail = busy.world.read(lambda tx: order_view.detail(tx, routed))
    assert [line.routed for line in detail.lines] == [1, 1]
    [fo] = detail.fulfillment_orders
    assert (fo.location, fo.handler, len(fo.lines)) == ("WEST", None, 2)
    assert any(step.startswith("Chosen WEST") for step in detail.decisions[0].steps)
    assert [entry.kind for entry in detail.timeline][-1] == "received"
    assert detail.raw is not None
    assert detail.raw.body.startswith(b"{")
    assert detail.document["number"] == detail.row.number
    with pytest.raises(UnknownOrderError):
        busy.world.read(lambda tx: order_view.detail(tx, "nowhere"))
