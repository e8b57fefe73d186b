"""Orders: hold, release, cancel."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from hub import schemas
from hub.domain.documents import Order
from hub.domain.entry import HANDLE_CHARS
from hub.domain.holds import BLOCKS, MAY_BLOCK, ROUTING
from hub.domain.keys import fitting
from hub.flows.desk import NO_TERMS, Desk, HoldTerms, open_desk
from hub.flows.enter import conclude, post_sales_order
from hub.flows.operate.errors import NotDoneError, actor, still_to_come
from hub.flows.route import reserve_unrouted, route
from hub.flows.runtime import Runtime
from hub.store import events, holds, orders
from hub.store.database import Tx
from hub.store.ledger import StockConflictError
from hub.store.orders import FoState, OrderState
from hub.store.views import holds as holds_view

TRIES = 3
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HoldOn:
    """What is to be held, and how. `line` and `fo` name a part of the order: a line by its id, number or SKU, a
    fulfillment order by its number. `handle` tells several holds of one kind apart.
    """

    kind: str = "manual"
    blocks: str = ROUTING
    line: str = ""
    fo: str = ""
    handle: str = ""
    terms: HoldTerms = NO_TERMS


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one of many. `error` says why nothing was done; `done` is False when there was nothing to do.

    `note` is what has to be known of it beside.
    """

    id: str
    done: bool
    error: str = ""
    note: str = ""


def hold_order(runtime: Runtime, order_id: str, reason: str, *, person: str, on: HoldOn | None = None) -> str:
    """Hold an order, a line or a fulfillment order; the hold's id, "" when it is held so already.

    Raises NotDoneError for what cannot be held, or not in this way, without a reason, and until a moment that is over.
    """
    how = on or HoldOn()
    if not reason.strip():
        raise NotDoneError("say why the order has to wait")
    still_to_come(how.terms.auto_release_at, runtime.clock())

    def work(desk: Desk, state: OrderState) -> str:
        if state.lifecycle not in {"pending", "open"}:
            raise NotDoneError(f"the order is {state.lifecycle}")
        target = _target(state, how)
        if how.blocks not in MAY_BLOCK[target[0]]:
            raise NotDoneError(f"a hold on {_NAMES[target[0]]} can block {', '.join(MAY_BLOCK[target[0]])}")
        kind = how.kind.strip() or "manual"
        handle = how.handle or f"{kind}:{how.blocks}:{reason}"
        held = desk.put_on_hold(
            state,
            kind[:32],
            reason,
            handle=fitting(handle, HANDLE_CHARS),
            source="person",
            blocks=how.blocks,
            target=target,
            terms=how.terms,
        )
        return held.id if held else ""

    return at_desk(runtime, order_id, person, work)


_NAMES = {"order": "an order", "line": "a line", "fo": "a fulfillment order"}


def _target(state: OrderState, how: HoldOn) -> tuple[str, str]:
    if how.blocks not in BLOCKS:
        raise NotDoneError(f"a hold blocks one of {', '.join(BLOCKS)}, not {how.blocks!r}")
    if how.fo:
        fo = next((one for one in state.fos if how.fo in {one.number, one.id}), None)
        if fo is None or not fo.is_live:
            raise NotDoneError(f"nobody works on a fulfillment order {how.fo!r} of this order")
        return ("fo", fo.id)
    if how.line:
        found = [one for one in state.lines if how.line in {one.id, str(one.line_no + 1), one.sku, one.external_id}]
        if len(found) != 1:
            raise NotDoneError(f"{len(found)} lines of the order are called {how.line!r}; say which by its number")
        return ("line", found[0].id)
    return ("order", state.id)


def release_hold(runtime: Runtime, order_id: str, hold_id: str, *, person: str, note: str = "") -> bool:
    """Release one hold and let the order go on; False when it was released before. Raises NotDoneError.

    What a check has found stays released for as long as it rests on the same facts.
    """

    def work(desk: Desk, state: OrderState) -> bool:
        held = next((one for one in state.holds if one.id == hold_id), None)
        if held is None:
            return False
        words = held.kind.replace("_", " ")
        said = f"The hold ({words}) was released by {person}" + (f": {note}" if note else ".")
        desk.end_hold(state, held, said)
        state.dismissed.add((held.source, held.handle))
        route_on(desk, state)
        return True

    return at_desk(runtime, order_id, person, work)


