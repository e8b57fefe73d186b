"""The routes of the API: check the request, do the operation, tell refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from flask import Blueprint, Response, render_template, request

from hub.flows.operate import CheckFailedError, OperateError, SettingsError, UsedKeyError
from hub.flows.reorder import UnknownPlaceError
from hub.flows.rulefile import RuleFileError
from hub.store.connections import UnknownConnectionError
from hub.store.purchasing import UnknownPurchaseError
from hub.store.rules import UnknownRehearsalError, UnknownRulesError
from hub.store.suppliers import UnknownSupplierError
from hub.store.views.counts import UnknownCountError
from hub.store.views.doors import UnknownRowError
from hub.store.views.lots import UnknownLotError
from hub.store.views.order import UnknownOrderError
from hub.store.views.pages import BadCursorError
from hub.store.views.stock import UnknownArticleError
from hub.store.views.transfers import UnknownTransferError
from hub.web.api.checks import Checks
from hub.web.api.openapi import document as openapi
from hub.web.api.operation import Call, Operation
from hub.web.api.operations import OPERATIONS
from hub.web.context import caller, console
from hub.web.problems import Problem, answer

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
# SKUs may hold slashes.
_CONVERTERS = {"sku": "path:sku"}


@blueprint.get("/openapi.json")
def document() -> Response:
    return console().json(openapi())


@blueprint.get("/docs")
def manual() -> str:
    """The operations on one page, without anything from elsewhere."""
    return render_template("api/manual.html", document=openapi())


def _view(operation: Operation) -> Callable[..., Response]:
    checks = Checks(operation)

    def view(**path: str) -> Response:
        call = Call(path, checks.query(request.args), _body(operation, checks), _key())
        return Response(orjson.dumps(operation.do(call)), operation.status, content_type="application/json")

    return view


def _body(operation: Operation, checks: Checks) -> dict[str, Any]:
    request.max_content_length = operation.most_bytes
    raw = request.get_data()
    if request.content_length is None and len(raw) >= operation.most_bytes:
        raise Problem(413, f"At most {operation.most_bytes} bytes are taken.")
    if operation.body is None or (not raw and not operation.needs_body):
        return {}
    if request.mimetype != "application/json":
        raise Problem(415, "Send JSON: Content-Type: application/json.")
    return checks.body(raw)


def _key() -> str:
    """The Idempotency-Key, made the caller's own and short."""
    given = request.headers.get("Idempotency-Key", "").strip()
    if len(given) > 200:
        raise Problem(422, "The request is not right.", [{"path": "/headers/Idempotency-Key", "message": "too long"}])
    return hashlib.sha256(f"{caller().id}:{given}".encode()).hexdigest()[:32] if given else ""


def _add_routes() -> None:
    for operation in OPERATIONS.values():
        path = operation.path.replace("{", "<").replace("}", ">")
        for name, converter in _CONVERTERS.items():
            path = path.replace(f"<{name}>", f"<{converter}>")
        blueprint.add_url_rule(path, operation.name, _view(operation), methods=[operation.method])


_add_routes()


@blueprint.errorhandler(UnknownOrderError)
@blueprint.errorhandler(UnknownArticleError)
@blueprint.errorhandler(UnknownConnectionError)
@blueprint.errorhandler(UnknownPurchaseError)
@blueprint.errorhandler(UnknownSupplierError)
@blueprint.errorhandler(UnknownRehearsalError)
@blueprint.errorhandler(UnknownCountError)
@blueprint.errorhandler(UnknownTransferError)
@blueprint.errorhandler(UnknownLotError)
@blueprint.errorhandler(UnknownPlaceError)
@blueprint.errorhandler(UnknownRulesError)
@blueprint.errorhandler(UnknownRowError)
def _unknown(error: Exception) -> Response:
    return answer(Problem(404, str(error)))


@blueprint.errorhandler(BadCursorError)
def _bad_cursor(error: BadCursorError) -> Response:
    return answer(Problem(422, "The request is not right.", [{"path": "/query/after", "message": str(error)}]))


@blueprint.errorhandler(RuleFileError)
def _bad_rules(error: RuleFileError) -> Response:
    found = [
        {"path": f"/body/document{one.path}", "message": f"line {one.line}: {one.message}" if one.line else one.message}
        for one in error.mistakes
    ]
    return answer(Problem(422, "The rules are not right.", found))


@blueprint.errorhandler(OperateError)
def _refused(error: OperateError) -> Response:
    match error:
        case UsedKeyError():
            return answer(Problem(422, str(error)))
        case SettingsError():
            return answer(Problem(422, "Some settings are not right.", list(_fields(error))))
        case CheckFailedError(result=result):
            named = [{"path": f"/body/settings/{result.field}", "message": result.error}] if result.field else []
            return answer(Problem(422, str(error), named, check=result.error_code))
    return answer(Problem(409, str(error)))


def _fields(error: SettingsError) -> Iterator[dict[str, str]]:
    """Where in the body each setting stands: a connection's are an object of their own in it."""
    for one in error.errors:
        outside = "/connections" not in request.path or one.field in ("name", "stock_threshold")
        place = f"/body/{one.field}" if outside else f"/body/settings/{one.field.replace('.', '/')}"
        yield {"path": place.rstrip("/"), "message": one.message}
