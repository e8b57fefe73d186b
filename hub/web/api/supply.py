"""Suppliers, purchase orders, reorder proposals, orders that wait, and alerts of low stock."""

from __future__ import annotations

from datetime import date
from typing import Any

from hub.domain.purchasing import CONDITIONS, MOST_COST_MINOR
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate import purchasing as buy
from hub.flows.operate import reorder as drafts
from hub.flows.operate import suppliers as sell
from hub.flows.operate import waiting as wait
from hub.flows.operate.purchasing import Confirmed, Delivered, Wanted
from hub.flows.operate.suppliers import Offer
from hub.flows.reorder import Need, Reckoning, reckon
from hub.store import suppliers
from hub.store.purchasing import LineState
from hub.store.suppliers import Item, Supplier
from hub.store.views import order as order_view
from hub.store.views import stock as stock_view
from hub.store.views import supply as supply_view
from hub.store.views.supply import AlertRow, PurchaseDetail, PurchaseQuery, PurchaseRow, WaitingQuery, WaitingRow
from hub.web.api import operation
from hub.web.api.operation import PAGED, REASON, Call, Operation, closed, may_see_contact, page_of, read
from hub.web.api.shapes import MOST_ROWS, Json, many, maybe, moment, obj, picked, ref, text, truth, whole
from hub.web.api.shapes import page_of as paged
from hub.web.context import caller, console
from hub.web.problems import Problem


def day(description: str) -> Json:
    return text(description, format="date")


def number(description: str) -> Json:
    return {"type": "number", "description": description}


