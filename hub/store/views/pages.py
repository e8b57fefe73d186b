"""Paging by key: every page starts after the last row of the one before, so that page 1,000 is as quick as page 1."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from sqlalchemy import ColumnElement, and_, or_

T = TypeVar("T")
MOST = 500  # rows of one page


class BadCursorError(ValueError):
    """A page was asked for with an `after` that this list never gave."""

    def __init__(self) -> None:
        super().__init__("this page link is not valid any more; start from the first page")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some rows, and the `after` of the next page; None when there is none."""

    rows: tuple[T, ...]
    next: str | None = None


def size(limit: int) -> int:
    """A page size within bounds."""
    return max(1, min(limit, MOST))


def cursor_after(*keys: str | datetime) -> str:
    """The text that stands for a place in a list."""
    plain = [key.isoformat() if isinstance(key, datetime) else key for key in keys]
    return base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("=")


def read_cursor(after: str, keys: int) -> list[str]:
    """The sort keys in a cursor. Raises BadCursorError."""
    try:
        found = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
    except ValueError as error:
        raise BadCursorError from error
    if not isinstance(found, list) or len(found) != keys or not all(isinstance(key, str) for key in found):
        raise BadCursorError
    return found


def read_moment(text: str) -> datetime:
    """A time from a cursor. Raises BadCursorError."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadCursorError from error
    if moment.tzinfo is None:
        raise BadCursorError
    return moment


def before(moment: ColumnElement[Any], key: ColumnElement[Any], after: str) -> ColumnElement[bool]:
    """Rows that come after `after` in a list which is newest first by (moment, key)."""
    at, last = read_cursor(after, 2)
    when = read_moment(at)
    return and_(moment <= when, or_(moment < when, key < last))


def cut(rows: Sequence[T], limit: int) -> tuple[Sequence[T], bool]:
    """The rows of one page out of `limit` + 1 that were read, and whether there are more."""
    return rows[:limit], len(rows) > limit
