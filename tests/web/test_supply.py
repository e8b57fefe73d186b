"""Suppliers, purchase orders, reorders and waiting orders: by page and by API."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from hub.flows.operate import suppliers
from hub.flows.operate.lots import track_article
from hub.flows.operate.suppliers import Offer
from hub.store import catalog
from hub.store.ledger import differences
from hub.store.tables import order_line, purchase_order
from tests.web.conftest import Site

API = "/api/v1"


@pytest.fixture
def shop(site: Site) -> Site:
    """A place, two articles and who sells one of them."""
    site.world.location("EAST")
    with site.world.db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "MUG"}, {"sku": "TEE"}], site.world.now())
    suppliers.add_supplier(site.world.runtime, "ACME", currency="EUR", person="mia", email="buy@acme.example")
    suppliers.set_offers(site.world.runtime, "ACME", [Offer("MUG", 250, pack_size=6)], person="mia")
    return site


def call(site: Site, method: str, path: str, body: Any = None, role: str = "manager", **headers: str) -> Any:
    """Ask as a program of that role, always the same one."""
    known = f"key of {role}"
    if known not in site.ids:
        site.ids[known] = site.key(role)["Authorization"]
    given = {"Authorization": site.ids[known], **headers}
    return site.app.test_client().open(f"{API}{path}", method=method, json=body, headers=given)


def drafted(site: Site, units: int = 12) -> str:
    body = {"supplier": "ACME", "location": "EAST", "lines": [{"sku": "MUG", "units": units}]}
    answer = call(site, "POST", "/purchase-orders", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json["number"])


def test_a_purchase_order_goes_its_whole_way_by_api(shop: Site) -> None:
    number = drafted(shop)
    path = f"/purchase-orders/{number}"
    assert call(shop, "POST", f"{path}/order").json == {"changed": True}
    assert call(shop, "POST", f"{path}/order").json == {"changed": False}
    assert call(shop, "POST", f"{path}/acknowledge", {"lines": [{"sku": "MUG", "units": 10}]}).json == {"changed": True}
    moved = {"all_on": "2027-01-31", "reason": "no boat"}
    assert call(shop, "POST", f"{path}/dates", moved).json == {"changed": True}
    rows = {"rows": [{"sku": "MUG", "units": 4}, {"sku": "MUG", "units": 1, "condition": "damaged"}]}
    key = {"Idempotency-Key": "note-1"}
    assert call(shop, "POST", f"{path}/receive", rows, "packer", **key).json == {"changed": True}
    assert call(shop, "POST", f"{path}/receive", rows, "packer", **key).json == {"changed": False}
    too_many = call(shop, "POST", f"{path}/receive", {"rows": [{"sku": "MUG", "units": 8}]}, "packer")
    assert too_many.status_code == 409
    assert "7 more can be taken" in too_many.json["detail"]
    assert call(shop, "POST", f"{path}/close-short", {"reason": "sold out"}).json == {"changed": True}
    found = call(shop, "GET", path).json
    assert (found["status"], found["total_minor"]) == ("closed_short", 12 * 250)
    [line] = found["lines"]
    assert [line[name] for name in ("ordered", "acknowledged", "received", "rejected", "closed", "open")] == [
        12, 10, 5, 1, 5, 0,
    ]  # fmt: skip
    assert found["dates"][0]["to_on"] == "2027-01-31"
    assert shop.world.read(differences) == []


def test_what_does_not_exist_is_404_and_what_cannot_be_is_409(shop: Site) -> None:
    assert call(shop, "GET", "/purchase-orders/PO-NONE").status_code == 404
    assert call(shop, "GET", "/suppliers/NONE").status_code == 404
    assert call(shop, "GET", "/reorder?location=MOON").status_code == 404
    assert call(shop, "POST", f"/purchase-orders/{drafted(shop)}/close").status_code == 409
    twice = {"supplier": "ACME", "location": "EAST", "lines": [{"sku": "MUG", "units": 1}], "number": "PO-1"}
    assert call(shop, "POST", "/purchase-orders", twice).status_code == 201
    assert call(shop, "POST", "/purchase-orders", twice).status_code == 409


def test_waiting_orders_are_listed_with_what_they_were_promised_and_marked_as_told(shop: Site) -> None:
    shop.order(("MUG", 3))
    number = drafted(shop)
    call(shop, "POST", f"/purchase-orders/{number}/order")
    call(shop, "POST", f"/purchase-orders/{number}/dates", {"all_on": "2027-01-31", "reason": "as confirmed"})
    [row] = call(shop, "GET", "/waiting?to_tell=true").json["rows"]
    assert (row["units"], row["waits_as"], row["promised_on"], row["is_news"]) == (3, "backorder", "2027-01-31", True)
    assert row["behind"] == [{"number": number, "units": 3, "due": "2027-01-31"}]
    assert call(shop, "GET", "/waiting", role="viewer").json["rows"][0]["email"] is None
    assert call(shop, "POST", "/waiting/told", {"lines": [row["line_id"]]}).json == {"told": 1}
    assert call(shop, "GET", "/waiting?to_tell=true").json["rows"] == []
    path = f"/waiting/{row['order_id']}/{row['line_id']}/cancel-date"
    assert call(shop, "PUT", path, {"at": "2027-03-01T00:00:00Z"}).json == {"changed": True}
    assert call(shop, "PUT", path, {"at": None}).json == {"changed": True}


def test_a_proposal_becomes_a_draft_by_api(shop: Site) -> None:
    shop.order(("MUG", 3))
    [row] = call(shop, "GET", "/reorder").json["rows"]
    assert (row["sku"], row["units"], row["waiting"], row["supplier"]) == ("MUG", 6, 3, "ACME")
    body = {"location": "EAST", "rows": [{"sku": "MUG", "units": 6}]}
    made = call(shop, "POST", "/reorder/draft", body, "ops")
    assert made.status_code == 201
    assert call(shop, "GET", "/purchase-orders?status=draft").json["rows"][0]["number"] == made.json["numbers"][0]
    assert call(shop, "GET", "/reorder").json["rows"] == []


def test_no_amount_is_too_large_to_be_added_up(shop: Site) -> None:
    for path, method, body in (
        ("/suppliers/ACME/articles", "PUT", {"articles": [{"sku": "MUG", "cost_minor": 10**18}]}),
        ("/suppliers/ACME", "PATCH", {"min_order_minor": 10**18}),
        ("/purchase-orders", "POST", {"supplier": "ACME", "location": "EAST",
                                      "lines": [{"sku": "MUG", "units": 1, "cost_minor": 10**18}]}),
    ):  # fmt: skip
        assert call(shop, method, path, body).status_code == 422
    dear = {"sku": "MUG", "units": 10_000_000, "cost_minor": 10**10}
    body = {"supplier": "ACME", "location": "EAST", "lines": [dear]}
    assert call(shop, "POST", "/purchase-orders", body).status_code == 201
    assert call(shop, "GET", "/purchase-orders?status=draft").json["rows"][0]["total_minor"] == 10**17
    form = {"supplier": "ACME", "location": "EAST", "lines": "MUG " + "9" * 30, "key": "k"}
    refused = shop.signed_in("ops").submit("/purchase-orders/new", form)
    assert (refused.status_code, "is no whole number" in refused.text) == (422, True)


def test_suppliers_and_policies_are_kept_by_api(shop: Site) -> None:
    made = call(shop, "POST", "/suppliers", {"code": "BOLT", "currency": "USD", "lead_time_days": 30})
    assert (made.status_code, made.json["lead_time_days"]) == (201, 30)
    assert call(shop, "PATCH", "/suppliers/BOLT", {"review_days": 14}).json["review_days"] == 14
    articles = {"articles": [{"sku": "TEE", "cost_minor": 900}, {"sku": "NONE"}]}
    errors = call(shop, "PUT", "/suppliers/BOLT/articles", articles).json["errors"]
    assert errors == [{"sku": "NONE", "message": "There is no article 'NONE'."}]
    assert [one["sku"] for one in call(shop, "GET", "/suppliers/BOLT").json["articles"]] == ["TEE"]
    assert call(shop, "PUT", "/stock/MUG/policy", {"low_threshold": 5}).json == {"changed": True}
    shop.world.stock("""
        location MUG
        EAST       4 """)
    shop.world.clock_strikes()
    [alert] = call(shop, "GET", "/stock-alerts").json["rows"]
    assert (alert["sku"], alert["location"], alert["kind"], alert["units"]) == ("MUG", "EAST", "low", 4)


def test_the_pages_say_the_next_step_when_there_is_nothing(site: Site) -> None:
    browser = site.signed_in()
    assert "There is no supplier yet" in browser.get("/suppliers/").text
    assert "Add who the goods are bought from" in browser.get("/purchase-orders/new").text
    assert "Nothing is on order" in browser.get("/purchase-orders/").text
    assert "Nothing is to be reordered" in browser.get("/reorder/").text
    assert "Nothing waits" in browser.get("/waiting/").text


def test_goods_are_bought_received_and_given_out_from_the_console(shop: Site) -> None:
    shop.order(("MUG", 3))
    ops = shop.signed_in("manager")
    form = {"supplier": "ACME", "location": "EAST", "lines": "MUG 12", "key": "k", "expected_on": "2027-01-31"}
    answer = ops.submit("/purchase-orders/new", form)
    assert answer.status_code == 302, answer.text
    page = answer.headers["Location"]
    assert ops.submit(f"{page}/order", page=page).status_code == 302
    assert "to be told" in ops.get("/waiting/?only=to_tell").text
    line_id = re.search(r'name="line" value="([^"]+)"', ops.get("/waiting/").text)
    assert line_id
    assert ops.submit("/waiting/told", {"line": line_id[1]}, "/waiting/").status_code == 302
    assert "Nobody is to be told" in ops.get("/waiting/?only=to_tell").text
    good = re.search(r'name="(good:[^"]+)"', ops.get(page).text)
    assert good
    packer = shop.signed_in("packer")
    refused = packer.submit(f"{page}/receive", {good[1]: "13", "key": "r1"}, page)
    assert refused.status_code == 422
    assert "12 more can be taken" in refused.text
    assert packer.submit(f"{page}/receive", {good[1]: "12", "key": "r2"}, page).status_code == 302
    shop.world.run()
    assert shop.world.on_shelf() == {"EAST": {"MUG": (12, 9, 3)}}
    assert shop.world.read(lambda tx: tx.execute(select(purchase_order.c.status)).scalar()) == "received"
    assert "Nothing waits" in ops.get("/waiting/").text


def test_all_as_expected_is_one_press_unless_an_article_needs_its_lot(shop: Site) -> None:
    number, packer = drafted(shop), shop.signed_in("packer")
    page = f"/purchase-orders/{number}"
    call(shop, "POST", f"{page}/order")
    track_article(shop.world.runtime, "MUG", "lot", person="mia")
    assert "All as expected" not in packer.get(page).text
    assert "lot" in call(shop, "POST", f"{page}/receive", role="packer").json["detail"]
    track_article(shop.world.runtime, "MUG", "none", person="mia")
    assert "Book all 12 units" in packer.get(page).text
    assert packer.submit(f"{page}/receive", {"all": "yes", "key": "r1"}, page).status_code == 302
    assert shop.world.on_shelf() == {"EAST": {"MUG": (12, 12, 0)}}
    again = call(shop, "POST", f"{page}/receive", role="packer")
    assert (again.status_code, "nothing is to come" in again.json["detail"]) == (409, True)


def test_a_proposal_is_ticked_and_drafted_from_the_console(shop: Site) -> None:
    shop.order(("MUG", 3))
    ops = shop.signed_in("ops")
    assert "fill" in ops.get("/reorder/").text
    form = {"how": "buy", "buy": "MUG", "units:MUG": "6", "to": "EAST", "key": "click"}
    answer = ops.submit("/reorder/draft", form, "/reorder/")
    assert answer.headers["Location"] == "/purchase-orders/?status=draft"
    assert "ACME" in ops.get("/purchase-orders/?status=draft").text
    assert "Nothing is to be reordered" in ops.get("/reorder/").text
    nothing = ops.submit("/reorder/draft", {"how": "buy", "to": "EAST"}, "/purchase-orders/new")
    assert nothing.status_code == 422


def test_terms_of_a_line_and_a_supplier_are_set_from_the_console(shop: Site) -> None:
    shop.order(("MUG", 3))
    manager = shop.signed_in("manager")
    order_id, line_id = shop.world.read(lambda tx: tx.execute(select(order_line.c.order_id, order_line.c.id)).one())
    until = f"/waiting/{order_id}/{line_id}/until"
    assert manager.submit(until, {"day": "2027-03-01"}, "/waiting/").status_code == 302
    at = shop.world.read(lambda tx: tx.execute(select(order_line.c.auto_cancel_at)).scalar())
    assert at.date() == date(2027, 3, 1)
    assert manager.submit(until, {"day": "soon"}, "/waiting/").status_code == 422
    offer = {"sku": "TEE", "cost": "9.50", "pack_size": "10", "preferred": "on"}
    assert manager.submit("/suppliers/ACME/articles", offer, "/suppliers/ACME").status_code == 302
    assert "9.50 EUR" in manager.get("/suppliers/ACME").text
    wrong = manager.submit("/suppliers/ACME/articles", {"sku": "NONE", "cost": "1"}, "/suppliers/ACME")
    assert (wrong.status_code, "no article" in wrong.text) == (422, True)
    terms = {"name": "Acme Ltd", "lead_time_days": "21", "review_days": "7", "min_order": "100.00", "active": "on"}
    assert manager.submit("/suppliers/ACME", terms).status_code == 302
    assert "21 days" in manager.get("/suppliers/").text
    kept = {"sku": "MUG", "low_threshold": "5", "service_level": "98"}
    assert manager.submit("/reorder/policy", kept, "/reorder/").status_code == 302


def test_the_lines_of_a_purchase_order_are_a_file_that_no_spreadsheet_takes_for_formulas(shop: Site) -> None:
    with shop.world.db.begin() as tx:
        catalog.add_variants(tx, [{"sku": "=1+1"}], shop.world.now())
    body = {"supplier": "ACME", "location": "EAST", "lines": [{"sku": "=1+1", "units": 2}]}
    number = call(shop, "POST", "/purchase-orders", body).json["number"]
    answer = shop.signed_in("viewer").get(f"/purchase-orders/{number}/lines.csv")
    assert answer.mimetype == "text/csv"
    assert answer.text.splitlines()[1] == "'=1+1,,'=1+1,2,0,2,0.00,EUR,"
