"""What every view needs: settings, runtime, limits, and who is asking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
from flask import Response, current_app, g

from hub.flows.runtime import Runtime
from hub.settings import Settings
from hub.store.tables.people import ROLES
from hub.web.limits import Limiter

Role = str
NEVER = float("-inf")
RANK: dict[Role, int] = {role: rank for rank, role in enumerate(ROLES)}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking: a person with a session, or a program with a key."""

    id: str
    name: str
    role: Role
    session_id: str = ""

    def may(self, role: Role) -> bool:
        """Whether the caller's role reaches `role`."""
        return RANK[self.role] >= RANK[role]

    @property
    def actor(self) -> str:
        """How the caller is named in timelines and in the stock ledger."""
        return self.name


@dataclass(frozen=True, slots=True)
class Console:
    """One web application's settings and state."""

    settings: Settings
    runtime: Runtime
    webhooks: Limiter
    sign_ins: Limiter = field(default_factory=lambda: Limiter(0.5, 20))
    cached: dict[str, tuple[float, Any]] = field(default_factory=dict)

    def json(self, value: Any, status: int = 200) -> Response:
        return Response(orjson.dumps(value), status, content_type="application/json")

    def remembered(self, name: str, seconds: float, clock: Callable[[], float], make: Callable[[], Any]) -> Any:
        """What `make` said, at most `seconds` ago. Two threads may both ask when it is old."""
        at, value = self.cached.get(name, (NEVER, None))
        if clock() - at > seconds:
            value = make()
            self.cached[name] = (clock(), value)
        return value


def console() -> Console:
    return cast("Console", current_app.extensions["orderhub"])


def caller() -> Caller:
    """Who is asking. Only for views that are not open to everybody."""
    found: Caller = g.caller
    return found
