"""Sharing lines among a few places that ship together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

from hub.domain.routing.shapes import Need

MOST_WAYS = 500  # ways to place groups that are tried


@dataclass(slots=True)
class Shares:
    """Who ships what: units by place and line. `free` is what is left, by place and variant."""

    free: dict[str, dict[str, int]]
    parts: dict[str, dict[str, int]] = field(default_factory=dict)

    @property
    def units(self) -> int:
        return sum(sum(part.values()) for part in self.parts.values())

    def of(self, place: str, need: Need) -> int:
        """Units of a line that this place ships."""
        return self.parts.get(place, {}).get(need.line_id, 0)

    def left(self, place: str, variant_id: str) -> int:
        return self.free[place].get(variant_id, 0)

    def holds(self, place: str, bundle: Sequence[Need]) -> bool:
        """Whether the place still has all of the bundle."""
        wanted: dict[str, int] = {}
        for need in bundle:
            wanted[need.variant_id] = wanted.get(need.variant_id, 0) + need.units
        return all(self.left(place, variant_id) >= units for variant_id, units in wanted.items())

    def take(self, place: str, need: Need, units: int) -> None:
        """Let the place ship units of the line; a negative number gives them back."""
        self.free[place][need.variant_id] -= units
        part = self.parts.setdefault(place, {})
        part[need.line_id] = part.get(need.line_id, 0) + units
        if not part[need.line_id]:
            del part[need.line_id]
        if not part:
            del self.parts[place]

    def take_all(self, place: str, bundle: Sequence[Need]) -> None:
        for need in bundle:
            self.take(place, need, need.units)


@dataclass(frozen=True, slots=True)
class Shelf:
    """Free units by place (best ranked first) and variant, and the (line, place) pairs that are out of the question."""

    free: Mapping[str, Mapping[str, int]]
    excluded: Collection[tuple[str, str]]

    def by_preference(self, needs: Sequence[Need]) -> Shares:
        """Whole lines to the best-ranked holder first, then the rest by quantity."""
        shares = self._nothing()
        divisible: list[Need] = []
        for bundle in bundles(needs):
            holder = next((place for place in self._places(bundle) if shares.holds(place, bundle)), None)
            if holder is not None:
                shares.take_all(holder, bundle)
            elif bundle[0].group is None:
                divisible += bundle
        for need in divisible:
            left = need.units
            for place in self._places([need]):
                units = min(left, shares.left(place, need.variant_id))
                if units > 0:
                    shares.take(place, need, units)
                    left -= units
        return shares

    def fullest(self, needs: Sequence[Need], known: Shares) -> Shares:
        """Shares with the most units; `known` when nothing is better, or when there are too many ways to try."""
        groups = [bundle for bundle in bundles(needs) if bundle[0].group is not None]
        places = [[*self._places(bundle), None] for bundle in groups]
        if prod(len(choice) for choice in places) > MOST_WAYS:
            return known
        best = known
        for chosen in product(*places):
            shares = self._nothing()
            for bundle, place in zip(groups, chosen, strict=True):
                if place is not None and shares.holds(place, bundle):
                    shares.take_all(place, bundle)
            self._fill([need for need in needs if need.group is None], shares)
            if shares.units > best.units:
                best = shares
        return best

    def _fill(self, needs: Sequence[Need], shares: Shares) -> None:
        """Give the lines as many units as can be, moving one line aside for another where that helps."""
        for need in needs:
            left = need.units
            while left > 0 and (moved := self._place(need, left, needs, shares, set())):
                left -= moved

    def _place(self, need: Need, units: int, needs: Sequence[Need], shares: Shares, seen: set[str]) -> int:
        """Place up to `units` of a line; returns how many. `seen` are the places that are being cleared already."""
        for place in self._places([need]):
            if place in seen:
                continue
            seen.add(place)
            moved = min(units, shares.left(place, need.variant_id))
            if not moved:
                moved = self._clear(place, need, units, needs, shares, seen)
            if moved:
                shares.take(place, need, moved)
                return moved
        return 0

    def _clear(self, place: str, need: Need, units: int, needs: Sequence[Need], shares: Shares, seen: set[str]) -> int:
        """Move up to `units` of another line of the same variant from a place to elsewhere; returns how many."""
        for other in needs:
            here = shares.of(place, other) if other.variant_id == need.variant_id and other is not need else 0
            if here and (moved := self._place(other, min(units, here), needs, shares, seen)):
                shares.take(place, other, -moved)
                return moved
        return 0

    def _places(self, bundle: Sequence[Need]) -> Iterator[str]:
        """Places that may ship the bundle, best ranked first."""
        for place in self.free:
            if not any((need.line_id, place) in self.excluded for need in bundle):
                yield place

    def _nothing(self) -> Shares:
        return Shares({place: dict(units) for place, units in self.free.items()})


def bundles(needs: Sequence[Need]) -> list[list[Need]]:
    """Lines that ship together, groups where their first line stands."""
    found: dict[tuple[str, str], list[Need]] = {}
    for need in needs:
        key = ("line", need.line_id) if need.group is None else ("group", need.group)
        found.setdefault(key, []).append(need)
    return list(found.values())
