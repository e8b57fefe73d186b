"""The ledger: moves between states, stock of the past, reservations, audits."""

from __future__ import annotations

from datetime import timedelta

from hub.domain.stock_states import INCOMING, MOST_UNITS, OUTSIDE, REASONS, STATES, reason_text
from hub.flows import operate, stock_care
from hub.flows.operate import ReserveLine
from hub.store import audits
from hub.store.views import past, reservations
from hub.store.views import stock as stock_view
from hub.store.views.reservations import ReservationQuery
from hub.store.views.stock import MoveView, StockQuery
from hub.web.api.operation import PAGED, Call, Operation, closed, moment, page_of, read
from hub.web.api.shapes import Json, many, maybe, obj, picked, ref, text, whole
from hub.web.api.shapes import moment as moment_of
from hub.web.context import caller, console
from hub.web.problems import Problem

OWNER_TYPES = ["order_line", "checkout", "transfer", "person"]
RESERVATION_STATES = ["active", "converted", "released", "expired"]
LONGEST_S = 90 * 24 * 3600

MOVED = obj(
    "What came of a move.",
    sku=text("Our SKU."),
    location=text("Code."),
    units=whole("Units moved."),
    from_state=text("Where they were."),
    to_state=text("Where they are."),
    status=text("moved, or repeated when the key was used before.", enum=["moved", "repeated"]),
    on_hand=whole("Units at the location now, but for incoming ones."),
    states={"type": "object", "additionalProperties": {"type": "integer"}, "description": "Units by state now."},
)
MOVE = obj(
    "A line of the ledger.",
    id=text("Id."),
    at=moment_of("When."),
    location=text("Code."),
    kind=text("What was done, such as adjust, ship or transfer."),
    quantity=whole("Units."),
    from_state=text("Where they were; outside: they came in."),
    to_state=text("Where they went; outside: they are gone."),
    cause_type=text("What it was done for, such as a fulfillment order or a person."),
    cause_id=text("Its id."),
    reason=text("Why."),
    actor=text("Who did it."),
    order_id=maybe(text("Id of the order that it was for.")),
    order=maybe(text("Number of that order.")),
    fo=maybe(text("Number of the fulfillment order that it was for.")),
)
PAST = obj(
    "Units of an article at one location at a moment, by the ledger.",
    sku=text("Our SKU."),
    title=text("Title."),
    location=text("Code."),
    on_hand=whole("On the shelf."),
    **{state: whole(f"In the state {state}.") for state in (*STATES, INCOMING)},
)
RESERVATION = obj(
    "Units kept for an owner.",
    id=text("Id."),
    owner_type=text("What it is kept for.", enum=OWNER_TYPES),
    owner=text("Its name or id."),
    sku=text("Our SKU."),
    location=text("Code; empty when the units are promised from the network, not yet from a place."),
    units=whole("Units."),
    state=text("State.", enum=RESERVATION_STATES),
    expires_at=maybe(moment_of("When it ends by itself; null: not before somebody ends it.")),
    created_at=moment_of("When it was made."),
    ended_at=maybe(moment_of("When it ended.")),
    reason=text("Why it was made, or ended."),
)
RESERVATIONS = obj("Reservations.", rows=many(ref("Reservation")))
AUDIT = obj(
    "An audit of the stock books.",
    id=text("Id."),
    at=moment_of("When."),
    actor=text("Who had it done."),
    positions=whole("Positions read."),
    moves=whole("Moves added up."),
    findings=many(
        obj(
            "Something that does not add up.",
            kind=text("position: differs from its moves; owners: committed, reserved or incoming units are not what "
                      "fulfillment orders, reservations, purchase orders and transfers hold; counters: an order does "
                      "not add up to its fulfillment orders and packages; released: a reservation without an owner, "
                      "let go by the audit; lots: lots or serial numbers do not add up to what is on hand."),
            sku=text("Our SKU."),
            location=text("Code."),
            said=text("In words."),
        )
    ),
)  # fmt: skip
COMPONENTS: dict[str, Json] = {
    "StockMoved": MOVED, "Move": MOVE, "PastStock": PAST, "Reservation": RESERVATION, "Reservations": RESERVATIONS,
    "Audit": AUDIT,
}  # fmt: skip


