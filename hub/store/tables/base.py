"""Column kinds shared by all tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Utc(TypeDecorator[datetime]):
    """A moment: aware in Python, always UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without zone: {value!r}")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Amount = BigInteger  # minor units
Id = String(36)


def identity() -> Column[str]:
    """Our own key: a UUIDv7 as text, made by the hub."""
    return Column("id", Id, primary_key=True)


def moment(name: str, *, null: bool = False) -> Column[datetime]:
    return Column(name, Utc, nullable=null)


def text(name: str, *, null: bool = False, default: str | None = "") -> Column[str]:
    return Column(name, Text, nullable=null, server_default=None if null else default)


def count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, server_default="0")


def ref(name: str, target: str, *, null: bool = False, index: bool = False) -> Column[str]:
    return Column(name, Id, ForeignKey(target), nullable=null, index=index)


def one_of(column: str, values: Sequence[str]) -> CheckConstraint:
    """Only these words may stand in the column."""
    allowed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({allowed})", name=column)


def json(name: str, *, null: bool = True) -> Column[Any]:
    return Column(name, Json, nullable=null)
