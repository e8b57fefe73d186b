"""What was found at the end: each order as the hub and the world outside hold it, stock, and what was done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hub.demo.day import Day
from hub.demo.script import BY_3PL, Scripted, Standing
from hub.store import ledger
from hub.store.database import Tx
from hub.store.views import doors, stock
from hub.store.views.doors import InboxQuery, OutboxQuery
from hub.store.views.order import OrderDetail
from hub.store.views.stock import StockQuery, StockRow

PARKED_ON_PURPOSE = 1  # the webhook that was cut in half
REFUSED_ON_PURPOSE = 1  # the parcel of an order that the shop had cancelled


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the world outside has, by our references: how many, so that what came twice is seen."""

    at_3pl: Counter[str]
    stopped: Counter[str]
    labels: Counter[str]
    sales_orders: Counter[str]
    invoices: Counter[str]

    def twice(self) -> list[str]:
        """What exists more often than once."""
        found = []
        for what, counts in (
            ("the 3PL has order", self.at_3pl),
            ("the carrier sold a label for", self.labels),
            ("the ERP has sales order", self.sales_orders),
            ("the ERP has invoice", self.invoices),
        ):
            found += [f"{what} {key} {times} times" for key, times in counts.items() if times > 1]
        return found


def gather(day: Day) -> Evidence:
    """Read what the 3PL, the carrier and the ERP have."""
    town = day.town
    called_off = [one["order_number"] for one in town.threepl.orders if one["fulfillment_status"] == "canceled"]
    living = [one["order_number"] for one in town.threepl.orders if one["fulfillment_status"] != "canceled"]
    return Evidence(
        Counter(living),
        Counter(called_off),
        Counter(one["reference"] for one in town.carrier.bought if one["refund_status"] != "submitted"),
        Counter(one["client_order_ref"] for one in town.erp.orders()),
        Counter(one["ref"] for one in town.erp.invoices()),
    )


def found(day: Day, one: Scripted, evidence: Evidence) -> Standing:
    """One order as it stands now."""
    try:
        detail = day.detail(one.role, one.external_id)
    except KeyError:
        return Standing("unknown to the hub")
    numbers = [fo.number for fo in detail.fulfillment_orders]
    skus = {line.id: line.article or line.sku for line in detail.lines}
    left: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    for fo in detail.fulfillment_orders:
        for line in fo.lines:
            left[f"{fo.location} {line.sku}"] += line.shipped
            kept[f"{fo.location} {line.sku}"] += line.quantity - line.shipped - line.cancelled
    waits = {skus[line.id]: line.unrouted for line in detail.lines if line.unrouted and detail.row.lifecycle == "open"}
    told = list(_told(day, one))
    return Standing(
        state=_state(detail),
        left=_some(left),
        kept=_some(kept),
        waits=waits,
        at_3pl=sum(evidence.at_3pl[number] for number in numbers),
        stopped=sum(evidence.stopped[number] for number in numbers),
        labels=sum(evidence.labels[number] for number in numbers),
        sales_orders=_documents(evidence.sales_orders, detail),
        invoices=_documents(evidence.invoices, detail),
        told=len(told),
        told_units=_some(sum((Counter(parcel) for parcel in told), Counter())),
    )


def _state(detail: OrderDetail) -> str:
    """The phase as the console shows it; what holds an order is named."""
    if detail.row.lifecycle == "completed" and not any(line.ships for line in detail.lines):
        return "done by the channel"
    if detail.row.phase == "on_hold":
        return "on_hold: " + ", ".join(sorted({one.kind for one in detail.row.holds}))
    return detail.row.phase


def _documents(counts: Counter[str], detail: OrderDetail) -> int:
    named = f"-{detail.row.number.lstrip('#')}-"
    return sum(times for reference, times in counts.items() if named in reference)


def _some(counts: Counter[str]) -> dict[str, int]:
    return {key: units for key, units in counts.items() if units}


