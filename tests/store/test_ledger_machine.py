"""The stock ledger against a small model: whatever is done in whatever order, the books add up."""

from __future__ import annotations

import contextlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from hub.domain.stock_states import MoveRefusedError, check_move
from hub.store import catalog, ledger
from hub.store.database import Database, new_id
from hub.store.ledger import OutOfStockError, StockBook, StockConflictError
from hub.store.tables import STATES, stock_move, stock_position
from tests.machines import StoredMachine, walk

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CAUSE = ("test", "1")
PLACES = st.sampled_from(["EAST", "WEST"])
SKUS = st.sampled_from(["MUG", "TEE"])
UNITS = st.integers(1, 6)
EVERY = (*STATES, "incoming", None)  # None is the world outside
# What the domain page lists under "Inventory quantity states", and what rejections do to stock (its table D5).
ALLOWED = {
    *(("incoming", state) for state in ("available", "damaged", "quality_hold")),
    ("available", "reserved"), ("reserved", "available"),
    ("available", "committed"), ("reserved", "committed"), ("committed", "available"),
    *(("available", state) for state in ("damaged", "quality_hold", "safety_stock")),
    *((state, "available") for state in ("damaged", "quality_hold", "safety_stock")),
    *((state, None) for state in (*STATES, "incoming")),
    *((None, state) for state in (*STATES, "incoming")),
    ("committed", "damaged"), ("committed", "reserved"),
}  # fmt: skip
COMMIT, RECEIVE = ("available", "committed"), (None, "available")


def world(db: Database) -> dict[str, dict[str, str]]:
    """Two places and two articles of their own in `db`; their ids by code and SKU."""
    mark = new_id()[-6:]
    with db.begin() as tx:
        places = {code: catalog.add_location(tx, NOW, code=f"{code}-{mark}", country="DE") for code in ("EAST", "WEST")}
        skus = catalog.add_variants(tx, [{"sku": f"{sku}-{mark}"} for sku in ("MUG", "TEE")], NOW)
    return {"places": places, "skus": {sku.partition("-")[0]: variant for sku, variant in skus.items()}}


