"""Care for the stock books by the clock: end reservations whose time is up, and audit the books every night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hub.flows.runtime import Runtime
from hub.flows.together import Task, together
from hub.store import audits, events, invariants, ledger, lots, reservations
from hub.store.database import Tx
from hub.store.ledger import StockBook
from hub.store.reservations import Reservation

AT_ONCE = 200  # reservations ended in one transaction
MOST_MENDED = 5_000  # reservations without an owner that one audit lets go


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit of the stock books found.

    `differences` are positions, state by state, that do not equal the sum of their moves: only a person mends those.
    `leaks` are units that are kept for nobody, or fewer than they are kept for, and orders that do not add up to what
    was shipped of them. `released` are reservations whose owner was gone; the audit let them go. `lots` are articles
    whose lots or serial numbers do not add up to what is on hand. `positions` and `moves` are how many were read.
    """

    positions: int
    moves: int
    differences: list[dict[str, Any]]
    leaks: list[dict[str, Any]]
    released: list[dict[str, Any]]
    lots: list[dict[str, Any]]

    @property
    def is_right(self) -> bool:
        return not (self.differences or self.leaks or self.lots)

    def lines(self) -> list[dict[str, Any]]:
        """All of it as it is kept, each with its kind."""
        kinds = (("position", self.differences), ("released", self.released), ("lots", self.lots))
        return [*({"kind": kind, **one} for kind, found in kinds for one in found), *self.leaks]


def expire_reservations(runtime: Runtime) -> int:
    """End the reservations whose time is up; returns how many. Their units are free again, once each."""
    ended, failed = 0, set[str]()
    while True:
        with runtime.db.read() as tx:
            found = reservations.due(tx, runtime.clock(), AT_ONCE + len(failed))
        due = [(row, "its time was up") for row in found if row.id not in failed]
        done, bad = _end_all(runtime, due, "expired", "clock")
        ended += len(done)
        failed.update(row.id for row in bad)
        if len(due) < AT_ONCE or not (done or bad):
            return ended


def _end_all(
    runtime: Runtime, rows: list[tuple[Reservation, str]], state: str, actor: str
) -> tuple[list[Reservation], list[Reservation]]:
    """End reservations with their reasons; returns those that had not ended before, and those that cannot be ended."""

    def end(part: Sequence[tuple[Reservation, str]]) -> list[Reservation]:
        return _end(runtime, part, state, actor)

    task = Task("ending a reservation", end, lambda one: ("reservation", one[0].id))
    done, failed = together(runtime, rows, task) if rows else ([], [])
    return [row for part in done for row in part], [row for row, _ in failed]


def _end(runtime: Runtime, rows: Sequence[tuple[Reservation, str]], state: str, actor: str) -> list[Reservation]:
    with runtime.db.begin() as tx:
        book = StockBook.open(tx, {row.variant_id for row, _ in rows}, runtime.clock(), actor)
        in_order = sorted(rows, key=lambda one: one[0].id)
        ended = [(row, why) for row, why in in_order if reservations.end(tx, book, row, state, why)]
        book.flush()
        lines = [(("reservation", row.id), None, f"The reservation ended: {why}.", None) for row, why in ended]
        events.tell_all(tx, lines, state, actor, book.now)
    if ended:
        runtime.wake_all({"stock", "refill"})
    return [row for row, _ in ended]


def audit(runtime: Runtime, *, actor: str = "clock") -> Audit:
    """Add up the whole ledger against the positions, let reservations without an owner go, and keep the report.

    A position that does not add up is reported and left as it is, since only a count can tell which side is right.
    """
    released = _release_lost(runtime, actor)
    with runtime.db.read() as tx:
        found = _look(tx, released)
    with runtime.db.begin() as tx:
        audits.keep(tx, runtime.clock(), actor, positions=found.positions, moves=found.moves, found=found.lines())
    return found


def audit_nightly(runtime: Runtime) -> int:
    """The audit of the night; returns how much it found."""
    found = audit(runtime)
    return len(found.differences) + len(found.leaks) + len(found.released) + len(found.lots)


def _release_lost(runtime: Runtime, actor: str) -> list[dict[str, Any]]:
    with runtime.db.read() as tx:
        lost = reservations.without_owner(tx, MOST_MENDED)
    gone: set[str] = set()
    for start in range(0, len(lost), AT_ONCE):
        gone |= {row.id for row in _end_all(runtime, lost[start : start + AT_ONCE], "released", actor)[0]}
    return [
        {
            "reservation": row.id,
            "owner": f"{row.owner_type}:{row.owner_id}",
            "variant_id": row.variant_id,
            "location_id": row.location_id,
            "units": row.quantity,
            "why": why,
        }
        for row, why in lost
        if row.id in gone
    ]


def _look(tx: Tx, released: list[dict[str, Any]]) -> Audit:
    return Audit(*audits.extent(tx), ledger.differences(tx), invariants.every(tx), released, lots.differences(tx))
