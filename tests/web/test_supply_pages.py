"""Transfers, counts and lots on the console and by the API, as people and programs use them."""

from __future__ import annotations

import io
import re
from typing import Any

import jsonschema
import pytest
from sqlalchemy import select

from hub.flows.operate import ship_by_hand
from hub.flows.operate.lots import track_article
from hub.store import invariants, ledger, lots
from hub.store.tables import stock_count, transfer, transfer_line
from tests.web.conftest import Browser, Site


@pytest.fixture
def stocked(site: Site) -> Any:
    site.world.location("BER", "DE")
    site.world.location("PAR", "FR", rank=900)
    site.world.stock("location MUG TEE CAP\nBER 10 5 0")
    yield site
    assert site.world.read(ledger.differences) == []
    assert site.world.read(invariants.every) == []
    assert site.world.read(lots.differences) == []


def only(site: Site, column: Any) -> str:
    return site.world.read(lambda tx: tx.execute(select(column)).scalars().all())[-1]


def press(browser: Browser, page: str, action: str, **form: Any) -> str:
    """Press a button of a page; the page that follows."""
    answer = browser.submit(f"{page}/{action}", form, page)
    assert answer.status_code == 302, answer.text
    return browser.get(answer.headers["Location"]).text


def test_a_transfer_goes_its_way_by_the_buttons_of_its_page(stocked: Site) -> None:
    ops, packer = stocked.signed_in("ops"), stocked.signed_in("packer")
    assert "No transfer is under way" in packer.get("/transfers/").text
    ops.submit("/transfers/", {"source": "BER", "destination": "PAR", "lines": "MUG 6\nTEE;2", "key": "once"})
    ops.submit("/transfers/", {"source": "BER", "destination": "PAR", "lines": "MUG 6\nTEE;2", "key": "once"})
    assert len(stocked.world.read(lambda tx: tx.execute(select(transfer.c.id)).all())) == 1
    number = only(stocked, transfer.c.number)
    page = f"/transfers/{number}"
    press(ops, page, "lines", lines="MUG 4")
    [line] = stocked.world.read(lambda tx: tx.execute(select(transfer_line.c.id)).scalars().all())
    assert "kept at the source" in press(ops, page, "ready")
    assert stocked.world.on_shelf()["BER"]["MUG"] == (10, 6, 0)
    press(ops, page, "ship", **{f"units:{line}": "4", "carrier": "Own van"})
    assert "Make it ready" not in packer.get(page).text
    shown = packer.get(page).text
    key = re.search(r'name="key" value="([^"]+)"', shown)
    assert key
    for _ in range(2):
        form = {f"good:{line}": "2", f"damaged:{line}": "1", "other": "CAP 1", "key": key[1]}
        shown = press(packer, page, "receive", **form)
    assert stocked.world.on_shelf()["PAR"] == {"MUG": (3, 2, 0), "CAP": (1, 1, 0)}
    assert "arrived that were never on the transfer" in shown
    assert "Closed short" in press(ops, page, "close", **{f"lost:{line}": "1"})
    assert number not in ops.get("/transfers/").text
    assert number in ops.get("/transfers/?status=closed_short&location=PAR").text


def on_its_way(site: Site, ops: Browser, lines: str) -> tuple[str, list[str]]:
    """The page of a transfer from BER to PAR that has left, and the ids of its lines."""
    ops.submit("/transfers/", {"source": "BER", "destination": "PAR", "lines": lines})
    page = f"/transfers/{only(site, transfer.c.number)}"
    ids = site.world.read(lambda tx: list(tx.execute(select(transfer_line.c.id)).scalars()))
    press(ops, page, "ready")
    press(
        ops, page, "ship", **{f"units:{one}": line.split()[1] for one, line in zip(ids, lines.split("\n"), strict=True)}
    )
    return page, ids


def test_all_as_expected_is_one_press_and_says_how_much_it_books(stocked: Site) -> None:
    ops, packer = stocked.signed_in("ops"), stocked.signed_in("packer")
    page, [line] = on_its_way(stocked, ops, "MUG 4")
    assert "Book all 4 units" in packer.get(page).text
    press(packer, page, "receive", all="yes", **{f"damaged:{line}": "3"})
    assert stocked.world.on_shelf()["PAR"] == {"MUG": (4, 4, 0)}
    assert "All as expected" not in packer.get(page).text


