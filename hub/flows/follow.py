"""Follow: ask a carrier where parcels are that it has not told of for a while, since its webhooks can get lost."""

from __future__ import annotations

from datetime import timedelta

import structlog

from hub.flows.reconcile import arrival, note_failure
from hub.flows.runtime import Runtime
from hub.sdk import Carrier, errors
from hub.store import connections, inbox, shipments
from hub.store.inbox import partition_of

log = structlog.get_logger()

BATCH = 20
QUIET = timedelta(hours=4)  # how long a parcel may be silent before the carrier is asked
FINAL = ("delivered", "returned_to_sender", "lost", "voided")


def follow(runtime: Runtime, connection_id: str) -> int:
    """Ask for parcels that have been silent for four hours; returns how many. Call again until it returns 0.

    What the carrier says goes through the inbox like its webhooks. Safe to call twice.
    """
    now = runtime.clock()
    with runtime.db.begin() as tx:
        connection = connections.get(tx, connection_id)
        if connection.status != "active":
            return 0
        silent = shipments.claim_silent(tx, connection_id, now - QUIET, now, FINAL, BATCH)
    if not silent:
        return 0
    connector = runtime.connector(connection)
    if not isinstance(connector, Carrier):
        return 0
    stream = next(one for one in connector.manifest.streams if one.kind == "shipment")
    arrivals = []
    for tracker in silent:
        try:
            arrivals.append(arrival(stream, connector.track(tracker)))
        except errors.NotFound as error:
            log.warning("follow.unknown_to_carrier", tracker=tracker, error=str(error))
        except Exception as error:  # noqa: BLE001 - noted at the connection; the parcels' turn comes again
            note_failure(runtime, connection, error)
            break
    with runtime.db.begin() as tx:
        fresh = inbox.store(tx, connection_id, arrivals, now)
    runtime.wake_all({f"inbox:{partition_of(connection_id, one.external_id)}" for one in fresh})
    return len(silent)
