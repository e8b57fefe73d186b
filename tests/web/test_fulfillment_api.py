"""The API of fulfillment orders: what places answer and what customers collect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.store.tables import fulfillment_order
from tests.web.conftest import Site
from tests.web.test_api import Api
from tests.web.test_console import order_id


@pytest.fixture
def api(site: Site) -> Api:
    client = site.app.test_client()
    return Api(client, site.key("packer"), client.get("/api/v1/openapi.json").json)


@pytest.fixture
def order(site: Site) -> str:
    """The path of an order that EAST packs by hand, and where its customers may collect."""
    site.world.location("EAST", "US", picks_up=True)
    site.world.stock("location MUG\nEAST 5")
    return f"/orders/{order_id(site, site.order(('MUG', 2)).name)}"


def work(site: Site) -> str:
    """The path of the latest fulfillment order below its order's."""
    newest = select(fulfillment_order.c.number).order_by(fulfillment_order.c.id.desc()).limit(1)
    return f"/fulfillment-orders/{site.world.read(lambda tx: tx.execute(newest).scalar_one())}"


def state(answer: Any) -> tuple[str, str]:
    assert answer.status_code == 200, answer.text
    fo = answer.json["fulfillment_orders"][-1]
    return fo["exec_status"], fo["request_status"]


def test_goods_at_the_counter_are_given_more_time_by_a_day(site: Site, order: str, api: Api) -> None:
    ops = Api(api.client, site.key("ops"), api.document)
    ops("POST", f"{order}/collect-elsewhere", json={"location": "EAST"})
    day = {"day": (site.world.now().date() + timedelta(days=30)).isoformat()}
    path = f"{order}{work(site)}"
    assert api("POST", f"{path}/collect-until", json=day).status_code == 409
    assert state(api("POST", f"{path}/ready")) == ("in_progress", "accepted")
    assert state(api("POST", f"{path}/collect-until", json=day)) == ("in_progress", "accepted")
    assert api("POST", f"{path}/collect-until", json={"day": "soon"}).status_code == 422
    assert api("POST", f"{order}/fulfillment-orders/FO-NONE/collect-until", json=day).status_code == 404
    [event] = [one for one in api("GET", order).json["timeline"] if one["kind"] == "more_time"]
    assert day["day"] in event["message"]


def test_a_refusal_names_the_articles_that_it_is_about(site: Site, api: Api) -> None:
    site.world.location("EAST", "US")
    site.world.stock("location MUG TEE\nEAST 5 5")
    order = f"/orders/{order_id(site, site.order(('MUG', 2), ('TEE', 1)).name)}"
    path = f"{order}{work(site)}/refuse"
    unnamed = api("POST", path, json={"reason": "damaged"})
    assert (unnamed.status_code, "say of which of MUG, TEE" in unnamed.text) == (409, True)
    assert api("POST", path, json={"reason": "damaged", "lines": [{"sku": "MUG"}]}).status_code == 422
    lines = [{"sku": "MUG", "units": 1}, {"sku": "MUG", "units": 1}]
    state(api("POST", path, json={"reason": "damaged", "note": "no handles", "lines": lines}))
    [event] = [one for one in api("GET", order).json["timeline"] if one["kind"] == "refused"]
    assert event["message"].endswith("It is damaged (2 x MUG): no handles.")
    assert site.world.on_shelf()["EAST"]["TEE"] == (5, 4, 1)


def test_a_location_answers_when_it_is_asked_to_stop(site: Site, order: str, api: Api) -> None:
    owner = Api(api.client, site.key("owner"), api.document)
    path = f"{order}{work(site)}"
    assert api("POST", f"{path}/stopped").status_code == 409
    assert state(api("POST", f"{path}/accept")) == ("in_progress", "accepted")
    owner("POST", f"{order}/cancel", json={"reason": "changed my mind"})
    assert state(api("POST", f"{path}/too-late")) == ("in_progress", "cancellation_rejected")
    assert [one["kind"] for one in api("GET", order).json["order"]["holds"]] == ["cancel_too_late"]
    for _ in range(2):
        assert state(api("POST", f"{path}/stopped")) == ("cancelled", "cancellation_accepted")
    assert api("GET", order).json["order"]["lifecycle"] == "cancelled"
    viewer = Api(api.client, site.key("viewer"), api.document)
    assert viewer("POST", f"{path}/stopped").status_code == 403
