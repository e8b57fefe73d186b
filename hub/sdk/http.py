"""The only way out: one HTTP client for every connector.

Timeouts always, certificates always verified, private addresses refused, the vendor's quotas kept, secrets kept out of
logs, and every failure turned into one of the closed error classes of `hub.sdk.errors`.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol
from urllib.parse import urlsplit

import orjson
import requests

from hub.sdk import errors
from hub.sdk.deadline import time_left
from hub.sdk.manifest import RateLimit
from hub.sdk.network import AddressRefusedError, NotConnectedError
from hub.sdk.redact import credential_values, redactor

MAX_BODY = 10 * 1024 * 1024  # bytes; a longer answer is cut off and counts as unreadable
LONGEST_WAIT_S = 2.0  # a longer wait for quota gives the worker back and puts the work off
LONGEST_RETRY_AFTER_S = 3600.0
RATE_LIMIT_WAIT_S = 5.0  # after a 429 that does not say how long
TRIES = 3  # of a safe call
TEXT_SHOWN = 500  # characters of what the vendor said, in messages for people

# A backslash, a blank or a control character makes one program see another host in an address than the next.
_AMBIGUOUS = re.compile(r"[\\\x00-\x20\x7f]")
_NEVER_SENT = (
    requests.exceptions.InvalidURL,
    requests.exceptions.InvalidHeader,
    requests.exceptions.InvalidSchema,
    requests.exceptions.MissingSchema,
    UnicodeEncodeError,  # a header beyond Latin-1
)


class Limiter(Protocol):
    """Shared quotas."""

    def take(self, limit: RateLimit) -> float:
        """Take one token and return 0, or take none and return the seconds until there is one."""

    def pause(self, limit: RateLimit, seconds: float) -> None:
        """Let nobody take a token for `seconds`: the vendor said so."""


class Authorizer(Protocol):
    """Adds the credential to requests."""

    def headers(self, *, renew: bool = False, refused: Mapping[str, str] | None = None) -> Mapping[str, str]:
        """Headers that carry the credential.

        `renew` asks for a fresh token where there is one to renew; `refused` are the headers that the vendor has just
        refused, so that a token which another worker has renewed meanwhile is taken instead of renewed once more.
        """

    def is_expired(self, response: Response) -> bool:
        """Whether the answer says that the credential is dead, so that one should call again with another."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, read whole. `headers` has lower-case names. `safe` says whether the call may be repeated."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    safe: bool = True
    redact: Callable[[str], str] = field(default=lambda text: text, repr=False, compare=False)

    def json(self) -> Any:
        """The body as JSON.

        Raises SchemaDrift when it is none, and OutcomeUnknown after a write: what was to be written may be there.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            said = f"the answer ({self.status}) is not JSON: {self.redact(self.text[:2000])[:TEXT_SHOWN]!r}"
            raise (errors.SchemaDrift if self.safe else errors.OutcomeUnknown)(said) from error

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Http:
    """The client of one connection.

    `safe` on a call says that repeating it changes nothing; GET and HEAD are safe unless said otherwise, and a POST
    that only reads (GraphQL queries) should say so. Safe calls are tried up to three times.
    """

    session: requests.Session = field(repr=False)
    authorizer: Authorizer = field(repr=False)
    limiter: Limiter = field(repr=False)
    limits: Sequence[RateLimit] = ()
    allowed_hosts: Collection[str] = ()
    ca_bundle: str | None = None
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)
    redact: Callable[[str], str] = field(default=lambda text: text, repr=False)
    connect_timeout_s: float = 5.0

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

        A status of 300 and above raises its error class unless it is in `expect`; redirects are never followed. `auth`
        False leaves the credential out (public downloads). `read_timeout_s` is how long the whole answer may take.
        Inside a `time_limit` every wait is cut to the time that is left, and nothing is sent when there is none.
        Raises Transient, RateLimited, AuthRejected, MissingPermission, NotFound, Conflict, Rejected, OutcomeUnknown,
        SchemaDrift or ConfigInvalid.
        """
        self._check_url(url)
        is_safe = method in {"GET", "HEAD"} if safe is None else safe
        body, sent = _encode(json, data, headers)
        call = _Call(self, method, url, params, body, sent, is_safe, auth, expect, read_timeout_s)
        for attempt in range(1, TRIES):
            pause = random.uniform(0.1, 0.4) * 2**attempt  # noqa: S311 - jitter, not a secret
            try:
                return call.answer()
            except errors.Transient as error:
                if not is_safe or error.retry_after_s is not None or pause >= time_left():
                    raise
            self.sleep(pause)
        return call.answer()

    def _check_url(self, url: str) -> None:
        """Refuse hosts that are not listed, and addresses which two programs may read as two different hosts."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or "@" in parts.netloc or _AMBIGUOUS.search(url):
            raise errors.ConfigInvalid(f"{self.redact(url)[:TEXT_SHOWN]!r} is not an address that can be called")
        host = parts.hostname or ""
        if not any(fnmatchcase(host, pattern.lower()) for pattern in self.allowed_hosts):
            raise errors.ConfigInvalid(f"the connector may not call {host!r}: its manifest does not list that host")

    def limit_for(self, method: str, url: str) -> RateLimit | None:
        """The quota that covers a call: the longest matching prefix of "METHOD /path"."""
        line = f"{method} {urlsplit(url).path}"
        fitting = [limit for limit in self.limits if line.startswith(limit.match) or fnmatchcase(line, limit.match)]
        return max(fitting, key=lambda limit: len(limit.match), default=None)


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
    expect: Collection[int]
    read_timeout_s: float
    credential: Mapping[str, str] = field(default_factory=dict)
    renewed: bool = False

    def answer(self) -> Response:
        """The answer to one try; a dead token is renewed once in the life of the call."""
        response = self._send()
        if not self.renewed and self._is_expired(response):
            self.renewed = True
            response = self._send(renew=True)
        if response.status < 300 or response.status in self.expect:
            return response
        raise self._error(response)

    def _is_expired(self, response: Response) -> bool:
        """A 401 that is expected says nothing of the token; other answers do as the manifest says."""
        expected = response.status == 401 and 401 in self.expect
        return self.auth and not expected and self.http.authorizer.is_expired(response)

    def _send(self, *, renew: bool = False) -> Response:
        self._wait_for_quota()
        if self.auth:
            self.credential = self.http.authorizer.headers(renew=renew, refused=self.credential if renew else None)
        left = time_left()
        if left <= 0:
            raise errors.Transient(self._said("no time was left to send this"))
        try:
            with self.http.session.request(
                self.method,
                self.url,
                params=self.params,
                data=self.body,
                headers={"User-Agent": "Orderhub/1", "Accept": "application/json", **self.headers, **self.credential},
                timeout=(min(self.http.connect_timeout_s, left), min(self.read_timeout_s, left)),
                allow_redirects=False,
                stream=True,
                verify=self.http.ca_bundle or True,
            ) as answer:
                headers = {name.lower(): value for name, value in answer.headers.items()}
                return Response(answer.status_code, headers, _read(answer), self.safe, self._clean)
        except (requests.RequestException, NotConnectedError, UnicodeEncodeError) as error:
            raise self._transport_error(error) from error

    def _wait_for_quota(self) -> None:
        limit = self.http.limit_for(self.method, self.url)
        if limit is None:
            return
        waited = 0.0
        while wait := self.http.limiter.take(limit):
            if waited + wait > LONGEST_WAIT_S or wait >= time_left():
                raise errors.RateLimited(f"own quota {limit.bucket} is used up", wait, limit.bucket)
            self.http.sleep(wait)
            waited += wait

    def _clean(self, text: str) -> str:
        """`text` without the connection's secrets and without the token that was sent."""
        return redactor(credential_values(self.credential))(self.http.redact(text))

    def _error(self, response: Response) -> errors.ConnectorError:
        path, text = urlsplit(self.url).path, " ".join(response.text[:2000].split())
        said = self._clean(f"{self.method} {path}: {response.status}: {text}")[:TEXT_SHOWN]
        if response.status == 429:
            limit = self.http.limit_for(self.method, self.url)
            wait = retry_after(response) or RATE_LIMIT_WAIT_S
            if limit is not None:
                self.http.limiter.pause(limit, wait)
            return errors.RateLimited(said, wait, limit.bucket if limit else "default")
        if response.status in {301, 308}:
            target = self._clean(response.headers.get("location", "another address"))[:200]
            said = f"{self.method} {path}: {response.status}: the vendor has moved this to {target}"
            return errors.ConfigInvalid(said, "base_url")
        if self._is_expired(response):
            return errors.AuthRejected(said)
        return error_for_status(response.status, said, safe=self.safe, retry_after_s=retry_after(response))

    def _transport_error(self, error: Exception) -> errors.ConnectorError:
        refused, unconnected = _cause(error, AddressRefusedError), _cause(error, NotConnectedError)
        if refused is not None:
            return errors.ConfigInvalid(str(refused), "base_url")
        if unconnected is not None:
            return errors.Transient(self._said(str(unconnected)))
        if isinstance(error, _NEVER_SENT):
            # The words of these errors hold the header or the address as it was, and that may be the secret itself.
            return errors.ConfigInvalid(self._said(f"a setting cannot be sent as it is ({type(error).__name__})"))
        if isinstance(error, _TooLongError) and self.safe:
            return errors.SchemaDrift(self._said(str(error)))
        said = self._said(_words(error))
        return errors.Transient(said) if self.safe else errors.OutcomeUnknown(said)

    def _said(self, words: str) -> str:
        return self._clean(f"{self.method} {urlsplit(self.url).netloc}{urlsplit(self.url).path}: {words}")[:TEXT_SHOWN]


