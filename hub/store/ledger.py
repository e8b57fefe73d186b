"""The stock ledger: the only writer of stock positions.

Open a `StockBook` inside a transaction with the variants it concerns; it locks their positions in one fixed order, so
that two transactions never wait for each other in a circle. Moves change the book in memory and are written by
`flush`: one ledger row per move and one guarded update per position.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self, cast

from sqlalchemy import Integer, Update, and_, bindparam, case, func, or_, select, update
from sqlalchemy.engine import CursorResult

from hub.domain.stock_states import check_move
from hub.store import bulk
from hub.store.database import Tx, new_id
from hub.store.rows import chunks
from hub.store.tables import INCOMING, STATES, kit_component, listing, stock_move, stock_position

TOLD_LATER = "told:"  # how the key of a move begins that gives back what a feed had as gone and was shipped
NOT_FOUND_BEFORE = "they left although a count or a feed had not found them"
COLUMNS = (*STATES, INCOMING)  # every state in which a position counts units


class OutOfStockError(Exception):
    """There are fewer units in the state than were to be moved."""


class StockConflictError(Exception):
    """A position changed under the transaction; nothing was written. Read again and decide again."""


@dataclass(slots=True)
class Position:
    """Units of one variant at one location, by state; those still incoming are not on hand."""

    id: str
    variant_id: str
    location_id: str
    units: dict[str, int]
    oversold: int = 0
    version: int = 0
    stated_at: datetime | None = None  # as of when a feed last said how many units there are
    is_new: bool = False
    corrected: bool = False  # brought to what somebody has said is there
    delta: dict[str, int] = field(default_factory=dict)

    @property
    def on_hand(self) -> int:
        return sum(self.units.values()) - self.units[INCOMING]

    @property
    def incoming(self) -> int:
        return self.units[INCOMING]

    @property
    def available(self) -> int:
        return self.units["available"]

    @property
    def rose(self) -> int:
        """1 when there are more available units than before, else 0."""
        return int(self.delta.get("available", 0) > 0)


_NAMES = ("id", "variant_id", "location_id", "oversold", "version", "stated_at", *COLUMNS)
_COLUMNS = [stock_position.c[name] for name in _NAMES]


class StockBook:
    """The positions a transaction works on, locked, with the moves it makes."""

    def __init__(self, tx: Tx, now: datetime, actor: str) -> None:
        self.tx = tx
        self.now = now
        self.actor = actor
        self._positions: dict[tuple[str, str], Position] = {}
        self._by_variant: dict[str, list[Position]] = defaultdict(list)
        self._moves: list[dict[str, Any]] = []
        self.changed_variants: set[str] = set()
        self._let_go: set[str] = set()

    @classmethod
    def open(cls, tx: Tx, variant_ids: Collection[str], now: datetime, actor: str) -> Self:
        """Lock and read every position of `variant_ids`. Call once per transaction, with all variants."""
        book = cls(tx, now, actor)
        book._read(variant_ids)
        return book

    def _read(self, variant_ids: Collection[str]) -> None:
        for part in chunks(variant_ids):
            query = (
                select(*_COLUMNS)
                .where(stock_position.c.variant_id.in_(part))
                .order_by(stock_position.c.variant_id, stock_position.c.location_id)
                .with_for_update(key_share=True)
            )
            for key, variant_id, location_id, oversold, version, stated_at, *units in self.tx.execute(query):
                states = dict(zip(COLUMNS, units, strict=True))
                self._keep(Position(key, variant_id, location_id, states, oversold, version, stated_at))

    def _keep(self, position: Position) -> None:
        self._positions[position.location_id, position.variant_id] = position
        self._by_variant[position.variant_id].append(position)

    def position(self, location_id: str, variant_id: str) -> Position:
        """The position, made with zero units when the place never had the variant."""
        found = self._positions.get((location_id, variant_id))
        if found is None:
            found = Position(new_id(), variant_id, location_id, dict.fromkeys(COLUMNS, 0), is_new=True)
            self._keep(found)
        return found

    def sellable(self, variant_ids: Collection[str]) -> dict[tuple[str, str], int]:
        """Units of these variants that may be taken now, by (location, variant)."""
        return {
            (position.location_id, variant_id): units
            for variant_id in variant_ids
            for position in self._by_variant.get(variant_id, ())
            if (units := position.available) > 0
        }

    def move(
        self,
        position: Position,
        units: int,
        from_state: str | None,
        to_state: str | None,
        *,
        kind: str,
        cause: tuple[str, str],
        key: str,
        reason: str = "",
        by_fact: bool = False,
        outright: bool = False,
        occurred_at: datetime | None = None,
    ) -> None:
        """Move `units` (1 or more) between states; None is the world outside.

        `cause` is (type, id) of what brought it about, `key` makes the move unique for ever. `by_fact` lets
        `available` go below zero because the goods are gone anyhow: the shortage is booked as oversold. `outright`
        says that it brings on hand to what somebody has said is there, so that what was counted before is out of date.
        `occurred_at` is when it came about there, where that is known and was earlier than now. When promised units
        leave of which the books had fewer on hand, since a count or a feed had not found them, the rest is booked in.
        Raises OutOfStockError when the state holds too few units, MoveRefusedError when there is no such move.
        """
        check_move(from_state, to_state)
        if from_state is not None:
            if position.units[from_state] < units and not (by_fact and from_state == "available"):
                raise OutOfStockError(
                    f"{units} units wanted from {from_state} and {position.units[from_state]} are there"
                )
            self._change(position, from_state, -units)
        if to_state is not None:
            self._change(position, to_state, units)
        self._moves.append(
            {
                "id": new_id(),
                "position_id": position.id,
                "kind": kind,
                "quantity": units,
                "from_state": from_state,
                "to_state": to_state,
                "cause_type": cause[0],
                "cause_id": cause[1],
                "reason": reason,
                "idempotency_key": key,
                "actor": self.actor,
                "at": self.now,
                "occurred_at": occurred_at or self.now,
            }
        )
        if to_state is None and from_state != "available" and position.on_hand < 0:
            more, key = -position.on_hand, f"found:{new_id()}"
            self.move(
                position, more, None, "available", kind="adjust", cause=cause, key=key, reason=NOT_FOUND_BEFORE,
                occurred_at=occurred_at,
            )  # fmt: skip
        if outright:
            position.corrected = True
        if not {"available", INCOMING}.isdisjoint(
            (from_state, to_state)
        ):  # what is to come may be sold before it is there
            self.changed_variants.add(position.variant_id)

    def taken_by_feed(self, position: Position, since: datetime) -> int:
        """Units that the location's feed had as gone since a moment, less those that were told as shipped since."""
        move = stock_move.c
        told = move.idempotency_key.startswith(TOLD_LATER, autoescape=True)
        taken = case((told, -move.quantity), else_=move.quantity)
        query = select(func.coalesce(func.sum(taken), 0)).where(
            move.position_id == position.id,
            or_(
                and_(told, move.at > since),
                and_(move.cause_type == "inbox", move.to_state.is_(None), move.occurred_at > since),
            ),
        )
        told_now = sum(
            int(one["quantity"])
            for one in self._moves
            if one["position_id"] == position.id and one["idempotency_key"].startswith(TOLD_LATER)
        )
        return max(0, int(self.tx.execute(query).scalar_one()) - told_now)

    def _change(self, position: Position, state: str, units: int) -> None:
        position.units[state] += units
        position.delta[state] = position.delta.get(state, 0) + units
        position.oversold = max(0, -position.units["available"])

    def let_go(self, variant_id: str) -> None:
        """Units on the shelf that were kept for somebody are kept no longer: others who wait may have them."""
        self._let_go.add(variant_id)
        self.changed_variants.add(variant_id)

    def has_risen(self) -> bool:
        """Whether more units of something may be taken than before, as far as not written yet."""
        return bool(self._let_go) or any(position.rose for position in self._positions.values())

    def flush(self) -> None:
        """Write positions and moves. Raises StockConflictError when a position was not as it was read."""
        changed = [position for position in self._positions.values() if position.delta]
        self._insert_new([position for position in changed if position.is_new])
        self._update_known([position for position in changed if not position.is_new])
        if self._moves:
            bulk.insert_rows(self.tx, stock_move, self._moves)
        look_again(self.tx, self._let_go)
        self._let_go = set()
        if self.changed_variants:
            mark_listings(self.tx, self.changed_variants)
        for position in changed:
            position.delta = {}
            position.is_new = position.corrected = False
        self._moves = []

    def _insert_new(self, positions: list[Position]) -> None:
        positions.sort(key=_in_order)
        rows = [
            {
                "id": position.id,
                "variant_id": position.variant_id,
                "location_id": position.location_id,
                "on_hand": position.on_hand,
                "oversold": position.oversold,
                "version": 1,
                "corrected": int(position.corrected),
                "rises": position.rose,
                **position.units,
            }
            for position in positions
        ]
        made = bulk.insert_rows(self.tx, stock_position, rows, skip_known=True)
        if made != len(rows):
            raise StockConflictError(f"{len(rows) - made} positions were made meanwhile")
        for position in positions:
            position.version = 1

    def _update_known(self, positions: list[Position]) -> None:
        if not positions:
            return
        positions.sort(key=_in_order)
        rows = [
            {
                "key": position.id,
                "seen": position.version,
                "new_on_hand": position.on_hand,
                "new_oversold": position.oversold,
                "rose": position.rose,
                "is_corrected": int(position.corrected),
                **{f"new_{state}": units for state, units in position.units.items()},
            }
            for position in positions
        ]
        if bulk.takes_arrays(self.tx, rows):
            done = self.tx.execute(_UPDATE_ALL, bulk.arrays(rows))
        else:
            done = self.tx.execute(_UPDATE_EACH, rows)
        written = cast("CursorResult[Any]", done).rowcount
        if written != len(positions):
            raise StockConflictError(f"{len(positions) - written} positions changed meanwhile")
        for position in positions:
            position.version += 1


