"""serve, web, worker and migrate."""

from __future__ import annotations

from collections.abc import Callable

import typer

from hub.cli.edge import CannotStartError
from hub.cli.output import say
from hub.cli.session import opened, settings
from hub.settings import Settings
from hub.store import migrate


def register(app: typer.Typer) -> None:
    app.command("serve")(serve)
    app.command("web")(web)
    app.command("worker")(worker)
    app.command("migrate")(migrate_database)


def serve() -> None:
    """Run the whole hub in one process: web server, background work and ticks."""
    _run("serve")


def web() -> None:
    """Run the web server alone; needs PostgreSQL and at least one worker beside it."""
    _run("web")


def worker() -> None:
    """Run background work alone; needs PostgreSQL. Start as many as you like."""
    _run("worker")


def _run(name: str) -> None:
    from hub import processes  # the web server is slow to load, and no other command needs it

    process: Callable[[Settings], int] = getattr(processes, name)
    try:
        code = process(settings())
    except processes.StartError as error:
        raise CannotStartError(str(error)) from error
    raise typer.Exit(code)


def migrate_database() -> None:
    """Make the database, or bring it to the schema of this version. Safe to repeat.

    SQLite is copied beside itself before an existing database is changed.
    """
    with opened(settings(), checked=False) as db:
        migrate.require_known(db)
        before = migrate.current(db)
        if before is not None and before != migrate.head():
            copy = migrate.copy_aside(db)
            if copy is not None:
                say(f"The database was copied to {copy}.")
        migrate.upgrade(db)
        after = migrate.head()
        if not db.is_sqlite:
            from hub.engine.distributed import prepare  # needs the drivers of PostgreSQL

            prepare(settings().database)
        say(f"The schema is {after} already." if before == after else f"The schema is now {after}.")
