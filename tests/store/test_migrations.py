"""The migrations make exactly the schema that the tables describe."""

from __future__ import annotations

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from hub.store import migrate
from hub.store.database import Database, open_database
from hub.store.tables import metadata


def test_the_migrations_make_what_the_tables_say(db: Database) -> None:
    with db.read() as tx:
        context = MigrationContext.configure(tx, opts={"compare_type": True})
        ours = [one for one in compare_metadata(context, metadata) if "procrastinate" not in str(one)]

    assert ours == []


def test_migrating_twice_changes_nothing(db: Database) -> None:
    assert migrate.upgrade(db) == migrate.head()


def test_an_empty_database_says_what_to_do(database_url: str) -> None:
    empty = open_database(database_url)
    with pytest.raises(migrate.SchemaError, match="orderhub migrate"):
        migrate.require_current(empty)
    empty.dispose()
