"""Drainers: threads on SQLite, where there is one process; processes of their own on PostgreSQL."""

from __future__ import annotations

import multiprocessing
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
from sqlalchemy import select

from benchmarks.databases import Ground
from benchmarks.usage import Usage, measured
from hub import mapping, schemas
from hub.flows.intake import intake
from hub.flows.runtime import Runtime
from hub.store.database import Database, open_database
from hub.store.tables import PARTITIONS, inbox
from hub.testing.world import World


def drain(ground: Ground, url: str, drainers: int) -> Usage:
    """Empty the inbox; the start of the processes, until all are ready, does not count.

    Peak memory is that of the largest of them, which have seen nothing of how the orders were made.
    """
    threads = drainers if url.startswith("sqlite") else 1
    processes = drainers // threads
    make = multiprocessing.get_context("spawn")
    ready, reports = make.Barrier(processes + 1), make.Queue()
    children = [
        make.Process(target=_child, args=(url, number, processes, threads, ready, reports))
        for number in range(processes)
    ]
    for child in children:
        child.start()
    ready.wait()
    began, server = time.perf_counter(), ground.server_cpu_s()
    found: list[Usage] = [reports.get() for _ in children]
    usage = Usage(time.perf_counter() - began, 0.0, ground.server_cpu_s() - server, max(one.peak_mib for one in found))
    usage.client_cpu_s = sum(one.client_cpu_s for one in found)
    ready.wait()  # the server's processes must live until their time has been read
    for child in children:
        child.join()
    return usage


def _child(url: str, number: int, processes: int, threads: int, ready: Any, reports: Any) -> None:
    world = World(open_database(url))
    warm_up(world.db)
    ready.wait()
    with measured(lambda: 0.0) as usage, ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda thread: _drain(world.runtime, number + thread, processes * threads), range(threads)))
    reports.put(usage)
    ready.wait()
    world.db.dispose()


def _drain(runtime: Runtime, first: int, step: int) -> None:
    for partition in range(first, PARTITIONS, step):
        while intake(runtime, partition):
            pass


def warm_up(db: Database) -> None:
    """Map one waiting order, so that compiling the field map is not part of what is measured."""
    with db.read() as tx:
        body = tx.execute(select(inbox.c.body).limit(1)).scalar_one()
    schemas.parse("order.v1", mapping.load("shopify/orders_webhook.yml").apply(orjson.loads(body)))
