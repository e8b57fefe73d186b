"""Small worlds around New York, written as text: who has what, and what is wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Destination, Need, Place, Plan, Rules, Snapshot, Step

NEW_YORK = Destination("US", "", 40.7128, -74.0060)
PLACES = {
    "PHL": Place("id-phl", "PHL", "US", 39.9526, -75.1652),  # 129.6 km
    "NWK": Place("id-nwk", "NWK", "US", 40.7357, -74.1724),  # 14.2 km
    "BOS": Place("id-bos", "BOS", "US", 42.3601, -71.0589),  # 306.1 km
    "MTL": Place("id-mtl", "MTL", "CA", 45.5019, -73.5674),  # 533.7 km
    "TOR": Place("id-tor", "TOR", "CA", 43.6532, -79.3832),  # 550.4 km
    "CHI": Place("id-chi", "CHI", "US", 41.8781, -87.6298),  # 1144.3 km
    "LAX": Place("id-lax", "LAX", "US", 34.0522, -118.2437),  # 3935.8 km
}


def world(
    stock: str, lines: str = "A", *, groups: Mapping[str, str] | None = None, values: tuple[int, ...] = (), **more: Any
) -> Snapshot:
    """`stock` is "CHI A B, PHL A": one unit each, or A=2 for two; `lines` is "A B" or "A=2", named l1, l2, …"""
    sellable: dict[tuple[str, str], int] = {}
    places: dict[str, Place] = {}
    for shelf in stock.split(","):
        code, *articles = shelf.split()
        places[code] = PLACES.get(code) or Place(f"id-{code.lower()}", code, "US")
        sellable |= {(places[code].id, variant): units for variant, units in map(_counted, articles)}
    needs = tuple(
        Need(f"l{number}", *_counted(text), (groups or {}).get(f"l{number}"))
        for number, text in enumerate(lines.split(), 1)
    )
    if values:
        needs = tuple(replace(need, value_minor=value) for need, value in zip(needs, values, strict=True))
    return Snapshot(needs, NEW_YORK, tuple(places.values()), sellable, **more)


def _counted(text: str) -> tuple[str, int]:
    variant, _, units = text.partition("=")
    return variant, int(units or 1)


def steps(*each: Step, **more: Any) -> Rules:
    return Rules(each, **more)


def by(*rankers: str, **more: Any) -> Rules:
    """Rules of one step with these rankers."""
    return Rules((Step(rankers=rankers, **more),))


def changed(snapshot: Snapshot, **places: Mapping[str, Any]) -> Snapshot:
    """The snapshot with places changed, by code."""
    return replace(snapshot, places=tuple(replace(place, **places.get(place.code, {})) for place in snapshot.places))


def shipped(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """Units by location code and line."""
    return by_code(snapshot, plan(snapshot))


def by_code(snapshot: Snapshot, decided: Plan) -> dict[str, dict[str, int]]:
    codes = {place.id: place.code for place in snapshot.places}
    return {codes[part.place_id]: dict(part.units) for part in decided.parts}


def left(snapshot: Snapshot) -> dict[str, int]:
    """Units without a place, by line."""
    return {rest.line_id: rest.units for rest in plan(snapshot).remainder}