SUPPLIER = obj(
    "Who goods are bought from. Amounts are whole minor units of `currency`.",
    id=text("Id."), code=text("Code."), name=text("Name."), email=text("Where orders are sent."),
    currency=text("ISO 4217."), lead_time_days=whole("Days from order to shelf."),
    review_days=whole("How often one orders there, in days."), min_order_minor=whole("The least order value."),
    note=text("Note."), active=truth("Whether one still buys there."),
)  # fmt: skip
OFFER = obj(
    "An article as a supplier sells it.",
    sku=text("Our SKU."), supplier_sku=text("The supplier's."), cost_minor=whole("Per unit."),
    pack_size=whole("Units of a pack."), min_quantity=whole("The fewest units."),
    lead_time_days=maybe(whole("Days; null: the supplier's.")), preferred=truth("Whether it is bought here."),
)  # fmt: skip
PURCHASE = obj(
    "A purchase order in short.",
    id=text("Id."), number=text("Number."), supplier=text("Code."), location=text("Code of where the goods go."),
    status=text("draft, ordered, acknowledged, partially_received, received, closed, closed_short or cancelled."),
    currency=text("ISO 4217."), created_at=moment("Written."), ordered_at=maybe(moment("Sent.")),
    lines=whole("Lines."), ordered=whole("Units ordered."), received=whole("Units that arrived."),
    rejected=whole("Units of these that were rejected."), open=whole("Units still to come."),
    total_minor=whole("What was ordered, in minor units."), due=maybe(day("When the next are expected.")),
)  # fmt: skip
PURCHASE_LINE = obj(
    "Units of an article on a purchase order.",
    sku=text("Our SKU."), title=text("Title."), ordered=whole("Ordered."),
    acknowledged=maybe(whole("Confirmed; null: not yet.")), received=whole("Arrived, rejected included."),
    rejected=whole("Rejected."), closed=whole("Will not come."), open=whole("Still to come."),
    cost_minor=whole("Per unit."), promise_on=maybe(day("Promised for.")),
)  # fmt: skip
PURCHASE_DETAIL = obj(
    "A purchase order with its lines and its history.",
    number=text("Number."), supplier=text("Code."), location=text("Code."), status=text("State."),
    currency=text("ISO 4217."), expected_on=maybe(day("Expected as a whole.")),
    over_percent=whole("So much more may be received."), note=text("Note."), total_minor=whole("What was ordered."),
    lines=many(ref("PurchaseLine")),
    dates=many(
        obj("A moved day.", sku=text("SKU."), from_on=maybe(day("Before.")), to_on=maybe(day("After.")),
            reason=text("Why."), actor=text("Who."), at=moment("When.")),
        "Newest first.",
    ),
)  # fmt: skip
PROPOSAL = obj(
    "Units to reorder, and every number that made them.",
    sku=text("Our SKU."), title=text("Title."), units=whole("To order."), wanted=whole("Before packs and limits."),
    point=whole("Reorder point."), level=whole("Filled up to."), safety=number("Safety stock."),
    per_day=number("Demand of a day in stock."), deviation=number("Its standard deviation."),
    days=whole("Days in stock that count."), left_out=whole("Days without stock."),
    available=whole("Free."), incoming=whole("On order or on its way."), drafted=whole("On drafts."),
    waiting=whole("Units that orders wait for."), lead_days=whole("Lead time."), review_days=whole("Review period."),
    service_level=whole("Percent."), forecast=maybe(number("Of the last days, by the ones before.")),
    actual=maybe(whole("What came.")), remarks=many(text("A remark.")), supplier=maybe(text("Code.")),
    cost_minor=whole("Of the units."), currency=maybe(text("ISO 4217.")),
    transfer_from=maybe(text("A place with more than it needs.")), transfer_units=maybe(whole("Units it can give.")),
)  # fmt: skip
WAITING = obj(
    "An order line that waits.",
    line_id=text("Id of the line."), order_id=text("Id of the order."), number=text("Number of the order."),
    email=maybe(text("Only for keys of the role ops and above.")), sku=text("SKU."), units=whole("Units that wait."),
    waits_as=text("backorder, preorder or queue."), queue=maybe(text("Name of the queue.")),
    since=moment("When the order was placed."), promised_on=maybe(day("When the goods are expected.")),
    told_on=maybe(day("What the customer was told.")), is_news=truth("Whether the customer is to be told."),
    auto_cancel_at=maybe(moment("When its units are cancelled.")),
    behind=many(obj("Goods on order.", number=text("Purchase order."), units=whole("Units."), due=maybe(day("Due.")))),
)  # fmt: skip
ALERT = obj(
    "A position that runs low.",
    sku=text("SKU."), location=text("Code."), kind=text("low or out."), units=whole("Available."),
    threshold=whole("Raised at."), raised_at=moment("When."),
)  # fmt: skip
DRAFTS = obj("Drafts.", numbers=many(text("Number.")), warnings=many(text("What to think of before they are sent.")))
DONE = obj("What came of it.", changed=truth("False when it was so before."))
COMPONENTS: dict[str, Json] = {
    "Supplier": SUPPLIER, "Offer": OFFER, "Purchase": PURCHASE, "PurchaseLine": PURCHASE_LINE,
    "PurchaseDetail": PURCHASE_DETAIL, "Proposal": PROPOSAL, "Waiting": WAITING, "Alert": ALERT,
}  # fmt: skip


def supplier_shape(one: Supplier) -> Json:
    return picked(one, SUPPLIER)


def offer_shape(one: Item) -> Json:
    return picked(one, OFFER)


def purchase_shape(one: PurchaseRow) -> Json:
    return picked(one, PURCHASE)


def line_shape(one: LineState) -> Json:
    return picked(one, PURCHASE_LINE)


def detail_shape(one: PurchaseDetail) -> Json:
    head = {name: getattr(one.order, name) for name in PURCHASE_DETAIL["properties"] if hasattr(one.order, name)}
    dates = [
        {name: getattr(change, name) for name in ("sku", "from_on", "to_on", "reason", "actor", "at")}
        for change in one.dates
    ]
    return head | {
        "lines": [line_shape(line) for line in one.order.lines],
        "dates": dates,
        "total_minor": one.total_minor,
    }


