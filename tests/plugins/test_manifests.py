"""Manifests: every rule that a connector can break is found and named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.plugins import manifest_errors
from hub.sdk import (
    ApiKey,
    BasicAuth,
    CheckResult,
    Connector,
    FindByReference,
    LedgerSink,
    Manifest,
    OAuth2,
    RateLimit,
    Stream,
    Void,
    secret_names,
)

SETTINGS = {
    "type": "object",
    "properties": {
        "shop": {"type": "string", "title": "Shop"},
        "api_key": {"type": "string", "title": "API key", "writeOnly": True},
    },
}
GOOD = Manifest(
    id="demo",
    label="Demo",
    version="1.0.0",
    owner="demo",
    docs_url="https://example.com/docs",
    config_schema=SETTINGS,
    auth=ApiKey("X-Key", "api_key"),
    streams=(Stream("orders", "order", "shopify/orders.yml"),),
    rate_limits=(RateLimit("default", 2, 10),),
    allowed_hosts=("{shop}.example.com",),
    idempotency={"void": "native"},
)


class Demo(Connector, Void):
    manifest = GOOD

    def check(self):
        return CheckResult(ok=True)

    def void(self, ref, key):  # noqa: ARG002 - the signature of the SDK
        return True


class Finding(Demo, FindByReference):
    def find(self, operation, reference):  # noqa: ARG002 - the signature of the SDK
        return None


def errors(connector=Demo, **changes):
    return manifest_errors(type("Changed", (connector,), {"manifest": replace(GOOD, **changes)}))


def settings(**properties):
    return {**SETTINGS, "properties": {**SETTINGS["properties"], **properties}}


def test_a_good_manifest_has_no_errors():
    assert manifest_errors(Demo) == []
    assert manifest_errors(Finding) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"id": "Demo-Shop"}, "id 'Demo-Shop' may hold only a-z, 0-9 and _"),
        ({"version": "1.0"}, "version '1.0' is not a semantic version"),
        ({"config_version": 0}, "config_version 0 is below 1"),
        ({"config_version": 2}, "config_version is 2, but no migrate_config brings earlier settings over"),
        ({"owner": " "}, "owner is empty"),
        ({"docs_url": "http://example.com"}, "docs_url does not begin with https://"),
        ({"requires_sdk": "one"}, "requires_sdk 'one' is not a version range"),
        ({"config_schema": {**SETTINGS, "required": "shop"}}, "config_schema is not valid JSON Schema 2020-12 at /required"),
        ({"config_schema": settings(zone={"type": "string"})}, "the setting zone has no title"),
        ({"config_schema": settings(accessToken={"type": "string", "title": "T"})}, "accessToken looks secret but is not writeOnly"),
        ({"config_schema": settings(a={"title": "A", "type": "object", "properties": {"private_key": {"title": "K"}}})}, "private_key looks secret"),
        ({"config_schema": {**SETTINGS, "oneOf": [{"properties": {"password": {"title": "P"}}}]}}, "password looks secret"),
        ({"config_schema": settings(a={"title": "A", "type": "object", "properties": {"pin": {"title": "P", "writeOnly": True}}})}, "the secret pin stands inside another setting"),
        ({"config_schema": settings(a={"title": "A", "type": "array", "items": {"type": "string", "writeOnly": True}})}, "the secret items stands inside another setting"),
        ({"config_schema": {**settings(a={"title": "A", "$ref": "#/$defs/pin"}), "$defs": {"pin": {"type": "string", "writeOnly": True}}}}, "the secret pin stands inside another setting"),
        ({"config_schema": {**SETTINGS, "oneOf": [{"properties": {"a": {"title": "A", "properties": {"pin": {"title": "P", "writeOnly": True}}}}}]}}, "the secret pin stands inside another setting"),
        ({"config_schema": settings(pin={"title": "P", "type": "integer", "writeOnly": True})}, "the setting pin is secret but not text"),
        ({"config_schema": {**SETTINGS, "examples": [{"shop": 1}]}}, "an example of config_schema breaks it"),
        ({"auth": BasicAuth("user")}, "auth reads the setting user"),
        ({"auth": OAuth2("https://{region}.example.com/token", "client_credentials")}, "auth reads the setting region"),
        ({"allowed_hosts": ()}, "nothing can be called"),
        ({"allowed_hosts": ("*",)}, "'*' is not a host"),
        ({"allowed_hosts": ("https://example.com",)}, "is not a host"),
        ({"allowed_hosts": ("{region}.example.com",)}, "allowed_hosts reads the setting region"),
        ({"rate_limits": (RateLimit("a", 1, 1), RateLimit("a", 1, 1))}, "the rate limit a stands 2 times"),
        ({"rate_limits": (RateLimit("a", 0, 1),)}, "the rate limit a lets nothing through"),
        ({"streams": (Stream("o", "order", "demo/none.yml"),)}, "names the field map demo/none.yml, which does not exist"),
        ({"streams": (Stream("o", "order", "no_package:o.yml"),)}, "names the field map no_package:o.yml, which does not exist"),
        ({"streams": (Stream("o", "order"),)}, "the stream o has no field map"),
        ({"streams": (Stream("o", "order", "shopify/orders.yml", polled=True),)}, "is polled, but the connector is no OrderSource"),
        ({"streams": (Stream("o", "lifecycle"), Stream("o", "lifecycle"))}, "the stream o stands 2 times"),
        ({"streams": (Stream("o", "notice"),)}, "there is no polled stream of orders to read them"),
        ({"idempotency": {}}, "idempotency does not say what protects void"),
        ({"idempotency": {"void": "maybe"}}, "idempotency of void is 'maybe'"),
        ({"idempotency": {"void": "none", "post": "native"}}, "idempotency names post, which the connector does not do"),
    ],
)  # fmt: skip
def test_each_broken_rule_is_named(changes, words):
    (found,) = errors(**changes)
    assert words in found


def test_a_fixed_choice_and_a_setting_narrowed_elsewhere_need_no_second_title():
    narrowed = {
        **SETTINGS,
        "allOf": [{"if": {"properties": {"shop": {"const": "x"}}}, "then": {"properties": {"shop": {"minLength": 2}}}}],
    }
    assert errors(config_schema=narrowed) == []


def test_a_later_form_comes_with_the_way_to_it():
    class Later(Demo):
        @classmethod
        def migrate_config(cls, settings, from_version):  # noqa: ARG003 - the signature of the SDK
            return settings

    assert errors(Later, config_version=2) == []


def test_secrets_of_alternatives_are_settings_themselves():
    pin = {"properties": {"pin": {"type": "string", "title": "PIN", "writeOnly": True}}}
    either = {**SETTINGS, "oneOf": [pin, {"allOf": [{"if": {"properties": {"shop": {"const": "x"}}}, "then": pin}]}]}
    assert errors(config_schema=either) == []
    assert secret_names(either) == {"api_key", "pin"}


def test_only_what_can_be_looked_up_may_rely_on_it():
    class Sink(Demo, LedgerSink):
        def post(self, posting, key):
            raise NotImplementedError

    idempotency = {"void": "native", "post": "lookup"}
    assert errors(Sink, idempotency=idempotency) == [
        "idempotency of post is lookup, but the connector is no FindByReference"
    ]
    assert errors(type("FindingSink", (Sink, Finding), {}), idempotency=idempotency) == []
