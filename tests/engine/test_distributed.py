"""The engine of many processes, on a real PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from sqlalchemy import text

from hub.engine.distributed import Bell, Ringer, WorkerEngine, is_prepared, prepare
from hub.engine.doors import Opener, Stopping
from hub.store.database import open_database
from tests.conftest import new_postgres_database


@pytest.fixture
def url(postgres: str) -> str:
    made = new_postgres_database(postgres)
    prepare(made)
    return made


@contextmanager
def running(url: str, open_door: Opener, **more: float) -> Iterator[WorkerEngine]:
    engine = WorkerEngine(Bell(url), open_door, **{"threads": 3, "callers": 2, "stalled_s": 1.0} | more)
    engine.start()
    try:
        yield engine
    finally:
        assert engine.stop(10)


def until(truth: Callable[[], bool], seconds: float = 15.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if truth():
            return True
        time.sleep(0.02)
    return False


def jobs(url: str) -> int:
    db = open_database(url)
    with db.read() as tx:
        count = tx.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar_one()
    db.dispose()
    return int(count)


def test_two_processes_may_prepare_a_database_at_once(postgres: str):
    fresh = new_postgres_database(postgres)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(prepare, [fresh] * 4))
    assert made.count(True) == 1
    assert not prepare(fresh)
    db = open_database(fresh)
    assert is_prepared(db)
    db.dispose()


def test_a_web_process_rings_and_a_worker_opens(url: str):
    opened: list[str] = []
    web = Ringer(Bell(url))
    web.start()
    with running(url, lambda door, _stopping: bool(opened.append(door))):
        web.wake("inbox:3")
        web.wake("outbox:demo")
        assert until(lambda: sorted(opened) == ["inbox:3", "outbox:demo"])
    assert web.stop()
    assert until(lambda: jobs(url) == 0)


def test_a_door_is_opened_by_one_worker_of_all_at_a_time(url: str):
    inside, most, total = Counter[str](), Counter[str](), Counter[str]()
    lock = threading.Lock()

    def open_door(door: str, _stopping: object) -> bool:
        with lock:
            inside[door] += 1
            most[door] = max(most[door], inside[door])
        time.sleep(0.01)
        with lock:
            inside[door] -= 1
            total[door] += 1
        return False

    with running(url, open_door) as first, running(url, open_door) as second:
        for number in range(60):
            (first, second)[number % 2].wake(f"inbox:{number % 2}")
            time.sleep(0.01)
        assert until(lambda: jobs(url) == 0)
    assert dict(most) == {"inbox:0": 1, "inbox:1": 1}
    assert min(total.values()) > 1


def test_wake_ups_of_one_door_collapse_while_one_waits(url: str):
    bell = Bell(url)
    bell.start()
    for _ in range(200):
        bell.ring("inbox:1")
    bell.stop()
    assert jobs(url) == 1


def test_a_door_woken_while_it_is_open_is_opened_once_more(url: str):
    begun, go_on, opened = threading.Event(), threading.Event(), []

    def open_door(door: str, _stopping: object) -> bool:
        opened.append(door)
        begun.set()
        go_on.wait(10)
        return False

    with running(url, open_door) as engine:
        engine.wake("inbox:1")
        assert begun.wait(10)
        engine.wake("inbox:1")
        assert until(lambda: jobs(url) == 2)
        go_on.set()
        assert until(lambda: jobs(url) == 0)
    assert opened == ["inbox:1", "inbox:1"]


def test_a_door_with_more_mail_is_opened_again(url: str):
    left = [3]

    def open_door(_door: str, _stopping: object) -> bool:
        left[0] -= 1
        return left[0] > 0

    with running(url, open_door) as engine:
        engine.wake("inbox:1")
        assert until(lambda: left == [0] and jobs(url) == 0)


def test_a_step_that_fails_leaves_no_job_behind(url: str):
    opened: list[str] = []

    def open_door(door: str, _stopping: object) -> bool:
        opened.append(door)
        raise RuntimeError("this one is broken")

    with running(url, open_door) as engine:
        engine.wake("inbox:1")
        assert until(lambda: opened == ["inbox:1"] and jobs(url) == 0)


HANGING = """
import sys, time
from hub.engine.distributed import Bell, WorkerEngine
def hang(door, stopping):
    print(door, flush=True)
    time.sleep(600)
WorkerEngine(Bell(sys.argv[1]), hang, stalled_s=1.0).start()
time.sleep(600)
"""


def test_the_doors_of_a_killed_worker_are_freed_for_others(url: str):
    caller = Bell(url)
    caller.start()
    caller.ring("outbox:demo")
    dying = subprocess.Popen([sys.executable, "-c", HANGING, url], stdout=subprocess.PIPE, text=True)
    assert dying.stdout is not None
    assert dying.stdout.readline() == "outbox:demo\n"
    caller.ring("outbox:demo")  # waits behind the job that hangs
    assert until(lambda: jobs(url) == 2)
    dying.send_signal(signal.SIGKILL)
    dying.wait()
    dying.stdout.close()
    opened: list[str] = []
    with running(url, lambda door, _stopping: bool(opened.append(door))) as engine:
        assert until(lambda: bool(engine.rescue() or opened))
        assert until(lambda: bool(opened) and jobs(url) == 0)
    caller.stop()
    assert set(opened) == {"outbox:demo"}


def test_a_living_worker_is_not_robbed_of_its_doors(url: str):
    begun, go_on = threading.Event(), threading.Event()

    def open_door(_door: str, _stopping: object) -> bool:
        begun.set()
        go_on.wait(20)
        return False

    with running(url, open_door, stalled_s=2.0) as engine:
        engine.wake("outbox:slow")
        assert begun.wait(10)
        ends = time.monotonic() + 4
        while time.monotonic() < ends:
            assert engine.rescue() == 0
            time.sleep(0.2)
        go_on.set()
        assert until(lambda: jobs(url) == 0)


def test_work_goes_on_after_the_database_threw_everybody_out(url: str):
    opened: list[str] = []
    with running(url, lambda door, _stopping: bool(opened.append(door))) as engine:
        engine.wake("inbox:1")
        assert until(lambda: opened == ["inbox:1"])
        db = open_database(url)
        with db.begin() as tx:
            tx.execute(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND application_name = 'orderhub-engine'"
                )
            )
        db.dispose()

        def answered() -> bool:
            engine.wake("inbox:2")  # as a sweep does at every tick
            time.sleep(0.2)
            return "inbox:2" in opened

        assert until(answered)


def test_stopping_lets_a_step_finish(url: str):
    begun, finished = threading.Event(), []

    def open_door(door: str, _stopping: object) -> bool:
        begun.set()
        time.sleep(0.5)
        finished.append(door)
        return False

    with running(url, open_door) as engine:
        engine.wake("inbox:1")
        assert begun.wait(10)
    assert finished == ["inbox:1"]
    assert jobs(url) == 0


def test_a_door_with_endless_mail_ends_after_its_round_and_is_left_to_the_others(url: str):
    begun = threading.Event()

    def open_door(_door: str, stopping: Stopping) -> bool:
        begun.set()
        while not stopping():
            time.sleep(0.01)
        return True

    with running(url, open_door) as engine:
        engine.wake("inbox:1")
        assert begun.wait(10)
    assert jobs(url) == 1


def test_ringing_is_harmless_when_the_database_is_away():
    bell = Bell("postgresql://nobody@127.0.0.1:9/none")
    bell.start()
    begun = time.monotonic()
    bell.ring("inbox:1")
    assert time.monotonic() - begun < 0.5
    bell.stop()
