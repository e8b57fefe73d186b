"""What the command line prints: tables for people on stdout, or JSON; errors and progress on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from hub.domain.money import to_decimal

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
Limit = Annotated[int, typer.Option(help="Rows of one page, at most 500.", min=1, max=500)]
After = Annotated[str, typer.Option(help="The `next` of the page before.")]


def stdout() -> Console:
    """Made anew each time, since tests and pipes exchange the stream."""
    return Console(highlight=False, soft_wrap=True)


def stderr() -> Console:
    return Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str) -> None:
    stdout().print(escape(text))


def note(text: str) -> None:
    """Something for people that is no result, such as what to do next."""
    stderr().print(escape(text), style="dim")


def say_error(text: str, more: Sequence[str] = ()) -> None:
    console = stderr()
    console.print(f"[bold red]error:[/] {escape(text)}")
    for line in more:
        console.print(f"  {escape(line)}")


def print_json(value: Any) -> None:
    """Keys are those of the read models and stay as they are; times are UTC, spans are seconds."""
    text = orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS).decode()
    typer.echo(text)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, timedelta):
        return value.total_seconds()
    if hasattr(value, "_asdict"):
        return value._asdict()
    raise TypeError(f"{type(value).__name__} cannot be printed as JSON")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, title: str = "") -> None:
    """A table; a column whose name ends with "#" is right-aligned."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(name.rstrip("#"), justify="right" if name.endswith("#") else "left", overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(escape(words(cell)) for cell in row))
        count += 1
    if count:
        stdout().print(table)
    else:
        say(empty)


def print_facts(facts: Iterable[tuple[str, Any]]) -> None:
    """Names and values, one below the other; what is empty is left out."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts:
        if value not in (None, "", ()):
            table.add_row(name, escape(words(value)))
    stdout().print(table)


def words(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
    return str(value)


def money(minor: int, currency: str) -> str:
    """Minor units as people write them."""
    return f"{to_decimal(minor, currency)} {currency}"


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Any]:
    """A bar on stderr; gives a function that is told how much is done, and how much there is when that is news."""
    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=stderr()
    )
    with bar:
        task = bar.add_task(what, total=total)
        yield lambda done, all_of_it=total: bar.update(task, completed=done, total=all_of_it)
