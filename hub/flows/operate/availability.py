"""Availability: the rules of what channels are told, what a channel sells from, kits, and feeds that were doubted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from hub.domain.availability import KINDS, Offer, Rule, RuleBook, publish
from hub.domain.stock_states import MOST_UNITS
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.operate.reach import find
from hub.flows.runtime import Runtime
from hub.store import availability, catalog, connections, events, inbox
from hub.store.availability import RuleRow
from hub.store.catalog import LocationRow
from hub.store.connections import ConnectionRow
from hub.store.database import Tx, new_id
from hub.store.ledger import mark_listings
from hub.store.locks import alone

MOST_MINUTES = 525_600  # a year
MOST_EXAMPLES = 20
LOCK = "availability_rules"  # rules are renumbered together, so one person at a time changes them

Edit = Callable[[list[RuleRow]], list[RuleRow]]


@dataclass(frozen=True, slots=True)
class Difference:
    """A listing whose figure would change, in packs."""

    sku: str
    channel: str
    before: int
    after: int


@dataclass(frozen=True, slots=True)
class Effect:
    """What a change of the rules does: listings looked at, how many figures rise and fall, and some of them."""

    listings: int
    rises: int
    falls: int
    examples: tuple[Difference, ...]


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A rule as a person states it. `channel` is a connection's name or id, "" for all; the rest narrows it further."""

    kind: str
    value: int
    channel: str = ""
    location_group: str = ""
    skus: Sequence[str] = ()
    sku_prefix: str = ""
    tags: Sequence[str] = ()
    product_types: Sequence[str] = ()
    note: str = ""


def add_rule(runtime: Runtime, wanted: WantedRule, *, person: str, position: int | None = None) -> RuleRow:
    """Add a rule at a position from 1, by default as the last, which wins over those before. Raises NotDoneError."""
    row = _row(runtime, wanted)
    _save(runtime, _insertion(row, position), person, f"A rule was added: {said(row)}.", "added", row)
    return _known(runtime, row.id)


def move_rule(runtime: Runtime, rule_id: str, position: int, *, person: str) -> RuleRow:
    """Put a rule at another position from 1. Raises NotDoneError."""
    row = _known(runtime, rule_id)
    words = f"A rule was moved to position {position}: {said(row)}."
    _save(runtime, _move(row, position), person, words, "moved", row)
    return _known(runtime, row.id)


def switch_rule(runtime: Runtime, rule_id: str, *, active: bool, person: str) -> RuleRow:
    """Switch a rule on or off without losing it. Raises NotDoneError."""
    row = _known(runtime, rule_id)
    words = f"A rule was switched {'on' if active else 'off'}: {said(row)}."
    _save(runtime, _switch(row, active=active), person, words, "switched", row)
    return _known(runtime, row.id)


def remove_rule(runtime: Runtime, rule_id: str, *, person: str) -> RuleRow:
    """Take a rule away; returns it as it was. Raises NotDoneError."""
    row = _known(runtime, rule_id)
    _save(runtime, _removal(row), person, f"A rule was removed: {said(row)}.", "removed", row)
    return row


def effect_of_adding(runtime: Runtime, wanted: WantedRule, position: int | None = None) -> Effect:
    """What adding the rule would change; nothing is saved. Raises NotDoneError."""
    return _effect(runtime, _insertion(_row(runtime, wanted), position))


def effect_of_moving(runtime: Runtime, rule_id: str, position: int) -> Effect:
    return _effect(runtime, _move(_known(runtime, rule_id), position))


def effect_of_switching(runtime: Runtime, rule_id: str, *, active: bool) -> Effect:
    return _effect(runtime, _switch(_known(runtime, rule_id), active=active))


def effect_of_removing(runtime: Runtime, rule_id: str) -> Effect:
    return _effect(runtime, _removal(_known(runtime, rule_id)))


def said(row: RuleRow) -> str:
    """A rule in words."""
    match row.kind:
        case "safety":
            does = f"keep {row.value} at every location"
        case "threshold":
            does = f"keep {row.value} from the channel"
        case "percent":
            does = f"offer {row.value} percent"
        case _:
            does = "offer it" if row.value else "do not offer it"
    given = row.filter or {}
    which = [f"SKU {', '.join(given['skus'])}"] if given.get("skus") else []
    which += [f"SKU beginning with {given['sku_prefix']}"] if given.get("sku_prefix") else []
    which += [f"tagged {' or '.join(given['tags'])}"] if given.get("tags") else []
    which += [f"of type {' or '.join(given['product_types'])}"] if given.get("product_types") else []
    where = f" on {row.channel}" if row.channel else ""
    group = f" in the group {row.location_group}" if row.location_group else ""
    return f"{does}{where}{group}, {' and '.join(which) or 'every article'}"


