"""What channels are told, explained and decided by the API and by the console."""

from __future__ import annotations

import pytest

from hub.flows.operate import availability as operate
from hub.flows.operate.availability import WantedRule
from hub.store import availability, catalog
from hub.store.views import stock as stock_view
from tests.web.conftest import Site
from tests.web.test_api import Api


@pytest.fixture
def api(site: Site) -> Api:
    client = site.app.test_client()
    return Api(client, site.key("owner"), client.get("/api/v1/openapi.json").json)


@pytest.fixture
def listed(site: Site) -> Site:
    """MUG, TEE and SET are listed in the shop, and EAST has ten mugs and four shirts."""
    site.world.location("EAST", "US")
    site.world.stock("location MUG TEE\nEAST 10 4")
    with site.world.db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "SET"}], site.world.now())
        catalog.link_location(
            tx, site.shop_id, str(site.shop.state.locations[0].id), catalog.location_by_code(tx, "EAST").id
        )
        rows = []
        for sku in ("MUG", "TEE", "SET"):
            known = site.shop.state.by_sku(sku)
            sold = known[1] if known else site.shop.add_product(sku, "1.00", stock=0)
            names = {"external_id": str(sold.id), "inventory_external_id": str(sold.item), "sku": sku}
            rows.append({**names, "title": sku, "product_type": None, "pack_size": 1})
        catalog.store_listings(tx, site.shop_id, rows)
    site.world.run()
    return site


def test_a_figure_is_explained_step_by_step(listed: Site, api: Api) -> None:
    api("POST", "/availability/rules", json={"kind": "threshold", "value": 3, "note": "fragile"})
    listed.world.run()
    (told,) = api("GET", "/stock/MUG/availability").json["channels"]
    assert (told["figure"], told["told"], told["is_due"], told["confidence"]) == (7, 7, False, "fresh")
    assert [(step["text"], step["change"], step["left"]) for step in told["steps"]] == [
        ("EAST has 10 units available", 10, 10),
        ("3 units kept from this channel", -3, 7),
    ]
    assert api("GET", "/stock/NONE/availability").status_code == 404


def test_rules_are_tried_added_moved_switched_and_removed(listed: Site, api: Api) -> None:
    wanted = {"kind": "threshold", "value": 3, "skus": ["MUG"]}
    tried = api("POST", "/availability/rules", json={**wanted, "dry_run": True}).json
    assert (tried["rule"], tried["effect"]["listings"], tried["effect"]["falls"]) == (None, 3, 1)
    first = api("POST", "/availability/rules", json=wanted).json["rule"]
    second = api("POST", "/availability/rules", json={"kind": "percent", "value": 50}).json["rule"]
    assert (first["position"], second["position"], first["filter"]["skus"]) == (1, 2, ["MUG"])
    path = f"/availability/rules/{second['id']}"
    assert api("PATCH", path, json={"position": 1, "dry_run": True}).json["effect"]["rises"] == 0
    assert api("PATCH", path, json={"position": 1}).json["rule"]["position"] == 1
    assert api("PATCH", path, json={"active": False}).json["rule"]["active"] is False
    assert api("PATCH", path, json={"active": True, "position": 1}).status_code == 422
    assert api("DELETE", f"{path}?dry_run=true").json["effect"]["rises"] == 0
    assert api("DELETE", path).json["rule"]["says"] == "offer 50 percent, every article"
    assert [one["id"] for one in api("GET", "/availability/rules").json["rows"]] == [first["id"]]
    assert api("DELETE", path).status_code == 409
    assert api("POST", "/availability/rules", json={"kind": "percent", "value": 101}).status_code == 409


def test_a_kit_is_made_and_unmade(listed: Site, api: Api) -> None:
    parts = [{"sku": "MUG", "units": 2}, {"sku": "TEE", "units": 1}]
    made = api("PUT", "/stock/SET/kit", json={"components": parts}).json
    assert (sorted(one["sku"] for one in made["kit"]), made["channels"][0]["figure"]) == (["MUG", "TEE"], 4)
    assert api("PUT", "/stock/SET/kit", json={"components": [{"sku": "SET", "units": 1}]}).status_code == 409
    assert api("PUT", "/stock/SET/kit", json={"components": []}).json["kit"] == []


