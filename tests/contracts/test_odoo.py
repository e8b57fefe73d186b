"""Odoo's published JSON-2 contract: our requests fit it, its recorded exchanges replay through our client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from flask import Response

from connectors.erp.odoo.plugin import Odoo
from connectors.erp.odoo.sandbox import OdooSandbox
from hub.domain.documents import Address, Customer
from hub.domain.ledgers import Posting, PostingLine
from hub.sdk import Window, errors
from hub.testing import Sandbox, connect

# Parameters of the public methods that are called, from Odoo's own signatures of them in version 19.
NAMED = {
    "search_read": {"domain", "fields", "offset", "limit", "order"},
    "create": {"vals_list"},
    "write": {"vals"},
    "unlink": set(),
    "action_confirm": set(),
    "action_post": set(),
}
MODEL_METHODS = {"search_read", "create"}


@pytest.fixture
def recorded(contracts):
    return lambda name: json.loads((contracts / "odoo" / "public" / f"{name}.json").read_text())


@pytest.fixture
def busy() -> Iterator[OdooSandbox]:
    """A sandbox after an order, an invoice and a look at stock, products and places."""
    sandbox = OdooSandbox()
    sandbox.add_product("MUG", on_hand={1: 3})
    home = Address(name="Ada Example", line1="Example Street 1", city="Berlin", country="DE")
    posting = Posting(
        "sales_order", "SO-1", "1", "demo", "EUR", "2026-03-02", Customer(email="ada@example.com"), home, home,
        (PostingLine("MUG", "Mug", 1, 1200),), 1200, taxes_included=True,
    )  # fmt: skip
    with sandbox.serve():
        odoo = connect(Odoo, sandbox.settings())
        order = odoo.post(posting, "key")
        document = {name: getattr(posting, name) for name in Posting.__slots__}
        odoo.post(Posting(**{**document, "kind": "invoice", "reference": "INV-1", "order_ref": order.ref}), "key-2")
        odoo.check()
        odoo.places()
        window = Window(None, odoo.ctx.clock().replace(year=2100))
        assert [*odoo.stock(window, None), *odoo.items(window, None)]
        yield sandbox


@pytest.mark.contracts
def test_every_request_fits_the_published_envelope(contracts, busy, count):
    contract = json.loads((contracts / "odoo" / "spec" / "json2_contract.json").read_text())
    verb, path = contract["endpoint"].split()
    pattern = re.compile(path.replace("<model>", r"[a-z_.]+").replace("<method>", r"(?P<method>[a-z][a-z_]*)"))
    required = {name for name, rule in contract["headers"].items() if rule.startswith("required")}
    calls = [call for call in busy.calls if call.path.startswith("/json/")]
    for call in calls:
        found = pattern.fullmatch(call.path)
        assert found, call.path
        assert call.method == verb
        assert required <= set(call.headers)
        assert re.fullmatch(r"bearer \S+", call.headers["Authorization"])
        assert call.headers["Content-Type"].startswith("application/json")
        assert call.headers["X-Odoo-Database"] == busy.database
        body, method = json.loads(call.body), found["method"]
        assert set(body) - {"ids", "context"} <= NAMED[method], method
        assert isinstance(body["context"], dict)
        assert ("ids" in body) == (method not in MODEL_METHODS), method
    assert {"create", "action_confirm", "action_post", "search_read"} <= {call.path.split("/")[-1] for call in calls}
    count("Odoo", "JSON-2 requests fitting the envelope", len(calls))


@pytest.mark.contracts
def test_the_recorded_search_read_replays_through_the_client(recorded, count):
    exchange = recorded("json2_search_read")
    with replay(exchange) as (odoo, vendor):
        sent = exchange["request"]["body"]
        rows = odoo._odoo.search_read("res.partner", sent["domain"], sent["fields"])
    assert rows == exchange["response"]["body"]
    (call,) = vendor.calls
    wanted = exchange["request"]
    assert (call.method, call.path) == (wanted["method"], wanted["path"])
    for name, value in wanted["headers"].items():
        assert call.headers[name] == value
    ours = json.loads(call.body)
    assert {name: ours[name] for name in ("domain", "fields")} == {name: sent[name] for name in ("domain", "fields")}
    count("Odoo", "recorded exchanges replayed")


@pytest.mark.contracts
def test_the_recorded_401_asks_for_a_new_key(recorded, count):
    exchange = recorded("json2_error_401")
    with replay(exchange) as (odoo, _), pytest.raises(errors.AuthRejected, match="Invalid apikey"):
        odoo._odoo.search_read("res.partner", [], ["name"])
    count("Odoo", "recorded exchanges replayed")


@pytest.mark.contracts
def test_the_sandbox_refuses_a_wrong_key_as_recorded(recorded, count):
    exchange = recorded("json2_error_401")["response"]
    sandbox = OdooSandbox()
    answer = sandbox.app.test_client().post(
        "/json/2/res.partner/search_read", json={}, headers={"Authorization": "bearer wrong"}
    )
    told, published = answer.get_json(), exchange["body"]
    assert answer.status_code == exchange["status"]
    assert {name: told[name] for name in published if name != "debug"} == {
        name: value for name, value in published.items() if name != "debug"
    }
    count("Odoo", "sandbox refusals equal to the recorded one")


class replay:  # noqa: N801 - used as a function
    """A vendor that gives one recorded answer, and a connector with the key and database of the recording."""

    def __init__(self, exchange) -> None:
        headers = exchange.get("request", {}).get("headers", {})
        key = headers.get("Authorization", "bearer none").partition(" ")[2]
        self.vendor = Sandbox("odoo")
        answer = exchange["response"]
        body = json.dumps(answer["body"])
        self.vendor.app.post("/json/2/<path:called>")(
            lambda **_: Response(body, answer["status"], {"Content-Type": "application/json"})
        )
        self.served = self.vendor.serve()
        self.settings = {"database": headers.get("X-Odoo-Database", "mycompany"), "api_key": key}

    def __enter__(self):
        url = self.served.__enter__()
        return connect(Odoo, {"base_url": url, **self.settings}), self.vendor

    def __exit__(self, *error) -> None:
        self.served.__exit__(*error)
