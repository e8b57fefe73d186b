"""What a person fills in to connect a ShipHero account."""

from __future__ import annotations

from typing import Any

CONFIG_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["refresh_token", "shop_name"],
    "additionalProperties": False,
    "properties": {
        "refresh_token": {
            "type": "string",
            "title": "Refresh token",
            "description": "Long-lived token of a developer user, from which access tokens are made.",
            "minLength": 1,
            "writeOnly": True,
            "format": "password",
            "x-hub": {"order": 1, "help": "ShipHero: My Account, Third-Party Developers, Add developer."},
        },
        "shop_name": {
            "type": "string",
            "title": "Shop name",
            "description": "Name under which this hub's orders and webhooks stand in ShipHero.",
            "minLength": 1,
            "examples": ["demo"],
            "x-hub": {"order": 2, "help": "Use one name per hub: webhooks are known by it."},
        },
        "default_warehouse": {
            "type": "string",
            "title": "Default warehouse",
            "description": "ShipHero id of the warehouse for locations that name none.",
            "examples": ["V2FyZWhvdXNlOjEx"],
            "x-hub": {"order": 3, "help": "The id, not the number: the hub lists the warehouses once connected."},
        },
        "default_shipping": {
            "type": "string",
            "title": "Default shipping",
            "description": 'Shipping title for orders without a service; "carrier/method" names both outright.',
            "default": "Standard",
            "x-hub": {"order": 4, "help": "Map the title to a method in ShipHero under Shipping Methods."},
        },
        "customer_account_id": {
            "type": "string",
            "title": "Customer account",
            "description": "Account of the 3PL's customer to act for.",
            "x-hub": {"order": 5, "group": "3PL", "help": "Only for 3PLs that connect with their own user."},
        },
        "webhook_secret": {
            "type": "string",
            "title": "Webhook secret",
            "description": "Signing secret of a webhook that was registered by hand.",
            "writeOnly": True,
            "format": "password",
            "x-hub": {"order": 6, "group": "Webhooks", "help": "Empty when the hub registers the webhooks."},
        },
        "base_url": {
            "type": "string",
            "title": "API address",
            "description": "Another address of the API and of its token endpoint, for sandboxes.",
            "format": "uri",
            "x-hub": {"order": 7, "group": "Advanced"},
        },
    },
}
