"""A decision from outside is held to the snapshot: a wrong answer promises nothing that is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.routing.external import BadAnswerError, checked, plan_from, question
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Snapshot, Step
from tests.domain.routing.towns import by_code, changed, steps, world
from tests.domain.routing.worlds import snapshots

TWO = world("PHL A=2, BOS A=2 B, CHI A B", "A=2 B")


def answer(snapshot: Snapshot, **parts: dict[str, int]) -> dict[str, Any]:
    ids = {place.code: place.id for place in snapshot.places}
    said = [{"location": ids[code], "units": units} for code, units in parts.items()]
    return {"inputs_hash": question(snapshot)["inputs_hash"], "parts": said}


def test_an_answer_that_holds_is_the_plan_and_what_it_leaves_waits() -> None:
    decided = plan_from(answer(TWO, CHI={"l1": 1}, BOS={"l1": 1}), TWO)
    assert by_code(TWO, decided) == {"BOS": {"l1": 1}, "CHI": {"l1": 1}}
    assert [(rest.line_id, rest.units, rest.then) for rest in decided.remainder] == [("l2", 1, "backorder")]
    assert decided.strategy == "http@2"
    assert decided.reason == "BOS + CHI by the outside decision; 1 unit missing."


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"PHL": {"l1": 3}}, "3 units of line 'l1', of which 2 are needed"),
        ({"CHI": {"l1": 2}}, "CHI may not ship that, or has not so many units"),
        ({"PHL": {"l9": 1}}, "there is no line 'l9'"),
        ({"PHL": {"l1": 0}}, "units that are no whole number above 0"),
        ({"PHL": {"l1": True}}, "units that are no whole number above 0"),
        ({"PHL": {"l1": 1.0}}, "units that are no whole number above 0"),
        ({"PHL": {}}, "the part from 'id-phl' has no units"),
    ],
)
def test_an_answer_that_does_not_hold_is_left_with_its_reason(parts: dict[str, Any], why: str) -> None:
    with pytest.raises(BadAnswerError, match=why):
        checked(answer(TWO, **parts), TWO)


@pytest.mark.parametrize("said", [None, [], "PHL", {}, {"parts": []}, {"inputs_hash": "of another day", "parts": []}])
def test_what_is_no_answer_to_this_question_is_left(said: Any) -> None:
    with pytest.raises(BadAnswerError):
        checked(said, TWO)


def test_an_answer_for_stock_that_has_changed_meanwhile_does_not_hold() -> None:
    late = answer(TWO, BOS={"l1": 2, "l2": 1})
    now = replace(TWO, sellable={**TWO.sellable, ("id-bos", "A"): 1})
    decided = plan_from(late, now)
    assert decided == replace(plan(now), trace=decided.trace)
    assert decided.trace["steps"][0]["tried"] == [
        {"set": [], "why_not": "the answer is for another state of stock or order"}
    ]


@pytest.mark.parametrize(
    "place", [{"closed": "it is switched off"}, {"capacity_left": 0}, {"ships": False}, {"serves": frozenset({"DE"})}]
)
def test_an_answer_cannot_choose_a_place_that_no_step_may_ask(place: dict[str, Any]) -> None:
    barred = changed(TWO, BOS=place)
    with pytest.raises(BadAnswerError, match="BOS may not ship that"):
        checked(answer(barred, BOS={"l1": 2, "l2": 1}), barred)


def test_an_answer_cannot_choose_who_refused_take_a_buffer_or_divide_a_group() -> None:
    refused = replace(TWO, excluded=frozenset({("l2", "id-bos")}))
    with pytest.raises(BadAnswerError, match="BOS may not ship that"):
        checked(answer(refused, BOS={"l2": 1}), refused)
    buffered = replace(TWO, rules=steps(Step(min_stock=1)))
    with pytest.raises(BadAnswerError, match="has not so many units"):
        checked(answer(buffered, BOS={"l1": 2}), buffered)
    group = world("PHL A, BOS B", "A B", groups={"l1": "gift", "l2": "gift"})
    with pytest.raises(BadAnswerError, match="a group of lines is divided"):
        checked(answer(group, PHL={"l1": 1}), group)
    kits = replace(group, needs=tuple(replace(need, units=2, per_kit=1) for need in group.needs))
    kits = replace(
        kits, sellable=dict.fromkeys([("id-phl", "A"), ("id-phl", "B"), ("id-bos", "A"), ("id-bos", "B")], 2)
    )
    with pytest.raises(BadAnswerError, match="a group of lines is divided"):
        checked(answer(kits, PHL={"l1": 2, "l2": 1}), kits)
    whole = {"l1": 1, "l2": 1}
    assert by_code(kits, checked(answer(kits, PHL=whole, BOS=whole), kits)) == {"PHL": whole, "BOS": whole}
    alone = replace(TWO, rules=steps(Step(max_shipments=1)))
    with pytest.raises(BadAnswerError, match="more than any step allows"):
        checked(answer(alone, PHL={"l1": 1}, BOS={"l1": 1}), alone)


@given(snapshots(), st.data())
def test_whatever_is_answered_nothing_is_promised_that_is_not_there(snapshot: Snapshot, data: st.DataObject) -> None:
    units = st.dictionaries(st.sampled_from([need.line_id for need in snapshot.needs]), st.integers(0, 3), max_size=3)
    part = st.fixed_dictionaries({"location": st.sampled_from([place.id for place in snapshot.places]), "units": units})
    said = {"inputs_hash": question(snapshot)["inputs_hash"], "parts": data.draw(st.lists(part, max_size=3))}
    decided = plan_from(said, snapshot)
    variant = {need.line_id: need.variant_id for need in snapshot.needs}
    taken: dict[tuple[str, str], int] = {}
    for chosen in decided.parts:
        for line, count in chosen.units.items():
            assert (line, chosen.place_id) not in snapshot.excluded
            key = (chosen.place_id, variant[line])
            taken[key] = taken.get(key, 0) + count
    assert all(count <= snapshot.sellable[key] for key, count in taken.items())
    for need in snapshot.needs:
        sent = sum(chosen.units.get(need.line_id, 0) for chosen in decided.parts)
        assert sent + sum(rest.units for rest in decided.remainder if rest.line_id == need.line_id) == need.units
