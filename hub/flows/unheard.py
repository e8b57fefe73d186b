"""Unheard sales: a channel that holds fewer units than it was told has sold some, and the hub may not know of them yet.

Telling it more at that moment would put sold units on sale again. So a figure that rises waits until the channel's
orders are read up to the moment at which fewer were found, and are taken in: whoever bought is in the figure then. What
is missing after that nobody bought, such as when somebody changed the figure by hand, and the hub's own figure is told.
A figure that falls waits for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from hub.sdk import Manifest
from hub.store import cursors, inbox, listings
from hub.store.database import Tx

SHOWN_AFTER = timedelta(seconds=10)  # a channel lowers its stock first, and lists the order some seconds later
AGAIN_AFTER = timedelta(seconds=5)  # how soon it is looked whether the orders are here


def put_off(
    tx: Tx,
    connection_id: str,
    manifest: Manifest,
    rows: Sequence[Mapping[str, Any]],
    wanted: Mapping[str, int],
    now: datetime,
) -> set[str]:
    """Ids of the listings among `rows` that are not told more yet; the channel's orders are read for them.

    `wanted` are the figures to be told. A channel without orders to be read is told at once, since nothing is to come.
    """
    doubtful = [row for row in rows if row["found_fewer_at"] and wanted[row["id"]] > row["published_quantity"]]
    streams = [stream for stream in manifest.streams if stream.kind == "order"]
    polled = [stream for stream in streams if stream.polled]
    if not doubtful or not polled:
        return set()
    read_to = cursors.read_to(tx, connection_id, [stream.name for stream in polled])
    here = not inbox.has_waiting(tx, connection_id, [stream.name for stream in streams])
    early = [row for row in doubtful if not here or read_to is None or read_to < row["found_fewer_at"] + SHOWN_AFTER]
    if early:
        last = max(row["found_fewer_at"] for row in early) + SHOWN_AFTER
        for stream in polled:
            cursors.read_by(tx, connection_id, stream.name, last + stream.lag)
        listings.wait(
            tx, early, "Units were sold there: its orders are read before it is told more.", now + AGAIN_AFTER
        )
    return {row["id"] for row in early}
