"""Functions that plugins offer to field maps."""

from __future__ import annotations

import sys

import pytest

from hub.mapping import MapError, compile_map
from hub.mapping.vias import GROUP
from hub.sdk.errors import SchemaDrift

CODE = """
def per_unit(value, env):
    return value // env.root["units"] + len(env.parent["items"]) + env.this["extra"]

def whole(record, env):
    return record["name"].strip() or None

def fails(value, env):
    return {}["gone"]

TRANSFORMS = {"per_unit": per_unit, "whole": whole, "fails": fails}
"""


def order_map(*fields):
    return compile_map({"id": "demo.orders", "version": 1, "target": "order.v1", "fields": list(fields)}, "demo.yml")


def test_a_plugin_function_sees_root_parent_and_this(packages):
    packages.install("demo-plugin", CODE, {GROUP: {"demo": "TRANSFORMS"}})
    made = order_map(
        {"to": "lines", "foreach": "items", "fields": [{"to": "quantity", "from": "price", "via": "demo.per_unit"}]}
    )
    record = {"units": 2, "items": [{"price": 10, "extra": 100}]}
    assert made.apply(record) == {"lines": [{"quantity": 5 + 1 + 100}]}


def test_without_from_a_plugin_function_gets_the_record(packages):
    packages.install("demo-plugin", CODE, {GROUP: {"demo": "TRANSFORMS"}})
    assert order_map({"to": "note", "via": "demo.whole"}).apply({"name": " x "}) == {"note": "x"}
    assert order_map({"to": "note", "via": "demo.whole", "default": "-"}).apply({"name": " "}) == {"note": "-"}


def test_a_plugin_function_that_stumbles_is_drift_at_that_field(packages):
    packages.install("demo-plugin", CODE, {GROUP: {"demo": "TRANSFORMS"}})
    with pytest.raises(SchemaDrift, match=r"note: KeyError: 'gone' \(from name\)") as drift:
        order_map({"to": "note", "from": "name", "via": "demo.fails"}).apply({"name": "x"})
    assert drift.value.path == "note"


def test_plugin_code_is_not_loaded_before_a_map_names_it(packages):
    packages.install("demo-plugin", CODE, {GROUP: {"demo": "TRANSFORMS"}})
    order_map({"to": "note", "from": "name"})
    assert "demo_plugin" not in sys.modules
    order_map({"to": "note", "from": "name", "via": "demo.whole"})
    assert "demo_plugin" in sys.modules


@pytest.mark.parametrize(
    ("code", "via", "words"),
    [
        (CODE, "demo.none", "the plugin demo has no transform called none"),
        (CODE, {"demo.whole": "x"}, "the transform demo.whole takes no argument"),
        ("TRANSFORMS = [1]", "demo.x", "demo_plugin:TRANSFORMS is not a dict of functions"),
        ("TRANSFORMS = {'x': 1}", "demo.x", "demo_plugin:TRANSFORMS is not a dict of functions"),
        (
            "raise SystemExit('no')",
            "demo.x",
            "the transforms called demo.* cannot be loaded from demo_plugin:TRANSFORMS: no",
        ),
    ],
)
def test_what_a_plugin_does_not_offer_is_refused_when_the_map_is_loaded(packages, code, via, words):
    packages.install("demo-plugin", code, {GROUP: {"demo": "TRANSFORMS"}})
    with pytest.raises(MapError) as refused:
        order_map({"to": "note", "from": "name", "via": via})
    assert str(refused.value) == f"demo.yml: entry 1 (note): {words}"


def test_two_plugins_with_one_prefix_are_refused_and_both_listed(packages):
    packages.install("demo-one", CODE, {GROUP: {"demo": "TRANSFORMS"}})
    packages.install("demo-two", CODE, {GROUP: {"demo": "TRANSFORMS"}})
    with pytest.raises(MapError, match="demo_one:TRANSFORMS of demo-one and demo_two:TRANSFORMS of demo-two"):
        order_map({"to": "note", "from": "name", "via": "demo.whole"})
