"""Stock: counts and corrections by a person, one at a time or from a file; locations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import count, islice
from typing import Any, Literal

from hub.domain.feeds import FILE_PERCENT, LEAST, emptying
from hub.domain.lots import LotError
from hub.domain.stock_states import MOST_UNITS, OF_OTHERS, MoveRefusedError, check_move
from hub.flows.operate import feeds, once
from hub.flows.operate.errors import NotDoneError, SettingsError, actor, check_reason
from hub.flows.operate.locations import wrong_in
from hub.flows.runtime import Runtime
from hub.store import availability, catalog, connections, events, requests, reservations
from hub.store.catalog import LocationRow
from hub.store.database import Tx
from hub.store.errors import IntegrityError
from hub.store.ledger import OutOfStockError, Position, StockBook, StockConflictError
from hub.store.lots import LotBook, tracked

BATCH = 2_000
TOO_MANY = f"At most {MOST_UNITS:,} units of an article lie in one place."
TRIES = 5

Status = Literal["changed", "unchanged", "repeated", "error"]


@dataclass(frozen=True, slots=True)
class ImportRow:
    """A counted figure: `units` on hand of an article at a location, or a change when `is_change`. `number` is the row
    in the file, 1 for the first. `expected` are the units on hand that the writer saw: when there are others by now,
    the row is left out.
    """

    number: int
    sku: str
    location: str
    units: int | None
    is_change: bool = False
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class RowResult:
    """What came of one row; `before` and `after` are units on hand. "repeated": it was booked by an earlier run,
    and they are as they were then.
    """

    number: int
    sku: str
    location: str
    status: Status
    before: int | None = None
    after: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class StockMoved:
    """What came of a move; `states` and `on_hand` are the units at the location now."""

    sku: str
    location: str
    units: int
    from_state: str | None
    to_state: str | None
    status: Literal["moved", "repeated"]
    on_hand: int
    states: Mapping[str, int]


def adjust_stock(
    runtime: Runtime,
    sku: str,
    location: str,
    *,
    person: str,
    reason: str,
    change: int | None = None,
    set_to: int | None = None,
    expected: int | None = None,
    key: str = "",
) -> RowResult:
    """Correct the units on hand by `change` or to `set_to`, whichever is given.

    `expected` are the units on hand that the caller saw: when there are others by now, nothing is booked. The same
    `key` books once, however often it comes. Raises NotDoneError.
    """
    if (change is None) == (set_to is None):
        raise NotDoneError("say either by how much or to how much")
    units = change if change is not None else set_to
    row = ImportRow(1, sku, location, units, change is not None, expected)
    result = import_stock(runtime, [row], person=person, reason=reason, key=key)[0]
    if result.status == "error":
        raise NotDoneError(result.message)
    return result


def import_stock(
    runtime: Runtime,
    rows: Iterable[ImportRow],
    *,
    person: str,
    reason: str,
    key: str = "",
    create_articles: bool = False,
    dry_run: bool = False,
    accept_emptying: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> list[RowResult]:
    """Book counted figures, a batch in a transaction each; returns a result per row, in order.

    A row that cannot be booked is left out with its reason, and the others go on; so are rows that state the same
    position, since nobody can say which of them is right. Repeating an import with the same
    `key` books nothing twice. `dry_run` says what would happen and books nothing. `progress` is told how many rows
    are done. Raises NotDoneError, and books nothing, without a reason, and when the rows would take most articles to
    nothing, unless `accept_emptying` says that somebody has looked.
    """
    check_reason(reason)
    rows = list(rows)
    if not dry_run and not accept_emptying:
        _refuse_emptying(runtime, rows)
    asking = once.asking("stock", rows) if key else ""
    plan = _Import(actor(person), reason, once.run_of(key), asking, create_articles, dry_run, _stated_twice(rows))
    source, results = iter(rows), list[RowResult]()
    for part in count(1):
        batch = list(islice(source, BATCH))
        if not batch:
            break
        results += _book(runtime, plan, part, batch)
        progress(len(results))
    if not dry_run and any(one.status in ("changed", "unchanged") for one in results):
        runtime.wake_all({"stock", "refill"})
    return results


@dataclass(frozen=True, slots=True)
class _Import:
    """How rows are booked. `asking` is the same for the same rows, "" when they came without a key."""

    by: str
    reason: str
    run: str
    asking: str
    create: bool
    dry_run: bool
    twice: frozenset[tuple[str, str]]  # (SKU, location) of which several rows state how many there are


def _stated_twice(rows: Sequence[ImportRow]) -> frozenset[tuple[str, str]]:
    stated = Counter((row.sku, row.location) for row in rows if not row.is_change)
    return frozenset(position for position, times in stated.items() if times > 1)


def _refuse_emptying(runtime: Runtime, rows: Sequence[ImportRow]) -> None:
    """Raises NotDoneError for rows that state nothing for most of what is in stock."""
    stated = [row for row in rows if row.units is not None and not row.is_change]
    if sum(row.units == 0 for row in stated) < LEAST:
        return
    with runtime.db.read() as tx:
        places = {one.code: one.id for one in catalog.locations(tx)}
        articles = catalog.variants_by_sku(tx, {row.sku for row in stated})
        units = availability.on_hand(tx, set(articles.values()))
    before = [units.get((places.get(row.location, ""), articles.get(row.sku, "")), 0) for row in stated]
    found = emptying((there, row.units or 0) for there, row in zip(before, stated, strict=True))
    if found.is_implausible(FILE_PERCENT):
        raise NotDoneError(f"{found.said()}; nothing was booked: look at the rows, and say that they are right")


def _book(runtime: Runtime, plan: _Import, part: int, batch: Sequence[ImportRow]) -> list[RowResult]:
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                results = _book_once(runtime, tx, plan, part, batch)
        except StockConflictError:
            continue
        return results
    raise NotDoneError("the stock keeps changing while it is booked; try again")


def _book_once(runtime: Runtime, tx: Tx, plan: _Import, part: int, batch: Sequence[ImportRow]) -> list[RowResult]:
    now, slot = runtime.clock(), plan.run if part == 1 else f"{plan.run}:{part}"
    done = _done_before(tx, plan, slot, now)
    places = {one.code: one for one in catalog.locations(tx)}
    articles = catalog.variants_by_sku(tx, {row.sku for row in batch})
    missing = {row.sku for row in batch if row.sku and row.sku not in articles and row.location in places}
    if plan.create and missing and not plan.dry_run:
        articles |= catalog.add_variants(tx, [{"sku": sku} for sku in sorted(missing)], now)
        feeds.read_again(runtime, tx)
    elif plan.create:
        articles |= {sku: f"new:{sku}" for sku in missing}
    book = StockBook.open(tx, {articles[row.sku] for row in batch if row.sku in articles}, now, plan.by)
    kept_by = tracked(tx, articles)
    results = []
    for index, row in enumerate(batch):
        if str(index) in done:
            before, after = done[str(index)]
            results.append(RowResult(row.number, row.sku, row.location, "repeated", before, after))
        elif row.sku in kept_by:
            results.append(_by_lot(row, kept_by[row.sku]))
        else:
            results.append(_one(book, places, articles, row, plan, f"person:{slot}:{index}"))
    if not plan.dry_run:
        book.flush()
        availability.verified(tx, _said(book, places, articles, batch, results), now)
        if plan.asking:
            _remember(tx, slot, results)
    return results


def _done_before(tx: Tx, plan: _Import, slot: str, now: datetime) -> dict[str, list[int]]:
    """(before, after) of the rows that were booked when they came before under this key, by their index."""
    if not plan.asking:
        return {}
    if plan.dry_run:
        kept = requests.find(tx, slot)
        return kept.answer if kept is not None and kept.request == plan.asking else {}
    return once.asked_before(tx, slot, plan.asking, now) or {}


def _remember(tx: Tx, slot: str, results: Sequence[RowResult]) -> None:
    """Keep what came of rows; those that could not be booked may be tried again."""
    done = {str(index): [one.before, one.after] for index, one in enumerate(results) if one.status != "error"}
    if done:
        requests.keep(tx, slot, done)
    else:
        requests.forget(tx, slot)


def _said(
    book: StockBook,
    places: Mapping[str, LocationRow],
    articles: Mapping[str, str],
    batch: Sequence[ImportRow],
    results: Sequence[RowResult],
) -> dict[str, datetime]:
    """The positions of which a figure was stated, as of now; a change does not say how many there are."""
    return {
        book.position(places[row.location].id, articles[row.sku]).id: book.now
        for row, result in zip(batch, results, strict=True)
        if not row.is_change and result.status in ("changed", "unchanged")
    }


def _by_lot(row: ImportRow, tracking: str) -> RowResult:
    said = f"{row.sku} is kept by {tracking}: count it, or correct it by `orderhub lot adjust`."
    return RowResult(row.number, row.sku, row.location, "error", message=said)


def _one(
    book: StockBook,
    places: Mapping[str, LocationRow],
    articles: Mapping[str, str],
    row: ImportRow,
    plan: _Import,
    key: str,
) -> RowResult:
    answer = RowResult(row.number, row.sku, row.location, "error")
    if not row.sku:
        return replace(answer, message="The SKU is missing.")
    if row.location not in places:
        return replace(answer, message=f"There is no location {row.location!r}.")
    if row.sku not in articles:
        return replace(answer, message=f"There is no article {row.sku!r}.")
    if row.units is None:
        return replace(answer, message="The units are missing or no whole number.")
    if abs(row.units) > MOST_UNITS:
        return replace(answer, message=TOO_MANY)
    if not row.is_change and (row.sku, row.location) in plan.twice:
        return replace(
            answer, message=f"{row.sku} at {row.location} stands in several rows: add their units up in one."
        )
    position = book.position(places[row.location].id, articles[row.sku])
    before = position.on_hand
    if row.expected is not None and row.expected != before:
        said = f"There are {before} units on hand and {row.expected} were expected: look again."
        return replace(answer, before=before, message=said)
    change = row.units if row.is_change else row.units - before
    if before + change < 0:
        return replace(answer, before=before, message=f"There are {before} units; that would leave {before + change}.")
    if before + change > MOST_UNITS:
        return replace(answer, before=before, message=f"There are {before} units. {TOO_MANY}")
    if change:
        _move(book, position, change, plan, key, outright=not row.is_change)
    return replace(answer, status="changed" if change else "unchanged", before=before, after=before + change)


def _move(book: StockBook, position: Position, change: int, plan: _Import, key: str, *, outright: bool) -> None:
    # The goods are gone whatever was promised: available may fall below zero, and the shortage shows as oversold.
    book.move(
        position,
        abs(change),
        None if change > 0 else "available",
        "available" if change > 0 else None,
        kind="adjust",
        cause=("person", plan.run),
        key=key,
        reason=plan.reason,
        by_fact=True,
        outright=outright,
    )


def move_stock(
    runtime: Runtime,
    sku: str,
    location: str,
    units: int,
    from_state: str | None,
    to_state: str | None,
    *,
    person: str,
    reason: str,
    lot: str = "",
    key: str = "",
) -> StockMoved:
    """Move units of one article at one location from one state to another; None is the world outside.

    Units of a fulfillment order, a purchase order, a transfer or a reservation are not moved by hand, but with what
    they belong to. `lot` is the one that they are of, where an article is kept by lot and they are put aside or fit to
    be sold again. The same `key` moves once, however often it comes. Raises NotDoneError.
    """
    _check_by_hand(units, from_state, to_state, reason)
    wanted = _Wanted(sku, location, units, from_state, to_state, reason, lot)
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                moved = _move_once(runtime, tx, wanted, actor(person), key)
        except StockConflictError:
            continue
        except (OutOfStockError, LotError) as error:
            raise NotDoneError(str(error)) from error
        runtime.wake_all({"stock", "refill"})
        return moved
    raise NotDoneError("the stock keeps changing while it is moved; try again")


def _check_by_hand(units: int, from_state: str | None, to_state: str | None, reason: str) -> None:
    if not 1 <= units <= MOST_UNITS:
        raise NotDoneError(f"the units are a whole number from 1 to {MOST_UNITS:,}")
    check_reason(reason)
    try:
        check_move(from_state, to_state)
    except MoveRefusedError as error:
        raise NotDoneError(str(error)) from error
    for state in (from_state, to_state):
        if state is not None and state in OF_OTHERS:
            raise NotDoneError(OF_OTHERS[state])
    if to_state == "reserved":
        raise NotDoneError("units are reserved for somebody: make a reservation")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A move by hand; None for a state is the world outside."""

    sku: str
    location: str
    units: int
    from_state: str | None
    to_state: str | None
    reason: str
    lot: str

    def moved(self, status: Literal["moved", "repeated"], on_hand: int, states: Mapping[str, int]) -> StockMoved:
        return StockMoved(
            self.sku, self.location, self.units, self.from_state, self.to_state, status, on_hand, dict(states)
        )


