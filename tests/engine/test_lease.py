"""The lease on the ticks: one holder at a time, a token that rises, nobody locked out for long."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from hub.engine.lease import TICKS, AlreadyRunningError, Lease, duration
from hub.store import leases
from hub.store.database import Database

LONG = timedelta(minutes=5)
SHORT = timedelta(seconds=0.2)


def test_of_many_who_try_at_once_one_gets_it(db: Database):
    candidates = [Lease(db, "worker", LONG) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        got = list(pool.map(Lease.hold, candidates))
    assert got.count(True) == 1


def test_the_holder_keeps_it_and_the_others_do_not_get_it(db: Database):
    first, second = Lease(db, "worker", LONG), Lease(db, "worker", LONG)
    assert first.hold()
    assert not second.hold()
    assert first.hold()
    assert first.fence == 1


def test_the_fence_rises_with_every_new_holder(db: Database):
    fences = []
    for _ in range(3):
        one = Lease(db, "worker", LONG)
        assert one.hold()
        fences.append(one.fence)
        one.release()
    assert fences == [1, 2, 3]


def test_one_that_shows_no_sign_of_life_loses_it(db: Database):
    gone, heir = Lease(db, "worker", SHORT), Lease(db, "worker", LONG)
    assert gone.hold()
    time.sleep(0.3)
    assert heir.hold()
    assert not gone.hold()
    assert gone.fence is None


def test_one_that_slept_goes_on_when_nobody_took_it(db: Database):
    sleeper = Lease(db, "serve", SHORT)
    assert sleeper.hold()
    time.sleep(0.3)
    assert sleeper.hold()
    assert sleeper.fence == 1


def test_serve_refuses_beside_a_living_holder_and_names_it(db: Database):
    living = Lease(db, "serve", timedelta(seconds=1))
    # On another machine, as far as the name says, so that only its signs of life tell that it lives.
    living.holder = f"serve@elsewhere:{os.getpid() + 1}:aa"
    assert living.hold()
    ended = threading.Event()

    def show_life() -> None:
        while not ended.wait(0.2):
            living.hold()

    heart = threading.Thread(target=show_life)
    heart.start()
    try:
        with pytest.raises(AlreadyRunningError, match=r"`orderhub serve` \(process \d+ on elsewhere\) works on this"):
            Lease(db, "serve", timedelta(seconds=1)).claim_alone()
    finally:
        ended.set()
        heart.join()


def test_serve_waits_for_the_end_of_a_lease_whose_holder_is_silent(db: Database):
    silent = Lease(db, "serve", timedelta(seconds=0.6))
    silent.holder = "serve@elsewhere:1:aa"
    assert silent.hold()
    heir = Lease(db, "serve", LONG)
    heir.claim_alone()
    assert heir.fence == 2


def test_serve_does_not_wait_for_one_that_died_on_this_machine(db: Database):
    died = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = Lease(db, "serve", LONG)
    dead.holder = f"serve@{socket.gethostname()}:{int(died.stdout)}:aa"
    assert dead.hold()
    heir = Lease(db, "serve", LONG)
    begun = time.monotonic()
    heir.claim_alone()
    assert heir.fence == 2
    assert time.monotonic() - begun < 5


def test_a_worker_is_told_of_a_serve_and_not_of_another_worker(db: Database):
    me = Lease(db, "worker", LONG)
    other = Lease(db, "worker", LONG)
    assert other.hold()
    assert me.held_by_serve() is None
    other.release()
    serve = Lease(db, "serve", LONG)
    serve.holder = "serve@elsewhere:7:aa"
    assert serve.hold()
    assert "`orderhub serve` (process 7 on elsewhere)" in (me.held_by_serve() or "")


def test_a_lease_outlives_several_ticks(db: Database):
    assert duration(2.0) == timedelta(seconds=10)
    assert duration(0.1) == timedelta(seconds=2)


def test_a_release_does_not_end_the_lease_of_the_next_holder(db: Database):
    gone, heir = Lease(db, "worker", SHORT), Lease(db, "worker", LONG)
    assert gone.hold()
    time.sleep(0.3)
    assert heir.hold()
    gone.release()
    with db.read() as tx:
        found = leases.get(tx, TICKS)
    assert found is not None
    assert found.holder == heir.holder
    assert not Lease(db, "worker", LONG).hold()
