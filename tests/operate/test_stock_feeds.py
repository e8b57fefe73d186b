"""A 3PL's figures are not lost because they came before the hub knew their place or article."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.engine.doors import due_doors
from hub.flows import operate
from hub.store import catalog, connections
from hub.store.database import Database
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