class Books(StoredMachine):
    """Every rule is one transaction; the model is a counter of units by (place, SKU, state)."""

    @initialize()
    def open(self) -> None:
        made = world(self.db)
        self.places, self.skus = made["places"], made["skus"]
        self.model: Counter[tuple[str, str, str]] = Counter()
        self.keys: list[str] = []

    def book(self, tx) -> StockBook:
        return StockBook.open(tx, set(self.skus.values()), NOW, "test")

    def move(self, book, place, sku, units, states, key=None, **options) -> None:
        position = book.position(self.places[place], self.skus[sku])
        self.keys.append(key or new_id())
        book.move(position, units, *states, kind="adjust", cause=CAUSE, key=self.keys[-1], **options)

    def count(self, place, sku, units, states) -> None:
        source, target = states
        if source:
            self.model[place, sku, source] -= units
        if target:
            self.model[place, sku, target] += units
        on_hand = sum(self.model[place, sku, state] for state in STATES)
        if target is None and source != "available" and on_hand < 0:
            self.model[place, sku, "available"] -= on_hand  # they left, so they were there

    @rule(place=PLACES, sku=SKUS, units=UNITS, states=st.sampled_from(sorted(ALLOWED, key=str)))
    def move_units(self, place, sku, units, states) -> None:
        """A move does what the model does, or is refused and leaves nothing behind."""
        enough = states[0] is None or self.model[place, sku, states[0]] >= units
        with contextlib.nullcontext() if enough else pytest.raises(OutOfStockError), self.db.begin() as tx:
            book = self.book(tx)
            self.move(book, place, sku, units, states)
            book.flush()
        if enough:
            self.count(place, sku, units, states)
        else:
            self.keys.pop()

    @rule(place=PLACES, sku=SKUS, units=UNITS, states=st.tuples(st.sampled_from(EVERY), st.sampled_from(EVERY)))
    def try_a_move_that_is_not_on_the_list(self, place, sku, units, states) -> None:
        assume(states not in ALLOWED)
        kept = len(self.keys)
        with pytest.raises(MoveRefusedError):
            self.receive_and_move(place, sku, units, states)
        del self.keys[kept:]

    def receive_and_move(self, place, sku, units, states) -> None:
        with self.db.begin() as tx:
            book = self.book(tx)
            self.move(book, place, sku, 1, RECEIVE)
            self.move(book, place, sku, units, states)
            book.flush()

    @rule(sku=SKUS, first=UNITS, second=UNITS)
    def commit_at_both_places_or_at_none(self, sku, first, second) -> None:
        wanted = {"EAST": first, "WEST": second}
        enough = all(self.model[place, sku, "available"] >= units for place, units in wanted.items())
        kept = len(self.keys)
        with contextlib.nullcontext() if enough else pytest.raises(OutOfStockError), self.db.begin() as tx:
            book = self.book(tx)
            for place, units in wanted.items():
                self.move(book, place, sku, units, COMMIT)
            book.flush()
        if not enough:
            del self.keys[kept:]
            return
        for place, units in wanted.items():
            self.count(place, sku, units, COMMIT)

    @rule(place=PLACES, sku=SKUS, units=UNITS)
    def lose_by_fact(self, place, sku, units) -> None:
        """Goods that are gone are gone, also when they were promised: then the place has oversold."""
        on_hand = sum(self.model[place, sku, state] for state in STATES)
        possible = on_hand >= units
        with contextlib.nullcontext() if possible else pytest.raises(IntegrityError), self.db.begin() as tx:
            book = self.book(tx)
            self.move(book, place, sku, units, ("available", None), by_fact=True)
            book.flush()
        if possible:
            self.count(place, sku, units, ("available", None))
        else:
            self.keys.pop()

    @precondition(lambda self: self.keys)
    @rule(place=PLACES, sku=SKUS, units=UNITS, data=st.data())
    def book_one_fact_twice(self, place, sku, units, data) -> None:
        key = data.draw(st.sampled_from(self.keys))
        with pytest.raises(IntegrityError):
            self.receive_under(key, place, sku, units)
        self.keys.pop()

    def receive_under(self, key, place, sku, units) -> None:
        with self.db.begin() as tx:
            book = self.book(tx)
            self.move(book, place, sku, units, RECEIVE, key=key)
            book.flush()

    @rule(place=PLACES, sku=SKUS, units=UNITS)
    def fail_after_moving(self, place, sku, units) -> None:
        """Whatever goes wrong later in the transaction, the books are as they were."""
        with contextlib.suppress(ZeroDivisionError), self.db.begin() as tx:
            book = self.book(tx)
            self.move(book, place, sku, units, RECEIVE)
            book.flush()
            raise ZeroDivisionError
        self.keys.pop()

    @invariant()
    def books_add_up(self) -> None:
        with self.db.read() as tx:
            rows = tx.execute(select(stock_position)).mappings().all()
            assert ledger.differences(tx) == []
        names = {self.places[place]: place for place in self.places} | {self.skus[sku]: sku for sku in self.skus}
        seen: Counter[tuple[str, str, str]] = Counter()
        for row in rows:
            for state in ledger.COLUMNS:
                seen[names[row["location_id"]], names[row["variant_id"]], state] = row[state]
            assert row["on_hand"] == sum(row[state] for state in STATES) >= 0
            assert row["oversold"] == max(0, -row["available"])
            assert min(row[state] for state in ledger.COLUMNS if state != "available") >= 0
        assert {key: units for key, units in seen.items() if units} == {k: u for k, u in self.model.items() if u}


def test_the_books_add_up_whatever_is_done(afresh):
    walk(Books, afresh)


