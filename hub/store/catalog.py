"""Articles, their listings on channels, and locations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from hub.store import bulk
from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import chunks
from hub.store.tables import external_ref, listing, location, product, variant


@dataclass(frozen=True, slots=True)
class LocationRow:
    """A location with what the hub needs to route and to hand over."""

    id: str
    code: str
    name: str
    kind: str
    zone: str
    latitude: float | None
    longitude: float | None
    country: str
    address: Mapping[str, Any] | None
    markets: list[str] | None
    active: bool
    ships: bool
    is_default: bool
    rank: int
    outage_until: datetime | None
    handling: str
    handler_id: str | None
    warehouse: str
    groups: list[str] | None  # location groups that it belongs to
    picks_up: bool  # customers may collect here
    takes_returns: bool
    transfers: bool  # may send and receive transfers, and goods for collection
    serves: list[str] | None  # countries that it ships to; none is everywhere
    capacity_per_day: int | None  # fulfillment orders; None is no limit
    calendar: Mapping[str, Any] | None  # as `location-calendar.v1` says
    costs: Mapping[str, Any] | None  # as `location-costs.v1` says
    attributes: Mapping[str, Any] | None  # what the operator notes of it, for the ranker `metafield`
    answer_within_min: int | None  # a fulfillment order not answered by then is taken away
    stale_after_min: int | None  # a figure not confirmed for so long may no longer raise what is sold

    @property
    def sells(self) -> bool:
        """Whether its stock is sold: it is switched on, and ships or hands over."""
        return self.active and (self.ships or self.picks_up)

    def closed(self, now: datetime) -> str:
        """Why it cannot take anything now; "" when it can."""
        if not self.active:
            return "it is switched off"
        if not self.ships and not self.picks_up:
            return "it does not ship"
        if self.outage_until is not None and self.outage_until > now:
            return f"it is out of action until {self.outage_until:%Y-%m-%d %H:%M} UTC"
        return ""


_LOCATION = [location.c[name] for name in LocationRow.__slots__]


def locations(tx: Tx) -> list[LocationRow]:
    """All locations by code."""
    return [LocationRow(*row) for row in tx.execute(select(*_LOCATION).order_by(location.c.code))]


def location_by_code(tx: Tx, code: str) -> LocationRow:
    """Raises KeyError naming the code."""
    row = tx.execute(select(*_LOCATION).where(location.c.code == code)).first()
    if row is None:
        raise KeyError(f"there is no location {code!r}; `orderhub stock show` lists all")
    return LocationRow(*row)


def add_location(tx: Tx, now: datetime, **values: Any) -> str:
    """A new location; `code` must be new. Returns its id."""
    location_id = new_id()
    tx.execute(insert(location).values(id=location_id, created_at=now, **{"name": values["code"], **values}))
    return location_id


def change_location(tx: Tx, location_id: str, **values: Any) -> None:
    """Set some of a location's columns."""
    tx.execute(update(location).where(location.c.id == location_id).values(**values))


def close_until(tx: Tx, location_id: str, until: datetime) -> bool:
    """Let a location get nothing new until then; False when it is closed for longer already."""
    shorter = or_(location.c.outage_until.is_(None), location.c.outage_until < until)
    done = update(location).where(location.c.id == location_id, shorter).values(outage_until=until)
    return tx.execute(done.returning(location.c.id)).first() is not None


def no_default(tx: Tx) -> None:
    """Let no location be the default one."""
    tx.execute(update(location).where(location.c.is_default.is_(True)).values(is_default=False))


def link_location(tx: Tx, connection_id: str, external_id: str, location_id: str) -> None:
    """Say which of our locations a place of a connection is."""
    insert_new(
        tx,
        external_ref,
        [{"connection_id": connection_id, "kind": "location", "external_id": external_id, "entity_id": location_id}],
        external_ref.c.entity_id,
    )


def relink_location(tx: Tx, connection_id: str, external_id: str, location_id: str) -> None:
    """Say which of our locations a place of a connection is, instead of what was said before."""
    link_location(tx, connection_id, external_id, location_id)
    tx.execute(
        update(external_ref)
        .where(
            external_ref.c.connection_id == connection_id,
            external_ref.c.kind == "location",
            external_ref.c.external_id == external_id,
        )
        .values(entity_id=location_id)
    )


def location_links(tx: Tx) -> list[tuple[str, str, str]]:
    """(connection, external id, location) of all linked places."""
    query = select(external_ref.c.connection_id, external_ref.c.external_id, external_ref.c.entity_id)
    return [(row[0], row[1], row[2]) for row in tx.execute(query.where(external_ref.c.kind == "location"))]


def add_variants(tx: Tx, articles: Iterable[Mapping[str, Any]], now: datetime) -> dict[str, str]:
    """Make articles that do not exist yet, one product each; returns the ids of all of them by SKU.

    Listings of such a SKU are linked to them.

    An article is a mapping with "sku", and optionally title, barcode, weight_g, length_mm, width_mm, height_mm,
    hs_code and origin_country. Safe to call twice.
    """
    wanted = {article["sku"]: article for article in articles}
    known = variants_by_sku(tx, wanted)
    missing = [article for sku, article in wanted.items() if sku not in known]
    products, variants = [], []
    for article in missing:
        product_id, variant_id = new_id(), new_id()
        title = article.get("title") or article["sku"]
        products.append({"id": product_id, "title": title, "created_at": now})
        row = {name: article.get(name) for name in _ARTICLE}
        variants.append(
            {"id": variant_id, "product_id": product_id, "sku": article["sku"], "title": title, **row}
            | {"created_at": now, "updated_at": now}
        )
        known[article["sku"]] = variant_id
    bulk.insert_rows(tx, product, products)
    bulk.insert_rows(tx, variant, variants)
    _link_listings(tx, {row["sku"]: row["id"] for row in variants})
    return known


