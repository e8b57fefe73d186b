"""The router against brute force: the same number of units from the same places, whatever the world."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations, product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import CostRules, Need, Place, Rules, Snapshot, Step
from tests.domain.routing.towns import NEW_YORK, left, shipped, world
from tests.domain.routing.worlds import LONG, brute_force, long_order, router, snapshots

NETWORKS = 10_000 if LONG else 200
SLOW = [HealthCheck.too_slow]


@settings(max_examples=NETWORKS, deadline=None, suppress_health_check=SLOW)
@given(snapshots(assigns=("single", "split", "partial"), most_units=3))
def test_the_router_ships_what_brute_force_ships_from_the_same_places_and_shares_it_alike(snapshot: Snapshot) -> None:
    assert router(snapshot) == brute_force(snapshot)


def test_lines_of_one_article_are_shared_so_that_none_is_divided_that_need_not_be() -> None:
    # First come, first served would give l1 to PHL, and would then have to divide l2.
    assert shipped(world("PHL A=3, BOS A=2", "A=2 A=3")) == {"PHL": {"l2": 3}, "BOS": {"l1": 2}}


def test_groups_are_packed_so_that_all_of_them_find_a_place() -> None:
    groups = {f"l{number}": f"g{number}" for number in range(1, 7)}
    snapshot = world("X A=3, Y A=5, Z A=9", "A=2 A=5 A=5 A=2 A=1 A=2", groups=groups)
    assert sum(sum(part.values()) for part in shipped(snapshot).values()) == 17


# A least worth of every parcel: brute force tries all sets in the order of ranks, and every way to share lines of one unit.


def by_worth(snapshot: Snapshot) -> set[str]:
    """The first set, smallest and then best ranked, that has everything with no parcel worth too little."""
    [step] = snapshot.rules.steps
    ranked = sorted(snapshot.places, key=lambda place: (place.rank, place.code))
    for size in range(1, step.max_shipments + 1):
        for group in combinations(ranked, size):
            for homes in product(group, repeat=len(snapshot.needs)):
                worth: Counter[str] = Counter()
                for need, home in zip(snapshot.needs, homes, strict=True):
                    worth[home.code] += need.value_minor if snapshot.sellable[home.id, need.variant_id] else -(10**9)
                if len(worth) == size and min(worth.values()) >= (0 if size == 1 else step.min_shipment_value_minor):
                    return set(worth)
    return set()


def worths(draw: random.Random) -> Snapshot:
    articles = [f"v{number}" for number in range(draw.randint(2, 5))]
    needs = tuple(
        Need(f"l{number}", article, 1, value_minor=draw.choice((10, 40, 90))) for number, article in enumerate(articles)
    )
    places = tuple(Place(f"p{number}", f"P{number}", rank=draw.randint(1, 3)) for number in range(draw.randint(2, 6)))
    stock = {(place.id, article): draw.choice((0, 1)) for place in places for article in articles}
    step = Step(assign="split", rankers=("ranked",), min_shipment_value_minor=draw.choice((30, 60, 100)))
    return Snapshot(needs, NEW_YORK, places, stock, rules=Rules((step,)))


def test_with_a_least_worth_of_parcels_the_router_finds_the_set_that_brute_force_finds() -> None:
    found = 0
    for seed in range(NETWORKS):
        snapshot = worths(random.Random(seed))  # noqa: S311
        expected = by_worth(snapshot)
        codes = {place.id: place.code for place in snapshot.places}
        assert {codes[part.place_id] for part in plan(snapshot).parts} == expected, seed
        found += len(expected) > 1
    assert found > NETWORKS / 20, "divided orders have to be among them"


def test_with_a_least_worth_of_parcels_more_stock_never_ships_fewer_units_where_lines_are_of_one_unit() -> None:
    for seed in range(NETWORKS):
        draw = random.Random(seed)  # noqa: S311
        snapshot = worths(draw)
        snapshot = replace(snapshot, rules=Rules((replace(snapshot.rules.steps[0], assign="partial"),)))
        place, article = draw.choice(sorted(snapshot.sellable))
        more = replace(snapshot, sellable={**snapshot.sellable, (place, article): 1})
        before, after = (sum(sum(part.units.values()) for part in plan(one).parts) for one in (snapshot, more))
        assert after >= before, seed


@settings(max_examples=NETWORKS, deadline=None, suppress_health_check=SLOW)
@given(st.lists(st.sets(st.integers(0, 5), min_size=1), min_size=1, max_size=7))
def test_the_fewest_places_are_never_more_than_taking_the_fullest_first(shelves: list[set[int]]) -> None:
    stock = ", ".join(
        f"L{number} " + " ".join(f"K{one}" for one in sorted(shelf)) for number, shelf in enumerate(shelves)
    )
    wanted = sorted(set().union(*shelves))
    snapshot = world(
        stock, " ".join(f"K{one}" for one in wanted), rules=Rules((Step(assign="split", max_shipments=7),))
    )
    left, greedy = set(wanted), 0
    while left:
        left -= max(shelves, key=lambda shelf: len(shelf & left))
        greedy += 1
    assert 0 < len(plan(snapshot).parts) <= greedy


# Orders of many lines.


def test_a_long_order_ships_from_two_places_what_they_have_together() -> None:
    lines = " ".join(f"K{number}=10" for number in range(13))
    shelves = ["X " + lines.replace("=10", "=5"), "Y " + lines.replace("=10", "=5")]
    for assign in ("partial", "split"):
        snapshot = world(", ".join(shelves), lines, rules=Rules((Step(assign=assign),)))
        assert {code: sum(part.values()) for code, part in shipped(snapshot).items()} == {"X": 65, "Y": 65}


def test_a_long_order_with_a_least_worth_of_parcels_ships_what_one_place_has() -> None:
    held = " ".join(f"K{number}" for number in range(12))
    rules = Rules((Step(min_shipment_value_minor=5000),))
    snapshot = world(f"X {held}, Y K12", f"{held} K12", values=(1000,) * 13, rules=rules)
    assert {code: len(part) for code, part in shipped(snapshot).items()} == {"X": 12}
    assert left(snapshot) == {"l13": 1}


def test_an_order_with_too_many_sets_to_try_ships_no_less_than_taking_the_fullest_place_first() -> None:
    cut_off = 0
    for seed in range(200 if LONG else 12):
        snapshot = long_order(random.Random(seed))  # noqa: S311
        decided = plan(snapshot)
        units = sum(sum(part.units.values()) for part in decided.parts)
        assert units >= fullest_first(snapshot)
        [step] = decided.trace["steps"]
        cut_off += step["notes"] != []
    assert cut_off > 3, "orders that cannot be searched to the end have to be among them"


def fullest_first(snapshot: Snapshot) -> int:
    """Units that ship when the place with most of what is left is taken, and then the next; the first is the best one."""
    left = {need.variant_id: need.units for need in snapshot.needs}
    total, places = sum(left.values()), list(snapshot.places)
    for _ in range(snapshot.rules.steps[0].max_shipments):
        given = {
            place.id: {name: min(units, snapshot.sellable.get((place.id, name), 0)) for name, units in left.items()}
            for place in places
        }
        best = min(places, key=lambda place: (-sum(given[place.id].values()), place.rank, place.code))
        left = {name: units - given[best.id][name] for name, units in left.items()}
        places.remove(best)
    return total - sum(left.values())


def test_the_best_two_places_are_found_whether_they_lead_or_stand_behind_others() -> None:
    needs = (Need("l1", "a", 1), Need("l2", "b", 1), Need("l3", "c", 2))
    names = [*(f"A{number:02}" for number in range(30)), "X", "Y", "Z"]
    places = tuple(Place(name, name, rank=number) for number, name in enumerate(names))
    behind = {("X", "b"): 1, ("X", "c"): 1, ("Y", "a"): 1, ("Y", "c"): 1, ("Z", "b"): 1, ("Z", "c"): 2}
    stock = {(place.id, "a"): 1 for place in places[:30]} | behind
    rules = Rules((Step(rankers=("ranked",)),))
    order = Snapshot(needs, NEW_YORK, places, stock, rules=rules)
    assert set(shipped(order)) == {"A00", "Z"}, "the first of the leaders, completed by one far behind"
    apart = {key: units for key, units in stock.items() if key[0] != "Z"}
    assert set(shipped(replace(order, sellable=apart))) == {"X", "Y"}, "no leader is completed by anybody"


def test_two_places_that_have_a_long_order_together_are_found_among_many() -> None:
    for seed in range(100 if LONG else 20):
        draw = random.Random(seed)  # noqa: S311
        snapshot = long_order(draw)
        stock = dict(snapshot.sellable)
        for need in snapshot.needs:
            units = draw.randint(0, need.units)
            stock["p7", need.variant_id], stock["p41", need.variant_id] = units, need.units - units
        decided = plan(replace(snapshot, sellable=stock))
        assert not decided.remainder
        assert len(decided.parts) <= 2


# Cost.


def cheapest_by_hand(snapshot: Snapshot) -> int | None:
    """The least cost of shipping everything, by trying every home of every line of one unit; None when it cannot be."""
    [step] = snapshot.rules.steps
    rules = snapshot.rules.cost
    best: list[int] = []

    def go(index: int, homes: tuple[Place, ...]) -> None:
        if index == len(snapshot.needs):
            used = set(homes_ids := [place.id for place in homes])
            if len(used) > step.max_shipments:
                return
            stock = Counter((place.id, need.variant_id) for place, need in zip(homes, snapshot.needs, strict=True))
            if any(count > snapshot.sellable[key] for key, count in stock.items()):
                return
            total = rules.extra_shipment_penalty_minor * (len(used) - 1)
            for place in snapshot.places:
                if place.id in used:
                    refused = 1_000_000 - (place.acceptance_ppm or 1_000_000)
                    total += place.base_minor + place.per_unit_minor * homes_ids.count(place.id)
                    total += (refused * rules.reroute_minor + 500_000) // 1_000_000
            best.append(
                total
                + sum(
                    snapshot.shadow_minor.get((place.id, need.variant_id), 0)
                    for place, need in zip(homes, snapshot.needs, strict=True)
                )
            )
            return
        for place in snapshot.places:
            go(index + 1, (*homes, place))

    go(0, ())
    return min(best, default=None)


def prices(draw: random.Random) -> Snapshot:
    articles = [draw.choice("ABC") for _ in range(draw.randint(1, 4))]
    places = tuple(
        Place(
            f"p{number}", f"P{number}", base_minor=draw.choice((300, 400, 650, 1400)),
            per_unit_minor=draw.choice((0, 50, 120)), acceptance_ppm=draw.choice((None, 600_000, 990_000)),
        )
        for number in range(draw.randint(1, 4))
    )  # fmt: skip
    stock = {(place.id, article): draw.randint(0, 2) for place in places for article in "ABC"}
    shadow = {key: draw.choice((0, 100, 700)) for key in stock if draw.random() < 0.3}
    cost = CostRules(extra_shipment_penalty_minor=draw.choice((0, 150, 600)), reroute_minor=draw.choice((0, 1400)))
    rules = Rules((Step(assign="split", max_shipments=draw.randint(1, 3)),), "cost", cost)
    needs = tuple(Need(f"l{number}", article, 1) for number, article in enumerate(articles))
    return Snapshot(needs, NEW_YORK, places, stock, rules=rules, shadow_minor=shadow)


def test_the_cost_strategy_finds_the_least_cost_that_there_is() -> None:
    shipped = 0
    for seed in range(NETWORKS):
        snapshot = prices(random.Random(seed))  # noqa: S311
        expected = cheapest_by_hand(snapshot)
        assert plan(snapshot).cost_minor == expected, seed
        shipped += expected is not None
    assert shipped > NETWORKS / 4
