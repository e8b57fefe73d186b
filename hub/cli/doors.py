"""The inbox and the outbox: list, show, replay, retry, resolve."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS
from hub.cli.naming import utc
from hub.cli.output import After, AsJson, Limit, note, print_facts, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.flows import operate
from hub.store import connections
from hub.store.database import Tx
from hub.store.tables.doors import INBOX_STATUSES, OUTBOX_STATUSES
from hub.store.views import doors
from hub.store.views.doors import InboxQuery, OutboxQuery

inbox_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="What arrived: read it, replay it.")
outbox_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="What goes out: read it, retry it, resolve it."
)

InboxStatus = StrEnum("InboxStatus", {one.upper(): one for one in INBOX_STATUSES})  # type: ignore[misc]
OutboxStatus = StrEnum("OutboxStatus", {one.upper(): one for one in OUTBOX_STATUSES})  # type: ignore[misc]
_STATUS = typer.Option("--status", help="Only rows of this status; may be given twice.")
OfConnection = Annotated[str, typer.Option("--connection", help="Only rows of this connection (name or id).")]
RowIds = Annotated[list[str], typer.Argument(help="Row ids.")]


def _connection(tx: Tx, key: str) -> str:
    return connections.get(tx, key).id if key else ""


@inbox_app.command("list")
def list_inbox(
    statuses: Annotated[list[InboxStatus] | None, _STATUS] = None,
    connection: OfConnection = "",
    stream: Annotated[str, typer.Option(help="Only rows of this stream.")] = "",
    error: Annotated[str, typer.Option(help="Only rows with this error code.")] = "",
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List what arrived, newest first. Parked rows have the status dead."""
    with runtime() as hub, hub.db.read() as tx:
        query = InboxQuery(
            tuple(one.value for one in statuses or ()),
            _connection(tx, connection),
            stream,
            error,
            after=after,
            limit=limit,
        )
        page, counts = doors.inbox_rows(tx, query), doors.inbox_counts(tx)
    if as_json:
        print_json({"rows": page.rows, "next": page.next, "counts": counts})
        return
    print_table(
        ("Id", "Received (UTC)", "Channel", "Stream", "Of", "Status", "Outcome", "Error"),
        (
            (one.id, one.received_at, one.channel, one.stream, one.external_id, one.status, one.outcome, one.error)
            for one in page.rows
        ),
        empty="Nothing matches.",
    )
    if page.next:
        note(f"There are more: --after {page.next}")


@inbox_app.command("show")
def show_inbox(row: Annotated[str, typer.Argument(help="Row id.")], as_json: AsJson = False) -> None:
    """Show one row with its body as it came."""
    with runtime() as hub, hub.db.read() as tx:
        found = doors.inbox_row(tx, row)
    if as_json:
        print_json(found)
        return
    print_facts((name.replace("_", " "), getattr(found.row, name)) for name in found.row.__slots__)
    say("")
    say(found.body.decode("utf-8", "replace"))


@inbox_app.command("replay")
def replay(
    rows: Annotated[list[str] | None, typer.Argument(help="Row ids.")] = None,
    parked: Annotated[bool, typer.Option("--parked", help="All parked rows that the options match.")] = False,
    connection: OfConnection = "",
    stream: Annotated[str, typer.Option(help="Only rows of this stream.")] = "",
    error: Annotated[str, typer.Option(help="Only rows with this error code.")] = "",
    received_from: Annotated[
        datetime | None, typer.Option("--from", help="Received at or after this time, UTC.")
    ] = None,
    received_to: Annotated[datetime | None, typer.Option("--to", help="Received before this time, UTC.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which rows they would be.")] = False,
    as_json: AsJson = False,
) -> None:
    """Handle rows again with the field maps of today. What was applied before is not done twice."""
    narrowed = any((parked, stream, error, connection, received_from, received_to))
    if not rows and not narrowed:
        raise typer.BadParameter(
            "name rows, or choose them by --parked, --connection, --stream, --error, --from or --to"
        )
    with runtime() as hub:
        query = None
        if narrowed:
            with hub.db.read() as tx:
                query = InboxQuery(
                    ("dead",) if parked else (),
                    _connection(tx, connection),
                    stream,
                    error,
                    received_from=utc(received_from),
                    received_to=utc(received_to),
                )
        done = operate.replay(hub, ids=rows or (), query=query, person=person(), dry_run=dry_run)
    if as_json:
        print_json({"rows": done, "dry_run": dry_run})
    else:
        say(f"{len(done)} rows {'would be' if dry_run else 'are'} handled again.")


