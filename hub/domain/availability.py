"""How much a channel may sell: the one reckoning behind every published figure and behind its explanation.

    (sum over locations of max(0, available - safety) + pre-order part - unrouted demand) x percent - threshold

never below zero, rounded down to whole packs. Units that the ledger keeps as safety stock are not part of what is
available and are not taken off a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from hub.domain import words

Kind = Literal["safety", "threshold", "percent", "publish"]
Confidence = Literal["fresh", "stale", "unknown"]
KINDS: tuple[Kind, ...] = ("safety", "threshold", "percent", "publish")
EVERYTHING = 100  # percent of the pool that a channel is offered unless a rule says less


@dataclass(frozen=True, slots=True)
class Article:
    """What rules look at. `product_type` is the channel's own word for it."""

    sku: str
    tags: frozenset[str] = frozenset()
    product_type: str = ""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which articles a rule is for: those that meet every condition that is given. Without any: all of them."""

    skus: frozenset[str] = frozenset()
    sku_prefix: str = ""
    tags: frozenset[str] = frozenset()  # one of them is enough
    product_types: frozenset[str] = frozenset()

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Filter:
        """A filter from its stored form."""
        given = stored or {}
        return cls(
            frozenset(given.get("skus") or ()),
            str(given.get("sku_prefix") or ""),
            frozenset(given.get("tags") or ()),
            frozenset(given.get("product_types") or ()),
        )

    def matches(self, article: Article) -> bool:
        return (
            (not self.skus or article.sku in self.skus)
            and article.sku.startswith(self.sku_prefix)
            and (not self.tags or not self.tags.isdisjoint(article.tags))
            and (not self.product_types or article.product_type in self.product_types)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One availability rule. `value` is units (safety, threshold), percent, or 1 and 0 for publish on and off.

    `channel` and `group` narrow it to one channel and to one location group: a safety rule to the locations of the
    group, any other rule to the channels that sell from it.
    """

    id: str
    position: int
    kind: Kind
    value: int
    channel: str | None = None
    group: str | None = None
    filter: Filter = Filter()


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel as far as its figures go. `threshold` holds where no threshold rule matches; `group` None: all."""

    id: str
    group: str | None = None
    threshold: int = 0


class RuleBook:
    """The rules that can concern one channel, read once for a whole batch. Of several that match, the last wins."""

    def __init__(self, rules: Iterable[Rule], channel: Channel) -> None:
        self.channel = channel
        self._by_kind: dict[str, list[Rule]] = {kind: [] for kind in KINDS}
        for rule in sorted(rules, key=lambda one: one.position, reverse=True):
            if rule.channel not in (None, channel.id):
                continue
            if rule.kind != "safety" and rule.group not in (None, channel.group):
                continue
            self._by_kind[rule.kind].append(rule)

    def last(self, kind: Kind, article: Article) -> Rule | None:
        """The rule of this kind that decides for an article."""
        return next((rule for rule in self._by_kind[kind] if rule.filter.matches(article)), None)

    def safety(self, article: Article, groups: frozenset[str]) -> Rule | None:
        """The rule that says how many units a location of these groups keeps."""
        return next(
            (
                rule
                for rule in self._by_kind["safety"]
                if (rule.group is None or rule.group in groups) and rule.filter.matches(article)
            ),
            None,
        )


class Part(NamedTuple):
    """A component of a kit as it lies at one location; `needed` units go into one kit."""

    article: Article
    available: int
    needed: int


class Shelf(NamedTuple):
    """Units at one location. With `parts` it holds the components of a kit, and `available` is not looked at."""

    code: str
    available: int
    groups: frozenset[str] = frozenset()
    confidence: Confidence = "fresh"
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Item:
    """A listing with everything its figure rests on, in units.

    `preorder` are units on the way that nobody was promised, `unrouted` units promised to orders without a place,
    `told` is the figure that the channel last confirmed, in packs; None when it never was told one.
    """

    article: Article
    shelves: Sequence[Shelf]
    preorder: int = 0
    unrouted: int = 0
    pack_size: int = 1
    told: int | None = None


class Step(NamedTuple):
    """One step of the waterfall: `change` units (packs after the step "pack") lead to `left`.

    `kind` is location, kit, safety, preorder, unrouted, percent, threshold, publish, pack, stale or unknown; `subject`
    is the location's code where it is about one, `amount` the number that the step speaks of, `rule` the id of the
    rule that did it.
    """

    kind: str
    change: int
    left: int
    subject: str = ""
    amount: int = 0
    rule: str = ""

    @property
    def text(self) -> str:
        """The step in words."""
        match self.kind:
            case "location" if self.amount < 0:
                return f"{self.subject} has {-self.amount} promised too many, which counts as none"
            case "location":
                return f"{self.subject} has {words.units(self.amount)} available"
            case "kit":
                return f"{self.subject} has the parts of {self.amount} kits beyond their safety stock"
            case "safety":
                return f"{self.subject} keeps {self.amount} as safety stock"
            case "preorder":
                return f"{words.units(self.amount)} on order that nobody was promised"
            case "unrouted":
                return f"{words.units(self.amount)} promised to orders that have no location yet"
            case "percent":
                return f"this channel is offered {self.amount} percent"
            case "threshold":
                return f"{words.units(self.amount)} kept from this channel"
            case "publish":
                return "the article is not offered on this channel"
            case "pack":
                return f"sold in packs of {self.amount}"
            case "stale":
                return f"a feed is overdue, so the figure may not rise above {self.amount}"
        return "a feed has not told of this article yet, so the channel is told nothing"


class Offer(NamedTuple):
    """What a channel is to be told of a listing. `reckoned` are packs by the books alone; `figure` is what may be
    told; with `tells` False it is not told, because nobody knows it.
    """

    figure: int
    reckoned: int
    tells: bool
    confidence: Confidence
    steps: tuple[Step, ...]


def confidence_of(
    verified_at: datetime | None, fed_at: datetime | None, stale_after_min: int | None, now: datetime
) -> Confidence:
    """How far a position's figure can be trusted.

    `verified_at` is when a feed, a count or a person last said how many units there are, `fed_at` when the location's
    feed was last read to the end: what it did not mention then has not changed. Without `stale_after_min` nobody has
    to confirm anything.
    """
    if stale_after_min is None:
        return "fresh"
    if verified_at is None:
        return "unknown"
    seen = max(verified_at, fed_at or verified_at)
    return "stale" if now - seen > timedelta(minutes=stale_after_min) else "fresh"


def kits(parts: Iterable[tuple[int, int]]) -> int:
    """Whole kits from (available, needed) of every component at one place; below zero when one is short."""
    return min(available // needed for available, needed in parts)


def kit_demand(parts: Iterable[tuple[int, int]]) -> int:
    """Kits that cannot be sold because (promised, needed) units of the components are promised already."""
    return max((-(-promised // needed) for promised, needed in parts), default=0)


def publish(book: RuleBook, item: Item) -> Offer:
    """The figure for one listing, with every step that led to it.

    Each location is clamped at zero before summing, so that one place's shortage cannot eat another's stock. What an
    overdue feed says may lower a figure and not raise it; where a feed has never spoken nothing is told.
    """
    steps: list[Step] = []
    pool = sure = 0
    confidence: Confidence = "fresh"
    for shelf in item.shelves:
        if book.channel.group is not None and book.channel.group not in shelf.groups:
            continue
        units = _from_shelf(book, item.article, shelf, pool, steps)
        pool += units
        if shelf.confidence == "fresh":
            sure += units
        elif confidence != "unknown":
            confidence = shelf.confidence
    reckoned = _take_off(book, item, pool, steps)
    if confidence == "unknown":
        steps.append(Step("unknown", 0, reckoned))
        return Offer(reckoned, reckoned, False, confidence, tuple(steps))
    if confidence == "fresh":
        return Offer(reckoned, reckoned, True, confidence, tuple(steps))
    figure = min(reckoned, max(item.told or 0, _take_off(book, item, sure, [])))
    if figure < reckoned:
        steps.append(Step("stale", figure - reckoned, figure, amount=figure))
    return Offer(figure, reckoned, figure == reckoned or item.told is not None, confidence, tuple(steps))


def _from_shelf(book: RuleBook, article: Article, shelf: Shelf, pool: int, steps: list[Step]) -> int:
    """What one location adds to the pool, never less than nothing. A kit keeps the safety stock of its components."""
    if shelf.parts:
        units = max(0, kits((_less_safety(book, part, shelf.groups), part.needed) for part in shelf.parts))
        steps.append(Step("kit", units, pool + units, shelf.code, units))
        return units
    units = max(0, shelf.available)
    steps.append(Step("location", units, pool + units, shelf.code, shelf.available))
    rule = book.safety(article, shelf.groups)
    if rule is not None and rule.value:
        kept = min(units, rule.value)
        units -= kept
        steps.append(Step("safety", -kept, pool + units, shelf.code, rule.value, rule.id))
    return units


def _less_safety(book: RuleBook, part: Part, groups: frozenset[str]) -> int:
    rule = book.safety(part.article, groups)
    return part.available - (rule.value if rule is not None else 0)


def _take_off(book: RuleBook, item: Item, pool: int, steps: list[Step]) -> int:
    """From the pool to packs; writes what it does into `steps`."""
    left = pool
    if item.preorder:
        left += item.preorder
        steps.append(Step("preorder", item.preorder, left, amount=item.preorder))
    if item.unrouted:
        left = _less(left, item.unrouted, "unrouted", steps)
    share = book.last("percent", item.article)
    if share is not None and share.value != EVERYTHING:
        offered = left * min(share.value, EVERYTHING) // EVERYTHING
        steps.append(Step("percent", offered - left, offered, amount=share.value, rule=share.id))
        left = offered
    kept = book.last("threshold", item.article)
    threshold = kept.value if kept is not None else book.channel.threshold
    if threshold:
        left = _less(left, threshold, "threshold", steps, kept.id if kept is not None else "")
    shown = book.last("publish", item.article)
    if shown is not None and not shown.value:
        steps.append(Step("publish", -left, 0, rule=shown.id))
        left = 0
    if item.pack_size > 1:
        packs = left // item.pack_size
        steps.append(Step("pack", packs - left, packs, amount=item.pack_size))
        left = packs
    return left


def _less(left: int, units: int, kind: str, steps: list[Step], rule: str = "") -> int:
    taken = min(left, units)
    steps.append(Step(kind, -taken, left - taken, amount=units, rule=rule))
    return left - taken
