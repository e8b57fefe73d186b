"""The desk: one transaction's work on orders.

It knows the locations and connections, holds the locked stock and the locked orders, collects rows to insert and doors
to wake, and writes everything in one go at the end. The functions that work on orders (enter, amend, route, ship)
take the desk and change it; none of them calls out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from hub.domain import kits
from hub.domain.entry import BUILT_IN_CHECKS, EntryCheck
from hub.domain.holds import MONEY, NOTHING, ROUTING
from hub.domain.routing.shapes import Ranker, Strategy
from hub.flows import machine, owed
from hub.flows.backlog import Backlog
from hub.flows.runtime import Runtime
from hub.flows.snapshot import RoutingView, routing_view
from hub.flows.strategies import Advice
from hub.store import availability, catalog, connections, holds, inquiries, orders, outbox
from hub.store.availability import Component
from hub.store.catalog import LocationRow
from hub.store.connections import ConnectionRow
from hub.store.database import Tx, new_id
from hub.store.ledger import StockBook
from hub.store.orders import FoState, HoldState, Lookalike, OrderState
from hub.store.rows import Rows
from hub.store.tables import entity_event, fulfillment_order, hold, order_adjustment, order_line
from hub.store.tables import orders as orders_table
from hub.store.tables import outbox as outbox_rows


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """What goes with a hold: who looks after it, until when, and when it ends by itself."""

    assignee: str = ""
    due_at: datetime | None = None
    auto_release_at: datetime | None = None
    note: str = ""


NO_TERMS = HoldTerms()
CLOCKS_DIFFER = timedelta(minutes=10)  # by so much a channel's clock may be ahead of ours


@dataclass(slots=True)
class Desk:
    tx: Tx
    now: datetime
    actor: str
    rankers: Mapping[str, Ranker]
    strategies: Mapping[str, Strategy]
    stock: StockBook
    locations: Mapping[str, LocationRow]
    connections: Mapping[str, ConnectionRow]
    ledgers: tuple[ConnectionRow, ...]  # ERP connections that take postings
    confirmers: frozenset[str]  # ids of channel connections that want to know of shipments
    variants: frozenset[str]  # whose stock is locked
    rows: Rows = field(default_factory=Rows)
    orders: dict[str, OrderState] = field(default_factory=dict)
    wakes: set[str] = field(default_factory=set)
    entry_checks: Mapping[str, EntryCheck] = field(default_factory=lambda: BUILT_IN_CHECKS)
    lookalikes: dict[Any, list[Lookalike]] = field(default_factory=dict)  # what new orders may be twins of
    preorders: frozenset[str] | None = None  # articles sold before they come, once somebody has asked
    recipes: Mapping[str, tuple[Component, ...]] = field(default_factory=dict)  # of the articles that are kits
    asks: set[tuple[str, str]] = field(default_factory=set)  # (connection, its id) of orders that came in part
    restated: set[str] = field(default_factory=set)  # orders whose adjustments are stated anew
    told: list[OrderState] = field(default_factory=list)  # orders that came in part and are whole now
    news: set[str] = field(default_factory=set)  # inbox rows that told something newer than was known
    advice: dict[str, Advice] = field(default_factory=dict)  # what was said outside of orders, by order
    last: list[tuple[tuple[str, ...], Callable[[Tx], object]]] = field(default_factory=list)  # see `at_the_end`
    _view: RoutingView | None = None
    _backlog: Backlog | None = None

    @property
    def backlog(self) -> Backlog:
        """What those who came before are to have, in the turn of the rules."""
        if self._backlog is None:
            self._backlog = Backlog(self.tx, self.view.rules.sort, self.variants)
        return self._backlog

    @property
    def view(self) -> RoutingView:
        """What routing looks at, read once when it is first asked for."""
        if self._view is None:
            self._view = routing_view(
                self.tx,
                self.now,
                self.variants,
                locations=self.locations,
                channels=self.connections,
            )
        return self._view

    def add_lookalike(self, one: Lookalike) -> None:
        """Know an order that later ones may be twins of."""
        self.lookalikes.setdefault(one.likeness, []).append(one)

    def tell(self, order_id: str | None, entity: tuple[str, str], kind: str, message: str, **data: Any) -> None:
        """Write one line of the order's timeline."""
        self.rows.add(
            entity_event,
            id=new_id(),
            order_id=order_id,
            entity_type=entity[0],
            entity_id=entity[1],
            kind=kind,
            actor=self.actor,
            message=message,
            data=data or None,
            at=self.now,
        )

    def send(
        self,
        connection_id: str,
        operation: str,
        *,
        fact: str,
        subject_id: str,
        order_id: str | None,
        reference: str,
        turn: int = 0,
        **payload: Any,
    ) -> None:
        """Put a delivery into the outbox; it leaves after the commit, and after what has an earlier turn."""
        outbox.put(
            self.rows,
            outbox.delivery(
                connection_id,
                operation,
                fact=fact,
                subject_id=subject_id,
                order_id=order_id,
                reference=reference,
                payload=payload,
                now=self.now,
                turn=turn,
                status=self._leaves_as(self.connections[connection_id], order_id),
            ),
        )
        self.wakes.add(f"outbox:{connection_id}")

    def _leaves_as(self, to: ConnectionRow, order_id: str | None) -> str:
        """Whether a new message may be sent. After a restore it may have left already, unless its order is younger: it
        is held with the others of its connection, or looked up before it is sent.
        """
        if to.outbox_held:
            return "held"
        if to.restored_at is None:
            return "pending"
        known = self.orders.get(order_id or "")
        new = (row["placed_at"] for row in self.rows.of(orders_table) if row["id"] == order_id)
        placed_at = known.placed_at if known is not None else next(new, None)
        return "pending" if placed_at is not None and placed_at > to.restored_at + CLOCKS_DIFFER else "unknown"

    def restate_adjustments(self, order_id: str, adjustments: Iterable[Mapping[str, Any]]) -> None:
        """Let these be the adjustments of a known order, instead of all that were before."""
        self.restated.add(order_id)
        pending = self.rows.of(order_adjustment)
        pending[:] = [row for row in pending if row["order_id"] != order_id]
        for one in adjustments:
            self.rows.add(order_adjustment, id=new_id(), order_id=order_id, **one)

    def at_the_end(self, key: tuple[str, ...], write: Callable[[Tx], object]) -> None:
        """Write this after all else, in the order of the keys.

        For rows that nobody locks beforehand and that many transactions write, such as counts of a location: in one
        fixed order no two of them wait for each other.
        """
        self.last.append((key, write))

    def sent(self, connection_id: str, subject_id: str) -> list[Mapping[str, Any]]:
        """The deliveries of one subject to a connection so far, in turn, those of this transaction too."""
        mine = (connection_id, subject_id)
        waiting = [row for row in self.rows.of(outbox_rows) if (row["connection_id"], row["subject_id"]) == mine]
        return [*outbox.of_subject(self.tx, *mine), *waiting]

    def put_on_hold(
        self,
        order: OrderState,
        kind: str,
        reason: str,
        *,
        handle: str,
        source: str,
        blocks: str = "routing",
        target: tuple[str, str] | None = None,
        terms: HoldTerms = NO_TERMS,
    ) -> HoldState | None:
        """Hold an order, or a part of it: `target` is ("line" or "fo", id). None when it is held so already.

        A hold is one per target, source and handle while it is active.
        """
        target_type, target_id = target or ("order", order.id)
        if any((one.target_id, one.source, one.handle) == (target_id, source, handle) for one in order.holds):
            return None
        row = self.rows.add(
            hold,
            id=new_id(),
            order_id=order.id,
            target_type=target_type,
            target_id=target_id,
            kind=kind,
            reason=reason,
            handle=handle,
            source=source,
            blocks=blocks,
            state="active",
            assignee=terms.assignee,
            due_at=terms.due_at,
            auto_release_at=terms.auto_release_at,
            note=terms.note,
            created_at=self.now,
            released_at=None,
            released_by=None,
        )
        held = HoldState(row["id"], kind, handle, source, blocks, target_type, target_id)
        order.holds.append(held)
        entity = ("order_line" if target_type == "line" else target_type, target_id)
        said = "To be seen to" if blocks == NOTHING else "On hold"
        self.tell(order.id, entity, "held", f"{said} ({kind}): {reason}", hold=row["id"])
        self._ask_all(order)
        return held

    def end_hold(self, order: OrderState, held: HoldState, said: str, *, state: str = "released") -> None:
        """End an active hold, and let the hand-overs go that waited for it, those to people as well."""
        waiting = next((row for row in self.rows.of(hold) if row["id"] == held.id), None)
        if waiting is not None:
            waiting.update(state=state, released_at=self.now, released_by=self.actor)
        holds.end(self.tx, [held.id], state, self.actor, self.now)
        order.holds.remove(held)
        entity = ("order_line" if held.target_type == "line" else held.target_type, held.target_id)
        self.tell(order.id, entity, state, said, hold=held.id)
        if held.blocks != ROUTING:
            self.let_go(order)
        self._ask_all(order)

    def _ask_all(self, order: OrderState) -> None:
        """Holds on the order have changed: let its places know, as far as they pack by hand."""
        open_ = {fo.id: fo for fo in order.fos if fo.by_hand and fo.exec_status == "open"}
        for fo in open_.values():
            self.ask_people(order, fo)
        for row in self.rows.of(fulfillment_order) if open_ else ():
            if row["id"] in open_:  # it is not written yet
                fo = open_[row["id"]]
                row.update(request_status=fo.request_status, answer_by=fo.answer_by)

    def ask_people(self, order: OrderState, fo: FoState) -> None:
        """Ask a place that packs by hand, where it has to answer in time, unless a hold stops the work.

        Its time stands still while there is such a hold, and begins anew after it. Safe to call again.
        """
        if fo.request_status not in {"unsubmitted", "submitted"}:
            return
        if order.stops(fo, "submit"):
            fo.answer_by, fo.changed = None, True
        elif fo.answer_by is None and self.locations[fo.location_id].answer_within_min is not None:
            machine.answer(fo, "submitted")
            self.start_clock(fo)

    def start_clock(self, fo: FoState) -> None:
        """The place has been asked: it has to answer in time, where it has a limit."""
        minutes = self.locations[fo.location_id].answer_within_min
        fo.answer_by = None if minutes is None else self.now + timedelta(minutes=minutes)
        fo.changed = True

    def _end_moot_holds(self, order: OrderState) -> None:
        """A hold on a part that nobody works on any more holds nothing, nor does the search for a place when no unit
        needs one.
        """
        live = {fo.id for fo in order.fos if fo.is_live}
        live |= {line.id for line in order.lines if line.ordered > line.cancelled + line.shipped}
        for held in [one for one in order.holds if one.target_type != "order" and one.target_id not in live]:
            self.end_hold(order, held, f"The hold ({held.kind.replace('_', ' ')}) ended with what it lay on.")
        if any(line.unrouted > 0 for line in order.lines):
            return
        for held in [one for one in order.holds if one.blocks == ROUTING and one.source in {"router", "fulfiller"}]:
            self.end_hold(
                order, held, f"The hold ({held.kind.replace('_', ' ')}) ended: nothing needs a place any more."
            )

    def _note_refund(self, order: OrderState) -> None:
        """Have somebody see to what the customer is to get back, for as long as the channel has not given it back.

        What a person has released stays released for as long as the amount is the same.
        """
        asked = [one for one in order.holds if one.source == MONEY]
        if (order.channel_document is None and not asked) or not owed.is_settled(order):
            return
        amount, said = owed.refund(order, self.connections[order.connection_id].name)
        handle = f"{owed.KIND}:{amount}"
        for held in [one for one in asked if one.handle != handle]:
            self.end_hold(order, held, "The hold (refund due) ended: it is not so any more.")
        if amount and (MONEY, handle) not in order.dismissed:
            self.put_on_hold(order, owed.KIND, said, handle=handle, source=MONEY, blocks=NOTHING)

    def _close_refusals(self) -> None:
        """What a place refused is nobody's problem any more once no unit of the order needs a place."""
        placed = [order for order in self.orders.values() if not any(line.unrouted > 0 for line in order.lines)]
        fos = [fo for order in placed for fo in order.fos]
        given_up = [fo.id for fo in fos if fo.exec_status == "cancelled" and fo.handler_id is not None]
        outbox.close_refused(self.tx, given_up, self.now)

    def _ask_for_the_rest(self) -> None:
        """Have channels asked for orders that came in part, and let those go that are whole now."""
        by_connection: dict[str, set[str]] = {}
        for connection_id, external_id in self.asks:
            by_connection.setdefault(connection_id, set()).add(external_id)
        for connection_id, external_ids in sorted(by_connection.items()):
            inquiries.put(self.tx, connection_id, external_ids, self.now, waits=True)
            self.wakes.add(f"ask:{connection_id}")
        if self.told:
            inquiries.end(self.tx, [(order.connection_id, order.external_id) for order in self.told])
            self.let_go(*self.told)

    def let_go(self, *those: OrderState) -> None:
        """Look at hand-overs again that waited."""
        waiting = [fo.id for order in those for fo in order.fos if fo.is_live]
        free = outbox.let_go(self.tx, waiting, self.now)
        self.wakes |= {f"outbox:{connection_id}" for connection_id in free}

    def add_lines(self, order: OrderState) -> None:
        """Insert the lines of an order that are new, as they now stand."""
        kits.follow(order.lines)
        for line in order.lines:
            if line.is_new:
                self.rows.add(order_line, **{name: getattr(line, name) for name in _LINE_COLUMNS})
                line.is_new = False

    def flush(self) -> None:
        """Write everything: stock first, since it may find a conflict."""
        if self.stock.has_risen():
            self.wakes.add("refill")
        self.stock.flush()
        for order in self.orders.values():
            self.add_lines(order)
            self._end_moot_holds(order)
            self._note_refund(order)
        self._close_refusals()
        orders.save(self.tx, list(self.orders.values()), self.now)
        orders.drop_adjustments(self.tx, self.restated)
        self.restated.clear()
        self.rows.flush(self.tx)
        for _, write in sorted(self.last, key=lambda one: one[0]):
            write(self.tx)
        self.last.clear()
        self._ask_for_the_rest()
        if self.stock.changed_variants:
            self.wakes.add("stock")


