"""Suppliers, purchase orders, reorder proposals, and orders that wait."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from hub.cli.edge import PROBLEMS
from hub.cli.naming import order_id
from hub.cli.output import After, AsJson, Limit, money, note, print_facts, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.money import to_minor
from hub.flows import reorder as reckoning
from hub.flows.operate import NotDoneError, purchasing, reorder, suppliers, waiting
from hub.flows.operate.files import text_of, whole
from hub.flows.operate.purchasing import Confirmed, Delivered, Wanted
from hub.flows.operate.suppliers import Offer
from hub.flows.runtime import Runtime
from hub.store import suppliers as store
from hub.store.views import supply as view

supplier_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Who goods are bought from.")
purchase_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Buy goods and take them in.")
reorder_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What to buy or to move, and why.")
waiting_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Orders that wait, and what for.")

Number = Annotated[str, typer.Argument(help="Number of the purchase order.")]
Reason = Annotated[str, typer.Option(help="Why; kept for ever.")]
Lines = Annotated[list[str] | None, typer.Argument(help="SKU=UNITS, as many as you like.")]
Order = Annotated[str, typer.Argument(help="The order: number (with or without #), our id, or the channel's id.")]
Line = Annotated[str, typer.Argument(help="Id of the line, from `orderhub waiting list`.")]
File = Annotated[Path | None, typer.Option("--file", help="CSV of the lines instead.", exists=True, dir_okay=False)]
DAY = "%Y-%m-%d"
Row = TypeVar("Row")


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


# Suppliers


@supplier_app.command("list")
def list_suppliers(as_json: AsJson = False) -> None:
    """List all suppliers by code."""
    with runtime() as hub, hub.db.read() as tx:
        found = store.every(tx)
    if as_json:
        print_json({"rows": found})
        return
    print_table(
        ("Code", "Name", "Lead days#", "Review days#", "Least order#", "Active"),
        (
            (
                one.code,
                one.name,
                one.lead_time_days,
                one.review_days,
                money(one.min_order_minor, one.currency),
                one.active,
            )
            for one in found
        ),
        empty="There are no suppliers yet: `orderhub supplier add CODE --currency EUR`.",
    )


@supplier_app.command("add")
def add_supplier(
    code: Annotated[str, typer.Argument(help="Short code, such as ACME.")],
    currency: Annotated[str, typer.Option(help="What it is paid in, such as EUR.")],
    name: Annotated[str, typer.Option(help="Name for people; by default the code.")] = "",
    email: Annotated[str, typer.Option(help="Where orders are sent.")] = "",
    lead_days: Annotated[int, typer.Option(help="Days from the order until the goods are on the shelf.", min=0)] = 14,
    review_days: Annotated[int, typer.Option(help="How often one orders there, in days.", min=1)] = 7,
    min_order: Annotated[str, typer.Option(help="The least order value, such as 250.00.")] = "0",
) -> None:
    """Add somebody to buy from."""
    with runtime() as hub:
        suppliers.add_supplier(
            hub, code, currency=currency, person=person(), name=name or code, email=email,
            lead_time_days=lead_days, review_days=review_days, min_order_minor=_minor(min_order, currency),
        )  # fmt: skip
    say(f"The supplier {code} was added. Say what it sells: orderhub supplier articles {code} FILE")


@supplier_app.command("show")
def show_supplier(code: Annotated[str, typer.Argument(help="Code of the supplier.")], as_json: AsJson = False) -> None:
    """Show a supplier; `orderhub supplier articles` lists what it sells."""
    with runtime() as hub, hub.db.read() as tx:
        found = store.get(tx, code)
    if as_json:
        print_json(found)
        return
    print_facts(
        (
            ("Code", found.code), ("Name", found.name), ("E-mail", found.email),
            ("Lead time", f"{found.lead_time_days} days"), ("Ordered there", f"every {found.review_days} days"),
            ("Least order", money(found.min_order_minor, found.currency)), ("Note", found.note),
            ("Active", found.active),
        )
    )  # fmt: skip


@supplier_app.command("set")
def set_supplier(
    code: Annotated[str, typer.Argument(help="Code of the supplier.")],
    name: Annotated[str | None, typer.Option(help="Name for people.")] = None,
    email: Annotated[str | None, typer.Option(help="Where orders are sent.")] = None,
    lead_days: Annotated[
        int | None, typer.Option(help="Days from the order until the goods are on the shelf.", min=0)
    ] = None,
    review_days: Annotated[int | None, typer.Option(help="How often one orders there, in days.", min=1)] = None,
    min_order: Annotated[str | None, typer.Option(help="The least order value, such as 250.00.")] = None,
    noted: Annotated[str | None, typer.Option("--note", help="Note.")] = None,
    active: Annotated[
        bool | None, typer.Option("--active/--inactive", help="Whether anything is bought there.")
    ] = None,
) -> None:
    """Change a supplier; what is left out stays."""
    with runtime() as hub:
        with hub.db.read() as tx:
            currency = store.get(tx, code).currency
        given = {
            "name": name,
            "email": email,
            "lead_time_days": lead_days,
            "review_days": review_days,
            "min_order_minor": None if min_order is None else _minor(min_order, currency),
            "note": noted,
            "active": active,
        }
        values = {key: value for key, value in given.items() if value is not None}
        if not values:
            raise typer.BadParameter("say what to change, such as --lead-days 10")
        suppliers.change_supplier(hub, code, values, person=person())
    say(f"{code} is set so.")


def _minor(amount: str, currency: str) -> int:
    """An amount in minor units. Raises BadParameter when it is none in that currency."""
    try:
        return to_minor(amount.strip() or "0", currency.upper())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


@supplier_app.command("articles")
def articles(
    code: Annotated[str, typer.Argument(help="Code of the supplier.")],
    file: Annotated[
        Path | None,
        typer.Argument(
            help="CSV with the column sku and any of cost, pack_size, min_quantity, supplier_sku, lead_time_days and "
            "preferred. Without it what is known is listed.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a supplier sells, or list it. Articles that the file does not name stay as they are."""
    with runtime() as hub:
        with hub.db.read() as tx:
            found = store.get(tx, code)
        left_out = {}
        if file is not None:
            offers = _read(file, {"sku"}, lambda row: _offer(row, found.currency))
            left_out = suppliers.set_offers(hub, code, offers, person=person())
        with hub.db.read() as tx:
            items = store.items(tx, found.id)
    if as_json:
        print_json({"rows": items, "errors": left_out})
    else:
        print_table(
            ("SKU", "Theirs", "Cost#", "Pack#", "At least#", "Lead days#", "Preferred"),
            (
                (one.sku, one.supplier_sku, money(one.cost_minor, found.currency), one.pack_size, one.min_quantity,
                 one.lead_time_days, one.preferred)
                for one in items
            ),
            empty="Nothing is known to be sold there.",
        )  # fmt: skip
        for words in left_out.values():
            note(f"Left out: {words}")
    if left_out:
        raise typer.Exit(PROBLEMS)


