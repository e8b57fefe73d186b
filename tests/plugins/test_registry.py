"""The registry: every installed connector is either usable or named with the reason why not."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys

import pytest

from hub.domain.routing.rankers import BUILT_IN
from hub.plugins import BrokenPluginError, UnknownPluginError, forget, manifest_errors, rankers, registry, strategies
from tests.plugins.conftest import CONNECTOR


def broken(name: str):
    (found,) = [plugin for plugin in registry().broken if plugin.name == name]
    return found


def names() -> list[str]:
    return [plugin.name for plugin in registry().plugins]


def test_the_connectors_of_the_house_are_found_and_keep_the_rules():
    assert registry().broken == ()
    assert names() == ["amazon", "easypost", "odoo", "shiphero", "shopify"]
    assert {
        plugin.name: manifest_errors(plugin.connector)
        for plugin in registry().plugins
        if manifest_errors(plugin.connector)
    } == {}


def test_an_installed_connector_is_found_with_its_package_and_what_it_can(packages):
    packages.connector("hub-connector-demo", "demo")
    plugin = registry().get("demo")
    assert (plugin.name, plugin.dist, plugin.version) == ("demo", "hub-connector-demo", "1.0")
    assert plugin.connector.manifest is plugin.manifest
    assert plugin.capabilities == ()
    assert "OrderSource" in registry().get("shopify").capabilities


def test_the_registry_is_read_once_and_again_when_told_to_forget(packages):
    before = registry()
    packages.connector("hub-connector-demo", "demo")
    assert registry() is before
    forget()
    importlib.invalidate_caches()
    assert "demo" in names()


def test_a_name_offered_twice_is_refused_altogether_and_both_are_listed(packages):
    packages.connector("demo-one", "demo")
    packages.connector("aaa-other", "other")
    packages.connector("demo-two", "demo")
    assert "demo" not in names()
    assert "other" in names()
    assert broken("demo").dist == "demo-one, demo-two"
    assert broken("demo").reason == (
        "demo is offered more than once: demo-one 1.0 (demo_one:Demo) and demo-two 1.0 (demo_two:Demo). Uninstall all but one."
    )
    assert "demo_one" not in sys.modules, "code of a refused plugin is not run"


def test_nobody_can_take_the_place_of_a_connector_of_the_house(packages):
    packages.connector("evil-twin", "shopify")
    assert "shopify" not in names()
    assert broken("shopify").dist == "evil-twin, orderhub"


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import no_such_module_at_all", "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise SystemExit('stop everything')", "SystemExit: stop everything"),
        ("assert 1 == 2, 'does not hold'", "AssertionError: does not hold"),
        ("def broken(:", "SyntaxError: invalid syntax"),
        ("raise BaseException('rude')", "BaseException: rude"),
        ("x = 1", "AttributeError: module 'bad_plugin' has no attribute 'Demo'"),
        ("Demo = 'text'", "bad_plugin:Demo is not a class that extends hub.sdk.Connector"),
        ("class Demo: pass", "bad_plugin:Demo is not a class that extends hub.sdk.Connector"),
        ("from hub.sdk import Connector\nclass Demo(Connector): pass", "bad_plugin:Demo has no manifest"),
    ],
)
def test_a_broken_plugin_is_kept_with_its_reason_and_stops_nobody(packages, code, words):
    packages.install("bad-plugin", code, {"hub.connectors": {"demo": "Demo"}})
    assert broken("demo").reason == words
    assert broken("demo").dist == "bad-plugin"
    assert "shopify" in names()


def test_the_traceback_of_a_broken_plugin_leads_to_its_file(packages):
    packages.install("bad-plugin", "1 / 0", {"hub.connectors": {"demo": "Demo"}})
    assert "bad_plugin.py" in broken("demo").traceback
    assert broken("demo").traceback.startswith("Traceback")


def test_the_interrupt_key_still_stops_the_hub(packages):
    packages.install("bad-plugin", "raise KeyboardInterrupt", {"hub.connectors": {"demo": "Demo"}})
    with pytest.raises(KeyboardInterrupt):
        registry()


@pytest.mark.parametrize(
    ("requires_sdk", "words"),
    [
        (">=2", "needs SDK >=2, but this hub has SDK 1"),
        ("<1", "needs SDK <1, but this hub has SDK 1"),
        ("newest", "requires_sdk 'newest' is not a version range"),
    ],
)
def test_a_connector_for_another_sdk_is_refused(packages, requires_sdk, words):
    packages.connector("hub-connector-demo", "demo", requires_sdk=requires_sdk)
    assert broken("demo").reason == words


def test_a_connector_is_called_what_its_manifest_says(packages):
    packages.connector("hub-connector-demo", "demo", id="other")
    assert broken("demo").reason == "the entry point is called demo but its manifest says other"


def test_a_connector_whose_manifest_breaks_the_rules_is_refused_with_all_that_is_wrong(packages):
    code = CONNECTOR.format(id="demo", requires_sdk=">=1,<2").replace(
        '"type": "string", "title": "Address"', '"type": "object", "properties": {"pin": {"writeOnly": True}}'
    )
    packages.install("hub-connector-demo", code, {"hub.connectors": {"demo": "Demo"}})
    assert broken("demo").reason == (
        "its manifest breaks the rules: the setting base_url has no title; the setting pin has no title; "
        "the secret pin stands inside another setting, where it would not be sealed"
    )
    assert "shopify" in names()


def test_a_connector_that_leaves_out_a_method_is_refused_by_its_name(packages):
    code = """
        from hub.sdk import Connector, Manifest, OrderSource

        class Demo(Connector, OrderSource):
            manifest = Manifest("demo", "Demo", "1.0.0", "demo", "https://example.com", {"type": "object"})

            def check(self): ...
            def orders(self, window, cursor): ...
    """
    packages.install("hub-connector-demo", code, {"hub.connectors": {"demo": "Demo"}})
    assert broken("demo").reason == "hub_connector_demo:Demo promises what it does not implement: order"


def test_asking_for_a_connector_that_is_not_there_says_which_are():
    with pytest.raises(UnknownPluginError) as unknown:
        registry().get("shopfy")
    assert str(unknown.value) == (
        "no connector is called 'shopfy'; there are: amazon, easypost, odoo, shiphero, shopify"
    )


def test_asking_for_a_broken_connector_says_why(packages):
    packages.install("bad-plugin", "raise ValueError('no licence')", {"hub.connectors": {"demo": "Demo"}})
    with pytest.raises(BrokenPluginError) as refused:
        registry().get("demo")
    assert str(refused.value) == "the connector demo (bad-plugin) cannot be used: ValueError: no licence"
    assert refused.value.plugin is broken("demo")


def test_rankers_and_strategies_are_functions_by_name(packages):
    code = "def cheapest(*_): return []\nno_function = 3"
    packages.install("demo-rankers", code, {"hub.routing.rankers": {"cheapest": "cheapest", "odd": "no_function"}})
    assert set(rankers()) == {"cheapest", *BUILT_IN}
    assert rankers()["cheapest"]() == []
    assert "odd" not in rankers()
    with pytest.raises(
        BrokenPluginError, match=r"odd \(demo-rankers\) cannot be used: demo_rankers:no_function is not a function"
    ):
        rankers()["odd"]
    with pytest.raises(
        UnknownPluginError, match=r"no plugin of hub\.routing\.strategies is called 'x'; there are: cost, http, ranked"
    ):
        strategies()["x"]
    assert rankers().get("no such ranker") is None


LIST_NAMES = "from hub.plugins import registry; print([p.name for p in registry().plugins])"


def test_a_plugin_installed_again_at_once_is_seen_as_it_is_now(packages, tmp_path):
    """The list that stevedore keeps on disk would still hold the first name: it tells files apart by their times, roughly."""
    home = tmp_path / "home"
    home.mkdir()

    def listed() -> str:
        env = {**os.environ, "PYTHONPATH": str(packages.folder), "HOME": str(home), "XDG_CACHE_HOME": str(home)}
        return subprocess.run(
            [sys.executable, "-c", LIST_NAMES], env=env, capture_output=True, text=True, check=True
        ).stdout

    packages.connector("hub-connector-demo", "first")
    assert "'first'" in listed()
    packages.connector("hub-connector-demo", "second")
    assert "'second'" in listed()
    assert "'first'" not in listed()
    assert list(home.iterdir()) == []
