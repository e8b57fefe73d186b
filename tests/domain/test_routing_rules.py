"""Rule sets: which routing an order falls under, in which turn orders go, and what two sets differ in."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from hub.domain.routing.rankers import BUILT_IN
from hub.domain.routing.rules import (
    DEFAULT,
    LineRemainder,
    OrderFacts,
    OrderFilter,
    Reevaluation,
    Routing,
    RuleSet,
    Turn,
    changes,
    document,
    document_hash,
    in_turn,
    mistakes,
    short_document,
)
from hub.domain.routing.shapes import Step

RANKERS = {name: BUILT_IN[name] for name in ("min_splits", "market", "closest", "ranked", "metafield")}
NEAR, FAR = Step("near", radius_km=160, assign="single"), Step("far")
EVERYBODY = Routing("every order", (FAR,))


def of(**said: object) -> OrderFilter:
    return OrderFilter(**{name: frozenset(one) if isinstance(one, list) else one for name, one in said.items()})


@pytest.mark.parametrize(
    ("when", "fits"),
    [
        (of(), True),
        (of(channels=["web shop"]), True),
        (of(channels=["Amazon"]), False),
        (of(countries=["US", "CA"]), True),
        (of(countries=["CA"]), False),
        (of(markets=["north"]), True),
        (of(markets=["south"]), False),
        (of(tags=["VIP", "gift"]), True),
        (of(tags=["gift"]), False),
        (of(methods=["ship"]), True),
        (of(methods=["pickup"]), False),
        (of(currencies=["EUR"]), False),
        (of(min_value_minor=5000), True),
        (of(min_value_minor=5001), False),
        (of(max_value_minor=5000), True),
        (of(max_value_minor=4999), False),
        (of(countries=["US"], tags=["vip"], min_value_minor=1), True),
        (of(countries=["US"], tags=["gift"]), False),
    ],
)
def test_an_order_falls_under_a_filter_when_it_fits_all_that_the_filter_says(when: OrderFilter, fits: bool) -> None:
    order = OrderFacts(
        channels=frozenset({"Web shop", "0192-id"}),
        country="US",
        market="north",
        tags=frozenset({"vip"}),
        currency="USD",
        value_minor=5000,
    )
    assert when.fits(order) is fits


def test_the_first_routing_that_fits_counts_and_the_last_takes_the_rest() -> None:
    vip, domestic = Routing("vip", (NEAR,), of(tags=["vip"])), Routing("domestic", (NEAR,), of(countries=["US"]))
    rules = RuleSet("standard", (vip, domestic, EVERYBODY))
    assert rules.routing_for(OrderFacts(country="US", tags=frozenset({"vip"}))) is vip
    assert rules.routing_for(OrderFacts(country="US")) is domestic
    assert rules.routing_for(OrderFacts(country="FR")) is EVERYBODY


def test_the_first_remainder_that_fits_a_line_says_what_happens_to_it() -> None:
    routing = replace(
        EVERYBODY,
        remainder=(
            LineRemainder("queue:oversize", categories=frozenset({"Furniture"})),
            LineRemainder("auto_cancel:3", skus=frozenset({"SALE-*", "LAST"})),
        ),
    )
    assert routing.then("SOFA", "Furniture") == "queue:oversize"
    assert routing.then("SALE-12") == "auto_cancel:3"
    assert routing.then("LAST") == "auto_cancel:3"
    assert routing.then("LAST-1") == "backorder"


def test_waiting_orders_go_by_priority_then_by_day_of_shipping_then_by_age_and_orders_without_a_day_go_last() -> None:
    first, second = datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 9, tzinfo=UTC)
    turns = [
        Turn("e", first),
        Turn("c", second, ship_by=date(2026, 3, 2)),
        Turn("d", second, ship_by=date(2026, 3, 3)),
        Turn("b", first, ship_by=date(2026, 3, 2)),
        Turn("a", second, priority=1),
    ]
    assert "".join(one.id for one in in_turn(turns)) == "abcde"
    assert [one.id for one in in_turn([Turn("y", first), Turn("x", first)])] == ["x", "y"], "the id breaks a tie"


def test_waiting_orders_may_go_by_value_or_by_units() -> None:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    turns = [Turn("a", at, value_minor=10, units=2), Turn("b", at, value_minor=30, units=5)]
    assert [one.id for one in in_turn(turns, ("value",))] == ["b", "a"]
    assert [one.id for one in in_turn(turns, ("units",))] == ["a", "b"]


def test_the_built_in_rules_have_no_mistake() -> None:
    assert mistakes(DEFAULT, RANKERS, {"ranked"}) == []


@pytest.mark.parametrize(
    ("rules", "path", "words"),
    [
        (RuleSet("x", (Routing("us", (FAR,), of(countries=["US"])),)), "/routings/0/when", "take every order"),
        (RuleSet("x", (EVERYBODY, replace(EVERYBODY, name="b"))), "/routings/0", "'b' below is never reached"),
        (RuleSet("x", (replace(EVERYBODY, strategy="magic"),)), "/routings/0/strategy", "there are: ranked"),
        (
            RuleSet("x", (Routing("a", (Step(rankers=("closest", "nearest")),)),)),
            "/routings/0/steps/0/rankers/1",
            "no ranker is called 'nearest'; there are: closest, market, metafield, min_splits",
        ),
        (
            RuleSet("x", (Routing("a", (Step(rankers=("closest:km",)),)),)),
            "/routings/0/steps/0/rankers/0",
            "the ranker closest takes no argument: write closest",
        ),
        (
            RuleSet("x", (Routing("a", (Step(rankers=("market", "metafield")),)),)),
            "/routings/0/steps/0/rankers/1",
            "the ranker metafield needs an argument: write metafield:key",
        ),
        (
            RuleSet("x", (Routing("a", (replace(NEAR, on_remainder="hold"), FAR)),)),
            "/routings/0/steps/1",
            "never reached, since the step 'near' above ends the search (hold)",
        ),
        (RuleSet("x", (Routing("a", (FAR, FAR)),)), "/routings/0/steps/1/name", "another step is called 'far'"),
        (
            RuleSet("x", (Routing("b", (FAR,), of(min_value_minor=9, max_value_minor=3)), EVERYBODY)),
            "/routings/0/when/min_value_minor",
            "9 or more and 3 or less",
        ),
        (RuleSet("published", (EVERYBODY,)), "/name", "names the rules that count"),
        (
            RuleSet("x", (Routing("every order", (FAR,), of(tags=["a"])), EVERYBODY)),
            "/routings/1/name",
            "another routing is called 'every order'",
        ),
    ],
)
def test_a_mistake_says_where_it_is_and_what_there_is(rules: RuleSet, path: str, words: str) -> None:
    [mistake] = mistakes(rules, RANKERS, {"ranked"})
    assert mistake.path == path
    assert words in mistake.message


def test_a_ranker_with_an_argument_is_known_by_its_name() -> None:
    rules = RuleSet("x", (Routing("a", (Step(rankers=("metafield:floor",)),)),))
    assert mistakes(rules, RANKERS, {"ranked"}) == []


def test_the_hash_tells_what_is_decided_and_not_how_the_set_is_called() -> None:
    assert document_hash(replace(DEFAULT, name="christmas")) == document_hash(DEFAULT)
    assert document_hash(replace(DEFAULT, most_attempts=6)) != document_hash(DEFAULT)
    one, other = frozenset({"US", "CA"}), frozenset({"CA", "US"})
    hashes = {
        document_hash(RuleSet("x", (Routing("a", (FAR,), OrderFilter(countries=countries)), EVERYBODY)))
        for countries in (one, other)
    }
    assert len(hashes) == 1


def test_the_short_document_leaves_out_what_is_as_it_would_be_anyway() -> None:
    rules = RuleSet("standard", (Routing("every order", (NEAR, FAR)),))
    assert short_document(rules) == {
        "name": "standard",
        "routings": [
            {"name": "every order", "steps": [{"name": "near", "radius_km": 160, "assign": "single"}, {"name": "far"}]}
        ],
    }
    assert document(rules)["routings"][0]["steps"][1]["rankers"] == ["min_splits", "market", "closest"]


def test_changes_are_told_in_words_by_the_names_of_routings_and_steps() -> None:
    before = RuleSet("standard", (Routing("us", (NEAR,), of(countries=["US"])), Routing("all", (NEAR, FAR))))
    after = RuleSet(
        "standard",
        (
            Routing("us", (NEAR,), of(countries=["US", "CA"])),
            Routing("vip", (FAR,), of(tags=["vip"])),
            Routing("all", (FAR, replace(NEAR, max_shipments=2, radius_km=None))),
        ),
        reevaluate=Reevaluation(after_minutes=30),
    )
    assert changes(before, after) == [
        "reevaluate after_minutes was 0, is 30",
        "routing 'us': when countries was US, is CA, US",
        "routing 'vip' is new",
        "routing 'all': step 'near': radius_km was 160, is not set",
        "routing 'all': step 'near': max_shipments was 3, is 2",
        "routing 'all': steps go in another order: 'far', 'near' instead of 'near', 'far'",
    ]
    assert changes(after, replace(after, routings=after.routings[1:])) == ["routing 'us' is gone"]
    assert changes(after, replace(after, name="another")) == []
