"""The built-in rankers: one signal each. They are compared one after another, never added up."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

from hub.domain.routing.shapes import Place, Snapshot

EARTH_RADIUS_KM = 6371.0


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance (haversine)."""
    d_lat, d_lon = radians(to_latitude - latitude), radians(to_longitude - longitude)
    a = sin(d_lat / 2) ** 2 + cos(radians(latitude)) * cos(radians(to_latitude)) * sin(d_lon / 2) ** 2
    return 2 * EARTH_RADIUS_KM * asin(sqrt(a))


def min_splits(place: Place, snapshot: Snapshot) -> int | None:
    """Fewer parcels: places that can ship more of the lines whole come first."""
    left: dict[str, int] = {}
    whole = 0
    for need in snapshot.needs:
        if (need.line_id, place.id) in snapshot.excluded:
            continue
        free = left.setdefault(need.variant_id, snapshot.sellable.get((place.id, need.variant_id), 0))
        if free >= need.units:
            left[need.variant_id] = free - need.units
            whole += 1
    return -whole


def market(place: Place, snapshot: Snapshot) -> int | None:
    """Stay in the destination's market: its market id where places name theirs, otherwise its country."""
    destination = snapshot.destination
    if place.markets and destination.market:
        return 0 if destination.market in place.markets else 1
    if not destination.country:
        return None
    return 0 if place.country == destination.country else 1


def closest(place: Place, snapshot: Snapshot) -> int | None:
    """Nearest first, in steps of 100 m; silent where a coordinate is missing."""
    destination = snapshot.destination
    if destination.latitude is None or destination.longitude is None:
        return None
    if place.latitude is None or place.longitude is None:
        return None
    return round(distance_km(place.latitude, place.longitude, destination.latitude, destination.longitude) * 10)


def ranked(place: Place, snapshot: Snapshot) -> int | None:  # noqa: ARG001 - every ranker takes both
    """The operator's own order."""
    return place.rank
