"""Routing rules, rehearsals, and why an order went where it went."""

from __future__ import annotations

from typing import Any

from hub.domain.documents import Address
from hub.domain.routing.document import from_document, plan_to_document
from hub.domain.routing.rules import RuleSet
from hub.flows import operate, rulefile
from hub.flows.rehearse import LAST_ORDERS, MOST_ORDERS, Answer
from hub.flows.replay import input_document, replay
from hub.flows.rulefile import RuleFileError
from hub.store import routing, rules
from hub.store.database import Tx
from hub.store.rules import Rehearsal, RuleSetRow
from hub.store.views import decisions as decisions_view
from hub.store.views import order as order_view
from hub.store.views.decisions import Decision
from hub.web.api.operation import Call, Operation, closed, read
from hub.web.api.shapes import Json, many, maybe, moment, obj, picked, ref, text, truth, whole
from hub.web.context import caller, console
from hub.web.problems import Problem

MOST_YAML = 200_000

RULES_ROW = obj(
    "One version of a rule set.",
    id=maybe(text("Id; null for the built-in rules.")),
    key=text("How it is named: name@version."),
    name=text("Name."),
    version=whole("Version; 0 for the built-in rules."),
    status=text("draft, published or retired."),
    document_hash=text("Tells whether two versions decide alike."),
    note=text("What it is about."),
    rehearsal_id=maybe(text("The rehearsal it was published with.")),
    created_by=text("Who made it."),
    created_at=maybe(moment("When.")),
    published_at=maybe(moment("When it was published last.")),
    published_by=maybe(text("By whom.")),
)
RULES_DETAIL = obj(
    "A rule set with what it says.",
    rules=ref("RuleSet"),
    document={"type": "object", "description": "As routing-rules.v1 describes it, defaults written out."},
    yaml=text("The same as a rule file."),
)
MISTAKE = obj(
    "Something wrong in a rule set.",
    line=whole("Line of the YAML, 1 for the first; 0 where it is of no line."),
    path=text("JSON pointer into the document."),
    message=text("What is wrong, and what could stand there."),
)
REHEARSAL = obj(
    "A try of rules on past orders, beside the rules that counted then.",
    id=text("Id."),
    draft_hash=text("Hash of the rules that were tried."),
    baseline_hash=text("Hash of the rules that counted."),
    status=text("running, done or failed."),
    orders=whole("Orders to decide."),
    done=whole("Orders decided so far."),
    figures=maybe({"type": "object", "description": "baseline, draft, and elsewhere: how many orders would move."}),
    differences=maybe(many({"type": "object"}, "Orders that would go elsewhere, with both sentences; at most 500.")),
    error=text("Why it failed."),
    created_by=text("Who asked for it."),
    created_at=moment("When."),
    finished_at=maybe(moment("When it ended.")),
)
DECISION = obj(
    "A routing decision.",
    id=text("Id."),
    attempt=whole("1 for the first."),
    strategy=text("Name and version of the algorithm."),
    inputs_hash=text("Fingerprint of all that it rests on."),
    reason=text("Why, in one sentence."),
    at=moment("When."),
    rules=maybe(text("The rules, as name@version; null for the built-in ones.")),
    superseded_by=maybe(whole("The attempt that took its place.")),
    trace={"type": "object", "description": "Steps, what was left out and why, ranks, what was tried and chosen."},
    lines=many(text("A line."), "The trace in words."),
)
SIDE = obj(
    "What one rule set would do.",
    routing=text("The routing that the order falls under."),
    plan={"type": "object", "description": "Parts, remainder, reason and trace."},
)
COMPONENTS: dict[str, Json] = {
    "RuleSet": RULES_ROW,
    "RuleSetDetail": RULES_DETAIL,
    "Rehearsal": REHEARSAL,
    "Decision": DECISION,
}


def list_rules(_call: Call) -> Json:
    return {"rows": [_row(one) for one in read(rules.versions)]}


def get_rules(call: Call) -> Json:
    return _detail(_find(call))


def create_rules(call: Call) -> Json:
    found = _given(call.body)
    row = operate.save_draft(console().runtime, found, person=caller().actor, note=call.body.get("note", ""))
    return _detail(row)


def change_rules(call: Call) -> Json:
    found = _given(call.body)
    row = operate.change_draft(
        console().runtime,
        call.path["rules_key"],
        found,
        person=caller().actor,
        note=call.body.get("note"),
        seen=call.body.get("seen", ""),
    )
    return _detail(row)


def validate_rules(call: Call) -> Json:
    try:
        _given(call.body)
    except RuleFileError as error:
        return {
            "valid": False,
            "mistakes": [{"line": one.line, "path": one.path, "message": one.message} for one in error.mistakes],
        }
    return {"valid": True, "mistakes": []}


