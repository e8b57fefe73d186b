"""Availability: what channels are told and why, the rules behind it, kits, and feeds that were doubted."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from hub.cli.edge import NoSuchThingError
from hub.cli.output import AsJson, note, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.flows.operate import availability as operate
from hub.flows.operate.availability import Effect, WantedRule
from hub.store import availability as rules
from hub.store.views import stock
from hub.store.views.stock import ChannelStock, StockRow

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What channels are told of stock, and why.")
rule_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Rules in their order; the last match wins.")
feed_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Stock feeds that wait for a decision.")
kit_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Articles that are sold as a set of others.")
app.add_typer(rule_app, name="rule")
app.add_typer(feed_app, name="feed")

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many figures would change.")]
RuleId = Annotated[str, typer.Argument(help="Position or id of the rule.")]


class Kind(StrEnum):
    """What a rule decides."""

    SAFETY = "safety"
    THRESHOLD = "threshold"
    PERCENT = "percent"
    PUBLISH = "publish"


def explain(
    sku: Annotated[str, typer.Argument(help="Our SKU.")],
    channel: Annotated[str, typer.Option(help="Only this channel, by name.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say step by step why each channel is told what it is told of an article."""
    with runtime() as hub, hub.db.read() as tx:
        row = stock.article(tx, sku, hub.clock())
    told = [one for one in row.channels if channel in ("", one.channel)]
    if channel and not told:
        raise NoSuchThingError(f"{sku} is not listed on a channel {channel!r}")
    if as_json:
        print_json({"sku": row.sku, "unrouted": row.unrouted, "channels": [_plain(one) for one in told]})
        return
    if not told:
        say(f"No channel lists {sku}.")
    for one in told:
        _explain(row, one)


def _plain(one: ChannelStock) -> dict[str, Any]:
    """A channel's figure with its steps in words, for scripts."""
    offer = one.offer
    return {
        "channel": one.channel,
        "listing": one.external_id,
        "figure": offer.figure if offer is not None and offer.tells else None,
        "confidence": offer.confidence if offer is not None else None,
        "told": one.told,
        "told_at": one.told_at,
        "is_due": one.is_due,
        "error": one.error,
        "steps": [{**step._asdict(), "text": step.text} for step in (offer.steps if offer is not None else ())],
    }


def _explain(row: StockRow, one: ChannelStock) -> None:
    if one.offer is None:
        say(f"{one.channel} is told no stock.")
        return
    offer = one.offer
    print_table(
        ("Step", "Change#", "Left#"),
        ((step.text, f"{step.change:+d}" if step.change else "0", step.left) for step in offer.steps),
        title=f"{row.sku} on {one.channel} ({one.external_id})",
        empty=f"{row.sku} on {one.channel} ({one.external_id}): no location has it.",
    )
    figure = str(offer.figure) if offer.tells else "nothing, until the feed has told of it"
    said = "never told" if one.told is None else f"last told {one.told} at {one.told_at:%Y-%m-%d %H:%M} UTC"
    waits = "; a newer figure waits" if one.is_due else ""
    say(f"It is to be told {figure}; {said}{waits}.")
    if one.error:
        say(f"The last time it did not take it: {one.error}")


@rule_app.command("list")
def list_rules(as_json: AsJson = False) -> None:
    """List the rules in their order."""
    with runtime() as hub, hub.db.read() as tx:
        found = rules.rules(tx)
    if as_json:
        print_json({"rows": found})
        return
    print_table(
        ("Position#", "Kind", "What it does", "On", "Note"),
        ((one.position, one.kind, operate.said(one), one.active, one.note) for one in found),
        empty="There are no rules: every channel is offered everything less its own threshold.",
    )


