"""Servers that misbehave, and clients that may call them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from hub.sdk import Http, RateLimit
from hub.sdk.auth import FixedHeaders
from hub.sdk.network import session
from tests.sdk.chaos import LOOPBACK, Bucket, Chaos, Script


@pytest.fixture
def chaos() -> Iterator[Callable[..., Chaos]]:
    """Starts a server that plays these scripts."""
    started: list[Chaos] = []

    def start(*scripts: Script, **options: object) -> Chaos:
        server = Chaos(list(scripts), **options)  # type: ignore[arg-type]
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def client(bucket: Bucket) -> Iterator[Callable[..., Http]]:
    """Makes a client that may call loopback; options as of Http."""
    transport = session(LOOPBACK)

    def make(**options: object) -> Http:
        given: dict[str, object] = {
            "session": transport,
            "authorizer": FixedHeaders({}),
            "limiter": bucket,
            "limits": (RateLimit("all", 1000, 1000),),
            "allowed_hosts": ("127.0.0.1", "localhost"),
            "sleep": lambda _: None,
        }
        return Http(**{**given, **options})  # type: ignore[arg-type]

    yield make
    transport.close()
