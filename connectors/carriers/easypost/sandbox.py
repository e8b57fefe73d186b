"""A stand-in of EasyPost's API v2: answers in its shapes, refuses what it refuses, and draws real label files."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import orjson
from flask import Response, jsonify, request

from connectors.carriers.easypost import sandbox_labels, sandbox_tracking
from connectors.carriers.easypost.sandbox_shapes import Maker, fees
from connectors.carriers.easypost.webhooks import signature
from hub.testing import Sandbox

MEDIA_TYPES = {"PDF": "application/pdf", "PNG": "image/png", "ZPL": "application/zpl"}
Answer = tuple[Response, int]
Json = dict[str, Any]


@dataclass(slots=True)
class EasyPostSandbox(Sandbox):
    """EasyPost on loopback.

    `currency` is what rates are quoted in; `clock` dates everything, so that a fixed one makes every answer the same.
    `advance` moves a parcel on, `deliver` posts the news of it to a webhook. `refuse_refunds` makes carriers say no.
    """

    name: str = "easypost"
    api_key: str = "EZTKsandbox"
    currency: str = "USD"
    refuse_refunds: bool = False
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    shipments: dict[str, Json] = field(default_factory=dict)
    trackers: dict[str, Json] = field(default_factory=dict)
    webhooks: dict[str, Json] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.app.before_request(self._check_key)
        for method, path, view in (
            ("GET", "/v2/users", self._user),
            ("POST", "/v2/shipments", self._create),
            ("GET", "/v2/shipments", self._list),
            ("GET", "/v2/shipments/<ref>", self._show),
            ("POST", "/v2/shipments/<ref>/buy", self._buy),
            ("POST", "/v2/shipments/<ref>/refund", self._refund),
            ("GET", "/v2/shipments/<ref>/label", self._convert),
            ("POST", "/v2/trackers", self._track),
            ("GET", "/v2/trackers/<ref>", self._tracker),
            ("GET", "/v2/webhooks", self._list_webhooks),
            ("POST", "/v2/webhooks", self._add_webhook),
            ("DELETE", "/v2/webhooks/<ref>", self._drop_webhook),
            ("GET", "/files/postage_label/<ref>.<ending>", self._file),
        ):
            self.app.add_url_rule(path, f"{method} {path}", view, methods=[method])

    @property
    def bought(self) -> list[Json]:
        """Every shipment that carries a label, given back or not."""
        return [shipment for shipment in self.shipments.values() if shipment["postage_label"]]

    def advance(self, tracking_code: str, status: str) -> Json:
        """Scan a parcel once more, a minute after the last scan at the earliest, and return its tracker."""
        with self.lock:
            tracker = self._by_code(tracking_code)
            last = [datetime.fromisoformat(scan["datetime"]) for scan in tracker["tracking_details"]]
            at = max([self.clock(), *(time + timedelta(minutes=1) for time in last)])
            shipment = self.shipments.get(tracker["shipment_id"] or "")
            moved = sandbox_tracking.scan(tracker, status, _stamp(at), shipment)
            if status == "in_transit":
                moved["est_delivery_date"] = _stamp(at + timedelta(days=3))
            self.trackers[tracker["id"]] = moved
            if shipment:
                shipment.update(tracker=moved, status=status)
            return moved

    def deliver(self, url: str, tracking_code: str, secret: str | None = None) -> int:
        """Post the parcel's state to `url`, signed as the webhook to that address is, and return the HTTP status."""
        body, headers = self.delivery(url, tracking_code, secret)
        if urlsplit(url).scheme not in {"http", "https"}:
            raise ValueError(f"a webhook address is http or https, not {url}")
        with urlopen(Request(url, body, headers), timeout=10) as answer:  # noqa: S310 - the scheme was looked at above
            return int(answer.status)

    def delivery(self, url: str, tracking_code: str, secret: str | None = None) -> tuple[bytes, dict[str, str]]:
        """The body and headers of a delivery, for callers that hand it over themselves."""
        tracker = self._by_code(tracking_code)
        topic = "tracker.updated" if tracker["tracking_details"] else "tracker.created"
        now = self.clock()
        told = sandbox_tracking.event(self._new("evt"), topic, _stamp(now), tracker, url)
        body, path = orjson.dumps(told), urlsplit(url).path or "/"
        stamp = format_datetime(now)
        key = secret if secret is not None else self.secrets.get(url, "")
        return body, {
            "Content-Type": "application/json",
            "X-Timestamp": stamp,
            "X-Path": path,
            "X-Hmac-Signature": signature(key, body),
            "X-Hmac-Signature-V2": signature(key, f"{stamp}POST{path}".encode() + body),
        }

    def _by_code(self, code: str) -> Json:
        return next(tracker for tracker in self.trackers.values() if tracker["tracking_code"] == code)

    def _new(self, kind: str) -> str:
        with self.lock:
            self.made += 1
            return f"{kind}_{self.made:032x}"

    def _now(self) -> str:
        return _stamp(self.clock())

    def _maker(self) -> Maker:
        return Maker(self._new, self._now, self.currency)

    def _check_key(self) -> Answer | None:
        if not request.path.startswith("/v2/"):
            return None
        wanted = "Basic " + base64.b64encode(f"{self.api_key}:".encode()).decode()
        if request.headers.get("Authorization") == wanted:
            return None
        return _refuse(401, "UNAUTHORIZED", "The API key is missing or unknown.")

    def _user(self) -> Answer:
        ref = "user_" + "5" * 32
        return _answer({"id": ref, "object": "User", "parent_id": None, "name": "Demo", "verified": True})

    def _create(self) -> Answer:
        asked = (request.get_json(silent=True) or {}).get("shipment") or {}
        for name in ("to_address", "from_address", "parcel"):
            if not isinstance(asked.get(name), dict):
                return _refuse(422, "SHIPMENT.INVALID_PARAMS", f"{name} is required.", field=name)
        if not isinstance(asked["parcel"].get("weight"), (int, float)):
            return _refuse(422, "PARCEL.PARAMETERS.INVALID", "weight must be a number.", field="weight")
        with self.lock:
            shipment = self._maker().shipment(asked)
            self.shipments[shipment["id"]] = shipment
        return _answer(shipment, 201)

    def _find(self, ref: str) -> Json | None:
        named = (shipment for shipment in self.shipments.values() if shipment["reference"] == ref)
        return self.shipments.get(ref) or next(named, None)

    def _list(self) -> Answer:
        size = min(int(request.args.get("page_size", 20)), 100)
        listed = [shipment for shipment in reversed(self.shipments.values()) if shipment["postage_label"]]
        if before := request.args.get("before_id"):
            listed = [shipment for shipment in listed if shipment["id"] < before]
        return _answer({"shipments": listed[:size], "has_more": len(listed) > size})

    def _show(self, ref: str) -> Answer:
        shipment = self._find(ref)
        return _answer(shipment) if shipment else _not_found()

    def _buy(self, ref: str) -> Answer:
        wanted = ((request.get_json(silent=True) or {}).get("rate") or {}).get("id")
        with self.lock:
            shipment = self._find(ref)
            if shipment is None:
                return _not_found()
            if shipment["postage_label"]:
                return _refuse(422, "SHIPMENT.POSTAGE.EXISTS", "Postage already exists for this shipment.")
            rate = next((rate for rate in shipment["rates"] if rate["id"] == wanted), None)
            if rate is None:
                return _refuse(422, "SHIPMENT.MISSING_RATE", "The rate does not belong to this shipment.", field="rate")
            self._sell(shipment, rate)
        return _answer(shipment)

    def _sell(self, shipment: Json, rate: Json) -> None:
        at, code = self._now(), f"94001{self.made:017d}"
        asked = str(shipment["options"].get("label_format") or "PNG").upper()
        tracker = self._start_tracking(code, rate["carrier"], shipment)
        shipment.update(tracking_code=code, selected_rate=rate, tracker=tracker, updated_at=at, fees=fees(rate))
        shipment["postage_label"] = {
            "object": "PostageLabel",
            "id": self._new("pl"),
            "created_at": at,
            "updated_at": at,
            "date_advance": 0,
            "integrated_form": "none",
            "label_date": at,
            "label_resolution": 300,
            "label_size": "4x6",
            "label_type": "default",
            "label_file_type": MEDIA_TYPES[asked],
            "label_url": self._file_url(shipment, asked),
            "label_pdf_url": None,
            "label_zpl_url": None,
            "label_epl2_url": None,
            "label_file": None,
        }

    def _file_url(self, shipment: Json, label_format: str) -> str:
        return f"{request.host_url}files/postage_label/{shipment['id']}.{label_format.lower()}"

    def _start_tracking(self, code: str, carrier: str, shipment: Json | None) -> Json:
        ref = self._new("trk")
        url = f"https://track.easypost.com/{base64.urlsafe_b64encode(ref.encode()).decode()}"
        self.trackers[ref] = sandbox_tracking.new_tracker(ref, code, carrier, self._now(), shipment, url)
        return self.trackers[ref]

    def _refund(self, ref: str) -> Answer:
        with self.lock:
            shipment = self._find(ref)
            if shipment is None:
                return _not_found()
            if not shipment["postage_label"]:
                return _refuse(422, "SHIPMENT.POSTAGE.REQUIRED", "The shipment has no postage to refund.")
            if shipment["refund_status"] == "submitted":
                return _refuse(422, "SHIPMENT.REFUND.UNAVAILABLE", "A refund was requested before.")
            used = shipment["status"] not in {"unknown", "pre_transit"}
            shipment["refund_status"] = "rejected" if used or self.refuse_refunds else "submitted"
        return _answer(shipment)

    def _convert(self, ref: str) -> Answer:
        wanted, shipment = request.args.get("file_format", "").upper(), self._find(ref)
        if shipment is None:
            return _not_found()
        if not shipment["postage_label"]:
            return _refuse(422, "SHIPMENT.POSTAGE.REQUIRED", "The shipment has no postage.")
        if wanted not in {"PDF", "ZPL"}:
            return _refuse(
                422, "SHIPMENT.POSTAGE.INVALID_FORMAT", "The label format is not known.", field="file_format"
            )
        shipment["postage_label"][f"label_{wanted.lower()}_url"] = self._file_url(shipment, wanted)
        return _answer(shipment)

    def _file(self, ref: str, ending: str) -> Response:
        shipment = self.shipments.get(ref)
        if shipment is None or not shipment["postage_label"] or ending.upper() not in MEDIA_TYPES:
            return Response("no such file", 404)
        return Response(sandbox_labels.draw(shipment, ending.upper()), mimetype=MEDIA_TYPES[ending.upper()])

    def _track(self) -> Answer:
        asked = (request.get_json(silent=True) or {}).get("tracker") or {}
        code = asked.get("tracking_code")
        if not code:
            return _refuse(422, "TRACKER.INVALID_PARAMS", "tracking_code is required.", field="tracking_code")
        known = [tracker for tracker in self.trackers.values() if tracker["tracking_code"] == code]
        return _answer(known[0] if known else self._start_tracking(code, asked.get("carrier") or "USPS", None))

    def _tracker(self, ref: str) -> Answer:
        named = (tracker for tracker in self.trackers.values() if tracker["tracking_code"] == ref)
        tracker = self.trackers.get(ref) or next(named, None)
        return _answer(tracker) if tracker else _not_found()

    def _list_webhooks(self) -> Answer:
        return _answer({"webhooks": list(self.webhooks.values())})

    def _add_webhook(self) -> Answer:
        asked = (request.get_json(silent=True) or {}).get("webhook") or {}
        if not asked.get("url"):
            return _refuse(422, "WEBHOOK.INVALID", "url is required.", field="url")
        webhook = self._maker().dated("hook", "Webhook") | {
            "url": asked["url"],
            "disabled_at": None,
            "custom_headers": [],
        }
        del webhook["updated_at"]
        self.webhooks[webhook["id"]] = webhook
        self.secrets[asked["url"]] = asked.get("webhook_secret") or ""
        return _answer(webhook, 201)

    def _drop_webhook(self, ref: str) -> Answer:
        return _answer({}) if self.webhooks.pop(ref, None) else _not_found()


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _answer(body: Mapping[str, Any], status: int = 200) -> Answer:
    return jsonify(body), status


def _refuse(status: int, code: str, message: str, *, field: str = "") -> Answer:
    named = [{"field": field, "message": message}] if field else []
    return jsonify(error={"code": code, "message": message, "errors": named}), status


def _not_found() -> Answer:
    return _refuse(404, "NOT_FOUND", "The requested resource could not be found.")
