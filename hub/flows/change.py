"""Change: bring an order to a new document of it, whoever has made that: its channel, or a person.

`bring_to` is the only way by which a known order's lines, address and method change. `look` says beforehand what it
would do. Both read it from the same difference.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import orjson

from hub import schemas
from hub.domain import changes
from hub.domain.changes import LineNow, LineStep, MoneyChange
from hub.domain.documents import Order
from hub.domain.entry import computed_total_minor
from hub.domain.kits import parts_wanted
from hub.flows.desk import Desk
from hub.flows.enter import Articles, adjustments, conclude, decide, end_findings, header, new_line
from hub.flows.recall import recall, take_back, touched
from hub.flows.route import reserve_unrouted, take_method
from hub.store import changes as change_store
from hub.store import outbox
from hub.store.changes import ChangeRow
from hub.store.database import Tx, new_id
from hub.store.orders import FoState, LineState, OrderState

CHANNEL = "the channel"


@dataclass(frozen=True, slots=True)
class Recall:
    """What becomes of one fulfillment order: `withdrawn` before anybody was told, or `asked_back` from its handler."""

    number: str
    location: str
    what: str
    units: int


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line before and after, in the quantity that the order states."""

    line: str  # its id at the channel
    name: str
    before: int
    after: int
    before_minor: int
    after_minor: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change would do. `refused` are the reasons for which it cannot be done; empty when it can."""

    lines: tuple[LineChange, ...]
    address: tuple[Mapping[str, Any] | None, Mapping[str, Any] | None] | None  # before and after, when it changes
    method: tuple[str, str] | None
    money: MoneyChange
    recalls: tuple[Recall, ...]
    refused: tuple[str, ...]
    notes: tuple[str, ...]
    seen: Mapping[str, str]  # how the parts of the order stood

    def as_json(self) -> dict[str, Any]:
        """As it is stored and shown."""
        made: dict[str, Any] = orjson.loads(orjson.dumps(asdict(self)))
        return made | {"money": {**asdict(self.money), "delta_minor": self.money.delta_minor}}


def look(
    tx: Tx, state: OrderState, document: Mapping[str, Any], articles: Articles, codes: Mapping[str, str]
) -> Preview:
    """What bringing the order to `document` would do, as things stand. `codes` are those of locations, by id."""
    before, wanted = _order(state.document), _order(document)
    left = have_left(state, articles)
    costed = _order(changes.costed(document, state.of_channel, left))
    steps = _steps(state, wanted, articles)
    moved = _moves(state.document, document)
    work = [fo for fo in state.fos if fo.is_live and fo.request_status != "cancellation_requested"]
    if not moved:
        work = touched(state, _surplus(state, steps))
    waiting = outbox.withdrawable(tx, [fo.id for fo in work])
    return Preview(
        lines=tuple(_line_changes(before, costed)),
        address=_address(state.document, document),
        method=_delivery(before, wanted),
        money=changes.money(_order(state.of_channel), before, costed),
        recalls=tuple(_recall(fo, codes, waiting) for fo in work),
        refused=tuple(_refusals(state, before, wanted, articles)),
        notes=tuple(_notes(state, wanted, moved=moved)),
        seen=standing(state, codes),
    )


def have_left(state: OrderState, articles: Articles) -> dict[str, int]:
    """How many of each line have left, in the quantity that the order states; a pack that was begun has left."""
    order = _order(state.document)
    units = {line.external_id: line.shipped for line in state.lines}
    found = {}
    for index, line in enumerate(order.lines):
        one = new_line(state, order, index, articles)
        pack = one.ordered // line.quantity if line.quantity else 1
        found[line.external_id] = -(-units.get(line.external_id, 0) // max(1, pack))
    return found


def _surplus(state: OrderState, steps: Iterable[LineStep]) -> dict[str, int]:
    """Units by line that nobody wants once the steps are taken, with those that are being called back already."""
    found = {line.id: line.unwanted for line in state.lines}
    for step in steps:
        found[step.line.id] += step.placed - min(step.more, found[step.line.id])
    return found


def _address(before: Mapping[str, Any], after: Mapping[str, Any]) -> Any:
    was, becomes = before.get("shipping_address"), after.get("shipping_address")
    return None if was == becomes else (was, becomes)


def _delivery(before: Order, wanted: Order) -> tuple[str, str] | None:
    was, becomes = changes.delivery(before), changes.delivery(wanted)
    return None if was == becomes else (was, becomes)


def _recall(fo: FoState, codes: Mapping[str, str], waiting: set[str]) -> Recall:
    can = {"unsubmitted", "submitted"} if fo.by_hand else {"unsubmitted"} if fo.id in waiting else ()
    what = "withdrawn" if fo.request_status in can else "asked_back"
    return Recall(fo.number, codes[fo.location_id], what, fo.live_units)


def _line_changes(before: Order, after: Order) -> Iterable[LineChange]:
    old, new = ({line.external_id: line for line in order.lines} for order in (before, after))
    for key in dict.fromkeys([*old, *new]):
        first, last = (
            (order[key].quantity, order[key].total_minor) if key in order else (0, 0) for order in (old, new)
        )
        if first != last:
            shown = new.get(key) or old[key]
            yield LineChange(key, shown.sku or shown.title or key, first[0], last[0], first[1], last[1])


def _refusals(state: OrderState, before: Order, wanted: Order, articles: Articles) -> Iterable[str]:
    if "cancelled" in (state.remote_status, state.lifecycle):
        yield "the order is cancelled, which is final"
    elif wanted.status == "cancelled":
        if state.lifecycle == "completed":
            yield "everything has left already; what remains is a return"
    else:
        old, new = _units(state, before, articles), _units(state, wanted, articles)
        for line, units in changes.gone(map(_now, state.lines), old, new):
            yield f"{units} x {line.name} have left already; what remains is a return"


def _notes(state: OrderState, wanted: Order, *, moved: bool) -> Iterable[str]:
    says = changes.differences(_order(state.of_channel), wanted)
    if says:
        yield f"The channel is not told of it, and goes on saying: {', '.join(says)}. Change it there as well."
    left = sum(line.shipped for line in state.lines)
    if left and (moved or wanted.status == "cancelled"):
        yield f"{left} units have left already and stay as they are."
    if any(fo.is_live and fo.request_status == "cancellation_requested" for fo in state.fos):
        yield "Something is being called back already; its answer is waited for."


def standing(state: OrderState, codes: Mapping[str, str]) -> dict[str, str]:
    """How the parts of an order stand, in words, for whoever decides by them."""
    found = {"the order": state.lifecycle, "its document": schemas.fingerprint(state.document)[:12]}
    for line in state.lines:
        name = line.sku or line.title or line.external_id
        counted = f"{line.ordered} ordered, {line.cancelled} cancelled, {line.routed} routed, {line.shipped} shipped"
        found[f"line {line.line_no + 1} ({name})"] = counted + (
            f", {line.unwanted} called back" if line.unwanted else ""
        )
    for fo in state.fos:
        if fo.is_live:
            how = f"{fo.exec_status}, {fo.request_status}".replace("_", " ")
            found[f"{fo.number} at {codes[fo.location_id]}"] = how
    return found


def preview_hash(seen: Mapping[str, str], actions: Any) -> str:
    """Of what somebody looked at and what they asked for."""
    return hashlib.sha256(orjson.dumps([seen, actions], option=orjson.OPT_SORT_KEYS)).hexdigest()


# --- doing it ----------------------------------------------------------------------------------------------------


def bring_to(
    desk: Desk, state: OrderState, document: dict[str, Any], articles: Articles, *, by: str = CHANNEL, reason: str = ""
) -> None:
    """Bring an order to a document of it: lines, address, method, or cancelled.

    What is to be taken over from the channel beside that (`take_over`) is the caller's. Afterwards the order is
    checked again and routed as far as it may be.
    """
    before, wanted = _order(state.document), _order(document)
    had = {line.id: line.wanted for line in state.lines}
    moved = _moves(state.document, document)
    take_over(desk, state, document, wanted)
    if wanted.status == "cancelled":
        cancel(desk, state, reason or wanted.cancel_reason or "no reason given", by=by)
        return
    said = _bring_lines(desk, state, wanted, articles, by)
    if delivered := _delivery(before, wanted):
        said.append(f"delivery: {delivered[1]} instead of {delivered[0]}")
    if before.shipping_address != wanted.shipping_address:
        said.append("another address")
    if said:
        words = f": {reason}" if reason else ""
        desk.tell(
            state.id, ("order", state.id), "edited", f"{_capital(by)} changed the order{words} ({'; '.join(said)})."
        )
    elif by == CHANNEL:
        desk.tell(state.id, ("order", state.id), "updated", "The channel updated the order; its lines are the same.")
    if moved:
        take_back(desk, state, "the delivery address or the way of delivery changed")
    if (before.delivery_method, before.pickup_location) != (wanted.delivery_method, wanted.pickup_location):
        take_method(desk, state)
    if state.lifecycle == "completed" and any(line.wanted > had.get(line.id, 0) for line in state.lines):
        state.lifecycle = "open"
        state.changes["lifecycle"] = "open"
    decide(desk, state, wanted)


def take_over(desk: Desk, state: OrderState, document: dict[str, Any], order: Order) -> None:
    """Let the order be as the document states it, in all that is no matter of units."""
    state.document = document
    state.remote_status = order.status
    state.changes |= header(order) | {"document": document, "channel_document": state.channel_document}
    desk.restate_adjustments(state.id, adjustments(order))


def restate(desk: Desk, state: OrderState, asks: Sequence[changes.Ask]) -> None:
    """Let the order's document say what was decided elsewhere, so that the channel's next word does not undo it."""
    stated, before = state.of_channel, _order(state.document)
    document = changes.after(state.document, stated, asks, {})
    totals = computed_total_minor(before), computed_total_minor(_order(document))
    document = changes.with_totals(document, *totals)
    state.channel_document = stated if document != stated else None
    take_over(desk, state, document, _order(document))


def restate_lines(desk: Desk, state: OrderState, before: Mapping[str, int]) -> None:
    """The same for units that were cancelled otherwise; `before` are the units that were wanted, by line."""
    asks: list[changes.Ask] = []
    by_key = {line.external_id: line for line in state.lines}
    for stated in state.document["lines"]:
        line, quantity = by_key.get(stated["external_id"]), stated["quantity"]
        if line is None or not quantity or before.get(line.id, 0) <= line.wanted:
            continue
        pack = max(1, before[line.id] // quantity)
        asks.append(changes.SetQuantity(line.external_id, -(-line.wanted // pack)))
    if asks:
        restate(desk, state, asks)


def _moves(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    return any(
        before.get(name) != after.get(name) for name in ("shipping_address", "delivery_method", "pickup_location")
    )


def _order(document: Mapping[str, Any]) -> Order:
    order: Order = schemas.parse("order.v1", document)
    return order


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _steps(state: OrderState, wanted: Order, articles: Articles) -> list[LineStep]:
    return changes.steps(map(_now, state.lines), _units(state, wanted, articles))


def _units(state: OrderState, order: Order, articles: Articles) -> dict[str, int]:
    """Units that a document wants, by the lines' own names; none of a cancelled order."""
    if order.status == "cancelled":
        return {}
    units = {line.external_id: line.ordered for line in _wanted_lines(state, order, articles)}
    return units | parts_wanted(state.lines, units)


