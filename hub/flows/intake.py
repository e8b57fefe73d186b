"""Intake: turn what waits in the inbox into orders, stock, listings and shipments, a batch in one transaction.

Each row is mapped and validated on its own, before the transaction; what cannot be read is parked alone with its
reason. The rest of the batch is applied together. When that fails, every row is tried alone, so that one bad order
never stops or loses another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import structlog

from hub import mapping, schemas
from hub.domain.documents import Order
from hub.domain.routing.rules import Turn, in_turn
from hub.flows import amend, enter, facts, track
from hub.flows.desk import Desk, open_desk
from hub.flows.enter import Articles, Incoming
from hub.flows.runtime import Runtime
from hub.sdk import errors
from hub.store import catalog, connections, cursors, inbox, inquiries, orders
from hub.store.connections import ConnectionRow
from hub.store.database import Tx
from hub.store.errors import OperationalError
from hub.store.ledger import StockConflictError

log = structlog.get_logger()

BATCH = 100
DOCUMENT_OF = {
    "order": "order.v1",
    "inventory": "inventory.v1",
    "fulfillment": "fulfillment.v1",
    "shipment": "shipment.v1",
    "product": "product.v1",
}


@dataclass(frozen=True, slots=True)
class Read:
    """A row that could be read: its kind, its canonical document and value."""

    row: dict[str, Any]
    kind: str
    document: dict[str, Any]
    value: Any
    mapping: str


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A row that could not be read, and why."""

    row: dict[str, Any]
    code: str
    message: str
    path: str


def intake(runtime: Runtime, partition: int, limit: int = BATCH) -> int:
    """Handle the oldest waiting rows of one partition; returns how many. Call again until it returns 0.

    Safe to call twice and to be killed at any point: what is not committed waits on.
    """
    with runtime.db.read() as tx:
        rows = inbox.due(tx, partition, runtime.clock(), limit)
        known = {row.id: row for row in connections.every(tx)} if rows else {}
    if not rows:
        return 0
    read = [_read(runtime, known[row["connection_id"]], row) for row in rows]
    good = [one for one in read if isinstance(one, Read)]
    for bad in read:
        if isinstance(bad, Unreadable):
            _park(runtime, bad)
    try:
        doors = _apply(runtime, good)
    except OperationalError:
        raise  # the database is away: the rows stay as they are and are tried again
    except Exception as error:  # noqa: BLE001 - the batch is rolled back and each row is tried alone
        log.warning("intake.batch_failed", partition=partition, rows=len(good), error=str(error))
        doors = set().union(*(_apply_alone(runtime, one) for one in good))
    runtime.wake_all(doors)
    return len(rows)


def _read(runtime: Runtime, connection: ConnectionRow, row: dict[str, Any]) -> Read | Unreadable:
    """Map and validate one row."""
    try:
        stream = runtime.plugin(connection).manifest.stream(row["stream"])
        raw = read_json(row["body"])
        if stream.kind in {"lifecycle", "notice"}:
            return Read(row, stream.kind, {}, raw, "")
        field_map = mapping.load(stream.mapping)
        document = field_map.apply(raw)
        value = schemas.parse(DOCUMENT_OF[stream.kind], document)
    except errors.SchemaDrift as error:
        return Unreadable(row, error.code, str(error), error.path)
    except errors.Malformed as error:
        return Unreadable(row, error.code, str(error), "")
    except schemas.InvalidDocumentError as error:
        return Unreadable(row, "invalid_document", str(error), error.errors[0].path)
    except Exception as error:  # noqa: BLE001 - a defect in a mapping parks its row and no other
        return Unreadable(row, "mapping_failed", f"{type(error).__name__}: {error}", "")
    return Read(row, stream.kind, document, value, f"{field_map.id}@{field_map.version}")


def read_json(body: bytes) -> Any:
    """A stored body as JSON. Raises Malformed for what is not JSON or could not be stored faithfully."""
    try:
        raw = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise errors.Malformed(f"the body is not JSON: {error}") from error
    if b"\\u0000" in body:
        raise errors.Malformed("the body holds a NUL character, which no database can store as text")
    return raw


