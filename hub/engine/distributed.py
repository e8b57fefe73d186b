"""The engine of many processes: Procrastinate on the same PostgreSQL.

A job says "open this door" and nothing more. Its lock lets one worker of all machines open a door at a time, its
queueing lock keeps one wake-up per door in the queue. The jobs are wake-ups, not the truth: they are written after our
commit, without waiting for the disk, and the sweep makes up for a lost one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import procrastinate
import psycopg
import structlog
from procrastinate import exceptions
from procrastinate.jobs import DeleteJobCondition, Status
from psycopg_pool import AsyncConnectionPool, ConnectionPool, PoolTimeout

from hub.engine.doors import Lane, Opener, lane
from hub.store.database import Database, conninfo, open_database
from hub.store.locks import alone, has_table

log = structlog.get_logger()

TASK = "open_door"
OPTIONS = "-c synchronous_commit=off -c application_name=orderhub-engine"
PATIENCE_S = 5.0  # how long to wait for a connection before the database counts as away
ROUND_S = 0.02  # wake-ups of one door within this time become one


def prepare(db_url: str) -> bool:
    """Give the database Procrastinate's tables unless it has them; True when they were made now.

    Safe to repeat, and safe when two processes do it at once: the second waits for the first.
    """
    db = open_database(db_url, pool_size=2)
    try:
        with alone(db, "procrastinate"):
            if has_table(db, "procrastinate_jobs"):
                return False
            app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector(conninfo=conninfo(db_url)))
            with app.open():
                app.schema_manager.apply_schema()
            return True
    finally:
        db.dispose()


def is_prepared(db: Database) -> bool:
    """Whether `prepare` has been done."""
    return has_table(db, "procrastinate_jobs")


class Bell:
    """Rings for doors from any thread: `ring` only notes the door, and one thread tells PostgreSQL.

    So nobody waits for the queue, a database that is away disturbs no one who has committed, and wake-ups of one door
    that come close together are told once.
    """

    def __init__(self, db_url: str) -> None:
        self.conninfo = conninfo(db_url)
        self._pool = ConnectionPool(
            self.conninfo,
            min_size=1,
            max_size=1,
            open=False,
            kwargs={"options": OPTIONS},
            check=ConnectionPool.check_connection,
            timeout=PATIENCE_S,
            reconnect_timeout=PATIENCE_S,
            name="bell",
        )
        self._app = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
        self._doors: set[str] = set()
        self._some = threading.Condition()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
        self.rung = 0  # wake-ups told to the database
        self.asked = 0  # calls of `ring`

    def start(self) -> None:
        self._pool.open(wait=False)
        self._app.connector.open(self._pool)
        self._thread.start()

    def ring(self, door: str) -> None:
        with self._some:
            self.asked += 1
            self._doors.add(door)
            self._some.notify()

    def stop(self) -> None:
        """Tell what is noted and end. Safe to call twice."""
        self._stopping.set()
        with self._some:
            self._some.notify()
        if self._thread.is_alive():
            self._thread.join(5)
        self._pool.close()

    def _run(self) -> None:
        while True:
            with self._some:
                self._some.wait_for(lambda: self._doors or self._stopping.is_set())
                doors, self._doors = sorted(self._doors), set()
            for door in doors:
                self.tell(door)
            if self._stopping.wait(ROUND_S) and not self._doors:
                return

    def tell(self, door: str) -> None:
        """Put one wake-up into the queue, unless one is waiting there."""
        deferrer = self._app.configure_task(TASK, queue=lane(door), lock=door, queueing_lock=door)
        try:
            deferrer.defer(door=door)
            self.rung += 1
        except exceptions.AlreadyEnqueued:
            pass
        except Exception as error:  # noqa: BLE001 - the sweep finds the door again
            log.warning("engine.wake_lost", door=door, error=str(error.__cause__ or error))


class Ringer:
    """The engine of a web process: it rings, and the workers open."""

    def __init__(self, bell: Bell) -> None:
        self.bell = bell

    def wake(self, door: str) -> None:
        self.bell.ring(door)

    def start(self) -> None:
        self.bell.start()

    def stop(self, timeout_s: float = 30.0) -> bool:  # noqa: ARG002 - nothing here takes long
        self.bell.stop()
        return True

    def rescue(self) -> int:
        """A web process opens no doors; the workers look after each other."""
        return 0


class WorkerEngine:
    """The engine of a worker process: a Procrastinate worker for each lane, in a thread with an event loop.

    `bell` is its own, started and stopped with it. `stalled_s` is how long a worker may give no sign of life before
    its doors are freed for others.
    """

    def __init__(
        self, bell: Bell, open_door: Opener, threads: int = 2, callers: int = 4, stalled_s: float = 10.0
    ) -> None:
        self.bell = bell
        self._open = open_door
        self._sizes: dict[Lane, int] = {"inside": threads, "outside": callers}
        self._stalled_s = stalled_s
        self._app: procrastinate.App | None = None  # while the database is there
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._stopping = threading.Event()
        self._grace_s = 30.0
        self._main: asyncio.Task[None] | None = None

    def wake(self, door: str) -> None:
        self.bell.ring(door)

    def start(self) -> None:
        self.bell.start()
        self._thread.start()

    def stop(self, timeout_s: float = 30.0) -> bool:
        self._grace_s = timeout_s
        self._stopping.set()
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
            self._thread.join(timeout_s + 5)
        self.bell.stop()
        return not self._thread.is_alive()

    def rescue(self) -> int:
        """Take jobs away from workers that gave no sign of life, and ring for their doors again."""
        app = self._app
        if app is None:
            return 0
        return asyncio.run_coroutine_threadsafe(self._rescue(app), self._loop).result(30)

    async def _rescue(self, app: procrastinate.App) -> int:
        jobs = list(await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=self._stalled_s))
        for job in jobs:
            assert job.id is not None  # noqa: S101 - it came from the database
            # Ended, not retried: a retry would clash with a wake-up of the same door that waits behind it.
            try:
                await app.job_manager.finish_job_by_id_async(job.id, Status.FAILED, delete_job=True)
            except exceptions.ConnectorException:
                continue  # its worker has ended it meanwhile
            door = str(job.task_kwargs["door"])
            log.warning("engine.rescued", door=door, worker=job.worker_id)
            self.bell.ring(door)
        return len(jobs)

    def _open_door(self, door: str) -> None:
        """The task: one door. A failing step is logged, and the sweep tries again."""
        try:
            more = self._open(door, self._stopping.is_set)
        except Exception:
            log.exception("engine.step_failed", door=door)
            return
        if more:
            self.bell.tell(door)  # it waits behind this very job, whose lock it needs

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        # A few threads more than jobs, since name look-ups of the database driver use them too.
        self._loop.set_default_executor(ThreadPoolExecutor(sum(self._sizes.values()) + 2, thread_name_prefix="step"))
        self._main = self._loop.create_task(self._work())
        try:
            self._loop.run_until_complete(self._main)
        except asyncio.CancelledError:
            pass
        finally:
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()

    async def _work(self) -> None:
        """Work until stopped; begin anew, with new connections, a second after the database was away."""
        while not self._stopping.is_set():
            try:
                await self._work_on(procrastinate.PsycopgConnector())
            except (exceptions.ConnectorException, psycopg.Error, PoolTimeout, OSError) as error:
                log.warning("engine.database_away", error=str(error.__cause__ or error).strip())
            if not self._stopping.is_set():
                await asyncio.sleep(1)

    async def _work_on(self, connector: procrastinate.PsycopgConnector) -> None:
        pool = AsyncConnectionPool(
            self.bell.conninfo,
            min_size=2,
            max_size=6,
            open=False,
            kwargs={"options": OPTIONS},
            check=AsyncConnectionPool.check_connection,
            timeout=PATIENCE_S,
            reconnect_timeout=PATIENCE_S,
            name="worker",
        )
        app = procrastinate.App(connector=connector)
        app.task(name=TASK)(self._open_door)
        try:
            await pool.open(wait=True, timeout=PATIENCE_S)
            async with app.open_async(pool):
                self._app = app
                await _together([self._lane(app, name, size) for name, size in self._sizes.items()])
        finally:
            self._app = None
            await pool.close()

    async def _lane(self, app: procrastinate.App, name: Lane, size: int) -> None:
        await app.run_worker_async(
            queues=[name],
            name=name,
            concurrency=size,
            install_signal_handlers=False,
            delete_jobs=DeleteJobCondition.ALWAYS,
            shutdown_graceful_timeout=self._grace_s,
            update_heartbeat_interval=self._stalled_s / 5,
            stalled_worker_timeout=self._stalled_s,
            fetch_job_polling_interval=2.0,
        )


async def _together(steps: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run them all until the first ends, for whatever reason, and end the others then.

    Procrastinate ends a worker without an error when its connection breaks, and one lane alone would go unnoticed.
    """
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    for end in ends:
        if isinstance(end, Exception):
            raise end
