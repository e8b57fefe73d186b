"""The OpenAPI 3.1 document of the API, from the table of operations."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import hub
from hub.web.access import RULES
from hub.web.api.operation import Operation
from hub.web.api.operations import COMPONENTS, OPERATIONS
from hub.web.api.shapes import Json, ref
from hub.web.problems import TYPE

_REFUSED = {
    400: "It cannot be read.",
    401: "There is no key, or it does not work.",
    403: "The key's role does not reach.",
    404: "There is no such thing.",
    409: "It makes no sense as things stand.",
    413: "It is too large.",
    415: "It is not JSON.",
    422: "Something in it is not right; `errors` says where.",
    503: "The database does not answer; try again.",
}
_PATH_WORDS = {
    "change_id": "Id of the change.",
    "order_id": "The order's id.",
    "hold_id": "The hold's id.",
    "line_id": "The order line's id.",
    "number": "The number, or our id.",
    "supplier": "The supplier's code or id.",
    "sku": "Our SKU.",
    "connection_id": "The connection's id or name.",
    "rules_key": "The version: name@version, its id, its name for the newest, or published.",
    "rehearsal_id": "The rehearsal's id.",
    "attempt": "Number of the decision, 1 for the first.",
    "transfer": "The transfer's number or id.",
    "count": "The count's number or id.",
    "code": "A lot or a serial number.",
    "location": "The location's code.",
    "rule_id": "The rule's id.",
    "fingerprint": "The problem's fingerprint.",
    "row_id": "Id of the message.",
    "position_id": "Id of the position.",
}


@cache
def document() -> Json:
    paths: dict[str, Json] = {}
    for operation in OPERATIONS.values():
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    key = {"type": "http", "scheme": "bearer", "description": "An API key, made under Settings in the console."}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orderhub",
            "version": hub.__version__,
            "description": "Orders, stock, connections and problems. Amounts are whole minor units, times are UTC.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {"schemas": COMPONENTS, "securitySchemes": {"key": key}},
    }


def _operation(operation: Operation) -> Json:
    role = RULES[f"api.{operation.name}"].role
    about = f"{operation.about} " if operation.about else ""
    found: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"{about}Least role: {role}.",
        "tags": [operation.path.split("/")[1]],
        "parameters": list(_parameters(operation)),
        "responses": _responses(operation),
    }
    if operation.body is not None:
        content = {"application/json": {"schema": operation.body}}
        found["requestBody"] = {"required": operation.needs_body, "content": content}
    return found


def _parameters(operation: Operation) -> Any:
    for name in re.findall(r"{(\w+)}", operation.path):
        rule = {"type": "string", "minLength": 1}
        yield {"name": name, "in": "path", "required": True, "description": _PATH_WORDS[name], "schema": rule}
    for name, rule in operation.query.items():
        yield {"name": name, "in": "query", "description": rule["description"], "schema": rule}
    if operation.takes_key:
        words = "Any text of your own; the same one books once, and is an error with another request."
        rule = {"type": "string", "maxLength": 200}
        yield {"name": "Idempotency-Key", "in": "header", "description": words, "schema": rule}


def _responses(operation: Operation) -> Json:
    done = {"application/json": {"schema": operation.answer}}
    found: Json = {str(operation.status): {"description": "Done.", "content": done}}
    codes = {400, 401, 403, 422, 503, *operation.refusals} | ({413, 415} if operation.body is not None else {413})
    for code in sorted(codes):
        found[str(code)] = {"description": _REFUSED[code], "content": {TYPE: {"schema": ref("Refusal")}}}
    return found
