"""Stock counts: plan, assign, count, review, count again, apply."""

from __future__ import annotations

from datetime import date

from hub.domain.counts import NEXT
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate import counts as operate
from hub.flows.operate.counts import Entry, EntryResult
from hub.store.views import counts as counts_view
from hub.store.views.counts import CountDetail, CountLineView, CountQuery, CountRow
from hub.web.api import shapes
from hub.web.api.operation import PAGED, Call, Operation, closed, page_of, read
from hub.web.api.shapes import MOST_ROWS, Json, many, maybe, moment, obj, ref, text, truth, whole
from hub.web.context import caller, console

_HEAD = {
    "number": text("Number."),
    "location": text("Code of the location."),
    "status": text("Status.", enum=sorted(NEXT)),
    "assignee": text("Who counts."),
    "note": text("Note."),
    "blind": truth("Whether those who count do not see what the books say."),
    "created_at": moment("When it was planned."),
    "created_by": text("By whom."),
    "applied_at": maybe(moment("When the corrections were booked.")),
    "articles": whole("Articles to be counted."),
    "counted": whole("Articles with a figure."),
}
_LINE = {
    "sku": text("Our SKU."),
    "counted": maybe(whole("Units that were found.")),
    "counted_by": text("Who counted."),
    "round": whole("1 for the first count."),
    "recount": truth("Whether it has to be counted once more."),
}
_BOOKS = {
    "seen": maybe(whole("Units in the books at the moment of counting; null while a blind count is counted.")),
    "seen_version": maybe(whole("The ledger position of that moment.")),
    "difference": maybe(whole("Units that were booked, or would be.")),
    "applied": maybe(whole("Units that were booked.")),
}
COUNT = obj("A stock count in short.", **_HEAD)
COUNT_DETAIL = obj(
    "A stock count.",
    **_HEAD,
    lines=many(obj("An article.", **_LINE, **_BOOKS)),
    next=many(text("A status that it can go to."), "What can follow."),
)
ENTRY_RESULT = obj(
    "What came of one row.",
    number=whole("The row, 1 for the first."),
    code=text("As it was sent."),
    sku=text("Our SKU, empty when there is none."),
    status=text("counted, repeated or error.", enum=["counted", "repeated", "error"]),
    counted=maybe(whole("What the article now stands at.")),
    message=text("Why not, when it is an error."),
)
COMPONENTS: dict[str, Json] = {"Count": COUNT, "CountDetail": COUNT_DETAIL, "EntryResult": ENTRY_RESULT}


def _row(row: CountRow) -> Json:
    return {name: getattr(row, name) for name in _HEAD}


def _line(line: CountLineView, *, shows_books: bool) -> Json:
    books = {name: getattr(line, name) if shows_books else None for name in _BOOKS}
    return {**{name: getattr(line, name) for name in _LINE}, **books}


def _detail(found: CountDetail) -> Json:
    lines = [_line(one, shows_books=found.shows_books) for one in found.lines]
    return {**_row(found.row), "lines": lines, "next": list(NEXT[found.row.status])}


def _entry(one: EntryResult) -> Json:
    return shapes.picked(one, ENTRY_RESULT)


def _known(number: str) -> CountDetail:
    found: CountDetail = read(lambda tx: counts_view.detail(tx, number))
    return found


def list_counts(call: Call) -> Json:
    query = CountQuery(
        call.query.get("status", ""),
        call.query.get("location", ""),
        call.query.get("after", ""),
        call.query.get("limit", 50),
    )
    return page_of(read(lambda tx: counts_view.find(tx, query)), _row)


def get_count(call: Call) -> Json:
    return _detail(_known(call.path["count"]))


def create_count(call: Call) -> Json:
    number = operate.create_count(
        console().runtime,
        call.body["location"],
        person=caller().actor,
        skus=call.body.get("skus", ()),
        prefix=call.body.get("prefix", ""),
        note=call.body.get("note", ""),
        blind=call.body.get("blind", True),
        assignee=call.body.get("assignee", ""),
        key=call.key,
    )
    return _detail(_known(number))


