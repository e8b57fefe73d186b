"""The router: the worked examples of docs/reference/routing.md, and what holds for every order."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.routing import rankers
from hub.domain.routing.plan import DEFAULT_RANKERS, inputs_hash, plan, readable
from hub.domain.routing.shapes import Destination, Need, Place, Plan, Ranker, Rules, Snapshot, Step

NEW_YORK = Destination("US", "", 40.7128, -74.0060)
PLACES = {
    "PHL": Place("id-phl", "PHL", "US", 39.9526, -75.1652),
    "BOS": Place("id-bos", "BOS", "US", 42.3601, -71.0589),
    "MTL": Place("id-mtl", "MTL", "CA", 45.5019, -73.5674),
    "TOR": Place("id-tor", "TOR", "CA", 43.6532, -79.3832),
    "CHI": Place("id-chi", "CHI", "US", 41.8781, -87.6298),
    "LAX": Place("id-lax", "LAX", "US", 34.0522, -118.2437),
}
CLOSEST: Mapping[str, Ranker] = {"closest": rankers.closest}


def world(stock: str, lines: str = "A", *, groups: Mapping[str, str] | None = None, **more: object) -> Snapshot:
    """`stock` is "CHI A B, PHL A": one unit each, or A=2 for two; `lines` is "A B" or "A=2", named l1, l2, …"""
    sellable: dict[tuple[str, str], int] = {}
    places: dict[str, Place] = {}
    for shelf in stock.split(","):
        code, *articles = shelf.split()
        places[code] = PLACES.get(code) or Place(f"id-{code.lower()}", code, "US")
        sellable |= {(places[code].id, variant): units for variant, units in map(_counted, articles)}
    needs = tuple(
        Need(f"l{number}", *_counted(text), (groups or {}).get(f"l{number}"))
        for number, text in enumerate(lines.split(), 1)
    )
    return Snapshot(needs, NEW_YORK, tuple(places.values()), sellable, **more)


def _counted(text: str) -> tuple[str, int]:
    variant, _, units = text.partition("=")
    return variant, int(units or 1)


def shipped(snapshot: Snapshot, by: Mapping[str, Ranker] = DEFAULT_RANKERS) -> dict[str, dict[str, int]]:
    """Units by location code and line."""
    codes = {place.id: place.code for place in snapshot.places}
    return {codes[part.place_id]: dict(part.units) for part in plan(snapshot, by).parts}


def test_one_parcel_is_better_than_two_from_nearer_by() -> None:
    assert shipped(world("CHI A B, PHL A, BOS B", "A B")) == {"CHI": {"l1": 1, "l2": 1}}


def test_the_customers_own_country_is_better_than_a_nearer_one_abroad() -> None:
    assert shipped(world("CHI A, TOR A, MTL A")) == {"CHI": {"l1": 1}}


def test_the_nearest_ships_when_all_else_is_equal() -> None:
    assert shipped(world("CHI A, PHL A, BOS A")) == {"PHL": {"l1": 1}}


def test_the_operators_own_order_goes_before_distance_where_it_is_asked_first() -> None:
    snapshot = world("CHI A, PHL A")
    first = tuple(replace(place, rank=1) if place.code == "CHI" else place for place in snapshot.places)
    by = {"ranked": rankers.ranked, "closest": rankers.closest}
    assert shipped(replace(snapshot, places=first), by) == {"CHI": {"l1": 1}}


def test_a_line_is_divided_when_no_location_has_all_of_it() -> None:
    assert shipped(world("PHL A, BOS A", "A=2")) == {"PHL": {"l1": 1}, "BOS": {"l1": 1}}


def test_with_one_parcel_allowed_the_rest_of_a_line_waits() -> None:
    decided = plan(world("PHL A, BOS A", "A=2", rules=Rules((Step(max_shipments=1),))))
    assert [(rest.line_id, rest.units, rest.reason) for rest in decided.remainder] == [("l1", 1, "not in stock")]


def test_the_fewest_parcels_are_found_where_taking_the_fullest_location_first_misses_them() -> None:
    snapshot = world("X K1 K2 K3 K4, Y K1 K2 K5, Z K3 K4 K6", "K1 K2 K3 K4 K5 K6")
    assert set(shipped(snapshot)) == {"Y", "Z"}


def test_lines_of_a_group_ship_together() -> None:
    stock, lines = "PHL A C, BOS B, CHI A B", "A B C"
    assert shipped(world(stock, lines), CLOSEST) == {"PHL": {"l1": 1, "l3": 1}, "BOS": {"l2": 1}}
    grouped = world(stock, lines, groups={"l1": "gift", "l2": "gift"})
    assert shipped(grouped, CLOSEST) == {"PHL": {"l3": 1}, "CHI": {"l1": 1, "l2": 1}}


def test_a_location_that_refused_a_line_is_not_asked_again() -> None:
    assert shipped(world("PHL A, BOS A", excluded=frozenset({("l1", "id-phl")}))) == {"BOS": {"l1": 1}}
    both = frozenset({("l1", "id-phl"), ("l1", "id-bos")})
    [rest] = plan(world("PHL A, BOS A", excluded=both)).remainder
    assert rest.reason == "refused where it was in stock"


def test_what_is_missing_after_a_division_waits() -> None:
    snapshot = world("PHL A=2, BOS A=1", "A=5")
    assert shipped(snapshot) == {"PHL": {"l1": 2}, "BOS": {"l1": 1}}
    assert [rest.units for rest in plan(snapshot).remainder] == [2]


def test_the_last_ties_go_to_the_default_location_and_then_to_the_code() -> None:
    by = {"min_splits": rankers.min_splits}
    assert shipped(world("B1 A, A1 A"), by) == {"A1": {"l1": 1}}
    snapshot = world("B1 A, A1 A, Z1 A")
    places = tuple(replace(place, is_default=place.code == "Z1") for place in snapshot.places)
    assert shipped(replace(snapshot, places=places), by) == {"Z1": {"l1": 1}}


def test_a_closed_location_is_left_out_with_its_reason() -> None:
    snapshot = world("PHL A, BOS A")
    shut = tuple(
        replace(place, closed="it is switched off") if place.code == "PHL" else place for place in snapshot.places
    )
    decided = plan(replace(snapshot, places=shut))
    assert [part.place_id for part in decided.parts] == ["id-bos"]
    assert "Left out PHL: it is switched off." in readable(decided.trace)


def test_a_line_makes_room_for_another_that_can_ship_from_one_place_only() -> None:
    # PHL ranks first and would take l1, and then l2, which BOS has refused, would be without a place.
    snapshot = world("PHL A=3, BOS A=3", "A=3 A=2", excluded=frozenset({("l2", "id-bos")}))
    assert shipped(snapshot) == {"PHL": {"l1": 1, "l2": 2}, "BOS": {"l1": 2}}


def test_a_single_line_makes_room_for_a_group() -> None:
    snapshot = world("PHL A=2 B C", "A=2 A B C", groups=dict.fromkeys(("l2", "l3", "l4"), "set"))
    assert shipped(snapshot) == {"PHL": {"l1": 1, "l2": 1, "l3": 1, "l4": 1}}


def test_a_location_that_has_enough_for_two_lines_of_an_article_is_not_taken_for_one_that_has_not() -> None:
    near = ", ".join(f"N{number} A=2" for number in range(3))
    assert set(shipped(world(f"{near}, Z A=4, Y B", "A=2 A=2 B"))) == {"Z", "Y"}


@pytest.mark.parametrize(
    ("stock", "lines", "said"),
    [
        ("CHI A B, PHL A", "A B", "CHI because it ships all 2 lines, which PHL cannot."),
        ("PHL A, BOS A", "A", "PHL because it ships the line and is nearer than BOS."),
        ("PHL A", "A", "PHL because it is the only location that has stock."),
        ("PHL A, BOS B", "A B", "PHL + BOS because no single location has everything."),
        ("PHL B", "A=2", "No location can ship any of the 2 units."),
    ],
)
def test_the_reason_is_one_sentence(stock: str, lines: str, said: str) -> None:
    assert plan(world(stock, lines)).reason == said


# What holds for every order.

ARTICLES = ("A", "B", "C")
CODES = tuple(PLACES)


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Small worlds in which stock is scarce, places refuse and some lines belong together."""
    count = draw(st.integers(1, 4))
    needs = tuple(
        Need(
            f"l{number}",
            draw(st.sampled_from(ARTICLES)),
            draw(st.integers(1, 4)),
            draw(st.sampled_from((None, None, "g1", "g2"))),
        )
        for number in range(count)
    )
    codes = draw(st.lists(st.sampled_from(CODES), unique=True, min_size=1, max_size=5))
    places = tuple(replace(PLACES[code], rank=draw(st.integers(1, 2))) for code in codes)
    pairs = [(place.id, article) for place in places for article in ARTICLES]
    sellable = {pair: draw(st.integers(0, 5)) for pair in pairs}
    refusals = [(need.line_id, place.id) for need in needs for place in places]
    excluded = draw(st.frozensets(st.sampled_from(refusals), max_size=4))
    return Snapshot(needs, NEW_YORK, places, sellable, excluded, Rules((Step(max_shipments=draw(st.integers(1, 3))),)))


