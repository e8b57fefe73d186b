"""Entry checks: which of them the orders of a connection pass, and with what limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.domain.entry import EntryCheck
from hub.flows.operate.errors import SettingsError, actor
from hub.flows.operate.reach import find
from hub.flows.runtime import Runtime
from hub.plugins import ConfigError, schema_errors
from hub.store import connections, events


@dataclass(frozen=True, slots=True)
class ChosenCheck:
    """A check as a connection has it; `settings` are those that apply, defaults included."""

    name: str
    check: EntryCheck
    on: bool
    settings: Mapping[str, Any]


def checks_of(runtime: Runtime, key: str) -> list[ChosenCheck]:
    """All entry checks as they apply to the orders of a connection. Raises UnknownConnectionError."""
    chosen = find(runtime, key).entry_checks or {}
    return [_chosen(name, check, chosen.get(name, {})) for name, check in runtime.entry_checks.items()]


def _chosen(name: str, check: EntryCheck, said: Mapping[str, Any]) -> ChosenCheck:
    own = {key: value for key, value in said.items() if key != "on"}
    return ChosenCheck(name, check, bool(said.get("on", check.on)), check.defaults() | own)


def choose_checks(runtime: Runtime, key: str, wanted: Mapping[str, Mapping[str, Any]], *, person: str) -> bool:
    """Change some of the checks of a connection: {name: {"on": …, and its settings}}; False when they are so already.

    What is not named stays; a setting that is None or blank goes back to its default. Orders that are here already are
    checked by it when they change. Raises SettingsError naming "check.setting", or UnknownConnectionError.
    """
    row = find(runtime, key)
    wrong = [error for name, said in wanted.items() for error in _errors(runtime.entry_checks, name, said)]
    if wrong:
        raise SettingsError(wrong)
    before = dict(row.entry_checks or {})
    after = {**before}
    for name, said in wanted.items():
        kept = {**before.get(name, {}), **said}
        after[name] = {key: value for key, value in kept.items() if value is not None and value != ""}
    if after == before:
        return False
    now = runtime.clock()
    with runtime.db.begin() as tx:
        connections.choose_checks(tx, row.id, after, now)
        said_so = f"The entry checks were changed: {', '.join(sorted(wanted))}."
        events.tell(tx, ("connection", row.id), "checks_chosen", actor(person), said_so, now)
    return True


def _errors(checks: Mapping[str, EntryCheck], name: str, said: Mapping[str, Any]) -> list[ConfigError]:
    if name not in checks:
        return [ConfigError(name, f"there is no such check; there are {', '.join(checks)}")]
    schema = {
        "type": "object",
        "properties": {"on": {"type": "boolean", "title": "on"}, **checks[name].settings},
        "additionalProperties": False,
    }
    return [ConfigError(f"{name}.{one.field}".rstrip("."), one.message) for one in schema_errors(schema, said)]
