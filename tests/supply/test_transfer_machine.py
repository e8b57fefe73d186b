"""Transfers against a small model: whatever is asked for in whatever order, no unit is lost or made."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, initialize, invariant, multiple, rule

from hub.flows.operate import NotDoneError, UsedKeyError, add_location, import_stock
from hub.flows.operate.stock import ImportRow
from hub.flows.operate.transfers import (
    Missing,
    Received,
    cancel_transfer,
    close_short,
    create_transfer,
    make_ready,
    receive_transfer,
    ship_transfer,
)
from hub.store import invariants, ledger
from hub.store.database import new_id
from hub.store.views import transfers as view
from hub.testing.world import World
from tests.machines import Fresh, StoredMachine, walk
from tests.supply.conftest import PERSON, House

ARTICLES = ("MUG", "TEE")
SKUS = st.sampled_from(ARTICLES)
UNITS = st.integers(1, 5)
CONDITION = st.sampled_from(["good", "damaged", "to_inspect"])
STATES = {"good": "available", "damaged": "damaged", "to_inspect": "quality_hold"}
START = 12


@dataclass
class Model:
    """A transfer as a child would keep it: units by SKU, and where it stands."""

    number: str
    wanted: dict[str, int]
    status: str = "draft"
    shipped: dict[str, int] = field(default_factory=dict)
    received: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    back: dict[str, int] = field(default_factory=dict)

    def expected(self, sku: str) -> int:
        gone = (self.received, self.lost, self.back)
        return self.shipped.get(sku, 0) - sum(one.get(sku, 0) for one in gone)


class Transfers(StoredMachine):
    """Between a source and a destination."""

    known = Bundle("known")

    @initialize()
    def furnish(self) -> None:
        self.house = House(World(self.db))
        self.source, self.destination = "SRC", "DST"
        for code in (self.source, self.destination):
            add_location(self.house.runtime, code, person=PERSON, country="DE")
        rows = [ImportRow(n, sku, self.source, START) for n, sku in enumerate(ARTICLES, start=1)]
        import_stock(self.house.runtime, rows, person=PERSON, reason="start", create_articles=True)
        # (place, sku, state) -> units
        self.shelf = {(self.source, sku, "available"): START for sku in ARTICLES}
        self.receipts: list[tuple[str, str, Received]] = []
        self.out = 0  # units that left this world: lost
        self.made = 0  # units that came from nowhere: over and mis-shipped

    def put(self, place: str, sku: str, state: str, units: int) -> None:
        self.shelf[place, sku, state] = self.shelf.get((place, sku, state), 0) + units

    def have(self, place: str, sku: str, state: str) -> int:
        return self.shelf.get((place, sku, state), 0)

    def refused(self, *, unless: bool):
        return contextlib.nullcontext() if unless else pytest.raises(NotDoneError)

    @rule(target=known, mug=st.integers(0, 4), tee=st.integers(0, 4))
    def write(self, mug: int, tee: int) -> object:
        wanted = {sku: units for sku, units in (("MUG", mug), ("TEE", tee)) if units}
        return Model(create_transfer(self.house.runtime, self.source, self.destination, wanted, person=PERSON), wanted)

    @rule(one=known)
    def keep(self, one: Model) -> None:
        enough = all(self.have(self.source, sku, "available") >= units for sku, units in one.wanted.items())
        if one.status == "ready":
            assert not make_ready(self.house.runtime, one.number, person=PERSON)
            return
        possible = one.status == "draft" and bool(one.wanted) and enough
        with self.refused(unless=possible):
            make_ready(self.house.runtime, one.number, person=PERSON)
        if possible:
            one.status = "ready"
            for sku, units in one.wanted.items():
                self.put(self.source, sku, "available", -units)
                self.put(self.source, sku, "reserved", units)

    @rule(one=known, fewer=st.integers(0, 3))
    def ship(self, one: Model, fewer: int) -> None:
        leaving = {sku: max(0, units - fewer) for sku, units in one.wanted.items()}
        if one.status not in ("draft", "ready", "cancelled"):
            assert not ship_transfer(self.house.runtime, one.number, person=PERSON)
            return
        possible = one.status == "ready" and any(leaving.values())
        with self.refused(unless=possible):
            ship_transfer(self.house.runtime, one.number, person=PERSON, units=leaving)
        if possible:
            one.status, one.shipped = "in_transit", leaving
            for sku, wanted in one.wanted.items():
                self.put(self.source, sku, "reserved", -wanted)
                self.put(self.source, sku, "available", wanted - leaving[sku])
                self.put(self.destination, sku, "incoming", leaving[sku])

    @rule(one=known, sku=SKUS, units=UNITS, condition=CONDITION)
    def receive(self, one: Model, sku: str, units: int, condition: str) -> None:
        possible = one.status in ("in_transit", "partially_received", "closed_short")
        receipt = new_id()
        row = Received(sku, units, condition)
        with self.refused(unless=possible):
            assert receive_transfer(self.house.runtime, one.number, [row], person=PERSON, receipt=receipt)
        if not possible:
            return
        self.receipts.append((one.number, receipt, row))
        taken = min(units, one.expected(sku))
        one.received[sku] = one.received.get(sku, 0) + taken
        self.put(self.destination, sku, "incoming", -taken)
        self.put(self.destination, sku, STATES[condition], units)
        self.made += units - taken
        if one.status != "closed_short":
            left = any(one.expected(name) for name in ARTICLES)
            one.status = "partially_received" if left else "received"

    @rule(data=st.data())
    def receive_once_more(self, data: st.DataObject) -> None:
        if self.receipts:
            number, receipt, row = data.draw(st.sampled_from(self.receipts))
            assert not receive_transfer(self.house.runtime, number, [row], person=PERSON, receipt=receipt)
            other = replace(row, units=row.units + 1)
            with pytest.raises(UsedKeyError):
                receive_transfer(self.house.runtime, number, [other], person=PERSON, receipt=receipt)

    @rule(one=known, sku=SKUS, lost=st.integers(0, 3), back=st.integers(0, 3))
    def close(self, one: Model, sku: str, lost: int, back: int) -> None:
        may = one.status in ("in_transit", "partially_received", "closed_short")
        on_it = sku in one.wanted or one.received.get(sku) is not None
        if one.status == "closed_short" and not lost + back:
            assert not close_short(self.house.runtime, one.number, [Missing(sku, lost, back)], person=PERSON)
            return
        possible = may and on_it and lost + back <= one.expected(sku)
        with self.refused(unless=possible):
            close_short(self.house.runtime, one.number, [Missing(sku, lost, back)], person=PERSON)
        if possible:
            one.status = "closed_short"
            one.lost[sku] = one.lost.get(sku, 0) + lost
            one.back[sku] = one.back.get(sku, 0) + back
            self.put(self.destination, sku, "incoming", -lost - back)
            self.put(self.source, sku, "available", back)
            self.out += lost

    @rule(one=known)
    def cancel(self, one: Model) -> None:
        if one.status == "cancelled":
            assert not cancel_transfer(self.house.runtime, one.number, person=PERSON)
            return
        possible = one.status in ("draft", "ready")
        with self.refused(unless=possible):
            cancel_transfer(self.house.runtime, one.number, person=PERSON)
        if possible and one.status == "ready":
            for sku, units in one.wanted.items():
                self.put(self.source, sku, "reserved", -units)
                self.put(self.source, sku, "available", units)
        if possible:
            one.status = "cancelled"

    @rule(target=known, one=known)
    def look(self, one: Model) -> object:
        """Received + lost + back to source + still expected = shipped, and the page says what the model knows."""
        found = self.house.world.read(lambda tx: view.detail(tx, one.number))
        assert found.row.status == one.status
        for line in found.lines:
            units = line.line
            assert units.received + units.lost + units.back_to_source + units.expected == units.shipped
            assert (units.shipped, units.received, units.expected) == (
                one.shipped.get(line.sku, 0),
                one.received.get(line.sku, 0),
                one.expected(line.sku),
            )
        return multiple()

    @invariant()
    def no_unit_is_lost_or_made(self) -> None:
        seen = {
            (place, sku, state): units
            for place in (self.source, self.destination)
            for sku in ARTICLES
            for state, units in self.house.units(place, sku).items()
        }
        assert seen == {key: units for key, units in self.shelf.items() if units}
        assert sum(seen.values()) == 2 * START + self.made - self.out
        assert self.house.world.read(ledger.differences) == []
        assert self.house.world.read(invariants.every) == []


def test_no_unit_is_lost_or_made_on_its_way(afresh: Fresh) -> None:
    walk(Transfers, afresh)
