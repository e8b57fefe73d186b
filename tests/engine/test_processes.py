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
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

from benchmarks.crash import START, free_port
from hub import processes
from hub.settings import Settings
from hub.store import migrate, people
from hub.store.database import Database, open_database, utcnow
from hub.store.sealing import new_key
from tests.conftest import new_postgres_database

KEY = new_key("test")


class Running:
    def __init__(self, role: str, url: str, folder: Path) -> None:
        self.port, self.log = free_port(), folder / f"{role}-{time.monotonic_ns()}.log"
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
        call = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            call.request("GET", path)
            answer = call.getresponse()
            return answer.status, answer.read()
        finally:
            call.close()

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
def running(role: str, url: str, folder: Path) -> Iterator[Running]:
    one = Running(role, url, folder)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()


def settings(url: str) -> Settings:
    return Settings(database=url, keys=KEY, port=free_port(), log_level="error")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Starting a process sets up the log lines of the process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


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


def test_a_port_that_another_program_has_is_named(file_url: str):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = settings(file_url).model_copy(update={"port": other.getsockname()[1]})
        with pytest.raises(processes.StartError, match="Set ORDERHUB_HOST and ORDERHUB_PORT"):
            processes.serve(taken)


def test_web_and_worker_share_a_database_and_stop_cleanly(postgres: str, tmp_path: Path):
    url = new_postgres_database(postgres)
    db = open_database(url)
    migrate.upgrade(db)
    db.dispose()
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
