"""A sandbox of Odoo and a connector to it, once for each interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.erp.odoo.plugin import Odoo
from connectors.erp.odoo.sandbox import OdooSandbox
from hub.testing import connect


@pytest.fixture(params=["json2", "xmlrpc"])
def protocol(request) -> str:
    return request.param


@pytest.fixture
def odoo(protocol) -> Iterator[OdooSandbox]:
    sandbox = OdooSandbox(version=(19, 0) if protocol == "json2" else (18, 0))
    sandbox.add_product("MUG", "Mug", price=12.0, taxes_id=[[6, 0, [1]]], on_hand={1: 5})
    sandbox.add_product("TEE", "Tee", price=20.0, taxes_id=[[6, 0, [1]]])
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def link(odoo, protocol) -> Callable[..., Odoo]:
    """Connect with the sandbox's settings and whatever a test sets otherwise."""

    def make(**more: Any) -> Odoo:
        return connect(Odoo, odoo.settings(protocol, **more))

    return make


@pytest.fixture
def during(protocol) -> Callable[[str, str], str]:
    """The text by which a fault finds calls of one method, on the interface in use."""

    def match(model: str, method: str) -> str:
        if protocol == "json2":
            return f"POST /json/2/{model}/{method}"
        return "</value>\n</param>\n<param>\n".join(f"<value><string>{name}</string>" for name in (model, method))

    return match
