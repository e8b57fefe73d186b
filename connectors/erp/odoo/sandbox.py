"""A stand-in for an Odoo server, with both of its interfaces over one database in memory.

A fresh one has a company in EUR, the currencies EUR, USD, JPY and KWD with a pricelist each, some countries, taxes of
19 and 7 percent, the locations WH/Stock and WH2/Stock, and the service products that documents need.
"""

from __future__ import annotations

import xmlrpc.client as xmlrpc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify, request

from connectors.erp.odoo.sandbox_db import Database, Row
from connectors.erp.odoo.sandbox_methods import call
from connectors.erp.odoo.sandbox_models import OdooError, access_error
from connectors.erp.odoo.xml_rpc import decode_call
from hub.testing import Sandbox

SERVICES = {"SHIP": "Shipping", "FEE": "Fee", "DISC": "Discount", "TAX": "Tax", "ROUND": "Rounding"}
_NAMES = ("shipping_product", "fee_product", "discount_product", "tax_product", "rounding_product")


@dataclass(slots=True)
class OdooSandbox(Sandbox):
    """An Odoo of `version`: below 19.0 it has no JSON-2, from 22.0 on no XML-RPC.

    `silent` names methods that return nothing, as overrides in custom modules do: XML-RPC cannot say that.
    """

    name: str = "odoo"
    version: tuple[int, int] = (19, 0)
    database: str = "demo"
    login: str = "hub@example.com"
    api_key: str = "6f72646572687562"
    silent: frozenset[str] = frozenset()
    db: Database = field(init=False)

    def __post_init__(self) -> None:
        Sandbox.__post_init__(self)
        self.db = Database(self.version)
        _furnish(self.db, self.login)
        if self.version >= (19, 0):
            self.app.get("/web/version")(self._version)
            self.app.post("/json/2/<model>/<method>")(self._json2)
        if self.version < (22, 0):
            self.app.post("/xmlrpc/2/common")(self._common)
            self.app.post("/xmlrpc/2/object")(self._object)

    def settings(self, protocol: str = "json2", **more: Any) -> dict[str, Any]:
        """A connection's settings that fit this sandbox, once it is served."""
        fixed = {"base_url": self.url, "database": self.database, "protocol": protocol, "api_key": self.api_key}
        signed = {"login": self.login} if protocol == "xmlrpc" else {}
        return {**fixed, **signed, **dict(zip(_NAMES, SERVICES, strict=True)), **more}

    def add(self, model: str, **values: Any) -> int:
        """Put any record into the database; its id."""
        with self.lock:
            return self.db.insert(model, values)

    def add_product(
        self, code: str, name: str = "", *, price: float = 0.0, on_hand: Mapping[int, float] | None = None, **more: Any
    ) -> int:
        """Put a product into the catalogue, with stock per location id; its id."""
        with self.lock:
            product = self.db.insert(
                "product.product", {"name": name or code, "default_code": code, "lst_price": price, **more}
            )
            for location, quantity in (on_hand or {}).items():
                self.db.insert("stock.quant", {"product_id": product, "location_id": location, "quantity": quantity})
        return product

    def orders(self) -> list[Row]:
        """Sales orders, readable, with their lines."""
        return self._readable("sale.order", "order_line")

    def invoices(self) -> list[Row]:
        """Customer invoices, readable, with their lines."""
        return self._readable("account.move", "invoice_line_ids")

    def partners(self) -> list[Row]:
        return self.read("res.partner")

    def read(self, model: str, domain: Sequence[Any] = ()) -> list[Row]:
        """Records of a model as the interface shows them, past the interface."""
        with self.lock:
            rows: list[Row] = call(
                self.db, model, "search_read", (), {"domain": domain, "context": {"active_test": False}}
            )
        return rows

    def _readable(self, model: str, lines: str) -> list[Row]:
        line_model = self.db.fields[model][lines].model
        return [{**row, lines: self.read(line_model, [["id", "in", row[lines]]])} for row in self.read(model)]

    def _version(self) -> Response:
        major, minor = self.version
        return jsonify(version_info=[major, minor, 0, "final", 0, ""], version=f"{major}.{minor}")

    def _json2(self, model: str, method: str) -> Response | tuple[Response, int]:
        if request.headers.get("X-Odoo-Database", self.database) != self.database:
            return Response("<h1>Not Found</h1>", 404, {"Content-Type": "text/html"})
        if request.mimetype != "application/json":
            return Response("the type of this route is json2", 415)
        named = request.get_json(silent=True)
        try:
            self._require_key()
            named = _require_object(named)
            return jsonify(self._call(model, method, named.pop("ids", []), named))
        except OdooError as error:
            context = named.get("context", {}) if isinstance(named, dict) else {}
            return jsonify(_told(error, context)), error.status

    def _require_key(self) -> None:
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or key != self.api_key:
            raise OdooError("werkzeug.exceptions.Unauthorized", "Invalid apikey", 401)

    def _call(self, model: str, method: str, ids: Sequence[int], named: Mapping[str, Any]) -> Any:
        with self.lock:
            companies = self.db.tables["res.company"]
            wanted = named.get("context", {}).get("allowed_company_ids", [])
            if any(company not in companies for company in wanted):
                raise access_error("Access to unauthorized or invalid companies.")
            value = call(self.db, model, method, ids, named)
        return None if method in self.silent else value

    def _common(self) -> Response:
        method, arguments = decode_call(request.get_data())
        if method == "version":
            major, minor = self.version
            return _answer({"server_version": f"{major}.{minor}", "server_version_info": [major, minor, 0, "final", 0]})
        database, login, key, _ = arguments
        if database != self.database:
            return _fault(1, f'Traceback\npsycopg2.OperationalError: FATAL:  database "{database}" does not exist\n')
        return _answer(1 if (login, key) == (self.login, self.api_key) else False)

    def _object(self) -> Response:
        _, (database, uid, key, model, method, positional, named) = decode_call(request.get_data())
        if (database, uid, key) != (self.database, 1, self.api_key):
            return _fault(3, "Access Denied")
        if method == "create":
            named = {"vals_list": positional.pop(0), **named}
        try:
            return _answer(self._call(model, method, positional[0] if positional else [], named))
        except OdooError as error:
            return _fault(*_as_fault(error, model))


