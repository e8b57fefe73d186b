"""Postings that the tests send to Odoo."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hub.domain.documents import Address, Customer
from hub.domain.ledgers import Posting, PostingLine

BERLIN = Address(name="Ada Example", line1="Example Street 1", city="Berlin", postal_code="10115", country="DE")
FREMONT = Address(
    name="Ada Example", line1="1 Sample Avenue", city="Fremont", region="CA", postal_code="94536", country="US"
)
ADA = Customer(external_id="77", email="ada@example.com", name="Ada Example")


def sale(*lines: PostingLine, **more: Any) -> Posting:
    """A sales order in EUR whose total is the sum of its lines and the taxes on top, unless said otherwise."""
    included = more.get("taxes_included", False)
    taxes = 0 if included else sum(tax.amount_minor for line in lines for tax in line.taxes)
    posting = Posting(
        kind="sales_order",
        reference="SO-1001",
        order_number="1001",
        channel="demo",
        currency="EUR",
        date="2026-03-02",
        customer=ADA,
        bill_to=BERLIN,
        ship_to=BERLIN,
        lines=lines,
        total_minor=sum(line.total_minor for line in lines) + taxes,
        taxes_included=included,
    )
    return replace(posting, **more)


def mugs(units: int, total_minor: int, **more: Any) -> PostingLine:
    return PostingLine("MUG", "Mug", units, total_minor, **more)
