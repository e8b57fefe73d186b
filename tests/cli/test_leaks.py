"""Units that are kept for nobody, and orders that do not add up, are found by the audit and the doctor and left alone."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from hub.flows import operate
from hub.store import invariants
from hub.store.database import Tx, utcnow
from hub.store.errors import IntegrityError
from hub.store.ledger import StockBook, differences
from hub.store.tables import fulfillment_order, order_line, orders, package_line, stock_position, variant
from tests.cli.conftest import Shop

Plant = Callable[[Tx], object]


@pytest.fixture
def busy(shop: Shop) -> Shop:
    """Units of the MUG that an order waits for, that a person keeps and that are on their way; a TEE was shipped."""
    run = shop.shell.run
    shop.buy(("MUG", 2))
    shop.buy(("TEE", 1))
    newest = select(orders.c.id, fulfillment_order.c.number).join(fulfillment_order).order_by(orders.c.id.desc())
    order_id, number = shop.world.read(lambda tx: tx.execute(newest).first())
    operate.ship_by_hand(shop.world.runtime, order_id, number, person="mia@example.com")
    run("stock", "reserve", "MUG", "3", "--at", "WEST", "--for", "fair")
    run("supplier", "add", "ACME", "--currency", "USD")
    (shop.shell.folder / "offer.csv").write_text("sku,cost\nMUG,2.00\n")
    run("supplier", "articles", "ACME", "offer.csv")
    run("purchase", "draft", "ACME", "WEST", "MUG=9", "--number", "PO-1")
    run("purchase", "order", "PO-1")
    shop.world.run()
    assert shop.world.read(invariants.every) == []
    return shop


def moved(units: int, from_state: str | None, to_state: str | None) -> Plant:
    """A move of the ledger that belongs to nothing."""

    def plant(tx: Tx) -> None:
        here = select(stock_position.c.location_id, stock_position.c.variant_id).join(variant)
        place, article = tx.execute(here.where(variant.c.sku == "MUG", stock_position.c.on_hand > 0)).one()
        book = StockBook.open(tx, {article}, utcnow(), "test")
        key = f"leak:{from_state}:{to_state}"
        book.move(
            book.position(place, article), units, from_state, to_state, kind="adjust", cause=("test", ""), key=key
        )
        book.flush()

    return plant


LEAKS: list[tuple[str, Plant, str]] = [
    ("kept units", moved(3, "available", "committed"), "5 units are committed and fulfillment orders hold 2"),
    ("kept units", moved(1, "committed", "available"), "1 units are committed and fulfillment orders hold 2"),
    ("kept units", moved(2, "available", "reserved"), "5 units are reserved and reservations hold 3"),
    ("kept units", moved(1, "reserved", "available"), "2 units are reserved and reservations hold 3"),
    ("kept units", moved(9, None, "incoming"), "18 units are incoming and purchase orders and transfers expect 9"),
    ("kept units", moved(4, "incoming", None), "5 units are incoming and purchase orders and transfers expect 9"),
    (
        "kept units",
        lambda tx: tx.execute(update(fulfillment_order).values(exec_status="closed")),
        "2 units are committed and fulfillment orders hold 0",
    ),
    (
        "orders",
        lambda tx: tx.execute(update(order_line).where(order_line.c.sku == "MUG").values(routed=1)),
        "1 units are routed and its fulfillment orders hold 2",
    ),
    (
        "orders",
        lambda tx: tx.execute(update(order_line).where(order_line.c.sku == "TEE").values(shipped=0)),
        "0 units are shipped and its fulfillment orders shipped 1",
    ),
    (
        "orders",
        lambda tx: tx.execute(package_line.delete()),
        "1 units are shipped by a fulfillment order and its packages hold 0",
    ),
    (
        "orders",
        lambda tx: tx.execute(update(package_line).values(quantity=2)),
        "1 units are shipped by a fulfillment order and its packages hold 2",
    ),
]


@pytest.mark.parametrize(("check", "plant", "said"), LEAKS, ids=[said for _, _, said in LEAKS])
def test_a_leak_is_found_and_left_alone(busy: Shop, check: str, plant: Plant, said: str) -> None:
    with busy.world.db.begin() as tx:
        plant(tx)
    assert busy.world.read(differences) == [], "the ledger itself is right"
    seen = busy.shell.run("stock", "audit", code=1).output
    assert said in seen
    found = {one["check"]: one["verdict"] for one in busy.shell.json("doctor", code=1)["rows"]}
    assert found[check] == "fail"
    kept = busy.world.read(invariants.every)
    assert len(kept) == 1
    (last,) = json.loads(busy.shell.run("stock", "audit", "--last", "--json").stdout)["rows"][:1]
    assert [one["kind"] for one in last["differences"]] == [kept[0]["kind"]]
    assert busy.world.read(invariants.every) == kept, "only a person settles it"


def test_units_that_are_unwanted_are_routed_and_have_not_left(busy: Shop) -> None:
    for units in (-1, 3):
        with pytest.raises(IntegrityError, match="unwanted"), busy.world.db.begin() as tx:
            tx.execute(update(order_line).where(order_line.c.sku == "MUG").values(unwanted=units))
    with busy.world.db.begin() as tx:
        tx.execute(update(order_line).where(order_line.c.sku == "MUG").values(unwanted=2))


def test_more_than_was_ordered_does_not_eat_what_another_order_is_to_bring(busy: Shop) -> None:
    run = busy.shell.run
    run("purchase", "draft", "ACME", "WEST", "MUG=10", "--number", "PO-2", "--over", "50")
    run("purchase", "order", "PO-2")
    run("purchase", "receive", "PO-2", "MUG=15")
    incoming = select(stock_position.c.incoming).join(variant).where(variant.c.sku == "MUG")
    assert busy.world.read(lambda tx: tx.execute(incoming).scalars().all()) == [9]
    assert busy.world.read(invariants.every) == []
