"""The canonical JSON Schemas and the one way from a document to its domain value.

`errors(name, document)` lists what is wrong, `parse(name, document)` builds the frozen value. Validators and
converters are compiled once, at first use.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, TypeVar

import cattrs
import jsonschema_rs
import orjson

from hub.domain import documents

T = TypeVar("T")

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
    converter.register_structure_hook(datetime, lambda value, _: datetime.fromisoformat(value))
    converter.register_structure_hook(date, lambda value, _: date.fromisoformat(value))
    return converter


_CONVERTER = _converter()


def parse(name: str, document: Any) -> Any:
    """The frozen domain value of a canonical document. Raises InvalidDocumentError naming every bad path."""
    if not _validator(name).is_valid(document):
        raise InvalidDocumentError(name, errors(name, document))
    return _CONVERTER.structure(document, DOCUMENTS[name])


def fingerprint(document: Mapping[str, Any]) -> str:
    """Tells whether two documents say the same; the revision is left out, since it may move without a change."""
    said = {name: value for name, value in document.items() if name not in {"revision", "updated_at"}}
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()


def structure(kind: type[T], document: Mapping[str, Any]) -> T:
    """A part of a document, such as an address, as its frozen value. Raises ValueError for an unknown field."""
    return _CONVERTER.structure(document, kind)
