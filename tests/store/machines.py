"""How far state machines walk: a little in every run, 300 times 50 steps on both databases with ORDERHUB_LONG=1."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

LONG = os.environ.get("ORDERHUB_LONG") == "1"
STEPS = settings(
    max_examples=300 if LONG else 20,
    stateful_step_count=50 if LONG else 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
