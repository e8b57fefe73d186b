"""A backup that was tried is a backup."""

from __future__ import annotations

import os
import re
import resource
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from hub import processes
from hub.engine.lease import Lease
from hub.settings import Settings
from hub.store import migrate
from hub.store.database import conninfo
from hub.store.tables import connection, orders, outbox
from tests.cli.conftest import Shop
from tests.conftest import new_postgres_database

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "back-up-and-restore.md"
ORDERHUB = (sys.executable, "-c", "from hub.cli import main; main()")
BLOCK = re.compile(r"^( *)```(console|sh)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


def numbers(shop: Shop) -> list[str]:
    return list(
        shop.world.read(lambda tx: tx.execute(select(orders.c.number).order_by(orders.c.number)).scalars().all())
    )


def test_a_backup_brings_back_what_was_there_and_sends_nothing(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    before = numbers(shop)
    said = shop.shell.run("backup", "copy.bak")
    assert "keys are not in it" in said.stderr
    assert (shop.shell.folder / "copy.bak").stat().st_mode & 0o077 == 0
    shop.shell.run("backup", "copy.bak", code=2)

    shop.buy(("MUG", 1))
    assert len(numbers(shop)) == 2
    shop.world.db.dispose()
    assert "not empty" in shop.shell.run("restore", "copy.bak", code=4).stderr
    assert "outbox release" in shop.shell.run("restore", "copy.bak", "--force").stderr
    assert numbers(shop) == before
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [True]
    waiting = ("pending", "retry_wait", "sending")
    assert shop.world.read(lambda tx: tx.execute(select(outbox.c.id).where(outbox.c.status.in_(waiting))).all()) == []
    shop.shell.run("outbox", "release", "Web shop")
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [False]


def test_the_page_leads_from_a_backup_to_a_hub_that_sends_again(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    is_file = shop.shell.database.startswith("sqlite")
    for _, kind, block in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        for line in block.splitlines():
            words = shlex.split(line.strip().removeprefix("$ "))
            shop.world.db.dispose()
            if kind == "console":
                shop.shell.run(*words[1:])
            elif is_file:
                name, _, drill = words[0].partition("=")
                shop.shell.run(*words[2:], **{name: drill})
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [False]
    assert len(numbers(shop)) == 1


def test_nothing_is_restored_under_a_running_hub(shop: Shop) -> None:
    shop.shell.run("backup", "copy.bak")
    lease = Lease(shop.world.db, "serve", timedelta(seconds=60))
    assert lease.hold()
    assert "stop it first" in shop.shell.run("restore", "copy.bak", "--force", code=4).stderr
    lease.release()
    shop.world.db.dispose()
    shop.shell.run("restore", "copy.bak", "--force")


def test_what_is_no_backup_is_refused_and_nothing_is_lost(shop: Shop) -> None:
    (shop.shell.folder / "letter.txt").write_text("Dear hub, this is no database at all.\n" * 100)
    shop.buy(("MUG", 1))
    shop.world.db.dispose()
    shop.shell.run("restore", "letter.txt", "--force", code=4)
    assert len(numbers(shop)) == 1
    assert ready(shop) == ""


def test_a_backup_of_a_newer_version_is_refused_and_nothing_is_changed(shop: Shop) -> None:
    shop.shell.run("backup", "older.bak")
    with shop.world.db.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    copy_as_it_is(shop, "newer.bak")
    with shop.world.db.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = :known"), {"known": migrate.head()})
    shop.buy(("MUG", 1))
    shop.world.db.dispose()
    said = shop.shell.run("restore", "newer.bak", "--force", code=4).stderr
    assert "newer.bak has the newer schema 9999: install the version of Orderhub that made it" in said
    assert len(numbers(shop)) == 1
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [False]
    assert ready(shop) == ""


def copy_as_it_is(shop: Shop, name: str) -> None:
    """A backup made by another version of the hub."""
    target = shop.shell.folder / name
    if shop.world.db.is_sqlite:
        here = str(shop.world.db.writer.url.database)
        with closing(sqlite3.connect(here)) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
        return
    subprocess.run(
        ["pg_dump", "--format=custom", f"--file={target}", conninfo(shop.shell.database)], check=True, timeout=60
    )


def ready(shop: Shop) -> str:
    """What keeps the hub from being started on the database; "" when nothing does."""
    try:
        migrate.require_current(shop.world.db)
    except migrate.SchemaError as error:
        return str(error)
    return ""


def restore_in_a_process(shop: Shop, **how: Any) -> subprocess.CompletedProcess[str]:
    shop.world.db.dispose()
    words = [*ORDERHUB, "restore", "copy.bak", "--force"]
    environment = {**os.environ, "ORDERHUB_DATABASE": shop.shell.database, **how.pop("env", {})}
    return subprocess.run(
        words, cwd=shop.shell.folder, env=environment, capture_output=True, text=True, timeout=120, check=False, **how
    )


def pg_restore_that(shop: Shop, does: str) -> dict[str, str]:
    """A PATH on which pg_restore `does` something else than replacing the tables, or something besides."""
    real = shutil.which("pg_restore")
    tool = shop.shell.folder / "tools" / "pg_restore"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\ncase "$*" in *--clean*) {does.format(real=real)};; *) exec {real} "$@";; esac\n')
    tool.chmod(0o700)
    return {"PATH": f"{tool.parent}{os.pathsep}{os.environ['PATH']}"}


def test_a_restore_that_fails_on_the_way_leaves_the_database_as_it_was(shop: Shop) -> None:
    shop.shell.run("backup", "copy.bak")
    shop.buy(("MUG", 1))
    if shop.world.db.is_sqlite:
        room = (shop.shell.folder / "copy.bak").stat().st_size // 2
        limit = partial(resource.setrlimit, resource.RLIMIT_FSIZE, (room, room))
        done = restore_in_a_process(shop, preexec_fn=limit)
    else:
        done = restore_in_a_process(shop, env=pg_restore_that(shop, "echo no room >&2; exit 1"))
        assert "no room" in done.stderr
    assert done.returncode == 4, done.stderr
    assert len(numbers(shop)) == 1
    assert ready(shop) == ""
    assert [one for one in shop.shell.folder.iterdir() if "restoring" in one.name] == []


def test_after_a_restore_that_was_cut_off_nothing_starts_until_it_is_given_again(shop: Shop) -> None:
    if shop.world.db.is_sqlite:
        pytest.skip("SQLite takes the place of the database in one transaction")
    shop.shell.run("backup", "copy.bak")
    shop.buy(("MUG", 1))
    done = restore_in_a_process(shop, env=pg_restore_that(shop, '{real} "$@"; kill -9 $PPID'))
    assert done.returncode == -signal.SIGKILL
    assert numbers(shop) == [], "the tables are replaced, and nothing is held yet"
    assert "run `orderhub restore` again" in ready(shop)
    found = Settings(database=shop.shell.database, keys_file=str(shop.shell.folder / "orderhub.keys"))
    for process in (processes.serve, processes.web, processes.worker):
        with pytest.raises(processes.StartError, match="run `orderhub restore` again"):
            process(found)
    for words in (("doctor",), ("migrate",)):
        assert "run `orderhub restore` again" in shop.shell.run(*words, code=4).stderr
    shop.world.db.dispose()
    shop.shell.run("restore", "copy.bak", "--force")
    assert ready(shop) == ""
    assert shop.world.read(lambda tx: tx.execute(select(connection.c.outbox_held)).scalars().all()) == [True]


def test_a_damaged_file_is_named_and_a_backup_goes_in_its_place(shop: Shop) -> None:
    if not shop.world.db.is_sqlite:
        pytest.skip("PostgreSQL looks after its own files")
    shop.shell.run("backup", "copy.bak")
    shop.world.db.dispose()
    file = Path(str(shop.world.db.writer.url.database))
    file.write_bytes(b"\xff" * file.stat().st_size)
    assert "is damaged: move it away" in shop.shell.run("restore", "copy.bak", "--force", code=4).stderr
    file.rename(file.with_suffix(".damaged"))
    shop.shell.run("restore", "copy.bak")
    assert ready(shop) == ""


def test_a_backup_of_another_schema_goes_into_an_empty_database(shop: Shop, postgres: str) -> None:
    if shop.world.db.is_sqlite:
        pytest.skip("SQLite's file is replaced whole")
    shop.shell.run("backup", "copy.bak")
    with shop.world.db.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '0000'")
    shop.world.db.dispose()
    assert "make an empty database" in shop.shell.run("restore", "copy.bak", "--force", code=4).stderr
    empty = new_postgres_database(postgres)
    shop.shell.run("restore", "copy.bak", ORDERHUB_DATABASE=empty)
    assert shop.shell.run("connection", "list", ORDERHUB_DATABASE=empty).stdout.count("Web shop") == 1


def test_a_backup_of_a_busy_database_is_one_file_of_one_moment(shop: Shop) -> None:
    """However often somebody writes meanwhile, the copy ends, and needs no second file to be read."""
    if not shop.world.db.is_sqlite:
        pytest.skip("pg_dump has its own snapshot")
    with shop.world.db.begin() as tx:  # more pages than one step copies
        tx.exec_driver_sql(
            "CREATE TABLE bulk AS SELECT randomblob(4000) AS x FROM (SELECT 1 FROM sqlite_schema LIMIT 50)"
        )
        for _ in range(8):
            tx.exec_driver_sql("INSERT INTO bulk SELECT randomblob(4000) FROM bulk")
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            with shop.world.db.begin() as tx:
                tx.exec_driver_sql("INSERT INTO bulk VALUES ('more')")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        done = subprocess.run(
            [*ORDERHUB, "backup", "copy.bak"], cwd=shop.shell.folder, timeout=60, check=True,
            env={**os.environ, "ORDERHUB_DATABASE": shop.shell.database}, capture_output=True,
        )  # fmt: skip
    finally:
        stop.set()
        writer.join()
    assert b"was copied" in done.stdout
    with closing(sqlite3.connect(f"file:{shop.shell.folder}/copy.bak?mode=ro&immutable=1", uri=True)) as copy:
        assert copy.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
