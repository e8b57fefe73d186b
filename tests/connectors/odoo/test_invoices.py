"""Invoices: linked to their sales order, numbered by Odoo, never twice."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hub.domain.documents import Tax
from hub.sdk import errors
from hub.testing import Fault
from tests.connectors.odoo.odoo_papers import mugs, sale

VAT = Tax(amount_minor=380, rate="0.19", title="VAT")


def invoice(order_ref=None, **more):
    return replace(sale(mugs(2, 2000, taxes=(VAT,))), kind="invoice", reference="INV-1001", order_ref=order_ref, **more)


def test_an_invoice_of_an_order_is_posted_and_counts_as_invoiced_there(link, odoo):
    order = link().post(sale(mugs(2, 2000, taxes=(VAT,))), "key")
    posted = link().post(invoice(order.ref), "key")
    (booked,) = odoo.invoices()
    assert (posted.ref, posted.number) == (str(booked["id"]), "INV/2026/00001")
    assert (booked["state"], booked["ref"], booked["invoice_origin"]) == ("posted", "INV-1001", "S00001")
    assert (booked["amount_total"], booked["invoice_date"]) == (23.80, "2026-03-02")
    assert [line["qty_invoiced"] for line in odoo.orders()[0]["order_line"]] == [2, 1]


def test_an_invoice_without_an_order_stands_alone(link, odoo):
    link().post(invoice(), "key")
    (booked,) = odoo.invoices()
    assert (booked["partner_id"][1], booked["invoice_origin"]) == ("Ada Example", "demo 1001")


def test_an_invoice_can_stay_a_draft_for_the_accountant(link, odoo):
    careful = link(post_invoices=False)
    posted = careful.post(invoice(), "key")
    assert (posted.number, odoo.invoices()[0]["state"]) == ("*1", "draft")
    assert careful.find("post", "INV-1001") == posted
    assert careful.post(invoice(), "key") == posted


def test_an_invoice_of_an_order_that_is_gone_is_refused(link, odoo):
    with pytest.raises(errors.Rejected, match="no sales order with id 99"):
        link().post(invoice("99"), "key")
    assert odoo.invoices() == []


@pytest.mark.parametrize("kind", ["effect_then_500", "effect_then_drop"])
@pytest.mark.parametrize("method", ["create", "action_post"])
def test_a_lost_answer_ends_in_exactly_one_invoice(link, odoo, during, kind, method):
    odoo.faults.append(Fault(kind, during("account.move", method)))
    with pytest.raises(errors.OutcomeUnknown):
        link().post(invoice(), "key")
    posted = link().find("post", "INV-1001") or link().post(invoice(), "key")
    assert [(row["state"], row["name"]) for row in odoo.invoices()] == [("posted", posted.number)]


def test_an_order_and_its_invoice_are_told_apart_by_their_references(link):
    order = link().post(sale(mugs(2, 2000, taxes=(VAT,))), "key")
    booked = link().post(invoice(order.ref), "key")
    assert link().find("post", "SO-1001") == order
    assert link().find("post", "INV-1001") == booked
    assert link().find("post", "SO-404") is None
