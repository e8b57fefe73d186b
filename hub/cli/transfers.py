"""Transfers between our own locations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.edge import NoSuchThingError
from hub.cli.naming import units_by_sku
from hub.cli.output import After, AsJson, Limit, note, print_facts, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.transfers import NEXT
from hub.flows.operate import transfers as operate
from hub.flows.operate.transfers import Missing, Received
from hub.store.views import transfers as view
from hub.store.views.transfers import TransferDetail, TransferQuery, UnknownTransferError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Move stock between our own locations.")

Number = Annotated[str, typer.Argument(help="Number of the transfer.")]
Items = Annotated[list[str], typer.Argument(help="SKU=UNITS, as many as there are.")]
MaybeItems = Annotated[list[str] | None, typer.Argument(help="SKU=UNITS; without any all of it.")]
Serials = Annotated[list[str] | None, typer.Option("--serial", help="SKU=NUMBER of a unit that has one; repeat it.")]


class Condition(StrEnum):
    """In which condition units arrive."""

    GOOD = "good"
    DAMAGED = "damaged"
    TO_INSPECT = "to_inspect"


@app.command("list")
def list_transfers(
    status: Annotated[str, typer.Option(help="A status, or open.")] = "open",
    location: Annotated[str, typer.Option(help="Code of either end.")] = "",
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List transfers, newest first."""
    if status not in ("open", "all", *NEXT):
        raise typer.BadParameter(f"a status is open, all, {', '.join(NEXT)}")
    query = TransferQuery("" if status == "all" else status, location, after, limit)
    with runtime() as hub, hub.db.read() as tx:
        page = view.find(tx, query)
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Number", "From", "To", "Status", "Units#", "Left#", "Arrived#", "Missing#", "Expected on"),
        (
            (row.number, row.source, row.destination, row.status, row.quantity, row.shipped, row.received,
             row.expected, row.expected_on)
            for row in page.rows
        ),
        empty="There is no such transfer: `orderhub transfer create FROM TO SKU=UNITS`.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


