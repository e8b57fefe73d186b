"""Articles: say what a channel's SKU is, and let the orders go on that wait for it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.flows.operate import feeds
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.operate.reach import find
from hub.flows.runtime import Runtime
from hub.store import catalog, events, inbox, orders
from hub.store.database import Tx
from hub.store.orders import UnlinkedLine


@dataclass(frozen=True, slots=True)
class LinkedSku:
    """What was linked: our article, the channel's listings, and the orders that are looked at again."""

    variant_id: str
    article: str
    listings: tuple[str, ...]
    order_ids: tuple[str, ...]


def link_sku(
    runtime: Runtime,
    key: str,
    sku: str,
    *,
    person: str,
    article: str = "",
    external_id: str = "",
    title: str = "",
    pack_size: int = 1,
    create: bool = False,
) -> LinkedSku:
    """Say that a SKU (or, with `external_id`, a listing) of a channel is our article, and replay the orders it holds.

    `article` is our own SKU, by default the same text. With `create` it is made when it does not exist. `pack_size` is
    how many of our units one of the channel's is. Safe to repeat. Raises NotDoneError.
    """
    row = find(runtime, key)
    if not (sku.strip() or external_id):
        raise NotDoneError("say which SKU or listing of the channel is meant")
    article = article.strip() or sku.strip()
    if not article:
        raise NotDoneError("say which article it is")
    if pack_size < 1:
        raise NotDoneError("a pack holds at least one unit")
    now = runtime.clock()
    doors = {"stock"}
    with runtime.db.begin() as tx:
        variant_id = catalog.variants_by_sku(tx, [article]).get(article)
        if variant_id is None and not create:
            raise NotDoneError(f"there is no article {article!r}; create it, or name another one")
        if variant_id is None:
            variant_id = catalog.add_variants(tx, [{"sku": article, "title": title or article}], now)[article]
            doors |= feeds.read_again(runtime, tx)
        lines = orders.unlinked_lines(tx, row.id, sku=sku.strip(), external_variant_id=external_id)
        listings = _link(tx, row.id, sku.strip(), external_id, lines, variant_id, pack_size, same_name=article == sku)
        partitions = inbox.replay(tx, {line.inbox_id for line in lines})
        name = sku or external_id
        said = f"{name} of {row.name} is our article {article}" + (
            f", {pack_size} units each." if pack_size > 1 else "."
        )
        events.tell(tx, ("variant", variant_id), "linked", actor(person), said, now)
        waiting = sorted({line.order_id for line in lines})
        events.tell_all(tx, [(("order", one), one, said, None) for one in waiting], "linked", actor(person), now)
    runtime.wake_all(doors | {f"inbox:{partition}" for partition in partitions})
    return LinkedSku(variant_id, article, tuple(listings), tuple(waiting))


def _link(
    tx: Tx,
    connection_id: str,
    sku: str,
    external_id: str,
    lines: list[UnlinkedLine],
    variant_id: str,
    pack_size: int,
    *,
    same_name: bool,
) -> list[str]:
    """Link every listing that the waiting orders name, or the SKU where they name none."""
    named = (
        [external_id] if external_id else sorted({one.external_variant_id for one in lines if one.external_variant_id})
    )
    known = catalog.listings_by_sku(tx, connection_id, sku)
    for listing in sorted({*named, *known}):
        catalog.link_sku(tx, connection_id, listing, sku, variant_id, pack_size)
    if not named and not known and not (same_name and pack_size == 1):
        catalog.link_sku(tx, connection_id, "", sku, variant_id, pack_size)
    return sorted({*named, *known})
