"""Stock: read, correct, set."""

from __future__ import annotations

from hub.domain.stock_states import MOST_UNITS, reason_text
from hub.flows import operate
from hub.flows.operate import ImportRow
from hub.store import catalog
from hub.store.views import stock as stock_view
from hub.store.views.stock import StockQuery
from hub.web.api import shapes
from hub.web.api.operation import PAGED, REASON, Call, Operation, closed, page_of, read
from hub.web.api.shapes import MOST_ROWS, Json, many, obj, ref, text, truth, whole
from hub.web.context import caller, console
from hub.web.problems import Problem


def list_stock(call: Call) -> Json:
    query = StockQuery(
        text=call.query.get("q", ""),
        location_id=_place(call.query.get("location", "")),
        short=call.query.get("short", False),
        after=call.query.get("after", ""),
        limit=call.query.get("limit", 50),
    )
    return page_of(read(lambda tx: stock_view.find(tx, query)), shapes.stock)


def _place(code: str) -> str:
    """The location of that code, "" for none. Raises Problem 404."""
    if not code:
        return ""
    try:
        found: str = read(lambda tx: catalog.location_by_code(tx, code)).id
    except KeyError as error:
        raise Problem(404, f"There is no location {code!r}.") from error
    return found


def get_stock(call: Call) -> Json:
    return shapes.stock(read(lambda tx: stock_view.article(tx, call.path["sku"])))


def adjust_stock(call: Call) -> Json:
    read(lambda tx: stock_view.article(tx, call.path["sku"]))
    done = operate.adjust_stock(
        console().runtime,
        call.path["sku"],
        call.body["location"],
        person=caller().actor,
        reason=reason_text(call.body["reason"], call.body.get("note", "")),
        change=call.body.get("change"),
        set_to=call.body.get("set_to"),
        expected=call.body.get("expected"),
        key=call.key,
    )
    return shapes.row_result(done)


def set_stock(call: Call) -> Json:
    rows = [
        ImportRow(number, one["sku"], one["location"], one["units"], expected=one.get("expected"))
        for number, one in enumerate(call.body["rows"], start=1)
    ]
    done = operate.import_stock(
        console().runtime,
        rows,
        person=caller().actor,
        reason=call.body["reason"],
        key=call.key,
        create_articles=call.body.get("create_articles", False),
        dry_run=call.body.get("dry_run", False),
        accept_emptying=call.body.get("accept_emptying", False),
    )
    return {"rows": [shapes.row_result(one) for one in done], "errors": sum(one.status == "error" for one in done)}


OPERATIONS = (
    Operation(
        "list_stock", "GET", "/stock", "List articles with their stock", shapes.page_of("Stock"), list_stock,
        query={
            "q": text("The beginning of a SKU, a part of the title, or a barcode.", maxLength=200),
            "location": text("Only articles that this location has had, by its code.", maxLength=40),
            "short": truth("Only articles of which nothing is free or something is missing."),
            **PAGED,
        },
        refusals=(404,),
    ),
    Operation("get_stock", "GET", "/stock/{sku}", "Read an article's stock", ref("Stock"), get_stock, refusals=(404,)),
    Operation(
        "adjust_stock", "POST", "/stock/{sku}/adjust", "Correct the units on hand", ref("RowResult"), adjust_stock,
        body={
            **closed(
                ("location", "reason"),
                location=text("Code.", minLength=1, maxLength=40),
                change=whole("So many more, or fewer.", minimum=-MOST_UNITS, maximum=MOST_UNITS),
                set_to=whole("So many are there.", minimum=0, maximum=MOST_UNITS),
                expected=whole("So many you saw: with others by now nothing is booked.", minimum=0, maximum=MOST_UNITS),
                reason=REASON,
                note=text("More about the reason.", maxLength=200),
            ),
            "oneOf": [{"required": ["change"]}, {"required": ["set_to"]}],
        },
        refusals=(404, 409), takes_key=True, about="Give either `change` or `set_to`.",
    ),
    Operation(
        "set_stock", "PUT", "/stock", "Set the units on hand of many articles",
        obj("A result for each row.", rows=many(ref("RowResult")), errors=whole("Rows that were left out.")), set_stock,
        body=closed(
            ("rows", "reason"),
            rows=many(
                closed(
                    ("sku", "location", "units"),
                    sku=text("Our SKU.", minLength=1, maxLength=120),
                    location=text("Code.", minLength=1, maxLength=40),
                    units=whole("So many are there.", minimum=0, maximum=MOST_UNITS),
                    expected=whole("So many you saw: with others by now the row is left out.", minimum=0),
                ),
                minItems=1, maxItems=MOST_ROWS,
            ),
            reason=REASON,
            create_articles=truth("Make articles that do not exist.", default=False),
            dry_run=truth("Only say what would happen.", default=False),
            accept_emptying=truth("Book rows that take most articles to nothing.", default=False),
        ),
        refusals=(409,), takes_key=True, most_bytes=8 * 1024 * 1024,
        about=f"At most {MOST_ROWS:,} rows. A row that cannot be booked is left out with its reason.",
    ),
)  # fmt: skip
