"""Lots and serial numbers: turn tracking on, correct, block, and record what left.

A lot that is blocked is recalled: it leaves with no order any more, and its units are in quality hold at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from hub.domain import counts as counting
from hub.domain.lots import TRACKING, LotError, Marks
from hub.domain.stock_states import MOST_UNITS
from hub.flows import lots as flow
from hub.flows.desk import Desk
from hub.flows.operate import once
from hub.flows.operate.errors import NotDoneError, actor, check_reason
from hub.flows.operate.orders import at_desk
from hub.flows.runtime import Runtime
from hub.store import catalog, events
from hub.store import lots as lot_store
from hub.store.database import Tx
from hub.store.ledger import Position, StockBook, StockConflictError
from hub.store.lots import LotBook
from hub.store.orders import OrderState

TRIES = 3
_CAUSE = ("person", "lot")


@dataclass(slots=True)
class Bench:
    """One article being worked on in one transaction, with its stock and its lots."""

    tx: Tx
    sku: str
    variant_id: str
    stock: StockBook
    lots: LotBook
    actor: str

    @property
    def tracking(self) -> str:
        return self.lots.tracking.get(self.variant_id, "none")


def track_article(runtime: Runtime, sku: str, tracking: str, *, person: str) -> bool:
    """Keep an article by lot, by serial number, or as units that are alike; False when it is kept so already.

    What is on hand then has no lot or number yet; a count gives it one. Raises NotDoneError.
    """
    if tracking not in TRACKING:
        raise NotDoneError(f"an article is kept as {', '.join(TRACKING)}, and not as {tracking}")
    with runtime.db.begin() as tx:
        variant_id = _article(tx, sku)
        if not lot_store.set_tracking(tx, variant_id, tracking, runtime.clock()):
            return False
        said = f"{sku} is kept {'without lots' if tracking == 'none' else f'by {tracking}'} from now on."
        events.tell(tx, ("variant", variant_id), "tracking", actor(person), said, runtime.clock())
    return True


def adjust_lot(
    runtime: Runtime,
    sku: str,
    location: str,
    marks: Marks,
    change: int,
    *,
    person: str,
    reason: str,
    key: str = "",
) -> bool:
    """Correct the units of one lot, or numbered units, by `change`; False when this `key` was booked before.

    Raises NotDoneError.
    """
    check_reason(reason)
    if not 0 < abs(change) <= MOST_UNITS:
        raise NotDoneError(f"say by how much, from 1 to {MOST_UNITS:,} units")
    run = once.run_of(key)
    booked, asking = f"lot:{run}", once.asking("lot", sku, location, marks, change)

    def work(bench: Bench) -> bool:
        if key and once.asked_before(bench.tx, run, asking, bench.stock.now) is not None:
            return False
        place = _place(bench.tx, location)
        if bench.tracking == "none":
            raise LotError(f"{sku} is kept without lots; correct its stock instead")
        if change > 0:
            _found(bench, place, marks, change, booked, reason)
        else:
            _gone(bench, place, marks, -change, booked, reason)
        return True

    return _at_bench(runtime, sku, person, work)


def _found(bench: Bench, place: str, marks: Marks, units: int, key: str, reason: str) -> None:
    state = bench.lots.arrive(place, bench.variant_id, units, marks, cause=_CAUSE, key=key)
    position = bench.stock.position(place, bench.variant_id)
    _move(bench, position, units, None, state, f"{key}:0", reason)


def _gone(bench: Bench, place: str, marks: Marks, units: int, key: str, reason: str) -> None:
    position = bench.stock.position(place, bench.variant_id)
    aside: dict[str, int] = {}
    if bench.tracking == "serial":
        bench.lots.numbered.need(bench.variant_id, units, marks.serials)
        bench.lots.numbered.take(place, bench.variant_id, marks.serials, "scrapped")
    else:
        aside = bench.lots.take_lot(place, bench.variant_id, marks.lot, units, cause=_CAUSE, key=key)
    for index, (state, taken) in enumerate(counting.take_out(position.units, units, aside)):
        _move(bench, position, taken, state, None, f"{key}:{index}", reason)


def _move(
    bench: Bench, position: Position, units: int, from_state: str | None, to_state: str | None, key: str, reason: str
) -> None:
    bench.stock.move(
        position, units, from_state, to_state, kind="adjust", cause=_CAUSE, key=key, reason=reason, by_fact=True
    )


def block_lot(runtime: Runtime, sku: str, code: str, *, person: str, reason: str) -> int | None:
    """Sell a lot no more; gives how many units are held back, None when it is blocked already. Raises NotDoneError."""
    check_reason(reason)
    held: list[int] = []

    def work(bench: Bench) -> bool:
        if bench.lots.block(bench.variant_id, code, blocked=True) is None:
            return False
        said = f"Lot {code} was blocked: {reason}."
        events.tell(bench.tx, ("variant", bench.variant_id), "lot_blocked", bench.actor, said, bench.stock.now)
        held.append(flow.hold_back(bench.tx, bench.stock, bench.lots))
        return True

    return held[-1] if _at_bench(runtime, sku, person, work) else None


def unblock_lot(runtime: Runtime, sku: str, code: str, *, person: str) -> int | None:
    """Sell a lot again; gives how many units are free again, None when it is not blocked. Raises NotDoneError."""
    freed: list[int] = []

    def work(bench: Bench) -> bool:
        if bench.lots.block(bench.variant_id, code, blocked=False) is None:
            return False
        said = f"Lot {code} is not blocked any more."
        events.tell(bench.tx, ("variant", bench.variant_id), "lot_unblocked", bench.actor, said, bench.stock.now)
        freed.append(flow.give_free(bench.tx, bench.stock, bench.lots))
        return True

    return freed[-1] if _at_bench(runtime, sku, person, work) else None


def record_serials(
    runtime: Runtime, order_id: str, fo_number: str, sku: str, codes: Sequence[str], *, person: str
) -> bool:
    """Say which numbered units left with a fulfillment order, when that was not said as they left.

    False when just these were recorded before. Raises NotDoneError.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        fo = next((one for one in state.fos if one.number == fo_number), None)
        variant_id = _article(desk.tx, sku)
        row = next((one for one in fo.lines if one.variant_id == variant_id), None) if fo else None
        if fo is None or row is None:
            raise NotDoneError(f"no {sku} is on a fulfillment order {fo_number!r} of this order")
        book = LotBook.open(desk.tx, {variant_id}, desk.now, desk.actor)
        if book.tracking.get(variant_id) != "serial":
            raise NotDoneError(f"{sku} is kept without serial numbers")
        known = book.numbered.left_with(row.id)
        if codes and set(codes) <= set(known):
            return False
        try:
            flow.take_serials(desk, state, fo, book, row, row.shipped - len(known), codes or ("",))
        except LotError as error:
            raise NotDoneError(str(error)) from error
        book.flush()
        return True

    return at_desk(runtime, order_id, person, work)


