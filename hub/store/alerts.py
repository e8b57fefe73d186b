"""Positions that run low: where the alert stands and what each position has now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, insert, or_, select, update

from hub.store.database import Tx, new_id
from hub.store.tables import location, stock_alert, stock_policy, stock_position


@dataclass(frozen=True, slots=True)
class Watched:
    """A position with a threshold, or one of which an alert is open."""

    variant_id: str
    location_id: str
    available: int
    threshold: int | None  # None: nobody wants to be alerted any more
    alert_id: str | None
    kind: str | None  # of the open alert
    units: int | None  # that the open alert tells of


def watched(tx: Tx) -> list[Watched]:
    """Positions that may raise or end an alert: those near their threshold and those with an open alert.

    A position's own threshold counts before that of the article at the location, and that before the article's.
    """
    here, everywhere = stock_policy.alias("here"), stock_policy.alias("everywhere")
    threshold = func.coalesce(stock_position.c.low_threshold, here.c.low_threshold, everywhere.c.low_threshold)
    position, alert = stock_position.c, stock_alert.c
    query = (
        select(
            position.variant_id, position.location_id, position.available, threshold, alert.id, alert.kind, alert.units
        )
        .select_from(stock_position)
        .join(location, location.c.id == position.location_id)
        .outerjoin(here, (here.c.variant_id == position.variant_id) & (here.c.location_id == position.location_id))
        .outerjoin(everywhere, (everywhere.c.variant_id == position.variant_id) & everywhere.c.location_id.is_(None))
        .outerjoin(
            stock_alert,
            (alert.variant_id == position.variant_id)
            & (alert.location_id == position.location_id)
            & alert.cleared_at.is_(None),
        )
        .where(or_((position.available <= threshold) & location.c.active.is_(True), alert.id.is_not(None)))
    )
    return [Watched(*row) for row in tx.execute(query)]


def raise_all(tx: Tx, found: Sequence[tuple[Watched, str]], now: datetime) -> None:
    """Open an alert of a kind for each position."""
    rows = [
        {
            "id": new_id(),
            "variant_id": one.variant_id,
            "location_id": one.location_id,
            "kind": kind,
            "units": one.available,
            "threshold": one.threshold,
            "raised_at": now,
        }
        for one, kind in found
    ]
    if rows:
        tx.execute(insert(stock_alert), rows)


def change_all(tx: Tx, found: Sequence[tuple[Watched, str]]) -> None:
    """Open alerts tell of other units now, or of another kind."""
    if found:
        tx.execute(
            update(stock_alert)
            .where(stock_alert.c.id == bindparam("key"))
            .values(kind=bindparam("now_kind"), units=bindparam("now_units"), threshold=bindparam("now_threshold")),
            [
                {"key": one.alert_id, "now_kind": kind, "now_units": one.available, "now_threshold": one.threshold}
                for one, kind in found
            ],
        )


def clear_all(tx: Tx, found: Collection[Watched], now: datetime) -> None:
    """There is enough again."""
    if found:
        tx.execute(
            update(stock_alert).where(stock_alert.c.id == bindparam("key")).values(cleared_at=bindparam("at")),
            [{"key": one.alert_id, "at": now} for one in found],
        )
