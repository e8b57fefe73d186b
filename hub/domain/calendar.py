"""When a place can let goods leave, and when they arrive: the one function that routing, pages and reports ask.

A calendar is a place's zone, its cut-off by weekday, the days on which it is closed, and how long it and the carrier
take. Cut-offs are wall-clock times of the zone, so they keep their meaning when the clocks change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ELSEWHERE = "*"  # countries that are not named
LONGEST_CLOSURE = 366  # days; a place without an open day for so long has none


@dataclass(frozen=True, slots=True)
class Calendar:
    """When one place works and how long its parcels travel."""

    zone: str  # IANA name; cut-offs and days are of this zone
    cut_offs: Mapping[int, time]  # by weekday, Monday is 0; a weekday that is missing is closed
    closed: frozenset[date] = frozenset()  # holidays and other days without work
    handling_days: int = 0  # open days between order and leaving, beyond the day it is taken on
    transit_days: Mapping[str, int] = field(default_factory=dict)  # Monday to Friday, by country, "*" for the others

    def is_open(self, day: date) -> bool:
        return day.weekday() in self.cut_offs and day not in self.closed


def ships_on(calendar: Calendar, at: datetime) -> date | None:
    """The day on which goods ordered at `at` leave, in the place's zone; None when it has no open day in a year.

    The order has to come strictly before the cut-off to be taken on the same day. Handling days are open days.
    """
    local = at.astimezone(ZoneInfo(calendar.zone))
    day = local.date()
    if not calendar.is_open(day) or local.time() >= calendar.cut_offs[day.weekday()]:
        day += timedelta(days=1)
    taken = _open_day(calendar, day)
    for _ in range(calendar.handling_days):
        taken = None if taken is None else _open_day(calendar, taken + timedelta(days=1))
    return taken


def arrives_on(calendar: Calendar, leaves: date | None, country: str) -> date | None:
    """The day on which goods that leave on `leaves` reach a country; None where the transit is not known.

    Carriers count Monday to Friday.
    """
    days = calendar.transit_days.get(country, calendar.transit_days.get(ELSEWHERE))
    if leaves is None or days is None:
        return None
    day = leaves
    for _ in range(days):
        day += timedelta(days=1)
        while day.weekday() > 4:  # Saturday and Sunday
            day += timedelta(days=1)
    return day


def _open_day(calendar: Calendar, day: date) -> date | None:
    """The first open day from `day` on."""
    for later in range(LONGEST_CLOSURE):
        if calendar.is_open(day + timedelta(days=later)):
            return day + timedelta(days=later)
    return None


def calendar_of(document: Mapping[str, Any], zone: str) -> Calendar:
    """The calendar that a valid `location-calendar.v1` document describes, in the zone of its place."""
    return Calendar(
        zone,
        {WEEKDAYS.index(day): time.fromisoformat(at) for day, at in document["cut_off"].items()},
        frozenset(date.fromisoformat(day) for name in ("closed_days", "holidays") for day in document.get(name, ())),
        document.get("handling_days", 0),
        dict(document.get("transit_days", {})),
    )
