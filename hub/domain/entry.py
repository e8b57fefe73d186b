"""Entry checks: what must be right before an order may be routed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from hub.domain.documents import Fee, Order, OrderLine, ShippingCharge
from hub.domain.money import to_decimal

PAID_ENOUGH = frozenset({"paid", "authorized", "partially_refunded", "terms", "unknown"})


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Why an order waits. `handle` makes it one hold however often it is found; `kind` is what people filter by."""

    kind: str
    reason: str
    handle: str
    blocks: str = "routing"


def computed_total_minor(order: Order) -> int:
    """The order's total from its parts, in minor units of its currency."""
    total = sum(line.total_minor for line in order.lines)
    total += sum(charge.amount_minor for charge in order.shipping)
    total += sum(fee.amount_minor for fee in order.fees)
    return total if order.totals.taxes_included else total + added_tax_minor(order)


def added_tax_minor(order: Order) -> int:
    """All taxes on lines, shipping and fees."""
    taxed: tuple[OrderLine | ShippingCharge | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    return sum(tax.amount_minor for part in taxed for tax in part.taxes)


def holds(order: Order, unmapped: Collection[str]) -> list[HoldReason]:
    """Everything that keeps `order` from being routed. `unmapped` are titles or SKUs of lines without an article."""
    found: list[HoldReason] = []
    for name in unmapped:
        reason = f"{name} is not linked to an article of ours: link it, and the order goes on by itself."
        found.append(HoldReason("unmapped", reason, f"unmapped:{name}"[:80]))
    if order.status == "pending":
        found.append(HoldReason("pending", "The channel has not released the order yet.", "pending"))
    elif order.payment_status not in PAID_ENOUGH:
        found.append(HoldReason("unpaid", f"The channel says {order.payment_status.replace('_', ' ')}.", "unpaid"))
    stated, computed = order.totals.total_minor, computed_total_minor(order)
    if stated != computed and order.status != "pending":
        said, summed = (to_decimal(minor, order.currency) for minor in (stated, computed))
        reason = f"The channel states {said} {order.currency} and the parts add up to {summed}."
        found.append(HoldReason("totals_mismatch", reason, "totals_mismatch"))
    if order.status != "pending" and needs_address(order) and not has_address(order):
        found.append(HoldReason("address", "There is no complete delivery address.", "address"))
    if order.risk is not None and order.risk.level == "high":
        found.append(HoldReason("risk", "The channel rates the risk of fraud as high.", "risk"))
    return found


def ships_by_us(order: Order, line_index: int) -> bool:
    """Whether the hub has to ship this line: not for downloads, gift cards and what the channel ships itself."""
    line = order.lines[line_index]
    return line.requires_shipping and order.fulfilled_by == "merchant" and line.fulfilled_by == "merchant"


def needs_address(order: Order) -> bool:
    return order.delivery_method == "ship" and any(ships_by_us(order, i) for i in range(len(order.lines)))


def has_address(order: Order) -> bool:
    address = order.shipping_address
    return address is not None and bool(address.country and (address.line1 or address.city or address.postal_code))
