"""What a person says of a fulfillment order at the command line."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from hub.cli.naming import order_id
from hub.cli.output import say
from hub.cli.session import person, runtime
from hub.flows import operate

Order = Annotated[str, typer.Argument(help="Number (with or without #), our id, or the channel's id.")]
Number = Annotated[str, typer.Argument(help="Number of the fulfillment order.")]


def register(app: typer.Typer) -> None:
    app.command("collect-until")(collect_until)


def collect_until(
    order: Order,
    number: Number,
    day: Annotated[
        datetime, typer.Argument(help="It may be collected until the end of this day.", formats=["%Y-%m-%d"])
    ],
) -> None:
    """Let goods wait longer at the counter, and end the hold of what was to be collected by now."""
    with runtime() as hub:
        with hub.db.read() as tx:
            key = order_id(tx, order)
        done = operate.collect_until(hub, key, number, day.date(), person=person())
    until = f"until the end of {day:%Y-%m-%d}"
    say(f"{number} may be collected {until}." if done else f"{number} waits {until} already.")
