"""The only calls to Shopify: one POST per GraphQL document, and what its answers mean.

Shopify answers most failures with status 200 and a list of errors. What an app may not see of a customer it leaves
empty and names in that list, beside all the rest of the data.
Sources: https://shopify.dev/docs/api/admin-graphql/2026-07#status_and_error_codes, read 2026-11-22, and
https://shopify.dev/docs/apps/launch/protected-customer-data, read 2026-11-30.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hub.sdk import Context, RateLimit, Response, errors

GRAPHQL = RateLimit("graphql", per_second=2, burst=20)
"""A guard on the number of calls. The quota itself counts points by plan, and is kept by what each answer says."""

PAGE = 100  # rows of a simple list; Shopify allows 250
WAIT_UNTOLD_S = 2.0  # after a throttled answer that does not say how many points are missing

PERSONAL = frozenset({"customer", "email", "phone", "shippingAddress", "billingAddress"})
"""Fields of an order that an app may be kept from seeing. All of them may be empty anyway."""

Json = dict[str, Any]


class TooCostly(errors.Rejected):
    """One query asks for more points than Shopify allows at all: ask for fewer rows."""


class Admin:
    """The Admin API of one shop. `withheld` says what of people's data Shopify kept back in its last answer of that."""

    def __init__(self, ctx: Context) -> None:
        self.withheld = ""
        self._warn = ctx.warn
        self._http = ctx.http
        home = str(ctx.config.get("base_url") or f"https://{ctx.config['shop']}").rstrip("/")
        self._url = f"{home}/admin/api/{ctx.config.get('api_version') or '2026-07'}/graphql.json"

    def read(self, document: str, **variables: Any) -> Json:
        """The data of a query. Raises the error class of whatever Shopify says against it.

        Personal data that the app may not see is empty, and the order names it under "withheld": the order is worth
        more without a name than not at all.
        """
        return self._send(document, variables, safe=True)

    def write(self, document: str, *, repeatable: bool = False, **variables: Any) -> Json:
        """The answer of the one mutation in `document`. `repeatable` says that an idempotency key goes with it.

        User errors are left in the answer under userErrors; see `refusal`.
        """
        data = self._send(document, variables, safe=repeatable)
        answer = next(iter(data.values()), None)
        if not isinstance(answer, dict):
            raise errors.OutcomeUnknown("the mutation gave no answer of its own")
        return answer

    def pages(
        self, document: str, find: Callable[[Json], Any], start: str | None = None, **variables: Any
    ) -> Iterator[Json]:
        """Every page of the connection that `find` takes out of the data, beginning after the cursor `start`.

        Raises NotFound when there is nothing to page through, SchemaDrift when a page leads to itself.
        """
        after = start
        while True:
            data = self.read(document, after=after, **variables)
            connection = find(data)
            if connection is None:
                raise errors.NotFound("Shopify does not know what was asked for")
            yield connection
            page = connection["pageInfo"]
            if not page["hasNextPage"]:
                return
            if page["endCursor"] in (None, after):
                raise errors.SchemaDrift("a page leads to itself", "pageInfo.endCursor")
            after = page["endCursor"]

    def _send(self, document: str, variables: Mapping[str, Any], *, safe: bool) -> Json:
        body = {"query": document, "variables": dict(variables)}
        response = self._http.post(self._url, json=body, safe=safe, expect=(402, 404, 423))
        if response.status >= 400:
            raise _not_served(response)
        answer = response.json()
        if not isinstance(answer, dict):
            raise errors.SchemaDrift("the answer is not an object", "$")
        self._heed(answer)
        if answer.get("errors") and not self._may_go_on(answer):
            raise failure(answer, safe=safe)
        data = answer.get("data")
        if not isinstance(data, dict):
            raise errors.SchemaDrift("the answer has no data", "data")
        return data

    def _may_go_on(self, answer: Json) -> bool:
        """Whether nothing but personal data is missing; says so to people then."""
        kept_back = withheld(answer)
        if not kept_back:
            return False
        for order, name in kept_back:
            order.setdefault("withheld", [])
            if name not in order["withheld"]:
                order["withheld"].append(name)
        said = sorted({str(one["message"]) for one in answer["errors"]})
        self.withheld = f"Shopify keeps personal data of orders back, so they lack it. {' '.join(said)}"[:1000]
        self._warn(self.withheld)
        return True

    def _heed(self, answer: Mapping[str, Any]) -> None:
        """Let nobody call before the quota has enough points for one more call like this."""
        wait = wait_for_points(answer)
        if wait > 0:
            self._http.limiter.pause(GRAPHQL, wait)


