"""EasyPost held to the recordings of the vendor's own client and of a shop system."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from flask import Response, request

from connectors.carriers.easypost import client, translate, webhooks
from connectors.carriers.easypost.plugin import EasyPost
from connectors.carriers.easypost.sandbox import EasyPostSandbox
from hub import schemas
from hub.domain.documents import Address, Dimensions
from hub.domain.shipping import LabelRequest, RequestLine
from hub.mapping import load
from hub.sdk import Response as Answer
from hub.sdk import WebhookRequest, errors
from hub.testing import Sandbox, connect

pytestmark = pytest.mark.contracts

ID = re.compile(r"/(?:shp|trk|hook|adr|user|ak|batch|rate|FO)[_-][A-Za-z0-9._-]+")
FILES = re.compile(r"https://easypost-files\.s3[.-]us-west-2\.amazonaws\.com/")
MAGIC = {"pdf": b"%PDF-1.4 recorded", "png": b"\x89PNG\r\n\x1a\nrecorded", "zpl": b"^XA^XZ"}
# Documented at https://docs.easypost.com/docs/trackers, but in none of the recordings that can be had.
NOT_RECORDED = {("GET", "/v2/trackers/{id}")}

HOME = Address(name="Demo", company="Demo Shop", line1="1 Main St", line2="Floor 2", city="New York", region="NY",
               postal_code="10001", country="US", phone="5550100", email="shop@example.com")  # fmt: skip
CUSTOMER = Address(name="Ada Example", company="Example Ltd", line1="2 Elm St", line2="Apt 3", city="Boston", region="MA",
                   postal_code="02108", country="US", phone="5550101", email="ada@example.com")  # fmt: skip
ABROAD = Address(name="Ada Example", line1="1 King St", city="London", postal_code="E1 6AN", country="GB")
LINE = RequestLine(reference="fl-1", sku="MUG", quantity=2, title="Mug", weight_g=300, price_minor=1250,
                   hs_code="691200", origin_country="PT")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Exchange:
    """One recorded request with its answer."""

    tape: str
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    status: int
    answer: Any


@cache
def recorded(folder: Path) -> tuple[Exchange, ...]:
    found: list[Exchange] = []
    for tape in sorted(folder.glob("cassettes/*.yaml")):
        found += [_python(tape.stem, call) for call in _yaml(tape)["interactions"]]
    for tape in sorted(folder.glob("cassettes_spree/*.yml")):
        found += [_ruby(tape.stem, call) for call in _yaml(tape)["http_interactions"]]
    return tuple(found)


def _yaml(tape: Path) -> Any:
    return yaml.load(tape.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe


def _python(tape: str, call: Any) -> Exchange:
    asked, given = call["request"], call["response"]
    return _exchange(
        tape, asked["method"], asked["uri"], asked["body"], given["status"]["code"], given["body"]["string"]
    )


def _ruby(tape: str, call: Any) -> Exchange:
    asked, given = call["request"], call["response"]
    status, answer = given["status"]["code"], given["body"]["string"]
    return _exchange(tape, asked["method"].upper(), asked["uri"], asked["body"]["string"], status, answer)


def _exchange(tape: str, method: str, uri: str, body: Any, status: int, answer: Any) -> Exchange:
    path, _, query = uri.removeprefix("https://api.easypost.com").partition("?")
    pairs = dict(part.split("=", 1) for part in query.split("&") if part)
    return Exchange(tape, method, path, pairs, _json(body), status, _json(answer))


def _json(text: Any) -> Any:
    return orjson.loads(text) if text else None


def template(path: str) -> str:
    return ID.sub("/{id}", path)


def kind(value: Any) -> str:
    return "number" if isinstance(value, (int, float)) and not isinstance(value, bool) else type(value).__name__


def shape(value: Any, path: str = "$") -> Iterator[tuple[str, str]]:
    """Every path of a JSON value with its type. Both addresses of a shipment have one shape."""
    yield path, kind(value)
    if isinstance(value, dict):
        for key, inner in value.items():
            name = "address" if key in {"to_address", "from_address", "return_address", "buyer_address"} else key
            yield from shape(inner, f"{path}.{name}")
    if isinstance(value, list):
        for inner in value:
            yield from shape(inner, f"{path}[]")


@pytest.fixture
def tapes(contracts: Path) -> tuple[Exchange, ...]:
    found = recorded(contracts / "easypost" / "public")
    assert len(found) > 100
    return found


@pytest.fixture
def vendor() -> Iterator[EasyPostSandbox]:
    sandbox = EasyPostSandbox()
    with sandbox.serve():
        yield sandbox


def opened(url: str, **settings: Any) -> EasyPost:
    base = {"api_key": "EZTKsandbox", "webhook_secret": "a secret of some length", "base_url": url}
    return connect(EasyPost, base | settings)


def parcel(**changes: Any) -> LabelRequest:
    fields: dict[str, Any] = {
        "reference": "FO-1001-1", "ship_from": HOME, "ship_to": CUSTOMER, "weight_g": 650, "currency": "USD",
        "lines": (LINE,), "dimensions": Dimensions(250, 200, 100),
    }  # fmt: skip
    return LabelRequest(**fields | changes)


def use_everything(easypost: EasyPost, vendor: EasyPostSandbox) -> None:
    """Call every endpoint that the connector has a call for, with every key that it can send."""
    assert easypost.check().ok
    easypost.rates(parcel())
    easypost.buy_label(parcel(), "a")
    label = easypost.buy_label(parcel(reference="FO-1002-1", ship_to=ABROAD), "b")
    vendor.shipments[label.ref]["postage_label"]["label_file_type"] = "image/png"
    assert easypost.buy_label(parcel(reference="FO-1002-1", ship_to=ABROAD), "b").label.startswith(b"%PDF-")
    assert easypost.find("buy_label", "FO-1003-1") is None
    easypost._listed("FO-1003-1")
    easypost.api.bought_shipments(label.ref)
    easypost.track(label.ref)
    easypost.track(label.tracker_ref or "")
    assert easypost.void(label.ref, "v")
    list(easypost.ensure("https://hub.example.com/in/1"))
    easypost.remove("https://hub.example.com/in/1")


def test_every_request_equals_a_recorded_one(tapes, vendor, count) -> None:
    accounts = ["ca_" + "1" * 32, "ca_" + "3" * 32]
    use_everything(opened(vendor.url, customs_signer="Ada Example", carrier_accounts=accounts), vendor)

    calls = [call for call in vendor.calls if call.path.startswith("/v2/")]
    unknown = set()
    for call in calls:
        endpoint = (call.method, template(call.path))
        alike = [tape for tape in tapes if (tape.method, template(tape.path)) == endpoint and tape.status < 400]
        if not alike:
            unknown.add(endpoint)
            continue
        queries = {key for tape in alike for key in tape.query}
        assert {part.split("=")[0] for part in call.query.split("&") if part} <= queries, endpoint
        bodies = {pair for tape in alike if tape.body is not None for pair in shape(tape.body)}
        sent = set(shape(orjson.loads(call.body))) if call.body else set()
        assert sent <= bodies, (endpoint, sent - bodies)
        assert bool(call.body) == any(tape.body is not None for tape in alike), endpoint
    assert unknown == NOT_RECORDED
    count("EasyPost", "requests equal to recorded ones", len(calls) - 1)


def test_every_required_key_is_sent(tapes, vendor, count) -> None:
    """What all recordings of an endpoint have in common must not be missing from ours."""
    opened(vendor.url).buy_label(parcel(), "k")
    list(opened(vendor.url).ensure("https://hub.example.com/in/1"))

    checked = 0
    for call in (call for call in vendor.calls if call.method == "POST"):
        endpoint = template(call.path)
        bodies = [
            dict(shape(tape.body)).keys()
            for tape in tapes
            if (tape.method, template(tape.path)) == ("POST", endpoint) and tape.body
        ]
        # One recording refers to addresses and parcel made before by their ids; all others write them out.
        common = set.intersection(*(set(keys) for keys in bodies if "$.shipment.parcel.id" not in keys))
        assert common <= dict(shape(orjson.loads(call.body))).keys(), endpoint
        checked += len(common)
    assert checked > 10
    count("EasyPost", "keys that every recording of an endpoint has", checked)


def _shipments(tapes: tuple[Exchange, ...]) -> list[Any]:
    single = [
        tape.answer for tape in tapes if isinstance(tape.answer, dict) and tape.answer.get("object") == "Shipment"
    ]
    listed = [one for tape in tapes if isinstance(tape.answer, dict) for one in tape.answer.get("shipments", ())
              if isinstance(one, dict) and one.get("object") == "Shipment"]  # fmt: skip
    return single + listed


def test_recorded_rates_are_read_to_the_cent(tapes, count) -> None:
    rates = 0
    for shipment in _shipments(tapes):
        ours = translate.rates(shipment)
        by_id = {rate["id"]: rate for rate in shipment["rates"]}
        assert [rate.amount_minor for rate in ours] == sorted(rate.amount_minor for rate in ours)
        for rate in ours:
            assert Decimal(rate.amount_minor) / 100 == Decimal(by_id[rate.ref]["rate"])
            assert rate.currency == by_id[rate.ref]["currency"] == "USD"
        rates += len(ours)
    assert rates > 100
    count("EasyPost", "recorded rates read", rates)


def test_recorded_labels_are_read(tapes, count) -> None:
    bought = [shipment for shipment in _shipments(tapes) if shipment["postage_label"] and shipment["selected_rate"]]
    for shipment in bought:
        label = translate.label_of(shipment, "PNG", translate.label_url(shipment, "PNG"), b"")
        assert label.tracking_number == shipment["tracking_code"]
        assert label.tracker_ref == shipment["tracker"]["id"]
        assert label.label_url is not None
        host = re.match(r"https://([^/]+)/", label.label_url)
        assert host is not None
        assert host[1] in EasyPost.manifest.allowed_hosts
        assert translate.bought_format(shipment) == "PNG"
    assert len(bought) > 10
    count("EasyPost", "recorded labels read", len(bought))


def _trackers(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        if value.get("object") == "Tracker":
            yield value
        for inner in value.values():
            yield from _trackers(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _trackers(inner)


# Statuses that are called otherwise here; all others have the same name.
ELSEWHERE = {"return_to_sender": "returning", "failure": "exception", "error": "unknown"}


def test_recorded_trackers_become_shipments(tapes, count) -> None:
    trackers = [tracker for tape in tapes for tracker in _trackers(tape.answer)]
    scans = 0
    for tracker in trackers:
        document = load("carriers/easypost/tracking.yml").apply(tracker)
        assert schemas.errors("shipment.v1", document) == []
        events = document["packages"][0].get("events", [])
        assert len(events) == len(tracker["tracking_details"])
        for event, scan in zip(events, tracker["tracking_details"], strict=True):
            assert datetime.fromisoformat(event["at"]) == datetime.fromisoformat(scan["datetime"])
            assert (event["code"], event["message"]) == (ELSEWHERE.get(scan["status"], scan["status"]), scan["message"])
            assert event["raw_code"].startswith(scan["status"])
        scans += len(events)
    assert scans
    count("EasyPost", "recorded trackers mapped to shipment.v1", len(trackers))
    count("EasyPost", "recorded scans mapped to shipment.v1", scans)


def test_recorded_refusals_have_the_right_class(tapes, count) -> None:
    wanted = {
        "APIKEY.INACTIVE": errors.AuthRejected,
        "ADDRESS.VERIFY.FAILURE": errors.Rejected,
        "TRANSACTION.AMOUNT_INVALID": errors.Rejected,
        "CREDIT_CARD.NOT_FOUND": errors.NotFound,
    }
    refusals = [tape for tape in tapes if tape.status >= 400]
    for tape in refusals:
        told = tape.answer["error"]
        error = client.refusal(Answer(tape.status, {}, orjson.dumps(tape.answer)), "a call")
        assert type(error) is wanted[told["code"]]
        assert told["message"] in str(error)
        if told["code"] == "ADDRESS.VERIFY.FAILURE":
            assert (error.vendor_code, error.field) == ("ADDRESS.VERIFY.FAILURE", "address")
    assert {tape.answer["error"]["code"] for tape in refusals} == wanted.keys()
    count("EasyPost", "recorded refusals classified", len(refusals))


@dataclass(slots=True)
class Replay(Sandbox):
    """Gives back the recorded answers of one tape, each once and in order; label files come from loopback."""

    tape: tuple[Exchange, ...] = ()

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.app.add_url_rule("/v2/<path:rest>", "play", self._play, methods=["GET", "POST", "DELETE"])
        self.app.add_url_rule("/files/<path:rest>", "file", self._file)

    def _play(self, rest: str) -> Response:
        line = (request.method, f"/v2/{rest}")
        fitting = [one for one in self.tape if (one.method, one.path) == line and self._same_page(one)]
        if not fitting:
            told = {"error": {"code": "NOT_FOUND", "message": "not on the tape", "errors": []}}
            return Response(orjson.dumps(told), 404, mimetype="application/json")
        self.tape = tuple(one for one in self.tape if one is not fitting[0])
        text = FILES.sub(request.host_url, orjson.dumps(fitting[0].answer).decode())
        return Response(text, fitting[0].status, mimetype="application/json")

    def _same_page(self, one: Exchange) -> bool:
        """Whether a recording is of the page asked for; how many rows it has is the recorder's business."""
        return {**one.query, "page_size": ""} == {**request.args, "page_size": ""}

    def _file(self, rest: str) -> Response:
        return Response(MAGIC[rest.rpartition(".")[2]])