def _require_object(named: Any) -> dict[str, Any]:
    if not isinstance(named, dict):
        raise OdooError("werkzeug.exceptions.BadRequest", "the body is not a JSON object", 400)
    return named


def _told(error: OdooError, context: Any) -> dict[str, Any]:
    message = str(error)
    arguments: list[Any] = [message, error.status] if error.name.startswith("werkzeug.") else [message]
    debug = f"Traceback (most recent call last):\n{error.name}: {message}\n"
    return {"name": error.name, "message": message, "arguments": arguments, "context": context, "debug": debug}


def _as_fault(error: OdooError, model: str) -> tuple[int, str]:
    kind = error.name.rpartition(".")[2]
    match kind:
        case "UserError" | "ValidationError" | "MissingError":
            return 2, str(error)
        case "AccessError":
            return 4, str(error)
        case "NotFound" if "model" in str(error):
            return 1, f"Traceback (most recent call last):\nbuiltins.KeyError: Object {model} doesn't exist\n"
        case _:
            return 1, f"Traceback (most recent call last):\n{kind}: {error}\n"


def _answer(value: Any) -> Response:
    try:
        body = xmlrpc.dumps((value,), methodresponse=True)
    except TypeError as error:
        return _fault(1, f"Traceback (most recent call last):\nTypeError: {error}\n")
    return Response(body, 200, {"Content-Type": "text/xml"})


def _fault(code: int, text: str) -> Response:
    return Response(xmlrpc.dumps(xmlrpc.Fault(code, text)), 200, {"Content-Type": "text/xml"})


def _furnish(db: Database, login: str) -> None:
    for code, places in {"EUR": 2, "USD": 2, "JPY": 0, "KWD": 3}.items():
        currency = db.insert("res.currency", {"name": code, "decimal_places": places})
        db.insert("product.pricelist", {"name": f"Default {code}", "currency_id": currency})
    db.insert("res.company", {"name": "Demo", "currency_id": 1})
    db.insert("res.users", {"name": "Orderhub", "login": login})
    for code, name in {"DE": "Germany", "US": "United States", "JP": "Japan", "KW": "Kuwait"}.items():
        db.insert("res.country", {"code": code, "name": name})
    db.insert("res.country.state", {"code": "CA", "name": "California", "country_id": 2})
    for rate in (19.0, 7.0):
        for inside in (False, True):
            name = f"{rate:g}% {'included' if inside else ''}".strip()
            db.insert("account.tax", {"name": name, "amount": rate, "price_include": inside})
    for name, usage in {"WH/Stock": "internal", "WH2/Stock": "internal", "Partners/Customers": "customer"}.items():
        db.insert("stock.location", {"name": name.partition("/")[2], "complete_name": name, "usage": usage})
    for code, name in SERVICES.items():
        # Services carry a default tax in Odoo, so a document that forgets to clear taxes comes out too high.
        db.insert("product.product", {"name": name, "default_code": code, "type": "service", "taxes_id": [[6, 0, [1]]]})
