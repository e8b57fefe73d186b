"""A rule set: which routing an order falls under, in which steps it looks for places, and what happens to the rest.

The same as a document is `hub/schemas/routing-rules.v1.json`; people write it as YAML.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass
from datetime import date, datetime
from typing import Any, Literal

from hub.domain.routing.rankers import mistake_in, unknown
from hub.domain.routing.shapes import DEFAULT_RANKERS, CostRules, Method, Ranker, Rules, Step

SortKey = Literal["priority", "ship_by", "promise_on", "placed_at", "value", "units"]

DEFAULT_SORT: tuple[SortKey, ...] = ("priority", "ship_by", "placed_at")
NO_EXTRAS = CostRules()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What an order filter looks at."""

    channels: frozenset[str] = frozenset()  # all that its channel goes by: name and id
    country: str = ""  # of the destination
    market: str = ""
    tags: frozenset[str] = frozenset()
    method: Method = "ship"
    currency: str = ""
    value_minor: int = 0  # total of the order


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """Orders that a routing is for: those that fit all that is said here. What is not said fits every order."""

    channels: frozenset[str] = frozenset()  # connections by name or id
    countries: frozenset[str] = frozenset()  # of the destination
    markets: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()  # the order has at least one of them
    methods: frozenset[Method] = frozenset()
    currencies: frozenset[str] = frozenset()
    min_value_minor: int | None = None
    max_value_minor: int | None = None

    def fits(self, order: OrderFacts) -> bool:
        """Whether an order is one of these. Channels and tags are compared without regard to case."""
        return (
            (not self.channels or not _folded(self.channels).isdisjoint(_folded(order.channels)))
            and (not self.countries or order.country in self.countries)
            and (not self.markets or order.market in self.markets)
            and (not self.tags or not _folded(self.tags).isdisjoint(_folded(order.tags)))
            and (not self.methods or order.method in self.methods)
            and (not self.currencies or order.currency in self.currencies)
            and (self.min_value_minor is None or order.value_minor >= self.min_value_minor)
            and (self.max_value_minor is None or order.value_minor <= self.max_value_minor)
        )


@dataclass(frozen=True, slots=True)
class LineRemainder:
    """What happens to units for which no step found a place. Empty sets are all lines."""

    then: str  # backorder, preorder, hold, queue:<name> or auto_cancel:<days>
    skus: frozenset[str] = frozenset()  # our SKUs; one that ends with * is every SKU that begins so
    categories: frozenset[str] = frozenset()

    def fits(self, sku: str, category: str) -> bool:
        """Whether a line is one of these."""
        named = not self.skus or any(sku.startswith(one[:-1]) if one.endswith("*") else sku == one for one in self.skus)
        return named and (not self.categories or category in self.categories)


@dataclass(frozen=True, slots=True)
class Routing:
    """How the orders of one filter find their places."""

    name: str
    steps: tuple[Step, ...]
    when: OrderFilter = OrderFilter()
    strategy: str = "ranked"
    cost: CostRules = NO_EXTRAS
    remainder: tuple[LineRemainder, ...] = ()  # the first that fits a line; without one it is backordered

    @property
    def rules(self) -> Rules:
        """The part that the router itself reads."""
        return Rules(self.steps, self.strategy, self.cost)

    def then(self, sku: str, category: str = "") -> str:
        """What happens to units of an article for which no step finds a place."""
        return next((one.then for one in self.remainder if one.fits(sku, category)), "backorder")


