"""What a connector says of itself, held against the rules of the SDK."""

from __future__ import annotations

import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from functools import reduce
from importlib.resources import files
from inspect import getattr_static
from operator import truediv
from pathlib import PurePosixPath
from typing import Any, get_args

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from hub.sdk import ApiKey, BasicAuth, Connector, Manifest, OAuth2, Stream, capabilities
from hub.sdk.manifest import Idempotency

WRITES: Mapping[str, tuple[str, ...]] = {
    "FulfillmentTarget": ("submit", "cancel"),
    "StockSink": ("set_stock",),
    "ShipmentSink": ("confirm",),
    "Carrier": ("buy_label",),
    "Void": ("void",),
    "LedgerSink": ("post",),
}
"""The write operations of each capability."""

LOOKED_UP = ("submit", "buy_label", "post", "confirm")  # what FindByReference.find can look for

_SOURCES = {
    "order": "OrderSource",
    "inventory": "StockSource",
    "product": "CatalogSource",
    "fulfillment": "FulfillmentTarget",
    "shipment": "FulfillmentTarget",
}
_ID = re.compile(r"[a-z0-9_]+")
_SEMVER = re.compile(r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
_APPLIED = ("oneOf", "anyOf", "allOf", "then", "else")  # whose properties are settings themselves, too
_DATA = ("const", "default", "enum", "examples", "x-hub")  # whose values are no rules
_SECRET = re.compile(r"secret|token|password|api_?key|private", re.IGNORECASE)

Path = tuple[str | int, ...]  # the steps from a schema to one of its rules


def manifest_errors(connector: type[Connector]) -> list[str]:
    """Everything in which a connector's manifest breaks the rules, in plain words; empty when it keeps them all."""
    manifest = connector.manifest
    able = capabilities(connector)
    return [
        *_names(manifest),
        *_versions(connector),
        *_schema(manifest.config_schema),
        *_auth(manifest),
        *_hosts(manifest),
        *_streams(manifest, able),
        *_writes(manifest, able),
    ]


def _names(manifest: Manifest) -> Iterator[str]:
    if not _ID.fullmatch(manifest.id):
        yield f"id {manifest.id!r} may hold only a-z, 0-9 and _"
    if not _SEMVER.fullmatch(manifest.version):
        yield f"version {manifest.version!r} is not a semantic version such as 1.2.3"
    for name in ("label", "owner", "docs_url"):
        if not getattr(manifest, name).strip():
            yield f"{name} is empty"
    if manifest.docs_url and not manifest.docs_url.startswith("https://"):
        yield "docs_url does not begin with https://"
    try:
        SpecifierSet(manifest.requires_sdk)
    except InvalidSpecifier:
        yield f"requires_sdk {manifest.requires_sdk!r} is not a version range"
    for bucket, times in Counter(limit.bucket for limit in manifest.rate_limits).items():
        if times > 1:
            yield f"the rate limit {bucket} stands {times} times"
    for limit in manifest.rate_limits:
        if limit.per_second <= 0 or limit.burst < 1:
            yield f"the rate limit {limit.bucket} lets nothing through"


def _versions(connector: type[Connector]) -> Iterator[str]:
    version = connector.manifest.config_version
    if version < 1:
        yield f"config_version {version} is below 1"
    if version > 1 and getattr_static(connector, "migrate_config") is getattr_static(Connector, "migrate_config"):
        yield f"config_version is {version}, but no migrate_config brings earlier settings over"


def _schema(schema: Mapping[str, Any]) -> Iterator[str]:
    wrong = best_match(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema))
    if wrong is not None:
        place = "/".join(str(part) for part in wrong.absolute_path)
        yield f"config_schema is not valid JSON Schema 2020-12 at /{place}: {wrong.message}"
        return
    if schema.get("type") != "object":
        yield "config_schema must describe an object"
    described: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for name, rule in _properties(schema):
        if "const" not in rule:  # a fixed value is chosen by its alternative's title, not filled in
            described[name].append(rule)
    for name, rules in described.items():
        if not any(str(rule.get("title", "")).strip() for rule in rules):
            yield f"the setting {name} has no title"
        if _looks_secret(name, rules) and not any(rule.get("writeOnly") is True for rule in rules):
            yield f"the setting {name} looks secret but is not writeOnly"
    for path, rule in _hidden(schema):
        yield from _secret(path, rule)
    for example in schema.get("examples", ()):
        wrong = best_match(Draft202012Validator(schema).iter_errors(example))
        if wrong is not None:
            yield f"an example of config_schema breaks it: {wrong.message}"


