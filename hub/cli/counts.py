"""Stock counts."""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.output import After, AsJson, Limit, money, note, print_facts, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.counts import NEXT
from hub.flows.operate import counts as operate
from hub.flows.operate.count_file import read_count
from hub.flows.operate.files import text_of
from hub.flows.operate.lots import expiry
from hub.store.views import counts as view
from hub.store.views.counts import CountDetail, CountLineView, CountQuery, UnknownCountError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Count stock while it sells.")

Number = Annotated[str, typer.Argument(help="Number of the count.")]


class Uncounted(StrEnum):
    """What becomes of articles that nobody counted."""

    LEAVE = "leave"
    ZERO = "zero"


@app.command("list")
def list_counts(
    status: Annotated[str, typer.Option(help="A status, or open.")] = "open",
    location: Annotated[str, typer.Option(help="Code of the location.")] = "",
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List stock counts, newest first."""
    if status not in ("open", "all", *NEXT):
        raise typer.BadParameter(f"a status is open, all, {', '.join(NEXT)}")
    query = CountQuery("" if status == "all" else status, location, after, limit)
    with runtime() as hub, hub.db.read() as tx:
        page = view.find(tx, query)
    if as_json:
        print_json({"rows": page.rows, "next": page.next})
        return
    print_table(
        ("Number", "Location", "Status", "Who counts", "Articles#", "Counted#", "Planned (UTC)"),
        (
            (row.number, row.location, row.status, row.assignee, row.articles, row.counted, row.created_at)
            for row in page.rows
        ),
        empty="There is no such count: `orderhub count create LOCATION`.",
    )
    if page.next:
        note(f"There are more: --after {page.next}")


@app.command("show")
def show(
    number: Number,
    differences: Annotated[bool, typer.Option("--differences", help="Only articles that differ.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show a count with its differences. While a blind count is counted, what the books say is not shown."""
    found = _found(number)
    lines = [one for one in found.lines if not differences or one.difference]
    if as_json:
        print_json({"row": found.row, "lines": [_figures(one, found) for one in lines]})
        return
    print_facts(
        (
            ("Number", found.row.number), ("Location", found.row.location), ("Status", found.row.status),
            ("Next", ", ".join(NEXT[found.row.status]) or "nothing, it is final"),
            ("Who counts", found.row.assignee), ("Counted", f"{found.row.counted} of {found.row.articles} articles"),
            ("Note", found.row.note),
        )
    )  # fmt: skip
    print_table(
        ("SKU", "Counted#", "In the books#", "Difference#", "Worth#", "Who", "Round#", "Again"),
        (
            (one.sku, one.counted, one.seen if found.shows_books else None,
             one.difference if found.shows_books else None, _worth(one) if found.shows_books else "",
             one.counted_by, one.round, one.recount)
            for one in lines
        ),
        empty="Nothing differs." if differences else "There is nothing on it.",
    )  # fmt: skip
    if found.shows_books:
        worth = ", ".join(money(minor, currency) for currency, minor in sorted(found.values.items()))
        say(f"{found.more} units more than in the books, {found.fewer} fewer{f'; worth {worth}' if worth else ''}.")


def _worth(one: CountLineView) -> str:
    return money(one.value_minor, one.currency) if one.value_minor and one.currency else ""


def _figures(one: CountLineView, found: CountDetail) -> dict[str, object]:
    """An article as JSON, without what the books say while those who count may not see it."""
    figures = {name: getattr(one, name) for name in ("sku", "counted", "counted_by", "round", "recount")}
    books = ("seen", "seen_version", "difference", "value_minor", "currency", "applied")
    return figures | {name: getattr(one, name) if found.shows_books else None for name in books}


def _found(number: str) -> CountDetail:
    try:
        with runtime() as hub, hub.db.read() as tx:
            return view.detail(tx, number)
    except UnknownCountError as error:
        raise NoSuchThingError(str(error)) from error


@app.command("create")
def create(
    location: Annotated[str, typer.Argument(help="Code of the location.")],
    skus: Annotated[list[str] | None, typer.Argument(help="SKUs; without any all that is there.")] = None,
    prefix: Annotated[str, typer.Option(help="Only articles whose SKU begins so.")] = "",
    assign: Annotated[str, typer.Option(help="Who counts.")] = "",
    note_: Annotated[str, typer.Option("--note", help="For people.")] = "",
    blind: Annotated[bool, typer.Option(help="Do not show those who count what the books say.")] = True,
    key: Annotated[str, typer.Option(help="The same key makes one count, however often it is given.")] = "",
) -> None:
    """Plan a count; its number is printed."""
    with runtime() as hub:
        number = operate.create_count(
            hub, location, person=person(), skus=skus or (), prefix=prefix, note=note_, blind=blind,
            assignee=assign, key=key,
        )  # fmt: skip
    say(number)


@app.command("assign")
def assign(number: Number, who: Annotated[str, typer.Argument(help="Who counts.")]) -> None:
    """Say who counts."""
    with runtime() as hub:
        operate.assign_count(hub, number, who, person=person())
    say(f"{who} is to count {number}.")


@app.command("start")
def start(number: Number) -> None:
    """Begin counting, for the first time or once more."""
    with runtime() as hub:
        done = operate.start_count(hub, number, person=person())
    say(f"{number} is being counted." if done else f"{number} was being counted before.")


@app.command("enter")
def enter(
    number: Number,
    code: Annotated[str, typer.Argument(help="SKU or barcode.")],
    units: Annotated[int, typer.Argument(help="Units that were found.", min=0)],
    add: Annotated[bool, typer.Option("--add", help="Add to what was entered before.")] = False,
    lot: Annotated[str, typer.Option(help="Lot, of an article that is kept by lot.")] = "",
    expires: Annotated[str, typer.Option(help="Day on which the lot expires, such as 2026-12-31.")] = "",
    serial: Annotated[str, typer.Option(help="Serial number, of an article that has them.")] = "",
) -> None:
    """Enter what was found of one article."""
    with runtime() as hub:
        done = operate.enter_count(
            hub, number, code, units, person=person(), add=add, lot=lot, expires_on=expiry(expires), serial=serial
        )
    say(f"{done.sku}: {done.counted} counted.")


@app.command("import")
def import_count(
    number: Number,
    file: Annotated[
        Path, typer.Argument(help="CSV with the columns sku (or barcode) and units.", exists=True, dir_okay=False)
    ],
    as_json: AsJson = False,
) -> None:
    """Enter what was found from a file; rows of one article are added up, and the same file counts once.

    Further columns are lot and expires_on, or serial, for articles that have them.
    """
    raw = file.read_bytes()
    rows = read_count(text_of(raw))
    with runtime() as hub:
        results = operate.enter_counts(hub, number, rows, person=person(), entry=hashlib.sha256(raw).hexdigest()[:32])
    wrong = [one for one in results if one.status == "error"]
    if as_json:
        print_json({"rows": results, "errors": len(wrong)})
    else:
        if wrong:
            print_table(
                ("Row#", "Code", "Why not"), ((one.number, one.code, one.message) for one in wrong[:100]), empty=""
            )
        say(f"{len(results) - len(wrong)} rows are entered, {len(wrong)} were left out.")
    if wrong:
        raise typer.Exit(PROBLEMS)


@app.command("review")
def review(number: Number) -> None:
    """All is entered: look at the differences."""
    with runtime() as hub:
        operate.review_count(hub, number, person=person())
    show(number, differences=True)


@app.command("recount")
def recount(
    number: Number, skus: Annotated[list[str] | None, typer.Argument(help="SKUs to be counted once more.")] = None
) -> None:
    """Have articles counted once more; those that moved while they were counted are among them."""
    with runtime() as hub:
        operate.recount(hub, number, skus or (), person=person())
    say(f"Begin with `orderhub count start {number}`.")


@app.command("apply")
def apply(
    number: Number,
    uncounted: Annotated[
        Uncounted | None, typer.Option(help="Leave articles that nobody counted, or count them as zero.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the ledger.")] = "",
) -> None:
    """Book the corrections, each exactly once."""
    with runtime() as hub:
        done = operate.apply_count(
            hub, number, person=person(), uncounted=uncounted.value if uncounted else "", reason=reason
        )
    say(f"{number} is in the books." if done else f"{number} was in the books before.")


@app.command("cancel")
def cancel(number: Number, reason: Annotated[str, typer.Option(help="Why.")] = "") -> None:
    """Give a count up; nothing is booked."""
    with runtime() as hub:
        done = operate.cancel_count(hub, number, person=person(), reason=reason)
    say(f"{number} is cancelled." if done else f"{number} was cancelled before.")
