"""backup and restore."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from hub.cli.edge import CannotStartError, NoSuchThingError
from hub.cli.output import note, progress, say
from hub.cli.session import opened, settings, sqlite_file
from hub.engine.lease import TICKS
from hub.settings import Settings
from hub.store import leases, listings, migrate, outbox
from hub.store.database import Database, open_database, utcnow
from hub.store.errors import DatabaseError, OperationalError
from hub.store.views import health

PAGES = 2_000  # copied at a time


def register(app: typer.Typer) -> None:
    app.command("backup")(backup)
    app.command("restore")(restore)


def backup(
    file: Annotated[Path, typer.Argument(help="Where to write it; must not exist.", dir_okay=False)],
) -> None:
    """Copy the database to a file while the hub runs. Keep the key file apart from it."""
    if file.exists():
        raise typer.BadParameter(f"{file} exists already")
    found = settings()
    source = sqlite_file(found.database)
    with opened(found):
        if source is not None:
            _copy(source, file, "Copying")
            with closing(sqlite3.connect(file)) as made:
                made.execute("PRAGMA journal_mode=DELETE")  # one file, that can be read where nothing may be written
            _require_sound(file)
        else:
            _run(
                "pg_dump", "--format=custom", f"--file={file}", "--no-owner", _libpq(found.database), url=found.database
            )
        file.chmod(0o600)
    say(f"The database was copied to {file} ({file.stat().st_size:,} bytes).")
    note("The keys are not in it: without them the secrets of the connections do not open again.")


def restore(
    file: Annotated[
        Path, typer.Argument(help="A file that `orderhub backup` has written.", exists=True, dir_okay=False)
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace a database that is not empty.")] = False,
) -> None:
    """Put a backup in place of the database. Stop the hub first.

    Afterwards nothing leaves by itself: the backup does not know what was sent after it was made. A backup that this
    version cannot read changes nothing.
    """
    found = settings()
    target = sqlite_file(found.database)
    held = _restore_postgres(file, found, force=force) if target is None else _restore_sqlite(file, target, force=force)
    say(f"The backup is in place. {held} messages are held back, and nothing leaves until you let it.")
    note("Start the hub and let it read the channels. Then release each connection: orderhub outbox release NAME")


def _restore_sqlite(file: Path, target: Path, *, force: bool) -> int:
    """Make a copy ready beside the database, then let it take the database's place in one transaction of SQLite's."""
    _require_sound(file)
    with _at_rest(f"sqlite:///{target}", force=force) as db:
        kept = migrate.copy_aside(db) if force else None
    if kept is not None:
        note(f"What was there before is kept as {kept}.")
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=f"{target.name}.restoring-") as folder:
        beside = Path(folder) / target.name
        _copy(file, beside, "Reading")
        held = _make_ready(f"sqlite:///{beside}")
        _copy(beside, target, "Restoring")
    return held


def _restore_postgres(file: Path, found: Settings, *, force: bool) -> int:
    """Replace the tables in one transaction of PostgreSQL's. Until they are ready nothing can be started on them."""
    revision = _revision_in(file)
    migrate.require_revision(revision, str(file))
    with _at_rest(found.database, force=force) as db:
        before = migrate.current(db)
        if before not in {None, revision}:
            raise CannotStartError(
                f"the database has the schema {before} and {file} the schema {revision}: make an empty database "
                "(createdb), set ORDERHUB_DATABASE to it and restore there"
            )
        migrate.begin_restore(db)
        try:
            _run(
                "pg_restore", "--clean", "--if-exists", "--no-owner", "--single-transaction",
                f"--dbname={_libpq(found.database)}", str(file), url=found.database,
            )  # fmt: skip
        except CannotStartError:
            migrate.give_up_restore(db)
            raise
    return _make_ready(found.database)


