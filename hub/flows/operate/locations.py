"""What an operator sets of a location: calendar, capacity, costs, and what it may do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import available_timezones

from hub import schemas
from hub.domain.routing.price import mistakes_in
from hub.flows.operate.errors import NotDoneError, SettingsError, actor
from hub.flows.refill import offer_again
from hub.flows.runtime import Runtime
from hub.plugins import ConfigError
from hub.store import availability, catalog, events
from hub.store.catalog import LocationRow

SETTINGS = "location-settings.v1"
_TOLD = frozenset({"active", "ships", "picks_up", "groups", "stale_after_min"})  # decide what channels are told
OF_ITS_OWN = {"calendar": "location-calendar.v1", "costs": "location-costs.v1"}  # settings with a schema of their own


def location(runtime: Runtime, code: str) -> LocationRow:
    """The location with that code. Raises NotDoneError."""
    with runtime.db.read() as tx:
        try:
            return catalog.location_by_code(tx, code)
        except KeyError as error:
            raise NotDoneError(f"there is no location {code!r}") from error


def settings_of(row: LocationRow) -> dict[str, Any]:
    """Everything of a location that can be set, as it stands."""
    return {name: getattr(row, name) for name in schemas.schema(SETTINGS)["properties"]}


def change_location(runtime: Runtime, code: str, values: Mapping[str, Any], *, person: str) -> tuple[str, ...]:
    """Set some of a location's settings; returns the names of those that changed. Safe to repeat.

    Raises SettingsError naming each field that is not right, NotDoneError for a location that does not exist.
    """
    wrong = _wrong(values)
    if wrong:
        raise SettingsError(wrong)
    before = settings_of(location(runtime, code))
    changed = {name: value for name, value in values.items() if before[name] != value}
    if not changed:
        return ()
    with runtime.db.begin() as tx:
        row = catalog.location_by_code(tx, code)
        if changed.get("is_default"):
            catalog.no_default(tx)
        catalog.change_location(tx, row.id, **changed)
        if not _TOLD.isdisjoint(changed):
            availability.mark_due(tx)
        offer_again(tx)
        said = f"{code}: {', '.join(sorted(changed))} changed."
        events.tell(tx, ("location", row.id), "changed", actor(person), said, runtime.clock())
    runtime.wake_all({"refill", "stock"})
    return tuple(sorted(changed))


def wrong_in(values: Mapping[str, Any]) -> list[ConfigError]:
    """What is not right among the values of a new location that are settings and were given."""
    known = schemas.schema(SETTINGS)["properties"]
    return _wrong({name: values[name] for name in known if values.get(name) not in ("", None)})


def _wrong(values: Mapping[str, Any]) -> list[ConfigError]:
    """Everything that is not right, by field."""
    found = [
        ConfigError(one.path.lstrip("/") or "settings", one.message) for one in schemas.errors(SETTINGS, dict(values))
    ]
    for name, schema in OF_ITS_OWN.items():
        if isinstance(values.get(name), Mapping):
            found += [ConfigError(f"{name}{one.path}", one.message) for one in schemas.errors(schema, values[name])]
    if isinstance(values.get("costs"), Mapping) and not found:
        lanes = [
            (lane["name"], [heaviest for heaviest, _ in lane["tiers"]]) for lane in values["costs"].get("lanes", ())
        ]
        found += [ConfigError(f"costs/lanes{path}", message) for path, message in mistakes_in(lanes)]
    zone = values.get("zone")
    if isinstance(zone, str) and zone not in available_timezones():
        found.append(ConfigError("zone", f"there is no time zone {zone!r}; write it such as Europe/Berlin"))
    return found
