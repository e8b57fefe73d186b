"""What a connector says of itself, readable without network or credentials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from hub.sdk.http import Response

SDK_API = 1

StreamKind = Literal["order", "inventory", "fulfillment", "shipment", "product", "notice", "lifecycle"]
Idempotency = Literal["native", "lookup", "none"]


@dataclass(frozen=True, slots=True)
class RateLimit:
    """One quota of the vendor.

    `per_second` tokens return each second up to `burst`; `match` is a prefix of "METHOD /path" that the bucket
    covers ("" covers everything else). `scope` says who shares it.
    """

    bucket: str
    per_second: float
    burst: int
    match: str = ""
    scope: Literal["connection", "app"] = "connection"


@dataclass(frozen=True, slots=True)
class Stream:
    """Something that comes in.

    `kind` decides the canonical document and the step that handles it; `mapping` is the path of its field map below
    `mappings/`, such as "shopify/orders.yml" ("" for notices, whose `external_id` only says what `OrderSource.order` is
    to be asked for, and for lifecycle streams). `polled` streams have a method of the
    source capability; others come by webhook alone. `every` is the poll interval, `lookback` how far each poll reads
    back over what was read before, `lag` how far it stays behind now.
    """

    name: str
    kind: StreamKind
    mapping: str = ""
    polled: bool = False
    every: timedelta = timedelta(minutes=15)
    lookback: timedelta = timedelta(minutes=10)
    lag: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class NoAuth:
    """Nothing is added to requests."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A fixed key in a header; `secret` names the config property, `prefix` stands before it ("Bearer ")."""

    header: str
    secret: str
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """HTTP Basic: `username` and `password` name secret config properties; "" sends an empty part."""

    username: str
    password: str = ""


@dataclass(frozen=True, slots=True)
class OAuth2:
    """A short-lived token that the hub fetches, refreshes once for all workers, and adds to requests.

    `token_url` may hold {config_property} placeholders. `grant` is refresh_token or client_credentials.
    `client_id`, `client_secret` and `refresh_token` name secret (or config) properties; "" leaves one out.
    `body` says how the token endpoint wants its parameters. `rotates_refresh_token` stores a returned new one
    before the first use. `token_url_setting` names a config property (base_url, as a rule) whose scheme and host take
    the place of the token_url's own when it is filled in, so that one setting moves a connection to a sandbox.
    `expired_when` knows the answers by which the vendor refuses a dead token, where it does so by another status than
    401; such a call had no effect, and is made again with a new token. It never raises.
    """

    token_url: str
    grant: Literal["refresh_token", "client_credentials"]
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    header: str = "Authorization"
    prefix: str = "Bearer "
    scope: str = ""
    body: Literal["form", "json"] = "form"
    rotates_refresh_token: bool = False
    token_url_setting: str = ""
    expired_when: Callable[[Response], bool] | None = None


Auth = NoAuth | ApiKey | BasicAuth | OAuth2


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything the hub and its console know of a connector before a connection exists.

    `id` is what the operator types. `config_schema` is JSON Schema 2020-12; a secret has "writeOnly": true; form
    hints stand under "x-hub". `allowed_hosts` are the hosts it may call; "*.x.com" matches sub-domains and
    "{shop}" is filled from the config. A config property "base_url", where a connector has one, is always allowed.
    `idempotency` says per write operation (submit, cancel, confirm, set_stock, buy_label, void, post) what protects
    it from being done twice: "native", the call may simply be made again, since the vendor keeps our key or the
    connector first reads what is there; "lookup", it is found by our reference; "none" forbids every automatic retry.
    `config_version` rises when settings that were saved before no longer fit the form; the connector's `migrate_config`
    brings them over.
    """

    id: str
    label: str
    version: str
    owner: str
    docs_url: str
    config_schema: Mapping[str, Any]
    auth: Auth = field(default_factory=NoAuth)
    description: str = ""
    category: Literal["shop", "marketplace", "carrier", "threepl", "erp", "files", "payments"] = "shop"
    requires_sdk: str = ">=1,<2"
    config_version: int = 1
    streams: tuple[Stream, ...] = ()
    rate_limits: tuple[RateLimit, ...] = ()
    allowed_hosts: tuple[str, ...] = ()
    idempotency: Mapping[str, Idempotency] = field(default_factory=dict)
    sandbox: bool = False

    def stream(self, name: str) -> Stream:
        """The stream called `name`. Raises KeyError when the manifest has none."""
        for stream in self.streams:
            if stream.name == name:
                return stream
        raise KeyError(name)


def secret_names(config_schema: Mapping[str, Any]) -> frozenset[str]:
    """Names of all top-level config properties that are secret (writeOnly), those inside oneOf and allOf included."""
    names = {
        name
        for name, rule in config_schema.get("properties", {}).items()
        if isinstance(rule, Mapping) and rule.get("writeOnly")
    }
    for keyword in ("oneOf", "anyOf", "allOf"):
        for part in config_schema.get(keyword, ()):
            names |= secret_names(part)
    for keyword in ("then", "else"):
        if keyword in config_schema:
            names |= secret_names(config_schema[keyword])
    return frozenset(names)
