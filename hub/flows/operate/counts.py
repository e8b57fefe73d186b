"""Stock counts: plan, assign, count, review, count again, apply.

A figure is compared with what the books said at the moment it was entered, so that what is sold or received during
the count neither falsifies it nor has to stop.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Literal

from hub.domain import counts as rules
from hub.domain import words
from hub.domain.counts import RefusedError
from hub.domain.lots import LotError, Marks
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate import once
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.runtime import Runtime
from hub.store import availability, catalog, counts, events
from hub.store.counts import CountHead, CountLine, Seen
from hub.store.database import Tx, new_id
from hub.store.ledger import Position, StockBook, StockConflictError
from hub.store.lots import LotBook
from hub.store.numbers import number

TRIES = 3
BATCH = 500  # corrections of one transaction

Uncounted = Literal["", "leave", "zero"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Units found of an article; `code` is its SKU or barcode, `number` the row in the file, 1 for the first."""

    number: int
    code: str
    units: int | None
    lot: str = ""
    expires_on: date | None = None
    serial: str = ""


@dataclass(frozen=True, slots=True)
class EntryResult:
    """What came of one row. `counted` is what the article now stands at. "repeated": it was entered before."""

    number: int
    code: str
    sku: str
    status: Literal["counted", "repeated", "error"]
    counted: int | None = None
    message: str = ""


@dataclass(slots=True)
class _Found:
    """Everything that was found of one article in one go."""

    variant_id: str
    sku: str
    tracking: str
    units: int = 0
    lots: Counter[str] = field(default_factory=Counter)
    expiries: dict[str, str] = field(default_factory=dict)
    serials: list[str] = field(default_factory=list)


def create_count(
    runtime: Runtime,
    location: str,
    *,
    person: str,
    skus: Sequence[str] = (),
    prefix: str = "",
    note: str = "",
    blind: bool = True,
    assignee: str = "",
    key: str = "",
) -> str:
    """A count of a location, by code: of these SKUs, of those that begin with `prefix`, or of all that is there.

    With an assignee it is assigned at once. Returns its number; the same `key` makes one count. Raises NotDoneError.
    """
    name, now = number("SC", f"{person}:{key}" if key else ""), runtime.clock()
    asking = once.asking("count", location, skus, prefix, note, blind, assignee)
    with runtime.db.begin() as tx:
        if key and once.asked_before(tx, once.run_of(f"count:{person}:{key}"), asking, now) is not None:
            return name
        place = next((one for one in catalog.locations(tx) if one.code == location), None)
        if place is None:
            raise NotDoneError(f"there is no location {location!r}")
        variant_ids = _scope(tx, place.id, skus, prefix)
        if not variant_ids:
            raise NotDoneError(f"the books have nothing at {location} to be counted; name the SKUs that are there")
        made = counts.add(tx, now, number=name, location_id=place.id, note=note, blind=blind, created_by=actor(person))
        counts.add_lines(tx, made, variant_ids)
        said = f"A count of {len(variant_ids)} articles at {location} was planned."
        events.tell(tx, ("count", made), "created", actor(person), said, now)
    if assignee:
        assign_count(runtime, name, assignee, person=person)
    return name


def _scope(tx: Tx, location_id: str, skus: Sequence[str], prefix: str) -> list[str]:
    if not skus:
        return counts.stocked(tx, location_id, prefix)
    known = counts.find_articles(tx, skus)
    if unknown := sorted(set(skus) - set(known)):
        raise NotDoneError(f"there is no article {', '.join(unknown)}")
    return list(dict.fromkeys(known[sku][0] for sku in skus))


def assign_count(runtime: Runtime, key: str, assignee: str, *, person: str) -> None:
    """Say who counts; may be said anew until counting begins. Raises NotDoneError."""
    if not assignee.strip():
        raise NotDoneError("say who is to count")
    with _count(runtime, key) as (tx, head):
        if head.status != "assigned":
            rules.check(head.status, "assigned")
        counts.set_head(tx, head.id, status="assigned", assignee=assignee[:120])
        _tell(runtime, tx, head, "assigned", person, f"{assignee} is to count.")


