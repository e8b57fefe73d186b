"""A connector without a hub behind it: real HTTP, quotas and tokens kept in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import structlog

from hub.sdk import Connector, Context, Http, RateLimit, secret_names
from hub.sdk.auth import FixedHeaders, Token, authorizer
from hub.sdk.network import networks, session
from hub.sdk.redact import redactor

LOOPBACK = networks(["127.0.0.0/8", "::1/128"])

C = TypeVar("C", bound=Connector)


@dataclass(slots=True)
class MemoryLimiter:
    """Counts what was taken; makes nobody wait unless a pause was asked for."""

    taken: dict[str, int] = field(default_factory=dict)
    paused_until: dict[str, float] = field(default_factory=dict)

    def take(self, limit: RateLimit) -> float:
        wait = self.paused_until.get(limit.bucket, 0.0) - time.monotonic()
        if wait > 0:
            return wait
        self.taken[limit.bucket] = self.taken.get(limit.bucket, 0) + 1
        return 0.0

    def pause(self, limit: RateLimit, seconds: float) -> None:
        self.paused_until[limit.bucket] = time.monotonic() + seconds


@dataclass(slots=True)
class MemoryTokens:
    """A token store for one process."""

    token: Token | None = None
    rotated: str | None = None
    fetched: int = 0

    def read(self) -> Token | None:
        return self.token

    def claim(self) -> bool:
        return True

    def release(self) -> None:
        """Nobody else wants it."""

    def save(self, token: Token, refresh_token: str | None) -> None:
        self.token, self.fetched = token, self.fetched + 1
        self.rotated = refresh_token or self.rotated

    def refresh_token(self) -> str | None:
        return self.rotated


def connect(
    connector: type[C],
    config: Mapping[str, Any],
    *,
    limiter: MemoryLimiter | None = None,
    tokens: MemoryTokens | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = lambda _: None,
    warn: Callable[[str], None] = lambda _: None,
) -> C:
    """A connector of class `connector`, ready to call `config["base_url"]` on loopback.

    `config` holds plain settings and secrets together, as a person would fill in the form.
    """
    manifest = connector.manifest
    hidden = secret_names(manifest.config_schema)
    transport = session(LOOPBACK)

    def client(credential: Any) -> Http:
        return Http(
            transport,
            credential,
            limiter or MemoryLimiter(),
            manifest.rate_limits,
            ("*",),
            sleep=sleep,
            redact=redactor(str(value) for name, value in config.items() if name in hidden),
        )

    credential = authorizer(manifest.auth, config, tokens or MemoryTokens(), lambda: client(FixedHeaders({})))
    return connector(
        Context(
            connection_id="test",
            config={name: value for name, value in config.items() if name not in hidden},
            secrets={name: value for name, value in config.items() if name in hidden},
            http=client(credential),
            log=structlog.get_logger(),
            clock=clock,
            warn=warn,
        )
    )
