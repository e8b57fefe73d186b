"""The EasyPost connector: what it is, and the order of its calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.carriers.easypost import translate, webhooks
from connectors.carriers.easypost.client import HOST, Api
from connectors.carriers.easypost.settings import CONFIG_SCHEMA
from hub.domain.shipping import Label, LabelRequest, Rate
from hub.sdk import (
    BasicAuth,
    Carrier,
    CheckResult,
    Connector,
    Context,
    Event,
    FindByReference,
    Manifest,
    RateLimit,
    Rates,
    Record,
    Stream,
    Subscription,
    Void,
    WebhookProvisioner,
    WebhookReceiver,
    WebhookRequest,
    errors,
)

# A label whose purchase got no answer is looked for among the bought ones of this time, at most so many pages of 100.
LOOK_BACK = timedelta(days=3)
MOST_PAGES = 20


class EasyPost(Connector, Carrier, Rates, Void, FindByReference, WebhookReceiver, WebhookProvisioner):
    manifest = Manifest(
        id="easypost",
        label="EasyPost",
        version="1.0.0",
        owner="Orderhub",
        docs_url="https://docs.easypost.com",
        description="Labels, rates, refunds and tracking of many carriers through one account.",
        category="carrier",
        auth=BasicAuth(username="api_key"),
        config_schema=CONFIG_SCHEMA,
        streams=(Stream("tracking", "shipment", "carriers/easypost/tracking.yml"),),
        # Lists only have a fixed quota; the look-ups beside them are kept under it too, for they begin alike.
        rate_limits=(RateLimit("easypost.lists", 5.0, 5, match="GET /v2/shipments"),),
        allowed_hosts=(
            "api.easypost.com",
            "easypost-files.s3.us-west-2.amazonaws.com",
            "easypost-files.s3-us-west-2.amazonaws.com",
        ),
        idempotency={"buy_label": "lookup", "void": "native"},
        sandbox=True,
    )

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self.api = Api(ctx.http, str(ctx.config.get("base_url") or HOST).rstrip("/"))

    def check(self) -> CheckResult:
        try:
            user = self._user()
        except errors.AuthRejected as error:
            return CheckResult(ok=False, error=str(error), error_code=error.code, field="api_key")
        except errors.ConnectorError as error:
            return CheckResult(ok=False, error=str(error), error_code=error.code)
        return CheckResult(ok=True, unique_id=str(user.get("id", "")), label=str(user.get("name") or "EasyPost"))

    def _user(self) -> dict[str, Any]:
        """The account; test keys may not read it, so a list of one kind proves those."""
        try:
            return self.api.user()
        except (errors.MissingPermission, errors.NotFound):
            self.api.webhooks()
            return {}

    def rates(self, request: LabelRequest) -> list[Rate]:
        """Prices of every service. The shipment made for it carries no reference, so that no label is bought on it."""
        body = translate.shipment_body(request, self.ctx.config, self._format(request))
        return translate.rates(self.api.create_shipment(body, only_rates=True))

    def buy_label(self, request: LabelRequest, key: str) -> Label:  # noqa: ARG002 - EasyPost knows references, not keys
        """Buy one label, once per `request.reference` however often it is called.

        It goes on where a lost answer left off: a bought shipment of the reference is the label, and one that was
        made and not bought is bought. Raises Rejected before any call when something is missing, and OutcomeUnknown
        when an answer got lost; then `find` or another call settles it.
        """
        body = translate.shipment_body(request, self.ctx.config, self._format(request), reference=request.reference)
        earlier = self._named(request.reference)
        if earlier and translate.can_be_bought(earlier, body["shipment"], self.ctx.clock()):
            return self._label(self._bought(earlier, request), self._format(request))
        if earlier and not translate.is_bought(earlier):
            # It was given back or is too old; what was bought since under the same reference stands in the list only.
            earlier = self._listed(request.reference)
        if earlier:
            return self._label(earlier, self._format(request))
        return self._label(self._bought(self.api.create_shipment(body), request), self._format(request))

    def _bought(self, shipment: dict[str, Any], request: LabelRequest) -> dict[str, Any]:
        rate = translate.choose_rate(shipment, request)
        try:
            return self.api.buy(shipment["id"], rate.ref)
        except errors.AlreadyDone:
            return self.api.shipment(shipment["id"])

    def find(self, operation: str, reference: str) -> Label | None:
        """The label that `buy_label` bought for a reference, or None when there is none (yet)."""
        if operation != "buy_label":
            return None
        shipment = self._named(reference)
        if shipment is None or not translate.is_bought(shipment):
            shipment = self._listed(reference)
        return self._label(shipment, translate.bought_format(shipment)) if shipment else None

    def _named(self, reference: str) -> dict[str, Any] | None:
        """The shipment of a reference, which EasyPost takes in place of an id."""
        try:
            shipment = self.api.shipment(reference)
        except errors.NotFound:
            return None
        return shipment if shipment.get("reference") == reference else None

    def _listed(self, reference: str) -> dict[str, Any] | None:
        """The bought shipment of a reference among the newest ones, should the direct look-up have missed it."""
        since, before = self.ctx.clock() - LOOK_BACK, None
        for _ in range(MOST_PAGES):
            page = self.api.bought_shipments(before)
            for shipment in page["shipments"]:
                if shipment.get("reference") == reference and translate.is_bought(shipment):
                    return dict(shipment)
            last = page["shipments"][-1] if page["shipments"] else None
            if last is None or not page["has_more"] or datetime.fromisoformat(last["created_at"]) < since:
                return None
            before = last["id"]
        return None

    def _format(self, request: LabelRequest) -> str:
        """The request's format where it asks for another than the usual PDF, else the connection's."""
        asked = request.label_format.upper()
        return asked if asked != "PDF" else str(self.ctx.config.get("label_format", "PDF"))

    def _label(self, shipment: dict[str, Any], label_format: str) -> Label:
        """The label with its file.

        The label is paid for by now, so a file that cannot be had at the moment makes the outcome unknown, which has
        it looked up again, and one that cannot be had at all is left to its address.
        """
        url = translate.label_url(shipment, label_format)
        try:
            if url is None:
                url = translate.label_url(self.api.convert_label(shipment["id"], label_format), label_format)
            content = self.api.download(url) if url else b""
        except (errors.Transient, errors.RateLimited) as error:
            raise errors.OutcomeUnknown(
                f"{shipment['id']} is bought, its label file is not there yet: {error}"
            ) from error
        except errors.ConnectorError as error:
            self.ctx.log.warning("label_file_missing", shipment=shipment["id"], error=str(error))
            return translate.label_of(shipment, label_format, url, b"")
        if content and not translate.looks_like(content, label_format):
            raise errors.OutcomeUnknown(f"{shipment['id']} is bought, but its label file is no {label_format}")
        return translate.label_of(shipment, label_format, url, content)

    def void(self, ref: str, key: str) -> bool:  # noqa: ARG002 - a shipment has one refund, so no key is needed
        """Ask for the postage back. Carriers decide later; "submitted" counts as accepted."""
        try:
            shipment = self.api.refund(ref)
        except (errors.Rejected, errors.Conflict) as error:
            shipment = self.api.shipment(ref)
            self.ctx.log.info("refund_refused", shipment=ref, error=str(error))
        return shipment.get("refund_status") in translate.GIVEN_BACK

    def track(self, ref: str) -> Record:
        """Tracking of one package by its tracker, its shipment or its tracking number."""
        tracker = self.api.shipment(ref).get("tracker") if ref.startswith("shp_") else self.api.tracker(ref)
        if not tracker:
            raise errors.NotFound(f"{ref} has no label, so nothing is tracked")
        return Record(tracker["id"], tracker, translate.revision(tracker), "tracker")

    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> None:
        webhooks.verify(request, secrets, self.ctx.clock())

    def events(self, request: WebhookRequest) -> list[Event]:
        return webhooks.events(request)

    def ensure(self, url: str) -> Iterator[Subscription]:
        """One enabled webhook to `url`. EasyPost switches off what fails for long; such a one is made anew."""
        secret = self.ctx.secrets.get("webhook_secret", "")
        if not secret:
            raise errors.ConfigInvalid(
                "a webhook secret is needed, so that deliveries can be checked", "webhook_secret"
            )
        mine = [webhook for webhook in self.api.webhooks() if webhook["url"] == url]
        alive = [webhook for webhook in mine if not webhook.get("disabled_at")]
        for webhook in [webhook for webhook in mine if webhook not in alive[:1]]:
            self.api.delete_webhook(webhook["id"])
        yield _subscription(alive[0] if alive else self.api.create_webhook(url, secret))

    def subscriptions(self) -> list[Subscription]:
        return [_subscription(webhook) for webhook in self.api.webhooks()]

    def remove(self, url: str) -> None:
        for webhook in self.api.webhooks():
            if webhook["url"] == url:
                self.api.delete_webhook(webhook["id"])


def _subscription(webhook: dict[str, Any]) -> Subscription:
    """A webhook of EasyPost gets every kind of event; there is nothing to subscribe to one by one."""
    return Subscription(external_id=webhook["id"], topic="*", url=webhook["url"])
