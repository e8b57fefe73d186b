"""The backlog: units on the shelf that those who came before are to have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from hub.domain.routing.rules import SortKey, Turn, goes_before
from hub.store import routing
from hub.store.database import Tx
from hub.store.orders import LineState, OrderState
from hub.store.routing import Kept


@dataclass(slots=True)
class Backlog:
    """What is kept from the network, in the turn of the rules: read once, and then followed.

    `articles` are those whose stock is locked: they are read together when one of them is first asked for.
    """

    tx: Tx
    sort: Sequence[SortKey]
    articles: Collection[str] = ()
    _known: set[str] = field(default_factory=set)  # articles that were read
    _others: dict[str, list[Kept]] = field(default_factory=dict)  # as it stands in the database, by article
    _here: dict[str, Kept | None] = field(default_factory=dict)  # what this transaction made of it, by order line
    _given: Counter[tuple[str, str]] = field(default_factory=Counter)  # (order, article): units that are its own

    def keep(self, order: OrderState, line: LineState, units: int) -> None:
        """A line waits for so many units now; 0 is for none."""
        kept = None
        if units and line.variant_id is not None:
            kept = Kept(line.variant_id, line.id, units, turn_of(order))
        self._here[line.id] = kept

    def give(self, order: OrderState, variant_id: str, units: int) -> None:
        """Units that were kept for somebody are given to this order, whoever else waits for some."""
        self._given[order.id, variant_id] += units

    def before(self, order: OrderState, variant_ids: Collection[str]) -> Mapping[str, int]:
        """Units of these articles that are to go to others before they go to this order."""
        if not self._known.issuperset(variant_ids):
            self._read({*variant_ids, *self.articles} - self._known)
        mine = turn_of(order)
        found = dict.fromkeys(variant_ids, 0)
        made = [one for one in self._here.values() if one is not None and one.variant_id in found]
        read = [one for key in found for one in self._others[key] if one.owner_id not in self._here]
        for one in (*made, *read):
            if one.turn is None or (one.turn.id != order.id and goes_before(one.turn, mine, self.sort)):
                found[one.variant_id] += one.units
        return {variant_id: max(0, units - self._given[order.id, variant_id]) for variant_id, units in found.items()}

    def _read(self, variant_ids: set[str]) -> None:
        self._others |= {key: [] for key in variant_ids}
        for one in routing.kept(self.tx, variant_ids):
            self._others[one.variant_id].append(one)
        self._known |= variant_ids


def turn_of(order: OrderState) -> Turn:
    """What decides when an order that waits has its turn."""
    units = sum(line.unrouted for line in order.lines)
    total = order.document["totals"]["total_minor"]
    return Turn(order.id, order.placed_at, order.priority, order.ship_by, order.promise_on, total, units)
