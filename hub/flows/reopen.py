"""Reopen: bring connections back that could not be opened, once their plugin and the key of their secrets are there."""

from __future__ import annotations

from hub.flows.operate.reach import doors_of
from hub.flows.runtime import Runtime
from hub.store import connections, events
from hub.store.connections import ConnectionRow
from hub.store.errors import SQLAlchemyError


def reopen(runtime: Runtime) -> int:
    """Try every connection that is unavailable; returns how many go on. Calls nobody; safe to call twice.

    While processes with other keys or plugins run beside each other, one may find it open that another has just closed;
    it settles when the last of them was started anew.
    """
    with runtime.db.read() as tx:
        closed = [row for row in connections.every(tx) if row.status == "unavailable"]
    return sum(_reopen(runtime, row) for row in closed)


def _reopen(runtime: Runtime, connection: ConnectionRow) -> bool:
    if not _opens(runtime, connection):
        return False
    with runtime.db.begin() as tx:
        if not connections.set_status(tx, connection.id, "active", was="unavailable"):
            return False
        said = "Its plugin and the key of its secrets are there again."
        events.tell(tx, ("connection", connection.id), "reopened", "clock", said, runtime.clock())
    runtime.wake_all(doors_of(runtime, connection))
    return True


def _opens(runtime: Runtime, connection: ConnectionRow) -> bool:
    try:
        runtime.connector(connection)
    except SQLAlchemyError:
        raise  # the database is away, which says nothing of the connection
    except Exception:  # noqa: BLE001 - whatever keeps it shut; what that is stands at the connection
        return False
    return True
