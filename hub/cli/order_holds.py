"""Holds and entry checks at the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.naming import order_id, utc
from hub.cli.output import After, AsJson, Limit, note, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.flows import operate
from hub.flows.desk import HoldTerms
from hub.flows.operate import Done, HoldOn
from hub.store.views import holds


class Blocks(StrEnum):
    """What a hold stops."""

    ROUTING = "routing"
    RELEASE = "release"
    LABEL = "label"
    SHIP = "ship"
    EVERYTHING = "everything"
    NOTHING = "nothing"


Orders = Annotated[list[str], typer.Argument(help="Numbers (with or without #), our ids, or the channel's ids.")]


def register(app: typer.Typer) -> None:
    app.command("hold")(hold)
    app.command("release")(release)
    app.command("holds")(list_holds)
    app.command("assign")(assign)
    app.command("checks")(checks)


def hold(
    orders: Orders,
    reason: Annotated[str, typer.Option(help="Why, in words.")],
    kind: Annotated[str, typer.Option(help="What people filter by, such as customer or payment.")] = "manual",
    blocks: Annotated[Blocks, typer.Option(help="The step that waits.")] = Blocks.ROUTING,
    line: Annotated[str, typer.Option(help="Only this line: its SKU, or its number in the order.")] = "",
    fo: Annotated[str, typer.Option(help="Only this fulfillment order, by its number.")] = "",
    handle: Annotated[str, typer.Option(help="Tells several holds of one kind apart.")] = "",
    assignee: Annotated[str, typer.Option(help="Who looks after it.")] = "",
    due: Annotated[datetime | None, typer.Option(help="Until when somebody should have, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="It ends by itself then, UTC.")] = None,
    as_json: AsJson = False,
) -> None:
    """Hold orders, or a part of each; they wait until the hold is released."""
    terms = HoldTerms(assignee, utc(due), utc(until))
    with runtime() as hub:
        with hub.db.read() as tx:
            ids = [order_id(tx, one) for one in orders]
        how = HoldOn(kind, blocks.value, line, fo, handle, terms)
        done = operate.hold_orders(hub, ids, reason, person=person(), on=how)
    _tell(orders, done, as_json, "held", "held so before")


def release(
    hold_ids: Annotated[list[str] | None, typer.Argument(help="Ids of holds, as `orderhub order holds` shows.")] = None,
    order: Annotated[str, typer.Option(help="All active holds of this order.")] = "",
    kind: Annotated[str, typer.Option(help="With --order: only of this kind.")] = "",
    why: Annotated[str, typer.Option("--note", help="For the timeline.")] = "",
    as_json: AsJson = False,
) -> None:
    """Release holds, and let their orders go on."""
    wanted = list(hold_ids or ())
    with runtime() as hub:
        if order:
            with hub.db.read() as tx:
                key = order_id(tx, order)
                rows = operate.active_holds(tx, key)
            wanted += [one for one, its_kind in rows if kind in ("", its_kind)]
        if not wanted:
            raise NoSuchThingError("no hold was named, and the order has none of that kind")
        done = operate.release_holds(hub, wanted, person=person(), note=why)
    _tell(wanted, done, as_json, "released", "released before")


def _tell(names: Sequence[str], done: Sequence[Done], as_json: bool, did: str, was: str) -> None:
    """Say what became of each; exit code 1 when something could not be done."""
    if as_json:
        print_json({"rows": done})
    else:
        for name, one in zip(names, done, strict=True):
            say(f"{name}: {one.error or (did if one.done else was)}" + (f"; {one.note}" if one.note else ""))
    if any(one.error for one in done):
        raise typer.Exit(PROBLEMS)


def list_holds(
    kind: Annotated[str, typer.Option(help="Only of this kind.")] = "",
    assignee: Annotated[str, typer.Option(help="Only those that this person looks after.")] = "",
    overdue: Annotated[bool, typer.Option("--overdue", help="Only those whose day has passed.")] = False,
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List active holds, the oldest first."""
    with runtime() as hub, hub.db.read() as tx:
        page = holds.find(tx, holds.HoldQuery(kind, assignee, overdue, after, limit), hub.clock())
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Hold", "Order", "On", "Kind", "Blocks", "Reason", "Due (UTC)", "Who", "Since (UTC)"),
        (
            (one.id, one.number, one.target or "the order", one.kind, one.blocks, one.reason,
             f"{one.due_at:%Y-%m-%d %H:%M}{' overdue' if one.is_overdue else ''}" if one.due_at else "", one.assignee,
             one.created_at)
            for one in page.rows
        ),
        empty="Nothing is on hold.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


def assign(
    hold_id: Annotated[str, typer.Argument(help="Id of the hold, as `orderhub order holds` shows.")],
    assignee: Annotated[str, typer.Option("--to", help="Who looks after it; left out: nobody.")] = "",
    due: Annotated[datetime | None, typer.Option(help="Until when they should have, UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="It ends by itself then, UTC.")] = None,
    noted: Annotated[str, typer.Option("--note", help="For people.")] = "",
) -> None:
    """Say who looks after a hold, and until when. What is left out is cleared."""
    with runtime() as hub:
        done = operate.look_after_hold(hub, hold_id, HoldTerms(assignee, utc(due), utc(until), noted), person=person())
    if not done:
        raise NoSuchThingError(f"there is no active hold {hold_id!r}; `orderhub order holds` lists them")
    say(f"{assignee} looks after it." if assignee else "Nobody looks after it.")


def checks(
    connection: Annotated[str, typer.Argument(help="The channel, by its name or id.")],
    on: Annotated[list[str] | None, typer.Option(help="Run this check.")] = None,
    off: Annotated[list[str] | None, typer.Option(help="Do not run this check.")] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="A setting, such as twin.minutes=5; blank is the default.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show or choose the entry checks that a channel's orders have to pass."""
    wanted: dict[str, dict[str, object]] = {}
    for name in on or ():
        wanted.setdefault(name, {})["on"] = True
    for name in off or ():
        wanted.setdefault(name, {})["on"] = False
    for one in settings or ():
        place, equals, text = one.partition("=")
        name, dot, setting = place.partition(".")
        if not equals or not dot:
            raise typer.BadParameter(f"{one!r} is not CHECK.SETTING=VALUE", param_hint="--set")
        wanted.setdefault(name, {})[setting] = _number(text)
    with runtime() as hub:
        if wanted:
            operate.choose_checks(hub, connection, wanted, person=person())
        rows = operate.checks_of(hub, connection)
    if as_json:
        print_json({"rows": [{"name": one.name, "on": one.on, "settings": one.settings} for one in rows]})
        return
    print_table(
        ("Check", "On", "Finds", "Settings"),
        (
            (one.name, one.on, one.check.about, ", ".join(f"{key}={value}" for key, value in one.settings.items()))
            for one in rows
        ),
        empty="There are no checks.",
    )


def _number(text: str) -> object:
    """A number where the text is one; settings that are texts, such as amounts, are compared as texts."""
    return int(text) if text.isascii() and text.isdecimal() else text
