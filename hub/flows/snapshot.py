"""Snapshot: what the router is shown, of the network once per batch and of each order.

`routing_view` reads everything that decisions rest on, beside the stock: the published rules, locations with their
calendars and costs, today's load, what was learned of refusals. `RoutingView.snapshot` makes the router's input for
one order out of it. Intake, refill, re-route, re-evaluation and rehearsal all decide by this one view.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from hub import schemas
from hub.domain import kits
from hub.domain.calendar import ELSEWHERE, Calendar, arrives_on, calendar_of, ships_on
from hub.domain.documents import Address, Order
from hub.domain.routing.network import Network
from hub.domain.routing.rules import OrderFacts, Routing, RuleSet
from hub.domain.routing.shapes import Destination, Lane, Method, Need, Place, Sellable, Snapshot
from hub.store import catalog, connections, routing, rules
from hub.store.catalog import LocationRow
from hub.store.connections import ConnectionRow
from hub.store.database import Tx
from hub.store.orders import LineState, OrderState
from hub.store.routing import Answers, Article, LearnedExclusion

PRIOR = (19, 1)  # a location of which nothing is known took nineteen and refused one
PERCENT = 10_000  # parts per million; chances are whole percents, so that they do not change with every answer
NOBODY = frozenset({"-"})  # no channel and no country: an empty set would be all of them


@dataclass(frozen=True, slots=True)
class Told:
    """What routing reads of what the channel says of an order."""

    ship_to: Address | None = None
    market: str = ""
    tags: frozenset[str] = frozenset()
    value_minor: int = 0  # total of the order


def told_of(document: Order) -> Told:
    """What routing reads of an order's document."""
    tags = frozenset(document.tags)
    return Told(document.shipping_address, document.market or "", tags, document.totals.total_minor)


def told_by(order: OrderState) -> Told:
    """The same of an order as it is known."""
    said = order.document
    ship_to = schemas.structure(Address, said["shipping_address"]) if said.get("shipping_address") else None
    tags = frozenset(said.get("tags", ()))
    return Told(ship_to, said.get("market") or "", tags, said["totals"]["total_minor"])


