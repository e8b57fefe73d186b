"""One location: what it is set to, its settings, and taking it out of action."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from hub.cli.output import AsJson, print_json, print_table, say
from hub.cli.session import person, runtime
from hub.flows import operate

Code = Annotated[str, typer.Argument(help="Code of the location.")]


def register(app: typer.Typer) -> None:
    """Add these commands to those of locations."""
    app.command("show")(show)
    app.command("set")(change)
    app.command("outage")(outage)


def show(code: Code, as_json: AsJson = False) -> None:
    """Show the settings of a location."""
    with runtime() as hub:
        row = operate.location(hub, code)
    said = operate.settings_of(row)
    if as_json:
        print_json({"code": row.code, **said, "outage_until": row.outage_until})
        return
    until = f"until {row.outage_until:%Y-%m-%d %H:%M} UTC" if row.outage_until else ""
    rows = [*said.items(), ("out of action", until)]
    print_table(("Setting", "Value"), ((name, _plain(value)) for name, value in rows), empty="")


def _plain(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def change(
    code: Code,
    settings: Annotated[
        list[str] | None, typer.Argument(help="NAME=VALUE; the value as JSON, or a plain word. NAME= forgets it.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", help="Settings as YAML or JSON.", exists=True, dir_okay=False)
    ] = None,
) -> None:
    """Change settings of a location; `orderhub location show` lists them all."""
    values: dict[str, Any] = {}
    if file is not None:
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        if not isinstance(said, dict):
            raise typer.BadParameter("the file has to hold settings by name")
        values |= said
    for one in settings or ():
        name, equals, text = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"write {one!r} as NAME=VALUE")
        values[name] = _value(text)
    if not values:
        raise typer.BadParameter("say what to change, such as capacity_per_day=200")
    with runtime() as hub:
        done = operate.change_location(hub, code, values, person=person())
    say(f"{code}: {', '.join(done)} changed." if done else f"{code} is set so already.")


def _value(text: str) -> Any:
    if not text:
        return None
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def outage(
    code: Code,
    until: Annotated[datetime | None, typer.Option(help="In UTC, such as 2026-12-24T18:00.")] = None,
    end: Annotated[bool, typer.Option("--end", help="It is back in action.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the timeline.")] = "",
) -> None:
    """Take a location out of action until a moment: what it was not told of goes elsewhere."""
    if (until is None) == (not end):
        raise typer.BadParameter("give either --until or --end")
    moment = until.replace(tzinfo=UTC) if until is not None else None
    with runtime() as hub:
        moved = operate.set_outage(hub, code, moment, person=person(), reason=reason)
    say(f"{code} is back in action." if end else f"{code} is out of action; {moved} orders were moved.")