def proposal_shape(one: Need) -> Json:
    made, test = one.proposal, one.back_test
    return {
        "sku": one.sku, "title": one.title, "units": made.units, "wanted": made.wanted, "point": made.point,
        "level": made.level, "safety": round(made.safety, 2), "per_day": round(made.demand.per_day, 4),
        "deviation": round(made.demand.deviation, 4), "days": made.demand.days, "left_out": made.demand.left_out,
        "available": made.position.available, "incoming": made.position.incoming, "drafted": made.position.drafted,
        "waiting": made.position.waiting, "lead_days": made.terms.lead_days, "review_days": made.terms.review_days,
        "service_level": made.terms.service_level, "forecast": round(test.forecast, 2) if test else None,
        "actual": test.actual if test else None, "remarks": list(made.remarks),
        "supplier": one.supplier.code if one.supplier else None, "cost_minor": one.cost_minor,
        "currency": one.supplier.currency if one.supplier else None,
        "transfer_from": one.transfer.location if one.transfer else None,
        "transfer_units": one.transfer.units if one.transfer else None,
    }  # fmt: skip


def reckoning_shape(one: Reckoning) -> Json:
    error = one.error_percent
    return {
        "location": one.location, "days": one.days, "articles": one.articles, "forecast": round(one.forecast, 2),
        "actual": one.actual, "error_percent": None if error is None else round(error, 1),
        "rows": [proposal_shape(need) for need in one.needs],
    }  # fmt: skip


def waiting_shape(one: WaitingRow) -> Json:
    names = [name for name in WAITING["properties"] if name not in ("email", "behind")]
    behind = [{"number": share.number, "units": share.units, "due": share.due} for share in one.behind]
    row = {name: getattr(one, name) for name in names}
    return row | {"email": one.email if may_see_contact() else None, "behind": behind}


def alert_shape(one: AlertRow) -> Json:
    return picked(one, ALERT)


def list_suppliers(_call: Call) -> Json:
    return {"rows": [supplier_shape(one) for one in read(suppliers.every)]}


def get_supplier(call: Call) -> Json:
    found: Supplier = read(lambda tx: suppliers.get(tx, call.path["supplier"]))
    offers = read(lambda tx: suppliers.items(tx, found.id))
    return {"supplier": supplier_shape(found), "articles": [offer_shape(one) for one in offers]}


def add_supplier(call: Call) -> Json:
    made = sell.add_supplier(console().runtime, person=caller().actor, **call.body)
    return supplier_shape(read(lambda tx: suppliers.get(tx, made)))


def change_supplier(call: Call) -> Json:
    found = read(lambda tx: suppliers.get(tx, call.path["supplier"]))
    sell.change_supplier(console().runtime, found.id, call.body, person=caller().actor)
    return supplier_shape(read(lambda tx: suppliers.get(tx, found.id)))


def set_offers(call: Call) -> Json:
    found = read(lambda tx: suppliers.get(tx, call.path["supplier"]))
    offers = [Offer(**one) for one in call.body["articles"]]
    left_out = sell.set_offers(console().runtime, found.id, offers, person=caller().actor)
    return {"errors": [{"sku": sku, "message": words} for sku, words in left_out.items()]}


def set_policy(call: Call) -> Json:
    read(lambda tx: stock_view.article(tx, call.path["sku"]))
    sell.set_policy(console().runtime, call.path["sku"], person=caller().actor, **call.body)
    return {"changed": True}


def list_purchases(call: Call) -> Json:
    query = PurchaseQuery(
        call.query.get("q", ""), call.query.get("status", ""), call.query.get("after", ""), call.query.get("limit", 50)
    )
    return page_of(read(lambda tx: supply_view.purchases(tx, query)), purchase_shape)


def get_purchase(call: Call) -> Json:
    return detail_shape(read(lambda tx: supply_view.purchase(tx, call.path["number"])))


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _wanted(rows: list[Json]) -> list[Wanted]:
    return [Wanted(one["sku"], one["units"], one.get("cost_minor"), _day(one.get("promise_on"))) for one in rows]


