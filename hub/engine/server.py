"""The web server, granian, run inside this process.

Granian's usual server starts processes of its own. `orderhub serve` must be one process, or killing it would leave
half of it behind, so its server of threads is used, which a build of Python with a global lock can run just as well.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mt import MTServer

log = structlog.get_logger()

WsgiApp = Callable[..., Any]
STOP_S = 30
THREADS = 32  # requests at once; granian holds further ones back


class _InProcess(MTServer):
    def _check_gil(self) -> None:
        """The one thing that keeps granian from running here: it wants this server for free threads alone."""


class WebServer:
    """Serves one WSGI application until SIGTERM, SIGINT or `stop`."""

    def __init__(self, app: WsgiApp, host: str, port: int) -> None:
        self._app = app
        self._granian = _InProcess(
            "orderhub",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=1,
            blocking_threads=THREADS,
            websockets=False,
            workers_kill_timeout=STOP_S,
            http1_settings=HTTP1Settings(header_read_timeout=15_000, keep_alive=True),
            log_level=LogLevels.error,
            log_dictconfig={"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}},
        )

    def on_start(self, hook: Callable[[], None]) -> None:
        """Call `hook` when the port is open."""
        self._granian.on_startup(hook)

    def run(self) -> None:
        """Serve; returns when every request that had begun is answered. Call from the main thread."""
        self._granian.serve(target_loader=lambda: self._app, wrap_loader=False)

    def stop(self) -> None:
        """Stop as on SIGTERM, from any thread."""
        self._granian.signal_handler_interrupt()  # type: ignore[no-untyped-call]


def wait_for_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Call from the main thread."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told