def units(decided: Plan) -> int:
    return sum(sum(part.units.values()) for part in decided.parts)


@given(snapshots())
def test_every_unit_ships_from_somewhere_or_waits(snapshot: Snapshot) -> None:
    decided = plan(snapshot)
    for need in snapshot.needs:
        sent = sum(part.units.get(need.line_id, 0) for part in decided.parts)
        waits = sum(rest.units for rest in decided.remainder if rest.line_id == need.line_id)
        assert sent + waits == need.units
    assert all(count > 0 for part in decided.parts for count in part.units.values())
    assert len(decided.parts) <= snapshot.rules.steps[0].max_shipments


@given(snapshots())
def test_no_location_gives_more_than_it_may_sell(snapshot: Snapshot) -> None:
    variant = {need.line_id: need.variant_id for need in snapshot.needs}
    for part in plan(snapshot).parts:
        for article in ARTICLES:
            taken = sum(count for line, count in part.units.items() if variant[line] == article)
            assert taken <= snapshot.sellable[part.place_id, article]


@given(snapshots())
def test_no_line_ships_from_where_it_was_refused(snapshot: Snapshot) -> None:
    for part in plan(snapshot).parts:
        assert not {(line, part.place_id) for line in part.units} & snapshot.excluded


@given(snapshots())
def test_groups_ship_whole_from_one_place_or_not_at_all(snapshot: Snapshot) -> None:
    decided = plan(snapshot)
    for group in {need.group for need in snapshot.needs} - {None}:
        members = [need for need in snapshot.needs if need.group == group]
        holders = [part for part in decided.parts if any(need.line_id in part.units for need in members)]
        assert len(holders) <= 1
        for part in holders:
            assert all(part.units.get(need.line_id) == need.units for need in members)