def start_count(runtime: Runtime, key: str, *, person: str) -> bool:
    """Begin counting, for the first time or once more; False when it has begun. Raises NotDoneError."""
    with _count(runtime, key) as (tx, head):
        if head.status == "counting":
            return False
        rules.check(head.status, "counting")
        if head.status == "recount":
            counts.begin_round(tx, head.id, counts.current_round(tx, head.id) + 1)
        counts.see_all(tx, head.id, head.location_id)
        counts.set_head(tx, head.id, status="counting")
        _tell(runtime, tx, head, "counting", person, "Counting began.")
    return True


def enter_count(
    runtime: Runtime, key: str, code: str, units: int | None, *, person: str, add: bool = False, entry: str = "",
    lot: str = "", expires_on: date | None = None, serial: str = "",
) -> EntryResult:  # fmt: skip
    """Enter one figure, or `add` units to it as a scanner does. The same `entry` counts once. Raises NotDoneError."""
    row = Entry(1, code, units, lot, expires_on, serial)
    result = enter_counts(runtime, key, [row], person=person, add=add, entry=entry)[0]
    if result.status == "error":
        raise NotDoneError(result.message)
    return result


def enter_counts(
    runtime: Runtime, key: str, rows: Sequence[Entry], *, person: str, add: bool = False, entry: str = ""
) -> list[EntryResult]:
    """Enter figures, rows of one article added up; returns a result per row. Raises NotDoneError when nobody counts.

    Without `add` they are the whole figure of their articles. A row that cannot be is left out with its reason.
    """
    with _count(runtime, key) as (tx, head):
        if head.status != "counting":
            rules_next = ", ".join(rules.NEXT[head.status]) or "nothing, it is final"
            raise RefusedError(f"the count is {head.status}, so nothing can be entered; next can be: {rules_next}")
        known = counts.find_articles(tx, {row.code for row in rows if row.code})
        lines = counts.lines_of(tx, head.id, {one[0] for one in known.values()})
        round_ = counts.current_round(tx, head.id)
        found: dict[str, _Found] = {}
        answers = [_take_row(row, known, lines, round_, found) for row in rows]
        wanted = {one.variant_id: one for one in found.values()}
        now_seen = counts.seen(tx, head.location_id, wanted)
        lots = LotBook.open(tx, wanted, runtime.clock(), actor(person))
        saved: dict[str, CountLine] = {}
        run = once.run_of(f"{head.id}:{round_}:{entry}")
        if entry and once.asked_before(tx, run, once.asking("entries", rows, add), runtime.clock()) is not None:
            return [one if one.status == "error" else replace(one, status="repeated") for one in answers]
        for variant_id, one in wanted.items():
            line = lines.get(variant_id) or _new_line(one, round_)
            _enter(line, one, now_seen[variant_id], lots, head.location_id, add=add)
            line.counted_by, line.counted_at = person[:120], runtime.clock()
            saved[one.sku] = line
        counts.save_entries(tx, head.id, list(saved.values()))
    return [one if one.status == "error" else replace(one, counted=saved[one.sku].counted) for one in answers]


def _take_row(
    row: Entry,
    known: Mapping[str, tuple[str, str, str]],
    lines: Mapping[str, CountLine],
    round_: int,
    found: dict[str, _Found],
) -> EntryResult:
    """Add a row to what was found of its article, or say why not."""
    if row.code not in known:
        said = f"There is no article {row.code!r}, and no single one with that barcode." if row.code else "No SKU."
        return EntryResult(row.number, row.code, "", "error", message=said)
    variant_id, sku, tracking = known[row.code]
    line = lines.get(variant_id)
    wrong = _wrong(row, sku, tracking)
    if line is not None and line.round != round_:
        wrong = f"{sku} is not to be counted again."
    if wrong:
        return EntryResult(row.number, row.code, sku, "error", message=wrong)
    one = found.setdefault(sku, _Found(variant_id, sku, tracking))
    units = row.units or 0
    one.units += units
    if row.lot:
        one.lots[row.lot] += units
        if row.expires_on:
            one.expiries[row.lot] = row.expires_on.isoformat()
    if row.serial and units:
        one.serials.append(row.serial)
    return EntryResult(row.number, row.code, sku, "counted")


