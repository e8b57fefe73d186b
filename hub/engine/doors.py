"""From a door's name to the step behind it, and the sweep that finds every door with due rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import structlog

from hub.flows.deliver import deliver
from hub.flows.intake import intake
from hub.flows.publish_stock import publish_stock
from hub.flows.reconcile import reconcile
from hub.flows.runtime import Runtime
from hub.store import cursors, inbox, listings, outbox

log = structlog.get_logger()

MOST_ROUNDS = 50  # a door with endless mail lets others have a turn


def open_door(runtime: Runtime, door: str) -> bool:
    """Do all work behind a door; True when there may be more. Safe to call twice and to be killed."""
    kind, _, rest = door.partition(":")
    match kind:
        case "inbox":
            return _drain(lambda: intake(runtime, int(rest)))
        case "outbox":
            return _drain(lambda: deliver(runtime, rest))
        case "stock" if rest:
            return _drain(lambda: publish_stock(runtime, rest))
        case "stock":
            with runtime.db.read() as tx:
                waiting = listings.due_connections(tx, runtime.clock())
            runtime.wake_all({f"stock:{connection_id}" for connection_id in waiting})
            return False
        case "poll":
            connection_id, _, stream = rest.partition(":")
            reconcile(runtime, connection_id, stream)
            return False
    raise ValueError(f"there is no door {door!r}")


def _drain(step: Callable[[], int]) -> bool:
    return not any(step() == 0 for _ in range(MOST_ROUNDS))


def due_doors(runtime: Runtime) -> Iterator[str]:
    """Every door that has due rows: what a lost wake-up would have told."""
    now = runtime.clock()
    with runtime.db.read() as tx:
        yield from [f"inbox:{partition}" for partition in inbox.waiting_partitions(tx, now)]
        yield from [f"outbox:{connection_id}" for connection_id in outbox.due_connections(tx, now)]
        yield from [f"stock:{connection_id}" for connection_id in listings.due_connections(tx, now)]
        yield from [f"poll:{connection_id}:{stream}" for connection_id, stream in cursors.due(tx, now)]
