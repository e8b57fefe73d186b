"""A 3PL's figures are neither lost nor booked twice, whatever comes before them, between them or after them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import orjson
import pytest
from sqlalchemy import select

from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.domain.lots import Marks
from hub.engine.doors import due_doors
from hub.flows import operate
from hub.flows.operate import lots
from hub.flows.reconcile import reconcile
from hub.store import catalog, connections, inbox
from hub.store import lots as lot_store
from hub.store.database import Database
from hub.store.inbox import Arrival
from hub.store.ledger import differences
from hub.store.tables import fulfillment_order, stock_move, stock_position
from hub.store.views import health, oversold, problems, stock
from hub.testing.world import World
from tests.operate.conftest import Desk

PERSON = "mia@example.com"


@pytest.fixture
def threepl() -> Iterator[ShipHeroSandbox]:
    sandbox = ShipHeroSandbox()
    sandbox.add_product("MUG", on_hand=7)
    with sandbox.serve():
        yield sandbox


def connect(world: World, threepl: ShipHeroSandbox) -> str:
    settings = {"shop_name": "demo", "refresh_token": threepl.refresh_token, "base_url": threepl.url}
    made = operate.add_connection(world.runtime, "shiphero", "3PL", settings, person=PERSON).id
    world.run()  # the first poll, when nothing is known yet
    return made


def add_location(world: World, threepl_id: str) -> None:
    place = operate.places(world.runtime, threepl_id)[0].external_id
    operate.add_location(world.runtime, "EAST", person=PERSON, handling="threepl", handler=threepl_id, warehouse=place)


def test_figures_count_once_their_place_is_linked(db: Database, threepl: ShipHeroSandbox) -> None:
    world = World(db)
    with db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "MUG"}], world.now())
    threepl_id = connect(world, threepl)
    assert world.on_shelf() == {}
    add_location(world, threepl_id)
    world.run()
    assert world.on_shelf() == {"EAST": {"MUG": (7, 7, 0)}}


def test_the_ledger_calls_a_feed_as_people_call_its_connection(db: Database, threepl: ShipHeroSandbox) -> None:
    world = World(db)
    with db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "MUG"}], world.now())
    add_location(world, connect(world, threepl))
    world.run()
    [move] = world.read(lambda tx: stock.ledger(tx, "MUG")).rows
    assert (move.location, move.quantity, move.actor) == ("EAST", 7, "connection:3PL")


def test_figures_count_once_their_article_is_made(db: Database, threepl: ShipHeroSandbox) -> None:
    world = World(db)
    threepl_id = connect(world, threepl)
    add_location(world, threepl_id)
    world.run()
    assert world.on_shelf() == {}
    world.location("WEST")
    row = operate.ImportRow(1, "MUG", "WEST", 3)
    operate.import_stock(world.runtime, [row], person=PERSON, reason="count", create_articles=True)
    world.run()
    assert world.on_shelf() == {"EAST": {"MUG": (7, 7, 0)}, "WEST": {"MUG": (3, 3, 0)}}


def test_a_figure_of_an_article_that_is_kept_by_lot_waits_for_a_count(db: Database, threepl: ShipHeroSandbox) -> None:
    world = World(db)
    with db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "MUG"}], world.now())
    lots.track_article(world.runtime, "MUG", "lot", person=PERSON)
    add_location(world, connect(world, threepl))
    world.run()
    assert world.on_shelf() == {}
    [problem] = world.read(lambda tx: problems.find(tx, world.now(), move="yours"))
    assert problem.title == "3PL states other units of an article that is kept by lot or serial number"
    assert problem.error.startswith("MUG is kept by lot, and 7 units are stated where the books have 0.")
    lots.adjust_lot(world.runtime, "MUG", "EAST", Marks("L1"), 7, person=PERSON, reason="counted there")
    operate.replay(world.runtime, ids=problem.ids, person=PERSON)
    world.run()
    assert world.on_shelf() == {"EAST": {"MUG": (7, 7, 0)}}
    assert world.read(lambda tx: problems.find(tx, world.now(), move="yours")) == []
    assert world.read(lot_store.differences) == []


def test_a_catalogue_that_takes_no_stock_is_not_due_for_ever(db: Database) -> None:
    world, erp = World(db), OdooSandbox()
    erp.add_product("MUG")
    world.location("WEST")
    with erp.serve():
        erp_id = operate.add_connection(world.runtime, "odoo", "Books", erp.settings(), person=PERSON).id
        row = operate.ImportRow(1, "MUG", "WEST", 3)
        operate.import_stock(world.runtime, [row], person=PERSON, reason="count", create_articles=True)
        world.run()
        operate.sync_now(world.runtime, erp_id, person=PERSON)
        world.run()
        operate.adjust_stock(world.runtime, "MUG", "WEST", person=PERSON, reason="count", set_to=9)
        world.run()
    assert list(due_doors(world.runtime)) == []
    assert world.read(lambda tx: connections.get(tx, erp_id)).publish_stock is False


# --- figures and what moves meanwhile ------------------------------------------------------------------------------


class Fed:
    """A 3PL's place with one article, and its figures one by one."""

    def __init__(self, world: World, threepl: ShipHeroSandbox) -> None:
        self.world, self.threepl_id = world, connect(world, threepl)
        add_location(world, self.threepl_id)
        self.place = operate.places(world.runtime, self.threepl_id)[0].external_id
        world.run()
        world.later(minutes=1)

    def says(self, units: int, as_of: datetime | None = None) -> None:
        """A figure arrives, as it was at a moment (now), and waits to be booked."""
        as_of = as_of or self.world.now()
        level = {"id": "MUG", "sku": "MUG", "warehouse_id": self.place, "on_hand": units}
        body = orjson.dumps({**level, "read_at": as_of.isoformat()})
        mark = f"{units}:{as_of.isoformat()}"
        arrival = Arrival("inventory", "inventory", f"{self.place}:MUG", body, mark, "poll", mark)
        with self.world.db.begin() as tx:
            assert inbox.store(tx, self.threepl_id, [arrival], self.world.now())

    def adjust(self, **how: int) -> None:
        self.world.later(seconds=1)
        operate.adjust_stock(self.world.runtime, "MUG", "EAST", person=PERSON, reason="test", **how)

    def promise(self, units: int) -> None:
        self.world.later(seconds=1)
        operate.reserve(
            self.world.runtime, [operate.ReserveLine("MUG", units, "EAST")], ("checkout", "cart"), person=PERSON
        )

    def on_hand(self) -> int:
        self.world.later(seconds=1)
        self.world.run()
        return self.world.on_shelf().get("EAST", {}).get("MUG", (0,))[0]


