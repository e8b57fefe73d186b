"""The state of a package from its tracking events, in whatever order they arrive."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from hub.domain.documents import TrackingEvent

# How far along each status is; a package never moves backwards except by a later correction of the carrier.
PROGRESS = {
    "unknown": 0,
    "pre_transit": 1,
    "in_transit": 2,
    "exception": 2,
    "out_for_delivery": 3,
    "attempted": 3,
    "available_for_pickup": 4,
    "returning": 5,
    "returned_to_sender": 6,
    "lost": 6,
    "cancelled": 6,
    "delivered": 7,
}
AFTER_DELIVERY = frozenset({"exception", "returning", "returned_to_sender"})
STATUS_OF = {
    "pre_transit": "labelled",
    "cancelled": "voided",
}


def event_hash(event: TrackingEvent) -> str:
    """The same scan told twice has the same hash, also where the carrier gives no id."""
    parts = (event.at.isoformat(), event.code, event.raw_code or "", event.message or "", event.place or "")
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def package_status(current: str, events: Sequence[TrackingEvent]) -> str:
    """The status after `events`: that of the last event by carrier time, whatever the order they arrived in.

    Events of the same time are ordered by progress. A delivered package changes only by an exception or a return that
    the carrier dates later, and then scans of its way back do not hide that.
    """
    known = sorted((event for event in events if event.code != "unknown"), key=_when)
    if not known:
        return current
    delivered = [event for event in known if event.code == "delivered"]
    if delivered:
        since = [event for event in known if _when(event) > _when(delivered[-1])]
        known = [delivered[-1], *(event for event in since if event.code in AFTER_DELIVERY)]
    last = known[-1].code
    return STATUS_OF.get(last, last)


def _when(event: TrackingEvent) -> tuple[datetime, int, str]:
    """Sorts events by time, then by progress; the code decides between two that are as far along."""
    return event.at, PROGRESS[event.code], event.code