def hold_orders(
    runtime: Runtime, order_ids: Sequence[str], reason: str, *, person: str, on: HoldOn | None = None
) -> list[Done]:
    """Hold many orders, each for itself: one that cannot be held does not keep the others from it.

    Each notes what its holds come too late for.
    """
    done = [_each(one, lambda one: bool(hold_order(runtime, one, reason, person=person, on=on))) for one in order_ids]
    return [one if one.error else replace(one, note="; ".join(out_of_reach(runtime, one.id))) for one in done]


def out_of_reach(runtime: Runtime, order_id: str) -> list[str]:
    """What the active holds of an order do not stop, since somebody outside has it already: a sentence for each."""
    with runtime.db.read() as tx:
        found = holds_view.out_of_reach(tx, [order_id])
    return sorted({one.said for beyond in found.values() for one in beyond})


def release_holds(runtime: Runtime, hold_ids: Sequence[str], *, person: str, note: str = "") -> list[Done]:
    """Release many holds, each for itself."""
    with runtime.db.read() as tx:
        places = holds.orders_of(tx, hold_ids)

    def release(hold_id: str) -> bool:
        if hold_id not in places:
            raise NotDoneError("there is no such hold")
        return release_hold(runtime, places[hold_id], hold_id, person=person, note=note)

    return [_each(one, release) for one in hold_ids]


def _each(one: str, work: Callable[[str], bool]) -> Done:
    try:
        return Done(one, work(one))
    except NotDoneError as error:
        return Done(one, done=False, error=str(error))


def active_holds(tx: Tx, order_id: str) -> list[tuple[str, str]]:
    """(id, kind) of the active holds of an order, the oldest first."""
    state = orders.load(tx, [order_id], lock=False).get(order_id)
    return [(one.id, one.kind) for one in state.holds] if state else []


def look_after_hold(runtime: Runtime, hold_id: str, terms: HoldTerms, *, person: str) -> bool:
    """Say who looks after an active hold, until when, and when it ends by itself; False when it has ended.

    Raises NotDoneError for an end that is over.
    """
    still_to_come(terms.auto_release_at, runtime.clock())
    with runtime.db.begin() as tx:
        place = holds.orders_of(tx, [hold_id]).get(hold_id)
        values = {name: getattr(terms, name) for name in HoldTerms.__slots__}
        if place is None or not holds.change(tx, hold_id, **values):
            return False
        whose = f"{terms.assignee} looks after it" if terms.assignee else "nobody looks after it"
        until = f", due {terms.due_at:%Y-%m-%d %H:%M} UTC" if terms.due_at else ""
        said = f"A hold was changed: {whose}{until}."
        events.tell(
            tx, ("order", place), "hold_changed", actor(person), said, runtime.clock(), order_id=place, hold=hold_id
        )
    return True


def not_held(state: OrderState, fo: FoState, step: str) -> None:
    """Raises NotDoneError when a hold stops this step of a fulfillment order."""
    held = state.stops(fo, step)
    if held is not None:
        kind = held.kind.replace("_", " ")
        raise NotDoneError(f"a hold ({kind}) stops {fo.number}: release it on the order's page first")


def route_on(desk: Desk, state: OrderState) -> None:
    """Let an order go on that no hold keeps from being routed: open it, and give its units places."""
    document: Order = schemas.parse("order.v1", state.document)
    if state.lifecycle == "pending" and not state.is_blocked("routing") and document.status == "open":
        state.lifecycle = "open"
        state.changes["lifecycle"] = "open"
        post_sales_order(desk, state)
    if state.lifecycle == "open":
        route(desk, state, document.shipping_address, document.market or "")
        reserve_unrouted(desk, state)
        conclude(desk, state)


def at_desk(
    runtime: Runtime,
    order_id: str,
    person: str,
    work: Callable[[Desk, OrderState], T],
    variants: Collection[str] = (),
    *,
    by: str = "",
) -> T:
    """Do something with one order in one transaction, again when its stock changed meanwhile.

    `variants` are articles besides the order's own whose stock is needed; `by` is the actor where no person acts.
    """
    for _ in range(TRIES):
        try:
            with runtime.db.begin() as tx:
                states = orders.load(tx, [order_id])
                if order_id not in states:
                    raise NotDoneError(f"there is no order {order_id!r}")
                state = states[order_id]
                needed = {line.variant_id for line in state.lines if line.variant_id} | set(variants)
                desk = open_desk(runtime, tx, needed, actor=by or actor(person))
                desk.orders = dict(states)
                done = work(desk, state)
                desk.flush()
        except StockConflictError:
            continue
        runtime.wake_all(desk.wakes)
        return done
    raise NotDoneError("the stock of its articles keeps changing; try again")
