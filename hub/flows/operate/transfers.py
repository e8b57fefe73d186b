"""Transfers between our own locations: write, keep the units, ship, receive, settle what is missing, cancel.

Each step is one transaction and is safe to repeat: a step that was done is not done again, and a receipt counts once
for its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from hub.domain import transfers as rules
from hub.domain import words
from hub.domain.lots import LotError, Marks
from hub.domain.stock_states import MOST_UNITS
from hub.domain.transfers import RefusedError
from hub.flows.operate import once
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.runtime import Runtime
from hub.store import catalog, events, reservations, transfers
from hub.store.database import Tx, new_id
from hub.store.errors import IntegrityError
from hub.store.ledger import OutOfStockError, StockBook, StockConflictError
from hub.store.lots import LotBook
from hub.store.numbers import number
from hub.store.reservations import Wanted
from hub.store.transfers import LineState, TransferState

TRIES = 3


@dataclass(frozen=True, slots=True)
class Received:
    """Units of an article that arrived. `condition` is good, damaged or to_inspect.

    An article that is kept by lot needs no lot here when it is one of those that left; one that is kept by serial
    number needs its numbers.
    """

    sku: str
    units: int
    condition: str = "good"
    lot: str = ""
    expires_on: date | None = None
    serials: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Missing:
    """What is known of missing units of an article; those that are not named are still expected."""

    sku: str
    lost: int = 0
    back_to_source: int = 0
    back_serials: tuple[str, ...] = ()  # which of them came back, when they have serial numbers
    lost_serials: tuple[str, ...] = ()


@dataclass(slots=True)
class Bench:
    """A transfer being worked on in one transaction, with the stock and the lots of its articles."""

    tx: Tx
    transfer: TransferState
    stock: StockBook
    lots: LotBook
    actor: str

    def key(self, step: str, line: LineState) -> str:
        return f"{step}:{line.id}"

    def tell(self, kind: str, message: str) -> None:
        events.tell(self.tx, ("transfer", self.transfer.id), kind, self.actor, message, self.stock.now)


def create_transfer(
    runtime: Runtime,
    source: str,
    destination: str,
    units: Mapping[str, int],
    *,
    person: str,
    note: str = "",
    expected_on: date | None = None,
    key: str = "",
) -> str:
    """A draft from one location to another, by code; `units` by SKU. Returns its number. Raises NotDoneError.

    The same `key` makes one transfer, however often it comes.
    """
    name = number("TR", f"{person}:{key}" if key else "")
    now, run = runtime.clock(), once.run_of(f"transfer:{person}:{key}")
    asking = once.asking("transfer", source, destination, sorted(units.items()), note, expected_on)
    with runtime.db.begin() as tx:
        if key and once.asked_before(tx, run, asking, now) is not None:
            return name
        places = {one.code: one for one in catalog.locations(tx)}
        for code in (source, destination):
            if code not in places:
                raise NotDoneError(f"there is no location {code!r}")
            if not places[code].active:
                raise NotDoneError(f"the location {code} is switched off")
        if source == destination:
            raise NotDoneError("a transfer goes from one location to another")
        _may_transfer(tx, places[source].id, source)
        _may_transfer(tx, places[destination].id, destination)
        made = transfers.add(
            tx,
            now,
            number=name,
            from_location_id=places[source].id,
            to_location_id=places[destination].id,
            note=note,
            expected_on=expected_on,
            created_by=actor(person),
        )
        transfers.set_lines(tx, made, _wanted(tx, units))
        said = f"{name} from {source} to {destination} was written."
        events.tell(tx, ("transfer", made), "created", actor(person), said, now)
    return name


def _may_transfer(tx: Tx, location_id: str, code: str) -> None:
    if not transfers.takes_part(tx, location_id):
        raise NotDoneError(f"the location {code} takes no part in transfers; allow it in its settings first")


def _wanted(tx: Tx, units: Mapping[str, int]) -> dict[str, int]:
    known = catalog.variants_by_sku(tx, units)
    unknown = sorted(set(units) - set(known))
    if unknown:
        raise NotDoneError(f"there is no article {', '.join(unknown)}")
    if wrong := [sku for sku, wanted in units.items() if not 0 < wanted <= MOST_UNITS]:
        raise NotDoneError(f"{', '.join(wrong)}: send at least 1 unit and at most {MOST_UNITS:,}")
    return {known[sku]: wanted for sku, wanted in units.items()}


def change_transfer(runtime: Runtime, key: str, units: Mapping[str, int], *, person: str) -> None:
    """Give a draft other lines. Raises NotDoneError when it is no draft any more."""
    with runtime.db.begin() as tx:
        state = transfers.load(tx, _find(tx, key))
        if state.status != "draft":
            raise NotDoneError(f"{state.number} is {rules.plain(state.status)}; only a draft can be changed")
        transfers.set_lines(tx, state.id, _wanted(tx, units))
        transfers.save(tx, state, runtime.clock())
        said = f"The lines were changed: {', '.join(f'{n} x {sku}' for sku, n in sorted(units.items()))}."
        events.tell(tx, ("transfer", state.id), "changed", actor(person), said, runtime.clock())


def make_ready(runtime: Runtime, key: str, *, person: str) -> bool:
    """Keep the units at the source, so that nobody sells them; False when that is done. Raises NotDoneError."""

    def work(bench: Bench) -> bool:
        state = bench.transfer
        if state.status == "ready":
            return False
        rules.check(state.status, "ready")
        if not state.lines:
            raise RefusedError("there is nothing on it; add articles first")
        _all_free(bench)
        wanted = [Wanted(one.variant_id, one.line.quantity, state.from_location_id) for one in state.lines]
        reservations.reserve(
            bench.tx, bench.stock, wanted, ("transfer", state.id), expires_at=None, reason=state.number, key=state.id
        )
        state.status = "ready"
        bench.tell("ready", f"Kept for it: {transfers.skus(state.lines)}.")
        return True

    return _at_bench(runtime, key, person, work)


def _all_free(bench: Bench) -> None:
    """Raises RefusedError naming everything of which too little is free."""
    short = []
    for line in bench.transfer.lines:
        free = bench.stock.position(bench.transfer.from_location_id, line.variant_id).available
        if free < line.line.quantity:
            short.append(f"{line.sku}: {line.line.quantity} wanted, {max(0, free)} free")
    if short:
        raise RefusedError(f"the source has too little: {'; '.join(short)}")


def ship_transfer(
    runtime: Runtime,
    key: str,
    *,
    person: str,
    units: Mapping[str, int] | None = None,
    serials: Mapping[str, Sequence[str]] | None = None,
    carrier: str = "",
    tracking_number: str = "",
) -> bool:
    """The goods leave; False when they have left. `units` by SKU when fewer leave than were planned: the others are
    free again. `serials` by SKU for articles that have serial numbers. Raises NotDoneError.
    """

    def work(bench: Bench) -> bool:
        state = bench.transfer
        if state.status in rules.ARRIVING or state.status == "received":
            return False
        rules.check(state.status, "in_transit")
        leaving = _leaving(state, units)
        _end_reservations(bench, "converted")
        for line in state.lines:
            if leaving[line.sku]:
                _leave(bench, line, leaving[line.sku], tuple((serials or {}).get(line.sku, ())))
        state.status = "in_transit"
        state.changes |= {
            "shipped_at": bench.stock.now, "carrier": carrier[:80], "tracking_number": tracking_number[:120]
        }  # fmt: skip
        by = f" with {carrier} {tracking_number}".rstrip() if carrier or tracking_number else ""
        left = ", ".join(f"{n} x {sku}" for sku, n in leaving.items() if n)
        bench.tell("shipped", f"Left{by}: {left}.")
        return True

    return _at_bench(runtime, key, person, work)


def _end_reservations(bench: Bench, ended: str) -> None:
    """The units that were kept are free again, unless a person let them go before."""
    keys = [f"{bench.transfer.id}:{index}" for index in range(1, len(bench.transfer.lines) + 1)]
    for row in sorted(reservations.under_keys(bench.tx, keys).values(), key=lambda one: one.id):
        reservations.end(bench.tx, bench.stock, row, ended, bench.transfer.number)


def _leaving(state: TransferState, units: Mapping[str, int] | None) -> dict[str, int]:
    planned = {line.sku: line.line.quantity for line in state.lines}
    if unknown := sorted(set(units or ()) - set(planned)):
        raise RefusedError(f"not on this transfer: {', '.join(unknown)}")
    leaving = planned if units is None else {sku: units.get(sku, 0) for sku in planned}
    for sku, leaves in leaving.items():
        if not 0 <= leaves <= planned[sku]:
            raise RefusedError(f"{sku}: {planned[sku]} units are kept for it, and {leaves} cannot leave")
    if not any(leaving.values()):
        raise RefusedError("nothing would leave; cancel the transfer instead")
    return leaving


def _leave(bench: Bench, line: LineState, units: int, serials: Sequence[str]) -> None:
    _move(bench, line, units, "available", None, "ship", at=bench.transfer.from_location_id)
    _move(bench, line, units, None, "incoming", "expect", at=bench.transfer.to_location_id)
    _take_marks(bench, line, units, serials)
    line.line = replace(line.line, shipped=units)
    line.changed = True


def _take_marks(bench: Bench, line: LineState, units: int, serials: Sequence[str]) -> None:
    tracking = bench.lots.tracking.get(line.variant_id)
    source, cause = bench.transfer.from_location_id, ("transfer_line", line.id)
    if tracking == "serial":
        bench.lots.numbered.need(line.variant_id, units, serials)
        bench.lots.numbered.take(source, line.variant_id, serials, "in_stock", transfer_line_id=line.id)
    elif tracking == "lot":
        picks = bench.lots.take(source, line.variant_id, units, cause=cause, key=bench.key("out", line))
        if (found := sum(taken for _, taken in picks)) < units:
            raise LotError(
                f"{line.sku}: {units} units wanted and its lots hold {found} that may leave; count it by lot"
            )
        bench.tell("lots", f"{line.sku}: " + ", ".join(f"{taken} of lot {shelf.code}" for shelf, taken in picks) + ".")


def receive_transfer(
    runtime: Runtime, key: str, rows: Sequence[Received] | None, *, person: str, receipt: str = ""
) -> bool:
    """Units arrived, as many times as it takes; False when this `receipt` was booked before. Raises NotDoneError.

    None for `rows` are all units that are still expected, in good condition. What is more than was shipped is booked as
    over, an article that is not on the transfer as mis-shipped. A receipt of the same name that tells of other goods is
    an error.
    """
    asking = once.asking("receive", rows)

    def work(bench: Bench) -> bool:
        state = bench.transfer
        run = once.run_of(f"{state.id}:{receipt}" if receipt else "")
        if receipt and once.asked_before(bench.tx, run, asking, bench.stock.now) is not None:
            return False
        rules.after_receipt(state.status, [])
        arrived = _all_expected(state) if rows is None else rows
        if not arrived:
            raise RefusedError("nothing is expected any more" if rows is None else "say what arrived")
        known = catalog.variants_by_sku(bench.tx, {row.sku for row in arrived})
        parts = _Parts(f"tr:{run}")
        for row in arrived:
            _arrive(bench, row, known, parts)
        state.status = rules.after_receipt(state.status, [line.line for line in state.lines])
        bench.tell("received", f"Arrived: {', '.join(_words(row) for row in arrived)}.")
        return True

    return _at_bench(runtime, key, person, work, more=[row.sku for row in rows or ()])


def _all_expected(state: TransferState) -> list[Received]:
    return [Received(line.sku, line.line.expected) for line in state.lines if line.line.expected]


class _Parts:
    """Keys for the moves of one receipt, in their order."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.count = 0

    def next(self) -> str:
        self.count += 1
        return f"{self.prefix}:{self.count - 1}"


