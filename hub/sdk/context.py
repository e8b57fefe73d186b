"""What the hub hands to a connector."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from hub.sdk.http import Http


class Log(Protocol):
    """A structured logger; keys are the event's fields. Secrets are redacted by the hub."""

    def info(self, event: str, **fields: Any) -> None: ...
    def warning(self, event: str, **fields: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Context:
    """A connection, opened for one run.

    `config` holds the plain settings, `secrets` the secret ones, both validated against the config schema.
    `clock` gives aware UTC. `http` is the only way out. `warn` shows people what the connection cannot do, in one
    sentence, while it goes on; it stands until a test of the connection goes well.
    """

    connection_id: str
    config: Mapping[str, Any]
    secrets: Mapping[str, str] = field(repr=False)
    http: Http
    log: Log
    clock: Callable[[], datetime]
    warn: Callable[[str], None]
