"""The stock ledger: what is sellable, and two transactions that meet."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select, update

from hub.store import catalog
from hub.store.database import Database
from hub.store.ledger import OutOfStockError, StockBook, mark_listings
from hub.store.tables import listing, stock_position
from hub.testing.world import World


@pytest.fixture
def world(db: Database) -> World:
    found = World(db)
    found.location("EAST")
    found.location("WEST")
    found.stock("""
        location MUG TEE CAP
        EAST       3   0   7
        WEST       1   2   7 """)
    return found


def ids(world: World) -> dict[str, str]:
    return world.read(lambda tx: catalog.variants_by_sku(tx, ["MUG", "TEE", "CAP"]))


def test_only_free_units_of_the_articles_asked_for_are_sellable(world: World) -> None:
    articles = ids(world)
    places = world.read(lambda tx: {place.code: place.id for place in catalog.locations(tx)})
    with world.db.begin() as tx:
        book = StockBook.open(tx, set(articles.values()), world.now(), "test")
        book.move(
            book.position(places["EAST"], articles["MUG"]), 1, "available", "committed",
            kind="commit", cause=("test", "x"), key="x",
        )  # fmt: skip
        found = book.sellable({articles["MUG"], articles["TEE"]})
    assert found == {
        (places["EAST"], articles["MUG"]): 2,
        (places["WEST"], articles["MUG"]): 1,
        (places["WEST"], articles["TEE"]): 2,
    }


def test_a_move_of_more_than_there_is_is_refused_and_writes_nothing(world: World) -> None:
    articles = ids(world)
    place = world.read(lambda tx: catalog.location_by_code(tx, "WEST").id)

    def take_two() -> None:
        with world.db.begin() as tx:
            book = StockBook.open(tx, {articles["MUG"]}, world.now(), "test")
            position = book.position(place, articles["MUG"])
            book.move(position, 2, "available", "committed", kind="commit", cause=("test", "x"), key="x")

    with pytest.raises(OutOfStockError, match="2 units wanted from available and 1 are there"):
        take_two()
    assert set(world.read(lambda tx: tx.execute(select(stock_position.c.committed)).scalars())) == {0}


def test_marking_listings_and_publishing_them_never_wait_for_each_other_in_a_circle(world: World) -> None:
    if world.db.is_sqlite:
        pytest.skip("SQLite has one writer at a time")
    shop = world.connect(
        "shopify", "Web shop", {"shop": "demo.myshopify.com", "access_token": "a", "webhook_secret": "b"}
    )
    articles = ids(world)
    # The rows lie in the table in the order opposite to that of their ids.
    rows = [{"id": f"{number}", "external_id": f"{number}", "sku": sku} for number, sku in ((2, "TEE"), (1, "MUG"))]
    with world.db.begin() as tx:
        for row in rows:
            tx.execute(listing.insert().values(connection_id=shop, variant_id=articles[row["sku"]], **row))

    def mark() -> None:
        with world.db.begin() as tx:
            mark_listings(tx, {articles["MUG"], articles["TEE"]})

    with ThreadPoolExecutor(1) as pool:
        with world.db.begin() as tx:
            tx.execute(update(listing).where(listing.c.id == "1").values(published_quantity=1))
            marking = pool.submit(mark)
            _until_somebody_waits(world.db)
            tx.execute(update(listing).where(listing.c.id == "2").values(published_quantity=2))
        marking.result(timeout=10)
    figures = select(listing.c.published_quantity, listing.c.stock_rev).order_by(listing.c.id)
    assert world.read(lambda tx: [tuple(row) for row in tx.execute(figures)]) == [(1, 1), (2, 1)]


def _until_somebody_waits(db: Database) -> None:
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    for _ in range(200):
        with db.read() as tx:
            if tx.exec_driver_sql(waiting).scalar():
                return
        time.sleep(0.02)
    raise AssertionError("nobody waits")
