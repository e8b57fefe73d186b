"""The router's input as a document of `routing-input.v1.json`, and back, exactly; the plan as a document.

A document written here has only what the decision rests on, in one order, so that a stored one gives the same plan,
trace and fingerprint again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import date
from typing import Any

from hub.domain.routing.network import Network
from hub.domain.routing.price import mistakes_in
from hub.domain.routing.shapes import (
    CostRules,
    Destination,
    Lane,
    Need,
    Place,
    Plan,
    Rules,
    Sellable,
    Snapshot,
    Step,
)

Document = Mapping[str, Any]


class BadInputError(ValueError):
    """A document that keeps the schema and yet makes no sense; `path` is a JSON pointer to the place."""

    def __init__(self, path: str, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path
        self.message = message


def from_document(document: Document) -> Snapshot:
    """The snapshot of a document that keeps the schema. Raises BadInputError for references that lead nowhere."""
    needs = tuple(_need(one) for one in document["lines"])
    places = tuple(_place(one) for one in document["locations"])
    _once(needs, "/lines", "id", lambda need: need.line_id)
    _once(places, "/locations", "id", lambda place: place.id)
    _once(places, "/locations", "code", lambda place: place.code)
    for index, place in enumerate(places):
        lanes = [(lane.name, [up_to_g for up_to_g, _ in lane.tiers]) for lane in place.lanes]
        for path, message in mistakes_in(lanes):
            raise BadInputError(f"/locations/{index}/lanes{path}", message)
    ids, lines = {place.id for place in places}, {need.line_id for need in needs}
    for index, need in enumerate(needs):
        _known(need.pinned, ids, f"/lines/{index}/pinned", "location")
        if need.per_kit and need.group is None:
            raise BadInputError(f"/lines/{index}/per_kit", "only a line of a group can be part of a kit")
    excluded = []
    for index, pair in enumerate(document.get("excluded", ())):
        _known(pair["line"], lines, f"/excluded/{index}/line", "line")
        _known(pair["location"], ids, f"/excluded/{index}/location", "location")
        excluded.append((pair["line"], pair["location"]))
    return Snapshot(
        needs,
        _destination(document["destination"]),
        places,
        _cells(document, "sellable", "units", ids),
        frozenset(excluded),
        rules_from_document(document.get("rules", {})),
        document.get("method", "ship"),
        document.get("channel", ""),
        _day(document.get("promise")),
        _cells(document, "weekly_demand_milli", "units", ids),
        {variant: int(units) for variant, units in document.get("network_units", {}).items()},
        _cells(document, "shadow_minor", "price_minor", ids),
        _cells(document, "kept", "units", ids),
    )


def to_document(snapshot: Snapshot) -> dict[str, Any]:
    """The document of a snapshot, without the articles that are not wanted and the values that are the usual ones."""
    network = Network.of(snapshot.places)
    wanted = {need.variant_id for need in snapshot.needs}
    said = {
        "lines": [_said(need, _NEED_NAMES) for need in sorted(snapshot.needs, key=lambda need: need.line_id)],
        "destination": _said(snapshot.destination, {}),
        "locations": [_said_place(place) for place in network],
        "sellable": _rows(snapshot.sellable, "units", wanted, least=1),
        "excluded": [{"line": line, "location": place} for line, place in sorted(snapshot.excluded)],
        "rules": rules_to_document(snapshot.rules),
        "method": snapshot.method,
        "channel": snapshot.channel,
        "promise": None if snapshot.promise is None else snapshot.promise.isoformat(),
        "weekly_demand_milli": _rows(snapshot.weekly_demand_milli, "units", wanted),
        "network_units": {name: units for name, units in sorted(snapshot.network_units.items()) if name in wanted},
        "shadow_minor": _rows(snapshot.shadow_minor, "price_minor", wanted),
        "kept": _rows(snapshot.kept, "units", wanted, least=1),
    }
    needed = {"lines", "destination", "locations", "sellable", "rules"}
    return {name: value for name, value in said.items() if name in needed or value not in (None, "", [], {}, "ship")}


def rules_from_document(document: Document) -> Rules:
    """The rules of a document that keeps `#/$defs/rules`, such as a rule file."""
    steps = tuple(step_from_document(one) for one in document.get("steps", ({},)))
    return Rules(steps, document.get("strategy", "ranked"), CostRules(**_whole(document.get("cost", {}))))


def rules_to_document(rules: Rules) -> dict[str, Any]:
    found: dict[str, Any] = {"strategy": rules.strategy, "steps": [_said(step, {}) for step in rules.steps]}
    cost = _said(rules.cost, {})
    return found | ({"cost": cost} if cost else {})


def step_from_document(document: Document) -> Step:
    said = _whole(document)
    for name, made in (("groups", frozenset), ("rankers", tuple)):
        if name in said:
            said[name] = made(said[name])
    return Step(**said)


def plan_to_document(plan: Plan, snapshot: Snapshot) -> dict[str, Any]:
    """The plan with location codes, for people and programs."""
    codes = {place.id: place.code for place in snapshot.places}
    said: dict[str, Any] = {
        "parts": [
            {"location": codes[part.place_id], "step": part.step, "units": dict(part.units)}
            | ({"lanes": {name: dict(units) for name, units in part.lanes.items()}} if part.lanes else {})
            for part in plan.parts
        ],
        "remainder": [
            {"line": rest.line_id, "units": rest.units, "code": rest.code, "reason": rest.reason, "then": rest.then}
            for rest in plan.remainder
        ],
        "reason": plan.reason,
        "strategy": plan.strategy,
        "inputs_hash": plan.inputs_hash,
    }
    return said | ({} if plan.cost_minor is None else {"cost_minor": plan.cost_minor}) | {"trace": dict(plan.trace)}


# Document names that differ from the field's.
_NEED_NAMES = {"line_id": "id", "variant_id": "variant"}


def _need(document: Document) -> Need:
    said = _whole(document)
    return Need(said.pop("id"), said.pop("variant"), said.pop("units"), **said)


def _place(document: Document) -> Place:
    said = _whole(document)
    for name in ("markets", "groups", "channels", "serves", "size_classes"):
        if name in said:
            said[name] = frozenset(said[name])
    for name in ("ships_on", "arrives_on"):
        if name in said:
            said[name] = _day(said[name])
    said["lanes"] = tuple(_lane(one) for one in said.get("lanes", ()))
    return Place(said.pop("id", said["code"]), **said)


def _lane(document: Document) -> Lane:
    said = _whole(document)
    tiers = tuple((int(tier["up_to_g"]), int(tier["charge_minor"])) for tier in said.pop("tiers"))
    return Lane(said.pop("name"), tiers, **said)


def _destination(document: Document) -> Destination:
    return Destination(**_whole(document))


def _whole(document: Document) -> dict[str, Any]:
    """The fields as plain values: what is a whole number for the schema, such as 1.0, is one; degrees are floats."""
    return {name: _number(name, value) for name, value in document.items()}


def _number(name: str, value: Any) -> Any:
    if name in {"latitude", "longitude"}:
        return float(value)
    if isinstance(value, float):
        return int(value)
    return {key: _number(key, one) for key, one in value.items()} if isinstance(value, dict) else value


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _cells(document: Document, name: str, figure: str, ids: Collection[str]) -> dict[tuple[str, str], int]:
    """A table of figures by location and article."""
    found: dict[tuple[str, str], int] = {}
    for index, row in enumerate(document.get(name, ())):
        key = (row["location"], row["variant"])
        _known(row["location"], ids, f"/{name}/{index}/location", "location")
        if key in found:
            raise BadInputError(f"/{name}/{index}", f"{key[1]!r} at {key[0]!r} is given twice")
        found[key] = int(row[figure])
    return found


def _rows(cells: Sellable, figure: str, wanted: Collection[str], least: int = 0) -> list[dict[str, Any]]:
    return [
        {"location": place_id, "variant": variant, figure: count}
        for (place_id, variant), count in sorted(cells.items())
        if variant in wanted and count >= least
    ]


def _said(shape: Any, names: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a shape that are not the usual ones."""
    found = {}
    for one in fields(shape):
        value = getattr(shape, one.name)
        usual = one.default_factory() if one.default_factory is not MISSING else one.default
        if value != usual:
            found[names.get(one.name, one.name)] = _plain(value)
    return found


def _said_place(place: Place) -> dict[str, Any]:
    said = _said(place, {})
    if place.id == place.code:
        del said["id"]
    return said


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Lane):
        tiers = [{"up_to_g": up_to_g, "charge_minor": charge} for up_to_g, charge in value.tiers]
        return _said(value, {}) | {"tiers": tiers}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return dict(sorted(value.items())) if isinstance(value, Mapping) else value


def _once(items: Sequence[Any], path: str, field: str, name: Callable[[Any], str]) -> None:
    seen: set[str] = set()
    for index, item in enumerate(items):
        if name(item) in seen:
            raise BadInputError(f"{path}/{index}/{field}", f"{name(item)!r} is there twice")
        seen.add(name(item))


def _known(name: str | None, known: Iterable[str], path: str, kind: str) -> None:
    if name is not None and name not in known:
        raise BadInputError(path, f"there is no {kind} {name!r}")
