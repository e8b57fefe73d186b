"""A time limit around work that calls out: nothing is sent after it, and no wait is longer than what is left of it."""

from __future__ import annotations

import socket
import time

import pytest

from hub.sdk import OAuth2, RateLimit, errors
from hub.sdk.auth import authorizer
from hub.sdk.deadline import time_left, time_limit
from hub.testing.context import MemoryTokens
from tests.sdk.chaos import answer, drip, silence

METHODS = ["GET", "POST"]
AUTH = OAuth2("{base_url}/token", "client_credentials", client_id="client_id")


class Busy(MemoryTokens):
    """A token store where another worker is fetching, for ever."""

    def claim(self) -> bool:
        return False


@pytest.fixture
def asleep():
    """What a client slept instead of sleeping."""
    return []


@pytest.mark.parametrize("method", METHODS)
def test_nothing_is_sent_when_the_time_is_up_and_it_may_be_sent_later(client, chaos, asleep, method):
    server = chaos(answer())
    with time_limit(0), pytest.raises(errors.Transient, match="no time was left to send this"):
        client(sleep=asleep.append).request(method, f"{server.url}/labels")
    assert (server.connections, asleep) == (0, [])


def test_a_write_that_was_sent_is_unknown_when_the_time_is_up_and_the_next_one_is_not_begun(client, chaos):
    server = chaos(silence())
    with time_limit(0.3):
        with pytest.raises(errors.OutcomeUnknown, match="no complete answer in time"):
            client().post(f"{server.url}/shipments")
        with pytest.raises(errors.Transient, match="no time was left"):
            client().post(f"{server.url}/shipments/1/buy")
        assert time_left() > -2, "the read timeout is 30 seconds"
    assert [request.split(b" ")[1] for request in server.requests] == [b"/shipments"]


def test_a_read_is_not_tried_again_beyond_the_time(client, chaos, asleep):
    server = chaos(silence())
    with time_limit(0.3), pytest.raises(errors.Transient):
        client(sleep=asleep.append).get(f"{server.url}/orders")
    assert (len(server.requests), asleep) == (1, [])


def test_an_answer_that_drips_ends_when_the_time_is_up(client, chaos):
    said = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000
    with time_limit(0.4):
        with pytest.raises(errors.OutcomeUnknown, match="no complete answer in time"):
            client().post(f"{chaos(drip(said)).url}/x")
        assert time_left() > -2


def test_nothing_is_sent_when_finding_the_host_took_all_the_time(client, chaos, monkeypatch):
    server, find = chaos(answer()), socket.getaddrinfo

    def slowly(*args, **options):
        time.sleep(max(time_left(), 0))  # a resolver has no timeout that could be cut
        return find(*args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", slowly)
    with time_limit(0.2), pytest.raises(errors.Transient, match="connecting took all the time"):
        client().post(f"{server.url}/labels")
    assert not any(server.requests)


def test_connecting_is_given_no_longer_than_what_is_left(client):
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:  # fill its queue, so that the kernel answers no further call
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with time_limit(0.2), pytest.raises(errors.Transient, match=r"no connection to 127\.0\.0\.1 within 0"):
            client(connect_timeout_s=30).post(f"http://127.0.0.1:{port}/x")
        for one in waiting:
            one.close()


def test_a_wait_for_quota_that_is_longer_than_the_time_left_is_not_begun(client, chaos, bucket, asleep):
    server = chaos(answer())
    bucket.waits = [1.5]
    with time_limit(1), pytest.raises(errors.RateLimited) as limited:
        client(sleep=asleep.append, limits=(RateLimit("all", 1, 1),)).post(f"{server.url}/x")
    assert (limited.value.retry_after_s, asleep, server.connections) == (1.5, [], 0)


def test_a_token_is_fetched_inside_the_time_and_without_one_nothing_is_sent(client, chaos):
    shop, endpoint = chaos(answer()), chaos(silence())
    values = {"base_url": endpoint.url, "client_id": "id"}
    http = client(authorizer=authorizer(AUTH, values, MemoryTokens(), client))
    with time_limit(0.3):
        with pytest.raises(errors.Transient, match="token endpoint"):
            http.post(f"{shop.url}/labels")
        assert time_left() > -2
    assert (len(endpoint.requests), shop.connections) == (1, 0)


def test_another_workers_token_is_waited_for_no_longer_than_the_time_left(client, chaos):
    shop = chaos(answer())
    http = client(authorizer=authorizer(AUTH, {"base_url": shop.url, "client_id": "id"}, Busy(), client))
    with time_limit(0.3):
        with pytest.raises(errors.Transient, match="another worker is renewing"):
            http.post(f"{shop.url}/labels")
        assert time_left() > -2
    assert shop.connections == 0


def test_work_inside_other_work_ends_with_it():
    with time_limit(5):
        with time_limit(60):
            assert time_left() <= 5
        with time_limit(1):
            assert time_left() <= 1
        assert time_left() > 4
