"""Availability: what channels are told and why, the rules behind it, kits, and feeds that were doubted."""

from __future__ import annotations

from typing import Any

from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate import availability as operate
from hub.flows.operate.availability import WantedRule
from hub.store import availability as rules
from hub.store.availability import RuleRow
from hub.store.views import stock as stock_view
from hub.store.views.stock import ChannelStock
from hub.web.api.operation import Call, Operation, closed, read
from hub.web.api.shapes import Json, many, maybe, moment, obj, ref, text, truth, whole
from hub.web.context import caller, console

STEP = obj(
    "A step of the waterfall.",
    kind=text("location, kit, safety, preorder, unrouted, percent, threshold, publish, pack, stale or unknown."),
    text=text("In words."),
    change=whole("Units more or fewer; packs after the step pack."),
    left=whole("What is left then."),
    rule=maybe(text("Id of the rule that did it.")),
)
OFFER = obj(
    "What a channel is to be told of a listing, and what it was told.",
    connection=text("Name of the channel."),
    listing=text("Its id there."),
    pack_size=whole("Our units in one of theirs."),
    figure=maybe(whole("What it is to be told now, in packs; null when it is told nothing.")),
    reckoned=maybe(whole("What our books alone say, in packs.")),
    confidence=maybe(text("Of the figures behind it.", enum=["fresh", "stale", "unknown", None])),
    told=maybe(whole("What it last confirmed.")),
    told_at=maybe(moment("When.")),
    is_due=truth("A newer figure waits to be told."),
    next_at=maybe(moment("When it is tried again after a refusal.")),
    error=text("Of the last try."),
    steps=many(ref("AvailabilityStep")),
)
PART = obj("A component.", sku=text("Our SKU."), units=whole("In one kit."))
RULE = obj(
    "An availability rule. Of several of one kind that match, the last wins.",
    id=text("Id."),
    position=whole("From 1."),
    kind=text("safety, threshold, percent or publish."),
    value=whole("Units, percent, or 1 and 0 for publish on and off."),
    connection=maybe(text("Name of the only channel it is for.")),
    location_group=maybe(text("The only group of locations it is for.")),
    filter=obj(
        "Articles it is for; empty: all.",
        skus=many(text("SKU.")),
        sku_prefix=text("Beginning of the SKU."),
        tags=many(text("Tag.")),
        product_types=many(text("Type.")),
    ),
    note=text("Why."),
    active=truth("Whether it counts."),
    says=text("The rule in words."),
)
EFFECT = obj(
    "What a change of the rules would do.",
    listings=whole("Figures looked at."),
    rises=whole("Figures that rise."),
    falls=whole("Figures that fall."),
    examples=many(
        obj(
            "A figure that changes.",
            sku=text("The channel's SKU."),
            channel=text("Name."),
            before=whole("Packs."),
            after=whole("Packs."),
        )
    ),
)
COMPONENTS: dict[str, Json] = {
    "AvailabilityStep": STEP,
    "ChannelFigure": OFFER,
    "KitPart": PART,
    "AvailabilityRule": RULE,
    "AvailabilityEffect": EFFECT,
}
CHANGED = obj(
    "The rule as it stands, or the effect that was asked for; the other is null.",
    rule={"anyOf": [ref("AvailabilityRule"), {"type": "null"}]},
    effect={"anyOf": [ref("AvailabilityEffect"), {"type": "null"}]},
)


def get_availability(call: Call) -> Json:
    row = read(lambda tx: stock_view.article(tx, call.path["sku"], console().runtime.clock()))
    return {
        "sku": row.sku,
        "unrouted": row.unrouted,
        "kit": [{"sku": one.sku, "units": one.quantity} for one in row.parts],
        "keep_together": row.keep_together,
        "channels": [_offer(one) for one in row.channels],
    }


def _offer(one: ChannelStock) -> Json:
    offer = one.offer
    return {
        "connection": one.channel,
        "listing": one.external_id,
        "pack_size": one.pack_size,
        "figure": offer.figure if offer is not None and offer.tells else None,
        "reckoned": offer.reckoned if offer is not None else None,
        "confidence": offer.confidence if offer is not None else None,
        "told": one.told,
        "told_at": one.told_at,
        "is_due": one.is_due,
        "next_at": one.next_at,
        "error": one.error,
        "steps": [
            {"kind": step.kind, "text": step.text, "change": step.change, "left": step.left, "rule": step.rule or None}
            for step in (offer.steps if offer is not None else ())
        ],
    }


def set_kit(call: Call) -> Json:
    read(lambda tx: stock_view.article(tx, call.path["sku"]))
    parts = {one["sku"]: one["units"] for one in call.body["components"]}
    together = call.body.get("keep_together", True)
    operate.set_kit(console().runtime, call.path["sku"], parts, person=caller().actor, keep_together=together)
    return get_availability(call)


def list_rules(_call: Call) -> Json:
    return {"rows": [_rule(one) for one in read(rules.rules)]}


