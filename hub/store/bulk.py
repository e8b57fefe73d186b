"""Many rows in one statement, where the database can take them as arrays; row by row elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

from sqlalchemy import Table, bindparam, column, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.engine import CursorResult
from sqlalchemy.sql.selectable import TableValuedAlias

from hub.store.database import Tx

FEW = 50  # below, arrays win nothing


def takes_arrays(tx: Tx, rows: Sequence[Any]) -> bool:
    """Whether so many rows are better sent as one array per column."""
    return tx.dialect.name == "postgresql" and len(rows) >= FEW


def insert_rows(tx: Tx, table: Table, rows: Sequence[Mapping[str, Any]], *, skip_known: bool = False) -> int:
    """Insert rows that all have the same columns, none of them JSON; returns how many went in.

    With `skip_known` a row that breaks a unique rule is left out instead of ending the transaction.
    """
    if not rows:
        return 0
    name = tx.dialect.name
    if takes_arrays(tx, rows):
        done = tx.execute(_insert(table, name, skip_known, tuple(rows[0])), arrays(rows))
    else:
        done = tx.execute(_insert(table, name, skip_known), rows)
    return cast("CursorResult[Any]", done).rowcount


def arrays(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """The rows column by column, as `given` takes them."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def given(types: Mapping[str, Any]) -> TableValuedAlias:
    """A table of parameters, one array for each of these columns, to select or update from."""
    parameters = (bindparam(name, type_=ARRAY(kind)) for name, kind in types.items())
    columns = (column(name, kind) for name, kind in types.items())
    return func.unnest(*parameters).table_valued(*columns, name="given").render_derived()


@cache
def _insert(table: Table, dialect: str, skip_known: bool, names: tuple[str, ...] = ()) -> Any:
    """An insert of single rows, or of arrays for these columns."""
    statement = {"postgresql": postgresql, "sqlite": sqlite}[dialect].insert(table)
    if names:
        source = given({name: table.c[name].type for name in names})
        statement = statement.from_select(list(names), select(*(source.c[name] for name in names)))
    if skip_known:
        statement = statement.on_conflict_do_nothing()
    return statement.execution_options(preserve_rowcount=True)
