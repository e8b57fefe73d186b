"""What holds for every order, whatever the world and the steps."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.routing.document import from_document, to_document
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import Plan, Rules, Snapshot, Step
from tests.domain.routing.towns import PLACES, world
from tests.domain.routing.worlds import ARTICLES, CODES, snapshots

ANY = snapshots(assigns=("single", "split", "partial"))


@st.composite
def ladders(draw: st.DrawFn) -> Snapshot:
    """Worlds with several steps of either strategy."""
    snapshot = draw(ANY)
    more = tuple(draw(ANY).rules.steps[0] for _ in range(draw(st.integers(0, 2))))
    values = tuple(replace(step, min_shipment_value_minor=draw(st.sampled_from((0, 0, 500)))) for step in more)
    return replace(snapshot, rules=Rules((*snapshot.rules.steps, *values), draw(st.sampled_from(("ranked", "cost")))))


def units(decided: Plan) -> int:
    return sum(sum(part.units.values()) for part in decided.parts)


@given(ladders())
def test_every_unit_ships_from_somewhere_or_waits(snapshot: Snapshot) -> None:
    decided = plan(snapshot)
    for need in snapshot.needs:
        sent = sum(part.units.get(need.line_id, 0) for part in decided.parts)
        waits = sum(rest.units for rest in decided.remainder if rest.line_id == need.line_id)
        assert sent + waits == need.units
    assert all(count > 0 for part in decided.parts for count in part.units.values())
    assert len({part.place_id for part in decided.parts}) == len(decided.parts)
    assert len(decided.parts) <= sum(step.max_shipments for step in snapshot.rules.steps)


@given(ladders())
def test_no_location_gives_more_than_it_may_sell(snapshot: Snapshot) -> None:
    variant = {need.line_id: need.variant_id for need in snapshot.needs}
    for part in plan(snapshot).parts:
        for article in ARTICLES:
            taken = sum(count for line, count in part.units.items() if variant[line] == article)
            assert taken <= snapshot.sellable[part.place_id, article]


@given(ladders())
def test_no_line_ships_from_where_it_was_refused(snapshot: Snapshot) -> None:
    for part in plan(snapshot).parts:
        assert not {(line, part.place_id) for line in part.units} & snapshot.excluded


@given(ladders())
def test_no_location_without_capacity_ships(snapshot: Snapshot) -> None:
    full = {place.id for place in snapshot.places if place.capacity_left == 0}
    assert not full & {part.place_id for part in plan(snapshot).parts}


@given(ladders())
def test_groups_ship_whole_from_one_place_or_not_at_all(snapshot: Snapshot) -> None:
    decided = plan(snapshot)
    for group in {need.group for need in snapshot.needs if not need.per_kit} - {None}:
        members = [need for need in snapshot.needs if need.group == group]
        holders = [part for part in decided.parts if any(need.line_id in part.units for need in members)]
        assert len(holders) <= 1
        for part in holders:
            assert all(part.units.get(need.line_id) == need.units for need in members)


@given(ladders())
def test_every_place_ships_whole_kits(snapshot: Snapshot) -> None:
    parts = [need for need in snapshot.needs if need.per_kit]
    for part in plan(snapshot).parts:
        assert len({Fraction(part.units.get(need.line_id, 0), need.per_kit) for need in parts}) <= 1
        assert all(part.units.get(need.line_id, 0) % need.per_kit == 0 for need in parts)


@given(ladders(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_listed_does_not_matter(snapshot: Snapshot, draw: object) -> None:
    def shuffled(items: object) -> list:
        listed = list(items)  # type: ignore[call-overload]
        draw.shuffle(listed)  # type: ignore[attr-defined]
        return listed

    other = replace(
        snapshot,
        needs=tuple(shuffled(snapshot.needs)),
        places=tuple(shuffled(snapshot.places)),
        sellable=dict(shuffled(snapshot.sellable.items())),
        excluded=frozenset(shuffled(snapshot.excluded)),
    )
    assert plan(other) == plan(snapshot)


@settings(max_examples=300)
@given(snapshots(), st.sampled_from(ARTICLES), st.sampled_from(CODES), st.integers(1, 3))
def test_more_stock_never_ships_fewer_units(snapshot: Snapshot, article: str, code: str, more: int) -> None:
    place = PLACES[code]
    places = snapshot.places if any(one.id == place.id for one in snapshot.places) else (*snapshot.places, place)
    stock = dict(snapshot.sellable)
    stock[place.id, article] = stock.get((place.id, article), 0) + more
    assert units(plan(replace(snapshot, places=places, sellable=stock))) >= units(plan(snapshot))


@given(ANY, st.integers(0, 3))
def test_how_places_are_ranked_does_not_change_how_much_can_ship(snapshot: Snapshot, without: int) -> None:
    [step] = snapshot.rules.steps
    fewer = replace(step, rankers=step.rankers[:without] + step.rankers[without + 1 :])
    assert units(plan(replace(snapshot, rules=Rules((fewer,))))) == units(plan(snapshot))


@given(ladders())
def test_a_decision_is_replayed_bit_for_bit_from_its_document(snapshot: Snapshot) -> None:
    document = to_document(snapshot)
    again = from_document(document)
    assert plan(again) == plan(snapshot)
    assert to_document(again) == document


@given(ANY)
def test_the_cost_strategy_ships_as_much_as_the_ranks_do(snapshot: Snapshot) -> None:
    assert units(plan(replace(snapshot, rules=replace(snapshot.rules, strategy="cost")))) == units(plan(snapshot))


def test_a_place_may_be_chosen_again_by_a_later_step_and_is_still_one_part() -> None:
    rules = Rules((Step("whole lines", assign="partial", min_stock=1), Step("the rest")))
    place = PLACES["PHL"]
    decided = plan(world("PHL A=3 B=1", "A=2 B", rules=rules))
    assert [(part.place_id, dict(part.units), part.step) for part in decided.parts] == [
        (place.id, {"l1": 2, "l2": 1}, "whole lines")
    ]
