"""The router: hard filters, steps, ranks, the fewest places that ship the most, and the trace of all of it.

The rules and their worked examples are in `docs/reference/routing.md`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import lcm

from hub.domain.routing import cost, search, trace
from hub.domain.routing.effort import Effort
from hub.domain.routing.network import Network
from hub.domain.routing.rankers import BUILT_IN, UnknownNameError, bound, unknown, why_not_line
from hub.domain.routing.search import Chosen, Parts
from hub.domain.routing.shapes import Need, Plan, Ranker, Remainder, Sellable, Snapshot, Step, Strategy
from hub.domain.routing.shortlist import Columns, Shortlist, WhyNot, cells_of, columns_of, shortlist

Choose = Callable[[Shortlist, Effort], Chosen]

RANKED, COST, EXTERNAL = "ranked@4", "cost@3", "http@2"  # a number goes up when the same snapshot may give another plan


def plan(
    snapshot: Snapshot,
    rankers: Mapping[str, Ranker] = BUILT_IN,
    strategies: Mapping[str, Strategy] | None = None,
) -> Plan:
    """Decide where every unit ships from, by the strategy and the steps of `snapshot.rules`.

    The same snapshot always gives the same plan, in whatever order its parts were listed. Raises UnknownNameError
    for a strategy or a ranker that is not there.
    """
    known = BUILT_IN_STRATEGIES if strategies is None else strategies
    name = snapshot.rules.strategy
    try:
        strategy = known[name]
    except KeyError as error:
        raise UnknownNameError(unknown("routing strategy", name, known)) from error
    return strategy(snapshot, rankers)


def ranked(snapshot: Snapshot, rankers: Mapping[str, Ranker] = BUILT_IN) -> Plan:
    """The best-ranked place that has everything; else the fewest places, and of those the best ranked."""
    return _walk(snapshot, rankers, RANKED, search.choose)


def cheapest(snapshot: Snapshot, rankers: Mapping[str, Ranker] = BUILT_IN) -> Plan:
    """The set of places with the least cost; ranks decide between equals."""
    return _walk(snapshot, rankers, COST, cost.choose, cost.why_not)


BUILT_IN_STRATEGIES: Mapping[str, Strategy] = {"ranked": ranked, "cost": cheapest}


def inputs_hash(snapshot: Snapshot, strategy: str = RANKED) -> str:
    """A fingerprint of everything the decision rests on, independent of listing order."""
    network = Network.of(snapshot.places)
    snapshot = replace(snapshot, places=network, needs=_in_order(snapshot.needs))
    return _fingerprint(snapshot, network, columns_of(snapshot, network), strategy)


def _in_order(needs: Sequence[Need]) -> tuple[Need, ...]:
    return tuple(sorted(needs, key=lambda need: need.line_id))


def _fingerprint(snapshot: Snapshot, network: Network, columns: Columns, strategy: str) -> str:
    wanted = columns.keys()
    facts = [
        strategy,
        [[getattr(need, name) for name in Need.__slots__] for need in snapshot.needs],
        [getattr(snapshot.destination, name) for name in ("country", "market", "latitude", "longitude")],
        sorted(snapshot.excluded),
        trace.rules_said(snapshot.rules),
        [snapshot.method, snapshot.channel, str(snapshot.promise or "")],
        sorted((*key, units) for key, units in snapshot.weekly_demand_milli.items() if key[1] in wanted),
        sorted(one for one in snapshot.network_units.items() if one[0] in wanted),
        sorted((*key, price) for key, price in snapshot.shadow_minor.items() if key[1] in wanted),
        sorted((*key, units) for key, units in snapshot.kept.items() if key[1] in wanted),
    ]
    digest = hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode())
    digest.update(network.digest)
    for column in columns.values():
        units = array("q", column)
        if sys.byteorder == "big":
            units.byteswap()
        digest.update(units.tobytes())
    return digest.hexdigest()


def _walk(
    snapshot: Snapshot,
    rankers: Mapping[str, Ranker],
    strategy: str,
    choose: Choose,
    why_not: WhyNot = why_not_line,
) -> Plan:
    """Take the steps one after another until every unit has a place, or a step says what becomes of the rest."""
    network = Network.of(snapshot.places)
    columns = columns_of(snapshot, network)
    needs = _in_order(snapshot.needs)
    snapshot = replace(snapshot, places=network, needs=needs)
    digest = _fingerprint(snapshot, network, columns, strategy)
    snapshot = replace(
        snapshot, network_units=_totals(snapshot, columns), weekly_demand_milli=_demand(snapshot, network)
    )
    factor = lcm(*(need.units for need in needs))
    unit_worth = {need.line_id: need.value_minor * factor // need.units for need in needs}
    story = trace.Story(network)
    then, effort = "next", Effort()
    left = snapshot
    for step in snapshot.rules.steps if needs else ():
        by = tuple(bound(name, rankers) for name in step.rankers)
        found = shortlist(
            step,
            by,
            left,
            columns,
            unit_worth=unit_worth,
            worth_factor=factor,
            is_whole=not story.taken,
            why_not=why_not,
        )
        chosen = choose(found, effort)
        story.add(found, chosen)
        if chosen.parts:
            still = _still_needed(left.needs, chosen)
            if still:
                columns = _taken_off(columns, chosen, left.needs)
                left = replace(left, sellable=cells_of(columns, network))
            left = replace(left, needs=still)
        if not left.needs:
            break
        then = step.on_remainder
        if then != "next":
            break
    remainder = tuple(_rest(need, snapshot, columns, story, then) for need in left.needs)
    told = story.trace(strategy, digest, remainder)
    return Plan(story.parts(), remainder, trace.sentence(told), digest, told, strategy, story.cost_minor)


def taken_as_given(snapshot: Snapshot, parts: Parts, rounds: Sequence[Shortlist]) -> Plan:
    """The plan of parts that were decided elsewhere and were checked against the steps' shortlists, `rounds`."""
    network = Network.of(snapshot.places)
    snapshot = replace(snapshot, places=network, needs=_in_order(snapshot.needs))
    columns = columns_of(snapshot, network)
    digest = _fingerprint(snapshot, network, columns, EXTERNAL)
    story = trace.Story(network)
    chosen = Chosen(dict(sorted(parts.items())))
    story.add(replace(rounds[0], step=Step("outside decision", rankers=()), rankers=()), chosen)
    still = _still_needed(snapshot.needs, chosen)
    after = _taken_off(columns, chosen, snapshot.needs)
    remainder = tuple(_rest(need, snapshot, after, story, snapshot.rules.steps[-1].on_remainder) for need in still)
    told = story.trace(EXTERNAL, digest, remainder)
    return Plan(story.parts(), remainder, trace.sentence_of_outside(told), digest, told, EXTERNAL)


