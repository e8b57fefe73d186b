"""The router as a machine: orders come, places refuse, stock and capacity change, and every order is planned again.

The model is small: units by place and article, what each order still needs, who refused what. After every decision the
books have to balance, and nothing may be promised that is not there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hub.domain.routing.plan import plan
from hub.domain.routing.shapes import CostRules, Need, Place, Rules, Snapshot, Step
from tests.domain.routing.towns import NEW_YORK, PLACES
from tests.domain.routing.worlds import ARTICLES, LONG

CODES = ("BOS", "CHI", "LAX", "PHL")
START = 6  # units of each article in the whole network

RULES = (
    Rules(),
    Rules(
        (Step("one parcel", assign="single"), Step("few parcels", assign="split", max_shipments=2), Step("what can be"))
    ),
    Rules((Step("above the buffer", min_stock=1), Step("all", rankers=("scarcity", "stock_depth", "ranked")))),
    Rules((Step(ignore_capacity=True),), "cost", CostRules(extra_shipment_penalty_minor=100, shadow_base_minor=300)),
)


class Routing(RuleBasedStateMachine):
    @initialize(rules=st.sampled_from(RULES))
    def open_house(self, rules: Rules) -> None:
        self.rules = rules
        self.stock: Counter[tuple[str, str]] = Counter()  # free units
        self.capacity: dict[str, int | None] = dict.fromkeys(CODES)
        self.needed: dict[str, tuple[str, int, str | None]] = {}  # article, units without a place, group, by line
        self.ordered: dict[str, int] = {}
        self.given: dict[str, Counter[str]] = {}  # units by place, by line
        self.refused: set[tuple[str, str]] = set()
        self.units_in = 0
        for article in ARTICLES:
            for number in range(START):
                self.receive(CODES[number % len(CODES)], article, 1)

    def places(self) -> tuple[Place, ...]:
        return tuple(
            replace(PLACES[code], id=code, capacity_left=self.capacity[code], base_minor=100 * number, rank=number)
            for number, code in enumerate(CODES)
        )

    def receive(self, code: str, article: str, units: int) -> None:
        self.stock[code, article] += units
        self.units_in += units

    @rule(code=st.sampled_from(CODES), article=st.sampled_from(ARTICLES), units=st.integers(1, 3))
    def stock_arrives(self, code: str, article: str, units: int) -> None:
        self.receive(code, article, units)

    @rule(code=st.sampled_from(CODES), article=st.sampled_from(ARTICLES))
    def stock_is_gone(self, code: str, article: str) -> None:
        self.units_in -= self.stock.pop((code, article), 0)

    @rule(code=st.sampled_from(CODES), left=st.sampled_from((None, 0, 1, 2)))
    def capacity_changes(self, code: str, left: int | None) -> None:
        self.capacity[code] = left

    @rule(
        lines=st.lists(
            st.tuples(st.sampled_from(ARTICLES), st.integers(1, 3), st.sampled_from((None, None, "g"))),
            min_size=1,
            max_size=3,
        )
    )
    def an_order_comes(self, lines: list[tuple[str, int, str | None]]) -> None:
        number = len({line.partition(".")[0] for line in self.ordered})
        for index, (article, units, group) in enumerate(lines):
            line = f"o{number}.{index}"
            self.needed[line] = (article, units, group)
            self.ordered[line] = units
            self.given[line] = Counter()
        self.decide(f"o{number}")

    @precondition(lambda self: any(self.given.values()))
    @rule(pick=st.randoms(use_true_random=False))
    def a_place_refuses_a_line(self, pick: object) -> None:
        line, code = pick.choice([(line, code) for line, some in sorted(self.given.items()) for code in sorted(some)])  # type: ignore[attr-defined]
        units = self.given[line].pop(code)
        article, left, group = self.needed[line]
        self.stock[code, article] += units
        self.needed[line] = (article, left + units, group)
        self.refused.add((line, code))
        self.decide(line.partition(".")[0])

    @precondition(lambda self: any(units for _, units, _ in self.needed.values()))
    @rule(pick=st.randoms(use_true_random=False))
    def a_waiting_order_is_planned_again(self, pick: object) -> None:
        waiting = sorted({line.partition(".")[0] for line, (_, units, _) in self.needed.items() if units})
        self.decide(pick.choice(waiting))  # type: ignore[attr-defined]

    def decide(self, order: str) -> None:
        """Plan what an order still needs, check the plan against the model, and book it."""
        lines = [line for line, (_, units, _) in self.needed.items() if units and line.partition(".")[0] == order]
        needs = tuple(Need(line, *self.needed[line]) for line in lines)
        snapshot = Snapshot(needs, NEW_YORK, self.places(), dict(self.stock), frozenset(self.refused), self.rules)
        decided = plan(snapshot)
        assert plan(snapshot) == decided
        waits = {rest.line_id: rest.units for rest in decided.remainder}
        for part in decided.parts:
            code = part.place_id
            ignored = any(step.ignore_capacity for step in self.rules.steps)
            assert ignored or self.capacity[code] != 0
            if self.capacity[code]:
                self.capacity[code] -= 1  # type: ignore[operator]
            for line, units in part.units.items():
                assert (line, code) not in self.refused
                article, left, group = self.needed[line]
                self.stock[code, article] -= units
                self.needed[line] = (article, left - units, group)
                self.given[line][code] += units
        for line in lines:
            assert self.needed[line][1] == waits.get(line, 0)
        self.nothing_that_could_ship_alone_is_left(lines)

    def nothing_that_could_ship_alone_is_left(self, lines: list[str]) -> None:
        """A unit of a line outside groups waits only if no place that may be asked has it, or as many ship already."""
        asked = {line: [code for code in CODES if (line, code) not in self.refused] for line in lines}
        chosen = {code for line in lines for code in self.given[line]}
        ignored = any(step.ignore_capacity for step in self.rules.steps)
        for line in lines:
            article, units, group = self.needed[line]
            if not units or group is not None or len(chosen) >= 3:
                continue
            free = [
                code for code in asked[line] if self.stock[code, article] > 0 and (ignored or self.capacity[code] != 0)
            ]
            assert not set(free) - chosen, (line, free)

    @invariant()
    def no_shelf_owes_units(self) -> None:
        assert all(units >= 0 for units in getattr(self, "stock", {}).values())

    @invariant()
    def every_unit_is_on_a_shelf_or_promised_once(self) -> None:
        if hasattr(self, "stock"):
            promised = sum(sum(some.values()) for some in self.given.values())
            assert sum(self.stock.values()) + promised == self.units_in
            for line, units in self.ordered.items():
                assert sum(self.given[line].values()) + self.needed[line][1] == units


Routing.TestCase.settings = settings(
    max_examples=300 if LONG else 25, stateful_step_count=50 if LONG else 20, deadline=None
)
TestRouting = Routing.TestCase