@pytest.fixture
def replay(tapes) -> Iterator[Callable[[str], str]]:
    player = Replay("easypost")

    def put_in(name: str) -> str:
        player.tape = tuple(exchange for exchange in tapes if exchange.tape == name)
        assert player.tape
        return player.url

    with player.serve():
        yield put_in


@pytest.mark.parametrize(
    "name", ["test_shipment_buy", "test_shipment_convert_label", "test_shipment_buy_with_end_shipper_id"]
)
def test_a_label_is_bought_on_the_recorded_answers(replay, tapes, count, name) -> None:
    bought = next(tape.answer for tape in tapes if tape.tape == name and tape.path.endswith("/buy"))
    wanted = {"carrier": "USPS", "service": bought["selected_rate"]["service"]}

    label = opened(replay(name), label_format="PNG").buy_label(parcel(**wanted), "k")

    assert label.ref == bought["id"]
    assert Decimal(label.amount_minor) / 100 == Decimal(bought["selected_rate"]["rate"])
    assert label.label == MAGIC["png"]
    count("EasyPost", "purchases replayed on recorded answers")


def test_a_recorded_label_is_converted_to_zpl(replay, count) -> None:
    label = opened(replay("test_shipment_convert_label")).buy_label(parcel(label_format="ZPL"), "k")

    assert (label.label_format, label.label) == ("ZPL", MAGIC["zpl"])
    count("EasyPost", "conversions replayed on recorded answers")


