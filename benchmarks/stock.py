"""How fast stock gets out: 50,000 changed figures to five shops, and the time from a commit to a shop's answer.

    python -m benchmarks.stock                    # a table, on SQLite and PostgreSQL
    python -m benchmarks.stock --changes 5000     # smaller

Five shops run as processes of their own on loopback and are spoken to by HTTP as their platforms are; the hub works
with the engine of `orderhub serve` on SQLite and that of `orderhub worker` on PostgreSQL. Quotas are lifted, since they
and not the hub would be measured otherwise. Shops, hub and database share the machine's cores.

Setting 100,000 figures by API and CSV is `benchmarks.stock_set`, which runs afterwards unless --only says otherwise.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from multiprocessing.connection import Connection
from typing import Annotated, Any

import orjson
import structlog
import typer
from flask import Response, g
from sqlalchemy import func, select, update

from benchmarks.databases import Ground, postgresql, sqlite
from connectors.shopify.sandbox import ShopifySandbox
from hub.engine.distributed import Bell, WorkerEngine, prepare
from hub.engine.doors import due_doors, open_door
from hub.engine.local import LocalEngine
from hub.flows import operate
from hub.flows.operate import ImportRow
from hub.store import catalog
from hub.store.database import Database, open_database
from hub.store.tables import listing
from hub.testing.world import World

SHOPS = 5
SELLERS = 4  # threads that commit changes
TICK_S = 1.0
GROUNDS: dict[str, Callable[[], AbstractContextManager[Ground]]] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True, slots=True)
class Published:
    """Changed positions told to every shop. `figures_per_s` counts each shop's figure for itself."""

    database: str
    changes: int
    shops: int
    seconds: float
    changes_per_s: float
    figures_per_s: float


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from a committed change to the shop's answer to the figure."""

    database: str
    changes: int
    wanted_per_s: float
    made_per_s: float
    answers: int
    p50_ms: float
    p99_ms: float
    worst_ms: float


class Shop:
    """A shop in a process of its own. It notes when it has answered with a figure of an inventory item."""

    def __init__(self, number: int, skus: list[str]) -> None:
        make = multiprocessing.get_context("spawn")
        self.pipe, theirs = make.Pipe()
        self._process = make.Process(target=_keep_shop, args=(theirs, number, skus), daemon=True)
        self._process.start()

    def opened(self) -> tuple[dict[str, Any], str, list[tuple[str, str]]]:
        """Settings, the id of its location, and (listing, inventory item) of every article, once it is open."""
        found: tuple[dict[str, Any], str, list[tuple[str, str]]] = self.pipe.recv()
        return found

    def answered(self) -> dict[str, float]:
        """When it last answered with a figure of each inventory item, as Unix time."""
        self.pipe.send("answered")
        found: dict[str, float] = self.pipe.recv()
        return found

    def close(self) -> None:
        self.pipe.send("close")
        self._process.join(10)


def _keep_shop(pipe: Connection, number: int, skus: list[str]) -> None:
    shop = ShopifySandbox(shop=f"shop-{number}.myshopify.com")
    sold = [shop.add_product(sku, "1.00", stock=0) for sku in skus]
    answered: dict[str, float] = {}

    def note(response: Response) -> Response:
        for item in g.get("items", ()):
            answered[item] = time.time()
        shop.calls.clear()
        return response

    def look() -> None:
        body = shop.calls[-1].body if shop.calls else b""
        if b"inventorySetQuantities" in body:
            stated = orjson.loads(body)["variables"]["input"]["quantities"]
            g.items = [one["inventoryItemId"].rpartition("/")[2] for one in stated]

    shop.app.before_request(look)
    shop.app.after_request(note)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    _no_access_log()
    with shop.serve():
        settings = {"shop": shop.shop, "access_token": shop.token, "base_url": shop.url, "webhook_secret": "s"}
        pipe.send((settings, str(shop.state.locations[0].id), [(str(one.id), str(one.item)) for one in sold]))
        while pipe.recv() == "answered":
            pipe.send(answered)


def _no_access_log() -> None:
    import logging  # noqa: PLC0415 - of the shops' processes alone

    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@dataclass(slots=True)
class Town:
    """A hub with its shops and as many articles as are to change, at one location."""

    db: Database
    world: World
    shops: list[Shop]
    skus: list[str]
    items: list[dict[str, str]]  # inventory item by SKU, of each shop


@contextmanager
def _town(url: str, count: int) -> Iterator[Town]:
    skus = [f"SKU-{number:06}" for number in range(count)]
    shops = [Shop(number, skus) for number in range(SHOPS)]
    db = open_database(url)
    world = World(db)
    object.__setattr__(world.runtime, "quota_factor", 10_000.0)
    world.location("EAST")
    with db.begin() as tx:
        catalog.add_variants(tx, [{"sku": sku} for sku in skus], world.now())
    items = [_link(world, number, shop, skus) for number, shop in enumerate(shops)]
    try:
        yield Town(db, world, shops, skus, items)
    finally:
        for shop in shops:
            shop.close()
        db.dispose()


def _link(world: World, number: int, shop: Shop, skus: list[str]) -> dict[str, str]:
    settings, place, sold = shop.opened()
    shop_id = world.connect("shopify", f"Shop {number}", settings)
    more = {"title": "", "product_type": None, "pack_size": 1}
    rows = [
        {"external_id": variant, "inventory_external_id": item, "sku": sku, **more}
        for sku, (variant, item) in zip(skus, sold, strict=True)
    ]
    with world.db.begin() as tx:
        catalog.link_location(tx, shop_id, place, catalog.location_by_code(tx, "EAST").id)
        for start in range(0, len(rows), 5_000):
            catalog.store_listings(tx, shop_id, rows[start : start + 5_000])
        # The shop shows 0 of everything, and so do our books: nothing is due yet.
        tx.execute(update(listing).values(published_rev=listing.c.stock_rev, published_quantity=0))
    return {sku: item for sku, (_, item) in zip(skus, sold, strict=True)}


