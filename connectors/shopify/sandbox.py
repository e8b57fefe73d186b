"""A stand-in of a Shopify shop: it answers the connector's GraphQL, and people can buy, edit and cancel in it.

It refuses what Shopify refuses at run time and no schema shows: a wrong token, version or shop, lists without a size,
stock set without an idempotency key or against another figure than stated, more units than are left to fulfil, and a
second subscription of one topic to one address. Ids count up from a fixed number, so a scripted day repeats itself.
"""

from __future__ import annotations

import hashlib
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson
from flask import Response, jsonify, request

from connectors.shopify import sandbox_shapes as shapes
from connectors.shopify.sandbox_graphql import Document, QueryError, Selection, answer, argument_values, parse
from connectors.shopify.sandbox_search import changed_between
from connectors.shopify.sandbox_shop import (
    ADDRESS,
    CUSTOMER,
    Applied,
    Fulfillment,
    Line,
    Location,
    Order,
    Payment,
    Product,
    Refund,
    Refused,
    Shop,
    Variant,
    Wish,
)
from hub.domain.money import distribute, exponent
from hub.sdk.signatures import hmac_signature
from hub.testing.sandbox import Sandbox

SCOPES = (
    "write_orders",
    "write_products",
    "write_inventory",
    "read_locations",
    "write_merchant_managed_fulfillment_orders",
)
TOPICS = frozenset(
    {"ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_EDITED", "INVENTORY_LEVELS_UPDATE"}
    | {"PRODUCTS_CREATE", "PRODUCTS_UPDATE", "APP_UNINSTALLED"}
)

Json = dict[str, Any]


