"""The commands of `orderhub`, put together."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Annotated

import typer

from hub import __version__
from hub.cli import (
    availability,
    backups,
    connections,
    counts,
    doctor,
    doors,
    fulfillment,
    keys,
    ledger,
    lots,
    orders,
    oversold,
    people,
    places,
    routing,
    rules,
    running,
    stock,
    supply,
    transfers,
)
from hub.cli.edge import Edge

app = typer.Typer(
    name="orderhub",
    cls=Edge,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Orders from every channel in, stock to every channel out, routed, shipped and booked.",
    epilog="Exit codes: 0 done, 1 problems found, 2 wrong use, 3 not found, 4 trouble with database or keys.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Orders from every channel in, stock to every channel out, routed, shipped and booked."""


for _module in (running, doctor, backups, connections):
    _module.register(app)
if find_spec("hub.cli.demo") is not None:
    import_module("hub.cli.demo").register(app)
app.add_typer(keys.app, name="keys")
app.add_typer(people.person_app, name="person")
app.add_typer(people.key_app, name="api-key")
app.add_typer(connections.app, name="connection")
app.add_typer(orders.app, name="order")
app.add_typer(fulfillment.app, name="fo")
app.add_typer(doors.inbox_app, name="inbox")
app.add_typer(doors.outbox_app, name="outbox")
stock.app.command("explain")(availability.explain)
ledger.register(stock.app)
oversold.register(stock.app)
app.add_typer(stock.app, name="stock")
app.add_typer(availability.app, name="availability")
app.add_typer(availability.kit_app, name="kit")
places.register(stock.location_app)
app.add_typer(stock.location_app, name="location")
app.add_typer(transfers.app, name="transfer")
app.add_typer(counts.app, name="count")
app.add_typer(lots.app, name="lot")
app.add_typer(supply.supplier_app, name="supplier")
app.add_typer(supply.purchase_app, name="purchase")
app.add_typer(supply.reorder_app, name="reorder")
app.add_typer(supply.waiting_app, name="waiting")
app.add_typer(routing.app, name="route")
app.add_typer(rules.app, name="rules")


def main() -> None:
    """The console script."""
    app()
