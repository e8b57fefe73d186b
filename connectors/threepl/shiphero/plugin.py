"""ShipHero as the hub sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from connectors.threepl.shiphero import translate, webhooks
from connectors.threepl.shiphero.client import HOST, Client
from connectors.threepl.shiphero.faults import is_dead_token
from connectors.threepl.shiphero.settings import CONFIG_SCHEMA
from hub.domain.shipping import Cancelled, FulfillmentRequest, Submitted
from hub.sdk import (
    CheckResult,
    Connector,
    Cursor,
    Event,
    FindByReference,
    FulfillmentTarget,
    LocationSource,
    Manifest,
    OAuth2,
    Page,
    Place,
    RateLimit,
    Record,
    StockSource,
    Stream,
    Subscription,
    WebhookProvisioner,
    WebhookReceiver,
    WebhookRequest,
    WebhookResponse,
    Window,
    errors,
    read_each,
    webhook_secret_name,
)

Pages = Iterator[tuple[list[Any], str | None]]


class ShipHero(
    Connector,
    FulfillmentTarget,
    FindByReference,
    StockSource,
    LocationSource,
    WebhookReceiver,
    WebhookProvisioner,
):
    manifest = Manifest(
        id="shiphero",
        label="ShipHero",
        version="1.0.0",
        owner="orderhub",
        docs_url="https://developer.shiphero.com/getting-started/",
        description="Hands fulfillment orders to a ShipHero warehouse and reads shipments and stock back.",
        category="threepl",
        config_schema=CONFIG_SCHEMA,
        auth=OAuth2(
            token_url=f"{HOST}/auth/refresh",
            grant="refresh_token",
            refresh_token="refresh_token",  # noqa: S106 - the name of the setting
            body="json",
            token_url_setting="base_url",  # noqa: S106 - the name of the setting
            expired_when=is_dead_token,
        ),
        streams=(
            Stream(
                "shipments",
                "shipment",
                "threepl/shiphero/shipments.yml",
                polled=True,
                # ShipHero finds shipments by the day they were made only; looking back a day shows what was voided,
                # collected or delivered since.
                lookback=timedelta(days=1),
            ),
            Stream("shipments_webhook", "shipment", "threepl/shiphero/shipments_webhook.yml"),
            Stream("inventory", "inventory", "threepl/shiphero/inventory.yml", polled=True),
            Stream("inventory_webhook", "inventory", "threepl/shiphero/inventory_webhook.yml"),
            Stream("orders_webhook", "fulfillment", "threepl/shiphero/orders_webhook.yml"),
        ),
        rate_limits=(RateLimit("graphql", per_second=20.0, burst=60, match="POST /graphql"),),
        allowed_hosts=("public-api.shiphero.com",),
        idempotency={"submit": "lookup", "cancel": "native"},
        sandbox=True,
    )

    @property
    def client(self) -> Client:
        config = self.ctx.config
        base = str(config.get("base_url") or HOST).rstrip("/")
        return Client(self.ctx.http, self.ctx.log, base, str(config.get("customer_account_id") or ""))

    @property
    def shop(self) -> str:
        return str(self.ctx.config["shop_name"])

    def check(self) -> CheckResult:
        try:
            account = self.client.account()
            known = {warehouse["id"] for warehouse in account.get("warehouses") or []}
        except errors.ConnectorError as error:
            return CheckResult(ok=False, error=str(error), error_code=error.code, field=getattr(error, "field", ""))
        wanted = self.ctx.config.get("default_warehouse")
        if wanted and wanted not in known:
            said = f"the account has no warehouse {wanted}; it has {', '.join(sorted(known)) or 'none'}"
            return CheckResult(ok=False, error=said, error_code="config_invalid", field="default_warehouse")
        parts = [str(account["id"]), str(self.ctx.config.get("customer_account_id") or "")]
        return CheckResult(
            ok=True,
            unique_id="/".join(part for part in parts if part),
            label=str(account.get("username") or account.get("email") or account["id"]),
        )

    def places(self) -> list[Place]:
        return [translate.place(warehouse) for warehouse in self.client.account().get("warehouses") or []]

    def submit(self, request: FulfillmentRequest, key: str) -> Submitted:  # noqa: ARG002 - no idempotency keys there
        """Make the order. ShipHero may accept the same number twice, so an unknown outcome must be looked up."""
        try:
            order = self.client.order_create(translate.order_input(request, self.ctx.config))
        except errors.AlreadyDone as error:
            found = self.find("submit", request.number)
            if found is None:
                raise errors.Rejected(str(error), field="order_number") from error
            raise errors.AlreadyDone(str(error), found.ref) from error
        except errors.NotFound as error:  # an article or a warehouse that ShipHero does not know
            raise errors.Rejected(str(error)) from error
        return Submitted(str(order["id"]), accepted=True)

    def find(self, operation: str, reference: str) -> Submitted | None:
        """The order that carries our number; a live one before a cancelled one."""
        if operation != "submit":
            return None
        orders = self.client.orders_with(reference, self.shop)
        live = [order for order in orders if order["fulfillment_status"] not in translate.CANCELLED]
        if len(live) > 1:
            self.ctx.log.warning("shiphero.double", reference=reference, orders=[order["id"] for order in live])
        for order in live or orders:
            return Submitted(str(order["id"]), accepted=True)
        return None

    def cancel(self, ref: str, reason: str, key: str) -> Cancelled:  # noqa: ARG002 - the state makes it repeatable
        """Ask first and cancel then: cancelling what was shipped is not to be tried, and what is cancelled is done."""
        settled = self._settled(ref)
        if settled is not None:
            return settled
        try:
            self.client.order_cancel(ref, reason or "cancelled by the shop")
        except (errors.Rejected, errors.AlreadyDone, errors.Conflict) as error:
            return self._settled(ref) or Cancelled(accepted=False, reason=str(error))
        return Cancelled(accepted=True)

    def _settled(self, ref: str) -> Cancelled | None:
        status = str(self.client.order(ref).get("fulfillment_status") or "").lower()
        if status in translate.CANCELLED:
            return Cancelled(accepted=True, reason="was cancelled already")
        if status in translate.SHIPPED:
            return Cancelled(accepted=False, reason="ShipHero has shipped the order")
        return None

    def updates(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        for shipments, following in _pages(self.client.shipments, window, cursor):
            yield Page(read_each(shipments, self._shipment), following)

    def stock(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        def since(start: str | None, _end: str, after: str | None) -> Pages:
            return self.client.warehouse_products(start, after)

        for levels, following in _pages(since, window, cursor):
            read_at = self.ctx.clock().isoformat()  # the figures of a page held when it was read
            yield Page(read_each(levels, partial(_level, read_at=read_at)), following)

    def _shipment(self, item: Mapping[str, Any]) -> Record:
        whole = self.client.whole(item)
        return Record(str(whole["id"]), whole, translate.shipment_revision(whole), "shipment")

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> None:
        webhooks.verify(request, secrets)

    def events(self, request: WebhookRequest) -> list[Event]:
        return webhooks.events(request, self.ctx.clock())

    def accepted(self) -> WebhookResponse:
        return webhooks.ACCEPTED

    def ensure(self, url: str) -> Iterator[Subscription]:
        """ShipHero knows a webhook by name and shop name: one of ours that points elsewhere is moved.

        It tells a signing secret only when the webhook is made, and switches off a webhook whose deliveries fail.
        """
        present = {hook["name"]: hook for hook in self.client.webhooks() if hook.get("shop_name") == self.shop}
        for name in webhooks.WANTED:
            yield self._ensure(name, url, present.get(name))

    def _ensure(self, name: str, url: str, hook: Mapping[str, Any] | None) -> Subscription:
        if hook is not None and hook["url"] == url and self.ctx.secrets.get(webhook_secret_name(name)):
            if hook.get("enabled") is False:
                self.ctx.log.warning("shiphero.webhook_was_off", webhook=name, health=hook.get("health"))
                self.client.webhook_enable(str(hook["id"]))
            return _subscription(hook)
        if hook is not None:
            self.client.webhook_delete(name, self.shop)
        try:
            return _subscription(self.client.webhook_create(name, url, self.shop))
        except errors.OutcomeUnknown:
            # The lost answer held the signing secret, which is never told again: begin anew.
            self.client.webhook_delete(name, self.shop)
            return _subscription(self.client.webhook_create(name, url, self.shop))

    def subscriptions(self) -> list[Subscription]:
        return [_subscription(hook) for hook in self.client.webhooks()]

    def remove(self, url: str) -> None:
        for hook in self.client.webhooks():
            if hook["url"] == url:
                self.client.webhook_delete(str(hook["name"]), str(hook.get("shop_name") or self.shop))


def _pages(
    read: Callable[[str | None, str, str | None], Pages], window: Window, cursor: Cursor | None
) -> Iterator[tuple[list[Any], Cursor | None]]:
    """Pages of a window, on from a cursor. Every page but the last says where to go on."""
    start = translate.instant(window.start) if window.start else None
    for items, following in read(start, translate.end_instant(window.end), cursor["after"] if cursor else None):
        yield items, {"v": 1, "after": following} if following else None


def _level(item: Mapping[str, Any], read_at: str) -> Record:
    identity = translate.level_id(item)
    changed = translate.stamp(str(item.get("updated_at") or read_at))
    # updated_at has whole seconds, so two changes within one are told apart by their figures.
    figures = "/".join(str(item.get(name)) for name in ("on_hand", "available", "allocated", "non_sellable_quantity"))
    return Record(identity, {**item, "read_at": read_at}, f"{changed} {figures}", "inventory")


def _subscription(hook: Mapping[str, Any]) -> Subscription:
    return Subscription(
        str(hook["id"]), str(hook["name"]), str(hook["url"]), str(hook.get("shared_signature_secret") or "")
    )
