"""Stock as it was at a moment, added up from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import case, func, select

from hub.domain.stock_states import INCOMING, STATES
from hub.store.database import Tx
from hub.store.tables import location, stock_move, stock_position, variant
from hub.store.views.pages import Page, cursor_after, cut, read_cursor, size
from hub.store.views.stock import StockQuery, UnknownArticleError, matches


@dataclass(frozen=True, slots=True)
class PastPosition:
    """Units of one article at one location at the moment asked for, by state."""

    sku: str
    title: str
    location: str
    available: int
    committed: int
    reserved: int
    damaged: int
    quality_hold: int
    safety_stock: int
    incoming: int

    @property
    def on_hand(self) -> int:
        return sum(getattr(self, state) for state in STATES)


def find(tx: Tx, query: StockQuery, at: datetime) -> Page[PastPosition]:
    """The positions of a page of articles by SKU, as they were at `at`; positions of which nothing was known are left
    out. A page holds `query.limit` articles. Raises BadCursorError.
    """
    limit = size(query.limit)
    articles = select(variant.c.id, variant.c.sku).where(*matches(query))
    if query.after:
        articles = articles.where(variant.c.sku > read_cursor(query.after, 1)[0])
    rows, more = cut(tx.execute(articles.order_by(variant.c.sku).limit(limit + 1)).all(), limit)
    found = _positions(tx, [row.id for row in rows], query.location_id, at)
    return Page(tuple(found), cursor_after(rows[-1].sku) if more else None)


def article(tx: Tx, sku: str, at: datetime) -> tuple[PastPosition, ...]:
    """The positions of one article as they were at `at`. Raises UnknownArticleError."""
    variant_id = tx.execute(select(variant.c.id).where(variant.c.sku == sku)).scalar()
    if variant_id is None:
        raise UnknownArticleError(sku)
    return tuple(_positions(tx, [variant_id], "", at))


def _positions(tx: Tx, variant_ids: list[str], location_id: str, at: datetime) -> list[PastPosition]:
    query = (
        select(variant.c.sku, variant.c.title, location.c.code, *(_then(state) for state in (*STATES, INCOMING)))
        .join(stock_position, stock_position.c.id == stock_move.c.position_id)
        .join(variant, variant.c.id == stock_position.c.variant_id)
        .join(location, location.c.id == stock_position.c.location_id)
        .where(stock_position.c.variant_id.in_(variant_ids), stock_move.c.at <= at)
        .group_by(variant.c.sku, variant.c.title, location.c.code)
        .order_by(variant.c.sku, location.c.code)
    )
    if location_id:
        query = query.where(stock_position.c.location_id == location_id)
    return [PastPosition(*row[:3], *(int(units) for units in row[3:])) for row in tx.execute(query)]


def _then(state: str) -> Any:
    move = stock_move.c
    into = case((move.to_state == state, move.quantity), (move.from_state == state, -move.quantity), else_=0)
    return func.sum(into)
