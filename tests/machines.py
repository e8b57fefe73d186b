"""State machines: how far they walk, and where. A little in every run, 300 times 50 steps with ORDERHUB_LONG=1."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from hub.store.database import Database

LONG = os.environ.get("ORDERHUB_LONG") == "1"
STEPS = settings(
    max_examples=300 if LONG else 20,
    stateful_step_count=50 if LONG else 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

Fresh = Callable[[], AbstractContextManager[Database]]


class StoredMachine(RuleBasedStateMachine):
    """A machine whose every walk has a database of its own.

    What earlier walks left behind decides nothing then: the same steps end the same, as Hypothesis needs it.
    """

    fresh: Fresh

    def __init__(self) -> None:
        super().__init__()
        self.held = ExitStack()
        self.db = self.held.enter_context(self.fresh())

    def teardown(self) -> None:
        self.held.close()


def walk(machine: type[StoredMachine], databases: Fresh) -> None:
    """Let a machine walk through new databases. Raises with the shortest walk that breaks a rule."""
    here = type(machine.__name__, (machine,), {"fresh": staticmethod(databases)})
    run_state_machine_as_test(here, settings=STEPS)
