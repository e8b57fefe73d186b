"""The only way out: one HTTP client for every connector.

Timeouts always, certificates always verified, private addresses refused, the vendor's quotas kept, secrets kept out of
logs, and every failure turned into one of the closed error classes of `hub.sdk.errors`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatch
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import requests

from hub.sdk import errors
from hub.sdk.manifest import RateLimit
from hub.sdk.network import AddressRefusedError

MAX_BODY = 10 * 1024 * 1024  # bytes; a longer answer is cut off and counts as unreadable
LONGEST_WAIT_S = 2.0  # a longer wait for quota gives the worker back and puts the work off
LONGEST_RETRY_AFTER_S = 3600.0


# When the work that calls out has to be over, as a reading of time.monotonic(); None is no limit.
_DEADLINE: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """No request begins or goes on after `seconds` inside this block, however many requests the work makes."""
    token = _DEADLINE.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


class Limiter(Protocol):
    """Shared quotas."""

    def take(self, limit: RateLimit) -> float:
        """Take one token and return 0, or take none and return the seconds until there is one."""

    def pause(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody take a token for `seconds`: the vendor said so."""


class Authorizer(Protocol):
    """Adds the credential to requests."""

    def headers(self, *, renew: bool = False) -> Mapping[str, str]:
        """Headers that carry the credential; `renew` asks for a fresh token where there is one to renew."""

    @property
    def renewable(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, read whole. `headers` has lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON. Raises SchemaDrift when it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise errors.SchemaDrift(f"the answer is not JSON: {self.text[:200]!r}") from error

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Http:
    """The client of one connection.

    `safe` on a call says that repeating it changes nothing; GET and HEAD are safe unless said otherwise, and a POST
    that only reads (GraphQL queries) should say so. Safe calls are tried up to three times.
    """

    session: requests.Session
    authorizer: Authorizer
    limiter: Limiter
    limits: Sequence[RateLimit] = ()
    allowed_hosts: Collection[str] = ()
    ca_bundle: str | None = None
    sleep: Callable[[float], None] = time.sleep
    redact: Callable[[str], str] = field(default=lambda text: text)

    def get(self, url: str, **options: Any) -> Response:
        return self.request("GET", url, **options)

    def post(self, url: str, **options: Any) -> Response:
        return self.request("POST", url, **options)

    def put(self, url: str, **options: Any) -> Response:
        return self.request("PUT", url, **options)

    def patch(self, url: str, **options: Any) -> Response:
        return self.request("PATCH", url, **options)

    def delete(self, url: str, **options: Any) -> Response:
        return self.request("DELETE", url, **options)

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any] | Sequence[tuple[str, Any]] | None = None,
        json: Any = None,
        data: bytes | Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        safe: bool | None = None,
        auth: bool = True,
        expect: Collection[int] = (),
        read_timeout_s: float = 30.0,
    ) -> Response:
        """Send one request and return the answer.

        A status of 400 and above raises its error class unless it is in `expect`. `auth` False leaves the credential
        out (public downloads). Raises Transient, RateLimited, AuthRejected, MissingPermission, NotFound, Conflict,
        Rejected, OutcomeUnknown or ConfigInvalid.
        """
        self._check_host(url)
        is_safe = method in {"GET", "HEAD"} if safe is None else safe
        body, sent = _encode(json, data, headers)
        call = _Call(self, method, url, params, body, sent, is_safe, auth, read_timeout_s)
        for attempt in range(1, 4 if is_safe else 2):
            last = attempt == 3 or not is_safe
            try:
                response = call.send()
            except errors.Transient:
                if last:
                    raise
                self.sleep(random.uniform(0.1, 0.4) * 2**attempt)  # noqa: S311 - jitter, not a secret
                continue
            if response.status == 401 and auth and self.authorizer.renewable:
                response = call.send(renew=True)
            if response.status < 400 or response.status in expect:
                return response
            error = self._error(method, url, response, safe=is_safe)
            if isinstance(error, errors.Transient) and not last and error.retry_after_s is None:
                self.sleep(random.uniform(0.1, 0.4) * 2**attempt)  # noqa: S311 - jitter, not a secret
                continue
            raise error
        raise AssertionError("unreachable")

    def _check_host(self, url: str) -> None:
        host = urlsplit(url).hostname or ""
        if not any(fnmatch(host, pattern) for pattern in self.allowed_hosts):
            raise errors.ConfigInvalid(f"the connector may not call {host!r}: its manifest does not list that host")

    def limit_for(self, method: str, url: str) -> RateLimit | None:
        """The quota that covers a call: the longest matching prefix of "METHOD /path"."""
        line = f"{method} {urlsplit(url).path}"
        fitting = [limit for limit in self.limits if line.startswith(limit.match) or fnmatch(line, limit.match)]
        return max(fitting, key=lambda limit: len(limit.match), default=None)

    def _error(self, method: str, url: str, response: Response, *, safe: bool) -> errors.ConnectorError:
        said = f"{method} {urlsplit(url).path}: {response.status}: {self.redact(response.text[:500])}"
        if response.status == 429:
            limit = self.limit_for(method, url)
            wait = retry_after(response) or 5.0
            if limit is not None:
                self.limiter.pause(limit, wait)
            return errors.RateLimited(said, wait, limit.bucket if limit else "default")
        return error_for_status(response.status, said, safe=safe, retry_after_s=retry_after(response))


