"""Lots: a sub-ledger of what is on hand, for articles that are kept by lot; numbered units are in `serials`.

Open a `LotBook` after the `StockBook` of the same variants: the positions that one locks protect these rows as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Self
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update

from hub.domain.lots import LotError, Marks, Shelf, check_marks, fefo
from hub.store.database import Tx, new_id
from hub.store.rows import Rows, chunks, write_changed
from hub.store.serials import SerialBook
from hub.store.tables import location, lot, lot_move, lot_position, serial_number, stock_position, variant

Cause = tuple[str, str]

ASIDE = {"quality_hold": "to_inspect", "damaged": "damaged"}  # states of the stock in which units do not leave


@dataclass(slots=True)
class LotState:
    """A lot of one article."""

    id: str
    variant_id: str
    code: str
    expires_on: date | None
    blocked: bool
    is_new: bool = False
    changed: bool = False


@dataclass(slots=True)
class LotUnits:
    """Units of a lot at one location. Of these `held` are in quality hold because the lot is not to be sold, and
    `to_inspect` because somebody has to look at them; `damaged` ones are not fit to be sold.
    """

    id: str
    lot_id: str
    location_id: str
    units: int
    held: int = 0
    to_inspect: int = 0
    damaged: int = 0
    is_new: bool = False
    changed: bool = False

    @property
    def free(self) -> int:
        """Units that may leave, as far as the lot may."""
        return self.units - self.held - self.to_inspect - self.damaged

    def put_aside(self, state: str, units: int) -> None:
        """Note that so many more units (fewer with a minus) are in a state in which they do not leave."""
        if state in ASIDE:
            setattr(self, ASIDE[state], getattr(self, ASIDE[state]) + units)
            self.changed = True


class LotBook:
    """The lots a transaction works on, with the moves it makes, and in `numbered` the numbered units. `flush` writes
    all of them.
    """

    def __init__(self, tx: Tx, now: datetime, actor: str) -> None:
        self.tx = tx
        self.now = now
        self.actor = actor
        self.tracking: dict[str, str] = {}  # only of tracked variants
        self._skus: dict[str, str] = {}
        self._lots: dict[tuple[str, str], LotState] = {}  # by (variant, code)
        self._units: dict[tuple[str, str], LotUnits] = {}  # by (lot, location)
        self.numbered = SerialBook(tx, now, self._skus)
        self._zones: dict[str, str] = {}
        self._moves: list[dict[str, Any]] = []

    @classmethod
    def open(cls, tx: Tx, variant_ids: Collection[str], now: datetime, actor: str) -> Self:
        """Read what is tracked among `variant_ids`; costs one look-up when nothing is."""
        book = cls(tx, now, actor)
        for part in chunks(variant_ids):
            query = select(variant.c.id, variant.c.sku, variant.c.tracking).where(
                variant.c.id.in_(part), variant.c.tracking != "none"
            )
            for key, sku, tracking in tx.execute(query):
                book.tracking[key], book._skus[key] = tracking, sku
        if book.tracking:
            book._read()
        return book

    def _read(self) -> None:
        self._zones = {row.id: row.zone for row in self.tx.execute(select(location.c.id, location.c.zone))}
        names = [lot.c[name] for name in ("id", "variant_id", "code", "expires_on", "blocked")]
        names_here = ("id", "lot_id", "location_id", "units", "held", "to_inspect", "damaged")
        where = [lot_position.c[name] for name in names_here]
        for part in chunks(self.tracking):
            for row in self.tx.execute(select(*names).where(lot.c.variant_id.in_(part))):
                self._lots[row.variant_id, row.code] = LotState(*row)
            query = select(*where).join(lot, lot.c.id == lot_position.c.lot_id).where(lot.c.variant_id.in_(part))
            for row in self.tx.execute(query):
                self._units[row.lot_id, row.location_id] = LotUnits(*row)

    def today(self, location_id: str) -> date:
        """The day it is at a location."""
        return self.now.astimezone(ZoneInfo(self._zones[location_id])).date()

    def shelves(self, location_id: str, variant_id: str) -> list[Shelf]:
        """The lots of an article that lie at a location."""
        return [
            Shelf(one.id, one.code, here.units, one.expires_on, one.blocked)
            for one in self._of_variant(variant_id)
            if (here := self._units.get((one.id, location_id))) is not None and here.units
        ]

    def _of_variant(self, variant_id: str) -> list[LotState]:
        return [one for (owner, _), one in self._lots.items() if owner == variant_id]

    # Lots

    def arrive(
        self,
        location_id: str,
        variant_id: str,
        units: int,
        marks: Marks,
        *,
        cause: Cause,
        key: str,
        state: str = "available",
    ) -> str:
        """Note the lot or serial numbers of units that arrive in a state of the stock; gives the one they belong into,
        which is quality hold for a lot that may not be sold.

        Nothing is noted of an article that is not tracked. Raises LotError when something is not said or cannot be.
        """
        tracking = self.tracking.get(variant_id, "none")
        check_marks(self._skus.get(variant_id, "the article"), tracking, units, marks)
        if tracking == "serial":
            self.numbered.put(location_id, variant_id, marks.serials)
        if tracking != "lot":
            return state
        return self.put(location_id, variant_id, units, marks, cause=cause, key=key, state=state)

    def put(
        self,
        location_id: str,
        variant_id: str,
        units: int,
        marks: Marks,
        *,
        cause: Cause,
        key: str,
        state: str = "available",
    ) -> str:
        """Add units of a lot, which is made when it is new; gives the state they belong into. Raises LotError."""
        found = self._lot(variant_id, marks)
        here = self._here(found.id, location_id)
        self._move(here, units, cause, key)
        if not self._sells(found, here):
            here.held += units
            return "quality_hold"
        here.put_aside(state, units)
        return state

    def take(self, location_id: str, variant_id: str, units: int, *, cause: Cause, key: str) -> list[tuple[Shelf, int]]:
        """Take units out, what expires first before the rest; gives the lots. Fewer when the lots hold fewer that are
        neither to be inspected nor damaged.
        """
        picks = self._first(location_id, variant_id, units)
        for shelf, taken in picks:
            self._move(self._here(shelf.lot_id, location_id), -taken, cause, key)
        return picks

    def _first(self, location_id: str, variant_id: str, units: int) -> list[tuple[Shelf, int]]:
        """(lot, units) that leave first of those that may leave."""
        free = [
            replace(shelf, units=self._units[shelf.lot_id, location_id].free)
            for shelf in self.shelves(location_id, variant_id)
        ]
        return fefo(free, units, self.today(location_id))

    def spoil(self, location_id: str, variant_id: str, units: int) -> list[tuple[Shelf, int]]:
        """Units that were to leave are damaged: those that would have left first; gives the lots."""
        picks = self._first(location_id, variant_id, units)
        for shelf, taken in picks:
            self._here(shelf.lot_id, location_id).put_aside("damaged", taken)
        return picks

    def back_again(self, location_id: str, variant_id: str, fo_line_id: str, *, key: str) -> None:
        """What left with a fulfillment line has come back, to a location; it left with no order then."""
        cause = ("fo_line", fo_line_id)
        for lot_id, units in self._gone_with(cause).items():
            self.put(location_id, variant_id, units, Marks(self.code_of(lot_id)), cause=cause, key=key)
        if self.tracking.get(variant_id) == "serial":
            self.numbered.put(location_id, variant_id, self.numbered.left_with(fo_line_id))

    def move(
        self, location_id: str, variant_id: str, units: int, from_state: str, to_state: str, code: str, in_hold: int
    ) -> None:
        """Note of which lot units are put aside, or are fit to be sold again; `in_hold` are all in quality hold there.

        Without a `code` it is the only lot that has such units, and nothing is noted where no lot has any. Raises
        LotError.
        """
        if self.tracking.get(variant_id) != "lot" or ASIDE.get(from_state) == ASIDE.get(to_state):
            return
        here = {one.code: self._units.get((one.id, location_id)) for one in self._of_variant(variant_id)}
        there = {name: self._in_state(one, from_state) for name, one in here.items() if one is not None}
        named = [code] if code else [name for name, count in there.items() if count]
        sku = self._skus[variant_id]
        if len(named) > 1:
            raise LotError(f"{sku} is kept by lot: say of which lot the units are ({', '.join(sorted(named))})")
        if from_state == "quality_hold" and not named:
            held = sum(one.held for one in here.values() if one is not None)
            if units > in_hold - held:
                raise LotError(f"{sku}: {held} units are in quality hold because their lot may not be sold")
        for name in named:
            if there.get(name, 0) < units:
                raise LotError(f"{sku}: {units} units of lot {name} wanted and {there.get(name, 0)} are there")
            found, place = self._lots[variant_id, name], self._here(self._lots[variant_id, name].id, location_id)
            if to_state not in ASIDE and not self._sells(found, place):
                raise LotError(f"{sku}: lot {name} may not be sold")
            place.put_aside(from_state, -units)
            place.put_aside(to_state, units)

    @staticmethod
    def _in_state(here: LotUnits, state: str) -> int:
        return getattr(here, ASIDE[state]) if state in ASIDE else here.free

    def take_lot(
        self, location_id: str, variant_id: str, code: str, units: int, *, cause: Cause, key: str
    ) -> dict[str, int]:
        """Take units of one lot out, free ones first; gives the states that the others were in. Raises LotError when
        it holds fewer.
        """
        found = self._lots.get((variant_id, code))
        here = self._units.get((found.id, location_id)) if found else None
        if here is None or here.units < units:
            there = here.units if here else 0
            raise LotError(f"{self._skus[variant_id]}: {units} units of lot {code} wanted and {there} are there")
        missing, states = max(0, units - here.free), dict[str, int]()
        for name, state in (("to_inspect", "quality_hold"), ("damaged", "damaged"), ("held", "quality_hold")):
            taken = min(missing, getattr(here, name))
            setattr(here, name, getattr(here, name) - taken)
            states[state] = states.get(state, 0) + taken
            missing -= taken
        self._move(here, -units, cause, key)
        return {state: taken for state, taken in states.items() if taken}

    def sku(self, variant_id: str) -> str:
        """The SKU of a tracked article."""
        return self._skus[variant_id]

    def code_of(self, lot_id: str) -> str:
        return self._by_id(lot_id).code

    def order(self, lot_id: str) -> tuple[date, str]:
        """What expires first comes first."""
        found = self._by_id(lot_id)
        return found.expires_on or date.max, found.code

    def _by_id(self, lot_id: str) -> LotState:
        return next(one for one in self._lots.values() if one.id == lot_id)

    def on_the_way(self, transfer_line_id: str) -> dict[str, int]:
        """Units by lot that left with a transfer line and have neither arrived nor come back, lost ones included."""
        return self._gone_with(("transfer_line", transfer_line_id))

    def _gone_with(self, cause: Cause) -> dict[str, int]:
        """Units by lot that left for this cause and have not come back."""
        query = (
            select(lot_move.c.lot_id, func.sum(lot_move.c.quantity))
            .where(lot_move.c.cause_id == cause[1], lot_move.c.cause_type == cause[0])
            .group_by(lot_move.c.lot_id)
        )
        found = {lot_id: -int(units) for lot_id, units in self.tx.execute(query)}
        for move in self._moves:
            if (move["cause_type"], move["cause_id"]) == cause:
                found[move["lot_id"]] = found.get(move["lot_id"], 0) - move["quantity"]
        return found

    def _lot(self, variant_id: str, marks: Marks) -> LotState:
        known = self._lots.get((variant_id, marks.lot))
        if known is None:
            known = LotState(new_id(), variant_id, marks.lot, marks.expires_on, blocked=False, is_new=True)
            self._lots[variant_id, marks.lot] = known
        elif marks.expires_on is not None and known.expires_on is None:
            known.expires_on, known.changed = marks.expires_on, True
        elif marks.expires_on not in (None, known.expires_on):
            raise LotError(
                f"{self._skus[variant_id]}: lot {marks.lot} expires on {known.expires_on}, not on {marks.expires_on}; "
                "look at the label again"
            )
        return known

    def _here(self, lot_id: str, location_id: str) -> LotUnits:
        found = self._units.get((lot_id, location_id))
        if found is None:
            found = LotUnits(new_id(), lot_id, location_id, 0, is_new=True)
            self._units[lot_id, location_id] = found
        return found

    def _move(self, here: LotUnits, change: int, cause: Cause, key: str) -> None:
        here.units += change
        here.changed = True
        self._moves.append(
            {
                "id": new_id(),
                "lot_id": here.lot_id,
                "location_id": here.location_id,
                "quantity": change,
                "cause_type": cause[0],
                "cause_id": cause[1],
                "idempotency_key": f"{key}:{here.lot_id}",
                "actor": self.actor,
                "at": self.now,
            }
        )

    # Writing

    def flush(self) -> None:
        """Write lots, their units and moves, and numbered units."""
        rows = Rows()
        fresh = [one for one in self._lots.values() if one.is_new]
        for one in fresh:
            rows.add(
                lot, id=one.id, variant_id=one.variant_id, code=one.code, expires_on=one.expires_on,
                blocked=one.blocked, created_at=self.now,
            )  # fmt: skip
        for here in self._units.values():
            if here.is_new and here.changed:
                rows.add(
                    lot_position, id=here.id, lot_id=here.lot_id, location_id=here.location_id, units=here.units,
                    held=here.held, to_inspect=here.to_inspect, damaged=here.damaged,
                )  # fmt: skip
        rows.flush(self.tx)
        self._update()
        self.numbered.flush()
        if self._moves:
            self.tx.execute(lot_move.insert(), self._moves)
        self._moves = []

    def _update(self) -> None:
        lots = [one for one in self._lots.values() if one.changed and not one.is_new]
        write_changed(self.tx, lot, lots, ("expires_on", "blocked"))
        units = [one for one in self._units.values() if one.changed and not one.is_new]
        write_changed(self.tx, lot_position, units, ("units", "held", "to_inspect", "damaged"))
        states: list[LotState | LotUnits] = [*self._lots.values(), *self._units.values()]
        for state in states:
            state.is_new = state.changed = False

    # Expiry and recall

    def block(self, variant_id: str, code: str, *, blocked: bool) -> LotState | None:
        """Let a lot be sold no more, or again; None when it is so already. Raises LotError for an unknown one."""
        found = self._lots.get((variant_id, code))
        if found is None:
            raise LotError(f"{self._skus.get(variant_id, 'the article')} has no lot {code!r}")
        if found.blocked == blocked:
            return None
        found.blocked, found.changed = blocked, True
        return found

    def unsellable(self) -> list[tuple[LotState, LotUnits]]:
        """Lots at locations whose units have to be held back, and are not yet."""
        return [
            (one, here)
            for one in self._lots.values()
            for here in self._of(one)
            if here.free and not self._sells(one, here)
        ]

    def sellable_again(self) -> list[tuple[LotState, LotUnits]]:
        """Lots at locations whose units are held back, and need not be any more."""
        return [
            (one, here) for one in self._lots.values() for here in self._of(one) if here.held and self._sells(one, here)
        ]

    def hold(self, here: LotUnits, units: int) -> None:
        """Note that so many more units (fewer with a minus) of a lot are in quality hold."""
        here.held += units
        here.changed = True

    def _of(self, one: LotState) -> Iterable[LotUnits]:
        return [here for (lot_id, _), here in self._units.items() if lot_id == one.id]

    def _sells(self, one: LotState, here: LotUnits) -> bool:
        shelf = Shelf(one.id, one.code, here.units, one.expires_on, one.blocked)
        return shelf.sells(self.today(here.location_id))


def set_tracking(tx: Tx, variant_id: str, tracking: str, now: datetime) -> bool:
    """Keep an article by lot, by serial number or by neither; False when it is kept so already."""
    statement = update(variant).where(variant.c.id == variant_id, variant.c.tracking != tracking)
    return tx.execute(statement.values(tracking=tracking, updated_at=now)).rowcount == 1


def tracked(tx: Tx, skus: Collection[str]) -> dict[str, str]:
    """How those of the articles are kept that have lots or serial numbers, by SKU."""
    found: dict[str, str] = {}
    for part in chunks(skus):
        query = select(variant.c.sku, variant.c.tracking).where(variant.c.sku.in_(part), variant.c.tracking != "none")
        found.update((row[0], row[1]) for row in tx.execute(query))
    return found


def expiring(tx: Tx, before: date) -> list[str]:
    """Variants with units of a lot that expired before a day, or is blocked, and that are not all held back."""
    query = (
        select(lot.c.variant_id)
        .join(lot_position, lot_position.c.lot_id == lot.c.id)
        .where(
            lot_position.c.units > lot_position.c.held + lot_position.c.to_inspect + lot_position.c.damaged,
            (lot.c.expires_on < before) | lot.c.blocked.is_(True),
        )
        .distinct()
    )
    return sorted(tx.execute(query).scalars())


def differences(tx: Tx) -> list[dict[str, Any]]:
    """Where lots or serial numbers do not add up to what is on hand, or lots not to their moves; empty when right."""
    return [*_against_stock(tx), *_against_moves(tx)]


def _against_stock(tx: Tx) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], int] = {}
    by_lot = (
        select(lot.c.variant_id, lot_position.c.location_id, func.sum(lot_position.c.units))
        .join(lot, lot.c.id == lot_position.c.lot_id)
        .join(variant, variant.c.id == lot.c.variant_id)
        .where(variant.c.tracking == "lot")
        .group_by(lot.c.variant_id, lot_position.c.location_id)
    )
    by_serial = (
        select(serial_number.c.variant_id, serial_number.c.location_id, func.count())
        .join(variant, variant.c.id == serial_number.c.variant_id)
        .where(serial_number.c.location_id.is_not(None), variant.c.tracking == "serial")
        .group_by(serial_number.c.variant_id, serial_number.c.location_id)
    )
    for query in (by_lot, by_serial):
        for variant_id, location_id, units in tx.execute(query):
            sums[variant_id, location_id] = int(units)
    stock = (
        select(
            variant.c.id, variant.c.sku, variant.c.tracking, location.c.id, location.c.code, stock_position.c.on_hand
        )
        .join(stock_position, stock_position.c.variant_id == variant.c.id)
        .join(location, location.c.id == stock_position.c.location_id)
        .where(variant.c.tracking != "none")
        .order_by(variant.c.sku, location.c.code)
    )
    return [
        {"sku": sku, "location": code, "tracking": tracking, "on_hand": on_hand, "in_lots": known}
        for variant_id, sku, tracking, location_id, code, on_hand in tx.execute(stock)
        if (known := sums.get((variant_id, location_id), 0)) != on_hand
    ]


def _against_moves(tx: Tx) -> list[dict[str, Any]]:
    moved = {
        (row[0], row[1]): int(row[2])
        for row in tx.execute(
            select(lot_move.c.lot_id, lot_move.c.location_id, func.sum(lot_move.c.quantity)).group_by(
                lot_move.c.lot_id, lot_move.c.location_id
            )
        )
    }
    query = (
        select(lot_position, lot.c.code, location.c.code.label("place"), variant.c.sku)
        .join(lot, lot.c.id == lot_position.c.lot_id)
        .join(variant, variant.c.id == lot.c.variant_id)
        .join(location, location.c.id == lot_position.c.location_id)
    )
    return [
        {"sku": row.sku, "lot": row.code, "location": row.place, "units": row.units, "moves": booked}
        for row in tx.execute(query)
        if (booked := moved.get((row.lot_id, row.location_id), 0)) != row.units
    ]