@rule_app.command("add")
def add_rule(
    kind: Annotated[Kind, typer.Argument(help="What it decides.")],
    value: Annotated[int, typer.Argument(help="Units, percent, or 1 and 0 for publish on and off.", min=0)],
    channel: Annotated[str, typer.Option(help="Only on this connection, by name or id.")] = "",
    group: Annotated[str, typer.Option(help="Only in this group of locations.")] = "",
    sku: Annotated[list[str] | None, typer.Option(help="Only these SKUs; give it as often as needed.")] = None,
    sku_prefix: Annotated[str, typer.Option(help="Only SKUs that begin so.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Only articles with one of these tags.")] = None,
    product_type: Annotated[list[str] | None, typer.Option(help="Only listings of one of these types.")] = None,
    at: Annotated[int | None, typer.Option(help="Position; by default the last, which wins.", min=1)] = None,
    reason: Annotated[str, typer.Option("--note", help="Why, for those who read it later.")] = "",
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Add a rule."""
    wanted = WantedRule(kind.value, value, channel, group, sku or (), sku_prefix, tag or (), product_type or (), reason)
    with runtime() as hub:
        if dry_run:
            _say_effect(operate.effect_of_adding(hub, wanted, at), as_json)
            return
        row = operate.add_rule(hub, wanted, person=person(), position=at)
    if as_json:
        print_json(row)
    else:
        say(f"Rule {row.position}: {operate.said(row)}.")


@rule_app.command("move")
def move_rule(
    rule: RuleId,
    to: Annotated[int, typer.Argument(help="Position from 1.", min=1)],
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Put a rule at another position."""
    with runtime() as hub:
        if dry_run:
            _say_effect(operate.effect_of_moving(hub, rule, to), as_json)
            return
        row = operate.move_rule(hub, rule, to, person=person())
    if as_json:
        print_json(row)
    else:
        say(f"Rule {row.position}: {operate.said(row)}.")


@rule_app.command("switch")
def switch_rule(
    rule: RuleId,
    on: Annotated[bool, typer.Option("--on/--off", help="Whether it counts.")] = True,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Switch a rule on or off."""
    with runtime() as hub:
        if dry_run:
            _say_effect(operate.effect_of_switching(hub, rule, active=on), as_json)
            return
        row = operate.switch_rule(hub, rule, active=on, person=person())
    if as_json:
        print_json(row)
    else:
        say(f"Rule {row.position} is {'on' if row.active else 'off'}: {operate.said(row)}.")


@rule_app.command("remove")
def remove_rule(rule: RuleId, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Take a rule away."""
    with runtime() as hub:
        if dry_run:
            _say_effect(operate.effect_of_removing(hub, rule), as_json)
            return
        row = operate.remove_rule(hub, rule, person=person())
    if as_json:
        print_json(row)
    else:
        say(f"The rule is gone: {operate.said(row)}.")


def _say_effect(effect: Effect, as_json: bool) -> None:
    if as_json:
        print_json(effect)
        return
    say(f"Of {effect.listings} figures {effect.rises} would rise and {effect.falls} would fall. Nothing was saved.")
    if effect.examples:
        print_table(
            ("SKU", "Channel", "Now#", "Then#"),
            ((one.sku, one.channel, one.before, one.after) for one in effect.examples),
            empty="",
        )


@app.command("channel")
def set_channel(
    channel: Annotated[str, typer.Argument(help="Connection, by name or id.")],
    group: Annotated[str | None, typer.Option(help='Sell from this group of locations; "" is all of them.')] = None,
    threshold: Annotated[
        int | None, typer.Option(help="Units kept from it where no threshold rule matches.", min=0)
    ] = None,
    publish: Annotated[bool | None, typer.Option("--publish/--no-publish", help="Whether it is told stock.")] = None,
    guard: Annotated[
        int | None,
        typer.Option(help="Park its stock feed when so many percent go to nothing; 0: never.", min=0, max=100),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a channel sells from, and show how it is told."""
    with runtime() as hub:
        row = operate.set_channel(
            hub,
            channel,
            person=person(),
            location_group=group,
            stock_threshold=threshold,
            publish_stock=publish,
            feed_guard_percent=guard,
        )
    if as_json:
        print_json(
            {
                "name": row.name,
                "location_group": row.location_group,
                "stock_threshold": row.stock_threshold,
                "publish_stock": row.publish_stock,
                "feed_guard_percent": row.feed_guard_percent,
            }
        )
        return
    place = f"the group {row.location_group}" if row.location_group else "every location"
    told = f"keeps back {row.stock_threshold} of each article" if row.publish_stock else "is told no stock"
    say(f"{row.name} sells from {place} and {told}; a feed is doubted from {row.feed_guard_percent} percent on.")


@app.command("location")
def set_location(
    code: Annotated[str, typer.Argument(help="Code of the location.")],
    group: Annotated[
        list[str] | None, typer.Option(help='Group that it is in, instead of those before; "" is none.')
    ] = None,
    stale_after: Annotated[
        int | None, typer.Option(help="Minutes after which its figures are overdue; 0: never.", min=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which groups a location is in, and when its figures are overdue."""
    with runtime() as hub:
        row = operate.set_location(hub, code, person=person(), groups=group, stale_after_min=stale_after)
    if as_json:
        print_json({"code": row.code, "groups": row.groups or [], "stale_after_min": row.stale_after_min})
        return
    groups = f"in {', '.join(row.groups)}" if row.groups else "in no group"
    feed = (
        f"its figures are overdue after {row.stale_after_min} minutes"
        if row.stale_after_min
        else "its figures are never overdue"
    )
    say(f"{row.code} is {groups}; {feed}.")


@app.command("article")
def set_article(
    sku: Annotated[str, typer.Argument(help="Our SKU.")],
    tag: Annotated[list[str] | None, typer.Option(help='Word that rules look for; "" is none.')] = None,
    preorder: Annotated[
        bool | None, typer.Option("--preorder/--no-preorder", help="Sell it against open purchase orders.")
    ] = None,
    backorder_limit: Annotated[
        str, typer.Option(help="Units that may be promised and are neither there nor on order; any: any number.")
    ] = "",
) -> None:
    """Say by which tags rules find an article, and how it is sold before it comes."""
    limit: Any = backorder_limit or None
    if backorder_limit.isdecimal():
        limit = int(backorder_limit)
    elif limit not in (None, operate.ANY_NUMBER):
        raise typer.BadParameter("a whole number, or any", param_hint="--backorder-limit")
    with runtime() as hub:
        operate.set_article(hub, sku, person=person(), tags=tag, preorderable=preorder, backorder_limit=limit)
    say(f"{sku} is changed.")


@feed_app.command("list")
def list_feeds(as_json: AsJson = False) -> None:
    """List feeds that would take most articles to nothing and were not booked."""
    with runtime() as hub:
        found = operate.doubted_feeds(hub)
    if as_json:
        print_json({"rows": found})
        return
    print_table(
        ("Connection", "Figures#", "Since (UTC)", "Why"),
        ((one.connection, one.figures, one.since, one.reason) for one in found),
        empty="No feed waits.",
    )


@feed_app.command("accept")
def accept_feed(connection: Annotated[str, typer.Argument(help="Connection, by name or id.")]) -> None:
    """Book a doubted feed after all."""
    with runtime() as hub:
        count = operate.accept_feed(hub, connection, person=person())
    say(f"{count} figures are booked now.")
    note("A figure older than what is known of its place meanwhile changes nothing.")


@feed_app.command("refuse")
def refuse_feed(connection: Annotated[str, typer.Argument(help="Connection, by name or id.")]) -> None:
    """Set a doubted feed aside."""
    with runtime() as hub:
        count = operate.refuse_feed(hub, connection, person=person())
    say(f"{count} figures were set aside.")


@kit_app.command("set")
def set_kit(
    kit: Annotated[str, typer.Argument(help="SKU that is sold.")],
    of: Annotated[list[str], typer.Option(help="SKU:UNITS of a component; give it for each.")],
    together: Annotated[
        bool, typer.Option("--together/--apart", help="All components leave from one location, or from several.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Make an article a kit of others."""
    with runtime() as hub:
        parts = operate.set_kit(hub, kit, dict(_part(one) for one in of), person=person(), keep_together=together)
    if as_json:
        print_json({"sku": kit, "components": parts})
    else:
        say(f"{kit} is a kit of {', '.join(f'{one.quantity} x {one.sku}' for one in parts)}.")


def _part(text: str) -> tuple[str, int]:
    sku, _, units = text.rpartition(":")
    if not sku or not units.isdecimal():
        raise typer.BadParameter(f"{text!r} is not SKU:UNITS, such as MUG:2")
    return sku, int(units)


@kit_app.command("show")
def show_kit(kit: Annotated[str, typer.Argument(help="SKU that is sold.")], as_json: AsJson = False) -> None:
    """Show what a kit is made of."""
    with runtime() as hub, hub.db.read() as tx:
        row = stock.article(tx, kit, hub.clock())
    if as_json:
        print_json({"sku": kit, "components": row.parts, "keep_together": row.keep_together})
        return
    print_table(
        ("Component", "Title", "In one kit#"),
        ((one.sku, one.title, one.quantity) for one in row.parts),
        empty=f"{kit} is no kit: `orderhub kit set {kit} --of SKU:UNITS` makes it one.",
    )


@kit_app.command("clear")
def clear_kit(kit: Annotated[str, typer.Argument(help="SKU that is sold.")]) -> None:
    """Make a kit a plain article again."""
    with runtime() as hub:
        operate.set_kit(hub, kit, {}, person=person())
    say(f"{kit} is no kit any more.")
