"""demo: a whole trade on this machine, told from morning to evening."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the report; exit code 1 when an order is not where it belongs.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option("--minutes", min=0, help="Close the console by itself after so many minutes.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", min=0, max=65535, help="Port of the console; 0 takes 8080, or a free one.")
    ] = 0,
) -> None:
    """Run a whole trade on this machine: a shop, a marketplace, a 3PL, a carrier and an ERP, and a hub between them.

    Everything is on loopback and in a temporary SQLite file; nothing is kept. The console stays open at the end.
    """
    from hub.demo.run import run  # no other command needs it

    raise typer.Exit(run(once=once, minutes=minutes, port=port))
