"""The how-to pages of routing work as they stand there, from the first command to the last."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from sqlalchemy import update

from hub.domain.routing.plan import RANKED
from hub.store.tables import route_decision
from tests.cli.conftest import Shop

PAGES = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^```(yaml|sh)\n(.*?)^```", re.DOTALL | re.MULTILINE)


def followed(shop: Shop, page: str, **names: str) -> list[str]:
    """Do what a page says: write its files, give its commands; what they printed. `names` stand for words of it."""
    printed = []
    for kind, block in BLOCK.findall((PAGES / page).read_text(encoding="utf-8")):
        if kind == "yaml":
            (shop.shell.folder / block.splitlines()[0].removeprefix("# ")).write_text(block)
            continue
        for line in block.splitlines():
            words = [names.get(f"n{word}", word) for word in shlex.split(line)]
            printed.append(shop.shell.run(*words[1:]).stdout)
    return printed


def test_the_page_on_rules_leads_from_the_built_in_rules_to_ones_own(shop: Shop) -> None:
    shop.buy(("MUG", 1))
    printed = followed(shop, "decide-where-orders-ship-from.md")
    assert "standard@0 is published" in printed[0]
    assert "nothing wrong" in printed[2]
    assert "routing 'vip' is new" in printed[3]
    assert "2 tests, 0 failed." in printed[4]
    assert "Kept as standard@1." in printed[5]
    assert "of 1 orders would go elsewhere" in printed[7]
    assert "standard@1 counts now." in printed[8]
    assert "Nearby first" in printed[9]


def test_the_page_on_reasons_explains_an_order_and_decides_it_again(shop: Shop) -> None:
    number = shop.buy(("MUG", 1)).name
    shop.shell.run("location", "add", "EAST", "--country", "us")
    printed = followed(shop, "why-did-this-order-go-there.md", n1001=number)
    assert "WEST because" in printed[0]
    assert "every part of it is the same" in printed[0]
    assert '"WEST"' in printed[2]


def test_a_decision_that_comes_out_otherwise_now_says_what_that_may_mean(shop: Shop) -> None:
    number = shop.buy(("MUG", 1)).name
    with shop.world.db.begin() as tx:
        tx.execute(update(route_decision).values(strategy="ranked@0"))
    said = shop.shell.run("rules", "why", number, code=1).stdout
    assert "something differs. Now: WEST because" in said
    assert f"the program has changed since ({RANKED} now), or what was stored was altered." in said


def test_an_order_that_was_not_routed_has_no_reason_yet(shop: Shop) -> None:
    number = shop.buy(("MUG", 1), paid="PENDING").name
    assert "not routed yet" in shop.shell.run("rules", "why", number).stdout
    assert "no order" in shop.shell.run("rules", "why", "gone", code=3).stderr