def test_the_recorded_refund_is_accepted(replay, tapes, count) -> None:
    ref = next(tape.answer["id"] for tape in tapes if tape.tape == "test_shipment_refund")

    assert opened(replay("test_shipment_refund")).void(ref, "v")
    count("EasyPost", "refunds replayed on recorded answers")


def test_the_recorded_account_and_webhook_are_read(replay, count) -> None:
    assert opened(replay("test_user_retrieve_no_id")).check().unique_id.startswith("user_")
    easypost = opened(replay("test_webhook_create"))
    made = easypost.api.create_webhook("http://example.com", "a secret of some length")
    easypost.api.delete_webhook(made["id"])
    assert opened(replay("test_webhook_all")).subscriptions() == []
    count("EasyPost", "accounts and webhooks replayed on recorded answers", 4)


def test_the_recorded_pages_of_shipments_are_walked(replay, count) -> None:
    """The recordings hold two pages; the second reaches back to 2025-03-06 19:48, three days before "now"."""
    config = {"api_key": "EZTKsandbox", "base_url": replay("test_shipment_get_next_page")}
    easypost = connect(EasyPost, config, clock=lambda: datetime(2025, 3, 9, 20, tzinfo=UTC))

    assert easypost._listed("FO-1001-1") is None
    with pytest.raises(errors.NotFound):  # both pages were taken off the tape
        easypost.api.bought_shipments()
    count("EasyPost", "pages of shipments replayed on recorded answers", 2)


