"""Settings of a connection: errors name the form field and say what to do, and never show what was typed."""

from __future__ import annotations

import pytest

from hub.plugins import ConfigError, config_errors, registry, split_secrets
from hub.sdk import Manifest


def manifest(schema: dict) -> Manifest:
    return Manifest("demo", "Demo", "1.0.0", "demo", "https://example.com", {"type": "object", **schema})


SHOP = manifest(
    {
        "required": ["shop", "api_key"],
        "additionalProperties": False,
        "properties": {
            "shop": {
                "type": "string", "title": "Shop", "description": "Name of the shop.", "pattern": "^[a-z0-9-]+$",
                "x-hub": {"help": "Small letters, digits and dashes, such as demo-shop."},
            },
            "api_key": {"type": "string", "title": "API key", "writeOnly": True, "minLength": 8},
            "base_url": {"type": "string", "title": "Address", "format": "uri"},
            "pages": {"type": "integer", "title": "Page size", "minimum": 1, "maximum": 250},
            "mode": {"enum": ["live", "test"], "title": "Mode"},
            "hosts": {"type": "array", "title": "Hosts", "items": {"type": "string", "title": "Host", "format": "hostname"}},
            "since": {"type": "string", "title": "Since", "format": "date"},
        },
    }
)  # fmt: skip
GOOD = {"shop": "demo", "api_key": "12345678"}


def test_good_settings_have_no_errors():
    assert (
        config_errors(SHOP, {**GOOD, "base_url": "http://127.0.0.1:80", "mode": "test", "hosts": ["a.example.com"]})
        == []
    )


@pytest.mark.parametrize("blank", ["", None])
def test_a_blank_field_counts_as_not_given(blank):
    assert config_errors(SHOP, {**GOOD, "pages": blank, "mode": blank}) == []
    assert config_errors(SHOP, {**GOOD, "shop": blank}) == [ConfigError("shop", "Shop is missing.")]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"shop": "My Shop"},
            "Shop does not have the right form. Small letters, digits and dashes, such as demo-shop.",
        ),
        ({"api_key": "short"}, "API key must have at least 8 characters."),
        ({"base_url": "shop.example.com"}, "Address must be a web address such as https://example.com."),
        ({"base_url": "ftp://example.com"}, "Address must be a web address such as https://example.com."),
        ({"pages": "ten"}, "Page size must be a whole number."),
        ({"pages": 0}, "Page size must be at least 1."),
        ({"pages": 900}, "Page size must be at most 250."),
        ({"mode": "prod"}, "Mode must be one of: live, test."),
        ({"since": "2026-02-30"}, "Since must be a date such as 2026-01-31."),
        ({"shopname": "x"}, "There is no setting called shopname."),
    ],
)
def test_each_error_names_its_field_in_words_a_person_can_act_on(setting, message):
    (field,) = setting
    assert config_errors(SHOP, {**GOOD, **setting}) == [ConfigError(field, message)]


def test_an_error_inside_a_list_names_the_place():
    assert config_errors(SHOP, {**GOOD, "hosts": ["a.example.com", "not a host"]}) == [
        ConfigError("hosts.1", "Host must be a host name such as shop.example.com.")
    ]


def test_all_errors_are_told_at_once():
    found = config_errors(SHOP, {"pages": 0, "mode": "x"})
    assert [error.field for error in found] == ["api_key", "mode", "pages", "shop"]


SIGN_IN = manifest(
    {
        "properties": {"sign_in": {"title": "Sign in with", "type": "string"}},
        "oneOf": [
            {
                "required": ["token"],
                "properties": {
                    "sign_in": {"const": "token"},
                    "token": {"type": "string", "title": "Token", "writeOnly": True},
                },
            },
            {
                "required": ["user", "password"],
                "properties": {
                    "sign_in": {"const": "user"},
                    "user": {"type": "string", "title": "User"},
                    "password": {"type": "string", "title": "Password", "writeOnly": True},
                },
            },
        ],
    }
)


def test_of_alternatives_only_the_one_that_was_chosen_is_told_about():
    assert config_errors(SIGN_IN, {"sign_in": "user", "user": "demo"}) == [
        ConfigError("password", "Password is missing.")
    ]
    assert config_errors(SIGN_IN, {"sign_in": "token"}) == [ConfigError("token", "Token is missing.")]
    assert config_errors(SIGN_IN, {"sign_in": "user", "user": "demo", "password": "p"}) == []


def test_secrets_are_kept_apart_and_blank_ones_left_out():
    assert split_secrets(SHOP, {"shop": "demo", "api_key": "k"}) == ({"shop": "demo"}, {"api_key": "k"})
    assert split_secrets(SHOP, {"shop": "demo", "api_key": ""}) == ({"shop": "demo"}, {})
    assert split_secrets(SIGN_IN, {"sign_in": "user", "user": "demo", "password": "p"}) == (
        {"sign_in": "user", "user": "demo"},
        {"password": "p"},
    )


@pytest.mark.parametrize("name", ["amazon", "easypost", "odoo", "shiphero", "shopify"])
def test_no_error_of_any_connector_shows_what_was_typed(name):
    known = registry().get(name).manifest
    typed = "seeded canary value"
    wrong = {setting: [typed] for setting in known.config_schema["properties"]}
    text = " ".join(error.message for error in config_errors(known, {**wrong, "unknown": typed}))
    assert text
    assert typed not in text


@pytest.mark.parametrize("name", ["amazon", "easypost", "odoo", "shiphero", "shopify"])
def test_an_empty_form_tells_the_required_fields_of_every_connector(name):
    known = registry().get(name).manifest
    told = {error.field for error in config_errors(known, {})}
    assert set(known.config_schema.get("required", ())) <= told
