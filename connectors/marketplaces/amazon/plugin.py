"""The connector behind the entry point `amazon`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from connectors.marketplaces.amazon import translate
from connectors.marketplaces.amazon.client import Client, iso
from connectors.marketplaces.amazon.manifest import MANIFEST
from connectors.marketplaces.amazon.marketplaces import HOSTS
from connectors.marketplaces.amazon.shipments import package_detail
from hub.domain.shipping import ItemResult, ShipmentNotice, StockUpdate
from hub.sdk import (
    CatalogSource,
    CheckResult,
    Connector,
    Context,
    Cursor,
    OrderSource,
    Page,
    Record,
    ShipmentSink,
    StockSink,
    Window,
    errors,
)

SETTLED = timedelta(minutes=2, seconds=5)  # Amazon refuses to tell of changes younger than two minutes
SEARCH_DEPTH = 1000  # listings that one search can be paged through


class Amazon(Connector, OrderSource, StockSink, ShipmentSink, CatalogSource):
    """Amazon Selling Partner API for sellers."""

    manifest = MANIFEST
    max_batch = 50

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        base_url = ctx.config.get("base_url") or HOSTS[ctx.config.get("region", "eu")]
        self._client = Client(ctx.http, str(base_url).rstrip("/"), ctx.config["seller_id"])
        self._marketplaces: list[str] = list(ctx.config["marketplace_ids"])

    def check(self) -> CheckResult:
        """Ask where the account sells; every configured marketplace must be among them."""
        try:
            known = self._client.participations()
        except errors.ConnectorError as error:
            field = "refresh_token" if isinstance(error, errors.AuthRejected) else ""
            return CheckResult(ok=False, error=str(error), error_code=error.code, field=field)
        sells_in = {
            entry["marketplace"]["id"]: entry
            for entry in known
            if entry.get("participation", {}).get("isParticipating")
        }
        missing = [place for place in self._marketplaces if place not in sells_in]
        if missing:
            words = f"the account does not sell in {', '.join(missing)} (it does in {', '.join(sells_in) or 'none'})"
            return CheckResult(ok=False, error=words, error_code="config_invalid", field="marketplace_ids")
        label = str(sells_in[self._marketplaces[0]].get("storeName") or "Amazon")
        return CheckResult(ok=True, unique_id=self.ctx.config["seller_id"], label=label)

    def orders(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Orders changed in the window, up to two minutes ago; what is younger comes with the next window's lookback.

        The cursor keeps the times of the search beside its token, because Amazon takes a token only with the very
        parameters it was given for. A token that has died (they live 24 hours) starts its search again.
        """
        after, before, token = self._span(window, cursor)
        if after >= before:
            return
        while True:
            try:
                answer = self._client.search_orders(self._marketplaces, after, before, token)
            except errors.Rejected:
                if token is None or cursor is None or token != cursor.get("token"):
                    raise
                token = None
                continue
            records = tuple(_order_record(order) for order in _list(answer, "orders"))
            following = (answer.get("pagination") or {}).get("nextToken")
            if not following:
                yield Page(records)
                return
            if following == token:
                raise errors.SchemaDrift("Amazon gave the same page token twice", "pagination.nextToken")
            token = following
            yield Page(records, {"v": 1, "after": after, "before": before, "token": token})

    def order(self, external_id: str) -> Record:
        return _order_record(self._client.order(external_id))

    def set_stock(self, updates: Sequence[StockUpdate], key: str) -> list[ItemResult]:  # noqa: ARG002 - absolute
        """One patch per SKU. When quota or network end the batch early, the rest is to be sent again."""
        results: list[ItemResult] = []
        for update in updates:
            try:
                results.append(self._set_one(update))
            except (errors.Rejected, errors.NotFound) as error:
                results.append(ItemResult(error=str(error)))
            except (errors.RateLimited, errors.Transient) as error:
                if not results:
                    raise
                rest = len(updates) - len(results)
                return results + [ItemResult(error=str(error), retry=True)] * rest
        return results

    def confirm(self, notice: ShipmentNotice, key: str) -> str:  # noqa: ARG002 - the package id carries it
        """Confirm each package; returns the package ids at Amazon, joined by commas."""
        marketplace = self._marketplace_of(notice.order_external_id)
        made = []
        for number, package in enumerate(notice.packages, 1):
            detail = package_detail(notice, package, number)
            self._confirm_one(notice.order_external_id, marketplace, detail)
            made.append(detail["packageReferenceId"])
        return ",".join(made)

    def items(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        """Listings, the one that changed longest ago first.

        A search ends after 1,000 listings, so the next one begins where it ended; the cursor keeps how deep it is.
        """
        state: dict[str, Any] = dict(cursor or {"v": 1, "after": iso(window.start) if window.start else None})
        before = state.setdefault("before", iso(window.end))
        while True:
            answer = self._client.listings(self._marketplaces, state.get("after"), before, state.get("token"))
            items = _list(answer, "items")
            records = tuple(_item_record(item) for item in items)
            following = _next_search(state, answer, records)
            if following is None:
                yield Page(records)
                return
            state = following
            yield Page(records, state)

    def _span(self, window: Window, cursor: Cursor | None) -> tuple[str, str, str | None]:
        if cursor:
            return str(cursor["after"]), str(cursor["before"]), cursor.get("token")
        now = self.ctx.clock()
        days = int(self.ctx.config.get("history_days", 30))
        end = min(window.end, now - SETTLED)
        return iso(window.start or now - timedelta(days=days)), iso(end), None

    def _set_one(self, update: StockUpdate) -> ItemResult:
        # A location may be linked to a supply source, which is no marketplace.
        places = [update.location] if update.location in self._marketplaces else self._marketplaces
        sku = update.listing or update.sku
        answer = self._client.set_quantity(sku, places, update.product_type, max(update.quantity, 0))
        if answer.get("status") in {"ACCEPTED", "VALID"}:
            return ItemResult()
        issues = [issue for issue in answer.get("issues") or () if issue.get("severity") == "ERROR"]
        words = "; ".join(f"{issue.get('code')}: {issue.get('message')}" for issue in issues)
        return ItemResult(error=words or f"submission status {answer.get('status')}")

    def _marketplace_of(self, order: str) -> str:
        if len(self._marketplaces) == 1:
            return self._marketplaces[0]
        stated = (self._client.order(order).get("salesChannel") or {}).get("marketplaceId")
        return str(stated or self._marketplaces[0])

    def _confirm_one(self, order: str, marketplace: str, detail: Mapping[str, Any]) -> None:
        try:
            self._client.confirm(order, marketplace, detail)
        except errors.Rejected as error:
            # Somebody may have confirmed this very parcel in Seller Central meanwhile.
            if "fulfilled" not in str(error).lower() or not self._has_package(order, detail["trackingNumber"]):
                raise

    def _has_package(self, order: str, tracking_number: str) -> bool:
        packages = self._client.order(order).get("packages") or ()
        return any(package.get("trackingNumber") == tracking_number for package in packages)


def _order_record(order: Mapping[str, Any]) -> Record:
    try:
        return Record(str(order["orderId"]), order, translate.revision(order["lastUpdatedTime"]), "order")
    except (KeyError, TypeError, ValueError) as error:
        raise errors.SchemaDrift(f"an order without id or time of change: {error!r}", "orders") from error


def _item_record(item: Mapping[str, Any]) -> Record:
    if not item.get("sku"):
        raise errors.SchemaDrift("a listing without a SKU", "items.sku")
    changed = _changed(item)
    return Record(str(item["sku"]), item, translate.revision(changed) if changed else "", "listing")


def _changed(item: Mapping[str, Any]) -> str:
    return max((summary.get("lastUpdatedDate") or "" for summary in item.get("summaries") or ()), default="")


def _list(answer: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = answer.get(name)
    if not isinstance(found, list):
        raise errors.SchemaDrift(f"the answer has no list of {name}", name)
    return found


def _next_search(
    state: Mapping[str, Any], answer: Mapping[str, Any], records: Sequence[Record]
) -> dict[str, Any] | None:
    """Where to go on: the next page, the next search when this one is exhausted, or None at the end."""
    depth = int(state.get("depth", 0)) + len(records)
    token = (answer.get("pagination") or {}).get("nextToken")
    if token and token == state.get("token"):
        raise errors.SchemaDrift("Amazon gave the same page token twice", "pagination.nextToken")
    if token and depth < SEARCH_DEPTH:
        return {**state, "token": token, "depth": depth}
    if depth < SEARCH_DEPTH or int(answer.get("numberOfResults") or 0) <= depth:
        return None
    last = iso(datetime.fromisoformat(records[-1].revision)) if records and records[-1].revision else ""
    if not last or last == state.get("after"):
        raise errors.SchemaDrift(f"more than {SEARCH_DEPTH} listings changed at one moment ({last})", "items")
    return {"v": 1, "after": last, "before": state["before"]}
