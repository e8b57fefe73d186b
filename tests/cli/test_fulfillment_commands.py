"""What a place and its people say of fulfillment orders at the command line, and what follows for other commands."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from hub.flows import operate
from hub.store.tables import stock_position
from tests.cli.conftest import Shop


def number_of(shop: Shop, location: str = "WEST") -> str:
    """The first fulfillment order that a location has to deal with."""
    return str(shop.shell.json("fo", "list", location)["rows"][0]["number"])


def test_a_location_takes_work_on_and_ships_it(shop: Shop) -> None:
    order = shop.buy(("MUG", 2))
    number = number_of(shop)
    assert "2 x MUG" in shop.shell.run("fo", "list", "WEST").stdout
    assert "taken on" in shop.shell.run("fo", "accept", number).stdout
    assert "said before" in shop.shell.run("fo", "accept", number).stdout
    said = shop.shell.run("fo", "ship", number, "--carrier", "DHL", "--tracking", "JD0001").stdout
    assert "the channel is told" in said
    shop.world.run()
    [shipment] = shop.shell.json("order", "show", order.name)["shipments"]
    assert (shipment["packages"][0]["carrier"], shipment["packages"][0]["tracking_number"]) == ("DHL", "JD0001")
    assert "Nothing is to be done" in shop.shell.run("fo", "list", "WEST").stdout
    assert "no fulfillment order" in shop.shell.run("fo", "ship", "FO-NONE", code=3).stderr
    assert "no location 'MOON'" in shop.shell.run("fo", "list", "MOON", code=3).stderr


def test_serial_numbers_are_said_as_the_goods_leave(shop: Shop) -> None:
    shop.shell.run("stock", "adjust", "TEE", "WEST", "--to", "0", "--reason", "count")
    shop.shell.run("lot", "track", "TEE", "serial")
    adjusted = ("lot", "adjust", "TEE", "WEST", "--by", "2", "--serial", "A1", "--serial", "A2", "--reason", "delivery")
    shop.shell.run(*adjusted)
    order = shop.buy(("TEE", 1))
    shop.shell.run("fo", "ship", number_of(shop), "--serial", "A1", code=2)
    shop.shell.run("fo", "ship", number_of(shop), "--serial", "TEE=A2")
    assert order.name.lstrip("#") in shop.shell.run("lot", "trace", "A2").stdout


def test_a_location_that_cannot_ship_is_routed_around_and_places_are_looked_for_again(shop: Shop) -> None:
    order = shop.buy(("MUG", 2))
    shop.shell.run("fo", "refuse", number_of(shop), "--reason", "nonsense", code=2)
    said = shop.shell.run("fo", "refuse", number_of(shop), "--reason", "damaged", "--note", "dropped").stdout
    assert "booked as the reason says" in said
    assert shop.world.on_shelf()["WEST"]["MUG"] == (10, 8, 0)
    assert "still no place" in shop.shell.run("fo", "route", order.name, code=1).stdout
    shop.shell.run("location", "add", "EAST", "--country", "us")
    shop.shell.run("stock", "adjust", "MUG", "EAST", "--to", "5", "--reason", "delivery")
    assert "Places were found" in shop.shell.run("fo", "route", order.name).stdout
    assert number_of(shop, "EAST")


def test_what_is_wrong_with_one_of_several_articles_is_said_by_its_units(shop: Shop) -> None:
    shop.buy(("MUG", 3), ("TEE", 1))
    refuse = ("fo", "refuse", number_of(shop), "--reason", "damaged")
    assert "say of which of MUG, TEE" in shop.shell.run(*refuse, code=1).stderr
    assert "as SKU=UNITS" in shop.shell.run(*refuse, "--line", "MUG", code=2).stderr
    shop.shell.run(*refuse, "--line", "MUG=1")
    assert shop.world.on_shelf()["WEST"] == {"MUG": (10, 6, 3), "TEE": (5, 4, 1)}
    damaged = select(stock_position.c.damaged).order_by(stock_position.c.damaged.desc())
    assert shop.world.read(lambda tx: tx.execute(damaged).scalars().first()) == 1


@pytest.fixture
def store(shop: Shop) -> Shop:
    """A shop whose location WEST is a store where customers collect."""
    shop.shell.run("location", "set", "WEST", "picks_up=true")
    return shop


def test_goods_are_collected_at_the_counter_or_go_back(store: Shop) -> None:
    store.shell.run("location", "set", "WEST", "ships=false")
    for order in (store.buy(("MUG", 1)), store.buy(("MUG", 1))):
        assert "collected at WEST" in store.shell.run("fo", "collect-elsewhere", order.name, "WEST").stdout
    here, there = (row["number"] for row in store.shell.json("fo", "list", "WEST")["rows"])
    assert "not ready to be collected" in store.shell.run("fo", "collected", here, code=1).stderr
    for number in (here, there):
        assert "waits at the counter" in store.shell.run("fo", "ready", number).stdout
    assert "waits to be collected" in store.shell.run("fo", "list", "WEST").stdout
    assert "The customer has it" in store.shell.run("fo", "collected", here).stdout
    assert "back on the shelf" in store.shell.run("fo", "not-collected", there).stdout
    assert store.world.on_shelf()["WEST"]["MUG"] == (9, 9, 0)


def test_what_was_to_be_collected_is_shipped_instead(store: Shop) -> None:
    order = store.buy(("NEW", 1))
    store.shell.run("connection", "link-sku", "Web shop", "NEW", "--create")
    store.world.run()
    assert "before" in store.shell.run("fo", "ship-instead", order.name).stdout
    assert (
        "nobody can collect at 'MOON'" in store.shell.run("fo", "collect-elsewhere", order.name, "MOON", code=1).stderr
    )
    store.shell.run("fo", "collect-elsewhere", order.name, "WEST")
    assert "shipped instead" in store.shell.run("fo", "ship-instead", order.name).stdout


def test_what_is_oversold_because_it_is_kept_for_somebody_is_listed(shop: Shop) -> None:
    shop.shell.run("stock", "reserve", "TEE", "4", "--for", "the studio", "--at", "WEST")
    shop.shell.run("stock", "adjust", "TEE", "WEST", "--to", "2", "--reason", "count")
    said = shop.shell.run("stock", "oversold", code=1).stdout
    assert "kept for the studio" in said
    [row] = shop.shell.json("stock", "oversold", code=1)["rows"]
    assert f"orderhub stock release {row['kept'][0]['id']}" in said
    shop.shell.run("stock", "release", row["kept"][0]["id"])
    assert "Nothing is oversold" in shop.shell.run("stock", "oversold").stdout


def test_what_is_oversold_is_listed_and_sent_from_elsewhere(shop: Shop) -> None:
    assert "Nothing is oversold" in shop.shell.run("stock", "oversold").stdout
    order = shop.buy(("TEE", 5))
    shop.shell.run("location", "add", "EAST", "--country", "us", "--rank", "200")
    shop.shell.run("stock", "adjust", "TEE", "EAST", "--to", "5", "--reason", "delivery")
    shop.shell.run("stock", "adjust", "TEE", "WEST", "--to", "2", "--reason", "count")
    shop.world.run()
    assert "send it from EAST" in shop.shell.run("stock", "oversold", code=1).stdout
    [row] = shop.shell.json("stock", "oversold", code=1)["rows"]
    assert (row["sku"], row["location"], row["missing"]) == ("TEE", "WEST", 3)
    assert [one["number"] for one in row["orders"]] == [order.name]
    assert "is not oversold at EAST" in shop.shell.run("stock", "repair", "TEE", "EAST", code=3).stderr
    assert "not at risk" in shop.shell.run("stock", "repair", "TEE", "WEST", "--fo", "FO-NONE", code=3).stderr
    assert "Routed anew" in shop.shell.run("stock", "repair", "TEE", "WEST").stdout
    shop.world.run()
    assert shop.shell.json("stock", "oversold")["rows"] == []
    assert number_of(shop, "EAST")


def test_a_hold_is_given_to_somebody_until_a_day(shop: Shop) -> None:
    order = shop.buy(("MUG", 1))
    shop.shell.run("order", "hold", order.name, "--reason", "customer calls back")
    [held] = shop.shell.json("order", "holds")["rows"]
    assert (
        "bo looks after it" in shop.shell.run("order", "assign", held["id"], "--to", "bo", "--due", "2026-12-01").stdout
    )
    [held] = shop.shell.json("order", "holds", "--assignee", "bo")["rows"]
    assert held["due_at"].startswith("2026-12-01T00:00")
    assert "Nobody looks after it" in shop.shell.run("order", "assign", held["id"]).stdout
    shop.shell.run("order", "release", held["id"])
    assert "no active hold" in shop.shell.run("order", "assign", held["id"], code=3).stderr


def test_reservations_are_kept_longer_and_given_to_an_order(shop: Shop) -> None:
    [kept] = shop.shell.json("stock", "reserve", "TEE", "5", "--for", "fair", "--at", "WEST", "--minutes", "5")["rows"]
    assert "is kept until" in shop.shell.run("stock", "extend", kept["id"], "--minutes", "90").stdout
    order = shop.buy(("TEE", 2))
    [row] = shop.shell.json("stock", "convert", kept["id"], "--order", order.name)["rows"]
    assert row["state"] == "converted"
    assert "has ended" in shop.shell.run("stock", "extend", kept["id"], "--minutes", "5", code=1).stderr
    assert shop.world.on_shelf()["WEST"]["TEE"] == (5, 3, 2)


def test_a_supplier_and_a_draft_are_changed(shop: Shop) -> None:
    shell = shop.shell
    shell.run("supplier", "add", "ACME", "--currency", "EUR", "--lead-days", "20")
    (shell.folder / "offers.csv").write_text("sku,cost\nMUG,2.50\nTEE,4.00\n")
    shell.run("supplier", "articles", "ACME", "offers.csv")
    shell.run("supplier", "set", "ACME", code=2)
    shell.run("supplier", "set", "ACME", "--lead-days", "10", "--min-order", "99.50", "--inactive", "--note", "moved")
    found = shell.json("supplier", "show", "ACME")
    assert (found["lead_time_days"], found["min_order_minor"], found["active"], found["note"]) == (
        10,
        9950,
        False,
        "moved",
    )
    assert "99.50 EUR" in shell.run("supplier", "show", "ACME").stdout
    assert "no supplier" in shell.run("supplier", "show", "NONE", code=3).stderr
    shell.run("supplier", "set", "ACME", "--active")
    number = shell.run("purchase", "draft", "ACME", "WEST", "MUG=5").stdout.split()[0]
    shell.run("purchase", "change", number, code=2)
    shell.run("purchase", "change", number, "TEE=3", "--due", "2026-12-24", "--over", "10")
    order = shell.json("purchase", "show", number)["order"]
    assert [(line["sku"], line["ordered"]) for line in order["lines"]] == [("TEE", 3)]
    assert (order["expected_on"], order["over_percent"]) == ("2026-12-24", 10)
    shell.run("purchase", "order", number)
    assert "only a draft" in shell.run("purchase", "change", number, "--note", "late", code=1).stderr


def test_a_connection_is_given_a_new_secret_and_other_settings(shop: Shop) -> None:
    shell = shop.shell
    shop.sandbox.token = "shpat_new"
    shell.run("connection", "set", "Web shop", code=2)
    assert "does not work" in shell.run("connection", "set", "Web shop", "--threshold", "2", code=1).stdout
    (shell.folder / "new").write_text("shpat_new\n")
    changed = ("--set", "access_token=@new", "--name", "Shop", "--no-publish")
    assert "It works" in shell.run("connection", "set", "Web shop", *changed).stdout
    row = shell.json("connection", "show", "Shop")["connection"]["view"]["row"]
    assert (row["status"], row["stock_threshold"], row["publish_stock"]) == ("active", 2, False)
    assert row["config"]["shop"] == shop.sandbox.shop, "what is not given stays"
    assert "colour" in shell.run("connection", "set", "Shop", "--set", "colour=red", code=2).stderr
    assert shell.json("connection", "check", "Shop")["ok"] is True


def test_what_a_location_says_of_its_work_is_told_by_command(shop: Shop) -> None:
    shell, one = shop.shell, shop.buy(("MUG", 1))
    [fo] = shell.json("order", "show", one.name)["fulfillment_orders"]
    number, runtime = fo["number"], shop.world.runtime
    order = shell.json("order", "show", one.name)["row"]["id"]
    assert "nobody waits for WEST to stop" in shell.run("fo", "stopped", number, code=1).output
    operate.accept_by_hand(runtime, order, number, person="mia")
    operate.cancel_order(runtime, order, "changed my mind", person="mia")
    assert "the order is on hold" in shell.run("fo", "too-late", number).stdout
    assert "said before" in shell.run("fo", "too-late", number).stdout
    assert "It is stopped" in shell.run("fo", "stopped", number).stdout
    assert "said before" in shell.run("fo", "stopped", number).stdout
    assert shell.json("order", "show", one.name)["row"]["lifecycle"] == "cancelled"


def test_goods_at_the_counter_are_given_more_time_by_command(shop: Shop) -> None:
    shell, one = shop.shell, shop.buy(("MUG", 1))
    order = shell.json("order", "show", one.name)["row"]["id"]
    operate.change_location(shop.world.runtime, "WEST", {"picks_up": True}, person="mia")
    operate.collect_elsewhere(shop.world.runtime, order, "WEST", person="mia")
    number = shell.json("order", "show", one.name)["fulfillment_orders"][-1]["number"]
    operate.ready_for_collection(shop.world.runtime, order, number, person="mia")
    assert "until the end of 2099-01-02" in shell.run("fo", "collect-until", number, "2099-01-02").stdout
    assert "said before" in shell.run("fo", "collect-until", number, "2099-01-02").stdout
    assert "is over at WEST" in shell.run("fo", "collect-until", number, "2020-01-02", code=1).output
    assert shell.run("fo", "collect-until", number, "soon", code=2)
