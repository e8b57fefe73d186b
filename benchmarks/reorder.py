"""How long a reckoning takes: 20,000 articles at 3 places, 90 days of orders and moves; and the alerts beside it.

python -m benchmarks.reorder            # a table, on SQLite and PostgreSQL
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Annotated, Any

import typer
from sqlalchemy import Table, insert

from benchmarks.databases import Ground, postgresql, sqlite
from hub.flows import low_stock, promise, reorder
from hub.store import catalog
from hub.store.database import new_id, open_database
from hub.store.tables import (
    connection,
    order_line,
    orders,
    purchase_order,
    purchase_order_line,
    stock_move,
    stock_policy,
    stock_position,
    supplier,
    supplier_item,
)
from hub.testing.world import World

ARTICLES, DAYS, LINES, WAITING = 20_000, 90, 200_000, 5_000
GROUNDS: dict[str, Callable[[], AbstractContextManager[Ground]]] = {"sqlite": sqlite, "postgresql": postgresql}
AT_ONCE = 5_000


def fill(world: World, seed: int = 7) -> None:
    """Articles with stock, a ledger and orders, as if the shop had run for a season."""
    draw, now = random.Random(seed), world.now()  # noqa: S311 - test data
    with world.db.begin() as tx:
        places = [catalog.add_location(tx, now, code=code, country="DE") for code in ("BER", "HAM", "MUC")]
        variants = list(catalog.add_variants(tx, [{"sku": f"SKU-{i:05}"} for i in range(ARTICLES)], now).values())
        seller, shop, bought = new_id(), new_id(), new_id()
        tx.execute(insert(supplier).values(id=seller, code="ACME", name="Acme", currency="EUR", created_at=now))
        tx.execute(
            insert(connection).values(
                id=shop,
                name="Shop",
                plugin="shopify",
                config={},
                webhook_token=new_id(),
                created_at=now,
                updated_at=now,
            )
        )
        write(tx, supplier_item, [item(seller, one) for one in variants])
        write(tx, stock_policy, [policy(one, now) for one in variants])
        positions = [position(one, place, draw) for one in variants for place in places]
        write(tx, stock_position, positions)
        write(tx, stock_move, [move for one in positions for move in moves(one, now, draw)])
        sold = [order(shop, now - timedelta(days=draw.random() * DAYS), index) for index in range(LINES)]
        write(tx, orders, sold)
        write(tx, order_line, [line(one, draw.choice(variants[:5000]), i < WAITING) for i, one in enumerate(sold)])
        tx.execute(
            insert(purchase_order).values(
                id=bought, number="PO-1", supplier_id=seller, location_id=places[0], status="ordered", currency="EUR",
                created_by="x", created_at=now, updated_at=now, expected_on=now.date(),
            )
        )  # fmt: skip
        write(tx, purchase_order_line, [on_order(bought, one) for one in variants[:2000]])


def write(tx: Any, table: Table, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), AT_ONCE):
        tx.execute(insert(table), rows[start : start + AT_ONCE])


def item(seller: str, variant_id: str) -> dict[str, Any]:
    return {"id": new_id(), "supplier_id": seller, "variant_id": variant_id, "cost_minor": 250, "pack_size": 12}


def policy(variant_id: str, now: datetime) -> dict[str, Any]:
    return {"id": new_id(), "variant_id": variant_id, "low_threshold": 5, "updated_at": now}


def on_order(purchase_id: str, variant_id: str) -> dict[str, Any]:
    return {"id": new_id(), "purchase_order_id": purchase_id, "variant_id": variant_id, "ordered": 10}


def position(variant_id: str, place: str, draw: random.Random) -> dict[str, Any]:
    units = draw.choice((0, 3, 20, 80))
    return {"id": new_id(), "variant_id": variant_id, "location_id": place, "on_hand": units, "available": units}


def moves(where: dict[str, Any], now: datetime, draw: random.Random) -> list[dict[str, Any]]:
    days = [now - timedelta(days=draw.random() * DAYS) for _ in range(draw.choice((0, 1, 8)))]
    return [
        {
            "id": new_id(), "position_id": where["id"], "kind": "commit", "quantity": 1, "from_state": "available",
            "to_state": "committed", "cause_type": "x", "cause_id": "x", "idempotency_key": new_id(), "actor": "x",
            "at": at, "occurred_at": at,
        }
        for at in days
    ]  # fmt: skip


def order(shop: str, at: datetime, number: int) -> dict[str, Any]:
    return {
        "id": new_id(), "connection_id": shop, "external_id": str(number), "number": str(number), "revision": "1",
        "document_hash": "", "inbox_id": "", "document": {}, "lifecycle": "open", "remote_status": "open",
        "payment_status": "paid", "placed_at": at, "currency": "EUR", "total_minor": 0, "computed_minor": 0,
        "created_at": at, "updated_at": at,
    }  # fmt: skip


def line(of: dict[str, Any], variant_id: str, waits: bool) -> dict[str, Any]:
    return {
        "id": new_id(), "order_id": of["id"], "line_no": 0, "external_id": "1", "sku": "x", "variant_id": variant_id,
        "ordered": 1, "routed": 0 if waits else 1, "total_minor": 0, "waits_as": "backorder" if waits else None,
    }  # fmt: skip


def main(
    on: Annotated[list[str] | None, typer.Option("--on", help="Databases to measure on.")] = None,
) -> None:
    typer.echo(f"{ARTICLES:,} articles, 3 places, {LINES:,} order lines, {WAITING:,} of them waiting")
    for name in on or GROUNDS:
        with GROUNDS[name]() as ground:
            world = World(open_database(ground.fresh()))
            fill(world)
            for what, work in (
                ("reckon for the network", lambda hub: len(reorder.reckon(hub).needs)),
                ("reckon for one place", lambda hub: len(reorder.reckon(hub, "BER").needs)),
                ("alerts, first look", low_stock.look_at_stock),
                ("alerts, again", low_stock.look_at_stock),
                ("promises, all new", promise.repromise_all),
                ("promises, nothing new", promise.repromise_all),
            ):
                started = time.perf_counter()
                found = work(world.runtime)
                typer.echo(f"{name:12} {what:26} {time.perf_counter() - started:6.2f} s   {found:>6} found")
            world.db.dispose()


if __name__ == "__main__":
    typer.run(main)
