"""Keys that seal secrets."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.edge import KeyTroubleError
from hub.cli.output import note, say
from hub.cli.session import opened, require_keys, runtime_of, settings
from hub.store import connections
from hub.store.sealing import Keyring, new_key

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make and rotate the keys that seal secrets.")


@app.command("new")
def new(
    name: Annotated[str, typer.Option(help="Name of the key; by default the date.")] = "",
) -> None:
    """Print a new key, for ORDERHUB_KEYS or the key file. Nothing is stored."""
    typer.echo(new_key(_name(name)))


@app.command("rotate")
def rotate(
    name: Annotated[str, typer.Option(help="Name of the new key; by default the date.")] = "",
) -> None:
    """Seal all secrets with a new key. The old keys stay in the key file behind it until you remove them.

    With keys in ORDERHUB_KEYS: put the new key in front there first, then run this to seal everything with it.
    """
    found = settings()
    with opened(found) as db:
        require_keys(found, db)
        runtime = runtime_of(found, db)
        keyring = runtime.keyring
        if not found.keys:
            keyring = _put_in_front(Path(found.keys_file), _name(name))
        with db.begin() as tx:
            changed = connections.reseal(tx, keyring, datetime.now(UTC))
        say(f"The secrets of {changed} connections are sealed with the key {next(iter(keyring.keys))}.")
        note(
            "Restart the hub, so that every process has the new key. Keep the old one as long as you keep old backups."
        )


def _name(name: str) -> str:
    return name or f"k{datetime.now(UTC):%Y%m%d%H%M%S}"


def _put_in_front(file: Path, name: str) -> Keyring:
    """Write the key file with a new first key, so that a crash leaves the old file or the new one."""
    text = f"{new_key(name)}\n{file.read_text()}"
    keyring = Keyring.parse(text.replace("\n", ","))
    if len(keyring.keys) != len(list(filter(None, text.split()))):
        raise KeyTroubleError(f"there is a key called {name} already")
    fresh = file.with_name(f"{file.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    return keyring
