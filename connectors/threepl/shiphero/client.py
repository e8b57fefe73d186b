"""The only calls to ShipHero: one function per document, errors already of the hub's classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from connectors.threepl.shiphero import queries
from connectors.threepl.shiphero.faults import classify
from hub.sdk import Http, Response, errors
from hub.sdk.context import Log

HOST = "https://public-api.shiphero.com"
SHIPMENTS_A_PAGE = 10  # at 20 lines for the shipment and for its label about 1,700 of the 4,004 credits
LINES_A_SHIPMENT = 20
MOST_LINES = 250  # read for the rare shipment that has more, alone, for about 2,000 credits
PRODUCTS_A_PAGE = 200


@dataclass(frozen=True, slots=True)
class Client:
    """Calls for one account. `customer` is the account that a 3PL acts for, "" for the own one."""

    http: Http
    log: Log
    base: str = HOST
    customer: str = ""

    def account(self) -> Mapping[str, Any]:
        """The own account with its warehouses."""
        account: Mapping[str, Any] = self._read("account", queries.ACCOUNT, {})
        return account

    def order(self, order_id: str) -> Mapping[str, Any]:
        """One order's state. Raises NotFound."""
        order: Mapping[str, Any] = self._read("order", queries.ORDER, {"id": order_id})
        return order

    def orders_with(self, reference: str, shop: str) -> list[Mapping[str, Any]]:
        """Orders of a shop that carry our reference, as partner order id or else as order number."""
        wanted = {"reference": reference, "shop": shop or None, "customer": self.customer or None}
        for document, name in (
            (queries.ORDERS_BY_PARTNER_ID, "partner_order_id"),
            (queries.ORDERS_BY_NUMBER, "order_number"),
        ):
            found = [order for order in _nodes(self._read("orders", document, wanted)) if order[name] == reference]
            if found:
                return found
        return []

    def order_create(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make an order. Not safe to repeat: ShipHero has no idempotency key."""
        answer = self._call("order_create", queries.ORDER_CREATE, {"data": self._for_customer(data)}, safe=False)
        return _made(answer, "order")

    def order_cancel(self, order_id: str, reason: str) -> Mapping[str, Any]:
        """Cancel an order, but not one that is in a box already (force) and not at a shop (void_on_platform)."""
        data = {"order_id": order_id, "reason": reason, "void_on_platform": False, "force": False}
        answer = self._call("order_cancel", queries.ORDER_CANCEL, {"data": self._for_customer(data)}, safe=False)
        return _made(answer, "order")

    def shipments(self, start: str | None, end: str, after: str | None) -> Iterator[tuple[list[Any], str | None]]:
        """Pages of shipments made from `start` to `end`, each with the cursor of the next page (None at the last).

        A shipment with many lines shows the first of them; `whole` reads the rest.
        """
        span = {"from": start, "to": end, "first": SHIPMENTS_A_PAGE, "lines": LINES_A_SHIPMENT}
        return self._pages("shipments", queries.SHIPMENTS, span, after)

    def warehouse_products(self, start: str | None, after: str | None) -> Iterator[tuple[list[Any], str | None]]:
        """Pages of stock figures that changed since `start`, what changes while they are read included.

        A page cursor is a place in the list, counted from its beginning: https://developer.shiphero.com/graphql-primer/
        shows some, read 2026-11-30. With an end to the span a figure that changes meanwhile would leave the list, those
        behind it would move up, and the first of the next page would never be read. Without one nothing leaves the
        list: what comes in moves others down, and they are read twice.
        """
        span = {"from": start, "first": PRODUCTS_A_PAGE, "customer": self.customer or None}
        return self._pages("warehouse_products", queries.WAREHOUSE_PRODUCTS, span, after)

    def webhooks(self) -> list[Mapping[str, Any]]:
        pages = self._pages("webhooks", queries.WEBHOOKS, {"first": 100, "customer": self.customer or None}, None)
        return [webhook for nodes, _ in pages for webhook in nodes]

    def webhook_create(self, name: str, url: str, shop: str) -> Mapping[str, Any]:
        """Register a webhook; the answer is the only place where its signing secret is ever told."""
        data = self._for_customer({"name": name, "url": url, "shop_name": shop})
        return _made(self._call("webhook_create", queries.WEBHOOK_CREATE, {"data": data}, safe=False), "webhook")

    def webhook_enable(self, webhook_id: str) -> None:
        """Switch a webhook on again."""
        self._call("webhook_enable", queries.WEBHOOK_ENABLE, {"data": {"webhook_id": webhook_id}}, safe=True)

    def webhook_delete(self, name: str, shop: str) -> None:
        """Remove the webhook of that name and shop; one that is gone already is fine."""
        data = self._for_customer({"name": name, "shop_name": shop})
        try:
            self._call("webhook_delete", queries.WEBHOOK_DELETE, {"data": data}, safe=True)
        except errors.NotFound:
            return

    def whole(self, shipment: Mapping[str, Any]) -> Mapping[str, Any]:
        """A shipment of a page with all its lines. Raises SchemaDrift when there are too many."""
        if not _is_cut(shipment):
            return shipment
        whole: Mapping[str, Any] = self._read("shipment", queries.SHIPMENT, {"id": shipment["id"], "lines": MOST_LINES})
        if _is_cut(whole):
            raise errors.SchemaDrift(f"shipment {shipment['id']} has more than {MOST_LINES} lines", "line_items")
        return whole

    def _pages(
        self, field: str, document: str, variables: Mapping[str, Any], after: str | None
    ) -> Iterator[tuple[list[Any], str | None]]:
        while True:
            page = self._read(field, document, {**variables, "after": after})
            info = page["pageInfo"]
            following = info["endCursor"] if info["hasNextPage"] else None
            if following is not None and following == after:
                raise errors.SchemaDrift(f"{field} gave the same page cursor twice: {after}", "pageInfo.endCursor")
            yield _nodes(page), following
            if following is None:
                return
            after = following

    def _read(self, field: str, document: str, variables: Mapping[str, Any]) -> Any:
        answer = self._call(field, document, variables, safe=True)
        if answer.get("data") is None:
            raise errors.NotFound(f"{field} {variables.get('id', '')}: ShipHero has no such record")
        return answer["data"]

    def _for_customer(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {**data, "customer_account_id": self.customer} if self.customer else dict(data)

    def _call(self, field: str, document: str, variables: Mapping[str, Any], *, safe: bool) -> Any:
        url = f"{self.base}/graphql"
        response = self.http.post(url, json={"query": document, "variables": variables}, safe=safe, expect=(400,))
        complaints, result = _parts(field, response, safe=safe)
        if result is None:
            raise self._paused(url, classify(field, complaints, safe=safe))
        if complaints:  # warnings about scopes come in the same place while the data is there
            self.log.warning("shiphero.warning", operation=field, message=str(complaints[0].get("message", "")))
        return result

    def _paused(self, url: str, error: errors.ConnectorError) -> errors.ConnectorError:
        limit = self.http.limit_for("POST", url)
        if isinstance(error, errors.RateLimited) and limit is not None:
            # All workers of the connection share the credits, so all of them wait.
            self.http.limiter.pause(limit, error.retry_after_s)
        return error


def _parts(field: str, response: Response, *, safe: bool) -> tuple[list[Any], Any]:
    try:
        answer = response.json()
        return answer.get("errors") or [], (answer.get("data") or {}).get(field)
    except (errors.SchemaDrift, AttributeError) as error:
        said = f"{field}: no GraphQL answer: {response.text[:200]!r}"
        raise (errors.SchemaDrift(said) if safe else errors.OutcomeUnknown(said)) from error


def _made(answer: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    made = answer.get(name)
    if not made or not made.get("id"):
        raise errors.OutcomeUnknown(f"ShipHero answered without the {name}'s id: {dict(answer)}")
    thing: Mapping[str, Any] = made
    return thing


def _nodes(connection: Mapping[str, Any]) -> list[Any]:
    return [edge["node"] for edge in connection.get("edges") or [] if edge and edge.get("node")]


def _is_cut(shipment: Mapping[str, Any]) -> bool:
    parts = [shipment.get("line_items")]
    parts += [label.get("shipment_line_items") for label in shipment.get("shipping_labels") or []]
    return any(part and part["pageInfo"]["hasNextPage"] for part in parts)
