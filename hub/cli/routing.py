"""Routing without a database: what the router decides on an input that is given to it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from hub import schemas
from hub.cli.edge import USAGE
from hub.cli.output import print_json, say, say_error
from hub.domain.routing.document import BadInputError, from_document, plan_to_document
from hub.domain.routing.plan import plan as decide
from hub.domain.routing.rankers import UnknownNameError
from hub.domain.routing.rules import step_mistakes
from hub.domain.routing.shapes import Snapshot
from hub.domain.routing.trace import readable
from hub.plugins import rankers, strategies

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Where orders ship from, and why.")

MOST_SHOWN = 20  # faults of one file
SCHEMA = "routing-input.v1"


@app.command("plan")
def plan(
    file: Annotated[str, typer.Argument(help="The router's input as JSON, or - for standard input.")],
    explain: Annotated[bool, typer.Option("--explain", help="Print lines for people instead of JSON.")] = False,
) -> None:
    """Decide where an order ships from, by the very function that routes orders, without a database.

    Prints the parts, the remainder and the trace as JSON.
    """
    snapshot = _snapshot(_read(file), file)
    wrong = [f"{one.path}: {one.message}" for one in step_mistakes("/rules/steps", snapshot.rules.steps, rankers())]
    if wrong:
        raise _refused(file, wrong)
    try:
        decided = decide(snapshot, rankers(), strategies())
    except UnknownNameError as error:
        raise _refused(file, [f"/rules/strategy: {error}"]) from error
    if not explain:
        print_json(plan_to_document(decided, snapshot))
        return
    say(decided.reason)
    for line in readable(decided.trace):
        say(f"  {line}")


def _read(file: str) -> Any:
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise _refused(file, [error.strerror or str(error)]) from error
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise _refused(file, [str(error)]) from error


def _snapshot(document: Any, file: str) -> Snapshot:
    wrong = [f"{one.path or '/'}: {one.message}" for one in schemas.errors(SCHEMA, document)]
    if wrong:
        raise _refused(file, wrong[:MOST_SHOWN])
    try:
        return from_document(document)
    except BadInputError as error:
        raise _refused(file, [str(error)]) from error


def _refused(file: str, wrong: list[str]) -> typer.Exit:
    say_error(f"{'standard input' if file == '-' else file} is no routing input of {SCHEMA}", wrong)
    return typer.Exit(USAGE)
