"""How fast stock figures are set: 100,000 SKU-location quantities by API and by CSV, for new articles and known ones.

    python -m benchmarks.stock_set            # a table, on SQLite and PostgreSQL
    python -m benchmarks.stock_set --json     # the same for machines

By API means whole requests of 10,000 rows against the web application, JSON and checks included; by CSV means a file
read and booked as `orderhub stock import` does. Every figure differs from the one before, so each row is a move.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from benchmarks.databases import Ground, postgresql, sqlite
from hub.flows import operate
from hub.flows.operate import stock_file
from hub.settings import Settings
from hub.store import people
from hub.store.database import open_database
from hub.store.ledger import differences
from hub.testing.world import World
from hub.web.app import create_app

ROWS, LOCATIONS, CALL = 100_000, 10, 10_000
GROUNDS: dict[str, Callable[[], AbstractContextManager[Ground]]] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True, slots=True)
class Measured:
    """One measurement: `rows` figures set in `seconds`, on a database, by a way, for new or known articles."""

    database: str
    way: str
    articles: str
    rows: int
    seconds: float

    @property
    def per_second(self) -> float:
        return self.rows / self.seconds


def figures(rows: int, units: int) -> Iterator[tuple[str, str, int]]:
    """(SKU, location, units) of so many figures: every article lies at each of LOCATIONS places."""
    for number in range(rows):
        yield f"SKU-{number // LOCATIONS:06d}", f"L{number % LOCATIONS:02d}", units + number % 7


def measure(ground: Ground, rows: int = ROWS) -> Iterator[Measured]:
    """Set `rows` figures in each way on fresh databases of this kind, first for new articles, then for known ones."""
    for way, setter in (("API", by_api), ("CSV", by_csv)):
        db = open_database(ground.fresh())
        try:
            world = World(db)
            for number in range(LOCATIONS):
                world.location(f"L{number:02d}")
            for articles, units in (("new", 10), ("known", 100)):
                yield Measured(ground.name, way, articles, rows, setter(world, rows, units))
            wrong = world.read(differences)
            if wrong:
                raise RuntimeError(f"{len(wrong)} figures of the ledger are wrong")
        finally:
            db.dispose()


def by_api(world: World, rows: int, units: int) -> float:
    """Seconds to set the figures by requests to the API."""
    with world.db.begin() as tx:
        key = people.add_key(tx, "benchmark", "ops", world.now())
    client = create_app(Settings(_env_file=None, cookie_secure=False), world.runtime).test_client()
    found = [{"sku": sku, "location": place, "units": count} for sku, place, count in figures(rows, units)]
    bodies = [
        json.dumps({"rows": found[start : start + CALL], "reason": "count", "create_articles": True})
        for start in range(0, rows, CALL)
    ]
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    started = time.perf_counter()
    for body in bodies:
        answer = client.put("/api/v1/stock", data=body, headers=head)
        if answer.status_code != 200 or answer.json["errors"]:
            raise RuntimeError(answer.text[:500])
    return time.perf_counter() - started


def by_csv(world: World, rows: int, units: int) -> float:
    """Seconds to book a file of the figures."""
    with TemporaryDirectory(prefix="orderhub-benchmark-") as folder:
        file = Path(folder) / "stock.csv"
        with file.open("w", newline="") as target:
            csv.writer(target).writerows([("sku", "location", "on_hand"), *figures(rows, units)])
        started = time.perf_counter()
        done = operate.import_stock(
            world.runtime, stock_file.rows_of(file), person="benchmark", reason="count", create_articles=True
        )
        took = time.perf_counter() - started
    if any(one.status != "changed" for one in done):
        raise RuntimeError("not every row was booked")
    return took


def main(
    rows: Annotated[int, typer.Option(help="How many figures.")] = ROWS,
    database: Annotated[str, typer.Option(help="sqlite, postgresql or both.")] = "both",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Set stock figures by API and by CSV."""
    for name, ground in GROUNDS.items():
        if database not in (name, "both"):
            continue
        with ground() as place:
            for one in measure(place, rows):
                if as_json:
                    typer.echo(json.dumps(asdict(one) | {"per_second": round(one.per_second)}))
                else:
                    typer.echo(f"{one.database:<11} {one.way}  {one.articles:<6} {one.per_second:>8,.0f} rows/s")


if __name__ == "__main__":
    typer.run(main)
