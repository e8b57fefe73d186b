"""Between the hub's values and Odoo's: pure functions.

Odoo's numbers are floats. An amount becomes one only here, from its exact decimal text, and comes back by its shortest
decimal text, so no cent is ever computed in binary.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hub.domain.documents import Address, Customer, Tax
from hub.domain.ledgers import Posting, PostingLine
from hub.domain.money import exponent, to_decimal, to_minor
from hub.sdk import errors


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a document in Odoo: `units` at exactly `unit_minor` each, with Odoo's taxes on top or inside."""

    product: int
    title: str
    units: int
    unit_minor: int
    taxes: tuple[int, ...] = ()


def unit_prices(quantity: int, total_minor: int) -> list[tuple[int, int]]:
    """A line total as (units, price of one) pairs that multiply out exactly: 10.00 for three is 2 x 3.33 and 1 x 3.34.

    Odoo keeps unit prices with few decimals (setting "Product Price"), so a price of 3.3333 would lose a cent.
    """
    price, left = divmod(total_minor, quantity)
    parts = [(quantity - left, price), (left, price + 1)]
    return [(units, each) for units, each in parts if units]


def number(minor: int, currency: str) -> float:
    """An amount as Odoo takes it."""
    return float(to_decimal(minor, currency))


def minor(amount: float, currency: str) -> int:
    """An amount as Odoo states it, in minor units. Raises SchemaDrift when it is not whole.

    Odoo adds rounded floats, so digits far behind the currency's last one are noise of its sum and cut off.
    """
    try:
        return to_minor(round(Decimal(repr(amount)), exponent(currency) + 4), currency)
    except ValueError as error:
        raise errors.SchemaDrift(f"an amount that {currency} cannot have: {error}", "amount_total") from error


def require_sum(posting: Posting) -> None:
    """Lines and taxes must add up to the stated total before anything is sent. Raises Rejected."""
    taxes = 0 if posting.taxes_included else sum(tax.amount_minor for line in posting.lines for tax in line.taxes)
    computed = sum(line.total_minor for line in posting.lines) + taxes
    if computed != posting.total_minor:
        raise errors.Rejected(
            f"the lines of {posting.reference} come to {to_decimal(computed, posting.currency)} {posting.currency}, "
            f"the document states {to_decimal(posting.total_minor, posting.currency)}",
            field="total_minor",
        )
    empty = [line.title or line.sku for line in posting.lines if line.quantity < 1 and line.total_minor]
    if empty:
        raise errors.Rejected(f"lines with an amount but no units: {', '.join(empty)}", field="quantity")


def rate_key(tax: Tax, *, included: bool) -> str:
    """How the tax map names a tax: its rate as a plain decimal fraction, and "included" when it is inside prices."""
    rate = f"{Decimal(tax.rate or '0').normalize():f}"
    return f"{rate} included" if included else rate


def is_mapped(tax: Tax) -> bool:
    """Whether a tax is the seller's own and so belongs to a tax record; a marketplace remits the others itself."""
    return not tax.channel_liable and tax.amount_minor != 0


def mapped_taxes(lines: Collection[PostingLine]) -> list[Tax]:
    return [tax for line in lines for tax in line.taxes if is_mapped(tax)]


def tax_totals(taxes: Sequence[Tax]) -> list[tuple[str, int]]:
    """(title, amount) for each title, in order of first appearance."""
    sums: dict[str, int] = {}
    for tax in taxes:
        title = tax.title or "Tax"
        sums[title] = sums.get(title, 0) + tax.amount_minor
    return [(title, amount) for title, amount in sums.items() if amount]


def street(address: Address, unknown_region: str | None = None) -> tuple[str | None, str | None]:
    """Odoo's two street lines. A region that Odoo has no state for stays readable at the end of the second."""
    rest = [part for part in (address.line2, address.line3, unknown_region) if part]
    return address.line1, ", ".join(rest) or None


def customer_ref(posting: Posting) -> str:
    """What the partner is found by besides the e-mail: the channel's customer id, or the order where there is none."""
    return f"{posting.channel}/{posting.customer.external_id or posting.order_number}"


def customer_name(customer: Customer, bill_to: Address) -> str:
    names = (customer.name, bill_to.name, customer.company, bill_to.company, customer.email)
    return next((name for name in names if name), "Customer")


def like_exactly(text: str) -> str:
    """A text for =ilike that fits only itself, in any case: the operator gives % and _ a meaning."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def moment(text: str) -> datetime:
    """Odoo's time, which is UTC without saying so."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stamp(at: datetime) -> str:
    """A time as Odoo's domains take it: UTC, whole seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def revision(text: str) -> str:
    """Odoo's write_date as the hub's sortable mark."""
    return moment(text).isoformat(timespec="microseconds").replace("+00:00", "Z")


def filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values without the empty ones: Odoo then takes its own default."""
    return {name: value for name, value in values.items() if value not in (None, "", [])}


def link_id(value: Any) -> int:
    """The id of a many2one as read: [id, name], or False when empty (0)."""
    return int(value[0]) if value else 0
