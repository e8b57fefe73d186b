"""The engine of one process."""

from __future__ import annotations

import threading
import time
from collections import Counter

from hub.engine.doors import Stopping
from hub.engine.local import LocalEngine


def test_a_door_is_opened_by_one_thread_at_a_time():
    inside, most = Counter[str](), Counter[str]()
    lock = threading.Lock()

    def open_door(door: str, _stopping: object) -> bool:
        with lock:
            inside[door] += 1
            most[door] = max(most[door], inside[door])
        time.sleep(0.002)
        with lock:
            inside[door] -= 1
        return False

    engine = LocalEngine(open_door, threads=6)
    engine.start()
    for number in range(300):
        engine.wake(f"inbox:{number % 3}")
    assert engine.wait_until_idle(10)
    assert engine.stop()
    assert dict(most) == {"inbox:0": 1, "inbox:1": 1, "inbox:2": 1}


def test_a_door_woken_while_it_is_open_is_opened_once_more():
    begun, go_on, opened = threading.Event(), threading.Event(), []

    def open_door(door: str, _stopping: object) -> bool:
        opened.append(door)
        begun.set()
        go_on.wait(5)
        return False

    engine = LocalEngine(open_door)
    engine.start()
    engine.wake("inbox:1")
    assert begun.wait(5)
    for _ in range(5):
        engine.wake("inbox:1")
    go_on.set()
    assert engine.wait_until_idle(5)
    engine.stop()
    assert opened == ["inbox:1", "inbox:1"]


def test_a_door_with_more_mail_is_opened_again():
    left = [3]

    def open_door(_door: str, _stopping: object) -> bool:
        left[0] -= 1
        return left[0] > 0

    engine = LocalEngine(open_door)
    engine.start()
    engine.wake("inbox:1")
    assert engine.wait_until_idle(5)
    engine.stop()
    assert left == [0]


def test_slow_vendors_do_not_keep_orders_from_coming_in():
    release, taken = threading.Event(), threading.Event()

    def open_door(door: str, _stopping: object) -> bool:
        if door.startswith("outbox:"):
            release.wait(10)
        else:
            taken.set()
        return False

    engine = LocalEngine(open_door, threads=1, callers=2)
    engine.start()
    for number in range(10):
        engine.wake(f"outbox:{number}")
    engine.wake("inbox:1")
    assert taken.wait(5)
    release.set()
    assert engine.stop()


def test_a_step_that_fails_stops_no_other():
    opened = []

    def open_door(door: str, _stopping: object) -> bool:
        if door == "inbox:1":
            raise RuntimeError("this one is broken")
        opened.append(door)
        return False

    engine = LocalEngine(open_door, threads=1)
    engine.start()
    engine.wake("inbox:1")
    engine.wake("inbox:2")
    assert engine.wait_until_idle(5)
    engine.stop()
    assert opened == ["inbox:2"]


def test_stopping_lets_a_step_finish_and_begins_no_other():
    begun, finished = threading.Event(), []

    def open_door(door: str, _stopping: object) -> bool:
        begun.set()
        time.sleep(0.2)
        finished.append(door)
        return False

    engine = LocalEngine(open_door, threads=1)
    engine.start()
    engine.wake("inbox:1")
    assert begun.wait(5)
    engine.wake("inbox:2")
    assert engine.stop()
    assert finished == ["inbox:1"]


def test_a_door_with_endless_mail_ends_after_its_round():
    begun = threading.Event()

    def open_door(_door: str, stopping: Stopping) -> bool:
        begun.set()
        while not stopping():
            time.sleep(0.01)
        return True

    engine = LocalEngine(open_door, threads=1)
    engine.start()
    engine.wake("inbox:1")
    assert begun.wait(5)
    assert engine.stop(10)


def test_stopping_says_so_when_a_step_does_not_end_in_time():
    begun, release = threading.Event(), threading.Event()

    def open_door(_door: str, _stopping: object) -> bool:
        begun.set()
        release.wait(10)
        return False

    engine = LocalEngine(open_door, threads=1)
    engine.start()
    engine.wake("inbox:1")
    assert begun.wait(5)
    assert not engine.stop(timeout_s=0.1)
    release.set()


def test_an_engine_that_was_never_started_can_be_stopped():
    assert LocalEngine(lambda _door, _stopping: False).stop()
