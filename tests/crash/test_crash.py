"""The crash check, short: processes are killed while orders come in, and nothing is lost, doubled or left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.crash import SHORT, run
from tests.conftest import new_postgres_database

pytestmark = pytest.mark.crash


def test_workers_may_be_killed_at_any_moment_on_postgresql(postgres: str, tmp_path: Path):
    _check(run(new_postgres_database(postgres), SHORT["postgresql"], tmp_path))


def test_serve_may_be_killed_at_any_moment_on_sqlite(tmp_path: Path):
    _check(run(f"sqlite:///{tmp_path}/hub.sqlite3", SHORT["sqlite"], tmp_path))


def _check(figures: list) -> None:
    assert [f"{one.name}: {one.found:g}, not {one.wanted:g}" for one in figures if not one.is_right] == []
