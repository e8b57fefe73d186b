"""Unheard sales: a channel that holds fewer units than it was told has sold some, and the hub may not know of them yet.

Telling it more at that moment would put sold units on sale again. So a figure that rises waits until the channel's
orders are read up to the moment at which fewer were found, and are taken in: whoever bought is in the figure then. What
is missing after that nobody bought, such as when somebody changed the figure by hand, and the hub's own figure is told.
A figure that falls waits for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hub.flows.runtime import Runtime
from hub.sdk import Manifest
from hub.store import cursors, inbox, listings
from hub.store.database import Tx


def put_off(
    tx: Tx,
    runtime: Runtime,
    connection_id: str,
    manifest: Manifest,
    rows: Sequence[Mapping[str, Any]],
    wanted: Mapping[str, int],
) -> set[str]:
    """Ids of the listings among `rows` that are not told more yet; the channel's orders are read for them.

    `wanted` are the figures to be told. A channel without orders to be read is told at once, since nothing is to come.
    A channel lowers its stock first and lists the order some seconds later, `listed_after`.
    """
    listed_after = runtime.listed_after
    doubtful = [row for row in rows if row["found_fewer_at"] and wanted[row["id"]] > row["published_quantity"]]
    streams = [stream for stream in manifest.streams if stream.kind == "order"]
    polled = [stream for stream in streams if stream.polled]
    if not doubtful or not polled:
        return set()
    read_to = cursors.read_to(tx, connection_id, [stream.name for stream in polled])
    here = not inbox.has_waiting(tx, connection_id, [stream.name for stream in streams])
    early = [row for row in doubtful if not here or read_to is None or read_to < row["found_fewer_at"] + listed_after]
    if early:
        last = max(row["found_fewer_at"] for row in early) + listed_after
        for stream in polled:
            cursors.read_by(tx, connection_id, stream.name, last + stream.lag)
        again = runtime.clock() + listed_after / 2
        listings.wait(tx, early, "Units were sold there: its orders are read before it is told more.", again)
    return {row["id"] for row in early}
