"""Holds, changes and entry checks at the command line."""

from __future__ import annotations

import orjson

from hub.store.ledger import differences
from tests.cli.conftest import Shop


def test_orders_are_held_and_released_each_for_itself(shop: Shop) -> None:
    shell, one, two = shop.shell, shop.buy(("MUG", 1)), shop.buy(("TEE", 1))
    said = shell.run("order", "hold", one.name, two.name.lstrip("#"), "--reason", "recall", "--blocks", "ship")
    assert said.stdout.splitlines() == [f"{one.name}: held", f"{two.name.lstrip('#')}: held"]
    assert "held so before" in shell.run("order", "hold", one.name, "--reason", "recall", "--blocks", "ship").stdout
    assert "can block release" in shell.run(
        "order", "hold", one.name, "--reason", "no", "--fo", shell.json("order", "show", one.name)["fulfillment_orders"][0]["number"],
        code=1,
    ).stdout  # fmt: skip
    shell.run("order", "hold", "#9999", "--reason", "no", code=3)
    rows = shell.json("order", "holds")["rows"]
    assert [(row["number"], row["blocks"], row["reason"]) for row in rows] == [
        (one.name, "ship", "recall"),
        (two.name, "ship", "recall"),
    ]
    assert "released" in shell.run("order", "release", rows[0]["id"], "--note", "found").stdout
    assert "released before" in shell.run("order", "release", rows[0]["id"]).stdout
    assert "there is no such hold" in shell.run("order", "release", "nonsense", code=1).stdout
    assert "released" in shell.run("order", "release", "--order", two.name).stdout
    shell.run("order", "release", "--order", two.name, code=3)
    assert "Nothing is on hold." in shell.run("order", "holds").stdout


def test_what_is_asked_back_before_anybody_was_told_is_taken_back_at_once(shop: Shop) -> None:
    shell, one = shop.shell, shop.buy(("MUG", 1))
    number = shell.json("order", "show", one.name)["fulfillment_orders"][0]["number"]
    assert "asked back" in shell.run("fo", "ask-back", number).stdout
    states = [fo["exec_status"] for fo in shell.json("order", "show", one.name)["fulfillment_orders"]]
    assert states == ["cancelled", "open"]


def test_overdue_holds_are_found(shop: Shop) -> None:
    shell, one = shop.shell, shop.buy(("MUG", 1))
    shell.run(
        "order", "hold", one.name, "--reason", "ask", "--kind", "customer", "--due", "2026-01-01", "--assignee", "kim"
    )
    shell.run("order", "hold", one.name, "--reason", "look", "--line", "MUG", "--due", "2099-01-01")
    [late] = shell.json("order", "holds", "--overdue")["rows"]
    assert (late["kind"], late["assignee"], late["is_overdue"]) == ("customer", "kim", True)
    [other] = shell.json("order", "holds", "--kind", "manual")["rows"]
    assert (other["target"], other["is_overdue"]) == ("MUG", False)
    assert "overdue" in shell.run("order", "holds", "--assignee", "kim").stdout
    assert [row["number"] for row in shell.json("order", "list", "--only", "overdue")["rows"]] == [one.name]
    assert [row["number"] for row in shell.json("order", "list", "--hold-kind", "customer")["rows"]] == [one.name]
    assert shell.json("order", "list", "--hold-kind", "unpaid")["rows"] == []


def test_a_change_is_looked_at_asked_for_and_confirmed(shop: Shop) -> None:
    shell, order = shop.shell, shop.buy(("MUG", 3))
    seen = shell.run("order", "change", order.name, "--set", "MUG=2", "--add", "TEE=1@7.50", "--preview").stdout
    assert "Total: 30.00 USD, then 27.50 USD" in seen
    assert "To refund: 2.50 USD" in seen
    assert "is withdrawn" in seen
    assert shell.json("order", "changes", order.name)["rows"] == []
    asked = shell.json("order", "change", order.name, "--set", "MUG=2", "--reason", "one too many")
    assert (asked["confirmed"], asked["preview"]["money"]["delta_minor"]) == (False, -1000)
    assert "another change" in shell.run("order", "change", order.name, "--cancel", code=1).stderr
    assert "changed" in shell.run("order", "confirm", asked["change"]).stdout
    assert "ended before" in shell.run("order", "confirm", asked["change"]).stdout
    address = orjson.dumps({"line1": "9 Other Road", "city": "Trenton", "country": "US"}).decode()
    (shell.folder / "to.json").write_text(address)
    assert "Trenton" in shell.run("order", "change", order.name, "--ship-to", "@to.json", "--yes").stdout
    second = shell.json("order", "change", order.name, "--cancel")["change"]
    assert "taken back" in shell.run("order", "take-back", second).stdout
    third = shell.json("order", "change", order.name, "--cancel")["change"]
    assert "declined" in shell.run("order", "decline", third, "--note", "no").stdout
    assert [row["status"] for row in shell.json("order", "changes", order.name)["rows"]] == [
        "declined", "cancelled", "confirmed", "confirmed",
    ]  # fmt: skip
    for words in (("--set", "MUG"), ("--set", "MUG=x"), ("--add", "TEE=1"), ("--add", "TEE=1@x"), ("--ship-to", "{")):
        shell.run("order", "change", order.name, *words, code=2)
    shell.run("order", "change", order.name, "--set", "CAP=1", code=3)
    shell.run("order", "confirm", "nonsense", code=3)
    assert shop.world.read(differences) == []


def test_the_checks_of_a_channel_are_chosen(shop: Shop) -> None:
    shell = shop.shell
    shell.run("order", "checks", "Web shop", "--off", "unpaid", "--set", "value.limit=25.00", "--set", "twin.minutes=5")
    rows = {row["name"]: row for row in shell.json("order", "checks", "Web shop")["rows"]}
    assert (rows["unpaid"]["on"], rows["twin"]["settings"]) == (False, {"minutes": 5})
    shop.buy(("MUG", 3), paid="PENDING")
    assert [row["kind"] for row in shell.json("order", "holds")["rows"]] == ["value"]
    shell.run("order", "checks", "Web shop", "--on", "unpaid", "--set", "value.limit=")
    assert "limit" not in str(shell.json("order", "checks", "Web shop")["rows"][-1]["settings"])
    assert "twin.minutes" in shell.run("order", "checks", "Web shop", "--set", "twin.minutes=no", code=2).stderr
    assert "there is no such check" in shell.run("order", "checks", "Web shop", "--on", "luck", code=2).stderr
    shell.run("order", "checks", "Web shop", "--set", "twin", code=2)
    shell.run("order", "checks", "Nowhere", code=3)