@dataclass(frozen=True, slots=True)
class Reevaluation:
    """Looking again at work that nobody has begun; a strictly better plan is adopted."""

    after_minutes: int = 0  # how old such work has to be; 0 is never to look again
    cool_down_minutes: int = 240  # rest after an order was moved


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules of routing. An order falls under the first routing whose filter it fits."""

    name: str
    routings: tuple[Routing, ...]
    sort: tuple[SortKey, ...] = DEFAULT_SORT  # in which turn waiting orders are routed
    grace_minutes: int = 0  # an order rests so long after it was placed
    most_attempts: int = 5  # refusals of a line before it goes on hold
    reevaluate: Reevaluation = Reevaluation()

    def routing_for(self, order: OrderFacts) -> Routing:
        """The routing of an order. A checked rule set always has one."""
        return next(one for one in self.routings if one.when.fits(order))


# How orders are routed until somebody says otherwise: all else equal by the operator's own order, and what nobody can
# bring in time is sent late, not never.
_RANKERS = (*DEFAULT_RANKERS, "ranked")
_STEPS = (Step(rankers=_RANKERS), Step("late", rankers=_RANKERS, late_ok=True))
DEFAULT = RuleSet("standard", (Routing("every order", _STEPS),))


@dataclass(frozen=True, slots=True)
class Turn:
    """What decides when a waiting order has its turn."""

    id: str
    placed_at: datetime
    priority: int = 0  # higher goes first
    ship_by: date | None = None
    promise_on: date | None = None
    value_minor: int = 0  # higher goes first
    units: int = 0  # fewer go first


_KEYS: Mapping[SortKey, Callable[[Turn], Any]] = {
    "priority": lambda turn: -turn.priority,
    "ship_by": lambda turn: (turn.ship_by is None, turn.ship_by or date.min),
    "promise_on": lambda turn: (turn.promise_on is None, turn.promise_on or date.min),
    "placed_at": lambda turn: turn.placed_at,
    "value": lambda turn: -turn.value_minor,
    "units": lambda turn: turn.units,
}


def in_turn(turns: Iterable[Turn], sort: Sequence[SortKey] = DEFAULT_SORT) -> list[Turn]:
    """Waiting orders in the turn in which they are routed; the id breaks the last tie."""
    return sorted(turns, key=lambda turn: rank(turn, sort))


def goes_before(one: Turn, other: Turn, sort: Sequence[SortKey] = DEFAULT_SORT) -> bool:
    """Whether an order has its turn before another one."""
    return rank(one, sort) < rank(other, sort)


def rank(turn: Turn, sort: Sequence[SortKey]) -> tuple[Any, ...]:
    """What orders are sorted by to stand in their turn."""
    return (*(_KEYS[key](turn) for key in sort), turn.id)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Something wrong in a rule set; `path` is a JSON pointer into its document."""

    path: str
    message: str


def mistakes(rules: RuleSet, rankers: Mapping[str, Ranker], strategies: Collection[str]) -> list[Mistake]:
    """What a schema cannot see; `rankers`, and `strategies` by their names, are what is installed."""
    return list(_mistakes(rules, rankers, strategies))


def _mistakes(rules: RuleSet, rankers: Mapping[str, Ranker], strategies: Collection[str]) -> Iterator[Mistake]:
    if rules.name == "published":
        yield Mistake("/name", "published names the rules that count, whatever they are called: choose another name")
    yield from _twice("/routings", [one.name for one in rules.routings], "routing")
    last = len(rules.routings) - 1
    for index, routing in enumerate(rules.routings):
        at = f"/routings/{index}"
        everyone = routing.when == OrderFilter()
        if index == last and not everyone:
            yield Mistake(f"{at}/when", "the last routing has to take every order: leave out its `when`")
        if index < last and everyone:
            why = f"it takes every order, so {rules.routings[index + 1].name!r} below is never reached"
            yield Mistake(at, f"{why}: give it a `when`, or move it to the end")
        if routing.strategy not in strategies:
            yield Mistake(f"{at}/strategy", unknown("strategy", routing.strategy, strategies))
        least, most = routing.when.min_value_minor, routing.when.max_value_minor
        if least is not None and most is not None and least > most:
            yield Mistake(f"{at}/when/min_value_minor", f"no order is worth {least} or more and {most} or less")
        yield from _twice(f"{at}/steps", [step.name for step in routing.steps], "step")
        yield from step_mistakes(f"{at}/steps", routing.steps, rankers)


