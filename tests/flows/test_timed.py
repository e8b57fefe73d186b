"""Work that is due by the clock alone."""

from __future__ import annotations

import pytest

from hub.flows import timed
from hub.flows.runtime import Runtime
from hub.store.database import Database
from hub.testing.world import World


def broken(_: Runtime) -> int:
    raise ValueError("a defect")


def three(_: Runtime) -> int:
    return 3


def test_what_fails_does_not_stop_the_rest_of_the_clock(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timed, "BY_CLOCK", {"minute": (broken, three)})
    assert timed.run_timed(World(db).runtime, "minute") == 3


@pytest.mark.parametrize("when", ["minute", "night"])
def test_a_hub_in_which_nothing_is_due_has_nothing_to_do(db: Database, when: str) -> None:
    world = World(db)
    timed.run_timed(world.runtime, when)
    assert timed.run_timed(world.runtime, when) <= 1, "at most the audit, which always reports"
