"""Where a field map may write: the canonical schemas, walked by path."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub import schemas


@dataclass(frozen=True, slots=True)
class Shape:
    """What a canonical schema says of one place. `rule` None stands for a place where anything may stand."""

    name: str
    rule: Mapping[str, Any] | None

    def at(self, path: str) -> Shape:
        """The place at a dotted path. Raises ValueError when the schema knows none."""
        here = self
        for part in path.split("."):
            here = here._property(part)
        return here

    def items(self) -> Shape:
        """The place of one item. Raises ValueError when this is no list."""
        if self.rule is None:
            return self
        if self.rule.get("type") != "array":
            raise ValueError(f"is no list in {self.name}")
        return Shape(self.name, _resolved(self.rule.get("items", {})))

    def _property(self, part: str) -> Shape:
        if self.rule is None or "properties" not in self.rule:
            if self.rule is not None and self.rule.get("type") not in (None, "object"):
                raise ValueError(f"{part} cannot stand inside a {self.rule['type']} of {self.name}")
            return Shape(self.name, None)
        if part not in self.rule["properties"]:
            raise ValueError(f"{self.name} has no field {part} here")
        return Shape(self.name, _resolved(self.rule["properties"][part]))


def target(name: str) -> Shape:
    """The whole document of a canonical schema. Raises ValueError for a name that does not exist."""
    if name not in schemas.DOCUMENTS:
        raise ValueError(f"there is no canonical schema {name} (there are {', '.join(schemas.DOCUMENTS)})")
    return Shape(name, schemas.schema(name))


def _resolved(rule: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = rule.get("$ref", "")
    if not reference:
        return rule
    document, _, pointer = reference.partition("#/")
    found: Any = schemas.schema(document.removesuffix(".json"))
    for part in pointer.split("/"):
        found = found[part]
    return _resolved(found)
