"""The processes of a hub: `serve` does everything, `web` answers, `worker` works.

Each function runs until SIGTERM or SIGINT, lets what has begun finish for at most 30 seconds, and returns the exit
code. Each raises StartError, whose words say what to do, when the hub cannot start.
"""

from __future__ import annotations

import http.client
import json
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TypeVar

import structlog

from hub.app import build_hub, build_runtime
from hub.engine import logs
from hub.engine.doors import open_door
from hub.engine.lease import AlreadyRunningError, Lease, duration
from hub.engine.schedule import Ticks
from hub.engine.server import WebServer, WsgiApp, is_taken, open_port, wait_for_signal
from hub.flows.runtime import Runtime
from hub.flows.upgrade import upgrade_settings
from hub.settings import Settings, reachable
from hub.store import connections, migrate, people
from hub.store.database import Database, open_database, utcnow
from hub.store.migrate import SchemaError
from hub.store.sealing import WrongKeyError
from hub.web.app import create_app

log = structlog.get_logger()

STOP_S = 30.0

T = TypeVar("T")
MakeApp = Callable[[Settings, Runtime], WsgiApp]


class StartError(Exception):
    """The hub cannot start; the message says why and what to do."""


def serve(settings: Settings, make_app: MakeApp = create_app) -> int:
    """Everything in one process: the web server, the threads that open doors, and the ticks.

    The database is made or migrated first, SQLite after a copy. Refused beside another process that works on it.
    """
    begun = time.monotonic()
    _configure_logs(settings)
    with _opened(settings) as db:
        lease = Lease(db, "serve", duration(settings.tick_s))
        _own(db, lease)
        hub = _or_say(lambda: build_hub(settings, db))
        _make_ready(hub.runtime)
        app = make_app(settings, hub.runtime)
        server = WebServer(app, settings.host, settings.port, _own_port(settings))
        lost = threading.Event()

        def give_up() -> None:
            lost.set()
            server.stop()

        ticks = Ticks(hub.runtime, hub.engine, lease, settings.tick_s, give_up)
        hub.engine.start()
        ticks.start()
        _tell_when_ready("serve", settings, begun)
        invite(settings, db)
        try:
            server.run()
        finally:
            log.info("serve.stopping")
            finished = hub.engine.stop(STOP_S)
            ticks.stop()
    log.info("serve.stopped", finished=finished)
    return 1 if lost.is_set() or not finished else 0


def web(settings: Settings, make_app: MakeApp = create_app) -> int:
    """The web server alone, as often as you like behind one address; `worker` processes do the work."""
    from hub.engine.distributed import Bell, Ringer, prepare  # noqa: PLC0415 - needs the drivers of PostgreSQL

    begun = time.monotonic()
    _configure_logs(settings)
    with _opened(settings) as db:
        _require_shared(db, "web")
        prepare(settings.database)
        engine = Ringer(Bell(settings.database))
        runtime = _or_say(lambda: build_runtime(settings, db, engine.wake))
        _make_ready(runtime)
        _check_port(settings, db)
        server = WebServer(make_app(settings, runtime), settings.host, settings.port)
        engine.start()
        _tell_when_ready("web", settings, begun)
        invite(settings, db, anew=False)
        try:
            server.run()
        finally:
            engine.stop()
    log.info("web.stopped")
    return 0


def worker(settings: Settings) -> int:
    """A worker: opens doors that have mail, and makes the ticks while it holds the lease on them."""
    from hub.engine.distributed import Bell, WorkerEngine, prepare  # noqa: PLC0415 - needs the drivers of PostgreSQL

    _configure_logs(settings)
    with _opened(settings) as db:
        _require_shared(db, "worker")
        prepare(settings.database)
        lease = Lease(db, "worker", duration(settings.tick_s))
        serving = lease.held_by_serve()
        if serving is not None:
            raise StartError(serving)
        bell = Bell(settings.database)
        runtime = _or_say(lambda: build_runtime(settings, db, bell.ring))
        _make_ready(runtime)
        engine = WorkerEngine(bell, partial(open_door, runtime), settings.workers, settings.callers, settings.stalled_s)
        ticks = Ticks(runtime, engine, lease, settings.tick_s)
        told = wait_for_signal()
        engine.start()
        ticks.start()
        log.info("worker.ready", jobs=settings.workers, calls=settings.callers, process=os.getpid())
        told.wait()
        log.info("worker.stopping")
        ticks.stop()
        finished = engine.stop(STOP_S)
    log.info("worker.stopped", finished=finished)
    return 0 if finished else 1


