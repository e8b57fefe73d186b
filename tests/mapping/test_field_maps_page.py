"""The page docs/reference/field-maps.md: every example on it is run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from hub import schemas
from hub.mapping import compile_map, transforms
from hub.mapping.selectors import Env
from hub.mapping.source import parse
from hub.mapping.vias import compile_via
from hub.sdk.errors import SchemaDrift

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "reference" / "field-maps.md").read_text()
ROWS = re.findall(r"^\| `(.+?)` \| `(.+?)` \| (.+?) \|$", PAGE, re.MULTILINE)
WHOLE = PAGE[PAGE.index("## A whole map") : PAGE.index("## The file")]


@pytest.fixture(autouse=True)
def _demo_maps(monkeypatch):
    monkeypatch.syspath_prepend(HERE)


def _blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", WHOLE, re.DOTALL)


@pytest.fixture
def demo_orders():
    return compile_map(parse(_blocks("yaml")[0], "page"), "page", "demo_maps")


@pytest.fixture
def record():
    return json.loads(_blocks("json")[0])


@pytest.mark.parametrize(("via", "given", "out"), ROWS)
def test_the_page_states_what_each_transform_does(via, given, out):
    value = json.loads(given)
    if out.startswith("error: "):
        with pytest.raises(ValueError, match="^" + re.escape(out.removeprefix("error: "))):
            _changed(via, value)
        return
    expected = json.loads(out.strip("`"))
    assert _changed(via, value) == expected
    assert type(_changed(via, value)) is type(expected)


def _changed(via: str, value):
    env = Env(value, None, value)
    for change in compile_via(parse(via, "page"), package="demo_maps", nested=False):
        value = change(value, env)
    return value


def test_the_page_shows_every_transform():
    shown = {re.sub(r"[{\[]?(\w+).*", r"\1", via) for via, _, _ in ROWS}
    assert shown == {*transforms.PLAIN, *transforms.OPTIONAL, *transforms.REQUIRED, "lookup", "concat"}


def test_the_whole_map_of_the_page_makes_the_document_of_the_page(demo_orders, record):
    document = demo_orders.apply(record)
    assert document == json.loads(_blocks("json")[1])
    assert schemas.errors("order.v1", document) == []


def test_the_whole_map_refuses_as_the_page_says(demo_orders, record):
    record["money"]["total"] = "24.905"
    with pytest.raises(SchemaDrift) as refused:
        demo_orders.apply(record)
    assert str(refused.value) == _blocks("text")[0].strip()
    assert refused.value.path == "totals.total_minor"
