"""The settings of an EasyPost connection."""

from __future__ import annotations

from typing import Any

CONFIG_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "additionalProperties": False,
    "required": ["api_key"],
    "properties": {
        "api_key": {
            "type": "string",
            "minLength": 1,
            "title": "API key",
            "description": "A production key (EZAK...) buys real labels, a test key (EZTK...) free ones.",
            "writeOnly": True,
            "x-hub": {"order": 1, "help": "EasyPost dashboard, Account Settings, API Keys."},
        },
        "webhook_secret": {
            "type": "string",
            "minLength": 16,
            "title": "Webhook secret",
            "description": "Any long random text; EasyPost signs its deliveries with it.",
            "writeOnly": True,
            "x-hub": {"order": 2, "help": "After changing it, remove the webhook and let it be made again."},
        },
        "label_format": {
            "type": "string",
            "enum": ["PDF", "PNG", "ZPL"],
            "default": "PDF",
            "title": "Label format",
            "description": "What your printer takes. A request for PNG or ZPL goes before this.",
            "x-hub": {"order": 3, "help": "ZPL for thermal label printers, PDF for all others."},
        },
        "carrier_accounts": {
            "type": "array",
            "items": {"type": "string", "pattern": "^ca_"},
            "maxItems": 60,
            "uniqueItems": True,
            "title": "Carrier accounts",
            "description": "Ids (ca_...) of the only carrier accounts to use; empty uses all of them.",
            "x-hub": {"order": 4, "help": "EasyPost dashboard, Carriers."},
        },
        "customs_signer": {
            "type": "string",
            "title": "Customs signer",
            "description": "Name of the person who signs customs declarations.",
            "x-hub": {"order": 5, "group": "Customs", "help": "Needed for parcels across a customs border."},
        },
        "eel_pfc": {
            "type": "string",
            "title": "Export code (EEL/PFC)",
            "description": "Exemption legend or ITN for exports from the USA; empty chooses the usual exemption.",
            "x-hub": {"order": 6, "group": "Customs"},
        },
        "base_url": {
            "type": "string",
            "format": "uri",
            "title": "API address",
            "description": "Another address for the API, such as that of a sandbox; without /v2.",
            "x-hub": {"order": 7, "group": "Advanced"},
        },
    },
}