def _words(row: Received) -> str:
    return f"{row.units} x {row.sku}" + ("" if row.condition == "good" else f" ({row.condition.replace('_', ' ')})")


def _arrive(bench: Bench, row: Received, known: Mapping[str, str], parts: _Parts) -> None:
    if row.condition not in rules.CONDITIONS:
        raise RefusedError(f"a condition is {', '.join(rules.CONDITIONS)}, and not {row.condition}")
    if not 0 < row.units <= MOST_UNITS:
        raise RefusedError(f"{row.sku}: enter at least 1 unit")
    line = bench.transfer.line(row.sku) or _stray(bench, row.sku, known)
    arrival = rules.arrive(line.line, row.units)
    if arrival.received:
        for marks, units in _marks(bench, line, row, arrival.received):
            _put(bench, line, units, marks, row.condition, "incoming", parts.next())
    beyond = arrival.over + arrival.mis_shipped
    if beyond:
        marks = Marks(row.lot, row.expires_on, row.serials[arrival.received :])
        _put(bench, line, beyond, marks, row.condition, None, parts.next())
        _tell_beyond(bench, row.sku, arrival)
    line.line = replace(
        line.line,
        received=line.line.received + arrival.received,
        over=line.line.over + arrival.over,
        mis_shipped=line.line.mis_shipped + arrival.mis_shipped,
    )
    line.changed = True


