"""The rule editor's form: fields from the schema of rule sets, a document from what was sent, and its buttons.

A field is called by its place in the document, such as routings-0-steps-1-rankers. Lists of words are one field with
commas; routings, steps and remainders are parts that buttons add, move and remove, so that no script is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub import plugins, schemas
from hub.flows.rulefile import SCHEMA, RuleMistake
from hub.web.forms import Control, Field

Json = dict[str, Any]

MOST_PARTS = 60  # of a kind; nobody writes as many by hand

TITLES = {
    "name": "Name",
    "channels": "Channels",
    "countries": "Countries",
    "markets": "Markets",
    "tags": "Tags",
    "methods": "Delivery",
    "currencies": "Currencies",
    "min_value_minor": "Worth at least",
    "max_value_minor": "Worth at most",
    "strategy": "Strategy",
    "groups": "Only location groups",
    "radius_km": "Only within km",
    "min_stock": "Units that stay",
    "rankers": "Rankers, first to last",
    "assign": "How much",
    "max_shipments": "Most parcels",
    "min_shipment_value_minor": "Least worth of a parcel",
    "ignore_capacity": "Also places that are full today",
    "late_ok": "Also places from which it would be late",
    "on_remainder": "What is left",
    "extra_shipment_penalty_minor": "Each further parcel",
    "late_penalty_minor": "Each day late",
    "reroute_minor": "Routing again",
    "delay_minor": "Lost time of a refusal",
    "shadow_base_minor": "Worth of the last unit",
    "target_weeks": "Weeks of supply",
    "then": "What happens",
    "skus": "SKUs",
    "categories": "Categories",
    "sort": "Turn of waiting orders",
    "grace_minutes": "Rest after an order, minutes",
    "most_attempts": "Most attempts",
    "after_minutes": "Look again after minutes",
    "cool_down_minutes": "Rest after a move, minutes",
}
NEW: Mapping[str, Json] = {
    "routings": {"name": "new routing", "when": {}, "steps": [{"name": "anywhere"}]},
    "steps": {"name": "new step"},
    "remainder": {"then": "backorder"},
}
CHOICES = {
    "assign": (
        ("partial", "As much as can be, from the fewest places"),
        ("split", "All of it, from the fewest places"),
        ("single", "All of it from one place"),
    ),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A routing, a step or a remainder in the form; `at` is its place, `parts` are those inside it by kind."""

    at: str
    fields: Mapping[str, Field]
    parts: Mapping[str, tuple[Part, ...]]


def shown(document: Json, mistakes: Sequence[RuleMistake] = ()) -> Part:
    """The form of a document, with each mistake at its field."""
    wrong = {one.path.strip("/").replace("/", "-"): one.message for one in reversed(mistakes)}
    return _part(document, schemas.schema(SCHEMA), "", wrong)


def elsewhere(form: Part, mistakes: Iterable[RuleMistake]) -> list[RuleMistake]:
    """Mistakes that stand at no field of the form."""
    told = {field.error for part in _all(form) for field in part.fields.values() if field.error}
    return [one for one in mistakes if one.message not in told]


def document_of(form: Mapping[str, str]) -> Json:
    """The document that a form says. What makes no sense stays as it was typed, and the schema says so."""
    tree: Json = {}
    for name, value in form.items():
        *path, last = name.split("-")
        if last not in TITLES or not all(part in PARTS or (part.isdecimal() and len(part) < 4) for part in path):
            continue
        inner = tree
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value.strip()
    found: Json = _typed(tree, schemas.schema(SCHEMA))
    return found


PARTS = {"routings", "steps", "remainder", "when", "cost", "reevaluate"}


def changed(document: Json, act: str) -> Json:
    """The document after a button, such as add:routings, drop:routings-0-steps-1, up:… or down:…; others do nothing."""
    verb, _, at = act.partition(":")
    *path, last = at.split("-")
    try:
        if verb == "add" and last in NEW:
            holder = _inside(document, path)
            _add(holder.setdefault(last, []), last)
        elif verb in {"drop", "up", "down"}:
            items: list[Any] = _inside(document, path)
            _move(items, int(last), {"up": -1, "down": 1}.get(verb))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return document  # a button of a page that is out of date
    return document


