"""One migrated database of each kind for all tests of a module; each test brings rows of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hub.store import migrate
from hub.store.database import Database, open_database
from tests.conftest import new_postgres_database


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('store')}/hub.sqlite3"
    else:
        url = new_postgres_database(request.getfixturevalue("postgres"))
    opened = open_database(url)
    migrate.upgrade(opened)
    yield opened
    opened.dispose()
