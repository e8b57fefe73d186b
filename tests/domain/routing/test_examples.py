"""The router's worked examples, R1 to R17 and R19 of docs/reference/routing.md."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from hub.domain.routing.network import Network, distance_to
from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import CostRules, Need, Place, Rules, Snapshot, Step
from hub.domain.routing.trace import readable
from tests.domain.routing.towns import NEW_YORK, PLACES, by, changed, left, shipped, steps, world


@pytest.mark.parametrize(
    ("code", "km"), [("PHL", 129.6), ("BOS", 306.1), ("MTL", 533.7), ("TOR", 550.4), ("CHI", 1144.3), ("LAX", 3935.8)]
)
def test_distances_to_new_york_are_those_of_the_examples(code: str, km: float) -> None:
    assert distance_to(PLACES[code], NEW_YORK) == pytest.approx(km, abs=0.1)


def test_r1_one_parcel_is_better_than_two_from_nearer_by() -> None:
    assert shipped(world("CHI A B, PHL A, BOS B", "A B")) == {"CHI": {"l1": 1, "l2": 1}}


def test_r2_the_customers_own_country_is_better_than_a_nearer_one_abroad() -> None:
    assert shipped(world("CHI A, TOR A, MTL A")) == {"CHI": {"l1": 1}}


def test_r3_the_nearest_ships_when_all_else_is_equal() -> None:
    assert shipped(world("CHI A, PHL A, BOS A")) == {"PHL": {"l1": 1}}


def test_r3_a_ranker_that_counts_lines_counts_them_wherever_it_stands() -> None:
    rules = by("market", "min_splits", "closest")
    assert [one["loc"] for one in plan(world("PHL A, CHI A B", "A B C", rules=rules)).trace["steps"][0]["ranked"]] == [
        "CHI",
        "PHL",
    ]


def test_r4_the_operators_own_order_goes_before_distance_where_it_is_asked_first() -> None:
    snapshot = world("CHI A, PHL A", rules=by("ranked", "closest"))
    assert shipped(changed(snapshot, CHI={"rank": 1})) == {"CHI": {"l1": 1}}


def test_r5_a_line_is_divided_when_no_location_has_all_of_it() -> None:
    assert shipped(world("PHL A, BOS A", "A=2", rules=steps(Step(assign="split")))) == {
        "PHL": {"l1": 1},
        "BOS": {"l1": 1},
    }


def test_r5_with_one_parcel_allowed_nothing_ships_and_two_are_missing() -> None:
    alone = world("PHL A, BOS A", "A=2", rules=steps(Step(assign="single")))
    assert shipped(alone) == {}
    assert left(alone) == {"l1": 2}


def test_r6_the_fewest_parcels_are_found_where_taking_the_fullest_location_first_misses_them() -> None:
    snapshot = world("X K1 K2 K3 K4, Y K1 K2 K5, Z K3 K4 K6", "K1 K2 K3 K4 K5 K6", rules=steps(Step(assign="split")))
    assert set(shipped(snapshot)) == {"Y", "Z"}


LADDER = Rules(
    (
        Step("near, one parcel", radius_km=160, assign="single"),
        Step("near, several", radius_km=160, assign="split"),
        Step("anywhere, one parcel", assign="single"),
        Step("anywhere, what can be", assign="partial"),
    )
)


@pytest.mark.parametrize(
    ("stock", "step", "places"),
    [
        ("PHL A, NWK B, CHI A B", "near, several", {"NWK": {"l2": 1}, "PHL": {"l1": 1}}),
        ("PHL A, CHI A B", "anywhere, one parcel", {"CHI": {"l1": 1, "l2": 1}}),
        ("PHL A, LAX B", "anywhere, what can be", {"PHL": {"l1": 1}, "LAX": {"l2": 1}}),
        ("PHL A", "anywhere, what can be", {"PHL": {"l1": 1}}),
    ],
)
def test_r7_a_ladder_of_steps_is_climbed_until_one_of_them_finds_a_place(
    stock: str, step: str, places: dict[str, dict[str, int]]
) -> None:
    snapshot = world(stock, "A B", rules=LADDER)
    assert shipped(snapshot) == places
    assert {part.step for part in plan(snapshot).parts} == {step}
    assert left(snapshot) == ({"l2": 1} if stock == "PHL A" else {})


@pytest.mark.parametrize(("values", "ships"), [((6000, 6000), True), ((2000, 2000), False), ((9000, 2000), False)])
def test_r8_an_order_is_divided_only_when_both_halves_are_worth_a_parcel(values: tuple[int, int], ships: bool) -> None:
    rules = steps(Step(assign="split", min_shipment_value_minor=5000))
    snapshot = world("PHL A, BOS B", "A B", values=values, rules=rules)
    assert shipped(snapshot) == ({"PHL": {"l1": 1}, "BOS": {"l2": 1}} if ships else {})


def test_r8_a_parcel_with_the_whole_order_is_always_worth_it() -> None:
    rules = steps(Step(assign="split", min_shipment_value_minor=5000))
    assert shipped(world("PHL A", values=(2000,), rules=rules)) == {"PHL": {"l1": 1}}


def test_r8_a_part_of_a_line_is_worth_its_exact_share() -> None:
    rules = steps(Step(assign="split", min_shipment_value_minor=3334))
    three = world("PHL A=2, BOS A", "A=3", values=(10_000,), rules=rules)  # 6666 2/3 and 3333 1/3
    assert shipped(three) == {}
    just = steps(Step(assign="split", min_shipment_value_minor=3333))
    assert shipped(replace(three, rules=just)) == {"PHL": {"l1": 2}, "BOS": {"l1": 1}}


def test_r8_lines_are_shared_so_that_every_parcel_is_worth_it_where_that_can_be() -> None:
    # l2 would go to PHL, which is ranked first, and leave BOS with l3 alone, which is worth 10.
    rules = steps(Step(assign="split", min_shipment_value_minor=50, rankers=("ranked",)))
    snapshot = world("PHL A B, BOS B C", "A B C", values=(60, 60, 10), rules=rules)
    ranks = changed(snapshot, PHL={"rank": 1}, BOS={"rank": 2})
    assert shipped(ranks) == {"PHL": {"l1": 1}, "BOS": {"l2": 1, "l3": 1}}


def test_r8_a_line_is_divided_so_that_every_parcel_is_worth_it_where_that_can_be() -> None:
    # PHL could give 3 of 4 units, and would leave BOS one of 25.
    rules = steps(Step(min_shipment_value_minor=50))
    snapshot = world("PHL A=3, BOS A=2", "A=4", values=(100,), rules=rules)
    assert shipped(snapshot) == {"PHL": {"l1": 2}, "BOS": {"l1": 2}}


def test_r8_another_set_is_taken_where_the_best_ranked_one_has_a_parcel_of_too_little_worth() -> None:
    # PHL + NWK would leave NWK with l3 alone, which is worth 10.
    rules = steps(Step(assign="split", min_shipment_value_minor=50, rankers=("ranked",)))
    snapshot = world("PHL A B, NWK C, BOS B C", "A B C", values=(60, 60, 10), rules=rules)
    ranks = changed(snapshot, PHL={"rank": 1}, NWK={"rank": 2}, BOS={"rank": 3})
    assert shipped(ranks) == {"PHL": {"l1": 1}, "BOS": {"l2": 1, "l3": 1}}


def test_r9_lines_of_a_group_ship_together() -> None:
    stock, lines = "PHL A C, BOS B, CHI A B", "A B C"
    assert shipped(world(stock, lines, rules=by("closest"))) == {"PHL": {"l1": 1, "l3": 1}, "BOS": {"l2": 1}}
    grouped = world(stock, lines, groups={"l1": "gift", "l2": "gift"}, rules=by("closest"))
    assert shipped(grouped) == {"PHL": {"l3": 1}, "CHI": {"l1": 1, "l2": 1}}


def sets(stock: str, kits: int, **more: Any) -> Snapshot:
    """An order of kits that are 2 of A and 1 of B each."""
    snapshot = world(stock, f"A={2 * kits} B={kits}", groups={"l1": "kit", "l2": "kit"}, **more)
    needs = tuple(replace(need, per_kit=need.units // kits) for need in snapshot.needs)
    return replace(snapshot, needs=needs)


def test_r9_a_kit_is_never_divided() -> None:
    apart = sets("PHL A=2, BOS B", 1)
    assert shipped(apart) == {}
    assert left(apart) == {"l1": 2, "l2": 1}


@pytest.mark.parametrize("assign", ["split", "partial"])
@pytest.mark.parametrize("strategy", ["ranked", "cost"])
def test_r9_of_several_kits_each_place_ships_whole_ones(assign: str, strategy: str) -> None:
    rules = steps(Step(assign=assign), strategy=strategy)
    assert shipped(sets("PHL A=3 B=5, BOS A=5 B=1", 2, rules=rules)) == {
        "PHL": {"l1": 2, "l2": 1},
        "BOS": {"l1": 2, "l2": 1},
    }


def test_r9_several_kits_go_from_one_place_that_has_them_all() -> None:
    assert shipped(sets("PHL A=2 B, BOS A=2 B, CHI A=4 B=2", 2)) == {"CHI": {"l1": 4, "l2": 2}}


def test_r9_kits_that_no_place_has_wait() -> None:
    snapshot = sets("PHL A=2 B, BOS A=3 B=9", 3)
    assert shipped(snapshot) == {"PHL": {"l1": 2, "l2": 1}, "BOS": {"l1": 2, "l2": 1}}
    assert left(snapshot) == {"l1": 2, "l2": 1}


def test_r9_what_is_no_whole_number_of_kits_is_a_group_that_is_never_divided() -> None:
    snapshot = sets("PHL A=2 B, BOS A=2 B", 2)
    uneven = replace(snapshot, needs=(replace(snapshot.needs[0], units=3), snapshot.needs[1]))
    assert shipped(uneven) == {}
    assert shipped(replace(uneven, sellable={("id-bos", "A"): 3, ("id-bos", "B"): 2})) == {"BOS": {"l1": 3, "l2": 2}}


def test_r10_a_location_without_capacity_is_left_out_unless_a_step_ignores_it() -> None:
    snapshot = changed(world("PHL A, BOS A"), PHL={"capacity_left": 0})
    assert shipped(snapshot) == {"BOS": {"l1": 1}}
    assert "Left out PHL: its capacity is used up." in readable(plan(snapshot).trace)
    assert shipped(replace(snapshot, rules=steps(Step(ignore_capacity=True)))) == {"PHL": {"l1": 1}}


def test_r11_a_location_that_refused_a_line_is_not_asked_again() -> None:
    assert shipped(world("PHL A, BOS A", excluded=frozenset({("l1", "id-phl")}))) == {"BOS": {"l1": 1}}


def test_r11_what_was_refused_wherever_it_lies_is_unfillable() -> None:
    both = frozenset({("l1", "id-phl"), ("l1", "id-bos")})
    [rest] = plan(world("PHL A, BOS A", excluded=both)).remainder
    assert (rest.units, rest.code, rest.reason) == (1, "unfillable", "refused where it was in stock")


def test_r11_places_that_refused_a_line_do_not_stand_in_for_one_that_did_not() -> None:
    # Two nearer places have as many units, but both refused l1; only CHI can take it.
    refused = frozenset({("l1", "id-phl"), ("l1", "id-nwk")})
    rules = steps(Step(max_shipments=2))
    snapshot = world("PHL A, NWK A, CHI A", "A A", rules=rules, excluded=refused)
    assert shipped(snapshot) == {"NWK": {"l2": 1}, "CHI": {"l1": 1}}


def test_r12_only_units_above_the_buffer_count() -> None:
    snapshot = world("PHL A=2, BOS A=3", rules=steps(Step(min_stock=2)))
    assert shipped(snapshot) == {"BOS": {"l1": 1}}
    assert left(world("PHL A=2, BOS A=3", "A=2", rules=steps(Step(min_stock=2)))) == {"l1": 1}


def test_r12_a_location_may_have_a_buffer_of_its_own() -> None:
    assert shipped(changed(world("PHL A=2, BOS A"), PHL={"stock_buffer": 2})) == {"BOS": {"l1": 1}}


def test_r13_the_last_ties_go_to_the_default_location_and_then_to_the_code() -> None:
    assert shipped(world("B1 A, A1 A", rules=by("min_splits"))) == {"A1": {"l1": 1}}
    snapshot = world("B1 A, A1 A, Z1 A", rules=by("min_splits"))
    assert shipped(changed(snapshot, Z1={"is_default": True})) == {"Z1": {"l1": 1}}


def test_r14_what_is_missing_after_a_division_is_backordered() -> None:
    snapshot = world("PHL A=2, BOS A=1", "A=5")
    assert shipped(snapshot) == {"PHL": {"l1": 2}, "BOS": {"l1": 1}}
    [rest] = plan(snapshot).remainder
    assert (rest.units, rest.code, rest.then) == (2, "out_of_stock", "backorder")


def zones(penalty: int, strategy: str = "cost") -> Snapshot:
    places = (
        Place("near", "NEAR", "US", base_minor=300, per_unit_minor=50, rank=1),
        Place("mid", "MID", "US", base_minor=400, per_unit_minor=50, rank=2),
        Place("far", "FAR", "US", base_minor=1400, per_unit_minor=120, rank=3),
    )
    stock = dict.fromkeys([("near", "A"), ("mid", "B"), ("far", "A"), ("far", "B")], 1)
    needs = (Need("l1", "A", 1), Need("l2", "B", 1))
    rules = Rules(strategy=strategy, cost=CostRules(extra_shipment_penalty_minor=penalty))
    return Snapshot(needs, NEW_YORK, places, stock, rules=rules)


@pytest.mark.parametrize(
    ("penalty", "codes", "minor"),
    [(0, {"NEAR", "MID"}, 800), (600, {"NEAR", "MID"}, 1400), (900, {"FAR"}, 1640)],
)
def test_r15_the_cheapest_set_counts_every_further_parcel(penalty: int, codes: set[str], minor: int) -> None:
    assert set(shipped(zones(penalty))) == codes
    assert plan(zones(penalty)).cost_minor == minor


def test_r15_ranks_take_one_parcel_whatever_it_costs() -> None:
    assert set(shipped(zones(0, "ranked"))) == {"FAR"}
    assert plan(zones(0, "ranked")).cost_minor is None


def last_unit(**more: object) -> Snapshot:
    snapshot = world("PHL A, CHI A=40", rules=Rules(strategy="cost"), **more)
    return changed(snapshot, PHL={"base_minor": 600}, CHI={"base_minor": 1100})


def test_r16_the_last_unit_of_a_place_is_worth_something_to_later_orders() -> None:
    assert shipped(last_unit()) == {"PHL": {"l1": 1}}
    priced = last_unit(shadow_minor={("id-phl", "A"): 700})  # 1300 against 1100
    assert shipped(priced) == {"CHI": {"l1": 1}}
    assert plan(priced).cost_minor == 1100


def test_r16_the_worth_follows_from_the_weeks_that_the_stock_lasts() -> None:
    # PHL sells 1 a week: 1 week of supply of 8 wanted. 700 x 7/8 = 612.5, and 600 + 613 > 1100. CHI has 40 weeks.
    snapshot = last_unit(weekly_demand_milli={("id-phl", "A"): 1000, ("id-chi", "A"): 1000})
    rules = Rules(strategy="cost", cost=CostRules(shadow_base_minor=700, target_weeks=8))
    assert shipped(replace(snapshot, rules=rules)) == {"CHI": {"l1": 1}}
    alone = replace(snapshot, rules=rules, excluded=frozenset({("l1", "id-chi")}))
    assert plan(alone).cost_minor == 600 + 613


@pytest.mark.parametrize(("accepts", "code", "minor"), [(990_000, "PHL", 614), (600_000, "CHI", 1100)])
def test_r17_a_place_that_often_refuses_is_dearer_by_what_a_refusal_costs(accepts: int, code: str, minor: int) -> None:
    rules = Rules(strategy="cost", cost=CostRules(reroute_minor=900, delay_minor=500))
    snapshot = changed(
        world("PHL A, CHI A", rules=rules),
        PHL={"base_minor": 600, "acceptance_ppm": accepts},
        CHI={"base_minor": 1100, "acceptance_ppm": 1_000_000},
    )
    assert shipped(snapshot) == {code: {"l1": 1}}
    assert plan(snapshot).cost_minor == minor


def test_r17_the_refusal_of_the_least_accepted_category_counts() -> None:
    rules = Rules(strategy="cost", cost=CostRules(reroute_minor=1400))
    snapshot = changed(
        world("PHL A", rules=rules),
        PHL={"base_minor": 600, "acceptance_ppm": 990_000, "acceptance_by_category": {"shoes": 600_000}},
    )
    assert plan(snapshot).cost_minor == 614
    shoes = replace(snapshot, needs=(replace(snapshot.needs[0], category="shoes"),))
    assert plan(shoes).cost_minor == 1160


def test_every_day_late_costs_the_penalty() -> None:
    rules = Rules((Step(late_ok=True),), "cost", CostRules(late_penalty_minor=200))
    snapshot = changed(
        world("PHL A", rules=rules, promise=date(2026, 12, 22)),
        PHL={"base_minor": 600, "arrives_on": date(2026, 12, 24)},
    )
    assert plan(snapshot).cost_minor == 1000


def test_r19_the_order_in_which_things_are_listed_changes_nothing() -> None:
    snapshot = world(
        "PHL A C=2, BOS B A, CHI A B, MTL C", "A B C=2", groups={"l1": "gift", "l2": "gift"},
        excluded=frozenset({("l3", "id-phl"), ("l1", "id-bos")}),
    )  # fmt: skip
    first = plan(snapshot)
    draw = random.Random(19)  # noqa: S311
    for _ in range(20):
        needs, places, stock = list(snapshot.needs), list(snapshot.places), list(snapshot.sellable.items())
        for listed in (needs, places, stock):
            draw.shuffle(listed)
        other = replace(snapshot, needs=tuple(needs), places=tuple(places), sellable=dict(stock))
        assert plan(other) == first
        assert plan(replace(other, places=Network(places))) == first


# Scarcity


def test_a_place_where_nobody_asks_for_an_article_is_not_spared_for_one_that_sells_it() -> None:
    rules = by("scarcity", "stock_depth")
    busy = replace(world("PHL A=10, CHI A=100", rules=rules), weekly_demand_milli={("id-phl", "A"): 1000})
    assert shipped(busy) == {"CHI": {"l1": 1}}, "eight weeks are eight units: it is scarce at neither"
    assert [one["tuple"] for one in plan(busy).trace["steps"][0]["ranked"]] == [[0, -100], [0, -10]]
    short = replace(busy, weekly_demand_milli={("id-phl", "A"): 5000})
    assert [one["tuple"][0] for one in plan(short).trace["steps"][0]["ranked"]] == [0, 750_000], "10 of 40 units"
    unknown = replace(busy, weekly_demand_milli={("id-phl", "B"): 5000})
    assert [one["tuple"][0] for one in plan(unknown).trace["steps"][0]["ranked"]] == [90_910, 909_091], "shares"
