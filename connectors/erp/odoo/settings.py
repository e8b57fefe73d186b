"""What a person fills in to connect an Odoo."""

from __future__ import annotations

from typing import Any

PRODUCT_SETTINGS = {
    "shipping": "shipping_product",
    "fee": "fee_product",
    "discount": "discount_product",
    "tax": "tax_product",
    "rounding": "rounding_product",
}


def _product(title: str, what: str, order: int) -> dict[str, Any]:
    return {
        "type": "string",
        "title": title,
        "description": f"Internal reference (default_code) of the service product that {what}.",
        "minLength": 1,
        "x-hub": {"order": order, "group": "Products"},
    }


CONFIG_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["base_url", "database", "api_key"],
    "properties": {
        "base_url": {
            "type": "string",
            "title": "Address",
            "description": "Where your Odoo answers, such as https://erp.example.com, without a path.",
            "pattern": "^https?://[^/]+/?$",
            "x-hub": {"order": 1, "help": "A private address must be allowed by an administrator first."},
        },
        "database": {
            "type": "string",
            "title": "Database",
            "description": "Name of the database, as the database chooser shows it.",
            "minLength": 1,
            "x-hub": {"order": 2},
        },
        "protocol": {
            "type": "string",
            "title": "Protocol",
            "description": "json2 for Odoo 19 and later, xmlrpc for Odoo 14 to 18.",
            "enum": ["json2", "xmlrpc"],
            "default": "json2",
            "x-hub": {"order": 3},
        },
        "api_key": {
            "type": "string",
            "title": "API key",
            "description": "Key of a user made for the hub: Preferences, Account Security, New API Key.",
            "writeOnly": True,
            "minLength": 1,
            "x-hub": {"order": 4, "help": "Odoo lets a key live three months at most; note the day to renew it."},
        },
        "login": {
            "type": "string",
            "title": "Login",
            "description": "Login of the key's user. Needed for XML-RPC only.",
            "x-hub": {"order": 5},
        },
        "company": {
            "type": "integer",
            "title": "Company",
            "description": "Id of the company to post to; needed where the database has several.",
            "minimum": 1,
            "x-hub": {"order": 6},
        },
        "tax_policy": {
            "type": "string",
            "title": "Taxes",
            "description": (
                "line: the channel's taxes are posted as they are, on lines of the tax product; Odoo computes none. "
                "mapped: lines carry Odoo's taxes by the tax map, and Odoo computes them."
            ),
            "enum": ["line", "mapped"],
            "default": "line",
            "x-hub": {"order": 10, "group": "Taxes", "help": "Choose mapped when tax returns are made in Odoo."},
        },
        "tax_map": {
            "type": "object",
            "title": "Tax map",
            "description": 'Rate to id of the sales tax: {"0.19": 3}; "0.19 included" for prices with the tax inside.',
            "propertyNames": {"pattern": "^[0-9]+(\\.[0-9]+)?( included)?$"},
            "additionalProperties": {"type": "integer", "minimum": 1, "title": "Tax id", "description": "account.tax"},
            "x-hub": {"order": 11, "group": "Taxes"},
        },
        "shipping_product": _product("Shipping product", "shipping charges are posted on", 20),
        "fee_product": _product("Fee product", "fees, duties and tips are posted on", 21),
        "discount_product": _product("Discount product", "discounts of the whole order are posted on", 22),
        "tax_product": _product("Tax product", "the channel's taxes are posted on", 23),
        "rounding_product": _product("Rounding product", "takes a difference of cents in computed taxes", 24),
        "pricelists": {
            "type": "object",
            "title": "Pricelists",
            "description": 'Currency to id of the pricelist: {"USD": 4}. Without it the first one in that currency.',
            "propertyNames": {"pattern": "^[A-Z]{3}$"},
            "additionalProperties": {
                "type": "integer",
                "minimum": 1,
                "title": "Pricelist id",
                "description": "product.pricelist",
            },
            "x-hub": {"order": 30, "group": "Documents"},
        },
        "team": {
            "type": "integer",
            "title": "Sales team",
            "description": "Id of the sales team that documents belong to.",
            "minimum": 1,
            "x-hub": {"order": 31, "group": "Documents"},
        },
        "journal": {
            "type": "integer",
            "title": "Journal",
            "description": "Id of the sales journal for invoices; without it Odoo's default.",
            "minimum": 1,
            "x-hub": {"order": 32, "group": "Documents"},
        },
        "post_invoices": {
            "type": "boolean",
            "title": "Post invoices",
            "description": "Post invoices at once; when off they stay drafts for the accountant.",
            "default": True,
            "x-hub": {"order": 33, "group": "Documents"},
        },
    },
    "if": {"properties": {"protocol": {"const": "xmlrpc"}}, "required": ["protocol"]},
    "then": {"required": ["login"]},
}
