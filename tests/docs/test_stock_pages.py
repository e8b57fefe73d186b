"""The pages on stock: the reference is written from the table of moves, and the how-to can be followed word by word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.app import app
from hub.domain.stock_reference import page

DOCS = Path(__file__).parents[2] / "docs"
HOW_TO = (DOCS / "how-to" / "set-up-locations-and-stock.md").read_text(encoding="utf-8")


def test_the_page_on_stock_states_is_written_from_the_moves():
    written = (DOCS / "reference" / "stock-states.md").read_text(encoding="utf-8")
    assert written == page(), "run: python -m hub.domain.stock_reference > docs/reference/stock-states.md"


def test_the_how_to_can_be_followed_from_top_to_bottom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ORDERHUB_DATABASE", f"sqlite:///{tmp_path}/hub.sqlite3")
    (file,) = re.findall(r"^```csv\n(.*?)^```", HOW_TO, re.DOTALL | re.MULTILINE)
    Path("opening.csv").write_text(file)
    blocks = re.findall(r"^```console\n(.*?)^```", HOW_TO, re.DOTALL | re.MULTILINE)
    said = {}
    for line in ["orderhub migrate", *(line for block in blocks for line in block.splitlines())]:
        result = CliRunner().invoke(app, shlex.split(line)[1:])
        assert result.exit_code == 0, f"{line}: {result.output}"
        said[line] = result.output
    assert "3 rows would change" in said["orderhub stock import opening.csv --create --dry-run"]
    assert len(Path("results.csv").read_text().splitlines()) == 4
    assert "Everything adds up." in said["orderhub stock audit"]
