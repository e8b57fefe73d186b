"""The story of a decision: the trace that is stored, and what people read of it, its sentence and its lines.

Sentence and lines are made of the trace alone, so that they say nothing that the trace does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any

from hub.domain import words
from hub.domain.routing import cost
from hub.domain.routing.effort import Effort
from hub.domain.routing.network import Network, distance_to
from hub.domain.routing.search import CUT_OFF, CUT_OFF_SHARING, POOR_PARCELS, Chosen, Search
from hub.domain.routing.shapes import CostRules, Part, Remainder, Rules, Step
from hub.domain.routing.shortlist import Shortlist

Told = Mapping[str, Any]  # a part of a trace

LONGEST = 20  # places left out, or not free to ship everything, that a trace names; how many there were is counted
MOST_FOR_WORDS = 20_000  # effort of finding out how many packages another place would need

NOTHING = "it has none of the articles to give"
CUT_OFFS = frozenset({CUT_OFF, CUT_OFF_SHARING, cost.CUT_OFF})  # notes of a step that was not searched to the end

WHY_LEFT: Mapping[str, str] = {
    "out_of_stock": "not in stock",
    "kept_for_others": "what is in stock is kept for others who came before",
    "unfillable": "refused where it was in stock",
    "left_out": "in stock only at locations that were left out",
    "not_allowed": "in stock, but not so that the rules are kept",
}


@dataclass(slots=True)
class Story:
    """What the steps did, as they did it."""

    network: Network
    taken: dict[int, dict[str, int]] = field(default_factory=dict)  # units by place and line, in the order of choice
    lanes: dict[int, dict[str, dict[str, int]]] = field(default_factory=dict)
    step_of: dict[int, str] = field(default_factory=dict)
    cost_minor: int | None = None
    rounds: list[tuple[Shortlist, Chosen]] = field(default_factory=list)

    def add(self, found: Shortlist, chosen: Chosen) -> None:
        self.rounds.append((found, chosen))
        for position, units in chosen.parts.items():
            mine = self.taken.setdefault(position, {})
            for line_id, count in units.items():
                mine[line_id] = mine.get(line_id, 0) + count
            self.step_of.setdefault(position, found.step.name)
            for lane, load in chosen.lanes.get(position, {}).items():
                known = self.lanes.setdefault(position, {}).setdefault(lane, {})
                known |= {line: known.get(line, 0) + count for line, count in load.items()}
        if chosen.cost_minor is not None:
            self.cost_minor = (self.cost_minor or 0) + chosen.cost_minor

    def parts(self) -> tuple[Part, ...]:
        """What each place ships, in the order of choice."""
        return tuple(
            Part(self.network.ids[one], dict(sorted(units.items())), self.step_of[one], self.lanes.get(one, {}))
            for one, units in self.taken.items()
        )

    def was_asked(self, position: int) -> bool:
        """Whether some step considered the place, whatever it had in stock."""
        return any(found.usable is None or position in found.usable for found, _ in self.rounds)

    def trace(self, strategy: str, inputs_hash: str, remainder: Sequence[Remainder]) -> dict[str, Any]:
        """The stored trace, no longer than people can read."""
        return {
            "strategy": strategy,
            "inputs_hash": inputs_hash,
            "steps": [_step(found, chosen) for found, chosen in self.rounds],
            "chosen": [
                {"loc": self.network[one].code, "step": self.step_of[one], "units": dict(sorted(units.items()))}
                | ({"lanes": self.lanes[one]} if one in self.lanes else {})
                for one, units in self.taken.items()
            ],
            "remainder": [
                {"line": rest.line_id, "qty": rest.units, "reason": rest.reason, "code": rest.code, "then": rest.then}
                for rest in remainder
            ],
        } | ({} if self.cost_minor is None else {"cost_minor": self.cost_minor})


def _step(found: Shortlist, chosen: Chosen) -> dict[str, Any]:
    """One step of the trace."""
    left = sum(need.units for need in found.snapshot.needs) - chosen.units
    held_back = found.held_back
    barred = sorted(held_back - set(found.empty))
    rival = _rival(found, next(iter(chosen.parts))) if len(chosen.parts) == 1 and not left else None
    return {
        "name": found.step.name,
        "assign": found.step.assign,
        "max_shipments": found.step.max_shipments,
        "rankers": list(found.step.rankers),
        "dropped": _dropped(found, held_back),
        "dropped_total": len(found.dropped) + len(found.empty),
        "barred": _barred(found, barred),
        "barred_total": len(barred),
        "ranked": [{"loc": found.place(one).code, "tuple": list(found.ranks(one))} for one in found.leading],
        "ranked_total": found.total,
        "tried": [{"set": list(codes), "why_not": why} for codes, why in chosen.tried],
        "notes": list(chosen.notes),
        "outcome": ("part" if left else "all") if chosen.parts else "nothing",
    } | ({"rival": rival} if rival else {})


def outside_step(why_not: str) -> dict[str, Any]:
    """The step of a trace that tells why there is no decision from outside."""
    return {
        "name": "outside decision",
        "assign": "",
        "max_shipments": 0,
        "rankers": [],
        "dropped": [],
        "dropped_total": 0,
        "barred": [],
        "barred_total": 0,
        "ranked": [],
        "ranked_total": 0,
        "tried": [{"set": [], "why_not": why_not}],
        "notes": [],
        "outcome": "nothing",
    }


def _dropped(found: Shortlist, held_back: AbstractSet[int]) -> list[dict[str, str]]:
    """Places that were not asked or could give nothing; those that have everything first, then those with some."""
    why = dict(found.dropped)
    for one in held_back & set(found.empty):
        why[one] = " and ".join(_reasons(found, one))
    has_all, has_some, has_none = found.by_stock(sorted(why))
    named = [(one, "all") for one in has_all] + [(one, "some") for one in has_some]
    if len(named) < LONGEST:
        named += [(one, "") for one in sorted({*has_none, *found.empty}.difference(has_all, has_some))]
    return [
        {"loc": found.place(one).code, "why": why.get(one, NOTHING)} | ({"stock": stock} if stock else {})
        for one, stock in named[:LONGEST]
    ]


def _barred(found: Shortlist, held_back: Sequence[int]) -> list[dict[str, Any]]:
    """Why places may not ship all that they have, for as many as a trace names; those that have everything first."""
    has_all, has_some, _ = found.by_stock(held_back)
    named = [(one, "all") for one in has_all] + [(one, "some") for one in has_some]
    return [
        {"loc": found.place(one).code, "why": why, "lines": lines, "stock": stock}
        for one, stock in named[:LONGEST]
        for why, lines in _reasons(found, one).items()
    ]


def _reasons(found: Shortlist, position: int) -> dict[str, list[str]]:
    """Why the place may not ship all that it has, and of which lines."""
    reasons: dict[str, list[str]] = {}
    for line, why in found.barred_lines(position).items():
        reasons.setdefault(why, []).append(line)
    return reasons


def _rival(found: Shortlist, winner: int) -> dict[str, Any] | None:
    """Whom the winner is compared with: the nearest that is nearer, or else the next best. None when there is nobody.

    `lines` are the lines that it could ship whole, `packages` the fewest in which it could ship with others. Where it
    could ship all of it, `ranker` is what decided between the two, None when all else was equal; `silent` where it has
    nothing to say of the other.
    """
    others = [one for one in found.leading if one != winner]
    if not others:
        return None
    nearer = _nearest(found, winner, others)
    other, km = nearer or (others[0], None)
    lines = found.lines_whole(found.offer_of(other))
    rival: dict[str, Any] = {"loc": found.place(other).code, "lines": lines}
    if km is not None:
        rival["km"] = round(km)
    if lines == len(found.snapshot.needs):
        rival |= _first_difference(found, winner, other)
    elif km is not None:
        rival["packages"] = Search(found, Effort(MOST_FOR_WORDS)).fewest_with(other)
    return rival


def _nearest(found: Shortlist, winner: int, others: Sequence[int]) -> tuple[int, float] | None:
    """The nearest of the others that is nearer than the winner, and its kilometres."""
    destination = found.snapshot.destination
    mine = distance_to(found.place(winner), destination)
    if mine is None:
        return None
    away = [(km, one) for one in others if (km := distance_to(found.place(one), destination)) is not None]
    km, other = min(away, default=(mine, winner))
    return (other, km) if km < mine else None


def _first_difference(found: Shortlist, winner: int, other: int) -> dict[str, Any]:
    """The ranker that decided between two places."""
    for name, mine, theirs in zip(found.step.rankers, found.ranks(winner), found.ranks(other), strict=True):
        if mine != theirs:
            return {"ranker": name, "silent": theirs is None}
    return {"ranker": None, "silent": False}


# What people read.


def sentence(trace: Told) -> str:
    """Why, in one sentence."""
    short = sum(rest["qty"] for rest in trace["remainder"])
    if not trace["chosen"]:
        return _why_nothing(trace, short)
    codes = " + ".join(one["loc"] for one in trace["chosen"])
    missing = f"; {words.units(short)} missing" if short else ""
    if "cost_minor" in trace:
        why = _why_at_that_cost(trace)
    elif len(trace["chosen"]) > 1:
        why = _why_several(trace)
    else:
        why = f"it ships the most{_of_what(trace)}" if short else _why_alone(trace)
    return f"{codes} because {why}{missing}."


def sentence_of_outside(trace: Told) -> str:
    """What was decided outside, in one sentence."""
    short = sum(rest["qty"] for rest in trace["remainder"])
    missing = f"; {words.units(short)} missing" if short else ""
    codes = " + ".join(one["loc"] for one in trace["chosen"])
    return f"{codes or 'Nothing ships'} by the outside decision{missing}."


def _why_nothing(trace: Told, short: int) -> str:
    if not short:
        return "There is nothing to ship."
    reasons = {rest["reason"] for rest in trace["remainder"]}
    why = f": {reasons.pop()}" if len(reasons) == 1 else ""
    return f"No location can ship {'the unit' if short == 1 else f'any of the {short} units'}{why}."


def _why_at_that_cost(trace: Told) -> str:
    minor = f"({trace['cost_minor']} in minor units)"
    if cost.OVERLOADED in _notes(trace):
        return f"the carriers take no more than that {minor}"
    return f"it costs least{_of_what(trace)} {minor}"


def _why_several(trace: Told) -> str:
    for one in _left_out(_taking(trace)[0]):
        if one["stock"] == "all":
            but = f"may not ship {words.lines(len(one['lines']))} of it: " if "lines" in one else ""
            return f"no single location may ship everything: {one['loc']} has it, but {but}{one['why']}"
    return "no single location has everything"


def _why_alone(trace: Told) -> str:
    """Why one place ships the whole order, and what speaks for the nearest or the next best."""
    count = len(trace["chosen"][0]["units"])
    ships = "it ships " + ("the line" if count == 1 else f"all {words.lines(count)}")
    step, *more = _taking(trace)
    if more:
        return ships
    if "rival" in step:
        return ships + _why_not(step["rival"], count)
    for one in _left_out(step):
        has = "has it too" if one["stock"] == "all" else "has some of it"
        return f"{ships}; {one['loc']} {has}, but {one['why']}"
    return "it is the only location that has stock"


def _of_what(trace: Told) -> str:
    """Among which choices the chosen one is best, where these are not all there are."""
    if not CUT_OFFS.isdisjoint(_notes(trace)):
        return " of what was tried"
    [step, *more] = _taking(trace)
    as_many_as_may = len(trace["chosen"]) == step["max_shipments"]
    if more or as_many_as_may or POOR_PARCELS in step["notes"] or any(_left_out(step)):
        return " of what the rules allow"
    return ""


def _taking(trace: Told) -> list[Told]:
    """The steps that took something."""
    return [step for step in trace["steps"] if step["outcome"] != "nothing"]


def _left_out(step: Told) -> Iterator[Told]:
    """Places with stock that a step did not ask, or not for all of it; those that have everything first."""
    entries = [one for one in (*step["dropped"], *step["barred"]) if "stock" in one]
    yield from sorted(entries, key=lambda one: one["stock"] != "all")


def _notes(trace: Told) -> set[str]:
    return {note for step in trace["steps"] for note in step["notes"]}


_AHEAD: Mapping[str, str] = {
    "min_splits": ", which {other} cannot",
    "market": " and is in the customer's market, unlike {other}",
    "country": " and is in the customer's country, unlike {other}",
    "closest": " and is nearer than {other}",
    "ranked": " and stands before {other} in the order of locations",
    "promise_slack": " and has more days to spare than {other}",
    "capacity_left": " and has more capacity left than {other}",
    "stock_depth": " and has more of it in stock than {other}",
    "scarcity": " and has it less scarce than {other}",
    "acceptance_rate": " and takes orders more surely than {other}",
    "cost": " and is cheaper than {other}",
}
_BEHIND: Mapping[str, str] = {
    "market": "outside the customer's market",
    "country": "outside the customer's country",
    "ranked": "later in the order of locations",
    "promise_slack": "has fewer days to spare",
    "capacity_left": "has less capacity left",
    "stock_depth": "has less of it in stock",
    "scarcity": "has it more scarce",
    "acceptance_rate": "takes orders less surely",
    "cost": "dearer",
}


def _why_not(rival: Told, count: int) -> str:
    """What is so of a place that might have shipped all `count` lines instead."""
    code = rival["loc"]
    nearer = f"; {code} is nearer ({rival['km']} km) but" if "km" in rival else ""
    if rival["lines"] == count:
        return _why_behind(rival, nearer) if nearer else _why_before(rival)
    if not nearer:
        return f", which {code} cannot"  # it may well stand before the winner
    packages = rival["packages"]
    return f"{nearer} would need {packages} packages" if packages else f"{nearer} has {rival['lines']} of {count} lines"


def _why_before(rival: Told) -> str:
    code, name = rival["loc"], rival["ranker"]
    if name is None:
        return f" and, all else equal, comes before {code}"
    if rival["silent"]:
        return f", and {name} says nothing of {code}"
    return _AHEAD.get(name, f" and {name} prefers it to {{other}}").format(other=code)


def _why_behind(rival: Told, nearer: str) -> str:
    name = rival["ranker"]
    if name is None:
        return f"{nearer}, all else equal, comes later"
    if rival["silent"]:
        return f"{nearer} {name} says nothing of it"
    return f"{nearer} {_BEHIND.get(name, f'{name} prefers the other')}"


def rules_said(rules: Rules) -> list[Any]:
    """All that the rules say, as plain values in one order."""
    return [
        rules.strategy,
        [getattr(rules.cost, name) for name in CostRules.__slots__],
        [[_plain(getattr(step, name)) for name in Step.__slots__] for step in rules.steps],
    ]


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


def readable(trace: Mapping[str, Any]) -> list[str]:
    """A stored trace as lines for people."""
    lines: list[str] = []
    steps = trace.get("steps", ())
    for number, step in enumerate(steps, start=1):
        if len(steps) > 1:
            lines.append(f"Step {number}, {step['name']}:")
        lines += _readable_step(step)
    for one in trace.get("chosen", ()):
        lanes = f" by {' and '.join(one['lanes'])}" if one.get("lanes") else ""
        lines.append(f"Chosen {one['loc']}{lanes}: {words.units(sum(one['units'].values()))}.")
    if "cost_minor" in trace:
        lines.append(f"Cost: {trace['cost_minor']} in minor units.")
    lines += [
        f"Missing {words.units(rest['qty'])}: {rest['reason']}; {_after(rest['then'])}."
        for rest in trace.get("remainder", ())
    ]
    return lines


def _readable_step(step: Mapping[str, Any]) -> list[str]:
    lines = [f"Left out {drop['loc']}: {drop['why']}." for drop in step["dropped"]]
    if more := step["dropped_total"] - len(step["dropped"]):
        lines.append(f"Left out {more} more.")
    lines += [f"Held back at {one['loc']}, {words.lines(len(one['lines']))}: {one['why']}." for one in step["barred"]]
    if more := step["barred_total"] - len({one["loc"] for one in step["barred"]}):
        lines.append(f"Held back {more} more.")
    for position, one in enumerate(step["ranked"], start=1):
        said = zip(step["rankers"], one["tuple"], strict=True)
        ranks = ", ".join(f"{name} {rank}" for name, rank in said if rank is not None)
        lines.append(f"{position}. {one['loc']}{f' ({ranks})' if ranks else ''}.")
    if more := step["ranked_total"] - len(step["ranked"]):
        lines.append(f"{more} more ranked behind them.")
    for one in step["tried"]:
        codes = " + ".join(one["set"])
        lines.append(f"Not {codes}: {one['why_not']}." if codes else _as_sentence(one["why_not"]))
    lines += map(_as_sentence, step["notes"])
    if step["outcome"] == "nothing":
        lines.append("This step found no place.")
    return lines


def _as_sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _after(then: str) -> str:
    kind, _, argument = then.partition(":")
    said = {
        "backorder": "waits for stock",
        "preorder": "waits for its release",
        "hold": "the order goes on hold",
        "queue": f"goes to the queue {argument}",
        "auto_cancel": f"is cancelled after {argument} days",
    }
    return said.get(kind, then)
