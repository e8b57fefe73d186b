"""Holds: written in bulk, and found where they are due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from hub.domain.entry import SOURCE, TWIN_HANDLE
from hub.store.database import Tx
from hub.store.rows import chunks
from hub.store.tables import fo_line, hold, orders


def end(tx: Tx, hold_ids: Collection[str], state: str, by: str, now: datetime) -> None:
    """End active holds: `released` by somebody, `expired` by the clock."""
    for part in chunks(hold_ids):
        tx.execute(
            update(hold)
            .where(hold.c.id.in_(part), hold.c.state == "active")
            .values(state=state, released_at=now, released_by=by[:120])
        )


def change(tx: Tx, hold_id: str, **values: Any) -> bool:
    """Change who looks after an active hold and when it is due; False when it is not active any more."""
    done = tx.execute(
        update(hold).where(hold.c.id == hold_id, hold.c.state == "active").values(**values).returning(hold.c.id)
    )
    return done.first() is not None


def to_expire(tx: Tx, now: datetime, limit: int) -> list[tuple[str, str]]:
    """(hold id, order id) of active holds that end by themselves and whose time has come, oldest first."""
    query = (
        select(hold.c.id, hold.c.order_id)
        .where(hold.c.state == "active", hold.c.auto_release_at <= now)
        .order_by(hold.c.auto_release_at, hold.c.id)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in tx.execute(query)]


def lost_twins(tx: Tx, limit: int) -> list[str]:
    """Orders that wait because of a twin that is cancelled by now."""
    me, twin = orders.alias("me"), orders.alias("twin")
    query = (
        select(hold.c.order_id)
        .join(me, me.c.id == hold.c.order_id)
        .join(twin, twin.c.id == func.substr(hold.c.handle, len(TWIN_HANDLE) + 1))
        .where(hold.c.kind == "twin", hold.c.state == "active", hold.c.source == SOURCE)
        .where(twin.c.lifecycle == "cancelled", me.c.lifecycle.in_(("pending", "open")))
    )
    return list(tx.execute(query.distinct().order_by(hold.c.order_id).limit(limit)).scalars())


def orders_of(tx: Tx, hold_ids: Collection[str]) -> dict[str, str]:
    """Order ids by hold id."""
    found: dict[str, str] = {}
    for part in chunks(hold_ids):
        found.update(
            (row[0], row[1]) for row in tx.execute(select(hold.c.id, hold.c.order_id).where(hold.c.id.in_(part)))
        )
    return found


def stopping(tx: Tx, fos: Collection[tuple[str, str]], blocks: Collection[str]) -> dict[str, str]:
    """The kind of a hold that stops each fulfillment order, of those that one stops. `fos` are (fo id, order id).

    The hold may lie on the fulfillment order, on its order, or on a line that it still holds units of.
    """
    held: dict[str, str] = {}
    for part in chunks({order_id for _, order_id in fos}):
        query = select(hold.c.target_id, hold.c.kind).where(
            hold.c.order_id.in_(part), hold.c.state == "active", hold.c.blocks.in_(list(blocks))
        )
        held.update((row[0], row[1]) for row in tx.execute(query.order_by(hold.c.id.desc())))
    if not held:
        return {}
    targets: dict[str, list[str]] = {fo_id: [order_id, fo_id] for fo_id, order_id in fos}
    for part in chunks(targets):
        live = fo_line.c.quantity > fo_line.c.shipped + fo_line.c.cancelled
        lines = select(fo_line.c.fo_id, fo_line.c.order_line_id).where(fo_line.c.fo_id.in_(part), live)
        for fo_id, line_id in tx.execute(lines):
            targets[fo_id].append(line_id)
    return {fo_id: held[one] for fo_id, found in targets.items() for one in found if one in held}
