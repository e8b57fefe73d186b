"""The guard on stock feeds: a feed that takes most articles to nothing is parked for a person, not applied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson

from hub import mapping, schemas
from hub.domain.documents import StockLevel
from hub.domain.feeds import LEAST, Emptying, emptying
from hub.flows.runtime import Runtime
from hub.store import availability, catalog, inbox
from hub.store.connections import ConnectionRow
from hub.store.database import Tx

BURST = timedelta(minutes=10)  # rows that come so close together are one feed
MOST_READ = 1_000  # further rows of a feed that are looked at


def doubt(
    runtime: Runtime, tx: Tx, connection: ConnectionRow, levels: Mapping[str, StockLevel], streams: Sequence[str]
) -> Emptying | None:
    """What is wrong with a feed that these rows of the inbox belong to; None when it can be believed.

    A feed comes in many rows, of which one batch holds only some: the others that wait, and those that were parked a
    moment ago, are judged with them.
    """
    percent = connection.feed_guard_percent
    mine = _emptying(tx, connection.id, levels.values())
    if not percent or not mine.emptied:
        return None
    since = runtime.clock() - BURST
    rows = inbox.burst(tx, connection.id, streams, availability.IMPLAUSIBLE, since, MOST_READ)
    if len(levels.keys() | {row["id"] for row in rows}) < LEAST:
        return None
    others = {row["id"]: _read(runtime, connection, row) for row in rows if row["id"] not in levels}
    # The newest row of an article counts; ids rise with time.
    whole = {**{key: level for key, level in others.items() if level is not None}, **levels}
    newest = {(level.location, level.sku): level for _, level in sorted(whole.items())}
    found = _emptying(tx, connection.id, newest.values())
    return found if found.is_implausible(percent) else None


def _emptying(tx: Tx, connection_id: str, levels: Any) -> Emptying:
    stated = [level for level in levels if level.on_hand is not None]
    places = catalog.locations_by_external(tx, connection_id, {level.location for level in stated})
    articles = catalog.variants_by_sku(tx, {level.sku for level in stated if level.sku})
    units = availability.on_hand(tx, set(articles.values()))
    return emptying(
        (units.get((places.get(level.location, ""), articles.get(level.sku or "", "")), 0), level.on_hand)
        for level in stated
    )


def _read(runtime: Runtime, connection: ConnectionRow, row: Mapping[str, Any]) -> StockLevel | None:
    """A waiting row as a figure; None when it is none, which its own intake will say."""
    try:
        stream = runtime.plugin(connection).manifest.stream(row["stream"])
        document = mapping.load(stream.mapping).apply(orjson.loads(row["body"]))
        level: StockLevel = schemas.parse("inventory.v1", document)
    except Exception:  # noqa: BLE001 - whatever is wrong with it is noted when its turn comes
        return None
    return level
