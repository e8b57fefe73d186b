"""Credentials on requests: fixed keys, HTTP Basic, and OAuth2 tokens that are renewed once for all workers."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from hub.sdk import errors
from hub.sdk.deadline import time_left
from hub.sdk.http import Authorizer, Http, Response
from hub.sdk.manifest import ApiKey, Auth, BasicAuth, NoAuth, OAuth2
from hub.sdk.redact import redactor

RENEW_AT = 0.8  # share of a token's life after which it is renewed
LONGEST_LIFE_S = 365 * 24 * 3600.0
ANSWER_WITHIN_S = 10.0  # with the time to connect, less than a claim lasts
LONGEST_WAIT_S = 25.0  # for another worker's token; longer than a claim lasts
LOOK_EVERY_S = 0.1
_REFUSALS = (400, 401, 402, 403)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token. After `renew_at` a new one should be fetched; after `expires_at` it is dead."""

    value: str = field(repr=False)
    renew_at: datetime
    expires_at: datetime


class TokenStore(Protocol):
    """Where the token of one connection lives, shared by all workers."""

    def read(self) -> Token | None: ...

    def claim(self) -> bool:
        """True for the one worker that may fetch a new token now; the right lapses after some seconds."""

    def release(self) -> None:
        """Give the right back without a new token, so that the next one need not wait until it lapses."""

    def save(self, token: Token, refresh_token: str | None) -> None:
        """Keep a new token, and the rotated refresh token where the vendor gave one, and end the claim."""

    def refresh_token(self) -> str | None:
        """The rotated refresh token, read fresh, or None when the one in the settings still holds."""


@dataclass(frozen=True, slots=True)
class FixedHeaders:
    """A credential that never changes."""

    fixed: Mapping[str, str] = field(repr=False)

    def headers(self, *, renew: bool = False, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:  # noqa: ARG002
        """The same headers always: there is nothing to renew."""
        return self.fixed

    def is_expired(self, response: Response) -> bool:  # noqa: ARG002
        """Never: there is no other to call with."""
        return False


@dataclass(frozen=True, slots=True)
class OAuthTokens:
    """OAuth2 access tokens, fetched when needed; only one worker fetches, the others wait for its token.

    `headers` raises AuthRejected when the token endpoint refuses for good, Transient when it gave no clear answer,
    RateLimited, and ConfigInvalid when it is not where the manifest says.
    """

    auth: OAuth2
    values: Mapping[str, Any] = field(repr=False)
    store: TokenStore
    http: Http
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep

    def headers(self, *, renew: bool = False, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        known = self.store.read()
        dead = ""
        if renew:
            dead = (refused or {}).get(self.auth.header, "") or (self._header(known) if known else "")
        return {self.auth.header: self._header(self._token(known, dead))}

    def is_expired(self, response: Response) -> bool:
        return response.status == 401 or (self.auth.expired_when is not None and self.auth.expired_when(response))

    def _header(self, token: Token) -> str:
        return f"{self.auth.prefix}{token.value}"

    def _token(self, known: Token | None, dead: str) -> Token:
        """A token other than `dead`, the header that the vendor has refused."""
        if known and self._is_fresh(known, dead):
            return known
        if self.store.claim():
            return self._fetch_if_needed(dead)
        if known and self._header(known) != dead and self.clock() < known.expires_at:
            return known  # past its best, but it works until the other worker has the next one
        return self._wait_for_other(dead)

    def _is_fresh(self, token: Token, dead: str) -> bool:
        return self._header(token) != dead and self.clock() < token.renew_at

    def _wait_for_other(self, dead: str) -> Token:
        for _ in range(round(min(LONGEST_WAIT_S, time_left()) / LOOK_EVERY_S)):
            self.sleep(LOOK_EVERY_S)
            latest = self.store.read()
            if latest and self._is_fresh(latest, dead):
                return latest
            if self.store.claim():  # the other one failed, or died and its claim has lapsed
                return self._fetch_if_needed(dead)
        raise errors.Transient("another worker is renewing the access token and has not finished")

    def _fetch_if_needed(self, dead: str) -> Token:
        """Fetch a token under the claim, unless another worker has done so between our look and our claim."""
        try:
            latest = self.store.read()
            if latest and self._is_fresh(latest, dead):
                self.store.release()
                return latest
            return self._fetch()
        except BaseException:
            self.store.release()
            raise

    def _fetch(self) -> Token:
        wanted = {
            "grant_type": self.auth.grant,
            "client_id": self._value(self.auth.client_id),
            "client_secret": self._value(self.auth.client_secret),
            "refresh_token": self.store.refresh_token() or self._value(self.auth.refresh_token),
            "scope": self.auth.scope,
        }
        answer = self._ask({name: value for name, value in wanted.items() if value})
        life = _life(answer.get("expires_in"))
        now = self.clock()
        token = Token(str(answer["access_token"]), now + life * RENEW_AT, now + life)
        rotated = answer.get("refresh_token") if self.auth.rotates_refresh_token else None
        self.store.save(token, rotated)
        return token

    def _ask(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        url = moved(self.auth.token_url.format_map(self.values), self._value(self.auth.token_url_setting))
        body: dict[str, Any] = {"json": wanted} if self.auth.body == "json" else {"data": wanted}
        try:
            # One try, shorter than a claim lasts; the call that needs the token is what is repeated.
            response = self.http.post(url, auth=False, expect=_REFUSALS, read_timeout_s=ANSWER_WITHIN_S, **body)
            answer = response.json() if response.status < 400 else {}
        except errors.OutcomeUnknown as error:
            raise errors.Transient(f"the token endpoint: {error}") from error
        except (errors.NotFound, errors.Conflict, errors.Rejected) as error:
            raise errors.ConfigInvalid(f"the token endpoint: {error}") from error
        if isinstance(answer, dict) and isinstance(answer.get("access_token"), str) and answer["access_token"]:
            return answer
        clean = redactor([wanted.get("refresh_token", "")])  # a rotated one is not among the connection's settings
        said = clean(response.redact(" ".join(response.text[:2000].split())))[:300]
        raise errors.AuthRejected(f"the token endpoint refused ({response.status}): {said}")

    def _value(self, name: str) -> str:
        return str(self.values.get(name, "")) if name else ""


def _life(seconds: Any) -> timedelta:
    """How long a token lives; an hour when the vendor does not say, as most do."""
    try:
        known = float(seconds)
    except (TypeError, ValueError):
        known = 0.0
    return timedelta(seconds=min(known, LONGEST_LIFE_S) if known > 0 else 3600.0)


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
