"""What is read from Odoo: stock figures, the catalogue, places.

Rows are paged by rising id inside a window of write_date, so a row that changes while pages are read cannot push
another one over a page border; it is read again by the next poll.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from connectors.erp.odoo.client import Domain, Odoo, Row
from connectors.erp.odoo.translate import link_id, revision, stamp
from hub.sdk import Cursor, Page, Place, Record, Window, read_each

Pair = tuple[int, int]  # ids of product.product and stock.location
Figure = tuple[Decimal, Decimal, str]  # units there, units reserved, newest write_date
LEGS = ("quants", "moves")
STORABLE_SINCE = (18, 0)
PRODUCT_FIELDS = (
    "product_tmpl_id", "name", "display_name", "default_code", "barcode", "lst_price", "currency_id", "weight",
    "active", "type", "write_date",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sources:
    """One database, read."""

    odoo: Odoo
    clock: Callable[[], datetime]

    def stock(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Figures per product and internal location, summed over lots, packages and owners.

        Odoo deletes a quant that has reached zero, so changed quants alone would keep quiet about the last unit:
        finished stock moves name the products and places that were emptied.
        """
        reached, after = (cursor["leg"], int(cursor["after"])) if cursor else (LEGS[0], 0)
        for leg in LEGS[LEGS.index(reached) :]:
            for rows in self._changed(leg, window, after if leg == reached else 0):
                yield Page(self._figures(_pairs(leg, rows)), {"v": 1, "leg": leg, "after": int(rows[-1]["id"])})
        yield Page(())

    def items(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Products with all their variants, whenever the product or one variant changed."""
        own, template = _inside(window), _inside(window, "product_tmpl_id.write_date")
        changed = ["|", *["&"] * (len(own) - 1), *own, *["&"] * (len(template) - 1), *template]
        domain = [["sale_ok", "=", True], *changed]
        after = int(cursor["after"]) if cursor else 0
        for rows in self.odoo.pages("product.product", domain, ["product_tmpl_id"], after=after):
            templates = sorted({link_id(row["product_tmpl_id"]) for row in rows})
            yield Page(self._products(templates), {"v": 1, "after": int(rows[-1]["id"])})
        yield Page(())

    def places(self) -> list[Place]:
        """Odoo's internal locations."""
        domain = [["usage", "=", "internal"]]
        rows = self.odoo.search_read("stock.location", domain, ["complete_name", "active"], with_archived=True)
        return [Place(str(row["id"]), str(row["complete_name"]), bool(row["active"])) for row in rows]

    def _changed(self, leg: str, window: Window, after: int) -> Iterator[list[Row]]:
        if leg == "quants":
            domain = [*_inside(window), ["location_id.usage", "=", "internal"]]
            return self.odoo.pages("stock.quant", domain, ["product_id", "location_id", "write_date"], after=after)
        internal = [["location_id.usage", "=", "internal"], ["location_dest_id.usage", "=", "internal"]]
        moved: list[Any] = [*_inside(window), ["state", "=", "done"], "|", *internal]
        fields = ["product_id", "location_id", "location_dest_id", "write_date"]
        return self.odoo.pages("stock.move.line", moved, fields, after=after)

    def _figures(self, changed: Mapping[Pair, str]) -> tuple[Record, ...]:
        ids = sorted({product for product, _ in changed})
        codes = self._names("product.product", [["id", "in", ids]], "default_code")
        places = sorted({place for _, place in changed})
        internal = self._names("stock.location", [["id", "in", places], ["usage", "=", "internal"]], "complete_name")
        totals = self._totals(ids, sorted(internal))
        read_at = self.clock().isoformat()  # a write_date is when a figure began to hold, which may be long ago

        def figure(one: tuple[Pair, str]) -> Record:
            (product, place), changed_at = one
            quantity, reserved, newest = totals.get((product, place), (Decimal(0), Decimal(0), changed_at))
            at = max(changed_at, newest)
            body = {
                "product_id": product,
                "default_code": codes.get(product),
                "location_id": place,
                "location": internal[place],
                "quantity": float(quantity),
                "reserved_quantity": float(reserved),
                "available_quantity": float(quantity - reserved),
                "read_at": read_at,
            }
            # write_date has whole seconds, so two changes within one are told apart by their figures.
            return Record(f"{product}@{place}", body, f"{revision(at)} {quantity:f}/{reserved:f}")

        return read_each([one for one in changed.items() if one[0][1] in internal], figure)

    def _names(self, model: str, domain: Domain, name: str) -> dict[int, str | None]:
        rows = self.odoo.search_read(model, domain, [name], with_archived=True)
        return {int(row["id"]): row[name] or None for row in rows}

    def _totals(self, ids: Sequence[int], places: Sequence[int]) -> dict[Pair, Figure]:
        fields = ["product_id", "location_id", "quantity", "reserved_quantity", "write_date"]
        domain = [["product_id", "in", list(ids)], ["location_id", "in", list(places)]]
        totals: dict[Pair, Figure] = {}
        for row in self.odoo.search_read("stock.quant", domain, fields):
            pair = link_id(row["product_id"]), link_id(row["location_id"])
            quantity, reserved, at = totals.get(pair, (Decimal(0), Decimal(0), ""))
            totals[pair] = (
                quantity + Decimal(repr(row["quantity"])),
                reserved + Decimal(repr(row["reserved_quantity"])),
                max(at, str(row["write_date"])),
            )
        return totals

    def _products(self, templates: Sequence[int]) -> tuple[Record, ...]:
        fields = [*PRODUCT_FIELDS, *(["is_storable"] if self.odoo.version() >= STORABLE_SINCE else [])]
        domain = [["product_tmpl_id", "in", list(templates)]]
        grouped: dict[int, list[Row]] = {}
        for row in self.odoo.search_read("product.product", domain, fields, with_archived=True):
            grouped.setdefault(link_id(row["product_tmpl_id"]), []).append(row)

        def product(one: tuple[int, Sequence[Row]]) -> Record:
            template, variants = one
            newest = max(str(row["write_date"]) for row in variants)
            return Record(str(template), _product(template, variants, newest), revision(newest))

        return read_each(grouped.items(), product)


def _inside(window: Window, name: str = "write_date") -> list[list[str]]:
    """The terms of a domain that hold a time of change inside a window."""
    since = [[name, ">=", stamp(window.start)]] if window.start else []
    return [*since, [name, "<", stamp(window.end)]]


def _product(template: int, variants: Sequence[Row], newest: str) -> dict[str, Any]:
    first = variants[0]
    return {
        "id": template,
        "name": first["name"],
        "type": first["type"],
        "active": any(row["active"] for row in variants),
        "write_date": newest,
        "variants": [_variant(row) for row in variants],
    }


def _variant(row: Row) -> dict[str, Any]:
    """A variant; Odoo's False for an empty field becomes nothing, True and False stay where they mean it."""
    truths = {"active", "is_storable"}
    plain = {name: None if value is False and name not in truths else value for name, value in row.items()}
    plain["currency"] = row["currency_id"][1] if row["currency_id"] else None
    plain["tracked"] = row["is_storable"] if "is_storable" in row else row["type"] == "product"
    return plain


def _pairs(leg: str, rows: Iterable[Row]) -> dict[Pair, str]:
    names = ("location_id",) if leg == "quants" else ("location_id", "location_dest_id")
    pairs: dict[Pair, str] = {}
    for row in rows:
        for name in names:
            pair = link_id(row["product_id"]), link_id(row[name])
            pairs[pair] = max(pairs.get(pair, ""), str(row["write_date"]))
    return pairs
