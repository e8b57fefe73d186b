"""What the sandbox's API answers: the root fields of queries and mutations, over the shop in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from connectors.shopify import sandbox_graph as graph
from connectors.shopify.sandbox_graphql import Document, Gate, QueryError, Selection, answer, argument_values
from connectors.shopify.sandbox_search import changed_between
from connectors.shopify.sandbox_shapes import connection, gid
from connectors.shopify.sandbox_shop import Fulfillment, FulfillmentOrder, OpenUnits, Order, Shop

TOPICS = frozenset(
    {f"FULFILLMENT_ORDERS_{done}" for done in ("PLACED_ON_HOLD", "HOLD_RELEASED", "RESCHEDULED", "MOVED", "CANCELLED")}
    | {"FULFILLMENT_ORDERS_SCHEDULED_FULFILLMENT_ORDER_READY"}
    | {"ORDERS_CREATE", "ORDERS_UPDATED", "ORDERS_CANCELLED", "ORDERS_EDITED", "INVENTORY_LEVELS_UPDATE"}
    | {"PRODUCTS_CREATE", "PRODUCTS_UPDATE", "APP_UNINSTALLED"}
)

NEEDED = {
    "orders": "read_orders",
    "order": "read_orders",
    "Order.customer": "read_customers",
    "products": "read_products",
    "product": "read_products",
    "inventoryItem": "read_inventory",
    "inventorySetQuantities": "write_inventory",
    "locations": "read_locations",
    "fulfillmentOrder": "read_merchant_managed_fulfillment_orders",
    "fulfillmentOrders": "read_merchant_managed_fulfillment_orders",
    "fulfillmentCreate": "write_merchant_managed_fulfillment_orders",
}
"""The scope that a root field, or a field of a type, asks for."""

_OF_PEOPLE = frozenset({"firstName", "lastName", "name", "company", "address1", "address2", "city", "zip", "phone"})
PROTECTED = {
    "Order": frozenset({"email", "phone"}),
    "Customer": _OF_PEOPLE | {"defaultEmailAddress", "defaultPhoneNumber"},
    "MailingAddress": _OF_PEOPLE,
}
"""Fields by type that are protected customer data."""

Json = dict[str, Any]
Taken = tuple[FulfillmentOrder, OpenUnits, int]


@dataclass(slots=True)
class Api:
    """`spent_keys` remembers what was asked for and answered under an idempotency key; `unapproved` are the protected
    fields that the app may not use.
    """

    shop: str
    state: Shop
    scopes: Sequence[str]
    most_rows: int
    hooks: list[Json] = field(default_factory=list)
    spent_keys: dict[str, tuple[bytes, Json]] = field(default_factory=dict)
    unapproved: set[str] = field(default_factory=set)

    def execute(self, document: Document, variables: Mapping[str, Any], gate: Gate) -> Json:
        """The data of a document. Raises QueryError."""
        found: Json = {}
        fields = self._mutations() if document.kind == "mutation" else self._queries()
        for root in document.roots:
            if root.name not in fields:
                raise QueryError(f"Field '{root.name}' doesn't exist on type 'QueryRoot'", "undefinedField")
            refused = self.refuses("", root.name)
            if refused is not None:
                raise refused
            given = argument_values(root.arguments, variables)
            if document.kind == "mutation":
                given["_directives"] = _directives(root, variables)
            value = fields[root.name](**given)
            found[root.name] = answer(value, root, document, variables, gate)
        return found

    def refuses(self, kind: str, name: str) -> QueryError | None:
        """Why the app may not read a field; writing includes reading."""
        scope = NEEDED.get(f"{kind}.{name}" if kind else name, "")
        if scope and not {scope, scope.replace("read_", "write_")} & set(self.scopes):
            said = f"Access denied for {name} field. Required access: `{scope}` access scope."
            return QueryError(said, "ACCESS_DENIED", f"`{scope}` access scope.")
        if name in self.unapproved & PROTECTED.get(kind, frozenset()):
            about = "See https://shopify.dev/docs/apps/launch/protected-customer-data for more details."
            return QueryError(f"This app is not approved to use the {name} field. {about}", "ACCESS_DENIED")
        return None

    def _queries(self) -> dict[str, Callable[..., Any]]:
        return {
            "shop": self._shop,
            "currentAppInstallation": lambda: {"accessScopes": [{"handle": one} for one in self.scopes]},
            "orders": self._orders,
            "order": self._order,
            "fulfillmentOrder": self._fulfillment_order,
            "fulfillmentOrders": self._fulfillment_orders,
            "products": self._products,
            "product": self._product,
            "nodes": self._nodes,
            "inventoryItem": self._inventory_item,
            "locations": self._locations,
            "webhookSubscriptions": connection(self.hooks, lambda hook: hook),
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
            "currencyCode": self.state.currency,
            "ianaTimezone": "America/New_York",
        }

    def _orders(self, query: str | None = None, sortKey: str = "", reverse: bool = False, **page: Any) -> Json:  # noqa: N803 - the vendor's names
        self._afford(page.get("first") or 0)
        found = [order for order in self.state.orders.values() if changed_between(query, order.updated)]
        if sortKey == "UPDATED_AT":
            found.sort(key=lambda order: (order.updated, order.id), reverse=reverse)
        return connection(found, graph.graph_order)(**page)

    def _fulfillment_orders(
        self,
        query: str | None = None,
        sortKey: str = "",  # noqa: N803 - the vendor's names
        includeClosed: bool = False,  # noqa: N803
        **page: Any,
    ) -> Json:
        every = [(order, one) for order in self.state.orders.values() for one in order.fulfillment_orders]
        found = [pair for pair in every if includeClosed or pair[1].status not in {"CLOSED", "CANCELLED"}]
        found = [pair for pair in found if changed_between(query, pair[1].updated)]
        if sortKey == "UPDATED_AT":
            found.sort(key=lambda pair: (pair[1].updated, pair[1].id))
        return connection(found, lambda pair: graph.graph_fulfillment_order(*pair))(**page)

    def _afford(self, orders: int) -> None:
        if orders > self.most_rows:
            raise QueryError("Query cost is too high", "MAX_COST_EXCEEDED")

    def _order(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        order = self.state.orders.get(_number(id))
        return graph.graph_order(order) if order else None

    def _fulfillment_order(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        every = ((order, one) for order in self.state.orders.values() for one in order.fulfillment_orders)
        return next((graph.graph_fulfillment_order(*pair) for pair in every if pair[1].id == _number(id)), None)

    def _products(self, query: str | None = None, sortKey: str = "", **page: Any) -> Json:  # noqa: N803 - the vendor's names
        found = [one for one in self.state.products if changed_between(query, one.updated)]
        if sortKey == "UPDATED_AT":
            found.sort(key=lambda one: (one.updated, one.id))
        return connection(found, lambda one: graph.graph_product(self.state, one))(**page)

    def _product(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        found = (one for one in self.state.products if one.id == _number(id))
        return next((graph.graph_product(self.state, one) for one in found), None)

    def _nodes(self, ids: Sequence[str]) -> list[Json | None]:
        self._afford(sum("/Order/" in one for one in ids))
        return [self._node(one) for one in ids]

    def _node(self, global_id: str) -> Json | None:
        """A variant or an order by its global id. Raises QueryError when the app may not read such."""
        root, read = ("order", self._order) if "/Order/" in global_id else ("product", self._variant)
        refused = self.refuses("", root)
        if refused is not None:
            raise refused
        return read(global_id)

    def _variant(self, global_id: str) -> Json | None:
        found = ((product, one) for product, one in self.state.variants() if one.id == _number(global_id))
        return next((graph.graph_variant(self.state, *pair) for pair in found), None)

    def _inventory_item(self, id: str) -> Json | None:  # noqa: A002 - the vendor's name
        found = ((product, one) for product, one in self.state.variants() if one.item == _number(id))
        return next((graph.graph_item(self.state, *pair) for pair in found), None)

    def _locations(self, includeInactive: bool = False, **page: Any) -> Json:  # noqa: N803 - the vendor's name
        found = [one for one in self.state.locations if one.active or includeInactive]
        return connection(found, graph.graph_location)(**page)

    def _set_quantities(self, input: Mapping[str, Any], _directives: Mapping[str, Any]) -> Json:  # noqa: A002 - the vendor's name
        key = str(_directives.get("idempotent", {}).get("key") or "").strip()
        if not key:
            raise QueryError("The @idempotent directive is required for this mutation", "BAD_REQUEST")
        asked = orjson.dumps(input, option=orjson.OPT_SORT_KEYS)
        if key in self.spent_keys:
            before, made = self.spent_keys[key]
            if before != asked:
                said = "The same idempotency key cannot be used with different operation parameters."
                return _refused(_error("IDEMPOTENCY_KEY_PARAMETER_MISMATCH", [], said))
            if made["userErrors"]:
                said = "A previous request with this idempotency key failed. Retry with a new idempotency key."
                return _refused(_error("IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED", [], said))
            return made
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
        here = self.state.stock.get((item, location))
        if here is None:
            return [self._not_here(path, item, location)]
        expected = row["changeFromQuantity"]
        if expected is not None and expected != here:
            said = "The quantity is not what was expected any more"
            return [_error("CHANGE_FROM_QUANTITY_STALE", [*path, "changeFromQuantity"], said)]
        return []

    def _not_here(self, path: list[str], item: int, location: int) -> Json:
        """Why there is no stock of an item at a location; asked only then, since it looks through all items."""
        if not any(one.item == item for _, one in self.state.variants()):
            return _error("INVALID_INVENTORY_ITEM", [*path, "inventoryItemId"], "The inventory item was not found")
        if not any(one.id == location for one in self.state.locations):
            return _error("INVALID_LOCATION", [*path, "locationId"], "The location was not found")
        return _error("ITEM_NOT_STOCKED_AT_LOCATION", path, "The item is not stocked at the location")

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
        taken: list[Taken] = []
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

    def _ship(self, order: Order, taken: Sequence[Taken], given: Mapping[str, Any]) -> Json:
        for one, row, units in taken:
            row.remaining -= units
            one.status = "IN_PROGRESS" if any(other.remaining for other in one.lines) else "CLOSED"
            self.state.touch_work(order, one)
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
        said = {"id": gid("Fulfillment", made.id), "legacyResourceId": str(made.id), "status": made.status}
        return {"fulfillment": said, "userErrors": []}

    def _subscribe(self, topic: str, webhookSubscription: Mapping[str, Any], _directives: Mapping[str, Any]) -> Json:  # noqa: N803 - the vendor's name
        if topic not in TOPICS:
            raise QueryError(f"{topic} is not a topic that can be subscribed to", "argumentLiteralsIncompatible")
        uri = webhookSubscription["uri"]
        if any(hook["topic"] == topic and hook["uri"] == uri for hook in self.hooks):
            said = {"field": ["webhookSubscription", "uri"], "message": "Address for this topic has already been taken"}
            return {"webhookSubscription": None, "userErrors": [said]}
        hook = {"id": gid("WebhookSubscription", next(self.state.ids)), "topic": topic, "uri": uri}
        self.hooks.append(hook)
        return {"webhookSubscription": hook, "userErrors": []}

    def _unsubscribe(self, id: str, _directives: Mapping[str, Any]) -> Json:  # noqa: A002 - the vendor's name
        left = [hook for hook in self.hooks if hook["id"] != id]
        if len(left) == len(self.hooks):
            said = {"field": ["id"], "message": "Webhook subscription does not exist"}
            return {"deletedWebhookSubscriptionId": None, "userErrors": [said]}
        self.hooks[:] = left
        return {"deletedWebhookSubscriptionId": id, "userErrors": []}


def _directives(root: Selection, variables: Mapping[str, Any]) -> Json:
    return {name: argument_values(given, variables) for name, given in root.directives.items()}


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
