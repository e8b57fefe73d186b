"""What a channel may sell. Figures worked by hand from the formula; A1 to A4 and K1 are those of the design."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.availability import (
    Article,
    Channel,
    Filter,
    Item,
    Offer,
    Part,
    Rule,
    RuleBook,
    Shelf,
    kit_demand,
    kits,
    publish,
)

MUG = Article("MUG")
KIDS, SALE = Filter(tags=frozenset({"kids-shoes"})), Filter(tags=frozenset({"sale"}))


def rule(position: int, kind: str, value: int, **more: object) -> Rule:
    return Rule(f"r{position}", position, kind, value, **more)  # type: ignore[arg-type]


def offer(
    shelves: Sequence[Shelf], *rules: Rule, channel: Channel | None = None, article: Article = MUG, **more: int
) -> Offer:
    return publish(RuleBook(rules, channel or Channel("web")), Item(article, shelves, **more))


def store(code: str, units: int, *groups: str) -> Shelf:
    return Shelf(code, units, frozenset(groups))


def keeps(position: int, units: int, group: str) -> Rule:
    return rule(position, "safety", units, group=group)


def test_a1_the_free_units_of_all_places_less_what_is_kept_and_what_is_promised():
    shelves = [store("S1", 30, "front"), store("S2", 7)]
    assert offer(shelves, keeps(1, 12, "front"), rule(2, "threshold", 5), unrouted=4).figure == 16


def test_a2_one_places_safety_stock_does_not_eat_another_ones_units():
    assert offer([store("S1", 2, "front"), store("S2", 20)], keeps(1, 12, "front")).figure == 20


def test_a3_of_several_rules_that_match_the_last_wins():
    rules = [rule(1, "threshold", 5), rule(2, "threshold", 8, filter=KIDS), rule(3, "threshold", 10, filter=SALE)]
    both = Article("SHOE", frozenset({"kids-shoes", "sale"}))
    assert offer([store("S1", 30)], *rules, article=both).figure == 20
    assert offer([store("S1", 30)], *rules, article=Article("SHOE", frozenset({"kids-shoes"}))).figure == 22
    assert offer([store("S1", 30)], *rules).figure == 25


def test_a3_neither_the_sum_nor_the_highest_of_the_rules_that_match_wins():
    rules = [rule(1, "threshold", 12, filter=KIDS), rule(2, "threshold", 10, filter=SALE), rule(3, "threshold", 5)]
    assert offer([store("S1", 30)], *rules, article=Article("SHOE", frozenset({"kids-shoes", "sale"}))).figure == 25


def test_a4_each_channel_keeps_its_own_threshold():
    market, web = Channel("market", threshold=15), Channel("web", threshold=5)
    assert offer([store("S1", 20)], channel=market).figure == 5
    assert offer([store("S1", 20)], channel=web).figure == 15
    rules = [rule(1, "threshold", 15, channel="market"), rule(2, "threshold", 5, channel="web")]
    assert [offer([store("S1", 20)], *rules, channel=Channel(name)).figure for name in ("market", "web")] == [5, 15]


def test_a_threshold_rule_stands_in_place_of_the_channels_own_threshold():
    market = Channel("market", threshold=15)
    assert offer([store("S1", 20)], rule(1, "threshold", 2), channel=market).figure == 18
    assert offer([store("S1", 20)], rule(1, "threshold", 0), channel=market).figure == 20


def test_k1_a_kit_is_as_many_as_its_scarcest_component_makes_and_never_less_than_none():
    parts = (Part(Article("A"), 8 - 14, 2), Part(Article("B"), 4258 - 168, 2))
    assert kits((part.available, part.needed) for part in parts) == -3
    assert offer([Shelf("S1", 0, parts=parts)]).figure == 0


def test_a_kit_is_made_at_one_place_and_not_of_components_that_lie_apart():
    here, there = ((9, 0), (0, 9))
    shelves = [
        Shelf(code, 0, parts=(Part(Article("A"), a, 1), Part(Article("B"), b, 1)))
        for code, (a, b) in (("S1", here), ("S2", there))
    ]
    assert offer(shelves).figure == 0
    shelves.append(Shelf("S3", 0, parts=(Part(Article("A"), 5, 1), Part(Article("B"), 3, 1))))
    assert offer(shelves).figure == 3


def test_a_kit_leaves_the_safety_stock_of_its_components_alone():
    parts = (Part(Article("A"), 10, 2), Part(Article("B"), 10, 1))
    kept = rule(1, "safety", 4, filter=Filter(skus=frozenset({"A"})))
    assert offer([Shelf("S1", 0, parts=parts)], kept).figure == 3


def test_promised_components_make_fewer_kits():
    assert kit_demand([(3, 2), (1, 1)]) == 2
    assert kit_demand([(0, 2), (0, 1)]) == 0


def test_a_channel_sells_only_from_the_locations_of_its_group():
    shelves = [store("S1", 30, "stores"), store("W1", 7, "warehouses", "eu"), store("W2", 5)]
    assert offer(shelves, channel=Channel("web", "warehouses")).figure == 7
    assert offer(shelves, channel=Channel("web")).figure == 42


def test_a_rule_of_a_location_group_is_for_the_channels_that_sell_from_it():
    rules = [rule(1, "threshold", 3, group="stores")]
    assert offer([store("S1", 10, "stores")], *rules, channel=Channel("pos", "stores")).figure == 7
    assert offer([store("S1", 10, "stores")], *rules, channel=Channel("web")).figure == 10


def test_a_pack_is_sold_only_whole():
    assert [offer([store("S1", units)], pack_size=6).figure for units in (0, 5, 6, 17, 18)] == [0, 0, 1, 2, 3]
    assert offer([store("S1", 3), store("S2", 3)], pack_size=6).figure == 1


def test_a_percentage_is_taken_of_what_nobody_was_promised_and_rounded_down():
    assert offer([store("S1", 25)], rule(1, "percent", 30), unrouted=4).figure == 6  # 30 percent of 21 is 6.3
    assert offer([store("S1", 25)], rule(1, "percent", 30), rule(2, "threshold", 2), unrouted=4).figure == 4


def test_an_article_that_is_switched_off_is_offered_as_none_and_can_be_switched_on_again_by_a_later_rule():
    off, on = rule(1, "publish", 0), rule(2, "publish", 1, filter=SALE)
    assert offer([store("S1", 9)], off, on).figure == 0
    assert offer([store("S1", 9)], off, on, article=Article("CAP", frozenset({"sale"}))).figure == 9


def test_units_on_order_that_nobody_was_promised_can_be_sold_before_they_are_there():
    assert offer([store("S1", 0)], rule(1, "threshold", 2), preorder=10).figure == 8


def test_a_filter_wants_every_condition_it_names():
    both = Filter(sku_prefix="KID-", tags=frozenset({"sale"}), product_types=frozenset({"SHOES"}))
    assert both.matches(Article("KID-1", frozenset({"sale", "new"}), "SHOES"))
    assert not both.matches(Article("KID-1", frozenset({"new"}), "SHOES"))
    assert not both.matches(Article("MEN-1", frozenset({"sale"}), "SHOES"))
    assert not both.matches(Article("KID-1", frozenset({"sale"}), "HATS"))
    assert Filter.of({"skus": ["MUG"]}).matches(MUG)
    assert not Filter.of({"skus": ["TEE"]}).matches(MUG)


def test_nothing_is_never_less_than_nothing():
    assert offer([]).figure == 0
    assert offer([store("S1", -4), store("S2", -1)]).figure == 0
    assert offer([store("S1", 3)], unrouted=9).figure == 0


def test_where_a_feed_has_never_spoken_the_channel_is_told_nothing():
    told = offer([store("S1", 5), Shelf("3PL", 0, confidence="unknown")], told=9)
    assert (told.tells, told.confidence) == (False, "unknown")
    assert offer([store("S1", 5, "eu"), Shelf("3PL", 0, confidence="unknown")], channel=Channel("web", "eu")).tells


def test_an_overdue_feed_may_lower_a_figure_and_not_raise_it():
    stale = Shelf("3PL", 30, confidence="stale")
    assert [offer([stale], told=told).figure for told in (40, 30, 12, 0)] == [30, 30, 12, 0]


def test_what_is_known_for_sure_raises_a_figure_beside_an_overdue_feed():
    shelves = [Shelf("3PL", 30, confidence="stale"), store("OWN", 10)]
    assert [offer(shelves, told=told).figure for told in (50, 35, 10, 0)] == [40, 35, 10, 10]


def test_a_channel_that_never_was_told_a_figure_is_not_told_one_that_an_overdue_feed_holds_back():
    assert not offer([Shelf("3PL", 30, confidence="stale")]).tells
    assert offer([Shelf("3PL", 0, confidence="stale")]).tells


def test_the_waterfall_names_every_step_its_units_and_the_rule_that_did_it():
    rules = [keeps(1, 12, "front"), rule(2, "threshold", 5)]
    told = offer([store("S1", 30, "front"), store("S2", 7)], *rules, unrouted=4)
    assert [(one.text, one.change, one.left, one.rule) for one in told.steps] == [
        ("S1 has 30 units available", 30, 30, ""),
        ("S1 keeps 12 as safety stock", -12, 18, "r1"),
        ("S2 has 7 units available", 7, 25, ""),
        ("4 units promised to orders that have no location yet", -4, 21, ""),
        ("5 units kept from this channel", -5, 16, "r2"),
    ]


SHELVES = st.lists(
    st.builds(
        Shelf,
        st.sampled_from(["S1", "S2", "S3"]),
        st.integers(-50, 200),
        st.frozensets(st.sampled_from(["eu", "us"])),
        st.sampled_from(["fresh", "fresh", "stale"]),
        st.just(()),
    ),
    max_size=5,
)
RULES = st.lists(
    st.builds(
        Rule,
        st.uuids().map(str),
        st.integers(1, 9),
        st.sampled_from(["safety", "threshold", "percent", "publish"]),
        st.integers(0, 40),
        st.sampled_from([None, "web", "market"]),
        st.sampled_from([None, "eu"]),
        st.sampled_from([Filter(), SALE, KIDS]),
    ),
    max_size=6,
)
CHANNELS = st.builds(Channel, st.just("web"), st.sampled_from([None, "eu"]), st.integers(0, 20))
ITEMS = st.builds(
    Item,
    st.just(Article("SHOE", frozenset({"sale"}))),
    SHELVES,
    st.integers(0, 30),
    st.integers(0, 40),
    st.integers(1, 12),
    st.none() | st.integers(0, 60),
)


@given(RULES, CHANNELS, ITEMS)
def test_never_more_is_offered_than_could_be_shipped_and_never_less_than_nothing(rules, channel, item):
    told = publish(RuleBook(rules, channel), item)
    here = [one for one in item.shelves if channel.group is None or channel.group in one.groups]
    could_ship = sum(max(0, one.available) for one in here) + item.preorder
    assert 0 <= told.figure <= told.reckoned
    assert told.reckoned == 0 or told.reckoned * item.pack_size + item.unrouted <= could_ship


@given(RULES, CHANNELS, ITEMS)
def test_the_steps_of_the_waterfall_add_up_to_the_figure(rules, channel, item):
    told, left = publish(RuleBook(rules, channel), item), 0
    for step in told.steps:
        left += step.change
        assert step.left == left
    assert left == told.figure


@given(RULES, CHANNELS, ITEMS, st.integers(1, 9))
def test_one_more_unit_on_a_shelf_never_offers_less(rules, channel, item, more):
    book = RuleBook(rules, channel)
    richer = [one._replace(available=one.available + more) for one in item.shelves]
    grown = Item(item.article, richer, item.preorder, item.unrouted, item.pack_size, item.told)
    assert publish(book, grown).figure >= publish(book, item).figure


@given(RULES, CHANNELS, ITEMS)
def test_one_more_promise_never_offers_more(rules, channel, item):
    book = RuleBook(rules, channel)
    owed = Item(item.article, item.shelves, item.preorder, item.unrouted + 1, item.pack_size, item.told)
    assert publish(book, owed).figure <= publish(book, item).figure


@given(RULES, CHANNELS, ITEMS)
def test_an_overdue_feed_never_raises_a_figure_above_what_was_told_or_is_known_for_sure(rules, channel, item):
    book = RuleBook(rules, channel)
    sure = [one for one in item.shelves if one.confidence == "fresh"]
    known = publish(book, Item(item.article, sure, item.preorder, item.unrouted, item.pack_size)).figure
    assert publish(book, item).figure <= max(known, item.told or 0)


@given(st.lists(st.tuples(st.integers(-20, 90), st.integers(1, 6)), min_size=1, max_size=5))
def test_so_many_kits_can_be_made_and_not_one_more(parts):
    made = kits(parts)
    assert all(made * needed <= available for available, needed in parts)
    assert any((made + 1) * needed > available for available, needed in parts)
