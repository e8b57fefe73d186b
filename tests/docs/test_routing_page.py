"""The reference page of routing has everything that rules may say."""

from __future__ import annotations

import re
from pathlib import Path

from hub import plugins, schemas

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "routing.md").read_text(encoding="utf-8")
SCHEMA = schemas.schema("routing-rules.v1")


def test_every_field_of_a_rule_set_is_on_the_page():
    parts = [SCHEMA, *SCHEMA["$defs"].values()]
    names = {name for part in parts for name in part["properties"]}
    told = set(re.findall(r"`(?:reevaluate\.)?([a-z_]+)`", PAGE))
    assert names - told - {"reevaluate"} == set()


def test_every_ranker_and_strategy_is_on_the_page():
    assert [name for name in plugins.rankers() if not re.search(rf"^\| `{name}[:`]", PAGE, re.MULTILINE)] == []
    assert [name for name in plugins.strategies() if f"**`{name}`**" not in PAGE] == []
