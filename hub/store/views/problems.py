"""The inbox of problems: one row per problem, not per event, with whose move it is and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import exists, or_, select

from hub.domain import problems as words
from hub.domain.problems import Move, Words
from hub.store import audits, events
from hub.store.database import Tx
from hub.store.tables import connection, entity_event, hold, inbox, listing, orders, outbox
from hub.store.views import oversold

Kind = Literal["inbox", "outbox", "hold", "connection", "listing", "failure", "oversold", "backlog", "ledger"]
MOST_ROWS = 5_000  # of each kind are looked at; older ones come up when these are dealt with
SHOWN_IDS = 500
LOOKED_UP = timedelta(minutes=15)  # an outcome that is unknown for longer is a person's


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `ids` are the rows to act on, newest first: inbox, outbox, hold, connection, listing or position ids
    by `kind`, or those of what the hub failed at; at most SHOWN_IDS of `count`. `what` is the stream, operation, hold
    kind or status it is about.
    """

    fingerprint: str
    kind: Kind
    connection_id: str
    channel: str
    what: str
    title: str
    next_step: str
    move: Move
    error: str  # of the newest row, in the words of whoever said it
    error_code: str
    count: int
    orders: int
    first_seen: datetime
    last_seen: datetime
    next_try: datetime | None
    ids: tuple[str, ...]
    order_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sign:
    """One row that is a sign of a problem."""

    kind: Kind
    row_id: str
    connection_id: str
    channel: str
    what: str
    words: Words
    error: str
    error_code: str
    at: datetime
    order_id: str | None = None
    next_try: datetime | None = None


@dataclass(slots=True)
class _Group:
    """Signs of the same problem; `newest` was read first."""

    newest: _Sign
    first: datetime
    last: datetime
    next_try: datetime | None
    ids: dict[str, None] = field(default_factory=dict)
    orders: dict[str, None] = field(default_factory=dict)


def find(tx: Tx, now: datetime, *, connection_id: str = "", move: Move | None = None) -> list[Problem]:
    """All problems, those that are yours first, then by when they were last seen."""
    signs: list[_Sign] = [
        *_connections(tx, now, connection_id),
        *_inbox(tx, connection_id),
        *_outbox(tx, now, connection_id),
        *_holds(tx, connection_id),
        *_listings(tx, now, connection_id),
        *_failures(tx, connection_id),
        *(() if connection_id else (*_oversold(tx), *_backlog(tx), *_ledger(tx))),
    ]
    found = [one for one in _grouped(signs) if move is None or one.move == move]
    return sorted(found, key=lambda one: (one.move == "theirs", -one.last_seen.timestamp(), one.fingerprint))


def by_fingerprint(tx: Tx, now: datetime, fingerprint: str) -> Problem | None:
    """One problem; None when it is gone."""
    return next((one for one in find(tx, now) if one.fingerprint == fingerprint), None)


def count_yours(tx: Tx, now: datetime) -> int:
    """How many problems wait for a person."""
    return len(find(tx, now, move="yours"))


def _grouped(signs: Iterable[_Sign]) -> Iterator[Problem]:
    groups: dict[str, _Group] = {}
    for sign in signs:
        key = words.fingerprint(
            sign.kind, sign.connection_id, sign.what, sign.error_code, sign.words.title, words.normalised(sign.error)
        )
        group = groups.get(key)
        if group is None:
            group = groups[key] = _Group(sign, sign.at, sign.at, sign.next_try)
        group.ids[sign.row_id] = None
        group.first, group.last = min(group.first, sign.at), max(group.last, sign.at)
        if sign.order_id:
            group.orders[sign.order_id] = None
        if sign.next_try is not None:
            group.next_try = min(group.next_try or sign.next_try, sign.next_try)
    for key, group in groups.items():
        newest = group.newest
        yield Problem(
            fingerprint=key,
            kind=newest.kind,
            connection_id=newest.connection_id,
            channel=newest.channel,
            what=newest.what,
            title=newest.words.title,
            next_step=newest.words.next_step,
            move=newest.words.move,
            error=newest.error,
            error_code=newest.error_code,
            count=len(group.ids),
            orders=len(group.orders),
            first_seen=group.first,
            last_seen=group.last,
            next_try=group.next_try,
            ids=tuple(list(group.ids)[:SHOWN_IDS]),
            order_ids=tuple(list(group.orders)[:SHOWN_IDS]),
        )


