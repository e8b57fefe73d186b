"""From label requests to EasyPost's shipments and back. Pure: no calls, no clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from connectors.carriers.easypost.customs import customs_info, needs_customs
from connectors.carriers.easypost.units import inches, minor, number, ounces
from hub.domain.documents import Address
from hub.domain.shipping import Label, LabelRequest, Rate
from hub.sdk import errors

MEDIA_TYPES = {"PDF": "application/pdf", "PNG": "image/png", "ZPL": "application/zpl"}
URL_OF = {"PDF": "label_pdf_url", "ZPL": "label_zpl_url"}
GIVEN_BACK = frozenset({"submitted", "refunded"})
# Rates grow stale and carriers then refuse them; a shipment younger than this is still good to buy.
GOOD_TO_BUY = timedelta(hours=24)

Json = Mapping[str, Any]


def shipment_body(request: LabelRequest, config: Json, label_format: str, *, reference: str = "") -> dict[str, Any]:
    """The body that creates a shipment.

    Raises Rejected naming the missing field, and ConfigInvalid when customs have nobody to sign, before any call.
    """
    shipment: dict[str, Any] = {
        "from_address": _address(request.ship_from, "ship_from"),
        "to_address": _address(request.ship_to, "ship_to"),
        "parcel": _parcel(request),
        "options": {"label_format": label_format},
    }
    if needs_customs(request.ship_from, request.ship_to):
        signer, exemption = str(config.get("customs_signer", "")), str(config.get("eel_pfc", ""))
        shipment["customs_info"] = customs_info(request, signer, exemption)
    if accounts := config.get("carrier_accounts"):
        shipment["carrier_accounts"] = list(accounts)
    if reference:
        shipment["reference"] = reference
    return {"shipment": shipment}


def _address(address: Address, name: str) -> dict[str, Any]:
    for field, value in (("line1", address.line1), ("city", address.city), ("country", address.country)):
        if not value:
            raise errors.Rejected(f"the {name} address has no {field}", field=f"{name}.{field}")
    if not (address.name or address.company):
        raise errors.Rejected(f"the {name} address has neither a name nor a company", field=f"{name}.name")
    fields = {
        "name": address.name,
        "company": address.company,
        "street1": address.line1,
        "street2": ", ".join(line for line in (address.line2, address.line3) if line),
        "city": address.city,
        "state": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "phone": address.phone,
        "email": address.email,
    }
    return {key: value for key, value in fields.items() if value}


def _parcel(request: LabelRequest) -> dict[str, Any]:
    if request.weight_g <= 0:
        raise errors.Rejected("the parcel has no weight", field="weight_g")
    parcel = {"weight": number(ounces(request.weight_g))}
    if request.dimensions:
        parcel["length"] = number(inches(request.dimensions.length_mm))
        parcel["width"] = number(inches(request.dimensions.width_mm))
        parcel["height"] = number(inches(request.dimensions.height_mm))
    return parcel


def is_bought(shipment: Json) -> bool:
    """Whether a shipment carries a label that was not given back."""
    return bool(shipment.get("postage_label")) and shipment.get("refund_status") not in GIVEN_BACK


def can_be_bought(shipment: Json, wanted: Json, now: datetime) -> bool:
    """Whether an earlier shipment of the same reference can be bought instead of making a second one.

    It must have no label, be young enough for its rates to hold, and describe the same parcel to the same place.
    """
    if shipment.get("postage_label") or now - datetime.fromisoformat(shipment["created_at"]) > GOOD_TO_BUY:
        return False
    there, parcel = shipment["to_address"], shipment["parcel"]
    same_place = all(_plain(there.get(key)) == _plain(wanted["to_address"].get(key)) for key in ("zip", "country"))
    return same_place and all(_same_number(parcel.get(key), value) for key, value in wanted["parcel"].items())


def _plain(text: object) -> str:
    return "".join(str(text or "").split()).upper()


def _same_number(one: object, other: object) -> bool:
    return one is not None and Decimal(str(one)) == Decimal(str(other))


def rates(shipment: Json) -> list[Rate]:
    """All rates of a shipment, cheapest first."""
    return [_rate(rate) for rate in sorted(shipment["rates"], key=lambda rate: Decimal(rate["rate"]))]


def _rate(rate: Json) -> Rate:
    return Rate(
        ref=rate["id"],
        carrier=rate["carrier"],
        service=rate["service"],
        amount_minor=minor(rate["rate"], rate["currency"], "rates[].rate"),
        currency=rate["currency"],
        days=rate.get("delivery_days") or rate.get("est_delivery_days"),
    )


def choose_rate(shipment: Json, request: LabelRequest) -> Rate:
    """The cheapest rate of the carrier and service asked for.

    Rates in several currencies cannot be compared, so the request's currency is preferred. Raises Rejected naming
    what there is instead.
    """
    fitting = [
        rate
        for rate in shipment["rates"]
        if _asked(request.carrier, rate["carrier"]) and _asked(request.service, rate["service"])
    ]
    if len({rate["currency"] for rate in fitting}) > 1:
        fitting = [rate for rate in fitting if rate["currency"] == request.currency]
    if not fitting:
        raise errors.Rejected(
            _nothing_fits(shipment, request), vendor_code="SHIPMENT.RATES.UNAVAILABLE", field="service"
        )
    return _rate(min(fitting, key=lambda rate: Decimal(rate["rate"])))


def _asked(wanted: str | None, given: str) -> bool:
    return not wanted or wanted.casefold() == given.casefold()


def _nothing_fits(shipment: Json, request: LabelRequest) -> str:
    asked = " ".join(part for part in (request.carrier, request.service) if part) or "any service"
    offered = sorted({f"{rate['carrier']} {rate['service']} ({rate['currency']})" for rate in shipment["rates"]})
    said = [
        str(message.get("message", "")) for message in shipment.get("messages") or () if isinstance(message, Mapping)
    ]
    told = f"; carriers said: {'; '.join(said)}" if said else ""
    return f"no rate for {asked}; available: {', '.join(offered) or 'none'}{told}"


def label_url(shipment: Json, label_format: str) -> str | None:
    """Where the label lies in the wanted format, or None when it must be converted first."""
    label = shipment["postage_label"]
    if label.get("label_file_type") == MEDIA_TYPES[label_format]:
        return str(label["label_url"])
    return label.get(URL_OF.get(label_format, "")) or None


def bought_format(shipment: Json) -> str:
    """The format that was asked for when the shipment was made; PNG where nobody asked."""
    asked = str((shipment.get("options") or {}).get("label_format") or "PNG").upper()
    return asked if asked in MEDIA_TYPES else "PNG"


def looks_like(label: bytes, label_format: str) -> bool:
    """Whether the bytes begin as a file of that format does."""
    match label_format:
        case "PDF":
            return label.startswith(b"%PDF-")
        case "PNG":
            return label.startswith(b"\x89PNG\r\n\x1a\n")
        case _:
            return b"^XA" in label[:256]


def label_of(shipment: Json, label_format: str, url: str | None, content: bytes) -> Label:
    """The label of a bought shipment; `amount_minor` is the postage, without EasyPost's own fees."""
    rate, tracker = shipment["selected_rate"], shipment.get("tracker") or {}
    return Label(
        ref=shipment["id"],
        carrier=rate["carrier"],
        service=rate["service"],
        tracking_number=shipment["tracking_code"],
        amount_minor=minor(rate["rate"], rate["currency"], "selected_rate.rate"),
        currency=rate["currency"],
        label_format=label_format,
        label=content,
        label_url=url,
        tracking_url=tracker.get("public_url"),
        tracker_ref=tracker.get("id"),
    )


def revision(tracker: Json) -> str:
    """`updated_at` as UTC with microseconds, so that revisions compare as text."""
    at = datetime.fromisoformat(tracker["updated_at"]).astimezone(UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


# The field map of trackers needs nothing beyond the built-in transforms.
TRANSFORMS: dict[str, Callable[..., Any]] = {}