def _offer(row: Mapping[str, str], currency: str) -> Offer:
    return Offer(
        row["sku"],
        _minor(row.get("cost", ""), currency),
        _whole(row.get("pack_size", "")) or 1,
        _whole(row.get("min_quantity", "")) or 0,
        row.get("supplier_sku", ""),
        _whole(row.get("lead_time_days", "")),
        row.get("preferred", "").lower() in {"1", "yes", "true", "x"},
    )


def _read(file: Path, needed: set[str], make: Callable[[dict[str, str]], Row]) -> list[Row]:
    """What the rows of a CSV file say. Raises BadParameter naming the row that is wrong, 1 for the first."""
    found = []
    for number, row in enumerate(_csv(file, needed), start=1):
        try:
            found.append(make(row))
        except typer.BadParameter as error:
            raise typer.BadParameter(f"row {number} ({row['sku']}): {error.message}") from error
    return found


def _csv(file: Path, needed: set[str]) -> Iterator[dict[str, str]]:
    lines = text_of(file.read_bytes()).splitlines(keepends=True)
    reader = csv.DictReader(lines, delimiter=max(",;\t", key=(lines or [""])[0].count))
    try:
        names = {str(name).strip().lower() for name in reader.fieldnames or ()}
        if not needed <= names:
            raise typer.BadParameter(f"the first line has to name the columns {', '.join(sorted(needed))}")
        for raw in reader:
            yield {str(name).strip().lower(): str(value or "").strip() for name, value in raw.items()}
    except csv.Error as error:
        raise NotDoneError(f"the file cannot be read as CSV: {error}") from error


