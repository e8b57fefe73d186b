"""Owed: what a customer has paid for, and does not get since the order was made smaller here."""

from __future__ import annotations

from hub import schemas
from hub.domain import changes
from hub.domain.documents import Order
from hub.domain.money import to_decimal
from hub.store.orders import LineState, OrderState

KIND = "refund_due"


def is_settled(order: OrderState) -> bool:
    """Whether it is known what the customer gets: no place is asked back whose answer could change it."""
    return not any(line.unwanted for line in order.lines)


def refund(order: OrderState, channel: str) -> tuple[int, str]:
    """How much is to be given back at the channel, in minor units, and the same in words; 0 for nothing.

    The hub moves no money. What the channel changes itself it settles itself, and of what nobody says was paid nothing
    is given back.
    """
    stated: Order = schemas.parse("order.v1", order.of_channel)
    paid = changes.paid_minor(stated)
    if not paid:
        return 0, ""
    costs: Order = schemas.parse("order.v1", changes.costed(order.document, order.of_channel, _stay(order)))
    due = changes.due_minor(costs)
    back, had, now = (f"{to_decimal(one, order.currency)} {order.currency}" for one in (max(0, paid - due), paid, due))
    if stated.payment_status == "authorized":
        return max(0, paid - due), f"Let {back} go at {channel}: {had} are authorized, and the order costs {now} now."
    return max(0, paid - due), f"Refund {back} at {channel}: the customer paid {had}, and the order costs {now} now."


def _stay(order: OrderState) -> dict[str, int]:
    """How many of each line are not cancelled, in the quantity that the channel states; a pack that was begun stays."""
    stated = {line["external_id"]: line["quantity"] for line in order.of_channel["lines"]}
    return {line.external_id: _packs(line, stated.get(line.external_id, 0)) for line in order.lines}


def _packs(line: LineState, stated: int) -> int:
    pack = line.ordered // stated if stated else 1
    return -(-(line.ordered - line.cancelled) // max(1, pack))
