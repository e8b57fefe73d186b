"""Opening the database: SQLite for one process, PostgreSQL for any number of them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import orjson
import uuid_utils
from sqlalchemy import Column, Connection, Engine, Table, create_engine, event, extract, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import NoSuchModuleError

Tx = Connection  # an open transaction; flows receive it and pass it on to the functions of this package


def new_id() -> str:
    """A new key: time-ordered, unique, 36 characters."""
    return str(uuid_utils.uuid7())


def utcnow() -> datetime:
    return datetime.now(UTC)


def _dump_json(value: Any) -> str:
    return orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode()


@dataclass(frozen=True, slots=True)
class Database:
    """Two engines on one database: `writer` for transactions, `reader` for pages and look-ups.

    SQLite lets one writer in at a time and has the others look again after pauses of up to a tenth of a second; the
    threads of one process take `turn` instead, and the next one goes on at once.
    """

    url: str
    writer: Engine
    reader: Engine
    turn: AbstractContextManager[Any] = field(default_factory=nullcontext)

    @property
    def is_sqlite(self) -> bool:
        return self.writer.dialect.name == "sqlite"

    @contextmanager
    def begin(self) -> Iterator[Tx]:
        """One transaction that may write; commits at the end of the block, rolls back when it raises."""
        with self.turn, self.writer.begin() as tx:
            yield tx

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """One consistent look that writes nothing."""
        with self.reader.begin() as tx:
            yield tx

    def mark(self) -> str:
        """A text that tells this database from every other, copies of it included.

        The same for every process that uses it, and another one after its server was started anew.
        """
        if self.is_sqlite:
            place = str(Path(self.writer.url.database or "").resolve())
        else:
            started, own = func.pg_postmaster_start_time(), func.current_database()
            with self.read() as tx:
                place = "/".join(map(str, tx.execute(select(extract("epoch", started), own)).one()))
        return hashlib.sha256(place.encode()).hexdigest()[:16]

    def dispose(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def open_database(url: str, *, pool_size: int = 10) -> Database:
    """Open `url`, such as sqlite:///orderhub.sqlite3 or postgresql+psycopg://user@host/name.

    Nothing is created; see `hub.store.migrate`. Its errors name statements and rules, and no value of any row: they
    are written to logs and shown to people, and the values are names and addresses.
    """
    parsed = make_url(url)
    common: dict[str, Any] = {
        "json_serializer": _dump_json,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,
    }
    if parsed.get_backend_name() == "sqlite":
        writer = create_engine(url, pool_size=pool_size, max_overflow=20, connect_args={"timeout": 30}, **common)
        reader = create_engine(url, pool_size=pool_size, max_overflow=20, connect_args={"timeout": 30}, **common)
        _prepare_sqlite(writer, "BEGIN IMMEDIATE")
        _prepare_sqlite(reader, "BEGIN")
        return Database(url, writer, reader, threading.RLock())
    if find_spec("psycopg") is None:
        raise NoSuchModuleError("PostgreSQL needs its driver: pip install 'orderhub[pg]'")
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    writer = create_engine(parsed, pool_size=pool_size, max_overflow=20, pool_pre_ping=True, **common)
    event.listen(writer, "handle_error", _leave_detail_out)
    return Database(url, writer, writer)


def _leave_detail_out(context: ExceptionContext) -> None:
    """Beside what is wrong PostgreSQL tells the values it is wrong with, such as the whole row: cut those off."""
    error, told = context.original_exception, context.sqlalchemy_exception
    said = getattr(getattr(error, "diag", None), "message_primary", None)
    if said:
        error.args = (said,)
    if said and told is not None:
        told.args = (f"({type(error).__module__}.{type(error).__name__}) {said}",)


def conninfo(url: str) -> str:
    """The address of a PostgreSQL database as its own tools understand it, password included."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _prepare_sqlite(engine: Engine, begin: str) -> None:
    """WAL, full sync and an immediate lock: an acknowledged order survives a power cut, writers queue up."""

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: Any, _record: Any) -> None:
        dbapi_connection.isolation_level = None  # SQLAlchemy's own BEGIN below instead of the driver's lazy one
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
            dbapi_connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


def insert_new(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], returning: Column[Any]) -> list[Any]:
    """Insert rows that break no unique rule, skip the others, and give `returning` of those that went in.

    All rows need the same columns.
    """
    if not rows:
        return []
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).on_conflict_do_nothing().returning(returning)
    return list(tx.execute(statement, list(rows)).scalars())