@dataclass(slots=True)
class ShopifySandbox(Sandbox):
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
    hooks: list[Json] = field(default_factory=list)
    spent_keys: dict[str, tuple[bytes, Json]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.state = Shop(self.currency, self.clock)
        self.state.add_location("Springfield")
        self.app.post("/admin/api/<version>/graphql.json")(self._graphql)

    # What people do in the shop.

    def add_location(self, name: str, country: str = "US", *, active: bool = True) -> Location:
        """Open a place that keeps stock. There is one called Springfield from the beginning."""
        return self.state.add_location(name, country, active=active)

    def add_product(
        self,
        sku: str,
        price: str | Decimal = "10.00",
        *,
        title: str = "",
        stock: int | Mapping[int, int] = 0,
        grams: int = 250,
        gift_card: bool = False,
        ships: bool = True,
        options: Mapping[str, str] | None = None,
        product: Product | None = None,
        **more: Any,
    ) -> Variant:
        """Put an article on sale; `stock` is at the first location, or by location id. `product` adds a variant."""
        with self.lock:
            ids = self.state.ids
            if product is None:
                product = Product(next(ids), title or sku, self.state.now(), gift_card=gift_card, ships=ships, **more)
                self.state.products.append(product)
            name = title if options is None else " / ".join(options.values())
            made = Variant(next(ids), next(ids), sku, name or "Default Title", Decimal(price), grams=grams)
            made.options = options or {"Title": "Default Title"}
            made.tracked = not gift_card
            product.variants.append(made)
            shelves = stock if isinstance(stock, Mapping) else {self.state.locations[0].id: stock}
            for place, units in shelves.items():
                self.state.stock[made.item, place] = units
            return made

    def place_order(
        self,
        lines: Sequence[Wish],
        *,
        customer: Mapping[str, Any] | None = CUSTOMER,
        ship_to: Mapping[str, Any] | None = ADDRESS,
        bill_to: Mapping[str, Any] | None = None,
        currency: str = "",
        rate: str = "1",
        tax_rate: str = "0",
        tax_title: str = "Sales tax",
        taxes_included: bool = False,
        shipping: str = "0",
        shipping_title: str = "Standard",
        shipping_code: str = "standard",
        shipping_discount: str = "0",
        discount: tuple[str, str] | None = None,
        sale: tuple[str, str] | None = None,
        tip: str = "0",
        paid: str = "PAID",
        gateway: str = "shopify_payments",
        gift_card: str = "0",
        pickup_at: Location | None = None,
        **more: Any,
    ) -> Order:
        """Buy. `discount` is (code, amount), `sale` (title, amount), both spread over the lines by their worth.

        `currency` is what the customer sees at `rate` per unit of the shop's; orders are kept in the shop's currency.
        `gift_card` is the part of the price that a gift card pays. `more` are further fields of `Order`: note,
        attributes, tags, risk, test, source.
        """
        with self.lock:
            now = self.state.now()
            buyer = None if customer is None else {"id": _customer_id(customer), **customer}
            order = Order(
                id=next(self.state.ids),
                number=next(self.state.numbers),
                placed=now,
                updated=now,
                lines=[self.state.line(wish) for wish in lines],
                customer=buyer,
                ship_to=None if pickup_at else _whole(ship_to),
                bill_to=_whole(bill_to or ship_to),
                currency=self.currency,
                customer_currency=currency or self.currency,
                rate=Decimal(rate),
                taxes_included=taxes_included,
                tax_rate=Decimal(tax_rate),
                tax_title=tax_title,
                shipping=Decimal(shipping),
                shipping_title="" if shipping_title == "" else pickup_at.name if pickup_at else shipping_title,
                shipping_code="pickup" if pickup_at else shipping_code,
                shipping_id=next(self.state.ids),
                shipping_discount=Decimal(shipping_discount),
                method="PICK_UP" if pickup_at else "SHIPPING",
                tip=Decimal(tip),
                paid=paid,
                **more,
            )
            if sale:
                _spread(order, Applied(Decimal(sale[1]), title=sale[0]))
            if discount:
                _spread(order, Applied(Decimal(discount[1]), code=discount[0]))
            if order.shipping_discount:
                order.applied.append(Applied(order.shipping_discount, title="Shipping offer"))
            self.state.assign(order, order.lines, pickup_at)
            if paid == "PAID":
                self._pay(order, gateway, Decimal(gift_card))
            self.state.orders[order.id] = order
            return order

    def edit_order(
        self,
        order_id: int,
        units: Mapping[str, int] | None = None,
        *,
        add: Sequence[Wish] = (),
        ship_to: Mapping[str, Any] | None = None,
        **changes: Any,
    ) -> Order:
        """Change an order: `units` still wanted by SKU, lines to `add`, an address, a note, tags or attributes.

        Raises Refused when units have left already.
        """
        with self.lock:
            order = self.state.order(order_id)
            for sku, wanted in (units or {}).items():
                self._set_units(order, next(line for line in order.lines if line.sku == sku), wanted)
            added = [self.state.line(wish) for wish in add]
            order.lines += added
            self.state.assign(order, added)
            if ship_to is not None:
                order.ship_to = _whole(ship_to)
            for name, value in changes.items():
                setattr(order, name, value)
            self.state.touch(order)
            return order

    def cancel_order(self, order_id: int, reason: str = "customer", *, refund: bool = True) -> Order:
        """Call an order off and give the money back. Raises Refused when something has been fulfilled."""
        with self.lock:
            order = self.state.order(order_id)
            if any(one.status == "SUCCESS" for one in order.fulfillments):
                raise Refused("Cannot cancel a fulfilled order")
            paid = sum((one.amount for one in order.payments if one.kind == "SALE"), Decimal(0))
            self._refund(order, [(line, line.wanted) for line in order.lines], paid if refund else Decimal(0))
            order.shipping_now, order.tip = Decimal(0), Decimal(0)
            order.cancelled, order.cancel_reason = self.state.now(), reason
            order.paid = "REFUNDED" if paid and refund else "VOIDED"
            for one in order.fulfillment_orders:
                one.status = "CANCELLED"
            self.state.touch(order)
            return order

    def refund_order(
        self, order_id: int, units: Mapping[str, int], *, amount: str, shipping: str = "0", restock: bool = True
    ) -> Order:
        """Give money back for units by SKU that have not left, and so much of the shipping."""
        with self.lock:
            order = self.state.order(order_id)
            by_sku = {line.sku: line for line in order.lines}
            self._refund(order, [(by_sku[sku], n) for sku, n in units.items()], Decimal(amount), restock=restock)
            if Decimal(shipping):
                order.shipping_now = order.shipping_current - Decimal(shipping)
            order.paid = "PARTIALLY_REFUNDED"
            self.state.touch(order)
            return order

    def hold(self, order_id: int, *, held: bool = True) -> None:
        """Put all open fulfillment orders of an order on hold, or release them."""
        with self.lock:
            for one in self.state.order(order_id).fulfillment_orders:
                if one.status in {"OPEN", "ON_HOLD"}:
                    one.status = "ON_HOLD" if held else "OPEN"

    def fulfillments(self, order_id: int | str) -> list[Json]:
        """What has been fulfilled of an order: id, tracking, company, units by line id, whether mail was sent."""
        return [
            {
                "id": str(one.id),
                "numbers": list(one.numbers),
                "company": one.company,
                "units": {str(line.id): units for line, units in one.units},
                "notified": one.notified,
            }
            for one in self.state.order(order_id).fulfillments
        ]

    def available(self, sku: str, location: Location | None = None) -> int:
        """What the shop may still sell of a SKU at a location, by default the first."""
        found = self.state.by_sku(sku)
        if found is None:
            raise KeyError(sku)
        return self.state.stock[found[1].item, (location or self.state.locations[0]).id]

    # Webhooks.

    def webhook(
        self, topic: str, thing: Order | Product | Mapping[str, Any], event_id: str | None = None
    ) -> tuple[dict[str, str], bytes]:
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

    def deliver(
        self, url: str, topic: str, thing: Order | Product | Mapping[str, Any], event_id: str | None = None
    ) -> int:
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
            try:
                data = self._execute(parse(given["query"]), variables)
            except QueryError as error:
                return jsonify(errors=[_stated(error)], extensions=self._extensions(cost))
            self.points = min(self.points + cost, self.most_points)
            return jsonify(data=data, extensions=self._extensions(cost))

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

    def _execute(self, document: Document, variables: Mapping[str, Any]) -> Json:
        found: Json = {}
        fields = self._mutations() if document.kind == "mutation" else self._queries()
        for root in document.roots:
            if root.name not in fields:
                raise QueryError(f"Field '{root.name}' doesn't exist on type 'QueryRoot'", "undefinedField")
            given = argument_values(root.arguments, variables)
            if document.kind == "mutation":
                given["_directives"] = _directives(root, variables)
            value = fields[root.name](**given)
            found[root.name] = answer(value, root.inner, document, variables)
        return found

    def _queries(self) -> dict[str, Callable[..., Any]]:
        return {
            "shop": self._shop,
            "currentAppInstallation": lambda: {"accessScopes": [{"handle": one} for one in self.scopes]},
            "orders": self._orders,
            "order": self._order,
            "fulfillmentOrder": self._fulfillment_order,
            "products": self._products,
            "product": self._product,
            "nodes": lambda ids: [self._variant(one) for one in ids],
            "inventoryItem": self._inventory_item,
            "locations": self._locations,
            "webhookSubscriptions": shapes.connection(self.hooks, lambda hook: hook),
        }

    def _mutations(self) -> dict[str, Callable[..., Any]]:
        return {
            "inventorySetQuantities": self._set_quantities,
            "fulfillmentCreate": self._fulfil,
            "webhookSubscriptionCreate": self._subscribe,
            "webhookSubscriptionDelete": self._unsubscribe,
        }

    def _shop(self) -> Json:
        return {
            "__typename": "Shop",
            "id": "gid://shopify/Shop/1",
            "name": "Demo",
            "myshopifyDomain": self.shop,
            "currencyCode": self.currency,
            "ianaTimezone": "America/New_York",
        }

    def _orders(self, query: str | None = None, sortKey: str = "", reverse: bool = False, **page: Any) -> Json:  # noqa: N803 - the vendor's names
        if (page.get("first") or 0) > self.most_rows:
            raise QueryError("Query cost is too high", "MAX_COST_EXCEEDED")
        found = [order for order in self.state.orders.values() if changed_between(query, order.updated)]
        if sortKey == "UPDATED_AT":
            found.sort(key=lambda order: (order.updated, order.id), reverse=reverse)
        return shapes.connection(found, shapes.graph_order)(**page)

    def _order(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        order = self.state.orders.get(_number(id))
        return shapes.graph_order(order) if order else None

    def _fulfillment_order(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        every = (one for order in self.state.orders.values() for one in order.fulfillment_orders)
        return next((shapes.graph_fulfillment_order(one) for one in every if one.id == _number(id)), None)

    def _products(self, query: str | None = None, sortKey: str = "", **page: Any) -> Json:  # noqa: N803 - the vendor's names
        found = [one for one in self.state.products if changed_between(query, one.updated)]
        if sortKey == "UPDATED_AT":
            found.sort(key=lambda one: (one.updated, one.id))
        return shapes.connection(found, lambda one: shapes.graph_product(self.state, one))(**page)

    def _product(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        found = (one for one in self.state.products if one.id == _number(id))
        return next((shapes.graph_product(self.state, one) for one in found), None)

    def _variant(self, global_id: str) -> Json | None:
        found = ((product, one) for product, one in self.state.variants() if one.id == _number(global_id))
        return next((shapes.graph_variant(self.state, *pair) for pair in found), None)

    def _inventory_item(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        found = ((product, one) for product, one in self.state.variants() if one.item == _number(id))
        return next((shapes.graph_item(self.state, *pair) for pair in found), None)

    def _locations(self, includeInactive: bool = False, **page: Any) -> Json:  # noqa: N803 - the vendor's name
        found = [one for one in self.state.locations if one.active or includeInactive]
        return shapes.connection(found, shapes.graph_location)(**page)

    def _set_quantities(self, input: Mapping[str, Any], _directives: Mapping[str, Any]) -> Json:  # noqa: A002 - the vendor's name
        key = str(_directives.get("idempotent", {}).get("key") or "").strip()
        if not key:
            raise QueryError("The @idempotent directive is required for this mutation", "BAD_REQUEST")
        asked = orjson.dumps(input, option=orjson.OPT_SORT_KEYS)
        if key in self.spent_keys:
            before, made = self.spent_keys[key]
            return made if before == asked else _refused(_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", [], "key reused"))
        errors = [error for place, row in enumerate(input["quantities"]) for error in self._wrong(place, row)]
        if errors:
            made = _refused(*errors)
        else:
            for row in input["quantities"]:
                self.state.stock[_number(row["inventoryItemId"]), _number(row["locationId"])] = row["quantity"]
            group = {"createdAt": self.state.now().isoformat(), "reason": input["reason"]}
            made = {"inventoryAdjustmentGroup": group, "userErrors": []}
        self.spent_keys[key] = (asked, made)
        return made

    def _wrong(self, place: int, row: Mapping[str, Any]) -> list[Json]:
        path = ["input", "quantities", str(place)]
        item, location = _number(row["inventoryItemId"]), _number(row["locationId"])
        if "changeFromQuantity" not in row:
            raise QueryError("changeFromQuantity must be provided, even if it is null", "BAD_REQUEST")
        if not any(one.item == item for _, one in self.state.variants()):
            return [_error("INVALID_INVENTORY_ITEM", [*path, "inventoryItemId"], "The inventory item was not found")]
        if not any(one.id == location for one in self.state.locations):
            return [_error("INVALID_LOCATION", [*path, "locationId"], "The location was not found")]
        here = self.state.stock.get((item, location))
        if here is None:
            return [_error("ITEM_NOT_STOCKED_AT_LOCATION", path, "The item is not stocked at the location")]
        expected = row["changeFromQuantity"]
        if expected is not None and expected != here:
            said = "The quantity is not what was expected any more"
            return [_error("CHANGE_FROM_QUANTITY_STALE", [*path, "changeFromQuantity"], said)]
        return []

    def _fulfil(self, fulfillment: Mapping[str, Any], _directives: Mapping[str, Any], message: str = "") -> Json:
        del message
        known = {one.id: (order, one) for order in self.state.orders.values() for one in order.fulfillment_orders}
        groups = fulfillment["lineItemsByFulfillmentOrder"]
        chosen = [known.get(_number(group["fulfillmentOrderId"])) for group in groups]
        if not chosen or None in chosen:
            return _nothing_made("Fulfillment order does not exist.")
        found = [pair for pair in chosen if pair is not None]
        if len({(order.id, one.location.id) for order, one in found}) > 1:
            return _nothing_made("All fulfillment orders must belong to the same order and location.")
        if any(one.status not in {"OPEN", "IN_PROGRESS"} for _, one in found):
            return _nothing_made(f"Fulfillment order has an unfulfillable status= {found[0][1].status.lower()}.")
        taken = []
        for (_, one), group in zip(found, groups, strict=True):
            rows = {row.id: row for row in one.lines}
            for want in group.get("fulfillmentOrderLineItems") or [
                {"id": str(row.id), "quantity": row.remaining} for row in one.lines
            ]:
                row = rows.get(_number(want["id"]))
                if row is None or not 0 < want["quantity"] <= row.remaining:
                    return _nothing_made("Invalid fulfillment order line item quantity requested.")
                taken.append((one, row, want["quantity"]))
        return self._ship(found[0][0], taken, fulfillment)

    def _ship(self, order: Order, taken: Sequence[tuple[Any, Any, int]], given: Mapping[str, Any]) -> Json:
        for one, row, units in taken:
            row.remaining -= units
            one.status = "IN_PROGRESS" if any(other.remaining for other in one.lines) else "CLOSED"
        tracking = given.get("trackingInfo") or {}
        made = Fulfillment(
            next(self.state.ids),
            self.state.now(),
            [(row.line, units) for _, row, units in taken],
            company=tracking.get("company") or "",
            numbers=list(tracking.get("numbers") or filter(None, [tracking.get("number")])),
            urls=list(tracking.get("urls") or []),
            notified=bool(given.get("notifyCustomer")),
        )
        order.fulfillments.append(made)
        self.state.touch(order)
        said = {"id": shapes.gid("Fulfillment", made.id), "legacyResourceId": str(made.id), "status": made.status}
        return {"fulfillment": said, "userErrors": []}

    def _subscribe(self, topic: str, webhookSubscription: Mapping[str, Any], _directives: Mapping[str, Any]) -> Json:  # noqa: N803 - the vendor's name
        if topic not in TOPICS:
            raise QueryError(f"{topic} is not a topic that can be subscribed to", "argumentLiteralsIncompatible")
        uri = webhookSubscription["uri"]
        if any(hook["topic"] == topic and hook["uri"] == uri for hook in self.hooks):
            said = {"field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken"}
            return {"webhookSubscription": None, "userErrors": [said]}
        hook = {"id": shapes.gid("WebhookSubscription", next(self.state.ids)), "topic": topic, "uri": uri}
        self.hooks.append(hook)
        return {"webhookSubscription": hook, "userErrors": []}

    def _unsubscribe(self, id: str, _directives: Mapping[str, Any]) -> Json:  # noqa: A002 - the vendor's name
        left = [hook for hook in self.hooks if hook["id"] != id]
        if len(left) == len(self.hooks):
            said = {"field": ["id"], "message": "Webhook subscription does not exist"}
            return {"deletedWebhookSubscriptionId": None, "userErrors": [said]}
        self.hooks[:] = left
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}

    # What happens behind the counter.

    def _pay(self, order: Order, gateway: str, by_card: Decimal) -> None:
        total = order.sums(current=True).total
        if by_card:
            order.payments.append(
                Payment(next(self.state.ids), "SALE", by_card, "gift_card", order.placed, account="•••• 4f2a")
            )
        if total > by_card:
            order.payments.append(Payment(next(self.state.ids), "SALE", total - by_card, gateway, order.placed))

    def _refund(
        self, order: Order, units: Sequence[tuple[Line, int]], amount: Decimal, *, restock: bool = True
    ) -> None:
        for line, taken in units:
            self.state.take_off(order, line, taken, restock=restock)
        gateway = order.payments[0].gateway if order.payments else "manual"
        now = self.state.now()
        payment = Payment(next(self.state.ids), "REFUND", amount, gateway, now) if amount else None
        if payment:
            order.payments.append(payment)
        order.refunds.append(Refund(next(self.state.ids), now, list(units), payment))

    def _set_units(self, order: Order, line: Line, wanted: int) -> None:
        if wanted > line.ordered:
            raise Refused("add a line for more units")
        if wanted < line.wanted:
            self._refund(order, [(line, line.wanted - wanted)], Decimal(0))


def _spread(order: Order, applied: Applied) -> None:
    """Give every line its share of a discount, by worth, to the minor unit."""
    order.applied.append(applied)
    unit = Decimal(1).scaleb(-exponent(order.currency))
    worth = [int(line.price * line.ordered / unit) for line in order.lines]
    for line, share in zip(order.lines, distribute(int(applied.amount / unit), worth), strict=True):
        if share:
            line.shares[len(order.applied) - 1] = share * unit


def _whole(address: Mapping[str, Any] | None) -> Json | None:
    return None if address is None else dict(address)


def _customer_id(customer: Mapping[str, Any]) -> int:
    """The same person has the same id whenever they buy."""
    said = str(customer.get("email") or sorted(customer.items()))
    return 6_000_000_000 + int.from_bytes(hashlib.sha256(said.encode()).digest()[:4], "big")


def _payload(thing: Order | Product | Mapping[str, Any]) -> Mapping[str, Any]:
    match thing:
        case Order():
            return shapes.rest_order(thing)
        case Product():
            return shapes.rest_product(thing)
    return thing


def _cost(variables: Mapping[str, Any]) -> float:
    """A rough price: what a page may hold. Shopify's own arithmetic is not public to the last point."""
    return float(2 + int(variables.get("first") or 1) * (1 + int(variables.get("lines") or 0) // 10))


def _directives(root: Selection, variables: Mapping[str, Any]) -> Json:
    return {name: argument_values(given, variables) for name, given in root.directives.items()}


def _stated(error: QueryError) -> Json:
    return {"message": str(error), **({"extensions": {"code": error.code}} if error.code else {})}


def _error(code: str, path: Sequence[str], message: str) -> Json:
    return {"code": code, "field": list(path), "message": message}


def _refused(*errors: Json) -> Json:
    return {"inventoryAdjustmentGroup": None, "userErrors": list(errors)}


def _nothing_made(message: str) -> Json:
    return {"fulfillment": None, "userErrors": [{"field": ["fulfillment"], "message": message}]}


def _number(global_id: str) -> int:
    """The number of a global id; 0, which nothing has, for a text that holds none."""
    tail = global_id.rsplit("/", 1)[-1]
    return int(tail) if tail.isdigit() else 0
