"""Quotas: no connection, thread or process may together call more often than the vendor allows."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.sdk import RateLimit
from hub.store.database import new_id, open_database, utcnow
from hub.store.quotas import SharedLimiter

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.now = NOON

    def __call__(self):
        return self.now

    def later(self, seconds):
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def shop(store, clock):
    """Makes limiters of two connections of a fresh plugin."""
    name = new_id()[-12:]

    def limiter(number=1, clock=clock):
        return SharedLimiter(store, f"{name}-{number}", name, clock)

    return limiter


def test_a_full_bucket_gives_its_burst_and_then_one_token_at_a_time(shop, clock):
    limiter, limit = shop(), RateLimit("b", per_second=2, burst=3)
    assert [limiter.take(limit) for _ in range(4)] == [0, 0, 0, 0.5]
    clock.later(0.5)
    assert [limiter.take(limit) for _ in range(2)] == [0, 0.5]
    clock.later(3600)
    assert [limiter.take(limit) > 0 for _ in range(4)] == [False, False, False, True]


def test_the_wait_it_tells_is_long_enough(shop, clock):
    limiter, limit = shop(), RateLimit("slow", per_second=0.0056, burst=1)
    assert limiter.take(limit) == 0
    wait = limiter.take(limit)
    assert wait == pytest.approx(1 / 0.0056)
    clock.later(wait - 1)
    assert limiter.take(limit) > 0
    clock.later(1.002)
    assert limiter.take(limit) == 0


def test_a_pause_lets_nobody_through_and_one_call_at_its_end(shop, clock):
    limiter, other = shop(), shop()
    limit = RateLimit("b", per_second=1, burst=100)
    limiter.take(limit)
    limiter.pause(limit, 60)
    other.pause(limit, 5)  # a shorter one does not end the longer one
    assert other.take(limit) == 60
    clock.later(60)
    assert [other.take(limit), limiter.take(limit)] == [0, 1]


def test_a_bucket_that_was_never_used_can_be_paused(shop, clock):
    limiter, limit = shop(), RateLimit("new", per_second=1, burst=9)
    limiter.pause(limit, 10)
    assert limiter.take(limit) == 10


def test_buckets_are_apart_by_connection_unless_the_vendor_counts_per_app(shop, clock):
    first, second = shop(), shop(2)
    stranger = SharedLimiter(shop().db, new_id(), new_id(), clock)
    own, app = RateLimit("b", 1, 1), RateLimit("b", 1, 1, scope="app")
    assert [first.take(own), second.take(own), first.take(own)] == [0, 0, 1]
    assert [first.take(app), second.take(app), stranger.take(app)] == [0, 1, 0]
    first.pause(app, 30)
    assert [second.take(app), stranger.take(app)] == [30, 1]


def test_a_clock_that_is_behind_fills_no_bucket_twice(shop, clock):
    late = Clock()
    ahead, behind = shop(), shop(clock=late)
    limit = RateLimit("b", per_second=1, burst=1)
    clock.later(10)
    taken = [ahead.take(limit) == 0]
    for _ in range(10):
        taken += [behind.take(limit) == 0, ahead.take(limit) == 0]
    assert taken.count(True) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    per_second=st.sampled_from([0.0056, 0.5, 2, 10, 33.3]),
    burst=st.integers(1, 6),
    steps=st.lists(st.tuples(st.sampled_from(["take", "take", "take", "pause"]), st.floats(0, 5)), max_size=25),
    bucket=st.uuids(),
)
def test_the_declared_rate_is_never_exceeded(store, per_second, burst, steps, bucket):
    clock, limit = Clock(), RateLimit(str(bucket), per_second, burst)
    limiter, taken, quiet_until = SharedLimiter(store, "c1", "shop", clock), [], NOON
    for act, seconds in steps:
        clock.later(seconds)
        if act == "pause":
            limiter.pause(limit, seconds)
            quiet_until = max(quiet_until, clock.now + timedelta(seconds=seconds))
        elif limiter.take(limit) == 0:
            assert clock.now >= quiet_until - timedelta(milliseconds=1)
            taken.append(clock.now)
    for first, begin in enumerate(taken):
        for last, end in enumerate(taken[first:], first):
            span = (end - begin).total_seconds() + 0.001
            assert last - first + 1 <= burst + per_second * span


def test_threads_share_one_bucket(shop):
    limit = RateLimit("b", per_second=0.001, burst=10)
    limiter = shop(clock=utcnow)
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda _: limiter.take(limit), range(40)))
    assert waits.count(0) == 10


def _take_many(url, connection_id, times, results):
    db = open_database(url, pool_size=1)
    limiter, limit = SharedLimiter(db, connection_id, "shop"), RateLimit("b", per_second=0.001, burst=10)
    results.put(sum(limiter.take(limit) == 0 for _ in range(times)))
    db.dispose()


def test_processes_share_one_bucket(store):
    spawn = multiprocessing.get_context("spawn")
    results = spawn.Queue()
    given = (store.url, new_id(), 30, results)
    workers = [spawn.Process(target=_take_many, args=given) for _ in range(2)]
    for worker in workers:
        worker.start()
    taken = [results.get(timeout=30) for _ in workers]
    for worker in workers:
        worker.join(10)
    assert sum(taken) == 10
