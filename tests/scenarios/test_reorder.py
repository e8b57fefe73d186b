"""Reorder proposals from real orders and a real ledger, drafts from them, and alerts of low stock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import insert, select, update

from connectors.shopify.sandbox import ShopifySandbox
from hub.domain.alerts import alert_of
from hub.flows.operate import NotDoneError, reorder, suppliers, transfers
from hub.flows.operate.suppliers import Offer
from hub.flows.reorder import UnknownPlaceError, reckon
from hub.store import invariants
from hub.store.database import Database, new_id
from hub.store.demand import stocked_days
from hub.store.ledger import differences
from hub.store.tables import (
    order_line,
    orders,
    purchase_order,
    purchase_order_line,
    stock_alert,
    stock_move,
    transfer,
    transfer_line,
)
from hub.testing.world import World
from tests.scenarios.supply_shop import PERSON, SupplyShop


@pytest.fixture
def shop(db: Database) -> Iterator[SupplyShop]:
    sandbox = ShopifySandbox()
    with sandbox.serve():
        found = SupplyShop(World(db), sandbox)
        yield found
    assert found.world.read(differences) == []
    assert found.world.read(invariants.every) == []


def sold(shop: SupplyShop, days_ago: int, units: int, sku: str = "MUG") -> None:
    """An order of some days ago that is done with, as the demand of that day."""
    at = shop.world.now() - timedelta(days=days_ago)
    order_id = shop.buy((sku, units))
    with shop.world.db.begin() as tx:
        tx.execute(update(orders).where(orders.c.id == order_id).values(placed_at=at))


def stocked(shop: SupplyShop, days_ago: int, units: int, place: str = "EAST", sku: str = "MUG") -> None:
    """Units that have lain at a place for some days."""
    shop.count(sku, place, units)
    with shop.world.db.begin() as tx:
        tx.execute(update(stock_move).values(at=shop.world.now() - timedelta(days=days_ago)))


# A bit for each of 10 days, the last of which is yesterday; day 10 is today.
@pytest.mark.parametrize(
    ("available", "moved", "days"),
    [
        (5, [], 0b1111111111),
        (0, [], 0),
        (0, [(4, 0, 3)], 0b0000011111),  # sold out on day 4, on which there was something
        (7, [(6, 7, 0)], 0b1111000000),  # came on day 6
        (7, [(8, 7, 0), (3, 0, 5)], 0b1100001111),  # sold out on day 3, came on day 8
        (3, [(10, 3, 0)], 0),  # came today
        (0, [(10, 0, 3)], 0b1111111111),  # sold out today
        (-2, [(5, 0, 4)], 0b0000111111),  # oversold since day 5
    ],
)
def test_the_days_with_stock_are_read_backwards_from_the_ledger(
    available: int, moved: list[tuple[int, int, int]], days: int
) -> None:
    assert bin(stocked_days(available, moved, 10)) == bin(days)


def test_a_proposal_has_the_numbers_that_a_pencil_gives(shop: SupplyShop) -> None:
    suppliers.set_offers(shop.runtime, "ACME", [Offer("MUG", 250, pack_size=12)], person=PERSON)
    stocked(shop, 40, 55)
    for days_ago in range(1, 11):
        sold(shop, days_ago, 4 if days_ago % 2 else 2)  # 30 units on 10 of 30 days in stock
    found = reckon(shop.runtime, days=30)
    [need] = found.needs
    # Mean 30/30 = 1; squares 5 x 16 + 5 x 4 = 100; deviation sqrt((100 - 30) / 29) = 1.5536.
    demand = need.proposal.demand
    assert (demand.days, demand.left_out, demand.per_day) == (30, 0, pytest.approx(1.0))
    assert demand.deviation == pytest.approx(1.5536, abs=1e-4)
    # Safety 1.6449 x 1.5536 x sqrt(21) = 11.71; point 14 + 11.71 -> 26; level 21 + 11.71 -> 33.
    assert (need.proposal.point, need.proposal.level) == (26, 33)
    # 55 - 30 = 25 are left, below the point, and 8 are wanted: one pack.
    assert (need.proposal.position.available, need.proposal.wanted, need.proposal.units) == (25, 8, 12)
    assert (need.sku, need.cost_minor) == ("MUG", 12 * 250)


def test_units_that_are_packed_for_a_transfer_are_not_bought_again(shop: SupplyShop) -> None:
    stocked(shop, 40, 55)
    for days_ago in range(1, 11):
        sold(shop, days_ago, 4 if days_ago % 2 else 2)
    [before] = reckon(shop.runtime, days=30).needs
    number = transfers.create_transfer(shop.runtime, "EAST", "WEST", {"MUG": 20}, person=PERSON)
    assert reckon(shop.runtime, days=30).needs[0].proposal.wanted == before.proposal.wanted
    transfers.make_ready(shop.runtime, number, person=PERSON)
    assert reckon(shop.runtime, days=30).needs[0].proposal.wanted == before.proposal.wanted
    transfers.ship_transfer(shop.runtime, number, person=PERSON)
    assert reckon(shop.runtime, days=30).needs[0].proposal.wanted == before.proposal.wanted


def test_days_without_stock_are_left_out_of_the_demand(shop: SupplyShop) -> None:
    shop.count("MUG", "EAST", 20)
    for days_ago in (30, 25, 21):
        sold(shop, days_ago, 2)
    shop.count("MUG", "EAST", 0)
    with shop.world.db.begin() as tx:
        moves = tx.execute(select(stock_move.c.id, stock_move.c.to_state).order_by(stock_move.c.id)).all()
        first, last = moves[0].id, moves[-1].id
        long_ago = shop.world.now() - timedelta(days=100)
        tx.execute(update(stock_move).values(at=long_ago))
        tx.execute(update(stock_move).where(stock_move.c.id == last).values(at=shop.world.now() - timedelta(days=21)))
        assert first != last
    found = reckon(shop.runtime, days=30)
    [need] = [one for one in found.needs if one.sku == "MUG"]
    # In stock from 30 to 21 days ago: 10 days with 6 units; the 20 days after are left out.
    assert (need.proposal.demand.days, need.proposal.demand.left_out) == (10, 20)
    assert need.proposal.demand.per_day == pytest.approx(0.6)


def test_orders_that_wait_are_wanted_and_what_is_on_order_or_drafted_is_not_ordered_again(shop: SupplyShop) -> None:
    suppliers.set_offers(shop.runtime, "ACME", [Offer("MUG", 250)], person=PERSON)
    shop.buy(("MUG", 7))
    [need] = reckon(shop.runtime).needs
    assert (need.proposal.position.waiting, need.proposal.units) == (7, 7)
    drafts = reorder.draft_purchases(shop.runtime, {"MUG": 7}, "EAST", person=PERSON, key="click")
    again = reorder.draft_purchases(shop.runtime, {"MUG": 7}, "EAST", person=PERSON, key="click")
    assert drafts == again
    assert reckon(shop.runtime).needs == ()
    assert shop.ask(select(purchase_order_line.c.ordered, purchase_order_line.c.cost_minor)) == [(7, 250)]


def test_a_draft_below_the_least_order_value_is_written_with_a_warning(shop: SupplyShop) -> None:
    suppliers.change_supplier(shop.runtime, "ACME", {"min_order_minor": 10_000}, person=PERSON)
    suppliers.set_offers(shop.runtime, "ACME", [Offer("MUG", 250)], person=PERSON)
    drafts = reorder.draft_purchases(shop.runtime, {"MUG": 7}, "EAST", person=PERSON)
    assert drafts.warnings == (f"{drafts.numbers[0]} is worth 17.50 EUR; ACME takes 100.00 and more.",)
    with pytest.raises(NotDoneError, match="nobody is known to sell TEE"):
        reorder.draft_purchases(shop.runtime, {"TEE": 1}, "EAST", person=PERSON)
    assert len(shop.ask(select(purchase_order.c.id))) == 1


def test_the_preferred_supplier_is_asked_else_the_cheapest(shop: SupplyShop) -> None:
    suppliers.add_supplier(shop.runtime, "BOLT", currency="USD", person=PERSON)
    suppliers.set_offers(shop.runtime, "ACME", [Offer("MUG", 250), Offer("TEE", 900)], person=PERSON)
    left_out = suppliers.set_offers(
        shop.runtime, "BOLT", [Offer("MUG", 200), Offer("TEE", 950), Offer("?")], person=PERSON
    )
    assert left_out == {"?": "There is no article '?'."}
    suppliers.set_offers(shop.runtime, "BOLT", [Offer("TEE", 950, preferred=True)], person=PERSON)
    drafts = reorder.draft_purchases(shop.runtime, {"MUG": 1, "TEE": 1}, "EAST", person=PERSON)
    assert len(drafts.numbers) == 1
    assert shop.ask(select(purchase_order.c.currency)) == [("USD",)]


def test_a_place_with_more_than_it_needs_is_the_cheaper_source(shop: SupplyShop) -> None:
    stocked(shop, 40, 40)
    shop.count("MUG", "WEST", 0)
    suppliers.set_policy(shop.runtime, "MUG", "WEST", person=PERSON, reorder_point=15)
    found = reckon(shop.runtime, "WEST")
    [need] = found.needs
    assert need.supplier is None
    assert need.transfer is not None
    assert (need.transfer.location, need.transfer.units, need.proposal.wanted) == ("EAST", 15, 15)
    drafts = reorder.draft_transfers(shop.runtime, {("EAST", "MUG"): 15}, "WEST", person=PERSON)
    assert shop.ask(select(transfer.c.number)) == [(drafts.numbers[0],)]
    assert shop.ask(select(transfer_line.c.quantity)) == [(15,)]
    assert reckon(shop.runtime, "WEST").needs == (), "what is drafted is not proposed again"
    with pytest.raises(UnknownPlaceError, match="MOON"):
        reckon(shop.runtime, "MOON")


def alerts(shop: SupplyShop) -> list[tuple[str, int, bool]]:
    query = select(stock_alert.c.kind, stock_alert.c.units, stock_alert.c.cleared_at).order_by(stock_alert.c.raised_at)
    return [(row[0], row[1], row[2] is not None) for row in shop.ask(query)]


def test_an_alert_is_raised_once_gets_worse_and_ends_when_there_is_clearly_enough(shop: SupplyShop) -> None:
    shop.count("MUG", "EAST", 20)
    suppliers.set_policy(shop.runtime, "MUG", person=PERSON, low_threshold=5)
    shop.world.clock_strikes()
    assert alerts(shop) == []
    for units, expected in ((5, "low"), (6, "low"), (4, "low"), (0, "out"), (6, "low")):
        shop.count("MUG", "EAST", units)
        shop.world.clock_strikes()
        shop.world.clock_strikes()
        assert alerts(shop) == [(expected, units, False)], "one unit more or less raises no second alert"
    shop.count("MUG", "EAST", 7)
    shop.world.clock_strikes()
    assert [one[2] for one in alerts(shop)] == [True]


def test_a_place_has_a_threshold_of_its_own(shop: SupplyShop) -> None:
    shop.count("MUG", "EAST", 10)
    shop.count("MUG", "WEST", 10)
    suppliers.set_policy(shop.runtime, "MUG", person=PERSON, low_threshold=5)
    suppliers.set_policy(shop.runtime, "MUG", "WEST", person=PERSON, low_threshold=12)
    shop.world.clock_strikes()
    assert alerts(shop) == [("low", 10, False)]


@pytest.mark.parametrize(
    ("available", "threshold", "is_open", "kind"),
    [
        (6, 5, False, None), (5, 5, False, "low"), (0, 5, False, "out"), (-1, 0, False, "out"), (1, 0, False, None),
        (6, 5, True, "low"), (7, 5, True, None), (110, 100, True, "low"), (111, 100, True, None), (0, None, True, None),
    ],
)  # fmt: skip
def test_an_alert_begins_at_the_threshold_and_ends_a_tenth_above(
    available: int, threshold: int | None, is_open: bool, kind: str | None
) -> None:
    assert alert_of(available, threshold, is_open=is_open) == kind


def test_test_orders_are_no_demand(shop: SupplyShop) -> None:
    stocked(shop, 40, 60)
    sold(shop, 3, 5)
    with shop.world.db.begin() as tx:
        tx.execute(update(orders).values(test=True))
        row = dict(tx.execute(select(order_line)).mappings().one())
        twin = {"id": new_id(), "external_id": "twin", "line_no": 9, "routed": 0, "shipped": 0, "delivered": 0}
        tx.execute(insert(order_line).values({**row, **twin}))
    assert reckon(shop.runtime, days=30).actual == 0
