"""Rule sets as YAML: read with an error at its line, written as a person would, and compared."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from hub import plugins, schemas
from hub.domain.routing import rules as domain
from hub.domain.routing.rules import RuleSet
from hub.mapping.source import Loader

SCHEMA = "routing-rules.v1"
LINE_WIDTH = 110
ROUTING_FIELDS = ("name", "when", "strategy", "cost", "steps", "remainder")  # in the order in which people write them

Lines = Mapping[str, int]  # line of the text, 1 for the first, by JSON pointer


@dataclass(frozen=True, slots=True)
class RuleMistake:
    """Something wrong in a rule file. `line` is 1 for the first and 0 where it is of no line; `path` a JSON pointer."""

    line: int
    path: str
    message: str

    def __str__(self) -> str:
        where = ", ".join(filter(None, (f"line {self.line}" if self.line else "", self.path)))
        return f"{where}: {self.message}" if where else self.message


class RuleFileError(ValueError):
    """A rule set that cannot be used; `mistakes` names every one."""

    def __init__(self, mistakes: Collection[RuleMistake]) -> None:
        super().__init__("; ".join(map(str, mistakes)))
        self.mistakes = tuple(mistakes)


@contextmanager
def naming(file: Path | str) -> Iterator[None]:
    """Name the file in everything that turns out to be wrong with it."""
    try:
        yield
    except RuleFileError as error:
        raise RuleFileError([RuleMistake(0, str(file), str(one)) for one in error.mistakes]) from error


def text_of(file: Path) -> str:
    """What a file says. Raises RuleFileError where it is no text in UTF-8, and OSError."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RuleFileError([RuleMistake(line, "", "this is no text in UTF-8: save the file in UTF-8")]) from error


def read(text: str) -> RuleSet:
    """The rule set that a YAML text says. Raises RuleFileError."""
    document, lines = load(text)
    return checked(document, lines)


def checked(document: Any, lines: Lines | None = None) -> RuleSet:
    """The rule set that a document says, its rankers and strategies installed. Raises RuleFileError."""
    known = lines or {}
    hold(SCHEMA, document, known)
    rules = schemas.structure(RuleSet, document)
    found = domain.mistakes(rules, plugins.rankers(), set(plugins.strategies()))
    if found:
        raise RuleFileError([mistake(known, one.path, one.message) for one in found])
    return rules


def hold(schema: str, document: Any, lines: Lines) -> None:
    """Hold a document to a schema. Raises RuleFileError naming every mistake."""
    wrong = [mistake(lines, one.path, _explained(schema, one)) for one in schemas.errors(schema, document)]
    if wrong:
        raise RuleFileError(sorted(wrong, key=lambda one: one.line))


def write(rules: RuleSet) -> str:
    """The rule set as YAML, without what is as it would be anyway."""
    document = domain.short_document(rules)
    routings = [{name: one[name] for name in ROUTING_FIELDS if name in one} for one in document["routings"]]
    return dump({**document, "routings": routings})


def dump(document: Any) -> str:
    """Plain values as YAML; lists of words stand on one line."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=LINE_WIDTH)
    return text


def unified(before: RuleSet, after: RuleSet, names: tuple[str, str]) -> str:
    """What changed, as a unified diff of the YAML; "" when nothing did."""
    old, new = write(before).splitlines(), write(after).splitlines()
    return "\n".join(difflib.unified_diff(old, new, *names, lineterm=""))


class _Plain(Loader):
    """Every part stands once: a few lines that repeat one another by `*name` may mean more than any machine holds."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it out
            words = f"*{event.anchor} repeats another part: write the part out"
            raise yaml.composer.ComposerError(None, None, words, event.start_mark)
        return super().compose_node(parent, index)


def load(text: str) -> tuple[Any, Lines]:
    """Content of a YAML text, and the line of each of its parts. Raises RuleFileError."""
    loader = _Plain(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise RuleFileError([RuleMistake(1, "", "there is nothing in it: a rule set has a name and routings")])
        lines = dict(_lines(node, ""))
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.context, error.problem)))
        raise RuleFileError([RuleMistake(mark.line + 1 if mark else 0, "", f"this is no YAML: {said}")]) from error
    except yaml.YAMLError as error:
        raise RuleFileError([RuleMistake(0, "", f"this is no YAML: {error}")]) from error
    except RecursionError as error:
        raise RuleFileError([RuleMistake(0, "", "this is nested deeper than can be read")]) from error
    finally:
        loader.dispose()


def _lines(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inside = f"{path}/{key.value}"
            yield from _lines(value, inside)
            yield inside, key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, one in enumerate(node.value):
            yield from _lines(one, f"{path}/{index}")


def mistake(lines: Lines, path: str, message: str) -> RuleMistake:
    """A mistake at its line, or at that of the nearest part around it that is there."""
    around = path
    while around and around not in lines:
        around = around.rpartition("/")[0]
    return RuleMistake(lines.get(around, 0), path, message)


def _explained(schema: str, error: schemas.SchemaError) -> str:
    """The validator's words, and what could stand there instead."""
    rule = _rule_at(schema, error.path)
    if error.message.startswith("Additional properties") and "properties" in rule:
        return f"{error.message}; there are: {', '.join(rule['properties'])}"
    about = rule.get("description", "")
    return f"{error.message}. {about}" if about and "is a required property" not in error.message else error.message


def _rule_at(name: str, path: str) -> dict[str, Any]:
    """The part of the schema that a place in the document has to keep."""
    schema = schemas.schema(name)
    rule = schema
    for part in filter(None, path.split("/")):
        inside = rule.get("properties", {}).get(part) or rule.get("additionalProperties")
        rule = rule.get("items", {}) if rule.get("type") == "array" else inside if isinstance(inside, dict) else {}
        if "$ref" in rule:
            rule = schema["$defs"][rule["$ref"].rpartition("/")[2]]
    return rule


class _Dumper(yaml.SafeDumper):
    """Lists of words on one line, everything else below one another; list items are indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:  # noqa: ARG002
        return super().increase_indent(flow, indentless=False)


def _list(dumper: yaml.SafeDumper, value: list[Any]) -> yaml.Node:
    flat = all(not isinstance(one, dict | list) for one in value)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", value, flow_style=flat)


_represent: Callable[..., None] = _Dumper.add_representer
_represent(list, _list)