def wait_for_points(answer: Mapping[str, Any]) -> float:
    """Seconds until the quota has as many points as this call asked for; 0 when it has them or nothing is said."""
    cost = (answer.get("extensions") or {}).get("cost") or {}
    status = cost.get("throttleStatus") or {}
    wanted, rate = cost.get("requestedQueryCost"), status.get("restoreRate")
    left = status.get("currentlyAvailable")
    if wanted is None or left is None or not rate:
        return 0.0
    ceiling = status.get("maximumAvailable") or wanted
    return max(0.0, float((min(wanted, ceiling) - left) / rate))


def failure(answer: Mapping[str, Any], *, safe: bool) -> errors.ConnectorError:
    """The error class of an answer that carries errors. `safe` says that the call may be repeated."""
    stated = answer["errors"]
    listed: Sequence[Any] = stated if isinstance(stated, list) else [stated]
    first: Json = listed[0] if isinstance(listed[0], dict) else {"message": str(listed[0])}
    extensions = first.get("extensions") or {}
    said = "; ".join(str(one.get("message") if isinstance(one, dict) else one) for one in listed)[:500]
    code = str(extensions.get("code") or "")
    if not code and str(first.get("message")).lower() == "throttled":
        code = "THROTTLED"  # seen without a code in published answers
    match code:
        case "THROTTLED":
            return errors.RateLimited(said, wait_for_points(answer) or WAIT_UNTOLD_S, GRAPHQL.bucket)
        case "ACCESS_DENIED":
            return errors.MissingPermission(said, str(extensions.get("requiredAccess") or ""))
        case "MAX_COST_EXCEEDED":
            return TooCostly(said, code)
        case "SHOP_INACTIVE":
            return errors.ConfigInvalid(said, "shop")
        case "INTERNAL_SERVER_ERROR" | "TIMEOUT":
            return errors.Transient(said) if safe else errors.OutcomeUnknown(said)
        case "BAD_REQUEST":
            return errors.Rejected(said, code)
    return errors.SchemaDrift(said, ".".join(str(step) for step in first.get("path") or ()))


def withheld(answer: Mapping[str, Any]) -> list[tuple[Json, str]]:
    """The orders whose personal data is kept back, each with the field, such as shippingAddress.zip.

    Empty when anything else is wrong as well.
    """
    found = []
    for error in answer["errors"]:
        stated = error if isinstance(error, dict) else {}
        place = _personal(answer.get("data"), stated.get("path") or ())
        if place is None or (stated.get("extensions") or {}).get("code") != "ACCESS_DENIED":
            return []
        found.append(place)
    return found


def _personal(there: Any, path: Sequence[Any]) -> tuple[Json, str] | None:
    """What has a personal field on a path, with the field; None when there is none, or it took others with it."""
    for number, step in enumerate(path):
        if isinstance(there, dict) and step in PERSONAL:
            return there, ".".join(str(one) for one in path[number:])
        inside = isinstance(there, dict) and step in there
        if not inside and not (isinstance(there, list) and isinstance(step, int) and step < len(there)):
            return None
        there = there[step]
    return None


def refusal(answer: Mapping[str, Any]) -> errors.Rejected | None:
    """What Shopify said against a mutation, or None."""
    listed = answer.get("userErrors") or ()
    if not listed:
        return None
    said = "; ".join(str(one.get("message")) for one in listed)
    first = listed[0]
    return errors.Rejected(said, str(first.get("code") or ""), ".".join(map(str, first.get("field") or ())))


def gid(kind: str, number: str) -> str:
    """The global id of a thing, such as gid://shopify/Order/17; one that already is global stays."""
    return number if number.startswith("gid://") else f"gid://shopify/{kind}/{number}"


def _not_served(response: Response) -> errors.ConnectorError:
    said = f"{response.status}: {response.text[:300]}"
    if response.status == 404:
        return errors.ConfigInvalid(f"there is no such shop, or it does not serve this API version ({said})", "shop")
    return errors.ConfigInvalid(f"the shop is locked or frozen ({said})", "shop")
