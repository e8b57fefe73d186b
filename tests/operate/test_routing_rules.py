"""Routing rules as people work on them: drafts, rehearsals, publishing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from hub.domain.documents import Address
from hub.domain.routing.rules import DEFAULT, OrderFilter, Routing, RuleSet
from hub.domain.routing.shapes import Step
from hub.engine.doors import due_doors
from hub.flows import operate, rehearse
from hub.flows.operate import NotDoneError
from hub.store import rules
from hub.store.rules import UnknownRulesError
from hub.store.tables import location, rehearsal, routing_rule_set, stock_move
from hub.store.views import decisions
from tests.operate.conftest import PERSON, Desk

WEST_FIRST = RuleSet("standard", (Routing("every order", (Step(rankers=("closest",)),)),))
BY_RANK = RuleSet("standard", (Routing("every order", (Step(rankers=("ranked",)),)),))
WHOLE = RuleSet("standard", (Routing("every order", (Step("whole", assign="single"),)),))


def rehearsed(desk: Desk, key: str, orders: int = 500) -> rules.Rehearsal:
    """A rehearsal that was asked for and has run."""
    asked = operate.start_rehearsal(desk.runtime, key, person=PERSON, orders=orders)
    desk.world.run()
    return desk.world.read(lambda tx: rules.get_rehearsal(tx, asked.id))


def published(desk: Desk) -> rules.Published:
    return desk.world.read(rules.published)


def test_the_built_in_rules_count_until_others_are_published(desk: Desk) -> None:
    assert published(desk) == rules.BUILT_IN
    assert [(one.key, one.status) for one in desk.world.read(rules.versions)] == [("standard@0", "published")]
    assert desk.world.read(lambda tx: rules.find(tx, "published")).rules == DEFAULT
    assert desk.world.read(lambda tx: rules.find(tx, "standard")).version == 0


def test_orders_go_by_the_very_rules_that_are_shown(desk: Desk) -> None:
    for code, rank in (("EAST", 9), ("WEST", 2)):
        operate.change_location(desk.runtime, code, {"rank": rank}, person=PERSON)
        operate.adjust_stock(desk.runtime, "MUG", code, set_to=5, reason="count", person=PERSON)
    order_id = desk.buy(("MUG", 1))
    [decided] = desk.world.read(lambda tx: decisions.of_order(tx, order_id))
    [chosen] = decided.trace["chosen"]
    shown = published(desk).rules.routings[0].steps[0].rankers
    assert (chosen["loc"], decided.trace["steps"][0]["rankers"]) == ("WEST", list(shown))
    assert shown[-1] == "ranked", "all else equal, the operator's own order decides"
    copy = operate.save_draft(desk.runtime, published(desk).rules, person=PERSON)
    assert (rehearsed(desk, copy.key).figures or {})["elsewhere"] == 0


def test_the_built_in_rules_count_no_more_once_others_do_and_come_back_as_a_draft(desk: Desk) -> None:
    row = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    rehearsed(desk, row.key)
    operate.publish_rules(desk.runtime, row.key, person=PERSON)
    built_in = desk.world.read(lambda tx: rules.find(tx, "standard@0"))
    assert (built_in.key, built_in.status) == ("standard@0", "retired")
    with pytest.raises(NotDoneError, match="orderhub rules export standard@0"):
        operate.publish_rules(desk.runtime, "standard@0", person=PERSON)
    assert published(desk).version == 1
    again = operate.save_draft(desk.runtime, built_in.rules, person=PERSON)
    rehearsed(desk, again.key)
    assert operate.publish_rules(desk.runtime, again.key, person=PERSON).rules == DEFAULT


def test_groups_and_channels_that_rules_name_and_nobody_has_are_told(desk: Desk) -> None:
    operate.change_location(desk.runtime, "EAST", {"groups": ["stores"]}, person=PERSON)
    steps = (Step("near", groups=frozenset({"stores", "store"})), Step("all"))
    for_whom = OrderFilter(channels=frozenset({"WEB SHOP", desk.shop_id, "Webshop"}))
    found = RuleSet("standard", (Routing("web", steps, for_whom), *DEFAULT.routings))
    said = desk.world.read(lambda tx: operate.unheard_of(tx, found))
    assert said == ["no location is in the group 'store'", "no channel is called 'Webshop'"]
    assert desk.world.read(lambda tx: operate.unheard_of(tx, DEFAULT)) == []


def test_each_draft_is_a_version_of_its_name_and_the_same_is_not_kept_twice(desk: Desk) -> None:
    first = operate.save_draft(desk.runtime, BY_RANK, person=PERSON, note="first try")
    again = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    second = operate.save_draft(desk.runtime, WHOLE, person=PERSON)
    other = operate.save_draft(desk.runtime, replace(WHOLE, name="christmas"), person=PERSON)
    assert [one.key for one in (first, again, second, other)] == [
        "standard@1", "standard@1", "standard@2", "christmas@1",
    ]  # fmt: skip
    assert (first.status, first.note, first.created_by) == ("draft", "first try", PERSON)
    assert second.rules == WHOLE
    assert desk.world.read(lambda tx: rules.find(tx, "standard")).key == "standard@2"
    assert desk.world.read(lambda tx: rules.find(tx, first.id or "")).key == "standard@1"
    with pytest.raises(UnknownRulesError, match=r"'standard@9'.*standard@2"):
        desk.world.read(lambda tx: rules.find(tx, "standard@9"))


def test_a_draft_can_be_changed_and_a_published_version_cannot(desk: Desk) -> None:
    row = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    changed = operate.change_draft(desk.runtime, row.key, WHOLE, person=PERSON)
    assert (changed.id, changed.rules) == (row.id, WHOLE)
    with pytest.raises(NotDoneError, match="cannot become one of other"):
        operate.change_draft(desk.runtime, row.key, replace(WHOLE, name="other"), person=PERSON)
    rehearsed(desk, row.key)
    operate.publish_rules(desk.runtime, row.key, person=PERSON)
    with pytest.raises(NotDoneError, match="standard@1 is published and stays as it is"):
        operate.change_draft(desk.runtime, row.key, BY_RANK, person=PERSON)


def test_rules_are_published_with_a_rehearsal_only_and_the_refusal_says_how_to_get_one(desk: Desk) -> None:
    row = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    with pytest.raises(NotDoneError, match="never rehearsed as it is now; run `orderhub rules rehearse standard@1`"):
        operate.publish_rules(desk.runtime, row.key, person=PERSON)
    asked = operate.start_rehearsal(desk.runtime, row.key, person=PERSON)
    with pytest.raises(NotDoneError, match="still running"):
        operate.publish_rules(desk.runtime, row.key, person=PERSON)
    desk.world.run()
    done = operate.publish_rules(desk.runtime, row.key, person=PERSON)
    assert (done.status, done.rehearsal_id, done.published_by) == ("published", asked.id, PERSON)
    assert published(desk).rules == BY_RANK
    assert operate.publish_rules(desk.runtime, row.key, person="somebody else").published_by == PERSON


def test_a_rehearsal_speaks_for_the_rules_it_rehearsed_and_for_a_day(desk: Desk) -> None:
    row = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    found = rehearsed(desk, row.key)
    operate.change_draft(desk.runtime, row.key, WHOLE, person=PERSON)
    with pytest.raises(NotDoneError, match="never rehearsed as it is now"):
        operate.publish_rules(desk.runtime, row.key, person=PERSON)
    with pytest.raises(NotDoneError, match="of other rules"):
        operate.publish_rules(desk.runtime, row.key, person=PERSON, rehearsal_id=found.id)
    operate.change_draft(desk.runtime, row.key, BY_RANK, person=PERSON)
    desk.world.later(hours=24, minutes=1)
    with pytest.raises(NotDoneError, match="older than 24 hours"):
        operate.publish_rules(desk.runtime, row.key, person=PERSON)
    desk.world.runtime = replace(desk.world.runtime, rehearsal_valid=timedelta(hours=48))
    assert operate.publish_rules(desk.runtime, row.key, person=PERSON).status == "published"


def test_one_version_counts_at_a_time_and_an_old_one_comes_back_by_the_same_rule(desk: Desk) -> None:
    first = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    second = operate.save_draft(desk.runtime, WHOLE, person=PERSON)
    old = [rehearsed(desk, one.key) for one in (first, second)]
    operate.publish_rules(desk.runtime, first.key, person=PERSON)
    with pytest.raises(NotDoneError, match="rules that no longer count"):
        operate.publish_rules(desk.runtime, second.key, person=PERSON, rehearsal_id=old[1].id)
    rehearsed(desk, second.key)
    operate.publish_rules(desk.runtime, second.key, person=PERSON)
    statuses = {one.key: one.status for one in desk.world.read(rules.versions)}
    assert statuses == {"standard@1": "retired", "standard@2": "published"}
    with pytest.raises(NotDoneError, match="no longer count"):
        operate.publish_rules(desk.runtime, first.key, person=PERSON)
    rehearsed(desk, first.key)
    assert operate.publish_rules(desk.runtime, first.key, person=PERSON).status == "published"
    assert published(desk).version == 1
    query = select(func.count()).where(routing_rule_set.c.status == "published")
    assert desk.ask(query) == [1]


def test_rules_of_a_plugin_that_is_gone_cannot_be_rehearsed(desk: Desk) -> None:
    gone = RuleSet("standard", (Routing("every order", (Step(rankers=("by_mood",)),)),))
    with desk.world.db.begin() as tx:
        rules.add_draft(tx, gone, "", PERSON, desk.world.now())
    with pytest.raises(NotDoneError, match=r"no ranker is called 'by_mood'; there are: .*closest"):
        operate.start_rehearsal(desk.runtime, "standard", person=PERSON)


def test_versions_are_compared_in_words_and_as_yaml(desk: Desk) -> None:
    operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    diff = operate.compare(desk.runtime, "published", "standard@1")
    assert diff.changes == (
        "routing 'every order': step 'late' is gone",
        "routing 'every order': step 'anywhere': rankers was min_splits, market, closest, ranked, is ranked",
    )
    assert "+      - rankers: [ranked]" in diff.unified.splitlines()
    assert operate.compare(desk.runtime, "standard@1", "standard@1").changes == ()


def two_places(desk: Desk) -> list[str]:
    """Three orders of one MUG each, with 2 in EAST (rank 100) and 10 in WEST (rank 200); their ids."""
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=2, reason="count", person=PERSON)
    return [desk.buy(("MUG", 1)) for _ in range(3)]


def test_a_rehearsal_decides_the_same_orders_by_both_rules_on_the_stock_they_found(desk: Desk) -> None:
    ids = two_places(desk)
    by_west = RuleSet("standard", (Routing("every order", (Step(groups=frozenset({"west"})),)),))
    with desk.world.db.begin() as tx:
        tx.execute(update(location).where(location.c.code == "WEST").values(groups=["west"]))
    row = operate.save_draft(desk.runtime, by_west, person=PERSON)
    before = desk.world.on_shelf(), desk.ask(select(func.count()).select_from(stock_move))
    found = rehearsed(desk, row.key)
    assert (found.status, found.orders, found.done) == ("done", 3, 3)
    assert found.figures is not None
    baseline, draft = found.figures["baseline"], found.figures["draft"]
    assert baseline["locations"] == {
        "EAST": {"shipments": 2, "units": 2},
        "WEST": {"shipments": 1, "units": 1},
    }, "min_splits and market tie, nothing has a coordinate, so the code decides until EAST is empty"
    assert draft["locations"] == {"WEST": {"shipments": 3, "units": 3}}
    assert (baseline["orders"], baseline["unfilled_units"], baseline["stock_outs"]) == (3, 0, 1)
    assert (draft["orders"], draft["unfilled_units"], draft["stock_outs"]) == (3, 0, 0)
    assert found.figures["elsewhere"] == 2
    assert found.differences is not None
    assert [one["order_id"] for one in found.differences] == ids[:2]
    assert found.differences[0]["baseline"]["units"] == {"EAST": 1}
    assert found.differences[0]["draft"]["units"] == {"WEST": 1}
    assert found.differences[0]["draft"]["reason"].startswith("WEST because")
    assert before == (desk.world.on_shelf(), desk.ask(select(func.count()).select_from(stock_move))), "nothing moved"


def test_rehearsing_the_rules_that_count_finds_no_difference_and_the_same_figures_twice(desk: Desk) -> None:
    two_places(desk)
    row = operate.save_draft(desk.runtime, replace(DEFAULT, name="same"), person=PERSON)
    first, second = rehearsed(desk, row.key), rehearsed(desk, row.key)
    assert first.figures is not None
    assert first.figures["elsewhere"] == 0
    assert first.differences == []
    assert first.figures["baseline"] == first.figures["draft"]
    assert (second.figures, second.differences) == (first.figures, first.differences)


def test_a_rehearsal_takes_the_last_orders_and_leaves_out_cancelled_ones(desk: Desk) -> None:
    ids = two_places(desk)
    operate.cancel_order(desk.runtime, ids[2], "not wanted", person=PERSON)
    row = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    assert rehearsed(desk, row.key).orders == 2
    assert rehearsed(desk, row.key, orders=1).orders == 1
    with pytest.raises(NotDoneError, match="1 to 5000"):
        operate.start_rehearsal(desk.runtime, row.key, person=PERSON, orders=0)


def test_a_rehearsal_that_was_cut_off_starts_again_by_itself(desk: Desk) -> None:
    two_places(desk)
    row = operate.save_draft(desk.runtime, BY_RANK, person=PERSON)
    asked = operate.start_rehearsal(desk.runtime, row.key, person=PERSON)
    desk.world.woken.clear()  # the process that was told has died, part of the way
    with desk.world.db.begin() as tx:
        rules.tell_progress(tx, asked.id, 3, 2)
    assert f"rehearse:{asked.id}" in list(due_doors(desk.runtime))
    desk.world.run()
    found = desk.world.read(lambda tx: rules.get_rehearsal(tx, asked.id))
    assert (found.status, found.done) == ("done", 3)
    rehearse.rehearse(desk.runtime, asked.id)
    assert desk.world.read(lambda tx: rules.get_rehearsal(tx, asked.id)) == found, "once more changes nothing"
    assert list(due_doors(desk.runtime)) == []


def test_a_rehearsal_that_cannot_be_run_says_why_and_is_not_tried_for_ever(desk: Desk) -> None:
    two_places(desk)
    gone = RuleSet("standard", (Routing("every order", (Step(rankers=("by_mood",)),)),))
    with desk.world.db.begin() as tx:
        rehearsal_id = rules.add_rehearsal(tx, gone, DEFAULT, 500, PERSON, desk.world.now())
    with pytest.raises(Exception, match="by_mood"):
        rehearse.rehearse(desk.runtime, rehearsal_id)
    found = desk.world.read(lambda tx: rules.get_rehearsal(tx, rehearsal_id))
    assert found.status == "failed"
    assert "by_mood" in found.error
    assert desk.ask(select(rehearsal.c.id).where(rehearsal.c.status == "running")) == []


def test_a_real_order_is_tried_by_both_rules_as_if_it_had_not_been_routed(desk: Desk) -> None:
    operate.adjust_stock(desk.runtime, "MUG", "EAST", set_to=2, reason="count", person=PERSON)
    order_id = desk.buy(("MUG", 2))
    only_large = RuleSet("standard", (Routing("every order", (Step(min_stock=1),)),))
    row = operate.save_draft(desk.runtime, only_large, person=PERSON)
    baseline, draft = operate.try_order(desk.runtime, row.key, order_id)
    places = {place.id: place.code for place in draft.snapshot.places}
    assert [places[part.place_id] for part in baseline.plan.parts] == ["EAST"]
    assert [places[part.place_id] for part in draft.plan.parts] == ["WEST"], "EAST keeps one back"
    with pytest.raises(NotDoneError, match="no order"):
        operate.try_order(desk.runtime, row.key, "nothing")


def test_an_order_that_nobody_placed_is_tried_by_skus_and_destination(desk: Desk) -> None:
    abroad = Routing(
        "abroad", (Step("nowhere", groups=frozenset({"export"})),), OrderFilter(countries=frozenset({"FR"}))
    )
    row = operate.save_draft(desk.runtime, RuleSet("standard", (abroad, *DEFAULT.routings)), person=PERSON)
    baseline, draft = operate.try_skus(desk.runtime, row.key, [("MUG", 1), ("TEE", 2)], Address(country="FR"))
    assert (baseline.routing, draft.routing) == ("every order", "abroad")
    assert [dict(part.units) for part in baseline.plan.parts] == [{"line 1": 1, "line 2": 2}]
    assert draft.plan.parts == ()
    assert sum(rest.units for rest in draft.plan.remainder) == 3
    with pytest.raises(NotDoneError, match="'FRANCE' is no country: write its two letters"):
        operate.try_skus(desk.runtime, row.key, [("MUG", 1)], Address(country="FRANCE"))
    with pytest.raises(NotDoneError, match="no article MUGG"):
        operate.try_skus(desk.runtime, row.key, [("MUGG", 1)], Address(country="FR"))
