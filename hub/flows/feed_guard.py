"""The guard on stock feeds: a feed that takes most articles to nothing is parked for a person, not applied.

A feed comes in many rows, in pages or one by one, and what came first may be booked before the next row is there. So
every batch is judged with all that waits of its streams, with what was parked lately, and with what was booked lately.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from hub import mapping, schemas
from hub.domain.documents import StockLevel
from hub.domain.feeds import LEAST, Emptying, emptying
from hub.flows.runtime import Runtime
from hub.store import availability, catalog, inbox, ledger
from hub.store.connections import ConnectionRow
from hub.store.database import Tx

BURST = timedelta(minutes=10)  # rows that come so close together are one feed
MOST_READ = 200  # further rows of a feed that are looked at

Where = tuple[str, str]  # (location, variant)


def doubt(
    runtime: Runtime, tx: Tx, connection: ConnectionRow, levels: Mapping[str, StockLevel], streams: Sequence[str]
) -> Emptying | None:
    """What is wrong with a feed that these rows of the inbox belong to; None when it can be believed."""
    percent = connection.feed_guard_percent
    if not percent:
        return None
    since = runtime.clock() - BURST
    codes = {"code": availability.IMPLAUSIBLE, "accepted": availability.ACCEPTED}
    rows = [
        row for row in inbox.burst(tx, connection.id, streams, since, MOST_READ, **codes) if row["id"] not in levels
    ]
    if all(level.on_hand for level in levels.values()) and len(levels) + len(rows) < LEAST:
        return None
    booked = _booked_lately(tx, connection, streams, since)
    gone = {where for where, (before, now) in booked.items() if before > 0 >= now}
    if len(levels) + len(rows) + len(gone) < LEAST:
        return None
    others = {row["id"]: _read(runtime, connection, row) for row in rows}
    # The newest row of an article counts; ids rise with time.
    whole = {**{key: level for key, level in others.items() if level is not None}, **levels}
    stated = _stated(tx, connection.id, [level for _, level in sorted(whole.items())])
    units = availability.on_hand(tx, {variant_id for _, variant_id in stated})
    most = units | {where: before for where, (before, _) in booked.items()}
    changes = booked | {where: (most.get(where, 0), now) for where, now in stated.items()}
    found = emptying(changes.values(), booked=len(gone - stated.keys()))
    return found if found.is_implausible(percent) and found.emptied > found.booked else None


def _booked_lately(
    tx: Tx, connection: ConnectionRow, streams: Sequence[str], since: datetime
) -> dict[Where, tuple[int, int]]:
    """(the most there was, units now) of what figures of this feed were booked for since a moment."""
    rows = inbox.booked_lately(tx, connection.id, streams, since, MOST_READ)
    taken = ledger.taken_by(tx, rows)
    theirs = {place.id for place in catalog.locations(tx) if place.handler_id == connection.id}
    units = availability.on_hand(tx, {variant_id for variant_id in rows.values() if variant_id})
    return {where: (now + taken.get(where, 0), now) for where, now in units.items() if where[0] in theirs}


def _stated(tx: Tx, connection_id: str, levels: Sequence[StockLevel]) -> dict[Where, int]:
    """The units that were stated last for each of our positions."""
    places = catalog.locations_by_external(tx, connection_id, {level.location for level in levels})
    articles = catalog.variants_by_sku(tx, {level.sku for level in levels if level.sku})
    return {
        (places[level.location], articles[level.sku]): level.on_hand
        for level in levels
        if level.on_hand is not None and level.location in places and level.sku in articles
    }


def _read(runtime: Runtime, connection: ConnectionRow, row: Mapping[str, Any]) -> StockLevel | None:
    """A waiting row as a figure; None when it is none, which its own intake will say."""
    try:
        stream = runtime.plugin(connection).manifest.stream(row["stream"])
        document = mapping.load(stream.mapping).apply(orjson.loads(row["body"]))
        level: StockLevel = schemas.parse("inventory.v1", document)
    except Exception:  # noqa: BLE001 - whatever is wrong with it is noted when its turn comes
        return None
    return level