def _only(column: Any, connection_id: str) -> list[Any]:
    return [column == connection_id] if connection_id else []


def _connections(tx: Tx, now: datetime, connection_id: str) -> Iterator[_Sign]:
    broken = or_(connection.c.status.not_in(("active", "paused")), connection.c.open_until > now)
    for row in tx.execute(select(connection).where(broken, *_only(connection.c.id, connection_id))):
        status = row.status if row.status not in {"active", "paused"} else "breaker_open"
        yield _Sign(
            "connection",
            row.id,
            row.id,
            row.name,
            status,
            words.of_connection(row.name, status, row.status_field),
            row.status_reason if status != "breaker_open" else row.last_error,
            status,
            row.last_error_at if status == "breaker_open" and row.last_error_at else row.updated_at,
            next_try=row.open_until if status == "breaker_open" else None,
        )
    uneasy = connection.c.warning != "", connection.c.status != "paused"
    for row in tx.execute(select(connection).where(*uneasy, *_only(connection.c.id, connection_id))):
        said = words.of_warning(row.name)
        yield _Sign("connection", row.id, row.id, row.name, "warning", said, row.warning, "warning", row.updated_at)


def _inbox(tx: Tx, connection_id: str) -> Iterator[_Sign]:
    columns = ("id", "connection_id", "stream", "error_code", "error", "error_path", "received_at", "entity_id")
    query = (
        select(*(inbox.c[name] for name in columns), connection.c.name.label("channel"))
        .join(connection, connection.c.id == inbox.c.connection_id)
        .where(inbox.c.status == "dead", *_only(inbox.c.connection_id, connection_id))
        .order_by(inbox.c.received_at.desc())
        .limit(MOST_ROWS)
    )
    for row in tx.execute(query):
        code = row.error_code or ""
        said = words.of_inbox(row.channel, row.stream, code, row.error_path or "")
        yield _Sign(
            "inbox", row.id, row.connection_id, row.channel, row.stream, said, row.error or "", code, row.received_at,
            row.entity_id,
        )  # fmt: skip


def _outbox(tx: Tx, now: datetime, connection_id: str) -> Iterator[_Sign]:
    columns = ("id", "connection_id", "operation", "status", "error_code", "error", "created_at", "next_at", "order_id")
    query = (
        select(*(outbox.c[name] for name in columns), connection.c.name.label("channel"))
        .join(connection, connection.c.id == outbox.c.connection_id)
        .where(
            outbox.c.status.in_(("dead", "rejected", "unknown", "held")), *_only(outbox.c.connection_id, connection_id)
        )
        .order_by(outbox.c.created_at.desc())
        .limit(MOST_ROWS)
    )
    for row in tx.execute(query):
        looked_up = row.status == "unknown" and row.created_at > now - LOOKED_UP
        held = row.status == "held"
        yield _Sign(
            "outbox",
            row.id,
            row.connection_id,
            row.channel,
            "held" if held else row.operation,
            words.of_outbox(row.channel, row.operation, row.status, looked_up=looked_up),
            "" if held else row.error,
            "" if held else row.error_code or row.status,
            row.created_at,
            row.order_id,
            row.next_at if looked_up else None,
        )


