"""The router: hard filters, ranks, the fewest places that ship the most, and the trace of all of it.

The rules and their worked examples are in `docs/reference/routing.md`.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from hub.domain import words
from hub.domain.routing import rankers as builtin
from hub.domain.routing.shapes import Need, Part, Place, Plan, Ranker, Remainder, Snapshot
from hub.domain.routing.share import Shelf

DEFAULT_RANKERS: Mapping[str, Ranker] = {
    "min_splits": builtin.min_splits,
    "market": builtin.market,
    "closest": builtin.closest,
}
STRATEGY = "ranked@1"
LONGEST_TRACE = 20  # ranked places kept in a trace
MOST_CANDIDATES = 40  # places considered together for a split, best ranked first


@dataclass(frozen=True, slots=True)
class _Candidate:
    place: Place
    ranks: tuple[int | None, ...]
    free: Mapping[str, int]  # units by variant id


def plan(snapshot: Snapshot, rankers: Mapping[str, Ranker] = DEFAULT_RANKERS) -> Plan:
    """Decide where every unit ships from.

    The best-ranked place that has everything wins; if none has, the fewest places (at most the step allows)
    that ship the most units, and among those the best ranked. Inside such a set a line goes
    whole to its best-ranked holder and is divided only when no single holder has all of it, or when more units ship
    that way; groups are never divided. The same snapshot always gives the same plan, in whatever order its parts were
    listed.
    """
    snapshot = _in_order(snapshot)
    needs = snapshot.needs
    usable, dropped = _filter(snapshot, needs)
    candidates = _rank(usable, snapshot, rankers)
    chosen, parts = _assign(candidates, needs, snapshot)
    remainder = _remainder(needs, parts, snapshot)
    trace = {
        "strategy": STRATEGY,
        "rankers": list(rankers),
        "dropped": dropped,
        "ranked": [{"location": one.place.code, "ranks": list(one.ranks)} for one in candidates[:LONGEST_TRACE]],
        "ranked_total": len(candidates),
        "chosen": [{"location": one.place.code, "units": dict(parts[one.place.id])} for one in chosen],
        "remainder": [{"line": rest.line_id, "units": rest.units, "reason": rest.reason} for rest in remainder],
    }
    return Plan(
        tuple(Part(one.place.id, parts[one.place.id]) for one in chosen),
        remainder,
        _sentence(chosen, candidates, needs, remainder, list(rankers)),
        inputs_hash(snapshot, rankers),
        trace,
    )


def _in_order(snapshot: Snapshot) -> Snapshot:
    """The same snapshot in the one order in which everything is looked at, by rankers too."""
    needs = sorted(snapshot.needs, key=lambda need: need.line_id)
    return replace(snapshot, needs=tuple(needs), places=tuple(sorted(snapshot.places, key=lambda place: place.code)))


def inputs_hash(snapshot: Snapshot, rankers: Iterable[str]) -> str:
    """A fingerprint of everything the decision rests on, independent of listing order."""
    variants = {need.variant_id for need in snapshot.needs}
    facts = [
        sorted((need.line_id, need.variant_id, need.units, need.group or "") for need in snapshot.needs),
        [getattr(snapshot.destination, name) for name in ("country", "market", "latitude", "longitude")],
        sorted(_said_of(place) for place in snapshot.places),
        sorted((*key, units) for key, units in snapshot.sellable.items() if units > 0 and key[1] in variants),
        sorted(snapshot.excluded),
        snapshot.rules.steps[0].max_shipments,
        list(rankers),
        STRATEGY,
    ]
    return hashlib.sha256(json.dumps(facts, separators=(",", ":")).encode()).hexdigest()


def _said_of(place: Place) -> tuple[Any, ...]:
    where = (place.country, place.latitude, place.longitude, sorted(place.markets))
    return (place.id, place.code, *where, place.rank, place.is_default, place.closed)


def _filter(snapshot: Snapshot, needs: Sequence[Need]) -> tuple[list[_Candidate], list[dict[str, str]]]:
    """Places that could ship at least one unit, and why the others could not."""
    usable: list[_Candidate] = []
    dropped: list[dict[str, str]] = []
    for place in snapshot.places:
        if place.closed:
            dropped.append({"location": place.code, "why": place.closed})
            continue
        wanted = {n.variant_id for n in needs if (n.line_id, place.id) not in snapshot.excluded}
        if not wanted:
            dropped.append({"location": place.code, "why": "it refused these lines before"})
            continue
        free = {variant: max(0, snapshot.sellable.get((place.id, variant), 0)) for variant in wanted}
        if any(free.values()):
            usable.append(_Candidate(place, (), free))
        else:
            dropped.append({"location": place.code, "why": "it has none of the articles"})
    dropped.sort(key=lambda drop: drop["location"])
    return usable, dropped[:LONGEST_TRACE]


def _rank(usable: list[_Candidate], snapshot: Snapshot, rankers: Mapping[str, Ranker]) -> list[_Candidate]:
    """Candidates in order: rank by rank, then the default location, then the code, so that no tie is left to chance."""
    ranked = [
        _Candidate(one.place, tuple(ranker(one.place, snapshot) for ranker in rankers.values()), one.free)
        for one in usable
    ]
    ranked.sort(
        key=lambda one: (
            [(rank is None, rank or 0) for rank in one.ranks],
            not one.place.is_default,
            one.place.code,
        )
    )
    return ranked


def _assign(
    candidates: list[_Candidate], needs: Sequence[Need], snapshot: Snapshot
) -> tuple[tuple[_Candidate, ...], dict[str, dict[str, int]]]:
    """The fewest places that ship the most, the best ranked first."""
    wanted = sum(need.units for need in needs)
    best: tuple[int, tuple[_Candidate, ...], dict[str, dict[str, int]]] = (0, (), {})
    pool = candidates
    for size in range(1, snapshot.rules.steps[0].max_shipments + 1):
        if size == 2:
            pool = _distinct(candidates, needs, snapshot)
        for group in combinations(pool, size):
            if best[0] and _most(group, needs) <= best[0]:
                continue
            parts = _share(group, needs, snapshot)
            units = sum(sum(part.values()) for part in parts.values())
            if units > best[0]:
                best = (units, tuple(one for one in group if one.place.id in parts), parts)
            if units == wanted:
                return best[1], best[2]
    return best[1], best[2]


def _distinct(candidates: list[_Candidate], needs: Sequence[Need], snapshot: Snapshot) -> list[_Candidate]:
    """Of places that offer the same units only as many as could ship together are worth trying."""
    wanted = _wanted(needs)
    seen: Counter[tuple[Any, ...]] = Counter()
    kept: list[_Candidate] = []
    for one in candidates:
        units = tuple(min(units, one.free.get(variant, 0)) for variant, units in wanted.items())
        refused = tuple(need.line_id for need in needs if (need.line_id, one.place.id) in snapshot.excluded)
        seen[units, refused] += 1
        if seen[units, refused] <= snapshot.rules.steps[0].max_shipments:
            kept.append(one)
    return kept[:MOST_CANDIDATES]


def _wanted(needs: Iterable[Need]) -> dict[str, int]:
    """Units by variant."""
    wanted: dict[str, int] = {}
    for need in needs:
        wanted[need.variant_id] = wanted.get(need.variant_id, 0) + need.units
    return wanted


def _most(group: Sequence[_Candidate], needs: Sequence[Need]) -> int:
    """No more units than this can come from the group."""
    return sum(min(units, sum(one.free.get(v, 0) for one in group)) for v, units in _wanted(needs).items())


def _share(group: Sequence[_Candidate], needs: Sequence[Need], snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """Units by place and line, as many as the group can ship.

    Taking lines one after another is best unless a group or a refusal stands in the way; then it may take what
    another line needed more, and every way is tried.
    """
    shelf = Shelf({one.place.id: dict(one.free) for one in group}, snapshot.excluded)
    shares = shelf.by_preference(needs)
    in_the_way = snapshot.excluded or any(need.group is not None for need in needs)
    if in_the_way and shares.units < _most(group, needs):
        return shelf.fullest(needs, shares).parts
    return shares.parts


def _remainder(
    needs: Sequence[Need], parts: Mapping[str, Mapping[str, int]], snapshot: Snapshot
) -> tuple[Remainder, ...]:
    refused = {line_id for line_id, _ in snapshot.excluded}
    rest = []
    for need in needs:
        left = need.units - sum(part.get(need.line_id, 0) for part in parts.values())
        if left:
            reason = "refused where it was in stock" if need.line_id in refused else "not in stock"
            rest.append(Remainder(need.line_id, left, reason))
    return tuple(rest)


def _sentence(
    chosen: Sequence[_Candidate],
    candidates: Sequence[_Candidate],
    needs: Sequence[Need],
    remainder: Sequence[Remainder],
    names: Sequence[str],
) -> str:
    """Why, in one sentence."""
    short = sum(rest.units for rest in remainder)
    if not chosen:
        return f"No location can ship any of the {words.units(sum(need.units for need in needs))}."
    codes = " + ".join(one.place.code for one in chosen)
    missing = f"; {words.units(short)} missing" if short else ""
    if len(chosen) > 1:
        return f"{codes} because no single location has everything{missing}."
    lines = "the line" if len(needs) == 1 else f"all {len(needs)} lines"
    if short:
        return f"{codes} because it ships the most{missing}."
    runner_up = next((one for one in candidates if one is not chosen[0]), None)
    if runner_up is None:
        return f"{codes} because it is the only location that has stock."
    return f"{codes} because it ships {lines}{_why_before(chosen[0], runner_up, names)}."


def _why_before(winner: _Candidate, other: _Candidate, names: Sequence[str]) -> str:
    words: Mapping[str, str] = {
        "min_splits": "which {other} cannot",
        "market": "and is in the customer's market, unlike {other}",
        "closest": "and is nearer than {other}",
        "ranked": "and stands before {other} in the order of locations",
    }
    for name, mine, theirs in zip(names, winner.ranks, other.ranks, strict=True):
        if mine != theirs:
            said = words.get(name, f"and {name} prefers it to {{other}}").format(other=other.place.code)
            return (", " if name == "min_splits" else " ") + said
    return f" and, all else equal, comes before {other.place.code}"


def readable(trace: Mapping[str, Any]) -> list[str]:
    """A stored trace as lines for people."""
    lines = [f"Left out {drop['location']}: {drop['why']}." for drop in trace.get("dropped", ())]
    names = trace.get("rankers", [])
    for position, one in enumerate(trace.get("ranked", ()), start=1):
        ranks = ", ".join(f"{name} {rank}" for name, rank in zip(names, one["ranks"], strict=True) if rank is not None)
        lines.append(f"{position}. {one['location']} ({ranks}).")
    lines += [
        f"Chosen {one['location']}: {words.units(sum(one['units'].values()))}." for one in trace.get("chosen", ())
    ]
    lines += [f"Missing {words.units(rest['units'])}: {rest['reason']}." for rest in trace.get("remainder", ())]
    return lines
