"""Orders as they stand, with their lines, fulfillment orders and holds, and the writing of what changed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, func, or_, select, update

from hub.domain.entry import SOURCE, signature
from hub.domain.holds import EVERYTHING, MONEY, ROUTING, STOPPED_BY
from hub.store.database import Tx
from hub.store.numbers import number
from hub.store.rows import chunks
from hub.store.tables import (
    fo_line,
    fulfillment_order,
    hold,
    order_adjustment,
    order_line,
    orders,
    route_decision,
    route_exclusion,
    variant,
)

LIVE_EXEC = frozenset({"scheduled", "open", "in_progress"})
LASTING = 12  # letters of a number made from a key: a clash would come again with every attempt


@dataclass(slots=True)
class LineState:
    """An order line; counters are whole units."""

    id: str
    order_id: str
    line_no: int
    external_id: str
    sku: str
    variant_id: str | None
    title: str
    ordered: int
    cancelled: int
    routed: int
    shipped: int
    delivered: int
    total_minor: int
    group_key: str | None
    ships: bool
    waits_as: str | None = None  # why units have no place: backorder, preorder or queue; None: nothing waits
    queue: str | None = None  # the queue that a routing step named
    promised_on: date | None = None  # when the waiting units are expected to leave
    auto_cancel_at: datetime | None = None  # waiting units are cancelled then
    kit_line_id: str | None = None  # the kit line whose component this is
    unwanted: int = 0  # routed units that are cancelled as soon as their place gives them back
    is_new: bool = False
    changed: bool = False

    @property
    def wanted(self) -> int:
        """Units that somebody still wants, shipped ones included."""
        return self.ordered - self.cancelled - self.unwanted

    @property
    def unrouted(self) -> int:
        """Units that still need a place to ship from."""
        return self.ordered - self.cancelled - self.routed if self.ships else 0


@dataclass(slots=True)
class FoLineState:
    id: str
    fo_id: str
    order_line_id: str
    variant_id: str
    position_id: str
    quantity: int
    shipped: int
    cancelled: int
    refused: int = 0  # of the cancelled ones, those that a refusal was about
    sku: str = ""
    changed: bool = False

    @property
    def live(self) -> int:
        """Units still to be shipped from here; exactly these are committed at the location."""
        return self.quantity - self.shipped - self.cancelled


@dataclass(slots=True)
class FoState:
    """A fulfillment order."""

    id: str
    number: str
    order_id: str
    location_id: str
    handler_id: str | None
    handling: str
    exec_status: str
    request_status: str
    external_id: str | None
    reason: str
    reason_code: str | None = None
    method: str = "ship"  # ship, pickup or ship_to_store
    deliver_to_id: str | None = None  # the store that goods are sent to for collection
    fulfil_at: datetime | None = None  # not handed over before
    answer_by: datetime | None = None  # not answered by then: taken away
    ready_at: datetime | None = None  # waits at the counter since
    collect_by: datetime | None = None
    collected_at: datetime | None = None
    created_at: datetime | None = None
    lines: list[FoLineState] = field(default_factory=list)
    changed: bool = False

    @property
    def is_live(self) -> bool:
        return self.exec_status in LIVE_EXEC

    @property
    def live_units(self) -> int:
        return sum(line.live for line in self.lines)

    @property
    def is_asked_back(self) -> bool:
        """Whether its place was asked to stop, and works on it still."""
        return self.is_live and self.request_status in {"cancellation_requested", "cancellation_rejected"}

    @property
    def by_hand(self) -> bool:
        """Whether the people of the place see it in their queue, and no handler is told."""
        return self.handler_id is None or self.handling == "manual"


@dataclass(slots=True)
class HoldState:
    """An active hold; its target is the order, one of its lines or one of its fulfillment orders."""

    id: str
    kind: str
    handle: str
    source: str
    blocks: str
    target_type: str
    target_id: str


@dataclass(slots=True)
class OrderState:
    """An order with everything that decides what may happen to it next."""

    id: str
    connection_id: str
    external_id: str
    number: str
    revision: str
    document_hash: str
    document: dict[str, Any]
    lifecycle: str
    remote_status: str
    currency: str
    placed_at: datetime
    method: str = "ship"  # ship or pickup
    pickup_location_id: str | None = None  # where the customer collects
    ship_by: date | None = None
    promise_on: date | None = None  # the day by which the customer was promised it
    priority: int = 0  # higher goes first in a batch
    route_after: datetime | None = None  # a grace period or a later day of shipping
    channel_document: dict[str, Any] | None = None  # what the channel says, where something was changed here
    asks_adviser: str | None = None  # the fulfillment order that is being replaced, or ""; None: nobody is asked
    lines: list[LineState] = field(default_factory=list)
    fos: list[FoState] = field(default_factory=list)
    holds: list[HoldState] = field(default_factory=list)
    dismissed: set[tuple[str, str]] = field(default_factory=set)  # (source, handle) of findings a person released
    excluded: set[tuple[str, str]] = field(default_factory=set)
    rests: dict[tuple[str, str], datetime] = field(default_factory=dict)  # excluded until then: (line, location)
    attempts: int = 0
    changes: dict[str, Any] = field(default_factory=dict)

    def line(self, line_id: str) -> LineState:
        return next(line for line in self.lines if line.id == line_id)

    def is_blocked(self, step: str) -> bool:
        """Whether a hold on the order as a whole stops this step."""
        return any(one.blocks in {step, EVERYTHING} and one.target_type == "order" for one in self.holds)

    def to_route(self, line: LineState) -> int:
        """Units of a line that need a place, unless a hold on it, or on a line that has to stay with it, stops that."""
        stops = {ROUTING, EVERYTHING}
        held = {one.target_id for one in self.holds if one.blocks in stops and one.target_type == "line"}
        if not held:
            return line.unrouted
        with_it = {line.id, line.kit_line_id}
        with_it |= {other.id for other in self.lines if line.group_key and other.group_key == line.group_key}
        return 0 if held & with_it else line.unrouted

    def stops(self, fo: FoState, step: str) -> HoldState | None:
        """The hold that stops a step of a fulfillment order ("submit", "buy_label", "ship"): its own, the order's or
        that of a line it still holds units of.
        """
        mine = {self.id, fo.id, *(line.order_line_id for line in fo.lines if line.live)}
        return next((one for one in self.holds if one.blocks in STOPPED_BY[step] and one.target_id in mine), None)

    @property
    def of_channel(self) -> dict[str, Any]:
        """The order as its channel states it."""
        return self.document if self.channel_document is None else self.channel_document

    @property
    def origin(self) -> str:
        """The order as it is known outside. What goes outside is named after it and not after ids of ours: taken in
        again after a backup was restored, the order gets the same names, and a look-up finds what left before.
        """
        return f"{self.connection_id}:{self.external_id}"

    def next_fo_number(self, location_id: str) -> str:
        """The number of the next fulfillment order at a place."""
        before = sum(fo.location_id == location_id for fo in self.fos)
        return number("FO", f"{self.origin}:{location_id}:{before}", letters=LASTING)


_ORDER = [
    orders.c[name]
    for name in (
        "id",
        "connection_id",
        "external_id",
        "number",
        "revision",
        "document_hash",
        "document",
        "lifecycle",
        "remote_status",
        "currency",
        "placed_at",
        "method",
        "pickup_location_id",
        "ship_by",
        "promise_on",
        "priority",
        "route_after",
        "channel_document",
        "asks_adviser",
    )
]
_LINE = [
    order_line.c[name]
    for name in (
        "id",
        "order_id",
        "line_no",
        "external_id",
        "sku",
        "variant_id",
        "title",
        "ordered",
        "cancelled",
        "routed",
        "shipped",
        "delivered",
        "total_minor",
        "group_key",
        "ships",
        "waits_as",
        "queue",
        "promised_on",
        "auto_cancel_at",
        "kit_line_id",
        "unwanted",
    )
]
_FO = [
    fulfillment_order.c[name]
    for name in (
        "id",
        "number",
        "order_id",
        "location_id",
        "handler_id",
        "handling",
        "exec_status",
        "request_status",
        "external_id",
        "reason",
        "reason_code",
        "method",
        "deliver_to_id",
        "fulfil_at",
        "answer_by",
        "ready_at",
        "collect_by",
        "collected_at",
        "created_at",
    )
]
_FO_LINE = [
    fo_line.c[name]
    for name in (
        "id",
        "fo_id",
        "order_line_id",
        "variant_id",
        "position_id",
        "quantity",
        "shipped",
        "cancelled",
        "refused",
    )
] + [variant.c.sku]


def ids_by_external(tx: Tx, connection_id: str, external_ids: Collection[str]) -> dict[str, str]:
    """Order ids by the channel's id."""
    found: dict[str, str] = {}
    for part in chunks(external_ids):
        query = select(orders.c.external_id, orders.c.id).where(
            orders.c.connection_id == connection_id, orders.c.external_id.in_(part)
        )
        found.update((row[0], row[1]) for row in tx.execute(query))
    return found


