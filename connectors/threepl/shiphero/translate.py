"""Between the hub's shapes and ShipHero's. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.domain.documents import Address
from hub.domain.money import to_decimal
from hub.domain.shipping import FulfillmentRequest, RequestLine
from hub.sdk import Place

CANCELLED = {"canceled", "cancelled"}
SHIPPED = {"fulfilled"}


def order_input(request: FulfillmentRequest, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The argument of order_create. Number and partner order id are both our number: look-ups use either."""
    address = _address(request.ship_to, request.email)
    wanted: dict[str, Any] = {
        "order_number": request.number,
        "partner_order_id": request.number,
        "shop_name": settings["shop_name"],
        "fulfillment_status": "pending",
        "currency": request.currency,
        "email": request.email,
        "total_price": to_decimal(request.total_minor, request.currency),
        "shipping_lines": _shipping_lines(request.service, settings),
        "shipping_address": address,
        "billing_address": address,
        "line_items": [_line(line, request, settings) for line in request.lines],
        "packing_note": request.note,
        "required_ship_date": _ship_date(request),
        "tags": [tag for tag in ("orderhub", request.channel, request.order_number) if tag],
        "allow_split": False,
        "address_is_business": None if request.ship_to.residential is None else not request.ship_to.residential,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _line(line: RequestLine, request: FulfillmentRequest, settings: Mapping[str, Any]) -> dict[str, Any]:
    price = to_decimal(line.price_minor, request.currency)
    wanted: dict[str, Any] = {
        "sku": line.sku,
        "partner_line_item_id": line.reference,
        "quantity": line.quantity,
        "quantity_pending_fulfillment": line.quantity,
        "price": price,
        "customs_value": price,
        "product_name": line.title or line.sku,
        "warehouse_id": request.warehouse or settings.get("default_warehouse") or None,
        "custom_options": {item.name: item.value for item in line.properties} or None,
    }
    return {name: value for name, value in wanted.items() if value is not None}


def _address(address: Address, email: str | None) -> dict[str, Any]:
    first, _, last = (address.name or "").strip().rpartition(" ")
    street = ", ".join(part for part in (address.line2, address.line3) if part)
    wanted = {
        "first_name": first or last,
        "last_name": last if first else None,
        "company": address.company,
        "address1": address.line1,
        "address2": street,
        "city": address.city,
        "state": address.region,
        "state_code": address.region,
        "zip": address.postal_code,
        "country": address.country,
        "country_code": address.country,
        "phone": address.phone,
        "email": address.email or email,
    }
    return {name: value for name, value in wanted.items() if value}


def _shipping_lines(service: str | None, settings: Mapping[str, Any]) -> dict[str, str]:
    # ShipHero turns the title into a method by the account's own mapping; "carrier/method" names both outright.
    title = service or settings.get("default_shipping") or "Standard"
    carrier, slash, method = title.partition("/")
    if not slash:
        return {"title": title, "price": "0.00"}
    return {"title": title, "price": "0.00", "carrier": carrier.strip(), "method": method.strip()}


def _ship_date(request: FulfillmentRequest) -> str | None:
    # Noon UTC is the same day in every zone that a warehouse stands in, and ShipHero shows the day alone.
    return f"{request.ship_by.date.isoformat()}T12:00:00" if request.ship_by else None


def place(warehouse: Mapping[str, Any]) -> Place:
    """A warehouse as a place; its external id is what `warehouse` of a request must hold."""
    stated = warehouse.get("address") or {}
    country = stated.get("country") or ""
    address = Address(
        name=stated.get("name") or None,
        line1=stated.get("address1") or None,
        line2=stated.get("address2") or None,
        city=stated.get("city") or None,
        region=stated.get("state") or None,
        postal_code=stated.get("zip") or None,
        country=country.upper() if len(country) == 2 else None,
        phone=stated.get("phone") or None,
    )
    return Place(str(warehouse["id"]), str(warehouse.get("identifier") or warehouse["id"]), address=address)


def instant(moment: datetime) -> str:
    """A moment as ShipHero reads and writes it: UTC without saying so, whole seconds."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()


def end_instant(moment: datetime) -> str:
    """The same for the end of a window, rounded up, so that nothing between two seconds is lost."""
    return instant(moment + timedelta(seconds=1) if moment.microsecond else moment)


def stamp(text: str) -> str:
    """ShipHero's time as a mark that sorts as text. Raises ValueError for something that is no time."""
    moment = datetime.fromisoformat(text.strip())
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def shipment_revision(shipment: Mapping[str, Any]) -> str:
    """A mark of a shipment's state. Shipments have no updated-at, so what can only grow is counted behind created-at:
    labels, labels given back, labels collected, labels delivered.
    """
    labels = shipment.get("shipping_labels") or []
    counts = [len(labels)] + [sum(bool(label.get(name)) for label in labels) for name in _GROWING]
    return "-".join([stamp(shipment["created_date"]), *(f"{count:03d}" for count in counts)])


_GROWING = ("refunded", "picked_up", "delivered")


def shipment_status(shipment: Any, _env: Any = None) -> str:
    """Where a shipment is. ShipHero makes one only when goods are packed, so one without more to say has left."""
    labels = shipment.get("shipping_labels") or []
    live = [label for label in labels if not label.get("refunded")]
    if labels and not live:
        return "voided"
    if shipment.get("delivered") or (live and all(label.get("delivered") for label in live)):
        return "delivered"
    if shipment.get("picked_up") or (live and all(label.get("picked_up") for label in live)):
        return "in_transit"
    return "shipped"


def webhook_packages(fulfillment: Any, _env: Any = None) -> list[dict[str, Any]]:
    """Packages of a Shipment Update. Lines name their package; deliveries without the list of packages are one."""
    packages = fulfillment.get("packages") or []
    lines = fulfillment.get("line_items") or []
    if len(packages) <= 1:
        return [_package({**fulfillment, **_stated(packages[0] if packages else {})}, lines)]
    names = [str(package.get("name") or "") for package in packages]
    made = [
        _package(package, package.get("line_items") or [line for line in lines if line.get("package") == name])
        for package, name in zip(packages, names, strict=True)
    ]
    if sum(len(package.get("lines", ())) for package in made) < len(lines):
        raise ValueError(f"lines of packages that are not listed ({', '.join(names)})")
    return made


def _stated(package: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in package.items() if value not in (None, "")}


def _package(package: Mapping[str, Any], lines: list[Mapping[str, Any]]) -> dict[str, Any]:
    label = package.get("shipping_label") or {}
    wanted = {
        "external_id": package.get("shipping_label_uuid") or label.get("id"),
        "tracking_number": package.get("tracking_number"),
        "tracking_url": package.get("tracking_url") or label.get("tracking_url") or package.get("custom_tracking_url"),
        "carrier": package.get("shipping_carrier") or package.get("carrier"),
        "service": package.get("shipping_method"),
        "lines": [_package_line(line) for line in lines if int(line.get("quantity") or 0) > 0],
    }
    made = {name: value for name, value in wanted.items() if value}
    return {name: str(value) if name != "lines" else value for name, value in made.items()}


def _package_line(line: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {
        "reference": line.get("id") or line.get("partner_line_item_id"),
        "external_id": line.get("shiphero_id"),
        "sku": line.get("sku"),
    }
    return {
        **{name: str(value) for name, value in wanted.items() if value not in (None, "")},
        "quantity": int(line["quantity"]),
    }


def level_id(level: Any, _env: Any = None) -> str:
    """The id of a stock figure, polled or told: the article at the place."""
    place = level.get("updated_warehouse") or {}
    return f"{place.get('warehouse_uuid') or level['warehouse_id']}:{level['sku']}"


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "level_id": level_id,
    "shipment_status": shipment_status,
    "webhook_packages": webhook_packages,
}
