"""The real processes: how they start, refuse, answer and stop."""

from __future__ import annotations

import http.client
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import structlog

from benchmarks.crash import START, free_port
from hub import processes
from hub.engine.server import WebServer, open_port
from hub.settings import Settings
from hub.store import migrate, people
from hub.store.database import Database, open_database, utcnow
from hub.store.sealing import new_key
from tests.conftest import new_postgres_database

KEY = new_key("test")


def get(port: int, path: str) -> tuple[int, bytes]:
    call = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        call.request("GET", path)
        answer = call.getresponse()
        return answer.status, answer.read()
    finally:
        call.close()


class Running:
    def __init__(self, role: str, url: str, folder: Path, port: int = 0) -> None:
        self.port, self.log = port or free_port(), folder / f"{role}-{time.monotonic_ns()}.log"
        env = {
            **os.environ,
            "ORDERHUB_DATABASE": url,
            "ORDERHUB_KEYS": KEY,
            "ORDERHUB_PORT": str(self.port),
            "ORDERHUB_TICK_S": "0.5",
            "PYTHONPATH": os.pathsep.join(sys.path),
        }
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", START.format(role=role)], env=env, stdout=log, stderr=log, cwd=folder
            )

    def get(self, path: str) -> tuple[int, bytes]:
        return get(self.port, path)

    def wait_for(self, words: str, seconds: float = 40.0) -> None:
        deadline = time.monotonic() + seconds
        while words not in self.log.read_text():
            assert time.monotonic() < deadline, f"{words!r} never came:\n{self.log.read_text()}"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


@contextmanager
def running(role: str, url: str, folder: Path, port: int = 0) -> Iterator[Running]:
    one = Running(role, url, folder, port)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def settings(url: str, port: int = 0) -> Settings:
    return Settings(database=url, keys=KEY, port=port or free_port(), log_level="error")


def shared_database(server: str) -> str:
    """A PostgreSQL database with the schema of this version."""
    url = new_postgres_database(server)
    db = open_database(url)
    migrate.upgrade(db)
    db.dispose()
    return url


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Starting a process sets up the log lines of the process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


