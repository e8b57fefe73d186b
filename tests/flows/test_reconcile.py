"""Reading a stream: what becomes of pages, cursors and windows, with a source that does as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from hub.flows.reconcile import reconcile
from hub.plugins import LoadedPlugin, Registry
from hub.sdk import (
    CheckResult,
    Connector,
    Cursor,
    Manifest,
    Page,
    Record,
    StockSource,
    Stream,
    Window,
    errors,
    read_each,
)
from hub.store import connections, cursors
from hub.store.cursors import CursorState
from hub.store.database import Database
from hub.store.tables import inbox
from hub.testing.world import World

STREAM = Stream("stock", "inventory", "erp/odoo/stock.yml", polled=True, lag=timedelta(minutes=1))
MANIFEST = Manifest("told", "Told", "1.0.0", "demo", "https://example.com", {"type": "object"}, streams=(STREAM,))


@dataclass
class Source:
    """A hub with one connected source. `gives` are the pages of each run, an error where a run breaks."""

    world: World
    gives: list[list[Page | Exception]] = field(default_factory=list)
    asked: list[tuple[Window, Cursor | None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        source = self

        class Told(Connector, StockSource):
            manifest = MANIFEST

            def check(self) -> CheckResult:
                return CheckResult(ok=True)

            def stock(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
                source.asked.append((window, cursor))
                for page in source.gives.pop(0):
                    if isinstance(page, Exception):
                        raise page
                    yield page

        plugin = LoadedPlugin("told", "told", "1.0", Told, MANIFEST, ("StockSource",))
        self.world.runtime = replace(self.world.runtime, registry=Registry((plugin,), ()))
        self.id = self.world.connect("told", "Source", {}, poll=True)

    def run(self, *pages: Page | Exception, rest: tuple[Page | Exception, ...] | None = None) -> None:
        """One poll; `rest` is what is left of a broken run, read before."""
        self.gives = [list(pages)] if rest is None else [list(rest), list(pages)]
        reconcile(self.world.runtime, self.id, "stock")

    @property
    def state(self) -> CursorState:
        return self.world.read(lambda tx: cursors.get(tx, self.id, "stock"))

    @property
    def row(self) -> dict[str, Any]:
        return self.world.read(lambda tx: cursors.of_connection(tx, self.id))[0]


@pytest.fixture
def source(db: Database) -> Source:
    return Source(World(db))


def page(name: str, cursor: dict[str, Any] | None = None) -> Page:
    return Page((Record(name, {"name": name}),), cursor)


def at(place: int) -> dict[str, Any]:
    return {"v": 1, "after": place}


BROKEN = RuntimeError("the line is dead")


def test_a_run_whose_last_page_has_no_cursor_leaves_none(source: Source) -> None:
    source.run(page("one", at(1)), page("two", at(2)), page("three"))
    assert source.state.value is None
    source.run(Page(()))
    assert [cursor for _, cursor in source.asked] == [None, None]
    first, second = (window for window, _ in source.asked)
    assert (first.start, second.start) == (None, first.end - STREAM.lookback)


def test_a_run_without_any_page_leaves_no_cursor(source: Source) -> None:
    source.run(page("one", at(1)), BROKEN)
    source.run(rest=())
    assert [cursor for _, cursor in source.asked] == [None, at(1), None]


def test_a_journal_goes_on_at_the_cursor_of_its_last_page(source: Source) -> None:
    source.run(page("one", at(1)), page("two", at(2)))
    source.run(Page((), at(2)))
    source.run(page("three", at(3)))
    assert [cursor for _, cursor in source.asked] == [None, at(2), at(2)]
    assert source.state.value == at(3)


def test_a_broken_run_is_read_on_in_its_own_window_and_what_came_since_with_the_overlap(source: Source) -> None:
    source.run(page("one", at(1)), page("two", at(2)), BROKEN)
    source.world.later(hours=1)
    source.run(page("four"), rest=(page("three"),))
    (whole, _), (rest, place), (since, start) = source.asked
    assert (rest, place, start) == (whole, at(2), None)
    assert since.start == whole.end - STREAM.lookback
    assert since.end > whole.end + timedelta(minutes=59)
    assert source.state == CursorState(None, since.end, None, 0)


def test_a_run_that_breaks_before_its_first_page_begins_anew_up_to_now(source: Source) -> None:
    source.run(BROKEN)
    source.world.later(hours=1)
    source.run(page("one"))
    (first, _), (second, _) = source.asked
    assert second.end > first.end + timedelta(minutes=59)


def test_what_a_broken_run_left_is_done_even_when_the_next_window_breaks(source: Source) -> None:
    source.run(page("one", at(1)), BROKEN)
    whole, _ = source.asked[0]
    source.run(page("three", at(3)), BROKEN, rest=(page("two"),))
    assert (source.state.synced_to, source.state.value) == (whole.end, at(3))
    source.run(page("five"), rest=(page("four"),))
    assert [cursor for _, cursor in source.asked] == [None, at(1), None, at(3), None]


def test_a_stream_that_is_sent_back_forgets_the_broken_run(source: Source) -> None:
    source.run(page("one", at(1)), BROKEN)
    long_ago = datetime(2026, 1, 1, tzinfo=source.world.now().tzinfo)
    with source.world.db.begin() as tx:
        cursors.rewind(tx, source.id, "stock", long_ago, source.world.now())
    source.run(page("one"))
    window, cursor = source.asked[-1]
    assert (window.start, cursor) == (long_ago - STREAM.lookback, None)


def test_a_source_that_does_not_move_on_is_stopped(source: Source) -> None:
    source.run(page("one", at(1)), page("two", at(1)))
    assert "does not move on" in source.row["last_error"]
    source.run(page("three", at(3)), rest=(page("two", at(1)), page("two", at(1))))
    assert "does not move on" in source.row["last_error"]


def test_a_journal_that_does_not_move_on_is_stopped(source: Source) -> None:
    source.run(page("one", at(1)))
    source.run(page("two", at(1)))
    assert "does not move on" in source.row["last_error"]


def waits(source: Source, *breaks: Exception) -> list[float]:
    """Seconds until the next run after each of these breaks one, each run when it is due."""
    clock = [source.world.now()]
    source.world.runtime = replace(source.world.runtime, clock=lambda: clock[0])
    found = []
    for error in breaks:
        source.run(error)
        found.append((source.row["next_at"] - clock[0]).total_seconds())
        clock[0] = source.row["next_at"]
    return found


def test_a_source_that_asks_to_wait_is_waited_for_as_long_as_it_asks_and_nothing_failed(source: Source) -> None:
    assert waits(source, *[errors.RateLimited("slow down", 179.0)] * 12) == [179.0] * 12
    assert (source.row["failures"], "slow down" in source.row["last_error"]) == (0, True)
    connection = source.world.read(lambda tx: connections.get(tx, source.id))
    assert (connection.failures, connection.open_until, connection.last_error) == (0, None, "")


def test_a_run_that_fails_is_done_again_later_and_later(source: Source) -> None:
    away = errors.Transient("away")
    assert waits(source, away, away, away, errors.RateLimited("slow down", 5.0), away) == [
        30.0,
        60.0,
        120.0,
        5.0,
        240.0,
    ]
    assert source.row["failures"] == 4


def test_a_source_that_says_when_it_will_be_back_is_not_asked_before(source: Source) -> None:
    assert waits(source, errors.Transient("maintenance", retry_after_s=3000.0)) == [3000.0]


def parked(source: Source) -> list[tuple[str, str, bytes]]:
    query = select(inbox.c.status, inbox.c.error, inbox.c.body).where(inbox.c.external_id == "")
    return [tuple(row) for row in source.world.read(lambda tx: tx.execute(query).all())]


def read(item: dict[str, Any]) -> Record:
    if item["id"] == "busy":
        raise errors.Transient("away")
    return Record(item["id"], item)


def test_a_record_that_cannot_be_read_is_parked_and_stops_no_other(source: Source) -> None:
    items = [{"id": "one"}, {"name": "no id"}, "no object", {"id": "two"}]
    for _ in range(2):  # the overlap brings them again
        source.run(Page(read_each(items, read)))
    assert source.row["last_error"] == ""
    assert parked(source) == [
        ("dead", "a record that cannot be read: KeyError: 'id'", b'{"name":"no id"}'),
        ("dead", "a record that cannot be read: TypeError: string indices must be integers, not 'str'", b'"no object"'),
    ]
    known = select(inbox.c.external_id).where(inbox.c.external_id != "")
    assert set(source.world.read(lambda tx: tx.execute(known).scalars())) == {"one", "two"}


def test_a_source_that_is_away_while_a_record_is_read_whole_breaks_the_run(source: Source) -> None:
    with pytest.raises(errors.Transient):
        read_each([{"id": "one"}, {"id": "busy"}], read)
    assert parked(source) == []


@pytest.mark.parametrize(
    ("cursor", "words"),
    [({"after": 1}, 'needs a key "v"'), ({"v": 1, "seen": ["x" * 100] * 50}, "more than 4096 bytes")],
)
def test_a_cursor_that_breaks_the_law_is_refused_where_it_is_made(cursor: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Page((), cursor)
