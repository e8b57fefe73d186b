"""The API: what it shows and does, and what it says to what is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jsonschema
import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from hub.flows import operate
from hub.sdk.signatures import hmac_signature
from hub.store import connections
from hub.store.tables import fulfillment_order, stock_move
from tests.web.conftest import Site


@dataclass
class Api:
    """A program with a key."""

    client: FlaskClient
    headers: dict[str, str]
    document: dict[str, Any]

    def __call__(self, method: str, path: str, **more: Any) -> TestResponse:
        headers = self.headers | more.pop("headers", {})
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        self.hold(method, path, answer)
        return answer

    def hold(self, method: str, path: str, answer: TestResponse) -> None:
        """Every answer is one that the document announces, in its shape."""
        for template, methods in self.document["paths"].items():
            if method.lower() in methods and _fits(template, path.split("?", maxsplit=1)[0]):
                found = methods[method.lower()]["responses"].get(str(answer.status_code))
                assert found, f"{method} {path} answered {answer.status_code}, which is not announced: {answer.text}"
                [schema] = [one["schema"] for one in found["content"].values()]
                rules = schema | {"components": self.document["components"]}
                jsonschema.Draft202012Validator(rules).validate(answer.json)
                return
        raise AssertionError(f"{method} {path} is not in the document")


def _fits(template: str, path: str) -> bool:
    wanted, given = template.split("/"), path.split("/")
    return len(wanted) == len(given) and all(a.startswith("{") or a == b for a, b in zip(wanted, given, strict=True))


@pytest.fixture
def api(site: Site) -> Api:
    client = site.app.test_client()
    return Api(client, site.key("owner"), client.get("/api/v1/openapi.json").json)


@pytest.fixture
def stocked(site: Site) -> Site:
    site.world.location("EAST", "US")
    site.world.stock("location MUG TEE\nEAST 5 2")
    return site


def test_the_document_is_open_to_all_and_names_every_operation(site: Site) -> None:
    client = site.app.test_client()
    document = client.get("/api/v1/openapi.json").json
    assert document["openapi"] == "3.1.0"
    ids = {one["operationId"] for methods in document["paths"].values() for one in methods.values()}
    endpoints = {rule.endpoint for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert endpoints == {f"api.{name}" for name in ids} | {"api.document", "api.manual"}
    manual = client.get("/api/v1/docs")
    assert all(path in manual.text for path in document["paths"])


def test_orders_are_listed_searched_and_read(stocked: Site, api: Api) -> None:
    first, _ = stocked.order(("MUG", 1)), stocked.order(("TEE", 9))
    assert len(api("GET", "/orders").json["rows"]) == 2
    [row] = api("GET", f"/orders?q={first.name.lstrip('#')}").json["rows"]
    assert (row["number"], row["total_minor"], row["currency"], row["units"]) == (first.name, 1000, "USD", 1)
    assert [one["phase"] for one in api("GET", "/orders?state=backordered").json["rows"]] == ["backordered"]
    found = api("GET", f"/orders/{row['id']}").json
    assert [line["article"] for line in found["lines"]] == ["MUG"]
    assert found["fulfillment_orders"][0]["units"] == [{"sku": "MUG", "units": 1}]
    assert found["document"]["external_id"] == row["external_id"]
    assert api("GET", "/orders/nothing").status_code == 404


def test_pages_follow_one_another(stocked: Site, api: Api) -> None:
    numbers = [stocked.order(("MUG", 1)).name for _ in range(5)]
    seen: list[str] = []
    after = ""
    while True:
        page = api("GET", f"/orders?limit=2{after}").json
        seen += [row["number"] for row in page["rows"]]
        if page["next"] is None:
            break
        after = f"&after={page['next']}"
    assert sorted(seen) == sorted(numbers)


def test_an_order_is_cancelled_once_and_its_units_are_free_again(stocked: Site, api: Api) -> None:
    stocked.order(("MUG", 2))
    [row] = api("GET", "/orders").json["rows"]
    for _ in range(2):
        answer = api("POST", f"/orders/{row['id']}/cancel", json={"reason": "Not wanted"})
        assert answer.json["order"]["lifecycle"] == "cancelled"
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (5, 5, 0)
    assert api("POST", f"/orders/{row['id']}/cancel", json={}).json["errors"][0]["path"] == "/body"
    assert api("POST", "/orders/nothing/cancel", json={"reason": "x"}).status_code == 404


def test_a_hold_is_released(stocked: Site, api: Api) -> None:
    stocked.order(("MUG", 1), paid="PENDING")
    [row] = api("GET", "/orders?state=on_hold").json["rows"]
    [held] = row["holds"]
    path = f"/orders/{row['id']}/holds/{held['id']}/release"
    assert api("POST", path, json={"note": "Paid by bank"}).json["order"]["holds"] == []
    assert api("POST", path).status_code == 200
    assert api("POST", f"/orders/{row['id']}/holds/nothing/release").status_code == 404
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (5, 4, 1)


def test_stock_is_read_and_corrected_once_per_key(stocked: Site, api: Api) -> None:
    assert [row["sku"] for row in api("GET", "/stock").json["rows"]] == ["MUG", "TEE"]
    assert api("GET", "/stock/MUG").json["positions"][0]["on_hand"] == 5
    body = {"location": "EAST", "change": -2, "reason": "Broken"}
    for status in ("changed", "repeated"):
        answer = api("POST", "/stock/MUG/adjust", json=body, headers={"Idempotency-Key": "one"})
        assert answer.json["status"] == status
    other = api("POST", "/stock/MUG/adjust", json=body | {"change": -1}, headers={"Idempotency-Key": "one"})
    assert (other.status_code, "another request" in other.json["detail"]) == (422, True)
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (3, 3, 0)
    assert api("POST", "/stock/MUG/adjust", json=body | {"location": "MOON"}).status_code == 409
    assert api("POST", "/stock/MUG/adjust", json=body | {"change": -200}).status_code == 409
    assert api("POST", "/stock/NOTHING/adjust", json=body).status_code == 404
    assert api("POST", "/stock/MUG/adjust", json=body | {"set_to": 4}).status_code == 422


def test_stock_of_one_location_is_asked_for_by_its_code(stocked: Site, api: Api) -> None:
    stocked.world.location("NORTH", "US")
    stocked.world.stock("location CAP\nNORTH 2")
    assert [row["sku"] for row in api("GET", "/stock?location=NORTH").json["rows"]] == ["CAP"]
    assert "CAP" not in [row["sku"] for row in api("GET", "/stock?location=EAST").json["rows"]]
    unknown = api("GET", "/stock?location=MOON")
    assert (unknown.status_code, unknown.json["detail"]) == (404, "There is no location 'MOON'.")


def test_an_article_with_a_slash_is_reached(stocked: Site, api: Api) -> None:
    stocked.world.stock("location A/B\nEAST 3")
    assert api("GET", "/stock/A%2FB").json["sku"] == "A/B"


def test_ten_thousand_figures_are_set_at_once_each_with_its_result(stocked: Site, api: Api) -> None:
    rows = [{"sku": f"BULK-{number}", "location": "EAST", "units": number} for number in range(9_998)]
    rows += [{"sku": "MUG", "location": "MOON", "units": 1}, {"sku": "MUG", "location": "EAST", "units": 7}]
    body = {"rows": rows, "reason": "Stocktake", "create_articles": True}
    answer = api("PUT", "/stock", json=body, headers={"Idempotency-Key": "stocktake"})
    assert answer.status_code == 200
    assert (len(answer.json["rows"]), answer.json["errors"]) == (10_000, 1)
    assert "MOON" in answer.json["rows"][9_998]["message"]
    moves = select(func.count()).select_from(stock_move)
    before = stocked.world.read(lambda tx: tx.execute(moves).scalar_one())
    again = api("PUT", "/stock", json=body, headers={"Idempotency-Key": "stocktake"})
    assert {row["status"] for row in again.json["rows"]} == {"repeated", "error"}
    assert stocked.world.read(lambda tx: tx.execute(moves).scalar_one()) == before
    too_many = api("PUT", "/stock", json={**body, "rows": [*rows, rows[0]]})
    assert too_many.status_code == 422
    assert too_many.json["errors"][0]["path"] == "/body/rows"
    assert len(too_many.text) < 1000


def test_a_dry_run_books_nothing(stocked: Site, api: Api) -> None:
    body = {"rows": [{"sku": "MUG", "location": "EAST", "units": 1}], "reason": "Try", "dry_run": True}
    assert api("PUT", "/stock", json=body).json["rows"][0]["after"] == 1
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (5, 5, 0)


def test_a_connection_is_added_read_changed_and_paused(site: Site, api: Api) -> None:
    second = type(site.shop)(shop="second.myshopify.com")
    with second.serve():
        settings = {"shop": second.shop, "access_token": second.token, "base_url": second.url}
        body = {"plugin": "shopify", "name": "Second", "settings": settings}
        made = api("POST", "/connections", json=body)
        assert made.status_code == 201
        assert made.json["secrets"]["access_token"] is True
        assert second.token not in made.text
        key = made.json["connection"]["id"]
        assert api("POST", "/connections", json=body).status_code in (409, 422)
        changed = api("PATCH", f"/connections/{key}", json={"settings": {"page_size": 5}, "stock_threshold": 2})
        assert changed.json["settings"] == {"shop": second.shop, "base_url": second.url, "page_size": 5}
        assert changed.json["check"]["ok"] is True
        gone = api("PATCH", f"/connections/{key}", json={"settings": {"page_size": None}})
        assert "page_size" not in gone.json["settings"]
        assert api("POST", f"/connections/{key}/check").json["ok"] is True
        assert api("POST", f"/connections/{key}/pause").json["connection"]["status"] == "paused"
        assert api("POST", f"/connections/{key}/resume").json["connection"]["status"] == "active"
        assert api("POST", f"/connections/{key}/sync").json["streams"] == ["orders", "products"]
    assert len(api("GET", "/connections").json["rows"]) == 2
    assert api("GET", "/connections/nothing").status_code == 404


def test_wrong_settings_are_named_and_secrets_are_not_repeated(site: Site, api: Api) -> None:
    body = {"plugin": "shopify", "name": "X", "settings": {"shop": "wrong", "access_token": "very-secret", "odd": 1}}
    answer = api("POST", "/connections", json=body)
    assert answer.status_code == 422
    assert {one["path"] for one in answer.json["errors"]} == {"/body/settings/odd", "/body/settings/shop"}
    assert "very-secret" not in answer.text
    settings = {"shop": "demo.myshopify.com", "access_token": "wrong", "base_url": site.shop.url}
    refused = api("POST", "/connections", json=body | {"settings": settings})
    assert refused.status_code == 422
    assert refused.json["check"] == "auth_rejected"
    assert refused.json["errors"][0]["path"] == "/body/settings/access_token"
    assert api("POST", "/connections", json=body | {"plugin": "nothing"}).status_code == 409
    assert site.world.read(lambda tx: len(connections.every(tx))) == 1


def test_problems_are_listed_and_replayed(site: Site, api: Api) -> None:
    body = b'{"id": 7, "broken": true}'
    headers = {
        "X-Shopify-Topic": "orders/create",
        "X-Shopify-Shop-Domain": site.shop.shop,
        "X-Shopify-Hmac-Sha256": hmac_signature(site.shop.webhook_secret, body),
    }
    site.post_hook(headers, body)
    site.world.run()
    [problem] = api("GET", "/problems?move=yours").json["rows"]
    assert (problem["kind"], problem["count"]) == ("inbox", 1)
    assert api("POST", f"/problems/{problem['fingerprint']}/replay").json == {"replayed": 1, "refused": []}
    assert api("POST", "/problems/nothing/replay").status_code == 404


def test_what_is_parked_is_set_aside_with_a_reason(site: Site, api: Api) -> None:
    site.post_hook(*site.shop.webhook("orders/create", {"id": 7}))
    site.world.run()
    [problem] = api("GET", "/problems").json["rows"]
    path = f"/problems/{problem['fingerprint']}/set-aside"
    assert len(problem["ids"]) == 1
    assert api("POST", path, json={}).status_code == 422
    assert api("POST", path, json={"reason": "a test"}).json == {"set_aside": 1, "refused": []}
    assert api("GET", "/problems").json["rows"] == []
    assert api("POST", path, json={"reason": "a test"}).status_code == 404


def refused_message(site: Site) -> None:
    """The news of a parcel that the shop does not want, since it had cancelled the order."""
    site.world.location("EAST")
    site.world.stock("location MUG\nEAST 5")
    placed = site.order(("MUG", 1))
    site.shop.cancel_order(placed.id)
    order = site.world.read(lambda tx: tx.execute(select(fulfillment_order)).one())
    operate.ship_by_hand(site.world.runtime, order.order_id, order.number, person="mia", tracking_number="1")
    site.world.run()


def test_a_refused_message_is_set_aside_or_resolved(site: Site, api: Api) -> None:
    refused_message(site)
    [problem] = [one for one in api("GET", "/problems").json["rows"] if one["kind"] == "outbox"]
    assert "retry or set it aside" in problem["next_step"]
    assert api("POST", f"/problems/{problem['fingerprint']}/set-aside", json={"reason": "told by phone"}).json == {
        "set_aside": 1,
        "refused": [],
    }
    [row] = problem["ids"]
    assert api("POST", f"/outbox/{row}/resolve", json={"happened": True}).status_code == 409
    assert [one for one in api("GET", "/problems").json["rows"] if one["kind"] == "outbox"] == []


def test_a_message_that_is_known_to_have_arrived_is_booked_as_done(site: Site, api: Api) -> None:
    refused_message(site)
    [problem] = [one for one in api("GET", "/problems").json["rows"] if one["kind"] == "outbox"]
    [row] = problem["ids"]
    body = {"happened": True, "external_id": "gid://shopify/Fulfillment/7"}
    assert api("POST", f"/outbox/{row}/resolve", json=body).json == {"id": row, "status": "delivered"}
    assert api("POST", f"/outbox/{row}/resolve", json=body).status_code == 409
    assert api("POST", "/outbox/nothing/resolve", json=body).status_code == 404
    assert api("POST", f"/outbox/{row}/resolve", json={}).status_code == 422


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ("limit=0", "/query/limit"),
        ("limit=many", "/query/limit"),
        ("limit=99999999999999999999", "/query/limit"),
        ("state=odd", "/query/state"),
        ("odd=1", "/query"),
        ("placed_from=yesterday", "/query/placed_from"),
        ("placed_from=2026-01-01T00:00:00", "/query/placed_from"),
        ("after=nonsense", "/query/after"),
        ("q=" + "x" * 201, "/query/q"),
    ],
)
def test_a_wrong_parameter_is_named(api: Api, query: str, path: str) -> None:
    answer = api("GET", f"/orders?{query}")
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert answer.json["errors"][0]["path"] == path


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"{broken", "application/json", 400),
        (b"", "application/json", 400),
        (b'{"reason": "a\\u0000b"}', "application/json", 400),
        (b'{"reason": NaN}', "application/json", 400),
        (b"[" * 5000, "application/json", 400),
        (b"reason=x", "application/x-www-form-urlencoded", 415),
        (b"[]", "application/json", 422),
        (b'{"reason": 5}', "application/json", 422),
        (b'{"reason": ""}', "application/json", 422),
        (b'{"reason": "x", "more": 1}', "application/json", 422),
        (b'{"reason": "' + b"x" * 300_000 + b'"}', "application/json", 413),
    ],
)
def test_a_wrong_body_is_refused_in_kind(stocked: Site, api: Api, raw: bytes, kind: str, status: int) -> None:
    stocked.order(("MUG", 1))
    [row] = api("GET", "/orders").json["rows"]
    answer = api("POST", f"/orders/{row['id']}/cancel", data=raw, content_type=kind)
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"


def test_wrong_methods_and_unknown_addresses_are_told_as_problems(site: Site) -> None:
    client = site.app.test_client()
    for answer, status in ((client.delete("/api/v1/orders"), 405), (client.get("/api/v1/nothing"), 404)):
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert "GET" in client.delete("/api/v1/orders").headers["Allow"]