@dataclass(slots=True)
class RoutingView:
    """The network as one batch of orders sees it. `took` keeps the load up to date within the batch."""

    now: datetime
    rule_set_id: str | None  # None for the built-in rules, and for a draft
    rules: RuleSet
    locations: Mapping[str, LocationRow]
    channels: Mapping[str, ConnectionRow]
    articles: Mapping[str, Article]
    taken: dict[str, int]  # fulfillment orders given to each location today, of those with a limit
    groups: Mapping[str, str]  # location group that a channel sells from, by connection
    exclusions: Sequence[LearnedExclusion]
    answers: Sequence[Answers]
    demand: Sellable  # thousandths of a unit a week, by location and variant; empty unless the rules ask for it
    kept: dict[Any, tuple[str, Any]] = field(default_factory=dict)  # networks that are stored for replay
    _calendars: dict[str, Calendar | None] = field(default_factory=dict)
    _leaves: dict[tuple[str, datetime | None], date | None] = field(default_factory=dict)
    _places: dict[Any, Network] = field(default_factory=dict)

    def took(self, location_id: str) -> None:
        """Count one more fulfillment order of today."""
        if location_id in self.taken:
            self.taken[location_id] += 1
            self._places.clear()

    def capacity_left(self, location_id: str) -> int | None:
        """Fulfillment orders that a location still takes today; None is no limit."""
        most = self.locations[location_id].capacity_per_day
        return None if most is None else most - self.taken.get(location_id, 0)

    def calendar(self, location_id: str) -> Calendar | None:
        """The calendar of a location; None where it has none."""
        if location_id not in self._calendars:
            self._calendars[location_id] = calendar_at(self.locations[location_id])
        return self._calendars[location_id]

    def leaves_on(self, location_id: str, begun_at: datetime | None = None) -> date | None:
        """The day on which goods leave a location that begins now, or then; None where it has no calendar."""
        at = (location_id, begun_at)
        if at not in self._leaves:
            calendar = self.calendar(location_id)
            self._leaves[at] = None if calendar is None else ships_on(calendar, begun_at or self.now)
        return self._leaves[at]

    def arrives_on(self, location_id: str, country: str, begun_at: datetime | None = None) -> date | None:
        """The day on which they reach a country; None where that is not known."""
        calendar = self.calendar(location_id)
        return None if calendar is None else arrives_on(calendar, self.leaves_on(location_id, begun_at), country)

    def places(self, destination: Address | None) -> Network:
        """All locations as the router sees them for a destination."""
        country = (destination.country if destination else None) or ""
        postal = (destination.postal_code if destination else None) or ""
        barred = frozenset(one.location_id for one in self.exclusions if one.covers(country, postal))
        key = (country, barred)
        if key not in self._places:
            rows = self.locations.values()
            self._places[key] = Network(self._place(one, country, one.id in barred) for one in rows)
        return self._places[key]

    def _place(self, row: LocationRow, country: str, barred: bool) -> Place:
        costs = row.costs or {}
        return Place(
            row.id,
            row.code,
            row.country,
            row.latitude,
            row.longitude,
            frozenset(row.markets or ()),
            row.rank,
            row.is_default,
            row.closed(self.now),
            kind=row.kind,
            groups=frozenset(row.groups or ()),
            channels=self._channels(row),
            serves=NOBODY if barred else frozenset(row.serves or ()),
            ships=row.ships,
            pickup=row.picks_up,
            capacity_left=self.capacity_left(row.id),
            ships_on=self.leaves_on(row.id),
            arrives_on=self.arrives_on(row.id, country),
            zone=_by_country(costs.get("zones", {}), country, ""),
            base_minor=_by_country(costs.get("parcel", {}), country, 0),
            per_unit_minor=costs.get("per_unit", 0),
            carton_ml=costs.get("carton_ml", 0),
            per_carton_minor=costs.get("per_carton", 0),
            lanes=tuple(_lanes(costs.get("lanes", ()), country)),
            acceptance_ppm=self._acceptance(row.id).get("", _chance(0, 0)),
            acceptance_by_category={name: ppm for name, ppm in self._acceptance(row.id).items() if name},
            attributes=dict(row.attributes or {}),
        )

    def _channels(self, row: LocationRow) -> frozenset[str]:
        """Channels that a location sells for; empty is all."""
        mine = set(row.groups or ())
        if all(group in mine for group in self.groups.values()):
            return frozenset()
        return frozenset(one for one in self.channels if self.groups.get(one) in {None, *mine}) or NOBODY

    def _acceptance(self, location_id: str) -> dict[str, int]:
        """Chance in ppm that a location takes what is asked of it, by category; "" is everything together."""
        return {
            one.category: _chance(*one.at_moment(self.now)) for one in self.answers if one.location_id == location_id
        }

    def routing_for(self, order: OrderState, told: Told) -> Routing:
        """The routing under which an order falls."""
        channel = self.channels.get(order.connection_id)
        return self.rules.routing_for(
            OrderFacts(
                channels=frozenset({order.connection_id, channel.name if channel else ""}),
                country=(told.ship_to.country if told.ship_to else None) or "",
                market=told.market,
                tags=told.tags,
                method="pickup" if order.method == "pickup" else "ship",
                currency=order.currency,
                value_minor=told.value_minor,
            )
        )

    def snapshot(
        self,
        order: OrderState,
        told: Told,
        sellable: Sellable,
        *,
        kept: Sellable | None = None,
        units: Mapping[str, int] | None = None,
        excluded: Collection[tuple[str, str]] | None = None,
        destination: Address | None = None,
        method: Method | None = None,
    ) -> Snapshot:
        """The router's input for one order: what has no place yet, or `units` by line; `needs` may be empty.
        `kept` are units that lie there beside the sellable ones, for others who came before.

        An order for collection is pinned to its store. `destination` and `method` are given where the goods go to a
        store first.
        """
        rules = self.routing_for(order, told)
        how: Method = method or ("pickup" if order.method == "pickup" else "ship")
        pinned = order.pickup_location_id if how == "pickup" else None
        address = destination or told.ship_to
        wanted = {line.id: order.to_route(line) for line in order.lines} if units is None else units
        needs = tuple(
            self._need(order, line, wanted, rules, pinned)
            for line in order.lines
            if line.variant_id is not None and wanted.get(line.id, 0) > 0
        )
        lines = {need.line_id for need in needs}
        refused = self._excluded(order) if excluded is None else excluded
        return Snapshot(
            needs,
            _destination(address, told.market),
            self.places(address),
            sellable,
            frozenset(pair for pair in refused if pair[0] in lines),
            rules.rules,
            how,
            order.connection_id,
            order.promise_on,
            self.demand,
            kept=kept or {},
        )

    def _excluded(self, order: OrderState) -> set[tuple[str, str]]:
        """Lines and locations that refused them, for good or until later."""
        return order.excluded | {pair for pair, until in order.rests.items() if until > self.now}

    def _need(
        self, order: OrderState, line: LineState, wanted: Mapping[str, int], rules: Routing, pinned: str | None
    ) -> Need:
        assert line.variant_id is not None  # noqa: S101 - only mapped lines are needs
        article = self.articles[line.variant_id]
        then = rules.then(article.sku, article.category)
        return Need(
            line.id,
            line.variant_id,
            wanted[line.id],
            line.group_key,
            article.sku,
            _worth_minor(order, line, wanted),
            article.category,
            article.size_class,
            article.hazmat,
            article.weight_g,
            article.volume_ml,
            pinned,
            _per_kit(order, line),
            "preorder" if then == "backorder" and article.preorderable else then,
        )

    def with_rules(self, rules: RuleSet) -> RoutingView:
        """The same network under other rules, such as a draft's."""
        fresh: dict[str, Any] = {"kept": {}, "_calendars": {}, "_leaves": {}, "_places": {}}
        return replace(self, rule_set_id=None, rules=rules, taken=dict(self.taken), **fresh)


