"""Customs declarations: when one is needed, and what must be known before EasyPost is asked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from connectors.carriers.easypost.units import number, ounces
from hub.domain import money
from hub.domain.documents import Address
from hub.domain.shipping import LabelRequest, RequestLine
from hub.sdk import errors

# Goods move freely inside the customs union of the EU, so its members count as one country here.
EU = frozenset(
    "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MC MT NL PL PT RO SE SI SK".split()  # noqa: SIM905
)
# The USPS wants a declaration for military addresses and for these territories, although the country is US.
US_WITH_CUSTOMS = frozenset({"AA", "AE", "AP", "AS", "FM", "GU", "MH", "MP", "PW"})
# US exports above this worth per tariff code need an internal transaction number instead of an exemption.
# Source: 15 CFR 30.37(a), 2,500 USD.
EXEMPT_UP_TO = Decimal(2500)


def needs_customs(ship_from: Address, ship_to: Address) -> bool:
    """Whether the parcel crosses a customs border."""
    if ship_from.country != ship_to.country:
        return not (ship_from.country in EU and ship_to.country in EU)
    return ship_to.country == "US" and ship_to.region in US_WITH_CUSTOMS


def customs_info(request: LabelRequest, signer: str, exemption: str) -> dict[str, Any]:
    """The `customs_info` of a shipment.

    Weights and values are those of all units of a line together, as EasyPost wants them. Raises Rejected naming the
    missing field, or ConfigInvalid when nobody is set to sign.
    """
    if not signer:
        raise errors.ConfigInvalid("a parcel across a border needs the name of who signs for customs", "customs_signer")
    if not request.lines:
        raise errors.Rejected("a parcel across a border needs its contents", field="lines")
    return {
        "contents_type": "merchandise",
        "contents_explanation": "",
        "customs_certify": True,
        "customs_signer": signer,
        "eel_pfc": exemption or _exemption(request),
        "non_delivery_option": "return",
        "restriction_type": "none",
        "customs_items": [_item(request, index, line) for index, line in enumerate(request.lines)],
    }


def _exemption(request: LabelRequest) -> str:
    """The exemption code of the US export rules; EasyPost asks every sender for one and ignores it outside the US."""
    if request.ship_from.country == "US" and request.ship_to.country == "CA":
        return "NOEEI 30.36"
    if request.ship_from.country == "US" and request.currency == "USD" and _worth(request.lines) > EXEMPT_UP_TO:
        raise errors.Rejected(
            "exports worth more than 2500 USD per tariff code need an ITN: set the connection's export code (EEL/PFC)",
            field="eel_pfc",
        )
    return "NOEEI 30.37(a)"


def _worth(lines: Sequence[RequestLine]) -> Decimal:
    """The value of the dearest kind of goods: the rule counts all articles of one tariff code together."""
    of_code: dict[str | None, int] = {}
    for line in lines:
        of_code[line.hs_code] = of_code.get(line.hs_code, 0) + line.price_minor * line.quantity
    return Decimal(money.to_decimal(max(of_code.values()), "USD"))


def _item(request: LabelRequest, index: int, line: RequestLine) -> dict[str, Any]:
    code = "".join(character for character in line.hs_code or "" if character.isdigit())
    _require(index, line, "hs_code", present=bool(code), what="a tariff code (HS)")
    _require(index, line, "origin_country", present=bool(line.origin_country), what="a country of origin")
    _require(index, line, "weight_g", present=bool(line.weight_g), what="a weight")
    _require(index, line, "price_minor", present=line.price_minor > 0, what="a value")
    item = {
        "description": line.title or line.sku,
        "quantity": line.quantity,
        "weight": number(ounces((line.weight_g or 0) * line.quantity)),
        "value": number(Decimal(money.to_decimal(line.price_minor * line.quantity, request.currency))),
        "hs_tariff_number": code,
        "origin_country": line.origin_country,
    }
    return item if request.currency == "USD" else {**item, "currency": request.currency}


def _require(index: int, line: RequestLine, name: str, *, present: bool, what: str) -> None:
    if not present:
        raise errors.Rejected(f"customs: {line.sku} has no {what}", field=f"lines[{index}].{name}")
