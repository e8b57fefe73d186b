"""What a field map would make of records that are already there, shown before it is published."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from hub import schemas
from hub.mapping.field_map import FieldMap
from hub.sdk.errors import SchemaDrift


@dataclass(frozen=True, slots=True)
class Preview:
    """The outcome for one record: a document with what is wrong with it, or why there is none and where."""

    document: dict[str, Any] | None
    error: str | None = None
    path: str | None = None
    schema_errors: tuple[schemas.SchemaError, ...] = ()

    @property
    def is_good(self) -> bool:
        return self.document is not None and not self.schema_errors


def preview(field_map: FieldMap, raws: Iterable[Mapping[str, Any]]) -> list[Preview]:
    """One outcome per raw record, in order. Never raises for a record; nothing is stored."""
    return [_one(field_map, raw) for raw in raws]


def _one(field_map: FieldMap, raw: Mapping[str, Any]) -> Preview:
    try:
        document = field_map.apply(raw)
    except SchemaDrift as drift:
        return Preview(None, str(drift), drift.path)
    return Preview(document, schema_errors=tuple(schemas.errors(field_map.target, document)))