def _row(runtime: Runtime, wanted: WantedRule) -> RuleRow:
    """The rule to be stored. Raises NotDoneError for one that makes no sense."""
    if wanted.kind not in KINDS:
        raise NotDoneError(f"a rule is one of {', '.join(KINDS)}, not {wanted.kind!r}")
    if not 0 <= wanted.value <= _most(wanted.kind):
        raise NotDoneError(f"the value of a {wanted.kind} rule is a whole number from 0 to {_most(wanted.kind)}")
    channel = find(runtime, wanted.channel) if wanted.channel else None
    given: dict[str, Any] = {
        "skus": _texts(wanted.skus),
        "sku_prefix": wanted.sku_prefix.strip(),
        "tags": _texts(wanted.tags),
        "product_types": _texts(wanted.product_types),
    }
    return RuleRow(
        new_id(),
        0,
        wanted.kind,
        wanted.value,
        channel.id if channel else None,
        wanted.location_group.strip() or None,
        {name: value for name, value in given.items() if value} or None,
        wanted.note.strip(),
        active=True,
        channel=channel.name if channel else None,
    )


def _most(kind: str) -> int:
    return {"percent": 100, "publish": 1}.get(kind, MOST_UNITS)


def _texts(given: Sequence[str]) -> list[str]:
    return sorted({one.strip() for one in given if one.strip()})


def _insertion(row: RuleRow, position: int | None) -> Edit:
    def edit(known: list[RuleRow]) -> list[RuleRow]:
        at = len(known) if position is None else max(0, position - 1)
        return [*known[:at], row, *known[at:]]

    return edit


def _move(row: RuleRow, position: int) -> Edit:
    return lambda known: _insertion(row, position)([one for one in known if one.id != row.id])


def _switch(row: RuleRow, *, active: bool) -> Edit:
    return lambda known: [replace(one, active=active) if one.id == row.id else one for one in known]


def _removal(row: RuleRow) -> Edit:
    return lambda known: [one for one in known if one.id != row.id]


def _rules(runtime: Runtime) -> list[RuleRow]:
    with runtime.db.read() as tx:
        return availability.rules(tx)


def _known(runtime: Runtime, rule_id: str) -> RuleRow:
    found = next((one for one in _rules(runtime) if one.id == rule_id or str(one.position) == rule_id), None)
    if found is None:
        raise NotDoneError(f"there is no rule {rule_id!r}; `orderhub availability rule list` shows all")
    return found


def _save(runtime: Runtime, edit: Edit, person: str, words: str, kind: str, row: RuleRow) -> None:
    now = runtime.clock()
    with alone(runtime.db, LOCK), runtime.db.begin() as tx:
        availability.store_rules(tx, edit(availability.rules(tx)), now)
        availability.mark_due(tx, connection_id=row.connection_id)
        events.tell(tx, ("stock_rule", row.id), kind, actor(person), words, now)
    runtime.wake("stock")


def _effect(runtime: Runtime, edit: Edit) -> Effect:
    """Reckon every figure that channels are told with the rules as they are and as they would be."""
    with runtime.db.read() as tx:
        rows = availability.rules(tx)
        before, after = (_numbered(found) for found in (rows, edit(rows)))
        looked, rises, falls, examples = 0, 0, 0, list[Difference]()
        for row, channel, was, will in _reckoned(runtime, tx, before, after):
            looked += 1
            rises += will.reckoned > was.reckoned
            falls += will.reckoned < was.reckoned
            if will.reckoned != was.reckoned and len(examples) < MOST_EXAMPLES:
                examples.append(Difference(row["sku"], channel.name, was.reckoned, will.reckoned))
    return Effect(looked, rises, falls, tuple(examples))


def _numbered(rows: Sequence[RuleRow]) -> list[Rule]:
    """The rules that count, with the positions they would be stored with."""
    return [replace(one, position=position).rule() for position, one in enumerate(rows, start=1) if one.active]


def _reckoned(
    runtime: Runtime, tx: Tx, before: list[Rule], after: list[Rule]
) -> Iterator[tuple[dict[str, Any], ConnectionRow, Offer, Offer]]:
    channels = {row.id: row for row in connections.every(tx)}
    books = {
        key: (RuleBook(before, availability.channel_of(row)), RuleBook(after, availability.channel_of(row)))
        for key, row in channels.items()
    }
    last = ""
    while page := availability.told_listings(tx, last):
        last = page[-1]["id"]
        known = availability.stockroom(tx, {row["variant_id"] for row in page}, runtime.clock())
        for row in page:
            channel = channels[row["connection_id"]]
            item, (was, will) = known.item(row, channel.location_group), books[channel.id]
            yield row, channel, publish(was, item), publish(will, item)


