"""Promise: what units without a place wait for, and the day their customers can be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from hub.domain.promises import Promise, Waiting, allot
from hub.flows.desk import Desk
from hub.flows.runtime import Runtime
from hub.store import events, promises, purchasing, rules
from hub.store.database import Tx
from hub.store.locks import alone
from hub.store.orders import LineState, OrderState

QUEUE = "queue:"
ACTOR = "promises"


def note_waiting(desk: Desk, order: OrderState, line: LineState, how: str = "") -> None:
    """Say what the units of a line wait for that have no place.

    `how` is "queue:<name>" for a queue that a routing step names, or "backorder" to wait for goods. Without it a line
    stays where it waits. What waits for goods is a pre-order when its article is sold before it comes and is on order.
    Nothing is said of units that only wait for a hold to be released or for their time. Safe to call twice.
    """
    if line.unrouted <= 0 or line.variant_id is None or order.lifecycle in {"cancelled", "completed"}:
        _set(line, None, None)
        line.promised_on = line.auto_cancel_at = None
    elif how.startswith(QUEUE):
        _set(line, "queue", how.removeprefix(QUEUE)[:80])
    elif (line.waits_as is None and _may_be_routed(desk, order, line)) or (line.waits_as == "queue" and how):
        _set(line, "preorder" if line.variant_id in _preorders(desk) else "backorder", None)


def _set(line: LineState, waits_as: str | None, queue: str | None) -> None:
    if (line.waits_as, line.queue) != (waits_as, queue):
        line.waits_as, line.queue, line.changed = waits_as, queue, True


def _may_be_routed(desk: Desk, order: OrderState, line: LineState) -> bool:
    due = order.route_after is None or order.route_after <= desk.now
    return order.lifecycle == "open" and due and not order.is_blocked("routing") and order.to_route(line) > 0


def _preorders(desk: Desk) -> frozenset[str]:
    if desk.preorders is None:
        desk.preorders = purchasing.preorderable(desk.tx)
    return desk.preorders


@dataclass(frozen=True, slots=True)
class _Plan:
    """What is written of the promises of some articles, and what is meant."""

    lines: Mapping[str, promises.Line]
    before: Mapping[tuple[str, str], tuple[int, date | None]]
    after: tuple[Promise, ...]

    @property
    def moved(self) -> list[tuple[promises.Line, date | None]]:
        """Lines whose promised day changes, with the new day."""
        return [
            (self.lines[one.line_id], one.due)
            for one in self.after
            if not one.is_there and self.lines[one.line_id].promised_on != one.due
        ]

    @property
    def orders(self) -> set[str]:
        """Orders of which a line changes."""
        return {line.waiting.turn.id for line, _ in self.moved}


def repromise(runtime: Runtime, variant_ids: Collection[str] | None = None) -> int:
    """Give the goods on order to the lines that wait, in their turn; returns how many promises moved.

    Call it whenever goods on order or waiting lines change; without articles it looks at all that anybody waits for.
    Only lines whose day changes are written and told of on their order's timeline. Safe to call twice.
    """
    with alone(runtime.db, "promises"):
        with runtime.db.read() as tx:
            wanted = promises.variants(tx) if variant_ids is None else set(variant_ids)
            plan = _plan(tx, wanted)
        locked: set[str] = set()
        while _is_news(plan):
            locked |= plan.orders
            with runtime.db.begin() as tx:
                promises.lock_orders(tx, locked)
                plan = _plan(tx, wanted)
                if plan.orders <= locked:
                    _write(tx, plan, runtime.clock())
                    return len(plan.moved)
    return 0


def repromise_all(runtime: Runtime) -> int:
    """What `repromise` does, for all articles."""
    return repromise(runtime)


def _plan(tx: Tx, variant_ids: Collection[str]) -> _Plan:
    lines = {one.waiting.line_id: one for one in promises.lines(tx, variant_ids)}
    supplies, there = promises.supplies(tx, variant_ids), promises.on_shelf(tx, variant_ids)
    sort = rules.published(tx).rules.sort
    waiting: dict[str, list[Waiting]] = defaultdict(list)
    for one in lines.values():
        waiting[one.variant_id].append(one.waiting)
    after = tuple(
        promise
        for variant_id, queue in waiting.items()
        for promise in allot(supplies.get(variant_id, ()), queue, there.get(variant_id, 0), sort)
    )
    return _Plan(lines, promises.shares(tx, variant_ids), after)


def _is_news(plan: _Plan) -> bool:
    after = {(share.line_id, share.supply_id): (share.units, share.due) for one in plan.after for share in one.shares}
    return after != plan.before or bool(plan.moved)


def _write(tx: Tx, plan: _Plan, now: datetime) -> None:
    promises.write_shares(tx, plan.before, plan.after, now)
    promises.set_days(tx, [(line.waiting.line_id, due) for line, due in plan.moved])
    for kind, said in (("promised", True), ("promise_moved", False)):
        rows = [
            (("order_line", line.waiting.line_id), line.waiting.turn.id, _words(line, due), _facts(line, due))
            for line, due in plan.moved
            if (line.promised_on is None) is said
        ]
        events.tell_all(tx, rows, kind, ACTOR, now)


def _words(line: promises.Line, due: date | None) -> str:
    what = f"{line.waiting.units} x {line.sku}"
    if due is None:
        return f"{what} is promised for no day any more; it was {line.promised_on}."
    if line.promised_on is None:
        return f"{what} is expected on {due}."
    return f"{what} is expected on {due} and no longer on {line.promised_on}."


def _facts(line: promises.Line, due: date | None) -> dict[str, str | None]:
    before = line.promised_on
    return {"from": before.isoformat() if before else None, "to": due.isoformat() if due else None}
