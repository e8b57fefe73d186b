"""Bill: the lines of what ERPs are told: the sales order as a whole, and each invoice with what was not billed yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hub import schemas
from hub.domain.documents import Order
from hub.domain.invoices import Sold, unbilled
from hub.domain.ledgers import PostingLine
from hub.flows import kits
from hub.store.orders import OrderState


def all_lines(state: OrderState, order: Order) -> list[PostingLine]:
    """Everything that is wanted of an order, as its document states it."""
    return [one.line for one in _sold(state, order)]


def next_lines(state: OrderState, order: Order, earlier: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The lines of the next invoice, as they are kept with it; `earlier` are the payloads of those before it."""
    billed = [line for payload in earlier for line in read(payload)]
    return [asdict(line) for line in unbilled(_sold(state, order), billed)]


def read(payload: Mapping[str, Any]) -> tuple[PostingLine, ...]:
    """The lines that were kept with an invoice."""
    return tuple(schemas.structure(PostingLine, line) for line in payload["lines"])


def _sold(state: OrderState, order: Order) -> Iterator[Sold]:
    """Articles, of which what ships from here is billed as it leaves, and charges.

    What was taken off the order and left all the same is on the invoice for nothing, as the order has it.
    """
    stated = {line.external_id: line for line in order.lines}
    for line in state.lines:
        said, wanted = stated.get(line.external_id), line.ordered - line.cancelled
        if line.kit_line_id or wanted <= 0:
            continue
        total, taxes = (said.total_minor, said.taxes) if said else (0, ())
        leaves = line.ships or kits.is_kit(state, line)
        yield Sold(
            PostingLine(line.sku, line.title or line.sku, wanted, total, "article", taxes, line.id),
            line.shipped if leaves else wanted,
        )
    for number, charge in enumerate(order.shipping):
        name = f"shipping:{charge.external_id or number}"
        title = charge.title or "Shipping"
        yield Sold(PostingLine("", title, 1, charge.amount_minor, "shipping", charge.taxes, name), 1)
    for number, fee in enumerate(order.fees):
        title = fee.title or fee.kind.capitalize()
        yield Sold(PostingLine("", title, 1, fee.amount_minor, "fee", fee.taxes, f"fee:{number}"), 1)