def assign_count(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    operate.assign_count(console().runtime, number, call.body["assignee"], person=caller().actor)
    return _detail(_known(number))


def start_count(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    operate.start_count(console().runtime, number, person=caller().actor)
    return _detail(_known(number))


def enter_counts(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    rows = [
        Entry(
            index,
            one["code"],
            one["units"],
            one.get("lot", ""),
            date.fromisoformat(one["expires_on"]) if one.get("expires_on") else None,
            one.get("serial", ""),
        )
        for index, one in enumerate(call.body["rows"], start=1)
    ]
    done = operate.enter_counts(
        console().runtime, number, rows, person=caller().actor, add=call.body.get("add", False), entry=call.key
    )
    return {"rows": [_entry(one) for one in done], "errors": sum(one.status == "error" for one in done)}


def review_count(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    operate.review_count(console().runtime, number, person=caller().actor)
    return _detail(_known(number))


def recount(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    operate.recount(console().runtime, number, call.body.get("skus", ()), person=caller().actor)
    return _detail(_known(number))


def apply_count(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    operate.apply_count(
        console().runtime,
        number,
        person=caller().actor,
        uncounted=call.body.get("uncounted", ""),
        reason=call.body.get("reason", ""),
    )
    return _detail(_known(number))


def cancel_count(call: Call) -> Json:
    number = _known(call.path["count"]).row.number
    operate.cancel_count(console().runtime, number, person=caller().actor, reason=call.body.get("reason", ""))
    return _detail(_known(number))


_SKUS = many(text("Our SKU.", minLength=1, maxLength=120), maxItems=MOST_ROWS)
_REASON = text("Why.", maxLength=200)
_ROW = closed(
    ("code", "units"),
    code=text("SKU or barcode.", minLength=1, maxLength=120),
    units=whole("Units that were found.", minimum=0, maximum=MOST_UNITS),
    lot=text("Lot, of an article that is kept by lot.", maxLength=80),
    expires_on=text("Day on which the lot expires.", format="date"),
    serial=text("Serial number, of an article that is kept by serial number.", maxLength=120),
)

OPERATIONS = (
    Operation(
        "list_counts", "GET", "/counts", "List stock counts", shapes.page_of("Count"), list_counts,
        query={
            "status": text("A status, or open.", enum=["open", *sorted(NEXT)]),
            "location": text("Code of the location.", maxLength=40),
            **PAGED,
        },
    ),
    Operation(
        "get_count", "GET", "/counts/{count}", "Read a stock count", ref("CountDetail"), get_count, refusals=(404,)
    ),
    Operation(
        "create_count", "POST", "/counts", "Plan a stock count", ref("CountDetail"), create_count,
        body=closed(
            ("location",), location=text("Code of the location.", minLength=1, maxLength=40), skus=_SKUS,
            prefix=text("Only articles whose SKU begins so.", maxLength=120),
            note=text("Note.", maxLength=1000), blind=truth("Do not show what the books say.", default=True),
            assignee=text("Who counts.", maxLength=120),
        ),
        refusals=(409,), status=201, takes_key=True,
        about="Of the SKUs that are named, of those that begin with `prefix`, or of all that is there.",
    ),
    Operation(
        "assign_count", "POST", "/counts/{count}/assign", "Say who counts", ref("CountDetail"), assign_count,
        body=closed(("assignee",), assignee=text("Who counts.", minLength=1, maxLength=120)), refusals=(404, 409),
    ),
    Operation(
        "start_count", "POST", "/counts/{count}/start", "Begin counting", ref("CountDetail"), start_count,
        refusals=(404, 409),
    ),
    Operation(
        "enter_counts", "POST", "/counts/{count}/entries", "Enter what was found",
        obj("A result for each row.", rows=many(ref("EntryResult")), errors=whole("Rows that were left out.")),
        enter_counts,
        body=closed(
            ("rows",), rows=many(_ROW, minItems=1, maxItems=MOST_ROWS),
            add=truth("Add to what was entered before, as a scanner does.", default=False),
        ),
        refusals=(404, 409), takes_key=True, most_bytes=8 * 1024 * 1024,
        about="Each figure is compared with the books of the moment in which it is entered.",
    ),
    Operation(
        "review_count", "POST", "/counts/{count}/review", "All is entered", ref("CountDetail"), review_count,
        refusals=(404, 409),
    ),
    Operation(
        "recount", "POST", "/counts/{count}/recount", "Have articles counted once more", ref("CountDetail"), recount,
        body=closed((), skus=_SKUS), needs_body=False, refusals=(404, 409),
    ),
    Operation(
        "apply_count", "POST", "/counts/{count}/apply", "Book the corrections", ref("CountDetail"), apply_count,
        body=closed(
            (), uncounted=text("What becomes of articles that nobody counted.", enum=["leave", "zero"]), reason=_REASON
        ),
        needs_body=False, refusals=(404, 409), about="Each correction is booked once, however often this is called.",
    ),
    Operation(
        "cancel_count", "POST", "/counts/{count}/cancel", "Give a count up", ref("CountDetail"), cancel_count,
        body=closed((), reason=_REASON), needs_body=False, refusals=(404, 409),
    ),
)  # fmt: skip