@pytest.mark.parametrize("to_state", EVERY, ids=str)
@pytest.mark.parametrize("from_state", EVERY, ids=str)
def test_units_go_only_where_the_list_of_moves_lets_them(from_state, to_state):
    if (from_state, to_state) in ALLOWED:
        check_move(from_state, to_state)
        return
    with pytest.raises(MoveRefusedError) as refused:
        check_move(from_state, to_state)
    onward = {there or "outside" for here, there in ALLOWED if here == from_state}
    assert set(str(refused.value).rpartition(": ")[2].split(", ")) == onward


@pytest.fixture
def shelf(store):
    """A book-keeper of two articles at two places, five of each."""
    made = world(store)
    with store.begin() as tx:
        book = StockBook.open(tx, set(made["skus"].values()), NOW, "test")
        for place in made["places"].values():
            for variant in made["skus"].values():
                position = book.position(place, variant)
                book.move(position, 5, None, "available", kind="receive", cause=CAUSE, key=new_id())
        book.flush()
    return made


def opened(tx, shelf):
    return StockBook.open(tx, set(shelf["skus"].values()), NOW, "test")


def take(book, shelf, place="EAST", sku="MUG", units=1, key=None):
    position = book.position(shelf["places"][place], shelf["skus"][sku])
    book.move(position, units, "available", "committed", kind="commit", cause=CAUSE, key=key or new_id())
    return position


def positions(db, shelf):
    query = select(stock_position).where(stock_position.c.variant_id.in_(shelf["skus"].values()))
    with db.read() as tx:
        return {row["id"]: dict(row) for row in tx.execute(query).mappings()}


def take_stale(db, shelf):
    with db.begin() as tx:
        book = opened(tx, shelf)
        position = take(book, shelf)
        take(book, shelf, "WEST", "TEE")
        somebody_else = update(stock_position).where(stock_position.c.id == position.id)
        tx.execute(somebody_else.values(version=stock_position.c.version + 1))
        book.flush()


def test_a_position_that_changed_meanwhile_stops_the_whole_transaction(store, shelf):
    before = positions(store, shelf)
    with pytest.raises(StockConflictError, match="1 positions changed"):
        take_stale(store, shelf)
    assert positions(store, shelf) == before


def take_too_many(db, shelf):
    with db.begin() as tx:
        book = opened(tx, shelf)
        take(book, shelf, "WEST", "TEE")
        take(book, shelf, units=6)
        book.flush()


def test_an_order_that_is_short_takes_nothing(store, shelf):
    before = positions(store, shelf)
    with pytest.raises(OutOfStockError, match="6 units wanted from available and 5 are there"):
        take_too_many(store, shelf)
    assert positions(store, shelf) == before


def take_under(db, shelf, key):
    with db.begin() as tx:
        book = opened(tx, shelf)
        take(book, shelf, key=key)
        book.flush()


def test_one_fact_is_booked_once(store, shelf):
    key = new_id()
    take_under(store, shelf, key)
    before = positions(store, shelf)
    with pytest.raises(IntegrityError):
        take_under(store, shelf, key)
    assert positions(store, shelf) == before


def test_positions_are_locked_by_article_and_place_whoever_asks_in_whatever_order(store, shelf):
    with store.begin() as tx:
        book = StockBook.open(tx, sorted(shelf["skus"].values(), reverse=True), NOW, "test")
        order = [(position.variant_id, position.location_id) for position in book._positions.values()]
    assert order == sorted(order)
    assert len(order) == 4


def test_every_move_says_who_when_and_why(store, shelf):
    with store.begin() as tx:
        book = opened(tx, shelf)
        position = take(book, shelf, units=2)
        book.flush()
        row = tx.execute(
            select(stock_move).where(stock_move.c.position_id == position.id, stock_move.c.kind == "commit")
        )
        found = row.mappings().one()
    assert (found["quantity"], found["from_state"], found["to_state"]) == (2, "available", "committed")
    assert (found["actor"], found["at"], found["cause_type"], found["cause_id"]) == ("test", NOW, *CAUSE)


