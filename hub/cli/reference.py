"""The reference page of the command line, written from the commands themselves.

`python -m hub.cli.reference` prints it; a test compares it with docs/reference/cli.md.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args, get_type_hints

import typer
from typer.main import get_command

HEAD = """# Command line

Written from the commands by `python -m hub.cli.reference > docs/reference/cli.md`.

Settings come from the environment (`ORDERHUB_…`) or from a file `.env`.
Results go to standard output, errors, hints and progress to standard error.
`--json` prints JSON whose keys stay the same from version to version; times in it are UTC.

| Exit code | Meaning |
|---|---|
| 0 | done |
| 1 | done, and problems were found; or it was refused for a reason that is told |
| 2 | wrong use, or settings that are not right |
| 3 | what was named is not there |
| 4 | trouble with the database, its schema or the keys |
"""


def page() -> str:
    """The whole page."""
    from hub.cli.app import app

    root: Any = get_command(app)
    parts = [HEAD]
    for words, command in _commands(root, "orderhub"):
        parts.append(_section(words, command))
    return "\n".join(parts)


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for word, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{name} {word}")
        else:
            yield f"{name} {word}", command


def _section(words: str, command: Any) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    usage = " ".join([words, *(_placeholder(one) for one in arguments), *(["[OPTIONS]"] if options else [])])
    hints = get_type_hints(inspect.unwrap(command.callback))
    lines = [f"## {words}", "", _text(command.help), "", "```", usage, "```", ""]
    if arguments or options:
        lines += ["| Argument or option | Meaning |", "|---|---|"]
        lines += [f"| `{one.name.upper()}` | {_meaning(one, hints)} |" for one in arguments]
        lines += [f"| {_names(one)} | {_meaning(one, hints)} |" for one in options]
        lines.append("")
    return "\n".join(lines)


def _text(help_text: str | None) -> str:
    """One sentence per line, as everywhere in the docs."""
    return " ".join((help_text or "").split()).replace(". ", ".\n")


def _placeholder(argument: Any) -> str:
    name = f"{argument.name.upper()}{'…' if argument.nargs == -1 else ''}"
    return name if argument.required else f"[{name}]"


def _names(option: Any) -> str:
    names = " / ".join(f"`{name}`" for name in (*option.opts, *option.secondary_opts))
    return f"{names}, required" if option.required else names


def _meaning(parameter: Any, hints: dict[str, Any]) -> str:
    said = str(getattr(parameter, "help", "") or "").replace("|", "\\|")
    choices = _choices(hints.get(parameter.name))
    if choices:
        said += f" One of {', '.join(f'`{one}`' for one in choices)}."
    default = parameter.default
    if default not in (None, "", False, True, ()) and not callable(default):
        said += f" By default `{getattr(default, 'value', default)}`."
    return said


def _choices(hint: Any) -> list[str]:
    """The words that an argument may be, where its type is an enumeration."""
    for kind in (hint, *get_args(hint)):
        if isinstance(kind, type) and issubclass(kind, Enum):
            return [str(one.value) for one in kind]
    return []


if __name__ == "__main__":
    typer.echo(page(), nl=False)
