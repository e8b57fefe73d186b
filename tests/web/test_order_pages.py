"""Holds, changes and entry checks in the console and by API."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select, update

from hub.flows import operate
from hub.store.ledger import differences
from hub.store.tables import connection, fulfillment_order, hold, order_change, order_line, orders
from tests.web.conftest import Site


@pytest.fixture
def stocked(site: Site) -> Site:
    site.world.location("WEST")
    site.world.stock("location MUG TEE\nWEST 10 5")
    return site


def only_order(site: Site) -> str:
    [found] = site.world.read(lambda tx: tx.execute(select(orders.c.id)).scalars().all())
    return str(found)


def ask(site: Site, query: Any) -> list[Any]:
    return [tuple(row) for row in site.world.read(lambda tx: tx.execute(query).all())]


def test_a_person_holds_a_line_and_releases_it(stocked: Site) -> None:
    stocked.order(("MUG", 2), ("TEE", 1), paid="PENDING")
    order_id, ops = only_order(stocked), stocked.signed_in("ops")
    page = f"/orders/{order_id}"
    [line] = re.findall(r'value="(line:[^"]+)">Line 1: MUG', ops.get(page).text)
    form = {"reason": "the colour", "kind": "customer", "blocks": "ship", "target": line, "assignee": "kim",
            "due": "2026-01-01T08:00"}  # fmt: skip
    assert ops.submit(f"{page}/hold", form, page).status_code == 302
    shown = ops.get(page).text
    for words in ("the colour", "holds up the shipping", "kim looks after it", "Overdue since", "MUG</span>"):
        assert words in shown, words
    assert "Say why" in ops.client.get(page).text or ops.submit(f"{page}/hold", {"reason": ""}, page).status_code == 302
    [(hold_id,)] = ask(stocked, select(hold.c.id).where(hold.c.kind == "customer"))
    ops.submit(f"{page}/holds/{hold_id}/terms", {"assignee": "sam", "due": "2031-05-02T08:00"}, page)
    changed = ops.get(page).text
    assert "sam looks after it" in changed
    assert "Due 2031-05-02" in re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", changed))
    ops.submit(f"{page}/holds/{hold_id}/release", {"note": "blue"}, page)
    assert "released by" in ops.get(page).text.lower()
    assert "Ended holds (1)" in ops.get(page).text


def test_a_hold_that_comes_too_late_says_so_and_offers_to_ask_it_back(stocked: Site) -> None:
    stocked.order(("MUG", 1))
    order, fo = only_order(stocked), fulfillment_order.c
    with stocked.world.db.begin() as tx:
        there = {"handling": "threepl", "handler_id": stocked.shop_id, "request_status": "accepted"}
        number = tx.execute(update(fulfillment_order).values(**there).returning(fo.number)).scalar_one()
    ops, path = stocked.signed_in("ops"), f"/orders/{order}"
    said = f"{number} is already with Web shop; this hold does not stop it"
    ops.submit(f"{path}/hold", {"reason": "recall", "blocks": "ship"}, path)
    page = ops.get(path).text
    assert f"{said}. Ask it back below, under Holds." in page
    assert "On hold, and it leaves all the same" in page
    assert f"Ask {number} back" in page
    bulk = ops.submit("/orders/hold", {"order": [order], "reason": "again", "blocks": "ship"}, "/orders/")
    assert f"{said}." in bulk.text
    assert said in ops.get("/orders/holds").text
    [held, _] = stocked.app.test_client().get(f"/api/v1{path}", headers=stocked.key("viewer")).json["order"]["holds"]
    assert held["beyond"] == [{"number": number, "handler": "Web shop"}]
    ops.submit(f"/fulfillment/{order}/ask-back", {"number": number}, path)
    page = ops.get(path).text
    assert "It is asked back. Until it has stopped, it may still leave." in page
    assert said not in page


def test_a_hold_that_makes_no_sense_is_told_on_the_page(stocked: Site) -> None:
    stocked.order(("MUG", 2))
    order_id, ops = only_order(stocked), stocked.signed_in("ops")
    page = f"/orders/{order_id}"
    ops.submit(f"{page}/hold", {"reason": "x", "target": "fo:FO-NONE", "blocks": "ship"}, page)
    assert "Nobody works on a fulfillment order" in ops.get(page).text


def test_orders_are_found_by_their_holds_and_many_are_held_and_released_at_once(stocked: Site) -> None:
    first, second = stocked.order(("MUG", 1)), stocked.order(("TEE", 1))
    stocked.order(("MUG", 3), paid="PENDING")
    ops = stocked.signed_in("ops")
    ids = [row[0] for row in ask(stocked, select(orders.c.id).order_by(orders.c.id))]
    done = ops.submit(
        "/orders/hold", {"reason": "recall", "blocks": "ship", "order": [*ids[:2], "nonsense"]}, "/orders/"
    )
    assert done.status_code == 200
    assert done.text.count("On hold</span>") == 2
    assert "there is no order" in done.text
    assert ops.submit("/orders/hold", {"reason": "", "order": ids}, "/orders/").status_code == 302
    found = ops.get("/orders/?hold=manual").text
    assert f">{first.name}</a>" in found
    assert f">{second.name}</a>" in found
    assert 'value="unpaid"' in found
    assert "No orders match" in ops.get("/orders/?only=overdue").text
    held = ops.get("/orders/holds?kind=manual").text
    chosen = re.findall(r'name="hold" value="([^"]+)"', held)
    assert len(chosen) == 2
    freed = ops.submit("/orders/holds/release", {"hold": [*chosen, "nonsense"]}, "/orders/holds")
    assert freed.text.count("Released</span>") == 2
    assert "there is no such hold" in freed.text
    assert "No hold matches" in ops.get("/orders/holds?overdue=1").text
    assert 'name="hold"' not in stocked.signed_in("viewer").get("/orders/holds").text
    assert 'name="order"' not in stocked.signed_in("viewer").get("/orders/").text


def test_with_nothing_on_hold_the_page_says_so(stocked: Site) -> None:
    assert "Nothing is on hold" in stocked.signed_in("viewer").get("/orders/holds").text


def test_an_order_is_changed_after_its_preview_was_looked_at(stocked: Site) -> None:
    stocked.order(("MUG", 3))
    order_id, ops = only_order(stocked), stocked.signed_in("ops")
    form_page = f"/orders/{order_id}/change"
    form = dict(re.findall(r'name="((?:line:|to_)[^"]+)"[^>]*value="([^"]*)"', ops.get(form_page).text))
    [line] = [name for name in form if name.startswith("line:")]
    asked = ops.submit(form_page, form | {line: "2", "to_city": "Trenton", "reason": "they called"})
    assert asked.status_code == 302, asked.text
    preview = ops.get(asked.location).text
    for words in ("Nothing has happened yet", "Trenton", "-10.00 USD", "To give back", "taken back before anybody"):
        assert words in preview, words
    assert "A change waits to be confirmed" in ops.get(f"/orders/{order_id}").text
    assert ask(stocked, select(order_line.c.cancelled)) == [(0,)]
    [(change_id, seen)] = ask(stocked, select(order_change.c.id, order_change.c.preview_hash))
    confirm = f"/orders/{order_id}/changes/{change_id}/confirm"
    assert ops.submit(confirm, {"seen": seen}, asked.location).status_code == 302
    after = ops.get(f"/orders/{order_id}").text
    assert "The order is changed." in after
    assert "still says: 3 x MUG, the former address" in after
    assert "Trenton" in after
    assert ask(stocked, select(order_line.c.cancelled)) == [(1,)]
    assert "This change is confirmed" in ops.get(asked.location).text
    assert stocked.world.read(differences) == []


def test_the_page_of_a_cancelled_order_says_what_is_to_be_refunded(stocked: Site) -> None:
    stocked.order(("MUG", 3))
    order_id, manager = only_order(stocked), stocked.signed_in("manager")
    path = f"/orders/{order_id}"
    assert manager.submit(f"{path}/cancel", {"reason": "they called"}, path).status_code == 302
    page = manager.get(path).text
    assert "Cancelled, and money is to go back" in page
    assert "Refund 30.00 USD at Web shop" in page
    [held] = ask(stocked, select(hold.c.id).where(hold.c.state == "active"))
    assert manager.submit(f"{path}/holds/{held[0]}/release", {"note": "done"}, path).status_code == 302
    assert "Nothing is left to do." in manager.get(path).text


def test_a_form_that_cannot_be_done_comes_back_with_the_reason_and_what_was_typed(stocked: Site) -> None:
    stocked.order(("MUG", 3))
    order_id, ops = only_order(stocked), stocked.signed_in("ops")
    page = f"/orders/{order_id}/change"
    for more, words in (
        ({"reason": ""}, "Say why the order is changed"),
        ({"reason": "x"}, "Nothing is to be changed"),
        ({"reason": "x", "add_sku": "CAP-9", "add_price": "1"}, "There is no article CAP-9"),
        ({"reason": "x", "add_sku": "TEE", "add_price": "much"}, "Say what one TEE costs"),
        ({"reason": "x", "add_sku": "TEE", "add_price": "1", "add_quantity": "some"}, "is no quantity"),
        ({"reason": "x", "method": "pickup:MOON"}, "Nobody can collect at"),
    ):
        known = dict(re.findall(r'name="(to_[^"]+)"[^>]*value="([^"]*)"', ops.get(page).text))
        answer = ops.submit(page, known | more)
        assert answer.status_code == 422, more
        said = re.search(r'role="alert">.*?</span>(.*?)</div>', answer.text, re.DOTALL)
        assert said, more
        assert words in said[1], more
    assert 'value="CAP-9"' in ops.submit(page, {"reason": "x", "add_sku": "CAP-9", "add_price": "1"}).text
    assert ask(stocked, select(order_change.c.id)) == []


def test_a_change_is_taken_back_or_declined_on_its_page(stocked: Site) -> None:
    stocked.order(("MUG", 3))
    order_id, ops = only_order(stocked), stocked.signed_in("ops")
    for how, words in (("cancelled", "taken back"), ("declined", "declined")):
        asked = ops.submit(f"/orders/{order_id}/change", {"cancel": "yes", "reason": "a test"})
        change_id = asked.location.rsplit("/", 1)[1]
        ops.submit(f"/orders/{order_id}/changes/{change_id}/end", {"how": how}, asked.location)
        assert words in ops.get(f"/orders/{order_id}").text
    assert [row[0] for row in ask(stocked, select(order_change.c.status).order_by(order_change.c.id))] == [
        "cancelled",
        "declined",
    ]
    assert ops.get(f"/orders/{order_id}/changes/nonsense").status_code == 404


def test_a_manager_chooses_the_checks_of_a_channel(stocked: Site) -> None:
    manager = stocked.signed_in("manager")
    page = f"/connections/{stocked.shop_id}/checks"
    assert f'href="{page}"' in manager.get(f"/connections/{stocked.shop_id}").text
    every = {f"{name}__on": "on" for name in stocked.world.runtime.entry_checks}
    wrong = manager.submit(page, every | {"twin__minutes": "soon", "value__limit": "5.00"})
    assert wrong.status_code == 422
    assert "must be a whole number" in wrong.text
    assert (
        manager.submit(
            page, {key: on for key, on in every.items() if key != "unpaid__on"} | {"value__limit": "25.00"}
        ).status_code
        == 302
    )
    [(chosen,)] = ask(stocked, select(connection.c.entry_checks))
    assert (chosen["unpaid"]["on"], chosen["value"]) == (False, {"on": True, "limit": "25.00"})
    stocked.order(("MUG", 3), paid="PENDING")
    assert ask(stocked, select(hold.c.kind)) == [("value",)]
    assert manager.get("/connections/nonsense/checks").status_code == 404


# By API -------------------------------------------------------------------------------------------------------------


def call(site: Site, method: str, path: str, body: Any = None, role: str = "ops", code: int = 200) -> Any:
    more = {} if body is None else {"json": body}
    answer = site.app.test_client().open(f"/api/v1{path}", method=method, headers=site.key(role), **more)
    assert answer.status_code == code, answer.text
    return answer.json


def test_programs_hold_and_release(stocked: Site) -> None:
    stocked.order(("MUG", 2))
    order_id = only_order(stocked)
    body = {"reason": "look", "blocks": "ship", "line": "MUG", "due_at": "2026-01-01T00:00:00Z", "assignee": "kim"}
    [held] = call(stocked, "POST", f"/orders/{order_id}/holds", body)["order"]["holds"]
    assert (held["blocks"], held["target"], held["assignee"]) == ("ship", "line", "kim")
    [row] = call(stocked, "GET", "/holds?overdue=true")["rows"]
    assert (row["id"], row["target"], row["is_overdue"]) == (held["id"], "MUG", True)
    assert call(stocked, "GET", "/orders?state=overdue")["rows"][0]["id"] == order_id
    call(stocked, "PATCH", f"/holds/{held['id']}", {"assignee": "lee"})
    assert call(stocked, "GET", "/holds?overdue=true")["rows"] == []
    assert call(stocked, "GET", "/holds?assignee=lee")["rows"][0]["id"] == held["id"]
    call(stocked, "POST", f"/orders/{order_id}/holds", {"reason": "x", "fulfillment_order": "FO-NONE"}, code=409)
    many = call(stocked, "POST", "/holds", {"orders": [order_id, "nonsense"], "reason": "recall"})["rows"]
    assert [(one["done"], one["error"]) for one in many] == [(True, ""), (False, "there is no order 'nonsense'")]
    ids = [one["id"] for one in call(stocked, "GET", "/holds")["rows"]]
    assert len(ids) == 2
    freed = call(stocked, "POST", "/holds/release", {"holds": [*ids, "nonsense"], "note": "found"})["rows"]
    assert [one["done"] for one in freed] == [True, True, False]
    call(stocked, "PATCH", f"/holds/{held['id']}", {}, code=404)


def test_programs_change_orders_by_preview_and_confirmation(stocked: Site) -> None:
    stocked.order(("MUG", 3))
    order_id = only_order(stocked)
    [line] = [one["external_id"] for one in call(stocked, "GET", f"/orders/{order_id}")["lines"]]
    path = f"/orders/{order_id}/changes"
    less = {"do": "set_quantity", "line": line, "quantity": 1}
    add = {"do": "add_line", "sku": "TEE", "quantity": 2, "price_minor": 750}
    seen = call(stocked, "POST", path, {"actions": [less, add], "preview": True})
    assert seen["change"] is None
    assert seen["preview"]["money"] == {
        "currency": "USD", "before_minor": 3000, "after_minor": 2500, "delta_minor": -500, "paid_minor": 3000,
        "refund_minor": 500, "collect_minor": 0,
    }  # fmt: skip
    made = call(stocked, "POST", path, {"actions": [less, add], "reason": "they called"})["change"]
    assert made["status"] == "requested"
    call(stocked, "POST", path, {"actions": [less]}, code=409)
    wrong = call(stocked, "POST", f"{path}/{made['id']}/confirm", {"preview_hash": "0"}, code=409)
    assert "not the preview" in wrong["detail"]
    done = call(stocked, "POST", f"{path}/{made['id']}/confirm", {"preview_hash": made["preview_hash"]})
    assert (done["status"], done["delta_minor"]) == ("confirmed", -500)
    again = call(stocked, "POST", path, {"actions": [{"do": "cancel", "reason": "no"}]})["change"]
    assert call(stocked, "POST", f"{path}/{again['id']}/take-back")["status"] == "cancelled"
    third = call(stocked, "POST", path, {"actions": [{"do": "cancel"}]})["change"]
    assert call(stocked, "POST", f"{path}/{third['id']}/decline", {"note": "no"})["status"] == "declined"
    assert [one["status"] for one in call(stocked, "GET", path)["rows"]] == ["declined", "cancelled", "confirmed"]
    for wrong_actions in ([{"do": "explode"}], [], [{"do": "set_quantity", "units": 1}]):
        call(stocked, "POST", path, {"actions": wrong_actions}, code=422)
    call(stocked, "POST", path, {"actions": [{"do": "set_quantity", "sku": "MUG"}]}, code=409)
    call(stocked, "POST", f"{path}/nonsense/confirm", code=404)
    operate.cancel_order(stocked.world.runtime, order_id, "end", person="mia")
    assert stocked.world.read(differences) == []


def test_programs_choose_entry_checks(stocked: Site) -> None:
    path = "/connections/Web shop/entry-checks"
    chosen = {"checks": {"twin": {"minutes": 5}, "unpaid": {"on": False}}}
    rows = {one["name"]: one for one in call(stocked, "PATCH", path, chosen, "manager")["rows"]}
    assert (rows["twin"]["settings"], rows["unpaid"]["on"], rows["address"]["on"]) == ({"minutes": 5}, False, True)
    wrong = call(stocked, "PATCH", path, {"checks": {"twin": {"minutes": "x"}, "luck": {}}}, "manager", 422)
    assert {one["path"] for one in wrong["errors"]} == {"/body/checks/twin/minutes", "/body/checks/luck"}
    assert call(stocked, "GET", path, role="viewer")["rows"][0]["name"] == "unmapped"
