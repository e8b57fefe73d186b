"""Stock and locations."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.output import After, AsJson, Limit, note, print_json, print_table, progress, say
from hub.cli.session import person, runtime
from hub.domain.stock_states import reason_text
from hub.flows import operate
from hub.flows.operate import stock_file
from hub.store import catalog
from hub.store.views import past, stock
from hub.store.views.stock import StockQuery

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Read, correct and import stock.")
location_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Where goods lie.")


class Handling(StrEnum):
    """Who packs what ships from a location."""

    MANUAL = "manual"
    THREEPL = "threepl"
    LABEL = "label"


class Kind(StrEnum):
    """What a location is."""

    WAREHOUSE = "warehouse"
    STORE = "store"
    THREEPL = "3pl"
    SUPPLIER = "supplier"
    VIRTUAL = "virtual"


@app.command("show")
def show(
    text: Annotated[str, typer.Argument(help="Beginning of a SKU, part of a title, or a barcode.")] = "",
    short: Annotated[
        bool, typer.Option("--short", help="Only articles of which nothing is free or too much is promised.")
    ] = False,
    ledger: Annotated[bool, typer.Option("--ledger", help="The moves of one article; the text is its SKU.")] = False,
    at: Annotated[str, typer.Option("--at", help="As it was at this moment, such as 2026-03-01T00:00Z.")] = "",
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """Show stock by article and location, and what each channel was last told."""
    if ledger:
        _show_ledger(text, after, limit, as_json)
        return
    if at:
        _show_past(StockQuery(text, after=after, limit=limit), _moment(at), as_json)
        return
    with runtime() as hub, hub.db.read() as tx:
        page = stock.find(tx, StockQuery(text, short=short, after=after, limit=limit))
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("SKU", "Location", "On hand#", "Available#", "Committed#", "Set apart#", "Oversold#", "Told"),
        (
            (row.sku if first else "", place.location, place.on_hand, place.available, place.committed,
             place.reserved + place.damaged + place.quality_hold + place.safety_stock, place.oversold,
             _told(row) if first else "")
            for row in page.rows
            for first, place in ((index == 0, place) for index, place in enumerate(row.positions))
        ),
        empty="No stock matches.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


def _show_past(query: StockQuery, at: datetime, as_json: bool) -> None:
    with runtime() as hub, hub.db.read() as tx:
        page = past.find(tx, query, at)
    if as_json:
        print_json(
            {"at": at, "rows": [{**asdict(one), "on_hand": one.on_hand} for one in page.rows], "next": page.next}
        )
        return
    print_table(
        ("SKU", "Location", "On hand#", "Available#", "Committed#", "Reserved#", "Other#", "Incoming#"),
        (
            (one.sku, one.location, one.on_hand, one.available, one.committed, one.reserved,
             one.damaged + one.quality_hold + one.safety_stock, one.incoming)
            for one in page.rows
        ),
        empty="The ledger knows of nothing at that moment.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("write the moment as 2026-03-01T00:00Z") from error
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _told(row: stock.StockRow) -> str:
    return ", ".join(
        f"{one.channel}: {'nothing yet' if one.told is None else one.told}{' (new figure waits)' if one.is_due else ''}"
        for one in row.channels
    )


def _show_ledger(sku: str, after: str, limit: int, as_json: bool) -> None:
    with runtime() as hub, hub.db.read() as tx:
        page = stock.ledger(tx, sku, after, limit)
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("When (UTC)", "Location", "What", "Units#", "From", "To", "Who", "Reason", "Order"),
        (
            (one.at, one.location, one.kind, one.quantity, one.from_state, one.to_state, one.actor, one.reason,
             f"{one.order} {one.fo}" if one.order else "")
            for one in page.rows
        ),
        empty="Nothing has moved yet.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


@app.command("adjust")
def adjust(
    sku: Annotated[str, typer.Argument(help="Our SKU.")],
    location: Annotated[str, typer.Argument(help="Code of the location.")],
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")],
    change: Annotated[int | None, typer.Option("--by", help="How many more, or fewer with a minus.")] = None,
    set_to: Annotated[int | None, typer.Option("--to", help="How many there are.", min=0)] = None,
    key: Annotated[str, typer.Option(help="The same key books once, however often it is given.")] = "",
    noted: Annotated[str, typer.Option("--note", help="More about the reason.")] = "",
    expected: Annotated[
        int | None, typer.Option(help="Units on hand that you saw; with others by now nothing is booked.", min=0)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Correct the units on hand of one article at one location."""
    if (change is None) == (set_to is None):
        raise typer.BadParameter("give either --by or --to")
    with runtime() as hub:
        done = operate.adjust_stock(
            hub,
            sku,
            location,
            change=change,
            set_to=set_to,
            expected=expected,
            reason=reason_text(reason, noted),
            key=key,
            person=person(),
        )
    if as_json:
        print_json(done)
    else:
        say(f"{sku} at {location}: {done.before} before, {done.after} now.")