def _wanted_lines(state: OrderState, wanted: Order, articles: Articles) -> list[LineState]:
    return [new_line(state, wanted, index, articles) for index in range(len(wanted.lines))]


def _now(line: LineState) -> LineNow:
    name = line.sku or line.title or line.external_id
    return LineNow(
        line.id,
        line.external_id,
        name,
        line.ordered,
        line.cancelled + line.unwanted,
        line.routed - line.unwanted,
        line.shipped,
    )


def _bring_lines(desk: Desk, state: OrderState, wanted: Order, articles: Articles, by: str) -> list[str]:
    """Bring the lines to the wanted quantities: more units are added, fewer are cancelled or called back."""
    known = {line.external_id: line for line in state.lines}
    said: list[str] = []
    for fresh in _wanted_lines(state, wanted, articles):
        line = known.get(fresh.external_id)
        if line is None:
            fresh.line_no = len(state.lines)
            state.lines.append(fresh)
            said.append(f"{fresh.ordered} x {fresh.sku or fresh.title} added")
        else:
            line.variant_id = line.variant_id or fresh.variant_id
            line.sku, line.title, line.total_minor = fresh.sku, fresh.title, fresh.total_minor
            line.changed = True
    for step in _steps(state, wanted, articles):
        said += _bring(state.line(step.line.id), step)
    recall(desk, state, {line.id: line.unwanted for line in state.lines}, f"{by} reduced the order")
    return said


