"""Stock feeds: figures that came before the hub knew their place or article."""

from __future__ import annotations

from hub.flows.runtime import Runtime
from hub.plugins import BrokenPluginError, UnknownPluginError
from hub.store import connections, inbox
from hub.store.connections import ConnectionRow
from hub.store.database import Tx


def read_again(runtime: Runtime, tx: Tx, connection_id: str | None = None) -> set[str]:
    """Have the stock figures looked at again that meant nothing to the hub when they came; the doors to wake.

    A feed tells only what changed, so a figure that was left out once would be missing until the next change. Call it
    after a place was linked (of one connection) or an article was made (of all). A figure of before somebody said how
    many there are changes nothing.
    """
    partitions: set[int] = set()
    for row in connections.every(tx):
        if connection_id in (None, row.id):
            partitions |= set(inbox.replay_unplaced(tx, row.id, _stock_streams(runtime, row)))
    return {f"inbox:{partition}" for partition in partitions}


def _stock_streams(runtime: Runtime, row: ConnectionRow) -> list[str]:
    try:
        streams = runtime.plugin(row).manifest.streams
    except (UnknownPluginError, BrokenPluginError):
        return []
    return [one.name for one in streams if one.kind == "inventory"]
