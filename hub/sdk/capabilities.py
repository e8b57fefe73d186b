"""What a connector can do: small abstract classes, one job each, found by `issubclass`.

Every write takes a `key`: it is derived from the business fact, the same on every retry. Where the vendor has
idempotency keys, send it; where not, implement `FindByReference`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hub.domain.ledgers import Posted, Posting
from hub.domain.shipping import (
    Cancelled,
    FulfillmentRequest,
    ItemResult,
    Label,
    LabelRequest,
    Rate,
    ShipmentNotice,
    StockUpdate,
    Submitted,
)
from hub.sdk import errors
from hub.sdk.context import Context
from hub.sdk.manifest import Manifest
from hub.sdk.paging import Cursor, Event, Page, Record, WebhookRequest, WebhookResponse, Window
from hub.sdk.results import CheckResult, Place, Subscription


class Connector(ABC):
    """A connector, made anew for each connection and each run."""

    manifest: Manifest

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx

    @classmethod
    def migrate_config(cls, settings: Mapping[str, Any], from_version: int) -> Mapping[str, Any]:  # noqa: ARG003
        """Settings that were saved under an earlier `config_version`, as this one wants them.

        Plain and secret ones stand together. Pure. Once a version is out, every later one takes it.
        """
        return settings

    @abstractmethod
    def check(self) -> CheckResult:
        """Say whether the connection works, by one cheap read. Never raises for a failure of the remote side."""


class OrderSource(ABC):
    @abstractmethod
    def orders(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Orders changed inside the window."""

    @abstractmethod
    def order(self, external_id: str) -> Record:
        """One order as it is now, in the shape of the polled stream. Raises NotFound.

        `external_id` is the order's, or what a notice of the connector's own webhooks names it by.
        """

    def several(self, external_ids: Sequence[str]) -> Iterator[tuple[str, Record | None]]:
        """Each of these as `order` gives it, None for one that is not there; with fewer calls where the vendor can."""
        for external_id in external_ids:
            try:
                yield external_id, self.order(external_id)
            except errors.NotFound:
                yield external_id, None


class StockSink(ABC):
    max_batch: int = 100

    @abstractmethod
    def set_stock(self, updates: Sequence[StockUpdate], key: str) -> list[ItemResult]:
        """Tell the channel absolute figures; one result per update, in order. Safe to call twice."""


class StockSource(ABC):
    @abstractmethod
    def stock(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Stock figures changed inside the window."""


class ShipmentSink(ABC):
    @abstractmethod
    def confirm(self, notice: ShipmentNotice, key: str) -> str:
        """Tell the channel what left; returns its id there ("" where it gives none)."""


class CatalogSource(ABC):
    @abstractmethod
    def items(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Products with their variants, for linking SKUs."""


class LocationSource(ABC):
    @abstractmethod
    def places(self) -> list[Place]:
        """The channel's own places, for linking them to locations."""


class FulfillmentTarget(ABC):
    @abstractmethod
    def submit(self, request: FulfillmentRequest, key: str) -> Submitted:
        """Hand over a fulfillment order. Raises Rejected when the fulfiller says no at once."""

    @abstractmethod
    def cancel(self, ref: str, reason: str, key: str) -> Cancelled:
        """Ask to stop. Cancelling what is already cancelled is accepted."""

    @abstractmethod
    def updates(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """What became of fulfillment orders: records of the manifest's polled shipment stream."""


class Carrier(ABC):
    @abstractmethod
    def buy_label(self, request: LabelRequest, key: str) -> Label:
        """Buy one label."""

    @abstractmethod
    def track(self, ref: str) -> Record:
        """Tracking of one package, as a record of the manifest's shipment stream. Raises NotFound."""


class Rates(ABC):
    @abstractmethod
    def rates(self, request: LabelRequest) -> list[Rate]:
        """Prices for one parcel, cheapest first."""


class Void(ABC):
    @abstractmethod
    def void(self, ref: str, key: str) -> bool:
        """Give a label back. True when the carrier accepted or had done so before, False when it refused."""


class LedgerSink(ABC):
    @abstractmethod
    def post(self, posting: Posting, key: str) -> Posted:
        """Post a document."""


class FindByReference(ABC):
    @abstractmethod
    def find(self, operation: str, reference: str) -> object | None:
        """What an operation whose outcome is unknown has made, found by our reference, or None.

        `operation` is submit, buy_label, post or confirm; the answer has the type which that operation returns. None
        says that it is not there, and said twice, a while apart, has the operation sent again. Every error says that
        nothing is known yet.
        """


class WebhookReceiver(ABC):
    """Methods are pure: they read the request and never call out."""

    def handshake(self, request: WebhookRequest) -> WebhookResponse | None:  # noqa: ARG002 - for those who override
        """The answer to a subscription handshake, or None when the request is none."""
        return None

    @abstractmethod
    def verify(self, request: WebhookRequest, secrets: Sequence[str]) -> None:
        """Check the signature over the raw bytes against every valid secret. Raises SignatureInvalid."""

    @abstractmethod
    def events(self, request: WebhookRequest) -> list[Event]:
        """What the delivery tells. Raises Malformed when it cannot be read."""

    def accepted(self) -> WebhookResponse | None:
        """The answer to a delivery that was stored, for vendors that want words of their own; None is the hub's."""
        return None


class WebhookProvisioner(ABC):
    @abstractmethod
    def ensure(self, url: str) -> Iterator[Subscription]:
        """Make sure that all wanted subscriptions to `url` exist, once each, and are switched on. Safe to repeat.

        Each is given as soon as it is there, and its secret is kept before the next is asked for, so a failure midway
        loses none. Where the vendor tells a secret only once, one whose secret is not among `ctx.secrets`, under
        `webhook_secret_name`, was lost on the way: it is made anew.
        """

    @abstractmethod
    def subscriptions(self) -> list[Subscription]:
        """Every subscription that this connection has at the vendor."""

    @abstractmethod
    def remove(self, url: str) -> None:
        """Remove all subscriptions to `url`. Safe to repeat."""


CAPABILITIES: Mapping[str, type] = {
    cls.__name__: cls
    for cls in (
        OrderSource,
        StockSink,
        StockSource,
        ShipmentSink,
        CatalogSource,
        LocationSource,
        FulfillmentTarget,
        Carrier,
        Rates,
        Void,
        LedgerSink,
        FindByReference,
        WebhookReceiver,
        WebhookProvisioner,
    )
}


def capabilities(connector: type[Connector]) -> list[str]:
    """Names of what a connector class can do."""
    return [name for name, cls in CAPABILITIES.items() if issubclass(connector, cls)]
