"""What an order costs now, line by line: pure arithmetic in whole minor units of the shop's currency.

Shopify states discounts and taxes of a line for all units ever ordered, and the order's current totals for the units
still wanted. Here every share is cut down to the units still wanted, and differences of rounding are laid on the lines
that were cut, so that the parts sum up to Shopify's own current total.
Source: https://shopify.dev/docs/api/admin-graphql/2026-07/objects/LineItem, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.domain.money import distribute


@dataclass(frozen=True, slots=True)
class TaxShare:
    amount: int
    title: str | None = None
    rate: str | None = None
    channel_liable: bool | None = None


@dataclass(frozen=True, slots=True)
class DiscountShare:
    """`application` is the place of the discount in the order's list of discounts."""

    amount: int
    application: int | None = None
    code: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True)
class DutyShare:
    amount: int
    taxes: tuple[TaxShare, ...] = ()


@dataclass(frozen=True, slots=True)
class LineFacts:
    """One line as Shopify states it: `ordered` units ever, `wanted` of them still; shares are for all ordered units.

    `subtotal` is already for the wanted units. `is_tip` marks the line that only carries a tip.
    """

    external_id: str
    ordered: int
    wanted: int
    subtotal: int
    discounts: tuple[DiscountShare, ...] = ()
    taxes: tuple[TaxShare, ...] = ()
    duties: tuple[DutyShare, ...] = ()
    is_tip: bool = False

    @property
    def is_cut(self) -> bool:
        return self.wanted != self.ordered

    @property
    def total(self) -> int:
        return self.subtotal - sum(share.amount for share in self.discounts)


@dataclass(frozen=True, slots=True)
class ShippingFacts:
    """One shipping charge: `amount` is what it costs now after discounts, `charged` what it first cost after them."""

    external_id: str | None
    amount: int
    charged: int
    title: str | None = None
    code: str | None = None
    carrier: str | None = None
    discounts: tuple[DiscountShare, ...] = ()
    taxes: tuple[TaxShare, ...] = ()


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What Shopify states of an order's money. None means that the payload does not say.

    `order_taxes` are the order's own tax lines, `total` the current total, `first_total` the one before returns.
    """

    lines: tuple[LineFacts, ...]
    shipping: tuple[ShippingFacts, ...]
    taxes_included: bool
    duties_included: bool
    order_taxes: tuple[TaxShare, ...]
    tip: int
    extra_fees: int
    total: int
    first_total: int
    subtotal: int | None
    tax: int | None
    discount: int | None
    refunded: int | None
    named_discounts: tuple[DiscountShare, ...]


@dataclass(frozen=True, slots=True)
class FeeFacts:
    kind: str
    amount: int
    title: str
    taxes: tuple[TaxShare, ...] = ()


@dataclass(frozen=True, slots=True)
class Books:
    """The parts of an order that sum up to `total`, wherever Shopify's own numbers allow it."""

    lines: tuple[LineFacts, ...]
    shipping: tuple[ShippingFacts, ...]
    fees: tuple[FeeFacts, ...]
    taxes_included: bool
    total: int

    @property
    def parts(self) -> int:
        """The sum of all parts, in minor units."""
        whole = sum(line.total for line in self.lines)
        whole += sum(charge.amount for charge in self.shipping)
        whole += sum(fee.amount for fee in self.fees)
        return whole if self.taxes_included else whole + self.tax

    @property
    def tax(self) -> int:
        every: tuple[LineFacts | ShippingFacts | FeeFacts, ...] = (*self.lines, *self.shipping, *self.fees)
        return sum(tax.amount for part in every for tax in part.taxes)

    @property
    def discounts(self) -> tuple[DiscountShare, ...]:
        every: tuple[LineFacts | ShippingFacts, ...] = (*self.lines, *self.shipping)
        return tuple(share for part in every for share in part.discounts)

    @property
    def is_taxed(self) -> bool:
        every: tuple[LineFacts | ShippingFacts | FeeFacts, ...] = (*self.lines, *self.shipping, *self.fees)
        return any(part.taxes for part in every)


def books(facts: OrderFacts) -> Books:
    """The order as it stands now."""
    goods = tuple(_as_wanted(line) for line in facts.lines if not line.is_tip)
    made = Books(goods, _as_charged(facts.shipping), _fees(facts, goods), facts.taxes_included, facts.total)
    made = _with_missing_discount(made, facts)
    made = _with_rounding_of_discounts(made, facts)
    made = _with_missing_taxes(made, facts)
    made = _with_rounding_of_taxes(made, facts)
    if made.parts not in (made.total, facts.first_total):
        return made
    return replace(made, total=made.parts)


def cut(amount: int, units: int, of: int) -> int:
    """The share of `units` out of `of` units, half a minor unit rounded up; all of it when nothing was cut."""
    if of <= 0 or units == of:
        return amount
    return (2 * amount * units + of) // (2 * of)