def _totals(snapshot: Snapshot, columns: Columns) -> Mapping[str, int]:
    """The network's units of each article, for a ranker that asks what part of them a place has."""
    if not any(name.partition(":")[0] == "scarcity" for step in snapshot.rules.steps for name in step.rankers):
        return snapshot.network_units
    counted = {variant: sum(column) for variant, column in columns.items()}
    return counted | dict(snapshot.network_units)


def _demand(snapshot: Snapshot, network: Network) -> Sellable:
    """What each place sells in a week: of an article that others sell nothing where it is not said."""
    known = snapshot.weekly_demand_milli
    sold = {variant for _, variant in known} & {need.variant_id for need in snapshot.needs}
    return {(place_id, variant): known.get((place_id, variant), 0) for variant in sold for place_id in network.ids}


def _taken_off(columns: Columns, chosen: Chosen, needs: Sequence[Need]) -> dict[str, list[int]]:
    """The columns without what was chosen."""
    after = {variant: list(column) for variant, column in columns.items()}
    variant_of = {need.line_id: need.variant_id for need in needs}
    for position, units in chosen.parts.items():
        for line_id, count in units.items():
            after[variant_of[line_id]][position] -= count
    return after


def _still_needed(needs: Sequence[Need], chosen: Chosen) -> tuple[Need, ...]:
    """What is left for the next step."""
    taken = Counter[str]()
    for units in chosen.parts.values():
        taken.update(units)
    return tuple(
        replace(need, units=need.units - taken[need.line_id]) for need in needs if need.units > taken[need.line_id]
    )


def _rest(need: Need, snapshot: Snapshot, columns: Columns, story: trace.Story, then: str) -> Remainder:
    """A line's units without a place, and why."""
    network = Network.of(snapshot.places)
    holders = [position for position, units in enumerate(columns[need.variant_id]) if units > 0]
    asked = [one for one in holders if (need.line_id, network.ids[one]) not in snapshot.excluded]
    if not holders:
        is_kept = any(units > 0 and variant == need.variant_id for (_, variant), units in snapshot.kept.items())
        code = "kept_for_others" if is_kept else "out_of_stock"
    elif not asked:
        code = "unfillable"
    elif not any(story.was_asked(one) for one in asked):
        code = "left_out"
    else:
        code = "not_allowed"
    after = need.otherwise if then == "next" else then
    return Remainder(need.line_id, need.units, trace.WHY_LEFT[code], code, after)
