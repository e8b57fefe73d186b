"""Forms from a connector's config schema: flat properties, shown in the order and the groups of their x-hub hints.

Secrets are write-only: a stored one is never sent to the browser, only the mark that it is set, and a field left blank
keeps it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from werkzeug.datastructures import MultiDict

from hub.plugins import ConfigError
from hub.sdk import secret_names

Control = Literal["text", "number", "select", "choices", "checkbox", "lines", "pairs", "secret", "area"]
LAST = 1000


@dataclass(frozen=True, slots=True)
class Field:
    """One setting as the form shows it. `value` is what stands in it: text, True, or a list of chosen values."""

    name: str
    title: str
    description: str
    help: str
    control: Control
    required: bool
    value: Any
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""
    default: str = ""
    is_set: bool = False  # of a secret: whether one is stored
    error: str = ""

    @property
    def described_by(self) -> str:
        parts = [f"{self.name}-help"] if self.description or self.help else []
        return " ".join(parts + ([f"{self.name}-error"] if self.error else []))


@dataclass(frozen=True, slots=True)
class Group:
    """Fields that belong together; the first group has no name. `folded` ones are opened on demand."""

    name: str
    fields: tuple[Field, ...]

    @property
    def folded(self) -> bool:
        return self.name == "Advanced" and not any(field.error for field in self.fields)


def groups(
    schema: Mapping[str, Any],
    values: Mapping[str, Any],
    errors: Sequence[ConfigError] = (),
    stored: Collection[str] = (),
) -> list[Group]:
    """The form for a config schema. `stored` names the secrets that are set; `values` must hold none."""
    secret, required = secret_names(schema), set(schema.get("required", ()))
    words = {error.field.partition(".")[0]: error.message for error in reversed(errors)}
    found: dict[str, list[Field]] = {}
    rules = dict(schema.get("properties", {}))
    for name, rule in sorted(rules.items(), key=lambda item: item[1].get("x-hub", {}).get("order", LAST)):
        hints = rule.get("x-hub", {})
        default = rule.get("default")
        field = Field(
            name=name,
            title=rule.get("title") or name,
            description=rule.get("description", ""),
            help=hints.get("help", ""),
            control="secret" if name in secret else _control(rule),
            required=name in required and name not in stored,
            value=None
            if name in secret
            else values.get(name, default if rule.get("enum") or default is True else None),
            choices=_choices(rule),
            example=_shown(next(iter(rule.get("examples", ())), "")),
            default=_shown(default),
            is_set=name in stored,
            error=words.get(name, ""),
        )
        found.setdefault(hints.get("group", ""), []).append(field)
    return [Group(name, tuple(fields)) for name, fields in sorted(found.items(), key=lambda one: _place(one[0]))]


def _place(group: str) -> tuple[int, str]:
    return (0 if not group else 2 if group == "Advanced" else 1, "")


def _control(rule: Mapping[str, Any]) -> Control:
    if rule.get("type") == "array":
        return "choices" if "enum" in rule.get("items", {}) else "lines"
    if rule.get("type") == "object":
        return "pairs"
    if "enum" in rule:
        return "select"
    if rule.get("x-hub", {}).get("multiline") or rule.get("maxLength", 0) > 500:
        return "area"
    kinds: dict[str, Control] = {"boolean": "checkbox", "integer": "number", "number": "number"}
    return kinds.get(str(rule.get("type")), "text")


def _choices(rule: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    options = rule.get("enum") or rule.get("items", {}).get("enum") or ()
    labels = rule.get("x-hub", {}).get("labels", {})
    return tuple((str(one), str(labels.get(str(one), one))) for one in options)


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return ""
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def read(schema: Mapping[str, Any], form: MultiDict[str, str]) -> dict[str, Any]:
    """What a person entered, in the types of the schema. What is not a number stays text, so that it is complained of.

    Blank entries are left out.
    """
    values: dict[str, Any] = {}
    for name, rule in schema.get("properties", {}).items():
        if rule.get("type") == "boolean":
            values[name] = name in form
        elif rule.get("type") == "array":
            typed = (
                form.getlist(name)
                if "enum" in rule.get("items", {})
                else form.get(name, "").replace(",", "\n").split("\n")
            )
            entries = [entry.strip() for entry in typed if entry.strip()]
            if entries:
                values[name] = [_typed(rule.get("items", {}), entry) for entry in entries]
        elif rule.get("type") == "object":
            pairs = _pairs(rule, form.get(name, ""))
            if pairs:
                values[name] = pairs
        elif form.get(name, "").strip():
            # A pasted key must come through as it is, but for the blanks that copying adds at its ends.
            values[name] = _typed(rule, form[name].strip())
    return values


def _pairs(rule: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Lines such as "EU reduced = 7" as a mapping; a line without "=" has an empty value."""
    own, other = rule.get("properties", {}), rule.get("additionalProperties")
    found: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        key, _, value = line.partition("=")
        wanted = own.get(key.strip()) or (other if isinstance(other, Mapping) else {})
        found[key.strip()] = _typed(wanted, value.strip())
    return found


def _typed(rule: Mapping[str, Any], text: str) -> Any:
    for option in rule.get("enum", ()):
        if str(option) == text:
            return option
    try:
        if rule.get("type") == "integer":
            return int(text)
        if rule.get("type") == "number":
            return float(text)
    except ValueError:
        return text
    return text