def invite(settings: Settings, db: Database, *, anew: bool = True) -> str | None:
    """Print the link that makes the first account, while there is none; returns it.

    It ends the link before. With `anew` False one that still works is left alone, since of several `web` processes
    only the first can print it.
    """
    with db.begin() as tx:
        if people.has_people(tx) or (not anew and people.has_setup_link(tx, utcnow())):
            return None
        token = people.make_link(tx)
    link = f"{settings.address()}/first-run/{token}"
    print(f"Nobody can sign in yet. Make the first account within 24 hours:\n  {link}", flush=True)  # noqa: T201
    return link


def _configure_logs(settings: Settings) -> None:
    try:
        logs.configure(settings.log_level)
    except ValueError as error:
        raise StartError(str(error)) from error


def _own(db: Database, lease: Lease) -> None:
    """Have the lease and the newest schema, before anything is started."""
    try:
        migrate.require_known(db)
        if migrate.current(db) is None:
            migrate.upgrade(db, lambda words: log.info("serve.schema", step=words))
            lease.claim_alone()
        else:
            lease.claim_alone()
            _migrate(db)
    except (AlreadyRunningError, SchemaError) as error:
        raise StartError(str(error)) from error


def _migrate(db: Database) -> None:
    """Bring an existing database up to date; SQLite is copied first."""
    if migrate.current(db) == migrate.head():
        return
    copy = migrate.copy_aside(db)
    if copy is not None:
        log.info("serve.copied", to=str(copy))
    migrate.upgrade(db, lambda words: log.info("serve.schema", step=words))


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    db = _or_say(lambda: open_database(settings.database))
    try:
        yield db
    finally:
        db.dispose()


def _own_port(settings: Settings) -> socket.socket:
    """The port of a hub that works alone: nobody else may have it."""
    try:
        return open_port(settings.host, settings.port)
    except OSError as error:
        raise _no_port(settings, error.strerror or str(error)) from error


def _check_port(settings: Settings, db: Database) -> None:
    """See that nobody has the port of a `web` process but such processes on the same database."""
    try:
        taken = is_taken(settings.host, settings.port)
    except OSError as error:
        raise _no_port(settings, error.strerror or str(error)) from error
    if taken and _database_at(settings) != db.mark():
        raise _no_port(settings, "another program has it, or a hub that works on another database")


def _database_at(settings: Settings) -> str:
    """The mark of the database that the hub at our address works on; empty when none answers there."""
    connection = http.client.HTTPConnection(reachable(settings.host), settings.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return str(json.load(connection.getresponse())["database"])
    except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
        return ""
    finally:
        connection.close()


def _no_port(settings: Settings, why: str) -> StartError:
    return StartError(
        f"cannot listen on {settings.host}:{settings.port}: {why}. "
        "Set ORDERHUB_HOST and ORDERHUB_PORT to an address of this machine that is free."
    )


def _require_shared(db: Database, role: str) -> None:
    """Only PostgreSQL with the schema of this version will do."""
    if db.is_sqlite:
        raise StartError(
            f"`orderhub {role}` shares the work with other processes, which SQLite cannot. Run `orderhub serve`, "
            "or set ORDERHUB_DATABASE to a PostgreSQL database."
        )
    try:
        migrate.require_current(db)
    except SchemaError as error:
        raise StartError(str(error)) from error


def _make_ready(runtime: Runtime) -> None:
    _check_keys(runtime)
    upgrade_settings(runtime)


def _check_keys(runtime: Runtime) -> None:
    """Find a wrong key now and not at the first order."""
    with runtime.db.read() as tx:
        for row in connections.every(tx):
            try:
                connections.read_secrets(tx, runtime.keyring, row.id)
            except WrongKeyError as error:
                raise StartError(f"the secrets of connection {row.name!r} cannot be opened: {error}") from error


def _or_say(make: Callable[[], T]) -> T:
    try:
        return make()
    except (ValueError, OSError) as error:
        raise StartError(str(error)) from error


def _tell_when_ready(role: str, settings: Settings, begun: float) -> None:
    """Log the seconds until the first request was answered: one of our own to /healthz."""

    def ask() -> None:
        host = reachable(settings.host)
        for _ in range(600):
            connection = http.client.HTTPConnection(host, settings.port, timeout=5)
            try:
                connection.request("GET", "/healthz")
                status = connection.getresponse().status
            except OSError:
                time.sleep(0.02)
                continue
            finally:
                connection.close()
            seconds = round(time.monotonic() - begun, 2)
            address = f"http://{host}:{settings.port}"
            since = process_age_s()
            log.info("web.ready", role=role, address=address, seconds=seconds, process_seconds=since, status=status)
            return

    threading.Thread(target=ask, name="ready", daemon=True).start()


def process_age_s() -> float | None:
    """Seconds since this process was started, imports included; None where the system does not tell."""
    try:
        started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
        return round(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 2)
    except (OSError, AttributeError, IndexError, ValueError):
        return None