def _move_once(runtime: Runtime, tx: Tx, wanted: _Wanted, by: str, key: str) -> StockMoved:
    run, now, sides = once.run_of(key), runtime.clock(), (wanted.from_state, wanted.to_state)
    if key and (said := once.asked_before(tx, run, once.asking("move", wanted), now)) is not None:
        return wanted.moved("repeated", said["on_hand"], said["states"])
    place = next((one for one in catalog.locations(tx) if one.code == wanted.location), None)
    variant_id = catalog.variants_by_sku(tx, [wanted.sku]).get(wanted.sku)
    if place is None:
        raise NotDoneError(f"there is no location {wanted.location!r}")
    if variant_id is None:
        raise NotDoneError(f"there is no article {wanted.sku!r}")
    if None in sides and catalog.variants(tx, [variant_id])[variant_id]["tracking"] != "none":
        raise NotDoneError("the article is kept by lot or serial number: say which ones came or went")
    book = StockBook.open(tx, {variant_id}, now, by)
    position = book.position(place.id, variant_id)
    if wanted.from_state == "reserved":
        _check_unowned(tx, position, wanted.units)
    lots, in_hold = LotBook.open(tx, {variant_id}, now, by), position.units["quality_hold"]
    book.move(
        position, wanted.units, *sides, kind="adjust" if None in sides else "move", cause=("person", run),
        key=f"person:{run}:move", reason=wanted.reason,
    )  # fmt: skip
    lots.move(place.id, variant_id, wanted.units, wanted.from_state or "", wanted.to_state or "", wanted.lot, in_hold)
    book.flush()
    lots.flush()
    moved = wanted.moved("moved", position.on_hand, position.units)
    if key:
        requests.keep(tx, run, {"on_hand": moved.on_hand, "states": dict(moved.states)})
    return moved


