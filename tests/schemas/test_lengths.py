"""A text that a column holds is as long in the schema as in the table, so that a document that fits can be stored."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Column, String, Text

from hub import schemas
from hub.store.tables import listing, order_line, orders, package, shipment

KEPT: dict[tuple[str, str], Column[Any]] = {
    ("order.v1", "/external_id"): orders.c.external_id,
    ("order.v1", "/number"): orders.c.number,
    ("order.v1", "/revision"): orders.c.revision,
    ("order.v1", "/fulfilled_by"): orders.c.fulfilled_by,
    ("order.v1", "/customer/email"): orders.c.email,
    ("order.v1", "/shipping_address/email"): orders.c.email,
    ("order.v1", "/customer/name"): orders.c.customer_name,
    ("order.v1", "/shipping_address/city"): orders.c.city,
    ("order.v1", "/lines/external_id"): order_line.c.external_id,
    ("order.v1", "/lines/sku"): order_line.c.sku,
    ("order.v1", "/lines/title"): order_line.c.title,
    ("order.v1", "/lines/group_key"): order_line.c.group_key,
    ("order.v1", "/lines/external_variant_id"): listing.c.external_id,
    ("shipment.v1", "/external_id"): shipment.c.external_id,
    ("shipment.v1", "/packages/tracking_number"): package.c.tracking_number,
    ("shipment.v1", "/packages/tracking_url"): package.c.tracking_url,
    ("product.v1", "/title"): listing.c.title,
    ("product.v1", "/variants/external_id"): listing.c.external_id,
    ("product.v1", "/variants/inventory_external_id"): listing.c.inventory_external_id,
    ("product.v1", "/variants/sku"): listing.c.sku,
    ("product.v1", "/variants/options/value"): listing.c.product_type,
}


def rule(name: str, path: str) -> dict[str, Any]:
    """The rule at a path; through lists and shared parts."""
    found: dict[str, Any] = schemas.schema(name)
    for part in path.split("/")[1:]:
        found = found["properties"][part]
        found = found.get("items", found)
        if "$ref" in found:
            found = schemas.schema("common.v1")["$defs"][found["$ref"].rpartition("/")[2]]
    return found


@pytest.mark.parametrize(("name", "path"), KEPT)
def test_schema_and_table_agree(name: str, path: str) -> None:
    kind = KEPT[name, path].type
    assert isinstance(kind, String)
    longest = None if isinstance(kind, Text) else kind.length
    assert rule(name, path).get("maxLength") == longest


def test_every_length_of_a_schema_is_that_of_a_column() -> None:
    """A length that no column asks for would park what could be stored."""
    wanted = {id(rule(name, path)) for name, path in KEPT}
    for name in schemas.DOCUMENTS:
        assert [path for path, found in lengths(schemas.schema(name)) if id(found) not in wanted] == []


def lengths(found: Any, path: str = "") -> list[tuple[str, Any]]:
    if isinstance(found, dict):
        mine = [(path, found)] if "maxLength" in found else []
        return mine + [one for key, part in found.items() for one in lengths(part, f"{path}/{key}")]
    return []