def _whole(text: str) -> int | None:
    found = whole(text)
    if text and found is None:
        raise typer.BadParameter(f"{text!r} is no whole number")
    return found


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no day; write it as 2026-09-01") from error


# Purchase orders


@purchase_app.command("list")
def list_purchases(
    text: Annotated[str, typer.Argument(help="Beginning of a number, a supplier's code, or a SKU.")] = "",
    status: Annotated[str, typer.Option(help="A state, or open for those of which goods are expected.")] = "",
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List purchase orders, newest first."""
    with runtime() as hub, hub.db.read() as tx:
        page = view.purchases(tx, view.PurchaseQuery(text, status, after, limit))
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Number", "Supplier", "To", "State", "Ordered#", "Received#", "To come#", "Due", "Total#"),
        (
            (one.number, one.supplier, one.location, one.status.replace("_", " "), one.ordered, one.received, one.open,
             one.due, money(one.total_minor, one.currency))
            for one in page.rows
        ),
        empty="No purchase order matches.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


@purchase_app.command("show")
def show(number: Number, as_json: AsJson = False) -> None:
    """Show a purchase order with its lines."""
    with runtime() as hub, hub.db.read() as tx:
        found = view.purchase(tx, number)
    if as_json:
        print_json({"order": found.order, "dates": found.dates, "total_minor": found.total_minor})
        return
    order = found.order
    print_facts(
        (
            ("Number", order.number), ("Supplier", order.supplier), ("To", order.location), ("State", order.status),
            ("Expected", order.expected_on), ("Over-delivery", f"{order.over_percent} %"), ("Note", order.note),
            ("Total", money(found.total_minor, order.currency)),
        )
    )  # fmt: skip
    print_table(
        ("SKU", "Ordered#", "Confirmed#", "Received#", "Rejected#", "To come#", "Due", "Cost#"),
        (
            (one.sku, one.ordered, one.acknowledged, one.received, one.rejected, one.open, one.promise_on,
             money(one.cost_minor, order.currency))
            for one in order.lines
        ),
        empty="It has no lines.",
    )  # fmt: skip


@purchase_app.command("draft")
def draft(
    supplier: Annotated[str, typer.Argument(help="Code of the supplier.")],
    location: Annotated[str, typer.Argument(help="Code of where the goods go.")],
    lines: Lines = None,
    file: File = None,
    number: Annotated[str, typer.Option(help="A number of your own.")] = "",
    due: Annotated[datetime | None, typer.Option(help="When it is expected.", formats=[DAY])] = None,
    over: Annotated[int, typer.Option(help="So much more may be received, in percent.", min=0, max=100)] = 0,
    note_text: Annotated[str, typer.Option("--note", help="Note.")] = "",
) -> None:
    """Write down what to buy. A file has the columns sku and units, and may have cost and promise_on."""
    with runtime() as hub:
        with hub.db.read() as tx:
            currency = store.get(tx, supplier).currency
        wanted = (
            _pairs(lines, Wanted) if file is None else _read(file, {"sku", "units"}, lambda row: _wanted(row, currency))
        )
        made = purchasing.draft_purchase(
            hub, supplier, location, wanted,
            person=person(), name=number, expected_on=_day(due), over_percent=over, note=note_text,
        )  # fmt: skip
    say(f"{made} is drafted. When it is sent to {supplier}: orderhub purchase order {made}")


@purchase_app.command("change")
def change(
    number: Number,
    lines: Lines = None,
    file: File = None,
    due: Annotated[datetime | None, typer.Option(help="When it is expected.", formats=[DAY])] = None,
    over: Annotated[int | None, typer.Option(help="So much more may be received, in percent.", min=0, max=100)] = None,
    note_text: Annotated[str | None, typer.Option("--note", help="Note.")] = None,
) -> None:
    """Change a draft. Lines, where any are given, take the place of all it had; what is left out stays."""
    with runtime() as hub:
        with hub.db.read() as tx:
            currency = view.purchase(tx, number).order.currency
        wanted: list[Wanted] | None = _pairs(lines, Wanted) if lines else None
        if file is not None:
            wanted = _read(file, {"sku", "units"}, lambda row: _wanted(row, currency))
        if wanted is None and due is None and over is None and note_text is None:
            raise typer.BadParameter("say what to change: lines as SKU=UNITS, --file, --due, --over or --note")
        purchasing.change_purchase(
            hub, number, wanted, person=person(), expected_on=_day(due), over_percent=over, note=note_text
        )
    say(f"The draft {number} is changed.")


def _pairs(words: list[str] | None, make: Callable[[str, int], Any]) -> list[Any]:
    found = []
    for one in words or ():
        sku, sign, units = one.rpartition("=")
        if not sign:
            raise typer.BadParameter(f"write {one!r} as SKU=UNITS")
        found.append(make(sku, _whole(units) or 0))
    if not found:
        raise typer.BadParameter("give lines as SKU=UNITS, or a --file")
    return found


def _wanted(row: Mapping[str, str], currency: str) -> Wanted:
    cost = row.get("cost", "")
    return Wanted(
        row["sku"],
        _whole(row["units"]) or 0,
        _minor(cost, currency) if cost else None,
        _date(row.get("promise_on", "")),
    )


@purchase_app.command("order")
def place(number: Number) -> None:
    """Say that it was sent to the supplier: its units are incoming from now on."""
    _do(lambda hub: purchasing.place_purchase(hub, number, person=person()), f"{number} is ordered.")


@purchase_app.command("acknowledge")
def acknowledge(
    number: Number,
    lines: Annotated[list[str] | None, typer.Argument(help="SKU=UNITS where less is confirmed than ordered.")] = None,
    due: Annotated[datetime | None, typer.Option(help="The day promised for these lines.", formats=[DAY])] = None,
) -> None:
    """Say what the supplier confirms; without lines all of it."""
    said = [Confirmed(one.sku, one.units, _day(due)) for one in (_pairs(lines, Wanted) if lines else [])]
    _do(lambda hub: purchasing.acknowledge(hub, number, said, person=person()), f"{number} is confirmed.")


@purchase_app.command("dates")
def dates(
    number: Number,
    to: Annotated[datetime, typer.Option(help="The new day.", formats=[DAY])],
    reason: Reason,
    skus: Annotated[list[str] | None, typer.Argument(help="Lines; without any, all that are open.")] = None,
) -> None:
    """Move the days it is promised for. Customers whose promise rests on them are promised anew."""
    days = {sku: to.date() for sku in skus or [""]}
    _do(lambda hub: purchasing.move_dates(hub, number, days, person=person(), reason=reason), "The days are moved.")


@purchase_app.command("receive")
def receive(
    number: Number,
    lines: Lines = None,
    file: File = None,
    condition: Annotated[
        str, typer.Option(help="good, damaged, to_inspect, or sent_back at once; of the lines given here.")
    ] = "good",
    key: Annotated[str, typer.Option(help="The same key books once, however often it is given.")] = "",
) -> None:
    """Book goods that arrived; without any named, all that is to come, in good condition.

    A file has sku and units, and may have condition, lot, expires_on and serials.
    """
    rows = None
    if file is not None:
        rows = _read(file, {"sku", "units"}, _delivered)
    elif lines:
        rows = [Delivered(one.sku, one.units, condition) for one in _pairs(lines, Wanted)]
    elif condition != "good":
        raise typer.BadParameter("name the units as SKU=UNITS that are not in good condition")
    _do(
        lambda hub: purchasing.receive_purchase(hub, number, rows, person=person(), receipt=key),
        f"{sum(row.units for row in rows)} units of {number} are booked."
        if rows is not None
        else f"All that was to come of {number} is booked.",
    )


def _delivered(row: Mapping[str, str]) -> Delivered:
    serials = tuple(row.get("serials", "").split())
    return Delivered(
        row["sku"], _whole(row["units"]) or 0, row.get("condition") or "good", row.get("lot", ""),
        _date(row.get("expires_on", "")), serials,
    )  # fmt: skip


@purchase_app.command("cancel")
def cancel(number: Number, reason: Reason) -> None:
    """Cancel it before any goods have arrived."""
    _do(lambda hub: purchasing.cancel_purchase(hub, number, reason, person=person()), f"{number} is cancelled.")


@purchase_app.command("close-short")
def close_short(number: Number, reason: Reason) -> None:
    """Say that the rest will not come."""
    _do(lambda hub: purchasing.close_purchase_short(hub, number, reason, person=person()), f"{number} is closed short.")


@purchase_app.command("close")
def close(number: Number) -> None:
    """Close it when everything has arrived and is settled."""
    _do(lambda hub: purchasing.close_purchase(hub, number, person=person()), f"{number} is closed.")


def _do(work: Callable[[Runtime], bool], said: str) -> None:
    with runtime() as hub:
        done = work(hub)
    say(said if done else "It was so already; nothing has changed.")


# Reorder


@reorder_app.command("show")
def show_reorder(
    location: Annotated[str, typer.Option(help="Code of one place; without it, the whole network.")] = "",
    days: Annotated[int, typer.Option(help="To look back on.", min=14, max=730)] = reckoning.WINDOW,
    as_json: AsJson = False,
) -> None:
    """Reckon what to reorder, with the numbers that say so."""
    with runtime() as hub:
        found = reckoning.reckon(hub, location, days=days)
    if as_json:
        print_json(found)
        return
    print_table(
        ("SKU", "Order#", "Point#", "Level#", "There#", "Coming#", "Waiting#", "A day#", "Out#", "Supplier", "Remarks"),
        (
            (one.sku, one.proposal.units, one.proposal.point, one.proposal.level, one.proposal.position.available,
             one.proposal.position.incoming + one.proposal.position.drafted, one.proposal.position.waiting,
             f"{one.proposal.demand.per_day:.2f}", one.proposal.demand.left_out,
             one.supplier.code if one.supplier else "none",
             f"{one.transfer.units} from {one.transfer.location}" if one.transfer else "; ".join(one.proposal.remarks))
            for one in found.needs
        ),
        empty=f"Nothing is to be reordered; {found.articles} articles were looked at.",
    )  # fmt: skip
    if found.error_percent is not None:
        note(f"Back-test: forecasts were off by {found.error_percent:.0f} % of {found.actual} units.")


@reorder_app.command("draft")
def draft_reorder(
    location: Annotated[str, typer.Argument(help="Code of where the goods go.")],
    lines: Lines = None,
    source: Annotated[str, typer.Option("--from", help="Move them from this location instead of buying them.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All that is proposed and can be bought.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draft a purchase order for each supplier, or with --from a transfer."""
    with runtime() as hub:
        units = {one.sku: one.units for one in (_pairs(lines, Wanted) if lines else [])}
        if everything and not units:
            needs = reckoning.reckon(hub).needs
            units = {one.sku: one.proposal.units for one in needs if one.item and one.proposal.units}
        if source:
            moved = {(source, sku): count for sku, count in units.items()}
            made = reorder.draft_transfers(hub, moved, location, person=person())
        else:
            made = reorder.draft_purchases(hub, units, location, person=person())
    if as_json:
        print_json(made)
        return
    say(f"Drafted: {', '.join(made.numbers)}.")
    for words in made.warnings:
        note(words)


@reorder_app.command("policy")
def policy(
    sku: Annotated[str, typer.Argument(help="Our SKU.")],
    location: Annotated[str, typer.Option(help="Code of one place; without it, everywhere.")] = "",
    low: Annotated[int | None, typer.Option(help="Alert at so many units.", min=0)] = None,
    point: Annotated[int | None, typer.Option(help="Reorder at so many units, whatever the demand.", min=0)] = None,
    most: Annotated[int | None, typer.Option(help="Never keep more than this.", min=0)] = None,
    service: Annotated[int, typer.Option(help="Percent of cycles that shall not run out.", min=50, max=99)] = 95,
) -> None:
    """Say how an article is kept. What is left out is not set."""
    with runtime() as hub:
        suppliers.set_policy(
            hub, sku, location, person=person(), low_threshold=low, reorder_point=point, max_units=most,
            service_level=service,
        )  # fmt: skip
    say(f"{sku} is kept so from now on{f' at {location}' if location else ''}.")


@reorder_app.command("alerts")
def alerts(limit: Limit = 50, after: After = "", as_json: AsJson = False) -> None:
    """List what runs low, the latest first."""
    with runtime() as hub, hub.db.read() as tx:
        page = view.alerts(tx, after, limit)
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("SKU", "Location", "Alert", "Units#", "At#", "Since"),
        ((one.sku, one.location, one.kind, one.units, one.threshold, one.raised_at) for one in page.rows),
        empty="Nothing runs low. Thresholds are set by `orderhub reorder policy SKU --low UNITS`.",
    )
    if page.next:
        note(f"There are more: --after {page.next}")