def set_channel(
    runtime: Runtime,
    key: str,
    *,
    person: str,
    location_group: str | None = None,
    stock_threshold: int | None = None,
    publish_stock: bool | None = None,
    feed_guard_percent: int | None = None,
) -> ConnectionRow:
    """Say what a channel sells from and how it is told; what is not given stays. "" as the group is every location.

    `stock_threshold` are units kept from it where no threshold rule matches. `feed_guard_percent` parks a stock feed of
    this connection that takes so many percent of its articles to nothing; 0 trusts every feed. Raises NotDoneError.
    """
    row = find(runtime, key)
    if stock_threshold is not None and not 0 <= stock_threshold <= MOST_UNITS:
        raise NotDoneError("the units kept from a channel are a whole number of 0 or more")
    if feed_guard_percent is not None and not 0 <= feed_guard_percent <= 100:
        raise NotDoneError("the share of a feed is from 0 to 100 percent")
    given = {
        "stock_threshold": stock_threshold,
        "publish_stock": publish_stock,
        "feed_guard_percent": feed_guard_percent,
    }
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if location_group is not None:
        options["location_group"] = location_group.strip() or None
        _check_group(runtime, options["location_group"])
    now = runtime.clock()
    with runtime.db.begin() as tx:
        connections.set_options(tx, row.id, options)
        availability.mark_due(tx, connection_id=row.id)
        words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in sorted(options.items()))
        events.tell(tx, ("connection", row.id), "changed", actor(person), f"Stock is told anew: {words}.", now)
    runtime.wake("stock")
    return find(runtime, row.id)


def set_location(
    runtime: Runtime,
    code: str,
    *,
    person: str,
    groups: Sequence[str] | None = None,
    stale_after_min: int | None = None,
) -> LocationRow:
    """Say which groups a location is in, and after how many minutes its feed is overdue; what is not given stays.

    0 minutes: nobody outside has to confirm its figures. Raises NotDoneError.
    """
    if stale_after_min is not None and not 0 <= stale_after_min <= MOST_MINUTES:
        raise NotDoneError(f"a feed is overdue after 1 to {MOST_MINUTES} minutes; 0 is never")
    values: dict[str, Any] = {}
    if groups is not None:
        values["groups"] = _texts(groups)
    if stale_after_min is not None:
        values["stale_after_min"] = stale_after_min or None
    now = runtime.clock()
    with runtime.db.begin() as tx:
        try:
            row = catalog.location_by_code(tx, code)
        except KeyError as error:
            raise NotDoneError(str(error.args[0])) from error
        if values:
            catalog.change_location(tx, row.id, **values)
            availability.mark_due(tx)
            words = ", ".join(f"{name.replace('_', ' ')} {value or 'none'}" for name, value in sorted(values.items()))
            events.tell(tx, ("location", row.id), "changed", actor(person), f"Stock is told anew: {words}.", now)
        found = catalog.location_by_code(tx, code)
    runtime.wake("stock")
    return found


ANY_NUMBER: Literal["any"] = "any"  # of units may wait


def set_article(
    runtime: Runtime,
    sku: str,
    *,
    person: str,
    tags: Sequence[str] | None = None,
    preorderable: bool | None = None,
    backorder_limit: int | Literal["any"] | None = None,
) -> None:
    """Say by which words rules find an article, whether it is sold against open purchase orders, and how many units may
    be promised that are neither there nor on order.

    What is not given stays. Raises NotDoneError.
    """
    values: dict[str, Any] = {}
    if tags is not None:
        values["tags"] = _texts(tags)
    if preorderable is not None:
        values["preorderable"] = preorderable
    if backorder_limit is not None:
        if isinstance(backorder_limit, int) and not 0 <= backorder_limit <= MOST_UNITS:
            raise NotDoneError(f"the backorder limit is 0 to {MOST_UNITS} units, or {ANY_NUMBER} number")
        values["backorder_limit"] = None if backorder_limit == ANY_NUMBER else backorder_limit
    now = runtime.clock()
    with runtime.db.begin() as tx:
        variant_id = catalog.variants_by_sku(tx, {sku}).get(sku)
        if variant_id is None:
            raise NotDoneError(f"there is no article {sku!r}")
        if values:
            availability.change_article(tx, variant_id, now, **values)
            mark_listings(tx, {variant_id})
            said = {name: ANY_NUMBER if value is None else value or "none" for name, value in sorted(values.items())}
            words = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in said.items())
            events.tell(tx, ("variant", variant_id), "changed", actor(person), f"{sku}: {words}.", now)
    runtime.wake("stock")


