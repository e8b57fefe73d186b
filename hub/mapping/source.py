"""Reading field maps and code tables: YAML files inside installed packages."""

from __future__ import annotations

import re
from functools import reduce
from importlib.resources import files
from operator import truediv
from pathlib import PurePosixPath
from typing import Any

import yaml

HOME = "mappings"  # the package of the maps that ship with the hub


class MapError(ValueError):
    """A field map or code table that cannot be used; the message names the file and the entry."""


class Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: "no", "on" and 2026-01-02 stay text, 010 stays text. A key stands once."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key has to be a word", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9][0-9]*)", "-0123456789"),
    ("float", r"-?(0|[1-9][0-9]*)\.[0-9]+", "-0123456789"),
    ("null", r"~|null|", ["~", "n", ""]),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})\Z"), list(_first))


def parse(text: str | bytes, name: str) -> Any:
    """The content of a YAML text. Raises MapError naming `name` and the line."""
    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader with fewer scalar types
    except yaml.YAMLError as error:
        raise MapError(f"{name}: not readable as YAML: {error}") from error


def locate(path: str, package: str = HOME) -> tuple[str, str]:
    """Package and path of "path" or "package:path". Raises MapError for a path that leads out of the package."""
    if ":" in path:
        package, path = path.split(":", 1)
    inside = PurePosixPath(path)
    if not re.fullmatch(r"[A-Za-z_]\w*(\.\w+)*", package):
        raise MapError(f"{package!r} is not the name of a package")
    if not path or inside.is_absolute() or ".." in inside.parts or "\\" in path:
        raise MapError(f"{path!r} is not a path inside the package {package}")
    return package, path


def read(path: str, package: str = HOME) -> Any:
    """The content of a YAML file. `path` may name its package: "package:path.yml". Raises MapError."""
    package, inside = locate(path, package)
    try:
        # One part at a time: a package without __init__.py takes no more in Python 3.11.
        text = reduce(truediv, PurePosixPath(inside).parts, files(package)).read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise MapError(f"{inside}: no such file in the package {package}") from error
    return parse(text, f"{package}/{inside}")
