"""A stand-in of a Shopify shop: it answers the connector's GraphQL, and people can buy, edit and cancel in it.

It refuses what Shopify refuses at run time and no schema shows: a wrong token, version or shop, what the scopes do not
allow, protected customer data that the app is not approved for (`api.unapproved`), lists without a size, stock set
without an idempotency key or against another figure than stated, more units than are left to fulfil, and a second
subscription of one topic to one address. Ids count up from a fixed number, so a scripted day repeats itself.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from flask import Response, jsonify, request

from connectors.shopify.sandbox_api import Api
from connectors.shopify.sandbox_counter import Counter
from connectors.shopify.sandbox_graphql import Gate, QueryError, parse
from connectors.shopify.sandbox_rest import rest_level, rest_order, rest_product
from connectors.shopify.sandbox_shapes import gid
from connectors.shopify.sandbox_shop import FulfillmentOrder, Location, Order, Product, Shop
from hub.sdk.signatures import hmac_signature
from hub.testing.sandbox import Sandbox

SCOPES = (
    "write_orders",
    "read_customers",
    "write_products",
    "write_inventory",
    "read_locations",
    "write_merchant_managed_fulfillment_orders",
)
Json = dict[str, Any]
Thing = Order | Product | FulfillmentOrder | Mapping[str, Any]
"""What a webhook is about, or its whole body."""


@dataclass(slots=True)
class ShopifySandbox(Counter, Sandbox):
    """`points` are what is left of the GraphQL quota; `most_rows` makes larger pages of orders too costly.

    `state` may be read by tests; change it through the methods.
    """

    name: str = "shopify"
    shop: str = "demo.myshopify.com"
    token: str = "shpat-demo"
    webhook_secret: str = "whsec-demo"
    api_version: str = "2026-07"
    currency: str = "USD"
    scopes: Sequence[str] = SCOPES
    points: float = 2000.0
    most_points: float = 2000.0
    restored_per_second: float = 100.0
    most_rows: int = 250
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    state: Shop = field(init=False)
    api: Api = field(init=False)

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.state = Shop(self.currency, self.clock)
        self.state.add_location("Springfield")
        self.api = Api(self.shop, self.state, self.scopes, self.most_rows)
        self.app.post("/admin/api/<version>/graphql.json")(self._graphql)

    # Webhooks.

    def webhook(self, topic: str, thing: Thing, event_id: str | None = None) -> tuple[dict[str, str], bytes]:
        """Headers and body of a delivery, signed as Shopify signs it. `event_id` stays the same on a repetition."""
        body = orjson.dumps(_payload(thing))
        stated = event_id or hashlib.sha256(topic.encode() + body).hexdigest()[:32]
        headers = {
            "Content-Type": "application/json",
            "X-Shopify-Topic": topic,
            "X-Shopify-Shop-Domain": self.shop,
            "X-Shopify-API-Version": self.api_version,
            "X-Shopify-Event-Id": stated,
            "X-Shopify-Webhook-Id": f"delivery-{next(self.state.ids)}",
            "X-Shopify-Triggered-At": self.state.now().isoformat().replace("+00:00", "Z"),
            "X-Shopify-Hmac-Sha256": hmac_signature(self.webhook_secret, body),
        }
        return headers, body

    def level(self, sku: str, location: Location | None = None) -> Json:
        """The payload of inventory_levels/update for a SKU at a location, by default the first."""
        found = self.state.by_sku(sku)
        if found is None:
            raise KeyError(sku)
        return rest_level(self.state, found[1].item, (location or self.state.locations[0]).id)

    def deliver(self, url: str, topic: str, thing: Thing, event_id: str | None = None) -> int:
        """Post a delivery, and give the status of the answer."""
        headers, body = self.webhook(topic, thing, event_id)
        call = urllib.request.Request(url, body, headers, method="POST")  # noqa: S310 - the test's own address
        try:
            with urllib.request.urlopen(call, timeout=10) as found:  # noqa: S310 - as above
                return int(found.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    # The API.

    def _graphql(self, version: str) -> Response | tuple[Response, int]:
        if request.headers.get("X-Shopify-Access-Token") != self.token:
            wrong = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return jsonify(errors=wrong), 401
        if version != self.api_version:
            return jsonify(errors="Not Found"), 404
        given = request.get_json()
        variables = given.get("variables") or {}
        with self.lock:
            cost = _cost(variables)
            if cost > self.points:
                return self._throttled(cost)
            self.points -= cost
            gate = Gate(self.api.refuses)
            try:
                data = self.api.execute(parse(given["query"]), variables, gate)
            except QueryError as error:
                return jsonify(errors=[_stated(error)], extensions=self._extensions(cost))
            self.points = min(self.points + cost, self.most_points)
            kept_back = [{**_stated(error), "path": path} for path, error in gate.said]
            said = {"errors": kept_back} if kept_back else {}
            return jsonify(data=data, extensions=self._extensions(cost), **said)

    def _throttled(self, cost: float) -> Response:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        return jsonify(errors=[error], extensions=self._extensions(cost))

    def _extensions(self, cost: float) -> Json:
        status = {
            "maximumAvailable": self.most_points,
            "currentlyAvailable": self.points,
            "restoreRate": self.restored_per_second,
        }
        return {"cost": {"requestedQueryCost": cost, "actualQueryCost": cost, "throttleStatus": status}}


def _payload(thing: Thing) -> Mapping[str, Any]:
    match thing:
        case FulfillmentOrder():
            return {"fulfillment_order": {"id": gid("FulfillmentOrder", thing.id), "status": thing.status.lower()}}
        case Order():
            return rest_order(thing)
        case Product():
            return rest_product(thing)
    return thing


def _cost(variables: Mapping[str, Any]) -> float:
    """A rough price: what a page may hold. Shopify's own arithmetic is not public to the last point."""
    return float(2 + int(variables.get("first") or 1) * (1 + int(variables.get("lines") or 0) // 10))


def _stated(error: QueryError) -> Json:
    more = {"requiredAccess": error.required} if error.required else {}
    return {"message": str(error), **({"extensions": {"code": error.code, **more}} if error.code else {})}
