"""Kits on an order: the channel's line stays as it was sold, and its components are what is routed and shipped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class Line(Protocol):
    """An order line, with counters in whole units. A component names its kit line."""

    id: str
    external_id: str
    kit_line_id: str | None
    ordered: int
    cancelled: int
    unwanted: int
    routed: int
    shipped: int
    delivered: int
    changed: bool


AnyLine = TypeVar("AnyLine", bound=Line)

COUNTERS = ("cancelled", "unwanted", "routed", "shipped", "delivered")


def parts_of(lines: Iterable[AnyLine], kit: Line) -> list[AnyLine]:
    """The component lines of a kit line; none when it is no kit."""
    return [line for line in lines if line.kit_line_id == kit.id]


def needed(kit: Line, part: Line) -> int:
    """Units of a component in one kit."""
    return part.ordered // kit.ordered


def parts_wanted(lines: Iterable[Line], wanted: Mapping[str, int]) -> dict[str, int]:
    """Units wanted of every component, from the kits that are `wanted` of its kit line; both by the line's own name."""
    by_id = {line.id: line for line in lines}
    return {
        line.external_id: wanted.get(by_id[line.kit_line_id].external_id, 0) * needed(by_id[line.kit_line_id], line)
        for line in by_id.values()
        if line.kit_line_id is not None
    }


def follow(lines: Sequence[Line]) -> None:
    """Bring the counters of every kit line to the whole kits that its components make up."""
    parts: dict[str, list[Line]] = {}
    for line in lines:
        if line.kit_line_id is not None:
            parts.setdefault(line.kit_line_id, []).append(line)
    for kit in lines if parts else ():
        for name in COUNTERS if kit.id in parts else ():
            whole = min(getattr(part, name) // needed(kit, part) for part in parts[kit.id])
            if getattr(kit, name) != whole:
                setattr(kit, name, whole)
                kit.changed = True


def shipped_as_sold(lines: Sequence[Line], most: Mapping[str, int] | None = None) -> int:
    """Units shipped as the channel counts them: whole kits, and lines that are no components.

    `most` are the most that the channel knows of, by line; of the others it knows all.
    """
    follow(lines)
    known = most or {}
    return sum(min(line.shipped, known.get(line.id, line.shipped)) for line in lines if line.kit_line_id is None)


def as_sold(
    lines: Sequence[Line], packages: Sequence[tuple[str, Sequence[tuple[str, int]]]]
) -> dict[str, list[tuple[str, int]]]:
    """(line id, units) in the channel's own lines by package, of all packages of an order in the order they left.

    `packages` hold (order line id, units). A kit counts in the package that makes it whole.
    """
    by_id = {line.id: line for line in lines}
    left: dict[str, int] = {}
    found: dict[str, list[tuple[str, int]]] = {}
    for package_id, contents in packages:
        told: dict[str, int] = {}
        for line_id, units in contents:
            kit_id = by_id[line_id].kit_line_id
            if kit_id is None:
                told[line_id] = told.get(line_id, 0) + units
                continue
            before = _whole(lines, by_id[kit_id], left)
            left[line_id] = left.get(line_id, 0) + units
            made = _whole(lines, by_id[kit_id], left) - before
            if made:
                told[kit_id] = told.get(kit_id, 0) + made
        found[package_id] = list(told.items())
    return found


def _whole(lines: Sequence[Line], kit: Line, left: Mapping[str, int]) -> int:
    return min(left.get(part.id, 0) // needed(kit, part) for part in parts_of(lines, kit))


def share_minor(lines: Sequence[Line], kit: Line, total_minor: int) -> int:
    """What one unit of any component stands for in the kit's price, in whole minor units."""
    return total_minor // max(1, sum(part.ordered for part in parts_of(lines, kit)))


def worth_minor(lines: Sequence[Line], kit: Line, total_minor: int, units: Mapping[str, int]) -> dict[str, int]:
    """The kit's price shared out over some units of its components, by line id; whole kits lose nothing to rounding."""
    parts = parts_of(lines, kit)
    all_units, taken, given = max(1, sum(part.ordered for part in parts)), 0, 0
    found = {}
    for part in parts:
        taken += units.get(part.id, 0)
        found[part.id] = total_minor * taken // all_units - given
        given += found[part.id]
    return found