def step_mistakes(at: str, steps: Sequence[Step], rankers: Mapping[str, Ranker]) -> Iterator[Mistake]:
    """What a schema cannot see in steps that stand at a JSON pointer."""
    for number, step in enumerate(steps):
        for place, spec in enumerate(step.rankers):
            wrong = mistake_in(spec, rankers)
            if wrong:
                yield Mistake(f"{at}/{number}/rankers/{place}", wrong)
        if step.on_remainder != "next" and number + 1 < len(steps):
            why = f"never reached, since the step {step.name!r} above ends the search ({step.on_remainder})"
            yield Mistake(f"{at}/{number + 1}", f"{why}: let that one say next, or take this one out")


def _twice(at: str, names: Sequence[str], what: str) -> Iterator[Mistake]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield Mistake(f"{at}/{index}/name", f"another {what} is called {name!r} already: give it another name")


def _folded(names: Collection[str]) -> set[str]:
    return {name.casefold() for name in names}


def document(rules: RuleSet) -> dict[str, Any]:
    """The whole document of a rule set, defaults written out, in one order."""
    plain: dict[str, Any] = _plain(rules)
    return plain


def short_document(rules: RuleSet) -> dict[str, Any]:
    """The document of a rule set as a person would write it: without what is as it would be anyway."""
    short: dict[str, Any] = _short(rules)
    return short


def document_hash(rules: RuleSet) -> str:
    """Tells whether two rule sets decide alike; the name of the set does not count."""
    said = {name: value for name, value in document(rules).items() if name != "name"}
    return hashlib.sha256(json.dumps(said, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value


def _short(value: Any) -> Any:
    if is_dataclass(value):
        return {
            one.name: _short(getattr(value, one.name))
            for one in fields(value)
            if one.default is MISSING or getattr(value, one.name) != one.default
        }
    if isinstance(value, tuple):
        return [_short(one) for one in value]
    return _plain(value)


def changes(before: RuleSet, after: RuleSet) -> list[str]:
    """What is different, a line each, in words; empty when both decide alike. Routings and steps go by their names."""
    return [
        *_field_changes("", before, after, {"name", "routings"}),
        *_part_changes("routing", "", before.routings, after.routings, _routing_changes),
    ]


def _routing_changes(where: str, before: Routing, after: Routing) -> Iterator[str]:
    yield from _field_changes(where, before, after, {"name", "steps"})
    yield from _part_changes(
        "step", where, before.steps, after.steps, lambda at, old, new: _field_changes(at, old, new, {"name"})
    )


def _part_changes(
    what: str,
    where: str,
    before: Sequence[Any],
    after: Sequence[Any],
    inside: Callable[[str, Any, Any], Iterator[str]],
) -> Iterator[str]:
    old, new = {one.name: one for one in before}, {one.name: one for one in after}
    for name in (name for name in old if name not in new):
        yield f"{where}{what} {name!r} is gone"
    for name, one in new.items():
        if name in old:
            yield from inside(f"{where}{what} {name!r}: ", old[name], one)
        else:
            yield f"{where}{what} {name!r} is new"
    kept = [[name for name in side if name in old and name in new] for side in (old, new)]
    if kept[0] != kept[1]:
        yield f"{where}{what}s go in another order: {', '.join(map(repr, kept[1]))} instead of " + ", ".join(
            map(repr, kept[0])
        )


def _field_changes(where: str, before: Any, after: Any, without: Collection[str]) -> Iterator[str]:
    for one in fields(before):
        old, new = getattr(before, one.name), getattr(after, one.name)
        if one.name in without or old == new:
            continue
        if is_dataclass(old):
            yield from _field_changes(f"{where}{one.name} ", old, new, ())
        else:
            yield f"{where}{one.name} was {_said(old)}, is {_said(new)}"


def _said(value: Any) -> str:
    plain = _short(value)
    if plain is None or plain == []:
        return "not set"
    if isinstance(plain, list):
        return ", ".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in plain)
    return {True: "yes", False: "no"}.get(plain, str(plain)) if isinstance(plain, bool) else str(plain)