def diff_rules(call: Call) -> Json:
    against = call.query.get("against", "published")
    found = operate.compare(console().runtime, against, call.path["rules_key"])
    return {"before": found.before, "after": found.after, "changes": list(found.changes), "unified": found.unified}


def rehearse_rules(call: Call) -> Json:
    return _rehearsal(
        operate.start_rehearsal(
            console().runtime,
            call.path["rules_key"],
            person=caller().actor,
            orders=call.body.get("orders", LAST_ORDERS),
        )
    )


def get_rehearsal(call: Call) -> Json:
    return _rehearsal(read(lambda tx: rules.get_rehearsal(tx, call.path["rehearsal_id"])))


def try_rules(call: Call) -> Json:
    body, key = call.body, call.path["rules_key"]
    if "order_id" in body:
        sides = operate.try_order(console().runtime, key, body["order_id"])
    else:
        names = ("country", "postal_code", "latitude", "longitude")
        address = Address(**{name: body[name] for name in names if name in body})
        wanted = [(line["sku"], line["units"]) for line in body["lines"]]
        sides = operate.try_skus(
            console().runtime,
            key,
            wanted,
            address,
            channel=body.get("channel", ""),
            currency=body.get("currency", ""),
            value_minor=body.get("value_minor", 0),
            tags=body.get("tags", ()),
        )
    return {name: _side(one) for name, one in zip(("published", "draft"), sides, strict=True)}


def publish_rules(call: Call) -> Json:
    row = operate.publish_rules(
        console().runtime,
        call.path["rules_key"],
        person=caller().actor,
        rehearsal_id=call.body.get("rehearsal_id", ""),
    )
    return _row(row)


def list_decisions(call: Call) -> Json:
    def question(tx: Tx) -> list[Decision]:
        order_view.detail(tx, call.path["order_id"])
        return decisions_view.of_order(tx, call.path["order_id"])

    return {"rows": [_decision(one) for one in read(question)]}


def get_decision(call: Call) -> Json:
    """One decision with its inputs, decided again and compared."""
    attempt = call.path["attempt"]
    rows = read(lambda tx: decisions_view.of_order(tx, call.path["order_id"]))
    found = next((one for one in rows if str(one.attempt) == attempt), None)
    stored = found and read(lambda tx: routing.decision(tx, call.path["order_id"], found.attempt))
    if found is None or stored is None:
        raise Problem(404, "The order has no such decision.")
    again = replay(stored, console().runtime.rankers, console().runtime.strategies)
    if again is None or stored.inputs is None or stored.network is None:
        return {"decision": _decision(found), "inputs": None, "replay": None}
    inputs = input_document(stored.inputs, stored.network)
    plan = plan_to_document(again.plan, from_document(inputs))
    return {"decision": _decision(found), "inputs": inputs, "replay": {"same": again.same, "plan": plan}}


def _find(call: Call) -> RuleSetRow:
    row: RuleSetRow = read(lambda tx: rules.find(tx, call.path["rules_key"]))
    return row


def _given(body: Json) -> RuleSet:
    """The rule set of a request: YAML or a document. Raises RuleFileError."""
    return operate.check_rules(body["yaml"]) if "yaml" in body else rulefile.checked(body["document"])


def _row(row: RuleSetRow) -> Json:
    return picked(row, RULES_ROW)


def _detail(row: RuleSetRow) -> Json:
    return {"rules": _row(row), "document": row.document, "yaml": rulefile.write(row.rules)}


def _rehearsal(found: Rehearsal) -> Json:
    return picked(found, REHEARSAL)


def _decision(found: Decision) -> Json:
    return picked(found, DECISION)


def _side(answer: Answer) -> Json:
    return {"routing": answer.routing, "plan": plan_to_document(answer.plan, answer.snapshot)}


_NOTE = text("What it is about.", maxLength=500)
_RULES_BODY: dict[str, Any] = {
    **closed(
        yaml=text("The rule file.", maxLength=MOST_YAML),
        document={"type": "object", "description": "As routing-rules.v1 describes it."},
        note=_NOTE,
    ),
    "oneOf": [{"required": ["yaml"]}, {"required": ["document"]}],
}
_CHANGE_BODY: dict[str, Any] = {
    **_RULES_BODY,
    "properties": {
        **_RULES_BODY["properties"],
        "seen": text("`document_hash` as you read it: refused when the draft says other things by now.", maxLength=64),
    },
}
_TRY_BODY: dict[str, Any] = {
    **closed(
        order_id=text("An order of ours.", maxLength=36),
        lines=many(
            closed(
                ("sku", "units"),
                sku=text("Our SKU.", minLength=1, maxLength=120),
                units=whole("Units.", minimum=1, maximum=100_000),
            ),
            "An order that nobody placed.", minItems=1, maxItems=100,
        ),
        country=text("Of the destination, two letters.", pattern="^[A-Z]{2}$"),
        postal_code=text("Postal code.", maxLength=20),
        latitude={"type": "number", "description": "Degrees north.", "minimum": -90, "maximum": 90},
        longitude={"type": "number", "description": "Degrees east.", "minimum": -180, "maximum": 180},
        channel=text("Id of the channel.", maxLength=36),
        currency=text("ISO 4217.", pattern="^[A-Z]{3}$"),
        value_minor=whole("Total in minor units.", minimum=0, maximum=10**15),
        tags=many(text("A tag.", maxLength=255), "Tags.", maxItems=100),
    ),
    "oneOf": [{"required": ["order_id"]}, {"required": ["lines"]}],
}  # fmt: skip
_KEY_ABOUT = "A version is named name@version, by its id, by its name (the newest) or as `published`."

