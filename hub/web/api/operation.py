"""An operation of the API, and what the areas share: checked requests, pages, questions to the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hub.store.database import Tx
from hub.web.api.shapes import Json, text, whole
from hub.web.context import caller, console
from hub.web.problems import Problem


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request. `key` is the Idempotency-Key, "" when none was sent."""

    path: dict[str, str]
    query: Json
    body: Json
    key: str = ""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation. `path` has {placeholders}; `query` and `body` are schemas; `refusals` the statuses of its own."""

    name: str
    method: str
    path: str
    summary: str
    answer: Json
    do: Callable[[Call], Any]
    query: dict[str, Json] = field(default_factory=dict)
    body: Json | None = None
    needs_body: bool = True
    refusals: tuple[int, ...] = ()
    status: int = 200
    takes_key: bool = False
    about: str = ""
    most_bytes: int = 256 * 1024


PAGED = {
    "after": text("`next` of the page before.", maxLength=500),
    "limit": whole("Rows of a page.", minimum=1, maximum=200, default=50),
}
NO_NUL = {"pattern": "^[^\\u0000]*$"}
REASON = text("Why; kept for ever.", minLength=1, maxLength=200)


def closed(required: tuple[str, ...] = (), /, **properties: Json) -> Json:
    """An object of a request: nothing but these properties, and no text that a database cannot store."""
    checked = {name: {**NO_NUL, **rule} if rule["type"] == "string" else rule for name, rule in properties.items()}
    return {"type": "object", "properties": checked, "required": list(required), "additionalProperties": False}


def read(question: Callable[[Tx], Any]) -> Any:
    """Ask the database."""
    with console().runtime.db.read() as tx:
        return question(tx)


def may_see_contact() -> bool:
    """Whether the caller may see e-mail addresses and telephone numbers."""
    return caller().may("ops")


def page_of(page: Any, shape: Callable[[Any], Json]) -> Json:
    """A page of a list, each row in its shape."""
    return {"rows": [shape(one) for one in page.rows], "next": page.next}


def moment(value: str | None, name: str) -> datetime | None:
    """A moment of the query. Raises Problem 422 when it cannot be one."""
    if value is None:
        return None
    found = _parsed(value)
    if found is None or found.tzinfo is None or not 1 < found.year < 9999:
        words = "a moment with its offset, such as 2026-01-31T08:00:00Z"
        raise Problem(422, "The request is not right.", [{"path": f"/query/{name}", "message": words}])
    return found


def _parsed(value: str) -> datetime | None:
    try:
        return datetime.fromisoformat(value.replace(" ", "+"))  # a + that was not encoded arrives as a blank
    except ValueError:
        return None