def _bring(line: LineState, step: LineStep) -> Iterable[str]:
    """Set the units that are wanted of a line. What has left cannot be taken back here."""
    name = step.line.name
    if step.more:
        kept = min(step.more, line.unwanted)  # called back, and wanted after all
        line.unwanted -= kept
        line.ordered += step.more - kept
        yield f"{step.more} x {name} more"
    elif step.fewer:
        line.cancelled += step.loose
        line.unwanted += step.placed
        yield f"{step.fewer} x {name} fewer"
    line.changed = True


def cancel(desk: Desk, state: OrderState, reason: str, *, by: str = CHANNEL) -> None:
    """Cancel everything that has not shipped; work that was handed over is asked back. Safe to call twice."""
    state.remote_status = "cancelled"
    state.changes["remote_status"] = "cancelled"
    desk.tell(state.id, ("order", state.id), "cancel_requested", f"Cancelled by {by}: {reason}.")
    for line in state.lines:
        loose = line.ordered - line.cancelled - line.routed
        line.cancelled += max(0, loose)
        line.unwanted = line.routed - line.shipped
        line.changed = True
    shipped = any(line.shipped for line in state.lines)
    recall(desk, state, {line.id: line.unwanted for line in state.lines}, reason)
    if shipped:
        desk.put_on_hold(
            state,
            "cancel_too_late",
            f"Cancelled by {by} after goods had left.",
            handle="cancel_after_shipping",
            source="channel",
            blocks="ship",
        )
    reserve_unrouted(desk, state)
    end_findings(desk, state)
    conclude(desk, state)


def record(
    desk: Desk,
    state: OrderState,
    *,
    kind: str,
    source: str,
    actions: list[dict[str, Any]],
    preview: Preview,
    reason: str = "",
    expires_at: datetime | None = None,
) -> ChangeRow:
    """Keep a change: one that is done, or with `expires_at` one that is asked for and waits for a decision."""
    waits = expires_at is not None
    row = ChangeRow(
        new_id(),
        state.id,
        kind,
        source,
        "requested" if waits else "confirmed",
        actions,
        preview.as_json(),
        preview_hash(preview.seen, actions),
        preview.money.delta_minor,
        state.currency,
        reason,
        desk.actor,
        desk.now,
        expires_at or desk.now,
        None if waits else desk.now,
        None if waits else desk.actor,
    )
    change_store.put(desk.rows, row)
    return row