def add_rule(call: Call) -> Json:
    wanted = _wanted(call.body)
    if call.body.get("dry_run", False):
        return {"rule": None, "effect": operate.effect_of_adding(console().runtime, wanted, call.body.get("position"))}
    row = operate.add_rule(console().runtime, wanted, person=caller().actor, position=call.body.get("position"))
    return {"rule": _rule(row), "effect": None}


def change_rule(call: Call) -> Json:
    """Move it, switch it, or both; with dry_run the effect of what is given."""
    hub, rule_id, body = console().runtime, call.path["rule_id"], call.body
    if body.get("dry_run", False):
        effect = (
            operate.effect_of_moving(hub, rule_id, body["position"])
            if "position" in body
            else operate.effect_of_switching(hub, rule_id, active=body["active"])
        )
        return {"rule": None, "effect": effect}
    row = (
        operate.move_rule(hub, rule_id, body["position"], person=caller().actor)
        if "position" in body
        else operate.switch_rule(hub, rule_id, active=body["active"], person=caller().actor)
    )
    return {"rule": _rule(row), "effect": None}


def remove_rule(call: Call) -> Json:
    hub, rule_id = console().runtime, call.path["rule_id"]
    if call.query.get("dry_run", False):
        return {"rule": None, "effect": operate.effect_of_removing(hub, rule_id)}
    return {"rule": _rule(operate.remove_rule(hub, rule_id, person=caller().actor)), "effect": None}


def _wanted(body: Json) -> WantedRule:
    return WantedRule(
        body["kind"],
        body["value"],
        body.get("connection", ""),
        body.get("location_group", ""),
        body.get("skus", ()),
        body.get("sku_prefix", ""),
        body.get("tags", ()),
        body.get("product_types", ()),
        body.get("note", ""),
    )


def _rule(row: RuleRow) -> Json:
    given = row.filter or {}
    return {
        **{
            name: getattr(row, name) for name in ("id", "position", "kind", "value", "location_group", "note", "active")
        },
        "connection": row.channel,
        "filter": {
            "skus": given.get("skus", []),
            "sku_prefix": given.get("sku_prefix", ""),
            "tags": given.get("tags", []),
            "product_types": given.get("product_types", []),
        },
        "says": operate.said(row),
    }


def set_channel_stock(call: Call) -> Json:
    row = operate.set_channel(
        console().runtime,
        call.path["connection_id"],
        person=caller().actor,
        location_group=call.body.get("location_group"),
        stock_threshold=call.body.get("stock_threshold"),
        publish_stock=call.body.get("publish_stock"),
        feed_guard_percent=call.body.get("feed_guard_percent"),
    )
    return {name: getattr(row, name) for name in _CHANNEL}


_CHANNEL = ("name", "location_group", "stock_threshold", "publish_stock", "feed_guard_percent")


def set_location_stock(call: Call) -> Json:
    row = operate.set_location(
        console().runtime,
        call.path["code"],
        person=caller().actor,
        groups=call.body.get("groups"),
        stale_after_min=call.body.get("stale_after_min"),
    )
    return {"code": row.code, "groups": row.groups or [], "stale_after_min": row.stale_after_min}


def set_article(call: Call) -> Json:
    read(lambda tx: stock_view.article(tx, call.path["sku"]))
    operate.set_article(
        console().runtime,
        call.path["sku"],
        person=caller().actor,
        tags=call.body.get("tags"),
        preorderable=call.body.get("preorderable"),
        backorder_limit=call.body.get("backorder_limit"),
    )
    return get_availability(call)


def list_feeds(_call: Call) -> Json:
    return {
        "rows": [
            {"connection": one.connection, "figures": one.figures, "since": one.since, "reason": one.reason}
            for one in operate.doubted_feeds(console().runtime)
        ]
    }


def accept_feed(call: Call) -> Json:
    return {"figures": operate.accept_feed(console().runtime, call.path["connection_id"], person=caller().actor)}


def refuse_feed(call: Call) -> Json:
    return {"figures": operate.refuse_feed(console().runtime, call.path["connection_id"], person=caller().actor)}


def _texts(what: str) -> Json:
    item: Any = text(what, minLength=1, maxLength=120, pattern="^[^\\u0000]*$")
    return many(item, maxItems=1_000)


