"""Which addresses the hub may talk to: the guard against requests that are lured into the private network."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# 6to4 and NAT64 carry an IPv4 address inside; `is_global` does not look into them.
_TUNNELS: tuple[Network, ...] = (
    ipaddress.ip_network("2002::/16"),
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("64:ff9b:1::/48"),
)


class AddressRefusedError(OSError):
    """The peer's address is not one that the hub may talk to."""


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
    tunnelled = any(ip in network for network in _TUNNELS if network.version == ip.version)
    return tls and ip.is_global and not ip.is_multicast and not tunnelled


class GuardedAdapter(HTTPAdapter):
    """A transport that looks at the connected peer, after DNS and before the first byte, so rebinding cannot help."""

    def __init__(self, allowed: Collection[Network], **kwargs: Any) -> None:
        self._allowed = tuple(allowed)
        super().__init__(**kwargs)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        manager: PoolManager = self.poolmanager
        manager.pool_classes_by_scheme = {"http": _pool(self._allowed), "https": _tls_pool(self._allowed)}


def _checked(sock: socket.socket, *, tls: bool, allowed: Collection[Network]) -> socket.socket:
    peer = sock.getpeername()[0]
    if not is_allowed(peer, tls=tls, allowed=allowed):
        sock.close()
        raise AddressRefusedError(
            f"{peer} is not a public address reached over TLS. An administrator can allow it in ORDERHUB_ALLOW_NETWORKS."
        )
    return sock


def _pool(allowed: Collection[Network]) -> type[HTTPConnectionPool]:
    class Connection(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), tls=False, allowed=allowed)

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    return Pool


def _tls_pool(allowed: Collection[Network]) -> type[HTTPSConnectionPool]:
    class Connection(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return _checked(super()._new_conn(), tls=True, allowed=allowed)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    return Pool


def session(allowed: Collection[Network]) -> requests.Session:
    """A session whose every connection is guarded and whose certificates are always verified."""
    made = requests.Session()
    made.trust_env = False  # a proxy from the environment would hide the peer
    adapter = GuardedAdapter(allowed, pool_maxsize=16)
    made.mount("https://", adapter)
    made.mount("http://", adapter)
    return made