@app.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show a transfer with its lines, differences and history."""
    found = _found(number)
    if as_json:
        print_json(found)
        return
    print_facts(
        (
            ("Number", found.row.number), ("From", found.row.source), ("To", found.row.destination),
            ("Status", found.row.status), ("Next", ", ".join(NEXT[found.row.status]) or "nothing, it is final"),
            ("Left", found.row.shipped_at), ("Carrier", found.row.carrier), ("Tracking", found.row.tracking_number),
            ("Expected on", found.row.expected_on), ("Note", found.row.note),
        )
    )  # fmt: skip
    print_table(
        ("SKU", "Units#", "Left#", "Arrived#", "Lost#", "Back#", "Expected#", "Over#", "Never sent#"),
        (
            (one.sku, one.line.quantity, one.line.shipped, one.line.received, one.line.lost, one.line.back_to_source,
             one.line.expected, one.line.over, one.line.mis_shipped)
            for one in found.lines
        ),
        empty="There is nothing on it.",
    )  # fmt: skip
    print_table(
        ("When (UTC)", "Who", "What"),
        ((one["at"], one["actor"], one["message"]) for one in reversed(found.events)),
        empty="",
    )


def _found(number: str) -> TransferDetail:
    try:
        with runtime() as hub, hub.db.read() as tx:
            return view.detail(tx, number)
    except UnknownTransferError as error:
        raise NoSuchThingError(str(error)) from error


@app.command("create")
def create(
    source: Annotated[str, typer.Argument(help="Code of the location that units leave.")],
    destination: Annotated[str, typer.Argument(help="Code of the location that they go to.")],
    items: Items,
    note_: Annotated[str, typer.Option("--note", help="For people.")] = "",
    expected: Annotated[
        datetime | None, typer.Option(help="Day on which it should arrive.", formats=["%Y-%m-%d"])
    ] = None,
    key: Annotated[str, typer.Option(help="The same key makes one transfer, however often it is given.")] = "",
    ready: Annotated[bool, typer.Option("--ready", help="Keep the units at the source at once.")] = False,
) -> None:
    """Write a transfer; its number is printed."""
    with runtime() as hub:
        number = operate.create_transfer(
            hub, source, destination, units_by_sku(items), person=person(), note=note_,
            expected_on=expected.date() if expected else None, key=key,
        )  # fmt: skip
        if ready:
            operate.make_ready(hub, number, person=person())
    say(number)


@app.command("lines")
def lines(number: Number, items: Items) -> None:
    """Give a draft other lines."""
    with runtime() as hub:
        operate.change_transfer(hub, number, units_by_sku(items), person=person())
    say(f"{number} has other lines.")


@app.command("ready")
def ready(number: Number) -> None:
    """Keep the units at the source, so that nobody sells them."""
    with runtime() as hub:
        done = operate.make_ready(hub, number, person=person())
    say(f"{number} is ready." if done else f"{number} was ready before.")


@app.command("ship")
def ship(
    number: Number,
    items: MaybeItems = None,
    serials: Serials = None,
    carrier: Annotated[str, typer.Option(help="Who carries it.")] = "",
    tracking: Annotated[str, typer.Option(help="The carrier's number.")] = "",
) -> None:
    """The goods leave. Units that are not named are free again."""
    with runtime() as hub:
        done = operate.ship_transfer(
            hub, number, person=person(), units=units_by_sku(items) if items else None, serials=_serials(serials),
            carrier=carrier, tracking_number=tracking,
        )  # fmt: skip
    say(f"{number} left." if done else f"{number} left before.")


@app.command("receive")
def receive(
    number: Number,
    items: MaybeItems = None,
    condition: Annotated[Condition, typer.Option(help="In which condition they are.")] = Condition.GOOD,
    lot: Annotated[str, typer.Option(help="Lot, when it is not one of those that left.")] = "",
    expires: Annotated[str, typer.Option(help="Day on which that lot expires, such as 2026-12-31.")] = "",
    serials: Serials = None,
    key: Annotated[str, typer.Option(help="The same key counts once, however often it is given.")] = "",
) -> None:
    """Units arrived; without any named, all that is still expected, in good condition."""
    from hub.flows.operate.lots import expiry

    if not items and (condition is not Condition.GOOD or lot or expires or serials):
        raise typer.BadParameter("name the units as SKU=UNITS when you say more of them than that all are there")
    units, numbers = units_by_sku(items) if items else {}, _serials(serials)
    rows = [
        Received(sku, count, condition.value, lot, expiry(expires), tuple(numbers.get(sku, ())))
        for sku, count in units.items()
    ]
    with runtime() as hub:
        done = operate.receive_transfer(hub, number, rows if items else None, person=person(), receipt=key)
    booked = f"{sum(units.values())} units are booked." if items else "all that was expected is booked."
    say(f"{number}: {booked}" if done else f"{number}: this was booked before.")


@app.command("close")
def close(
    number: Number,
    lost: Annotated[list[str] | None, typer.Option(help="SKU=UNITS that are lost; repeat it.")] = None,
    back: Annotated[list[str] | None, typer.Option(help="SKU=UNITS that are back where they left; repeat it.")] = None,
) -> None:
    """Close a transfer although units are missing; those that are not named are still expected."""
    gone, returned = units_by_sku(lost or []), units_by_sku(back or [])
    missing = [Missing(sku, gone.get(sku, 0), returned.get(sku, 0)) for sku in sorted({*gone, *returned})]
    with runtime() as hub:
        done = operate.close_short(hub, number, missing, person=person())
    say(f"{number} is closed short." if done else f"{number} was closed short before.")


@app.command("cancel")
def cancel(number: Number, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Cancel what has not left; the source has its units back."""
    with runtime() as hub:
        done = operate.cancel_transfer(hub, number, person=person(), reason=reason)
    say(f"{number} is cancelled." if done else f"{number} was cancelled before.")


def _serials(items: list[str] | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items or ():
        sku, _, number = item.partition("=")
        if not sku or not number:
            raise typer.BadParameter(f"write {item!r} as SKU=NUMBER")
        found.setdefault(sku, []).append(number)
    return found
