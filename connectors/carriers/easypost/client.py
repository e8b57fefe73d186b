"""The only calls out, one method per endpoint, and EasyPost's errors as the hub's.

An error answer is {"error": {"code", "message", "errors"}}; `errors` names fields.
Source: https://docs.easypost.com/docs/errors, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from hub.sdk import Http, Response, errors

HOST = "https://api.easypost.com"
REFUSALS = (400, 401, 402, 403, 404, 405, 409, 412, 422)
# The carrier did not answer EasyPost, or is still answering: the label may exist.
UNDECIDED = frozenset({
    "REFUND.NO_RESPONSE", "SHIPMENT.POSTAGE.NO_RESPONSE", "SHIPMENT.POSTAGE.TIMED_OUT", "SHIPMENT.PURCHASE.IN_PROGRESS",
})  # fmt: skip
DONE_BEFORE = frozenset({"SHIPMENT.POSTAGE.EXISTS"})
BAD_KEY = ("APIKEY.", "UNAUTHORIZED")

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Api:
    """EasyPost's v2 endpoints. `host` is the scheme and host, without a path."""

    http: Http
    host: str = HOST

    def user(self) -> Json:
        return self._call("GET", "/users")

    def create_shipment(self, body: Json, *, only_rates: bool = False) -> Json:
        """Make a shipment, which costs nothing yet. One made only for its rates may be made again."""
        return self._call("POST", "/shipments", body, safe=only_rates)

    def shipment(self, ref: str) -> Json:
        """A shipment by its id or by our reference. Raises NotFound."""
        return self._call("GET", f"/shipments/{quote(ref, safe='')}")

    def bought_shipments(self, before: str | None = None) -> Json:
        """A page of bought shipments, newest first; shipments without a label are not listed."""
        return self._call("GET", "/shipments", params={"page_size": 100} | ({"before_id": before} if before else {}))

    def buy(self, shipment: str, rate: str) -> Json:
        """Buy the label. Raises AlreadyDone when the shipment has one."""
        return self._call("POST", f"/shipments/{shipment}/buy", {"rate": {"id": rate}}, read_timeout_s=60.0)

    def convert_label(self, shipment: str, label_format: str) -> Json:
        """The shipment with its label in one more format; asking again makes no second label."""
        return self._call("GET", f"/shipments/{shipment}/label", params={"file_format": label_format})

    def refund(self, shipment: str) -> Json:
        """Ask for the money back. A shipment has one refund, so asking again changes nothing."""
        return self._call("POST", f"/shipments/{quote(shipment, safe='')}/refund", {}, safe=True)

    def tracker(self, ref: str) -> Json:
        """A tracker by its id or tracking code. Raises NotFound."""
        return self._call("GET", f"/trackers/{quote(ref, safe='')}")

    def webhooks(self) -> list[Json]:
        """Every webhook of the account; EasyPost does not page them."""
        return list(self._call("GET", "/webhooks")["webhooks"])

    def create_webhook(self, url: str, secret: str) -> Json:
        return self._call("POST", "/webhooks", {"webhook": {"url": url, "webhook_secret": secret}})

    def delete_webhook(self, webhook: str) -> None:
        """Remove a webhook; one that is gone already counts as removed."""
        self.http.delete(f"{self.host}/v2/webhooks/{webhook}", safe=True, expect=(404,))

    def download(self, url: str) -> bytes:
        """A label file. The address is public for who knows it, so the key is not sent along."""
        return self.http.get(url, auth=False, headers={"Accept": "*/*"}, read_timeout_s=60.0).body

    def _call(self, method: str, path: str, body: Json | None = None, **options: Any) -> Json:
        response = self.http.request(
            method, f"{self.host}/v2{path}", json=body, expect=REFUSALS, **options
        )  # fmt: skip
        if response.status >= 400:
            raise refusal(response, f"{method} {path}")
        answer = response.json()
        if not isinstance(answer, dict):
            raise errors.SchemaDrift(f"{method} {path}: the answer is not an object", "$")
        return answer


def refusal(response: Response, call: str) -> errors.ConnectorError:
    """The error class of an answer of 400 and above, with EasyPost's code, words and field."""
    told = _error(response)
    code, field = str(told.get("code") or ""), _first_field(told)
    said = f"{told.get('message') or response.text[:300]} ({code or response.status}, {call})"
    if response.status == 401 or (response.status == 403 and code.startswith(BAD_KEY)):
        return errors.AuthRejected(said)
    if code in DONE_BEFORE:
        return errors.AlreadyDone(said)
    if code in UNDECIDED:
        return errors.OutcomeUnknown(said)
    match response.status:
        case 403:
            return errors.MissingPermission(said)
        case 404:
            return errors.NotFound(said)
        case 409 | 412:
            return errors.Conflict(said)
        case _:
            return errors.Rejected(said, vendor_code=code or str(response.status), field=field)


def _error(response: Response) -> Mapping[str, Any]:
    try:
        told = orjson.loads(response.body).get("error")
    except (orjson.JSONDecodeError, AttributeError):
        return {}
    return told if isinstance(told, Mapping) else {"message": told}


def _first_field(told: Mapping[str, Any]) -> str:
    named = [entry for entry in told.get("errors") or () if isinstance(entry, Mapping) and entry.get("field")]
    return str(named[0]["field"]) if named else ""
