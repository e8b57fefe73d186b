"""Which addresses the hub may talk to: the guard against requests that are lured into the private network."""

from __future__ import annotations

import io
import ipaddress
import math
import socket
import ssl
import time
from collections.abc import Callable, Collection
from functools import cache
from http.client import HTTPResponse
from http.cookiejar import DefaultCookiePolicy
from typing import Any, cast

import certifi
from requests import Session
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from hub.sdk.deadline import time_left

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Special ranges which `is_global` of some Python versions takes for public: 6to4 relays, the whole of the protocol
# assignments, and new documentation addresses.
_SPECIAL: tuple[Network, ...] = (
    ipaddress.ip_network("192.0.0.0/24"),
    ipaddress.ip_network("192.88.99.0/24"),
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("3fff::/20"),
)
# All public IPv6 addresses lie in here; NAT64, site-local and IPv4-compatible ones, which hide another, do not.
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")


class AddressRefusedError(OSError):
    """The peer's address is not one that the hub may talk to."""


class NotConnectedError(OSError):
    """No connection came about, so nothing of the request was sent. The message says why, in words for people."""


def networks(texts: Collection[str]) -> tuple[Network, ...]:
    """CIDR texts as networks. Raises ValueError naming the bad one."""
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts if text.strip())


def is_allowed(address: str, *, tls: bool, allowed: Collection[Network]) -> bool:
    """Whether the hub may talk to the IP `address`.

    Public addresses are allowed over TLS; private, loopback and other special ones, and anything without TLS, only
    inside `allowed`, which an administrator sets.
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if any(ip in network for network in allowed if network.version == ip.version):
        return True
    return tls and _is_public(ip)


def _is_public(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if ip.version == 6 and ip not in _PUBLIC_V6:
        return False
    special = any(ip in network for network in _SPECIAL if network.version == ip.version)
    return ip.is_global and not ip.is_multicast and not special


class GuardedAdapter(HTTPAdapter):
    """A transport that looks at the connected peer, after DNS and before the first byte, so rebinding cannot help.

    A `verify` path adds certificate authorities to the public ones instead of taking their place.
    """

    def __init__(self, allowed: Collection[Network], **kwargs: Any) -> None:
        self._allowed = tuple(allowed)
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _pool(self._allowed), "https": _tls_pool(self._allowed)}

    def build_connection_pool_key_attributes(self, request: Any, verify: Any, cert: Any = None) -> Any:
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        if isinstance(verify, str):
            pool["ssl_context"] = _trusting(verify)
        return host, pool


@cache
def _trusting(further: str) -> ssl.SSLContext:
    """TLS settings that trust the public authorities and those in the file `further`."""
    context = create_urllib3_context()
    context.load_verify_locations(certifi.where())
    try:
        context.load_verify_locations(further)
    except OSError as error:
        raise NotConnectedError(f"the file with further certificate authorities cannot be used: {error}") from error
    return context


def _checked(sock: socket.socket, *, tls: bool, allowed: Collection[Network]) -> socket.socket:
    peer = sock.getpeername()[0]
    if not is_allowed(peer, tls=tls, allowed=allowed):
        sock.close()
        raise AddressRefusedError(
            f"{peer} is not a public address reached over TLS: an administrator can allow it in ORDERHUB_ALLOW_NETWORKS"
        )
    return sock


def _cut(timeout: float | None) -> float | None:
    """A timeout, or the time that is left for the work when that is shorter; never none at all."""
    left = max(time_left(), 0.001)
    return timeout if left == math.inf else min(left, left if timeout is None else timeout)


class _OnTime(io.RawIOBase):
    """What comes in on a socket, until a moment after which nothing is read any more.

    The timeout of a socket counts between two bytes only: a peer that sends one byte a second would hold a worker for
    as long as it likes.
    """

    def __init__(self, source: io.RawIOBase, sock: socket.socket, seconds: float | None) -> None:
        self._source = source
        self._sock = sock
        self._until = None if seconds is None else time.monotonic() + seconds
        self.ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._until is not None:
            left = self._until - time.monotonic()
            if left <= 0:
                raise TimeoutError("the answer came too slowly")
            self._sock.settimeout(left)
        count = cast("int | None", self._source.readinto(buffer))
        self.ended = count == 0
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


class _Answer(HTTPResponse):
    """An answer, head and body, that has to be complete within the read timeout and the time left for the work."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._on_time = _OnTime(self.fp.detach(), sock, _cut(sock.gettimeout()))
        self.fp = io.BufferedReader(self._on_time)

    def begin(self) -> None:
        super().begin()
        if self._on_time.ended:  # http.client takes the end of the stream for the end of the head
            raise ConnectionAbortedError("the answer broke off in its head")


def _told(connect: Callable[[], None], host: str, timeout: float | None) -> None:
    """Connect, and say of every failure that nothing was sent."""
    try:
        connect()
    except AddressRefusedError:
        raise
    except NameResolutionError as error:
        raise NotConnectedError(f"the name {host} cannot be resolved") from error
    except ConnectTimeoutError as error:
        if isinstance(error, NewConnectionError):  # refused or unreachable; a kind of timeout to urllib3
            raise NotConnectedError(f"no connection to {host}: {error.__cause__ or 'refused'}") from error
        raise NotConnectedError(f"no connection to {host} within {timeout:g} s") from error
    except ssl.SSLCertVerificationError as error:
        raise NotConnectedError(f"the certificate of {host} is not trusted: {error.verify_message}") from error
    except Exception as error:
        raise NotConnectedError(f"no connection to {host}: {error}") from error


def _pool(allowed: Collection[Network]) -> type[HTTPConnectionPool]:
    class Connection(HTTPConnection):
        response_class = _Answer

        def connect(self) -> None:
            _told(super().connect, self.host, self.timeout)

        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), tls=False, allowed=allowed)

        def request(self, *args: Any, **kwargs: Any) -> None:
            _connect_in_time(self)
            super().request(*args, **kwargs)

        def send(self, data: Any) -> None:
            _send_within(self, super().send, data)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    return Pool


def _tls_pool(allowed: Collection[Network]) -> type[HTTPSConnectionPool]:
    class Connection(HTTPSConnection):
        response_class = _Answer

        def connect(self) -> None:
            _told(super().connect, self.host, self.timeout)

        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), tls=True, allowed=allowed)

        def request(self, *args: Any, **kwargs: Any) -> None:
            _connect_in_time(self)
            super().request(*args, **kwargs)

        def send(self, data: Any) -> None:
            _send_within(self, super().send, data)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def _connect_in_time(connection: HTTPConnection) -> None:
    """Be connected, and send nothing when that took all the time there was: names are resolved without a timeout."""
    if connection.sock is None:
        connection.connect()
    if time_left() <= 0:
        connection.close()
        raise NotConnectedError("connecting took all the time that was left")


def _send_within(connection: HTTPConnection, send: Callable[[Any], None], data: Any) -> None:
    """Send; a connection that is used again still has the rest of the last answer's time on its socket."""
    if connection.sock is not None:
        connection.sock.settimeout(_cut(connection.timeout))
    send(data)


Transport = Session  # what `session` makes: every connection guarded


def session(allowed: Collection[Network]) -> Transport:
    """A session whose every connection is guarded and whose certificates are always verified. It keeps no cookies.

    One session serves all connections of the hub, so a cookie would carry one account's sign-in into another's calls.
    """
    made = Session()
    made.trust_env = False  # a proxy from the environment would hide the peer
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    adapter = GuardedAdapter(allowed, pool_maxsize=16)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made