# Waiting orders


@waiting_app.command("list")
def list_waiting(
    sku: Annotated[str, typer.Option(help="Only this article.")] = "",
    kind: Annotated[str, typer.Option("--as", help="backorder, preorder or queue.")] = "",
    to_tell: Annotated[bool, typer.Option("--to-tell", help="Only those whose customers are to be told.")] = False,
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List order lines that wait: what for, since when, until when."""
    with runtime() as hub, hub.db.read() as tx:
        page = view.waiting(tx, view.WaitingQuery(sku, kind, "", to_tell, after, limit))
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Order", "SKU", "Units#", "As", "Since", "Promised", "Told", "Behind it", "Cancelled at", "Line"),
        (
            (one.number, one.sku, one.units, f"{one.waits_as} {one.queue or ''}".strip(), one.since, one.promised_on,
             one.told_on, ", ".join(f"{share.units} of {share.number}" for share in one.behind), one.auto_cancel_at,
             one.line_id)
            for one in page.rows
        ),
        empty="Nothing waits.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


@waiting_app.command("told")
def told(lines: Annotated[list[str], typer.Argument(help="Ids of lines, from `orderhub waiting list`.")]) -> None:
    """Say that the customers of these lines know the day that now stands."""
    with runtime() as hub:
        done = waiting.mark_told(hub, lines, person=person())
    say(f"Noted for {done} lines.")


@waiting_app.command("until")
def until(
    order: Order,
    line: Line,
    day: Annotated[datetime | None, typer.Option(help="Cancelled as this day begins (UTC).", formats=[DAY])] = None,
) -> None:
    """Say until when a line may wait; without a day, as long as it takes."""
    at = day.replace(tzinfo=UTC) if day else None
    _of_order(order, lambda hub, key: waiting.set_cancel_date(hub, key, line, at, person=person()), "Noted.")


@waiting_app.command("release")
def release(order: Order, line: Line) -> None:
    """Take a line out of its queue and look for a place."""

    def work(hub: Runtime, key: str) -> bool:
        return waiting.release_from_queue(hub, key, line, person=person())

    _of_order(order, work, "It is out of its queue.")


def _of_order(order: str, work: Callable[[Runtime, str], bool], said: str) -> None:
    def of_known(hub: Runtime) -> bool:
        with hub.db.read() as tx:
            key = order_id(tx, order)
        return work(hub, key)

    _do(of_known, said)