def test_a_receipt_that_is_not_right_keeps_what_was_typed(stocked: Site) -> None:
    ops, packer = stocked.signed_in("ops"), stocked.signed_in("packer")
    page, [line] = on_its_way(stocked, ops, "MUG 4")
    answer = packer.submit(f"{page}/receive", {f"good:{line}": "31", "other": "NIX 1"}, page)
    assert (answer.status_code, "there is no article" in answer.text) == (422, True)
    assert 'value="31"' in answer.text
    assert "NIX 1</textarea>" in answer.text
    answer = packer.submit(f"{page}/receive", {f"good:{line}": "1", f"serials:{line}": "A B"}, page)
    assert (answer.status_code, "MUG: 1 serial numbers are given beyond the units" in answer.text) == (422, True)
    answer = packer.submit(f"{page}/receive", {"other": "MUG 1000000000"}, page)
    assert answer.status_code == 422
    assert "PAR" not in stocked.world.on_shelf()


def test_what_cannot_be_done_is_said_on_the_page(stocked: Site) -> None:
    ops = stocked.signed_in("ops")
    for form, said in (
        ({"source": "BER", "destination": "BER", "lines": "MUG 1"}, "from one location to another"),
        ({"source": "BER", "destination": "PAR", "lines": "MUG many"}, "as SKU, a blank and whole units"),
        ({"source": "BER", "destination": "PAR", "lines": "MUG 1", "expected_on": "soon"}, "write it as 2026-12-31"),
    ):
        answer = ops.submit("/transfers/", form)
        assert (answer.status_code, said in answer.text) == (422, True)
    ops.submit("/transfers/", {"source": "BER", "destination": "PAR", "lines": "MUG 11"})
    page = f"/transfers/{only(stocked, transfer.c.number)}"
    answer = ops.submit(f"{page}/ready", {}, page)
    assert (answer.status_code, "MUG: 11 wanted, 10 free" in answer.text) == (422, True)
    assert ops.get("/transfers/TR-0").status_code == 404
    assert ops.get("/counts/SC-0").status_code == 404


def test_a_count_by_scanner_and_file_is_blind_and_a_manager_applies_it(stocked: Site) -> None:
    ops, packer, manager = (stocked.signed_in(role) for role in ("ops", "packer", "manager"))
    ops.submit("/counts/", {"location": "BER", "assignee": "Bo"})
    page = f"/counts/{only(stocked, stock_count.c.number)}"
    assert "Start counting" in packer.get(page).text
    shown = press(packer, page, "start")
    assert "In the books" not in shown
    assert "autofocus" in shown
    for _ in range(3):
        press(packer, page, "enter", code="MUG")
    assert "MUG: 9 counted" in press(packer, page, "enter", code="MUG", units="9", how="set")
    answer = packer.submit(f"{page}/enter", {"code": "NIX"}, page)
    assert (answer.status_code, "There is no article" in answer.text) == (422, True)
    form = {"csrf_token": packer.token(page), "file": (io.BytesIO(b"sku;units\nTEE;5\nNIX;1\n"), "count.csv")}
    answer = packer.client.post(f"{page}/upload", data=form, content_type="multipart/form-data")
    assert (answer.status_code, "Row 2" in answer.text) == (422, True)
    shown = press(packer, page, "review")
    assert "A manager applies" in shown
    assert "-1" in shown
    press(ops, page, "recount", sku="MUG")
    press(packer, page, "start")
    press(packer, page, "enter", code="MUG", units="8", how="set")
    press(packer, page, "review")
    assert "in the books" in press(manager, page, "apply", reason="Yearly count")
    assert stocked.world.on_shelf()["BER"]["MUG"] == (8, 8, 0)


def test_lots_are_traced_and_blocked_on_their_page(stocked: Site) -> None:
    manager, viewer = stocked.signed_in("manager"), stocked.signed_in("viewer")
    assert "No lot is in stock" in viewer.get("/lots/").text
    manager.submit("/lots/track", {"sku": "CAP", "tracking": "lot"}, "/lots/")
    api = stocked.app.test_client()
    lot = {"sku": "CAP", "location": "BER", "change": 4, "lot": "L1", "expires_on": "2999-01-01", "reason": "delivery"}
    assert api.post("/api/v1/lots/adjust", json=lot, headers=stocked.key("ops")).json == {"changed": True}
    assert "2999-01-01" in viewer.get("/lots/?q=CAP").text
    assert manager.submit("/lots/block", {"sku": "CAP", "code": "L1", "reason": ""}, "/lots/?q=L1").status_code == 422
    manager.submit("/lots/block", {"sku": "CAP", "code": "L1", "reason": "glass"}, "/lots/?q=L1")
    assert "4 held back" in viewer.get("/lots/?q=L1").text
    manager.submit("/lots/unblock", {"sku": "CAP", "code": "L1"}, "/lots/?q=L1")
    assert "held back" not in viewer.get("/lots/?q=L1").text.replace("held back.", "")
    assert "Nothing of that code" in viewer.get("/lots/?q=NIX").text


