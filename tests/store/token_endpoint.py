"""A token endpoint on loopback, and a worker that needs a token; importable by other processes."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

import orjson

from hub.sdk import Http, OAuth2, RateLimit
from hub.sdk.auth import FixedHeaders, OAuthTokens
from hub.sdk.network import networks, session
from hub.store.connections import StoredTokens
from hub.store.database import Database, open_database
from hub.store.sealing import Keyring


@dataclass
class TokenEndpoint:
    """Gives token-1, token-2 … and rotates the refresh token each time. `answers` come first: (status, body)."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    delay_s: float = 0.0
    asked: list[dict[str, str]] = field(default_factory=list)
    given: int = 0
    url: str = ""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self) -> None:
        endpoint = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer = endpoint.answer(dict(parse_qsl(body.decode())))
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: dict[str, str]) -> tuple[int, bytes]:
        with self.lock:
            self.asked.append(asked)
            if self.answers:
                return self.answers.pop(0)
            self.given += 1
            number = self.given
        time.sleep(self.delay_s)
        token = {"access_token": f"token-{number}", "expires_in": 3600, "refresh_token": f"refresh-{number}"}
        return 200, orjson.dumps(token)


class NoQuota:
    def take(self, limit: RateLimit) -> float:  # noqa: ARG002 - none is kept
        return 0.0

    def pause(self, limit: RateLimit, seconds: float) -> None:
        """No quota."""


AUTH = OAuth2(
    "{token_host}/token",
    grant="refresh_token",
    client_id="client_id",
    client_secret="client_secret",
    refresh_token="refresh_token",
    rotates_refresh_token=True,
)


def worker(db: Database, keyring: Keyring, connection_id: str, url: str, **options: Any) -> OAuthTokens:
    """A worker's way to a token, as the hub builds it; `store` options begin with store_."""
    store = {name[6:]: options.pop(name) for name in list(options) if name.startswith("store_")}
    values = {"token_host": url, "client_id": "id", "client_secret": "s3cret-client", "refresh_token": "refresh-0"}
    http = Http(session(networks(["127.0.0.0/8"])), FixedHeaders({}), NoQuota(), (), ("127.0.0.1",))
    return OAuthTokens(
        AUTH, values, StoredTokens(db, keyring, connection_id, **{"sign_ins": 0, **store}), http, **options
    )


def fetch_in_process(database_url: str, keys: str, connection_id: str, url: str, results: Any, start: Any) -> None:
    """Four threads of another process which want a token at once."""
    db = open_database(database_url)
    tokens = worker(db, Keyring.parse(keys), connection_id, url)
    found: list[str] = []
    start.wait(30)
    threads = [threading.Thread(target=lambda: found.append(tokens.headers()["Authorization"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    results.put(found)
    db.dispose()
