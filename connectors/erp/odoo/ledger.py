"""Posting documents: looked up first, made in one call, checked to the minor unit, then confirmed.

A document carries the hub's reference from the call that makes it, and a draft is never left behind: whoever finds a
draft with the reference sets it right and confirms it. So a lost answer at any point costs a look-up, never a double.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.erp.odoo import lookups, partners
from connectors.erp.odoo.client import Odoo, Row
from connectors.erp.odoo.translate import (
    Charge,
    filled,
    is_mapped,
    link_id,
    mapped_taxes,
    minor,
    number,
    rate_key,
    require_sum,
    tax_totals,
    unit_prices,
)
from hub.domain.ledgers import Posted, Posting
from hub.domain.money import to_decimal
from hub.sdk import errors

TAX_IDS_SINCE = (18, 1)  # sale.order.line.tax_id became tax_ids between Odoo 18 and 19


@dataclass(frozen=True, slots=True)
class Paper:
    """How Odoo keeps one kind of document."""

    model: str
    reference: str
    lines: str
    quantity: str
    confirm: str
    domain: tuple[tuple[str, str, str], ...] = ()


SALES_ORDER = Paper("sale.order", "client_order_ref", "order_line", "product_uom_qty", "action_confirm")
INVOICE = Paper(
    "account.move", "ref", "invoice_line_ids", "quantity", "action_post", (("move_type", "=", "out_invoice"),)
)
PAPERS = {"sales_order": SALES_ORDER, "invoice": INVOICE}
DRAFT = frozenset({"draft", "sent"})


@dataclass(frozen=True, slots=True)
class Ledger:
    """Odoo's books, with the settings of one connection."""

    odoo: Odoo
    config: Mapping[str, Any]

    def post(self, posting: Posting) -> Posted:
        """Make and confirm a document, or finish or find the one that has its reference. Safe to call twice.

        Raises Rejected when Odoo or its master data says no, or the totals differ; ConfigInvalid for a setting.
        """
        require_sum(posting)
        paper = PAPERS[posting.kind]
        found = self._documents(paper, posting.reference)
        if not found:
            return self._confirm(paper, posting, self._make(paper, posting))
        first = found[0]
        if first["state"] == "cancel":
            raise errors.Rejected(f"{first['name']} ({posting.reference}) was cancelled in Odoo", "cancelled")
        if first["state"] in DRAFT and self._total(first, posting) != posting.total_minor:
            charges = self._charges(posting)
            lines = [[5, 0, 0], *self._lines(paper, posting, charges)]
            self.odoo.write(paper.model, [int(first["id"])], {paper.lines: lines})
            first = self._settled(paper, posting, self._reread(paper, posting), charges)
        return self._confirm(paper, posting, first)

    def find(self, reference: str) -> Posted | None:
        """The document with that reference, when it is complete. A draft is not: `post` finds and finishes it."""
        for paper in PAPERS.values():
            for row in self._documents(paper, reference):
                if row["state"] not in DRAFT or self._stays_draft(paper):
                    return posted(row)
        return None

    def _make(self, paper: Paper, posting: Posting) -> Row:
        charges = self._charges(posting)
        values = self._order(posting) if paper is SALES_ORDER else self._invoice(posting)
        values = {**values, paper.reference: posting.reference, paper.lines: self._lines(paper, posting, charges)}
        (made,) = self.odoo.create(paper.model, [values])
        found = self._documents(paper, posting.reference)
        if found and found[0]["id"] != made:
            # Somebody else was quicker with the same reference; the older document counts and ours goes.
            self.odoo.act(paper.model, "unlink", [made])
        return self._settled(paper, posting, self._reread(paper, posting), charges)

    def _settled(self, paper: Paper, posting: Posting, row: Row, charges: Sequence[Charge]) -> Row:
        """The draft with its total as stated: a difference of cents in computed taxes goes on a rounding line."""
        gap = posting.total_minor - self._total(row, posting)
        taxed = sum(1 for charge in charges if charge.taxes)
        if not gap or abs(gap) > taxed or not self.config.get("rounding_product"):
            return row
        product = lookups.products(self.odoo, self.config, (), ("rounding",))[str(self.config["rounding_product"])]
        line = self._line(paper, posting, Charge(product, "Rounding", 1, gap), {})
        self.odoo.write(paper.model, [int(row["id"])], {paper.lines: [line]})
        return self._reread(paper, posting)

    def _confirm(self, paper: Paper, posting: Posting, row: Row) -> Posted:
        total = self._total(row, posting)
        if total != posting.total_minor:
            raise errors.Rejected(
                f"{paper.model} {row['id']} comes to {to_decimal(total, posting.currency)} {posting.currency} in Odoo, "
                f"the document states {to_decimal(posting.total_minor, posting.currency)}",
                "total_differs",
                "total_minor",
            )
        if row["state"] not in DRAFT or self._stays_draft(paper):
            return posted(row)
        self.odoo.act(paper.model, paper.confirm, [int(row["id"])])
        confirmed = self._reread(paper, posting)
        if confirmed["state"] in DRAFT:
            raise errors.Rejected(f"Odoo left {paper.model} {row['id']} in state {confirmed['state']}", "not_confirmed")
        return posted(confirmed)

    def _stays_draft(self, paper: Paper) -> bool:
        return paper is INVOICE and not self.config.get("post_invoices", True)

    def _documents(self, paper: Paper, reference: str) -> list[Row]:
        """Every document with that reference, the oldest first."""
        domain = [[paper.reference, "=", reference], *(list(term) for term in paper.domain)]
        fields = ["name", "state", "amount_total", "currency_id"]
        return self.odoo.search_read(paper.model, domain, fields)

    def _reread(self, paper: Paper, posting: Posting) -> Row:
        found = self._documents(paper, posting.reference)
        if not found:
            raise errors.OutcomeUnknown(f"{paper.model} {posting.reference} was made and is gone")
        return found[0]

    def _total(self, row: Row, posting: Posting) -> int:
        currency = row["currency_id"][1] if row["currency_id"] else ""
        if currency != posting.currency:
            raise errors.Rejected(f"{row['name']} is in {currency or 'no currency'} in Odoo", field="currency")
        return minor(row["amount_total"], posting.currency)

    def _order(self, posting: Posting) -> Row:
        money = lookups.money(self.odoo, self.config, posting.currency)
        who = partners.parties(self.odoo, posting)
        return filled(
            {
                "partner_id": who.customer,
                "partner_invoice_id": who.invoice,
                "partner_shipping_id": who.delivery,
                "pricelist_id": money.pricelist or None,
                "origin": f"{posting.channel} {posting.order_number}".strip(),
                # Noon, so that the day stays the same in every zone that Odoo may show it in.
                "date_order": f"{posting.date} 12:00:00",
                "team_id": self.config.get("team"),
                "company_id": self.config.get("company"),
            }
        )

    def _invoice(self, posting: Posting) -> Row:
        money = lookups.money(self.odoo, self.config, posting.currency)
        order = self._sales_order(posting)
        if order is None:
            who = partners.parties(self.odoo, posting)
            invoice, delivery = who.invoice, who.delivery
        else:
            invoice, delivery = link_id(order["partner_invoice_id"]), link_id(order["partner_shipping_id"])
        return filled(
            {
                "move_type": "out_invoice",
                "partner_id": invoice,
                "partner_shipping_id": delivery,
                "currency_id": money.currency,
                "invoice_origin": order["name"] if order else f"{posting.channel} {posting.order_number}".strip(),
                "invoice_date": posting.date,
                "journal_id": self.config.get("journal"),
                "team_id": self.config.get("team"),
                "company_id": self.config.get("company"),
            }
        )

    def _sales_order(self, posting: Posting) -> Row | None:
        if not posting.order_ref:
            return None
        fields = ["name", "partner_invoice_id", "partner_shipping_id"]
        found = self.odoo.search_read("sale.order", [["id", "=", int(posting.order_ref)]], fields)
        if not found:
            raise errors.Rejected(f"Odoo has no sales order with id {posting.order_ref}", field="order_ref")
        return found[0]

    def _charges(self, posting: Posting) -> list[Charge]:
        """The lines of the document in Odoo. Articles by SKU, all else on the service product of its kind."""
        wanted = lookups.taxes(self.odoo, self.config, posting)
        loose = self._loose_taxes(posting)
        lines = [line for line in posting.lines if line.quantity]
        kinds = {line.kind for line in lines if line.kind != "article"} | ({"tax"} if loose else set())
        skus = {line.sku for line in lines if line.kind == "article"}
        ids = lookups.products(self.odoo, self.config, skus, kinds)
        services = lookups.service_codes(self.config, kinds)
        charges = []
        for line in lines:
            product = ids[services.get(line.kind, line.sku)]
            rates = [rate_key(tax, included=posting.taxes_included) for tax in mapped_taxes([line])] if wanted else []
            taxes = tuple(wanted[rate] for rate in rates)
            charges += [
                Charge(product, line.title or line.sku, units, price, taxes)
                for units, price in unit_prices(line.quantity, line.total_minor)
            ]
        return charges + [Charge(ids[services["tax"]], title, 1, amount) for title, amount in loose]

    def _loose_taxes(self, posting: Posting) -> list[tuple[str, int]]:
        """Taxes that Odoo does not compute and that stand on lines of their own."""
        if posting.taxes_included:
            return []
        mapped = self.config.get("tax_policy", "line") == "mapped"
        taxes = [tax for line in posting.lines for tax in line.taxes]
        return tax_totals([tax for tax in taxes if not (mapped and is_mapped(tax))])

    def _lines(self, paper: Paper, posting: Posting, charges: Sequence[Charge]) -> list[Any]:
        sold = self._sold(posting) if paper is INVOICE else {}
        return [self._line(paper, posting, charge, sold) for charge in charges]

    def _line(
        self, paper: Paper, posting: Posting, charge: Charge, sold: Mapping[tuple[int, float | None], int]
    ) -> list[Any]:
        renamed = paper is SALES_ORDER and self.odoo.version() < TAX_IDS_SINCE
        values: dict[str, Any] = {
            "product_id": charge.product,
            "name": charge.title,
            paper.quantity: charge.units,
            "price_unit": number(charge.unit_minor, posting.currency),
            "discount": 0.0,
            # An empty set is sent too, or Odoo would put the product's default taxes on top.
            "tax_id" if renamed else "tax_ids": [[6, 0, list(charge.taxes)]],
        }
        order_line = sold.get((charge.product, values["price_unit"])) or sold.get((charge.product, None))
        if order_line:
            values["sale_line_ids"] = [[6, 0, [order_line]]]
        return [0, 0, values]

    def _sold(self, posting: Posting) -> dict[tuple[int, float | None], int]:
        """Lines of the sales order by (product, unit price), and by (product, None) whatever the price."""
        if not posting.order_ref:
            return {}
        domain = [["order_id", "=", int(posting.order_ref)], ["product_id", "!=", False]]
        sold: dict[tuple[int, float | None], int] = {}
        for row in self.odoo.search_read("sale.order.line", domain, ["product_id", "price_unit"]):
            product = link_id(row["product_id"])
            sold.setdefault((product, row["price_unit"]), int(row["id"]))
            sold.setdefault((product, None), int(row["id"]))
        return sold


def posted(row: Row) -> Posted:
    """A document as the hub keeps it. A draft invoice has no number yet; people know it by its id."""
    name = row["name"]
    return Posted(str(row["id"]), str(name) if name and name != "/" else f"*{row['id']}")
