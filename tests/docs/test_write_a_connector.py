"""The how-to's connector is taken out of the page, installed as a package and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "write-a-connector.md"
BLOCK = re.compile(r"^File `(?P<path>[^`]+)`[^\n]*\n\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def run(*command: str, cwd: Path, path: Path) -> str:
    folders = [str(path), *filter(None, [os.environ.get("PYTHONPATH")])]
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_connector_of_the_page_installs_and_passes_its_own_tests(tmp_path):
    source, installed = tmp_path / "acme", tmp_path / "installed"
    for block in BLOCK.finditer(PAGE.read_text()):
        file = source / block["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block["text"])
    offline = ("--no-index", "--no-deps", "--no-build-isolation")
    run("pip", "install", "--quiet", *offline, "--target", str(installed), str(source), cwd=tmp_path, path=installed)
    # The copy that runs is the installed one: what the wheel lacks, such as the field map, fails here.
    told = run("pytest", "-q", "-p", "no:randomly", str(source / "tests"), cwd=tmp_path, path=installed)
    assert "6 passed" in told
    assert not (source / "tests" / "hub_acme").exists()


def test_the_page_lists_the_files_that_it_shows():
    page = PAGE.read_text()
    shown = {block["path"] for block in BLOCK.finditer(page)}
    tree = page.split("```")[1]
    assert {Path(path).name for path in shown} == set(re.findall(r"\w+\.\w+(?= |$)", tree, re.MULTILINE))
