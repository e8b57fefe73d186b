"""Amazon: every request, every answer of the sandbox and every published order, held to the vendor's own models."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

from connectors.marketplaces.amazon.manifest import MANIFEST
from connectors.marketplaces.amazon.plugin import Amazon
from connectors.marketplaces.amazon.sandbox import AmazonSandbox
from connectors.marketplaces.amazon.translate import join_v0, revision
from hub import schemas
from hub.domain.shipping import ShipmentNotice, ShippedPackage, StockUpdate
from hub.mapping import load
from hub.sdk import Window, errors
from hub.testing import Fault, connect
from tests.contracts.amazon_model import SPECS, Models

pytestmark = pytest.mark.contracts

USED = {
    "searchOrders",
    "getOrder",
    "confirmShipment",
    "patchListingsItem",
    "searchListingsItems",
    "getMarketplaceParticipations",
}
OLD_READS = {"/orders/v0/orders", "/orders/v0/orders/{orderId}"}  # one of them is called getOrder as well
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
LATELY = Window(NOW - timedelta(hours=2), NOW - timedelta(minutes=3))


@pytest.fixture
def models(contracts):
    return Models(contracts / "amazon_spapi")


def parcel(lines, number="1Z999", carrier="UPS"):
    return ShippedPackage(tracking_number=number, carrier=carrier, lines=tuple(lines), service="Ground")


def stock(sku, quantity):
    return StockUpdate(listing=sku, sku=sku, quantity=quantity, as_of="2026-11-22T12:00:00Z", product_type="PRODUCT")


class Recorder:
    """Raw requests and answers of a sandbox: (method, path as sent, query, body, status, answer)."""

    def __init__(self, app):
        self.seen = []
        app.after_request(self._keep)

    def _keep(self, response):
        if not request.path.startswith("/auth/"):
            raw = urlsplit(request.environ["RAW_URI"]).path
            self.seen.append(
                (
                    request.method,
                    raw,
                    request.query_string.decode(),
                    request.get_data(),
                    response.status_code,
                    response.get_data(),
                )
            )
        return response


def everything_it_does(amazon, shop):
    """Each operation in each form that the connector has, refusals among them."""
    for number in range(101):
        shop.place_order(
            [("MUG", 2), ("TEE", 1)], tax="1.65", shipping="4.99", at=NOW - timedelta(minutes=30, seconds=number)
        )
    shop.place_order([("MUG", 1)], status="PENDING")
    shop.cancel_order(shop.place_order([("MUG", 1)]))
    assert amazon.check().ok
    pages = list(amazon.orders(LATELY, None))
    list(amazon.orders(Window(None, LATELY.end), None))
    order = amazon.order(pages[0].records[0].external_id)
    lines = [item["orderItemId"] for item in order.body["orderItems"]]
    two = (parcel([(lines[0], 2)], "A"), parcel([(lines[1], 1)], "B", "Pigeon Post"))
    amazon.confirm(ShipmentNotice("FO-1", order.external_id, "2026-11-22T12:00:00Z", two), "key")
    amazon.order(order.external_id)
    amazon.set_stock([stock("MUG", 3), stock("A/B C", 4), stock("NOPE", 1)], "key")
    list(amazon.items(Window(None, NOW), None))
    list(amazon.items(Window(NOW - timedelta(days=1), NOW), None))
    for refused in (
        lambda: amazon.order("902-0000000-0000000"),
        lambda: amazon.confirm(
            ShipmentNotice("FO-2", order.external_id, "2026-11-22T12:00:00Z", (parcel([("1", 1)]),)), "key"
        ),
        lambda: list(amazon.orders(Window(LATELY.start, NOW), None)),  # up to now, which is too young for Amazon
    ):
        with pytest.raises((errors.NotFound, errors.Rejected)):
            refused()
    shop.keep_rates = True
    for _ in range(10):  # two pages each, so the burst of 20 is used up
        list(amazon.orders(LATELY, None))
    with pytest.raises(errors.RateLimited):
        next(amazon.orders(LATELY, None))


@pytest.fixture
def recorded():
    shop = AmazonSandbox(clock=lambda: NOW)
    recorder = Recorder(shop.app)
    for sku in ("MUG", "TEE", "A/B C", *(f"SKU-{number}" for number in range(25))):
        shop.add_listing(sku)
    with shop.serve():
        everything_it_does(connect(Amazon, shop.settings(), clock=lambda: NOW), shop)
    return recorder.seen


def test_every_request_is_what_the_model_asks_for(models, recorded, count):
    used = Counter()
    for method, path, query, body, _, _ in recorded:
        operation = models.find(method, path)
        assert operation.request_problems(query, body) == [], f"{operation.id}?{query} {body!r}"
        used[operation.id] += 1
    assert set(used) == USED
    count("Amazon", "requests of the connector held to the model", sum(used.values()))


def test_every_answer_of_the_sandbox_is_what_the_model_promises(models, recorded, count):
    statuses = Counter()
    for method, path, _, _, status, answer in recorded:
        operation = models.find(method, path)
        assert operation.answer_problems(status, answer) == [], f"{operation.id} {status}"
        statuses[operation.id, status] += 1
    assert {status for _, status in statuses} == {200, 204, 400, 404, 429}
    count("Amazon", "answers of the sandbox held to the model", sum(statuses.values()))


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "problem"),
    [
        ("GET", "/listings/2021-08-01/items/A1", "pageSize=20", b"", "marketplaceIds is missing"),
        ("GET", "/listings/2021-08-01/items/A1", "marketplaceIds=A&pageSize=50", b"", "not a number that is allowed"),
        ("GET", "/orders/2026-01-01/orders", "MarketplaceIds=A", b"", "unknown query parameter"),
        ("GET", "/orders/2026-01-01/orders", "includedData=BUYER,MONEY", b"", "MONEY is none of"),
        ("GET", "/orders/2026-01-01/orders", "lastUpdatedAfter=2026-01-02T03:04:05", b"", "has no zone"),
        ("POST", "/orders/v0/orders/9/shipmentConfirmation", "", b'{"marketplaceId": "A"}', "packageDetail"),
        ("PATCH", "/listings/2021-08-01/items/A1/MUG", "marketplaceIds=A",
         b'{"productType": "P", "patches": [{"op": "move", "path": "/x"}]}', "move"),
        ("PATCH", "/listings/2021-08-01/items/A1/MUG", "marketplaceIds=A",
         b'{"productType": "P", "patches": [], "quantity": 1}', "quantity is not in the model"),
    ],
)  # fmt: skip
def test_the_check_of_requests_is_not_blind(models, method, path, query, body, problem):
    assert problem in "; ".join(models.find(method, path).request_problems(query, body))


def test_the_declared_quotas_are_those_of_the_models(models):
    for operation in models.operations:
        if operation.id not in USED or operation.path in OLD_READS:
            continue
        row = next(
            line
            for line in operation.body["description"].split("\n")
            if line.startswith("| 0") or line[2:3].isdecimal()
        )
        rate, burst = (float(cell) for cell in row.strip("| ").split("|"))
        line = f"{operation.method} {operation.path.replace('{', '').replace('}', '')}"
        limit = max((one for one in MANIFEST.rate_limits if line.startswith(one.match)), key=lambda one: len(one.match))
        assert (limit.per_second, limit.burst) == (rate, burst), operation.id


def test_every_published_order_becomes_a_canonical_order(models, count):
    orders = models.published(lambda one: "orderId" in one and isinstance(one.get("orderItems"), list))
    assert len(orders) >= 4
    for order in orders:
        document = load("marketplaces/amazon/orders.yml").apply(order)
        assert schemas.errors("order.v1", document) == [], order["orderId"]
        parsed = schemas.parse("order.v1", document)
        assert to_pay(parsed) == parsed.totals.total_minor, order["orderId"]
        assert document["revision"] == revision(order["lastUpdatedTime"])
        assert [line.external_id for line in parsed.lines] == [item["orderItemId"] for item in order["orderItems"]]
    count("Amazon", "published orders (2026-01-01) mapped, sums agree", len(orders))


def to_pay(order):
    taxes = [tax for part in (*order.lines, *order.shipping, *order.fees) for tax in part.taxes]
    parts = sum(line.total_minor for line in order.lines)
    parts += sum(part.amount_minor for part in (*order.shipping, *order.fees))
    return parts + (0 if order.totals.taxes_included else sum(tax.amount_minor for tax in taxes))


def test_every_published_order_of_v0_becomes_an_order_or_is_parked_with_a_reason(models, count):
    orders = models.published(lambda one: "AmazonOrderId" in one and "OrderStatus" in one)
    lists = models.published(lambda one: "AmazonOrderId" in one and isinstance(one.get("OrderItems"), list))
    items = {
        (one["AmazonOrderId"], json.dumps(one["OrderItems"])): one["OrderItems"]
        for one in lists
        if all("QuantityOrdered" in item for item in one["OrderItems"])
    }
    joined = [
        (order, with_items) for order in orders for (of, _), with_items in items.items() if of == order["AmazonOrderId"]
    ]
    alone = [order for order in orders if not any(of == order["AmazonOrderId"] for of, _ in items)]
    assert orders
    assert joined
    field_map, whole, parked = load("marketplaces/amazon/orders_v0.yml"), 0, Counter()
    for order, with_items in [*joined, *((order, []) for order in alone)]:
        try:
            document = field_map.apply(join_v0(order, with_items))
        except errors.SchemaDrift as reason:
            parked[str(reason)] += 1
            continue
        assert schemas.errors("order.v1", document) == [], order["AmazonOrderId"]
        whole += 1
    count("Amazon", "published orders (v0) mapped", whole)
    count("Amazon", "published orders (v0) parked with a reason", sum(parked.values()))
    assert whole + sum(parked.values()) == len(joined) + len(alone)
    assert all("lines: is required but there is nothing (from OrderItems)" in reason for reason in parked), parked


def test_every_published_listing_becomes_a_product(models, count):
    listings = models.published(lambda one: "sku" in one and "summaries" in one)
    for listing in listings:
        document = load("marketplaces/amazon/products.yml").apply(listing)
        assert schemas.errors("product.v1", document) == []
    assert listings
    count("Amazon", "published listings mapped", len(listings))


@contextmanager
def replaying(status, answer):
    """A server that gives one recorded answer to whatever is asked, and a token to whoever asks for one."""
    app = Flask("replay")
    app.post("/auth/o2/token")(lambda: {"access_token": "Atza|replay", "expires_in": 3600})

    @app.route("/<path:_>", methods=["GET", "POST", "PATCH"])
    def replay(_):
        return Response(json.dumps(answer) if answer else b"", status, content_type="application/json")

    with served(app) as url:
        yield connect(Amazon, AmazonSandbox().settings(url), clock=lambda: NOW)


@contextmanager
def served(app):
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def first_orders(amazon):
    return [record.external_id for record in next(amazon.orders(LATELY, None)).records]


def first_items(amazon):
    return [record.external_id for record in next(amazon.items(Window(None, NOW), None)).records]


def confirmed(amazon):
    return amazon.confirm(ShipmentNotice("FO-1", "902-1", "2026-11-22T12:00:00Z", (parcel([("1", 1)]),)), "key")


ASK = {
    "searchOrders": first_orders,
    "getOrder": lambda amazon: amazon.order("028-1234567-8901234").external_id,
    "confirmShipment": confirmed,
    "patchListingsItem": lambda amazon: amazon.set_stock([stock("MUG", 1)], "key")[0].error is None,
    "searchListingsItems": first_items,
    "getMarketplaceParticipations": lambda amazon: [
        entry["marketplace"]["id"] for entry in amazon._client.participations()
    ],
}


def test_amazons_own_sandbox_cases_are_understood(models, count):
    replayed = Counter()
    for spec in SPECS:
        for name, case in models.cases(spec):
            if case["operationId"] not in ASK or (spec == "ordersV0" and case["operationId"] != "confirmShipment"):
                continue
            with replaying(case["status"], case["response"]) as amazon:
                if case["status"] < 400:
                    assert ASK[case["operationId"]](amazon), name
                else:
                    with pytest.raises(errors.Rejected) as caught:
                        ASK[case["operationId"]](amazon)
                    assert caught.value.vendor_code == case["response"]["errors"][0]["code"], name
            replayed[case["operationId"], case["status"]] += 1
    assert {operation for operation, _ in replayed} == USED
    count("Amazon", "vendor sandbox cases replayed and classified", sum(replayed.values()))


def examples(response):
    """The examples of an answer; where the media type was forgotten, the examples are the answer itself."""
    stated = response.get("examples", {})
    return [stated] if "payload" in stated else list(stated.values())


def test_published_examples_of_answers_are_understood(models, count):
    shown = 0
    for operation in models.operations:
        if operation.id not in ASK or operation.path in OLD_READS:
            continue
        for status, response in operation.body["responses"].items():
            for example in examples(operation.resolve(response)):
                with replaying(int(status), example) as amazon:
                    assert ASK[operation.id](amazon), operation.id
                shown += 1
    assert shown >= 4
    count("Amazon", "example answers of the models understood", shown)


@pytest.fixture
def prism(models):
    """Prism on the models the connector speaks, behind one address that also hands out tokens."""
    home = Path(os.environ.get("PRISM_DIR") or "/nowhere")
    binary = home / "node_modules/.bin/prism"
    if not binary.exists() or not shutil.which("node"):
        pytest.skip("PRISM_DIR does not point to a folder where @stoplight/prism-cli is installed, or node is missing")
    with ExitStack() as stack:
        ports = {spec: stack.enter_context(mocked(binary, models.folder / f"spec/{spec}.json")) for spec in SPECS}
        answers = []
        yield stack.enter_context(served(gateway(ports, models, answers))), answers


@contextmanager
def mocked(binary, spec):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [str(binary), "mock", "-h", "127.0.0.1", "-p", str(port), str(spec)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port, process):
    for _ in range(600):
        assert process.poll() is None, "Prism ended"
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("Prism did not start within a minute")


def gateway(ports, models, answers):
    app = Flask("gateway")
    app.post("/auth/o2/token")(lambda: {"access_token": "Atza|prism", "expires_in": 3600})

    @app.route("/<path:_>", methods=["GET", "POST", "PATCH"])
    def forward(_):
        target = request.environ["RAW_URI"]
        operation = models.find(request.method, urlsplit(target).path)
        port = next(ports[spec] for spec in SPECS if models.specs[spec] is operation.spec)
        kept = {name: value for name, value in request.headers.items() if name in {"Content-Type", "Accept"}}
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request(request.method, target, request.get_data() or None, kept)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        answers.append((operation.id, answer.status, body[:500]))
        return Response(body, answer.status, content_type=answer.headers.get("Content-Type", "application/json"))

    return app


def test_prism_accepts_every_operation_and_refuses_broken_ones(prism, count):
    url, answers = prism
    amazon = connect(Amazon, AmazonSandbox().settings(url), clock=lambda: NOW)
    # The model files its example of participations under a wrong key, so that Prism answers with a bare list: check
    # never raises and says so; what counts here is that the request was taken.
    for ask in (ASK | {"getMarketplaceParticipations": Amazon.check}).values():
        ask(amazon)
    assert {operation for operation, _, _ in answers} == USED
    assert all(status < 400 for _, status, _ in answers), answers
    count("Amazon", "operations accepted by Prism", len(answers))
    with pytest.raises(errors.ConnectorError):
        amazon._client.confirm("902-1", "ATVPDKIKX0DER", {})
    with pytest.raises(errors.ConnectorError):
        amazon._client.listings([], None, "not a time", None)
    assert [status >= 400 for _, status, _ in answers[-2:]] == [True, True]


def test_a_fault_of_the_sandbox_is_not_taken_for_an_answer(models):
    """The sandbox's faults are the network's, not Amazon's: they must not pass the check of answers."""
    shop = AmazonSandbox(clock=lambda: NOW)
    recorder = Recorder(shop.app)
    shop.faults.append(Fault("garbage", match="GET /sellers"))
    with shop.serve():
        assert not connect(Amazon, shop.settings(), clock=lambda: NOW).check().ok
    method, path, _, _, status, answer = recorder.seen[0]
    with pytest.raises(json.JSONDecodeError):
        models.find(method, path).answer_problems(status, answer)
