"""What is oversold: the orders at risk, and the repair. Below `orderhub stock`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from hub.cli.edge import PROBLEMS, NoSuchThingError
from hub.cli.output import AsJson, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.flows.operate import oversold as operate
from hub.store.views import oversold
from hub.store.views.oversold import Oversold


def register(app: typer.Typer) -> None:
    app.command("oversold")(list_oversold)
    app.command("repair")(repair)


def list_oversold(as_json: AsJson = False) -> None:
    """List positions that have promised more than is there, with the orders at risk. Exit code 1 when there are any."""
    with runtime() as hub, hub.db.read() as tx:
        found = oversold.find(tx)
    if as_json:
        print_json({"rows": found})
    else:
        print_table(
            ("SKU", "Location", "Missing#", "Coming#", "Elsewhere", "Order", "Fulfillment order", "Units#", "Repair"),
            (
                (one.sku, one.location, one.missing, one.incoming,
                 ", ".join(f"{units} at {code}" for code, units in one.elsewhere.items()), *hit)
                for one in found
                for hit in _hit(one)
            ),
            empty="Nothing is oversold.",
        )  # fmt: skip
    if found:
        raise typer.Exit(PROBLEMS)


def _hit(one: Oversold) -> Iterator[tuple[str, str, int, str]]:
    """Whom the shortage hits: orders, and those for whom units are kept there."""
    for order in one.orders:
        yield order.number, order.fo_number, order.units, order.repair.words if order.repair else ""
    for kept in one.kept:
        yield f"kept for {kept.whom}", "", kept.units, f"release it, if it can be: orderhub stock release {kept.id}"


def repair(
    sku: Annotated[str, typer.Argument(help="Our SKU.")],
    location: Annotated[str, typer.Argument(help="Code of the location that has oversold it.")],
    chosen: Annotated[
        list[str] | None,
        typer.Option("--fo", help="Only these fulfillment orders; by default all that another place can serve."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Send orders at risk from other places that have the units."""
    with runtime() as hub:
        with hub.db.read() as tx:
            found = next((one for one in oversold.find(tx) if (one.sku, one.location) == (sku, location)), None)
        if found is None:
            raise NoSuchThingError(f"{sku} is not oversold at {location}; `orderhub stock oversold` lists what is")
        known = {one.fo_number: one.fo_id for one in found.orders}
        if unknown := sorted(set(chosen or ()) - set(known)):
            raise NoSuchThingError(f"{', '.join(unknown)} is not at risk there; at risk are {', '.join(known)}")
        ids = frozenset(known[number] for number in chosen or ())
        done = operate.reroute(hub, found.position_id, person=person(), fo_ids=ids)
    if as_json:
        print_json(done)
        return
    for numbers, said in (
        (done.moved, "Routed anew"),
        (done.asked, "Asked back, to be routed when the place agrees"),
        (done.gone, "Ended meanwhile"),
    ):
        if numbers:
            say(f"{said}: {', '.join(numbers)}.")
