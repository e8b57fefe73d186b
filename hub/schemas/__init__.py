"""The canonical JSON Schemas and the one way from a document to its domain value.

`errors(name, document)` lists what is wrong, `parse(name, document)` builds the frozen value. Validators and
converters are compiled once, at first use.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import cattrs
import jsonschema_rs
import orjson

from hub.domain import documents

T = TypeVar("T")

_LEAP_SECOND = re.compile(r"(:[0-5][0-9]):60")

DOCUMENTS: dict[str, type] = {
    "order.v1": documents.Order,
    "inventory.v1": documents.StockLevel,
    "fulfillment.v1": documents.Fulfillment,
    "shipment.v1": documents.Shipment,
    "product.v1": documents.Product,
}


@dataclass(frozen=True, slots=True)
class SchemaError:
    """One place where a document breaks its schema; `path` is a JSON pointer into the document."""

    path: str
    message: str


class InvalidDocumentError(ValueError):
    """A document that breaks its schema; `errors` names every place."""

    def __init__(self, name: str, errors: list[SchemaError]) -> None:
        first = errors[0]
        super().__init__(f"{name}: {first.path or '/'}: {first.message}")
        self.name = name
        self.errors = errors


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema called `name`, such as order.v1. Raises KeyError for a name that does not exist."""
    path = files(__name__).joinpath(f"{name}.json")
    if not path.is_file():
        raise KeyError(name)
    loaded: dict[str, Any] = orjson.loads(path.read_bytes())
    return loaded


@cache
def _validator(name: str) -> Any:
    common = schema("common.v1")
    registry = jsonschema_rs.Registry([(common["$id"], common)])
    return jsonschema_rs.Draft202012Validator(schema(name), registry=registry, validate_formats=True)


def errors(name: str, document: Any) -> list[SchemaError]:
    """Every place where `document` breaks the schema `name`; empty when it is valid."""
    return [
        SchemaError("".join(f"/{part}" for part in error.instance_path), error.message)
        for error in _validator(name).iter_errors(document)
    ]


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=False)
    converter.register_structure_hook(datetime, lambda value, _: _moment(value))
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    return converter


_CONVERTER = _converter()


class _NoMomentError(ValueError):
    """A text of the right form that names no moment which a computer can hold, such as one in the year 0."""


def _moment(text: str) -> datetime:
    """An RFC 3339 time in UTC. A leap second counts as the one before it, and T and Z may be small."""
    try:
        if text[-1] == "Z" and "T" in text and ":60" not in text:  # nearly all of them
            return datetime.fromisoformat(text)
        return datetime.fromisoformat(_LEAP_SECOND.sub(r"\1:59", text.upper())).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise _NoMomentError(text) from error


def _paths(document: Any, text: str, path: str = "") -> Iterator[str]:
    """Where `text` stands in the document."""
    if document == text:
        yield path
    inner = document.items() if isinstance(document, Mapping) else enumerate(document) if _is_list(document) else ()
    for name, part in inner:
        yield from _paths(part, text, f"{path}/{name}")


def _is_list(value: Any) -> bool:
    return isinstance(value, list | tuple)


def parse(name: str, document: Any) -> Any:
    """The frozen domain value of a canonical document. Raises InvalidDocumentError naming every bad path."""
    if not _validator(name).is_valid(document):
        raise InvalidDocumentError(name, errors(name, document))
    try:
        return _CONVERTER.structure(document, DOCUMENTS[name])
    except _NoMomentError as error:
        wrong = [SchemaError(path, f"{str(error)!r} is no moment in time") for path in _paths(document, str(error))]
        raise InvalidDocumentError(name, wrong) from error


def fingerprint(document: Mapping[str, Any]) -> str:
    """Tells whether two documents say the same; the revision is left out, since it may move without a change."""
    said = {name: value for name, value in document.items() if name not in {"revision", "updated_at"}}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def structure(kind: type[T], document: Mapping[str, Any]) -> T:
    """A part of a document, such as an address, as its frozen value. Raises ValueError for an unknown field."""
    return _CONVERTER.structure(document, kind)
