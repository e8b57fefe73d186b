"""How many orders an hour: from the door to a routed order, on SQLite and PostgreSQL.

    python -m benchmarks.intake            # a table
    python -m benchmarks.intake --json     # the same for machines

Real webhook bodies of the Shopify sandbox, three lines each, 300 articles at five locations, a 3PL, a carrier and an
ERP that must be told. Nothing is called: the outbox is filled and left. Other work on the machine disturbs the
figures, so the load is told with them and the median of several rounds is shown.
"""

from __future__ import annotations

import json
import os
import statistics
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from typing import Annotated

import structlog
import typer

from benchmarks import bare, drain, town
from benchmarks.databases import Ground, postgresql, sqlite
from benchmarks.stopwatch import parts_of_intake
from benchmarks.usage import Usage, measured
from connectors.shopify import webhooks
from hub.flows import intake as flow
from hub.flows.receive import receive
from hub.sdk import WebhookRequest
from hub.store import connections, inbox
from hub.store.database import Database, open_database
from hub.store.inbox import Arrival
from hub.store.tables import PARTITIONS

GROUNDS: dict[str, Callable[[], AbstractContextManager[Ground]]] = {"sqlite": sqlite, "postgresql": postgresql}


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured step. CPU is processor time per order over all processes, the database server's part apart."""

    database: str
    step: str
    orders_per_s: float
    cpu_ms: float
    server_cpu_ms: float
    peak_mib: float


def main(
    orders: Annotated[int, typer.Option(help="How many orders.")] = 2000,
    rounds: Annotated[int, typer.Option(help="How often each step is measured; the median is shown.")] = 3,
    database: Annotated[str, typer.Option(help="sqlite, postgresql or both.")] = "both",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
) -> None:
    """Measure the door, intake by one and two drainers, and the bare script."""
    warnings.simplefilter("ignore")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    told = [_measure(name, orders, rounds) for name in GROUNDS if database in ("both", name)]
    machine = {"cores": os.cpu_count(), "load": os.getloadavg(), "orders": orders, "rounds": rounds}
    if as_json:
        print(json.dumps({"machine": machine, "databases": told}, indent=1))
        return
    for one in told:
        _show(one)
    print(f"\n{machine['cores']} cores, load over 1, 5 and 15 minutes {machine['load']}")


def _measure(name: str, count: int, rounds: int) -> dict[str, object]:
    with GROUNDS[name]() as ground:
        every = [_round(ground, count) for _ in range(rounds)]
        rows, parts = _rows_and_parts(ground, count)
    figures = []
    for same in zip(*every, strict=True):
        middle = [statistics.median(getattr(one, what) for one in same) for what in Figure.__slots__[2:]]
        figures.append(Figure(same[0].database, same[0].step, *middle))
    speed = {one.step: one.orders_per_s for one in figures}
    door, best = speed["door, 2 senders"], max(rate for step, rate in speed.items() if step.startswith("intake"))
    return {
        "database": name,
        "figures": [asdict(one) for one in figures],
        "door_and_intake_per_s": 1 / (1 / door + 1 / best),
        "times_the_bare_script": speed["bare script"] / speed["intake, 1 drainer"],
        "rows_per_order": {table: rows[table] / count for table in rows},
        "share_of_time": parts,
    }


def _round(ground: Ground, count: int) -> list[Figure]:
    """Every step once, each on a database of its own."""
    figures = []

    def note(step: str, usage: Usage) -> None:
        client, server = usage.client_cpu_s * 1000 / count, usage.server_cpu_s * 1000 / count
        memory = usage.peak_mib if step.startswith("intake") else 0.0  # other steps share this process with the shop
        figures.append(Figure(ground.name, step, count / usage.wall_s, client + server, server, memory))

    for senders in (1, 2):
        db, place, _ = _town(ground, count)
        note(f"door, {senders} sender{'s'[: senders - 1]}", _send(ground, place, senders))
        db.dispose()
    for drainers in (1, 2):
        db, place, url = _town(ground, count)
        _store(place)
        usage = drain.drain(ground, url, drainers)
        assert place.world.inbox_outcomes() == {"applied": count}, place.world.inbox_outcomes()
        note(f"intake, {drainers} drainer{'s'[: drainers - 1]}", usage)
        if drainers == 2:
            note("bare script", bare.copy(ground, db, flow.BATCH)[0])
        db.dispose()
    return figures


def _rows_and_parts(ground: Ground, count: int) -> tuple[dict[str, int], dict[str, float]]:
    """Rows inserted by table, and the share of every part of intake in its time."""
    db, place, _ = _town(ground, count)
    _store(place)
    drain.warm_up(db)
    with parts_of_intake(db) as watch:
        for partition in range(PARTITIONS):
            while flow.intake(place.world.runtime, partition):
                pass
    _, rows = bare.copy(ground, db, flow.BATCH)
    db.dispose()
    whole = sum(watch.seconds.values())
    return rows, {part: seconds / whole for part, seconds in sorted(watch.seconds.items(), key=lambda one: -one[1])}


def _town(ground: Ground, count: int) -> tuple[Database, town.Town, str]:
    url = ground.fresh()
    db = open_database(url)
    return db, town.build(db, count), url


def _send(ground: Ground, place: town.Town, senders: int) -> Usage:
    """Hand over every delivery as the platform would: signature checked, one commit each."""
    with place.world.db.read() as tx:
        token = connections.get(tx, place.shop_id).webhook_token

    def send(request: WebhookRequest) -> int:
        return receive(place.world.runtime, place.shop_id, token, request).status

    with measured(ground.server_cpu_s) as usage, ThreadPoolExecutor(senders) as pool:
        answers = set(pool.map(send, place.payloads))
    assert answers == {200}, answers
    return usage


def _store(place: town.Town) -> None:
    """Put every delivery straight into the inbox, in one transaction."""
    arrivals = [_arrival(request) for request in place.payloads]
    with place.world.db.begin() as tx:
        inbox.store(tx, place.shop_id, arrivals, place.world.now())
        if not place.world.db.is_sqlite:
            tx.exec_driver_sql("ANALYZE")


def _arrival(request: WebhookRequest) -> Arrival:
    [event] = webhooks.events(request)
    key = f"{event.topic}:{event.event_id}:"
    names = (event.stream, event.topic, event.external_id)
    return Arrival(*names, request.raw, key, "webhook", event.revision, request.headers)


def _show(told: dict[str, object]) -> None:
    print(f"\n{told['database']}\n{'step':<22}{'orders/s':>10}{'CPU ms/order':>14}{'of it server':>14}{'peak MiB':>10}")
    for one in told["figures"]:  # type: ignore[attr-defined]
        print(
            f"{one['step']:<22}{one['orders_per_s']:>10.0f}{one['cpu_ms']:>14.2f}{one['server_cpu_ms']:>14.2f}"
            f"{one['peak_mib']:>10.0f}"
        )
    rows, parts = told["rows_per_order"], told["share_of_time"]
    print(f"door and intake one after the other: {told['door_and_intake_per_s']:.0f} orders/s")
    print(f"intake by one drainer takes {told['times_the_bare_script']:.1f} times the bare script")
    print(f"{sum(rows.values()):.1f} rows per order:", ", ".join(f"{name} {n:.1f}" for name, n in rows.items()))  # type: ignore[attr-defined]
    print("time of intake:", ", ".join(f"{part} {share:.0%}" for part, share in parts.items()))  # type: ignore[attr-defined]


if __name__ == "__main__":
    typer.run(main)
