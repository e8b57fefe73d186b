"""Documents for the ERP or accounting system: sales orders and invoices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hub.domain.documents import Address, Customer, Tax


@dataclass(frozen=True, slots=True)
class PostingLine:
    """One line of a posting; amounts are minor units of the posting's currency, taxes not included unless
    the posting says so.
    """

    sku: str
    title: str
    quantity: int
    total_minor: int
    kind: Literal["article", "shipping", "fee", "discount"] = "article"
    taxes: tuple[Tax, ...] = ()
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Posting:
    """A document to post.

    `reference` is unique in the hub per kind and is what look-ups by reference use. `order_ref` is the ERP's id of
    the sales order an invoice belongs to, when known. `date` is the document date (ISO day).
    """

    kind: Literal["sales_order", "invoice"]
    reference: str
    order_number: str
    channel: str
    currency: str
    date: str
    customer: Customer
    bill_to: Address
    ship_to: Address
    lines: tuple[PostingLine, ...]
    total_minor: int
    taxes_included: bool
    order_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """A posted document: `ref` is its id in the ERP, `number` the document number people use."""

    ref: str
    number: str