def _told(day: Day, one: Scripted) -> Iterator[dict[str, int]]:
    """Units by the channel's SKU of every parcel that the channel knows of."""
    if one.role == "market":
        order = day.town.market.orders[one.external_id]
        skus = {item["orderItemId"]: item["product"]["sellerSku"] for item in order["orderItems"]}
        for parcel in day.town.market.packages(one.external_id):
            yield {skus[item["orderItemId"]]: item["quantity"] for item in parcel["packageItems"]}
        return
    bought = next(order for order in day.placed if str(order.id) == one.external_id)
    skus = {str(line.id): line.sku for line in bought.lines}
    for parcel in day.town.shop.fulfillments(one.external_id):
        yield {skus[line]: units for line, units in parcel["units"].items()}


# Stock.


@dataclass(frozen=True, slots=True)
class StockLine:
    """One article: units on hand by location, promised ones, what may be sold, and what each channel shows."""

    sku: str
    on_hand: dict[str, int]
    promised: int
    sellable: int
    shown: dict[str, int]
    wrong: tuple[str, ...]


def stock_lines(day: Day) -> list[StockLine]:
    rows = day.town.house.ask(lambda tx: stock.find(tx, StockQuery(limit=200))).rows
    return [_stock_line(day, row) for row in rows]


def _stock_line(day: Day, row: StockRow) -> StockLine:
    on_hand = {one.location: one.on_hand for one in row.positions}
    sellable = max(0, sum(max(0, one.available) for one in row.positions) - row.unrouted)
    shown = {"shop": day.town.shop.available(row.sku), "market": day.town.market.quantity(row.sku)}
    wrong = [
        f"{row.sku}: the {role} shows {units} instead of {sellable}"
        for role, units in shown.items()
        if units != sellable
    ]
    wrong += [f"{row.sku}: {one.channel} was not told ({one.error})" for one in row.channels if one.error]
    theirs = _at_3pl(day, row.sku)
    if theirs is not None and theirs != on_hand.get(BY_3PL, 0):
        wrong.append(f"{row.sku}: the 3PL has {theirs} and the hub believes in {on_hand.get(BY_3PL, 0)}")
    return StockLine(row.sku, on_hand, row.committed + row.unrouted, sellable, shown, tuple(wrong))


def _at_3pl(day: Day, sku: str) -> int | None:
    levels: dict[tuple[str, str], Any] = day.town.threepl.warehouse.levels
    known = [level["on_hand"] for (name, _), level in levels.items() if name == sku]
    return int(sum(known)) if known else None


# The books and the doors.


def books(day: Day) -> list[str]:
    """Positions that are not the sum of their moves."""
    differences = day.town.house.ask(ledger.differences)
    return [
        f"position {one['position_id']} says {one['position']} {one['state']}, its moves {one['ledger']}"
        for one in differences
    ]


@dataclass(frozen=True, slots=True)
class Doors:
    """What the doors hold at the end: rows by status, and how many webhooks came again."""

    inbox: dict[str, int]
    outbox: dict[str, int]
    duplicates: int

    def wrong(self) -> list[str]:
        parked, refused = self.inbox.get("dead", 0), self.outbox.get("rejected", 0)
        left = {name: count for name, count in self.outbox.items() if name not in _SETTLED}
        found = [f"{count} messages are {name}" for name, count in left.items()]
        if parked != PARKED_ON_PURPOSE:
            found.append(f"{parked} deliveries are parked instead of {PARKED_ON_PURPOSE}")
        if refused != REFUSED_ON_PURPOSE:
            found.append(f"{refused} messages were refused instead of {REFUSED_ON_PURPOSE}")
        return found


_SETTLED = frozenset({"delivered", "superseded", "rejected"})


def doors_of(day: Day) -> Doors:
    def look(tx: Tx) -> Doors:
        return Doors(doors.inbox_counts(tx), doors.outbox_counts(tx), sum(_repetitions(tx)))

    return day.town.house.ask(look)


def _repetitions(tx: Tx) -> Iterator[int]:
    """How often each webhook came again."""
    after: str | None = ""
    while after is not None:
        page = doors.inbox_rows(tx, InboxQuery(after=after, limit=500))
        yield from (row.duplicates for row in page.rows if row.source == "webhook")
        after = page.next


def refused_messages(day: Day) -> list[str]:
    """What an outside system said no to, in words."""
    rows = day.town.house.ask(lambda tx: doors.outbox_rows(tx, OutboxQuery(statuses=("rejected",)))).rows
    return [f"{row.operation} of {row.order_number}: {row.channel} said {row.error}" for row in rows]
