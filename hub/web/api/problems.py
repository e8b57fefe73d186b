"""Problems: list and replay."""

from __future__ import annotations

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store.views import problems as problem_view
from hub.web.api import shapes
from hub.web.api.operation import Call, Operation, read
from hub.web.api.shapes import Json, many, obj, text, whole
from hub.web.context import caller, console
from hub.web.problems import Problem


def list_problems(call: Call) -> Json:
    now, only = console().runtime.clock(), call.query.get("connection", "")
    found = read(lambda tx: problem_view.find(tx, now, connection_id=only, move=call.query.get("move")))
    return {"rows": [shapes.problem(one) for one in found], "next": None}


def replay_problem(call: Call) -> Json:
    """Handle again what arrived, or send again what was given up."""
    runtime = console().runtime
    found = read(lambda tx: problem_view.by_fingerprint(tx, runtime.clock(), call.path["fingerprint"]))
    if found is None:
        raise Problem(404, "There is no such problem; it may be solved.")
    if found.kind == "inbox":
        done = operate.replay(runtime, ids=found.ids, person=caller().actor)
        return {"replayed": len(done), "refused": []}
    if found.kind == "outbox":
        sent = operate.retry(runtime, found.ids, person=caller().actor)
        return {"replayed": len(sent.sent), "refused": [{"id": key, "reason": why} for key, why in sent.refused]}
    raise NotDoneError(f"a problem of the kind {found.kind} cannot be replayed: {found.next_step}")


_REPLAYED = obj(
    "What was done.",
    replayed=whole("Rows."),
    refused=many(obj("A row that was not sent again.", id=text("Id."), reason=text("Why."))),
)

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
)  # fmt: skip
