"""Requests held to an operation's schemas, compiled once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import orjson

from hub.web.api.operation import Operation
from hub.web.problems import Problem

MOST_ERRORS = 50
NOT_RIGHT = "The request is not right."


class Checks:
    """The compiled schemas of one operation."""

    def __init__(self, operation: Operation) -> None:
        query = {"type": "object", "properties": operation.query, "additionalProperties": False}
        self._types = {name: rule["type"] for name, rule in operation.query.items()}
        self._query = _compiled(query)
        self._body = _compiled(operation.body or {})

    def query(self, given: Mapping[str, str]) -> dict[str, Any]:
        """The query parameters in their types. Raises Problem 422."""
        found = {name: _typed(self._types.get(name, "string"), value) for name, value in given.items()}
        _hold(self._query, found, "/query")
        return found

    def body(self, raw: bytes) -> dict[str, Any]:
        """The body as JSON. Raises Problem 400 when it is none, 422 when it is not what the schema says."""
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise Problem(400, f"The body is not JSON: {error}") from None
        if b"\\u0000" in raw:
            raise Problem(400, "The body holds a NUL character, which no database can store.")
        _hold(self._body, found, "/body")
        checked: dict[str, Any] = found
        return checked


def _compiled(schema: dict[str, Any]) -> Any:
    # Values are masked: a message must not repeat ten thousand rows, or a secret.
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, mask="this")


def _hold(validator: Any, value: Any, place: str) -> None:
    errors = []
    for error in validator.iter_errors(value):
        pointer = "".join(f"/{part}" for part in error.instance_path)
        errors.append({"path": place + pointer, "message": error.message})
        if len(errors) >= MOST_ERRORS:
            break
    if errors:
        raise Problem(422, NOT_RIGHT, errors)


def _typed(kind: str, value: str) -> Any:
    """A query parameter in its type; what does not fit stays text, and the schema says so."""
    if kind == "integer" and value.isascii() and value.lstrip("-").isdecimal() and len(value) < 16:
        return int(value)
    if kind == "boolean" and value in ("true", "false", "1", "0"):
        return value in ("true", "1")
    return value
