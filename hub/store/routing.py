"""What routing rests on beside stock: today's load, articles, refusals learned, acceptance, and decisions as made."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, exists, func, or_, select, update

from hub.domain.routing.rules import Turn
from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import chunks
from hub.store.tables import (
    acceptance,
    connection,
    fo_line,
    fulfillment_order,
    hold,
    location_exclusion,
    order_line,
    orders,
    reservation,
    route_decision,
    route_exclusion,
    routing_network,
    variant,
)

HALF_LIFE = timedelta(days=30)  # after so long an answer counts half
DEMAND_WEEKS = 4  # over which weekly demand is reckoned


@dataclass(frozen=True, slots=True)
class Article:
    """What routing has to know of an article. Its tags say the rest: `category:…`, `size:…` and `hazmat`."""

    sku: str
    weight_g: int
    volume_ml: int
    category: str
    size_class: str
    hazmat: bool
    preorderable: bool


def articles(tx: Tx, variant_ids: Collection[str]) -> dict[str, Article]:
    """Articles by variant id."""
    names = ("id", "sku", "weight_g", "length_mm", "width_mm", "height_mm", "tags", "preorderable")
    found: dict[str, Article] = {}
    for part in chunks(variant_ids):
        for row in tx.execute(select(*(variant.c[name] for name in names)).where(variant.c.id.in_(part))):
            tags = row.tags or ()
            volume = (row.length_mm or 0) * (row.width_mm or 0) * (row.height_mm or 0) // 1000
            found[row.id] = Article(
                row.sku,
                row.weight_g or 0,
                volume,
                _tagged(tags, "category:"),
                _tagged(tags, "size:"),
                "hazmat" in tags,
                row.preorderable,
            )
    return found


def _tagged(tags: Sequence[str], prefix: str) -> str:
    return next((tag.removeprefix(prefix) for tag in tags if tag.startswith(prefix)), "")


def taken_since(tx: Tx, since: Mapping[str, datetime]) -> dict[str, int]:
    """Fulfillment orders that each location was given since its moment, without those that were taken away again."""
    fo = fulfillment_order.c
    found: dict[str, int] = {}
    for part in chunks(since):
        ours = or_(*(and_(fo.location_id == one, fo.created_at >= since[one]) for one in part))
        query = select(fo.location_id, func.count()).where(ours, fo.exec_status != "cancelled").group_by(fo.location_id)
        found.update((row[0], int(row[1])) for row in tx.execute(query))
    return found


@dataclass(frozen=True, slots=True)
class LearnedExclusion:
    """A destination that a location cannot deliver to."""

    location_id: str
    country: str
    postal_prefix: str  # "" is the whole country
    reason: str

    def covers(self, country: str, postal_code: str) -> bool:
        ours = _postal(postal_code)
        return country == self.country and ours.startswith(self.postal_prefix)


def _postal(code: str) -> str:
    return code.replace(" ", "").replace("-", "").upper()


def learned_exclusions(tx: Tx) -> tuple[LearnedExclusion, ...]:
    """Every destination that some location cannot deliver to."""
    what = location_exclusion.c
    query = select(what.location_id, what.country, what.postal_prefix, what.reason)
    return tuple(LearnedExclusion(*row) for row in tx.execute(query.order_by(what.id)))


def learn_exclusion(
    tx: Tx, location_id: str, country: str, postal_code: str, reason: str, source: str, now: datetime
) -> None:
    """Remember that a location cannot deliver to a destination. Safe to call twice."""
    row = {
        "id": new_id(),
        "location_id": location_id,
        "country": country,
        "postal_prefix": _postal(postal_code)[:16],
        "reason": reason,
        "source": source[:80],
        "at": now,
    }
    insert_new(tx, location_exclusion, [row], location_exclusion.c.id)


def forget_exclusion(tx: Tx, location_id: str, country: str, postal_code: str) -> bool:
    """Let a location deliver there again; False when it never was excluded."""
    what = location_exclusion.c
    done = tx.execute(
        delete(location_exclusion)
        .where(what.location_id == location_id, what.country == country, what.postal_prefix == _postal(postal_code))
        .returning(what.id)
    )
    return done.first() is not None


def exclude(
    tx: Tx, lines: Iterable[str], location_id: str, reason: str, now: datetime, until: datetime | None = None
) -> None:
    """Do not ask a location for these order lines again, until a moment where one is given."""
    rows: list[dict[str, Any]] = [
        {"id": new_id(), "order_line_id": one, "location_id": location_id, "reason": reason, "until": until, "at": now}
        for one in lines
    ]
    known = set(insert_new(tx, route_exclusion, rows, route_exclusion.c.id))
    again = [row["order_line_id"] for row in rows if row["id"] not in known]
    for part in chunks(again):
        tx.execute(
            update(route_exclusion)
            .where(route_exclusion.c.order_line_id.in_(part), route_exclusion.c.location_id == location_id)
            .values(reason=reason, until=until, at=now)
        )


@dataclass(frozen=True, slots=True)
class Answers:
    """How often a location took and refused what was asked of it, older answers counting less."""

    location_id: str
    category: str  # "" is everything together
    accepted: float
    refused: float
    at: datetime

    def at_moment(self, now: datetime) -> tuple[float, float]:
        """(accepted, refused) as they count at `now`."""
        faded = 0.5 ** (max(timedelta(0), now - self.at) / HALF_LIFE)
        return self.accepted * faded, self.refused * faded


def answers(tx: Tx) -> tuple[Answers, ...]:
    """What every location answered."""
    what = acceptance.c
    query = select(what.location_id, what.category, what.accepted, what.refused, what.at)
    return tuple(Answers(*row) for row in tx.execute(query))


def note_answer(tx: Tx, location_id: str, categories: Collection[str], now: datetime, *, accepted: bool) -> None:
    """Count one answer of a location, for everything together and for each category."""
    what = acceptance.c
    for category in sorted({"", *(one[:120] for one in categories)}):
        row = {"id": new_id(), "location_id": location_id, "category": category, "accepted": 0, "refused": 0, "at": now}
        insert_new(tx, acceptance, [row], what.id)
        query = select(what.location_id, what.category, what.accepted, what.refused, what.at)
        mine = (what.location_id == location_id, what.category == category)
        before = Answers(*tx.execute(query.where(*mine).with_for_update()).one()).at_moment(now)
        values = {"accepted": before[0] + accepted, "refused": before[1] + (not accepted), "at": now}
        tx.execute(update(acceptance).where(*mine).values(**values))


def weekly_demand(tx: Tx, variant_ids: Collection[str], now: datetime) -> dict[tuple[str, str], int]:
    """Thousandths of a unit that left each location in a week, by (location, variant), over the last four weeks."""
    since = now - timedelta(weeks=DEMAND_WEEKS)
    found: dict[tuple[str, str], int] = {}
    for part in chunks(variant_ids):
        query = (
            select(fulfillment_order.c.location_id, fo_line.c.variant_id, func.sum(fo_line.c.quantity).label("units"))
            .join(fulfillment_order, fulfillment_order.c.id == fo_line.c.fo_id)
            .where(
                fo_line.c.variant_id.in_(part),
                fulfillment_order.c.created_at >= since,
                fulfillment_order.c.exec_status != "cancelled",
            )
            .group_by(fulfillment_order.c.location_id, fo_line.c.variant_id)
        )
        for row in tx.execute(query):
            found[row.location_id, row.variant_id] = int(row.units) * 1000 // DEMAND_WEEKS
    return found


def keep_network(tx: Tx, digest: str, document: Any, now: datetime) -> None:
    """Keep locations and steps once for all decisions made with them."""
    insert_new(tx, routing_network, [{"hash": digest, "document": document, "at": now}], routing_network.c.hash)


def supersede(tx: Tx, order_id: str, decision_id: str) -> None:
    """Say that earlier decisions on an order have given way to a later one."""
    what = route_decision.c
    tx.execute(
        update(route_decision)
        .where(what.order_id == order_id, what.superseded_by.is_(None), what.id != decision_id)
        .values(superseded_by=decision_id)
    )


@dataclass(frozen=True, slots=True)
class StoredDecision:
    """A decision with all that it rests on; `inputs` is None for one that was made before they were kept."""

    id: str
    order_id: str
    inputs_hash: str
    strategy: str
    trace: Mapping[str, Any]
    inputs: bytes | None
    network: Mapping[str, Any] | None


def decision(tx: Tx, order_id: str, attempt: int | None = None) -> StoredDecision | None:
    """One decision on an order, by default the latest; None when there is none."""
    what = route_decision.c
    query = (
        select(
            what.id,
            what.order_id,
            what.inputs_hash,
            what.strategy,
            what.trace,
            what.inputs,
            routing_network.c.document,
        )
        .outerjoin(routing_network, routing_network.c.hash == what.network_hash)
        .where(what.order_id == order_id)
        .order_by(what.attempt.desc())
        .limit(1)
    )
    row = tx.execute(query if attempt is None else query.where(what.attempt == attempt)).first()
    return None if row is None else StoredDecision(*row)


def asking(tx: Tx, limit: int) -> list[str]:
    """Orders that wait for a decision from outside, the oldest first."""
    what = orders.c
    query = select(what.id).where(what.asks_adviser.is_not(None)).order_by(what.placed_at, what.id).limit(limit)
    return list(tx.execute(query).scalars())


def due_to_route(tx: Tx, now: datetime) -> list[Turn]:
    """Open orders whose time to be routed has come, with what decides their turn."""
    what, line = orders.c, order_line.c
    columns = (what.id, what.placed_at, what.priority, what.ship_by, what.promise_on, what.total_minor)
    query = (
        select(*columns, func.sum(line.ordered - line.cancelled - line.routed))
        .join(order_line, line.order_id == what.id)
        .where(what.lifecycle == "open", what.route_after <= now)
        .group_by(*columns)
    )
    return [
        Turn(order_id, placed_at, priority, ship_by, promise_on, total, int(units))
        for order_id, placed_at, priority, ship_by, promise_on, total, units in tx.execute(query)
    ]


def due_orders(tx: Tx, column: str, now: datetime, limit: int) -> list[str]:
    """Orders with a live fulfillment order whose moment in this column has come."""
    fo = fulfillment_order.c
    flagged = exists().where(hold.c.handle == "not_collected:" + fo.id, hold.c.state == "active")
    states = {
        "answer_by": (fo.exec_status == "open", fo.request_status == "submitted"),
        "fulfil_at": (fo.exec_status == "scheduled",),
        "collect_by": (fo.ready_at.is_not(None), fo.collected_at.is_(None), fo.exec_status != "cancelled", ~flagged),
    }[column]
    query = select(fo.order_id).where(*states, fo[column] <= now).distinct().order_by(fo.order_id).limit(limit)
    return list(tx.execute(query).scalars())


def untouched(tx: Tx, before: datetime, rested: datetime, limit: int) -> list[str]:
    """Orders with work that no place has begun since `before` and that nobody has looked at since `rested`."""
    fo = fulfillment_order.c
    query = (
        select(fo.order_id)
        .where(
            fo.exec_status == "open",
            fo.request_status == "unsubmitted",
            fo.method == "ship",
            fo.created_at <= before,
            fo.updated_at <= rested,
        )
        .distinct()
        .order_by(fo.order_id)
        .limit(limit)
    )
    return list(tx.execute(query).scalars())


def looked_at(tx: Tx, order_id: str, now: datetime) -> None:
    """Note that the open work of an order was looked at, whatever came of it."""
    fo = fulfillment_order.c
    tx.execute(
        update(fulfillment_order).where(fo.order_id == order_id, fo.exec_status == "open").values(updated_at=now)
    )


def unbegun_at(tx: Tx, location_id: str) -> list[str]:
    """Orders with open work at a location."""
    fo = fulfillment_order.c
    query = select(fo.order_id).where(fo.location_id == location_id, fo.exec_status.in_(("scheduled", "open")))
    return list(tx.execute(query.distinct().order_by(fo.order_id)).scalars())


def others_committed(tx: Tx, position_id: str, but: str) -> list[tuple[str, str, str]]:
    """(order, fulfillment order, its number) of other live work that has units of a position."""
    fo = fulfillment_order.c
    query = (
        select(fo.order_id, fo.id, fo.number)
        .join(fo_line, fo_line.c.fo_id == fo.id)
        .where(
            fo_line.c.position_id == position_id,
            fo.id != but,
            fo.exec_status.in_(("scheduled", "open", "in_progress")),
            fo_line.c.quantity > fo_line.c.shipped + fo_line.c.cancelled,
        )
        .order_by(fo.number)
    )
    return [(row[0], row[1], row[2]) for row in tx.execute(query)]


def channel_groups(tx: Tx) -> dict[str, str]:
    """The location group whose stock a channel sells, by connection; channels that sell all are left out."""
    what = connection.c
    query = select(what.id, what.location_group).where(what.location_group.is_not(None))
    return {row[0]: row[1] for row in tx.execute(query)}


TURN = [orders.c[name] for name in ("id", "placed_at", "priority", "ship_by", "promise_on", "total_minor")]


def waiting(tx: Tx, variant_ids: Collection[str]) -> list[Turn]:
    """Open orders with units of these articles that have no place yet, with what decides their turn."""
    found: dict[str, Turn] = {}
    for part in chunks(variant_ids):
        query = (
            select(*TURN, func.sum(reservation.c.quantity).label("units"))
            .join(order_line, order_line.c.order_id == orders.c.id)
            .join(reservation, reservation.c.owner_id == order_line.c.id)
            .where(
                reservation.c.variant_id.in_(part),
                reservation.c.state == "active",
                reservation.c.location_id.is_(None),
                orders.c.lifecycle == "open",
            )
            .group_by(*TURN)
        )
        for row in tx.execute(query):
            before = found[row.id].units if row.id in found else 0
            found[row.id] = read_turn(row, before + int(row.units))
    return list(found.values())


def waited_for(tx: Tx) -> set[str]:
    """Articles of which an order waits for units."""
    row = reservation.c
    of_orders = (row.state == "active") & row.location_id.is_(None) & (row.owner_type == "order_line")
    return set(tx.execute(select(row.variant_id).where(of_orders).distinct()).scalars())


@dataclass(frozen=True, slots=True)
class Kept:
    """Units of an article that are kept from the network for an owner. `turn` is that of its order; None is an owner
    who has no order yet, such as a checkout.
    """

    variant_id: str
    owner_id: str
    units: int
    turn: Turn | None


def kept(tx: Tx, variant_ids: Collection[str]) -> list[Kept]:
    """What is kept from the network of these articles, held orders included."""
    row, found = reservation.c, list[Kept]()
    for part in chunks(variant_ids):
        query = (
            select(*TURN, row.variant_id, row.owner_id, row.quantity)
            .outerjoin(order_line, order_line.c.id == row.owner_id)
            .outerjoin(orders, orders.c.id == order_line.c.order_id)
            .where(row.variant_id.in_(part), row.state == "active", row.location_id.is_(None))
        )
        for one in tx.execute(query):
            turn = read_turn(one, one.quantity) if one.id is not None else None
            found.append(Kept(one.variant_id, one.owner_id, one.quantity, turn))
    return found


def read_turn(row: Any, units: int) -> Turn:
    """The turn of an order, out of a row with the columns `TURN`, for so many units."""
    return Turn(row.id, row.placed_at, row.priority, row.ship_by, row.promise_on, row.total_minor, units)
