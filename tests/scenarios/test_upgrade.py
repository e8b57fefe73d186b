"""A hub that has been at work gets a new version: nothing starts on the older schema, and nothing is lost on the way."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, inspect, select

from hub import processes
from hub.settings import Settings
from hub.store import migrate
from hub.store.ledger import differences
from hub.store.tables import metadata
from tests.cli.conftest import Shell, shell_on
from tests.scenarios.test_main_road import Town

SECOND = '''
"""The second schema: tables that others refer to are made anew where the database cannot change them in place."""

import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "0002", "0001", None, None


def upgrade():
    recreate = "always" if op.get_bind().dialect.name == "sqlite" else "never"
    for name in ("connection", "orders", "order_line", "stock_position"):
        with op.batch_alter_table(name, recreate=recreate) as batch:
            batch.add_column(sa.Column("probe", sa.Integer(), nullable=False, server_default="7"))
'''
BROKEN = SECOND + '    raise ValueError("a defect")\n'
LOSES = SECOND + '    op.execute("DELETE FROM orders")\n'  # noqa: S608 - a migration of the test's own


@pytest.fixture
def busy(town: Town) -> Town:
    """Orders that wait, were handed over, were shipped and were cancelled."""
    town.world.stock("""
        location MUG TEE
        EAST      10   5
        WEST       3   3 """)
    for lines in ([("MUG", 2)], [("MUG", 1), ("TEE", 1)], [("MUG", 90)]):
        town.send("orders/create", town.shop.place_order(lines))
    town.world.run()
    town.ship_all()
    order = town.shop.place_order([("TEE", 1)])
    town.send("orders/create", order)
    town.world.run()
    town.send("orders/cancelled", town.shop.cancel_order(order.id))
    town.world.run()
    return town


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The migrations of a later version."""
    folder = tmp_path / "migrations"
    shutil.copytree(migrate.SCRIPTS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(migrate, "SCRIPTS", str(folder))
    return folder / "versions" / "0002_second.py"


@pytest.fixture
def shell(busy: Town, migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = shell_on(migrated_url, tmp_path, monkeypatch)
    monkeypatch.setenv("ORDERHUB_KEYS", ",".join(f"{one}" for one in keys(busy)))
    return shell


def keys(town: Town) -> list[str]:
    import base64

    found = town.world.runtime.keyring.keys
    return [f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in found.items()]


def rows(town: Town) -> dict[str, int]:
    """How many rows every table has."""
    with town.world.db.read() as tx:
        return {
            table.name: tx.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def has_probe(town: Town) -> bool:
    return all(
        "probe" in {column["name"] for column in inspect(town.world.db.reader).get_columns(name)}
        for name in ("connection", "orders", "order_line", "stock_position")
    )


def test_nothing_starts_on_an_older_schema_and_each_says_what_to_do(
    busy: Town, shell: Shell, scripts: Path, migrated_url: str
) -> None:
    scripts.write_text(SECOND)
    said = "the database has the older schema 0001: run `orderhub migrate`"
    for words in (("doctor",), ("connection", "list"), ("backup", "copy.bak")):
        assert said in shell.run(*words, code=4).stderr
    if not busy.world.db.is_sqlite:
        found = Settings(database=migrated_url, keys_file=str(shell.folder / "keys"))
        for process in (processes.web, processes.worker):
            with pytest.raises(processes.StartError, match="older schema 0001: run `orderhub migrate`"):
                process(found)


def test_a_busy_hub_is_migrated_with_all_it_has_and_goes_on(busy: Town, shell: Shell, scripts: Path) -> None:
    scripts.write_text(SECOND)
    before = rows(busy)
    said = shell.run("migrate").stdout
    assert "The schema is now 0002." in said
    assert ("was copied to" in said) == busy.world.db.is_sqlite
    assert rows(busy) == before
    assert has_probe(busy)
    assert busy.world.read(differences) == []
    assert "The schema is 0002 already." in shell.run("migrate").stdout

    busy.world.stock("""
        location MUG
        EAST      50 """)
    busy.send("orders/create", busy.shop.place_order([("MUG", 1)]))
    busy.world.run()
    busy.ship_all()
    assert rows(busy)["orders"] == before["orders"] + 1
    for name in ("orders", "order_line"):
        with busy.world.db.read() as tx:
            assert tx.exec_driver_sql(f"SELECT DISTINCT probe FROM {name}").scalars().all() == [7]  # noqa: S608


@pytest.mark.parametrize(("script", "error"), [(BROKEN, ValueError), (LOSES, Exception)])
def test_a_migration_that_fails_changes_nothing(
    busy: Town, shell: Shell, scripts: Path, script: str, error: type[Exception]
) -> None:
    scripts.write_text(script)
    before = rows(busy)
    with pytest.raises(error):
        migrate.upgrade(busy.world.db)
    assert (migrate.current(busy.world.db), has_probe(busy)) == ("0001", False)
    assert rows(busy) == before
    scripts.write_text(SECOND)
    shell.run("migrate")
    assert rows(busy) == before


def test_a_version_that_is_older_than_the_database_says_so(busy: Town, shell: Shell, scripts: Path) -> None:
    scripts.write_text(SECOND)
    shell.run("migrate")
    scripts.unlink()
    for words in (("doctor",), ("migrate",), ("order", "list")):
        said = shell.run(*words, code=4).stderr
        assert "the database has the newer schema 0002: install the version of Orderhub that made it" in said