def test_units_of_a_lot_are_corrected_on_the_page_of_lots(stocked: Site) -> None:
    manager, ops = stocked.signed_in("manager"), stocked.signed_in("ops")
    manager.submit("/lots/track", {"sku": "CAP", "tracking": "lot"}, "/lots/")
    page = "/lots/?q=CAP"
    assert 'action="/lots/adjust"' in ops.get(page).text
    assert 'action="/lots/adjust"' not in ops.get("/lots/?q=MUG").text
    assert 'action="/lots/adjust"' not in stocked.signed_in("packer").get(page).text
    assert 'href="/lots/?q=CAP"' in ops.get("/stock/CAP").text
    form = {"sku": "CAP", "location": "BER", "lot": "L1", "expires_on": "2999-01-01", "reason": "delivery", "key": "k"}
    for _ in range(2):
        assert ops.submit("/lots/adjust", form | {"units": "4"}, page).status_code == 302
    assert ops.submit("/lots/adjust", form | {"units": "-1", "key": "k2"}, page).status_code == 302
    assert stocked.world.on_shelf()["BER"]["CAP"] == (3, 3, 0)
    for units, said in (("many", "Enter whole units"), ("-9", "9 units of lot L1 wanted and 3 are there")):
        answer = ops.submit("/lots/adjust", form | {"units": units, "key": "k3"}, page)
        assert (answer.status_code, said in answer.text, 'value="L1"' in answer.text) == (422, True, True)


def test_serial_numbers_that_were_not_scanned_are_recorded_on_the_order(stocked: Site) -> None:
    track_article(stocked.world.runtime, "CAP", "serial", person="mia")
    api, ops, packer = stocked.app.test_client(), stocked.key("ops"), stocked.signed_in("packer")
    body = {"sku": "CAP", "location": "BER", "change": 1, "serials": ["SN-1"], "reason": "delivery"}
    assert api.post("/api/v1/lots/adjust", json=body, headers=ops).status_code == 200
    stocked.order(("CAP", 1))
    [order] = api.get("/api/v1/orders", headers=ops).json["rows"]
    page = f"/orders/{order['id']}"
    [fo] = set(re.findall(r"FO-[0-9A-Z]{12}", packer.get(page).text))
    assert ship_by_hand(stocked.world.runtime, order["id"], fo, person="mia")
    assert "Serial numbers not recorded: 1" in packer.get(page).text
    packer.submit(f"/lots/record/{order['id']}", {"fo": fo, "sku": "CAP", "serials": "SN-1"}, page)
    assert "not recorded" not in packer.get(page).text.split('id="timeline"')[0]
    [row] = api.get("/api/v1/lots/SN-1/trace", headers=stocked.key("viewer")).json["rows"]
    assert (row["status"], row["orders"][0]["number"], row["orders"][0]["email"]) == ("shipped", order["number"], None)


class Api:
    """A program that holds every answer to the document."""

    def __init__(self, site: Site, role: str) -> None:
        self.client, self.headers = site.app.test_client(), site.key(role)
        self.document = self.client.get("/api/v1/openapi.json").json

    def __call__(self, method: str, path: str, template: str, code: int = 200, key: str = "", **body: Any) -> Any:
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        more = {"json": body} if body else {}
        answer = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        assert answer.status_code == code, answer.text
        responses = self.document["paths"][template][method.lower()]["responses"]
        [schema] = [one["schema"] for one in responses[str(code)]["content"].values()]
        rules = schema | {"components": self.document["components"]}
        jsonschema.Draft202012Validator(rules).validate(answer.json)
        return answer.json


