"""Changes of orders at the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import orjson
import typer

from hub.cli.edge import NoSuchThingError
from hub.cli.naming import order_id
from hub.cli.output import AsJson, money, note, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.changes import AddLine, Ask, CancelOrder, SetMethod, SetQuantity, ShipTo
from hub.domain.money import to_minor
from hub.flows import operate
from hub.flows.change import Preview
from hub.store import changes as change_store
from hub.store.database import Tx
from hub.store.views import order as order_view

Change = Annotated[str, typer.Argument(help="Id of the change, as `orderhub order change` printed it.")]
Note = Annotated[str, typer.Option("--note", help="For the timeline.")]


def register(app: typer.Typer) -> None:
    app.command("change")(change)
    app.command("changes")(list_changes)
    app.command("confirm")(confirm)
    app.command("take-back")(take_back)
    app.command("decline")(decline)


def change(
    order: Annotated[str, typer.Argument(help="Number (with or without #), our id, or the channel's id.")],
    quantities: Annotated[
        list[str] | None, typer.Option("--set", help="SKU=QUANTITY that there is to be; 0 takes the line off.")
    ] = None,
    add: Annotated[list[str] | None, typer.Option(help="SKU=QUANTITY@PRICE of one, such as TEE=2@7.50.")] = None,
    ship_to: Annotated[str, typer.Option(help="Another address, as JSON; @FILE reads it from a file.")] = "",
    method: Annotated[str, typer.Option(help="ship, or pickup:LOCATION.")] = "",
    cancel: Annotated[bool, typer.Option("--cancel", help="Cancel all that has not left.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept for ever.")] = "",
    preview: Annotated[bool, typer.Option("--preview", help="Only show what would happen.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm it at once.")] = False,
    as_json: AsJson = False,
) -> None:
    """Look at a change of an order and ask for it; `orderhub order confirm` does it."""
    with runtime() as hub:
        with hub.db.read() as tx:
            key = order_id(tx, order)
            asks = _asks(tx, key, quantities or [], add or [], ship_to, method)
        if cancel:
            asks.append(CancelOrder(reason or "no reason given"))
        if preview:
            _show(operate.preview_change(hub, key, asks), as_json)
            return
        asked = operate.change_order(hub, key, asks, person=person(), reason=reason)
        if yes:
            operate.confirm_change(hub, asked.id, person=person())
    if as_json:
        print_json({"change": asked.id, "confirmed": yes, "preview": asked.preview.as_json()})
        return
    _show(asked.preview, as_json)
    say(f"Change {asked.id} is {'done' if yes else 'asked for'}.")
    if not yes:
        note(f"Do it: orderhub order confirm {asked.id}. Not after all: orderhub order take-back {asked.id}")


def _asks(tx: Tx, key: str, quantities: list[str], add: list[str], ship_to: str, method: str) -> list[Ask]:
    document = order_view.detail(tx, key).document
    asks: list[Ask] = [_set(document, one) for one in quantities]
    asks += [_add(document["currency"], one) for one in add]
    if ship_to:
        asks.append(ShipTo(_address(ship_to)))
    if method:
        name, _, location = method.partition(":")
        asks.append(SetMethod(name, location))
    return asks


def _set(document: Mapping[str, Any], said: str) -> SetQuantity:
    name, equals, text = said.rpartition("=")
    if not equals or not text.isdecimal():
        raise typer.BadParameter(f"{said!r} is not SKU=QUANTITY", param_hint="--set")
    found = [one["external_id"] for one in document["lines"] if name in {one.get("sku"), one["external_id"]}]
    if len(found) != 1:
        raise NoSuchThingError(
            f"{len(found)} lines of the order are {name!r}; say which by the channel's id of the line"
        )
    return SetQuantity(found[0], int(text))


def _add(currency: str, said: str) -> AddLine:
    name, equals, rest = said.rpartition("=")
    text, at, price = rest.partition("@")
    if not (equals and at and text.isdecimal()):
        raise typer.BadParameter(f"{said!r} is not SKU=QUANTITY@PRICE", param_hint="--add")
    try:
        return AddLine("", name, int(text), to_minor(price, currency))
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--add") from error


def _address(said: str) -> dict[str, Any]:
    if said.startswith("@"):
        with open(said[1:], "rb") as file:  # noqa: PTH123 - a path as the shell gave it
            said = file.read().decode()
    try:
        found = orjson.loads(said)
    except orjson.JSONDecodeError as error:
        raise typer.BadParameter(f"the address is not JSON: {error}", param_hint="--ship-to") from error
    if not isinstance(found, dict):
        raise typer.BadParameter("the address is a JSON object", param_hint="--ship-to")
    return found


def _show(seen: Preview, as_json: bool) -> None:
    if as_json:
        print_json(seen.as_json())
        return
    what = seen.money
    print_table(
        ("Line", "Before#", "After#", "Costs#", "Will cost#"),
        (
            (one.name, one.before, one.after, money(one.before_minor, what.currency),
             money(one.after_minor, what.currency))
            for one in seen.lines
        ),
        empty="The lines stay as they are.",
    )  # fmt: skip
    if seen.address:
        to = seen.address[1] or {}
        say(
            "Ship to: "
            + ", ".join(str(to[part]) for part in ("name", "line1", "postal_code", "city", "country") if part in to)
        )
    if seen.method:
        say(f"Delivery: {seen.method[1]} instead of {seen.method[0]}")
    say(f"Total: {money(what.before_minor, what.currency)}, then {money(what.after_minor, what.currency)}")
    for words, minor in (("To refund", what.refund_minor), ("To collect", what.collect_minor)):
        if minor:
            say(f"{words}: {money(minor, what.currency)}")
    for one in seen.recalls:
        did = "is withdrawn" if one.what == "withdrawn" else "is asked back"
        say(f"{one.number} at {one.location} ({one.units} units) {did}.")
    for words in (*seen.refused, *seen.notes):
        say(words)


def list_changes(
    order: Annotated[str, typer.Argument(help="Number (with or without #), our id, or the channel's id.")],
    as_json: AsJson = False,
) -> None:
    """List the changes of an order, newest first."""
    with runtime() as hub, hub.db.read() as tx:
        rows = change_store.of_order(tx, order_id(tx, order))
    if as_json:
        print_json({"rows": rows})
        return
    print_table(
        ("Change", "Kind", "From", "State", "Moves the total by#", "Asked (UTC)", "Decided by"),
        (
            (one.id, one.kind, one.source, one.status, money(one.delta_minor, one.currency), one.created_at,
             one.decided_by)
            for one in rows
        ),
        empty="The order was never changed.",
    )  # fmt: skip


def confirm(change_id: Change) -> None:
    """Do a change that was asked for; refused when the order has changed since."""
    with runtime() as hub:
        done = operate.confirm_change(hub, _known(change_id), person=person())
    say("The order is changed." if done else "The change was ended before.")


def take_back(change_id: Change, why: Note = "") -> None:
    """Take a change back that waits to be confirmed."""
    _end(change_id, why, declined=False)


def decline(change_id: Change, why: Note = "") -> None:
    """Say no to a change that waits to be confirmed."""
    _end(change_id, why, declined=True)


def _end(change_id: str, why: str, *, declined: bool) -> None:
    with runtime() as hub:
        done = operate.end_change(hub, _known(change_id), person=person(), declined=declined, note=why)
    say(("The change is declined." if declined else "The change is taken back.") if done else "It was ended before.")


def _known(change_id: str) -> str:
    with runtime() as hub, hub.db.read() as tx:
        if change_store.get(tx, change_id) is None:
            raise NoSuchThingError(f"there is no change {change_id!r}")
    return change_id
