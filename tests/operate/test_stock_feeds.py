"""A 3PL's figures are neither lost nor booked twice, whatever comes before them, between them or after them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import orjson
import pytest

from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.engine.doors import due_doors
from hub.flows import operate
from hub.store import catalog, connections, inbox
from hub.store.database import Database
from hub.store.inbox import Arrival
from hub.store.ledger import differences
from hub.testing.world import World

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
