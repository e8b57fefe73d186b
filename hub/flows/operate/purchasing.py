"""Purchase orders: write, order, confirm, receive in parts, move dates, cancel, close.

Each step is one transaction and is safe to repeat; a delivery counts once for its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.domain import purchasing as rules
from hub.domain import words
from hub.domain.lots import LotError, Marks
from hub.domain.purchasing import PurchaseRefusedError
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate import once
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.operate.suppliers import NAME, supplier_of
from hub.flows.promise import repromise
from hub.flows.runtime import Runtime
from hub.store import catalog, events, purchasing, suppliers
from hub.store.database import Tx, new_id
from hub.store.errors import IntegrityError
from hub.store.ledger import StockBook, StockConflictError
from hub.store.lots import LotBook
from hub.store.numbers import number
from hub.store.purchasing import LineState, PurchaseState, UnknownPurchaseError

TRIES = 3
MOST_OVER = 100  # percent


@dataclass(frozen=True, slots=True)
class Wanted:
    """Units of an article to buy. `cost_minor` per unit in the order's currency; None: as the supplier sells it."""

    sku: str
    units: int
    cost_minor: int | None = None
    promise_on: date | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What the supplier says of a line; None leaves that as it is."""

    sku: str
    units: int | None = None
    promise_on: date | None = None


@dataclass(frozen=True, slots=True)
class Delivered:
    """Units of an article that arrived in one condition: good, damaged, to_inspect, or sent_back at once.

    An article that is kept by lot or by serial number needs its lot or its numbers, unless it is sent back.
    """

    sku: str
    units: int
    condition: str = "good"
    lot: str = ""
    expires_on: date | None = None
    serials: tuple[str, ...] = ()


@dataclass(slots=True)
class Bench:
    """A purchase order being worked on in one transaction, with the stock and the lots of its articles."""

    tx: Tx
    order: PurchaseState
    stock: StockBook
    lots: LotBook
    actor: str

    def tell(self, kind: str, message: str, **data: Any) -> None:
        events.tell(self.tx, ("purchase_order", self.order.id), kind, self.actor, message, self.stock.now, **data)

    def move_to(self, status: str) -> None:
        """Raises PurchaseRefusedError, with the allowed next states, when there is no such move."""
        rules.check_move(self.order.status, status)
        self.order.status = status

    def expect(self, line: LineState, change: int, step: str) -> None:
        """More or fewer units are to come. Fewer never below none: a person may have corrected the figure."""
        position = self.stock.position(self.order.location_id, line.variant_id)
        units = change if change > 0 else min(-change, position.incoming)
        if units:
            states = (None, "incoming") if change > 0 else ("incoming", None)
            self._move(line, units, *states, kind="expect", key=f"po:{step}:{line.id}")

    def take(self, line: LineState, units: int, state: str | None, key: str) -> None:
        """Units arrived; None for a state sends them back. What this line did not expect any more comes on top of what
        others expect here.
        """
        incoming = self.stock.position(self.order.location_id, line.variant_id).incoming
        over = units - min(line.open, incoming)
        if over > 0:
            self._move(line, over, None, "incoming", kind="expect", key=f"{key}:over")
        self._move(line, units, "incoming", state, kind="receive", key=key)

    def _move(
        self, line: LineState, units: int, from_state: str | None, to_state: str | None, *, kind: str, key: str
    ) -> None:
        self.stock.move(
            self.stock.position(self.order.location_id, line.variant_id), units, from_state, to_state,
            kind=kind, cause=("purchase_order", self.order.id), key=key, reason=self.order.number,
        )  # fmt: skip


def draft_purchase(
    runtime: Runtime,
    supplier: str,
    location: str,
    lines: Sequence[Wanted],
    *,
    person: str,
    name: str = "",
    expected_on: date | None = None,
    over_percent: int = 0,
    note: str = "",
    key: str = "",
) -> str:
    """A draft of what to buy from a supplier for a location; returns its number. Raises NotDoneError.

    `name` is a number of one's own. The same `key` makes one draft, however often it comes. `over_percent`: so much
    more than ordered may be received.
    """
    if not 0 <= over_percent <= MOST_OVER:
        raise NotDoneError(f"over-delivery is 0 to {MOST_OVER} percent")
    name = name.strip()
    if name and not NAME.fullmatch(name):
        raise NotDoneError("a number has up to 40 letters, digits, -, _ or ., such as PO-2026-17")
    made_up = number("PO", f"{person}:{key}" if key else "")
    now, run = runtime.clock(), once.run_of(f"purchase:{person}:{key}")
    asking = once.asking("purchase", supplier, location, lines, name, expected_on, over_percent, note)
    with runtime.db.begin() as tx:
        if key and once.asked_before(tx, run, asking, now) is not None:
            return name or made_up
        seller = supplier_of(tx, supplier)
        place = next((one for one in catalog.locations(tx) if location in (one.code, one.id)), None)
        if place is None:
            raise NotDoneError(f"there is no location {location!r}")
        rows = _rows(tx, seller.id, lines)
        made = purchasing.add(
            tx, rows, now,
            number=name or made_up, supplier_id=seller.id, location_id=place.id, currency=seller.currency,
            expected_on=expected_on, over_percent=over_percent, note=note, created_by=actor(person),
        )  # fmt: skip
        if made is not None:
            said = f"A draft for {seller.name or seller.code} to {place.code} was written."
            events.tell(tx, ("purchase_order", made), "created", actor(person), said, now)
        elif name:
            raise NotDoneError(f"there is a purchase order {name!r} already")
    return name or made_up


def _rows(tx: Tx, supplier_id: str, lines: Sequence[Wanted]) -> list[dict[str, Any]]:
    known = catalog.variants_by_sku(tx, {one.sku for one in lines})
    if unknown := sorted({one.sku for one in lines} - set(known)):
        raise NotDoneError(f"there is no article {', '.join(unknown)}")
    if wrong := sorted(one.sku for one in lines if not _is_right(one)):
        most = f"{MOST_UNITS:,} units, at a cost from zero to {rules.MOST_COST_MINOR:,} minor units each"
        raise NotDoneError(f"{', '.join(wrong)}: order 1 to {most}")
    if len({one.sku for one in lines}) < len(lines):
        raise NotDoneError("an article stands on one line of a purchase order")
    costs = {one.variant_id: one.cost_minor for one in suppliers.items(tx, supplier_id)}
    return [
        {
            "variant_id": known[one.sku],
            "ordered": one.units,
            "cost_minor": costs.get(known[one.sku], 0) if one.cost_minor is None else one.cost_minor,
            "promise_on": one.promise_on,
        }
        for one in lines
    ]


def _is_right(wanted: Wanted) -> bool:
    return 0 < wanted.units <= MOST_UNITS and 0 <= (wanted.cost_minor or 0) <= rules.MOST_COST_MINOR


def change_purchase(
    runtime: Runtime,
    key: str,
    lines: Sequence[Wanted] | None = None,
    *,
    person: str,
    expected_on: date | None = None,
    over_percent: int | None = None,
    note: str | None = None,
) -> None:
    """Give a draft other lines, all of them, or other terms; what is None stays. Raises NotDoneError."""
    if over_percent is not None and not 0 <= over_percent <= MOST_OVER:
        raise NotDoneError(f"over-delivery is 0 to {MOST_OVER} percent")

    def work(bench: Bench) -> bool:
        order = bench.order
        if order.status != "draft":
            raise PurchaseRefusedError(f"{order.number} is {order.status}; only a draft can be changed")
        if lines is not None:
            rows = _rows(bench.tx, order.supplier_id, lines)
            purchasing.drop_lines(bench.tx, [line.id for line in order.lines])
            purchasing.add_lines(bench.tx, order.id, rows)
            order.lines = []
        order.expected_on = expected_on or order.expected_on
        order.over_percent = order.over_percent if over_percent is None else over_percent
        order.note = order.note if note is None else note
        bench.tell("changed", "The draft was changed.")
        return True

    _at_bench(runtime, key, person, work)


def place_purchase(runtime: Runtime, key: str, *, person: str) -> bool:
    """The order is sent to the supplier: its units are expected from now on. False when it was. Raises NotDoneError."""

    def work(bench: Bench) -> bool:
        if bench.order.status == "ordered":
            return False
        bench.move_to("ordered")
        if not bench.order.lines:
            raise PurchaseRefusedError("there is nothing on it; add lines first")
        bench.order.ordered_at = bench.stock.now
        for line in bench.order.lines:
            bench.expect(line, line.ordered, "order")
        units = sum(line.ordered for line in bench.order.lines)
        bench.tell("ordered", f"{words.units(units)} were ordered from {bench.order.supplier}.")
        return True

    return _at_bench(runtime, key, person, work)


def acknowledge(runtime: Runtime, key: str, said: Sequence[Confirmed] = (), *, person: str, reason: str = "") -> bool:
    """The supplier confirms: all as ordered, but for the lines named. May come again with other units and days.

    Units that are confirmed less are not expected any more. False when that is known already. Raises NotDoneError.
    """

    def work(bench: Bench) -> bool:
        order, before = bench.order, bench.order.status
        if order.status == "ordered":
            bench.move_to("acknowledged")
        elif order.status not in rules.OPEN:
            rules.check_move(order.status, "acknowledged")
        news = [_confirm(bench, _line(order, one.sku), one.units) for one in said if one.units is not None]
        moved = _move_dates(bench, [(one.sku, one.promise_on) for one in said if one.promise_on], reason)
        if order.status == "partially_received" and not any(line.open for line in order.lines):
            bench.move_to("received")
        if any(news) or order.status != before:
            parts = [f"{one.units} x {one.sku}" for one in said if one.units is not None]
            bench.tell("acknowledged", f"{order.supplier} confirms {', '.join(parts) or 'all of it'}.")
        return any(news) or moved or order.status != before

    return _at_bench(runtime, key, person, work)


def _confirm(bench: Bench, line: LineState, units: int) -> bool:
    rules.check_acknowledged(line.units, units, bench.order.over_percent)
    before = line.open
    news = line.acknowledged != units
    line.acknowledged = units
    if line.open != before:
        bench.expect(line, line.open - before, f"ack:{new_id()}")
    return news


def move_dates(runtime: Runtime, key: str, days: Mapping[str, date], *, person: str, reason: str) -> bool:
    """Lines are promised for other days, by SKU, or all open ones by ""; False when they were. Raises NotDoneError.

    The days before are kept. Customers whose promise rests on them are promised anew.
    """

    def work(bench: Bench) -> bool:
        order = bench.order
        if order.status not in rules.CHANGES_DATES:
            raise PurchaseRefusedError(f"{order.number} is {order.status}; nothing is expected of it any more")
        everything = [(line.sku, days[""]) for line in order.lines if line.open] if "" in days else []
        named = [(sku, day) for sku, day in days.items() if sku]
        if "" in days:
            order.expected_on = days[""]
        return _move_dates(bench, [*everything, *named], reason)

    return _at_bench(runtime, key, person, work)


def _move_dates(bench: Bench, days: Sequence[tuple[str, date | None]], reason: str) -> bool:
    moved = []
    for sku, day in days:
        line = _line(bench.order, sku)
        if line.promise_on != day:
            moved.append((line.id, line.promise_on, day))
            bench.tell(
                "promise_changed", f"{sku}: expected {day}, before {line.promise_on or 'no day'}. {reason}".strip()
            )
            line.promise_on = day
    purchasing.note_dates(bench.tx, moved, reason, bench.actor, bench.stock.now)
    return bool(moved)


def receive_purchase(
    runtime: Runtime, key: str, rows: Sequence[Delivered] | None, *, person: str, receipt: str = ""
) -> bool:
    """Goods arrived, as many times as it takes; False when this `receipt` was booked before. Raises NotDoneError.

    None for `rows` are all units that are still to come, in good condition. Good units are available at once and go to
    the orders that wait for them, oldest first. A receipt of the same name that tells of other goods is an error.
    """
    asking = once.asking("receive", rows)

    def work(bench: Bench) -> bool:
        order = bench.order
        run = once.run_of(f"{order.id}:{receipt}" if receipt else "")
        if receipt and once.asked_before(bench.tx, run, asking, bench.stock.now) is not None:
            return False
        if order.status not in rules.TAKES_GOODS:
            raise PurchaseRefusedError(f"{order.number} is {order.status}; goods are taken once it is ordered")
        arrived = _all_expected(order) if rows is None else rows
        if not arrived:
            raise PurchaseRefusedError("nothing is to come any more" if rows is None else "say what arrived")
        for count, row in enumerate(arrived):
            _receive(bench, row, f"po:{run}:{count}")
        for status in rules.after_receipt(order.status, [line.units for line in order.lines]):
            bench.move_to(status)
        bench.tell("goods_received", f"Arrived: {', '.join(map(_delivered, arrived))}.")
        return True

    return _at_bench(runtime, key, person, work)


def _all_expected(order: PurchaseState) -> list[Delivered]:
    return [Delivered(line.sku, line.open) for line in order.lines if line.open]


def _receive(bench: Bench, row: Delivered, key: str) -> None:
    line, order = _line(bench.order, row.sku), bench.order
    if row.condition not in rules.CONDITIONS:
        raise PurchaseRefusedError(f"a condition is {', '.join(rules.CONDITIONS)}, and not {row.condition}")
    rejected = 0 if row.condition == "good" else row.units
    try:
        rules.check_receipt(line.units, row.units, rejected, order.over_percent)
    except PurchaseRefusedError as error:
        raise PurchaseRefusedError(f"{row.sku}: {error}") from error
    state, key = rules.CONDITIONS[row.condition], f"{key}:{line.id}"
    if state is not None:
        marks = Marks(row.lot, row.expires_on, row.serials)
        cause = ("purchase_line", line.id)
        state = bench.lots.arrive(
            order.location_id, line.variant_id, row.units, marks, cause=cause, key=key, state=state
        )
    bench.take(line, row.units, state, key)
    line.received += row.units
    line.rejected += rejected


def _delivered(row: Delivered) -> str:
    return f"{row.units} x {row.sku}" + ("" if row.condition == "good" else f" ({row.condition.replace('_', ' ')})")


def cancel_purchase(runtime: Runtime, key: str, reason: str, *, person: str) -> bool:
    """Nothing of it is wanted; False when it was cancelled before. Raises NotDoneError when goods have arrived."""

    def work(bench: Bench) -> bool:
        if bench.order.status == "cancelled":
            return False
        rules.check_cancel(bench.order.status, [line.units for line in bench.order.lines])
        was_draft = bench.order.status == "draft"
        bench.move_to("cancelled")
        _give_up(bench, expected=not was_draft)
        bench.tell("cancelled", f"Cancelled: {reason or 'no reason given'}.")
        return True

    return _at_bench(runtime, key, person, work)


def close_purchase_short(runtime: Runtime, key: str, reason: str, *, person: str) -> bool:
    """The rest will not come; False when it was closed so before. Raises NotDoneError."""

    def work(bench: Bench) -> bool:
        if bench.order.status == "closed_short":
            return False
        bench.move_to("closed_short")
        units = _give_up(bench, expected=True)
        bench.tell("closed_short", f"{words.units(units)} will not come: {reason or 'no reason given'}.")
        return True

    return _at_bench(runtime, key, person, work)


def _give_up(bench: Bench, *, expected: bool) -> int:
    """No more is to come; returns the units that were to."""
    units = 0
    for line in bench.order.lines:
        left = line.open
        if left and expected:
            bench.expect(line, -left, "close")
        line.closed += left
        units += left
    return units


def close_purchase(runtime: Runtime, key: str, *, person: str) -> bool:
    """Everything has arrived and is settled; False when it was closed before. Raises NotDoneError."""

    def work(bench: Bench) -> bool:
        if bench.order.status == "closed":
            return False
        bench.move_to("closed")
        bench.tell("closed", "Closed.")
        return True

    return _at_bench(runtime, key, person, work)


def _line(order: PurchaseState, sku: str) -> LineState:
    found = order.line(sku)
    if found is None:
        raise PurchaseRefusedError(f"{sku} is not on {order.number}; it is {', '.join(one.sku for one in order.lines)}")
    return found


def _at_bench(runtime: Runtime, key: str, person: str, work: Callable[[Bench], bool]) -> bool:
    """Do a step in one transaction, again when its stock changed meanwhile; then promise the goods anew."""
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                bench = _open(runtime, tx, key, actor(person))
                done = work(bench)
                if done:
                    purchasing.save(tx, bench.order, bench.stock.now)
                    bench.stock.flush()
                    bench.lots.flush()
        except StockConflictError:
            continue
        except IntegrityError as error:
            raise NotDoneError("this was booked meanwhile by somebody else; look at it again") from error
        except (PurchaseRefusedError, LotError) as error:
            raise NotDoneError(str(error)) from error
        if done:
            runtime.wake_all({"stock", "refill"})
            repromise(runtime, {line.variant_id for line in bench.order.lines})
        return done
    raise NotDoneError("the stock of its articles keeps changing; try again")


def _open(runtime: Runtime, tx: Tx, key: str, by: str) -> Bench:
    try:
        order = purchasing.load(tx, key)
    except UnknownPurchaseError as error:
        raise NotDoneError(str(error)) from error
    variants, now = {line.variant_id for line in order.lines}, runtime.clock()
    return Bench(tx, order, StockBook.open(tx, variants, now, by), LotBook.open(tx, variants, now, by), by)
