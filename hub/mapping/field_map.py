"""Field maps: loaded from YAML, compiled once, applied to what came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from hub.mapping.fields import FieldError, Fields, compile_fields
from hub.mapping.selectors import Env
from hub.mapping.source import HOME, MapError, locate, read
from hub.mapping.targets import target
from hub.sdk.errors import SchemaDrift


@dataclass(frozen=True, slots=True)
class FieldMap:
    """How one stream of a platform becomes a canonical document. Safe to share between threads."""

    id: str
    version: int
    target: str
    path: str
    fields: Fields

    def apply(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The canonical document of a raw record; its schema is not checked here.

        Raises SchemaDrift, whose `path` is the canonical path, when a required field is missing or a value cannot
        be turned into what is wanted. Nothing of the raw record is changed; parts of it may be shared.
        """
        if not isinstance(raw, Mapping):
            raise SchemaDrift(f"{self.id}: the record is not an object")
        record = raw if isinstance(raw, dict) else dict(raw)
        try:
            return self.fields.build(record, Env(record, None, record))
        except FieldError as error:
            message = f"{self.id}: {error.to}: {error.reason} (from {error.source})"
            raise SchemaDrift(message, error.to) from error


@cache
def load(path: str) -> FieldMap:
    """The field map at a path below mappings/, or at "package:path.yml" in another package.

    Read and compiled at the first call. Raises MapError naming the file and the entry.
    """
    package, inside = locate(path)
    return compile_map(read(inside, package), path, package)


def compile_map(content: Any, path: str, package: str = HOME) -> FieldMap:
    """A field map from its parsed content, such as a draft that is in no file yet.

    `path` is what errors call it; code tables are looked up in `package`. Raises MapError naming path and entry.
    """
    _check(content, path)
    try:
        fields = compile_fields(content["fields"], target(content["target"]), package=package, nested=False)
    except ValueError as error:
        raise MapError(f"{path}: {error}") from error
    return FieldMap(content["id"], content["version"], content["target"], path, fields)


def _check(content: Any, path: str) -> None:
    error = best_match(_format().iter_errors(content))
    if error is not None:
        raise MapError(f"{path}: {_place(content, list(error.absolute_path))}{error.message}")


def _place(content: Any, steps: list[str | int]) -> str:
    """The entry in which an error stands, as people count: entry 3 (lines), entry 1 (sku): ..."""
    words = []
    for step in steps:
        content = content[step]
        if isinstance(step, int) and isinstance(content, dict):
            words.append(f"entry {step + 1} ({content.get('to', '?')})")
        elif isinstance(step, str) and step != "fields":
            words.append(step)
    return "".join(f"{word}: " for word in words)


@cache
def _format() -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(files(__package__ or "").joinpath("map.schema.json").read_bytes()))
