"""The web server, granian, run inside this process.

Granian's usual server starts processes of its own. `orderhub serve` must be one process, or killing it would leave
half of it behind, so its server of threads is used, which a build of Python with a global lock can run just as well.

Granian opens a port so that other programs of this user may open it too. That is right for `web` and wrong for `serve`,
which opens its port itself.
"""

from __future__ import annotations

import errno
import signal
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server.mt import MTServer

log = structlog.get_logger()

WsgiApp = Callable[..., Any]
STOP_S = 30
THREADS = 32  # requests at once; granian holds further ones back
BACKLOG = 1024  # callers that wait to be let in


def open_port(host: str, port: int) -> socket.socket:
    """Listen at an address that nobody else has, nor gets. Raises OSError when somebody has it."""
    opened = _bound(host, port)
    opened.listen(BACKLOG)
    return opened


def is_taken(host: str, port: int) -> bool:
    """Whether somebody listens at an address, be it one that others may share. Raises OSError for any other trouble."""
    try:
        _bound(host, port).close()
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        return True
    return False


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # calls that a process before us ended are no bar
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made


class _InProcess(MTServer):
    """Granian in this process, at a port that is open already where one is given."""

    own_port: socket.socket | None = None

    def _check_gil(self) -> None:
        """The one thing that keeps granian from running here: it wants this server for free threads alone."""

    def _init_shared_socket(self) -> None:
        if self.own_port is None:
            super()._init_shared_socket()  # type: ignore[no-untyped-call]
        else:  # granian's own list of its types does not know how this one is made
            self._ssp = None
            self._shd = SocketHolder(self.own_port.dup().detach(), False, BACKLOG)  # type: ignore[call-arg,assignment]


class WebServer:
    """Serves one WSGI application until SIGTERM, SIGINT or `stop`.

    At `own_port` where it is given, else at a port of its own making that other programs of this user may share.
    """

    def __init__(self, app: WsgiApp, host: str, port: int, own_port: socket.socket | None = None) -> None:
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
        self._granian.own_port = own_port

    def run(self) -> None:
        """Serve; returns when every request that had begun is answered. Call from the main thread."""
        try:
            self._granian.serve(target_loader=lambda: self._app, wrap_loader=False)
        finally:
            self._close()

    def _close(self) -> None:
        """Close our own port, also the copy that granian keeps: from now on callers are refused."""
        own_port = self._granian.own_port
        if own_port is not None:
            with own_port, suppress(OSError):  # where a system cannot shut a listener, it goes with the process
                own_port.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Stop as on SIGTERM, from any thread."""
        self._granian.signal_handler_interrupt()  # type: ignore[no-untyped-call]


def wait_for_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set. Call from the main thread."""
    told = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told.set())
    return told
