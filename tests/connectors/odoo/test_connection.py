"""The connection itself: what check says, and what each kind of refusal becomes."""

from __future__ import annotations

import pytest

from connectors.erp.odoo.plugin import Odoo
from connectors.erp.odoo.sandbox import OdooSandbox
from connectors.erp.odoo.xml_rpc import decode
from hub.plugins import config_errors, manifest_errors
from hub.sdk import capabilities, errors, secret_names
from hub.testing import Fault, connect
from tests.connectors.odoo.odoo_papers import mugs, sale


def test_check_names_the_company_and_the_version(link, odoo):
    result = link().check()
    assert (result.ok, result.error) == (True, "")
    assert result.label == f"Demo (Odoo {odoo.version[0]}.0)"
    assert result.unique_id == f"{odoo.url.removeprefix('http://')}/demo/1"
    assert odoo.count("create") == 0


@pytest.mark.parametrize(
    ("wrong", "code", "field"),
    [
        ({"api_key": "wrong"}, "auth_rejected", "api_key"),
        ({"database": "other"}, "config_invalid", "database"),
        ({"tax_product": "GONE"}, "config_invalid", "tax_product"),
    ],
)
def test_check_points_at_the_setting_that_is_wrong(link, wrong, code, field):
    result = link(**wrong).check()
    assert (result.ok, result.error_code, result.field) == (False, code, field)


def test_a_company_that_the_user_may_not_see_is_refused(link):
    assert link(company=9).check().error_code == "missing_permission"


def test_several_companies_need_a_choice(link, odoo):
    odoo.add("res.company", name="Second", currency_id=1)
    assert link().check().field == "company"
    assert link(company=2).check().label.startswith("Second")


@pytest.mark.parametrize(("version", "protocol"), [((18, 0), "json2"), ((22, 0), "xmlrpc")], ids=["too old", "too new"])
def test_a_server_without_the_interface_points_at_the_protocol(version, protocol):
    sandbox = OdooSandbox(version=version)
    with sandbox.serve():
        result = connect(Odoo, sandbox.settings(protocol)).check()
    assert (result.ok, result.error_code, result.field) == (False, "config_invalid", "protocol")


@pytest.mark.parametrize("kind", ["error_500", "drop", "garbage"])
def test_check_reports_trouble_instead_of_raising(link, odoo, kind):
    odoo.faults.append(Fault(kind, times=9))
    assert not link().check().ok


def test_a_quota_is_waited_for(link, odoo, during):
    odoo.faults.append(Fault("throttle", during("sale.order", "search_read"), seconds=7))
    with pytest.raises(errors.RateLimited) as limited:
        link().find("post", "SO-1")
    assert limited.value.retry_after_s == 7


def test_an_unreadable_answer_to_a_write_leaves_the_outcome_open(link, odoo, during):
    odoo.faults.append(Fault("garbage", during("sale.order", "create")))
    with pytest.raises(errors.OutcomeUnknown):
        link().post(sale(mugs(1, 100)), "key")
    link().post(sale(mugs(1, 100)), "key")
    assert len(odoo.orders()) == 1


def test_a_refusal_keeps_odoos_words(link, odoo):
    order = link().post(sale(mugs(1, 100)), "key")
    with pytest.raises(errors.Rejected, match="not in a state requiring confirmation"):
        link()._odoo.act("sale.order", "action_confirm", [int(order.ref)])


@pytest.mark.parametrize(
    ("model", "method", "error"),
    [
        ("sale.order", "_create_invoices", errors.MissingPermission),
        ("no.such.model", "search_read", errors.ConfigInvalid),
        ("sale.order", "write", errors.Rejected),
    ],
)
def test_what_odoo_does_not_offer_is_told_apart(link, odoo, model, method, error):
    order = link().post(sale(mugs(1, 100)), "key")
    named = {"vals": {"no_such_field": 1}} if method == "write" else {}
    with pytest.raises(error):
        link()._odoo.wire.call(model, method, [int(order.ref)], named, safe=False)


def test_a_method_that_returns_nothing_has_still_been_done(link, odoo):
    odoo.silent = frozenset({"action_confirm"})
    link().post(sale(mugs(1, 100)), "key")
    assert odoo.orders()[0]["state"] == "sale"


def test_the_key_travels_in_the_header_of_json2_and_in_the_body_of_xmlrpc(link, odoo, protocol):
    link().check()
    with_header = [call for call in odoo.calls if odoo.api_key in call.headers.get("Authorization", "")]
    with_body = [call for call in odoo.calls if odoo.api_key.encode() in call.body]
    assert (bool(with_header), bool(with_body)) == ((True, False) if protocol == "json2" else (False, True))


def test_an_xml_bomb_is_not_unpacked():
    bomb = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb">]><methodResponse><params/></methodResponse>'
    with pytest.raises(ValueError, match="DTDForbidden"):
        decode(bomb)


def test_the_manifest_says_what_odoo_can_do():
    assert capabilities(Odoo) == ["StockSource", "CatalogSource", "LocationSource", "LedgerSink", "FindByReference"]
    assert secret_names(Odoo.manifest.config_schema) == {"api_key"}
    assert Odoo.manifest.idempotency == {"post": "lookup"}
    assert manifest_errors(Odoo) == []


def test_the_settings_form_takes_what_a_connection_needs_and_asks_for_the_login_of_xmlrpc(odoo, protocol):
    settings = odoo.settings(protocol, tax_map={"0.19": 1, "0.19 included": 2}, pricelists={"USD": 2})
    assert config_errors(Odoo.manifest, settings) == []
    assert config_errors(Odoo.manifest, {**settings, "tax_map": {"19 %": 1}}) != []
    settings.pop("login", None)
    assert bool(config_errors(Odoo.manifest, settings)) == (protocol == "xmlrpc")