def _wrong(row: Entry, sku: str, tracking: str) -> str:
    if row.units is None or not 0 <= row.units <= MOST_UNITS:
        return "The units are missing or no whole number."
    if row.units and tracking == "lot" and not row.lot:
        return f"{sku} is kept by lot: say which lot the units are of."
    if tracking == "serial" and row.units > 1:
        return f"{sku} is kept by serial number: enter each unit with its own."
    if row.units and tracking == "serial" and not row.serial:
        return f"{sku} is kept by serial number: say which one was found."
    if tracking == "none" and (row.lot or row.serial):
        return f"{sku} is kept without lots and serial numbers."
    return ""


def _new_line(one: _Found, round_: int) -> CountLine:
    """An article that nobody expected."""
    return CountLine(
        new_id(), one.variant_id, one.sku, one.tracking, None, None, None, "", None, round_,
        recount=False, lots=None, applied=None, is_new=True,
    )  # fmt: skip


def _enter(line: CountLine, one: _Found, seen: Seen, lots: LotBook, location_id: str, *, add: bool) -> None:
    before = line.counted if add else None
    # Between two scans of the same article it was sold or received: nobody can say which units had been counted.
    line.recount = before is not None and (line.recount or line.seen_on_hand != seen.on_hand)
    if one.tracking == "serial":
        numbers = [*((line.lots or {}).get("serials", ()) if add else ()), *one.serials]
        line.lots = {"serials": sorted(set(numbers)), "seen": lots.numbered.in_stock(location_id, one.variant_id)}
        line.counted = len(line.lots["serials"])
    else:
        if one.tracking == "lot":
            line.lots = _lots(line.lots if add else None, one, lots, location_id)
        line.counted = (before or 0) + one.units
    line.seen_on_hand, line.seen_version = seen.on_hand, seen.version


def _lots(before: dict[str, Any] | None, one: _Found, lots: LotBook, location_id: str) -> dict[str, Any]:
    """Counted, seen and expiry by lot; a lot that is in the books and was not found counts as zero."""
    seen = {shelf.code: shelf.units for shelf in lots.shelves(location_id, one.variant_id)}
    counted = Counter({code: int(was["counted"]) for code, was in (before or {}).items()}) + one.lots
    expiries = {code: was.get("expires_on") for code, was in (before or {}).items()} | one.expiries
    return {
        code: {"counted": counted[code], "seen": seen.get(code, 0), "expires_on": expiries.get(code)}
        for code in sorted({*seen, *counted, *one.lots})
    }


def review_count(runtime: Runtime, key: str, *, person: str) -> bool:
    """All that could be found is entered; False when that was said before. Raises NotDoneError."""
    with _count(runtime, key) as (tx, head):
        if head.status == "review":
            return False
        rules.check(head.status, "review")
        if not counts.has_figure(tx, head.id):
            raise RefusedError("nothing was counted yet; enter what is there, 0 included")
        counts.set_head(tx, head.id, status="review")
        _tell(runtime, tx, head, "review", person, "Counting has ended; the differences are to be looked at.")
    return True


def recount(runtime: Runtime, key: str, skus: Sequence[str], *, person: str) -> None:
    """Have these articles counted once more, and those that moved or were corrected since they were counted.

    Raises NotDoneError.
    """
    with _count(runtime, key) as (tx, head):
        rules.check(head.status, "recount")
        known = counts.lines_of(tx, head.id, catalog.variants_by_sku(tx, skus).values())
        if unknown := sorted(set(skus) - {one.sku for one in known.values()}):
            raise RefusedError(f"not on this count: {', '.join(unknown)}")
        if booked := sorted(one.sku for one in known.values() if one.applied is not None):
            raise RefusedError(f"their corrections are in the books already: {', '.join(booked)}")
        counts.flag(tx, head.id, known)
        again = counts.to_recount(tx, head.id)
        if not again:
            raise RefusedError("say which articles are to be counted once more")
        counts.set_head(tx, head.id, status="recount")
        _tell(runtime, tx, head, "recount", person, f"To be counted once more: {_named(again)}.")


