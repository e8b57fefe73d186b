"""Reports of the audits of the stock books."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, func, insert, select

from hub.store.database import Tx, new_id
from hub.store.rows import chunks
from hub.store.tables import location, stock_audit, stock_move, stock_position, variant


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One audit. `differences` has all it found, each with its `kind`: position, owners, counters, lots, released."""

    id: str
    at: datetime
    positions: int
    moves: int
    differences: list[dict[str, Any]]
    actor: str

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        return [one for one in self.differences if one["kind"] in kinds]

    @property
    def wrong(self) -> list[dict[str, Any]]:
        """What still waits for a person."""
        return self.of("position", "owners", "counters", "lots")


_ROW = [stock_audit.c[name] for name in AuditRow.__slots__]


def extent(tx: Tx) -> tuple[int, int]:
    """How many positions and moves there are."""
    positions = tx.execute(select(func.count()).select_from(stock_position)).scalar_one()
    return positions, tx.execute(select(func.count()).select_from(stock_move)).scalar_one()


def keep(tx: Tx, now: datetime, actor: str, *, positions: int, moves: int, found: Sequence[Mapping[str, Any]]) -> None:
    """Store a report. Each finding gets the SKU and location it is about, so that it can be read for ever."""
    by_position = _positions(tx, {one["position_id"] for one in found if "position_id" in one})
    skus = _words(tx, variant.c.id, variant.c.sku, {one.get("variant_id") for one in found})
    codes = _words(tx, location.c.id, location.c.code, {one.get("location_id") for one in found})
    lines = []
    for one in found:
        sku, code = by_position.get(one.get("position_id", ""), ("", ""))
        sku, code = (
            sku or skus.get(one.get("variant_id") or "", "") or one.get("sku", ""),
            code or codes.get(one.get("location_id") or "", "") or one.get("location", ""),
        )
        lines.append({**one, "sku": sku, "location": code})
    row = {"id": new_id(), "at": now, "positions": positions, "moves": moves, "differences": lines, "actor": actor}
    tx.execute(insert(stock_audit).values(row))


def said(finding: Mapping[str, Any]) -> str:
    """A finding in words."""
    match finding["kind"]:
        case "position":
            state = finding["state"].replace("_", " ")
            return f"{finding['position']} units are {state} and the ledger adds up to {finding['ledger']}"
        case "owners":
            kept = {
                "committed": "fulfillment orders hold",
                "reserved": "reservations hold",
                "incoming": "purchase orders and transfers expect",
            }[finding["state"]]
            return f"{finding['held']} units are {finding['state']} and {kept} {finding['owned']}"
        case "counters":
            are, there = {
                "routed": ("routed", "its fulfillment orders hold"),
                "shipped": ("shipped", "its fulfillment orders shipped"),
                "packed": ("shipped by a fulfillment order", "its packages hold"),
            }[finding["counter"]]
            return f"of order {finding['order']} {finding['counted']} units are {are} and {there} {finding['found']}"
        case "lots" if "lot" in finding:
            return f"lot {finding['lot']} has {finding['units']} units and its moves add up to {finding['moves']}"
        case "lots":
            said = f"{finding['on_hand']} units are on hand and {finding['in_lots']} have a {finding['tracking']}"
            return f"{said} number" if finding["tracking"] == "serial" else said
    return f"{finding['units']} units were let go: {finding['why']}"


def recent(tx: Tx, limit: int = 30) -> list[AuditRow]:
    """The last audits, newest first."""
    query = select(*_ROW).order_by(stock_audit.c.at.desc(), stock_audit.c.id.desc()).limit(limit)
    return [AuditRow(*row) for row in tx.execute(query)]


def last(tx: Tx) -> AuditRow | None:
    """The newest audit; None before the first."""
    return next(iter(recent(tx, 1)), None)


def _positions(tx: Tx, position_ids: Collection[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for part in chunks(position_ids):
        query = (
            select(stock_position.c.id, variant.c.sku, location.c.code)
            .join(variant, variant.c.id == stock_position.c.variant_id)
            .join(location, location.c.id == stock_position.c.location_id)
            .where(stock_position.c.id.in_(part))
        )
        found.update((row[0], (row[1], row[2])) for row in tx.execute(query))
    return found


def _words(tx: Tx, key: Column[str], word: Column[str], keys: Collection[str | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in chunks([one for one in keys if one]):
        found.update((row[0], row[1]) for row in tx.execute(select(key, word).where(key.in_(part))))
    return found
