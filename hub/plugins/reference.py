"""The page on the connectors, written from their manifests: `python -m hub.plugins.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence

from hub.plugins.registry import LoadedPlugin, registry
from hub.sdk import CAPABILITIES, ApiKey, BasicAuth, Manifest, OAuth2, RateLimit, Stream

CAPABILITY_WORDS = {
    "OrderSource": "reads orders",
    "StockSink": "is told stock",
    "StockSource": "tells stock",
    "ShipmentSink": "is told tracking",
    "CatalogSource": "lists products",
    "LocationSource": "lists places",
    "FulfillmentTarget": "takes fulfillment orders",
    "Carrier": "sells labels, tracks parcels",
    "Rates": "quotes prices",
    "Void": "takes labels back",
    "LedgerSink": "takes documents",
    "FindByReference": "finds by our reference",
    "WebhookReceiver": "sends webhooks",
    "WebhookProvisioner": "webhooks are set up by the hub",
}
CATEGORY_WORDS = {
    "shop": "shop",
    "marketplace": "marketplace",
    "carrier": "carrier",
    "threepl": "fulfillment provider (3PL)",
    "erp": "ERP",
    "files": "files",
    "payments": "payments",
}
PROTECTION_WORDS = {
    "native": "nothing is done again: the vendor keeps our key, or what is there is read first",
    "lookup": "looked up by our reference before it is repeated",
    "none": "nothing: never repeated without a person",
}


def page(plugins: Sequence[LoadedPlugin]) -> str:
    """The page in Markdown."""
    lines = [
        "# Connectors",
        "",
        "What the connectors of this release can do, written from their manifests.",
        "`python -m hub.plugins.reference > docs/reference/connectors.md` writes it anew, and a test compares.",
        "How to get the keys stands in the README of each connector.",
        "How to add one stands in [write a connector](../how-to/write-a-connector.md).",
        "",
        "```console",
        "$ orderhub connectors",
        "```",
        "",
        "## What each one can do",
        "",
        *_table(["", *(plugin.manifest.label for plugin in plugins)], _abilities(plugins)),
    ]
    for plugin in plugins:
        lines += ["", *_connector(plugin.manifest)]
    return "\n".join(lines) + "\n"


def _abilities(plugins: Sequence[LoadedPlugin]) -> Iterator[list[str]]:
    for name in CAPABILITIES:
        if any(name in plugin.capabilities for plugin in plugins):
            marks = ["yes" if name in plugin.capabilities else "" for plugin in plugins]
            yield [f"{CAPABILITY_WORDS[name]} (`{name}`)", *marks]


def _connector(manifest: Manifest) -> Iterator[str]:
    yield f"## {manifest.label}"
    yield ""
    if manifest.description:
        yield manifest.description
        yield ""
    yield f"`{manifest.id}`, version {manifest.version}, {CATEGORY_WORDS[manifest.category]}."
    yield f"Signs in by {_sign_in(manifest)}."
    yield f"The vendor's documentation: <{manifest.docs_url}>."
    yield ""
    yield from _table(["setting", "what it is", "needed", "secret"], _settings(manifest))
    if manifest.streams:
        yield ""
        yield from _table(
            ["stream", "becomes", "comes"], ([one.name, one.kind, _comes(one)] for one in manifest.streams)
        )
    if manifest.idempotency:
        yield ""
        rows = ([f"`{name}`", PROTECTION_WORDS[how]] for name, how in sorted(manifest.idempotency.items()))
        yield from _table(["write", "what protects it from being done twice"], rows)
    if manifest.rate_limits:
        yield ""
        yield from _table(["quota", "calls", "shared by"], (_quota(one) for one in manifest.rate_limits))


def _settings(manifest: Manifest) -> Iterator[list[str]]:
    needed = manifest.config_schema.get("required", ())
    for name, rule in manifest.config_schema.get("properties", {}).items():
        words = f"{rule.get('title', name)}: {rule.get('description', '')}".strip().rstrip(":")
        yield [f"`{name}`", words, "yes" if name in needed else "", "yes" if rule.get("writeOnly") else ""]


def _sign_in(manifest: Manifest) -> str:
    match manifest.auth:
        case OAuth2(grant=grant):
            return f"OAuth 2 ({grant.replace('_', ' ')}); the hub renews the access token"
        case ApiKey(header=header):
            return f"a key in the header `{header}`"
        case BasicAuth():
            return "HTTP Basic"
    return "nothing"


def _comes(stream: Stream) -> str:
    return f"polled every {stream.every.total_seconds() / 60:g} min" if stream.polled else "by webhook"


def _quota(limit: RateLimit) -> list[str]:
    rate = f"{limit.per_second:g} a second" if limit.per_second >= 0.1 else f"one every {1 / limit.per_second:.0f} s"
    shared = "the connection" if limit.scope == "connection" else "all connections of the app"
    return [f"`{limit.bucket}`", f"{rate}, {limit.burst} at once", shared]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


if __name__ == "__main__":
    sys.stdout.write(page(registry().plugins))
