"""The `http` strategy: an address outside decides, within a time limit; by rank where it does not.

It calls out, so it belongs where no transaction is open: ask first, then decide by `advised` under the locks. An answer
that does not hold any more, since stock has moved meanwhile, is left, and the order is routed by rank.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hub.domain.routing.external import plan_from, question, without_answer
from hub.domain.routing.shapes import Plan, Ranker, Snapshot, Strategy
from hub.sdk import errors
from hub.sdk.auth import FixedHeaders
from hub.sdk.deadline import time_limit
from hub.sdk.http import Http, Limiter
from hub.sdk.network import Transport

OUTSIDE = "http"  # the strategy's name in rules


@dataclass(frozen=True, slots=True)
class Advice:
    """An answer from outside as it came, or why there is none."""

    answer: Any = None
    why_not: str = ""
    asked: str | None = None  # fingerprint of the question; None: of the very state that is decided on


@dataclass(frozen=True, slots=True)
class Adviser:
    """Who decides outside. Private addresses are refused unless the session's networks allow them."""

    url: str
    http: Http
    time_limit_s: float  # for the one call; nobody waits for a second one

    def ask(self, snapshot: Snapshot) -> Advice:
        """Call out once. Never raises for what the other side does."""
        asked = question(snapshot)
        try:
            with time_limit(self.time_limit_s):
                answer = self.http.post(self.url, json=asked, read_timeout_s=self.time_limit_s).json()
        except errors.ConnectorError as error:
            return Advice(why_not=f"no answer from outside: {error}")
        return Advice(answer, asked=asked["inputs_hash"])

    def strategy(self, snapshot: Snapshot, rankers: Mapping[str, Ranker]) -> Plan:
        """Ask and decide at once; only where no transaction is open."""
        return advised(self.ask(snapshot))(snapshot, rankers)


def advised(advice: Advice) -> Strategy:
    """A strategy that takes an answer which was asked for before, as far as it still holds. Calls nobody."""

    def decide(snapshot: Snapshot, rankers: Mapping[str, Ranker]) -> Plan:
        if advice.why_not:
            return without_answer(advice.why_not, snapshot, rankers)
        return plan_from(advice.answer, snapshot, rankers, asked=advice.asked)

    return decide


def with_advice(strategies: Mapping[str, Strategy], advice: Advice | None) -> Mapping[str, Strategy]:
    """Strategies of which `http` takes this answer."""
    return strategies if advice is None else {**strategies, OUTSIDE: advised(advice)}


# What `http` is where nobody may be asked: in rehearsals, in tests of rules, and when no address is set.
unasked = advised(Advice(why_not="nobody outside was asked"))


def adviser(
    url: str,
    session: Transport,
    limiter: Limiter,
    *,
    token: str = "",
    time_limit_s: float = 2.0,
    ca_bundle: str | None = None,
) -> Adviser:
    """An adviser behind an address. `session` is the guarded one; `token` is sent as a bearer token."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    host = urlsplit(url).hostname or ""
    http = Http(session, FixedHeaders(headers), limiter, (), (host,), ca_bundle, connect_timeout_s=time_limit_s)
    return Adviser(url, http, time_limit_s)