def _holds(tx: Tx, connection_id: str) -> Iterator[_Sign]:
    query = (
        select(hold.c.id, hold.c.kind, hold.c.reason, hold.c.created_at, hold.c.order_id, orders.c.connection_id)
        .add_columns(connection.c.name.label("channel"))
        .join(orders, orders.c.id == hold.c.order_id)
        .join(connection, connection.c.id == orders.c.connection_id)
        .where(
            hold.c.state == "active",
            hold.c.kind.not_in(sorted(words.WAITING_HOLDS)),
            *_only(orders.c.connection_id, connection_id),
        )
        .order_by(hold.c.created_at.desc())
        .limit(MOST_ROWS)
    )
    for row in tx.execute(query):
        # An unlinked article is one problem per article; every other kind is one problem whatever the figures say.
        code = row.reason if row.kind == "unmapped" else row.kind
        said = words.of_hold(row.channel, row.kind)
        yield _Sign(
            "hold",
            row.id,
            row.connection_id,
            row.channel,
            row.kind,
            said,
            row.reason,
            code,
            row.created_at,
            row.order_id,
        )


def _listings(tx: Tx, now: datetime, connection_id: str) -> Iterator[_Sign]:
    query = (
        select(listing, connection.c.name.label("channel"))
        .join(connection, connection.c.id == listing.c.connection_id)
        .where(listing.c.publish_error != "", *_only(listing.c.connection_id, connection_id))
        .order_by(listing.c.publish_next_at.desc())
        .limit(MOST_ROWS)
    )
    for row in tx.execute(query):
        again = row.stock_rev > row.published_rev
        yield _Sign(
            "listing",
            row.id,
            row.connection_id,
            row.channel,
            "set_stock",
            words.of_listing(row.channel, tried_again=again),
            row.publish_error,
            "",
            row.publish_next_at or row.published_at or now,
            next_try=row.publish_next_at if again else None,
        )


def _failures(tx: Tx, connection_id: str) -> Iterator[_Sign]:
    """What the hub failed at, and of which nothing else was heard since."""
    later = entity_event.alias("later")
    over = exists().where(later.c.id > entity_event.c.id, events.about(later, entity_event.c.entity_id))
    query = (
        select(entity_event, orders.c.connection_id, connection.c.name.label("channel"))
        .outerjoin(orders, orders.c.id == entity_event.c.order_id)
        .outerjoin(connection, connection.c.id == orders.c.connection_id)
        .where(entity_event.c.kind == events.FAILED, ~over, *_only(orders.c.connection_id, connection_id))
        .order_by(entity_event.c.id.desc())
        .limit(MOST_ROWS)
    )
    for row in tx.execute(query):
        channel = row.channel or row.entity_type.replace("_", " ").capitalize()
        yield _Sign(
            "failure",
            row.entity_id,
            row.connection_id or "",
            channel,
            row.entity_type,
            words.of_failure(channel),
            row.message,
            "",
            row.at,
            row.order_id,
        )


def _oversold(tx: Tx) -> Iterator[_Sign]:
    """One problem per position that is short, with the orders at risk."""
    for one in oversold.find(tx):
        title, said = words.of_oversold(one.sku, one.location), f"{one.missing} promised and not there"
        at_risk: list[str | None] = [order.order_id for order in (*one.orders, *one.waiting)]
        for order_id in at_risk or [None]:
            where = f"{one.sku}@{one.location}"
            yield _Sign("oversold", one.position_id, "", "Stock", where, title, said, where, one.at, order_id)


def _backlog(tx: Tx) -> Iterator[_Sign]:
    """One problem per article of which more is promised than may wait, with the newest orders that wait."""
    for one in oversold.backlog(tx):
        said = f"{one.promised} units are promised, and {one.promised - one.missing} may be"
        for order in one.waiting:
            yield _Sign(
                "backlog", one.sku, "", "Stock", one.sku, words.of_backlog(one.sku), said, "", order.placed_at,
                order.order_id,
            )  # fmt: skip


def _ledger(tx: Tx) -> Iterator[_Sign]:
    """What the last audit found that only a person can settle."""
    last = audits.last(tx)
    if last is None:
        return
    for one in last.wrong:
        where = " at ".join(filter(None, (one["sku"], one["location"])))
        said = f"{where}: {audits.said(one)}."
        place = f"{one['sku']}@{one['location']}"
        yield _Sign("ledger", place, "", "Stock", one["kind"], words.of_ledger(one["kind"]), said, "", last.at)
