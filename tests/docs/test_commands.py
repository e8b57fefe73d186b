"""Every command that the documentation shows exists, with the options that are shown."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.main import get_command

from hub.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.DOTALL | re.MULTILINE)


def shown(program: str) -> list[tuple[str, str]]:
    """(page, command line) of every line in a code block that begins with `program`."""
    found = []
    for page in PAGES:
        for block in BLOCK.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                text = line.split("#")[0].strip().removeprefix("$ ")
                if text == program or text.startswith(program + " "):
                    found.append((page.name, text))
    return found


def pages(found: list[tuple[str, str]]) -> list[str]:
    return [f"{page}: {line}" for page, line in found]


@pytest.mark.parametrize(("page", "line"), shown("orderhub"), ids=pages(shown("orderhub")))
def test_a_shown_command_can_be_given(page: str, line: str) -> None:
    command, words = get_command(app), shlex.split(line)[1:]
    with command.make_context("orderhub", list(words), resilient_parsing=True) as context:
        while hasattr(command, "commands") and words:
            name = words.pop(0)
            assert name in command.commands, f"{page}: there is no command {name!r} in {line!r}"
            command = command.commands[name]
        known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        for word in words:
            if word.startswith("--"):
                assert word.split("=")[0] in known | {"--help"}, f"{page}: {line!r} has no option {word}"
        assert context is not None


@pytest.mark.parametrize(("page", "line"), shown("make"), ids=pages(shown("make")))
def test_a_shown_target_exists(page: str, line: str) -> None:
    done = subprocess.run(["make", "-n", *shlex.split(line)[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{page}: {line}: {done.stderr}"