def _add(items: list[Any], kind: str) -> None:
    if len(items) >= MOST_PARTS:
        return
    new = dict(NEW[kind])
    taken = {one.get("name") for one in items}
    if "name" in new:
        name, number = new["name"], 1
        while new["name"] in taken:
            number += 1
            new["name"] = f"{name} {number}"
    # The last routing takes every order, so that a new one comes before it.
    items.insert(max(0, len(items) - 1) if kind == "routings" else len(items), new)


def _move(items: list[Any], index: int, by: int | None) -> None:
    if not 0 <= index < len(items):
        return
    one = items.pop(index)
    if by is not None:
        items.insert(max(0, index + by), one)


def _inside(document: Any, path: Sequence[str]) -> Any:
    for part in path:
        document = document[int(part)] if part.isdecimal() else document[part]
    return document


def _part(document: Mapping[str, Any], rule: Json, at: str, wrong: Mapping[str, str]) -> Part:
    fields: dict[str, Field] = {}
    parts: dict[str, tuple[Part, ...]] = {}
    for name, raw in rule["properties"].items():
        inner, place = _resolved(raw), f"{at}-{name}" if at else name
        if inner.get("type") == "object":
            parts[name] = (_part(document.get(name) or {}, inner, place, wrong),)
        elif "properties" in (items := _resolved(inner.get("items", {}))):
            given = document.get(name) or []
            parts[name] = tuple(_part(one, items, f"{place}-{index}", wrong) for index, one in enumerate(given))
        else:
            fields[name] = _field(name, inner, place, document.get(name), wrong)
    return Part(at, fields, parts)


def _field(name: str, rule: Json, place: str, value: Any, wrong: Mapping[str, str]) -> Field:
    if value is None:
        value = rule.get("default")
    kind = rule["type"] if isinstance(rule.get("type"), str) else (rule.get("type") or ["string"])[0]
    choices: tuple[tuple[str, str], ...] = CHOICES.get(name, ())
    control: Control = "checkbox" if kind == "boolean" else "number" if kind == "integer" else "text"
    if name == "strategy":
        choices = tuple((one, one) for one in sorted(plugins.strategies()))
    if choices:
        control = "select"
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    known = f"There are: {', '.join(sorted(plugins.rankers()))}." if name == "rankers" else ""
    error = next((words for at, words in wrong.items() if at == place or at.startswith(f"{place}-")), "")
    return Field(
        name=place,
        title=TITLES[name],
        description=rule["description"],
        help=known or ("Separate several by commas." if kind == "array" else ""),
        control=control,
        required=name in {"name", "assign", "strategy", "then", "rankers"},
        value=value,
        choices=choices,
        error=error,
    )


def _all(part: Part) -> Iterable[Part]:
    yield part
    for inside in part.parts.values():
        for one in inside:
            yield from _all(one)


def _typed(given: Any, rule: Json) -> Any:
    """What was typed, in the types of the schema; what was left blank is left out."""
    found: Json = {}
    for name, raw in rule["properties"].items():
        inner, value = _resolved(raw), given.get(name)
        items = _resolved(inner.get("items", {}))
        if inner.get("type") == "object":
            if isinstance(value, dict) and (said := _typed(value, inner)):
                found[name] = said
        elif "properties" in items:
            if isinstance(value, dict):
                found[name] = [_typed(value[index], items) for index in sorted(value, key=int)]
        elif isinstance(value, str) and value:
            found[name] = _value(value, inner)
    return found


def _value(text: str, rule: Json) -> Any:
    kinds = rule["type"] if isinstance(rule.get("type"), list) else [rule.get("type")]
    if "array" in kinds:
        return [one for one in map(str.strip, text.split(",")) if one]
    if "boolean" in kinds:
        return True
    if "integer" in kinds and text.lstrip("-").isdecimal() and text.isascii() and len(text) < 17:
        return int(text)
    return text


def _resolved(rule: Json) -> Json:
    if "$ref" not in rule:
        return rule
    found: Json = schemas.schema(SCHEMA)["$defs"][rule["$ref"].rpartition("/")[2]]
    return found
