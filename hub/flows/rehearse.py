"""Rehearse: decide the last orders again under draft rules and under the ones that count, and keep what differs.

Both sides see the same orders in the turn in which they were placed, as if each came today: locations, calendars and
costs are those of now, and a promise lies as many days ahead as it did then. Both start from the same stock: what is
available now and what these very orders took. Nothing is locked and no stock is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from hub import schemas
from hub.domain.documents import Address, Order, Totals
from hub.domain.routing.network import Network
from hub.domain.routing.plan import plan
from hub.domain.routing.rehearsal import Case, Outcome, Replay, differences, figures
from hub.domain.routing.rules import RuleSet
from hub.domain.routing.shapes import Plan, Sellable, Snapshot
from hub.flows.runtime import Runtime
from hub.flows.snapshot import RoutingView, routing_view, told_of
from hub.store import orders, rehearsals, rules
from hub.store.database import Tx, new_id
from hub.store.orders import LineState, OrderState

LAST_ORDERS = 500
MOST_ORDERS = 5000
MOST_DIFFERENCES = 500  # orders that go elsewhere whose sentences are kept; all are counted
TELL_EVERY = 50  # orders between two notes of progress


def rehearse(runtime: Runtime, rehearsal_id: str) -> None:
    """Run a rehearsal that was asked for, from the beginning; one that is done stays as it is."""
    with runtime.db.read() as tx:
        asked = rules.get_rehearsal(tx, rehearsal_id)
        if asked.status != "running":
            return
        draft, baseline = rules.rehearsed_rules(tx, rehearsal_id)
        stage = set_stage(tx, runtime.clock(), asked.orders, (baseline, draft))
    try:
        found = _play(runtime, rehearsal_id, stage)
    except Exception as error:
        with runtime.db.begin() as tx:
            rules.fail_rehearsal(tx, rehearsal_id, f"{type(error).__name__}: {error}"[:500], runtime.clock())
        raise
    with runtime.db.begin() as tx:
        rules.finish_rehearsal(tx, rehearsal_id, *found, runtime.clock())


@dataclass(frozen=True, slots=True)
class Stage:
    """All that a rehearsal reads: the stock it starts from, and the orders as each side sees them."""

    opening: Sellable
    cases: tuple[Sequence[Case], Sequence[Case]]  # baseline, draft


def set_stage(tx: Tx, now: datetime, most: int, sides: tuple[RuleSet, RuleSet]) -> Stage:
    """Read the last orders, their stock and the network, in a few queries."""
    ids = rehearsals.last_orders(tx, most)
    states = orders.load(tx, ids, lock=False)
    past = [(states[one], _document(states[one])) for one in ids]
    variants = _variants(states.values())
    opening = rehearsals.available(tx, variants)
    for position, units in rehearsals.taken_by(tx, ids).items():
        opening[position] = opening.get(position, 0) + units
    views = [_rested(routing_view(tx, now, variants, draft=side)) for side in sides]
    cases = [[_case(view, now, order, document) for order, document in past] for view in views]
    return Stage(opening, (cases[0], cases[1]))


def _play(runtime: Runtime, rehearsal_id: str, stage: Stage) -> tuple[Mapping[str, Any], Sequence[Mapping[str, Any]]]:
    """Let both sides decide order by order; figures of both, and the orders that would go elsewhere."""
    decide = partial(plan, rankers=runtime.rankers, strategies=runtime.strategies)
    baseline, draft = Replay.on(stage.opening, decide), Replay.on(stage.opening, decide)
    count = len(stage.cases[0])
    for done, (old, new) in enumerate(zip(*stage.cases, strict=True)):
        if done % TELL_EVERY == 0:
            with runtime.db.begin() as tx:
                rules.tell_progress(tx, rehearsal_id, count, done)
        baseline.take(old)
        draft.take(new)
    with runtime.db.begin() as tx:
        rules.tell_progress(tx, rehearsal_id, count, count)
    elsewhere = differences(baseline.outcomes, draft.outcomes)
    sums = {
        name: figures(side.outcomes, stage.opening, side.stock)
        for name, side in (("baseline", baseline), ("draft", draft))
    }
    told = [_told(old, new) for old, new in elsewhere[:MOST_DIFFERENCES]]
    return {**sums, "elsewhere": len(elsewhere)}, told


def _told(old: Outcome, new: Outcome) -> dict[str, Any]:
    return {
        "order_id": old.id,
        "number": old.number,
        "baseline": {"units": _units(old), "unfilled": old.unfilled, "reason": old.reason},
        "draft": {"units": _units(new), "unfilled": new.unfilled, "reason": new.reason},
    }


def _units(outcome: Outcome) -> dict[str, int]:
    """Units by location."""
    return {code: sum(lines.values()) for code, lines in sorted(outcome.where.items())}


def _case(view: RoutingView, now: datetime, order: OrderState, document: Order) -> Case:
    """A past order as if it were placed now: nothing refused yet, its promise as far ahead as it was then."""
    if order.promise_on is not None:
        order = replace(order, promise_on=order.promise_on + (now.date() - order.placed_at.date()))
    units = {line.id: line.ordered - line.cancelled for line in order.lines if line.ships}
    snapshot = view.snapshot(order, told_of(document), {}, units=units, excluded=())
    return Case(order.id, order.number, order.placed_at.date(), snapshot)


def _rested(view: RoutingView) -> RoutingView:
    """The network with the capacity of a whole day, since each rehearsed day is counted by itself."""
    view.taken = dict.fromkeys(view.taken, 0)
    return view


def _document(order: OrderState) -> Order:
    document: Order = schemas.parse("order.v1", order.document)
    return document


def _variants(states: Collection[OrderState]) -> set[str]:
    return {line.variant_id for state in states for line in state.lines if line.variant_id is not None}


@dataclass(frozen=True, slots=True)
class WantedLine:
    """An article of an order that somebody thought up."""

    variant_id: str
    sku: str
    units: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What one side would do with an order."""

    routing: str  # name of the routing that it falls under
    snapshot: Snapshot
    plan: Plan


