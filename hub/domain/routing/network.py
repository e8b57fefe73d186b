"""The places of a network in their one order, with what is worked out of them once and used for many orders."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from math import asin, cos, pi, sin, sqrt
from typing import Any, overload

from hub.domain.routing.shapes import Destination, Lane, Method, Place, Snapshot, Step

EARTH_RADIUS_KM = 6371.0
DEGREE, HALF_DEGREE = pi / 180, pi / 360  # in radians
MOST_REMEMBERED = 200  # answers kept by one network

# What the hard filter says: positions of the places that may be asked, and of the others with the reason.
Filtered = tuple[tuple[int, ...], tuple[tuple[int, str], ...]]


def distance_km(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Great-circle distance (haversine)."""
    up, along = sin((to_latitude - latitude) * HALF_DEGREE), sin((to_longitude - longitude) * HALF_DEGREE)
    a = up * up + cos(latitude * DEGREE) * cos(to_latitude * DEGREE) * along * along
    return 2 * EARTH_RADIUS_KM * asin(sqrt(a))


def distance_to(place: Place, destination: Destination) -> float | None:
    """Kilometres; None where a coordinate is missing."""
    if destination.latitude is None or destination.longitude is None:
        return None
    if place.latitude is None or place.longitude is None:
        return None
    return distance_km(place.latitude, place.longitude, destination.latitude, destination.longitude)


class Network(Sequence[Place]):
    """Places by code. Build it once per batch and give it to every snapshot as `places`; it never changes."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = tuple(sorted(places, key=lambda place: (place.code, place.id)))
        self.ids = tuple(place.id for place in self.places)
        self.has_buffers = any(place.stock_buffer for place in self.places)
        self._remembered: dict[Any, Any] = {}

    @classmethod
    def of(cls, places: Sequence[Place]) -> Network:
        """The network itself, or one made of places."""
        return places if isinstance(places, Network) else cls(places)

    @overload
    def __getitem__(self, index: int) -> Place: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Place]: ...
    def __getitem__(self, index: int | slice) -> Place | Sequence[Place]:
        return self.places[index]

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Place]:
        return iter(self.places)

    @property
    def digest(self) -> bytes:
        """A fingerprint of all that the places say."""
        if "digest" not in self._remembered:
            said = json.dumps([_said_of(place) for place in self.places], separators=(",", ":"))
            self._remembered["digest"] = hashlib.sha256(said.encode()).digest()
        found: bytes = self._remembered["digest"]
        return found

    @property
    def positions(self) -> Mapping[str, int]:
        """Where each place stands, by its id."""
        if "positions" not in self._remembered:
            self._remembered["positions"] = {place_id: index for index, place_id in enumerate(self.ids)}
        found: Mapping[str, int] = self._remembered["positions"]
        return found

    def position(self, place_id: str) -> int | None:
        """Where a place stands; None for one that is not here."""
        return self.positions.get(place_id)

    def filtered(self, snapshot: Snapshot, step: Step) -> Filtered:
        """Places that may be asked in a step, whatever they have in stock, and why the others may not."""
        promise = None if step.late_ok else snapshot.promise
        where = (
            (snapshot.destination, step.radius_km) if step.radius_km is not None else (snapshot.destination.country,)
        )
        key = (where, snapshot.method, snapshot.channel, promise, step.groups, step.ignore_capacity)
        if key not in self._remembered:
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[key] = self._filter(snapshot, step, promise)
        found: Filtered = self._remembered[key]
        return found

    def _filter(self, snapshot: Snapshot, step: Step, promise: date | None) -> Filtered:
        usable, dropped = [], []
        for index, place in enumerate(self.places):
            why = _why_not(place, snapshot, promise) or _why_not_in(step, place, snapshot)
            if why:
                dropped.append((index, why))
            else:
                usable.append(index)
        return tuple(usable), tuple(dropped)


_METHODS: Mapping[Method, tuple[str, str]] = {
    "ship": ("ships", "it does not ship"),
    "pickup": ("pickup", "nobody can collect there"),
}


def _why_not(place: Place, snapshot: Snapshot, promise: date | None) -> str:
    """The hard filter: why this order cannot come from the place; "" when it can."""
    able, unable = _METHODS[snapshot.method]
    if place.closed:
        return place.closed
    if not getattr(place, able):
        return unable
    if snapshot.channel and place.channels and snapshot.channel not in place.channels:
        return "it does not sell for this channel"
    country = snapshot.destination.country
    if country and place.serves and country not in place.serves:
        return f"it does not serve {country}"
    if promise is not None and place.arrives_on is not None and place.arrives_on > promise:
        return f"it would arrive on {place.arrives_on}, promised for {promise}"
    return ""


def _why_not_in(step: Step, place: Place, snapshot: Snapshot) -> str:
    """Why a step leaves the place out."""
    if step.groups and not step.groups & place.groups:
        return f"it is in none of the groups {', '.join(sorted(step.groups))}"
    if not step.ignore_capacity and place.capacity_left is not None and place.capacity_left <= 0:
        return "its capacity is used up"
    if step.radius_km is not None:
        away = distance_to(place, snapshot.destination)
        if away is None:
            has_goal = snapshot.destination.latitude is not None and snapshot.destination.longitude is not None
            return "it has no coordinates" if has_goal else "the order has no coordinates to measure from"
        if away > step.radius_km:
            return f"it is {away:.0f} km away, more than {step.radius_km} km"
    return ""


def _said_of(place: Place) -> list[Any]:
    """All that a place says, in one order, as plain values."""
    return [_plain(getattr(place, name)) for name in Place.__slots__]


def _plain(value: Any) -> Any:
    """A value in which nothing depends on listing order."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Mapping):
        return sorted(value.items())
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Lane):
        return [getattr(value, name) for name in Lane.__slots__]
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value
