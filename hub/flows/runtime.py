"""What every step needs: the database, the keys, the plugins, the clock, and a bell to ring for the next step."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import structlog

from hub.domain.entry import BUILT_IN_CHECKS, EntryCheck
from hub.domain.routing.plan import BUILT_IN_STRATEGIES
from hub.domain.routing.rankers import BUILT_IN
from hub.domain.routing.shapes import Ranker, Strategy
from hub.flows.strategies import Adviser
from hub.plugins import LoadedPlugin, Registry
from hub.sdk import Connector, Context, Http, RateLimit
from hub.sdk.auth import FixedHeaders, authorizer
from hub.sdk.http import Authorizer
from hub.sdk.network import Network, Transport, session
from hub.sdk.redact import redactor
from hub.store import connections
from hub.store.connections import ConnectionRow, StoredTokens
from hub.store.database import Database, utcnow
from hub.store.outbox import SENDING_TIME
from hub.store.quotas import SharedLimiter
from hub.store.sealing import Keyring

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Runtime:
    """One process's view of the hub.

    `wake` tells the engine that a door has mail, by a name such as "inbox:3" or "outbox:<connection>"; it is called
    after the commit and may be lost, since a sweep finds every due row. `sending_time` is how long a call may take
    before its row counts as lost, `unknown_quiet` how long to wait before an unknown outcome is looked up,
    `listed_after` how long a channel takes at most to list an order whose units it has taken off its stock.
    """

    db: Database
    keyring: Keyring
    registry: Registry
    wake: Callable[[str], None]
    networks: tuple[Network, ...] = ()
    ca_bundle: str | None = None
    clock: Callable[[], datetime] = utcnow
    rankers: Mapping[str, Ranker] = field(default_factory=lambda: BUILT_IN)  # all that rules may name
    strategies: Mapping[str, Strategy] = field(default_factory=lambda: BUILT_IN_STRATEGIES)
    adviser: Adviser | None = None  # who decides outside, for rules whose strategy is `http`
    entry_checks: Mapping[str, EntryCheck] = field(default_factory=lambda: BUILT_IN_CHECKS)
    sending_time: timedelta = SENDING_TIME
    unknown_quiet: timedelta = timedelta(seconds=10)
    listed_after: timedelta = timedelta(seconds=10)
    public_url: str = ""  # where platforms reach this hub; webhooks are subscribed to only when it is known
    rehearsal_valid: timedelta = timedelta(hours=24)  # how long rules may be published with a rehearsal
    quota_factor: float = 1.0  # times the quotas that manifests state
    _sessions: dict[str, Transport] = field(default_factory=dict)

    @property
    def call_time_s(self) -> float:
        """How long the calls for a claimed row may take: well inside the time after which it counts as lost."""
        return self.sending_time.total_seconds() * 0.8

    def wake_all(self, doors: set[str]) -> None:
        for door in sorted(doors):
            self.wake(door)

    def plugin(self, connection: ConnectionRow) -> LoadedPlugin:
        """The plugin behind a connection. Raises UnknownPluginError or BrokenPluginError."""
        return self.registry.get(connection.plugin)

    def connector(self, connection: ConnectionRow) -> Connector:
        """A connector for one run, its settings read anew and its secrets opened.

        Raises WrongKeyError or the registry's errors.
        """
        plugin = self.plugin(connection)
        with self.db.read() as tx:
            row, sealed = connections.get_sealed(tx, connection.id)
        return self.connector_with(plugin, row, self.keyring.open(sealed.settings, row.id), sealed.sign_ins)

    def connector_with(
        self, plugin: LoadedPlugin, row: ConnectionRow, secrets: Mapping[str, str], sign_ins: int
    ) -> Connector:
        """A connector for secrets that were read already; `sign_ins` says of which sign-in they are."""
        manifest, connection_id, config = plugin.manifest, row.id, row.config
        values = {**config, **secrets}
        hosts = allowed_hosts(manifest.allowed_hosts, config)
        limiter = SharedLimiter(self.db, connection_id, plugin.name)
        redact = redactor(secrets.values())

        def client(credential: Authorizer) -> Http:
            return Http(
                self._session(),
                credential,
                limiter,
                self._quotas(manifest.rate_limits),
                hosts,
                self.ca_bundle,
                redact=redact,
            )

        tokens = StoredTokens(self.db, self.keyring, connection_id, sign_ins)
        credential = authorizer(manifest.auth, values, tokens, lambda: client(FixedHeaders({})))
        bound = log.bind(connection=connection_id, plugin=plugin.name)

        def warn(said: str) -> None:
            bound.warning("connector.warns", said=said)
            with self.db.begin() as tx:
                connections.warn(tx, connection_id, said)

        return plugin.connector(Context(connection_id, config, secrets, client(credential), bound, self.clock, warn))

    def _quotas(self, limits: Sequence[RateLimit]) -> tuple[RateLimit, ...]:
        """The quotas of a manifest, as many times as this hub may use them."""
        factor = self.quota_factor
        return tuple(
            replace(one, per_second=one.per_second * factor, burst=max(1, round(one.burst * factor))) for one in limits
        )

    def _session(self) -> Transport:
        if "guarded" not in self._sessions:
            self._sessions["guarded"] = session(self.networks)
        return self._sessions["guarded"]


def allowed_hosts(patterns: tuple[str, ...], config: Mapping[str, Any]) -> tuple[str, ...]:
    """The hosts a connection may call: its manifest's, filled from the config, and those of its own URLs."""
    filled = [pattern.format_map(_Texts(config)) for pattern in patterns]
    own = [urlsplit(value).hostname or "" for value in config.values() if isinstance(value, str) and "://" in value]
    return tuple(filter(None, filled + own))


class _Texts(dict[str, str]):
    """Config values as text; what is missing becomes empty."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__({name: str(value) for name, value in config.items()})

    def __missing__(self, key: str) -> str:
        return ""
