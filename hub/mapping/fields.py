"""Field entries, compiled once into functions, and the objects they build."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.mapping.selectors import Env, Select, compile_selector
from hub.mapping.source import MapError
from hub.mapping.tables import UnknownCode
from hub.mapping.targets import Shape
from hub.mapping.vias import compile_via, reads_record, takes_nothing

Read = Callable[[Any, Env], Any]

# What a transform, above all one of a plugin, raises for a record that no longer has the shape it was written for.
_UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)


class FieldError(Exception):
    """A field that could not be filled: `to` is its path in the document, `source` the selector."""

    def __init__(self, to: str, source: str, reason: str) -> None:
        super().__init__(reason)
        self.to, self.source, self.reason = to, source, reason

    def inside(self, to: str, source: str) -> FieldError:
        """The same error seen from the record around."""
        return FieldError(f"{to}.{self.to}" if self.to else to, f"{source} > {self.source}", self.reason)


@dataclass(frozen=True, slots=True)
class Entry:
    """One compiled entry. `parents` are the objects on the way to `key`; `adds` appends to a list already there."""

    to: str
    source: str
    read: Read
    parents: tuple[str, ...]
    key: str
    default: Any
    required: bool
    adds: bool


@dataclass(frozen=True, slots=True)
class Fields:
    """The entries of one object."""

    entries: tuple[Entry, ...]

    def build(self, this: Any, env: Env) -> dict[str, Any]:
        """The object that the entries make of the record `this`. Raises FieldError."""
        out: dict[str, Any] = {}
        for entry in self.entries:
            try:
                value = entry.read(this, env)
            except UnknownCode as error:
                if entry.default is None:
                    raise FieldError(entry.to, entry.source, str(error)) from error
                value = None
            except _UNREADABLE as error:
                raise FieldError(entry.to, entry.source, _words(error)) from error
            if value or value == 0:
                _put(out, entry, value)
            elif entry.default is not None:
                _put(out, entry, copy.deepcopy(entry.default))
            elif entry.required:
                raise FieldError(entry.to, entry.source, "is required but there is nothing")
        return out


def _put(out: dict[str, Any], entry: Entry, value: Any) -> None:
    for parent in entry.parents:
        out = out.setdefault(parent, {})
    if entry.adds and entry.key in out:
        out[entry.key] = [*out[entry.key], *value]
    else:
        out[entry.key] = value


def _words(error: BaseException) -> str:
    return str(error) if type(error) is ValueError else f"{type(error).__name__}: {error}"


def compile_fields(entries: Sequence[Mapping[str, Any]], shape: Shape, *, package: str, nested: bool) -> Fields:
    """The compiled form of a list of entries that fill an object of `shape`. Raises MapError naming the entry."""
    compiled: list[Entry] = []
    for number, entry in enumerate(entries, 1):
        try:
            compiled.append(_entry(entry, shape, package, nested))
        except ValueError as error:
            raise MapError(f"entry {number} ({entry['to']}): {error}") from error
    _refuse_overlaps(compiled)
    return Fields(tuple(compiled))


def _entry(entry: Mapping[str, Any], shape: Shape, package: str, nested: bool) -> Entry:
    to = entry["to"]
    *parents, key = to.split(".")
    target = shape.at(to)
    if "foreach" in entry:
        read, source = _list_of(entry, target.items(), package, nested), entry["foreach"]
    elif "fields" in entry:
        read, source = _object(entry, target, package, nested), entry.get("from", "@")
    elif "value" in entry:
        read, source = _value(entry["value"]), "value"
    else:
        read, source = _scalar(entry, package, nested), entry.get("from", "@")
    return Entry(
        to, source, read, tuple(parents), key, entry.get("default"), entry.get("required", False), "foreach" in entry
    )


def _value(value: Any) -> Read:
    if isinstance(value, (dict, list)):
        return lambda *_: copy.deepcopy(value)
    return lambda *_: value


def _scalar(entry: Mapping[str, Any], package: str, nested: bool) -> Read:
    via = entry.get("via")
    if via is None:
        if "from" not in entry:
            raise ValueError("has none of from, value, via, foreach and fields")
        return compile_selector(entry["from"], nested=nested)
    if "from" not in entry and not reads_record(via):
        raise ValueError("has a via but no from")
    select = compile_selector(entry.get("from", "@"), nested=nested)
    return _changed(select, via, package, nested)


def _changed(select: Select, via: Any, package: str, nested: bool) -> Read:
    """A value that is selected and changed. What is not there is not changed, unless the first change can say so."""
    changes = compile_via(via, package=package, nested=nested)
    if len(changes) == 1 and not takes_nothing(via):
        change = changes[0]

        def one(this: Any, env: Env) -> Any:
            value = select(this, env)
            return None if value is None or value == "" else change(value, env)

        return one
    begin = takes_nothing(via)

    def all_of(this: Any, env: Env) -> Any:
        value = select(this, env)
        if begin:
            value = changes[0](value, env)
        for change in changes[begin:]:
            if value is None or value == "":
                return None
            value = change(value, env)
        return value

    return all_of


def _object(entry: Mapping[str, Any], shape: Shape, package: str, nested: bool) -> Read:
    select = compile_selector(entry.get("from", "@"), nested=nested)
    fields = compile_fields(entry["fields"], shape, package=package, nested=True)
    source = entry.get("from", "@")

    def build(this: Any, env: Env) -> Any:
        inner = select(this, env)
        if inner is None or inner in ({}, ""):
            return None
        try:
            return fields.build(inner, Env(env.root, this, inner))
        except FieldError as error:
            raise error.inside(entry["to"], source) from error

    return build


def _list_of(entry: Mapping[str, Any], shape: Shape, package: str, nested: bool) -> Read:
    select = compile_selector(entry["foreach"], nested=nested)
    keep = compile_selector(entry["where"], nested=True) if "where" in entry else None
    if "fields" in entry:
        one: Read = compile_fields(entry["fields"], shape, package=package, nested=True).build
    else:
        one = _scalar({"from": "@", **entry}, package, nested=True)
    to, source = entry["to"], entry["foreach"]

    def build(this: Any, env: Env) -> list[Any] | None:
        items = select(this, env)
        if items is None:
            return None
        if not isinstance(items, list):
            raise ValueError("what is there is not a list")  # noqa: TRY004 - wrong data, not a wrong call
        made: list[Any] = []
        inner = Env(env.root, this, None)
        for place, item in enumerate(items):
            inner.this = item
            try:
                if keep is None or _true(keep(item, inner)):
                    value = one(item, inner)
                    if value or value == 0:
                        made.append(value)
            except FieldError as error:
                raise error.inside(f"{to}[{len(made)}]", f"{source}[{place}]") from error
            except _UNREADABLE as error:
                raise FieldError(f"{to}[{len(made)}]", f"{source}[{place}]", _words(error)) from error
        return made

    return build


def _true(value: Any) -> bool:
    """What counts as true in JMESPath: everything but false, null and what is empty. Zero is true."""
    return bool(value or (value == 0 and value is not False))


def _refuse_overlaps(entries: Sequence[Entry]) -> None:
    seen: dict[str, Entry] = {}
    for entry in entries:
        other = seen.get(entry.to)
        if other and not (entry.adds and other.adds):
            raise MapError(f"two entries fill {entry.to}")
        seen[entry.to] = entry
    for to in seen:
        for end in range(1, len(parts := to.split("."))):
            if (whole := ".".join(parts[:end])) in seen:
                raise MapError(f"the entry {to} fills a part of {whole}, which another entry fills")
