"""A stand-in of Amazon: Login with Amazon, orders, shipment confirmation, listings and marketplaces of one seller.

Answers have the shapes of the published models and refuse what Amazon refuses, in Amazon's words. Ids come from
counters and times from `clock`, so that two runs with one clock are alike.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flask import Response, g, jsonify, request

from connectors.marketplaces.amazon.manifest import MANIFEST
from connectors.marketplaces.amazon.marketplaces import MARKETPLACES
from connectors.marketplaces.amazon.sandbox_rules import Refusal, check_confirmation, check_patch, check_search, parts
from connectors.marketplaces.amazon.sandbox_shapes import iso, shown, shown_listing
from connectors.marketplaces.amazon.sandbox_shop import Shop

SELLER = "A1DEMOSELLER00"
CLIENT = {"client_id": "amzn1.application-oa2-client.demo", "client_secret": "amzn1.oa2-cs.v1.demo"}
REFRESH_TOKEN = "Atzr|demo"
TOKEN_LIFE_S = 3600
YOUNGEST = timedelta(minutes=2)


@dataclass(slots=True)
class AmazonSandbox(Shop):
    """One seller account.

    `keep_rates` makes it answer 429 when an operation's real quota is used up. `tokens` are the access tokens that
    it gave, with the time of their death.
    """

    keep_rates: bool = False
    tokens: dict[str, datetime] = field(default_factory=dict)
    quotas: dict[str, tuple[float, float]] = field(default_factory=dict)
    pages: dict[str, tuple[Any, int]] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        Shop.__post_init__(self)
        self.app.before_request(self._guard)
        self.app.after_request(_with_id)
        self.app.errorhandler(Refusal)(_refused)
        self.app.post("/auth/o2/token")(self._token)
        self.app.get("/sellers/v1/marketplaceParticipations")(self._participations)
        self.app.get("/orders/2026-01-01/orders")(self._search_orders)
        self.app.get("/orders/2026-01-01/orders/<order>")(self._get_order)
        self.app.post("/orders/v0/orders/<order>/shipmentConfirmation")(self._confirm)
        self.app.get("/listings/2021-08-01/items/<seller>")(self._search_listings)
        self.app.route("/listings/2021-08-01/items/<seller>/<path:sku>", methods=["PATCH"])(self._patch_listing)

    def settings(self, url: str = "") -> dict[str, Any]:
        """The settings of a connection to this sandbox, as a person would fill in the form."""
        return {
            "region": "na",
            "seller_id": SELLER,
            "marketplace_ids": [self.marketplace],
            **CLIENT,
            "refresh_token": REFRESH_TOKEN,
            "base_url": url or self.url,
        }

    def expire_tokens(self) -> None:
        """Let every access token die at once."""
        self.tokens.clear()

    def _guard(self) -> None:
        if request.path.startswith(("/_sandbox/", "/auth/")):
            return
        g.rate = _rate(request.method, request.path)
        token = request.headers.get("x-amz-access-token")
        if token is None:
            raise Refusal(403, "MissingAuthenticationToken", "Access to requested resource is denied.")
        dies_at = self.tokens.get(token)
        if dies_at is None or dies_at <= self.clock():
            what = "has expired." if dies_at else "is revoked, malformed or invalid."
            raise Refusal(
                403, "Unauthorized", "Access to requested resource is denied.", f"The access token you provided {what}"
            )
        if self.keep_rates and g.rate and not self._take(*g.rate):
            raise Refusal(429, "QuotaExceeded", "You exceeded your quota for the requested resource.")

    def _take(self, bucket: str, per_second: float, burst: int) -> bool:
        now = self.clock().timestamp()
        with self.lock:
            left, since = self.quotas.get(bucket, (float(burst), now))
            left = min(float(burst), left + (now - since) * per_second)
            self.quotas[bucket] = (left - 1 if left >= 1 else left, now)
            return left >= 1

    def _token(self) -> tuple[Response, int]:
        form = request.form
        if form.get("grant_type") != "refresh_token":
            return jsonify(error="unsupported_grant_type", error_description="The grant type is not supported"), 400
        if any(form.get(name) != value for name, value in CLIENT.items()):
            return jsonify(error="invalid_client", error_description="Client authentication failed"), 401
        if form.get("refresh_token") != REFRESH_TOKEN:
            return jsonify(error="invalid_grant", error_description="The request has an invalid grant parameter"), 400
        with self.lock:
            self.made += 1
            token = f"Atza|demo-{self.made}"
            self.tokens[token] = self.clock() + timedelta(seconds=TOKEN_LIFE_S)
        answer = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_LIFE_S}
        return jsonify(answer | {"refresh_token": REFRESH_TOKEN}), 200

    def _participations(self) -> Response:
        place = MARKETPLACES[self.marketplace]
        domain = {"US": "amazon.com", "GB": "amazon.co.uk", "JP": "amazon.co.jp"}.get(
            place.country, f"amazon.{place.country.lower()}"
        )
        market = {
            "id": self.marketplace,
            "countryCode": place.country,
            "name": domain.capitalize(),
            "defaultCurrencyCode": place.currency,
            "defaultLanguageCode": "en_US",
            "domainName": f"www.{domain}",
        }
        taking_part = {"isParticipating": True, "hasSuspendedListings": False}
        return jsonify(payload=[{"marketplace": market, "participation": taking_part, "storeName": "Demo store"}])

    def _search_orders(self) -> Response:
        after, before = check_search(request.args, self.clock(), YOUNGEST)
        asked = {name: value for name, value in request.args.items() if name not in _FREE_BETWEEN_PAGES}
        start = self._start_of(request.args.get("paginationToken"), asked)
        field_name = "createdTime" if "createdAfter" in asked else "lastUpdatedTime"
        places = parts(request.args.get("marketplaceIds"))
        fitting = [
            order
            for order in sorted(self.orders.values(), key=lambda order: (order[field_name], order["orderId"]))
            if after <= datetime.fromisoformat(order[field_name]) <= before
            and (not places or order["salesChannel"]["marketplaceId"] in places)
        ]
        size = int(request.args.get("maxResultsPerPage", "100"))
        data = parts(request.args.get("includedData"))
        answer: dict[str, Any] = {"orders": [shown(order, data) for order in fitting[start : start + size]]}
        answer["createdBefore" if "createdAfter" in asked else "lastUpdatedBefore"] = iso(before)
        if start + size < len(fitting):
            answer["pagination"] = {"nextToken": self._page_token(asked, start + size)}
        return jsonify(answer)

    def _get_order(self, order: str) -> Response:
        return jsonify(order=shown(self._known(order), parts(request.args.get("includedData"))))

    def _confirm(self, order: str) -> Response:
        body: Any = request.get_json(silent=True)
        with self.lock:
            known = self._known(order)
            check_confirmation(body, known, self.marketplace)
            detail = body["packageDetail"]
            package = {
                "packageReferenceId": detail["packageReferenceId"],
                "createdTime": iso(self.clock()),
                "packageStatus": {"status": "SHIPPED"},
                "carrier": detail.get("carrierName") or detail["carrierCode"],
                "shipTime": detail["shipDate"],
                "trackingNumber": detail["trackingNumber"],
                "packageItems": [
                    {"orderItemId": item["orderItemId"], "quantity": item["quantity"]} for item in detail["orderItems"]
                ],
            }
            others = [one for one in known["packages"] if one["packageReferenceId"] != package["packageReferenceId"]]
            known["packages"] = [*others, package]
            self.count_shipped(known)
        return Response(status=204)

    def _search_listings(self, seller: str) -> Response:
        self._own(seller)
        args = request.args
        if not parts(args.get("marketplaceIds")):
            raise Refusal(400, "InvalidInput", "Missing required parameter: marketplaceIds.")
        size = int(args.get("pageSize", "10"))
        if not 1 <= size <= 20:
            raise Refusal(400, "InvalidInput", "pageSize must be between 1 and 20.")
        asked = {name: value for name, value in args.items() if name != "pageToken"}
        start = self._start_of(args.get("pageToken"), asked)
        column = {"sku": "sku", "createdDate": "created"}.get(args.get("sortBy", ""), "updated")
        first, last = args.get("lastUpdatedAfter", ""), args.get("lastUpdatedBefore", "9999")
        wanted = parts(args.get("identifiers")) if args.get("identifiersType") == "SKU" else ()
        found = sorted(
            (
                listing
                for listing in self.listings.values()
                if first <= listing["updated"] <= last and (not wanted or listing["sku"] in wanted)
            ),
            key=lambda listing: (listing[column], listing["sku"]),
            reverse=args.get("sortOrder", "DESC") == "DESC",
        )
        data = parts(args.get("includedData")) or ("summaries",)
        answer: dict[str, Any] = {
            "numberOfResults": len(found),
            "items": [shown_listing(listing, data, self.marketplace) for listing in found[start : start + size]],
        }
        if start + size < min(len(found), 1000):
            answer["pagination"] = {"nextToken": self._page_token(asked, start + size)}
        return jsonify(answer)

    def _patch_listing(self, seller: str, sku: str) -> Response:
        self._own(seller)
        if not parts(request.args.get("marketplaceIds")):
            raise Refusal(400, "InvalidInput", "Missing required parameter: marketplaceIds.")
        quantity, issues = check_patch(request.get_json(silent=True), sku, self.listings)
        with self.lock:
            self.made += 1
            submission = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{sku}/{self.made}"))
            if quantity is not None and not issues:
                self.listings[sku] |= {"quantity": quantity, "updated": iso(self.clock())}
        status = "INVALID" if issues else "ACCEPTED"
        return jsonify(sku=sku, status=status, submissionId=submission, issues=issues)

    def _known(self, order: str) -> dict[str, Any]:
        if order not in self.orders:
            raise Refusal(404, "NotFound", f"The requested order {order} was not found.")
        return self.orders[order]

    def _own(self, seller: str) -> None:
        if seller != SELLER:
            raise Refusal(403, "Unauthorized", "Access to requested resource is denied.")

    def _page_token(self, asked: Mapping[str, str], start: int) -> str:
        token = uuid.uuid5(uuid.NAMESPACE_URL, f"{sorted(asked.items())}/{start}").hex
        self.pages[token] = (dict(asked), start)
        return token

    def _start_of(self, token: str | None, asked: Mapping[str, str]) -> int:
        if token is None:
            return 0
        given_for, start = self.pages.get(token, (None, 0))
        if given_for != dict(asked):
            raise Refusal(400, "InvalidInput", "The pagination token is invalid or belongs to another request.")
        return start


_FREE_BETWEEN_PAGES = ("paginationToken", "maxResultsPerPage", "includedData")


def _rate(method: str, path: str) -> tuple[str, float, int] | None:
    line = f"{method} {path}"
    fitting = [limit for limit in MANIFEST.rate_limits if line.startswith(limit.match)]
    limit = max(fitting, key=lambda one: len(one.match), default=None)
    return (limit.bucket, limit.per_second, limit.burst) if limit else None


def _with_id(response: Response) -> Response:
    response.headers["x-amzn-RequestId"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{time.monotonic_ns()}"))
    if g.get("rate"):
        response.headers["x-amzn-RateLimit-Limit"] = str(g.rate[1])
    return response


def _refused(refusal: Refusal) -> tuple[Response, int]:
    return jsonify(
        errors=[{"code": refusal.code, "message": refusal.message, "details": refusal.details}]
    ), refusal.status
