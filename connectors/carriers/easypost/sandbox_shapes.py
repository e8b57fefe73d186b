"""The shapes of the sandbox's answers: shipments with their parts, as EasyPost writes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from connectors.carriers.easypost import sandbox_rates
from hub.domain import money

ACCOUNTS = {"USPS": "ca_" + "1" * 32, "UPS": "ca_" + "2" * 32, "DHLExpress": "ca_" + "3" * 32}
ADDRESS_FIELDS = (
    "name", "company", "street1", "street2", "city", "state", "zip", "country", "phone", "email", "carrier_facility",
    "residential", "federal_tax_id", "state_tax_id",
)  # fmt: skip
CUSTOMS_FIELDS = ("contents_explanation", "contents_type", "customs_certify", "customs_signer", "eel_pfc")
ITEM_FIELDS = ("code", "manufacturer", "currency", "eccn", "printed_commodity_identifier")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Maker:
    """Makes things with fresh ids (`new`, by their prefix), dated `now`, priced in `currency`."""

    new: Callable[[str], str]
    now: Callable[[], str]
    currency: str

    def shipment(self, asked: Json) -> Json:
        ref, at = self.new("shp"), self.now()
        ship_from, ship_to = self._address(asked["from_address"]), self._address(asked["to_address"])
        zone = sandbox_rates.zone(ship_from, ship_to)
        customs = asked.get("customs_info")
        missing = zone == 9 and not customs
        return {
            "id": ref,
            "created_at": at,
            "is_return": False,
            "messages": [_no_customs()] if missing else [],
            "mode": "test",
            "options": {"currency": self.currency, "payment": {"type": "SENDER"}, "date_advance": 0}
            | (asked.get("options") or {}),
            "reference": asked.get("reference"),
            "status": "unknown",
            "tracking_code": None,
            "updated_at": at,
            "batch_id": None,
            "batch_status": None,
            "batch_message": None,
            "customs_info": self._customs(customs) if customs else None,
            "from_address": ship_from,
            "insurance": None,
            "order_id": None,
            "parcel": self._parcel(asked["parcel"]),
            "postage_label": None,
            "rates": [] if missing else self._rates(ref, zone, asked),
            "refund_status": None,
            "scan_form": None,
            "selected_rate": None,
            "tracker": None,
            "to_address": ship_to,
            "usps_zone": zone,
            "return_address": ship_from,
            "buyer_address": ship_to,
            "forms": [],
            "fees": [],
            "object": "Shipment",
        }

    def dated(self, kind: str, thing: str) -> Json:
        at = self.now()
        return {"id": self.new(kind), "object": thing, "created_at": at, "updated_at": at, "mode": "test"}

    def _address(self, asked: Json) -> Json:
        given = {key: asked.get(key) for key in ADDRESS_FIELDS}
        return self.dated("adr", "Address") | given | {"country": asked.get("country") or "US", "verifications": {}}

    def _parcel(self, asked: Json) -> Json:
        sizes = {key: asked.get(key) for key in ("length", "width", "height", "predefined_package")}
        return self.dated("prcl", "Parcel") | sizes | {"weight": float(asked["weight"])}

    def _customs(self, asked: Json) -> Json:
        items = [
            self.dated("cstitem", "CustomsItem") | dict.fromkeys(ITEM_FIELDS) | item | {"value": f"{item['value']:.2f}"}
            for item in asked["customs_items"]
        ]
        kept = {key: asked.get(key) for key in (*CUSTOMS_FIELDS, "non_delivery_option", "restriction_type")}
        return self.dated("cstinfo", "CustomsInfo") | kept | {
            "restriction_comments": None, "declaration": None, "customs_items": items,
        }  # fmt: skip

    def _rates(self, shipment: str, zone: int, asked: Json) -> list[Json]:
        accounts = asked.get("carrier_accounts") or list(ACCOUNTS.values())
        return [
            self._rate(shipment, service, amount, days)
            for service, amount, days in sandbox_rates.offers(zone, asked["parcel"]["weight"])
            if ACCOUNTS[service.carrier] in accounts
        ]

    def _rate(self, shipment: str, service: sandbox_rates.Service, amount: int, days: int) -> Json:
        price, list_price = money.to_decimal(amount, self.currency), money.to_decimal(amount * 6 // 5, self.currency)
        return self.dated("rate", "Rate") | {
            "service": service.name,
            "carrier": service.carrier,
            "rate": price,
            "currency": self.currency,
            "retail_rate": list_price,
            "retail_currency": self.currency,
            "list_rate": price,
            "list_currency": self.currency,
            "billing_type": "easypost",
            "delivery_days": days,
            "delivery_date": None,
            "delivery_date_guaranteed": False,
            "est_delivery_days": days,
            "shipment_id": shipment,
            "carrier_account_id": ACCOUNTS[service.carrier],
        }


def fees(rate: Json) -> list[Json]:
    return [
        {"object": "Fee", "type": kind, "amount": amount, "charged": True, "refunded": False}
        for kind, amount in (("LabelFee", "0.00000"), ("PostageFee", f"{rate['rate']}000"))
    ]


def _no_customs() -> Json:
    said = "Customs information is required for shipments between two countries."
    return {"carrier": "USPS", "type": "rate_error", "message": said}