def _secret(path: Path, rule: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a secret: only texts among the settings themselves are taken apart and sealed."""
    name, place = path[-1] if path else "config_schema", path
    while place and place[0] in _APPLIED:
        place = place[2:] if isinstance(place[1], int) else place[1:]
    if place != ("properties", name):
        yield f"the secret {name} stands inside another setting, where it would not be sealed"
    elif rule.get("type", "string") != "string":
        yield f"the setting {name} is secret but not text"


def _hidden(node: Any, path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every rule that is writeOnly with its path, at any depth and below any keyword."""
    if isinstance(node, Mapping):
        if node.get("writeOnly") is True:
            yield path, node
        for name, part in node.items():
            if name not in _DATA:
                yield from _hidden(part, (*path, name))
    if isinstance(node, list):
        for number, part in enumerate(node):
            yield from _hidden(part, (*path, number))


def _looks_secret(name: str, rules: list[Mapping[str, Any]]) -> bool:
    return bool(_SECRET.search(name)) and any(rule.get("type", "string") == "string" for rule in rules)


def _properties(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every property that a schema describes, at any depth; one that is narrowed elsewhere comes once per place."""
    if isinstance(schema, list):
        for part in schema:
            yield from _properties(part)
    if not isinstance(schema, Mapping):
        return
    for name, rule in schema.get("properties", {}).items():
        if isinstance(rule, Mapping):
            yield name, rule
            yield from _properties(rule)
    for keyword in ("oneOf", "anyOf", "allOf", "then", "else", "items"):
        yield from _properties(schema.get(keyword))
    for rule in schema.get("$defs", {}).values():
        yield from _properties(rule)


def _known(manifest: Manifest) -> set[str]:
    parts = [manifest.config_schema]
    for keyword in ("oneOf", "anyOf", "allOf"):
        parts += manifest.config_schema.get(keyword, [])
    parts += [part[keyword] for part in parts for keyword in ("then", "else") if keyword in part]
    return {name for part in parts for name in part.get("properties", {})}


def _auth(manifest: Manifest) -> Iterator[str]:
    match manifest.auth:
        case ApiKey(secret=secret):
            wanted = {secret}
        case BasicAuth(username=username, password=password):
            wanted = {username, password}
        case OAuth2() as auth:
            wanted = {auth.client_id, auth.client_secret, auth.refresh_token, *_placeholders(auth.token_url)}
        case _:
            wanted = set()
    for name in sorted(wanted - {""} - _known(manifest)):
        yield f"auth reads the setting {name}, which config_schema does not have"


def _hosts(manifest: Manifest) -> Iterator[str]:
    if not manifest.allowed_hosts and "base_url" not in _known(manifest):
        yield "allowed_hosts is empty and there is no setting base_url, so nothing can be called"
    for host in manifest.allowed_hosts:
        if "/" in host or ":" in host or host.strip() in ("", "*"):
            yield f"allowed_hosts: {host!r} is not a host"
        for name in sorted(_placeholders(host) - _known(manifest)):
            yield f"allowed_hosts reads the setting {name}, which config_schema does not have"


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _streams(manifest: Manifest, able: list[str]) -> Iterator[str]:
    for name, times in Counter(stream.name for stream in manifest.streams).items():
        if times > 1:
            yield f"the stream {name} stands {times} times"
    for stream in manifest.streams:
        if stream.kind not in {"notice", "lifecycle"}:
            yield from _mapping(stream)
        source = _SOURCES.get(stream.kind)
        if stream.polled and source and source not in able:
            yield f"the stream {stream.name} is polled, but the connector is no {source}"
        if stream.kind == "notice" and not any(one.kind == "order" and one.polled for one in manifest.streams):
            yield f"the stream {stream.name} names orders only, and there is no polled stream of orders to read them"


def _mapping(stream: Stream) -> Iterator[str]:
    package, _, path = stream.mapping.rpartition(":")
    if not path:
        yield f"the stream {stream.name} has no field map"
        return
    try:
        # One part at a time: a package without __init__.py takes no more in Python 3.11.
        parts = PurePosixPath(path).parts
        exists = reduce(truediv, parts, files(package or "mappings")).is_file()
    except (ModuleNotFoundError, ValueError):
        exists = False
    if not exists:
        yield f"the stream {stream.name} names the field map {stream.mapping}, which does not exist"


def _writes(manifest: Manifest, able: list[str]) -> Iterator[str]:
    implemented = [operation for capability in able for operation in WRITES.get(capability, ())]
    for operation in implemented:
        declared = manifest.idempotency.get(operation)
        if declared is None:
            yield f"idempotency does not say what protects {operation} from being done twice"
        elif declared not in get_args(Idempotency):
            yield f"idempotency of {operation} is {declared!r}, not one of {', '.join(get_args(Idempotency))}"
        elif declared == "lookup" and operation in LOOKED_UP and "FindByReference" not in able:
            yield f"idempotency of {operation} is lookup, but the connector is no FindByReference"
    for operation in sorted(set(manifest.idempotency) - set(implemented)):
        yield f"idempotency names {operation}, which the connector does not do"
