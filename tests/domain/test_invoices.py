"""Several invoices of one order together come to what the order states, and no unit is on two of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.documents import Tax
from hub.domain.invoices import Sold, unbilled
from hub.domain.ledgers import PostingLine

MUG = PostingLine("MUG", "Mug", 3, 1000, "article", (Tax(80, "VAT", "0.08"),), "line-1")
SHIPPING = PostingLine("", "Shipping", 1, 499, "shipping", (Tax(40, "VAT", "0.08"),), "shipping:1")


def figures(lines: tuple[PostingLine, ...]) -> list[tuple[str, int, int, int]]:
    return [(one.reference, one.quantity, one.total_minor, sum(tax.amount_minor for tax in one.taxes)) for one in lines]


def test_the_first_invoice_bills_what_has_left_and_the_charges() -> None:
    lines = unbilled([Sold(MUG, 2), Sold(SHIPPING, 1)], ())
    assert figures(lines) == [("line-1", 2, 666, 53), ("shipping:1", 1, 499, 40)]


def test_the_next_invoice_bills_the_rest_to_the_minor_unit_and_no_charge_twice() -> None:
    first = unbilled([Sold(MUG, 2), Sold(SHIPPING, 1)], ())
    more = replace(MUG, quantity=4, total_minor=1333, taxes=(Tax(107, "VAT", "0.08"),))
    assert figures(unbilled([Sold(more, 4), Sold(SHIPPING, 1)], first)) == [("line-1", 2, 667, 54)]


def test_a_charge_that_has_risen_is_billed_by_what_it_has_risen() -> None:
    first = unbilled([Sold(SHIPPING, 1)], ())
    dearer = replace(SHIPPING, total_minor=799, taxes=(Tax(64, "VAT", "0.08"),))
    assert figures(unbilled([Sold(dearer, 1)], first)) == [("shipping:1", 1, 300, 24)]


def test_what_was_billed_is_not_lowered_by_a_later_invoice() -> None:
    first = unbilled([Sold(MUG, 3)], ())
    cheaper = replace(MUG, quantity=4, total_minor=900, taxes=())
    assert figures(unbilled([Sold(cheaper, 4)], first)) == [("line-1", 1, 0, 0)]


def test_nothing_is_billed_where_nothing_is_new() -> None:
    sold = [Sold(MUG, 2), Sold(SHIPPING, 1)]
    assert unbilled(sold, unbilled(sold, ())) == ()


@given(
    steps=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 500)), min_size=1, max_size=5),
    first_minor=st.integers(0, 5000),
    sign=st.sampled_from([1, -1]),
)
def test_all_invoices_together_are_the_share_of_what_has_left(
    steps: list[tuple[int, int, int]], first_minor: int, sign: int
) -> None:
    """An order that grows: more units are wanted, more have left, and no unit gets cheaper."""
    wanted, left, each = 1, 0, first_minor
    billed: tuple[PostingLine, ...] = ()
    for more, leaves, dearer in steps:
        wanted, left, each = wanted + more, min(wanted + more, left + leaves), each + dearer
        total = sign * each * wanted
        line = PostingLine("MUG", "Mug", wanted, total, "article", (Tax(total // 7, "VAT", "0.07"),), "line-1")
        fresh = unbilled([Sold(line, left)], billed)
        billed += fresh
        assert sum(one.quantity for one in billed) == left
        if fresh:  # what gets dearer afterwards is billed with the next unit
            assert sum(one.total_minor for one in billed) == sign * (abs(total) * left // wanted)
