"""What the router reads and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Place:
    """A location that might ship. `closed` is why it cannot right now ("" when it can)."""

    id: str
    code: str
    country: str = ""
    latitude: float | None = None
    longitude: float | None = None
    markets: frozenset[str] = frozenset()
    rank: int = 100  # the operator's own order, lower first
    is_default: bool = False
    closed: str = ""


@dataclass(frozen=True, slots=True)
class Need:
    """Units of one order line that have to ship. Needs that share a `group` ship together, whole, or not at all."""

    line_id: str
    variant_id: str
    units: int
    group: str | None = None
    sku: str = ""


@dataclass(frozen=True, slots=True)
class Destination:
    country: str = ""
    market: str = ""
    latitude: float | None = None
    longitude: float | None = None


# Units that may be taken now, by (place id, variant id); absent means none.
Sellable = Mapping[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a decision rests on; nothing else is looked at."""

    needs: tuple[Need, ...]
    destination: Destination
    places: tuple[Place, ...]
    sellable: Sellable
    excluded: frozenset[tuple[str, str]] = frozenset()  # (line id, place id) pairs that were refused before
    max_shipments: int = 3


@dataclass(frozen=True, slots=True)
class Part:
    """What one place ships: units by line id."""

    place_id: str
    units: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Remainder:
    line_id: str
    units: int
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The decision: `parts` and `remainder` together are exactly the needs. `reason` is one sentence for people."""

    parts: tuple[Part, ...]
    remainder: tuple[Remainder, ...]
    reason: str
    inputs_hash: str
    trace: Mapping[str, Any] = field(default_factory=dict)


# A ranker gives a place a whole number, lower is better, or None where it has nothing to say of it.
Ranker = Callable[[Place, Snapshot], int | None]
