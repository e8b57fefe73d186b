"""The console's and the API's side of the ledger: moves, reservations, files, audits, the past, oversold stock."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import select, update

from hub.flows import operate, stock_care
from hub.flows.operate import ImportRow, ReserveLine
from hub.store.tables import reservation, stock_position
from tests.web.conftest import Site


@pytest.fixture
def stocked(site: Site) -> Site:
    site.world.location("BER")
    site.world.location("NYC")
    rows = [ImportRow(1, "MUG", "BER", 10), ImportRow(2, "TEE", "BER", 4)]
    operate.import_stock(site.world.runtime, rows, person="mia", reason="opening", create_articles=True)
    return site


def shelf(site: Site, *names: str) -> tuple[int, ...]:
    """These columns of the mugs in Berlin."""
    mugs = select(*(stock_position.c[name] for name in names)).where(stock_position.c.on_hand >= 8)
    return tuple(site.world.read(lambda tx: tx.execute(mugs).one()))


def test_units_are_moved_by_a_form_and_a_wrong_move_is_said(stocked: Site) -> None:
    browser = stocked.signed_in("ops")
    form = {"sku": "MUG", "location": "BER", "units": "2", "source": "available", "target": "damaged"}
    form |= {"reason": "damaged", "note": "dropped", "key": "k1"}
    for _ in range(2):
        assert browser.submit("/stock-ledger/move", form).status_code == 302
    assert shelf(stocked, "available", "damaged") == (8, 2)
    wrong = browser.submit("/stock-ledger/move", form | {"source": "damaged", "target": "safety_stock", "key": "k2"})
    assert wrong.status_code == 422
    assert "from damaged they can go to: available, outside" in wrong.text


def test_all_units_on_hand_are_in_one_of_the_states_that_are_shown(stocked: Site) -> None:
    operate.reserve(stocked.world.runtime, [ReserveLine("MUG", 3, "BER")], ("person", "Mia"), person="mia")
    for state, units in (("damaged", 2), ("safety_stock", 1)):
        operate.move_stock(stocked.world.runtime, "MUG", "BER", units, "available", state, person="mia", reason="x")
    api, head = stocked.app.test_client(), stocked.key("viewer")
    [place] = api.get("/api/v1/stock/MUG", headers=head).json["positions"]
    shown = {name: place[name] for name in ("available", "committed", "reserved", "damaged", "safety_stock")}
    assert shown == {"available": 4, "committed": 0, "reserved": 3, "damaged": 2, "safety_stock": 1}
    assert sum(shown.values()) + place["quality_hold"] == place["on_hand"] == 10
    page = stocked.signed_in("viewer").get("/stock/MUG").text
    assert all(one in page for one in ("3 reserved", "2 damaged", "1 safety stock"))
    assert "0 in quality hold" not in page


def test_units_are_kept_and_released_in_the_console(stocked: Site) -> None:
    browser = stocked.signed_in("ops")
    kept = {"sku": "MUG", "units": "3", "owner": "Mia", "location": "BER", "hours": "2", "key": "k"}
    assert browser.submit("/stock-ledger/reservations", kept).status_code == 302
    assert "Person Mia" in browser.get("/stock-ledger/reservations").text
    (one,) = stocked.world.read(lambda tx: tx.execute(select(reservation.c.id)).scalars().all())
    browser.submit("/stock-ledger/reservations/release", {"id": one}, page="/stock-ledger/reservations")
    assert shelf(stocked, "available", "reserved") == (10, 0)
    too_many = browser.submit("/stock-ledger/reservations", kept | {"units": "30", "key": "k2"})
    assert "30 units wanted from available and 10 are there" in too_many.text


def test_a_file_is_shown_before_it_is_booked(stocked: Site) -> None:
    browser = stocked.signed_in("ops")
    page = "/stock-ledger/import"
    file = (io.BytesIO(b"sku,location,on_hand\nMUG,BER,12\nNEW,BER,1\n"), "count.csv")
    shown = browser.submit(page, {"file": file, "reason": "count"})
    assert "There is no article &#39;NEW&#39;." in shown.text
    assert shelf(stocked, "available") == (10,), "looking books nothing"
    packed = re.search(r'name="packed" value="([^"]+)"', shown.text)
    assert packed
    done = browser.submit(page, {"packed": packed[1], "reason": "count"})
    assert "What was booked" in done.text
    assert shelf(stocked, "available") == (12,)
    assert browser.submit(page, {"packed": "!", "reason": "x"}).status_code == 422
    assert browser.submit(page, {"reason": "x"}).status_code == 422


def test_a_file_that_empties_the_shelves_is_booked_only_by_somebody_who_has_looked(stocked: Site) -> None:
    browser = stocked.signed_in("ops")
    page = "/stock-ledger/import"
    rows = [ImportRow(n, f"ROW-{n}", "BER", 3) for n in range(20)]
    operate.import_stock(stocked.world.runtime, rows, person="mia", reason="count", create_articles=True)
    lines = "".join(f"ROW-{n},BER,0\n" for n in range(20))
    shown = browser.submit(
        page, {"file": (io.BytesIO(f"sku,location,on_hand\n{lines}".encode()), "x.csv"), "reason": "x"}
    )
    assert "20 of 20 articles with stock would go to nothing (100 %)" in shown.text
    [packed] = re.findall(r'name="packed" value="([^"]+)"', shown.text)
    refused = browser.submit(page, {"packed": packed, "reason": "x"})
    assert (refused.status_code, "nothing was booked" in refused.text) == (422, True)
    assert "What was booked" in browser.submit(page, {"packed": packed, "reason": "x", "accept_emptying": "1"}).text


def test_an_audit_shows_what_does_not_add_up_and_it_is_a_problem(stocked: Site) -> None:
    browser = stocked.signed_in("ops")
    assert "No audit yet" in browser.get("/stock-ledger/audits").text
    with stocked.world.db.begin() as tx:
        tx.execute(update(stock_position).where(stock_position.c.on_hand == 10).values(available=9, on_hand=9))
    browser.submit("/stock-ledger/audits")
    said = browser.get("/stock-ledger/audits").text
    assert "9 units are available and the ledger adds up to 10" in said
    assert "The stock differs from its ledger" in browser.get("/problems/").text
    assert shelf(stocked, "available") == (9,), "an audit mends no position"
    for path in re.findall(r'href="(/problems/[0-9a-f]{16})"', browser.get("/problems/").text):
        assert browser.get(path).status_code == 200


def test_stock_is_shown_as_it_was(stocked: Site) -> None:
    browser = stocked.signed_in("viewer")
    assert "Nothing was in stock then" in browser.get("/stock-ledger/past?at=2020-01-01").text
    assert "MUG" in browser.get("/stock-ledger/past").text
    assert "Write the moment as" in browser.get("/stock-ledger/past?at=yesterday").text


def test_orders_at_risk_are_sent_from_elsewhere_in_one_click(stocked: Site) -> None:
    stocked.order(("TEE", 3))
    rows = [ImportRow(1, "TEE", "BER", 1), ImportRow(2, "TEE", "NYC", 5)]
    operate.import_stock(stocked.world.runtime, rows, person="mia", reason="count")
    browser = stocked.signed_in("ops")
    (link,) = re.findall(r'href="(/problems/[0-9a-f]{16})"', browser.get("/problems/").text)
    (short,) = re.findall(r'href="(/stock-ledger/oversold/[^"]+)"', browser.get(link).text)
    page = browser.get(short).text
    assert "send it from NYC" in page
    (fo,) = re.findall(r'name="fo" value="([^"]+)"', page)
    assert browser.submit(short, {"fo": fo}).status_code == 302
    left = select(stock_position.c.committed, stock_position.c.oversold).where(stock_position.c.on_hand == 5)
    assert stocked.world.read(lambda tx: tuple(tx.execute(left).one())) == (3, 0)
    assert browser.get(short).status_code == 302, "nothing is short any more"


def test_the_page_of_a_shortage_names_those_for_whom_units_are_kept(stocked: Site) -> None:
    browser = stocked.signed_in("ops")
    kept = {"sku": "TEE", "units": "3", "owner": "The studio", "location": "BER", "hours": "2", "key": "k"}
    assert browser.submit("/stock-ledger/reservations", kept).status_code == 302
    rows = [ImportRow(1, "TEE", "BER", 1)]
    operate.import_stock(stocked.world.runtime, rows, person="mia", reason="count")
    (link,) = re.findall(r'href="(/problems/[0-9a-f]{16})"', browser.get("/problems/").text)
    (short,) = re.findall(r'href="(/stock-ledger/oversold/[^"]+)"', browser.get(link).text)
    page = browser.get(short).text
    assert "The studio" in page
    assert 'href="/stock-ledger/reservations?sku=TEE"' in page


def test_a_shop_keeps_prolongs_releases_and_gives_units_by_api(stocked: Site) -> None:
    client, head = stocked.app.test_client(), stocked.key("ops")
    body = {"owner": "cart-7", "lines": [{"sku": "MUG", "units": 2, "location": "BER"}, {"sku": "TEE", "units": 1}]}
    answers = [
        client.post("/api/v1/reservations", json=body | {"expires_in_s": 60}, headers=head | {"Idempotency-Key": "a"})
        for _ in range(2)
    ]
    assert [one.status_code for one in answers] == [201, 201]
    assert answers[0].json == answers[1].json
    ids = [one["id"] for one in answers[0].json["rows"]]
    assert shelf(stocked, "available", "reserved") == (8, 2)
    longer = client.post("/api/v1/reservations/extend", json={"ids": ids, "expires_in_s": 3600}, headers=head)
    assert longer.status_code == 200
    stocked.world.later(minutes=5)
    stock_care.expire_reservations(stocked.world.runtime)
    listed = client.get("/api/v1/reservations?state=active&owner=cart-7", headers=head).json["rows"]
    assert sorted(one["id"] for one in listed) == sorted(ids)
    done = client.post("/api/v1/reservations/release", json={"ids": ids, "reason": "left"}, headers=head).json["rows"]
    assert {one["state"] for one in done} == {"released"}
    refused = client.post("/api/v1/reservations/extend", json={"ids": ids, "expires_in_s": 60}, headers=head)
    assert (refused.status_code, "has ended" in refused.json["detail"]) == (409, True)


def test_moves_the_past_and_audits_by_api(stocked: Site) -> None:
    client, head = stocked.app.test_client(), stocked.key("ops")
    body = {
        "location": "BER",
        "units": 3,
        "from_state": "available",
        "to_state": "quality_hold",
        "reason": "inspection",
    }
    moved = client.post("/api/v1/stock/MUG/move", json=body, headers=head).json
    assert (moved["status"], moved["on_hand"], moved["states"]["quality_hold"]) == ("moved", 10, 3)
    page = client.get("/api/v1/stock/MUG/moves?limit=1", headers=head).json
    [move] = page["rows"]
    assert (move["quantity"], move["from_state"], move["to_state"]) == (3, "available", "quality_hold")
    first = client.get(f"/api/v1/stock/MUG/moves?after={page['next']}", headers=head).json
    assert [(one["from_state"], one["quantity"], one["actor"]) for one in first["rows"]] == [
        ("outside", 10, "person:mia")
    ]
    assert client.get("/api/v1/stock/NIX/moves", headers=head).status_code == 404
    wrong = client.post("/api/v1/stock/MUG/move", json=body | {"to_state": "committed"}, headers=head)
    assert wrong.status_code == 422
    then = client.get("/api/v1/stock-history?at=2020-01-01T00:00:00Z", headers=head).json["rows"]
    now = client.get("/api/v1/stock-history?at=2999-01-01T00:00:00Z&q=MUG", headers=head).json["rows"]
    assert (then, [(one["location"], one["on_hand"], one["quality_hold"]) for one in now]) == ([], [("BER", 10, 3)])
    assert client.get("/api/v1/stock-history", headers=head).status_code == 422
    audit = client.post("/api/v1/stock-audits", headers=head).json
    assert (audit["findings"], audit["moves"]) == ([], 3)
    assert client.get("/api/v1/stock-audits", headers=head).json["rows"] == [audit]
    late = {"location": "BER", "set_to": 4, "expected": 9, "reason": "count"}
    assert client.post("/api/v1/stock/MUG/adjust", json=late, headers=head).status_code == 409
