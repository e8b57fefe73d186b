"""A stand-in of ShipHero: its token endpoint, its GraphQL answers and its webhooks, over a warehouse in memory.

By default it accepts the same order number twice, because ShipHero does not promise to refuse it: a hub that sends
twice is seen here by two orders.
"""

from __future__ import annotations

import base64
import functools
import math
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from flask import Response, jsonify, request

from connectors.threepl.shiphero import deliveries
from connectors.threepl.shiphero.selection import Field, GraphQLError, cost, project, root, weight
from connectors.threepl.shiphero.warehouse import Refused, Thing, Warehouse, by_id, identity, require
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


@dataclass(slots=True)
class ShipHeroSandbox(Sandbox):
    """`orders`, `shipments`, `warehouse` and `hooks` may be read by tests; change them through the methods.

    `max_page` caps every page; `stuck_cursor` lets every page point back at the first; `refuses_with_200` tells of dead
    tokens by an error among the answers. `POST /_sandbox/<method>` with
    the arguments as JSON calls add_product, ship, cancel, hold or release from outside.
    """

    name: str = "shiphero"
    refresh_token: str = "refresh-demo"
    webhook_secret: str = "whsec-demo"
    max_page: int = 100
    stuck_cursor: bool = False
    refuses_with_200: bool = False
    warehouse: Warehouse = field(default_factory=Warehouse)
    hooks: list[Thing] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    credits: float = MOST_CREDITS
    _credited: datetime | None = None

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.app.post("/auth/refresh")(self._refresh)
        self.app.post("/graphql")(self._graphql)
        for act in (self.add_product, self.ship, self.cancel, self.hold, self.release):
            path = f"/_sandbox/{act.__name__}"
            self.app.add_url_rule(path, path, functools.partial(self._told, act), methods=["POST"])

    # What people in the warehouse do.

    @property
    def orders(self) -> list[Thing]:
        return self.warehouse.orders

    @property
    def shipments(self) -> list[Thing]:
        return self.warehouse.shipments

    def add_warehouse(self, name: str, country: str = "US") -> str:
        """Open a warehouse, unless there is one of that name, and give its id."""
        with self.lock:
            return self.warehouse.add_warehouse(name, country)

    def add_product(self, sku: str, warehouse: str = "Primary", on_hand: int = 0) -> str:
        """Put units of an article on the shelf, as an absolute count, and give the warehouse's id."""
        with self.lock:
            return self.warehouse.add_product(sku, warehouse, on_hand)

    def ship(
        self,
        order_number: str,
        tracking: str,
        lines: Mapping[str, int] | None = None,
        carrier: str = "UPS",
        method: str = "UPS Ground",
        *,
        notify: bool = True,
    ) -> str:
        """Pack units of an order (all that are left when `lines`, units by SKU, is None); gives the shipment's id.

        Raises ValueError when the order is cancelled, on hold, or has fewer units left.
        """
        with self.lock:
            shipment = self.warehouse.ship(order_number, tracking, lines, carrier, method)
        if notify:
            self.notify("Shipment Update", order_number)
        return shipment

    def cancel(self, order_number: str, *, notify: bool = True) -> None:
        """The warehouse cancels an order."""
        with self.lock:
            self.warehouse.cancel(order_number)
        if notify:
            self.notify("Order Canceled", order_number)

    def hold(self, order_number: str, kind: str = "operator_hold") -> None:
        """The warehouse puts an order on hold; it cannot be shipped before it is released."""
        self.warehouse.hold(order_number, kind)

    def release(self, order_number: str) -> None:
        """Lift all holds."""
        self.warehouse.release(order_number)

    def void(self, shipment_id: str) -> None:
        """Give the labels of a shipment back."""
        self.warehouse.void(shipment_id)

    def expire_tokens(self) -> None:
        """Let every access token be dead."""
        self.tokens.clear()

    # Webhooks.

    def webhook(self, kind: str, subject: str, secret: str | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery. `subject` is an order number, or a SKU for "Inventory Update"."""
        body = orjson.dumps(deliveries.body(self.warehouse, kind, subject))
        headers = {
            "Content-Type": "application/json",
            "X-Shiphero-Message-Id": f"msg-{next(self.warehouse.numbers)}",
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

    def switch_off(self, kind: str) -> None:
        """Do as ShipHero does with a webhook whose deliveries keep failing."""
        for hook in self.hooks:
            if hook["name"] == kind:
                hook |= {"enabled": False, "health": "UNHEALTHY"}

    def notify(self, kind: str, subject: str) -> list[int]:
        """Send a delivery to everyone who registered for `kind`; gives the statuses."""
        hooks = [hook for hook in self.hooks if hook["name"] == kind and hook["enabled"]]
        return [self.deliver(hook["url"], kind, subject, hook["shared_signature_secret"]) for hook in hooks]

    # Endpoints.

    def _refresh(self) -> Response | tuple[Response, int]:
        sent = request.get_json(silent=True) or {}
        if sent.get("refresh_token") != self.refresh_token:
            return jsonify(error="invalid_grant", error_description="Unknown or invalid refresh token."), 403
        token = f"access-{next(self.warehouse.numbers)}"
        self.tokens.add(token)
        return jsonify(
            access_token=token, expires_in=2419200, scope="openid profile offline_access", token_type="Bearer"
        )

    def _graphql(self) -> Response | tuple[Response, int]:
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            if self.refuses_with_200:
                return jsonify(errors=[{"message": "Token has expired", "code": 2}], data=None)
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
            told |= {"request_id": f"req-{next(self.warehouse.numbers)}", **refused.more}
            return jsonify(errors=[told], data={asked.name: None})
        return jsonify(data={asked.name: result})

    def _result(self, kind: str, asked: Field) -> Any:
        answers = self._mutations() if kind == "mutation" else self._queries()
        if asked.name not in answers:
            raise GraphQLError(f'Cannot query field "{asked.name}" on type "{kind.title()}".')
        self._require_credits(10 if kind == "mutation" else cost(asked))
        full = {
            "request_id": f"req-{next(self.warehouse.numbers)}",
            "complexity": cost(asked),
            **answers[asked.name](asked.args),
        }
        result = project(full, asked.children)
        self.credits -= weight(result)
        return result

    def _require_credits(self, needed: int) -> None:
        now = self.warehouse.clock()
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
            "order": lambda args: {"data": by_id(self.orders, args.get("id"), "Order")},
            "orders": lambda args: self._list(self.warehouse.matching_orders(args)),
            "shipment": lambda args: {"data": self._shipment_view(by_id(self.shipments, args.get("id"), "Shipment"))},
            "shipments": lambda args: self._list([self._shipment_view(item) for item in self.warehouse.made_in(args)]),
            "warehouse_products": lambda args: self._list(self.warehouse.changed_in(args)),
            "webhooks": lambda _: self._list(self.hooks),
        }

    def _mutations(self) -> dict[str, Callable[[Mapping[str, Any]], Thing]]:
        return {
            "order_create": lambda args: {"order": self.warehouse.order_create(args["data"])},
            "order_cancel": lambda args: {"order": self.warehouse.order_cancel(args["data"])},
            "webhook_create": lambda args: {"webhook": self._webhook_create(args["data"])},
            "webhook_enable": lambda args: {"webhook": self._webhook_enable(args["data"])},
            "webhook_delete": lambda args: self._webhook_delete(args["data"]),
        }

    # Webhook registrations.

    def _webhook_create(self, data: Thing) -> Thing:
        require(data, "name", "url")
        if data["name"] not in KINDS:
            raise Refused(f"Invalid webhook name {data['name']}", 3)
        if self._hook(data) is not None:
            raise Refused(f"A webhook {data['name']} for {data.get('shop_name')} already exists", 3)
        number = next(self.warehouse.numbers)
        secret = {"shared_signature_secret": f"{self.webhook_secret}-{number}"}
        hook = {
            "id": identity("Webhook", number),
            "name": data["name"],
            "url": data["url"],
            "shop_name": data.get("shop_name"),
            "enabled": True,
            "health": "HEALTHY",
        }
        self.hooks.append(hook | secret)
        return hook | secret

    def _webhook_enable(self, data: Thing) -> Thing:
        require(data, "webhook_id")
        hook = next((hook for hook in self.hooks if hook["id"] == data["webhook_id"]), None)
        if hook is None:
            raise Refused("Webhook not found", 4)
        hook |= {"enabled": True, "health": "HEALTHY"}
        return hook

    def _webhook_delete(self, data: Thing) -> Thing:
        require(data, "name")
        hook = self._hook(data)
        if hook is None:
            raise Refused("Webhook not found", 4)
        self.hooks.remove(hook)
        return {}

    def _hook(self, data: Thing) -> Thing | None:
        same = (data["name"], data.get("shop_name"))
        return next((hook for hook in self.hooks if (hook["name"], hook["shop_name"]) == same), None)

    # Small things.

    def _account(self) -> Thing:
        return {
            "id": identity("Account", 1), "legacy_id": 1, "username": "demo", "email": "demo@example.com",
            "warehouses": self.warehouse.places,
        }  # fmt: skip

    def _shipment_view(self, shipment: Thing) -> Thing:
        labels = [
            {**label, "shipment_line_items": self._paged(label["shipment_line_items"])}
            for label in shipment["shipping_labels"]
        ]
        return {**shipment, "line_items": self._paged(shipment["line_items"]), "shipping_labels": labels}

    def _list(self, things: list[Thing]) -> Thing:
        return {"data": self._paged(things)}

    def _paged(self, things: list[Thing]) -> Callable[[Mapping[str, Any]], Thing]:
        def connection(args: Mapping[str, Any]) -> Thing:
            begin = int(base64.b64decode(args["after"]).decode().rpartition(":")[2]) + 1 if args.get("after") else 0
            part = things[begin : begin + min(int(args.get("first", 100)), self.max_page)]
            last = begin + len(part) - 1
            info = {
                "hasNextPage": last + 1 < len(things), "hasPreviousPage": begin > 0,
                "startCursor": identity("arrayconnection", begin), "endCursor": identity("arrayconnection", last),
            }  # fmt: skip
            if self.stuck_cursor:
                info |= {"hasNextPage": True, "endCursor": identity("arrayconnection", 0)}
            edges = [{"node": node, "cursor": identity("arrayconnection", begin + n)} for n, node in enumerate(part)]
            return {"pageInfo": info, "edges": edges}

        return connection

    def _told(self, act: Callable[..., Any]) -> tuple[Response, int]:
        try:
            return jsonify(done=act(**request.get_json())), 200
        except (TypeError, ValueError) as error:
            return jsonify(error=str(error)), 400
