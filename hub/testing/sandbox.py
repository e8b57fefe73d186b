"""The frame of every connector's sandbox: a Flask app on loopback that keeps a diary and misbehaves when told to."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import Flask, Response, jsonify, request
from werkzeug.serving import make_server

FaultKind = Literal["error_500", "effect_then_500", "effect_then_drop", "drop", "throttle", "slow", "garbage"]


@dataclass(slots=True)
class Fault:
    """Something to do wrong.

    `match` is a part of "METHOD /path" or of the body ("" matches every call), `times` how often to do it.
    effect_* do the work first and then lose the answer; the others do nothing.
    """

    kind: FaultKind
    match: str = ""
    times: int = 1
    seconds: float = 1.0


@dataclass(slots=True, eq=False)
class _Hold:
    """Calls that are kept waiting."""

    match: str
    times: int
    came: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)

    def takes(self, body: bytes) -> bool:
        if self.times < 1 or not _matches(self.match, request.method, request.path, body):
            return False
        self.times -= 1
        return True


@dataclass(frozen=True, slots=True)
class Call:
    """One request that came in."""

    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]


@dataclass(slots=True)
class Sandbox:
    """A vendor's stand-in.

    `app` is its Flask app; `calls` the diary; `faults` what to do wrong next. `POST /_sandbox/faults` with
    {"kind", "match", "times"} adds a fault from outside, `GET /_sandbox/calls` reads the diary.
    """

    name: str
    app: Flask = field(init=False)
    calls: list[Call] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    holds: list[_Hold] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def __post_init__(self) -> None:
        self.app = Flask(f"sandbox.{self.name}")
        self.app.before_request(self._before)
        self.app.after_request(self._after)
        self.app.post("/_sandbox/faults")(self._add_fault)
        self.app.get("/_sandbox/calls")(self._list_calls)

    def count(self, match: str) -> int:
        """How many calls had `match` in "METHOD /path" or in the body."""
        return sum(_matches(match, call.method, call.path, call.body) for call in self.calls)

    @contextmanager
    def serve(self, port: int = 0) -> Iterator[str]:
        """Run on loopback, and give the base URL."""
        server = make_server("127.0.0.1", port, self.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), name=f"sandbox-{self.name}", daemon=True)
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self.url
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    @contextmanager
    def holding(self, match: str, times: int = 1) -> Iterator[threading.Event]:
        """Keep the next calls with `match` waiting until the block is left; the event says that one has come."""
        hold = _Hold(match, times)
        self.holds.append(hold)
        try:
            yield hold.came
        finally:
            self.holds.remove(hold)
            hold.ended.set()

    def _before(self) -> Response | tuple[Any, int] | None:
        if request.path.startswith("/_sandbox/"):
            return None
        body = request.get_data(cache=True)
        with self.lock:
            self.calls.append(
                Call(request.method, request.path, request.query_string.decode(), body, dict(request.headers))
            )
            fault = self._next_fault(body)
            held = [hold for hold in self.holds if hold.takes(body)]
        for hold in held:
            hold.came.set()
            hold.ended.wait()
        request.environ["orderhub.fault"] = fault
        if fault is None or fault.kind.startswith("effect_"):
            return None
        return _misbehave(fault)

    def _after(self, response: Response) -> Response:
        fault: Fault | None = request.environ.get("orderhub.fault")
        if fault is None or not fault.kind.startswith("effect_"):
            return response
        if fault.kind == "effect_then_drop":
            _hang_up()
        return Response("internal error", 500)

    def _next_fault(self, body: bytes) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and _matches(fault.match, request.method, request.path, body):
                fault.times -= 1
                return fault
        return None

    def _add_fault(self) -> tuple[Response, int]:
        self.faults.append(Fault(**request.get_json()))
        return jsonify(faults=len(self.faults)), 201

    def _list_calls(self) -> Response:
        return jsonify([{"method": call.method, "path": call.path} for call in self.calls])


def _matches(match: str, method: str, path: str, body: bytes) -> bool:
    return match in f"{method} {path}" or match.encode() in body


def _misbehave(fault: Fault) -> Response | None:
    if fault.kind == "drop":
        _hang_up()
    if fault.kind == "slow":
        time.sleep(fault.seconds)
        return None
    if fault.kind == "throttle":
        return Response("too many requests", 429, {"Retry-After": str(fault.seconds)})
    if fault.kind == "garbage":
        return Response("<html>maintenance</html>", 200, {"Content-Type": "text/html"})
    return Response("internal error", 500)


def _hang_up() -> None:
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
