"""Lots and serial numbers as goods leave, and lots that may not be sold any more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from hub.domain import words
from hub.domain.holds import NOTHING
from hub.domain.lots import Shelf
from hub.flows.desk import Desk
from hub.flows.runtime import Runtime
from hub.store import events, lots
from hub.store.database import Tx, new_id
from hub.store.ledger import StockBook, StockConflictError
from hub.store.lots import LotBook, LotState, LotUnits
from hub.store.orders import FoLineState, FoState, OrderState

TRIES = 3


def note_departure(
    desk: Desk,
    order: OrderState,
    fo: FoState,
    shipment_id: str,
    left: Mapping[str, int],
    serials: Mapping[str, Sequence[str]],
) -> None:
    """Note which lots and serial numbers left with which fulfillment line; `left` and `serials` by line.

    Lots go by what expires first. The goods have left whatever the books say: what is not known is told to people, who
    can record it later. Raises LotError for serial numbers that cannot have left.
    """
    rows = {row.id: row for row in fo.lines if left.get(row.id)}
    book = LotBook.open(desk.tx, {row.variant_id for row in rows.values()}, desk.now, desk.actor)
    for row in rows.values():
        tracking = book.tracking.get(row.variant_id)
        if tracking == "lot":
            _take_lots(desk, order, fo, book, row, left[row.id], shipment_id)
        elif tracking == "serial":
            take_serials(desk, order, fo, book, row, left[row.id], serials.get(row.id, ()))
    book.flush()


def _take_lots(
    desk: Desk, order: OrderState, fo: FoState, book: LotBook, row: FoLineState, units: int, shipment_id: str
) -> None:
    picks = book.take(
        fo.location_id, row.variant_id, units, cause=("fo_line", row.id), key=f"ship:{shipment_id}:{row.id}"
    )
    sku = book.sku(row.variant_id)
    if picks:
        said = ", ".join(f"{taken} of lot {shelf.code}" for shelf, taken in picks)
        desk.tell(order.id, ("fo", fo.id), "lots", f"{sku}: {said} ({fo.number}).")
    if missing := units - sum(taken for _, taken in picks):
        said = f"{sku}: {words.units(missing)} left of which no sellable lot is in the books. Count it by lot."
        desk.tell(order.id, ("fo", fo.id), "lots_missing", said)


def take_serials(
    desk: Desk, order: OrderState, fo: FoState, book: LotBook, row: FoLineState, units: int, codes: Sequence[str]
) -> None:
    """Note which numbered units left. Without any it is told that they are to be recorded. Raises LotError."""
    sku = book.sku(row.variant_id)
    if not codes:
        said = f"{sku}: the serial numbers of {words.units(units)} are not recorded yet ({fo.number})."
        desk.tell(order.id, ("fo", fo.id), "serials_missing", said)
        return
    book.numbered.need(row.variant_id, units, codes)
    book.numbered.take(fo.location_id, row.variant_id, codes, "shipped", fo_line_id=row.id)
    desk.tell(order.id, ("fo", fo.id), "serials", f"{sku}: serial numbers {', '.join(codes)} ({fo.number}).")


REFUSED = "refusal"  # cause of a lot's move; these units did not leave with the order


def note_missing(desk: Desk, book: LotBook, order: OrderState, fo: FoState, row: FoLineState, units: int) -> None:
    """Note which lots the units were of that a place has not got: those that would have left.

    Of numbered units nobody knows which they are, unless it has none left: somebody has to count them.
    """
    tracking, sku = book.tracking.get(row.variant_id), row.sku
    if tracking == "lot":
        key = f"refuse:{row.id}"
        picks = book.take(fo.location_id, row.variant_id, units, cause=(REFUSED, row.id), key=key)
        _tell_refused(desk, order, fo, sku, picks, "written off")
    elif tracking == "serial" and not desk.stock.position(fo.location_id, row.variant_id).on_hand:
        book.numbered.write_off(row.variant_id, book.numbered.in_stock(fo.location_id, row.variant_id))
    elif tracking == "serial":
        code = desk.locations[fo.location_id].code
        reason = f"{code} has {words.units(units)} of {sku} less, and nobody knows which: count their serial numbers."
        handle = f"stock_to_check:{row.id}"
        desk.put_on_hold(order, "stock_to_check", reason, handle=handle, source="fulfiller", blocks=NOTHING)


def note_damaged(desk: Desk, book: LotBook, order: OrderState, fo: FoState, row: FoLineState, units: int) -> None:
    """Note which lots the units are of that a place has found damaged: those that would have left."""
    if book.tracking.get(row.variant_id) == "lot":
        picks = book.spoil(fo.location_id, row.variant_id, units)
        _tell_refused(desk, order, fo, row.sku, picks, "damaged")


def _tell_refused(
    desk: Desk, order: OrderState, fo: FoState, sku: str, picks: Sequence[tuple[Shelf, int]], became: str
) -> None:
    if picks:
        of = ", ".join(f"{taken} of lot {shelf.code}" for shelf, taken in picks)
        said = f"{sku}: {of}, which would have left first, are booked as {became}."
        desk.tell(order.id, ("fo", fo.id), "lots_refused", said)


def put_back(desk: Desk, fo: FoState, location_id: str) -> None:
    """What left with a fulfillment order lies at a location again: note its lots and serial numbers there."""
    rows = [row for row in fo.lines if row.shipped]
    book = LotBook.open(desk.tx, {row.variant_id for row in rows}, desk.now, desk.actor)
    for row in rows:
        book.back_again(location_id, row.variant_id, row.id, key=f"uncollected:{row.id}")
    book.flush()


def hold_expired(runtime: Runtime) -> int:
    """Take units of expired and blocked lots out of sale, into quality hold; returns how many units."""
    with runtime.db.read() as tx:
        due = lots.expiring(tx, runtime.clock().date() + timedelta(days=1))  # it is later in the east
    held = 0
    for variant_id in due:
        held += _hold(runtime, variant_id)
    if held:
        runtime.wake_all({"stock"})
    return held


def _hold(runtime: Runtime, variant_id: str) -> int:
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                stock = StockBook.open(tx, {variant_id}, runtime.clock(), "clock")
                book = LotBook.open(tx, {variant_id}, runtime.clock(), "clock")
                held = hold_back(tx, stock, book)
                stock.flush()
                book.flush()
        except StockConflictError:
            continue
        return held
    return 0  # it is still due in the next night, or when somebody blocks the lot


def hold_back(tx: Tx, stock: StockBook, book: LotBook) -> int:
    """Bring all units of expired and blocked lots into quality hold; returns how many.

    Units that were promised are held back all the same, which shows them as oversold: somebody has to tell the buyer.
    """
    held = 0
    for lot, here in book.unsellable():
        position = stock.position(here.location_id, lot.variant_id)
        on_sale = position.on_hand - position.units["damaged"] - position.units["quality_hold"]
        units = min(here.free, max(0, on_sale))
        if units:
            _between(stock, lot, here, units, "available", "quality_hold", f"lot {lot.code} {_why(lot)}")
            book.hold(here, units)
            said = f"{words.units(units)} of lot {lot.code} are held back: it {_why(lot)}."
            events.tell(tx, ("variant", lot.variant_id), "held_back", stock.actor, said, stock.now)
        held += units
    return held


def give_free(tx: Tx, stock: StockBook, book: LotBook) -> int:
    """Units of lots that may be sold again are available again; returns how many."""
    freed = 0
    for lot, here in book.sellable_again():
        in_hold = stock.position(here.location_id, lot.variant_id).units["quality_hold"]
        units = min(here.held, in_hold)
        if units:
            _between(stock, lot, here, units, "quality_hold", "available", f"lot {lot.code} may be sold again")
            said = f"{words.units(units)} of lot {lot.code} may be sold again."
            events.tell(tx, ("variant", lot.variant_id), "given_free", stock.actor, said, stock.now)
        book.hold(here, -here.held)
        freed += units
    return freed


def _between(
    stock: StockBook, lot: LotState, here: LotUnits, units: int, from_state: str, to_state: str, reason: str
) -> None:
    stock.move(
        stock.position(here.location_id, lot.variant_id),
        units,
        from_state,
        to_state,
        kind="adjust",
        cause=("lot", lot.id),
        key=f"lot:{new_id()}",
        reason=reason,
        by_fact=True,
    )


def _why(lot: LotState) -> str:
    return "is blocked" if lot.blocked else f"expired on {lot.expires_on}"
