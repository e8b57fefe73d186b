"""Amend: what the channel changed on an order that is known, cancellation included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hub import schemas
from hub.domain import changes
from hub.domain.documents import Order
from hub.domain.entry import computed_total_minor
from hub.flows.change import bring_to, look, record, take_over
from hub.flows.desk import Desk
from hub.flows.enter import Articles, Incoming, decide, new_line
from hub.flows.recall import keep_back
from hub.store.orders import OrderState


def amend(desk: Desk, incoming: Incoming, state: OrderState, articles: Articles) -> str:
    """Apply a newer document to a known order; returns the outcome.

    An older one is `stale`, the same one `no_change`. What was changed here is kept; where the channel changes the same
    to something else, that is a `conflict` for a person. So is an order that is cancelled and opened again.
    """
    if incoming.order.revision < state.revision:
        return "stale"
    if state.of_channel.get("partial") and incoming.order.partial:
        desk.asks.add((state.connection_id, state.external_id))  # what was asked before is older than this
    elif state.of_channel.get("partial"):
        desk.told.append(state)
    incoming = complete(incoming, state.of_channel)
    if incoming.hash == state.document_hash:
        return _again(desk, state, articles)
    if "cancelled" in (state.remote_status, state.lifecycle):
        return _after_cancelling(desk, incoming, state)
    if incoming.order.revision > state.revision:
        desk.news.add(incoming.inbox_id)
    document, clashes = _merged(incoming, state)
    _keep_back(desk, incoming.order, state)
    _note(incoming, state, document)
    asks = changes.between(state.document, document)
    if asks or _costs(state.document) != _costs(document):
        codes = {key: row.code for key, row in desk.locations.items()}
        seen = look(desk.tx, state, document, articles, codes)
        rows = changes.to_json(asks)
        record(
            desk, state, kind=changes.kind_of(asks) if asks else "edit", source="channel", actions=rows, preview=seen
        )
    if clashes:  # before anything new is handed over
        _conflict(
            desk, incoming, state, f"The channel wants {'; '.join(clashes)}. The order stays as it was changed here"
        )
    bring_to(desk, state, document, articles)
    return _outcome(state, clashes)


def _keep_back(desk: Desk, order: Order, state: OrderState) -> None:
    """Take back from the places what the channel keeps back from now on, as far as nobody was told of it."""
    known = {one["external_id"] for one in state.of_channel.get("holds", ())}
    ids = {line.external_id: line.id for line in state.lines}
    for held in order.holds:
        if held.external_id not in known:
            lines = {ids[name] for name in held.lines if name in ids} if held.lines else None
            keep_back(desk, state, lines, f"its channel keeps it back: {held.reason}")


def _outcome(state: OrderState, clashes: Sequence[str] = ()) -> str:
    if clashes:
        return "conflict"
    return "held_unmapped" if any(one.kind == "unmapped" for one in state.holds) else "applied"


def _again(desk: Desk, state: OrderState, articles: Articles) -> str:
    """The document is known: all that can be new is an article."""
    if state.lifecycle not in {"pending", "open"}:
        return "no_change"
    order: Order = schemas.parse("order.v1", state.document)
    link_articles(desk, state, order, articles)
    if not any(line.changed for line in state.lines):
        return "no_change"
    decide(desk, state, order)
    return _outcome(state)


def _after_cancelling(desk: Desk, incoming: Incoming, state: OrderState) -> str:
    """A cancelled order stays cancelled, whatever the channel says of it."""
    opened = incoming.order.status != "cancelled"
    if opened and state.of_channel["status"] == "cancelled":
        if incoming.order.revision == state.revision:
            return "stale"
        _conflict(desk, incoming, state, "The channel opened a cancelled order again", handle="reopened")
        return "conflict"
    wants = changes.between(state.of_channel, incoming.document) if opened else []
    # Its units stay as they are, whatever is stated of them.
    ours = {name: state.document[name] for name in ("status", "lines", "totals")}
    document = {**incoming.document, **ours}
    _note(incoming, state, document)
    order: Order = schemas.parse("order.v1", document)
    take_over(desk, state, document, order)
    if wants:
        _conflict(desk, incoming, state, "The channel changed an order that is cancelled here")
    return "conflict" if wants else "applied"


def _conflict(desk: Desk, incoming: Incoming, state: OrderState, said: str, *, handle: str = "") -> None:
    """Hold what has not been handed over yet, until a person has decided."""
    desk.put_on_hold(
        state,
        "remote_conflict",
        f"{said}.",
        handle=handle or f"conflict:{incoming.hash[:16]}",
        source="channel",
        blocks="routing" if handle else "release",
    )


def _costs(document: Mapping[str, Any]) -> int:
    order: Order = schemas.parse("order.v1", document)
    return computed_total_minor(order)


def _merged(incoming: Incoming, state: OrderState) -> tuple[dict[str, Any], list[str]]:
    """The channel's document with what was changed here, and where the two contradict each other."""
    if state.channel_document is None:
        return incoming.document, []
    document, clashes = changes.merged(state.channel_document, state.document, incoming.document)
    return changes.with_totals(document, computed_total_minor(incoming.order), _costs(document)), clashes


def _note(incoming: Incoming, state: OrderState, document: Mapping[str, Any]) -> None:
    """Keep what the channel states now."""
    state.revision, state.document_hash = incoming.order.revision, incoming.hash
    state.channel_document = incoming.document if document != incoming.document else None
    state.changes |= {
        "revision": incoming.order.revision,
        "document_hash": incoming.hash,
        "inbox_id": incoming.inbox_id,
    }


# What a channel tells by poll and leaves out of its webhooks: silence does not take it back.
TOLD_BY_POLL = ("payments", "gift_cards", "risk", "pickup_location", "withheld", "holds")


def complete(incoming: Incoming, before: Mapping[str, Any]) -> Incoming:
    """The incoming document with what the known one says and it does not, or is not allowed to say."""
    said = incoming.document
    if said.get("partial") and not before.get("partial"):
        said = {name: value for name, value in said.items() if name != "partial"}  # the rest of it is known
    kept = {name: before[name] for name in TOLD_BY_POLL if name in before and name not in said}
    hidden = said.get("withheld", [])
    known = [name for name in hidden if name in before and name not in before.get("withheld", ())]
    if known:
        kept |= {name: before[name] for name in known} | {"withheld": [one for one in hidden if one not in known]}
    document = {**said, **kept}
    if document == incoming.document:
        return incoming
    order: Order = schemas.parse("order.v1", document)
    return replace(incoming, document=document, order=order, hash=schemas.fingerprint(document))


def link_articles(desk: Desk, state: OrderState, order: Order, articles: Articles) -> None:
    """Link lines whose article has become known since."""
    known = {line.external_id: line for line in state.lines}
    for index, stated in enumerate(order.lines):
        line = known.get(stated.external_id)
        fresh = new_line(state, order, index, articles)
        if line is not None and line.variant_id is None and fresh.variant_id is not None:
            # What the channel took back stays counted as cancelled; what it still wants is in units of the article now.
            line.variant_id, line.ordered, line.changed = fresh.variant_id, line.cancelled + fresh.ordered, True
            desk.tell(state.id, ("order_line", line.id), "linked", f"{line.sku or line.title} is linked to an article.")
