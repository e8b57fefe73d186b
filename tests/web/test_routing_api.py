"""The API of routing rules, rehearsals and decisions."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from hub.store.tables import orders, route_decision
from tests.web.conftest import Site
from tests.web.test_api import Api

RULES = "name: standard\nroutings:\n  - name: every order\n    steps:\n      - rankers: [ranked]\n"


@pytest.fixture
def api(site: Site) -> Api:
    client = site.app.test_client()
    return Api(client, site.key("owner"), client.get("/api/v1/openapi.json").json)


@pytest.fixture
def stocked(site: Site) -> Site:
    site.world.location("EAST", "US", rank=200)
    site.world.location("WEST", "CA", rank=100)
    site.world.stock("location MUG TEE\nEAST 5 2\nWEST 5 0")
    return site


def order_id(site: Site, number: str) -> str:
    return site.world.read(lambda tx: tx.execute(select(orders.c.id).where(orders.c.number == number)).scalar_one())


def test_rules_are_drafted_rehearsed_and_published(stocked: Site, api: Api) -> None:
    placed = stocked.order(("MUG", 1))
    assert [one["key"] for one in api("GET", "/routing/rules").json["rows"]] == ["standard@0"]
    made = api("POST", "/routing/rules", json={"yaml": RULES, "note": "by rank"}).json
    assert (made["rules"]["key"], made["rules"]["status"], made["yaml"]) == ("standard@1", "draft", RULES)
    assert made["document"]["routings"][0]["steps"][0]["rankers"] == ["ranked"]
    assert api("POST", "/routing/rules", json={"document": made["document"]}).json["rules"]["key"] == "standard@1"

    refused = api("POST", "/routing/rules/standard@1/publish")
    assert refused.status_code == 409
    assert "never rehearsed" in refused.json["detail"]
    asked = api("POST", "/routing/rules/standard@1/rehearsals", json={"orders": 10})
    assert (asked.status_code, asked.json["status"]) == (202, "running")
    stocked.world.run()
    found = api("GET", f"/routing/rehearsals/{asked.json['id']}").json
    assert (found["status"], found["done"], found["figures"]["elsewhere"]) == ("done", 1, 1)
    assert found["differences"][0]["number"] == placed.name
    published = api("POST", "/routing/rules/standard@1/publish", json={"rehearsal_id": asked.json["id"]}).json
    assert (published["status"], published["rehearsal_id"]) == ("published", asked.json["id"])
    assert api("PUT", "/routing/rules/standard@1", json={"yaml": RULES}).status_code == 409

    later = stocked.order(("MUG", 1))
    [decision] = api("GET", f"/orders/{order_id(stocked, later.name)}/decisions").json["rows"]
    assert decision["rules"] == "standard@1"
    assert decision["trace"]["chosen"][0]["loc"] == "WEST"


def test_what_is_wrong_in_rules_is_told_with_its_line(api: Api) -> None:
    bad = RULES.replace("ranked", "nearest")
    said = api("POST", "/routing/rules/validate", json={"yaml": bad}).json
    assert said["valid"] is False
    assert (said["mistakes"][0]["line"], said["mistakes"][0]["path"]) == (5, "/routings/0/steps/0/rankers/0")
    assert api("POST", "/routing/rules/validate", json={"yaml": RULES}).json == {"valid": True, "mistakes": []}
    refused = api("POST", "/routing/rules", json={"yaml": bad})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["path"] == "/body/document/routings/0/steps/0/rankers/0"
    assert api("POST", "/routing/rules", json={}).status_code == 422
    for path in ("/routing/rules/gone@1", "/routing/rules/gone@1/diff", "/routing/rehearsals/gone"):
        assert api("GET", path).status_code == 404


def test_a_draft_is_changed_and_compared(api: Api) -> None:
    api("POST", "/routing/rules", json={"yaml": RULES})
    changed = api("PUT", "/routing/rules/standard@1", json={"yaml": RULES.replace("ranked", "closest")}).json
    assert "closest" in changed["yaml"]
    read = changed["rules"]["document_hash"]
    assert api("PUT", "/routing/rules/standard@1", json={"yaml": RULES, "seen": "0" * 64}).status_code == 409
    changed = api("PUT", "/routing/rules/standard@1", json={"yaml": changed["yaml"], "seen": read}).json
    assert "closest" in changed["yaml"]
    diff = api("GET", "/routing/rules/standard@1/diff").json
    assert (diff["before"], diff["after"]) == ("standard@0", "standard@1")
    assert diff["changes"] == [
        "routing 'every order': step 'late' is gone",
        "routing 'every order': step 'anywhere': rankers was min_splits, market, closest, ranked, is closest",
    ]
    assert api("GET", "/routing/rules/standard@1/diff?against=standard@1").json["changes"] == []


def test_rules_are_tried_on_one_order(stocked: Site, api: Api) -> None:
    placed = stocked.order(("MUG", 1))
    api("POST", "/routing/rules", json={"yaml": RULES})
    real = api("POST", "/routing/rules/standard/try", json={"order_id": order_id(stocked, placed.name)}).json
    assert [real[side]["plan"]["parts"][0]["location"] for side in ("published", "draft")] == ["EAST", "WEST"]
    trial = {"lines": [{"sku": "MUG", "units": 11}], "country": "US"}
    said = api("POST", "/routing/rules/standard/try", json=trial).json
    assert said["draft"]["plan"]["remainder"][0]["units"] == 2, "9 of 11 are left"
    assert api("POST", "/routing/rules/standard/try", json={"order_id": "gone"}).status_code == 409


def test_why_an_order_went_where_it_went_is_told_and_decided_again(stocked: Site, api: Api) -> None:
    placed = stocked.order(("MUG", 1), ("TEE", 1))
    found = order_id(stocked, placed.name)
    [decision] = api("GET", f"/orders/{found}/decisions").json["rows"]
    assert (decision["attempt"], decision["rules"], decision["superseded_by"]) == (1, None, None)
    assert decision["reason"].startswith("EAST because it ships all 2 lines")
    one = api("GET", f"/orders/{found}/decisions/1").json
    assert one["replay"]["same"] is True
    assert one["replay"]["plan"]["inputs_hash"] == decision["inputs_hash"]
    assert {row["code"] for row in one["inputs"]["locations"]} == {"EAST", "WEST"}
    assert len(one["inputs"]["lines"]) == 2
    assert api("GET", f"/orders/{found}/decisions/2").status_code == 404
    assert api("GET", "/orders/gone/decisions").status_code == 404

    with stocked.world.db.begin() as tx:
        tx.execute(update(route_decision).values(inputs=None))
    one = api("GET", f"/orders/{found}/decisions/1").json
    assert (one["inputs"], one["replay"]) == (None, None)


def test_a_decision_that_was_altered_is_found_out(stocked: Site, api: Api) -> None:
    found = order_id(stocked, stocked.order(("MUG", 1)).name)
    with stocked.world.db.begin() as tx:
        tx.execute(update(route_decision).values(inputs_hash="0" * 64))
    assert api("GET", f"/orders/{found}/decisions/1").json["replay"]["same"] is False