def test_what_came_and_left_is_asked_for_by_when_it_came_about_and_not_by_when_it_was_booked(store, shelf):
    with store.begin() as tx:
        book = opened(tx, shelf)
        position = book.position(shelf["places"]["EAST"], shelf["skus"]["MUG"])
        for hours, units, states in (
            (1, 3, (None, "available")),
            (3, 1, ("available", None)),
            (3, 2, ("available", "committed")),
            (3, 5, (None, "incoming")),
        ):
            when = NOW - timedelta(hours=hours)
            book.move(position, units, *states, kind="adjust", cause=CAUSE, key=new_id(), occurred_at=when)
        book.flush()
    with store.read() as tx:
        ago = [ledger.moves_since(tx, {position.id: NOW - timedelta(hours=hours)}) for hours in (1, 2, 4)]
    assert [sum(units for _, units in found.get(position.id, ())) for found in ago] == [5, 8, 7], (
        "5 by the fixture, now"
    )


@pytest.mark.parametrize("state", ["committed", "reserved"])
def test_promised_units_leave_though_a_count_had_not_found_them(store, shelf, state):
    with store.begin() as tx:
        book = opened(tx, shelf)
        position = book.position(shelf["places"]["EAST"], shelf["skus"]["MUG"])
        book.move(position, 5, "available", state, kind="commit", cause=CAUSE, key=new_id())
        book.move(position, 3, "available", None, kind="adjust", cause=CAUSE, key=new_id(), by_fact=True)
        book.flush()
        book.move(position, 5, state, None, kind="ship", cause=CAUSE, key=new_id())
        book.flush()
    row = positions(store, shelf)[position.id]
    assert (row["on_hand"], row["available"], row[state], row["oversold"]) == (0, 0, 0, 0)
    with store.read() as tx:
        assert ledger.differences(tx) == []


def test_incoming_units_are_not_on_hand_until_they_are_received(store, shelf):
    with store.begin() as tx:
        book = opened(tx, shelf)
        position = book.position(shelf["places"]["EAST"], shelf["skus"]["MUG"])
        book.move(position, 9, None, "incoming", kind="expect", cause=CAUSE, key=new_id())
        assert (position.on_hand, position.incoming) == (5, 9)
        for state, units in (("available", 6), ("damaged", 1)):
            book.move(position, units, "incoming", state, kind="receive", cause=CAUSE, key=new_id())
        book.move(position, 2, "incoming", None, kind="expect", cause=CAUSE, key=new_id(), reason="will not come")
        book.flush()
    row = positions(store, shelf)[position.id]
    assert (row["on_hand"], row["available"], row["damaged"], row["incoming"]) == (12, 11, 1, 0)
    with store.read() as tx:
        assert ledger.differences(tx) == []


def test_two_who_make_one_position_at_the_same_time_end_with_one(store, shelf):
    """The second finds that the position was made meanwhile; nothing of its work is left, and it can try again."""
    with store.begin() as tx:
        here = catalog.add_location(tx, NOW, code=f"NEW-{new_id()[-8:]}", country="DE")
        first, second = opened(tx, shelf), opened(tx, shelf)
        for book in (first, second):
            position = book.position(here, shelf["skus"]["MUG"])
            book.move(position, 3, None, "available", kind="receive", cause=CAUSE, key=new_id())
        first.flush()
        with pytest.raises(StockConflictError, match="1 positions were made meanwhile"):
            second.flush()


def test_a_position_that_was_written_by_hand_is_found(store, shelf):
    target = next(iter(positions(store, shelf)))
    with store.begin() as tx:
        forged = update(stock_position).where(stock_position.c.id == target)
        tx.execute(forged.values(available=7, on_hand=7))
        assert {"position_id": target, "state": "available", "position": 7, "ledger": 5} in ledger.differences(tx)
        tx.execute(forged.values(available=5, on_hand=5))