def routing_view(
    tx: Tx,
    now: datetime,
    variant_ids: Collection[str],
    *,
    locations: Mapping[str, LocationRow] | None = None,
    channels: Mapping[str, ConnectionRow] | None = None,
    draft: RuleSet | None = None,
) -> RoutingView:
    """Read everything that decisions on these articles rest on, beside the stock; a few queries for any batch.

    `locations` and `channels` save reading them again; `draft` are rules to decide by instead of the published ones.
    """
    rows = {one.id: one for one in catalog.locations(tx)} if locations is None else locations
    published = rules.published(tx)
    since = {one.id: _midnight(one, now) for one in rows.values() if one.capacity_per_day is not None}
    taken = dict.fromkeys(since, 0) | (routing.taken_since(tx, since) if since else {})
    rule_set = draft or published.rules
    return RoutingView(
        now,
        None if draft else published.id,
        rule_set,
        rows,
        {one.id: one for one in connections.every(tx)} if channels is None else channels,
        routing.articles(tx, variant_ids),
        taken,
        routing.channel_groups(tx),
        routing.learned_exclusions(tx),
        routing.answers(tx),
        routing.weekly_demand(tx, variant_ids, now) if _asks_for_demand(rule_set) else {},
    )


def calendar_at(row: LocationRow) -> Calendar | None:
    """The calendar of a location; None where it has none."""
    return calendar_of(row.calendar, row.zone) if row.calendar else None


def _asks_for_demand(rule_set: RuleSet) -> bool:
    """Whether weeks of supply count anywhere in the rules."""
    return any(
        routing.cost.shadow_base_minor or any("scarcity" in step.rankers for step in routing.steps)
        for routing in rule_set.routings
    )


def _midnight(row: LocationRow, now: datetime) -> datetime:
    """When today began at a location."""
    zone = ZoneInfo(row.zone)
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def _worth_minor(order: OrderState, line: LineState, wanted: Mapping[str, int]) -> int:
    """What the wanted units of a line were sold for; components have their share of the kit's price."""
    if line.kit_line_id is None:
        return line.total_minor * wanted[line.id] // max(1, line.ordered)
    kit = order.line(line.kit_line_id)
    return kits.worth_minor(order.lines, kit, kit.total_minor, wanted)[line.id]


def _per_kit(order: OrderState, line: LineState) -> int:
    """Units of a component in one kit, where kits of the line may ship from different places, each whole; else 0.

    A kit that the channel wants together with other lines ships with all of them.
    """
    kit = None if line.kit_line_id is None else order.line(line.kit_line_id)
    return 0 if kit is None or line.group_key is None or kit.group_key is not None else kits.needed(kit, line)


def _destination(address: Address | None, market: str) -> Destination:
    if address is None:
        return Destination(market=market)
    return Destination(address.country or "", market, address.latitude, address.longitude)


def _by_country(table: Mapping[str, Any], country: str, otherwise: Any) -> Any:
    return table.get(country, table.get(ELSEWHERE, otherwise))


def _lanes(said: Sequence[Mapping[str, Any]], country: str) -> list[Lane]:
    return [
        Lane(
            one["name"],
            tuple((tier[0], tier[1]) for tier in one["tiers"]),
            one.get("dimensional_g_per_l", 0),
            one.get("capacity_ml"),
        )
        for one in said
        if country in one.get("countries", (country,))
    ]


def _chance(accepted: float, refused: float) -> int:
    took, not_taken = PRIOR[0] + accepted, PRIOR[1] + refused
    return round(100 * took / (took + not_taken)) * PERCENT
