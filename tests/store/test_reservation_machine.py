"""Reservations against a small model: whatever is kept, prolonged, let go, given away or runs out, units come back once
and no more is promised than there is.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule
from sqlalchemy import select, update

from hub.flows import operate, stock_care
from hub.flows.operate import NotDoneError, ReserveLine
from hub.store import catalog, invariants, ledger, reservations
from hub.store.database import new_id
from hub.store.ledger import OutOfStockError, StockBook
from hub.store.tables import reservation, stock_position, variant
from hub.testing.world import World
from tests.machines import StoredMachine, walk

PERSON = "mia@example.com"
LIMITS = {"MUG": 3, "TEE": None}  # units that may wait; None: any number
SKUS = st.sampled_from(sorted(LIMITS))
PLACES = st.sampled_from(["EAST", "WEST"])
UNITS = st.integers(1, 5)
MINUTES = st.integers(1, 30)


@dataclass
class Kept:
    """A reservation as the model knows it; `place` "" is the network, `until` minutes of the model's clock or None."""

    sku: str
    units: int
    place: str
    until: int | None
    state: str = "active"


class Keeping(StoredMachine):
    """Every rule is what a shop, a person or the clock does."""

    @initialize()
    def open(self) -> None:
        self.world, self.minute = World(self.db), 0
        self.start = self.world.now()
        self.free: Counter[tuple[str, str]] = Counter()
        self.committed: Counter[tuple[str, str]] = Counter()
        self.kept: dict[str, Kept] = {}
        self.places = {name: self.world.location(name, "DE") for name in ("EAST", "WEST")}
        with self.db.begin() as tx:
            self.articles = catalog.add_variants(tx, [{"sku": sku} for sku in LIMITS], self.start)
            for sku, most in LIMITS.items():
                tx.execute(update(variant).where(variant.c.id == self.articles[sku]).values(backorder_limit=most))

    def active(self, **like) -> list[Kept]:
        found = [one for one in self.kept.values() if one.state == "active"]
        return [one for one in found if all(getattr(one, name) == value for name, value in like.items())]

    def room(self, sku: str) -> int | None:
        if LIMITS[sku] is None:
            return None
        free = sum(max(0, self.free[place, sku]) for place in self.places)
        return max(0, free + LIMITS[sku] - sum(one.units for one in self.active(sku=sku, place="")))

    @rule(place=PLACES, sku=SKUS, units=UNITS)
    def receive(self, place, sku, units) -> None:
        done = operate.adjust_stock(self.world.runtime, sku, place, change=units, reason="received", person=PERSON)
        assert done.status == "changed"
        self.free[place, sku] += units

    @rule(place=PLACES, sku=SKUS, units=UNITS)
    def lose(self, place, sku, units) -> None:
        """What is gone is gone, also when it was kept for somebody; never more than there was."""
        held = sum(one.units for one in self.active(sku=sku, place=place))
        there = self.free[place, sku] + held + self.committed[place, sku]
        with contextlib.nullcontext() if there >= units else pytest.raises(NotDoneError):
            operate.adjust_stock(self.world.runtime, sku, place, change=-units, reason="lost", person=PERSON)
            self.free[place, sku] -= units

    @rule(place=PLACES, sku=SKUS, units=UNITS)
    def commit(self, place, sku, units) -> None:
        """An order takes free units."""
        enough = self.free[place, sku] >= units
        with contextlib.nullcontext() if enough else pytest.raises(OutOfStockError):
            self.take(place, sku, units)
            self.free[place, sku] -= units
            self.committed[place, sku] += units

    def take(self, place, sku, units) -> None:
        with self.db.begin() as tx:
            book = StockBook.open(tx, {self.articles[sku]}, self.world.now(), "test")
            position = book.position(self.places[place], self.articles[sku])
            book.move(position, units, "available", "committed", kind="commit", cause=("test", "x"), key=new_id())
            book.flush()

    @rule(sku=SKUS, units=UNITS, place=st.sampled_from(["EAST", "WEST", ""]), minutes=st.none() | MINUTES)
    def keep(self, sku, units, place, minutes) -> None:
        room = self.free[place, sku] if place else self.room(sku)
        possible = room is None or units <= room
        with contextlib.nullcontext() if possible else pytest.raises(NotDoneError, match="nothing was reserved"):
            self.kept |= self.reserved([(sku, units, place)], minutes)
            if place:
                self.free[place, sku] -= units

    @rule(sku=SKUS, units=UNITS, place=PLACES, key=st.sampled_from(["a", "b"]))
    def keep_twice_under_one_key(self, sku, units, place, key) -> None:
        if self.free[place, sku] < units:
            return
        once = self.reserved([(sku, units, place)], None, key := f"{key}{new_id()}")
        assert self.reserved([(sku, units, place)], None, key).keys() == once.keys()
        self.kept |= once
        self.free[place, sku] -= units

    def reserved(self, lines, minutes, key="") -> dict[str, Kept]:
        made = operate.reserve(
            self.world.runtime,
            [ReserveLine(*line) for line in lines],
            ("person", "Mia"),
            expires_in=None if minutes is None else timedelta(minutes=minutes),
            person=PERSON,
            key=key,
        )
        until = None if minutes is None else self.minute + minutes
        return {row.id: Kept(*line, until) for row, line in zip(made, lines, strict=True)}

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), times=st.integers(1, 2))
    def release(self, data, times) -> None:
        """However often it is let go, its units come back once."""
        chosen = data.draw(st.sampled_from(sorted(self.kept)))
        for _ in range(times):
            operate.release_reservations(self.world.runtime, [chosen], person=PERSON)
        self.end(self.kept[chosen], "released")

    @precondition(lambda self: self.kept)
    @rule(data=st.data())
    def convert(self, data) -> None:
        """Its units go to an order in the same transaction, from a place or not at all."""
        chosen = data.draw(st.sampled_from(sorted(self.kept)))
        one, ended = self.kept[chosen], False
        with self.db.begin() as tx:
            book = StockBook.open(tx, {self.articles[one.sku]}, self.world.now(), "test")
            row = reservations.find(tx, [chosen])[chosen]
            ended = reservations.end(tx, book, row, "converted")
            place = one.place or "EAST"
            position = book.position(self.places[place], self.articles[one.sku])
            taken = ended and position.available >= one.units
            if taken:
                states = ("available", "committed")
                book.move(position, one.units, *states, kind="commit", cause=("test", "x"), key=new_id())
            book.flush()
        assert ended == (one.state == "active")
        self.end(one, "converted")
        if taken:
            self.free[place, one.sku] -= one.units
            self.committed[place, one.sku] += one.units

    @precondition(lambda self: self.kept)
    @rule(data=st.data(), minutes=MINUTES)
    def extend(self, data, minutes) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.kept)))
        one = self.kept[chosen]
        alive = one.state == "active" and (one.until is None or one.until > self.minute)
        with contextlib.nullcontext() if alive else pytest.raises(NotDoneError, match="has ended"):
            operate.extend_reservations(self.world.runtime, [chosen], timedelta(minutes=minutes), person=PERSON)
            one.until = self.minute + minutes

    @rule(minutes=MINUTES)
    def wait(self, minutes) -> None:
        self.minute += minutes
        self.world.later(minutes=minutes)

    @rule()
    def clock_strikes(self) -> None:
        stock_care.expire_reservations(self.world.runtime)
        for one in self.active():
            if one.until is not None and one.until <= self.minute:
                self.end(one, "expired")

    def end(self, one: Kept, state: str) -> None:
        if one.state != "active":
            return
        one.state = state
        if one.place:
            self.free[one.place, one.sku] += one.units

    @invariant()
    def the_shelves_are_as_the_model_says(self) -> None:
        with self.db.read() as tx:
            rows = tx.execute(select(stock_position)).mappings().all()
            told = dict(tx.execute(select(reservation.c.id, reservation.c.state)).all())
            assert ledger.differences(tx) == []
            assert [one for one in invariants.owners(tx) if one["state"] == "reserved"] == []
        assert {key: told[key] for key in self.kept} == {key: one.state for key, one in self.kept.items()}
        names = {key: name for name, key in (self.places | self.articles).items()}
        seen = {(names[row["location_id"]], names[row["variant_id"]]): row for row in rows}
        for place in self.places:
            for sku in LIMITS:
                row = seen.get((place, sku)) or dict.fromkeys(("available", "reserved", "committed"), 0)
                held = sum(one.units for one in self.active(sku=sku, place=place))
                assert (row["available"], row["reserved"], row["committed"]) == (
                    self.free[place, sku],
                    held,
                    self.committed[place, sku],
                )


def test_units_are_kept_once_and_come_back_once_whatever_is_done(afresh):
    walk(Keeping, afresh)
