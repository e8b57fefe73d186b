"""Moves, reservations and audits of stock, below `orderhub stock`."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS
from hub.cli.naming import order_id
from hub.cli.output import After, AsJson, Limit, note, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.stock_states import OUTSIDE, STATES, reason_text
from hub.flows import operate, stock_care
from hub.flows.operate import ReserveLine
from hub.store import audits
from hub.store.views import reservations
from hub.store.views.reservations import ReservationQuery

State = StrEnum("State", {state.upper(): state for state in (*STATES, OUTSIDE) if state != "committed"})  # type: ignore[misc]
Reserved = StrEnum(  # type: ignore[misc]
    "Reserved", {state.upper(): state for state in ("active", "converted", "released", "expired", "any")}
)


def move(
    sku: Annotated[str, typer.Argument(help="Our SKU.")],
    location: Annotated[str, typer.Argument(help="Code of the location.")],
    units: Annotated[int, typer.Option(help="How many.", min=1)],
    reason: Annotated[str, typer.Option(help="Why, for the ledger, such as damaged or inspection.")],
    source: Annotated[State, typer.Option("--from", help="The state they are in; outside: they come in.")] = State[
        "AVAILABLE"
    ],
    target: Annotated[State, typer.Option("--to", help="The state they go to; outside: they are gone.")] = State[
        "AVAILABLE"
    ],
    noted: Annotated[str, typer.Option("--note", help="More about the reason.")] = "",
    lot: Annotated[str, typer.Option(help="The lot that they are of, where an article is kept by lot.")] = "",
    key: Annotated[str, typer.Option(help="The same key moves once, however often it is given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Move units from one state to another, such as from available to damaged."""
    sides = [None if side.value == OUTSIDE else side.value for side in (source, target)]
    with runtime() as hub:
        done = operate.move_stock(
            hub, sku, location, units, *sides, person=person(), reason=reason_text(reason, noted), lot=lot, key=key
        )
    if as_json:
        print_json(done)
        return
    now = ", ".join(f"{count} {state.replace('_', ' ')}" for state, count in done.states.items() if count)
    say(f"{sku} at {location}: {now or 'nothing'}.")


def reserve(
    sku: Annotated[str, typer.Argument(help="Our SKU; a kit keeps all its components.")],
    units: Annotated[int, typer.Argument(help="How many.", min=1)],
    owner: Annotated[str, typer.Option("--for", help="For whom: a person, or a checkout's id with --checkout.")],
    at: Annotated[str, typer.Option("--at", help="Code of the location; without, from the network.")] = "",
    checkout: Annotated[bool, typer.Option("--checkout", help="It is a checkout: it ends after 15 minutes.")] = False,
    minutes: Annotated[int | None, typer.Option(help="End it after so many minutes.", min=1)] = None,
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    key: Annotated[str, typer.Option(help="The same key reserves once, however often it is given.")] = "",
    as_json: AsJson = False,
) -> None:
    """Keep units for somebody, so that nobody else is sold them."""
    with runtime() as hub:
        made = operate.reserve(
            hub,
            [ReserveLine(sku, units, at)],
            ("checkout" if checkout else "person", owner),
            person=person(),
            expires_in=None if minutes is None else timedelta(minutes=minutes),
            reason=reason,
            key=key,
        )
    if as_json:
        print_json({"rows": made})
        return
    for row in made:
        until = f" until {row.expires_at:%Y-%m-%d %H:%M} UTC" if row.expires_at else ""
        say(f"{row.quantity} units of {sku} are kept for {owner}{until} ({row.id}).")


def release(
    ids: Annotated[list[str], typer.Argument(help="Ids of reservations.")],
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let reservations go; their units are free again, once."""
    with runtime() as hub:
        done = operate.release_reservations(hub, ids, person=person(), reason=reason)
    if as_json:
        print_json({"rows": done})
    else:
        for row in done:
            say(f"{row.id} is {row.state}.")


def extend(
    ids: Annotated[list[str], typer.Argument(help="Ids of reservations.")],
    minutes: Annotated[int, typer.Option(help="So many minutes from now on.", min=1)],
    as_json: AsJson = False,
) -> None:
    """Keep reservations longer, all of them or none."""
    with runtime() as hub:
        done = operate.extend_reservations(hub, ids, timedelta(minutes=minutes), person=person())
    if as_json:
        print_json({"rows": done})
    else:
        for row in done:
            say(f"{row.id} is kept until {row.expires_at:%Y-%m-%d %H:%M} UTC.")


def convert(
    ids: Annotated[list[str], typer.Argument(help="Ids of reservations.")],
    order: Annotated[str, typer.Option(help="The order: number (with or without #), our id, or the channel's id.")],
    as_json: AsJson = False,
) -> None:
    """Give reserved units to an order that waits for them; nobody else takes them in between."""
    with runtime() as hub:
        with hub.db.read() as tx:
            key = order_id(tx, order)
        done = operate.convert_reservations(hub, ids, key, person=person())
    if as_json:
        print_json({"rows": done})
    else:
        for row in done:
            say(f"{row.id} is {row.state}.")


def list_reservations(
    sku: Annotated[str, typer.Option(help="Only of this article.")] = "",
    owner: Annotated[str, typer.Option("--for", help="Only of this owner.")] = "",
    state: Annotated[Reserved, typer.Option(help="Only in this state.")] = Reserved["ACTIVE"],
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List reservations, newest first."""
    wanted = "" if state.value == "any" else state.value
    query = ReservationQuery(state=wanted, owner=owner, sku=sku, after=after, limit=limit)
    with runtime() as hub, hub.db.read() as tx:
        page = reservations.find(tx, query)
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Id", "SKU", "Units#", "Location", "For", "State", "Until (UTC)"),
        (
            (one.id, one.sku, one.units, one.location or "network", f"{one.owner_type} {one.number or one.owner_id}",
             one.state, one.expires_at)
            for one in page.rows
        ),
        empty="Nothing is reserved.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


def audit(
    last: Annotated[bool, typer.Option("--last", help="Show the last audits instead of making one.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add up the whole ledger against the stock and keep the report. Exit code 1 when something does not add up."""
    with runtime() as hub:
        if not last:
            stock_care.audit(hub, actor=f"person:{person()}"[:120])
        with hub.db.read() as tx:
            found = audits.recent(tx, 30 if last else 1)
    if as_json:
        print_json({"rows": found})
    elif last:
        print_table(
            ("When (UTC)", "By", "Positions#", "Moves#", "Wrong#", "Let go#"),
            ((one.at, one.actor, one.positions, one.moves, len(one.wrong), len(one.of("released"))) for one in found),
            empty="There was no audit yet: `orderhub stock audit`.",
        )
    else:
        _show(found[0])
    if not last and found[0].wrong:
        raise typer.Exit(PROBLEMS)


def _show(found: audits.AuditRow) -> None:
    if found.differences:
        print_table(
            ("Kind", "SKU", "Location", "Found"),
            ((one["kind"], one["sku"], one["location"], audits.said(one)) for one in found.differences),
            empty="",
        )
    verdict = f"{len(found.wrong)} figures do not add up." if found.wrong else "Everything adds up."
    say(f"{found.positions} positions and {found.moves} moves were read. {verdict}")


def register(app: typer.Typer) -> None:
    app.command("move")(move)
    app.command("reserve")(reserve)
    app.command("extend")(extend)
    app.command("convert")(convert)
    app.command("release")(release)
    app.command("reservations")(list_reservations)
    app.command("audit")(audit)
