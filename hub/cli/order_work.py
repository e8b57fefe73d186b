"""What a person says of a fulfillment order at the command line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import typer

from hub.cli.naming import order_id
from hub.cli.output import say
from hub.cli.session import person, runtime
from hub.flows import operate

Order = Annotated[str, typer.Argument(help="Number (with or without #), our id, or the channel's id.")]
Number = Annotated[str, typer.Argument(help="Number of the fulfillment order.")]


def register(app: typer.Typer) -> None:
    app.command("stopped")(stopped)
    app.command("too-late")(too_late)
    app.command("collect-until")(collect_until)


def stopped(order: Order, number: Number) -> None:
    """Say that a location has stopped a fulfillment order as it was asked; what is still wanted is routed again."""
    done = _do(operate.stopped_by_hand, order, number)
    say(f"{number} is stopped." if done else f"{number} was stopped before.")


def too_late(order: Order, number: Number) -> None:
    """Say that it is too late to stop a fulfillment order; the order is held until the customer was asked."""
    done = _do(operate.too_late_by_hand, order, number)
    say(f"{number} leaves; the order is on hold." if done else "That was said before.")


def _do(work: Callable[..., bool], order: str, number: str, **more: Any) -> bool:
    with runtime() as hub:
        with hub.db.read() as tx:
            key = order_id(tx, order)
        return work(hub, key, number, person=person(), **more)


def collect_until(
    order: Order,
    number: Number,
    day: Annotated[
        datetime, typer.Argument(help="It may be collected until the end of this day.", formats=["%Y-%m-%d"])
    ],
) -> None:
    """Let goods wait longer at the counter, and end the hold of what was to be collected by now."""
    done = _do(operate.collect_until, order, number, day=day.date())
    until = f"until the end of {day:%Y-%m-%d}"
    say(f"{number} may be collected {until}." if done else f"{number} waits {until} already.")