def _check_unowned(tx: Tx, position: Position, units: int) -> None:
    """Reserved units may be taken by hand as far as no reservation holds them, such as those on display."""
    free = position.units["reserved"] - reservations.reserved_at(tx, position.location_id, position.variant_id)
    if units > free:
        raise NotDoneError(f"{max(0, free)} of the reserved units belong to nobody; release the reservation instead")


def add_location(runtime: Runtime, code: str, *, person: str, handler: str = "", **values: Any) -> str:
    """A new location; returns its id. `handler` is the 3PL or carrier connection by name or id.

    `values` are columns of the location: name, kind, zone, country, latitude, longitude, address, markets, rank,
    is_default, handling and warehouse (the handler's own id of the place). Raises NotDoneError, and SettingsError
    naming each value that is not right.
    """
    if not code.strip():
        raise NotDoneError("the code is missing")
    wrong = wrong_in(values)
    if wrong:
        raise SettingsError(wrong)
    now = runtime.clock()
    doors: set[str] = set()
    try:
        with runtime.db.begin() as tx:
            if handler:
                values["handler_id"] = connections.get(tx, handler).id
            location_id = catalog.add_location(tx, now, code=code.strip(), **values)
            if handler and values.get("warehouse"):
                catalog.link_location(tx, values["handler_id"], values["warehouse"], location_id)
                doors = feeds.read_again(runtime, tx, values["handler_id"])
            said = f"The location {code} was added."
            events.tell(tx, ("location", location_id), "added", actor(person), said, now)
    except IntegrityError as error:
        raise NotDoneError(
            f"there is a location {code!r} already, or a value is not one that a location can have"
        ) from error
    runtime.wake_all(doors)
    return location_id