@contextmanager
def _at_rest(url: str, *, force: bool) -> Iterator[Database]:
    """The database that is to be replaced. Raises CannotStartError while a hub works on it, or when it is in use."""
    db = open_database(url, pool_size=3)
    try:
        _require_rest(db)
        if not force and _is_used(db):
            raise CannotStartError("the database is not empty: --force replaces it")
        yield db
    except (OperationalError, sqlite3.OperationalError):
        raise  # it is locked, or away
    except (DatabaseError, sqlite3.DatabaseError) as error:
        where = make_url(url).database
        raise CannotStartError(f"{where} is damaged: move it away, with {where}-wal and {where}-shm") from error
    finally:
        db.dispose()


def _make_ready(url: str) -> int:
    """Bring a backup to the schema of this version and hold back all that may have left; returns how many messages."""
    db = open_database(url, pool_size=3)
    try:
        migrate.upgrade(db)
        with db.begin() as tx:
            listings.forget_told(tx)
            held = outbox.hold_all(tx, utcnow())
            if not db.is_sqlite:
                migrate.end_restore(tx)
    finally:
        db.dispose()
    return held


def _copy(source: Path, target: Path, what: str) -> None:
    """Copy a SQLite database page by page, as it stands at this moment whoever goes on writing.

    SQLite keeps one write transaction open on the target: it has all of the copy, or what it had before.
    """
    if target.exists():
        target.chmod(0o600)
    else:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    with (
        closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as read,
        closing(sqlite3.connect(target)) as write,
        progress(what, None) as done,
    ):
        read.execute("BEGIN")
        read.execute("SELECT count(*) FROM sqlite_schema")  # the moment; without it every write begins the copy anew
        read.backup(write, pages=PAGES, progress=lambda _, left, total: done(total - left, total))


def _require_sound(file: Path) -> None:
    """Raises CannotStartError for a file that is no whole SQLite database of a hub, SchemaError for a newer one."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as read:
        try:
            [said] = read.execute("PRAGMA integrity_check").fetchone()
            revisions = read.execute("SELECT version_num FROM alembic_version").fetchall()
        except sqlite3.DatabaseError as error:
            raise CannotStartError(f"{file} is no backup of a hub: {error}") from error
    if said != "ok":
        raise CannotStartError(f"{file} is damaged: {said}")
    for (revision,) in revisions:
        migrate.require_revision(revision, str(file))


def _revision_in(file: Path) -> str:
    """The schema of a PostgreSQL backup. Raises CannotStartError for what is no backup of a hub."""
    script = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file), url="postgresql://")
    lines = iter(script.splitlines())
    revision = next((next(lines) for line in lines if line.startswith("COPY ")), None)
    if revision is None:
        raise CannotStartError(f"{file} is no backup of a hub")
    return revision


def _is_used(db: Database) -> bool:
    if migrate.current(db) is None:
        return False
    with db.read() as tx:
        return health.is_used(tx)


def _require_rest(db: Database) -> None:
    """Raises CannotStartError while a hub works on the database."""
    if migrate.current(db) is None:
        return
    with db.read() as tx:
        held = leases.get(tx, TICKS)
        now = leases.clock(tx)
    if held is not None and held.expires_at > now:
        role = held.holder.partition("@")[0]
        raise CannotStartError(f"an `orderhub {role}` works on this database: stop it first")


def _libpq(url: str) -> str:
    """The address as PostgreSQL's own tools take it, without the password."""
    return make_url(url).set(drivername="postgresql", password=None).render_as_string(hide_password=False)


def _run(tool: str, *arguments: str, url: str) -> str:
    """What a tool of PostgreSQL's says. Raises CannotStartError when it fails."""
    path = shutil.which(tool)
    if path is None:
        raise NoSuchThingError(f"{tool} is not installed: install the client tools of your PostgreSQL version")
    # The password goes by the environment: a command line can be read by everybody on the machine.
    secret = {"PGPASSWORD": str(make_url(url).password)} if make_url(url).password else {}
    done = subprocess.run([path, *arguments], env={**os.environ, **secret}, capture_output=True, text=True, check=False)  # noqa: S603 - the tool and its arguments are ours
    if done.returncode:
        said = done.stderr.strip() or f"exit code {done.returncode}"
        hint = f"\n{path} has to be of the server's version or newer" if "version mismatch" in said else ""
        raise CannotStartError(f"{tool} failed: {said}{hint}")
    return done.stdout
