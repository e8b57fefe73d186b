"""Just enough GraphQL for the sandbox: a document is read, and values are answered field by field.

A value is a plain dict whose entries are answers, or functions of the arguments. What was not asked for is not
answered, and what does not exist is refused in Shopify's words, so a forgotten field shows here as it would there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"\s+|,|#[^\n]*"
    r'|("(?:[^"\\]|\\.)*"'
    r"|\.\.\.|[A-Za-z_][A-Za-z0-9_]*|-?[0-9]+(?:\.[0-9]+)?|[!$():=@\[\]{|}])"
)


class QueryError(Exception):
    """What Shopify answers in its list of errors, with its code, and the scope that would have allowed it."""

    def __init__(self, message: str, code: str = "", required: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.required = required


@dataclass(frozen=True, slots=True)
class Gate:
    """Keeps fields back from an app. `ask` says why one of a type is, or None; what was kept back stands in `said`."""

    ask: Callable[[str, str], QueryError | None]
    said: list[tuple[tuple[str | int, ...], QueryError]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Variable:
    name: str


@dataclass(frozen=True, slots=True)
class Selection:
    """A selected field, or with `name` "..." the fields of a fragment for `on` ("" for any type)."""

    name: str
    alias: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    directives: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    inner: tuple[Selection, ...] = ()
    on: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    kind: str
    roots: tuple[Selection, ...]
    fragments: Mapping[str, Selection]


def parse(text: str) -> Document:
    """A document with one operation. Raises QueryError."""
    return _Reader(text).document()


def argument_values(given: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with variables put in; one whose variable is not given is left out."""
    return {
        name: _value(value, variables)
        for name, value in given.items()
        if not (isinstance(value, Variable) and value.name not in variables)
    }


def answer(
    value: Any,
    selection: Selection,
    document: Document,
    variables: Mapping[str, Any],
    gate: Gate,
    path: tuple[str | int, ...] = (),
) -> Any:
    """The selected part of a value; what the gate keeps back is null. Raises QueryError for a field that is unknown."""
    here = path or (selection.name,)
    if isinstance(value, list):
        parts = enumerate(value)
        return [answer(item, selection, document, variables, gate, (*here, place)) for place, item in parts]
    if value is None or not selection.inner:
        return value
    kind = str(value.get("__typename", ""))
    out: dict[str, Any] = {}
    for one in _flat(selection.inner, document, kind):
        if one.name not in value:
            raise QueryError(f"Field '{one.name}' doesn't exist on type '{kind or 'object'}'", "undefinedField")
        refused = gate.ask(kind, one.name)
        found = value[one.name] if refused is None else None
        if refused is not None:
            gate.said.append(((*here, one.name), refused))
        if callable(found):
            found = found(**argument_values(one.arguments, variables))
        out[one.alias or one.name] = answer(found, one, document, variables, gate, (*here, one.name))
    return out


def _flat(selected: tuple[Selection, ...], document: Document, kind: str) -> Iterator[Selection]:
    for one in selected:
        if one.name != "...":
            yield one
        elif one.inner and (not one.on or one.on == kind):
            yield from _flat(one.inner, document, kind)
        elif not one.inner:
            yield from _flat(document.fragments[one.on].inner, document, kind)


def _value(value: Any, variables: Mapping[str, Any]) -> Any:
    if isinstance(value, Variable):
        return variables.get(value.name)
    if isinstance(value, list):
        return [_value(item, variables) for item in value]
    if isinstance(value, dict):
        return {name: _value(item, variables) for name, item in value.items()}
    return value


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens = [found[1] for found in _TOKEN.finditer(text) if found[1]]
        self._at = 0

    def document(self) -> Document:
        kind, roots = "query", tuple[Selection, ...]()
        fragments: dict[str, Selection] = {}
        while self._at < len(self._tokens):
            word = self._next()
            if word == "fragment":
                name = self._next()
                self._expect("on")
                on = self._next()
                fragments[name] = Selection("...", inner=self._selections(), on=on)
                continue
            if word == "{":
                self._at -= 1
            else:
                kind = word
                while self._peek() != "{":
                    self._skip_signature()
            roots = self._selections()
        if not roots:
            raise QueryError("the document has no operation")
        return Document(kind, roots, fragments)

    def _skip_signature(self) -> None:
        if self._next() == "(":
            while self._next() != ")":
                pass

    def _selections(self) -> tuple[Selection, ...]:
        self._expect("{")
        found = []
        while self._peek() != "}":
            found.append(self._spread() if self._peek() == "..." else self._field())
        self._expect("}")
        return tuple(found)

    def _spread(self) -> Selection:
        self._expect("...")
        if self._peek() == "on":
            self._next()
            on = self._next()
            return Selection("...", inner=self._selections(), on=on)
        return Selection("...", on=self._next())

    def _field(self) -> Selection:
        name = self._next()
        arguments = self._arguments() if self._peek() == "(" else {}
        directives: dict[str, Mapping[str, Any]] = {}
        while self._peek() == "@":
            self._next()
            directive = self._next()
            directives[directive] = self._arguments() if self._peek() == "(" else {}
        inner = self._selections() if self._peek() == "{" else ()
        return Selection(name, "", arguments, directives, inner)

    def _arguments(self) -> dict[str, Any]:
        self._expect("(")
        found = {}
        while self._peek() != ")":
            name = self._next()
            self._expect(":")
            found[name] = self._literal()
        self._expect(")")
        return found

    def _literal(self) -> Any:
        word = self._next()
        if word == "$":
            return Variable(self._next())
        if word == "[":
            items = []
            while self._peek() != "]":
                items.append(self._literal())
            self._next()
            return items
        if word == "{":
            made = {}
            while self._peek() != "}":
                name = self._next()
                self._expect(":")
                made[name] = self._literal()
            self._next()
            return made
        if word.startswith('"'):
            return word[1:-1].replace('\\"', '"')
        if word.lstrip("-").isdigit():
            return int(word)
        return {"true": True, "false": False, "null": None}.get(word, word)

    def _expect(self, wanted: str) -> None:
        found = self._next()
        if found != wanted:
            raise QueryError(f"syntax error, unexpected {found!r}, expecting {wanted!r}")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        if self._at >= len(self._tokens):
            raise QueryError("syntax error, unexpected end of file")
        self._at += 1
        return self._tokens[self._at - 1]
