"""Credentials on requests: fixed keys, HTTP Basic, and OAuth2 tokens that are renewed once for all workers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from hub.sdk import errors
from hub.sdk.http import Authorizer, Http
from hub.sdk.manifest import ApiKey, Auth, BasicAuth, NoAuth, OAuth2

RENEW_AT = 0.8  # share of a token's life after which it is renewed


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. After `renew_at` a new one should be fetched; after `expires_at` it is dead."""

    value: str
    renew_at: datetime
    expires_at: datetime


class TokenStore(Protocol):
    """Where the token of one connection lives, shared by all workers."""

    def read(self) -> Token | None: ...

    def claim(self) -> bool:
        """True for the one worker that may fetch a new token now; the right lapses after some seconds."""

    def save(self, token: Token, refresh_token: str | None) -> None:
        """Keep a new token, and the rotated refresh token where the vendor gave one, and end the claim."""

    def refresh_token(self) -> str | None:
        """The rotated refresh token, read fresh, or None when the one in the settings still holds."""


@dataclass(frozen=True, slots=True)
class FixedHeaders:
    """A credential that never changes."""

    fixed: Mapping[str, str]
    renewable: bool = False

    def headers(self, *, renew: bool = False) -> Mapping[str, str]:  # noqa: ARG002 - nothing to renew
        return self.fixed


@dataclass(frozen=True, slots=True)
class OAuthTokens:
    """OAuth2 access tokens, fetched when needed; only one worker fetches, the others wait for its token."""

    auth: OAuth2
    values: Mapping[str, Any]
    store: TokenStore
    http: Http
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    renewable: bool = True

    def headers(self, *, renew: bool = False) -> Mapping[str, str]:
        return {self.auth.header: f"{self.auth.prefix}{self._token(renew=renew).value}"}

    def _token(self, *, renew: bool) -> Token:
        known = self.store.read()
        now = self.clock()
        if known and not renew and now < known.renew_at:
            return known
        if self.store.claim():
            return self._fetch()
        if known and not renew and now < known.expires_at:
            return known
        return self._wait_for_other(known)

    def _wait_for_other(self, known: Token | None) -> Token:
        for _ in range(50):
            self.sleep(0.1)
            fresh = self.store.read()
            if fresh and (known is None or fresh.value != known.value):
                return fresh
        raise errors.Transient("another worker is renewing the access token and has not finished")

    def _fetch(self) -> Token:
        wanted = {
            "grant_type": self.auth.grant,
            "client_id": self._value(self.auth.client_id),
            "client_secret": self._value(self.auth.client_secret),
            "refresh_token": self.store.refresh_token() or self._value(self.auth.refresh_token),
            "scope": self.auth.scope,
        }
        answer = self._ask({name: value for name, value in wanted.items() if value})
        life = timedelta(seconds=float(answer.get("expires_in", 3600)))
        now = self.clock()
        token = Token(str(answer["access_token"]), now + life * RENEW_AT, now + life)
        rotated = answer.get("refresh_token") if self.auth.rotates_refresh_token else None
        self.store.save(token, rotated)
        return token

    def _ask(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        url = moved(self.auth.token_url.format_map(self.values), self._value(self.auth.token_url_setting))
        body: dict[str, Any] = {"json": wanted}
        if self.auth.body == "form":
            body = {"data": wanted}
        response = self.http.post(url, auth=False, safe=True, expect=(400, 401, 403), **body)
        if response.status >= 400:
            raise errors.AuthRejected(f"the token endpoint refused: {response.text[:300]}")
        answer = response.json()
        if not isinstance(answer, dict) or "access_token" not in answer:
            raise errors.AuthRejected("the token endpoint gave no access_token")
        return answer

    def _value(self, name: str) -> str:
        return str(self.values.get(name, "")) if name else ""


def moved(url: str, base: str) -> str:
    """`url` with scheme and host of `base`; unchanged when `base` is empty."""
    if not base:
        return url
    target = urlsplit(base)
    return urlsplit(url)._replace(scheme=target.scheme, netloc=target.netloc).geturl()


def authorizer(auth: Auth, values: Mapping[str, Any], store: TokenStore, http: Callable[[], Http]) -> Authorizer:
    """The authorizer for a manifest's auth. `values` are config and secrets together; `http` makes a bare client."""
    match auth:
        case NoAuth():
            return FixedHeaders({})
        case ApiKey(header=header, secret=secret, prefix=prefix):
            return FixedHeaders({header: f"{prefix}{values.get(secret, '')}"})
        case BasicAuth(username=username, password=password):
            pair = f"{values.get(username, '')}:{values.get(password, '') if password else ''}"
            return FixedHeaders({"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()})
        case OAuth2():
            return OAuthTokens(auth, values, store, http())