def move_stock(call: Call) -> Json:
    read(lambda tx: stock_view.article(tx, call.path["sku"]))
    sides = [None if call.body[side] == OUTSIDE else call.body[side] for side in ("from_state", "to_state")]
    done = operate.move_stock(
        console().runtime,
        call.path["sku"],
        call.body["location"],
        call.body["units"],
        *sides,
        person=caller().actor,
        reason=reason_text(call.body["reason"], call.body.get("note", "")),
        lot=call.body.get("lot", ""),
        key=call.key,
    )
    plain = picked(done, MOVED)
    return plain | {"from_state": done.from_state or OUTSIDE, "to_state": done.to_state or OUTSIDE}


def list_moves(call: Call) -> Json:
    page = read(
        lambda tx: stock_view.ledger(tx, call.path["sku"], call.query.get("after", ""), call.query.get("limit", 50))
    )
    return page_of(page, _move)


def _move(one: MoveView) -> Json:
    return picked(one, MOVE) | {"from_state": one.from_state or OUTSIDE, "to_state": one.to_state or OUTSIDE}


def list_past_stock(call: Call) -> Json:
    at = moment(call.query.get("at"), "at")
    if at is None:
        raise Problem(422, "The request is not right.", [{"path": "/query/at", "message": "say of which moment"}])
    query = StockQuery(
        text=call.query.get("q", ""), after=call.query.get("after", ""), limit=call.query.get("limit", 50)
    )
    return page_of(read(lambda tx: past.find(tx, query, at)), lambda one: picked(one, PAST))


def list_reservations(call: Call) -> Json:
    query = ReservationQuery(
        state=call.query.get("state", ""),
        owner_type=call.query.get("owner_type", ""),
        owner=call.query.get("owner", ""),
        sku=call.query.get("sku", ""),
        after=call.query.get("after", ""),
        limit=call.query.get("limit", 50),
    )
    return page_of(read(lambda tx: reservations.find(tx, query)), _reservation)


def reserve(call: Call) -> Json:
    lines = [ReserveLine(one["sku"], one["units"], one.get("location", "")) for one in call.body["lines"]]
    made = operate.reserve(
        console().runtime,
        lines,
        (call.body.get("owner_type", "checkout"), call.body["owner"]),
        person=caller().actor,
        expires_in=_span(call.body.get("expires_in_s")),
        reason=call.body.get("reason", ""),
        key=call.key,
    )
    return _named([one.id for one in made])


def extend_reservations(call: Call) -> Json:
    span = timedelta(seconds=call.body["expires_in_s"])
    operate.extend_reservations(console().runtime, call.body["ids"], span, person=caller().actor)
    return _named(call.body["ids"])


def release_reservations(call: Call) -> Json:
    operate.release_reservations(
        console().runtime, call.body["ids"], person=caller().actor, reason=call.body.get("reason", "")
    )
    return _named(call.body["ids"])


def convert_reservations(call: Call) -> Json:
    operate.convert_reservations(console().runtime, call.body["ids"], call.body["order"], person=caller().actor)
    return _named(call.body["ids"])


def list_audits(_: Call) -> Json:
    return {"rows": [_audit(one) for one in read(audits.recent)]}


def audit_stock(_: Call) -> Json:
    stock_care.audit(console().runtime, actor=caller().actor)
    return _audit(read(audits.last))


