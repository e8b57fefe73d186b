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


def test_a_file_that_is_not_right_says_which_row_and_why(shop: Shop) -> None:
    shell = shop.shell
    assert "'XXX' is not an ISO 4217" in shell.run("supplier", "add", "ACME", "--currency", "XXX", code=2).stderr
    shell.run("supplier", "add", "ACME", "--currency", "EUR")
    for content, words, code in (
        ("sku;cost\nMÜG;3,50\n".encode("latin-1"), "UTF-8", 1),
        (b"sku;cost\nMUG;3.50\nTEE;4,20\n", "row 2 (TEE): '4,20'", 2),
        (b"sku,cost\nMUG,Infinity\n", "row 1 (MUG): 'Infinity'", 2),
        (b"sku,cost,pack_size\nMUG,1,1e3\n", "row 1 (MUG): '1e3' is no whole number", 2),
    ):
        (shell.folder / "offers.csv").write_bytes(content)
        said = shell.run("supplier", "articles", "ACME", "offers.csv", code=code).output
        assert words in " ".join(said.split())
    (shell.folder / "offers.csv").write_text("sku,cost\nMUG,99999999999999\nTEE,2.50\n")
    assert "A unit costs 0 to" in shell.run("supplier", "articles", "ACME", "offers.csv", code=1).output
    many = "9" * 30
    assert "no whole number" in shell.run("purchase", "draft", "ACME", "WEST", f"MUG={many}", code=2).output
    assert (
        "too large"
        in shell.run("stock", "adjust", "MUG", "WEST", "--by", many, "--reason", "count", "--key", "k", code=1).output
    )