@pytest.fixture
def fed(db: Database, threepl: ShipHeroSandbox) -> Iterator[Fed]:
    world = World(db)
    with db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "MUG"}], world.now())
    yield Fed(world, threepl)
    assert world.read(differences) == []


def test_a_figure_counts_although_units_were_promised_since_it_was_read(fed: Fed) -> None:
    fed.says(107)  # a hundred came in there
    fed.promise(2)
    assert fed.on_hand() == 107
    assert fed.world.on_shelf()["EAST"]["MUG"] == (107, 105, 0)


@pytest.mark.parametrize("change", [-3, 4])
def test_what_left_or_came_since_a_figure_was_read_is_added_to_it(fed: Fed, change: int) -> None:
    fed.says(107)
    fed.adjust(change=change)
    assert fed.on_hand() == 107 + change


def test_what_left_before_a_figure_was_read_is_in_it(fed: Fed) -> None:
    fed.adjust(change=-3)
    fed.world.later(seconds=1)
    fed.says(4)
    assert fed.on_hand() == 4


def test_fewer_than_none_are_none_and_the_ledger_says_so(fed: Fed) -> None:
    fed.says(-2)
    assert fed.on_hand() == 0
    reasons = fed.world.read(
        lambda tx: tx.execute(select(stock_move.c.reason).order_by(stock_move.c.id)).scalars().all()
    )
    assert reasons[-1] == "feed: -2 are stated, so none is there"


def test_no_more_leaves_than_a_figure_says_is_there(fed: Fed) -> None:
    fed.says(2)
    fed.adjust(change=-3)
    assert fed.on_hand() == 0


def test_what_a_person_said_later_outlives_a_figure_of_before(fed: Fed) -> None:
    fed.says(107)
    fed.adjust(set_to=100)
    assert fed.on_hand() == 100
    assert fed.world.inbox_outcomes()["stale"] == 1


def test_a_figure_is_compared_with_what_an_earlier_figure_made_of_the_books(fed: Fed) -> None:
    first, second = fed.world.now(), fed.world.now() + timedelta(seconds=2)
    fed.world.later(seconds=5)
    fed.says(107, as_of=first)
    assert fed.on_hand() == 107, "booked after the second was read"
    fed.says(107, as_of=second)
    assert fed.on_hand() == 107