def _span(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _named(ids: list[str]) -> Json:
    return {"rows": [_reservation(one) for one in read(lambda tx: reservations.named(tx, ids))]}


def _reservation(one: reservations.ReservationView) -> Json:
    return {name: one.owner_id if name == "owner" else getattr(one, name) for name in RESERVATION["properties"]}


def _audit(one: audits.AuditRow) -> Json:
    findings = [
        {"kind": line["kind"], "sku": line["sku"], "location": line["location"], "said": audits.said(line)}
        for line in one.differences
    ]
    plain = {name: getattr(one, name) for name in ("id", "at", "actor", "positions", "moves")}
    return plain | {"findings": findings}


_IDS = many({"type": "string", "pattern": "^[0-9a-f-]{36}$"}, "Ids of reservations.", minItems=1, maxItems=200)
_LASTS = whole("So many seconds from now.", minimum=1, maximum=LONGEST_S)
_BY_HAND = [state for state in STATES if state != "committed"] + [OUTSIDE]

OPERATIONS = (
    Operation(
        "move_stock", "POST", "/stock/{sku}/move", "Move units from one state to another", ref("StockMoved"),
        move_stock,
        body=closed(
            ("location", "units", "from_state", "to_state", "reason"),
            location=text("Code.", minLength=1, maxLength=40),
            units=whole("So many.", minimum=1, maximum=MOST_UNITS),
            from_state=text("Where they are; outside: they come in.", enum=_BY_HAND),
            to_state=text("Where they go; outside: they are gone.", enum=_BY_HAND),
            reason=text(f"Why: one of {', '.join(REASONS)}, or words of your own.", minLength=1, maxLength=200),
            note=text("More about the reason.", maxLength=200),
            lot=text("The lot that they are of, where an article is kept by lot.", maxLength=80),
        ),
        refusals=(404, 409), takes_key=True,
        about="Units of fulfillment orders, purchase orders, transfers and reservations move with what they belong to.",
    ),
    Operation(
        "list_moves", "GET", "/stock/{sku}/moves", "Read the ledger of an article, newest first",
        obj("One page.", rows=many(ref("Move")), next=maybe(text("What `after` takes to get the next page."))),
        list_moves, query=PAGED, refusals=(404,),
    ),
    Operation(
        "list_past_stock", "GET", "/stock-history", "Read the stock as it was at a moment",
        obj("One page.", rows=many(ref("PastStock")), next=maybe(text("What `after` takes to get the next page."))),
        list_past_stock,
        query={
            "at": text("The moment with its offset, such as 2026-01-31T08:00:00Z.", maxLength=40),
            "q": text("The beginning of a SKU, a part of the title, or a barcode.", maxLength=200),
            **PAGED,
        },
        about="Added up from the ledger. A page holds `limit` articles, each with all its locations.",
    ),
    Operation(
        "list_reservations", "GET", "/reservations", "List reservations, newest first",
        obj("One page.", rows=many(ref("Reservation")), next=maybe(text("What `after` takes to get the next page."))),
        list_reservations,
        query={
            "state": text("State.", enum=RESERVATION_STATES),
            "owner_type": text("What they are kept for.", enum=OWNER_TYPES),
            "owner": text("Its name or id.", maxLength=80),
            "sku": text("Our SKU.", maxLength=120),
            **PAGED,
        },
    ),
    Operation(
        "reserve", "POST", "/reservations", "Keep units for a checkout or a person", ref("Reservations"), reserve,
        body=closed(
            ("owner", "lines"),
            owner_type=text("What they are kept for.", enum=["checkout", "person"], default="checkout"),
            owner=text("The checkout's id, or the person's name.", minLength=1, maxLength=80),
            lines=many(
                closed(
                    ("sku", "units"),
                    sku=text("Our SKU; a kit keeps all its components.", minLength=1, maxLength=120),
                    units=whole("So many.", minimum=1, maximum=MOST_UNITS),
                    location=text("Code; without one, the units are promised from the network.", maxLength=40),
                ),
                minItems=1, maxItems=200,
            ),
            expires_in_s=_LASTS,
            reason=text("Why.", maxLength=200),
        ),
        status=201, refusals=(409,), takes_key=True,
        about="All lines or none. A checkout is kept for 15 minutes unless you say otherwise.",
    ),
    Operation(
        "extend_reservations", "POST", "/reservations/extend", "Keep reservations longer", ref("Reservations"),
        extend_reservations, body=closed(("ids", "expires_in_s"), ids=_IDS, expires_in_s=_LASTS), refusals=(409,),
    ),
    Operation(
        "release_reservations", "POST", "/reservations/release", "Let reservations go", ref("Reservations"),
        release_reservations, body=closed(("ids",), ids=_IDS, reason=text("Why.", maxLength=200)), refusals=(409,),
        about="Safe to call again: the units come back once.",
    ),
    Operation(
        "convert_reservations", "POST", "/reservations/convert", "Give reserved units to an order",
        ref("Reservations"), convert_reservations,
        body=closed(("ids", "order"), ids=_IDS, order=text("Our id of the order.", minLength=1, maxLength=36)),
        refusals=(409,), about="The order is routed in the same step, so that nobody takes the units in between.",
    ),
    Operation(
        "list_audits", "GET", "/stock-audits", "List the last audits of the stock books",
        obj("The last 30.", rows=many(ref("Audit"))), list_audits,
    ),
    Operation("audit_stock", "POST", "/stock-audits", "Audit the stock books now", ref("Audit"), audit_stock),
)  # fmt: skip