def _park(runtime: Runtime, bad: Unreadable) -> None:
    with runtime.db.begin() as tx:
        inbox.park(tx, bad.row["id"], bad.code, bad.message, bad.path, runtime.clock())


def _apply_alone(runtime: Runtime, one: Read) -> set[str]:
    for _ in range(3):
        try:
            return _apply(runtime, [one])
        except StockConflictError:
            continue
        except OperationalError:
            raise
        except Exception as error:  # noqa: BLE001 - parked with its reason, replayable
            log.warning("intake.row_failed", inbox=one.row["id"], error=str(error))
            with runtime.db.begin() as tx:
                message = f"{type(error).__name__}: {error}"
                inbox.retry_later(tx, one.row["id"], one.row["attempts"], message, runtime.clock())
            return set()
    with runtime.db.begin() as tx:
        inbox.retry_later(tx, one.row["id"], one.row["attempts"], "stock kept changing", runtime.clock())
    return set()


def _apply(runtime: Runtime, batch: Sequence[Read]) -> set[str]:
    """Apply rows in one transaction; returns the doors to wake."""
    if not batch:
        return set()
    doors: set[str] = set()
    with runtime.db.begin() as tx:
        claimed = inbox.claim(tx, [one.row["id"] for one in batch])
        mine = [one for one in batch if one.row["id"] in claimed]
        outcomes: list[tuple[str, str, str | None]] = []
        ordered = [one for one in mine if one.kind == "order"]
        if ordered:
            outcomes += _apply_orders(runtime, tx, ordered, doors)
        outcomes += track.apply(runtime, tx, [one for one in mine if one.kind in {"shipment", "fulfillment"}], doors)
        outcomes += _ask_for(runtime, tx, [one for one in mine if one.kind == "notice"], doors)
        outcomes += facts.apply(runtime, tx, [one for one in mine if one.kind not in _ELSEWHERE], doors)
        by_map: dict[str, list[tuple[str, str, str | None]]] = {}
        used = {one.row["id"]: one.mapping for one in mine}
        for outcome in outcomes:
            by_map.setdefault(used[outcome[0]], []).append(outcome)
        for name, part in by_map.items():
            inbox.finish(tx, part, name or None, runtime.clock())
    return doors


def _count_swept(runtime: Runtime, desk: Desk, batch: Sequence[Read]) -> None:
    """Count what only a poll brought where webhooks should have: the measure of lost webhooks."""
    swept = Counter(
        (one.row["connection_id"], one.row["stream"])
        for one in batch
        if one.row["source"] == "poll" and one.row["id"] in desk.news
    )
    hooked = {one.name for one in runtime.registry.plugins if "WebhookReceiver" in one.capabilities}
    for (connection_id, stream), count in swept.items():
        if desk.connections[connection_id].plugin in hooked:
            cursors.found_by_sweep(desk.tx, connection_id, stream, count)


_ELSEWHERE = frozenset({"order", "shipment", "fulfillment", "notice"})


def _ask_for(runtime: Runtime, tx: Tx, batch: Sequence[Read], doors: set[str]) -> list[tuple[str, str, str | None]]:
    """Have channels asked for what they only named."""
    named: dict[str, set[str]] = {}
    for one in batch:
        named.setdefault(one.row["connection_id"], set()).add(one.row["external_id"])
    for connection_id, external_ids in sorted(named.items()):
        inquiries.put(tx, connection_id, external_ids, runtime.clock())
        doors.add(f"ask:{connection_id}")
    return [(one.row["id"], "applied", None) for one in batch]


