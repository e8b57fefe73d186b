"""Rules that every installed connector keeps, whatever it speaks to. A new connector is held to them by its entry point.

The numbers are those of the conformance list: C01 imports, C02-C05 and C08 the manifest, C06 the ways out, C07 maps.
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hub import schemas
from hub.mapping import load
from hub.plugins import manifest_errors, registry
from hub.sdk import OAuth2, secret_names

PLUGINS = registry().plugins
WAYS_OUT = {
    "requests",
    "urllib.request",
    "urllib3",
    "http.client",
    "httpx",
    "aiohttp",
    "socket",
    "ssl",
    "subprocess",
    "smtplib",
    "ftplib",
}
DOCUMENT_OF = {
    "order": "order.v1",
    "inventory": "inventory.v1",
    "shipment": "shipment.v1",
    "fulfillment": "fulfillment.v1",
    "product": "product.v1",
}
SILENT_IMPORT = """
import socket, sys, threading
def refuse(*args, **kwargs):
    raise AssertionError("a connector opened a socket while it was imported")
before = threading.active_count()
socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse
import importlib
importlib.import_module(sys.argv[1])
assert threading.active_count() == before, "a connector started a thread while it was imported"
"""

each = pytest.mark.parametrize("plugin", PLUGINS, ids=lambda plugin: plugin.name)


def package(plugin):
    return plugin.connector.__module__.rpartition(".")[0]


def folder(plugin) -> Path:
    return Path(importlib.import_module(package(plugin)).__file__).parent


def modules(plugin):
    """Syntax trees of the connector's modules, without its sandbox, which stands in for the vendor."""
    return {
        path: ast.parse(path.read_text())
        for path in sorted(folder(plugin).rglob("*.py"))
        if path.stem != "sandbox" and "sandbox" not in path.parts
    }


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_entry_point_of_a_connector_can_be_loaded():
    assert registry().broken == ()
    assert PLUGINS


@each
def test_c01_importing_calls_nobody_and_starts_nothing(plugin):
    done = subprocess.run(
        [sys.executable, "-c", SILENT_IMPORT, plugin.connector.__module__], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@each
def test_c02_to_c05_and_c08_the_manifest_keeps_its_rules(plugin):
    assert manifest_errors(plugin.connector) == []


@each
def test_c03_every_setting_is_described_for_the_person_who_fills_it_in(plugin):
    settings = plugin.manifest.config_schema["properties"]
    assert [name for name, rule in settings.items() if not str(rule.get("description", "")).strip()] == []
    orders = [rule["x-hub"]["order"] for rule in settings.values() if "order" in rule.get("x-hub", {})]
    assert len(orders) == len(set(orders))


@each
def test_c04_what_the_credential_reads_is_a_setting_and_its_secret_part_is_hidden(plugin):
    auth, settings = plugin.manifest.auth, plugin.manifest.config_schema["properties"]
    names = [
        getattr(auth, part, "")
        for part in (
            "secret",
            "username",
            "password",
            "client_id",
            "client_secret",
            "refresh_token",
            "token_url_setting",
        )
    ]
    assert [name for name in names if name and name not in settings] == []
    secret = [getattr(auth, part, "") for part in ("secret", "password", "client_secret", "refresh_token")]
    assert {name for name in secret if name} <= secret_names(plugin.manifest.config_schema)


@each
def test_a_sandbox_can_take_the_place_of_the_vendor(plugin):
    if not plugin.manifest.sandbox:
        pytest.skip("has no sandbox")
    assert (folder(plugin) / "sandbox.py").is_file()
    auth, settings = plugin.manifest.auth, plugin.manifest.config_schema["properties"]
    address = "base_url" if "base_url" in settings else "url"
    assert address in settings
    assert address not in secret_names(plugin.manifest.config_schema)
    if isinstance(auth, OAuth2):  # or else the sandbox's user would be sent to the real vendor for a token
        assert auth.token_url_setting in settings or any(f"{{{name}}}" in auth.token_url for name in settings)


@each
def test_c06_the_only_way_out_is_the_hubs_client(plugin):
    found = {
        f"{path.name}: {name}" for path, tree in modules(plugin).items() for name in imported(tree) if name in WAYS_OUT
    }
    assert found == set()


@each
def test_c06_nobody_is_called_without_tls(plugin):
    texts = [
        (path.name, node.value)
        for path, tree in modules(plugin).items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert [
        text
        for text in texts
        if text[1].startswith("http://") and "localhost" not in text[1] and "127.0.0.1" not in text[1]
    ] == []
    assert [host for host in plugin.manifest.allowed_hosts if "://" in host or "/" in host or host == "*"] == []


@each
def test_c07_every_stream_has_a_map_that_makes_its_document(plugin):
    for stream in plugin.manifest.streams:
        if stream.kind in {"notice", "lifecycle"}:
            assert stream.mapping == ""
            continue
        assert stream.mapping, f"the stream {stream.name} has no map"
        assert load(stream.mapping).target == DOCUMENT_OF[stream.kind]
        assert schemas.schema(DOCUMENT_OF[stream.kind])


@each
def test_c07_every_function_that_is_offered_to_maps_can_be_called(plugin):
    path = f"{package(plugin)}.translate"
    transforms = getattr(importlib.import_module(path), "TRANSFORMS", {})
    assert all(name.isidentifier() and callable(function) for name, function in transforms.items())


@each
def test_c08_every_operation_that_can_be_looked_up_has_someone_who_looks(plugin):
    looked_up = [operation for operation, how in plugin.manifest.idempotency.items() if how == "lookup"]
    assert not looked_up or "FindByReference" in plugin.capabilities


@each
def test_a_readme_says_how_to_get_keys_and_what_is_left_out(plugin):
    text = (folder(plugin) / "README.md").read_text()
    assert text.startswith("# ")
    assert re.search(r"key|token|credential|secret", text, re.IGNORECASE)
    assert re.search(r"not supported|left out|limits|does not", text, re.IGNORECASE)


@each
def test_the_package_names_the_vendors_pages_and_when_they_were_read(plugin):
    said = importlib.import_module(package(plugin)).__doc__ or ""
    assert "https://" in said
    assert re.search(r"20\d\d-\d\d-\d\d", said)
