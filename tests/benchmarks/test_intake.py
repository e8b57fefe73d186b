"""The benchmark of intake keeps running, and what it counts is right."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def test_the_benchmark_tells_its_figures_for_machines() -> None:
    command = [sys.executable, "-m", "benchmarks.intake", "--orders", "40", "--rounds", "1", "--database", "sqlite"]
    ran = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=240)
    [told] = json.loads(ran.stdout)["databases"]
    assert [one["step"] for one in told["figures"]] == [
        "door, 1 sender",
        "door, 2 senders",
        "intake, 1 drainer",
        "intake, 2 drainers",
        "bare script",
    ]
    # Every order has three lines in stock at one location, which a 3PL or a carrier and the ERP are told of.
    expected = {"orders": 1, "order_line": 3, "fulfillment_order": 1, "fo_line": 3, "stock_move": 3, "outbox": 2}
    assert {name: told["rows_per_order"][name] for name in expected} == expected
    assert sum(told["share_of_time"].values()) == pytest.approx(1)
