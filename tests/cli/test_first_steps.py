"""What the command line says when something is missing, and that its exit codes can be relied on."""

from __future__ import annotations

from pathlib import Path

from hub.store import migrate
from hub.store.database import open_database
from hub.store.sealing import new_key
from tests.cli.conftest import Shell, Shop


def test_without_a_schema_it_says_what_to_do(shell: Shell) -> None:
    said = shell.run("order", "list", code=4)
    assert "orderhub migrate" in said.stderr
    assert not (shell.folder / "hub.sqlite3").exists(), "looking makes no database"


def test_with_another_schema_it_says_what_to_do(shell: Shell) -> None:
    shell.run("migrate")
    db = open_database(shell.database)
    with db.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    db.dispose()
    for command in (("order", "list"), ("migrate",), ("doctor",)):
        assert "newer schema 9999" in shell.run(*command, code=4).stderr


def test_a_database_that_is_not_there_is_no_traceback(shell: Shell) -> None:
    shell.database = "postgresql://nobody@127.0.0.1:1/nothing"
    assert "cannot be used" in shell.run("order", "list", code=4).stderr
    shell.database = "no address"
    assert "ORDERHUB_DATABASE" in shell.run("order", "list", code=4).stderr
    assert "sqlite:///" in shell.run("order", "list", code=4).stderr
    shell.database = f"sqlite:///{shell.folder}"
    assert "error:" in shell.run("order", "list", code=4).stderr
    (shell.folder / "list.csv").write_text("sku,units\nMUG,1\n")
    shell.database = f"sqlite:///{shell.folder}/list.csv"
    assert "cannot be used" in shell.run("order", "list", code=4).stderr


def test_migrating_twice_does_nothing_the_second_time(shell: Shell) -> None:
    assert "is now" in shell.run("migrate").stdout
    assert "already" in shell.run("migrate").stdout
    db = open_database(shell.database)
    assert migrate.current(db) == migrate.head()
    db.dispose()


def test_a_wrong_key_is_named_and_no_secret_is_lost(shop: Shop) -> None:
    key_file = shop.shell.folder / "orderhub.keys"
    good = key_file.read_text()
    key_file.write_text(new_key("other"))
    said = shop.shell.run("connection", "check", "Web shop", code=1).stdout
    assert "does not work" in said
    assert shop.shell.run("doctor", code=1).stdout.count("fail") >= 1
    key_file.unlink()
    assert "there is no key" in shop.shell.run("connection", "list", code=4).stderr
    assert not key_file.exists(), "a new key would be of no use"
    assert "must look like" in shop.shell.run("connection", "list", code=4, ORDERHUB_KEYS="nonsense").stderr
    key_file.write_text(good)
    assert "works" in shop.shell.run("connection", "check", "Web shop").stdout


def test_wrong_use_is_told_apart_from_what_is_not_there(shop: Shop) -> None:
    shell = shop.shell
    shell.run("order", "list", "--only", "lost", code=2)
    shell.run("order", "list", "--after", "nonsense", code=2)
    shell.run("stock", "adjust", "MUG", "WEST", "--reason", "x", code=2)
    shell.run("inbox", "replay", code=2)
    shell.run("order", "show", "nowhere", code=3)
    shell.run("inbox", "show", "nowhere", code=3)
    shell.run("outbox", "show", "nowhere", code=3)
    shell.run("connection", "show", "nowhere", code=3)
    shell.run("stock", "show", "nowhere", "--ledger", code=3)
    shell.run("stock", "adjust", "MUG", "MOON", "--to", "1", "--reason", "x", code=1)


def test_a_new_key_can_be_used(shell: Shell) -> None:
    made = shell.run("keys", "new", "--name", "spring").stdout.strip()
    assert made.startswith("spring:")
    shell.run("migrate")
    shell.run("connection", "list", ORDERHUB_KEYS=made)
    assert not Path("orderhub.keys").exists()


def test_keys_are_rotated_and_old_ones_can_go(shop: Shop) -> None:
    shell, key_file = shop.shell, shop.shell.folder / "orderhub.keys"
    assert "1 connections" in shell.run("keys", "rotate", "--name", "k2").stdout
    fresh, *old = key_file.read_text().split()
    assert fresh.startswith("k2:")
    assert old
    assert key_file.stat().st_mode & 0o077 == 0
    key_file.write_text(fresh)
    assert shell.json("doctor")["ok"] is True
    shell.run("connection", "check", "Web shop")
