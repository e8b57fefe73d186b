"""The warehouse behind the sandbox: articles on shelves, orders, and what people there do with them.

Things are kept in the shape of ShipHero's GraphQL answers; lists that are connections there are plain lists here.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Thing = dict[str, Any]


class Refused(Exception):
    """A business error as ShipHero tells it."""

    def __init__(self, message: str, code: int, **more: Any) -> None:
        super().__init__(message)
        self.code, self.more = code, more


@dataclass(slots=True)
class Warehouse:
    """All warehouses of one account. `levels` are the stock figures by SKU and warehouse id."""

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    refuses_duplicates: bool = False
    orders: list[Thing] = field(default_factory=list)
    shipments: list[Thing] = field(default_factory=list)
    places: list[Thing] = field(default_factory=list)
    levels: dict[tuple[str, str], Thing] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    # What people in the warehouse do.

    def add_warehouse(self, name: str, country: str = "US") -> str:
        """Open a warehouse, unless there is one of that name, and give its id."""
        for warehouse in self.places:
            if warehouse["identifier"] == name:
                return str(warehouse["id"])
        number = next(self.numbers)
        address = {
            "name": name, "address1": "1 Dock Street", "address2": None, "city": "Springfield", "state": "IL",
            "country": country, "zip": "62701", "phone": None,
        }  # fmt: skip
        made = {"id": identity("Warehouse", number), "legacy_id": number, "identifier": name}
        self.places.append({**made, "company_name": "Demo", "address": address})
        return str(made["id"])

    def add_product(self, sku: str, warehouse: str = "Primary", on_hand: int = 0) -> str:
        """Put units of an article on the shelf, as an absolute count, and give the warehouse's id."""
        place = self.add_warehouse(warehouse)
        number = next(self.numbers)
        known = self.levels.get((sku, place)) or {
            "id": identity("WarehouseProduct", number), "sku": sku, "warehouse_id": place,
            "warehouse_identifier": warehouse, "allocated": 0, "non_sellable_quantity": 0, "active": True,
        }  # fmt: skip
        self.levels[sku, place] = known
        known["on_hand"] = on_hand
        self._touch(known)
        return place

    def ship(
        self,
        order_number: str,
        tracking: str,
        lines: Mapping[str, int] | None = None,
        carrier: str = "UPS",
        method: str = "UPS Ground",
    ) -> str:
        """Pack units of an order (all that are left when `lines`, units by SKU, is None); gives the shipment's id.

        Raises ValueError when the order is cancelled or has fewer units left.
        """
        order = self.find_order(order_number)
        packed = self._pack(order, lines)
        shipment = self._new_shipment(order, packed, tracking, carrier, method)
        self.shipments.append(shipment)
        if all(line["quantity_shipped"] == line["quantity"] for line in order["line_items"]):
            order["fulfillment_status"] = "fulfilled"
        self._stamp(order)
        return str(shipment["id"])

    def cancel(self, order_number: str) -> None:
        """The warehouse cancels an order."""
        self._cancel(self.find_order(order_number))

    def hold(self, order_number: str, kind: str = "operator_hold") -> None:
        """The warehouse puts an order on hold; it cannot be shipped before it is released."""
        self.find_order(order_number)["holds"][kind] = True

    def release(self, order_number: str) -> None:
        """Lift all holds."""
        self.find_order(order_number)["holds"].clear()

    def void(self, shipment_id: str) -> None:
        """Give the labels of a shipment back."""
        for shipment in self.shipments:
            if shipment["id"] == shipment_id:
                for label in shipment["shipping_labels"]:
                    label["refunded"] = True

    # Orders.

    def order_create(self, data: Thing) -> Thing:
        require(data, "shipping_address", "line_items")
        number = str(data.get("order_number") or f"MO{next(self.numbers)}")
        partner = str(data.get("partner_order_id") or number)
        doubles = [order for order in self.orders if partner == order["partner_order_id"]]
        if self.refuses_duplicates and doubles:
            raise Refused(f"An order with partner_order_id {partner} already exists", 3)
        for line in data["line_items"]:
            require(line, "sku", "partner_line_item_id", "quantity", "price")
            self._require_line(line)
        number_of_order = next(self.numbers)
        order = {
            **data,
            "id": identity("Order", number_of_order), "legacy_id": number_of_order,
            "order_number": number, "partner_order_id": partner,
            "shop_name": data.get("shop_name"), "fulfillment_status": data.get("fulfillment_status") or "pending",
            "holds": {}, "line_items": [self._new_line(line) for line in data["line_items"]],
        }  # fmt: skip
        self._stamp(order)
        for line in order["line_items"]:
            self._move(line, allocated=line["quantity"])
        self.orders.append(order)
        return order

    def _require_line(self, line: Thing) -> None:
        known = [key for key in self.levels if key[0] == line["sku"]]
        if not known:
            raise Refused(f"Product with sku {line['sku']} not found", 4)
        if line.get("warehouse_id") and (line["sku"], line["warehouse_id"]) not in known:
            raise Refused(f"Warehouse {line['warehouse_id']} not found for sku {line['sku']}", 4)
        if not isinstance(line["quantity"], int) or line["quantity"] < 1:
            raise Refused("quantity must be a positive integer", 3)
        if len(str(line["partner_line_item_id"])) > 45:
            raise Refused("partner_line_item_id must have at most 45 characters", 3)

    def _new_line(self, line: Thing) -> Thing:
        number = next(self.numbers)
        place = line.get("warehouse_id") or next(key[1] for key in self.levels if key[0] == line["sku"])
        made = {"id": identity("LineItem", number), "legacy_id": number, "quantity_shipped": 0, "warehouse_id": place}
        return {**line, **made}

    def order_cancel(self, data: Thing) -> Thing:
        require(data, "order_id")
        order = by_id(self.orders, data["order_id"], "Order")
        if order["fulfillment_status"] == "canceled":
            raise Refused("The order is canceled and cannot be changed", 3)
        if any(line["quantity_shipped"] for line in order["line_items"]) and not data.get("force"):
            raise Refused("The order has shipments with valid labels and cannot be canceled", 3)
        self._cancel(order)
        return order

    def _cancel(self, order: Thing) -> None:
        for line in order["line_items"]:
            self._move(line, allocated=line["quantity_shipped"] - line["quantity"])
        order["fulfillment_status"] = "canceled"
        self._stamp(order)

    def matching_orders(self, args: Mapping[str, Any]) -> list[Thing]:
        names = ("partner_order_id", "order_number", "shop_name", "fulfillment_status")
        wanted = {name: args[name] for name in names if name in args}
        return [order for order in self.orders if all(order[name] == value for name, value in wanted.items())]

    # Shipments and stock.

    def _pack(self, order: Thing, lines: Mapping[str, int] | None) -> list[tuple[Thing, int]]:
        if order["fulfillment_status"] == "canceled" or any(order["holds"].values()):
            raise ValueError(f"order {order['order_number']} is cancelled or on hold")
        packed = []
        for line in order["line_items"]:
            left = line["quantity"] - line["quantity_shipped"]
            units = left if lines is None else lines.get(line["sku"], 0)
            if units > left:
                raise ValueError(f"{units} of {line['sku']} are more than the {left} that are left")
            if units:
                packed.append((line, units))
        if not packed:
            raise ValueError(f"nothing of order {order['order_number']} is left to ship")
        for line, units in packed:
            line["quantity_shipped"] += units
            self._move(line, on_hand=-units, allocated=-units)
        return packed

    def _new_shipment(
        self, order: Thing, packed: list[tuple[Thing, int]], tracking: str, carrier: str, method: str
    ) -> Thing:
        number = next(self.numbers)
        made_at = written(self.clock())
        items = [{"id": identity("ShipmentLineItem", next(self.numbers)), "quantity": units, "line_item": line}
                 for line, units in packed]  # fmt: skip
        label = {
            "id": identity("ShippingLabel", next(self.numbers)), "status": "valid", "tracking_number": tracking,
            "carrier": carrier, "shipping_method": method, "delivered": False, "picked_up": False, "refunded": False,
            "created_date": made_at, "label": {"pdf_location": None}, "shipment_line_items": items,
        }  # fmt: skip
        return {
            "id": identity("Shipment", number), "legacy_id": number, "warehouse_id": packed[0][0]["warehouse_id"],
            "completed": True, "delivered": False, "picked_up": False, "refunded": False, "created_date": made_at,
            "order": order, "line_items": items, "shipping_labels": [label],
        }  # fmt: skip

    def made_in(self, args: Mapping[str, Any]) -> list[Thing]:
        return [item for item in self.shipments if _within(item["created_date"], args, "date_from", "date_to")]

    def changed_in(self, args: Mapping[str, Any]) -> list[Thing]:
        levels = [
            {**level, "available": level["on_hand"] - level["allocated"]}
            for level in self.levels.values()
            if _within(level["updated_at"], args, "updated_from", "updated_to")
        ]
        return [level for level in levels if args.get("sku") in (None, level["sku"])]

    def _move(self, line: Thing, on_hand: int = 0, allocated: int = 0) -> None:
        level = self.levels[line["sku"], line["warehouse_id"]]
        level["on_hand"] = max(0, level["on_hand"] + on_hand)
        level["allocated"] = max(0, level["allocated"] + allocated)
        self._touch(level)

    def _touch(self, level: Thing) -> None:
        level["updated_at"] = written(self.clock())

    def _stamp(self, order: Thing) -> None:
        order["updated_at"] = written(self.clock())

    # Small things.

    def find_order(self, number: str) -> Thing:
        for order in self.orders:
            if order["order_number"] == number:
                return order
        raise ValueError(f"there is no order {number}")


def by_id(things: list[Thing], wanted: Any, kind: str) -> Thing:
    """The thing of that id or legacy id. Raises Refused."""
    for thing in things:
        if wanted in (thing["id"], str(thing["legacy_id"])):
            return thing
    raise Refused(f"{kind} not found", 4)


def require(data: Thing, *names: str) -> None:
    """Raises Refused for an argument that is missing or empty."""
    for name in names:
        if data.get(name) in (None, "", []):
            raise Refused(f"Argument {name} is required", 3)


def identity(kind: str, number: int) -> str:
    """An id in ShipHero's form: kind and number in base64."""
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def written(moment: datetime) -> str:
    """A time as ShipHero writes it: UTC without saying so."""
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()


def _within(text: str, args: Mapping[str, Any], begin: str, end: str) -> bool:
    return str(args.get(begin, "")) <= text <= str(args.get(end, "9999"))