def _in_order(position: Position) -> tuple[str, str]:
    """The one order in which positions are locked and made."""
    return position.variant_id, position.location_id


def _update(new: Callable[[str], Any]) -> Update:
    """The guarded update of a position; `new` gives the value of a name: a parameter, or a column of parameters."""
    return (
        update(stock_position)
        .where(stock_position.c.id == new("key"), stock_position.c.version == new("seen"))
        .values(
            on_hand=new("new_on_hand"),
            oversold=new("new_oversold"),
            version=stock_position.c.version + 1,
            corrected=case((new("is_corrected") == 1, stock_position.c.version + 1), else_=stock_position.c.corrected),
            rises=stock_position.c.rises + new("rose"),
            **{state: new(f"new_{state}") for state in COLUMNS},
        )
    )


_FIGURES = ("seen", "new_on_hand", "new_oversold", "rose", "is_corrected", *(f"new_{state}" for state in COLUMNS))
_UPDATE_EACH = _update(bindparam)
_UPDATE_ALL = _update(bulk.given({"key": stock_position.c.id.type} | dict.fromkeys(_FIGURES, Integer())).c.__getitem__)


def mark_listings(tx: Tx, variant_ids: Collection[str]) -> None:
    """Note that the published figure of these variants, and of kits made of them, may be out of date everywhere."""
    sold = set(variant_ids)
    for part in chunks(variant_ids):
        kits = select(kit_component.c.kit_variant_id).where(kit_component.c.component_variant_id.in_(part))
        sold |= set(tx.execute(kits).scalars())
    for part in chunks(sold):
        # By id, as publishing takes them, so that the two never wait for each other in a circle.
        theirs = select(listing.c.id).where(listing.c.variant_id.in_(part)).order_by(listing.c.id).with_for_update()
        tx.execute(update(listing).where(listing.c.id.in_(theirs)).values(stock_rev=listing.c.stock_rev + 1))


