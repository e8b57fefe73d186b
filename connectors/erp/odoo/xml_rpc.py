"""The XML-RPC wire: /xmlrpc/2/common to sign in, /xmlrpc/2/object to call.

Answers are parsed by a parser that refuses entities, since XML from outside can be a bomb.
Source: https://www.odoo.com/documentation/18.0/developer/reference/external_api.html, read 2026-11-22.
"""

from __future__ import annotations

import xmlrpc.client as xmlrpc
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.xmlrpc import DefusedExpatParser

from connectors.erp.odoo.json2 import PASSING_TROUBLE, version_of
from hub.sdk import Http, errors

WARNING, ACCESS_DENIED, ACCESS_ERROR = 2, 3, 4  # fault codes of /xmlrpc/2


@dataclass(slots=True)
class XmlRpc:
    """One database reached over XML-RPC. The key stands in the body of each call, never in a header."""

    http: Http
    base_url: str
    database: str
    login: str
    api_key: str
    context: Mapping[str, Any] = field(default_factory=dict)
    _version: tuple[int, int] | None = None
    _uid: int | None = None

    def version(self) -> tuple[int, int]:
        """Major and minor version. Raises ConfigInvalid when the server has no XML-RPC."""
        if self._version is None:
            told = self._ask("common", "version", (), safe=True)
            try:
                self._version = version_of(told["server_version_info"])
            except (KeyError, TypeError, ValueError) as error:
                raise errors.ConfigInvalid("the server's answer to version is not Odoo's", "base_url") from error
        return self._version

    def call(self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, Any], *, safe: bool) -> Any:
        """Call a public method and give back what it returned.

        Raises AuthRejected, MissingPermission, ConfigInvalid, Rejected, Transient or OutcomeUnknown.
        """
        keywords = {**named, "context": {**self.context, **named.get("context", {})}}
        positional: list[Any] = [] if ids is None else [list(ids)]
        if method == "create":
            # Odoo looks at the first positional argument to decide between one id and a list of ids.
            positional = [keywords.pop("vals_list")]
        arguments = (self.database, self._user(), self.api_key, model, method, positional, keywords)
        return self._ask("object", "execute_kw", arguments, safe=safe)

    def _user(self) -> int:
        if self._uid is None:
            uid = self._ask("common", "authenticate", (self.database, self.login, self.api_key, {}), safe=True)
            if not uid:
                raise errors.AuthRejected("Odoo does not know this login and key")
            self._uid = int(uid)
        return self._uid

    def _ask(self, service: str, method: str, arguments: tuple[Any, ...], *, safe: bool) -> Any:
        response = self.http.post(
            f"{self.base_url}/xmlrpc/2/{service}",
            data=xmlrpc.dumps(arguments, method, allow_none=True).encode(),
            headers={"Content-Type": "text/xml"},
            safe=safe,
            auth=False,
            expect=(404,),
        )
        if response.status == 404:
            raise errors.ConfigInvalid("this server has no XML-RPC interface; choose JSON-2", "protocol")
        try:
            return decode(response.body)
        except xmlrpc.Fault as fault:
            if "cannot marshal None" in fault.faultString:
                # The method had returned nothing and its transaction was committed; only the answer failed.
                return None
            raise error_of(fault) from fault
        except (ExpatError, DefusedXmlException, xmlrpc.ResponseError) as error:
            said = f"the answer is not XML-RPC: {response.text[:200]!r}"
            raise (errors.SchemaDrift(said) if safe else errors.OutcomeUnknown(said)) from error


def decode(body: bytes) -> Any:
    """The value of an XML-RPC answer. Raises Fault, ResponseError, ExpatError, or DefusedXmlException for entities."""
    return _unmarshal(body)[1][0]


def decode_call(body: bytes) -> tuple[str, tuple[Any, ...]]:
    """Method name and arguments of an XML-RPC call. Raises as `decode` does."""
    method, arguments = _unmarshal(body)
    return str(method), arguments


def _unmarshal(body: bytes) -> tuple[str | None, tuple[Any, ...]]:
    unmarshaller = xmlrpc.Unmarshaller(use_builtin_types=True)
    parser = DefusedExpatParser(unmarshaller, forbid_dtd=True)
    parser.feed(body)
    parser.close()
    values = tuple(unmarshaller.close())
    return unmarshaller.getmethodname(), values


def error_of(fault: xmlrpc.Fault) -> errors.ConnectorError:
    """The error class of a fault. A fault means that the transaction was rolled back."""
    text = fault.faultString.strip()
    last = text.splitlines()[-1] if text else "fault without words"
    match fault.faultCode:
        case 2:
            return errors.Rejected(text, vendor_code="UserError")
        case 3:
            return errors.AuthRejected(text)
        case 4:
            return errors.MissingPermission(text)
    if "database" in last and "does not exist" in last:
        return errors.ConfigInvalid(last, "database")
    if any(name in text for name in PASSING_TROUBLE):
        return errors.Transient(last)
    if "Object" in last and "doesn't exist" in last:
        return errors.ConfigInvalid(f"{last}; is the app installed in this database?", "database")
    return errors.Rejected(last, vendor_code=str(fault.faultCode))