@pytest.mark.parametrize("newest", [7, 107])
def test_an_older_figure_that_comes_late_is_stale_even_when_the_newer_changed_nothing(fed: Fed, newest: int) -> None:
    early = fed.world.now()
    fed.world.later(seconds=5)
    fed.says(newest)
    assert fed.on_hand() == newest
    fed.says(50, as_of=early)
    assert fed.on_hand() == newest
    assert fed.world.inbox_outcomes()["stale"] == 1


def test_of_two_figures_that_are_booked_together_the_newer_counts(fed: Fed) -> None:
    early = fed.world.now()
    fed.world.later(seconds=5)
    fed.says(9)
    fed.says(50, as_of=early)
    fed.adjust(change=-1)
    assert fed.on_hand() == 8


def test_a_clock_that_is_ahead_makes_no_figure_newer_than_its_arrival(fed: Fed) -> None:
    fed.says(10, as_of=fed.world.now() + timedelta(hours=1))
    fed.adjust(change=-4)
    assert fed.on_hand() == 6, "what left after the figure arrived is not in it"
    fed.says(5)
    assert fed.on_hand() == 5, "and the next figure is newer"


def test_a_coarse_moment_is_taken_as_its_beginning(fed: Fed) -> None:
    """What comes about within the same minute cannot be told apart, so it counts as later than the figure."""
    fed.world.later(minutes=1)
    minute = fed.world.now().replace(second=0, microsecond=0)
    fed.adjust(change=-2)
    fed.says(10, as_of=minute)
    assert fed.on_hand() == 8, "rather too few than too many are sold"


# --- counts and notices of shipments, in whatever order they come ---------------------------------------------------


class Warehouse:
    """The 3PL of a desk with ten NEW at EAST, whose count and whose notices are read one by one."""

    def __init__(self, desk: Desk) -> None:
        self.desk, self.world = desk, desk.world
        desk.threepl.warehouse.clock = desk.world.now
        place = operate.places(desk.runtime, desk.threepl_id)[0].external_id
        operate.link_places(desk.runtime, "3PL", {place: "EAST"}, person=PERSON)
        row = operate.ImportRow(1, "NEW", "WEST", 0)
        operate.import_stock(desk.runtime, [row], person=PERSON, reason="count", create_articles=True)
        self.counts(10)
        self.read("inventory", "shipments")
        assert self.shelf() == (10, 10, 0)

    def counts(self, units: int) -> None:
        """So many lie there now, whatever left."""
        self.desk.threepl.add_product("NEW", on_hand=units)

    def read(self, *streams: str) -> None:
        for stream in streams:
            self.world.later(minutes=1)
            reconcile(self.world.runtime, self.desk.threepl_id, stream)
            self.world.run()

    def buy(self, units: int) -> str:
        """An order that the 3PL has; its number there."""
        self.desk.buy(("NEW", units))
        self.world.run()
        self.world.later(minutes=1)
        return str(self.desk.threepl.orders[-1]["order_number"])

    def ship(self, number: str) -> None:
        """It leaves there; the hub has not heard of it yet."""
        self.desk.threepl.ship(number, f"1Z{number[-12:]}", notify=False)

    def shelf(self) -> tuple[int, int, int]:
        """On hand, available, committed."""
        return self.world.on_shelf()["EAST"].get("NEW", (0, 0, 0))

    def short(self) -> list[int]:
        return [one.missing for one in self.world.read(oversold.find)]


@pytest.fixture
def warehouse(desk: Desk) -> Warehouse:
    return Warehouse(desk)


@pytest.mark.parametrize("order", [("inventory", "shipments"), ("shipments", "inventory")])
def test_what_was_shipped_leaves_the_books_once_whichever_is_read_first(
    warehouse: Warehouse, order: tuple[str, str]
) -> None:
    number = warehouse.buy(2)
    assert warehouse.shelf() == (10, 8, 2)
    warehouse.ship(number)
    warehouse.read(*order)
    assert warehouse.shelf() == (8, 8, 0)
    for _ in range(3):
        warehouse.world.later(hours=8)
        warehouse.read(*order)
    assert warehouse.shelf() == (8, 8, 0)


def test_fewer_are_sold_while_the_notice_of_a_shipment_is_awaited(warehouse: Warehouse) -> None:
    warehouse.ship(warehouse.buy(2))
    warehouse.read("inventory")
    assert warehouse.shelf() == (8, 6, 2), "nobody knows yet which units left"