def _link_listings(tx: Tx, articles: Mapping[str, str]) -> None:
    """Link listings that were there before the article of their SKU was."""
    for part in chunks(articles):
        waiting = select(listing.c.id, listing.c.sku).where(listing.c.variant_id.is_(None), listing.c.sku.in_(part))
        rows = [{"key": row.id, "article": articles[row.sku]} for row in tx.execute(waiting)]
        if rows:
            linked = {"variant_id": bindparam("article"), "stock_rev": listing.c.stock_rev + 1}
            tx.execute(update(listing).where(listing.c.id == bindparam("key")).values(**linked), rows)


_ARTICLE = ("barcode", "weight_g", "length_mm", "width_mm", "height_mm", "hs_code", "origin_country")


def variants_by_sku(tx: Tx, skus: Collection[str]) -> dict[str, str]:
    """Variant ids by SKU, for those that exist."""
    found: dict[str, str] = {}
    for part in chunks([sku for sku in skus if sku]):
        query = select(variant.c.sku, variant.c.id).where(variant.c.sku.in_(part))
        found.update((row[0], row[1]) for row in tx.execute(query))
    return found


def variants(tx: Tx, ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """Variants by id."""
    found: dict[str, dict[str, Any]] = {}
    for part in chunks(ids):
        for row in tx.execute(select(variant).where(variant.c.id.in_(part))).mappings():
            found[row["id"]] = dict(row)
    return found


def listings_of(tx: Tx, connection_id: str, external_ids: Collection[str]) -> dict[str, tuple[str, int]]:
    """(variant id, pack size) by listing id, for listings that are linked."""
    found: dict[str, tuple[str, int]] = {}
    for part in chunks([one for one in external_ids if one]):
        query = select(listing.c.external_id, listing.c.variant_id, listing.c.pack_size).where(
            listing.c.connection_id == connection_id,
            listing.c.external_id.in_(part),
            listing.c.variant_id.is_not(None),
        )
        found.update((row[0], (row[1], row[2])) for row in tx.execute(query))
    return found


def listings_by_sku(tx: Tx, connection_id: str, sku: str) -> list[str]:
    """Ids of a channel's listings that have this SKU."""
    if not sku:
        return []
    query = select(listing.c.external_id).where(listing.c.connection_id == connection_id, listing.c.sku == sku)
    return list(tx.execute(query.order_by(listing.c.external_id)).scalars())


def store_listings(tx: Tx, connection_id: str, found: Collection[Mapping[str, Any]]) -> list[str]:
    """Keep what a channel lists; a listing whose SKU is an article of ours is linked to it.

    An item is a mapping with external_id, inventory_external_id, sku, title, product_type and pack_size. A link that a
    person made stays. Returns the ids of newly linked variants.
    """
    by_sku = variants_by_sku(tx, {one["sku"] for one in found if one["sku"]})
    known = {
        row.external_id: row
        for part in chunks([one["external_id"] for one in found])
        for row in tx.execute(
            select(listing).where(listing.c.connection_id == connection_id, listing.c.external_id.in_(part))
        )
    }
    fresh: list[dict[str, Any]] = []
    linked: list[str] = []
    for one in found:
        row = known.get(one["external_id"])
        variant_id = by_sku.get(one["sku"] or "")
        if row is None:
            fresh.append(
                {**one, "id": new_id(), "connection_id": connection_id, "variant_id": variant_id}
                | {"sku": one["sku"] or "", "stock_rev": 1 if variant_id else 0}
            )
            linked += [variant_id] if variant_id else []
            continue
        values: dict[str, Any] = {name: one[name] for name in ("inventory_external_id", "title", "product_type")}
        values["sku"] = one["sku"] or ""
        if row.variant_id is None and variant_id:
            values |= {"variant_id": variant_id, "stock_rev": listing.c.stock_rev + 1}
            linked.append(variant_id)
        tx.execute(update(listing).where(listing.c.id == row.id).values(**values))
    insert_new(tx, listing, fresh, listing.c.id)
    return linked


def link_sku(tx: Tx, connection_id: str, external_id: str, sku: str, variant_id: str, pack_size: int = 1) -> None:
    """Say that a listing (or, where the channel names none, a SKU) of a channel is our article."""
    key = external_id or f"sku:{sku}"
    changed = tx.execute(
        update(listing)
        .where(listing.c.connection_id == connection_id, listing.c.external_id == key)
        .values(variant_id=variant_id, pack_size=pack_size, stock_rev=listing.c.stock_rev + 1)
        .returning(listing.c.id)
    ).first()
    if changed is None:
        row = {"id": new_id(), "connection_id": connection_id, "external_id": key, "sku": sku}
        insert_new(
            tx, listing, [row | {"variant_id": variant_id, "pack_size": pack_size, "stock_rev": 1}], listing.c.id
        )


def locations_by_external(tx: Tx, connection_id: str, external_ids: Collection[str]) -> dict[str, str]:
    """Our location by a connection's own place id."""
    found: dict[str, str] = {}
    for part in chunks(external_ids):
        query = select(external_ref.c.external_id, external_ref.c.entity_id).where(
            external_ref.c.connection_id == connection_id,
            external_ref.c.kind == "location",
            external_ref.c.external_id.in_(part),
        )
        found.update((row[0], row[1]) for row in tx.execute(query))
    return found
