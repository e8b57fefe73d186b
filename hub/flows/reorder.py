"""Reorder: what to buy or to move, with the numbers that say so, for every article at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hub.domain import reorder as rules
from hub.domain.reorder import BackTest, Proposal, Terms
from hub.flows.runtime import Runtime
from hub.store import catalog, demand, suppliers
from hub.store.catalog import LocationRow
from hub.store.database import Tx
from hub.store.demand import NETWORK, Facts, Where
from hub.store.suppliers import Item, Policy, Supplier

WINDOW = 90  # days that are looked back on
TEST_DAYS = 28  # of these, the last ones are foretold from the ones before
NO_SUPPLIER = Terms(lead_days=14, review_days=7)  # until somebody says where the article is bought


class UnknownPlaceError(KeyError):
    """There is no such location."""

    def __str__(self) -> str:
        return f"there is no location {self.args[0]!r}"


@dataclass(frozen=True, slots=True)
class Source:
    """Another place of ours that has more than it needs."""

    location: str
    units: int  # that it can give, of those that are wanted


@dataclass(frozen=True, slots=True)
class Need:
    """An article that is to be reordered, and where it can come from."""

    variant_id: str
    sku: str
    title: str
    proposal: Proposal
    back_test: BackTest | None
    item: Item | None  # as its supplier sells it
    supplier: Supplier | None
    transfer: Source | None  # cheaper, when there is one

    @property
    def cost_minor(self) -> int:
        """What the proposed units cost, in the supplier's currency."""
        return self.proposal.units * self.item.cost_minor if self.item else 0


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is to be reordered for one place, or for the whole network."""

    location: str  # code; "" for the network
    days: int  # looked back on
    articles: int  # looked at
    needs: tuple[Need, ...]
    forecast: float  # what the back-test foretold for all articles
    actual: int  # and what came
    missed: float  # units by which the forecasts of the articles were wrong, over or under

    @property
    def error_percent(self) -> float | None:
        """How far off forecasts were, weighted by units; None when nothing could be tested."""
        return 100 * self.missed / self.actual if self.actual else None


@dataclass(frozen=True, slots=True)
class _Books:
    """Everything a reckoning rests on."""

    facts: Facts
    items: Mapping[str, Item]
    suppliers: Mapping[str, Supplier]
    policies: Mapping[tuple[str, str | None], Policy]
    places: Mapping[str, LocationRow]
    movers: frozenset[str]  # ids of locations that send and take transfers

    def terms(self, variant_id: str, where: str) -> Terms:
        policy = (
            self.policies.get((variant_id, where)) or self.policies.get((variant_id, None)) or Policy(variant_id, None)
        )
        item = self.items.get(variant_id)
        bought = NO_SUPPLIER
        if item is not None:
            seller = self.suppliers[item.supplier_id]
            lead = seller.lead_time_days if item.lead_time_days is None else item.lead_time_days
            bought = Terms(lead, seller.review_days, pack_size=item.pack_size, min_quantity=item.min_quantity)
        return Terms(
            bought.lead_days, bought.review_days, policy.service_level, bought.pack_size, bought.min_quantity,
            policy.max_units, policy.reorder_point,
        )  # fmt: skip

    def proposal(self, variant_id: str, where: str) -> Proposal:
        history = self.facts.history((variant_id, where))
        position = self.facts.position((variant_id, where))
        return rules.propose(rules.demand_of(history), position, self.terms(variant_id, where))


def reckon(runtime: Runtime, location: str = "", *, days: int = WINDOW) -> Reckoning:
    """What to reorder for one location, by code, or for the network. Raises UnknownPlaceError.

    A place's demand is what it was given to ship; the network's is all that was ordered, so that units which no place
    could ship count as well. Writes nothing.
    """
    with runtime.db.read() as tx:
        books = _books(tx, runtime, days)
    where = NETWORK
    if location:
        where = next((one.id for one in books.places.values() if one.code == location), "")
        if not where:
            raise UnknownPlaceError(location)
    needs, totals = list[Need](), [0.0, 0.0, 0.0]
    for variant_id, (sku, title) in books.facts.skus.items():
        test = rules.back_test(books.facts.history((variant_id, where)), min(TEST_DAYS, days // 3))
        if test is not None:
            totals = [totals[0] + test.forecast, totals[1] + test.actual, totals[2] + abs(test.error)]
        proposal = books.proposal(variant_id, where)
        if proposal.wanted:
            needs.append(_need(books, variant_id, sku, title, where, proposal, test))
    return Reckoning(location, days, len(books.facts.skus), tuple(needs), totals[0], int(totals[1]), totals[2])


def _books(tx: Tx, runtime: Runtime, days: int) -> _Books:
    return _Books(
        demand.read(tx, runtime.clock(), days),
        suppliers.best_items(tx),
        {one.id: one for one in suppliers.every(tx)},
        suppliers.policies(tx),
        {one.id: one for one in catalog.locations(tx)},
        demand.movers(tx),
    )


def _need(
    books: _Books, variant_id: str, sku: str, title: str, where: str, proposal: Proposal, test: BackTest | None
) -> Need:
    item = books.items.get(variant_id)
    seller = books.suppliers[item.supplier_id] if item else None
    source = _source(books, variant_id, where, proposal.wanted) if where in books.movers else None
    return Need(variant_id, sku, title, proposal, test, item, seller, source)


def _source(books: _Books, variant_id: str, where: str, wanted: int) -> Source | None:
    """The place that can give the most of the wanted units; by code when two can give as many."""
    found = [
        Source(books.places[place].code, min(wanted, spare))
        for place in books.movers
        if place != where and (spare := _spare(books, (variant_id, place)))
    ]
    return min(found, key=lambda one: (-one.units, one.location), default=None)


def _spare(books: _Books, where: Where) -> int:
    if books.facts.position(where).available <= 0:
        return 0
    return rules.surplus(books.proposal(*where))
