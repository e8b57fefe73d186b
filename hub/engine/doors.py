"""From a door's name to the step behind it, and the sweep that finds every door with due rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal

import structlog

from hub.flows.advise import advise
from hub.flows.ask import ask
from hub.flows.deliver import deliver
from hub.flows.follow import FINAL, QUIET, follow
from hub.flows.intake import intake
from hub.flows.publish_stock import publish_stock
from hub.flows.reconcile import reconcile
from hub.flows.refill import refill
from hub.flows.rehearse import rehearse
from hub.flows.runtime import Runtime
from hub.flows.timed import run_timed
from hub.flows.watch import watch, watched
from hub.store import cursors, inbox, inquiries, ledger, listings, outbox, routing, rules, shipments

log = structlog.get_logger()

MOST_ROUNDS = 50  # a door with endless mail lets others have a turn
STOCK_ROUNDS = 2  # sooner so for figures: with more channels than threads, each is told a little at a time

Lane = Literal["inside", "outside"]
Stopping = Callable[[], bool]  # whether the process is to end
Opener = Callable[[str, Stopping], bool]  # does the work behind a door; True when there may be more


def lane(door: str) -> Lane:
    """Which threads open a door: those that only work on the database, or those that may wait for a vendor.

    A rehearsal takes seconds, so it stands with the latter and keeps no order from coming in.
    """
    kind, _, rest = door.partition(":")
    return "inside" if kind in {"inbox", "refill", "timed"} or (kind == "stock" and not rest) else "outside"


def open_door(runtime: Runtime, door: str, stopping: Stopping = lambda: False) -> bool:
    """Do all work behind a door; True when there may be more. Safe to call twice and to be killed.

    `stopping` is asked before every round: when the process is to end, none is begun any more.
    """
    kind, _, rest = door.partition(":")

    def drain(step: Callable[[], int], rounds: int = MOST_ROUNDS) -> bool:
        for _ in range(rounds):
            if stopping():
                break
            if step() == 0:
                return False
        return True

    match kind:
        case "inbox":
            return drain(lambda: intake(runtime, int(rest)))
        case "outbox":
            return drain(lambda: deliver(runtime, rest))
        case "stock" if rest:
            return drain(lambda: publish_stock(runtime, rest), STOCK_ROUNDS)
        case "stock":
            with runtime.db.read() as tx:
                waiting = listings.due_connections(tx, runtime.clock())
            runtime.wake_all({f"stock:{connection_id}" for connection_id in waiting})
            return False
        case "refill":
            return drain(lambda: refill(runtime))
        case "advise":
            return drain(lambda: advise(runtime))
        case "poll":
            connection_id, _, stream = rest.partition(":")
            reconcile(runtime, connection_id, stream)
            return False
        case "ask":
            return drain(lambda: ask(runtime, rest))
        case "follow":
            return drain(lambda: follow(runtime, rest))
        case "watch":
            watch(runtime, rest)
            return False
        case "timed":
            run_timed(runtime, rest)
            return False
        case "rehearse":
            rehearse(runtime, rest)
            return False
    raise ValueError(f"there is no door {door!r}")


def due_doors(runtime: Runtime) -> Iterator[str]:
    """Every door that has due rows: what a lost wake-up would have told."""
    now = runtime.clock()
    with runtime.db.read() as tx:
        yield from [f"inbox:{partition}" for partition in inbox.waiting_partitions(tx, now)]
        yield from [f"outbox:{connection_id}" for connection_id in outbox.due_connections(tx, now)]
        if ledger.risen(tx, 1):
            yield "refill"
        if routing.asking(tx, 1):
            yield "advise"
        yield from [f"rehearse:{rehearsal_id}" for rehearsal_id in rules.running_rehearsals(tx)]
        yield from [f"stock:{connection_id}" for connection_id in listings.due_connections(tx, now)]
        yield from [f"poll:{connection_id}:{stream}" for connection_id, stream in cursors.due(tx, now)]
        yield from [f"ask:{connection_id}" for connection_id in inquiries.due_connections(tx, now)]
        yield from [f"follow:{connection_id}" for connection_id in shipments.silent_connections(tx, now - QUIET, FINAL)]


def watched_doors(runtime: Runtime) -> Iterator[str]:
    """Every connection whose webhook subscriptions are to be looked after."""
    yield from [f"watch:{connection_id}" for connection_id in watched(runtime)]