def add_purchase(call: Call) -> Json:
    body = call.body
    made = buy.draft_purchase(
        console().runtime, body["supplier"], body["location"], _wanted(body["lines"]), person=caller().actor,
        name=body.get("number", ""), expected_on=_day(body.get("expected_on")),
        over_percent=body.get("over_percent", 0), note=body.get("note", ""), key=call.key,
    )  # fmt: skip
    return detail_shape(read(lambda tx: supply_view.purchase(tx, made)))


def _known(call: Call) -> str:
    """The number of the purchase order in the path. Raises UnknownPurchaseError."""
    return str(read(lambda tx: supply_view.purchase(tx, call.path["number"])).order.number)


def change_purchase(call: Call) -> Json:
    name, body = _known(call), call.body
    buy.change_purchase(
        console().runtime, name, _wanted(body["lines"]) if "lines" in body else None, person=caller().actor,
        expected_on=_day(body.get("expected_on")), over_percent=body.get("over_percent"), note=body.get("note"),
    )  # fmt: skip
    return get_purchase(call)


def place_purchase(call: Call) -> Json:
    return {"changed": buy.place_purchase(console().runtime, _known(call), person=caller().actor)}


def acknowledge_purchase(call: Call) -> Json:
    said = [Confirmed(one["sku"], one.get("units"), _day(one.get("promise_on"))) for one in call.body.get("lines", [])]
    reason = call.body.get("reason", "")
    return {"changed": buy.acknowledge(console().runtime, _known(call), said, person=caller().actor, reason=reason)}


def move_dates(call: Call) -> Json:
    days = {one["sku"]: date.fromisoformat(one["promise_on"]) for one in call.body.get("lines", [])}
    if "all_on" in call.body:
        days[""] = date.fromisoformat(call.body["all_on"])
    name, reason = _known(call), call.body["reason"]
    return {"changed": buy.move_dates(console().runtime, name, days, person=caller().actor, reason=reason)}


def receive_purchase(call: Call) -> Json:
    rows = [
        Delivered(
            one["sku"], one["units"], one.get("condition", "good"), one.get("lot", ""), _day(one.get("expires_on")),
            tuple(one.get("serials", ())),
        )
        for one in call.body.get("rows", ())
    ] or None  # fmt: skip
    done = buy.receive_purchase(console().runtime, _known(call), rows, person=caller().actor, receipt=call.key)
    return {"changed": done}


def cancel_purchase(call: Call) -> Json:
    done = buy.cancel_purchase(console().runtime, _known(call), call.body["reason"], person=caller().actor)
    return {"changed": done}


def close_purchase_short(call: Call) -> Json:
    done = buy.close_purchase_short(console().runtime, _known(call), call.body["reason"], person=caller().actor)
    return {"changed": done}


def close_purchase(call: Call) -> Json:
    return {"changed": buy.close_purchase(console().runtime, _known(call), person=caller().actor)}


def get_reorder(call: Call) -> Json:
    return reckoning_shape(reckon(console().runtime, call.query.get("location", ""), days=call.query.get("days", 90)))


def draft_reorder(call: Call) -> Json:
    body, runtime, person = call.body, console().runtime, caller().actor
    if any("source" in one for one in body["rows"]):
        if not all("source" in one for one in body["rows"]):
            raise Problem(422, "Either every row names a source to move from, or none does.")
        moved = {(one["source"], one["sku"]): one["units"] for one in body["rows"]}
        made = drafts.draft_transfers(runtime, moved, body["location"], person=person, key=call.key)
    else:
        bought = {one["sku"]: one["units"] for one in body["rows"]}
        made = drafts.draft_purchases(runtime, bought, body["location"], person=person, key=call.key)
    return {"numbers": list(made.numbers), "warnings": list(made.warnings)}


def list_waiting(call: Call) -> Json:
    query = WaitingQuery(
        call.query.get("sku", ""), call.query.get("waits_as", ""), call.query.get("queue", ""),
        call.query.get("to_tell", False), call.query.get("after", ""), call.query.get("limit", 50),
    )  # fmt: skip
    return page_of(read(lambda tx: supply_view.waiting(tx, query)), waiting_shape)


