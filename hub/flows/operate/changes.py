"""Changes of orders that a person makes: looked at first, then confirmed, one at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hub import schemas
from hub.domain import changes
from hub.domain.changes import AddLine, Ask, CancelOrder, SetMethod, ShipTo
from hub.domain.documents import Order
from hub.domain.entry import computed_total_minor, has_address
from hub.flows import change
from hub.flows.change import Preview
from hub.flows.deadlines import for_each
from hub.flows.desk import Desk
from hub.flows.enter import Articles, Incoming, look_for_twins
from hub.flows.intake import find_articles
from hub.flows.operate.errors import NotDoneError
from hub.flows.operate.orders import at_desk
from hub.flows.runtime import Runtime
from hub.store import catalog, orders
from hub.store import changes as change_store
from hub.store.changes import ChangeRow
from hub.store.database import Tx, new_id
from hub.store.orders import OrderState

OPEN_FOR = timedelta(hours=24)  # a change that nobody confirms lapses


@dataclass(frozen=True, slots=True)
class Asked:
    """A change that waits for its confirmation, and what it would do."""

    id: str
    preview: Preview


def preview_change(runtime: Runtime, order_id: str, asks: Sequence[Ask]) -> Preview:
    """What a change would do, as things stand. Nothing is kept. Raises NotDoneError for what makes no sense."""
    with runtime.db.read() as tx:
        state = orders.load(tx, [order_id], lock=False).get(order_id)
        if state is None:
            raise NotDoneError(f"there is no order {order_id!r}")
        _, _, seen = _look(tx, state, _named(asks))
    return seen


def change_order(
    runtime: Runtime,
    order_id: str,
    asks: Sequence[Ask],
    *,
    person: str,
    reason: str = "",
    open_for: timedelta = OPEN_FOR,
) -> Asked:
    """Ask for a change, to be confirmed by what its preview says. Raises NotDoneError.

    One change of an order waits at a time, and lapses when nobody confirms it.
    """
    named = _named(asks)

    def work(desk: Desk, state: OrderState) -> Asked:
        _none_waits(desk, state)
        _, _, seen = _look(desk.tx, state, named)
        if seen.refused:
            raise NotDoneError("; ".join(seen.refused))
        row = change.record(
            desk,
            state,
            kind=changes.kind_of(named),
            source="person",
            actions=changes.to_json(named),
            preview=seen,
            reason=reason,
            expires_at=desk.now + open_for,
        )
        said = f"A change was asked for ({_words(seen)})" + (f": {reason}" if reason else "") + "."
        desk.tell(state.id, ("order", state.id), "change_asked", said, change=row.id)
        return Asked(row.id, seen)

    return at_desk(runtime, order_id, person, work)


def confirm_change(runtime: Runtime, change_id: str, *, person: str, seen: str = "") -> bool:
    """Do a change that was asked for; False when it was ended before. Raises NotDoneError when the order has changed
    since, naming what, or when the change has lapsed. `seen` is the preview's hash, where the caller knows it.
    """
    row = _row(runtime, change_id)
    needed = _variants(runtime, row)

    def work(desk: Desk, state: OrderState) -> bool:
        now = change_store.get(desk.tx, change_id)
        if now is None or now.status != "requested":
            return False
        if now.expires_at <= desk.now:
            raise NotDoneError("the change has lapsed: look at it anew")
        if seen and seen != now.preview_hash:
            raise NotDoneError("this is not the preview of that change: look at it anew")
        asks = changes.from_json(now.actions)
        document, articles, found = _look(desk.tx, state, asks)
        _still(now, found)
        change_store.decide(desk.tx, change_id, "confirmed", desk.actor, desk.now)
        _do(desk, state, document, articles, person, now.reason)
        return True

    return at_desk(runtime, row.order_id, person, work, needed)


def end_change(runtime: Runtime, change_id: str, *, person: str, declined: bool = False, note: str = "") -> bool:
    """Take a change back (cancelled), or say no to it (declined); False when it was ended before."""
    row = _row(runtime, change_id)
    status = "declined" if declined else "cancelled"

    def work(desk: Desk, state: OrderState) -> bool:
        if not change_store.decide(desk.tx, change_id, status, desk.actor, desk.now):
            return False
        said = f"The change was {'declined' if declined else 'taken back'}" + (f": {note}" if note else "") + "."
        desk.tell(state.id, ("order", state.id), f"change_{status}", said, change=change_id)
        return True

    return at_desk(runtime, row.order_id, person, work)


def cancel_order(runtime: Runtime, order_id: str, reason: str, *, person: str) -> bool:
    """Cancel all that has not left, at once; False when it was cancelled before. Raises NotDoneError when all of it
    has left, or when another change waits.

    What was handed over is asked back. The channel is not told, and what it goes on saying changes nothing here.
    """
    asks = [CancelOrder(reason or "no reason given")]

    def work(desk: Desk, state: OrderState) -> bool:
        if state.lifecycle == "cancelled" or state.remote_status == "cancelled":
            return False
        _none_waits(desk, state)
        document, articles, seen = _look(desk.tx, state, asks)
        if seen.refused:
            raise NotDoneError("; ".join(seen.refused))
        change.record(
            desk,
            state,
            kind="cancel",
            source="person",
            actions=changes.to_json(asks),
            preview=seen,
            reason=reason,
        )
        _do(desk, state, document, articles, person, reason)
        return True

    return at_desk(runtime, order_id, person, work)


def expire_changes(runtime: Runtime) -> int:
    """End the changes that nobody confirmed in time; returns how many. Safe to call twice."""
    with runtime.db.read() as tx:
        due = change_store.to_expire(tx, runtime.clock(), 200)

    def work(desk: Desk, state: OrderState) -> bool:
        row = change_store.requested(desk.tx, [state.id]).get(state.id)
        return row is not None and _lapsed(desk, state, row)

    return for_each(runtime, due, work, "ending a change that nobody confirmed")


# --- from outside ------------------------------------------------------------------------------------------------


def read_asks(rows: Sequence[Mapping[str, Any]]) -> list[Ask]:
    """What a program or a form asks for. Raises NotDoneError, in words, for what is nothing of the kind."""
    try:
        found = changes.from_json({**row, "line": ""} if row.get("do") == "add_line" else row for row in rows)
    except ValueError as error:
        raise NotDoneError(str(error)) from error
    if not found:
        raise NotDoneError("nothing is to be changed")
    return found


def _named(asks: Sequence[Ask]) -> list[Ask]:
    """The asks, each line that is to be added with an id of its own."""
    if not asks:
        raise NotDoneError("nothing is to be changed")
    return [
        replace(one, line=f"{changes.OURS}{new_id()[-12:]}") if isinstance(one, AddLine) and not one.line else one
        for one in asks
    ]


# --- looking and doing -------------------------------------------------------------------------------------------


def _look(tx: Tx, state: OrderState, asks: Sequence[Ask]) -> tuple[dict[str, Any], Articles, Preview]:
    """The document that the asks lead to, the articles of its lines, and what bringing the order to it would do."""
    before: Order = schemas.parse("order.v1", state.document)
    articles = _articles(tx, state, before)
    _sensible(tx, asks)
    try:
        document = changes.after(state.document, state.of_channel, asks, change.have_left(state, articles))
        wanted: Order = schemas.parse("order.v1", document)
    except schemas.InvalidDocumentError as error:
        raise NotDoneError(f"that cannot be: {error.errors[0].message}") from error
    except ValueError as error:
        raise NotDoneError(str(error)) from error
    if document == state.document:
        raise NotDoneError("the order is so already")
    if any(isinstance(one, ShipTo) for one in asks) and not has_address(wanted):
        raise NotDoneError("the address needs a country, and a street, a city or a postal code")
    if document["status"] != "cancelled":
        document = changes.with_totals(document, computed_total_minor(before), computed_total_minor(wanted))
    added = _articles(tx, state, wanted)
    codes = {row.id: row.code for row in catalog.locations(tx)}
    return document, added, change.look(tx, state, document, added, codes)


def _articles(tx: Tx, state: OrderState, order: Order) -> Articles:
    return find_articles(tx, [Incoming("", state.connection_id, {}, order, "")])


def _sensible(tx: Tx, asks: Sequence[Ask]) -> None:
    """Raises NotDoneError for articles and locations that do not exist."""
    skus = {one.sku for one in asks if isinstance(one, AddLine)}
    unknown = skus - set(catalog.variants_by_sku(tx, skus))
    if unknown:
        raise NotDoneError(f"there is no article {', '.join(sorted(unknown))}")
    for one in asks:
        if isinstance(one, SetMethod):
            _collects_at(tx, one)


def _collects_at(tx: Tx, ask: SetMethod) -> None:
    """Raises NotDoneError when goods cannot reach the customer in this way."""
    if ask.method == "ship":
        return
    if ask.method != "pickup":
        raise NotDoneError(f"goods are shipped or collected (ship, pickup), not {ask.method!r}")
    counters = [row.code for row in catalog.locations(tx) if row.picks_up]
    if ask.location not in counters:
        able = ", ".join(counters) or "none yet"
        raise NotDoneError(f"nobody can collect at {ask.location!r}; customers can collect at: {able}")


def _do(
    desk: Desk,
    state: OrderState,
    document: dict[str, Any],
    articles: Articles,
    person: str,
    reason: str,
) -> None:
    stated = state.of_channel
    state.channel_document = stated if document != stated else None
    wanted: Order = schemas.parse("order.v1", document)
    look_for_twins(desk, [wanted])
    change.bring_to(desk, state, document, articles, by=person, reason=reason)
    says = changes.differences(schemas.parse("order.v1", stated), wanted)
    if says:
        channel = desk.connections[state.connection_id].name
        desk.tell(state.id, ("order", state.id), "channel_says", f"{channel} still says: {', '.join(says)}.")


def _still(row: ChangeRow, now: Preview) -> None:
    """Raises NotDoneError when the order is not as it was looked at."""
    if change.preview_hash(now.seen, row.actions) == row.preview_hash:
        return
    moved = changes.moved(row.preview["seen"], now.seen)
    raise NotDoneError(f"the order has changed since ({'; '.join(moved)}): look at it anew")


def _none_waits(desk: Desk, state: OrderState) -> None:
    """Raises NotDoneError when another change waits; one whose time is over does not."""
    waiting = change_store.requested(desk.tx, [state.id]).get(state.id)
    if waiting is not None and not _lapsed(desk, state, waiting):
        raise NotDoneError("another change of this order waits: confirm it or take it back first")


def _lapsed(desk: Desk, state: OrderState, row: ChangeRow) -> bool:
    """End a change whose time is over; False when it is not."""
    if row.expires_at > desk.now:
        return False
    change_store.decide(desk.tx, row.id, "expired", desk.actor, desk.now)
    said = "The change lapsed: nobody confirmed it."
    desk.tell(state.id, ("order", state.id), "change_expired", said, change=row.id)
    return True


def _row(runtime: Runtime, change_id: str) -> ChangeRow:
    with runtime.db.read() as tx:
        row = change_store.get(tx, change_id)
    if row is None:
        raise NotDoneError(f"there is no change {change_id!r}")
    return row


def _variants(runtime: Runtime, row: ChangeRow) -> set[str]:
    """Articles that a change brings into the order, whose stock has to be at hand."""
    skus = {one.sku for one in changes.from_json(row.actions) if isinstance(one, AddLine)}
    with runtime.db.read() as tx:
        return set(catalog.variants_by_sku(tx, skus).values())


def _words(seen: Preview) -> str:
    said = [f"{one.name}: {one.after} instead of {one.before}" for one in seen.lines]
    said += ["another address"] if seen.address else []
    said += [f"delivery: {seen.method[1]}"] if seen.method else []
    return "; ".join(said)