_LINE_COLUMNS = (
    "id", "order_id", "line_no", "external_id", "sku", "variant_id", "title", "ordered", "cancelled", "routed",
    "shipped", "delivered", "total_minor", "group_key", "ships", "waits_as", "queue", "promised_on", "auto_cancel_at",
    "kit_line_id", "unwanted",
)  # fmt: skip


def open_desk(runtime: Runtime, tx: Tx, variant_ids: set[str], *, actor: str) -> Desk:
    """A desk with the stock of `variant_ids` locked. Lock orders before, so that all steps lock in one order."""
    now = runtime.clock()
    known = {row.id: row for row in connections.every(tx)}
    can = {plugin.name: plugin.capabilities for plugin in runtime.registry.plugins}
    able = {row.id: can.get(row.plugin, ()) for row in known.values()}
    locations = catalog.locations(tx)
    recipes = availability.recipes(tx, variant_ids)
    locked = variant_ids | {part.variant_id for parts in recipes.values() for part in parts}
    return Desk(
        tx,
        now,
        actor,
        runtime.rankers,
        runtime.strategies,
        StockBook.open(tx, locked, now, actor),
        {row.id: row for row in locations},
        known,
        tuple(known[key] for key, names in able.items() if "LedgerSink" in names),
        frozenset(key for key, names in able.items() if "ShipmentSink" in names),
        frozenset(locked),
        entry_checks=runtime.entry_checks,
        recipes=recipes,
    )
