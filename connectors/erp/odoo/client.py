"""The only calls out: Odoo's generic methods, over whichever wire the connection speaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from connectors.erp.odoo.json2 import Json2
from connectors.erp.odoo.xml_rpc import XmlRpc
from hub.sdk import Context, errors

Row = Mapping[str, Any]
Domain = Sequence[Any]


class Wire(Protocol):
    """A way to call a public method of a model; see `json2` and `xml_rpc`."""

    def version(self) -> tuple[int, int]: ...

    def call(
        self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, Any], *, safe: bool
    ) -> Any: ...


@dataclass(frozen=True, slots=True)
class Odoo:
    """One database of Odoo."""

    wire: Wire

    def version(self) -> tuple[int, int]:
        """Major and minor version of the server, asked once."""
        return self.wire.version()

    def search_read(
        self,
        model: str,
        domain: Domain,
        fields: Sequence[str],
        *,
        limit: int = 0,
        order: str = "id",
        with_archived: bool = False,
    ) -> list[Row]:
        """Rows that fit `domain`. `limit` 0 reads all. Raises SchemaDrift when the answer is no list of rows."""
        named: dict[str, Any] = {"domain": list(domain), "fields": list(fields), "order": order}
        if limit:
            named["limit"] = limit
        if with_archived:
            named["context"] = {"active_test": False}
        rows = self.wire.call(model, "search_read", None, named, safe=True)
        if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
            raise errors.SchemaDrift(f"search_read of {model} did not give a list of records", model)
        return rows

    def pages(
        self, model: str, domain: Domain, fields: Sequence[str], *, after: int = 0, size: int = 200
    ) -> Iterator[list[Row]]:
        """Rows in pages by rising id, archived ones too: a row that changes meanwhile moves no other row."""
        while True:
            rows = self.search_read(model, [*domain, ["id", ">", after]], fields, limit=size, with_archived=True)
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = int(rows[-1]["id"])

    def create(self, model: str, values: Sequence[Row]) -> list[int]:
        """Make records in one transaction; their ids in order. May not be repeated blindly."""
        made = self.wire.call(model, "create", None, {"vals_list": list(values)}, safe=False)
        ids = made if isinstance(made, list) else [made]
        if len(ids) != len(values) or not all(isinstance(one, int) for one in ids):
            raise errors.OutcomeUnknown(f"create of {model} answered {made!r}")
        return ids

    def write(self, model: str, ids: Sequence[int], values: Row) -> None:
        """Change records in one transaction."""
        self.wire.call(model, "write", ids, {"vals": values}, safe=False)

    def act(self, model: str, method: str, ids: Sequence[int]) -> None:
        """Press a button, such as action_confirm."""
        self.wire.call(model, method, ids, {}, safe=False)


def client(ctx: Context) -> Odoo:
    """The client for a connection, over the wire that its settings name."""
    base_url = str(ctx.config["base_url"]).rstrip("/")
    database = str(ctx.config["database"])
    company = ctx.config.get("company")
    context = {"allowed_company_ids": [company]} if company else {}
    if ctx.config.get("protocol", "json2") == "json2":
        return Odoo(Json2(ctx.http, base_url, database, context))
    login, key = str(ctx.config.get("login", "")), ctx.secrets.get("api_key", "")
    return Odoo(XmlRpc(ctx.http, base_url, database, login, key, context))