@dataclass(slots=True)
class _Call:
    http: Http
    method: str
    url: str
    params: Any
    body: bytes | None
    headers: Mapping[str, str]
    safe: bool
    auth: bool
    read_timeout_s: float

    def send(self, *, renew: bool = False) -> Response:
        self._wait_for_quota()
        credential = self.http.authorizer.headers(renew=renew) if self.auth else {}
        left = self._time_left()
        try:
            with self.http.session.request(
                self.method,
                self.url,
                params=self.params,
                data=self.body,
                headers={"User-Agent": "Orderhub/1", "Accept": "application/json", **self.headers, **credential},
                timeout=(min(5.0, left), min(self.read_timeout_s, left)),
                allow_redirects=False,
                stream=True,
                verify=self.http.ca_bundle or True,
            ) as answer:
                return Response(
                    answer.status_code,
                    {name.lower(): value for name, value in answer.headers.items()},
                    _read(answer, time.monotonic() + min(2 * self.read_timeout_s, left)),
                )
        except requests.RequestException as error:
            raise self._transport_error(error) from error

    def _time_left(self) -> float:
        deadline = _DEADLINE.get()
        left = 3600.0 if deadline is None else deadline - time.monotonic()
        if left <= 0:
            raise errors.OutcomeUnknown(f"{self.method} {urlsplit(self.url).path}: no time was left to send this")
        return left

    def _wait_for_quota(self) -> None:
        limit = self.http.limit_for(self.method, self.url)
        if limit is None:
            return
        waited = 0.0
        while wait := self.http.limiter.take(limit):
            if waited + wait > LONGEST_WAIT_S:
                raise errors.RateLimited(f"own quota {limit.bucket} is used up", wait, limit.bucket)
            self.http.sleep(wait)
            waited += wait

    def _transport_error(self, error: requests.RequestException) -> errors.ConnectorError:
        said = self.http.redact(f"{self.method} {urlsplit(self.url).netloc}: {type(error).__name__}: {error}")
        refused = _cause(error, AddressRefusedError)
        if refused is not None:
            return errors.ConfigInvalid(str(refused), "base_url")
        if isinstance(error, requests.exceptions.SSLError):
            return errors.Transient(said)
        not_sent = isinstance(error, requests.exceptions.ConnectTimeout) or _never_connected(error)
        return errors.Transient(said) if self.safe or not_sent else errors.OutcomeUnknown(said)


def _encode(json: Any, data: Any, headers: Mapping[str, str] | None) -> tuple[Any, dict[str, str]]:
    sent = dict(headers or {})
    if json is not None:
        sent.setdefault("Content-Type", "application/json")
        return orjson.dumps(json), sent
    return data, sent


def _read(answer: requests.Response, deadline: float) -> bytes:
    parts, size = [], 0
    for part in answer.iter_content(65536):
        size += len(part)
        if size > MAX_BODY:
            raise requests.exceptions.ContentDecodingError(f"the answer is longer than {MAX_BODY} bytes")
        if time.monotonic() > deadline:
            raise requests.exceptions.ReadTimeout("the answer came too slowly")
        parts.append(part)
    return b"".join(parts)


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    seen: list[BaseException] = []
    queue = [error]
    while queue:
        current = queue.pop()
        if current is None or current in seen:
            continue
        if isinstance(current, kind):
            return current
        seen.append(current)
        queue += [current.__cause__, current.__context__, getattr(current, "reason", None)]
        queue += [arg for arg in current.args if isinstance(arg, BaseException)]
    return None


def _never_connected(error: requests.RequestException) -> bool:
    from urllib3.exceptions import NewConnectionError  # noqa: PLC0415 - only on the failure path

    return _cause(error, NewConnectionError) is not None


def retry_after(response: Response, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """Seconds that the vendor asks to wait, from seconds or an HTTP date, at most an hour; None when not said."""
    text = response.headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - clock()).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(seconds, 0.1), LONGEST_RETRY_AFTER_S)


def error_for_status(
    status: int, said: str, *, safe: bool, retry_after_s: float | None = None
) -> errors.ConnectorError:
    """The error class of an HTTP status of 400 and above (3xx too: redirects are never followed)."""
    match status:
        case 401:
            return errors.AuthRejected(said)
        case 402 | 403:
            return errors.MissingPermission(said)
        case 404 | 410:
            return errors.NotFound(said)
        case 409 | 412:
            return errors.Conflict(said)
        case 429:
            return errors.RateLimited(said, retry_after_s or 5.0)
        case 408 | 425 | 500 | 502 | 503 | 504 | 520 | 521 | 522 | 523 | 524:
            return errors.Transient(said, retry_after_s) if safe else errors.OutcomeUnknown(said)
        case _ if status >= 500:
            return errors.Transient(said, retry_after_s) if safe else errors.OutcomeUnknown(said)
        case _:
            return errors.Rejected(said, vendor_code=str(status))