def cancel_count(runtime: Runtime, key: str, *, person: str, reason: str = "") -> bool:
    """Give a count up; nothing is booked. False when it is cancelled. Raises NotDoneError."""
    with _count(runtime, key) as (tx, head):
        if head.status == "cancelled":
            return False
        rules.check(head.status, "cancelled")
        if counts.has_begun(tx, head.id):
            raise RefusedError(
                "some of its corrections are in the books already; apply it once more to book the others"
            )
        counts.set_head(tx, head.id, status="cancelled")
        _tell(runtime, tx, head, "cancelled", person, f"Cancelled{f': {reason}' if reason else '.'}")
    return True


def apply_count(runtime: Runtime, key: str, *, person: str, uncounted: Uncounted = "", reason: str = "") -> bool:
    """Book the corrections, each exactly once, however often this is called; False when all are booked.

    `uncounted` says what becomes of articles that nobody counted: "leave" as they are, or count as "zero". It has to
    be said when there are any. An article that was corrected otherwise since it was counted, by another count, a feed
    or a person, is not booked but to be counted once more: the same shortage would leave the books twice.
    Raises NotDoneError, also when something is to be counted once more; everything else is booked then.
    """
    booked, more = False, True
    while more:
        booked, more = _apply_batch(runtime, key, person, uncounted, reason) or (booked, False)
    if booked:
        runtime.wake_all({"stock", "refill"})
        with runtime.db.read() as tx:
            again = counts.to_recount(tx, str(counts.id_of(tx, key)))
        if again:
            raise NotDoneError(f"{_again(again)}; everything else is booked")
    return booked


def _again(skus: Sequence[str]) -> str:
    return f"to be counted once more, since they moved or were corrected since they were counted: {_named(skus)}"


def _named(skus: Sequence[str]) -> str:
    return ", ".join(skus[:20]) + (f" and {len(skus) - 20} more" if len(skus) > 20 else "")


def _apply_batch(
    runtime: Runtime, key: str, person: str, uncounted: Uncounted, reason: str
) -> tuple[bool, bool] | None:
    """(done, more to do) of one batch; None when the count was applied before."""
    for _ in range(TRIES):
        try:
            with _count(runtime, key) as (tx, head):
                if head.status == "applied":
                    return None
                rules.check(head.status, "applied")
                _decided(tx, head, uncounted)
                return True, _apply(runtime, tx, head, person, uncounted, reason)
        except StockConflictError:
            continue
    raise NotDoneError("the stock keeps changing while it is booked; apply it once more")


def _decided(tx: Tx, head: CountHead, uncounted: Uncounted) -> None:
    """Raises RefusedError while something is still to be said."""
    missing = counts.uncounted(tx, head.id)
    if missing and not uncounted:
        raise RefusedError(
            f"not counted: {len(missing)}; say whether to leave these articles as they are or to count them as zero"
        )
    tracked = [one.sku for one in missing if one.tracking != "none"]
    if uncounted == "zero" and tracked:
        raise RefusedError(f"kept by lot or serial number, so count them and enter 0: {', '.join(tracked[:20])}")


def _apply(runtime: Runtime, tx: Tx, head: CountHead, person: str, uncounted: Uncounted, reason: str) -> bool:
    now, by = runtime.clock(), actor(person)
    found = counts.to_apply(tx, head.id, zero=uncounted == "zero", limit=BATCH)
    variant_ids = {line.variant_id for line in found}
    stock = StockBook.open(tx, variant_ids, now, by)
    lots = LotBook.open(tx, variant_ids, now, by)
    outdated = counts.corrected_since(tx, head.id, variant_ids)
    counts.flag(tx, head.id, outdated)
    lines = [line for line in found if line.variant_id not in outdated]
    for line in lines:
        _correct(stock, lots, head, line, f"{head.number} {reason}".strip())
    stock.flush()
    lots.flush()
    counts.save_applied(tx, lines)
    said = {stock.position(head.location_id, line.variant_id).id: line.counted_at or now for line in lines}
    availability.verified(tx, said, now)
    if len(found) == BATCH:
        return True
    if counts.to_recount(tx, head.id):
        return False
    counts.set_head(tx, head.id, status="applied", applied_at=now, applied_by=by)
    _tell(runtime, tx, head, "applied", person, _applied_words(tx, head))
    return False