def mark_told(call: Call) -> Json:
    return {"told": wait.mark_told(console().runtime, call.body["lines"], person=caller().actor)}


def set_cancel_date(call: Call) -> Json:
    read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    at = operation.moment(call.body["at"], "at") if call.body["at"] is not None else None
    ids = call.path["order_id"], call.path["line_id"]
    return {"changed": wait.set_cancel_date(console().runtime, *ids, at, person=caller().actor)}


def release_from_queue(call: Call) -> Json:
    read(lambda tx: order_view.detail(tx, call.path["order_id"]))
    ids = call.path["order_id"], call.path["line_id"]
    return {"changed": wait.release_from_queue(console().runtime, *ids, person=caller().actor)}


def list_alerts(call: Call) -> Json:
    after, limit = call.query.get("after", ""), call.query.get("limit", 50)
    return page_of(read(lambda tx: supply_view.alerts(tx, after, limit)), alert_shape)


SKU = text("Our SKU.", minLength=1, maxLength=120)
UNITS = whole("Units.", minimum=1, maximum=MOST_UNITS)
MAY_BE_NONE = whole("Units; left out: not set.", minimum=0, maximum=MOST_UNITS)
LINES = many(
    closed(
        ("sku", "units"),
        sku=SKU, units=UNITS, promise_on=day("Promised for."),
        cost_minor=whole("Per unit; left out: as the supplier sells it.", minimum=0, maximum=MOST_COST_MINOR),
    ),
    minItems=1, maxItems=MOST_ROWS,
)  # fmt: skip
TERMS: dict[str, Any] = {
    "name": text("Name.", maxLength=200),
    "email": text("Where orders are sent.", maxLength=255),
    "lead_time_days": whole("Days from order to shelf.", minimum=0, maximum=730),
    "review_days": whole("How often one orders there, in days.", minimum=1, maximum=730),
    "min_order_minor": whole("The least order value.", minimum=0, maximum=MOST_COST_MINOR),
    "note": text("Note.", maxLength=2000),
}
OVER = whole("So much more may be received, in percent.", minimum=0, maximum=100)
BECAUSE = closed(("reason",), reason=REASON)
_PO = "/purchase-orders/{number}"
_LINE = "/waiting/{order_id}/{line_id}"

