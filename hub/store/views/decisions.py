"""Route decisions of an order: what was decided, by which rules, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from hub.domain.routing.trace import readable
from hub.store.database import Tx
from hub.store.tables import route_decision, routing_rule_set


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision. `superseded_by` is the attempt that took its place; `rules` is None for the built-in ones."""

    id: str
    attempt: int
    strategy: str
    inputs_hash: str
    reason: str
    at: datetime
    trace: Mapping[str, Any]
    lines: tuple[str, ...]  # the trace in words
    rules: str | None
    superseded_by: int | None
    can_be_replayed: bool


def of_order(tx: Tx, order_id: str) -> list[Decision]:
    """All decisions on an order, newest first."""
    what, sets = route_decision.c, routing_rule_set.c
    query = (
        select(
            *(what[name] for name in ("id", "attempt", "strategy", "inputs_hash", "reason", "at", "trace")),
            what.superseded_by,
            (what.inputs.is_not(None) & what.network_hash.is_not(None)).label("kept"),
            sets.name,
            sets.version,
        )
        .outerjoin(routing_rule_set, sets.id == what.rule_set_id)
        .where(what.order_id == order_id)
        .order_by(what.attempt.desc())
    )
    rows = tx.execute(query).all()
    attempts = {row.id: row.attempt for row in rows}
    return [
        Decision(
            *row[:6],
            row.trace,
            tuple(readable(row.trace)),
            None if row.name is None else f"{row.name}@{row.version}",
            attempts.get(row.superseded_by),
            bool(row.kept),
        )
        for row in rows
    ]