def _applied_words(tx: Tx, head: CountHead) -> str:
    booked = [line.applied for line in counts.lines(tx, head.id) if line.applied is not None]
    more, fewer = sum(one for one in booked if one > 0), -sum(one for one in booked if one < 0)
    return f"{len(booked)} articles were compared: {words.units(more)} more than in the books, {fewer} fewer."


def _correct(stock: StockBook, lots: LotBook, head: CountHead, line: CountLine, reason: str) -> None:
    """Book one article's correction."""
    position = stock.position(head.location_id, line.variant_id)
    line.applied = rules.correction(line.counted, line.seen_on_hand or 0, position.on_hand)
    line.counted = line.counted or 0
    aside: Counter[str] = Counter()
    if line.tracking == "lot":
        aside = _correct_lots(lots, head, line)
    elif line.tracking == "serial":
        _correct_serials(lots, head, line)
    for index, (units, from_state, to_state) in enumerate(_moves(position, line.applied, aside)):
        stock.move(
            position,
            units,
            from_state,
            to_state,
            kind="adjust",
            cause=("count", head.id),
            key=f"count:{line.id}:{index}",
            reason=reason,
            by_fact=True,
            outright=True,
            occurred_at=line.counted_at,
        )


def _moves(position: Position, change: int, aside: Mapping[str, int]) -> Iterator[tuple[int, str | None, str | None]]:
    """(units, from, to) that bring on hand to `change` more; `aside` are more or fewer units in states that do not
    sell.
    """
    rest, left = change, dict(position.units)
    for state, more in aside.items():
        units = max(more, -max(0, left[state]))
        if units > 0:
            yield units, None, state
        elif units < 0:
            yield -units, state, None
        rest -= units
        left[state] += units
    if rest > 0:
        yield rest, None, "available"
    elif rest < 0:
        for state, units in rules.take_from(left, -rest):
            yield units, state, None


def _correct_lots(lots: LotBook, head: CountHead, line: CountLine) -> Counter[str]:
    """Bring each lot to what was counted; gives how many more or fewer units are in states that do not sell."""
    aside, cause = Counter[str](), ("count", head.id)
    there = {shelf.code: shelf.units for shelf in lots.shelves(head.location_id, line.variant_id)}
    for code, one in (line.lots or {}).items():
        change, key = one["counted"] - one["seen"], f"count:{line.id}"
        if change > 0:
            expires_on = date.fromisoformat(one["expires_on"]) if one["expires_on"] else None
            marks = Marks(code, expires_on)
            state = lots.put(head.location_id, line.variant_id, change, marks, cause=cause, key=key)
            aside[state] += 0 if state == "available" else change
        elif missing := min(-change, there.get(code, 0)):
            aside.subtract(lots.take_lot(head.location_id, line.variant_id, code, missing, cause=cause, key=key))
    return aside


def _correct_serials(lots: LotBook, head: CountHead, line: CountLine) -> None:
    """Numbers that were not found are gone, those that were found are here, whatever the books said."""
    said = line.lots or {"serials": [], "seen": []}
    still = set(lots.numbered.in_stock(head.location_id, line.variant_id))
    lots.numbered.write_off(line.variant_id, sorted((set(said["seen"]) - set(said["serials"])) & still))
    lots.numbered.found(head.location_id, line.variant_id, sorted(set(said["serials"]) - set(said["seen"])))


@contextmanager
def _count(runtime: Runtime, key: str) -> Iterator[tuple[Tx, CountHead]]:
    """One transaction on one count. What its rules refuse is raised as NotDoneError."""
    try:
        with runtime.db.begin() as tx:
            found = counts.id_of(tx, key)
            if found is None:
                raise NotDoneError(f"there is no count {key!r}")
            yield tx, counts.head(tx, found)
    except (RefusedError, LotError) as error:
        raise NotDoneError(str(error)) from error


def _tell(runtime: Runtime, tx: Tx, head: CountHead, kind: str, person: str, message: str) -> None:
    events.tell(tx, ("count", head.id), kind, actor(person), message, runtime.clock())