READ = {
    "Shipment": """id created_at reference messages options postage_label rates refund_status selected_rate tracker
                   tracking_code to_address parcel status fees forms""",
    "Rate": "id carrier service rate currency delivery_days est_delivery_days carrier_account_id shipment_id",
    "PostageLabel": "id label_url label_pdf_url label_zpl_url label_file_type label_size label_date",
    "Tracker": "id tracking_code status status_detail updated_at est_delivery_date shipment_id carrier tracking_details public_url",
    "TrackingDetail": "object message status status_detail datetime source carrier_code tracking_location",
    "Address": "id name company street1 street2 city state zip country phone email verifications",
    "Parcel": "id length width height weight",
    "Webhook": "id url disabled_at custom_headers",
    "CustomsInfo": "id contents_type customs_certify customs_signer eel_pfc non_delivery_option restriction_type customs_items",
    "CustomsItem": "id description quantity value weight hs_tariff_number origin_country currency code",
    "Fee": "object type amount charged refunded",
}


def _things(value: Any, found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    if isinstance(value, dict):
        found.setdefault(str(value.get("object", "")), []).append(value)
        for inner in value.values():
            _things(inner, found)
    elif isinstance(value, list):
        for inner in value:
            _things(inner, found)
    return found


def test_the_sandbox_answers_in_the_recorded_shapes(tapes, vendor, count) -> None:
    easypost = opened(vendor.url, customs_signer="Ada Example")
    label = easypost.buy_label(parcel(ship_to=ABROAD), "k")
    vendor.advance(label.tracking_number, "in_transit")
    list(easypost.ensure("https://hub.example.com/in/1"))
    theirs: dict[str, list[Any]] = {}
    for tape in tapes:
        _things(tape.answer, theirs)
    ours = _things([vendor.shipments, vendor.trackers, vendor.webhooks], {})

    for name, keys in READ.items():
        types: dict[str, set[str]] = {}
        for thing in theirs[name]:
            for key, value in thing.items():
                types.setdefault(key, set()).add(kind(value))
        for thing in ours[name]:
            assert set(keys.split()) <= thing.keys(), name
            assert thing.keys() <= types.keys(), (name, thing.keys() - types.keys())
            for key in keys.split():
                assert kind(thing[key]) in types[key] | {"NoneType"} or types[key] == {"NoneType"}, (
                    name,
                    key,
                    types[key],
                )
            count("EasyPost", "sandbox objects in recorded shapes")


def test_the_sandbox_refuses_in_the_recorded_shape(tapes, vendor, count) -> None:
    theirs = next(tape.answer for tape in tapes if tape.status == 422)
    answer = opened(vendor.url).api.http.get(f"{vendor.url}/v2/shipments/shp_404", expect=(404,)).json()

    assert answer.keys() == theirs.keys()
    assert {key: kind(value) for key, value in answer["error"].items()} == {
        key: kind(value) for key, value in theirs["error"].items()
    }
    count("EasyPost", "sandbox refusals in recorded shapes")


# Computed with `openssl dgst -sha256 -mac HMAC -macopt hexkey:7365cc8163726574`: the key is "sécret" decomposed.
BODY = b'{"id":"evt_1","description":"tracker.updated"}'
OF_BODY = "hmac-sha256-hex=9179bd2b42891a82d83aaceeee9761309c9c5ee02f19579dca91d3ed24d68f62"
STAMP, PATH = "Tue, 06 Jan 2026 09:00:00 -0000", "/in/abc/def"
OF_ALL = "hmac-sha256-hex=46d36c11a401dfe9cb5d75b3b98a0197c6f62268e8d93f0af31d88d35ef5bbdd"
NOW = datetime(2026, 1, 6, 9, 1, tzinfo=UTC)
SECRET = "s\u00e9cret"


def _delivery(body: bytes = BODY, **headers: str) -> WebhookRequest:
    return WebhookRequest("POST", body, {name.replace("_", "-"): value for name, value in headers.items()})


def test_signatures_are_the_independently_computed_ones(count) -> None:
    assert webhooks.signature(SECRET, BODY) == OF_BODY
    both = _delivery(x_timestamp=STAMP, x_path=PATH, x_hmac_signature_v2=OF_ALL)
    assert webhooks.signature(SECRET, webhooks.signed_message(both)) == OF_ALL
    webhooks.verify(_delivery(x_hmac_signature=OF_BODY), [SECRET], NOW)
    webhooks.verify(both, [SECRET], NOW)
    count("EasyPost", "webhook signatures, made and checked", 4)


def test_the_key_is_the_decomposed_secret(contracts, tapes, count) -> None:
    """The recording of a webhook's creation sends the composed form; the vendor's own clients decompose it."""
    (sent,) = {
        tape.body["webhook"]["webhook_secret"] for tape in tapes if tape.tape == "test_webhook_create" and tape.body
    }
    assert sent == SECRET
    assert webhooks.signing_key(sent).encode().hex() == "7365cc8163726574"
    count("EasyPost", "webhook secrets decomposed")


@pytest.mark.parametrize(
    ("request_", "secrets", "now"),
    [
        (_delivery(BODY[:-1] + b" ", x_hmac_signature=OF_BODY), [SECRET], NOW),
        (_delivery(x_hmac_signature=OF_BODY[:-1] + "3"), [SECRET], NOW),
        (_delivery(x_hmac_signature=OF_BODY.removeprefix("hmac-sha256-hex=")), [SECRET], NOW),
        (_delivery(x_hmac_signature=OF_BODY), ["secret"], NOW),
        (_delivery(x_hmac_signature=OF_BODY), [], NOW),
        (_delivery(), [SECRET], NOW),
        (_delivery(x_timestamp=STAMP, x_path="/in/other", x_hmac_signature_v2=OF_ALL), [SECRET], NOW),
        (_delivery(x_timestamp=STAMP, x_path=PATH, x_hmac_signature_v2=OF_ALL), [SECRET], NOW + timedelta(minutes=6)),
        (_delivery(x_hmac_signature=OF_BODY, x_hmac_signature_v2=OF_BODY), [SECRET], NOW),
    ],
    ids=["body", "digest", "prefix", "secret", "no secret", "no header", "path", "stale", "v2 downgraded"],
)
def test_whatever_does_not_fit_is_refused(request_, secrets, now, count) -> None:
    with pytest.raises(errors.SignatureInvalid):
        webhooks.verify(request_, secrets, now)
    count("EasyPost", "webhook signatures refused")