def try_order(runtime: Runtime, order_id: str, sides: Sequence[RuleSet]) -> list[Answer]:
    """Decide a real order anew, by each side, on today's stock and what it took itself. Raises KeyError."""
    with runtime.db.read() as tx:
        order = orders.load(tx, [order_id], lock=False)[order_id]
        variants = _variants([order])
        opening = rehearsals.available(tx, variants)
        for position, units in rehearsals.taken_by(tx, [order_id]).items():
            opening[position] = opening.get(position, 0) + units
        views = [routing_view(tx, runtime.clock(), variants, draft=side) for side in sides]
    wanted = {line.id: line.ordered - line.cancelled for line in order.lines if line.ships}
    document = _document(order)
    return [_answer(runtime, view, order, document, opening, wanted) for view in views]


def try_wanted(
    runtime: Runtime,
    wanted: Sequence[WantedLine],
    address: Address,
    sides: Sequence[RuleSet],
    *,
    connection_id: str = "",
    currency: str = "",
    value_minor: int = 0,
    tags: Collection[str] = (),
) -> list[Answer]:
    """Decide an order that somebody thought up, by each side, on today's stock."""
    now = runtime.clock()
    variants = {line.variant_id for line in wanted}
    with runtime.db.read() as tx:
        opening = rehearsals.available(tx, variants)
        views = [routing_view(tx, now, variants, draft=side) for side in sides]
    order = OrderState(
        new_id(), connection_id, "", "a trial", "", "", {}, "open", "open", currency, now,
        lines=[
            LineState(
                f"line {number}", "", number, "", line.sku, line.variant_id, "", line.units, 0, 0, 0, 0,
                value_minor // len(wanted), None, ships=True,
            )
            for number, line in enumerate(wanted, start=1)
        ],
    )  # fmt: skip
    document = Order(
        "", "", "", now, currency, "open", "paid", (), Totals(taxes_included=True, total_minor=value_minor),
        shipping_address=address, tags=tuple(tags),
    )  # fmt: skip
    units = {line.id: line.ordered for line in order.lines}
    return [_answer(runtime, view, order, document, opening, units) for view in views]


def _answer(
    runtime: Runtime,
    view: RoutingView,
    order: OrderState,
    document: Order,
    opening: Sellable,
    units: Mapping[str, int],
) -> Answer:
    snapshot = view.snapshot(order, told_of(document), opening, units=units)
    snapshot = replace(snapshot, places=Network.of(snapshot.places))
    return Answer(
        view.routing_for(order, told_of(document)).name, snapshot, plan(snapshot, runtime.rankers, runtime.strategies)
    )
