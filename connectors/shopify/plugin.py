"""The Shopify connector as the hub sees it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from connectors.shopify import confirming, queries, sources, webhooks
from connectors.shopify.client import GRAPHQL, PAGE, Admin, refusal
from connectors.shopify.facts import numeric_id
from connectors.shopify.stock import StockPush
from hub.domain.shipping import ItemResult, ShipmentNotice, StockUpdate
from hub.sdk import (
    ApiKey,
    CatalogSource,
    CheckResult,
    Connector,
    Context,
    Cursor,
    Event,
    LocationSource,
    Manifest,
    OrderSource,
    Page,
    Place,
    Record,
    ShipmentSink,
    StockSink,
    Stream,
    Subscription,
    WebhookProvisioner,
    WebhookReceiver,
    WebhookRequest,
    Window,
    errors,
)

API_VERSION = "2026-07"
"""The version that is spoken unless the connection says otherwise; older ones lack fields that are asked for."""

SCOPES = (
    "read_orders",
    "read_customers",
    "read_products",
    "read_inventory",
    "write_inventory",
    "read_locations",
    "read_merchant_managed_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
)

CONFIG = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["shop", "access_token"],
    "additionalProperties": False,
    "properties": {
        "shop": {
            "type": "string",
            "title": "Shop",
            "description": "The shop's own address at Shopify, not the one that customers see.",
            "pattern": "^[a-z0-9][a-z0-9-]*\\.myshopify\\.com$",
            "examples": ["demo.myshopify.com"],
            "x-hub": {"order": 1, "help": "Settings, Domains: the address that ends in .myshopify.com."},
        },
        "access_token": {
            "type": "string",
            "title": "Admin API access token",
            "description": "Token of a custom app with the scopes " + ", ".join(SCOPES) + ".",
            "writeOnly": True,
            "minLength": 1,
            "x-hub": {"order": 2, "help": "Settings, Apps, Develop apps, API credentials. It is shown once."},
        },
        "webhook_secret": {
            "type": "string",
            "title": "App client secret",
            "description": "Signs webhooks. Without it deliveries are refused and orders come by polling only.",
            "writeOnly": True,
            "x-hub": {"order": 3, "help": "On the same page as the token, under API key and secret."},
        },
        "api_version": {
            "type": "string",
            "title": "API version",
            "description": "Quarterly version of the Admin API.",
            "pattern": "^20[2-9][0-9]-(01|04|07|10)$",
            "default": API_VERSION,
            "x-hub": {"order": 4, "group": "Advanced"},
        },
        "page_size": {
            "type": "integer",
            "title": "Orders per page",
            "description": "Orders fetched with one call; halved by itself when Shopify finds the call too costly.",
            "minimum": 1,
            "maximum": 100,
            "default": 10,
            "x-hub": {"order": 5, "group": "Advanced"},
        },
        "base_url": {
            "type": "string",
            "title": "Base URL",
            "description": "Address used instead of the shop's, for sandboxes.",
            "format": "uri",
            "x-hub": {"order": 6, "group": "Advanced"},
        },
    },
}


class Shopify(
    Connector,
    OrderSource,
    StockSink,
    ShipmentSink,
    CatalogSource,
    LocationSource,
    WebhookReceiver,
    WebhookProvisioner,
):
    """One shop."""

    manifest = Manifest(
        id="shopify",
        label="Shopify",
        version="1.0.0",
        owner="Orderhub maintainers",
        docs_url="https://shopify.dev/docs/api/admin-graphql/2026-07",
        description="Orders, products and stock of a Shopify shop.",
        category="shop",
        config_schema=CONFIG,
        auth=ApiKey(header="X-Shopify-Access-Token", secret="access_token"),  # noqa: S106 - a property's name
        streams=(
            Stream("orders", "order", "shopify/orders.yml", polled=True),
            Stream("orders_webhook", "order", "shopify/orders_webhook.yml"),
            Stream("fulfillment_orders", "notice"),
            Stream("products", "product", "shopify/products.yml", polled=True, every=timedelta(hours=1)),
            Stream("products_webhook", "product", "shopify/products_webhook.yml"),
            Stream("inventory_levels", "inventory", "shopify/inventory_levels.yml"),
            Stream("lifecycle", "lifecycle"),
        ),
        rate_limits=(GRAPHQL,),
        allowed_hosts=("{shop}",),
        idempotency={"set_stock": "native", "confirm": "native"},
        sandbox=True,
    )

    max_batch = 100

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._admin = Admin(ctx)

    def check(self) -> CheckResult:
        if str(self.ctx.config.get("api_version") or API_VERSION) < API_VERSION:
            said = f"this connector needs version {API_VERSION} or a later one"
            return CheckResult(ok=False, error=said, error_code="config_invalid", field="api_version")
        try:
            return self._judge(self._admin.read(queries.CHECK))
        except errors.ConnectorError as error:
            field = getattr(error, "field", "") or ("access_token" if isinstance(error, errors.AuthRejected) else "")
            return CheckResult(ok=False, error=str(error), error_code=error.code, field=field)

    def _judge(self, data: Mapping[str, Any]) -> CheckResult:
        shop = data["shop"]
        if shop["myshopifyDomain"] != self.ctx.config["shop"]:
            said = f"the token belongs to the shop {shop['myshopifyDomain']}"
            return CheckResult(ok=False, error=said, error_code="config_invalid", field="shop")
        granted = {one["handle"] for one in data["currentAppInstallation"]["accessScopes"]}
        missing = [scope for scope in SCOPES if not _is_granted(scope, granted)]
        if missing:
            said = f"the token lacks the scopes {', '.join(missing)}"
            return CheckResult(ok=False, error=said, error_code="missing_permission", field="access_token")
        self._admin.read(queries.PERSONAL_DATA)  # Shopify says only with an order whether the app may see people
        return CheckResult(ok=True, unique_id=numeric_id(shop["id"]), label=shop["name"], warning=self._admin.withheld)

    def orders(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        return sources.orders(self._admin, window, cursor, self._rows)

    def order(self, external_id: str) -> Record:
        return sources.order(self._admin, external_id)

    def several(self, external_ids: Sequence[str]) -> Iterator[tuple[str, Record | None]]:
        return sources.several(self._admin, external_ids)

    def items(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        return sources.products(self._admin, window, cursor, self._rows)

    def places(self) -> list[Place]:
        return sources.places(self._admin)

    def set_stock(self, updates: Sequence[StockUpdate], key: str) -> list[ItemResult]:
        return StockPush(self._admin, updates, key).send()

    def confirm(self, notice: ShipmentNotice, key: str) -> str:
        del key  # Shopify takes none for fulfillments; what is there already is read first
        return confirming.confirm(self._admin, notice)

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> None:
        webhooks.verify(request, secrets, str(self.ctx.config["shop"]))

    def events(self, request: WebhookRequest) -> list[Event]:
        return webhooks.events(request)

    def ensure(self, url: str) -> Iterator[Subscription]:
        """All are signed with the app's own secret, so nothing is told on the way."""
        there = self._topics_of(url)
        for topic in webhooks.SUBSCRIBED:
            if topic not in there:
                self._subscribe(topic, url)
        yield from (one for one in self.subscriptions() if one.url == url)

    def subscriptions(self) -> list[Subscription]:
        pages = self._admin.pages(queries.SUBSCRIPTIONS, lambda data: data["webhookSubscriptions"], first=PAGE)
        return [Subscription(node["id"], node["topic"], node["uri"]) for page in pages for node in page["nodes"]]

    def remove(self, url: str) -> None:
        for one in self.subscriptions():
            if one.url == url:
                no = refusal(self._admin.write(queries.UNSUBSCRIBE, repeatable=True, id=one.external_id))
                if no is not None and "does not exist" not in str(no):  # gone already is what was wanted
                    raise no

    def _topics_of(self, url: str) -> set[str]:
        return {one.topic for one in self.subscriptions() if one.url == url}

    def _subscribe(self, topic: str, url: str) -> None:
        wanted: dict[str, Any] = {"uri": url, "format": "JSON"}
        # Shopify refuses a second subscription of one topic to one address, so a repetition changes nothing.
        answer = self._admin.write(queries.SUBSCRIBE, repeatable=True, topic=topic, webhookSubscription=wanted)
        no = refusal(answer)
        if no is not None and topic not in self._topics_of(url):
            raise no

    @property
    def _rows(self) -> int:
        return int(self.ctx.config.get("page_size") or 10)


def _is_granted(scope: str, granted: set[str]) -> bool:
    """Whether a scope is granted; writing includes reading."""
    return scope in granted or scope.replace("read_", "write_", 1) in granted
