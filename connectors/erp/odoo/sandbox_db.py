"""The database behind the sandbox, in memory.

Refusals and sums are Odoo's: unknown fields, missing required ones, totals per line rounded to the currency, default
taxes of the product on a line that says nothing of taxes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connectors.erp.odoo.sandbox_models import Field, OdooError, models, validation_error, value_error

Row = dict[str, Any]


@dataclass(slots=True)
class Database:
    """Records of one database. `price_digits` is the setting "Product Price", which rounds prices up to Odoo 18."""

    version: tuple[int, int]
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    price_digits: int | None = None
    fields: dict[str, dict[str, Field]] = field(init=False)
    tables: dict[str, dict[int, Row]] = field(init=False)
    numbers: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = models(self.version)
        self.tables = {model: {} for model in self.fields}
        if self.price_digits is None and self.version < (19, 0):
            self.price_digits = 2

    def next_number(self, series: str) -> int:
        self.numbers[series] = self.numbers.get(series, 0) + 1
        return self.numbers[series]

    def insert(self, model: str, values: Mapping[str, Any]) -> int:
        """Make one record, nested lines included. Raises OdooError for what the model does not have or misses."""
        self.require_fields(model, values)
        row: Row = {
            name: list(spec.default) if spec.kind == "many2many" else spec.default
            for name, spec in self.fields[model].items()
            if spec.kind not in {"one2many", "computed"}
        }
        row["id"] = self.next_number(f"id:{model}")
        self.tables[model][row["id"]] = row
        if model in _DEFAULTS:
            _DEFAULTS[model](self, row, values)
        self.assign(model, row, values)
        for name, spec in self.fields[model].items():
            if spec.required and row[name] in (None, False, ""):
                raise validation_error(f"Missing required value for the field '{name}' ({name}). Model: ({model})")
        if model == "res.partner" and row["type"] == "contact" and not row["name"]:
            raise validation_error("Contacts require a name")
        return int(row["id"])

    def assign(self, model: str, row: Row, values: Mapping[str, Any]) -> None:
        """Put values on a record; lists of commands on relations."""
        self.require_fields(model, values)
        row["write_date"] = self.clock().strftime("%Y-%m-%d %H:%M:%S")
        for name, value in values.items():
            spec = self.fields[model][name]
            match spec.kind:
                case "one2many":
                    self._lines(spec, int(row["id"]), value)
                case "many2many":
                    row[name] = self._members(spec, row[name], value)
                case "many2one" if value and value not in self.tables[spec.model]:
                    raise OdooError(
                        "odoo.exceptions.MissingError", f"Record does not exist or has been deleted. {spec.model}", 404
                    )
                case "float" if name == "price_unit" and self.price_digits is not None:
                    row[name] = float(_rounded(Decimal(repr(float(value))), self.price_digits))
                case _:
                    row[name] = value

    def require_fields(self, model: str, names: Any) -> None:
        for name in names:
            if name not in self.fields[model]:
                raise value_error(f"Invalid field '{name}' in '{model}'")

    def value(self, model: str, row: Row, name: str) -> Any:
        """A field as stored or computed; a many2one as its id."""
        spec = self.fields[model][name]
        if spec.kind == "one2many":
            return [key for key, line in self.tables[spec.model].items() if line[spec.inverse] == row["id"]]
        if spec.kind == "computed":
            return self._computed(model, row, name)
        return row[name]

    def shown(self, model: str, row: Row, name: str) -> Any:
        """A field as `read` gives it: a many2one as [id, name], nothing as False."""
        value, spec = self.value(model, row, name), self.fields[model][name]
        if spec.kind == "many2one":
            return [value, self.display(spec.model, value)] if value else False
        return False if value is None else value

    def display(self, model: str, key: int) -> str:
        row = self.tables[model][key]
        return str(row.get("complete_name") or row.get("name") or f"{model},{key}")

    def select(self, model: str, domain: Sequence[Any], *, with_archived: bool = False) -> list[Row]:
        rows = [row for row in self.tables[model].values() if self._fits(model, row, list(domain))]
        hide = "active" in self.fields[model] and not with_archived
        return [row for row in rows if not hide or row["active"]]

    def rows(self, model: str, ids: Sequence[int]) -> list[Row]:
        missing = [key for key in ids if key not in self.tables[model]]
        if missing:
            message = f"Record does not exist or has been deleted. (Record: {model}({missing[0]},))"
            raise OdooError("odoo.exceptions.MissingError", message, 404)
        return [self.tables[model][key] for key in ids]

    def _lines(self, spec: Field, owner: int, commands: Sequence[Sequence[Any]]) -> None:
        for command in commands:
            match command[0]:
                case 0:
                    self.insert(spec.model, {**command[2], spec.inverse: owner})
                case 5:
                    table = self.tables[spec.model]
                    self.tables[spec.model] = {k: line for k, line in table.items() if line[spec.inverse] != owner}
                case _:
                    raise value_error(f"Wrong value for {spec.inverse}: {command!r}")

    def _members(self, spec: Field, now: list[int], commands: Sequence[Sequence[Any]]) -> list[int]:
        for command in commands:
            if command[0] == 6:
                self.rows(spec.model, command[2])
                now = list(command[2])
            elif command[0] == 4:
                now = [*now, command[1]]
            else:
                raise value_error(f"Wrong value for {spec.model}: {command!r}")
        return now

    def _fits(self, model: str, row: Row, domain: list[Any]) -> bool:
        def term() -> bool:
            part = domain.pop(0)
            if part == "|":
                left, right = term(), term()
                return left or right
            if part == "&":
                left, right = term(), term()
                return left and right
            if part == "!":
                return not term()
            return self._holds(model, row, *part)

        fits = True
        while domain:
            fits = term() and fits
        return fits

    def _holds(self, model: str, row: Row, path: str, operator: str, wanted: Any) -> bool:
        first, _, rest = path.partition(".")
        self.require_fields(model, [first])
        value = self.value(model, row, first)
        spec = self.fields[model][first]
        if rest:
            return bool(value) and self._holds(spec.model, self.tables[spec.model][value], rest, operator, wanted)
        if operator not in _OPERATORS:
            raise value_error(f"Invalid operator in domain: {operator!r}")
        if isinstance(value, list):
            return any(_OPERATORS[operator](one, wanted) for one in value)
        return _OPERATORS[operator](None if value is False and spec.kind != "boolean" else value, wanted)

    def _computed(self, model: str, row: Row, name: str) -> Any:
        if name == "display_name":
            return self.display(model, row["id"])
        if name == "qty_invoiced":
            lines = [line for line in self.tables["account.move.line"].values() if row["id"] in line["sale_line_ids"]]
            live = [line for line in lines if self.tables["account.move"][line["move_id"]]["state"] != "cancel"]
            return sum(line["quantity"] for line in live)
        return float(self.totals(model, row)[name])

    def totals(self, model: str, row: Row) -> dict[str, Decimal]:
        """amount_untaxed, amount_tax and amount_total: each line rounded to the currency, then added."""
        lines, quantity = _LINES[model]
        places = self.tables["res.currency"][row["currency_id"]]["decimal_places"]
        line_model = self.fields[model][lines].model
        tax_field = "tax_ids" if "tax_ids" in self.fields[line_model] else "tax_id"
        untaxed = tax = Decimal(0)
        for line in self.rows(line_model, self.value(model, row, lines)):
            price = Decimal(repr(float(line["price_unit"]))) * (1 - Decimal(repr(float(line["discount"]))) / 100)
            gross = price * Decimal(repr(float(line[quantity])))
            base, taxes = self._taxed(gross, self.rows("account.tax", line[tax_field]), places)
            untaxed, tax = untaxed + base, tax + taxes
        return {"amount_untaxed": untaxed, "amount_tax": tax, "amount_total": untaxed + tax}

    def _taxed(self, gross: Decimal, taxes: Sequence[Row], places: int) -> tuple[Decimal, Decimal]:
        inside = sum((Decimal(repr(tax["amount"])) / 100 for tax in taxes if tax["price_include"]), Decimal(0))
        whole = _rounded(gross, places)
        base = _rounded(gross / (1 + inside), places)
        on_top = [_rounded(base * Decimal(repr(t["amount"])) / 100, places) for t in taxes if not t["price_include"]]
        return base, (whole - base) + sum(on_top, Decimal(0))


_LINES = {"sale.order": ("order_line", "product_uom_qty"), "account.move": ("invoice_line_ids", "quantity")}


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def _like(value: Any, pattern: str, *, whole: bool) -> bool:
    """SQL's ILIKE, where % and _ are wild unless a backslash stands before them; `ilike` looks anywhere."""
    parts = re.findall(r"\\.|[%_]|[^%_\\]+", pattern if whole else f"%{pattern}%", re.DOTALL)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(part) or re.escape(part.removeprefix("\\")) for part in parts)
    return isinstance(value, str) and re.fullmatch(expression, value, re.IGNORECASE | re.DOTALL) is not None


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda value, wanted: not value if wanted is False else value == wanted,
    "!=": lambda value, wanted: bool(value) if wanted is False else value != wanted,
    "in": lambda value, wanted: value in wanted,
    "not in": lambda value, wanted: value not in wanted,
    ">": lambda value, wanted: value is not None and value > wanted,
    ">=": lambda value, wanted: value is not None and value >= wanted,
    "<": lambda value, wanted: value is not None and value < wanted,
    "<=": lambda value, wanted: value is not None and value <= wanted,
    "ilike": lambda value, wanted: _like(value, wanted, whole=False),
    "=ilike": lambda value, wanted: _like(value, wanted, whole=True),
}


def _default_product(db: Database, row: Row, values: Mapping[str, Any]) -> None:
    if not values.get("product_tmpl_id"):
        row["product_tmpl_id"] = db.insert("product.template", {"name": values.get("name")})


def _default_order(db: Database, row: Row, values: Mapping[str, Any]) -> None:
    row["name"] = f"S{db.next_number('sale.order'):05d}"
    pricelist = db.tables["product.pricelist"].get(values.get("pricelist_id") or 0)
    company = db.tables["res.company"].get(values.get("company_id") or 1) or {"currency_id": 1}
    row["currency_id"] = (pricelist or company)["currency_id"]


def _default_line(db: Database, row: Row, values: Mapping[str, Any]) -> None:
    """A line without a word on taxes gets the product's own."""
    product = db.tables["product.product"].get(values.get("product_id") or 0)
    if product:
        row["tax_ids" if "tax_ids" in row else "tax_id"] = list(product["taxes_id"])
        row["name"] = product["name"]


_DEFAULTS: dict[str, Callable[[Database, Row, Mapping[str, Any]], None]] = {
    "product.product": _default_product,
    "sale.order": _default_order,
    "sale.order.line": _default_line,
    "account.move.line": _default_line,
}
