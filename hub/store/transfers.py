"""Transfers as they stand, and the writing of what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from hub.domain.transfers import Line
from hub.store.database import Tx, new_id
from hub.store.rows import Rows
from hub.store.tables import location, transfer, transfer_line, variant

_COUNTERS = ("quantity", "shipped", "received", "lost", "back_to_source", "over", "mis_shipped")


@dataclass(slots=True)
class LineState:
    """A line of a transfer; counters are whole units."""

    id: str
    variant_id: str
    sku: str
    line: Line
    is_new: bool = False
    changed: bool = False


@dataclass(slots=True)
class TransferState:
    """A transfer with its lines, locked."""

    id: str
    number: str
    from_location_id: str
    to_location_id: str
    status: str
    version: int
    lines: list[LineState] = field(default_factory=list)
    changes: dict[str, Any] = field(default_factory=dict)

    def line(self, sku: str) -> LineState | None:
        return next((one for one in self.lines if one.sku == sku), None)


def add(
    tx: Tx,
    now: datetime,
    *,
    number: str,
    from_location_id: str,
    to_location_id: str,
    note: str,
    expected_on: date | None,
    created_by: str,
) -> str:
    """A new draft without lines; its id."""
    key = new_id()
    tx.execute(
        insert(transfer).values(
            id=key,
            number=number,
            from_location_id=from_location_id,
            to_location_id=to_location_id,
            note=note,
            expected_on=expected_on,
            created_by=created_by,
            created_at=now,
            updated_at=now,
        )
    )
    return key


def takes_part(tx: Tx, location_id: str) -> bool:
    """Whether a location may send and receive transfers."""
    return bool(tx.execute(select(location.c.transfers).where(location.c.id == location_id)).scalar_one())


def id_of(tx: Tx, key: str) -> str | None:
    """The id of a transfer that is named by its number or its id."""
    query = select(transfer.c.id).where((transfer.c.number == key) | (transfer.c.id == key))
    found: str | None = tx.execute(query).scalar()
    return found


def load(tx: Tx, transfer_id: str) -> TransferState:
    """The transfer with its lines, locked until the end of the transaction."""
    names = [name for name in TransferState.__slots__ if name in transfer.c]
    query = select(*(transfer.c[name] for name in names)).where(transfer.c.id == transfer_id)
    found = TransferState(*tx.execute(query.with_for_update(key_share=True)).one())
    lines = (
        select(transfer_line, variant.c.sku)
        .join(variant, variant.c.id == transfer_line.c.variant_id)
        .where(transfer_line.c.transfer_id == transfer_id)
        .order_by(variant.c.sku)
    )
    for row in tx.execute(lines).mappings():
        counters = {name: row[name] for name in _COUNTERS}
        found.lines.append(LineState(row["id"], row["variant_id"], row["sku"], Line(row["sku"], **counters)))
    return found


def set_lines(tx: Tx, transfer_id: str, units: Mapping[str, int]) -> None:
    """The lines of a draft anew; `units` by variant."""
    tx.execute(delete(transfer_line).where(transfer_line.c.transfer_id == transfer_id))
    rows = Rows()
    for variant_id, quantity in units.items():
        rows.add(transfer_line, id=new_id(), transfer_id=transfer_id, variant_id=variant_id, quantity=quantity)
    rows.flush(tx)


def save(tx: Tx, state: TransferState, now: datetime) -> None:
    """Write what changed."""
    tx.execute(
        update(transfer)
        .where(transfer.c.id == state.id)
        .values(status=state.status, version=transfer.c.version + 1, updated_at=now, **state.changes)
    )
    rows = Rows()
    for one in (one for one in state.lines if one.is_new):
        counters = {name: getattr(one.line, name) for name in _COUNTERS}
        rows.add(transfer_line, id=one.id, transfer_id=state.id, variant_id=one.variant_id, **counters)
    rows.flush(tx)
    changed = [one for one in state.lines if one.changed and not one.is_new]
    if changed:
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in _COUNTERS}
        tx.execute(
            update(transfer_line).where(transfer_line.c.id == bindparam("key")).values(**values),
            [{"key": one.id, **{f"new_{name}": getattr(one.line, name) for name in _COUNTERS}} for one in changed],
        )


def skus(lines: Sequence[LineState]) -> str:
    """What is on these lines, for the timeline."""
    return ", ".join(f"{one.line.quantity} x {one.sku}" for one in lines if one.line.quantity)
