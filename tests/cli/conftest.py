"""The command line on a database of its own, beside shops on loopback."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from typer.testing import CliRunner

from connectors.shopify.sandbox import ShopifySandbox
from hub.cli.app import app
from hub.store.database import open_database
from hub.store.sealing import Keyring
from hub.testing.world import World


@dataclass
class Shell:
    """Runs commands as a person would, in a folder of their own."""

    folder: Path
    database: str
    runner: CliRunner = field(default_factory=CliRunner)

    def run(self, *words: str, code: int = 0, **environment: str) -> Any:
        """Run `orderhub` with these words; it has to end with `code`."""
        result = self.runner.invoke(app, list(words), env={"ORDERHUB_DATABASE": self.database, **environment})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, f"{result.exit_code}: {result.output}"
        return result

    def json(self, *words: str, code: int = 0) -> Any:
        return orjson.loads(self.run(*words, "--json", code=code).stdout)


@pytest.fixture
def shell(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A command line before anything was done: no database, no keys."""
    return shell_on(database_url, tmp_path, monkeypatch)


def shell_on(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """A command line on this database."""
    for name in [name for name in os.environ if name.startswith("ORDERHUB_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERHUB_ALLOW_NETWORKS", "127.0.0.0/8")
    monkeypatch.setenv("ORDERHUB_PERSON", "mia")
    monkeypatch.setenv("COLUMNS", "200")
    if database_url.startswith("postgresql"):
        # pg_dump has to be of the server's version; an older one may be on the path of this machine.
        monkeypatch.setenv("PATH", f"{_server_tools(database_url)}{os.pathsep}{os.environ['PATH']}")
    return Shell(tmp_path, database_url)


def _server_tools(database_url: str) -> Path:
    """Where the tools of the running server lie."""
    db = open_database(database_url)
    with db.read() as tx:
        found = tx.exec_driver_sql("SELECT setting FROM pg_config WHERE name = 'BINDIR'").scalar_one()
    db.dispose()
    return Path(found)


@dataclass
class Shop:
    """A hub with one shop, as a person has set it up by commands; `world` does the background work."""

    shell: Shell
    sandbox: ShopifySandbox
    world: World
    id: str

    def buy(self, *lines: tuple[str, int], **how: Any) -> Any:
        order = self.sandbox.place_order(list(lines), **how)
        assert self.world.deliver(self.id, *self.sandbox.webhook("orders/create", order)).status == 200
        self.world.run()
        return order


@pytest.fixture
def shop(shell: Shell) -> Iterator[Shop]:
    shell.run("migrate")
    sandbox = ShopifySandbox()
    with sandbox.serve():
        for sku in ("MUG", "TEE", "NEW"):
            sandbox.add_product(sku, "10.00", stock=0)
        (shell.folder / "token").write_text(f"{sandbox.token}\n")
        done = shell.json(
            "connection", "add", "shopify", "Web shop", "--set", f"shop={sandbox.shop}", "--set", f"base_url={sandbox.url}",
            "--set", "access_token=@token", "--set", f"webhook_secret={sandbox.webhook_secret}",
        )  # fmt: skip
        shell.run("location", "add", "WEST", "--country", "us")
        (shell.folder / "count.csv").write_text("sku,location,on_hand\nMUG,WEST,10\nTEE,WEST,5\n")
        shell.run("stock", "import", "count.csv", "--create")
        db = open_database(shell.database)
        world = World(db)
        world.runtime = _with_keys(world, shell.folder)
        world.run()
        yield Shop(shell, sandbox, world, done["id"])
        db.dispose()


def _with_keys(world: World, folder: Path) -> Any:
    return replace(world.runtime, keyring=Keyring.parse((folder / "orderhub.keys").read_text()))