def _stray(bench: Bench, sku: str, known: Mapping[str, str]) -> LineState:
    if sku not in known:
        raise RefusedError(f"there is no article {sku!r}")
    made = LineState(new_id(), known[sku], sku, rules.Line(sku, 0), is_new=True)
    bench.transfer.lines.append(made)
    return made


def _tell_beyond(bench: Bench, sku: str, arrival: rules.Arrival) -> None:
    what = f"{words.units(arrival.over)} more than left" if arrival.over else "it was never on the transfer"
    bench.tell("difference", f"{sku}: {what}. Count it at the source, whose books still have these units.")


def _marks(bench: Bench, line: LineState, row: Received, units: int) -> list[tuple[Marks, int]]:
    """What units that were expected are marked with: as said, or the lots that left."""
    if bench.lots.tracking.get(line.variant_id) != "lot" or row.lot:
        return [(Marks(row.lot, row.expires_on, row.serials[:units]), units)]
    return [(Marks(code), part) for code, part in _on_the_way(bench, line, units)]


def _on_the_way(bench: Bench, line: LineState, units: int) -> list[tuple[str, int]]:
    """(lot code, units) of those that left and have not arrived."""
    found = []
    for lot_id, there in sorted(bench.lots.on_the_way(line.id).items(), key=lambda one: bench.lots.order(one[0])):
        here = min(units, there)
        if here > 0:
            found.append((bench.lots.code_of(lot_id), here))
            units -= here
    if units:
        raise LotError(f"{line.sku}: say which lot {words.units(units)} are of")
    return found


