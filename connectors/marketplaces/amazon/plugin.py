"""The connector behind the entry point `amazon`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
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
    read_each,
)

OLDEST = timedelta(days=730)  # Amazon shows the orders of two years, and wants to be told since when
SEARCH_DEPTH = 1000  # listings that one search can be paged through

Answer = Mapping[str, Any]


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
        """Orders changed in the window. The stream's lag keeps it out of the last two minutes, which Amazon refuses."""
        after, before = iso(window.start or window.end - OLDEST), iso(window.end)

        def ask(state: Cursor) -> Answer:
            return self._client.search_orders(self._marketplaces, after, before, state.get("token"))

        answer, state = _taken_up(ask, cursor)
        while True:
            records = read_each(_list(answer, "orders"), _order_record)
            token = _next_token(answer, state)
            if not token:
                yield Page(records)
                return
            state = {**state, "token": token}
            yield Page(records, state)
            answer = ask(state)

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
        start, before = iso(window.start) if window.start else None, iso(window.end)

        def ask(state: Cursor) -> Answer:
            return self._client.listings(self._marketplaces, state.get("after", start), before, state.get("token"))

        answer, state = _taken_up(ask, cursor)
        while True:
            records = read_each(_list(answer, "items"), _item_record)
            following = _next_search(state, answer, records)
            if following is None:
                yield Page(records)
                return
            state = following
            yield Page(records, state)
            answer = ask(state)

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


def _taken_up(ask: Callable[[Cursor], Answer], cursor: Cursor | None) -> tuple[Answer, Cursor]:
    """The answer that a broken run was waiting for, and the search it belongs to.

    Amazon takes a page token only with the very parameters it was given for, which a cursor's window sees to, and for
    24 hours. A search whose token has died begins again.
    """
    state: Cursor = cursor or {"v": 1}
    try:
        return ask(state), state
    except errors.Rejected:
        if "token" not in state:
            raise
    again = {name: value for name, value in state.items() if name not in {"token", "depth"}}
    return ask(again), again


def _next_token(answer: Answer, state: Cursor) -> str | None:
    token: str | None = (answer.get("pagination") or {}).get("nextToken")
    if token and token == state.get("token"):
        raise errors.SchemaDrift("Amazon gave the same page token twice", "pagination.nextToken")
    return token


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


def _next_search(state: Cursor, answer: Answer, records: Sequence[Record]) -> Cursor | None:
    """Where to go on: the next page, the next search when this one is exhausted, or None at the end."""
    depth = int(state.get("depth", 0)) + len(records)
    token = _next_token(answer, state)
    if token and depth < SEARCH_DEPTH:
        return {**state, "token": token, "depth": depth}
    if depth < SEARCH_DEPTH or int(answer.get("numberOfResults") or 0) <= depth:
        return None
    dated = [record.revision for record in records if record.revision]
    last = iso(datetime.fromisoformat(dated[-1])) if dated else ""
    if not last or last == state.get("after"):
        raise errors.SchemaDrift(f"more than {SEARCH_DEPTH} listings changed at one moment ({last})", "items")
    return {"v": 1, "after": last}