@dataclass(frozen=True, slots=True)
class Lookalike:
    """What of an order two orders are compared by. `bought` is its signature."""

    order_id: str
    number: str
    email: str
    currency: str
    total_minor: int
    placed_at: datetime
    bought: tuple[tuple[str, int], ...]

    @property
    def likeness(self) -> tuple[Any, ...]:
        """Equal for orders that look alike."""
        return (self.email, self.currency, self.total_minor, self.bought)


_LOOKS = 25
# One look into the index for each, so that an address which many orders share costs no more than others. The statement
# is built once, for so many at a time; building it takes longer than running it.
_ALIKE = select(
    *(orders.c[name] for name in ("id", "number", "email", "currency", "total_minor", "placed_at", "document"))
).where(
    orders.c.lifecycle != "cancelled",
    or_(
        *(
            (orders.c.email == bindparam(f"email{at}"))
            & orders.c.placed_at.between(bindparam(f"since{at}"), bindparam(f"until{at}"))
            & (orders.c.total_minor == bindparam(f"total{at}"))
            for at in range(_LOOKS)
        )
    ),
)


def lookalikes(tx: Tx, wanted: Collection[Lookalike], within: timedelta) -> list[Lookalike]:
    """Orders of the same e-mail address and total as one of these, placed at most so much before or after it.

    Cancelled ones are left out; the first one comes first.
    """
    found: dict[str, Lookalike] = {}
    named = [one for one in wanted if one.email]
    for start in range(0, len(named), _LOOKS):
        part = named[start : start + _LOOKS]
        part += part[-1:] * (_LOOKS - len(part))
        asked: dict[str, Any] = {}
        for at, one in enumerate(part):
            since, until = one.placed_at - within, one.placed_at + within
            asked |= {f"email{at}": one.email, f"since{at}": since, f"until{at}": until, f"total{at}": one.total_minor}
        for row in tx.execute(_ALIKE, asked):
            values = (row.id, row.number, row.email, row.currency, row.total_minor, row.placed_at)
            found[row.id] = Lookalike(*values, signature(row.document))
    return [found[key] for key in sorted(found)]


