"""Transfers, counts and lots at the command line."""

from __future__ import annotations

from hub.store import ledger, lots
from tests.cli.conftest import Shop


def test_stock_is_moved_counted_and_kept_by_lot(shop: Shop) -> None:
    shell = shop.shell
    shell.run("location", "add", "EAST", "--country", "us")
    number = shell.run("transfer", "create", "WEST", "EAST", "MUG=4", "--ready").stdout.strip()
    assert "4 x MUG" in shell.run("transfer", "show", number).stdout
    shell.run("transfer", "ship", number, "MUG=3")
    assert "left before" in shell.run("transfer", "ship", number).stdout
    shell.run("transfer", "receive", number, "MUG=1", "--condition", "damaged", "--key", "van")
    again = ("transfer", "receive", number, "MUG=1", "--condition", "damaged", "--key", "van")
    assert "booked before" in shell.run(*again).stdout
    assert "another request" in shell.run("transfer", "receive", number, "MUG=2", "--key", "van", code=1).output
    shell.run("transfer", "close", number, "--lost", "MUG=1")
    assert "SKU=UNITS" in shell.run("transfer", "receive", number, "--condition", "damaged", code=2).output
    shell.run("transfer", "receive", number, "--key", "rest")
    assert "booked before" in shell.run("transfer", "receive", number, "--key", "rest").stdout
    [row] = shell.json("transfer", "list", "--status", "closed_short")["rows"]
    assert (row["number"], row["received"], row["expected"]) == (number, 2, 0)
    assert "next can be: nothing" in shell.run("transfer", "cancel", number, code=1).stderr
    shell.run("transfer", "show", "TR-0", code=3)
    shell.run("transfer", "create", "WEST", "EAST", "MUG", code=2)
    assert shop.world.on_shelf()["EAST"]["MUG"] == (2, 1, 0)


def test_a_location_is_counted_from_a_file(shop: Shop) -> None:
    shell = shop.shell
    number = shell.run("count", "create", "WEST", "--assign", "Bo").stdout.strip()
    shell.run("count", "start", number)
    (shell.folder / "found.csv").write_text("sku,units\nMUG,9\nNIX,1\n")
    assert "1 rows are entered, 1 were left out" in shell.run("count", "import", number, "found.csv", code=1).stdout
    assert shell.json("count", "show", number)["lines"][0]["seen"] is None, "the count is blind"
    shell.run("count", "enter", number, "TEE", "2")
    shell.run("count", "enter", number, "TEE", "3", "--add")
    assert "0 units more than in the books, 1 fewer." in shell.run("count", "review", number).stdout
    shell.run("count", "recount", number, "TEE")
    shell.run("count", "start", number)
    shell.run("count", "enter", number, "TEE", "6")
    shell.run("count", "review", number)
    assert "is in the books" in shell.run("count", "apply", number).stdout
    assert "in the books before" in shell.run("count", "apply", number).stdout
    assert shop.world.on_shelf()["WEST"] == {"MUG": (9, 9, 0), "TEE": (6, 6, 0)}
    assert shell.json("count", "list", "--status", "applied")["rows"][0]["number"] == number
    assert "cancelled" in shell.run("count", "cancel", shell.run("count", "create", "WEST").stdout.strip()).stdout


def test_lots_are_kept_blocked_and_traced(shop: Shop) -> None:
    shell = shop.shell
    shell.run("stock", "adjust", "TEE", "WEST", "--to", "0", "--reason", "count")
    shell.run("lot", "track", "TEE", "lot")
    shell.run(
        "lot", "adjust", "TEE", "WEST", "--by", "4", "--lot", "L1", "--expires", "2999-01-01", "--reason", "delivery"
    )
    assert "2999-01-01" in shell.run("lot", "list", "TEE").stdout
    shop.buy(("TEE", 1))
    assert "4 units are held back" in shell.run("lot", "block", "TEE", "L1", "--reason", "glass").stdout
    assert "4 at WEST" in shell.run("lot", "trace", "L1").stdout
    assert "4 units are free again" in shell.run("lot", "unblock", "TEE", "L1").stdout
    assert "add up" in shell.run("lot", "audit").stdout
    shell.run("lot", "trace", "NIX", code=3)
    shell.run("lot", "adjust", "TEE", "WEST", "--by", "1", "--lot", "L1", "--expires", "soon", "--reason", "x", code=1)
    assert shop.world.read(lots.differences) == shop.world.read(ledger.differences) == []
