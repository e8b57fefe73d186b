"""A decision from outside: what is asked, and how an answer is held to the snapshot before it is taken.

The question is the router's input document. The answer names who ships what. It is checked against the same snapshot,
so that a wrong or late answer can promise nothing that is not there; an answer that does not hold is not mended but
left, and the orders are routed by rank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from hub.domain.routing.document import to_document
from hub.domain.routing.network import Network
from hub.domain.routing.plan import EXTERNAL, inputs_hash, ranked, taken_as_given
from hub.domain.routing.rankers import BUILT_IN
from hub.domain.routing.shapes import Plan, Ranker, Snapshot
from hub.domain.routing.share import Bundle, bundles, sets_of
from hub.domain.routing.shortlist import Shortlist, columns_of, shortlist
from hub.domain.routing.trace import outside_step

MOST_PARTS = 100


class BadAnswerError(ValueError):
    """An answer that cannot be taken; the message says why."""


def question(snapshot: Snapshot) -> dict[str, Any]:
    """What is sent: the input as `routing-input.v1`, and the fingerprint that the answer has to repeat."""
    return {"inputs_hash": inputs_hash(snapshot, EXTERNAL), "input": to_document(snapshot)}


def plan_from(
    answer: Any, snapshot: Snapshot, rankers: Mapping[str, Ranker] = BUILT_IN, *, asked: str | None = None
) -> Plan:
    """The plan of an answer that holds; otherwise the plan by rank, with why the answer was left in its trace."""
    try:
        return checked(answer, snapshot, asked=asked)
    except BadAnswerError as error:
        return without_answer(str(error), snapshot, rankers)


def without_answer(why: str, snapshot: Snapshot, rankers: Mapping[str, Ranker] = BUILT_IN) -> Plan:
    """The plan by rank; its trace begins with why there is none from outside."""
    decided = ranked(snapshot, rankers)
    return replace(decided, trace=dict(decided.trace) | {"steps": [outside_step(why), *decided.trace["steps"]]})


def checked(answer: Any, snapshot: Snapshot, *, asked: str | None = None) -> Plan:
    """The plan of an answer `{"inputs_hash": …, "parts": [{"location": id, "units": {line: count}}]}`.

    Every part has to come from a location that some step may ask, with lines it may ship, no more units than it may
    give and no more than are needed; groups and kits are whole or left out; no more locations than a step allows. What
    is not in the answer waits. `asked` is the fingerprint of the question when stock may have moved since: the answer
    has to be to that question and has to hold today. Raises BadAnswerError.
    """
    if not isinstance(answer, Mapping):
        raise BadAnswerError("the answer is no JSON object")
    if answer.get("inputs_hash") != (asked or inputs_hash(snapshot, EXTERNAL)):
        raise BadAnswerError("the answer is for another state of stock or order")
    parts = _parts(answer.get("parts"), snapshot)
    if len(parts) > max(step.max_shipments for step in snapshot.rules.steps):
        raise BadAnswerError(f"the answer has {len(parts)} parcels, more than any step allows")
    _check_lines(parts, snapshot)
    found = _open_to_all_steps(snapshot)
    for position, units in parts.items():
        _check_part(position, units, found)
    return taken_as_given(snapshot, parts, found)


def _parts(said: Any, snapshot: Snapshot) -> dict[int, dict[str, int]]:
    """Units by place and line. Raises BadAnswerError for what has not that form."""
    if not isinstance(said, Sequence) or isinstance(said, str) or len(said) > MOST_PARTS:
        raise BadAnswerError("the answer has no list of parts")
    network = Network.of(snapshot.places)
    found: dict[int, dict[str, int]] = {}
    for part in said:
        place = part.get("location") if isinstance(part, Mapping) else None
        units = part.get("units") if isinstance(part, Mapping) else None
        position = network.position(place) if isinstance(place, str) else None
        if position is None or position in found:
            raise BadAnswerError(f"a part is from {place!r}, which is no location, or is there twice")
        if not isinstance(units, Mapping) or not units:
            raise BadAnswerError(f"the part from {place!r} has no units")
        if not all(type(count) is int and count > 0 for count in units.values()):
            raise BadAnswerError(f"the part from {place!r} has units that are no whole number above 0")
        found[position] = dict(units)
    return found


def _check_lines(parts: Mapping[int, Mapping[str, int]], snapshot: Snapshot) -> None:
    """No line ships more than it needs, none is unknown, and groups are whole. Raises BadAnswerError."""
    needs = {need.line_id: need for need in snapshot.needs}
    taken: dict[str, int] = {}
    for units in parts.values():
        for line, count in units.items():
            if line not in needs:
                raise BadAnswerError(f"there is no line {line!r}")
            taken[line] = taken.get(line, 0) + count
    for line, count in taken.items():
        if count > needs[line].units:
            raise BadAnswerError(f"{count} units of line {line!r}, of which {needs[line].units} are needed")
    for bundle in bundles(snapshot.needs):
        if bundle[0].group is not None and any(_divides(bundle, units) for units in parts.values()):
            raise BadAnswerError("a group of lines is divided")


def _divides(bundle: Bundle, units: Mapping[str, int]) -> bool:
    """Whether a part has some of a group's lines, or of a kit's, without the rest."""
    sets = {Fraction(units.get(need.line_id, 0) * sets_of(bundle), need.units) for need in bundle}
    return len(sets) > 1 or sets.pop().denominator > 1


def _open_to_all_steps(snapshot: Snapshot) -> list[Shortlist]:
    """What each step could choose from, were it the first."""
    network = Network.of(snapshot.places)
    snapshot = replace(snapshot, places=network)
    columns = columns_of(snapshot, network)
    return [
        shortlist(step, (), snapshot, columns, unit_worth={}, worth_factor=1, is_whole=True)
        for step in snapshot.rules.steps
    ]


def _check_part(position: int, units: Mapping[str, int], found: Sequence[Shortlist]) -> None:
    """Some step could take all of the part from its place. Raises BadAnswerError."""
    if not any(_could(one, position, units) for one in found):
        code = found[0].place(position).code
        raise BadAnswerError(f"{code} may not ship that, or has not so many units")


def _could(found: Shortlist, position: int, units: Mapping[str, int]) -> bool:
    if found.usable is not None and position not in found.usable:
        return False
    free = found.free(position)
    for need in found.snapshot.needs:
        count = units.get(need.line_id, 0)
        if not count:
            continue
        free[need.variant_id] -= count
        if free[need.variant_id] < 0 or (need.line_id, found.network.ids[position]) in found.forbidden:
            return False
    return True
