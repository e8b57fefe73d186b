"""Forms made from config schemas: what is shown, and what is read back."""

from __future__ import annotations

from typing import Any

from werkzeug.datastructures import MultiDict

from hub.plugins import ConfigError, registry
from hub.web import forms

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["shop", "token"],
    "properties": {
        "shop": {"type": "string", "title": "Shop", "x-hub": {"order": 2}},
        "token": {"type": "string", "title": "Token", "writeOnly": True, "x-hub": {"order": 1}},
        "region": {"type": "string", "enum": ["na", "eu"], "default": "eu", "x-hub": {"order": 3}},
        "size": {"type": "integer", "x-hub": {"order": 4, "group": "Advanced"}},
        "markets": {"type": "array", "items": {"type": "string"}, "x-hub": {"order": 5}},
        "kinds": {"type": "array", "items": {"enum": ["a", "b"]}, "x-hub": {"order": 6, "group": "Kinds"}},
        "active": {"type": "boolean", "default": True, "x-hub": {"order": 7}},
        "taxes": {"type": "object", "additionalProperties": {"type": "integer"}, "x-hub": {"order": 8}},
    },
}


def test_fields_stand_in_their_order_and_groups_with_advanced_last() -> None:
    found = forms.groups(SCHEMA, {})
    assert [group.name for group in found] == ["", "Kinds", "Advanced"]
    assert [field.name for field in found[0].fields] == ["token", "shop", "region", "markets", "active", "taxes"]
    controls = {field.name: field.control for group in found for field in group.fields}
    assert controls == {
        "token": "secret",
        "shop": "text",
        "region": "select",
        "markets": "lines",
        "active": "checkbox",
        "taxes": "pairs",
        "kinds": "choices",
        "size": "number",
    }
    assert found[2].folded
    assert not forms.groups(SCHEMA, {}, [ConfigError("size", "must be a whole number")])[2].folded


def test_a_secret_is_marked_as_set_and_never_shown() -> None:
    fields = {one.name: one for one in forms.groups(SCHEMA, {"token": "secret"}, stored={"token"})[0].fields}
    assert fields["token"].value is None
    assert fields["token"].is_set
    assert not fields["token"].required


def test_the_error_of_a_nested_setting_stands_at_its_field() -> None:
    [taxes] = [
        field
        for group in forms.groups(SCHEMA, {}, [ConfigError("taxes.EU", "must be a whole number")])
        for field in group.fields
        if field.error
    ]
    assert (taxes.name, taxes.described_by) == ("taxes", "taxes-error")


def test_what_was_entered_is_read_in_the_types_of_the_schema() -> None:
    form = MultiDict(
        [
            ("shop", "  demo "),
            ("token", ""),
            ("region", "na"),
            ("size", "12"),
            ("markets", "DE\nFR, IT\n\n"),
            ("kinds", "a"),
            ("kinds", "b"),
            ("taxes", "0.19 = 3\nEU reduced=7\nodd"),
        ]
    )
    assert forms.read(SCHEMA, form) == {
        "shop": "demo",
        "region": "na",
        "size": 12,
        "markets": ["DE", "FR", "IT"],
        "kinds": ["a", "b"],
        "active": False,
        "taxes": {"0.19": 3, "EU reduced": 7, "odd": ""},
    }
    assert forms.read(SCHEMA, MultiDict([("size", "many"), ("active", "on")])) == {"size": "many", "active": True}


def test_every_installed_connector_has_a_form_for_every_setting() -> None:
    for plugin in registry().plugins:
        schema = plugin.manifest.config_schema
        shown = {field.name for group in forms.groups(schema, {}) for field in group.fields}
        assert shown == set(schema["properties"]), plugin.name