def load(tx: Tx, order_ids: Collection[str], *, lock: bool = True) -> dict[str, OrderState]:
    """Lock orders, in one fixed order, and read all that belongs to them; one query per table.

    The lock lets others write rows that refer to an order, such as a hold on it: they need not wait for whoever works
    on the order, who may be waiting for stock that they have.
    """
    found: dict[str, OrderState] = {}
    for part in chunks(order_ids):
        query = select(*_ORDER).where(orders.c.id.in_(part)).order_by(orders.c.id)
        for row in tx.execute(query.with_for_update(key_share=True) if lock else query):
            found[row.id] = OrderState(*row)
        _load_parts(tx, part, found)
    return found


def _load_parts(tx: Tx, part: list[str], found: dict[str, OrderState]) -> None:
    lines = select(*_LINE).where(order_line.c.order_id.in_(part)).order_by(order_line.c.line_no)
    for row in tx.execute(lines):
        found[row.order_id].lines.append(LineState(*row))
    fos: dict[str, FoState] = {}
    for row in tx.execute(select(*_FO).where(fulfillment_order.c.order_id.in_(part)).order_by(fulfillment_order.c.id)):
        fos[row.id] = FoState(*row)
        found[row.order_id].fos.append(fos[row.id])
    for ids in chunks(fos):
        lines_of = select(*_FO_LINE).join(variant, variant.c.id == fo_line.c.variant_id)
        for row in tx.execute(lines_of.where(fo_line.c.fo_id.in_(ids)).order_by(fo_line.c.id)):
            fos[row.fo_id].lines.append(FoLineState(*row))
    _load_holds(tx, part, found)
    what = route_exclusion.c
    refused = select(order_line.c.order_id, what.order_line_id, what.location_id, what.until)
    joined = refused.join(order_line, order_line.c.id == route_exclusion.c.order_line_id)
    for row in tx.execute(joined.where(order_line.c.order_id.in_(part))):
        pair = (row.order_line_id, row.location_id)
        if row.until is None:
            found[row.order_id].excluded.add(pair)
        else:
            found[row.order_id].rests[pair] = row.until
    tries = select(route_decision.c.order_id, func.max(route_decision.c.attempt).label("attempts"))
    for row in tx.execute(tries.where(route_decision.c.order_id.in_(part)).group_by(route_decision.c.order_id)):
        found[row.order_id].attempts = row.attempts


def _load_holds(tx: Tx, part: list[str], found: dict[str, OrderState]) -> None:
    """Active holds, and what a person has released of the findings of entry checks and of the refunds asked for."""
    dismissed = hold.c.source.in_((SOURCE, MONEY)) & (hold.c.state == "released") & hold.c.released_by.like("person:%")
    query = select(
        hold.c.order_id, hold.c.id, hold.c.kind, hold.c.handle, hold.c.source, hold.c.blocks, hold.c.target_type,
        hold.c.target_id, hold.c.state,
    )  # fmt: skip
    wanted = query.where(hold.c.order_id.in_(part), (hold.c.state == "active") | dismissed)
    for order_id, *values, state in tx.execute(wanted.order_by(hold.c.id)):
        order, held = found[order_id], HoldState(*values)
        if state == "active":
            order.holds.append(held)
        else:
            order.dismissed.add((held.source, held.handle))


