"""A stand-in of ShipHero: its token endpoint, its GraphQL answers and its webhooks, over a warehouse in memory.

By default it accepts the same order number twice, because ShipHero does not promise to refuse it: a hub that sends
twice is seen here by two orders.
"""

from __future__ import annotations

import base64
import functools
import itertools
import math
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response, jsonify, request

from connectors.threepl.shiphero.selection import Field, GraphQLError, cost, project, root, weight
from hub.sdk.signatures import hmac_signature
from hub.testing.sandbox import Sandbox

MOST_CREDITS = 4004.0
CREDITS_A_SECOND = 60.0
KINDS = (
    "Shipment Update",
    "Inventory Update",
    "Inventory Change",
    "Order Canceled",
    "Order Allocated",
    "Order Deallocated",
    "Order Packed Out",
    "Package Added",
)

Thing = dict[str, Any]


class Refused(Exception):
    """A business error as ShipHero tells it."""

    def __init__(self, message: str, code: int, **more: Any) -> None:
        super().__init__(message)
        self.code, self.more = code, more


@dataclass(slots=True)
class ShipHeroSandbox(Sandbox):
    """`orders`, `shipments`, `levels` and `hooks` may be read by tests; change them through the methods."""

    name: str = "shiphero"
    refresh_token: str = "refresh-demo"
    webhook_secret: str = "whsec-demo"
    refuses_duplicates: bool = False
    max_page: int = 100
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    orders: list[Thing] = field(default_factory=list)
    shipments: list[Thing] = field(default_factory=list)
    warehouses: list[Thing] = field(default_factory=list)
    levels: dict[tuple[str, str], Thing] = field(default_factory=dict)
    hooks: list[Thing] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    credits: float = MOST_CREDITS
    _credited: datetime | None = None
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1001))

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.app.post("/auth/refresh")(self._refresh)
        self.app.post("/graphql")(self._graphql)
        for act in (self.add_product, self.ship, self.cancel, self.hold, self.release):
            path = f"/_sandbox/{act.__name__}"
            self.app.add_url_rule(path, path, functools.partial(self._told, act), methods=["POST"])

    # What people in the warehouse do.

    def add_warehouse(self, name: str, country: str = "US") -> str:
        """Open a warehouse, unless there is one of that name, and give its id."""
        for warehouse in self.warehouses:
            if warehouse["identifier"] == name:
                return str(warehouse["id"])
        number = next(self._numbers)
        address = {
            "name": name, "address1": "1 Dock Street", "address2": None, "city": "Springfield", "state": "IL",
            "country": country, "zip": "62701", "phone": None,
        }  # fmt: skip
        made = {"id": _id("Warehouse", number), "legacy_id": number, "identifier": name}
        self.warehouses.append({**made, "company_name": "Demo", "address": address})
        return str(made["id"])

    def add_product(self, sku: str, warehouse: str = "Primary", on_hand: int = 0) -> str:
        """Put units of an article on the shelf, as an absolute count, and give the warehouse's id."""
        place = self.add_warehouse(warehouse)
        with self.lock:
            number = next(self._numbers)
            known = self.levels.get((sku, place)) or {
                "id": _id("WarehouseProduct", number), "sku": sku, "warehouse_id": place,
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
        notify: bool = True,
    ) -> str:
        """Pack units of an order (all that are left when `lines`, units by SKU, is None); gives the shipment's id.

        Raises ValueError when the order is cancelled or has fewer units left.
        """
        with self.lock:
            order = self._find_order(order_number)
            packed = self._pack(order, lines)
            shipment = self._new_shipment(order, packed, tracking, carrier, method)
            self.shipments.append(shipment)
            if all(line["quantity_shipped"] == line["quantity"] for line in order["line_items"]):
                order["fulfillment_status"] = "fulfilled"
            self._stamp(order)
        if notify:
            self.notify("Shipment Update", order_number)
        return str(shipment["id"])

    def cancel(self, order_number: str, notify: bool = True) -> None:
        """The warehouse cancels an order."""
        with self.lock:
            self._cancel(self._find_order(order_number))
        if notify:
            self.notify("Order Canceled", order_number)

    def hold(self, order_number: str, kind: str = "operator_hold") -> None:
        """The warehouse puts an order on hold; it cannot be shipped before it is released."""
        self._find_order(order_number)["holds"][kind] = True

    def release(self, order_number: str) -> None:
        """Lift all holds."""
        self._find_order(order_number)["holds"].clear()

    def void(self, shipment_id: str) -> None:
        """Give the labels of a shipment back."""
        for shipment in self.shipments:
            if shipment["id"] == shipment_id:
                for label in shipment["shipping_labels"]:
                    label["refunded"] = True

    def expire_tokens(self) -> None:
        """Let every access token be dead."""
        self.tokens.clear()

    # Webhooks.

    def webhook(self, kind: str, subject: str, secret: str | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery. `subject` is an order number, or a SKU for "Inventory Update"."""
        body = orjson.dumps(self._told_body(kind, subject))
        headers = {
            "Content-Type": "application/json",
            "X-Shiphero-Message-Id": f"msg-{next(self._numbers)}",
            "X-Shiphero-Hmac-Sha256": hmac_signature(secret or self.webhook_secret, body),
        }
        return headers, body

    def deliver(self, url: str, kind: str, subject: str, secret: str | None = None) -> int:
        """Send one delivery to `url` and give the status of the answer."""
        headers, body = self.webhook(kind, subject, secret)
        call = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - a test tool on loopback
        try:
            with urllib.request.urlopen(call, timeout=10) as answer:  # noqa: S310 - as above
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def notify(self, kind: str, subject: str) -> list[int]:
        """Send a delivery to everyone who registered for `kind`; gives the statuses."""
        hooks = [hook for hook in self.hooks if hook["name"] == kind]
        return [self.deliver(hook["url"], kind, subject, hook["shared_signature_secret"]) for hook in hooks]

    # Endpoints.

    def _refresh(self) -> Response | tuple[Response, int]:
        sent = request.get_json(silent=True) or {}
        if sent.get("refresh_token") != self.refresh_token:
            return jsonify(error="invalid_grant", error_description="Unknown or invalid refresh token."), 403
        token = f"access-{next(self._numbers)}"
        self.tokens.add(token)
        return jsonify(
            access_token=token, expires_in=2419200, scope="openid profile offline_access", token_type="Bearer"
        )

    def _graphql(self) -> Response | tuple[Response, int]:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return jsonify(message="Unauthorized", code="invalid_token"), 401
        sent = request.get_json()
        try:
            kind, asked = root(sent["query"], sent.get("variables") or {})
        except GraphQLError as error:
            return jsonify(errors=[{"message": str(error)}]), 400
        with self.lock:
            return self._answer(kind, asked)

    def _answer(self, kind: str, asked: Field) -> Response:
        try:
            result = self._result(kind, asked)
        except GraphQLError as error:
            return jsonify(errors=[{"message": str(error)}], data={asked.name: None})
        except Refused as refused:
            told = {"code": refused.code, "message": str(refused), "operation": asked.name, "field": asked.name}
            told |= {"request_id": f"req-{next(self._numbers)}", **refused.more}
            return jsonify(errors=[told], data={asked.name: None})
        return jsonify(data={asked.name: result})

    def _result(self, kind: str, asked: Field) -> Any:
        answers = self._mutations() if kind == "mutation" else self._queries()
        if asked.name not in answers:
            raise GraphQLError(f'Cannot query field "{asked.name}" on type "{kind.title()}".')
        self._require_credits(10 if kind == "mutation" else cost(asked))
        full = {
            "request_id": f"req-{next(self._numbers)}",
            "complexity": cost(asked),
            **answers[asked.name](asked.args),
        }
        result = project(full, asked.children)
        self.credits -= weight(result)
        return result

    def _require_credits(self, needed: int) -> None:
        now = self.clock()
        gone = (now - (self._credited or now)).total_seconds()
        self.credits, self._credited = min(MOST_CREDITS, self.credits + gone * CREDITS_A_SECOND), now
        if needed > self.credits:
            wait = max(1, math.ceil((needed - self.credits) / CREDITS_A_SECOND))
            raise Refused(
                f"There are not enough credits to perform this operation, which requires {needed} credits.",
                30,
                required_credits=needed,
                remaining_credits=int(self.credits),
                time_remaining=f"{wait} seconds",
            )

    def _queries(self) -> dict[str, Callable[[Mapping[str, Any]], Thing]]:
        return {
            "account": lambda _: {"data": self._account()},
            "order": lambda args: {"data": self._by_id(self.orders, args, "Order")},
            "orders": lambda args: self._list(self._matching_orders(args)),
            "shipment": lambda args: {"data": self._shipment_view(self._by_id(self.shipments, args, "Shipment"))},
            "shipments": lambda args: self._list([self._shipment_view(item) for item in self._made_in(args)]),
            "warehouse_products": lambda args: self._list(self._changed_in(args)),
            "webhooks": lambda _: self._list(self.hooks),
        }

    def _mutations(self) -> dict[str, Callable[[Mapping[str, Any]], Thing]]:
        return {
            "order_create": lambda args: {"order": self._order_create(args["data"])},
            "order_cancel": lambda args: {"order": self._order_cancel(args["data"])},
            "webhook_create": lambda args: {"webhook": self._webhook_create(args["data"])},
            "webhook_delete": lambda args: self._webhook_delete(args["data"]),
        }

    # Orders.

    def _order_create(self, data: Thing) -> Thing:
        self._require(data, "shipping_address", "line_items")
        number = str(data.get("order_number") or f"MO{next(self._numbers)}")
        partner = str(data.get("partner_order_id") or number)
        doubles = [order for order in self.orders if partner == order["partner_order_id"]]
        if self.refuses_duplicates and doubles:
            raise Refused(f"An order with partner_order_id {partner} already exists", 3)
        for line in data["line_items"]:
            self._require(line, "sku", "partner_line_item_id", "quantity", "price")
            self._require_line(line)
        identity = next(self._numbers)
        order = {
            **data,
            "id": _id("Order", identity), "legacy_id": identity, "order_number": number, "partner_order_id": partner,
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
        number = next(self._numbers)
        place = line.get("warehouse_id") or next(key[1] for key in self.levels if key[0] == line["sku"])
        made = {"id": _id("LineItem", number), "legacy_id": number, "quantity_shipped": 0, "warehouse_id": place}
        return {**line, **made}

    def _order_cancel(self, data: Thing) -> Thing:
        self._require(data, "order_id")
        order = self._by_id(self.orders, {"id": data["order_id"]}, "Order")
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

    def _matching_orders(self, args: Mapping[str, Any]) -> list[Thing]:
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
        number = next(self._numbers)
        made_at = _time(self.clock())
        items = [{"id": _id("ShipmentLineItem", next(self._numbers)), "quantity": units, "line_item": line}
                 for line, units in packed]  # fmt: skip
        label = {
            "id": _id("ShippingLabel", next(self._numbers)), "status": "valid", "tracking_number": tracking,
            "carrier": carrier, "shipping_method": method, "delivered": False, "picked_up": False, "refunded": False,
            "created_date": made_at, "label": {"pdf_location": None}, "shipment_line_items": items,
        }  # fmt: skip
        return {
            "id": _id("Shipment", number), "legacy_id": number, "warehouse_id": packed[0][0]["warehouse_id"],
            "completed": True, "delivered": False, "picked_up": False, "refunded": False, "created_date": made_at,
            "order": order, "line_items": items, "shipping_labels": [label],
        }  # fmt: skip

    def _shipment_view(self, shipment: Thing) -> Thing:
        labels = [
            {**label, "shipment_line_items": self._paged(label["shipment_line_items"])}
            for label in shipment["shipping_labels"]
        ]
        return {**shipment, "line_items": self._paged(shipment["line_items"]), "shipping_labels": labels}

    def _made_in(self, args: Mapping[str, Any]) -> list[Thing]:
        return [item for item in self.shipments if _within(item["created_date"], args, "date_from", "date_to")]

    def _changed_in(self, args: Mapping[str, Any]) -> list[Thing]:
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
        level["updated_at"] = _time(self.clock())

    def _stamp(self, order: Thing) -> None:
        order["updated_at"] = _time(self.clock())

    # Webhook registrations.

    def _webhook_create(self, data: Thing) -> Thing:
        self._require(data, "name", "url")
        if data["name"] not in KINDS:
            raise Refused(f"Invalid webhook name {data['name']}", 3)
        if self._hook(data) is not None:
            raise Refused(f"A webhook {data['name']} for {data.get('shop_name')} already exists", 3)
        number = next(self._numbers)
        secret = {"shared_signature_secret": f"{self.webhook_secret}-{number}"}
        hook = {
            "id": _id("Webhook", number),
            "name": data["name"],
            "url": data["url"],
            "shop_name": data.get("shop_name"),
        }
        self.hooks.append(hook | secret)
        return hook | secret

    def _webhook_delete(self, data: Thing) -> Thing:
        self._require(data, "name")
        hook = self._hook(data)
        if hook is None:
            raise Refused("Webhook not found", 4)
        self.hooks.remove(hook)
        return {}

    def _hook(self, data: Thing) -> Thing | None:
        same = (data["name"], data.get("shop_name"))
        return next((hook for hook in self.hooks if (hook["name"], hook["shop_name"]) == same), None)

    # Bodies of webhooks.

    def _told_body(self, kind: str, subject: str) -> Thing:
        if kind == "Inventory Update":
            return self._inventory_body(subject)
        order = self._find_order(subject)
        if kind == "Shipment Update":
            return self._shipment_body(order)
        told = {"webhook_type": kind, "order_id": order["legacy_id"], "order_uuid": order["id"]}
        if kind == "Order Packed Out":
            return {**told, "tote_id": "1", "tote_name": "Tote-1", "items": []}
        told |= {"order_number": order["order_number"], "partner_order_id": order["partner_order_id"]}
        now = _time(self.clock())
        match kind:
            case "Order Canceled":
                return {**told, "fulfillment-status": "canceled", "shop_name": order["shop_name"]}
            case "Order Allocated":
                return {**told, "allocated_at": now, "ready_to_ship": 1, "line_items": []}
        return {**told, "deallocated_at": now}

    def _shipment_body(self, order: Thing) -> Thing:
        shipment = next(item for item in reversed(self.shipments) if item["order"] is order)
        label = shipment["shipping_labels"][0]
        place = next(item for item in self.warehouses if item["id"] == shipment["warehouse_id"])
        lines = [
            {
                "id": item["line_item"]["partner_line_item_id"], "shiphero_id": item["line_item"]["legacy_id"],
                "quantity": item["quantity"], "sku": item["line_item"]["sku"], "package": "Package #1",
            }
            for item in shipment["line_items"]
        ]  # fmt: skip
        fulfillment = {
            "shipment_id": shipment["legacy_id"], "shipment_uuid": shipment["id"], "webhook_type": "Shipment Update",
            "warehouse": place["identifier"], "warehouse_id": place["legacy_id"], "warehouse_uuid": place["id"],
            "partner_order_id": order["partner_order_id"], "order_number": order["order_number"],
            "order_uuid": order["id"], "tracking_number": label["tracking_number"], "line_items": lines,
            "custom_tracking_url": "", "shipping_carrier": label["carrier"], "shipping_method": label["shipping_method"],
            "completed": True, "created_at": shipment["created_date"].replace("T", " "), "order_gift_note": "",
        }  # fmt: skip
        return {"test": "0", "webhook_type": "Shipment Update", "fulfillment": fulfillment}

    def _inventory_body(self, sku: str) -> Thing:
        levels = [level for (article, _), level in self.levels.items() if article == sku]
        items = [
            {
                "sku": sku, "inventory": str(sum(item["on_hand"] - item["allocated"] for item in levels)),
                "on_hand": str(sum(item["on_hand"] for item in levels)), "backorder_quantity": "0", "virtual": False,
                "updated_warehouse": {
                    "warehouse_uuid": level["warehouse_id"], "identifier": level["warehouse_identifier"],
                    "inventory": str(level["on_hand"] - level["allocated"]), "on_hand": str(level["on_hand"]),
                    "backorder_quantity": "0", "non_sellable": level["non_sellable_quantity"],
                },
            }
            for level in levels
        ]  # fmt: skip
        return {"account_uuid": _id("Account", 1), "webhook_type": "Inventory Update", "inventory": items}

    # Small things.

    def _account(self) -> Thing:
        return {
            "id": _id("Account", 1), "legacy_id": 1, "username": "demo", "email": "demo@example.com",
            "warehouses": self.warehouses,
        }  # fmt: skip

    def _find_order(self, number: str) -> Thing:
        for order in self.orders:
            if order["order_number"] == number:
                return order
        raise ValueError(f"there is no order {number}")

    def _by_id(self, things: list[Thing], args: Mapping[str, Any], kind: str) -> Thing:
        for thing in things:
            if args.get("id") in (thing["id"], str(thing["legacy_id"])):
                return thing
        raise Refused(f"{kind} not found", 4)

    def _require(self, data: Thing, *names: str) -> None:
        for name in names:
            if data.get(name) in (None, "", []):
                raise Refused(f"Argument {name} is required", 3)

    def _list(self, things: list[Thing]) -> Thing:
        return {"data": self._paged(things)}

    def _paged(self, things: list[Thing]) -> Callable[[Mapping[str, Any]], Thing]:
        def connection(args: Mapping[str, Any]) -> Thing:
            begin = int(base64.b64decode(args["after"]).decode().rpartition(":")[2]) + 1 if args.get("after") else 0
            part = things[begin : begin + min(int(args.get("first", 100)), self.max_page)]
            last = begin + len(part) - 1
            info = {
                "hasNextPage": last + 1 < len(things), "hasPreviousPage": begin > 0,
                "startCursor": _id("arrayconnection", begin), "endCursor": _id("arrayconnection", last),
            }  # fmt: skip
            edges = [{"node": node, "cursor": _id("arrayconnection", begin + n)} for n, node in enumerate(part)]
            return {"pageInfo": info, "edges": edges}

        return connection

    def _told(self, act: Callable[..., Any]) -> tuple[Response, int]:
        try:
            return jsonify(done=act(**request.get_json())), 200
        except (TypeError, ValueError) as error:
            return jsonify(error=str(error)), 400


def _id(kind: str, number: int) -> str:
    return base64.b64encode(f"{kind}:{number}".encode()).decode()


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None, microsecond=0).isoformat()


def _within(text: str, args: Mapping[str, Any], begin: str, end: str) -> bool:
    return str(args.get(begin, "")) <= text <= str(args.get(end, "9999"))