OPERATIONS = (
    Operation(
        "list_suppliers", "GET", "/suppliers", "List suppliers",
        obj("All suppliers.", rows=many(ref("Supplier"))), list_suppliers,
    ),
    Operation(
        "get_supplier", "GET", "/suppliers/{supplier}", "Read a supplier and what it sells",
        obj("A supplier.", supplier=ref("Supplier"), articles=many(ref("Offer"))), get_supplier,
        refusals=(404,), about="By code or id.",
    ),
    Operation(
        "add_supplier", "POST", "/suppliers", "Add a supplier", ref("Supplier"), add_supplier,
        body=closed(
            ("code", "currency"), code=text("Code.", minLength=1, maxLength=40),
            currency=text("ISO 4217.", minLength=3, maxLength=3), **TERMS,
        ),
        refusals=(409,), status=201,
    ),
    Operation(
        "change_supplier", "PATCH", "/suppliers/{supplier}", "Change a supplier", ref("Supplier"), change_supplier,
        body=closed((), active=truth("Whether one still buys there."), **TERMS), refusals=(404, 409),
    ),
    Operation(
        "set_supplier_articles", "PUT", "/suppliers/{supplier}/articles", "Say what a supplier sells",
        obj("Rows that were left out.", errors=many(obj("Why.", sku=text("SKU."), message=text("Why.")))), set_offers,
        body=closed(
            ("articles",),
            articles=many(
                closed(
                    ("sku",), sku=SKU, cost_minor=whole("Per unit.", minimum=0, maximum=MOST_COST_MINOR),
                    pack_size=whole("Units of a pack.", minimum=1, maximum=MOST_UNITS),
                    min_quantity=whole("The fewest units.", minimum=0, maximum=MOST_UNITS),
                    supplier_sku=text("The supplier's.", maxLength=120), preferred=truth("Bought here."),
                    lead_time_days=whole("Days.", minimum=0, maximum=730),
                ),
                minItems=1, maxItems=MOST_ROWS,
            ),
        ),
        refusals=(404, 409), most_bytes=8 * 1024 * 1024, about="Articles that are not named stay as they are.",
    ),
    Operation(
        "set_stock_policy", "PUT", "/stock/{sku}/policy", "Say how an article is kept", DONE, set_policy,
        body=closed(
            (), location=text("Code; left out: everywhere.", maxLength=40), low_threshold=MAY_BE_NONE,
            reorder_point=MAY_BE_NONE, max_units=MAY_BE_NONE,
            service_level=whole("Percent of cycles that shall not run out.", minimum=50, maximum=99),
        ),
        refusals=(404, 409), about="What is left out is not set.",
    ),
    Operation(
        "list_purchase_orders", "GET", "/purchase-orders", "List purchase orders", paged("Purchase"), list_purchases,
        query={
            "q": text("The beginning of a number, a supplier's code, or a SKU.", maxLength=120),
            "status": text("A state, or open.", enum=[*supply_view.STATUSES, "open"]), **PAGED,
        },
    ),
    Operation(
        "get_purchase_order", "GET", _PO, "Read a purchase order", ref("PurchaseDetail"), get_purchase, refusals=(404,),
    ),
    Operation(
        "add_purchase_order", "POST", "/purchase-orders", "Draft a purchase order", ref("PurchaseDetail"), add_purchase,
        body=closed(
            ("supplier", "location", "lines"), supplier=text("Code or id.", maxLength=40),
            location=text("Code.", maxLength=40), lines=LINES, number=text("A number of one's own.", maxLength=40),
            expected_on=day("Expected as a whole."), over_percent=OVER, note=text("Note.", maxLength=2000),
        ),
        refusals=(409,), status=201, takes_key=True, most_bytes=8 * 1024 * 1024,
    ),
    Operation(
        "change_purchase_order", "PATCH", _PO, "Change a draft", ref("PurchaseDetail"), change_purchase,
        body=closed(
            (), lines=LINES, expected_on=day("Expected as a whole."), over_percent=OVER,
            note=text("Note.", maxLength=2000),
        ),
        refusals=(404, 409), most_bytes=8 * 1024 * 1024, about="`lines` are all of its lines.",
    ),
    Operation(
        "place_purchase_order", "POST", f"{_PO}/order", "Say that it was sent to the supplier", DONE, place_purchase,
        refusals=(404, 409),
    ),
    Operation(
        "acknowledge_purchase_order", "POST", f"{_PO}/acknowledge", "Say what the supplier confirms", DONE,
        acknowledge_purchase,
        body=closed(
            (), reason=text("Why.", maxLength=200),
            lines=many(
                closed(("sku",), sku=SKU, units=whole("Confirmed.", minimum=0), promise_on=day("Promised for.")),
                maxItems=MOST_ROWS,
            ),
        ),
        needs_body=False, refusals=(404, 409), about="Lines that are not named are confirmed as ordered.",
    ),
    Operation(
        "move_purchase_order_dates", "POST", f"{_PO}/dates", "Move the days it is promised for", DONE, move_dates,
        body=closed(
            ("reason",), reason=REASON, all_on=day("For every line that is open."),
            lines=many(closed(("sku", "promise_on"), sku=SKU, promise_on=day("Day.")), maxItems=MOST_ROWS),
        ),
        refusals=(404, 409), about="Customers whose promise rests on them are promised anew.",
    ),
    Operation(
        "receive_purchase_order", "POST", f"{_PO}/receive", "Book goods that arrived", DONE, receive_purchase,
        body=closed(
            (),
            rows=many(
                closed(
                    ("sku", "units"), sku=SKU, units=UNITS, lot=text("Lot.", maxLength=80), expires_on=day("Expiry."),
                    condition=text("good, or how it is rejected.", enum=list(CONDITIONS)),
                    serials=many(text("Serial number.", maxLength=120)),
                ),
                minItems=1, maxItems=MOST_ROWS,
            ),
        ),
        needs_body=False, refusals=(404, 409), takes_key=True, most_bytes=8 * 1024 * 1024,
        about="As many times as it takes; each Idempotency-Key counts once. Without `rows` all that is to come is "
        "there, in good condition.",
    ),
    Operation(
        "cancel_purchase_order", "POST", f"{_PO}/cancel", "Cancel it before goods arrive", DONE, cancel_purchase,
        body=BECAUSE, refusals=(404, 409),
    ),
    Operation(
        "close_purchase_order_short", "POST", f"{_PO}/close-short", "Say that the rest will not come", DONE,
        close_purchase_short, body=BECAUSE, refusals=(404, 409),
    ),
    Operation(
        "close_purchase_order", "POST", f"{_PO}/close", "Close it when everything is settled", DONE, close_purchase,
        refusals=(404, 409),
    ),
    Operation(
        "get_reorder", "GET", "/reorder", "Reckon what to reorder",
        obj(
            "Proposals for a place or the network.", location=text("Code; empty for the network."),
            days=whole("Looked back on."), articles=whole("Looked at."), forecast=number("Of the back-test."),
            actual=whole("What came."), error_percent=maybe(number("How far off, weighted by units.")),
            rows=many(ref("Proposal")),
        ),
        get_reorder,
        query={
            "location": text("Code; left out: the network.", maxLength=40),
            "days": whole("To look back on.", minimum=14, maximum=730, default=90),
        },
        refusals=(404,), about="Takes seconds with tens of thousands of articles.",
    ),
    Operation(
        "draft_reorder", "POST", "/reorder/draft", "Draft purchase orders or transfers", DRAFTS, draft_reorder,
        body=closed(
            ("location", "rows"), location=text("Code of where the goods go.", maxLength=40),
            rows=many(
                closed(("sku", "units"), sku=SKU, units=UNITS, source=text("Code; moved from there.", maxLength=40)),
                minItems=1, maxItems=MOST_ROWS,
            ),
        ),
        refusals=(409,), takes_key=True, status=201,
        about="One purchase order for each supplier, or one transfer for each `source`.",
    ),
    Operation(
        "list_waiting", "GET", "/waiting", "List order lines that wait", paged("Waiting"), list_waiting,
        query={
            "sku": text("Our SKU.", maxLength=120), "waits_as": text("Why.", enum=list(supply_view.WAITS)),
            "queue": text("Name of a queue.", maxLength=80),
            "to_tell": truth("Only those whose customers do not know the day that now stands."), **PAGED,
        },
    ),
    Operation(
        "mark_told", "POST", "/waiting/told", "Say that customers were told",
        obj("What came of it.", told=whole("Lines to which it was news.")), mark_told,
        body=closed(
            ("lines",), lines=many(text("Id of a line.", maxLength=36), minItems=1, maxItems=MOST_ROWS),
        ),
    ),
    Operation(
        "set_cancel_date", "PUT", f"{_LINE}/cancel-date", "Say until when a line may wait", DONE, set_cancel_date,
        body={
            **closed(("at",)),
            "properties": {
                "at": maybe(text("A moment with its offset; null: as long as it takes.", format="date-time"))
            },
        },
        refusals=(404, 409),
    ),
    Operation(
        "release_from_queue", "POST", f"{_LINE}/release", "Take a line out of its queue", DONE, release_from_queue,
        refusals=(404, 409),
    ),
    Operation(
        "list_stock_alerts", "GET", "/stock-alerts", "List what runs low", paged("Alert"), list_alerts, query=PAGED,
    ),
)  # fmt: skip