def _apply_orders(
    runtime: Runtime, tx: Tx, batch: Sequence[Read], doors: set[str]
) -> list[tuple[str, str, str | None]]:
    """Enter new orders and amend known ones; of several documents of one order the newest counts."""
    newest, outcomes = _newest(batch)
    articles = find_articles(tx, newest)
    states = _known_orders(tx, newest)
    desk = open_desk(runtime, tx, enter.variant_ids(list(states.values()), articles), actor="intake")
    desk.orders = {state.id: state for state in states.values()}
    enter.look_for_twins(desk, [one.order for one in newest])
    for one in _in_turn(desk, newest):
        state = states.get((one.connection_id, one.order.external_id))
        if state is None:
            state = enter.enter(desk, one, articles)
            outcome = "held_unmapped" if any(held.kind == "unmapped" for held in state.holds) else "applied"
        else:
            outcome = amend.amend(desk, one, state, articles)
        outcomes.append((one.inbox_id, outcome, state.id))
    desk.flush()
    _count_swept(runtime, desk, batch)
    doors |= desk.wakes
    return outcomes


def _in_turn(desk: Desk, incoming: Sequence[Incoming]) -> list[Incoming]:
    """Orders of one batch in the turn in which the rules want them routed."""
    by_id = {f"{one.connection_id} {one.order.external_id}": one for one in incoming}
    turns = []
    for key, one in by_id.items():
        ship_by, promise_on = enter.promised_days(one.order)
        units = sum(line.quantity for line in one.order.lines)
        turns.append(Turn(key, one.order.placed_at, 0, ship_by, promise_on, one.order.totals.total_minor, units))
    return [by_id[turn.id] for turn in in_turn(turns, desk.view.rules.sort)]


def _newest(batch: Sequence[Read]) -> tuple[list[Incoming], list[tuple[str, str, str | None]]]:
    """The newest document of each order, with what only older ones of this batch say of it; those are stale."""
    latest: dict[tuple[str, str], Incoming] = {}
    others: dict[tuple[str, str], list[Incoming]] = {}
    for one in batch:
        order: Order = one.value
        incoming = Incoming(
            one.row["id"], one.row["connection_id"], one.document, order, schemas.fingerprint(one.document)
        )
        key = (incoming.connection_id, order.external_id)
        before = latest.get(key)
        if before is None or _is_newer(incoming.order, before.order):
            latest[key] = incoming
            others.setdefault(key, []).extend([before] if before else [])
        else:
            others[key].append(incoming)
    stale: list[tuple[str, str, str | None]] = [
        (one.inbox_id, "stale", None) for found in others.values() for one in found
    ]
    return [_completed(one, others[key]) for key, one in latest.items()], stale


def _completed(incoming: Incoming, others: Sequence[Incoming]) -> Incoming:
    for one in sorted(others, key=lambda one: one.order.revision, reverse=True):
        incoming = amend.complete(incoming, one.document)
    return incoming


def _is_newer(order: Order, other: Order) -> bool:
    """A cancellation outlives everything of the same moment."""
    if order.revision == other.revision:
        return other.status != "cancelled"
    return order.revision > other.revision


def find_articles(tx: Tx, incoming: Sequence[Incoming]) -> Articles:
    """Our article for every listing and SKU the orders name."""
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for connection_id, (listings, skus) in enter.wanted(incoming).items():
        for sku, variant_id in catalog.variants_by_sku(tx, skus).items():
            found[connection_id, f"sku:{sku}"] = (variant_id, 1)
        by_hand = {f"sku:{sku}" for sku in skus}
        for external_id, article in catalog.listings_of(tx, connection_id, listings | by_hand).items():
            found[connection_id, external_id] = article
    return found


def _known_orders(tx: Tx, incoming: Sequence[Incoming]) -> dict[tuple[str, str], orders.OrderState]:
    by_connection: dict[str, list[str]] = {}
    for one in incoming:
        by_connection.setdefault(one.connection_id, []).append(one.order.external_id)
    ids: set[str] = set()
    for connection_id, external_ids in by_connection.items():
        ids |= set(orders.ids_by_external(tx, connection_id, external_ids).values())
    return {(state.connection_id, state.external_id): state for state in orders.load(tx, ids).values()}
