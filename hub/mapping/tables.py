"""Code tables: a platform's codes and what they are here."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from hub.mapping.source import HOME, MapError, locate, read


class UnknownCode(ValueError):
    """A value that stands in no row of its code table."""


@dataclass(frozen=True, slots=True)
class CodeTable:
    """The rows of one code table, by the platform's code as text."""

    id: str
    values: dict[str, Any]

    def lookup(self, value: Any) -> Any:
        """The row of a code. Raises UnknownCode naming table and code."""
        code = value if isinstance(value, str) else _code(value)
        try:
            return self.values[code]
        except KeyError:
            raise UnknownCode(f"{value!r} is not in the code table {self.id}") from None


@cache
def table(path: str, package: str = HOME) -> CodeTable:
    """The code table of a path below the package, without .yml. Raises MapError."""
    package, inside = locate(path, package)
    name = f"{package}/{inside}.yml"
    content = read(f"{inside}.yml", package)
    if not isinstance(content, dict) or set(content) - {"note"} != {"id", "values"}:
        raise MapError(f"{name}: a code table has the keys id and values")
    rows = content["values"]
    if not isinstance(rows, dict) or not rows or not all(isinstance(code, (str, int)) for code in rows):
        raise MapError(f"{name}: values must map codes to values")
    return CodeTable(str(content["id"]), {_code(code): value for code, value in rows.items()})


def _code(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
