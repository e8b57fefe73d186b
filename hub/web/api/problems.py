"""Problems: list, replay, set aside; and what became of a message that nobody knows of."""

from __future__ import annotations

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store.views import doors
from hub.store.views import problems as problem_view
from hub.web.api import shapes
from hub.web.api.operation import REASON, Call, Operation, closed, read
from hub.web.api.shapes import Json, many, obj, text, truth, whole
from hub.web.context import caller, console
from hub.web.problems import Problem


def list_problems(call: Call) -> Json:
    now, only = console().runtime.clock(), call.query.get("connection", "")
    found = read(lambda tx: problem_view.find(tx, now, connection_id=only, move=call.query.get("move")))
    return {"rows": [shapes.problem(one) for one in found], "next": None}


def replay_problem(call: Call) -> Json:
    """Handle again what arrived, or send again what was given up."""
    runtime, found = console().runtime, _found(call)
    if found.kind == "inbox":
        done = operate.replay(runtime, ids=found.ids, person=caller().actor)
        return {"replayed": len(done), "refused": []}
    if found.kind == "outbox":
        sent = operate.retry(runtime, found.ids, person=caller().actor)
        return {"replayed": len(sent.sent), "refused": [{"id": key, "reason": why} for key, why in sent.refused]}
    raise NotDoneError(f"a problem of the kind {found.kind} cannot be replayed: {found.next_step}")


def set_aside_problem(call: Call) -> Json:
    """Do nothing about what arrived, or about messages that were given up or refused."""
    runtime, found, reason = console().runtime, _found(call), call.body["reason"]
    if found.kind == "inbox":
        return {
            "set_aside": len(operate.dismiss(runtime, found.ids, person=caller().actor, reason=reason)),
            "refused": [],
        }
    if found.kind == "outbox":
        done = operate.set_aside(runtime, found.ids, person=caller().actor, reason=reason)
        return {"set_aside": len(done.done), "refused": [{"id": key, "reason": why} for key, why in done.refused]}
    raise NotDoneError(f"a problem of the kind {found.kind} cannot be set aside: {found.next_step}")


def resolve_message(call: Call) -> Json:
    row_id = call.path["row_id"]
    read(lambda tx: doors.outbox_row(tx, row_id))
    names = ("external_id", "number", "tracking_number", "carrier")
    known = {name: call.body[name] for name in names if name in call.body}
    operate.resolve(console().runtime, row_id, happened=call.body["happened"], person=caller().actor, **known)
    return {"id": row_id, "status": read(lambda tx: doors.outbox_row(tx, row_id)).row.status}


def _found(call: Call) -> problem_view.Problem:
    now = console().runtime.clock()
    found: problem_view.Problem | None = read(lambda tx: problem_view.by_fingerprint(tx, now, call.path["fingerprint"]))
    if found is None:
        raise Problem(404, "There is no such problem; it may be solved.")
    return found


_REFUSED = many(obj("A row that stays as it is.", id=text("Id."), reason=text("Why.")))
_REPLAYED = obj(
    "What was done.",
    replayed=whole("Rows."),
    refused=_REFUSED,
)
_SET_ASIDE = obj("What was done.", set_aside=whole("Rows."), refused=_REFUSED)

OPERATIONS = (
    Operation(
        "list_problems", "GET", "/problems", "List problems", shapes.page_of("Problem"), list_problems,
        query={
            "connection": text("Only of this connection, by its id.", maxLength=36),
            "move": text("Whose move it is.", enum=["yours", "theirs"]),
        },
    ),
    Operation(
        "replay_problem", "POST", "/problems/{fingerprint}/replay", "Handle or send all its rows again", _REPLAYED,
        replay_problem, refusals=(404, 409),
    ),
    Operation(
        "set_aside_problem", "POST", "/problems/{fingerprint}/set-aside", "Do nothing about its rows", _SET_ASIDE,
        set_aside_problem, body=closed(("reason",), reason=REASON), refusals=(404, 409),
        about="Of arrivals that are parked, and of messages that were given up or refused. They can still be replayed.",
    ),
    Operation(
        "resolve_message", "POST", "/outbox/{row_id}/resolve", "Say what became of a message",
        obj("The message.", id=text("Id."), status=text("How it stands now.")), resolve_message,
        body=closed(
            ("happened",),
            happened=truth("Whether it happened there. If not, it is sent again."),
            external_id=text("Its id there; needed for a fulfillment order, a label and a document.", maxLength=120),
            number=text("The document number.", maxLength=120),
            tracking_number=text("The label's tracking number.", maxLength=120),
            carrier=text("The label's carrier.", maxLength=80),
        ),
        refusals=(404, 409),
        about="For one of unknown outcome, or one that was given up or refused. Its id is among those of a problem.",
    ),
)  # fmt: skip