def test_channels_locations_and_articles_are_set(listed: Site, api: Api) -> None:
    place = api("PATCH", "/availability/locations/EAST", json={"groups": ["web"], "stale_after_min": 60}).json
    assert place == {"code": "EAST", "groups": ["web"], "stale_after_min": 60}
    channel = f"/connections/{listed.shop_id}/stock"
    assert api("PATCH", channel, json={"location_group": "web", "stock_threshold": 2}).json["location_group"] == "web"
    assert api("PATCH", channel, json={"location_group": "gone"}).status_code == 409
    assert api("PATCH", channel, json={"location_group": ""}).json["location_group"] is None
    assert api("PATCH", "/stock/MUG/article", json={"tags": ["sale"]}).status_code == 200
    for limit, kept in ((5, 5), ("any", None), (0, 0)):
        assert api("PATCH", "/stock/MUG/article", json={"backorder_limit": limit}).status_code == 200
        article = listed.world.read(lambda tx: stock_view.article(tx, "MUG"))
        assert (article.backorder_limit, article.tags) == (kept, ("sale",))
    assert api("PATCH", "/stock/MUG/article", json={"backorder_limit": -1}).status_code == 422
    assert api("PATCH", "/stock/NONE/article", json={"tags": ["sale"]}).status_code == 404
    assert api("PATCH", "/availability/locations/NONE", json={"groups": []}).status_code == 409


def test_there_is_no_doubted_feed_to_begin_with(listed: Site, api: Api) -> None:
    assert api("GET", "/availability/feeds").json == {"rows": []}
    assert api("POST", f"/availability/feeds/{listed.shop_id}/accept").json == {"figures": 0}
    assert api("POST", f"/availability/feeds/{listed.shop_id}/refuse").json == {"figures": 0}


def test_the_page_shows_the_effect_of_a_rule_before_it_is_added(listed: Site) -> None:
    browser = listed.signed_in("manager")
    wanted = {"kind": "threshold", "value": "3", "skus": "MUG", "note": "fragile"}
    shown = browser.submit("/availability/rules", wanted | {"do": "preview"}, page="/availability/")
    assert "1 would fall" in shown.text
    assert listed.world.read(availability.rules) == []
    assert browser.submit("/availability/rules", wanted | {"do": "add"}, page="/availability/").status_code == 302
    (rule,) = listed.world.read(availability.rules)
    assert (rule.kind, rule.value, rule.filter, rule.note) == ("threshold", 3, {"skus": ["MUG"]}, "fragile")
    path = f"/availability/rules/{rule.id}"
    asked = browser.submit(path, {"what": "remove"}, page="/availability/")
    assert "1 would rise" in asked.text
    assert browser.submit(path, {"what": "remove", "do": "yes"}, page="/availability/").status_code == 302
    assert listed.world.read(availability.rules) == []
    assert (
        browser.submit("/availability/rules", {"kind": "threshold", "value": "few"}, page="/availability/").status_code
        == 422
    )


def test_the_page_of_an_article_shows_how_a_figure_came_to_be(listed: Site) -> None:
    operate.add_rule(listed.world.runtime, WantedRule("threshold", 3), person="Ada")
    listed.world.run()
    shown = listed.signed_in("viewer").get("/stock/MUG").text
    assert "By our reckoning now <strong>7</strong>" in shown
    assert "3 units kept from this channel" in shown
    assert "Change the components" not in shown


def test_a_kit_is_made_on_the_page_of_the_article(listed: Site) -> None:
    browser = listed.signed_in("manager")
    done = browser.submit(
        "/availability/kits/SET", {"parts": "MUG 2\nTEE 1\n", "keep_together": "1"}, page="/stock/SET"
    )
    assert done.status_code == 302
    assert "A kit has no stock of its own" in browser.get("/stock/SET").text
    browser.submit("/availability/kits/SET", {"parts": "MUG many"}, page="/stock/SET")
    assert "is not a SKU and its units" in browser.get("/stock/SET").text


def test_how_many_may_wait_is_set_on_the_page_of_the_article(listed: Site) -> None:
    browser = listed.signed_in("manager")
    browser.submit("/availability/articles/MUG", {"tags": "", "backorder_limit": "2"}, page="/stock/MUG")
    assert 'name="backorder_limit" inputmode="numeric" value="2"' in browser.get("/stock/MUG").text
    browser.submit("/availability/articles/MUG", {"tags": "", "backorder_limit": "lots"}, page="/stock/MUG")
    assert "the backorder limit is a whole number" in browser.get("/stock/MUG").text
    assert "at most 2 may wait" in listed.signed_in("viewer").get("/stock/MUG").text
