"""The only calls out: five operations of the Selling Partner API, and Amazon's way of saying no."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import orjson

from hub.sdk import Http, Response, errors

ORDER_DATA = (
    "BUYER,RECIPIENT,PROCEEDS,EXPENSE,PROMOTION,CANCELLATION,FULFILLMENT,PACKAGES,TAX,PAYMENT"  # one call, whole order
)
LISTING_DATA = "summaries,offers,fulfillmentAvailability"
ORDERS_PER_PAGE = 100
LISTINGS_PER_PAGE = 20
GENERIC_PRODUCT_TYPE = "PRODUCT"  # accepted by Amazon for changes of offer and stock

_REFUSED = (400, 403, 404, 413, 415, 429)


@dataclass(frozen=True, slots=True)
class Client:
    """One seller account at one regional host."""

    http: Http
    base_url: str
    seller_id: str

    def participations(self) -> list[Mapping[str, Any]]:
        """Every marketplace that the account knows, with whether it sells there."""
        return list(self._call("GET", "/sellers/v1/marketplaceParticipations").get("payload") or ())

    def search_orders(
        self, marketplaces: Sequence[str], after: str, before: str, token: str | None
    ) -> Mapping[str, Any]:
        """One page of orders changed between two ISO times. A token goes with the same times it was given for."""
        wanted = {
            "lastUpdatedAfter": after,
            "lastUpdatedBefore": before,
            "marketplaceIds": ",".join(marketplaces),
            "includedData": ORDER_DATA,
            "maxResultsPerPage": str(ORDERS_PER_PAGE),
        }
        return self._call("GET", "/orders/2026-01-01/orders", wanted | ({"paginationToken": token} if token else {}))

    def order(self, external_id: str) -> Mapping[str, Any]:
        """One order. Raises NotFound."""
        answer = self._call("GET", f"/orders/2026-01-01/orders/{_part(external_id)}", {"includedData": ORDER_DATA})
        if not isinstance(answer.get("order"), dict):
            raise errors.SchemaDrift("the answer holds no order", "order")
        found: Mapping[str, Any] = answer["order"]
        return found

    def confirm(self, order: str, marketplace: str, package: Mapping[str, Any]) -> None:
        """Confirm one package, or edit the one of the same packageReferenceId; so it may be repeated."""
        body = {"marketplaceId": marketplace, "packageDetail": package}
        self._call("POST", f"/orders/v0/orders/{_part(order)}/shipmentConfirmation", json=body, safe=True)

    def set_quantity(
        self, sku: str, marketplaces: Sequence[str], product_type: str, quantity: int
    ) -> Mapping[str, Any]:
        """Set the merchant's stock of a SKU; absolute, so it may be repeated. Returns the submission.

        `merge` keeps handling time and restock date, which `replace` would wipe.
        Source: https://developer-docs.amazon.com/sp-api/docs/merge-a-listing, read 2026-11-22.
        """
        figure = {"fulfillment_channel_code": "DEFAULT", "quantity": quantity}
        body = {
            "productType": product_type or GENERIC_PRODUCT_TYPE,
            "patches": [{"op": "merge", "path": "/attributes/fulfillment_availability", "value": [figure]}],
        }
        path = f"/listings/2021-08-01/items/{_part(self.seller_id)}/{_part(sku)}"
        wanted = {"marketplaceIds": ",".join(marketplaces), "includedData": "issues"}
        return self._call("PATCH", path, wanted, json=body, safe=True)

    def listings(
        self, marketplaces: Sequence[str], after: str | None, before: str, token: str | None
    ) -> Mapping[str, Any]:
        """One page of listings, the one that changed longest ago first."""
        wanted = {
            "marketplaceIds": ",".join(marketplaces),
            "includedData": LISTING_DATA,
            "sortBy": "lastUpdatedDate",
            "sortOrder": "ASC",
            "pageSize": str(LISTINGS_PER_PAGE),
            "lastUpdatedBefore": before,
        }
        wanted |= {"lastUpdatedAfter": after} if after else {}
        wanted |= {"pageToken": token} if token else {}
        return self._call("GET", f"/listings/2021-08-01/items/{_part(self.seller_id)}", wanted)

    def _call(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        json: Any = None,
        safe: bool | None = None,
    ) -> Mapping[str, Any]:
        url = f"{self.base_url}{path}"
        response = self.http.request(method, url, params=params, json=json, safe=safe, expect=_REFUSED)
        if response.status >= 400:
            raise self._refusal(method, url, response)
        if not response.body:
            return {}
        answer = response.json()
        if not isinstance(answer, dict):
            raise errors.SchemaDrift(f"{method} {path}: the answer is not an object")
        return answer

    def _refusal(self, method: str, url: str, response: Response) -> errors.ConnectorError:
        code, words = _said(response)
        said = f"{method} {url.removeprefix(self.base_url)}: {response.status} {code}: {words}"
        match response.status:
            case 403:
                return errors.AuthRejected(said) if is_dead_token(response) else errors.MissingPermission(said)
            case 404:
                return errors.NotFound(said)
            case 429:
                return self._throttled(method, url, response, said)
        return errors.Rejected(said, vendor_code=code)

    def _throttled(self, method: str, url: str, response: Response, said: str) -> errors.RateLimited:
        """Amazon gives no Retry-After; one call is free again after the inverse of the rate it states."""
        limit = self.http.limit_for(method, url)
        rate = _positive(response.headers.get("x-amzn-ratelimit-limit")) or (limit.per_second if limit else 1.0)
        wait = min(1 / rate, 3600.0)
        if limit is None:
            return errors.RateLimited(said, wait)
        self.http.limiter.pause(limit, wait)
        return errors.RateLimited(said, wait, limit.bucket)


def iso(moment: datetime) -> str:
    """A moment as Amazon reads it, in whole seconds of UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _part(text: str) -> str:
    return quote(text, safe="")


def _said(response: Response) -> tuple[str, str]:
    """Code and words of Amazon's first error, or the raw answer."""
    try:
        first = orjson.loads(response.body)["errors"][0]
        words = " ".join(str(first[name]) for name in ("message", "details") if first.get(name))
        return str(first.get("code") or response.status), words
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError):
        return str(response.status), response.text[:500]


def is_dead_token(response: Response) -> bool:
    """Whether Amazon refuses the access token: it says 403, not 401, for one that has expired or was revoked."""
    return response.status == 403 and "access token you provided" in _said(response)[1].lower()


def _positive(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if number > 0 else None