@given(snapshots(), st.randoms(use_true_random=False))
def test_the_order_in_which_things_are_listed_does_not_matter(snapshot: Snapshot, draw: random.Random) -> None:
    def shuffled(items: object) -> list:
        listed = list(items)  # type: ignore[call-overload]
        draw.shuffle(listed)
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


@given(snapshots(), st.sampled_from(sorted(DEFAULT_RANKERS)))
def test_how_places_are_ranked_does_not_change_how_much_can_ship(snapshot: Snapshot, without: str) -> None:
    fewer = {name: ranker for name, ranker in DEFAULT_RANKERS.items() if name != without}
    assert units(plan(snapshot, fewer)) == units(plan(snapshot))


@pytest.mark.parametrize(
    "change",
    [
        {"latitude": 1.0},
        {"country": "DE"},
        {"markets": frozenset({"eu"})},
        {"rank": 7},
        {"is_default": True},
        {"closed": "it is switched off"},
    ],
)
def test_the_fingerprint_covers_everything_a_decision_rests_on(change: dict[str, object]) -> None:
    snapshot = world("PHL A, BOS A")
    first, *rest = snapshot.places
    changed = replace(snapshot, places=(replace(first, **change), *rest))
    assert inputs_hash(changed, DEFAULT_RANKERS) != inputs_hash(snapshot, DEFAULT_RANKERS)
