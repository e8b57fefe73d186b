"""Kits by pencil: counters of the kit line, and what a channel is told of a parcel."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from hub.domain import kits


@dataclass
class Line:
    id: str
    kit_line_id: str | None = None
    ordered: int = 0
    cancelled: int = 0
    unwanted: int = 0
    routed: int = 0
    shipped: int = 0
    delivered: int = 0
    changed: bool = False

    @property
    def external_id(self) -> str:
        return self.id


def order(a_shipped: int = 0, b_shipped: int = 0) -> list[Line]:
    """Three sets of 2 x A and 1 x B, and a mug."""
    return [
        Line("set", ordered=3),
        Line("a", "set", 6, routed=6, shipped=a_shipped),
        Line("b", "set", 3, routed=3, shipped=b_shipped),
        Line("mug", ordered=1, routed=1),
    ]


def test_a_kit_has_shipped_as_often_as_its_components_make_it_whole():
    lines = order(a_shipped=5, b_shipped=3)
    kits.follow(lines)
    assert (lines[0].shipped, lines[0].routed, lines[0].changed) == (2, 3, True)
    assert kits.shipped_as_sold(lines) == 2


def test_a_line_that_is_no_kit_is_left_alone():
    lines = order()
    kits.follow(lines)
    assert (lines[3].routed, lines[3].changed) == (1, False)


def test_a_kit_is_told_with_the_parcel_that_makes_it_whole():
    packages = [("p1", [("a", 4), ("mug", 1)]), ("p2", [("b", 2)]), ("p3", [("a", 2), ("b", 1)])]
    assert kits.as_sold(order(), packages) == {"p1": [("mug", 1)], "p2": [("set", 2)], "p3": [("set", 1)]}


def test_more_kits_want_more_of_every_component():
    assert kits.parts_wanted(order(), {"set": 5, "mug": 1}) == {"a": 10, "b": 5}
    assert kits.parts_wanted(order(), {"mug": 1}) == {"a": 0, "b": 0}


def test_a_component_stands_for_its_share_of_the_kits_price():
    lines = order()
    assert kits.share_minor(lines, lines[0], 9_000) == 1_000


def test_the_price_of_whole_kits_is_shared_over_their_components_without_a_rest():
    lines = order()
    assert kits.worth_minor(lines, lines[0], 10_000, {"a": 6, "b": 3}) == {"a": 6_666, "b": 3_334}
    assert sum(kits.worth_minor(lines, lines[0], 10_000, {"a": 2, "b": 1}).values()) == 3_333  # one kit of three
    assert kits.worth_minor(lines, lines[0], 10_000, {"b": 3}) == {"a": 0, "b": 3_333}


@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3)), max_size=12))
def test_what_is_told_in_all_parcels_together_is_what_has_shipped(parcels):
    lines, packages = order(), []
    for number, (line_id, wanted) in enumerate(parcels):
        line = next(one for one in lines if one.id == line_id)
        units = min(wanted, line.routed - line.shipped)
        line.shipped += units
        packages.append((f"p{number}", [(line_id, units)]))
    told = kits.as_sold(lines, packages)
    assert sum(units for contents in told.values() for _, units in contents) == kits.shipped_as_sold(lines)
