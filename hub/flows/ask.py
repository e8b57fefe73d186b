"""Ask: read single orders at their channel, because a message of them leaves something out or only names them.

The answer goes into the inbox like whatever a poll reads, and intake takes it from there. Nothing of an order that came
in part is handed over before it is whole.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import structlog

from hub import schemas
from hub.flows.change import take_over
from hub.flows.desk import Desk
from hub.flows.operate.orders import at_desk
from hub.flows.reconcile import arrival, note_failure
from hub.flows.runtime import Runtime
from hub.sdk import OrderSource, Record, Stream
from hub.store import connections, inbox, inquiries, orders
from hub.store.connections import ConnectionRow
from hub.store.inbox import partition_of
from hub.store.orders import OrderState

log = structlog.get_logger()

AT_ONCE = 10
AGAIN = timedelta(minutes=5)  # an answer that was stored is taken in long before
LONGEST = timedelta(minutes=15)  # between two attempts; what is polled meanwhile counts as well


def ask(runtime: Runtime, connection_id: str) -> int:
    """Ask one channel for the orders that are due; returns how many were answered. Call again until it returns 0.

    Safe to be killed at any point: an order that was read twice is stored once.
    """
    now = runtime.clock()
    with runtime.db.read() as tx:
        connection = connections.get(tx, connection_id)
        due = {row["external_id"]: row for row in inquiries.due(tx, connection_id, now, AT_ONCE)}
    if not due or connection.status != "active":
        return 0
    answers = 0
    try:
        stream = _stream(runtime, connection)
        connector = runtime.connector(connection)
        assert isinstance(connector, OrderSource)  # noqa: S101 - whoever polls orders is one
        for external_id, found in connector.several(list(due)):
            _answered(runtime, connection, stream, due[external_id], found)
            del due[external_id]
            answers += 1
    except Exception as error:  # noqa: BLE001 - noted at the connection, and asked again later
        note_failure(runtime, connection, error)
        for row in list(due.values())[:1]:
            _put_off(runtime, row, error)
    return answers


def _stream(runtime: Runtime, connection: ConnectionRow) -> Stream:
    """As which the answers are stored."""
    for stream in runtime.plugin(connection).manifest.streams:
        if stream.kind == "order" and stream.polled:
            return stream
    raise LookupError(
        f"{connection.name} has no stream of orders that are read, so it cannot be asked for the rest of one"
    )


def _answered(
    runtime: Runtime, connection: ConnectionRow, stream: Stream, row: dict[str, Any], found: Record | None
) -> None:
    if found is None:
        log.warning("ask.not_known", connection=connection.name, asked=row["external_id"])
        _not_known(runtime, connection, row["external_id"])
    now = runtime.clock()
    with runtime.db.begin() as tx:
        fresh = inbox.store(tx, connection.id, [arrival(stream, found, "asked")] if found else [], now)
        inquiries.answered(tx, [row], now + AGAIN)
    runtime.wake_all({f"inbox:{partition_of(connection.id, one.external_id)}" for one in fresh})


def _not_known(runtime: Runtime, connection: ConnectionRow, external_id: str) -> None:
    """Leave an order that came in part to a person, since nobody tells the rest. Safe to call twice."""
    with runtime.db.read() as tx:
        known = orders.ids_by_external(tx, connection.id, [external_id]).get(external_id)

    def work(desk: Desk, state: OrderState) -> None:
        if state.document.get("partial"):
            document = {name: value for name, value in state.document.items() if name != "partial"}
            said = "The channel was asked for the order and does not know it."
            desk.put_on_hold(state, "unknown_there", said, handle="asked", source="ask", blocks="release")
            take_over(desk, state, document, schemas.parse("order.v1", document))
            desk.told.append(state)

    if known is not None:
        at_desk(runtime, known, "", work, by="ask")


def _put_off(runtime: Runtime, row: dict[str, Any], error: Exception) -> None:
    """The first that got no answer comes later; the others come with the next call."""
    stated = getattr(error, "retry_after_s", None)
    wait = timedelta(seconds=stated) if stated else min(timedelta(seconds=5 * 2 ** min(row["failures"], 10)), LONGEST)
    with runtime.db.begin() as tx:
        inquiries.put_off(tx, row, runtime.clock() + wait, f"{type(error).__name__}: {error}")
