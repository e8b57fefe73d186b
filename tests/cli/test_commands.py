"""The commands on a hub that works."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from hub.flows import operate
from hub.store.tables import fulfillment_order
from tests.cli.conftest import Shop


def test_an_order_is_found_and_shown(shop: Shop) -> None:
    order = shop.buy(("MUG", 2), ("NEW", 1))
    [row] = shop.shell.json("order", "list", "--only", "on_hold")["rows"]
    assert row["phase"] == "on_hold"
    assert [one["kind"] for one in row["holds"]] == ["unmapped"]
    shown = shop.shell.run("order", "show", order.name.lstrip("#")).stdout
    assert "On hold (unmapped)" in shown
    detail = shop.shell.json("order", "show", row["id"])
    assert detail["raw"]["body"].startswith("{")
    assert {one["sku"]: one["ordered"] for one in detail["lines"]} == {"MUG": 2, "NEW": 1}


def test_linking_a_sku_lets_its_orders_go_on(shop: Shop) -> None:
    shop.buy(("NEW", 1))
    assert "1 orders go on" in shop.shell.run("connection", "link-sku", "Web shop", "NEW", "--create").stdout
    shop.world.run()
    [row] = shop.shell.json("order", "list")["rows"]
    assert (row["lifecycle"], row["phase"]) == ("open", "backordered")
    assert "5 now" in shop.shell.run("stock", "adjust", "NEW", "WEST", "--by", "5", "--reason", "delivery").stdout
    shop.world.run()
    assert shop.shell.json("order", "list")["rows"][0]["phase"] == "routed"


def test_pages_follow_each_other(shop: Shop) -> None:
    for _ in range(3):
        shop.buy(("MUG", 1))
    first = shop.shell.json("order", "list", "--limit", "2")
    second = shop.shell.json("order", "list", "--limit", "2", "--after", first["next"])
    assert second["next"] is None
    assert len({row["id"] for page in (first, second) for row in page["rows"]}) == 3


def test_what_is_parked_is_seen_replayed_and_set_aside(shop: Shop) -> None:
    headers, body = shop.sandbox.webhook("orders/create", {"id": 7})
    shop.world.deliver(shop.id, headers, body)
    shop.world.run()
    [row] = shop.shell.json("inbox", "list", "--status", "dead")["rows"]
    assert "'dead'" in shop.shell.run("inbox", "list", "--status", "parked", code=2).stderr
    assert row["error_code"] == "schema_drift"
    assert '"id":7' in shop.shell.run("inbox", "show", row["id"]).stdout
    assert "1 rows would be" in shop.shell.run("inbox", "replay", "--parked", "--dry-run").stdout
    assert "1 rows are" in shop.shell.run("inbox", "replay", "--parked").stdout
    shop.world.run()
    shop.shell.run("inbox", "dismiss", row["id"], "--reason", "a test")
    shop.shell.run("inbox", "dismiss", row["id"], "--reason", "a test", code=1)
    assert shop.shell.json("inbox", "list", "--status", "dead")["rows"] == []


def test_a_refused_message_is_set_aside_with_a_reason_or_said_to_have_happened(shop: Shop) -> None:
    for _ in range(2):
        shop.sandbox.cancel_order(shop.buy(("MUG", 1)).id)
    for fo in shop.world.read(lambda tx: tx.execute(select(fulfillment_order)).all()):
        operate.ship_by_hand(shop.world.runtime, fo.order_id, fo.number, person="mia", tracking_number="1")
    shop.world.run()
    first, second = (row["id"] for row in shop.shell.json("outbox", "list", "--status", "rejected")["rows"])
    assert "1 rows are set aside" in shop.shell.run("outbox", "dismiss", first, "--reason", "told by phone").stdout
    assert shop.shell.json("outbox", "dismiss", first, "none", "--reason", "x", code=1)["refused"] == [
        ["none", "there is no such message"]
    ]
    shop.shell.run("outbox", "resolve", second, "--happened", "--id", "gid://shopify/Fulfillment/7")
    statuses = {row["id"]: row["status"] for row in shop.shell.json("outbox", "list")["rows"]}
    assert (statuses[first], statuses[second]) == ("set_aside", "delivered")


def test_stock_is_imported_with_a_result_per_row(shop: Shop) -> None:
    file = shop.shell.folder / "new.csv"
    file.write_text("SKU;Location;on_hand;note\nMUG;WEST;7;x\nMUG;MOON;1;x\nTEE;WEST;many;x\n", encoding="utf-8-sig")
    trial = shop.shell.json("stock", "import", "new.csv", "--dry-run", code=1)
    assert trial["counts"] == {"changed": 1, "unchanged": 0, "repeated": 0, "error": 2}
    said = shop.shell.run("stock", "import", "new.csv", "--reason", "night count", code=1).stdout
    assert "1 rows changed" in said
    assert "whole number" in said
    [row] = shop.shell.json("stock", "show", "MUG")["rows"]
    assert row["positions"][0]["on_hand"] == 7
    [move, *_] = shop.shell.json("stock", "show", "MUG", "--ledger")["rows"]
    assert (move["reason"], move["actor"], move["quantity"]) == ("night count", "person:mia (command line)", 3)


def test_changes_in_a_file_are_booked_once(shop: Shop) -> None:
    (shop.shell.folder / "in.csv").write_text("sku,location,change\nMUG,WEST,5\n")
    shop.shell.run("stock", "import", "in.csv")
    assert shop.shell.json("stock", "import", "in.csv")["counts"]["repeated"] == 1
    assert shop.shell.json("stock", "show", "MUG")["rows"][0]["positions"][0]["on_hand"] == 15


def test_a_file_without_the_columns_is_refused(shop: Shop) -> None:
    (shop.shell.folder / "bad.csv").write_text("article,amount\nMUG,1\n")
    assert "name the columns" in shop.shell.run("stock", "import", "bad.csv", code=2).stderr


def test_a_connection_is_paused_and_goes_on(shop: Shop) -> None:
    shop.shell.run("connection", "pause", "Web shop", "--reason", "stock-taking")
    [row] = shop.shell.json("connection", "list")["rows"]
    assert (row["word"], row["row"]["status_reason"]) == ("paused", "stock-taking")
    shop.shell.run("connection", "resume", "Web shop")
    shown = shop.shell.json("connection", "show", "Web shop")
    assert shown["connection"]["secrets"]["access_token"] is True
    assert shop.sandbox.token not in shop.shell.run("connection", "show", "Web shop", "--json").stdout
    assert shown["webhook_path"].startswith(f"/in/{shop.id}/")
    shop.shell.run("connection", "sync", "Web shop")
    shop.shell.run("connection", "sync", "Web shop", "--stream", "orders", "--since", "2026-01-01")


def test_places_are_linked_to_locations(shop: Shop) -> None:
    [place, *_] = shop.shell.json("location", "link", "Web shop")["rows"]
    [linked, *_] = shop.shell.json("location", "link", "Web shop", f"{place['external_id']}=WEST")["rows"]
    assert linked["location"] == "WEST"
    assert [row["code"] for row in shop.shell.json("location", "list")["rows"]] == ["WEST"]


def test_wrong_settings_and_wrong_credentials_are_told_apart(shop: Shop) -> None:
    said = shop.shell.run(
        "connection", "add", "shopify", "Two", "--set", "shop=x", "--set", "colour=red", code=2
    ).stderr
    assert "access_token" in said
    assert "colour" in said
    wrong = ("--set", f"shop={shop.sandbox.shop}", "--set", f"base_url={shop.sandbox.url}", "--set", "access_token=no")
    assert "does not work" in shop.shell.run("connection", "add", "shopify", "Two", *wrong, code=1).stderr
    assert "no connector" in shop.shell.run("connection", "add", "nothing", "Two", code=1).stderr


def test_the_connectors_are_listed(shop: Shop) -> None:
    names = {row["name"] for row in shop.shell.json("connectors")["rows"]}
    assert {"shopify", "amazon", "shiphero", "easypost", "odoo"} <= names


def test_doctor_sees_books_that_are_wrong(shop: Shop) -> None:
    assert shop.shell.json("doctor")["ok"] is True
    with shop.world.db.begin() as tx:
        tx.exec_driver_sql("UPDATE stock_position SET available = available + 1, on_hand = on_hand + 1")
    found = shop.shell.json("doctor", code=1)
    assert [row["check"] for row in found["rows"] if row["verdict"] == "fail"] == ["stock ledger"]


def test_doctor_sees_work_that_nobody_does(shop: Shop) -> None:
    headers, body = shop.sandbox.webhook("orders/create", shop.sandbox.place_order([("MUG", 1)]))
    shop.world.ahead = -timedelta(hours=2)
    shop.world.deliver(shop.id, headers, body)
    found = shop.shell.json("doctor", code=1)
    assert "inbox" in [row["check"] for row in found["rows"] if row["verdict"] == "fail"]