def _article(tx: Tx, sku: str) -> str:
    found = catalog.variants_by_sku(tx, [sku]).get(sku)
    if found is None:
        raise NotDoneError(f"there is no article {sku!r}")
    return found


def _place(tx: Tx, code: str) -> str:
    found = next((one.id for one in catalog.locations(tx) if one.code == code), None)
    if found is None:
        raise NotDoneError(f"there is no location {code!r}")
    return found


def _at_bench(runtime: Runtime, sku: str, person: str, work: Callable[[Bench], bool]) -> bool:
    """Do a step in one transaction, again when the stock changed meanwhile."""
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                variant_id, now, by = _article(tx, sku), runtime.clock(), actor(person)
                stock = StockBook.open(tx, {variant_id}, now, by)
                bench = Bench(tx, sku, variant_id, stock, LotBook.open(tx, {variant_id}, now, by), by)
                done = work(bench)
                stock.flush()
                bench.lots.flush()
        except StockConflictError:
            continue
        except LotError as error:
            raise NotDoneError(str(error)) from error
        if done:
            runtime.wake_all({"stock", "refill"})
        return done
    raise NotDoneError("the stock of this article keeps changing; try again")


def expiry(text: str) -> date | None:
    """A day as a person writes it, such as 2026-12-31; None for none. Raises NotDoneError."""
    if not text.strip():
        return None
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise NotDoneError(f"{text!r} is no day; write it as 2026-12-31") from None
