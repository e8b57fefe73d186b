"""Just enough GraphQL for the sandbox: which fields a document asks for, and the part of an answer that it gets.

A field that the answer does not have is an error, as it is at ShipHero. Types are not checked here; the documents are
held to the vendor's schema by the contract tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r'\s*(?:,|#[^\n]*|(\.\.\.|\$?[A-Za-z_]\w*|-?\d+|"(?:[^"\\]|\\.)*"|[{}()\[\]:!=]))')


@dataclass(frozen=True, slots=True)
class Field:
    """One field with its arguments, variables filled in."""

    name: str
    args: Mapping[str, Any]
    children: tuple[Field, ...]


class GraphQLError(Exception):
    """What is wrong with a document or with the data it asks for."""


def root(document: str, variables: Mapping[str, Any]) -> tuple[str, Field]:
    """The kind of operation ("query" or "mutation") and its one root field. Raises GraphQLError."""
    reader = _Reader([token for token in _TOKEN.findall(document) if token], variables, {})
    kind, fields = reader.document()
    if len(fields) != 1:
        raise GraphQLError("exactly one root field is answered here")
    return kind, fields[0]


def project(value: Any, fields: tuple[Field, ...]) -> Any:
    """The asked part of a value; a callable is a field with arguments."""
    if value is None or not fields:
        return value
    if isinstance(value, list):
        return [project(item, fields) for item in value]
    out = {}
    for field in fields:
        if field.name not in value:
            raise GraphQLError(f'Cannot query field "{field.name}".')
        inner = value[field.name]
        out[field.name] = project(inner(field.args) if callable(inner) else inner, field.children)
    return out


def cost(field: Field) -> int:
    """Credits of a call: every object that could come back, by `first`, 100 where none is said."""
    if not field.children:
        return 0
    names = {child.name for child in field.children}
    times = int(field.args.get("first") or 100) if "edges" in names else 1
    return times * (1 + sum(cost(child) for child in field.children if child.name != "edges")) + times * sum(
        cost(child) for edges in field.children if edges.name == "edges" for child in edges.children
    )


def weight(value: Any) -> int:
    """Credits that an answer costs in the end: every object that did come back."""
    if isinstance(value, dict):
        return 1 + sum(weight(item) for item in value.values())
    return sum(weight(item) for item in value) if isinstance(value, list) else 0


@dataclass(slots=True)
class _Reader:
    tokens: list[str]
    variables: Mapping[str, Any]
    fragments: dict[str, tuple[Field, ...]]
    at: int = 0

    def document(self) -> tuple[str, tuple[Field, ...]]:
        self._read_fragments()
        self.at = 0
        kind = "query"
        if self._peek() in ("query", "mutation"):
            kind = self._next()
            while self._peek() not in ("{", "("):
                self._next()
            if self._peek() == "(":
                self._skip_parentheses()
        return kind, self._selection()

    def _read_fragments(self) -> None:
        places = [place for place, word in enumerate(self.tokens) if word == "fragment"]
        for _ in places:  # a fragment may stand before the one it uses
            for place in places:
                self.at = place + 4  # fragment, its name, on, its type
                self.fragments[self.tokens[place + 1]] = self._selection()

    def _selection(self) -> tuple[Field, ...]:
        self._take("{")
        fields: list[Field] = []
        while self._peek() != "}":
            if self._peek() == "...":
                self._next()
                fields += self.fragments.get(self._next(), ())
            else:
                fields.append(self._field())
        self._take("}")
        return tuple(fields)

    def _field(self) -> Field:
        name = self._next()
        args: dict[str, Any] = {}
        if self._peek() == "(":
            self._next()
            while self._peek() != ")":
                key = self._next()
                self._take(":")
                args[key] = self._value()
            self._next()
        children = self._selection() if self._peek() == "{" else ()
        return Field(name, {key: value for key, value in args.items() if value is not None}, children)

    def _value(self) -> Any:
        token = self._next()
        if token.startswith("$"):
            return self.variables.get(token[1:])
        if token.startswith('"'):
            return token[1:-1]
        words = {"true": True, "false": False, "null": None}
        return words[token] if token in words else int(token)

    def _skip_parentheses(self) -> None:
        while self._next() != ")":
            pass

    def _peek(self) -> str:
        if self.at >= len(self.tokens):
            raise GraphQLError("Syntax Error: the document ends too early")
        return self.tokens[self.at]

    def _next(self) -> str:
        token = self._peek()
        self.at += 1
        return token

    def _take(self, wanted: str) -> None:
        token = self._next()
        if token != wanted:
            raise GraphQLError(f"Syntax Error: expected {wanted}, found {token}")