def risen(tx: Tx, limit: int) -> list[tuple[str, str, int]]:
    """Positions with more units than when waiting orders were last looked after: (position, variant, rises)."""
    query = (
        select(stock_position.c.id, stock_position.c.variant_id, stock_position.c.rises)
        .where(stock_position.c.rises > stock_position.c.refilled)
        .order_by(stock_position.c.variant_id, stock_position.c.location_id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def refilled(tx: Tx, position_id: str, rises: int) -> None:
    """Waiting orders were looked after up to this rise; a later one makes the position due again."""
    tx.execute(update(stock_position).where(stock_position.c.id == position_id).values(refilled=rises))


def look_again(tx: Tx, variant_ids: Collection[str]) -> None:
    """Have free units of these articles offered to the orders that wait for them, as if they had just come in."""
    position = stock_position.c
    for part in chunks(variant_ids):
        free = select(position.id).where(position.variant_id.in_(part), position.available > 0)
        free = free.order_by(position.variant_id, position.location_id).with_for_update()
        tx.execute(update(stock_position).where(position.id.in_(free)).values(rises=position.rises + 1))


# What a move adds to the units on hand.
_ON_HAND = case((stock_move.c.to_state.in_(STATES), stock_move.c.quantity), else_=0) - case(
    (stock_move.c.from_state.in_(STATES), stock_move.c.quantity), else_=0
)


def moves_since(tx: Tx, since: Mapping[str, datetime]) -> dict[str, list[tuple[datetime, int]]]:
    """(when, units) of all that came to and left from what is on hand, by position, since its moment in `since`.

    When is when it came about there, not when it was booked.
    """
    found: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for part in chunks(since):
        query = select(stock_move.c.position_id, stock_move.c.occurred_at, _ON_HAND.label("units")).where(
            stock_move.c.position_id.in_(part),
            stock_move.c.occurred_at > min(since[position_id] for position_id in part),
            _ON_HAND != 0,
        )
        for position_id, at, units in tx.execute(query):
            if at > since[position_id]:
                found[position_id].append((at, units))
    return found


def taken_by(tx: Tx, cause_ids: Collection[str]) -> dict[tuple[str, str], int]:
    """What these causes have taken from the units on hand, by (location, variant)."""
    found: dict[tuple[str, str], int] = defaultdict(int)
    place, article = stock_position.c.location_id, stock_position.c.variant_id
    for part in chunks(cause_ids):
        query = (
            select(place, article, func.sum(-_ON_HAND))
            .join(stock_position, stock_position.c.id == stock_move.c.position_id)
            .where(stock_move.c.cause_id.in_(part), _ON_HAND < 0)
            .group_by(place, article)
        )
        for location_id, variant_id, units in tx.execute(query):
            found[location_id, variant_id] += int(units)
    return found


def differences(tx: Tx) -> list[dict[str, Any]]:
    """Positions that do not equal the sum of their moves, state by state; empty when the books are right.

    One statement, so that what is booked meanwhile is in both sides or in none. A wrong `oversold` is one as well.
    """
    move, position = stock_move.c, stock_position.c
    sums = select(move.position_id, *(_booked(state).label(state) for state in COLUMNS)).group_by(move.position_id)
    booked = sums.subquery()
    beside = {state: func.coalesce(booked.c[state], 0) for state in COLUMNS}
    short = case((position.available < 0, -position.available), else_=0)
    query = (
        select(position.id, position.oversold, *(position[state] for state in COLUMNS))
        .add_columns(*(beside[state].label(f"booked_{state}") for state in COLUMNS), short.label("short"))
        .outerjoin(booked, booked.c.position_id == position.id)
        .where(or_(position.oversold != short, *(position[state] != beside[state] for state in COLUMNS)))
        .order_by(position.id)
    )
    found = []
    for row in tx.execute(query).mappings():
        sides = [(state, row[state], int(row[f"booked_{state}"])) for state in COLUMNS]
        sides.append(("oversold", row["oversold"], row["short"]))
        found += [
            {"position_id": row["id"], "state": state, "position": here, "ledger": there}
            for state, here, there in sides
            if here != there
        ]
    return found


def _booked(state: str) -> Any:
    """What the moves of a position add up to in one state."""
    move = stock_move.c
    into = case((move.to_state == state, move.quantity), (move.from_state == state, -move.quantity), else_=0)
    return func.sum(into)
