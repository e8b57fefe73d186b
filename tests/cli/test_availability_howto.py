"""The page on what channels are told works as it stands there, from the first command to the last."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Shop

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "decide-what-each-channel-is-told.md"
BLOCK = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def listed(shop: Shop) -> Shop:
    """The shop, whose articles are known to the hub as listings and whose place is linked."""
    (shop.shell.folder / "new.csv").write_text("sku,location,on_hand\nNEW,WEST,0\n")
    shop.shell.run("stock", "import", "new.csv", "--create")
    shop.shell.run("location", "link", "Web shop", f"{shop.sandbox.state.locations[0].id}=WEST")
    shop.world.later(hours=2)
    shop.shell.run("connection", "sync", "Web shop")
    shop.world.run()
    return shop


def commands() -> list[list[str]]:
    return [
        shlex.split(line, comments=True)[1:]
        for block in BLOCK.findall(PAGE.read_text(encoding="utf-8"))
        for line in block.splitlines()
    ]


def test_the_page_leads_from_a_threshold_to_a_feed(listed: Shop) -> None:
    listed.shell.run("stock", "adjust", "MUG", "WEST", "--to", "10", "--reason", "count")
    listed.shell.json(
        "connection", "add", "shiphero", "3PL", "--set", "shop_name=x", "--set", "refresh_token=y", "--no-check"
    )
    said = {" ".join(words): listed.shell.run(*words).stdout for words in commands()}
    assert "WEST has 10 units available" in said["stock explain MUG"]
    assert "keeps back 1 of each article" in said["availability channel Web shop --threshold 1"]
    rule = "availability rule add threshold 3 --channel Web shop --sku MUG"
    assert "0 would rise and 1 would fall" in said[f"{rule} --dry-run"]
    assert "Rule 1: keep 3 from the channel on Web shop, SKU MUG." in said[f"{rule} --note Often broken"]
    assert "Rule 1: keep 0 from the channel, tagged sale." in said["availability rule move 2 1"]
    assert "The rule is gone: keep 0 from the channel, tagged sale." in said["availability rule remove 1"]
    assert "sells from the group web" in said["availability channel Web shop --group web"]
    assert "WEST has the parts of 2 kits" in said["stock explain NEW"]
    assert "No feed waits." in said["availability feed list"]
    assert "doubted from 80 percent on" in said["availability channel 3PL --guard 80"]


def test_what_is_told_is_what_is_explained(listed: Shop) -> None:
    listed.shell.run("availability", "rule", "add", "threshold", "3", "--sku", "MUG")
    listed.world.run()
    assert listed.sandbox.available("MUG") == 7
    (told,) = listed.shell.json("stock", "explain", "MUG", "--channel", "Web shop")["channels"]
    assert (told["told"], told["figure"], told["steps"][-1]["left"]) == (7, 7, 7)
    assert "not listed on a channel" in listed.shell.run("stock", "explain", "MUG", "--channel", "Other", code=3).stderr


def test_a_rule_that_is_not_there_is_named(listed: Shop) -> None:
    assert "there is no rule '9'" in listed.shell.run("availability", "rule", "remove", "9", code=1).stderr


def test_a_kit_is_shown_and_cleared(listed: Shop) -> None:
    listed.shell.run("kit", "set", "TEE", "--of", "MUG:2", code=1)  # TEE lies on a shelf of its own
    listed.shell.run("stock", "adjust", "TEE", "WEST", "--to", "0", "--reason", "count")
    listed.shell.run("kit", "set", "TEE", "--of", "MUG:2")
    assert listed.shell.json("kit", "show", "TEE")["components"] == [{"sku": "MUG", "title": "MUG", "quantity": 2}]
    listed.shell.run("kit", "clear", "TEE")
    assert "is no kit" in listed.shell.run("kit", "show", "TEE").stdout
    listed.shell.run("kit", "set", "TEE", "--of", "MUG", code=2)
