"""The settings of a connection, held to the connector's config schema in words that a person can act on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from hub.sdk import Manifest, secret_names

_TYPES = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "yes or no",
    "array": "a list",
    "object": "a group of settings",
}
_FORMATS = {
    "uri": "a web address such as https://example.com",
    "email": "an e-mail address",
    "hostname": "a host name such as shop.example.com",
    "date": "a date such as 2026-01-31",
    "date-time": "a date with time and offset such as 2026-01-31T08:00:00Z",
}
_FORMAT_CHECKER = FormatChecker(formats=["email", "date", "ipv4", "ipv6", "uuid", "regex"])


@_FORMAT_CHECKER.checks("uri")
def _is_web_address(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in value


@_FORMAT_CHECKER.checks("hostname")
def _is_host_name(value: object) -> bool:
    return not isinstance(value, str) or bool(
        re.fullmatch(
            r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*", value
        )
    )


@dataclass(frozen=True, slots=True)
class ConfigError:
    """What is wrong with one setting; `field` is its dotted name, "" for the form as a whole.

    The message never holds the value, which may be secret.
    """

    field: str
    message: str


def config_errors(manifest: Manifest, config: Mapping[str, Any]) -> list[ConfigError]:
    """Everything that is wrong with the settings, secrets included; empty when they are good.

    Settings which are blank count as not given, as forms send them.
    """
    return schema_errors(manifest.config_schema, config)


def schema_errors(schema: Mapping[str, Any], config: Mapping[str, Any]) -> list[ConfigError]:
    """The same for settings that another schema describes."""
    given = {name: value for name, value in config.items() if value is not None and value != ""}
    validator = Draft202012Validator(schema, format_checker=_FORMAT_CHECKER)
    found = {error: None for top in validator.iter_errors(given) for leaf in _leaves(top) for error in _words(leaf)}
    return sorted(found, key=lambda error: error.field)


def split_secrets(manifest: Manifest, config: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Plain settings and secret ones. Blank secrets are left out, so that saving a form keeps the stored ones."""
    hidden = secret_names(manifest.config_schema)
    plain = {name: value for name, value in config.items() if name not in hidden}
    secrets = {
        name: str(value) for name, value in config.items() if name in hidden and value is not None and value != ""
    }
    return plain, secrets


def _leaves(error: ValidationError) -> Iterator[ValidationError]:
    """The errors at the bottom. Of alternatives, those of the one that was meant."""
    if error.validator in ("oneOf", "anyOf") and error.context:
        for inner in _meant(error.context):
            yield from _leaves(inner)
    else:
        yield error


def _meant(errors: Iterable[ValidationError]) -> Sequence[ValidationError]:
    """The errors of the alternative that comes closest: the one whose fixed values fit, then the one with fewest."""
    branches: dict[Any, list[ValidationError]] = {}
    for error in errors:
        branches.setdefault(error.schema_path[0], []).append(error)
    return min(branches.values(), key=lambda found: (any(error.validator == "const" for error in found), len(found)))


def _words(error: ValidationError) -> Iterator[ConfigError]:
    place = ".".join(str(part) for part in error.absolute_path)
    rule = error.schema if isinstance(error.schema, Mapping) else {}
    wanted: Any = error.validator_value
    given: Any = error.instance
    title = str(rule.get("title") or place or "The settings")
    match error.validator:
        case "required":
            for name in wanted:
                if name not in given:
                    label = rule.get("properties", {}).get(name, {}).get("title") or name
                    yield ConfigError(f"{place}.{name}" if place else name, f"{label} is missing.")
        case "additionalProperties" | "unevaluatedProperties":
            for name in sorted(set(given) - set(rule.get("properties", {}))):
                yield ConfigError(f"{place}.{name}" if place else name, f"There is no setting called {name}.")
        case _:
            yield ConfigError(place, f"{title} {_rule_in_words(error, rule)}.")


def _rule_in_words(error: ValidationError, rule: Mapping[str, Any]) -> str:
    wanted: Any = error.validator_value
    match error.validator:
        case "type":
            kinds = [wanted] if isinstance(wanted, str) else wanted
            return "must be " + " or ".join(_TYPES.get(kind, str(kind)) for kind in kinds)
        case "enum":
            return "must be one of: " + ", ".join(str(choice) for choice in wanted)
        case "const":
            return f"must be {wanted}"
        case "format":
            return f"must be {_FORMATS.get(wanted, wanted)}"
        case "pattern":
            help_text = str(rule.get("x-hub", {}).get("help") or rule.get("description") or "").rstrip(".")
            return "does not have the right form" + (f". {help_text}" if help_text else "")
        case "minLength":
            return f"must have at least {wanted} characters"
        case "maxLength":
            return f"must have at most {wanted} characters"
        case "minimum":
            return f"must be at least {wanted}"
        case "maximum":
            return f"must be at most {wanted}"
        case "exclusiveMinimum":
            return f"must be more than {wanted}"
        case "exclusiveMaximum":
            return f"must be less than {wanted}"
        case "minItems":
            return f"must have at least {wanted} entries"
        case "maxItems":
            return f"must have at most {wanted} entries"
        case "uniqueItems":
            return "must not name anything twice"
    return f"breaks the rule {error.validator}"
