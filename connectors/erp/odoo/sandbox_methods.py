"""The public methods of the sandbox's models. Every call is one transaction: an error undoes all of it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from connectors.erp.odoo.sandbox_db import Database, Row
from connectors.erp.odoo.sandbox_models import OdooError, access_error, user_error


def call(db: Database, model: str, method: str, ids: Sequence[int], named: Mapping[str, Any]) -> Any:
    """One call in one transaction. Raises OdooError; then nothing has changed."""
    if method.startswith("_") or method == "init":
        raise access_error(f"Private methods (such as '{model}.{method}') cannot be called remotely.")
    if model not in db.fields:
        raise OdooError("werkzeug.exceptions.NotFound", f"the model '{model}' does not exist", 404)
    work = _METHODS.get((model, method)) or _METHODS.get(("*", method))
    if work is None:
        raise OdooError("werkzeug.exceptions.NotFound", f"The method '{model}.{method}' does not exist", 404)
    before = copy.deepcopy(db.tables), dict(db.numbers)
    try:
        return work(db, model, ids, **named)
    except TypeError as error:
        db.tables, db.numbers = before
        raise OdooError("werkzeug.exceptions.UnprocessableEntity", str(error), 422) from error
    except OdooError:
        db.tables, db.numbers = before
        raise


def _model_method(ids: Sequence[int]) -> None:
    if ids:
        raise OdooError("werkzeug.exceptions.UnprocessableEntity", "cannot call this method with ids", 422)


def _search_read(
    db: Database,
    model: str,
    ids: Sequence[int],
    *,
    domain: Sequence[Any] = (),
    fields: Sequence[str] = (),
    offset: int = 0,
    limit: int | None = None,
    order: str = "id",
    context: Mapping[str, Any] | None = None,
) -> list[Row]:
    _model_method(ids)
    db.require_fields(model, fields)
    found = db.select(model, domain, with_archived=(context or {}).get("active_test") is False)
    for part in reversed(order.split(",")):
        name, _, way = part.strip().partition(" ")
        db.require_fields(model, [name])
        found.sort(key=lambda row, name=name: (row[name] is None, row[name]), reverse=way.lower() == "desc")  # type: ignore[misc]
    cut = found[offset : offset + limit if limit else None]
    return _read(db, model, [row["id"] for row in cut], fields=fields)


def _search(db: Database, model: str, ids: Sequence[int], **named: Any) -> list[int]:
    return [row["id"] for row in _search_read(db, model, ids, **named, fields=["id"])]


def _read(
    db: Database, model: str, ids: Sequence[int], *, fields: Sequence[str] = (), context: Any = None
) -> list[Row]:
    del context
    db.require_fields(model, fields)
    names = list(fields) or list(db.fields[model])
    return [{"id": row["id"], **{name: db.shown(model, row, name) for name in names}} for row in db.rows(model, ids)]


def _create(db: Database, model: str, ids: Sequence[int], *, vals_list: Any, context: Any = None) -> list[int]:
    del context
    _model_method(ids)
    return [db.insert(model, values) for values in vals_list]


def _write(db: Database, model: str, ids: Sequence[int], *, vals: Row, context: Any = None) -> bool:
    del context
    for row in db.rows(model, ids):
        if row.get("state") in {"sale", "posted", "cancel"} and set(vals) & {"order_line", "invoice_line_ids"}:
            raise user_error("You cannot modify the lines of a confirmed document.")
        db.assign(model, row, vals)
    return True


def _unlink(db: Database, model: str, ids: Sequence[int], *, context: Any = None) -> bool:
    del context
    for row in db.rows(model, ids):
        if row.get("state") in {"sale", "posted"}:
            raise user_error("You can not delete a confirmed document. You must first cancel it.")
        for spec in db.fields[model].values():
            if spec.kind == "one2many":
                db.assign(model, row, {name: [[5, 0, 0]] for name, one in db.fields[model].items() if one is spec})
        del db.tables[model][row["id"]]
    return True


def _confirm(db: Database, model: str, ids: Sequence[int], *, context: Any = None) -> bool:
    del context
    for row in db.rows(model, ids):
        if row["state"] not in {"draft", "sent"}:
            raise user_error("Some orders are not in a state requiring confirmation.")
        if not db.value(model, row, "order_line"):
            raise user_error("You can not confirm an order without lines.")
        db.assign(model, row, {"state": "sale", "date_order": db.clock().strftime("%Y-%m-%d %H:%M:%S")})
    return True


def _post(db: Database, model: str, ids: Sequence[int], *, context: Any = None) -> bool:
    del context
    for row in db.rows(model, ids):
        if row["state"] != "draft":
            raise user_error(f"The entry {row['name']} (id {row['id']}) must be in draft.")
        if not db.value(model, row, "invoice_line_ids"):
            raise user_error("You need to add a line before posting.")
        if not row["partner_id"]:
            raise user_error("The field 'Customer' is required, please complete it to validate the Customer Invoice.")
        year = str(row["invoice_date"] or db.clock().date())[:4]
        db.assign(model, row, {"state": "posted", "name": f"INV/{year}/{db.next_number('INV/' + year):05d}"})
    return False


def _cancel(db: Database, model: str, ids: Sequence[int], *, context: Any = None) -> bool:
    del context
    for row in db.rows(model, ids):
        db.assign(model, row, {"state": "cancel"})
    return True


def _context_get(db: Database, model: str, ids: Sequence[int], *, context: Any = None) -> Row:
    del model, ids, context
    return {"lang": "en_US", "tz": "UTC", "uid": min(db.tables["res.users"])}


_METHODS: dict[tuple[str, str], Callable[..., Any]] = {
    ("*", "search"): _search,
    ("*", "search_read"): _search_read,
    ("*", "read"): _read,
    ("*", "create"): _create,
    ("*", "write"): _write,
    ("*", "unlink"): _unlink,
    ("res.users", "context_get"): _context_get,
    ("sale.order", "action_confirm"): _confirm,
    ("sale.order", "action_cancel"): _cancel,
    ("account.move", "action_post"): _post,
    ("account.move", "button_cancel"): _cancel,
}
