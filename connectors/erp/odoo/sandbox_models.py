"""Odoo's models as far as the connector meets them, and what Odoo refuses in its own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """A field: `kind` is Odoo's type, `model` what it points to, `inverse` the field that a one2many mirrors."""

    kind: str
    model: str = ""
    inverse: str = ""
    required: bool = False
    default: Any = None


class OdooError(Exception):
    """Something that Odoo refuses: the exception's name there, and the HTTP status that it becomes."""

    def __init__(self, name: str, message: str, status: int) -> None:
        super().__init__(message)
        self.name, self.status = name, status


def user_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.UserError", message, 422)


def validation_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.ValidationError", message, 422)


def access_error(message: str) -> OdooError:
    return OdooError("odoo.exceptions.AccessError", message, 403)


def value_error(message: str) -> OdooError:
    return OdooError("builtins.ValueError", message, 500)


def _char(*, required: bool = False, default: Any = None) -> Field:
    return Field("char", required=required, default=default)


def _link(model: str, *, required: bool = False, default: Any = None) -> Field:
    return Field("many2one", model, required=required, default=default)


def _flag(*, default: bool = True) -> Field:
    return Field("boolean", default=default)


def _many(model: str, inverse: str) -> Field:
    return Field("one2many", model, inverse)


def _set(model: str) -> Field:
    return Field("many2many", model, default=())


def _float(default: float = 0.0) -> Field:
    return Field("float", default=default)


def models(version: tuple[int, int]) -> dict[str, dict[str, Field]]:
    """Fields per model in a version of Odoo."""
    sale_tax = "tax_ids" if version >= (18, 1) else "tax_id"
    known: dict[str, dict[str, Field]] = {
        "res.users": {"name": _char(), "login": _char()},
        "res.company": {"name": _char(required=True), "currency_id": _link("res.currency", required=True)},
        "res.currency": {
            "name": _char(required=True),
            "active": _flag(),
            "decimal_places": Field("integer", default=2),
        },
        "res.country": {"name": _char(required=True), "code": _char(required=True)},
        "res.country.state": {
            "name": _char(required=True),
            "code": _char(required=True),
            "country_id": _link("res.country", required=True),
        },
        "res.partner": {
            **{name: _char() for name in ("name", "email", "phone", "ref", "company_name")},
            **{name: _char() for name in ("street", "street2", "city", "zip")},
            "type": _char(default="contact"),
            "active": _flag(),
            "parent_id": _link("res.partner"),
            "country_id": _link("res.country"),
            "state_id": _link("res.country.state"),
            "company_id": _link("res.company"),
        },
        "product.pricelist": {
            "name": _char(required=True),
            "active": _flag(),
            "currency_id": _link("res.currency", required=True),
        },
        "product.template": {"name": _char(required=True)},
        "product.product": {
            "product_tmpl_id": _link("product.template", required=True),
            **{name: _char() for name in ("name", "default_code", "barcode")},
            "lst_price": _float(),
            "weight": _float(),
            "currency_id": _link("res.currency", default=1),
            "active": _flag(),
            "sale_ok": _flag(),
            "type": _char(default="consu"),
            "taxes_id": _set("account.tax"),
            **({"is_storable": _flag()} if version >= (18, 0) else {}),
        },
        "account.tax": {
            "name": _char(required=True),
            "amount": _float(),
            "amount_type": _char(default="percent"),
            "type_tax_use": _char(default="sale"),
            "price_include": _flag(default=False),
            "active": _flag(),
        },
        "stock.location": {
            "name": _char(required=True),
            "complete_name": _char(required=True),
            "usage": _char(default="internal"),
            "active": _flag(),
        },
        "stock.quant": {
            "product_id": _link("product.product", required=True),
            "location_id": _link("stock.location", required=True),
            "lot_id": _char(),
            "quantity": _float(),
            "reserved_quantity": _float(),
        },
        "stock.move.line": {
            "product_id": _link("product.product", required=True),
            "location_id": _link("stock.location", required=True),
            "location_dest_id": _link("stock.location", required=True),
            "quantity": _float(),
            "state": _char(default="done"),
        },
        "sale.order": {
            **{name: _char() for name in ("name", "client_order_ref", "origin", "date_order")},
            "state": _char(default="draft"),
            "partner_id": _link("res.partner", required=True),
            "partner_invoice_id": _link("res.partner"),
            "partner_shipping_id": _link("res.partner"),
            "pricelist_id": _link("product.pricelist"),
            "currency_id": _link("res.currency"),
            "company_id": _link("res.company", default=1),
            "team_id": Field("integer"),
            "order_line": _many("sale.order.line", "order_id"),
            **{name: Field("computed") for name in ("amount_untaxed", "amount_tax", "amount_total")},
        },
        "sale.order.line": {
            "order_id": _link("sale.order", required=True),
            "product_id": _link("product.product", required=True),
            "name": _char(),
            "product_uom_qty": _float(1.0),
            "price_unit": _float(),
            "discount": _float(),
            sale_tax: _set("account.tax"),
            "qty_invoiced": Field("computed"),
        },
        "account.move": {
            **{name: _char() for name in ("name", "ref", "invoice_origin", "invoice_date")},
            "state": _char(default="draft"),
            "move_type": _char(default="entry"),
            "partner_id": _link("res.partner"),
            "partner_shipping_id": _link("res.partner"),
            "currency_id": _link("res.currency", default=1),
            "journal_id": Field("integer"),
            "company_id": _link("res.company", default=1),
            "team_id": Field("integer"),
            "invoice_line_ids": _many("account.move.line", "move_id"),
            **{name: Field("computed") for name in ("amount_untaxed", "amount_tax", "amount_total")},
        },
        "account.move.line": {
            "move_id": _link("account.move", required=True),
            "product_id": _link("product.product"),
            "name": _char(),
            "quantity": _float(1.0),
            "price_unit": _float(),
            "discount": _float(),
            "tax_ids": _set("account.tax"),
            "sale_line_ids": _set("sale.order.line"),
        },
    }
    for fields in known.values():
        fields |= {"id": Field("integer"), "display_name": Field("computed"), "write_date": Field("datetime")}
    return known
