"""The one sentence of a decision says what is so."""

from __future__ import annotations

from dataclasses import replace

from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Destination, Step
from tests.domain.routing.towns import steps, world


def test_a_place_that_stands_first_but_has_not_all_of_it_is_not_said_to_be_out_of_the_market() -> None:
    rules = steps(Step(assign="single", rankers=("market",)))
    nowhere = replace(world("CHI A, TOR A B", "A B", rules=rules), destination=Destination("US"))
    assert plan(nowhere).reason == "TOR because it ships all 2 lines, which CHI cannot."
