"""The hub as a command sees it: its settings, its database and a runtime that works without an engine."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from sqlalchemy.engine import make_url

from hub.app import build_runtime
from hub.cli.edge import KeyTroubleError
from hub.flows.runtime import Runtime
from hub.settings import Settings
from hub.store import connections, migrate
from hub.store.database import Database, open_database
from hub.store.migrate import SchemaError


def settings() -> Settings:
    """From the environment and `.env`. Raises KeyTroubleError, since a command can do nothing without them."""
    nothing: dict[str, Any] = {}  # every field has a default, which the type checker does not see
    try:
        return Settings(**nothing)
    except ValidationError as error:
        wrong = ", ".join(f"ORDERHUB_{str(one['loc'][0]).upper()}: {one['msg']}" for one in error.errors())
        raise KeyTroubleError(f"a setting cannot be read: {wrong}") from error


def sqlite_file(url: str) -> Path | None:
    """The file of a SQLite database; None for anything else."""
    parsed = make_url(url)
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


@contextmanager
def opened(found: Settings, *, checked: bool = True) -> Iterator[Database]:
    """The database. With `checked` it has to be there with the schema of this version. Raises SchemaError."""
    file = sqlite_file(found.database)
    if checked and file is not None and not file.exists():
        raise SchemaError(f"there is no database at {file}: run `orderhub migrate` first, or set ORDERHUB_DATABASE")
    db = open_database(found.database, pool_size=3)
    try:
        if checked:
            migrate.require_current(db)
        yield db
    finally:
        db.dispose()


@contextmanager
def runtime() -> Iterator[Runtime]:
    """A runtime on the database of the settings.

    What it wakes is found by the sweep of the running hub within a tick or two.
    """
    found = settings()
    with opened(found) as db:
        require_keys(found, db)
        yield runtime_of(found, db)


def runtime_of(found: Settings, db: Database) -> Runtime:
    """Raises KeyTroubleError when a key is malformed."""
    try:
        return build_runtime(found, db, lambda _: None)
    except ValueError as error:
        raise KeyTroubleError(str(error)) from error
    except OSError as error:
        raise KeyTroubleError(f"the keys cannot be read or made: {error}") from error


def require_keys(found: Settings, db: Database) -> None:
    """A key file is made at the very first start only: beside sealed secrets a new key would be of no use."""
    if found.keys or Path(found.keys_file).exists():
        return
    with db.read() as tx:
        if connections.every(tx):
            raise KeyTroubleError(
                f"there is no key: {found.keys_file} is missing and ORDERHUB_KEYS is empty, but secrets are stored. "
                "Put the key file back, or set ORDERHUB_KEYS to the key that sealed them"
            )


def person() -> str:
    """Who is at the command line, for the timeline."""
    try:
        return f"{os.environ.get('ORDERHUB_PERSON') or getpass.getuser()} (command line)"
    except (KeyError, OSError):
        return "command line"
