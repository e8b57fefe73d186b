"""An address outside that decides where orders ship from, for tests: real HTTP on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def _first_line_from(location: str) -> Callable[[dict[str, Any]], list[dict[str, Any]]]:
    return lambda _: [{"location": location, "units": {"l1": 1}}]


class Outside(ThreadingHTTPServer):
    """Answers as it is told to, and remembers what it was asked."""

    daemon_threads = True
    location = "id-chi"
    parts: Callable[[dict[str, Any]], list[dict[str, Any]]] | None = None  # of an answer, by the router's input
    status = 200
    body: bytes | None = None
    sleeps = False  # until it is woken

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.asked: list[dict[str, Any]] = []
        self.woken = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/decide"


class _Answers(BaseHTTPRequestHandler):
    server: Outside

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append({"question": asked, "token": self.headers.get("Authorization")})
        if self.server.sleeps:
            self.server.woken.wait()
            return
        choose = self.server.parts or _first_line_from(self.server.location)
        said = {"inputs_hash": asked["inputs_hash"], "parts": choose(asked["input"])}
        body = self.server.body if self.server.body is not None else json.dumps(said).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return


@contextmanager
def outside_open() -> Iterator[Outside]:
    """A running one."""
    server = Outside()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.woken.set()
    server.shutdown()
    server.server_close()
    thread.join()
