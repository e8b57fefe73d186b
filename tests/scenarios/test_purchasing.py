"""Goods are bought, arrive in parts, and are promised and given to those who came first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from connectors.shopify.sandbox import ShopifySandbox
from hub.flows.operate import NotDoneError, UsedKeyError, cancel_order, purchasing, waiting
from hub.flows.operate.purchasing import Confirmed, Delivered, Wanted
from hub.flows.promise import repromise
from hub.store import invariants, promises
from hub.store.database import Database
from hub.store.ledger import differences
from hub.store.tables import (
    entity_event,
    lot_position,
    order_line,
    orders,
    promise_change,
    purchase_order,
    purchase_order_line,
    supply_promise,
    variant,
)
from hub.testing.world import World
from tests.scenarios.supply_shop import PERSON, SupplyShop

SEP_1, SEP_15, OCT_1 = date(2026, 9, 1), date(2026, 9, 15), date(2026, 10, 1)


@pytest.fixture
def shop(db: Database) -> Iterator[SupplyShop]:
    sandbox = ShopifySandbox()
    with sandbox.serve():
        found = SupplyShop(World(db), sandbox)
        yield found
    assert found.world.read(differences) == []
    assert found.world.read(invariants.every) == []
    promised = select(supply_promise.c.purchase_order_line_id, supply_promise.c.quantity)
    given: dict[str, int] = {}
    for line_id, units in found.ask(promised):
        given[line_id] = given.get(line_id, 0) + units
    for row in found.ask(select(purchase_order_line, purchase_order.c.over_percent).join(purchase_order)):
        assert row.received <= row.ordered * (100 + row.over_percent) / 100, "D3.12"
        expected = (row.ordered if row.acknowledged is None else row.acknowledged) - row.closed - row.received
        assert given.get(row.id, 0) <= max(0, expected), "no more is promised than is to come"


def test_ordered_units_are_incoming_and_received_ones_available(shop: SupplyShop) -> None:
    number = shop.ordered(10)
    assert (shop.status(number), shop.incoming()) == ("ordered", 10)
    assert shop.world.on_shelf() == {}, "incoming units are not on hand"
    shop.arrive(number, 4)
    assert (shop.status(number), shop.incoming()) == ("partially_received", 6)
    assert shop.world.on_shelf() == {"EAST": {"MUG": (4, 4, 0)}}
    shop.arrive(number, 6)
    assert (shop.status(number), shop.incoming()) == ("received", 0)
    assert purchasing.close_purchase(shop.runtime, number, person=PERSON)
    assert shop.status(number) == "closed"


def test_a_delivery_counts_once_for_its_key(shop: SupplyShop) -> None:
    number = shop.ordered(10)
    assert shop.arrive(number, 4, receipt="note-17")
    assert not shop.arrive(number, 4, receipt="note-17")
    assert shop.arrive(number, 4, receipt="note-18")
    assert shop.line(number).received == 8


def test_a_delivery_of_the_same_name_with_other_goods_is_an_error(shop: SupplyShop) -> None:
    number = shop.ordered(10)
    assert shop.arrive(number, 4, receipt="note-17")
    with pytest.raises(UsedKeyError, match="came before with another request"):
        shop.arrive(number, 3, receipt="note-17")
    assert shop.line(number).received == 4
    assert shop.arrive(shop.ordered(10), 3, receipt="note-17"), "one note may tell of two purchase orders"


def test_all_that_is_to_come_arrives_once_however_many_people_say_so(shop: SupplyShop) -> None:
    number = shop.ordered(10, over_percent=50)
    shop.arrive(number, 4)
    assert purchasing.receive_purchase(shop.runtime, number, None, person=PERSON, receipt="note-17")
    assert not purchasing.receive_purchase(shop.runtime, number, None, person=PERSON, receipt="note-17")
    with pytest.raises(NotDoneError, match="nothing is to come"):
        purchasing.receive_purchase(shop.runtime, number, None, person="bo@example.com", receipt="note-18")
    assert (shop.status(number), shop.line(number).received) == ("received", 10)
    assert shop.world.on_shelf() == {"EAST": {"MUG": (10, 10, 0)}}


def test_long_delivery_numbers_that_begin_alike_are_two_deliveries(shop: SupplyShop) -> None:
    number, note = shop.ordered(10), "delivery-note-2026-11-30-dock-4-no-00"
    assert all(shop.arrive(number, 3, receipt=note + last) for last in ("01", "02"))
    assert shop.line(number).received == 6


def test_more_than_the_tolerance_is_refused_with_the_figure_and_nothing_is_booked(shop: SupplyShop) -> None:
    number = shop.ordered(10, over_percent=10)
    shop.arrive(number, 8)
    with pytest.raises(NotDoneError, match=r"MUG: 12 units would be received and 10 are ordered; .* 3 more"):
        shop.arrive(number, 4)
    assert shop.line(number).received == 8
    shop.arrive(number, 3)
    assert (shop.line(number).received, shop.status(number), shop.incoming()) == (11, "received", 0)
    assert shop.world.on_shelf() == {"EAST": {"MUG": (11, 11, 0)}}


def test_more_than_was_ordered_is_not_taken_from_what_another_purchase_order_expects(shop: SupplyShop) -> None:
    first, second = shop.ordered(10, over_percent=50), shop.ordered(10)
    shop.arrive(first, 15)
    assert (shop.incoming(), shop.line(second).received) == (10, 0)
    shop.arrive(second, 10)
    assert shop.incoming() == 0
    assert shop.world.on_shelf() == {"EAST": {"MUG": (25, 25, 0)}}


def test_rejected_units_are_received_and_not_for_sale(shop: SupplyShop) -> None:
    number = shop.ordered(10)
    rows = [
        Delivered("MUG", 5),
        Delivered("MUG", 1, "damaged"),
        Delivered("MUG", 2, "to_inspect"),
        Delivered("MUG", 2, "sent_back"),
    ]
    purchasing.receive_purchase(shop.runtime, number, rows, person=PERSON)
    line = shop.line(number)
    assert (line.received, line.rejected, shop.status(number), shop.incoming()) == (10, 5, "received", 0)
    assert shop.world.on_shelf() == {"EAST": {"MUG": (8, 5, 0)}}, "what is sent back is not on hand"


def test_it_is_cancelled_before_goods_arrive_and_closed_short_after(shop: SupplyShop) -> None:
    first, second = shop.ordered(10), shop.ordered(10)
    assert purchasing.cancel_purchase(shop.runtime, first, "too dear", person=PERSON)
    assert not purchasing.cancel_purchase(shop.runtime, first, "too dear", person=PERSON)
    assert (shop.status(first), shop.incoming()) == ("cancelled", 10)
    shop.arrive(second, 3)
    with pytest.raises(NotDoneError, match="next can be: received, closed_short"):
        purchasing.cancel_purchase(shop.runtime, second, "late", person=PERSON)
    assert purchasing.close_purchase_short(shop.runtime, second, "the supplier has no more", person=PERSON)
    assert (shop.status(second), shop.incoming(), shop.line(second).closed) == ("closed_short", 0, 7)
    with pytest.raises(NotDoneError, match="closed_short"):
        shop.arrive(second, 1)


def test_a_draft_expects_nothing_and_can_be_changed_until_it_is_ordered(shop: SupplyShop) -> None:
    number = purchasing.draft_purchase(shop.runtime, "ACME", "EAST", [Wanted("MUG", 5)], person=PERSON, key="k1")
    again = purchasing.draft_purchase(shop.runtime, "ACME", "EAST", [Wanted("MUG", 5)], person=PERSON, key="k1")
    assert (again, shop.incoming()) == (number, 0)
    purchasing.change_purchase(shop.runtime, number, [Wanted("MUG", 7), Wanted("TEE", 1)], person=PERSON)
    with pytest.raises(NotDoneError, match="goods are taken once it is ordered"):
        shop.arrive(number, 1)
    purchasing.place_purchase(shop.runtime, number, person=PERSON)
    assert not purchasing.place_purchase(shop.runtime, number, person=PERSON)
    assert (shop.incoming("MUG"), shop.incoming("TEE")) == (7, 1)
    with pytest.raises(NotDoneError, match="only a draft"):
        purchasing.change_purchase(shop.runtime, number, [Wanted("MUG", 8)], person=PERSON)


def test_units_that_the_supplier_does_not_confirm_are_not_expected(shop: SupplyShop) -> None:
    number = shop.ordered(10)
    purchasing.acknowledge(shop.runtime, number, [Confirmed("MUG", 8, SEP_1)], person=PERSON)
    assert (shop.status(number), shop.incoming(), shop.line(number).promise_on) == ("acknowledged", 8, SEP_1)
    assert not purchasing.acknowledge(shop.runtime, number, [Confirmed("MUG", 8, SEP_1)], person=PERSON)
    shop.arrive(number, 8)
    assert shop.status(number) == "received"


def test_the_days_that_a_supplier_promised_are_kept(shop: SupplyShop) -> None:
    number = shop.ordered(10, SEP_1)
    assert purchasing.move_dates(shop.runtime, number, {"MUG": SEP_15}, person=PERSON, reason="no boat")
    assert not purchasing.move_dates(shop.runtime, number, {"MUG": SEP_15}, person=PERSON, reason="no boat")
    assert purchasing.move_dates(shop.runtime, number, {"": OCT_1}, person=PERSON, reason="still none")
    history = shop.ask(
        select(promise_change.c.from_on, promise_change.c.to_on, promise_change.c.reason).order_by(promise_change.c.id)
    )
    assert [tuple(row) for row in history] == [(SEP_1, SEP_15, "no boat"), (SEP_15, OCT_1, "still none")]


def test_goods_kept_by_lot_are_received_by_lot(shop: SupplyShop) -> None:
    with shop.world.db.begin() as tx:
        tx.execute(update(variant).where(variant.c.sku == "MUG").values(tracking="lot"))
    number = shop.ordered(10)
    with pytest.raises(NotDoneError, match="kept by lot"):
        shop.arrive(number, 4)
    far, past = shop.world.now().date() + timedelta(days=90), shop.world.now().date() - timedelta(days=2)
    rows = [Delivered("MUG", 4, lot="L1", expires_on=far), Delivered("MUG", 6, lot="L0", expires_on=past)]
    purchasing.receive_purchase(shop.runtime, number, rows, person=PERSON)
    assert shop.world.on_shelf() == {"EAST": {"MUG": (10, 4, 0)}}, "an expired lot goes into quality hold"
    assert sorted(row[0] for row in shop.ask(select(lot_position.c.units))) == [4, 6]


def test_p1_waiting_orders_are_promised_first_come_first_served(shop: SupplyShop) -> None:
    shop.preorderable()
    po2, po1 = shop.ordered(10, OCT_1), shop.ordered(10, SEP_1)
    a, b, c = shop.buy(("MUG", 6)), shop.buy(("MUG", 6)), shop.buy(("MUG", 5))
    shop.world.clock_strikes()
    assert shop.promised() == {a: (SEP_1, {po1: 6}), b: (OCT_1, {po1: 4, po2: 2}), c: (OCT_1, {po2: 5})}
    assert {row[0] for row in shop.ask(select(order_line.c.waits_as))} == {"preorder"}


def test_p2_a_slip_moves_only_the_promises_that_rest_on_it_and_only_those_customers_are_to_be_told(
    shop: SupplyShop,
) -> None:
    po1, po2 = shop.ordered(10, SEP_1), shop.ordered(10, OCT_1)
    a, b, c = shop.buy(("MUG", 6)), shop.buy(("MUG", 6)), shop.buy(("MUG", 5))
    shop.world.clock_strikes()
    lines = {row[0]: row[1] for row in shop.ask(select(order_line.c.order_id, order_line.c.id))}
    assert waiting.mark_told(shop.runtime, list(lines.values()), person=PERSON) == 3
    purchasing.move_dates(shop.runtime, po1, {"": SEP_15}, person=PERSON, reason="no boat")
    assert shop.promised() == {a: (SEP_15, {po1: 6}), b: (OCT_1, {po1: 4, po2: 2}), c: (OCT_1, {po2: 5})}
    assert shop.said(a, "promise_moved") == ["6 x MUG is expected on 2026-09-15 and no longer on 2026-09-01."]
    assert (shop.said(b, "promise_moved"), shop.said(c, "promise_moved")) == ([], [])
    news = select(order_line.c.order_id).where(order_line.c.promised_on.is_distinct_from(order_line.c.told_on))
    assert [row[0] for row in shop.ask(news)] == [a]
    assert waiting.mark_told(shop.runtime, list(lines.values()), person=PERSON) == 1


def test_promising_twice_changes_nothing(shop: SupplyShop) -> None:
    shop.ordered(10, SEP_1)
    order = shop.buy(("MUG", 6))
    assert repromise(shop.runtime) == 1
    before = shop.ask(select(supply_promise))
    assert repromise(shop.runtime) == 0
    assert repromise(shop.runtime, []) == 0
    assert shop.ask(select(supply_promise)) == before
    assert len(shop.said(order, "promised", "promise_moved")) == 1


def test_received_goods_go_to_those_who_wait_the_oldest_first_and_move_no_other_promise(shop: SupplyShop) -> None:
    po1, po2 = shop.ordered(10, SEP_1), shop.ordered(10, OCT_1)
    a, b, c = shop.buy(("MUG", 6)), shop.buy(("MUG", 6)), shop.buy(("MUG", 5))
    shop.world.clock_strikes()
    shop.arrive(po1, 10)
    shop.world.clock_strikes()
    assert (shop.routed(a), shop.routed(b), shop.routed(c)) == (6, 4, 0)
    assert shop.promised() == {b: (OCT_1, {po2: 2}), c: (OCT_1, {po2: 5})}
    assert shop.said(a, "promise_moved") + shop.said(b, "promise_moved") + shop.said(c, "promise_moved") == []


def test_goods_are_promised_to_those_who_will_be_given_them(shop: SupplyShop) -> None:
    po1, po2 = shop.ordered(10, SEP_1), shop.ordered(10, OCT_1)
    first, urgent = shop.buy(("MUG", 6)), shop.buy(("MUG", 8))
    with shop.world.db.begin() as tx:
        tx.execute(update(orders).where(orders.c.id == urgent).values(ship_by=SEP_1))
    shop.world.clock_strikes()
    assert shop.promised() == {urgent: (SEP_1, {po1: 8}), first: (OCT_1, {po1: 2, po2: 4})}
    shop.arrive(po1, 10)
    assert (shop.routed(urgent), shop.routed(first)) == (8, 2)
    shop.world.clock_strikes()
    assert shop.promised() == {first: (OCT_1, {po2: 4})}
    assert shop.said(first, "promise_moved") == []


def test_a_cancelled_purchase_order_takes_its_promises_along(shop: SupplyShop) -> None:
    number = shop.ordered(10, SEP_1)
    order = shop.buy(("MUG", 6))
    shop.world.clock_strikes()
    purchasing.cancel_purchase(shop.runtime, number, "too dear", person=PERSON)
    assert shop.promised() == {order: (None, {})}
    assert shop.said(order, "promise_moved") == ["6 x MUG is promised for no day any more; it was 2026-09-01."]


def test_a_cancelled_order_gives_its_promise_to_the_next(shop: SupplyShop) -> None:
    number = shop.ordered(6, SEP_1)
    first, second = shop.buy(("MUG", 6)), shop.buy(("MUG", 6))
    shop.world.clock_strikes()
    assert shop.promised() == {first: (SEP_1, {number: 6}), second: (None, {})}
    cancel_order(shop.runtime, first, "changed their mind", person=PERSON)
    shop.world.clock_strikes()
    assert shop.promised() == {second: (SEP_1, {number: 6})}


def test_what_is_not_sold_ahead_waits_as_a_backorder_and_held_orders_wait_for_nothing(shop: SupplyShop) -> None:
    shop.preorderable("TEE")
    shop.buy(("MUG", 1), ("TEE", 1))
    assert {row[0] for row in shop.ask(select(order_line.c.waits_as))} == {"backorder"}, "nothing is on order"
    shop.count("MUG", "EAST", 1)
    waits = select(order_line.c.sku).where(order_line.c.waits_as.is_not(None))
    assert [row[0] for row in shop.ask(waits)] == ["TEE"]


def test_units_that_waited_too_long_are_cancelled_and_the_rest_leaves(shop: SupplyShop) -> None:
    shop.count("MUG", "EAST", 2)
    order = shop.buy(("MUG", 5))
    [line_id] = [row[0] for row in shop.ask(select(order_line.c.id))]
    at = shop.world.now() + timedelta(days=30)
    assert waiting.set_cancel_date(shop.runtime, order, line_id, at, person=PERSON)
    shop.world.clock_strikes()
    assert shop.ask(select(order_line.c.cancelled))[0][0] == 0
    shop.world.later(days=31)
    shop.world.clock_strikes()
    shop.world.clock_strikes()
    line = shop.ask(select(order_line))[0]
    assert (line.cancelled, line.routed, line.waits_as, line.auto_cancel_at) == (3, 2, None, None)
    assert len(shop.said(order, "gave_up")) == 1
    assert shop.ask(select(entity_event.c.actor).where(entity_event.c.kind == "gave_up")) == [("clock",)]


def test_units_are_not_cancelled_by_a_day_that_is_over(shop: SupplyShop) -> None:
    order = shop.buy(("MUG", 5))
    [line_id] = [row[0] for row in shop.ask(select(order_line.c.id))]
    with pytest.raises(NotDoneError, match="is over: say a moment that is still to come"):
        waiting.set_cancel_date(shop.runtime, order, line_id, shop.world.now(), person=PERSON)
    shop.world.clock_strikes()
    assert shop.ask(select(order_line.c.cancelled)) == [(0,)]


def test_a_line_is_taken_out_of_its_queue_by_a_person(shop: SupplyShop) -> None:
    order = shop.buy(("MUG", 5))
    with shop.world.db.begin() as tx:
        tx.execute(update(order_line).values(waits_as="queue", queue="vip"))
    [line_id] = [row[0] for row in shop.ask(select(order_line.c.id))]
    assert shop.world.read(promises.variants) == set(), "a queue waits for no goods"
    assert waiting.release_from_queue(shop.runtime, order, line_id, person=PERSON)
    assert not waiting.release_from_queue(shop.runtime, order, line_id, person=PERSON)
    line = shop.ask(select(order_line))[0]
    assert (line.waits_as, line.queue) == ("backorder", None)