class _TooLongError(requests.RequestException):
    """The answer has more bytes than are read."""


def _encode(json: Any, data: Any, headers: Mapping[str, str] | None) -> tuple[Any, dict[str, str]]:
    sent = dict(headers or {})
    if json is not None:
        sent.setdefault("Content-Type", "application/json")
        return orjson.dumps(json), sent
    return data, sent


def _read(answer: requests.Response) -> bytes:
    """The body, unpacked, as far as `MAX_BODY`. The time is kept by the connection, see `hub.sdk.network`."""
    parts, size = [], 0
    for part in answer.iter_content(65536):
        size += len(part)
        if size > MAX_BODY:
            raise _TooLongError(f"the answer is longer than {MAX_BODY} bytes")
        parts.append(part)
    return b"".join(parts)


def _words(error: Exception) -> str:
    """What happened, without the address and its parameters, which the messages of the transport repeat."""
    if isinstance(error, requests.exceptions.Timeout) or _cause(error, TimeoutError) is not None:
        return "no complete answer in time"
    if isinstance(error, _TooLongError):
        return str(error)
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return "the answer cannot be unpacked"
    root = _cause(error, OSError, but=requests.RequestException)
    return f"the connection broke: {root or type(error).__name__}"


def _cause(
    error: BaseException | None, kind: type[BaseException], *, but: type[BaseException] | tuple[()] = ()
) -> BaseException | None:
    """The first error of `kind` (and not of `but`) among all that led to `error`."""
    seen: list[BaseException] = []
    queue = [error]
    while queue:
        current = queue.pop(0)
        if current is None or any(current is one for one in seen):
            continue
        if isinstance(current, kind) and not isinstance(current, but):
            return current
        seen.append(current)
        told = (getattr(current, "reason", None), *current.args)
        queue += [current.__cause__, current.__context__, *(one for one in told if isinstance(one, BaseException))]
    return None


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
        except (TypeError, ValueError, OverflowError):
            return None
    if math.isnan(seconds):
        return None
    return min(max(seconds, 0.1), LONGEST_RETRY_AFTER_S)


def error_for_status(
    status: int, said: str, *, safe: bool, retry_after_s: float | None = None
) -> errors.ConnectorError:
    """The error class of an HTTP status of 300 and above; redirects are never followed."""
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
            return errors.RateLimited(said, retry_after_s or RATE_LIMIT_WAIT_S)
        case 301 | 308:
            return errors.ConfigInvalid(said, "base_url")
        case 307:  # keeps the method, so nothing was done here
            return errors.Transient(said, retry_after_s)
        # Other redirects may follow a write that was done ("see other"), or lead to a page for people.
        case _ if status < 400 or status in {408, 425} or status >= 500:
            return errors.Transient(said, retry_after_s) if safe else errors.OutcomeUnknown(said)
        case _:
            return errors.Rejected(said, vendor_code=str(status))
