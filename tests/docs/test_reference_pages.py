"""The reference pages on errors and connectors say what the code says."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

import pytest

from hub.plugins import registry
from hub.plugins.reference import CAPABILITY_WORDS, page
from hub.sdk import CAPABILITIES, errors
from hub.sdk.http import error_for_status

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
ERRORS = (REFERENCE / "errors.md").read_text(encoding="utf-8")
PLUGINS = registry().plugins
each = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


def rows(heading):
    """The rows of the first table below a heading, as lists of cells."""
    parts = ERRORS[ERRORS.index(heading) :].split("\n\n")
    table = next(part for part in parts if part.startswith("| ")).splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table[2:]]


def test_every_error_class_is_explained_once_with_its_code_and_no_other():
    known = [
        (f"`{cls.__name__}`", f"`{cls.code}`")
        for cls in vars(errors).values()
        if isinstance(cls, type) and issubclass(cls, errors.ConnectorError) and cls is not errors.ConnectorError
    ]
    assert [(name, code) for name, code, *_ in rows("## What each class means")] == known
    assert all(meaning and action for *_, meaning, action in rows("## What each class means"))


def test_the_table_of_statuses_is_that_of_the_client():
    said = {}
    for what, safe, write in rows("## What the HTTP client raises"):
        for status in re.findall(r"\b[345]\d\d\b", what):
            said[int(status)] = (safe.strip("`"), write.strip("`"))
        if "5xx" in what:
            said |= dict.fromkeys((500, 502, 503, 504, 520), (safe.strip("`"), write.strip("`")))
        if "another 3xx" in what:
            said |= dict.fromkeys((300, 302, 303, 304), (safe.strip("`"), write.strip("`")))
        if "another 4xx" in what:
            said |= dict.fromkeys((400, 405, 413, 422), (safe.strip("`"), write.strip("`")))
    does = {
        status: tuple(type(error_for_status(status, "", safe=safe)).__name__ for safe in (True, False))
        for status in said
    }
    assert len(said) > 20
    assert said == does


def test_the_page_on_connectors_is_written_from_the_registry():
    written = (REFERENCE / "connectors.md").read_text(encoding="utf-8")
    assert written == page(PLUGINS), "run: python -m hub.plugins.reference > docs/reference/connectors.md"


def test_every_capability_has_words_for_people():
    assert set(CAPABILITY_WORDS) == set(CAPABILITIES)
    assert len(set(CAPABILITY_WORDS.values())) == len(CAPABILITIES)


@each
def test_every_connector_has_a_readme_settings_with_words_and_a_place_on_the_page(plugin):
    folder = files(plugin.connector.__module__.rpartition(".")[0])
    readme = folder.joinpath("README.md").read_text(encoding="utf-8")
    assert readme.startswith("# ")
    assert len(readme.split()) > 100
    settings = plugin.manifest.config_schema["properties"]
    assert all(rule.get("title") and rule.get("description") for rule in settings.values())
    written = (REFERENCE / "connectors.md").read_text(encoding="utf-8")
    assert f"## {plugin.manifest.label}\n" in written
    assert all(f"| `{name}` |" in written for name in settings)


def test_no_installed_connector_is_broken():
    assert [(plugin.name, plugin.reason) for plugin in registry().broken] == []
