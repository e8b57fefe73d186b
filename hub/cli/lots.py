"""Lots with expiry, and serial numbers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.output import AsJson, print_facts, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.lots import Marks
from hub.flows.operate import lots as operate
from hub.store import lots as store
from hub.store.views import lots as view
from hub.store.views import stock
from hub.store.views.lots import Trace, UnknownLotError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Lots with expiry, and serial numbers.")

Sku = Annotated[str, typer.Argument(help="Our SKU.")]
Code = Annotated[str, typer.Argument(help="The lot.")]
Reason = Annotated[str, typer.Option(help="Why; kept for ever.")]


class Tracking(StrEnum):
    """How units of an article are told apart."""

    NONE = "none"
    LOT = "lot"
    SERIAL = "serial"


@app.command("track")
def track(sku: Sku, tracking: Annotated[Tracking, typer.Argument(help="How its units are told apart.")]) -> None:
    """Keep an article by lot, by serial number, or as units that are alike."""
    with runtime() as hub:
        done = operate.track_article(hub, sku, tracking.value, person=person())
    if not done:
        say(f"{sku} was kept so before.")
    elif tracking is Tracking.NONE:
        say(f"{sku} is kept without lots and serial numbers.")
    else:
        say(f"{sku} is kept by {tracking.value}. Count what is on hand, so that it has one: `orderhub count create`.")


@app.command("list")
def list_lots(sku: Sku, as_json: AsJson = False) -> None:
    """List what is in stock of an article by lot, what expires first before the rest, or by serial number."""
    with runtime() as hub, hub.db.read() as tx:
        stock.article(tx, sku)
        lots, serials = view.of_article(tx, sku), view.serials_of(tx, sku)
    if as_json:
        print_json({"lots": lots, "serials": [{"code": code, "location": place} for code, place in serials]})
        return
    if serials:
        print_table(("Serial number", "Location"), serials, empty="")
        return
    print_table(
        ("Lot", "Expires on", "Blocked", "Location", "Units#", "Held back#"),
        (
            (one.code, one.expires_on, one.blocked, place.location, place.units, place.held)
            for one in lots
            for place in one.places
        ),
        empty=f"No lot of {sku} is in stock.",
    )


@app.command("trace")
def trace(
    code: Annotated[str, typer.Argument(help="Lot or serial number.")],
    sku: Annotated[str, typer.Option(help="Only of this article.")] = "",
    as_json: AsJson = False,
) -> None:
    """Say where a lot or a serial number is, and with which orders it left: the recall list."""
    try:
        with runtime() as hub, hub.db.read() as tx:
            found = view.trace(tx, code, sku)
    except UnknownLotError as error:
        raise NoSuchThingError(str(error)) from error
    if as_json:
        print_json({"rows": found})
        return
    for one in found:
        _print(one)


def _print(one: Trace) -> None:
    print_facts(
        (
            ("Article", f"{one.sku} {one.title if one.title != one.sku else ''}".strip()),
            ("Lot" if one.kind == "lot" else "Serial number", one.code),
            ("Expires on", one.expires_on),
            ("Blocked", one.blocked or None),
            ("Status", one.status),
            ("In stock", ", ".join(f"{place.units} at {place.location}" for place in one.places)),
            ("Transfers", ", ".join(one.travels)),
        )
    )
    print_table(
        ("Order", "Channel", "Placed (UTC)", "Customer", "Fulfillment order", "Units#"),
        (
            (left.order_number, left.channel, left.placed_at, left.email, left.fo_number, left.units)
            for left in one.departures
        ),
        empty="It left with no order.",
    )


@app.command("adjust")
def adjust(
    sku: Sku,
    location: Annotated[str, typer.Argument(help="Code of the location.")],
    change: Annotated[int, typer.Option("--by", help="How many more, or fewer with a minus.")],
    reason: Reason,
    lot: Annotated[str, typer.Option(help="The lot.")] = "",
    expires: Annotated[str, typer.Option(help="Last day on which a new lot may be sold, such as 2026-12-31.")] = "",
    serials: Annotated[list[str] | None, typer.Option("--serial", help="A serial number; repeat it.")] = None,
    key: Annotated[str, typer.Option(help="The same key books once, however often it is given.")] = "",
) -> None:
    """Correct the units of one lot, or numbered units, at one location."""
    marks = Marks(lot, operate.expiry(expires), tuple(serials or ()))
    with runtime() as hub:
        done = operate.adjust_lot(hub, sku, location, marks, change, person=person(), reason=reason, key=key)
    say("It is booked." if done else "It was booked before.")


@app.command("block")
def block(sku: Sku, code: Code, reason: Reason) -> None:
    """Sell a lot no more: its units go into quality hold, and it leaves with no order."""
    with runtime() as hub:
        held = operate.block_lot(hub, sku, code, person=person(), reason=reason)
    say(f"Lot {code} was blocked before." if held is None else f"Lot {code} is blocked; {held} units are held back.")


@app.command("unblock")
def unblock(sku: Sku, code: Code) -> None:
    """Sell a lot again."""
    with runtime() as hub:
        freed = operate.unblock_lot(hub, sku, code, person=person())
    say(f"Lot {code} was not blocked." if freed is None else f"Lot {code} may be sold; {freed} units are free again.")


@app.command("record")
def record(
    order: Annotated[str, typer.Argument(help="Id of the order.")],
    fulfillment_order: Annotated[str, typer.Argument(help="Number of the fulfillment order.")],
    sku: Sku,
    serials: Annotated[list[str], typer.Argument(help="The serial numbers that left.")],
) -> None:
    """Say which serial numbers left, when that was not said as they left."""
    with runtime() as hub:
        done = operate.record_serials(hub, order, fulfillment_order, sku, serials, person=person())
    say("It is recorded." if done else "It was recorded before.")


@app.command("audit")
def audit(as_json: AsJson = False) -> None:
    """Compare lots and serial numbers with what is on hand; nothing is mended."""
    with runtime() as hub, hub.db.read() as tx:
        found = store.differences(tx)
    if as_json:
        print_json({"rows": found})
    else:
        print_table(
            ("Article", "Lot", "Location", "In stock#", "By lots or moves#"),
            (
                (one["sku"], one.get("lot"), one["location"], one.get("on_hand", one.get("units")),
                 one.get("in_lots", one.get("moves")))
                for one in found
            ),
            empty="Lots and serial numbers add up to what is on hand.",
        )  # fmt: skip
    if found:
        raise typer.Exit(PROBLEMS)
