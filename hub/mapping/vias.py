"""From the `via` of a map entry to one function: built-in transforms, code tables, and functions of plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from hub.mapping import transforms
from hub.mapping.selectors import Env, Select, compile_selector
from hub.mapping.source import MapError
from hub.mapping.tables import table

GROUP = "hub.mapping.transforms"

Change = Callable[[Any, Env], Any]


def compile_via(via: Any, *, package: str, nested: bool) -> list[Change]:
    """One function per transform that `via` names, in order. Raises ValueError for what is not known."""
    return [_one(*_named(part), package, nested) for part in (via if isinstance(via, list) else [via])]


def reads_record(via: Any) -> bool:
    """Whether the first transform of `via` selects by itself, so that the entry needs no `from`."""
    name, _ = _named(via[0] if isinstance(via, list) else via)
    return name == "concat" or "." in name


def takes_nothing(via: Any) -> bool:
    """Whether the first transform of `via` has an answer for an empty value."""
    name, _ = _named(via[0] if isinstance(via, list) else via)
    return name == "not_empty"


def _named(part: Any) -> tuple[str, Any]:
    if isinstance(part, str):
        return part, None
    ((name, argument),) = part.items()
    return str(name), argument


def _one(name: str, argument: Any, package: str, nested: bool) -> Change:
    if "." in name:
        return _of_plugin(name, argument)
    if name == "lookup":
        return _lookup(argument, package)
    if name == "concat":
        return _concat(argument, nested)
    if name in transforms.PLAIN:
        if argument is not None:
            raise ValueError(f"the transform {name} takes no argument")
        plain = transforms.PLAIN[name]
        return lambda value, _: plain(value)
    if name in transforms.OPTIONAL and argument is None:
        return _constant(transforms.OPTIONAL[name])
    change = transforms.OPTIONAL.get(name) or transforms.REQUIRED.get(name)
    if change is None:
        raise ValueError(f"there is no transform called {name}")
    if argument is None:
        raise ValueError(f"the transform {name} needs an argument")
    return _with(name, change, argument, nested)


def _constant(change: Callable[..., Any]) -> Change:
    return lambda value, _: change(value)


def _with(name: str, change: Callable[[Any, Any], Any], argument: Any, nested: bool) -> Change:
    if not isinstance(argument, str):
        raise ValueError(f"the argument of {name} must be text, not {argument!r}")  # noqa: TRY004 - a wrong file, not a wrong call
    if argument.startswith("$"):
        select = compile_selector(argument, nested=nested)
        return lambda value, env: change(value, select(env.this, env))
    _try(name, change, argument)
    return lambda value, _: change(value, argument)


def _try(name: str, change: Callable[[Any, Any], Any], argument: str) -> None:
    """Raise for a constant argument that can never work, such as a misspelt currency or time zone."""
    samples = {"minor": "1", "unit_g": "1", "datetime": "2026-01-02T03:04:05", "revision": "2026-01-02T03:04:05"}
    if argument in ("epoch_s", "epoch_ms"):
        return
    if name == "date":
        change("2026-01-02T03:04:05", argument)
    if name in samples:
        change("100000" if name == "minor" else samples[name], argument)


def _lookup(argument: Any, package: str) -> Change:
    if not isinstance(argument, str):
        raise ValueError("lookup needs the path of a code table")  # noqa: TRY004 - a wrong file, not a wrong call
    rows = table(argument, package)
    return lambda value, _: rows.lookup(value)


def _concat(argument: Any, nested: bool) -> Change:
    if not isinstance(argument, list) or not argument or not all(isinstance(part, str) for part in argument):
        raise ValueError("concat needs a list of selectors")
    parts: list[Select] = [compile_selector(part, nested=nested) for part in argument]
    return lambda value, env: transforms.join([part(value, env) for part in parts], " ")


def _of_plugin(name: str, argument: Any) -> Change:
    if argument is not None:
        raise ValueError(f"the transform {name} takes no argument")
    prefix, function = name.split(".", 1)
    known = plugin_transforms(prefix)
    if function not in known:
        raise ValueError(f"the plugin {prefix} has no transform called {function}")
    return known[function]


@cache
def plugin_transforms(prefix: str) -> Mapping[str, Change]:
    """The functions that one plugin offers to field maps, by name; its code is loaded at the first call.

    Raises MapError when no plugin or more than one offers functions under `prefix`, or when it cannot be loaded.
    """
    found = sorted(entry_points(group=GROUP, name=prefix), key=lambda point: point.value)
    if not found:
        raise MapError(f"no plugin offers transforms called {prefix}.*")
    if len(found) > 1:
        owners = " and ".join(f"{point.value} of {point.dist.name if point.dist else '?'}" for point in found)
        raise MapError(f"more than one plugin offers transforms called {prefix}.*: {owners}")
    try:
        functions = found[0].load()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise MapError(f"the transforms called {prefix}.* cannot be loaded from {found[0].value}: {error}") from error
    if not isinstance(functions, Mapping) or not all(callable(function) for function in functions.values()):
        raise MapError(f"{found[0].value} is not a dict of functions")
    return functions
