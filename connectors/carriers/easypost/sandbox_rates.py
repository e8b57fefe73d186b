"""Prices of the sandbox: whole minor units computed from weight and distance, the same for the same parcel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class Service:
    """A service on offer; `base` and `per_pound` are minor units, `per_pound` for each zone, `days` for zone 1."""

    carrier: str
    name: str
    base: int
    per_pound: int
    days: int


DOMESTIC = (
    Service("USPS", "GroundAdvantage", 480, 32, 3),
    Service("USPS", "Priority", 790, 48, 2),
    Service("USPS", "Express", 2650, 110, 1),
    Service("UPS", "Ground", 910, 40, 3),
)
ABROAD = (
    Service("USPS", "FirstClassPackageInternationalService", 1450, 60, 9),
    Service("USPS", "PriorityMailInternational", 3600, 120, 7),
    Service("DHLExpress", "ExpressWorldwide", 5200, 150, 3),
)


def zone(ship_from: Mapping[str, Any], ship_to: Mapping[str, Any]) -> int:
    """How far it is: 1 to 8 at home, by the first digit of the postcodes, 9 abroad."""
    if ship_from["country"] != ship_to["country"]:
        return 9
    return min(8, 1 + abs(_first_digit(ship_from.get("zip")) - _first_digit(ship_to.get("zip"))))


def _first_digit(postcode: str | None) -> int:
    return next((int(character) for character in postcode or "" if character.isdecimal()), 0)


def offers(zone: int, weight_oz: float) -> list[tuple[Service, int, int]]:
    """Every service with its price in minor units and its days in transit."""
    pounds = int((Decimal(str(weight_oz)) / 16).to_integral_value(ROUND_CEILING))
    services = ABROAD if zone == 9 else DOMESTIC
    return [
        (service, service.base + service.per_pound * zone * pounds, service.days + (zone // 4 if zone < 9 else 0))
        for service in services
    ]
