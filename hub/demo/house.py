"""The hub of the demo: `orderhub serve` in a process of its own, on a temporary SQLite file."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import IO, TypeVar

from hub.app import build_runtime
from hub.flows.runtime import Runtime
from hub.settings import Settings
from hub.store import connections, cursors, inbox, inquiries, ledger, listings, outbox, people
from hub.store.database import Tx, open_database

T = TypeVar("T")

START_S = 30.0
STOP_S = 35.0
LOOK_S = 0.1
SOON = timedelta(hours=1)  # work that is put off by less than this is still waited for


class HubError(Exception):
    """The hub did not start, died, or did not come to rest; the message says where its log is."""


@dataclass(frozen=True, slots=True)
class House:
    """The running hub. `runtime` is a second way to its database, for looking and for what people do by command.

    Nothing of the work is done through `runtime`: its wake-ups go nowhere, and the hub finds what is due by its ticks.
    """

    settings: Settings
    runtime: Runtime
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        return self.settings.public_url

    def ask(self, question: Callable[[Tx], T]) -> T:
        """Read something from the hub's database."""
        with self.runtime.db.read() as tx:
            return question(tx)

    def errors(self) -> list[str]:
        """What the hub logged as an error."""
        return [line for line in self.log.read_text().splitlines() if '"level":"error"' in line]

    def invite(self) -> str:
        """A fresh link that makes the first account."""
        with self.runtime.db.begin() as tx:
            return f"{self.url}/first-run/{people.make_link(tx)}"

    def wait_for(self, what: str, is_so: Callable[[], bool], seconds: float = 45.0) -> None:
        """Wait until something is true. Raises HubError naming it."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if self.process.poll() is not None:
                raise HubError(f"the hub ended by itself with code {self.process.returncode}; its log is {self.log}")
            if time.monotonic() > deadline:
                raise HubError(f"after {seconds:.0f} s still waiting for {what}; the hub's log is {self.log}")
            time.sleep(LOOK_S)

    def settle(self, seconds: float = 60.0) -> None:
        """Wait until nothing is due: all that came in is dealt with, all that has to go out is delivered."""
        try:
            self.wait_for("the hub to finish its work", lambda: not self.ask(self._due), seconds)
        except HubError as error:
            raise HubError(f"{error}; still due: {', '.join(self.ask(self._due))}") from error

    def _due(self, tx: Tx) -> list[str]:
        """What has work to do now or soon."""
        soon = self.runtime.clock() + SOON
        return [
            *(f"inbox {partition}" for partition in inbox.waiting_partitions(tx, soon)),
            *(f"outbox of {connections.get(tx, one).name}" for one in outbox.due_connections(tx, soon)),
            *(f"questions to {connections.get(tx, one).name}" for one in inquiries.due_connections(tx, soon)),
            *(f"stock for {connections.get(tx, one).name}" for one in listings.due_connections(tx, soon)),
            *("units that came in" for _ in ledger.risen(tx, 1)),
        ]

    def wait_for_poll(self, connection_id: str, since: float) -> None:
        """Wait until every polled stream of a connection was read after `since`, a reading of the wall clock."""

        def read(tx: Tx) -> bool:
            streams = cursors.of_connection(tx, connection_id)
            return all(one["last_ok_at"] and one["last_ok_at"].timestamp() >= since for one in streams)

        self.wait_for("the poll", lambda: self.ask(read))


@contextmanager
def open_house(port: int = 0) -> Iterator[House]:
    """Start a hub with nothing in it; stop it and remove everything at the end, but not the log that an error names."""
    folder = Path(tempfile.mkdtemp(prefix="orderhub-demo-"))
    settings = _settings(folder, port or _free_port())
    log = folder / "hub.log"
    is_log_wanted = False
    with log.open("wb") as out, _start(settings, folder, out) as process:
        try:
            _wait_until_it_answers(settings, process, log)
            db = open_database(settings.database)
            yield House(settings, build_runtime(settings, db, lambda _: None), process, log)
            db.dispose()
        except HubError:
            is_log_wanted = True
            raise
        finally:
            _stop(process)
            if not is_log_wanted:
                shutil.rmtree(folder, ignore_errors=True)


def _settings(folder: Path, port: int) -> Settings:
    """Settings that owe nothing to the environment the demo is started in."""
    return Settings(
        _env_file=None,  # type: ignore[call-arg] # not a field, but an option of every settings class
        database=f"sqlite:///{folder}/demo.sqlite3",
        keys="",
        keys_file=folder / "demo.keys",
        host="127.0.0.1",
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        allow_networks="127.0.0.0/8",  # the sandboxes are on loopback, which a hub does not call otherwise
        ca_bundle="",
        tick_s=0.2,
        unknown_quiet_s=1.0,
        listed_after_s=0.2,  # the shop of the demo lists an order at once
        quota_factor=50.0,  # sandboxes are patient
        cookie_secure=False,  # the console is opened by plain HTTP on this machine
        log_level="info",
    )


def _start(settings: Settings, folder: Path, out: IO[bytes]) -> subprocess.Popen[bytes]:
    outside = {name: value for name, value in os.environ.items() if not name.upper().startswith("ORDERHUB_")}
    inside = {f"ORDERHUB_{name.upper()}": str(value) for name, value in settings.model_dump().items()}
    command = [sys.executable, "-c", "from hub.cli import main; main()", "serve"]
    # A session of its own, so that Ctrl-C reaches the demo first, which then stops the hub.
    return subprocess.Popen(  # noqa: S603 - this program
        command, cwd=folder, env=outside | inside, stdout=out, stderr=out, start_new_session=True
    )


def _wait_until_it_answers(settings: Settings, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise HubError(f"the hub did not start:\n{log.read_text()[-2000:]}")
        try:
            with urllib.request.urlopen(f"{settings.public_url}/healthz", timeout=5):  # noqa: S310 - our own address
                return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_S)
    raise HubError(f"the hub does not answer at {settings.public_url}; its log is {log}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port(wanted: int = 8080) -> int:
    """The usual port when nobody has it, else any."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise HubError("there is no free port")
