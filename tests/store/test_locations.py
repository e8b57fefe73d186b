"""What is kept of a location."""

from __future__ import annotations

from datetime import timedelta

from hub.store import catalog
from hub.store.database import Database, utcnow


def test_a_place_that_is_closed_for_a_while_is_not_opened_sooner_than_a_person_has_said(db: Database) -> None:
    now = utcnow()
    with db.begin() as tx:
        place = catalog.add_location(tx, now, code="WEST", country="US")
        assert catalog.close_until(tx, place, now + timedelta(hours=4))
        assert not catalog.close_until(tx, place, now + timedelta(hours=4))
        catalog.change_location(tx, place, outage_until=now + timedelta(days=3))
        assert not catalog.close_until(tx, place, now + timedelta(hours=5))
        assert catalog.location_by_code(tx, "WEST").outage_until == now + timedelta(days=3)