@contextmanager
def _engine(town: Town) -> Iterator[None]:
    """The engine of `orderhub serve` on SQLite, that of `orderhub worker` on PostgreSQL, with the sweep of both."""
    opened = partial(open_door, town.world.runtime)
    engine: LocalEngine | WorkerEngine
    if town.db.is_sqlite:
        engine = LocalEngine(opened)
    else:
        url = town.db.url
        prepare(url)
        engine = WorkerEngine(Bell(url), opened)
    object.__setattr__(town.world.runtime, "wake", engine.wake)
    stopping = threading.Event()

    def sweep() -> None:
        while not stopping.wait(TICK_S):
            for door in list(due_doors(town.world.runtime)):
                engine.wake(door)

    sweeper = threading.Thread(target=sweep, daemon=True)
    engine.start()
    sweeper.start()
    try:
        yield
    finally:
        stopping.set()
        sweeper.join()
        engine.stop()


def publish(name: str, ground: Ground, changes: int) -> Published:
    """Change every position once and wait until every shop has confirmed its figure."""
    with _town(ground.fresh(), changes) as town, _engine(town):
        begun = time.perf_counter()
        _book(town, 1)
        _wait_until_told(town, 1)
        seconds = time.perf_counter() - begun
    return Published(name, changes, SHOPS, seconds, changes / seconds, changes * SHOPS / seconds)


def _book(town: Town, units: int) -> None:
    rows = [ImportRow(number, sku, "EAST", units) for number, sku in enumerate(town.skus, start=1)]
    operate.import_stock(town.world.runtime, rows, person="benchmark", reason="benchmark")


def _wait_until_told(town: Town, units: int) -> None:
    wanted = len(town.skus) * SHOPS
    told = select(func.count()).select_from(listing).where(listing.c.published_quantity == units)
    while town.world.read(lambda tx: tx.execute(told).scalar_one()) < wanted:
        time.sleep(0.5)


def latency(name: str, ground: Ground, per_s: float, seconds: float) -> Latency:
    """Change one article after the other at this rate; how long until each shop has answered."""
    count = int(per_s * seconds)
    with _town(ground.fresh(), count) as town, _engine(town):
        _book(town, 1)
        _wait_until_told(town, 1)
        begun = time.perf_counter()

        def sell(place: int) -> tuple[str, float]:
            wait = begun + place / per_s - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            sku = town.skus[place]
            operate.adjust_stock(town.world.runtime, sku, "EAST", person="benchmark", reason="sold", set_to=2)
            return sku, time.time()

        with ThreadPoolExecutor(SELLERS) as sellers:
            committed = dict(sellers.map(sell, range(count)))
        made = count / (time.perf_counter() - begun)
        _wait_until_told(town, 2)
        waits = sorted(
            (answered[items[sku]] - committed[sku]) * 1000
            for shop, items in zip(town.shops, town.items, strict=True)
            for answered in [shop.answered()]
            for sku in town.skus
        )
    cuts = statistics.quantiles(waits, n=100)
    return Latency(name, count, per_s, made, len(waits), cuts[49], cuts[98], waits[-1])


def main(
    changes: Annotated[int, typer.Option(help="Positions that change at once.")] = 50_000,
    per_s: Annotated[float, typer.Option(help="Changes a second for the latency.")] = 100.0,
    seconds: Annotated[float, typer.Option(help="How long.")] = 30.0,
    database: Annotated[str, typer.Option(help="sqlite, postgresql or both.")] = "both",
    only: Annotated[str, typer.Option(help="publish, latency, set or all.")] = "all",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure what stock costs on its way out and in."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    names = [name for name in GROUNDS if database in ("both", name)]
    found: list[Published | Latency] = []
    for name in names:
        with ExitStack() as stack:
            ground = stack.enter_context(GROUNDS[name]())
            if only in ("latency", "all"):
                found.append(latency(name, ground, per_s, seconds))
                _show(found[-1], as_json)
            if only in ("publish", "all"):
                found.append(publish(name, ground, changes))
                _show(found[-1], as_json)
    machine = {"cores": os.cpu_count(), "load": os.getloadavg()}
    if as_json:
        print(json.dumps({"machine": machine, "figures": [asdict(one) for one in found]}, indent=1))
    else:
        print(f"{machine['cores']} cores, load over 1, 5 and 15 minutes {machine['load']}")
    if only in ("set", "all"):
        from benchmarks import stock_set  # noqa: PLC0415 - only when it is asked for

        stock_set.main(database=database, as_json=as_json)


def _show(one: Published | Latency, as_json: bool) -> None:
    if as_json:
        return
    if isinstance(one, Published):
        print(
            f"{one.database:<11} {one.changes:,} changes to {one.shops} shops: {one.seconds:.1f} s, "
            f"{one.changes_per_s:,.0f} changes/s, {one.figures_per_s:,.0f} figures/s",
            flush=True,
        )
    else:
        print(
            f"{one.database:<11} {one.changes:,} changes at {one.made_per_s:.0f}/s, {one.answers:,} answers: "
            f"p50 {one.p50_ms:.0f} ms, p99 {one.p99_ms:.0f} ms, worst {one.worst_ms:.0f} ms",
            flush=True,
        )


if __name__ == "__main__":
    typer.run(main)
