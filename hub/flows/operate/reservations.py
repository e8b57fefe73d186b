"""Reservations as people and shops make them: keep units for a checkout, prolong it, let go, give them to an order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from hub.domain.stock_states import MOST_UNITS
from hub.flows.desk import Desk
from hub.flows.operate import once
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.operate.orders import at_desk, route_on
from hub.flows.runtime import Runtime
from hub.store import catalog, events, requests, reservations
from hub.store.database import Tx
from hub.store.errors import IntegrityError
from hub.store.ledger import OutOfStockError, StockBook, StockConflictError
from hub.store.orders import OrderState
from hub.store.reservations import NotEnoughError, Reservation, Wanted

TRIES = 5
HELD_FOR = timedelta(minutes=15)  # a checkout, when nothing else is said
LONGEST = timedelta(days=90)
PEOPLES = ("checkout", "person")  # owners that people and shops may name; the others are the hub's own


@dataclass(frozen=True, slots=True)
class ReserveLine:
    """Units of an article to be kept, at a location (its code) or from the network."""

    sku: str
    units: int
    location: str = ""


def reserve(
    runtime: Runtime,
    lines: Sequence[ReserveLine],
    owner: tuple[str, str],
    *,
    person: str,
    expires_in: timedelta | None = None,
    reason: str = "",
    key: str = "",
) -> list[Reservation]:
    """Keep all of the units, or none of them, for a checkout or a person: `owner` is (type, name).

    A kit keeps all of its components. A checkout without `expires_in` is kept for 15 minutes, a person's until it is
    released. The same `key` reserves once and gives the same answer again. Raises NotDoneError.
    """
    _check(lines, owner, expires_in)
    run, asking = once.run_of(key), once.asking("reserve", lines, owner)

    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                if key and (said := once.asked_before(tx, run, asking, runtime.clock())) is not None:
                    keys = [f"{run}:{number}" for number in range(1, said["rows"] + 1)]
                    made = reservations.under_keys(tx, keys)
                    return [made[one] for one in keys]
                wanted = _wanted(tx, lines)
                reservations.lock_articles(tx, {one.variant_id for one in wanted})
                book = StockBook.open(tx, {one.variant_id for one in wanted}, runtime.clock(), actor(person))
                until = _until(book.now, owner, expires_in)
                done = reservations.reserve(
                    tx, book, wanted, owner, expires_at=until, reason=reason, key=run if key else ""
                )
                _tell(tx, book, done, owner)
                if key:
                    requests.keep(tx, run, {"rows": len(done)})
                book.flush()
        except (StockConflictError, IntegrityError):
            continue
        except (OutOfStockError, NotEnoughError) as error:
            raise NotDoneError(f"nothing was reserved: {error}") from error
        runtime.wake_all({"stock"})
        return done
    raise NotDoneError("the stock keeps changing while it is reserved; try again")


def _tell(tx: Tx, book: StockBook, made: list[Reservation], owner: tuple[str, str]) -> None:
    said = f"for {owner[0]} {owner[1]}."
    lines = [(("reservation", row.id), None, f"{row.quantity} units were reserved {said}", None) for row in made]
    events.tell_all(tx, lines, "reserved", book.actor, book.now)


def _check(lines: Sequence[ReserveLine], owner: tuple[str, str], expires_in: timedelta | None) -> None:
    if owner[0] not in PEOPLES:
        raise NotDoneError(f"a reservation is for a {' or a '.join(PEOPLES)}; orders and transfers make their own")
    if not owner[1].strip() or len(owner[1]) > 80:
        raise NotDoneError("say for whom it is kept, in 1 to 80 characters")
    if not lines:
        raise NotDoneError("say what is to be reserved")
    if any(not 1 <= one.units <= MOST_UNITS for one in lines):
        raise NotDoneError(f"the units are a whole number from 1 to {MOST_UNITS:,}")
    if expires_in is not None and not timedelta(0) < expires_in <= LONGEST:
        raise NotDoneError(f"a reservation lasts from a second to {LONGEST.days} days")


def _until(now: datetime, owner: tuple[str, str], expires_in: timedelta | None) -> datetime | None:
    if expires_in is None:
        return now + HELD_FOR if owner[0] == "checkout" else None
    return now + expires_in


def _wanted(tx: Tx, lines: Sequence[ReserveLine]) -> list[Wanted]:
    articles = catalog.variants_by_sku(tx, {one.sku for one in lines})
    places = {one.code: one.id for one in catalog.locations(tx) if one.active}
    kits = reservations.parts_of(tx, set(articles.values()))
    found = []
    for one in lines:
        if one.sku not in articles:
            raise NotDoneError(f"there is no article {one.sku!r}")
        if one.location and one.location not in places:
            raise NotDoneError(f"there is no location {one.location!r} that is switched on")
        variant_id, place = articles[one.sku], places.get(one.location)
        for part, each in kits.get(variant_id, [(variant_id, 1)]):
            found.append(Wanted(part, one.units * each, place))
    return found


def extend_reservations(
    runtime: Runtime, ids: Sequence[str], expires_in: timedelta, *, person: str
) -> list[Reservation]:
    """Keep these reservations, all or none, for `expires_in` from now on. Raises NotDoneError when one has ended."""
    if not timedelta(0) < expires_in <= LONGEST:
        raise NotDoneError(f"a reservation lasts from a second to {LONGEST.days} days")
    now = runtime.clock()
    until = now + expires_in
    with runtime.db.begin() as tx:
        for row in _by_id(_peoples(tx, ids)):
            if not reservations.extend(tx, row.id, until, now):
                raise NotDoneError(f"the reservation {row.id} has ended; reserve anew")
            said = f"The reservation is kept until {until:%Y-%m-%d %H:%M} UTC."
            events.tell(tx, ("reservation", row.id), "extended", actor(person), said, now)
        return _peoples(tx, ids)


def release_reservations(runtime: Runtime, ids: Sequence[str], *, person: str, reason: str = "") -> list[Reservation]:
    """Let these reservations go; safe to call twice. Raises NotDoneError for one that is an order's or a transfer's."""
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                rows = _peoples(tx, ids)
                book = StockBook.open(tx, {row.variant_id for row in rows}, runtime.clock(), actor(person))
                for row in _by_id(rows):
                    if reservations.end(tx, book, row, "released", reason):
                        said = "The reservation was released" + (f": {reason}." if reason else ".")
                        events.tell(tx, ("reservation", row.id), "released", book.actor, said, book.now)
                book.flush()
                found = _peoples(tx, ids)
        except StockConflictError:
            continue
        runtime.wake_all({"stock", "refill"})
        return found
    raise NotDoneError("the stock keeps changing; try again")


def convert_reservations(runtime: Runtime, ids: Sequence[str], order_id: str, *, person: str) -> list[Reservation]:
    """Give the reserved units to an order that waits for them: it is routed in the same transaction, so that nobody
    else can take them in between.

    The router decides the place. Reservations that were given to it before are left as they are. Raises NotDoneError,
    and keeps the reservations, when the order takes none of the units.
    """
    with runtime.db.read() as tx:
        rows = [row for row in _peoples(tx, ids) if row.state != "converted"]

    def work(desk: Desk, state: OrderState) -> bool:
        before = sum(line.routed for line in state.lines)
        if state.lifecycle != "open" or state.is_blocked("routing"):
            raise NotDoneError("the order is on hold, or not open")
        for row in _by_id(rows):
            if not reservations.end(desk.tx, desk.stock, row, "converted", f"given to order {state.number}"):
                raise NotDoneError(f"the reservation {row.id} has ended")
            desk.backlog.give(state, row.variant_id, row.quantity)
        route_on(desk, state)
        if sum(line.routed for line in state.lines) == before:
            raise NotDoneError("the order does not wait for these units; the reservations stay")
        units = sum(row.quantity for row in rows)
        said = f"{units} units that were reserved for {rows[0].owner_type} {rows[0].owner_id} were given to this order."
        desk.tell(state.id, ("order", state.id), "converted", said, reservations=[row.id for row in rows])
        return True

    if rows:
        at_desk(runtime, order_id, person, work, {row.variant_id for row in rows})
    with runtime.db.read() as tx:
        return _peoples(tx, ids)


def _by_id(rows: Sequence[Reservation]) -> list[Reservation]:
    """In the one order in which all steps take them, so that two never wait for each other in a circle."""
    return sorted(rows, key=lambda row: row.id)


def _peoples(tx: Tx, ids: Sequence[str]) -> list[Reservation]:
    """These reservations, each of them a person's or a shop's own. Raises NotDoneError."""
    known = reservations.find(tx, ids)
    for one in ids:
        if one not in known:
            raise NotDoneError(f"there is no reservation {one!r}")
    for row in known.values():
        if row.owner_type not in PEOPLES:
            whose = f"{row.owner_type.replace('_', ' ')} {row.owner_id}"
            raise NotDoneError(f"{row.id} belongs to {whose}; change that one instead")
    return [known[one] for one in ids]
