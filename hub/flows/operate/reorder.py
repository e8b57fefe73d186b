"""Drafts from reorder proposals: a purchase order for each supplier, a transfer for each source."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain.money import to_decimal
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.purchasing import Wanted, draft_purchase
from hub.flows.operate.transfers import create_transfer
from hub.flows.runtime import Runtime
from hub.store import catalog, suppliers
from hub.store.suppliers import Item


@dataclass(frozen=True, slots=True)
class Drafts:
    """Numbers of the drafts that were written, and what is to be thought of before they are sent."""

    numbers: tuple[str, ...]
    warnings: tuple[str, ...] = ()


def draft_purchases(runtime: Runtime, units: Mapping[str, int], location: str, *, person: str, key: str = "") -> Drafts:
    """Draft what to buy, units by SKU, at the supplier where each article is bought. Raises NotDoneError.

    The same `key` makes the drafts once. A draft below a supplier's least order value is written with a warning.
    """
    if not units:
        raise NotDoneError("choose at least one article")
    with runtime.db.read() as tx:
        known = catalog.variants_by_sku(tx, units)
        items, sellers = suppliers.best_items(tx), {one.id: one for one in suppliers.every(tx)}
    if homeless := sorted(sku for sku in units if known.get(sku) not in items):
        raise NotDoneError(f"nobody is known to sell {', '.join(homeless)}; enter it at a supplier first")
    by_supplier: dict[str, list[Item]] = defaultdict(list)
    for sku in sorted(units):
        item = items[known[sku]]
        by_supplier[item.supplier_id].append(item)
    numbers, warnings = list[str](), list[str]()
    for supplier_id, wanted in by_supplier.items():
        seller = sellers[supplier_id]
        lines = [Wanted(one.sku, units[one.sku], one.cost_minor) for one in wanted]
        own = f"{key}:{seller.code}" if key else ""
        note = "From reorder proposals."
        numbers.append(draft_purchase(runtime, seller.code, location, lines, person=person, note=note, key=own))
        total = sum(units[one.sku] * one.cost_minor for one in wanted)
        if total < seller.min_order_minor:
            least, now = (to_decimal(amount, seller.currency) for amount in (seller.min_order_minor, total))
            warnings.append(f"{numbers[-1]} is worth {now} {seller.currency}; {seller.code} takes {least} and more.")
    return Drafts(tuple(numbers), tuple(warnings))


def draft_transfers(
    runtime: Runtime, units: Mapping[tuple[str, str], int], location: str, *, person: str, key: str = ""
) -> Drafts:
    """Draft what to move to a location, units by (source, SKU). Raises NotDoneError. The same `key` does it once."""
    if not units:
        raise NotDoneError("choose at least one article")
    by_source: dict[str, dict[str, int]] = defaultdict(dict)
    for (source, sku), count in sorted(units.items()):
        by_source[source][sku] = count
    numbers = [
        create_transfer(
            runtime, source, location, wanted,
            person=person, note="From reorder proposals.", key=f"{key}:{source}" if key else "",
        )
        for source, wanted in by_source.items()
    ]  # fmt: skip
    return Drafts(tuple(numbers))
