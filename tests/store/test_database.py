"""Opening a database says what is missing."""

from __future__ import annotations

import subprocess
import sys
import traceback

import pytest
from sqlalchemy import insert

from hub.store.database import Database
from hub.store.errors import IntegrityError
from hub.store.tables import location
from hub.testing.world import World

WITHOUT_DRIVER = """
import importlib.util
import hub.store.database as database

found = importlib.util.find_spec
database.find_spec = lambda name: None if name == "psycopg" else found(name)
database.open_database("postgresql://localhost/orderhub")
"""


def test_postgresql_without_its_driver_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_DRIVER], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "pip install 'orderhub[pg]'" in done.stderr


@pytest.mark.parametrize("wrong", [{"code": "EAST"}, {"code": "WEST", "kind": "no such kind"}, {"code": None}])
def test_an_error_names_the_rule_and_no_value_of_the_row(db: Database, wrong: dict[str, str]) -> None:
    world = World(db)
    world.location("EAST")
    now = world.now()
    row = {"id": "1", "name": "Alex Doe", "country": "US", "zone": "UTC", "created_at": now, **wrong}
    with pytest.raises(IntegrityError) as caught, db.begin() as tx:
        tx.execute(insert(location).values(**row))
    shown = "".join(traceback.format_exception(caught.value))
    shown = "\n".join(line for line in shown.splitlines() if not line.startswith("    "))  # what was said, no source
    assert "location" in shown
    for value in ("Alex Doe", "EAST", "no such kind"):
        assert value not in shown
