"""Reorder: how many units to buy, from demand, lead time and the chance of running out that one accepts.

The arithmetic in words: an article is ordered when what is there and coming falls to the reorder point, which is the
demand of the lead time and a safety stock. It is then filled up to the level, which is the demand of the lead time and
the review period and the same safety stock. The safety stock is z x sigma x root(lead time + review period).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, sqrt
from statistics import NormalDist

FEW_DAYS = 14  # with fewer days in stock than this, the demand is hardly known


@dataclass(frozen=True, slots=True)
class History:
    """What was wanted of one article on the days of a window, of which day 0 is the first."""

    days: int  # length of the window
    demand: Mapping[int, int]  # units by day; days without orders are left out
    in_stock: int  # a bit for each day on which there was something to sell; bit 0 is the first day


@dataclass(frozen=True, slots=True)
class Demand:
    """Demand per day, known from the days on which there was something to sell."""

    days: int  # such days
    left_out: int  # days of the window without stock
    per_day: float
    deviation: float  # standard deviation of a day


@dataclass(frozen=True, slots=True)
class Terms:
    """How an article is bought and kept."""

    lead_days: int  # from the order until the goods are on the shelf
    review_days: int  # how often one orders
    service_level: int = 95  # percent of cycles that shall not run out
    pack_size: int = 1
    min_quantity: int = 0
    max_units: int | None = None  # never more than this, with what is coming
    reorder_point: int | None = None  # instead of the reckoned one


@dataclass(frozen=True, slots=True)
class Position:
    """What there is of an article, in units."""

    available: int
    incoming: int = 0  # on order or on its way
    drafted: int = 0  # on drafts that were not sent yet
    waiting: int = 0  # promised to orders that have no place

    @property
    def units(self) -> int:
        return self.available + self.incoming + self.drafted - self.waiting


@dataclass(frozen=True, slots=True)
class BackTest:
    """What would have been foretold for the last days of the window, and what came."""

    days: int  # of these, days in stock
    forecast: float
    actual: int

    @property
    def error(self) -> float:
        """Units foretold too many; negative when too few."""
        return self.forecast - self.actual


@dataclass(frozen=True, slots=True)
class Proposal:
    """How many units to order and every number that made it. 0 units: nothing is needed."""

    units: int
    wanted: int  # before packs, minimum and maximum
    point: int
    level: int
    safety: float
    position: Position
    demand: Demand
    terms: Terms
    remarks: tuple[str, ...] = ()


def demand_of(history: History, first: int = 0, end: int | None = None) -> Demand:
    """Mean and sample deviation of the days `first` up to `end`, days without stock left out."""
    end = history.days if end is None else end
    mask = (history.in_stock >> first) & ((1 << (end - first)) - 1)
    days = mask.bit_count()
    units = [
        count for day, count in history.demand.items() if first <= day < end and (history.in_stock >> day) & 1 and count
    ]
    if not days:
        return Demand(0, end - first, 0.0, 0.0)
    mean = sum(units) / days
    squares = sum(count * count for count in units) - days * mean * mean
    return Demand(days, end - first - days, mean, sqrt(max(0.0, squares) / (days - 1)) if days > 1 else 0.0)


def back_test(history: History, days: int) -> BackTest | None:
    """Foretell the last `days` from the ones before; None when either part had no day in stock."""
    split = history.days - days
    before, after = demand_of(history, 0, split), demand_of(history, split)
    if not before.days or not after.days:
        return None
    return BackTest(after.days, before.per_day * after.days, round(after.per_day * after.days))


def z(service_level: int) -> float:
    """How many deviations keep this percentage of cycles from running out."""
    return NormalDist().inv_cdf(service_level / 100)


def propose(demand: Demand, position: Position, terms: Terms) -> Proposal:
    """How many units to order now."""
    cycle = terms.lead_days + terms.review_days
    safety = max(0.0, z(terms.service_level) * demand.deviation * sqrt(cycle))
    reckoned = _up(demand.per_day * terms.lead_days + safety)
    point = reckoned if terms.reorder_point is None else terms.reorder_point
    level = max(point, _up(demand.per_day * cycle + safety))
    remarks = [f"only {demand.days} days of demand are known"] if demand.days < FEW_DAYS else []
    wanted = level - position.units if position.units <= point else 0
    units = _in_packs(wanted, position, terms, remarks) if wanted > 0 else 0
    return Proposal(units, max(0, wanted), point, level, safety, position, demand, terms, tuple(remarks))


def _in_packs(wanted: int, position: Position, terms: Terms, remarks: list[str]) -> int:
    """Whole packs, at least the supplier's minimum, at most what there is room for."""
    units = _packs(max(wanted, terms.min_quantity), terms.pack_size)
    if terms.max_units is None or position.units + units <= terms.max_units:
        return units
    room = max(0, terms.max_units - position.units) // terms.pack_size * terms.pack_size
    if room < terms.min_quantity:
        remarks.append(f"there is room for {room} units and the supplier's minimum is {terms.min_quantity}")
        return 0
    remarks.append(f"cut from {units} to {room} units: at most {terms.max_units} are kept")
    return room


def _packs(units: int, size: int) -> int:
    return -(-units // size) * size


def _up(units: float) -> int:
    """Whole units, up; a rest that comes from reckoning with fractions does not count."""
    return ceil(round(units, 6))


def surplus(proposal: Proposal) -> int:
    """Units that a place can give away and still have its level on the shelf."""
    here = proposal.position.available - proposal.position.waiting
    return max(0, here - proposal.level)