def save(tx: Tx, states: Collection[OrderState], now: datetime) -> None:
    """Write what changed on known orders, lines and fulfillment orders; new rows are not this function's."""
    _save_headers(tx, [state for state in states if state.changes], now)
    _bulk_update(
        tx,
        order_line,
        _LINE_CHANGES,
        [line for state in states for line in state.lines if line.changed and not line.is_new],
    )
    fos = [fo for state in states for fo in state.fos if fo.changed]
    _bulk_update(tx, fulfillment_order, _FO_CHANGES, fos, updated_at=now)
    _bulk_update(
        tx,
        fo_line,
        ("shipped", "cancelled", "refused"),
        [line for s in states for fo in s.fos for line in fo.lines if line.changed],
    )


def _save_headers(tx: Tx, states: Collection[OrderState], now: datetime) -> None:
    """What changed on the orders themselves: one statement for those of which the same changed."""
    alike: dict[tuple[str, ...], list[OrderState]] = {}
    for state in states:
        alike.setdefault(tuple(sorted(state.changes)), []).append(state)
    for names, those in alike.items():
        values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
        tx.execute(
            update(orders)
            .where(orders.c.id == bindparam("key"))
            .values(updated_at=now, version=orders.c.version + 1, **values),
            [{"key": one.id, **{f"new_{name}": one.changes[name] for name in names}} for one in those],
        )
        for one in those:
            one.changes = {}


_LINE_CHANGES = (
    "variant_id", "sku", "title", "ordered", "cancelled", "routed", "shipped", "delivered", "total_minor", "waits_as",
    "queue", "promised_on", "auto_cancel_at", "ships", "unwanted",
)  # fmt: skip
_FO_CHANGES = (
    "exec_status", "request_status", "external_id", "reason", "reason_code", "fulfil_at", "answer_by", "ready_at",
    "collect_by", "collected_at",
)  # fmt: skip


def _bulk_update(tx: Tx, table: Table, columns: tuple[str, ...], states: Collection[Any], **fixed: Any) -> None:
    if not states:
        return
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    tx.execute(
        update(table).where(table.c.id == bindparam("key")).values(**values, **fixed),
        [{"key": one.id, **{f"new_{name}": getattr(one, name) for name in columns}} for one in states],
    )
    for one in states:
        one.changed = False


def live_fos(tx: Tx, fo_ids: Collection[str]) -> set[str]:
    """Those of the fulfillment orders that are still to be worked on."""
    found: set[str] = set()
    for part in chunks(fo_ids):
        fo = fulfillment_order.c
        query = select(fo.id).where(fo.id.in_(part), fo.exec_status.in_(sorted(LIVE_EXEC)))
        found |= set(tx.execute(query).scalars())
    return found


def asked_back(tx: Tx, fo_ids: Collection[str]) -> set[str]:
    """Those of the fulfillment orders whose place was asked to stop and has not answered."""
    found: set[str] = set()
    for part in chunks(fo_ids):
        fo = fulfillment_order.c
        query = select(fo.id).where(fo.id.in_(part), fo.request_status == "cancellation_requested")
        found |= set(tx.execute(query).scalars())
    return found


@dataclass(frozen=True, slots=True)
class UnlinkedLine:
    """A line of an unfinished order that is no article of ours yet. `inbox_id` is what its order was last read from."""

    order_id: str
    inbox_id: str
    sku: str
    external_variant_id: str


def unlinked_lines(tx: Tx, connection_id: str, *, sku: str = "", external_variant_id: str = "") -> list[UnlinkedLine]:
    """Lines of one channel that wait to be linked, of a SKU or of a listing."""
    columns = [orders.c.id, orders.c.inbox_id, orders.c.document, order_line.c.sku, order_line.c.external_id]
    query = (
        select(*columns)
        .join(order_line, order_line.c.order_id == orders.c.id)
        .where(
            orders.c.connection_id == connection_id,
            orders.c.lifecycle.in_(("pending", "open")),
            order_line.c.variant_id.is_(None),
            order_line.c.ships.is_(True),
        )
    )
    if sku:
        query = query.where(order_line.c.sku == sku)
    found = []
    for order_id, inbox_id, document, line_sku, line_id in tx.execute(query):
        listings = {one["external_id"]: one.get("external_variant_id") or "" for one in document["lines"]}
        listing = listings.get(line_id, "")
        if not external_variant_id or external_variant_id == listing:
            found.append(UnlinkedLine(order_id, inbox_id, line_sku, listing))
    return found


def drop_adjustments(tx: Tx, order_ids: Collection[str]) -> None:
    """Forget the adjustments of orders of which new ones are stated."""
    for part in chunks(order_ids):
        tx.execute(delete(order_adjustment).where(order_adjustment.c.order_id.in_(part)))
