"""Publish stock: tell one channel the figures that changed, absolute and only the latest."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog

from hub.domain.availability import Offer
from hub.domain.shipping import ItemResult, StockUpdate
from hub.flows import unheard
from hub.flows.deliver import may_send
from hub.flows.reconcile import note_failure
from hub.flows.runtime import Runtime
from hub.sdk import LocationSource, StockSink, errors
from hub.sdk.deadline import time_limit
from hub.store import availability, connections, listings, outbox, references
from hub.store.connections import ConnectionRow
from hub.store.database import Tx

log = structlog.get_logger()


def publish_stock(runtime: Runtime, connection_id: str) -> int:
    """Tell a channel what is due, one batch; returns how many listings. Call again until it returns 0.

    Changes that pile up between two calls leave as one figure. A figure equal to what the channel already confirmed is
    not sent, nor one that nobody knows because a feed has not spoken yet; one that rises while the channel has sold
    units itself waits until these are known here (`unheard`). Safe to be killed at any point: figures are absolute, so
    telling one twice does no harm.
    """
    now, until = runtime.clock(), time.monotonic() + runtime.call_time_s
    with runtime.db.read() as tx:
        connection = connections.get(tx, connection_id)
    if not may_send(connection, now) or not connection.publish_stock:
        return 0
    plugin = runtime.plugin(connection)
    if not issubclass(plugin.connector, StockSink):
        with runtime.db.begin() as tx:
            # Its listings are a catalogue only, such as an ERP's; otherwise they would be due for ever.
            connections.set_options(tx, connection_id, {"publish_stock": False})
        return 0
    with runtime.db.begin() as tx:
        rows = listings.claim(tx, connection_id, now, plugin.connector.max_batch, runtime.sending_time)
        if not rows:
            return 0
        offers = availability.offers(tx, connection, rows, now)
        place = _place(tx, connection) if issubclass(plugin.connector, LocationSource) else ""
        wanted = {listing_id: offer.figure for listing_id, offer in offers.items()}
        news = [row for row in rows if _is_news(row, offers[row["id"]])]
        _settle(tx, [row for row in rows if not _is_news(row, offers[row["id"]])], offers, now)
        early = unheard.put_off(tx, runtime, connection_id, plugin.manifest, news, wanted)
        news = [row for row in news if row["id"] not in early]
    if not news:
        return len(rows)
    as_of = now.astimezone(UTC).isoformat().replace("+00:00", "Z")
    updates = [_update(row, wanted[row["id"]], place, as_of) for row in news]
    results, failure = _tell(runtime, connection, updates, _key(connection_id, news, wanted), until)
    with runtime.db.begin() as tx:
        listings.lock(tx, [row["id"] for row in news])
        answered = list(zip(news, results, strict=True))
        listings.published(tx, [row for row, result in answered if result.error is None], wanted, now)
        for row, result in answered:
            if result.error is not None:
                listings.not_published(tx, row, result.error, runtime.clock(), found=result.actual, retry=result.retry)
        if failure is None:
            connections.succeeded(tx, connection_id, runtime.clock())
    if failure is not None:
        note_failure(runtime, connection, failure)
    return len(rows)


def _is_news(row: dict[str, Any], offer: Offer) -> bool:
    return offer.tells and offer.figure != row["published_quantity"]


def _settle(tx: Tx, rows: Sequence[dict[str, Any]], offers: Mapping[str, Offer], now: datetime) -> None:
    """Note that there is nothing to tell: the channel knows the figure already, or nobody knows it."""
    known = [row for row in rows if offers[row["id"]].tells]
    listings.published(tx, known, {row["id"]: offers[row["id"]].figure for row in known}, now)
    listings.kept_back(tx, [row for row in rows if not offers[row["id"]].tells])


def _place(tx: Tx, connection: ConnectionRow) -> str:
    """Where the channel keeps the one figure it is told: the place named in its settings, else its first linked one."""
    named = str(connection.config.get("stock_location") or "")
    return named or references.first_location(tx, connection.id) or ""


def _update(row: dict[str, Any], quantity: int, place: str, as_of: str) -> StockUpdate:
    return StockUpdate(
        listing=row["external_id"],
        sku=row["sku"],
        quantity=quantity,
        as_of=as_of,
        inventory_item=row["inventory_external_id"] or "",
        location=place,
        previous=row["published_quantity"],
        product_type=row["product_type"] or "",
    )


def _key(connection_id: str, rows: Sequence[dict[str, Any]], wanted: dict[str, int]) -> str:
    facts = ";".join(f"{row['id']}:{row['stock_rev']}:{wanted[row['id']]}" for row in rows)
    return outbox.key_for(connection_id, "set_stock", facts)


def _tell(
    runtime: Runtime, connection: ConnectionRow, updates: list[StockUpdate], key: str, until: float
) -> tuple[list[ItemResult], Exception | None]:
    """Make the call; an error of the whole call is the result of every item, and given beside them.

    It ends by `until`, before another run may tell newer figures, which these would overwrite.
    """
    try:
        connector = runtime.connector(connection)
        assert isinstance(connector, StockSink)  # noqa: S101 - checked by the caller
        with time_limit(until - time.monotonic()):
            return connector.set_stock(updates, key), None
    except errors.ConnectorError as error:
        log.warning("publish_stock.failed", connection=connection.name, error=str(error))
        return [ItemResult(str(error), retry=True)] * len(updates), error
    except Exception as error:
        log.exception("publish_stock.defect", connection=connection.name)
        return [ItemResult(f"{type(error).__name__}: {error}", retry=True)] * len(updates), error
