"""Suppliers, what they sell, and how each article is kept in stock."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hub.domain.money import exponent
from hub.domain.purchasing import MOST_COST_MINOR
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.runtime import Runtime
from hub.store import catalog, events, suppliers
from hub.store.database import Tx
from hub.store.suppliers import Policy, Supplier, UnknownSupplierError

CHANGEABLE = ("name", "email", "lead_time_days", "review_days", "min_order_minor", "note", "active")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")  # of suppliers and purchase orders: they stand in addresses
MOST_DAYS = 730


@dataclass(frozen=True, slots=True)
class Offer:
    """An article as a supplier sells it; `cost_minor` per unit, in the supplier's currency."""

    sku: str
    cost_minor: int = 0
    pack_size: int = 1
    min_quantity: int = 0
    supplier_sku: str = ""
    lead_time_days: int | None = None  # None: the supplier's
    preferred: bool = False


def add_supplier(runtime: Runtime, code: str, *, currency: str, person: str, **values: Any) -> str:
    """A new supplier; returns its id. `values` are those of CHANGEABLE. Raises NotDoneError."""
    code, currency, now = code.strip(), currency.strip().upper(), runtime.clock()
    if not NAME.fullmatch(code):
        raise NotDoneError("a code has up to 40 letters, digits, -, _ or ., such as ACME")
    try:
        exponent(currency)
    except ValueError as error:
        raise NotDoneError(f"{currency!r} is no currency; write its three letters, such as EUR") from error
    _check_days(values)
    with runtime.db.begin() as tx:
        made = suppliers.add(tx, now, code=code, currency=currency, **{"name": code, **values})
        if made is None:
            raise NotDoneError(f"there is a supplier {code!r} already")
        events.tell(tx, ("supplier", made), "added", actor(person), f"The supplier {code} was added.", now)
    return made


def change_supplier(runtime: Runtime, key: str, values: Mapping[str, Any], *, person: str) -> None:
    """Change a supplier, by code or id. Raises NotDoneError."""
    if unknown := sorted(set(values) - set(CHANGEABLE)):
        raise NotDoneError(f"a supplier's {', '.join(unknown)} cannot be changed")
    _check_days(values)
    with runtime.db.begin() as tx:
        found = supplier_of(tx, key)
        news = {name: value for name, value in values.items() if getattr(found, name) != value}
        if news:
            suppliers.change(tx, found.id, news)
            said = f"Changed: {', '.join(name.replace('_', ' ') for name in sorted(news))}."
            events.tell(tx, ("supplier", found.id), "changed", actor(person), said, runtime.clock())


def _check_days(values: Mapping[str, Any]) -> None:
    for name in ("lead_time_days", "review_days"):
        least = 1 if name == "review_days" else 0
        if not least <= values.get(name, least) <= MOST_DAYS:
            raise NotDoneError(f"{name.replace('_', ' ')} are {least} to {MOST_DAYS}")
    if not 0 <= values.get("min_order_minor", 0) <= MOST_COST_MINOR:
        raise NotDoneError(f"the least order value is 0 to {MOST_COST_MINOR:,} minor units")


def supplier_of(tx: Tx, key: str) -> Supplier:
    """One supplier by code or id. Raises NotDoneError."""
    try:
        return suppliers.get(tx, key)
    except UnknownSupplierError as error:
        raise NotDoneError(str(error)) from error


def set_offers(runtime: Runtime, key: str, offers: Sequence[Offer], *, person: str) -> dict[str, str]:
    """Say what a supplier sells and for how much; returns why each SKU that was left out was. Raises NotDoneError.

    Articles of the supplier that are not named stay as they are.
    """
    with runtime.db.begin() as tx:
        found = supplier_of(tx, key)
        known = catalog.variants_by_sku(tx, {one.sku for one in offers})
        wrong = {one.sku: words for one in offers if (words := _wrong(one, known))}
        good = {one.sku: one for one in offers if one.sku not in wrong}
        suppliers.set_items(tx, found.id, [_row(one, known[one.sku]) for one in good.values()])
        if good:
            said = f"{len(good)} articles of {found.code} were set."
            events.tell(tx, ("supplier", found.id), "offers_set", actor(person), said, runtime.clock())
    return wrong


def _wrong(offer: Offer, known: Mapping[str, str]) -> str:
    if offer.sku not in known:
        return f"There is no article {offer.sku!r}."
    if not 0 <= offer.cost_minor <= MOST_COST_MINOR:
        return f"A unit costs 0 to {MOST_COST_MINOR:,} minor units."
    if not 0 <= offer.min_quantity <= MOST_UNITS or not 1 <= offer.pack_size <= MOST_UNITS:
        return f"The least quantity is 0 to {MOST_UNITS:,} units, and a pack holds 1 to {MOST_UNITS:,}."
    if offer.lead_time_days is not None and not 0 <= offer.lead_time_days <= MOST_DAYS:
        return f"Lead time days are 0 to {MOST_DAYS}."
    return ""


def _row(offer: Offer, variant_id: str) -> dict[str, Any]:
    names = ("supplier_sku", "cost_minor", "pack_size", "min_quantity", "lead_time_days", "preferred")
    return {"variant_id": variant_id, **{name: getattr(offer, name) for name in names}}


def drop_offer(runtime: Runtime, key: str, sku: str, *, person: str) -> bool:
    """The supplier sells an article no more; False when it never did. Raises NotDoneError."""
    with runtime.db.begin() as tx:
        found = supplier_of(tx, key)
        variant_id = catalog.variants_by_sku(tx, [sku]).get(sku, "")
        dropped = suppliers.drop_item(tx, found.id, variant_id)
        if dropped:
            said = f"{found.code} sells {sku} no more."
            events.tell(tx, ("supplier", found.id), "offer_dropped", actor(person), said, runtime.clock())
    return dropped


def set_policy(
    runtime: Runtime,
    sku: str,
    location: str = "",
    *,
    person: str,
    low_threshold: int | None = None,
    reorder_point: int | None = None,
    max_units: int | None = None,
    service_level: int = 95,
) -> None:
    """How an article is kept, everywhere or at one location; what is None is not set. Raises NotDoneError."""
    if any(not 0 <= value <= MOST_UNITS for value in (low_threshold, reorder_point, max_units) if value is not None):
        raise NotDoneError("units are whole and not below zero")
    if not 50 <= service_level <= 99:
        raise NotDoneError("a service level is 50 to 99 percent")
    with runtime.db.begin() as tx:
        variant_id = catalog.variants_by_sku(tx, [sku]).get(sku)
        if variant_id is None:
            raise NotDoneError(f"there is no article {sku!r}")
        place = next((one for one in catalog.locations(tx) if one.code == location), None)
        if location and place is None:
            raise NotDoneError(f"there is no location {location!r}")
        where = place.id if place else None
        policy = Policy(variant_id, where, low_threshold, reorder_point, max_units, service_level)
        suppliers.set_policy(tx, policy, runtime.clock())
        said = f"{sku} is kept differently{f' at {location}' if location else ''}: {_words(policy)}."
        events.tell(tx, ("variant", variant_id), "policy_set", actor(person), said, runtime.clock())


def _words(policy: Policy) -> str:
    parts = (
        ("alert at", policy.low_threshold),
        ("reorder at", policy.reorder_point),
        ("at most", policy.max_units),
        ("service level", policy.service_level),
    )
    return ", ".join(f"{name} {value}" for name, value in parts if value is not None)