def test_what_is_shipped_after_the_count_leaves_the_books(warehouse: Warehouse) -> None:
    number = warehouse.buy(2)
    warehouse.counts(9)  # one broke
    warehouse.read("inventory")
    warehouse.world.later(minutes=1)
    warehouse.ship(number)
    warehouse.read("shipments")
    assert warehouse.shelf() == (7, 7, 0)
    warehouse.read("inventory")
    assert warehouse.shelf() == (7, 7, 0)


def test_a_count_that_was_read_before_the_shipment_and_is_booked_after_it_brings_nothing_back(
    warehouse: Warehouse,
) -> None:
    number = warehouse.buy(2)
    warehouse.counts(9)
    reconcile(warehouse.world.runtime, warehouse.desk.threepl_id, "inventory")  # it waits in the inbox
    warehouse.world.later(minutes=1)
    warehouse.ship(number)
    warehouse.read("shipments")
    assert warehouse.shelf() == (7, 7, 0)


def test_units_that_may_have_been_shipped_are_not_oversold(warehouse: Warehouse) -> None:
    first, second = warehouse.buy(4), warehouse.buy(6)
    warehouse.ship(first)
    warehouse.read("inventory")
    assert warehouse.shelf() == (6, -4, 10)
    assert (warehouse.short(), warehouse.world.read(health.oversold)) == ([], 0)
    warehouse.read("shipments")
    assert warehouse.shelf() == (6, 0, 6)
    warehouse.ship(second)
    warehouse.read("inventory", "shipments")
    assert (warehouse.shelf(), warehouse.short()) == ((0, 0, 0), [])


def test_units_that_the_place_has_lost_are_oversold_once_its_notices_were_read(warehouse: Warehouse) -> None:
    warehouse.buy(4)
    warehouse.buy(6)
    warehouse.counts(7)
    warehouse.read("inventory")
    assert warehouse.short() == [], "they may have left"
    warehouse.read("shipments", "inventory")
    assert (warehouse.shelf(), warehouse.short()) == ((7, -3, 10), [3])
    assert warehouse.world.read(health.oversold) == 3


def test_more_than_may_have_been_shipped_is_oversold_at_once(warehouse: Warehouse) -> None:
    warehouse.buy(4)
    operate.reserve(
        warehouse.world.runtime, [operate.ReserveLine("NEW", 6, "EAST")], ("checkout", "cart"), person=PERSON
    )
    warehouse.counts(3)
    warehouse.read("inventory")
    assert (warehouse.shelf()[1], warehouse.short()) == (-7, [3])


@pytest.mark.parametrize("streams", [("inventory", "shipments"), ("shipments", "inventory")])
def test_a_clock_that_is_behind_takes_nothing_out_twice(warehouse: Warehouse, streams: tuple[str, str]) -> None:
    """A shipment that is dated before its order does not say when it left."""
    numbers = [warehouse.buy(2), warehouse.buy(3)]
    warehouse.desk.threepl.warehouse.clock = lambda: warehouse.world.now() - timedelta(hours=9)
    for number in numbers:
        warehouse.ship(number)
    warehouse.desk.threepl.warehouse.clock = warehouse.world.now
    warehouse.counts(5)
    warehouse.read(*streams)
    assert warehouse.shelf() == (5, 5, 0)


def test_a_notice_that_knows_the_day_only_takes_out_what_the_count_still_had(warehouse: Warehouse) -> None:
    number = warehouse.buy(2)
    warehouse.counts(10)
    warehouse.read("inventory")
    warehouse.desk.threepl.warehouse.clock = lambda: warehouse.world.now() - timedelta(hours=9)
    warehouse.ship(number)
    warehouse.desk.threepl.warehouse.clock = warehouse.world.now
    warehouse.read("shipments")
    assert warehouse.shelf() == (8, 8, 0)


def test_units_leave_though_a_count_did_not_find_them(desk: Desk) -> None:
    order_id = desk.buy(("TEE", 5))
    operate.adjust_stock(desk.runtime, "TEE", "WEST", set_to=2, reason="count", person=PERSON)
    [number] = desk.ask(select(fulfillment_order.c.number))
    assert operate.ship_by_hand(desk.runtime, order_id, number, person=PERSON)
    assert "TEE" not in desk.world.on_shelf()["WEST"]
    assert desk.ask(select(stock_position.c.oversold).where(stock_position.c.oversold > 0)) == []
