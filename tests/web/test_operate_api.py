"""What people do at places and with articles, by the API."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.domain.lots import Marks
from hub.flows import operate
from hub.flows.operate.lots import adjust_lot, track_article
from hub.store.tables import fulfillment_order
from tests.web.conftest import Site
from tests.web.test_api import Api, api

__all__ = ["api"]


def fo_path(site: Site) -> str:
    """Where the API has the newest fulfillment order."""
    row = site.world.read(
        lambda tx: tx.execute(select(fulfillment_order).order_by(fulfillment_order.c.id.desc()).limit(1)).one()
    )
    return f"/orders/{row.order_id}/fulfillment-orders/{row.number}"


@pytest.fixture
def stocked(site: Site) -> Site:
    site.world.location("EAST", "US")
    site.world.stock("location MUG TEE\nEAST 5 5")
    return site


def test_a_fulfillment_order_is_shipped_by_hand_once(stocked: Site, api: Api) -> None:
    stocked.order(("MUG", 2))
    path = fo_path(stocked)
    shipped = api("POST", f"{path}/ship", json={"carrier": "DHL", "tracking_number": "JD0001"}).json
    assert shipped["order"]["fulfillment"] == "fulfilled"
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (3, 3, 0)
    assert api("POST", f"{path}/ship").status_code == 200
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (3, 3, 0)
    assert api("POST", f"{path.rpartition('/')[0]}/FO-NONE/ship").status_code == 404
    assert api("POST", f"{path}/ship", json={"weight": 3}).status_code == 422


def test_serial_numbers_that_left_are_said_then_or_later(stocked: Site, api: Api) -> None:
    operate.adjust_stock(stocked.world.runtime, "TEE", "EAST", set_to=0, reason="count", person="mia")
    track_article(stocked.world.runtime, "TEE", "serial", person="mia")
    marks = Marks(serials=("A1", "A2", "A3"))
    adjust_lot(stocked.world.runtime, "TEE", "EAST", marks, 3, person="mia", reason="delivery")
    stocked.order(("TEE", 1))
    path = fo_path(stocked)
    assert api("POST", f"{path}/ship", json={"serials": {"TEE": ["X9"]}}).status_code == 409
    assert api("POST", f"{path}/ship", json={"serials": {"TEE": ["A2"]}}).status_code == 200
    order = path.split("/fulfillment-orders")[0]
    [left] = api("GET", f"{order}/lots").json["rows"]
    assert (left["sku"], left["units"], left["missing"]) == ("TEE", 1, 0)
    assert left["marks"] == [{"code": "A2", "units": 1, "expires_on": None}]

    stocked.order(("TEE", 1))
    path = fo_path(stocked)
    api("POST", f"{path}/ship")
    [left] = api("GET", f"{path.split('/fulfillment-orders')[0]}/lots").json["rows"]
    assert left["missing"] == 1
    body = {"sku": "TEE", "serials": ["A1"]}
    assert api("POST", f"{path}/serials", json=body).json == {"changed": True}
    assert api("POST", f"{path}/serials", json=body).json == {"changed": False}
    assert api("POST", f"{path}/serials", json={"sku": "MUG", "serials": ["A1"]}).status_code == 409
    assert api("POST", f"{path.rpartition('/')[0]}/FO-NONE/serials", json=body).status_code == 404
    assert api("GET", "/orders/none/lots").status_code == 404


def test_locations_are_listed_and_added(site: Site, api: Api) -> None:
    assert api("GET", "/locations").json["rows"] == []
    body = {
        "code": "BER",
        "country": "DE",
        "zone": "Europe/Berlin",
        "rank": 5,
        "address": {"line1": "Weg 1", "city": "Berlin"},
    }
    made = api("POST", "/locations", json=body)
    assert (made.status_code, made.json["code"], made.json["settings"]["name"]) == (201, "BER", "BER")
    [row] = api("GET", "/locations").json["rows"]
    assert row == api("GET", "/locations/BER").json == made.json
    assert (row["settings"]["zone"], row["settings"]["rank"]) == ("Europe/Berlin", 5)
    assert api("POST", "/locations", json=body).status_code == 409
    wrong = api("POST", "/locations", json={**body, "code": "B2", "zone": "Europe/Atlantis"})
    assert (wrong.status_code, wrong.json["errors"][0]["path"]) == (422, "/body/zone")
    assert api("POST", "/locations", json={"code": "B 2", "country": "DE"}).status_code == 422
    assert (
        api("POST", "/locations", json={**body, "code": "B3", "handling": "threepl", "handler": "none"}).status_code
        == 404
    )
    assert len(api("GET", "/locations").json["rows"]) == 1


def test_what_is_oversold_is_sent_from_elsewhere(stocked: Site, api: Api) -> None:
    stocked.order(("TEE", 5))
    stocked.world.location("WEST", "US", rank=200)
    stocked.world.stock("location TEE\nWEST 5")
    operate.adjust_stock(stocked.world.runtime, "TEE", "EAST", set_to=2, reason="count", person="mia")
    stocked.world.run()
    [row] = api("GET", "/oversold").json["rows"]
    assert (row["sku"], row["location"], row["missing"], row["elsewhere"]) == ("TEE", "EAST", 3, {"WEST": 5})
    [order] = row["orders"]
    assert (order["units"], order["repair"]) == (5, {"kind": "reroute", "words": "send it from WEST"})
    path = f"/oversold/{row['id']}/reroute"
    assert api("POST", path, json={"fulfillment_orders": ["FO-NONE"]}).status_code == 422
    done = api("POST", path, json={"fulfillment_orders": [order["fulfillment_order"]]}).json
    assert done == {"moved": [order["fulfillment_order"]], "asked": [], "gone": []}
    assert api("GET", "/oversold").json["rows"] == []
    assert api("POST", path).status_code == 404


def test_linking_a_sku_lets_its_orders_go_on(stocked: Site, api: Api) -> None:
    stocked.order(("CAP", 1))
    [order] = api("GET", "/orders").json["rows"]
    assert [one["kind"] for one in order["holds"]] == ["unmapped"]
    path = f"/connections/{stocked.shop_id}/articles"
    assert api("POST", path, json={"sku": "CAP"}).status_code == 409
    linked = api("POST", path, json={"sku": "CAP", "article": "MUG", "pack_size": 2}).json
    assert (linked["sku"], linked["orders"]) == ("MUG", [order["id"]])
    stocked.world.run()
    assert api("GET", "/orders").json["rows"][0]["holds"] == []
    assert stocked.world.on_shelf()["EAST"]["MUG"] == (5, 3, 2)
    assert api("POST", path, json={"article": "MUG"}).status_code == 422
    assert api("POST", "/connections/none/articles", json={"sku": "CAP"}).status_code == 404
