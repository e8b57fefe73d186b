"""The story of a decision: the trace that is stored, its one sentence, and the lines that people read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.domain import words
from hub.domain.routing.network import Network, distance_to
from hub.domain.routing.search import Chosen, Effort, Search, lines_whole
from hub.domain.routing.shapes import CostRules, Need, Part, Remainder, Rules, Step
from hub.domain.routing.shortlist import Shortlist

MOST_FOR_WORDS = 20_000  # effort of finding out how many packages another place would need
LONGEST = 20  # places left out that a trace names; how many there were is counted

WHY_LEFT: Mapping[str, str] = {
    "out_of_stock": "not in stock",
    "unfillable": "refused where it was in stock",
    "left_out": "in stock only at locations that were left out",
    "not_allowed": "in stock, but not so that the rules are kept",
}


@dataclass(slots=True)
class Story:
    """What the steps did, as they did it."""

    needs: Sequence[Need]
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
            "steps": [_told(found, chosen) for found, chosen in self.rounds],
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

    def sentence(self, remainder: Sequence[Remainder]) -> str:
        """Why, in one sentence."""
        short = sum(rest.units for rest in remainder)
        if not self.taken:
            return f"No location can ship any of the {words.units(sum(need.units for need in self.needs))}."
        codes = " + ".join(self.network[one].code for one in self.taken)
        missing = f"; {words.units(short)} missing" if short else ""
        if self.cost_minor is not None:
            return f"{codes} because it costs least ({self.cost_minor} in minor units){missing}."
        if len(self.taken) > 1:
            return f"{codes} because no single location has everything{missing}."
        if short:
            return f"{codes} because it ships the most{missing}."
        found, _ = self.rounds[-1]
        return f"{codes} because {_why_alone(found, next(iter(self.taken)))}."


def _told(found: Shortlist, chosen: Chosen) -> dict[str, Any]:
    """One step of the trace."""
    left = sum(need.units for need in found.snapshot.needs) - chosen.units
    return {
        "name": found.step.name,
        "assign": found.step.assign,
        "rankers": list(found.step.rankers),
        "dropped": [{"loc": code, "why": why} for code, why in found.dropped[:LONGEST]],
        "dropped_total": len(found.dropped),
        "ranked": [{"loc": found.place(one).code, "tuple": list(found.ranks(one))} for one in found.leading],
        "ranked_total": found.total,
        "tried": [{"set": list(codes), "why_not": why} for codes, why in chosen.tried],
        "notes": list(chosen.notes),
        "outcome": ("part" if left else "all") if chosen.parts else "nothing",
    }


def _why_alone(found: Shortlist, winner: int) -> str:
    """Why one place ships the whole order, and what speaks for the nearest or the next best."""
    count = len(found.snapshot.needs)
    ships = "it ships " + ("the line" if count == 1 else f"all {count} lines")
    others = [one for one in found.leading if one != winner]
    if not others:
        return "it is the only location that has stock"
    nearer = _nearest(found, winner, others)
    if nearer is None:
        return ships + _why_before(found, winner, others[0])
    other, km = nearer
    place = f"{ships}; {found.place(other).code} is nearer ({km:.0f} km)"
    whole = lines_whole(found, other)
    if whole < count:
        packages = Search(found, Effort(MOST_FOR_WORDS)).fewest_with(other)
        return f"{place} but " + (f"would need {packages} packages" if packages else f"has {whole} of {count} lines")
    return place + _why_behind(found, winner, other)


def _nearest(found: Shortlist, winner: int, others: Sequence[int]) -> tuple[int, float] | None:
    """The nearest of the others that is nearer than the winner, and its kilometres."""
    destination = found.snapshot.destination
    mine = distance_to(found.place(winner), destination)
    if mine is None:
        return None
    away = [(km, one) for one in others if (km := distance_to(found.place(one), destination)) is not None]
    km, other = min(away, default=(mine, winner))
    return (other, km) if km < mine else None


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


def _first_difference(found: Shortlist, winner: int, other: int) -> str | None:
    """The ranker that decided between two places; None when none did."""
    ranks = zip(found.step.rankers, found.ranks(winner), found.ranks(other), strict=True)
    return next((name for name, mine, theirs in ranks if mine != theirs), None)


def _why_before(found: Shortlist, winner: int, other: int) -> str:
    code, name = found.place(other).code, _first_difference(found, winner, other)
    if lines_whole(found, other) < len(found.snapshot.needs):
        return f", which {code} cannot"  # it may well stand before the winner
    if name is None:
        return f" and, all else equal, comes before {code}"
    return _AHEAD.get(name, f" and {name} prefers it to {{other}}").format(other=code)


def _why_behind(found: Shortlist, winner: int, other: int) -> str:
    name = _first_difference(found, winner, other)
    if name is None:
        return " but, all else equal, comes later"
    return f" but {_BEHIND.get(name, f'{name} prefers the other')}"


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
    for position, one in enumerate(step["ranked"], start=1):
        said = zip(step["rankers"], one["tuple"], strict=True)
        ranks = ", ".join(f"{name} {rank}" for name, rank in said if rank is not None)
        lines.append(f"{position}. {one['loc']}{f' ({ranks})' if ranks else ''}.")
    if more := step["ranked_total"] - len(step["ranked"]):
        lines.append(f"{more} more ranked behind them.")
    lines += [f"Not {' + '.join(one['set']) or 'done'}: {one['why_not']}." for one in step["tried"]]
    lines += [f"{note[0].upper()}{note[1:]}." for note in step["notes"]]
    if step["outcome"] == "nothing":
        lines.append("This step found no place.")
    return lines


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
