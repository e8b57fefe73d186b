"""What Amazon's connector says of itself. Rates are those of each operation's usage plan in the vendor's models."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from connectors.marketplaces.amazon.client import is_dead_token
from connectors.marketplaces.amazon.marketplaces import MARKETPLACES
from hub.sdk import Manifest, OAuth2, RateLimit, Stream

CONFIG_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["region", "seller_id", "marketplace_ids", "client_id", "client_secret", "refresh_token"],
    "properties": {
        "region": {
            "type": "string",
            "title": "Region",
            "description": "Where the seller account is: North America, Europe (with India, Gulf, Turkey) or Far East.",
            "enum": ["na", "eu", "fe"],
            "default": "eu",
            "x-hub": {"order": 1},
        },
        "seller_id": {
            "type": "string",
            "title": "Seller ID",
            "description": "The merchant token of the account.",
            "pattern": "^[A-Z0-9]{10,20}$",
            "examples": ["A1EXAMPLESELLER"],
            "x-hub": {"order": 2, "help": "Seller Central, Account info, Business information, Merchant token."},
        },
        "marketplace_ids": {
            "type": "array",
            "title": "Marketplaces",
            "description": "Ids of the marketplaces to sell in; all of one region.",
            "items": {"type": "string", "pattern": "^[A-Z0-9]{10,16}$"},
            "minItems": 1,
            "maxItems": 50,
            "uniqueItems": True,
            "examples": [["A1PA6795UKMFR9", "A1F83G8C2ARO7P"]],
            "x-hub": {
                "order": 3,
                "help": ", ".join(f"{place.country} {code}" for code, place in MARKETPLACES.items()),
            },
        },
        "client_id": {
            "type": "string",
            "title": "LWA client ID",
            "description": "Client identifier of the application, from its Login with Amazon credentials.",
            "minLength": 1,
            "x-hub": {"order": 4, "group": "Login with Amazon"},
        },
        "client_secret": {
            "type": "string",
            "title": "LWA client secret",
            "description": "Secret of the application. Amazon makes you rotate it every 180 days.",
            "writeOnly": True,
            "minLength": 1,
            "x-hub": {"order": 5, "group": "Login with Amazon"},
        },
        "refresh_token": {
            "type": "string",
            "title": "Refresh token",
            "description": "What the seller got when authorising the application.",
            "writeOnly": True,
            "minLength": 1,
            "x-hub": {"order": 6, "group": "Login with Amazon"},
        },
        "base_url": {
            "type": "string",
            "title": "Other address",
            "description": "Address that replaces Amazon's host, the token endpoint's too, for a sandbox.",
            "format": "uri",
            "x-hub": {"order": 7, "group": "Advanced"},
        },
    },
}

MANIFEST = Manifest(
    id="amazon",
    label="Amazon",
    version="0.1.0",
    owner="@orderhub/marketplaces",
    docs_url="https://developer-docs.amazon.com/sp-api/",
    description="Orders, stock, tracking and listings of Amazon seller accounts.",
    category="marketplace",
    config_schema=CONFIG_SCHEMA,
    auth=OAuth2(
        token_url="https://api.amazon.com/auth/o2/token",  # noqa: S106 - an address
        grant="refresh_token",
        client_id="client_id",
        client_secret="client_secret",  # noqa: S106 - the name of a setting
        refresh_token="refresh_token",  # noqa: S106 - the name of a setting
        header="x-amz-access-token",
        prefix="",
        body="form",
        token_url_setting="base_url",  # noqa: S106 - the name of a setting
        expired_when=is_dead_token,
    ),
    streams=(
        Stream(
            "orders",
            "order",
            "marketplaces/amazon/orders.yml",
            polled=True,
            every=timedelta(minutes=5),
            lookback=timedelta(minutes=10),
            lag=timedelta(minutes=3),
        ),
        Stream("orders_v0", "order", "marketplaces/amazon/orders_v0.yml"),
        Stream("products", "product", "marketplaces/amazon/products.yml", polled=True, every=timedelta(hours=6)),
    ),
    rate_limits=(
        RateLimit("orders.search", 0.0056, 20, "GET /orders/2026-01-01/orders"),
        RateLimit("orders.get", 0.5, 30, "GET /orders/2026-01-01/orders/"),
        RateLimit("orders.confirm", 2, 10, "POST /orders/v0/orders/"),
        RateLimit("listings.search", 5, 5, "GET /listings/2021-08-01/items/"),
        RateLimit("listings.patch", 5, 5, "PATCH /listings/2021-08-01/items/"),
        RateLimit("sellers", 0.016, 15, "GET /sellers/v1/marketplaceParticipations"),
    ),
    allowed_hosts=(
        "sellingpartnerapi-na.amazon.com",
        "sellingpartnerapi-eu.amazon.com",
        "sellingpartnerapi-fe.amazon.com",
        "api.amazon.com",
    ),
    idempotency={"confirm": "native", "set_stock": "native"},
    sandbox=True,
)
