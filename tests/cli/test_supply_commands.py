"""Suppliers, purchase orders, reorders and waiting orders from the command line."""

from __future__ import annotations

from typing import Any

from tests.cli.conftest import Shop


def stocked_supplier(shop: Shop) -> None:
    shell = shop.shell
    shell.run("supplier", "add", "ACME", "--currency", "eur", "--lead-days", "10", "--min-order", "100.00")
    (shell.folder / "acme.csv").write_text("sku;cost;pack_size;preferred\nMUG;2.50;6;yes\nNONE;1;1;\n")
    done = shell.json("supplier", "articles", "ACME", "acme.csv", code=1)
    assert done["errors"] == {"NONE": "There is no article 'NONE'."}
    assert [(one["sku"], one["cost_minor"], one["pack_size"]) for one in done["rows"]] == [("MUG", 250, 6)]


def test_goods_are_bought_and_taken_in_by_commands(shop: Shop) -> None:
    shell = shop.shell
    stocked_supplier(shop)
    (shell.folder / "lines.csv").write_text("sku,units,cost,promise_on\nMUG,12,2.40,2027-01-31\n")
    shell.run("purchase", "draft", "ACME", "WEST", "--file", "lines.csv", "--number", "PO-7", "--over", "10")
    assert "PO-7" in shell.run("purchase", "list", "--status", "draft").stdout
    shell.run("purchase", "order", "PO-7")
    shell.run("purchase", "acknowledge", "PO-7", "MUG=12")
    shell.run("purchase", "dates", "PO-7", "--to", "2027-02-15", "--reason", "no boat")
    shell.run("purchase", "receive", "PO-7", "MUG=5", "--key", "a")
    assert "so already" in shell.run("purchase", "receive", "PO-7", "MUG=5", "--key", "a").stdout
    shell.run("purchase", "receive", "PO-7", "MUG=1", "--condition", "damaged")
    shell.run("purchase", "receive", "PO-7", "MUG=99", code=1)
    shell.run("purchase", "close-short", "PO-7", "--reason", "sold out")
    [line] = shell.json("purchase", "show", "PO-7")["order"]["lines"]
    assert (line["received"], line["rejected"], line["closed"], line["cost_minor"]) == (6, 1, 6, 240)
    shell.run("purchase", "show", "PO-NONE", code=3)
    shell.run("purchase", "draft", "ACME", "WEST", "MUG", code=2)


def test_what_waits_is_listed_promised_told_and_given_a_date(shop: Shop) -> None:
    shell = shop.shell
    stocked_supplier(shop)
    shop.buy(("MUG", 13))
    shell.run("purchase", "draft", "ACME", "WEST", "MUG=6", "--number", "PO-8", "--due", "2027-01-31")
    shell.run("purchase", "order", "PO-8")
    [row] = shell.json("waiting", "list", "--to-tell")["rows"]
    assert (row["units"], row["promised_on"], row["behind"][0]["number"]) == (3, "2027-01-31", "PO-8")
    assert "1 lines" in shell.run("waiting", "told", row["line_id"]).stdout
    assert shell.json("waiting", "list", "--to-tell")["rows"] == []
    shell.run("waiting", "until", row["order_id"], row["line_id"], "--day", "2027-03-01")
    assert shell.json("waiting", "list")["rows"][0]["auto_cancel_at"].startswith("2027-03-01")
    shell.run("waiting", "release", row["order_id"], row["line_id"])


def test_what_is_to_be_reordered_is_drafted_at_once(shop: Shop) -> None:
    shell = shop.shell
    stocked_supplier(shop)
    shop.buy(("MUG", 13))
    found: Any = shell.json("reorder", "show")
    [need] = [one for one in found["needs"] if one["sku"] == "MUG"]
    assert (need["proposal"]["units"], need["supplier"]["code"]) == (6, "ACME")
    made = shell.json("reorder", "draft", "WEST", "--all")
    assert len(made["numbers"]) == 1
    assert "takes 100.00 and more" in made["warnings"][0]
    shell.run("reorder", "show", "--location", "MOON", code=3)
    shell.run("reorder", "policy", "TEE", "--low", "5")
    shop.world.clock_strikes()
    [alert] = shell.json("reorder", "alerts")["rows"]
    assert (alert["sku"], alert["units"], alert["kind"]) == ("TEE", 5, "low")
