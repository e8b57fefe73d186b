"""What each channel was last told of our stock, and what it has to be told next."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, exists, func, or_, select, update

from hub.store.database import Tx
from hub.store.rows import as_dicts, chunks
from hub.store.tables import connection, listing, reservation

AT_ONCE = 3  # a figure that a channel compared and refused is told again this often without a pause


_BEHIND = (
    listing.c.stock_rev > listing.c.published_rev,
    listing.c.variant_id.is_not(None),
    listing.c.external_id.not_like("sku:%"),  # a SKU that a person linked; the channel lists nothing by that name
)
# Listings whose channel is to know the newest figure and does not; a channel that is told no stock lacks nothing.
TO_TELL = and_(
    *_BEHIND, listing.c.connection_id.in_(select(connection.c.id).where(connection.c.publish_stock.is_(True)))
)


def _due(now: datetime) -> Any:
    return and_(
        *_BEHIND,
        or_(listing.c.publishing_until.is_(None), listing.c.publishing_until < now),
        or_(
            listing.c.publish_next_at.is_(None),
            listing.c.publish_next_at <= now,
            # What waits for orders to be read waits with the figure it had: a new one may be a lower one.
            and_(listing.c.found_fewer_at.is_not(None), listing.c.stock_rev > listing.c.claimed_rev),
        ),
    )


def due_connections(tx: Tx, now: datetime) -> list[str]:
    """Channels that have figures to be told."""
    query = select(connection.c.id).where(
        connection.c.status == "active",
        connection.c.publish_stock.is_(True),
        connection.c.outbox_held.is_(False),
        or_(connection.c.open_until.is_(None), connection.c.open_until <= now),
        exists().where(listing.c.connection_id == connection.c.id, _due(now)),
    )
    return sorted(tx.execute(query).scalars())


def claim(tx: Tx, connection_id: str, now: datetime, limit: int, sending_for: timedelta) -> list[dict[str, Any]]:
    """Take listings whose figure is out of date; a change that comes meanwhile makes them due again.

    They are due again after `sending_for`, when the run that took them was lost.
    """
    query = (
        select(listing)
        .where(listing.c.connection_id == connection_id, _due(now))
        .order_by(listing.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = as_dicts(tx.execute(query).all())
    for part in chunks([row["id"] for row in rows]):
        tx.execute(
            update(listing)
            .where(listing.c.id.in_(part))
            .values(claimed_rev=listing.c.stock_rev, publishing_until=now + sending_for)
        )
    return rows


def unrouted(tx: Tx, variant_ids: Collection[str]) -> dict[str, int]:
    """Units promised to orders that have no place yet, by variant."""
    found: dict[str, int] = {}
    for part in chunks(variant_ids):
        query = (
            select(reservation.c.variant_id, func.sum(reservation.c.quantity))
            .where(
                reservation.c.variant_id.in_(part),
                reservation.c.state == "active",
                reservation.c.location_id.is_(None),
            )
            .group_by(reservation.c.variant_id)
        )
        found.update((row[0], int(row[1])) for row in tx.execute(query))
    return found


def lock(tx: Tx, listing_ids: Collection[str]) -> None:
    """Lock listings by id, the one order in which all steps take them."""
    for part in chunks(listing_ids):
        tx.execute(select(listing.c.id).where(listing.c.id.in_(part)).order_by(listing.c.id).with_for_update())


def published(tx: Tx, rows: Sequence[Mapping[str, Any]], quantities: Mapping[str, int], now: datetime) -> None:
    """The channel confirmed these listings, as they were claimed; `quantities` by listing id.

    One that was told more had its sales read before.
    """
    if not rows:
        return
    fewer = {
        row["id"]: row["found_fewer_at"] for row in rows if quantities[row["id"]] <= (row["published_quantity"] or 0)
    }
    tx.execute(
        update(listing)
        .where(listing.c.id == bindparam("key"))
        .values(
            published_rev=bindparam("seen_rev"),
            published_quantity=bindparam("told"),
            published_at=now,
            found_fewer_at=bindparam("fewer"),
            publishing_until=None,
            publish_next_at=None,
            publish_failures=0,
            publish_error="",
        ),
        [
            {
                "key": row["id"],
                "seen_rev": row["stock_rev"],
                "told": quantities[row["id"]],
                "fewer": fewer.get(row["id"]),
            }
            for row in rows
        ],
    )


def kept_back(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    """Nobody knows the figure of these listings: the channel keeps what it has, until something changes."""
    if rows:
        tx.execute(
            update(listing)
            .where(listing.c.id == bindparam("key"))
            .values(published_rev=bindparam("seen_rev"), publishing_until=None, publish_next_at=None),
            [{"key": row["id"], "seen_rev": row["stock_rev"]} for row in rows],
        )


def wait(tx: Tx, rows: Sequence[Mapping[str, Any]], why: str, until: datetime) -> None:
    """These listings are looked at again at `until`, or as soon as their figure changes."""
    tx.execute(
        update(listing)
        .where(listing.c.id == bindparam("key"))
        .values(publishing_until=None, publish_next_at=until, publish_error=why),
        [{"key": row["id"]} for row in rows],
    )


def not_published(tx: Tx, row: dict[str, Any], error: str, now: datetime, *, found: int | None, retry: bool) -> None:
    """The channel did not take the figure. `found` is what it holds instead, when it said so: the figure is told again
    from there, at once the first times, since only our idea of the channel was old. Fewer than it was told are sales of
    its own.

    Tried again after a pause that doubles up to an hour; with `retry` False only after the next change of stock.
    """
    pause = timedelta(seconds=min(2 ** (row["publish_failures"] + 1), 3600))
    values: dict[str, Any] = {} if retry or found is not None else {"published_rev": row["stock_rev"]}
    if found is not None:
        values["published_quantity"] = found
        if found < (row["published_quantity"] or 0):
            values["found_fewer_at"] = now
        pause = timedelta(0) if row["publish_failures"] < AT_ONCE else pause
    tx.execute(
        update(listing)
        .where(listing.c.id == row["id"])
        .values(
            publishing_until=None,
            publish_next_at=now + pause,
            publish_failures=listing.c.publish_failures + 1,
            publish_error=error[:1000],
            **values,
        )
    )


def forget_told(tx: Tx) -> None:
    """Nobody knows what the channels hold, since a backup was restored: every figure is told anew."""
    values = {"published_quantity": None, "publishing_until": None, "publish_next_at": None, "publish_failures": 0}
    tx.execute(update(listing).values(stock_rev=listing.c.stock_rev + 1, **values))


def told(tx: Tx, connection_id: str, names: Collection[str]) -> set[str]:
    """Those names (listing id, inventory item or SKU) under which this connection was ever told a figure."""
    found: set[str] = set()
    for part in chunks([name for name in names if name]):
        columns = (listing.c.external_id, listing.c.inventory_external_id, listing.c.sku)
        query = select(*columns).where(
            listing.c.connection_id == connection_id,
            listing.c.published_at.is_not(None),
            or_(*(column.in_(part) for column in columns)),
        )
        found.update(name for row in tx.execute(query) for name in row if name)
    return found
