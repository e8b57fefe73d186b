"""The page on the command line says what the commands say."""

from __future__ import annotations

from pathlib import Path

from hub.cli.reference import page

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def test_the_page_is_that_of_the_commands() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m hub.cli.reference > docs/reference/cli.md"


def test_every_command_and_option_is_explained() -> None:
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            assert line.split("|")[-2].strip(), line