_AVAILABILITY = obj(
    "What every channel is told of an article.",
    sku=text("Our SKU."),
    unrouted=whole("Units promised to orders that have no location yet."),
    kit=many(ref("KitPart"), "What it is a kit of; none when it is a plain article."),
    keep_together=truth("All components of a kit leave from one location."),
    channels=many(ref("ChannelFigure")),
)
_DRY_RUN = truth("Only say what would change.", default=False)
OPERATIONS = (
    Operation(
        "get_availability", "GET", "/stock/{sku}/availability", "Explain what channels are told of an article",
        _AVAILABILITY, get_availability, refusals=(404,),
    ),
    Operation(
        "set_kit", "PUT", "/stock/{sku}/kit", "Make an article a kit of others", _AVAILABILITY, set_kit,
        body=closed(
            ("components",),
            components=many(
                closed(
                    ("sku", "units"),
                    sku=text("Our SKU.", minLength=1, maxLength=120),
                    units=whole("In one kit.", minimum=1, maximum=MOST_UNITS),
                ),
                maxItems=100,
            ),
            keep_together=truth("All components leave from one location.", default=True),
        ),
        refusals=(404, 409), about="Without components it is a plain article again. Safe to repeat.",
    ),
    Operation(
        "list_availability_rules", "GET", "/availability/rules", "List the availability rules in their order",
        obj("All rules.", rows=many(ref("AvailabilityRule"))), list_rules,
    ),
    Operation(
        "add_availability_rule", "POST", "/availability/rules", "Add an availability rule", CHANGED, add_rule,
        body=closed(
            ("kind", "value"),
            kind=text("What it decides.", enum=["safety", "threshold", "percent", "publish"]),
            value=whole("Units, percent, or 1 and 0.", minimum=0, maximum=MOST_UNITS),
            connection=text("Only on this channel, by name or id.", maxLength=120),
            location_group=text("Only in this group.", maxLength=80),
            skus=_texts("SKU."),
            sku_prefix=text("Beginning of the SKU.", maxLength=120),
            tags=_texts("Tag."),
            product_types=_texts("Type."),
            note=text("Why.", maxLength=200),
            position=whole("From 1; by default the last, which wins.", minimum=1, maximum=100_000),
            dry_run=_DRY_RUN,
        ),
        refusals=(404, 409),
    ),
    Operation(
        "change_availability_rule", "PATCH", "/availability/rules/{rule_id}", "Move or switch an availability rule",
        CHANGED, change_rule,
        body={
            **closed(
                position=whole("From 1.", minimum=1, maximum=100_000),
                active=truth("Whether it counts."),
                dry_run=_DRY_RUN,
            ),
            "oneOf": [{"required": ["position"]}, {"required": ["active"]}],
        },
        refusals=(409,), about="Give either `position` or `active`.",
    ),
    Operation(
        "remove_availability_rule", "DELETE", "/availability/rules/{rule_id}", "Remove an availability rule", CHANGED,
        remove_rule, query={"dry_run": _DRY_RUN}, refusals=(409,),
    ),
    Operation(
        "set_channel_stock", "PATCH", "/connections/{connection_id}/stock", "Say what a channel sells from",
        obj(
            "How it is told.",
            name=text("Its name."),
            location_group=maybe(text("Sells from these locations; null: all.")),
            stock_threshold=whole("Units kept from it where no threshold rule matches."),
            publish_stock=truth("Whether it is told our stock."),
            feed_guard_percent=whole("A stock feed of it is parked from so many percent on; 0: never."),
        ),
        set_channel_stock,
        body=closed(
            location_group=text("Empty: every location.", maxLength=80),
            stock_threshold=whole("Units.", minimum=0, maximum=MOST_UNITS),
            publish_stock=truth("Whether it is told our stock."),
            feed_guard_percent=whole("Percent; 0: never.", minimum=0, maximum=100),
        ),
        refusals=(404, 409), about="What is not given stays.",
    ),
    Operation(
        "set_location_stock", "PATCH", "/availability/locations/{code}", "Say which groups a location is in",
        obj(
            "How its stock counts.",
            code=text("Its code."),
            groups=many(text("Name.")),
            stale_after_min=maybe(whole("Minutes after which its figures are overdue; null: never.")),
        ),
        set_location_stock,
        body=closed(
            groups=_texts("Name of a group."),
            stale_after_min=whole("Minutes after which its figures are overdue; 0: never.", minimum=0, maximum=525_600),
        ),
        refusals=(409,), about="What is not given stays.",
    ),
    Operation(
        "set_article", "PATCH", "/stock/{sku}/article", "Tag an article, or say how it is sold before it comes",
        _AVAILABILITY, set_article,
        body=closed(
            tags=_texts("Tag."),
            preorderable=truth("Sold against open purchase orders."),
            backorder_limit={
                "type": ["integer", "string"],
                "minimum": 0,
                "maximum": MOST_UNITS,
                "pattern": "^any$",
                "description": "Units that may be promised and are neither there nor on order; any: any number.",
            },
        ),
        refusals=(404, 409), about="What is not given stays.",
    ),
    Operation(
        "list_doubted_feeds", "GET", "/availability/feeds", "List stock feeds that were not believed",
        obj(
            "By connection.",
            rows=many(
                obj(
                    "A feed.",
                    connection=text("Name."),
                    figures=whole("Figures that wait."),
                    since=moment("When the oldest came."),
                    reason=text("Why they were not booked."),
                )
            ),
        ),
        list_feeds,
    ),
    Operation(
        "accept_feed", "POST", "/availability/feeds/{connection_id}/accept", "Book a doubted feed after all",
        obj("Done.", figures=whole("Figures looked at again.")), accept_feed, refusals=(404,), about="Safe to repeat.",
    ),
    Operation(
        "refuse_feed", "POST", "/availability/feeds/{connection_id}/refuse", "Set a doubted feed aside",
        obj("Done.", figures=whole("Figures set aside.")), refuse_feed, refusals=(404,), about="Safe to repeat.",
    ),
)  # fmt: skip