def _put(
    bench: Bench, line: LineState, units: int, marks: Marks, condition: str, from_state: str | None, key: str
) -> None:
    """Units are at the destination: on the shelf, damaged, or in quality hold, where an expired lot always goes."""
    place = bench.transfer.to_location_id
    cause = ("transfer_line" if from_state else "transfer", line.id)
    state = bench.lots.arrive(
        place, line.variant_id, units, marks, cause=cause, key=key, state=rules.CONDITIONS[condition]
    )
    reason = "" if from_state else "arrived beyond what was shipped"
    bench.stock.move(
        bench.stock.position(place, line.variant_id),
        units,
        from_state,
        state,
        kind="transfer",
        cause=("transfer", bench.transfer.id),
        key=key,
        reason=f"{bench.transfer.number} {reason}".strip(),
    )


def close_short(runtime: Runtime, key: str, missing: Sequence[Missing], *, person: str) -> bool:
    """Close a transfer although units are missing, and say of each what became of it. Raises NotDoneError.

    Once it is closed, the same is said of units that were still expected; False when there is nothing more to say.
    """

    def work(bench: Bench) -> bool:
        state = bench.transfer
        if state.status == "closed_short" and not any(one.lost or one.back_to_source for one in missing):
            return False
        if state.status != "closed_short":
            rules.check(state.status, "closed_short")
        for one in missing:
            line = state.line(one.sku)
            if line is None:
                raise RefusedError(f"not on this transfer: {one.sku}")
            _settle(bench, line, one)
        state.status = "closed_short"
        bench.tell("closed_short", f"Closed short: {_missing_words(state)}.")
        return True

    return _at_bench(runtime, key, person, work)


def _missing_words(state: TransferState) -> str:
    said = []
    for line in (one.line for one in state.lines):
        kinds = (("lost", line.lost), ("back at the source", line.back_to_source), ("still expected", line.expected))
        said += [f"{units} x {line.sku} {kind}" for kind, units in kinds if units]
    return ", ".join(said) or "nothing is missing"


def _settle(bench: Bench, line: LineState, one: Missing) -> None:
    fates = rules.settle(line.line, {"lost": one.lost, "back_to_source": one.back_to_source})
    step = f"{line.line.lost}-{line.line.back_to_source}"
    source, destination = bench.transfer.from_location_id, bench.transfer.to_location_id
    back, lost = fates["back_to_source"], fates["lost"]
    if bench.lots.tracking.get(line.variant_id) == "serial":
        _settle_serials(bench, line, one)
    if lost:
        _move(bench, line, lost, "incoming", None, f"lost-{step}", at=destination, reason="lost on the way")
    if back:
        _move(bench, line, back, "incoming", None, f"gone-{step}", at=destination, reason="back at the source")
        state = _back_on_shelf(bench, line, back, f"back-{step}")
        for units, to_state in state:
            _move(bench, line, units, None, to_state, f"back-{step}-{to_state}", at=source, reason="came back")
    line.line = replace(line.line, lost=line.line.lost + lost, back_to_source=line.line.back_to_source + back)
    line.changed = True