def test_the_api_moves_stock(stocked: Site) -> None:
    api, base = Api(stocked, "ops"), "/transfers/{transfer}"
    wanted = {"source": "BER", "destination": "PAR", "lines": [{"sku": "MUG", "units": 5}]}
    made = api("POST", "/transfers", "/transfers", 201, key="one", **wanted)
    assert api("POST", "/transfers", "/transfers", 201, key="one", **wanted)["number"] == made["number"]
    at = f"/transfers/{made['number']}"
    api("PUT", f"{at}/lines", f"{base}/lines", lines=[{"sku": "MUG", "units": 4}])
    api("POST", f"{at}/ready", f"{base}/ready")
    api("POST", f"{at}/ship", f"{base}/ship", lines=[{"sku": "MUG", "units": 3}])
    for _ in range(2):
        found = api("POST", f"{at}/receive", f"{base}/receive", key="van", lines=[{"sku": "MUG", "units": 1}])
    assert (found["status"], found["received"], found["expected"]) == ("partially_received", 1, 2)
    api("POST", f"{at}/cancel", f"{base}/cancel", 409)
    found = api("POST", f"{at}/close", f"{base}/close", lines=[{"sku": "MUG", "lost": 1}])
    assert found["differences"] == [{"sku": "MUG", "kind": "under", "units": 2}]
    assert [one["number"] for one in api("GET", "/transfers?status=closed_short", "/transfers")["rows"]] == [
        made["number"]
    ]
    assert api("GET", at, base)["lines"][0]["expected"] == 1
    api("GET", "/transfers/TR-0", base, 404)


def test_the_api_counts_blind(stocked: Site) -> None:
    packer, manager, base = Api(stocked, "packer"), Api(stocked, "manager"), "/counts/{count}"
    made = manager("POST", "/counts", "/counts", 201, location="BER", skus=["MUG", "TEE"])
    at = f"/counts/{made['number']}"
    manager("POST", f"{at}/assign", f"{base}/assign", assignee="Bo")
    packer("POST", f"{at}/start", f"{base}/start")
    rows = [{"code": "MUG", "units": 9}, {"code": "NIX", "units": 1}]
    done = packer("POST", f"{at}/entries", f"{base}/entries", key="a", rows=rows)
    assert (done["errors"], done["rows"][0]["counted"]) == (1, 9)
    line = packer("GET", at, base)["lines"][0]
    assert (line["counted"], line["seen"], line["difference"]) == (9, None, None)
    packer("POST", f"{at}/review", f"{base}/review")
    line = packer("GET", at, base)["lines"][0]
    assert (line["seen"], line["difference"]) == (10, -1)
    packer("POST", f"{at}/apply", f"{base}/apply", 403)
    manager("POST", f"{at}/apply", f"{base}/apply", 409)
    manager("POST", f"{at}/recount", f"{base}/recount", skus=["TEE"])
    packer("POST", f"{at}/start", f"{base}/start")
    packer("POST", f"{at}/entries", f"{base}/entries", rows=[{"code": "TEE", "units": 5}])
    packer("POST", f"{at}/review", f"{base}/review")
    assert manager("POST", f"{at}/apply", f"{base}/apply")["status"] == "applied"
    assert manager("GET", "/counts?status=applied", "/counts")["rows"][0]["counted"] == 2
    other = manager("POST", "/counts", "/counts", 201, location="BER", skus=["MUG"])
    manager("POST", f"/counts/{other['number']}/cancel", f"{base}/cancel")
    manager("GET", "/counts/SC-0", base, 404)


def test_the_api_keeps_lots(stocked: Site) -> None:
    api = Api(stocked, "manager")
    api("POST", "/lots/tracking", "/lots/tracking", sku="CAP", tracking="lot")
    lot = {"sku": "CAP", "location": "BER", "change": 3, "lot": "L1", "expires_on": "2999-01-01", "reason": "delivery"}
    for _ in range(2):
        api("POST", "/lots/adjust", "/lots/adjust", key="x", **lot)
    [found] = api("GET", "/lots?sku=CAP", "/lots")["rows"]
    assert found["places"] == [{"location": "BER", "units": 3, "held": 0, "to_inspect": 0, "damaged": 0}]
    assert api("POST", "/lots/L1/block", "/lots/{code}/block", sku="CAP", reason="glass") == {"units": 3}
    assert api("POST", "/lots/L1/unblock", "/lots/{code}/unblock", sku="CAP") == {"units": 3}
    assert api("GET", "/lots/L1/trace", "/lots/{code}/trace")["rows"][0]["orders"] == []
    api("GET", "/lots/L9/trace", "/lots/{code}/trace", 404)
    api("GET", "/lots?sku=NIX", "/lots", 404)
    api("POST", "/lots/L9/block", "/lots/{code}/block", 409, sku="CAP", reason="glass")