def _check_group(runtime: Runtime, group: Any) -> None:
    with runtime.db.read() as tx:
        known = {name for row in catalog.locations(tx) for name in row.groups or ()}
    if group is not None and group not in known:
        words = f"known are {', '.join(sorted(known))}" if known else "put locations into a group first"
        raise NotDoneError(f"no location is in a group {group!r}; {words}")


def set_kit(
    runtime: Runtime, sku: str, parts: Mapping[str, int], *, person: str, keep_together: bool = True
) -> tuple[availability.Component, ...]:
    """Make an article a kit of these components (SKU: units in one kit), instead of what it was made of before.

    With none it is a plain article again. `keep_together` ships all components from one location. Orders that came in
    before keep the components they have. Raises NotDoneError.
    """
    now = runtime.clock()
    with runtime.db.begin() as tx:
        articles = catalog.variants_by_sku(tx, {sku, *parts})
        _check_kit(tx, articles, sku, parts)
        kit_id = articles[sku]
        availability.store_recipe(
            tx, kit_id, {articles[part]: units for part, units in parts.items()}, keep_together=keep_together
        )
        mark_listings(tx, {kit_id})
        made = ", ".join(f"{units} x {part}" for part, units in sorted(parts.items()))
        words = f"{sku} is a kit of {made}." if parts else f"{sku} is no kit any more."
        events.tell(tx, ("variant", kit_id), "kit", actor(person), words, now)
        found = availability.recipes(tx, {kit_id}).get(kit_id, ())
    runtime.wake("stock")
    return found


def _check_kit(tx: Tx, articles: Mapping[str, str], sku: str, parts: Mapping[str, int]) -> None:
    missing = sorted({sku, *parts} - set(articles))
    if missing:
        raise NotDoneError(f"there is no article {missing[0]!r}")
    if sku in parts:
        raise NotDoneError("a kit cannot hold itself")
    if any(not 0 < units <= MOST_UNITS for units in parts.values()):
        raise NotDoneError("a component is in the kit at least once")
    nested = availability.recipes(tx, {articles[part] for part in parts})
    inner = sorted(part for part in parts if articles[part] in nested)
    if inner:
        raise NotDoneError(f"{inner[0]} is a kit itself; name its components")
    outer = availability.kits_with(tx, articles[sku])
    if parts and outer:
        raise NotDoneError(f"{sku} is a component of {outer[0]}, so it cannot be a kit")
    if parts and any(availability.on_hand(tx, {articles[sku]}).values()):
        raise NotDoneError(f"there are units of {sku} on hand; a kit has no stock of its own, so count it to 0 first")


@dataclass(frozen=True, slots=True)
class DoubtedFeed:
    """Figures of a connection that are parked because they would take most articles to nothing."""

    connection_id: str
    connection: str
    figures: int
    since: datetime  # when the oldest of them came
    reason: str


def doubted_feeds(runtime: Runtime) -> list[DoubtedFeed]:
    """Feeds that wait for a person, by connection."""
    with runtime.db.read() as tx:
        names = {row.id: row.name for row in connections.every(tx)}
        found = inbox.parked_connections(tx, availability.IMPLAUSIBLE)
    feeds = [DoubtedFeed(key, names[key], count, since, reason) for key, (count, since, reason) in found.items()]
    return sorted(feeds, key=lambda feed: feed.connection)


def accept_feed(runtime: Runtime, key: str, *, person: str) -> int:
    """Book the parked figures of a connection after all; returns how many are looked at again.

    A figure older than what is known of its place meanwhile changes nothing. Safe to repeat.
    """
    row, now = find(runtime, key), runtime.clock()
    with runtime.db.begin() as tx:
        ids = inbox.parked_for(tx, row.id, availability.IMPLAUSIBLE)
        partitions = inbox.accept(tx, ids, availability.ACCEPTED)
        words = f"{len(ids)} doubted stock figures were accepted by {person}."
        events.tell(tx, ("connection", row.id), "accepted", actor(person), words, now)
    runtime.wake_all({f"inbox:{partition}" for partition in partitions})
    return len(ids)


def refuse_feed(runtime: Runtime, key: str, *, person: str) -> int:
    """Set the parked figures of a connection aside; returns how many. They stay readable and can be replayed."""
    row, now = find(runtime, key), runtime.clock()
    with runtime.db.begin() as tx:
        ids = inbox.set_aside(tx, inbox.parked_for(tx, row.id, availability.IMPLAUSIBLE), now)
        words = f"{len(ids)} doubted stock figures were set aside by {person}."
        events.tell(tx, ("connection", row.id), "set_aside", actor(person), words, now)
    return len(ids)