@inbox_app.command("dismiss")
def dismiss(
    rows: RowIds,
    reason: Annotated[str, typer.Option(help="Why nothing is to be done with them.")],
) -> None:
    """Set parked rows aside. They stay readable and can still be replayed."""
    with runtime() as hub:
        done = operate.dismiss(hub, rows, person=person(), reason=reason)
    say(f"{len(done)} rows are set aside.")
    if len(done) < len(set(rows)):
        raise typer.Exit(PROBLEMS)


@outbox_app.command("list")
def list_outbox(
    statuses: Annotated[list[OutboxStatus] | None, _STATUS] = None,
    connection: OfConnection = "",
    operation: Annotated[str, typer.Option(help="Only this operation, such as submit or post.")] = "",
    error: Annotated[str, typer.Option(help="Only rows with this error code.")] = "",
    limit: Limit = 50,
    after: After = "",
    as_json: AsJson = False,
) -> None:
    """List what goes out, newest first."""
    with runtime() as hub, hub.db.read() as tx:
        query = OutboxQuery(
            tuple(one.value for one in statuses or ()),
            _connection(tx, connection),
            operation,
            "",
            error,
            after=after,
            limit=limit,
        )
        page, counts = doors.outbox_rows(tx, query), doors.outbox_counts(tx)
    if as_json:
        print_json({"rows": page.rows, "next": page.next, "counts": counts})
        return
    print_table(
        ("Id", "Made (UTC)", "To", "Operation", "Order", "Reference", "Status", "Tries#", "Next (UTC)", "Error"),
        (
            (one.id, one.created_at, one.channel, one.operation, one.order_number, one.reference, one.status,
             one.attempts, one.next_at if one.status in {"pending", "retry_wait", "unknown"} else None, one.error)
            for one in page.rows
        ),
        empty="Nothing matches.",
    )  # fmt: skip
    if page.next:
        note(f"There are more: --after {page.next}")


@outbox_app.command("show")
def show_outbox(row: Annotated[str, typer.Argument(help="Row id.")], as_json: AsJson = False) -> None:
    """Show one row with what it carries."""
    with runtime() as hub, hub.db.read() as tx:
        found = doors.outbox_row(tx, row)
    if as_json:
        print_json(found)
        return
    print_facts((name.replace("_", " "), getattr(found.row, name)) for name in found.row.__slots__)
    print_facts([("idempotency key", found.idempotency_key), *sorted(found.payload.items())])


@outbox_app.command("retry")
def retry(rows: RowIds, as_json: AsJson = False) -> None:
    """Send rows again that were given up or refused."""
    with runtime() as hub:
        done = operate.retry(hub, rows, person=person())
    if as_json:
        print_json(done)
    else:
        say(f"{len(done.sent)} rows are sent again.")
        for row, reason in done.refused:
            note(f"{row}: {reason}")
    if done.refused:
        raise typer.Exit(PROBLEMS)


@outbox_app.command("dismiss")
def set_aside(
    rows: RowIds,
    reason: Annotated[str, typer.Option(help="Why nothing is to be done with them.")],
    as_json: AsJson = False,
) -> None:
    """Set rows aside that were given up or refused. They stay readable and can still be sent by `retry`."""
    with runtime() as hub:
        done = operate.set_aside(hub, rows, person=person(), reason=reason)
    if as_json:
        print_json(done)
    else:
        say(f"{len(done.done)} rows are set aside.")
        for row, why in done.refused:
            note(f"{row}: {why}")
    if done.refused:
        raise typer.Exit(PROBLEMS)


@outbox_app.command("resolve")
def resolve(
    row: Annotated[str, typer.Argument(help="Row id.")],
    happened: Annotated[bool, typer.Option("--happened/--not-happened", help="What you found at the other side.")],
    external_id: Annotated[str, typer.Option("--id", help="Its id there.")] = "",
    number: Annotated[str, typer.Option(help="The document number there.")] = "",
    tracking_number: Annotated[str, typer.Option("--tracking", help="The label's tracking number.")] = "",
    carrier: Annotated[str, typer.Option(help="The label's carrier.")] = "",
) -> None:
    """Say what became of a row of unknown outcome, or of one that was given up or refused.

    It happened under an id, or it did not and is sent again.
    """
    with runtime() as hub:
        again = operate.resolve(
            hub,
            row,
            happened=happened,
            person=person(),
            external_id=external_id,
            number=number,
            tracking_number=tracking_number,
            carrier=carrier,
        )
    not_done = "It is sent again." if again else "It is not sent again: its units were routed elsewhere or cancelled."
    say("It is booked as done." if happened else not_done)


@outbox_app.command("release")
def release(
    connection: Annotated[str, typer.Argument(help="Connection, by name or id.")],
) -> None:
    """Let a connection's messages out again after a restore; each is looked up there before anything is sent."""
    with runtime() as hub:
        released = operate.release_outbox(hub, connection, person=person())
    say(f"{released} messages that were held are looked up and sent.")