def _back_on_shelf(bench: Bench, line: LineState, units: int, step: str) -> list[tuple[int, str]]:
    """Put the lots of units that came back to the source; gives (units, state) of them."""
    if bench.lots.tracking.get(line.variant_id) != "lot":
        return [(units, "available")]
    source, states = bench.transfer.from_location_id, dict.fromkeys(("available", "quality_hold"), 0)
    for code, part in _on_the_way(bench, line, units):
        state = bench.lots.put(
            source, line.variant_id, part, Marks(code), cause=("transfer_line", line.id), key=bench.key(step, line)
        )
        states[state] += part
    return [(part, state) for state, part in states.items() if part]


def _settle_serials(bench: Bench, line: LineState, one: Missing) -> None:
    """Numbered units: which came back and which are lost has to be said, unless it is all of them."""
    travelling = bench.lots.numbered.travelling(line.id)
    back = one.back_serials or tuple(travelling if one.back_to_source == len(travelling) else ())
    lost = one.lost_serials or tuple(travelling if one.lost == len(travelling) else ())
    bench.lots.numbered.need(line.variant_id, one.back_to_source, back)
    bench.lots.numbered.need(line.variant_id, one.lost, lost)
    if strange := sorted({*back, *lost} - set(travelling)):
        raise LotError(f"{line.sku}: not on their way: {', '.join(strange)}")
    bench.lots.numbered.put(bench.transfer.from_location_id, line.variant_id, back)
    bench.lots.numbered.write_off(line.variant_id, lost)


def cancel_transfer(runtime: Runtime, key: str, *, person: str, reason: str = "") -> bool:
    """Cancel what has not left: the source has its units back. False when it is cancelled. Raises NotDoneError."""

    def work(bench: Bench) -> bool:
        state = bench.transfer
        if state.status == "cancelled":
            return False
        rules.check(state.status, "cancelled")
        _end_reservations(bench, "released")
        state.status = "cancelled"
        bench.tell("cancelled", f"Cancelled{f': {reason}' if reason else '.'}")
        return True

    return _at_bench(runtime, key, person, work)


def _move(
    bench: Bench,
    line: LineState,
    units: int,
    from_state: str | None,
    to_state: str | None,
    step: str,
    *,
    at: str,
    reason: str = "",
) -> None:
    bench.stock.move(
        bench.stock.position(at, line.variant_id),
        units,
        from_state,
        to_state,
        kind="transfer",
        cause=("transfer", bench.transfer.id),
        key=f"tr:{line.id}:{step}",
        reason=f"{bench.transfer.number} {reason}".strip(),
    )


def _find(tx: Tx, key: str) -> str:
    found = transfers.id_of(tx, key)
    if found is None:
        raise NotDoneError(f"there is no transfer {key!r}")
    return found


def _at_bench(runtime: Runtime, key: str, person: str, work: Callable[[Bench], bool], more: Sequence[str] = ()) -> bool:
    """Do a step in one transaction, again when its stock changed meanwhile; `more` are SKUs that may not be on it."""
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                bench = _open(runtime, tx, key, person, more)
                done = work(bench)
                if done:
                    transfers.save(tx, bench.transfer, bench.stock.now)
                    bench.stock.flush()
                    bench.lots.flush()
        except StockConflictError:
            continue
        except IntegrityError as error:
            raise NotDoneError("this was booked meanwhile by somebody else; look at it again") from error
        except (RefusedError, LotError, OutOfStockError) as error:
            raise NotDoneError(str(error)) from error
        if done:
            runtime.wake_all({"stock", "refill"})
        return done
    raise NotDoneError("the stock of its articles keeps changing; try again")


def _open(runtime: Runtime, tx: Tx, key: str, person: str, more: Sequence[str]) -> Bench:
    state = transfers.load(tx, _find(tx, key))
    variants = {line.variant_id for line in state.lines} | set(catalog.variants_by_sku(tx, more).values())
    now, by = runtime.clock(), actor(person)
    return Bench(tx, state, StockBook.open(tx, variants, now, by), LotBook.open(tx, variants, now, by), by)
