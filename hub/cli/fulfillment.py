"""fo: fulfillment orders, and what a place says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.naming import order_id, units_by_sku
from hub.cli.output import AsJson, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.domain.rejections import REASONS
from hub.flows import operate
from hub.flows.runtime import Runtime
from hub.store import catalog
from hub.store.views import orders, queue

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Fulfillment orders: what a place has to do, and what it says."
)

Reason = StrEnum("Reason", {code.upper(): code for code in REASONS})  # type: ignore[misc]
Order = Annotated[str, typer.Argument(help="The order: number (with or without #), our id, or the channel's id.")]
Number = Annotated[str, typer.Argument(help="Number of the fulfillment order, such as FO-7K2M9QWXYZ.")]


@app.command("list")
def list_work(
    location: Annotated[str, typer.Argument(help="Code of the location.")],
    as_json: AsJson = False,
) -> None:
    """List what is to be done by hand at a location, what has to be answered first on top."""
    with runtime() as hub, hub.db.read() as tx:
        try:
            place = catalog.location_by_code(tx, location)
        except KeyError as error:
            raise NoSuchThingError(f"there is no location {location!r}; `orderhub location list` shows all") from error
        tasks = queue.at(tx, place.id)
    if as_json:
        print_json({"rows": tasks})
        return
    print_table(
        ("Number", "Order", "Goods", "How", "State", "Answer by (UTC)", "Collect by (UTC)"),
        (
            (one.number, one.order_number, ", ".join(f"{count} x {sku}" for sku, _, count in one.units),
             one.method.replace("_", " "), "waits to be collected" if one.is_waiting else one.exec_status,
             one.answer_by, one.collect_by)
            for one in tasks
        ),
        empty=f"Nothing is to be done at {location}.",
    )  # fmt: skip


@app.command("accept")
def accept(number: Number) -> None:
    """Say that a location takes it on."""
    _of(number, operate.accept_by_hand, "It is taken on.")


@app.command("refuse")
def refuse(
    number: Number,
    reason: Annotated[Reason, typer.Option(help="Why; it says what becomes of the stock.")],
    line: Annotated[
        list[str] | None, typer.Option(help="SKU=UNITS that it is said of, by default everything; repeat it.")
    ] = None,
    noted: Annotated[str, typer.Option("--note", help="In your own words.")] = "",
) -> None:
    """Say that a location cannot ship it: its units go elsewhere."""
    units = units_by_sku(line or ())

    def work(hub: Runtime, key: str, fo: str, *, person: str) -> bool:
        return operate.refuse_by_hand(hub, key, fo, noted, person=person, code=reason.value, units=units)

    _of(number, work, "It is refused, and booked as the reason says.")


@app.command("ask-back")
def ask_back(number: Number) -> None:
    """Ask whoever has it to stop; what is still wanted of it is routed again, unless a hold keeps it."""
    _of(number, operate.ask_back, "It is asked back. Until it has stopped, it may still leave.")


@app.command("stopped")
def stopped(number: Number) -> None:
    """Say that a location has stopped it as it was asked; what is still wanted is routed again."""
    _of(number, operate.stopped_by_hand, "It is stopped. What is still wanted of it is routed again.")


@app.command("too-late")
def too_late(number: Number) -> None:
    """Say that it is too late to stop it; the order is held until the customer was asked."""
    _of(number, operate.too_late_by_hand, "It leaves; the order is on hold.")


@app.command("ship")
def ship(
    number: Number,
    carrier: Annotated[str, typer.Option(help="Who carries it.")] = "",
    tracking: Annotated[str, typer.Option(help="Tracking number.")] = "",
    serials: Annotated[
        list[str] | None, typer.Option("--serial", help="SKU=NUMBER of an article with serial numbers; repeat it.")
    ] = None,
) -> None:
    """Say that everything of it has left; stock, channel and ERP follow."""
    numbers: dict[str, list[str]] = {}
    for pair in serials or ():
        sku, equals, code = pair.rpartition("=")
        if not equals:
            raise typer.BadParameter(f"write {pair!r} as SKU=NUMBER", param_hint="--serial")
        numbers.setdefault(sku, []).append(code)

    def work(hub: Runtime, key: str, fo: str, *, person: str) -> bool:
        return operate.ship_by_hand(
            hub, key, fo, person=person, carrier=carrier, tracking_number=tracking, serials=numbers
        )

    _of(number, work, "It is booked as shipped, and the channel is told.")


@app.command("ready")
def ready(number: Number) -> None:
    """Say that the goods wait at the counter to be collected."""
    _of(number, operate.ready_for_collection, "It waits at the counter.")


@app.command("collect-until")
def collect_until(
    number: Number,
    day: Annotated[
        datetime, typer.Argument(help="It may be collected until the end of this day.", formats=["%Y-%m-%d"])
    ],
) -> None:
    """Let goods wait longer at the counter, and end the hold of what was to be collected by now."""

    def work(hub: Runtime, key: str, fo: str, *, person: str) -> bool:
        return operate.collect_until(hub, key, fo, day.date(), person=person)

    _of(number, work, f"It may be collected until the end of {day:%Y-%m-%d}.")


@app.command("collected")
def collected(number: Number) -> None:
    """Say that the customer has the goods."""
    _of(number, operate.collected, "The customer has it.")


@app.command("not-collected")
def not_collected(number: Number) -> None:
    """Say that nobody collected the goods and they are back on the shelf."""
    _of(number, operate.not_collected, "It is back on the shelf. Refund it at the channel.")


@app.command("route")
def route(order: Order) -> None:
    """Look again for places for what has none. Exit code 1 when there is still none."""
    if not _at(order, lambda hub, key: operate.route_order(hub, key, person=person())):
        say("There is still no place that has the goods; the order waits as it is.")
        raise typer.Exit(PROBLEMS)
    say("Places were found.")


@app.command("collect-elsewhere")
def collect_elsewhere(
    order: Order, location: Annotated[str, typer.Argument(help="Code of the store where it is collected.")]
) -> None:
    """Let the customer collect at another store."""
    done = _at(order, lambda hub, key: operate.collect_elsewhere(hub, key, location, person=person()))
    say(f"It is collected at {location}." if done else "It was to be collected there before.")


@app.command("ship-instead")
def ship_instead(order: Order) -> None:
    """Ship what was to be collected."""
    done = _at(order, lambda hub, key: operate.ship_instead(hub, key, person=person()))
    say("It is shipped instead." if done else "It was to be shipped before.")


def _of(number: str, work: Callable[..., bool], said: str) -> None:
    """Say something of one fulfillment order."""
    with runtime() as hub:
        with hub.db.read() as tx:
            key = orders.of_fo(tx, number)
        if key is None:
            raise NoSuchThingError(f"there is no fulfillment order {number!r}; `orderhub order show` has their numbers")
        done = work(hub, key, number, person=person())
    say(said if done else "That was said before.")


def _at(order: str, work: Callable[[Runtime, str], bool]) -> bool:
    with runtime() as hub:
        with hub.db.read() as tx:
            key = order_id(tx, order)
        return work(hub, key)