def _as_wanted(line: LineFacts) -> LineFacts:
    if not line.is_cut:
        return line
    return replace(
        line,
        discounts=tuple(replace(one, amount=cut(one.amount, line.wanted, line.ordered)) for one in line.discounts),
        taxes=_cut_taxes(line.taxes, line.wanted, line.ordered),
        duties=tuple(
            DutyShare(cut(duty.amount, line.wanted, line.ordered), _cut_taxes(duty.taxes, line.wanted, line.ordered))
            for duty in line.duties
        ),
    )


def _cut_taxes(taxes: Sequence[TaxShare], units: int, of: int) -> tuple[TaxShare, ...]:
    return tuple(replace(tax, amount=cut(tax.amount, units, of)) for tax in taxes)


def _as_charged(shipping: Sequence[ShippingFacts]) -> tuple[ShippingFacts, ...]:
    """Shipping that was given back in part carries that part of its taxes only."""
    return tuple(replace(one, taxes=_cut_taxes(one.taxes, one.amount, one.charged)) for one in shipping)


def _fees(facts: OrderFacts, goods: Sequence[LineFacts]) -> tuple[FeeFacts, ...]:
    fees = []
    if not facts.duties_included:
        fees += [FeeFacts("duty", duty.amount, "Duties", duty.taxes) for line in goods for duty in line.duties]
    if facts.extra_fees:
        fees.append(FeeFacts("fee", facts.extra_fees, "Fees"))
    tips = [line for line in facts.lines if line.is_tip]
    if tips:
        fees += [FeeFacts("tip", line.total, "Tip", line.taxes) for line in tips]
    elif facts.tip:
        fees.append(FeeFacts("tip", facts.tip, "Tip"))
    return tuple(fee for fee in fees if fee.amount or fee.taxes)


def _with_missing_discount(made: Books, facts: OrderFacts) -> Books:
    """Old payloads state one discount for the whole order: it is spread over the lines by their worth."""
    weights = [max(line.subtotal, 0) for line in made.lines]
    missing = min(facts.discount or 0, sum(weights))
    if made.discounts or not missing:
        return made
    named = facts.named_discounts[0] if facts.named_discounts else DiscountShare(0, title="Discount")
    shares = distribute(missing, weights)
    lines = tuple(
        replace(line, discounts=(replace(named, amount=share),)) if share else line
        for line, share in zip(made.lines, shares, strict=True)
    )
    return replace(made, lines=lines)


def _with_rounding_of_discounts(made: Books, facts: OrderFacts) -> Books:
    """What cutting lines has rounded off is laid on the largest discount among the lines that were cut."""
    if facts.subtotal is None:
        return made
    over = sum(line.total for line in made.lines) - facts.subtotal
    cut_shares = [
        (share.amount, row, place)
        for row, line in enumerate(made.lines)
        if line.is_cut
        for place, share in enumerate(line.discounts)
    ]
    if not over or abs(over) > len(cut_shares):
        return made
    amount, row, place = max(cut_shares)
    if amount + over < 0:
        return made
    line = made.lines[row]
    shares = tuple(replace(one, amount=one.amount + over * (at == place)) for at, one in enumerate(line.discounts))
    return replace(made, lines=_exchanged(made.lines, row, replace(line, discounts=shares)))


def _with_missing_taxes(made: Books, facts: OrderFacts) -> Books:
    """Old payloads state taxes for the whole order only: each is spread over the lines by their worth."""
    weights = [max(line.total, 0) for line in made.lines]
    if made.is_taxed or not facts.tax or not sum(weights):
        return made
    stated = facts.order_taxes if sum(tax.amount for tax in facts.order_taxes) == facts.tax else ()
    lines = made.lines
    for tax in stated or (TaxShare(facts.tax),):
        shares = distribute(tax.amount, weights)
        lines = tuple(
            replace(line, taxes=(*line.taxes, replace(tax, amount=share))) if share else line
            for line, share in zip(lines, shares, strict=True)
        )
    return replace(made, lines=lines)


def _with_rounding_of_taxes(made: Books, facts: OrderFacts) -> Books:
    """What cutting lines has rounded off is laid on the largest tax among the lines that were cut."""
    if facts.tax is None:
        return made
    over = facts.tax - made.tax
    cut_taxes = [
        (tax.amount, row, place)
        for row, line in enumerate(made.lines)
        if line.is_cut
        for place, tax in enumerate(line.taxes)
    ]
    if not over or abs(over) > len(cut_taxes):
        return made
    _, row, place = max(cut_taxes)
    line = made.lines[row]
    taxes = tuple(replace(one, amount=one.amount + over * (at == place)) for at, one in enumerate(line.taxes))
    return replace(made, lines=_exchanged(made.lines, row, replace(line, taxes=taxes)))


def _exchanged(lines: tuple[LineFacts, ...], row: int, line: LineFacts) -> tuple[LineFacts, ...]:
    return (*lines[:row], line, *lines[row + 1 :])
