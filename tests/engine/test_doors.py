"""Doors: what stands behind one is worked on in rounds, and none is begun once the process is to end."""

from __future__ import annotations

from hub.engine.doors import open_door
from hub.flows.deliver import CALLS_AT_ONCE
from hub.store.database import Database
from tests.flows.scripted import warehouse


def test_no_round_is_begun_after_the_stop(db: Database):
    house = warehouse(db)
    for _ in range(2 * CALLS_AT_ONCE):
        house.buy(("MUG", 1))
    door = f"outbox:{house.id}"
    assert open_door(house.world.runtime, door, lambda: bool(house.plugin.asked)), "there is more"
    assert len(house.plugin.asked) == CALLS_AT_ONCE
    assert sorted(house.rows("status")) == [("delivered",)] * CALLS_AT_ONCE + [("pending",)] * CALLS_AT_ONCE

    assert open_door(house.world.runtime, door, lambda: True)
    assert len(house.plugin.asked) == CALLS_AT_ONCE
    assert not open_door(house.world.runtime, door)
    assert len(house.plugin.asked) == 2 * CALLS_AT_ONCE