@app.command("import")
def import_stock(
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns sku, location and on_hand.", exists=True, dir_okay=False)
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    create: Annotated[bool, typer.Option("--create", help="Make articles that do not exist yet.")] = False,
    empty: Annotated[
        bool, typer.Option("--accept-emptying", help="Book a file that takes most articles to nothing.")
    ] = False,
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "import",
    results: Annotated[Path | None, typer.Option(help="Write what came of each row to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """Book counted stock from a file. A row that cannot be booked is left out with its reason.

    A column `change` instead of `on_hand` adds or, with a minus, takes away; the same file books such changes once. A
    column `expected` holds the units on hand that the writer saw: a row is left out when there are others by now.
    """
    try:
        rows = list(stock_file.rows_of(file))
    except operate.NotDoneError as error:
        raise typer.BadParameter(str(error)) from error
    key = stock_file.key_of(file.read_bytes()) if rows and rows[0].is_change else ""
    with runtime() as hub, progress("Booking stock", len(rows)) as done:
        booked = operate.import_stock(
            hub,
            rows,
            person=person(),
            reason=reason,
            key=key,
            create_articles=create,
            dry_run=dry_run,
            accept_emptying=empty,
            progress=done,
        )
    counts = {name: sum(one.status == name for one in booked) for name in ("changed", "unchanged", "repeated", "error")}
    if results is not None:
        with results.open("w", newline="", encoding="utf-8") as target:
            stock_file.write_results(target, booked)
    if as_json:
        print_json({"rows": booked, "counts": counts, "dry_run": dry_run})
    else:
        wrong = [one for one in booked if one.status == "error"]
        if wrong:
            print_table(
                ("Row#", "SKU", "Location", "Why not"),
                ((one.number, one.sku, one.location, one.message) for one in wrong[:100]),
                empty="",
            )
        verb = "would change" if dry_run else "changed"
        same = counts["unchanged"] + counts["repeated"]
        say(f"{counts['changed']} rows {verb}, {same} stay as they are, {counts['error']} were left out.")
    if counts["error"]:
        raise typer.Exit(PROBLEMS)


@location_app.command("list")
def list_locations(as_json: AsJson = False) -> None:
    """List all locations by code."""
    with runtime() as hub, hub.db.read() as tx:
        found = catalog.locations(tx)
    if as_json:
        print_json({"rows": found})
        return
    print_table(
        ("Code", "Name", "Kind", "Country", "Packed by", "Rank#", "Ships"),
        (
            (one.code, one.name, one.kind, one.country, one.handling, one.rank, one.active and one.ships)
            for one in found
        ),
        empty="There are no locations yet: `orderhub location add CODE --country DE`.",
    )


@location_app.command("add")
def add_location(
    code: Annotated[str, typer.Argument(help="Short code, such as BER.")],
    name: Annotated[str, typer.Option(help="Name for people; by default the code.")] = "",
    country: Annotated[str, typer.Option(help="Two letters, such as DE.")] = "",
    kind: Annotated[Kind, typer.Option(help="What it is.")] = Kind.WAREHOUSE,
    zone: Annotated[str, typer.Option(help="Time zone, such as Europe/Berlin.")] = "UTC",
    handling: Annotated[
        Handling, typer.Option(help="Who packs: a 3PL, you with bought labels, or you by hand.")
    ] = Handling.MANUAL,
    handler: Annotated[str, typer.Option(help="Connection of the 3PL or carrier, by name or id.")] = "",
    warehouse: Annotated[str, typer.Option(help="The handler's own id of the place.")] = "",
    rank: Annotated[int, typer.Option(help="Your own order of preference, lower first.")] = 100,
    latitude: Annotated[float | None, typer.Option(help="Degrees, for the nearest place.", min=-90, max=90)] = None,
    longitude: Annotated[float | None, typer.Option(help="Degrees, for the nearest place.", min=-180, max=180)] = None,
    street: Annotated[str, typer.Option(help="Street and number, for labels.")] = "",
    postal_code: Annotated[str, typer.Option(help="Postal code.")] = "",
    city: Annotated[str, typer.Option(help="City.")] = "",
    region: Annotated[str, typer.Option(help="State or region.")] = "",
    phone: Annotated[str, typer.Option(help="Phone number, for labels.")] = "",
) -> None:
    """Add a location that ships or holds stock."""
    if handling is not Handling.MANUAL and not handler:
        raise typer.BadParameter("say by --handler which connection packs or sells the labels")
    parts = {
        "line1": street,
        "postal_code": postal_code,
        "city": city,
        "region": region,
        "country": country.upper(),
        "phone": phone,
    }
    address = {part: value for part, value in parts.items() if value} if street or city else None
    with runtime() as hub:
        location_id = operate.add_location(
            hub,
            code,
            person=person(),
            handler=handler,
            name=name or code,
            country=country.upper(),
            kind=kind.value,
            zone=zone,
            handling=handling.value,
            warehouse=warehouse,
            rank=rank,
            latitude=latitude,
            longitude=longitude,
            address=address,
        )
    say(f"The location {code} was added ({location_id}).")


@location_app.command("link")
def link(
    connection: Annotated[str, typer.Argument(help="Connection, by name or id.")],
    places: Annotated[
        list[str] | None, typer.Argument(help="PLACE=CODE: the account's place id and our location.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which of our locations an account's places are; without any, list the places."""
    wanted = dict(one.partition("=")[::2] for one in places or ())
    if not all(wanted.values()):
        raise typer.BadParameter("write each as PLACE=CODE")
    with runtime() as hub:
        if wanted:
            found = operate.link_places(hub, connection, wanted, person=person())
        else:
            found = operate.places(hub, connection)
    if as_json:
        print_json({"rows": found})
        return
    if not found:
        raise NoSuchThingError("this connection has no places of its own")
    print_table(
        ("Place", "Name", "Our location"),
        ((one.external_id, one.name, one.location or "not linked") for one in found),
        empty="",
    )
