"""Opening a database says what is missing."""

from __future__ import annotations

import subprocess
import sys

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