@pytest.fixture
def signals_as_before() -> Iterator[None]:
    """A web server in the process of the tests takes the signals that end a process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def file_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/hub.sqlite3"


def test_serve_makes_its_database_answers_invites_and_stops_cleanly(file_url: str, tmp_path: Path):
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        assert hub.get("/healthz")[0] == 200
        hub.wait_for("/first-run/")
        assert hub.end() == 0
    lines = [json.loads(line) for line in hub.log.read_text().splitlines() if line.startswith("{")]
    ready = next(line for line in lines if line["event"] == "web.ready")
    assert ready["status"] == 200
    assert ready["seconds"] >= 0
    assert lines[-1]["event"] == "serve.stopped"
    assert "free-threaded" not in hub.log.read_text()


def test_serve_is_one_process(file_url: str, tmp_path: Path):
    psutil = pytest.importorskip("psutil")
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        assert psutil.Process(hub.process.pid).children(recursive=True) == []


def test_serve_stops_at_ctrl_c(file_url: str, tmp_path: Path):
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        assert hub.end(signal.SIGINT) == 0


def test_a_second_serve_on_the_same_file_refuses_and_names_the_first(file_url: str, tmp_path: Path):
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        with pytest.raises(processes.StartError, match=rf"`orderhub serve` \(process {hub.process.pid} on .*Stop it"):
            processes.serve(settings(file_url))
        assert hub.get("/healthz")[0] == 200


def test_serve_begins_at_once_after_it_was_killed(file_url: str, tmp_path: Path):
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        hub.end(signal.SIGKILL)
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        assert "lease.waiting" not in hub.log.read_text()
        assert hub.end() == 0


def test_web_and_worker_refuse_sqlite(file_url: str):
    for process in (processes.web, processes.worker):
        with pytest.raises(processes.StartError, match=r"which SQLite cannot\. Run `orderhub serve`"):
            process(settings(file_url))


def test_web_and_worker_refuse_an_empty_database(postgres: str):
    url = new_postgres_database(postgres)
    for process in (processes.web, processes.worker):
        with pytest.raises(processes.StartError, match="run `orderhub migrate` first"):
            process(settings(url))


def test_a_wrong_key_is_found_at_start(db: Database, migrated_url: str):
    from hub.testing.world import World

    World(db).connect("shopify", "Web shop", {"shop": "demo.myshopify.com", "access_token": "x", "webhook_secret": "y"})
    with pytest.raises(processes.StartError, match="the secrets of connection 'Web shop' cannot be opened"):
        processes.serve(settings(migrated_url))


def test_a_newer_schema_is_left_alone(db: Database, migrated_url: str):
    with db.begin() as tx:
        tx.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(processes.StartError, match="newer schema 9999: install the version"):
        processes.serve(settings(migrated_url))


@pytest.fixture(params=["its own", "shared"])
def foreign_port(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    """A port that a program which is no hub listens at, and hangs up at once."""

    def hang_up() -> None:
        with suppress(OSError):
            while True:
                other.accept()[0].close()

    with socket.socket() as other:
        if request.param == "shared":
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        threading.Thread(target=hang_up, daemon=True).start()
        yield other


def test_a_port_that_another_program_has_is_named(file_url: str, postgres: str, foreign_port: socket.socket):
    number = foreign_port.getsockname()[1]
    with pytest.raises(processes.StartError, match="Set ORDERHUB_HOST and ORDERHUB_PORT"):
        processes.serve(settings(file_url, number))
    with pytest.raises(processes.StartError, match="another program has it"):
        processes.web(settings(shared_database(postgres), number))


def test_two_hubs_on_different_databases_never_listen_at_one_port(file_url: str, postgres: str, tmp_path: Path):
    mine, other = shared_database(postgres), shared_database(postgres)
    with running("web", mine, tmp_path) as front:
        front.wait_for("web.ready")
        with pytest.raises(
            processes.StartError, match=f"cannot listen on 127.0.0.1:{front.port}: Address already in use"
        ):
            processes.serve(settings(file_url, front.port))
        with pytest.raises(
            processes.StartError, match="another program has it, or a hub that works on another database"
        ):
            processes.web(settings(other, front.port))
    with running("serve", file_url, tmp_path) as hub:
        hub.wait_for("web.ready")
        for role in (processes.serve, processes.web):
            with pytest.raises(processes.StartError, match=f"cannot listen on 127.0.0.1:{hub.port}"):
                role(settings(other, hub.port))


def test_web_processes_on_one_database_share_a_port(postgres: str, tmp_path: Path):
    url = shared_database(postgres)
    with running("web", url, tmp_path) as first:
        first.wait_for("web.ready")
        with running("web", url, tmp_path, first.port) as second:
            second.wait_for("web.ready")
            assert first.end() == 0
            assert {second.get("/healthz")[0] for _ in range(20)} == {200}
            assert second.end() == 0


@pytest.mark.usefixtures("signals_as_before")
def test_a_request_that_had_begun_is_answered_and_then_the_port_is_closed():
    def stopping(_: Any, start: Any) -> list[bytes]:
        server.stop()
        start("200 OK", [("Content-Length", "4")])
        return [b"done"]

    port = open_port("127.0.0.1", 0)
    number = port.getsockname()[1]
    server = WebServer(stopping, "127.0.0.1", number, port)
    with ThreadPoolExecutor(1) as customer:
        said = customer.submit(get, number, "/")
        server.run()
        assert said.result(20) == (200, b"done")
    with pytest.raises(ConnectionRefusedError):
        get(number, "/")


def test_web_and_worker_share_a_database_and_stop_cleanly(postgres: str, tmp_path: Path):
    url = shared_database(postgres)
    with running("web", url, tmp_path) as front, running("worker", url, tmp_path) as worker:
        front.wait_for("web.ready")
        worker.wait_for("worker.ready")
        assert front.get("/healthz")[0] == 200
        with pytest.raises(processes.StartError, match=rf"`orderhub worker` \(process {worker.process.pid} "):
            processes.serve(settings(url))
        assert front.end() == 0
        assert worker.end() == 0
    with running("serve", url, tmp_path) as hub:
        hub.wait_for("web.ready")
        with pytest.raises(processes.StartError, match="`orderhub serve`"):
            processes.worker(settings(url))


def test_nobody_is_invited_once_there_is_somebody(db: Database, migrated_url: str, capsys: pytest.CaptureFixture[str]):
    asked = settings(migrated_url).model_copy(update={"public_url": "https://hub.example.com/"})
    link = processes.invite(asked, db)
    assert link is not None
    assert link.startswith("https://hub.example.com/first-run/")
    assert link in capsys.readouterr().out
    assert processes.invite(asked, db, anew=False) is None
    with db.begin() as tx:
        people.add_person(tx, email="a@example.com", name="A", role="owner", password_hash="x", now=utcnow())
    assert processes.invite(asked, db) is None
    assert capsys.readouterr().out == ""


def test_a_copy_is_made_before_an_older_file_is_migrated(file_url: str, tmp_path: Path):
    db = open_database(file_url)
    assert migrate.copy_aside(db) is None
    migrate.upgrade(db)
    with db.begin() as tx:
        people.add_person(tx, email="a@example.com", name="A", role="owner", password_hash="x", now=utcnow())
    copy = migrate.copy_aside(db)
    assert copy is not None
    kept = open_database(f"sqlite:///{copy}")
    with kept.read() as tx:
        assert [one.email for one in people.people(tx)] == ["a@example.com"]
    kept.dispose()
    db.dispose()