OPERATIONS = (
    Operation(
        "list_rules", "GET", "/routing/rules", "List versions of the routing rules",
        obj("All versions, the one that counts first.", rows=many(ref("RuleSet"))), list_rules,
    ),
    Operation(
        "get_rules", "GET", "/routing/rules/{rules_key}", "Read a version of the routing rules", ref("RuleSetDetail"),
        get_rules, refusals=(404,), about=_KEY_ABOUT,
    ),
    Operation(
        "create_rules", "POST", "/routing/rules", "Draft routing rules", ref("RuleSetDetail"), create_rules,
        body=_RULES_BODY, refusals=(409,), about="It decides nothing until it is rehearsed and published.",
    ),
    Operation(
        "change_rules", "PUT", "/routing/rules/{rules_key}", "Change a draft", ref("RuleSetDetail"), change_rules,
        body=_CHANGE_BODY, refusals=(404, 409), about="A rehearsal that it had no longer speaks for it.",
    ),
    Operation(
        "validate_rules", "POST", "/routing/rules/validate", "Check routing rules",
        obj("What is wrong.", valid=truth("Whether nothing is."), mistakes=many(MISTAKE)), validate_rules,
        body=_RULES_BODY, about="Nothing is kept.",
    ),
    Operation(
        "diff_rules", "GET", "/routing/rules/{rules_key}/diff", "Compare two versions",
        obj(
            "What they differ in.", before=text("Name of the one."), after=text("Name of the other."),
            changes=many(text("A change."), "In words."), unified=text("As a unified diff of the YAML."),
        ),
        diff_rules, query={"against": text("The other version; by default the published one.", maxLength=120)},
        refusals=(404,),
    ),
    Operation(
        "rehearse_rules", "POST", "/routing/rules/{rules_key}/rehearsals", "Rehearse a version", ref("Rehearsal"),
        rehearse_rules, status=202, needs_body=False, refusals=(404, 409),
        body=closed(orders=whole("How many of the last orders.", minimum=1, maximum=MOST_ORDERS, default=LAST_ORDERS)),
        about="The last orders are decided by it and by the published rules, in the background. No stock moves.",
    ),
    Operation(
        "get_rehearsal", "GET", "/routing/rehearsals/{rehearsal_id}", "Read a rehearsal", ref("Rehearsal"),
        get_rehearsal, refusals=(404,),
    ),
    Operation(
        "try_rules", "POST", "/routing/rules/{rules_key}/try", "Try a version on one order",
        obj("Both sides.", published=SIDE, draft=SIDE), try_rules, body=_TRY_BODY, refusals=(404, 409),
        about="Give `order_id`, or `lines` of an order that nobody placed. Nothing is kept.",
    ),
    Operation(
        "publish_rules", "POST", "/routing/rules/{rules_key}/publish", "Publish a version", ref("RuleSet"),
        publish_rules, needs_body=False, refusals=(404, 409),
        body=closed(rehearsal_id=text("Its rehearsal; by default the newest that will do.", maxLength=36)),
        about="It takes a rehearsal of these very rules beside the ones that count, not older than a day.",
    ),
    Operation(
        "list_decisions", "GET", "/orders/{order_id}/decisions", "List the routing decisions on an order",
        obj("Newest first.", rows=many(ref("Decision"))), list_decisions, refusals=(404,),
    ),
    Operation(
        "get_decision", "GET", "/orders/{order_id}/decisions/{attempt}", "Read a decision and decide it again",
        obj(
            "The decision.",
            decision=ref("Decision"),
            inputs=maybe({"type": "object", "description": "All that it rests on, as `orderhub route plan` takes it."}),
            replay=maybe(
                obj(
                    "The same inputs decided again now.",
                    same=truth("Whether nothing differs, bit for bit."),
                    plan={"type": "object", "description": "The plan of now."},
                )
            ),
        ),
        get_decision, refusals=(404,), about="`inputs` and `replay` are null where the inputs were not kept.",
    ),
)  # fmt: skip
