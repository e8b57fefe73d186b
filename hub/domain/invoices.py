"""Invoices: what of an order is billed now, where some of it was billed before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from hub.domain.documents import Tax
from hub.domain.ledgers import PostingLine


@dataclass(frozen=True, slots=True)
class Sold:
    """A line of an order as a whole, and how many units of it may be billed by now."""

    line: PostingLine
    units: int


def unbilled(sold: Iterable[Sold], billed: Sequence[PostingLine]) -> tuple[PostingLine, ...]:
    """The lines of the next invoice. `billed` are those of all earlier ones, known again by their reference.

    All invoices together come to what is stated for the units on them, to the minor unit. What was billed already is
    not lowered by a later invoice: that is a credit note's.
    """
    lines = (_rest(one, [line for line in billed if line.reference == one.line.reference]) for one in sold)
    return tuple(line for line in lines if line is not None)


def _rest(sold: Sold, billed: Sequence[PostingLine]) -> PostingLine | None:
    whole = sold.line
    units = sold.units - sum(line.quantity for line in billed)
    total_minor = _left(whole.total_minor, sold, [line.total_minor for line in billed])
    if units <= 0 and (whole.kind == "article" or not total_minor):
        return None
    taxes = tuple(_tax_left(tax, sold, billed) for tax in whole.taxes)
    return replace(whole, quantity=max(1, units), total_minor=total_minor, taxes=taxes)


def _tax_left(tax: Tax, sold: Sold, billed: Sequence[PostingLine]) -> Tax:
    same = replace(tax, amount_minor=0)
    before = [one.amount_minor for line in billed for one in line.taxes if replace(one, amount_minor=0) == same]
    return replace(tax, amount_minor=_left(tax.amount_minor, sold, before))


def _left(whole_minor: int, sold: Sold, billed_minor: Sequence[int]) -> int:
    """What is left of an amount after what was billed of it; rounding down makes all shares together exactly the whole.

    A credit stays one: what is left has the sign of the whole.
    """
    due = abs(whole_minor) * sold.units // sold.line.quantity * (1 if whole_minor >= 0 else -1)
    left = due - sum(billed_minor)
    return max(0, left) if whole_minor >= 0 else min(0, left)
