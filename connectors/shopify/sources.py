"""Reading orders, products and places, each complete with all its lines and variants."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from connectors.shopify import queries
from connectors.shopify.client import PAGE, Admin, Json, TooCostly, gid
from connectors.shopify.facts import numeric_id
from hub.domain.documents import Address
from hub.sdk import Cursor, Page, Place, Record, Window, errors, read_each

FIRST_LINES = 20  # lines fetched with each order; longer orders are completed by further calls
FIRST_VARIANTS = 50


def orders(admin: Admin, window: Window, cursor: Cursor | None, rows: int) -> Iterator[Page]:
    """Pages of orders changed inside the window, oldest change first, each order complete.

    When Shopify finds a query too costly, half as many orders are asked for. Cursors: see `_cursor`.
    """
    changed = _changed(window, cursor)

    def ask(after: str | None, first: int) -> Any:
        return admin.read(queries.ORDERS, first=first, after=after, query=changed, lines=FIRST_LINES)["orders"]

    for page in _adaptive(ask, rows):
        yield Page(read_each(page["nodes"], lambda node: _order_record(_whole_order(admin, node))), _cursor(page))


def order(admin: Admin, external_id: str) -> Record:
    """One order as it is now. Raises NotFound."""
    node = admin.read(queries.ORDER, id=gid("Order", external_id), lines=FIRST_LINES)["order"]
    if node is None:
        raise errors.NotFound(f"Shopify knows no order {external_id}")
    return _order_record(_whole_order(admin, node))


def products(admin: Admin, window: Window, cursor: Cursor | None, rows: int) -> Iterator[Page]:
    """Pages of products changed inside the window, oldest change first, with all variants.

    Variants state prices without a currency, so the shop's is put beside them as shopCurrencyCode.
    """
    changed = _changed(window, cursor)
    currency = ""

    def ask(after: str | None, first: int) -> Any:
        nonlocal currency
        data = admin.read(queries.PRODUCTS, first=first, after=after, query=changed, variants=FIRST_VARIANTS)
        currency = data["shop"]["currencyCode"]
        return data["products"]

    def read(node: Json) -> Record:
        whole = _complete(admin, node, "variants", queries.PRODUCT_VARIANTS, lambda data: data["product"])
        body = {**whole, "shopCurrencyCode": currency}
        return Record(str(node["legacyResourceId"]), body, _revision(node["updatedAt"]))

    for page in _adaptive(ask, rows):
        yield Page(read_each(page["nodes"], read), _cursor(page))


def places(admin: Admin) -> list[Place]:
    """All locations of the shop, those switched off included."""
    pages = admin.pages(queries.LOCATIONS, lambda data: data["locations"], first=PAGE)
    return [_place(node) for page in pages for node in page["nodes"]]


def _adaptive(ask: Callable[[str | None, int], Any], rows: int) -> Iterator[Json]:
    """Pages of a connection, with fewer rows whenever Shopify finds the query too costly. Raises SchemaDrift."""
    after: str | None = None
    first = rows
    while True:
        try:
            page = ask(after, first)
        except TooCostly:
            if first == 1:
                raise
            first = max(first // 2, 1)
            continue
        yield page
        if not page["pageInfo"]["hasNextPage"]:
            return
        if page["pageInfo"]["endCursor"] in (None, after):
            raise errors.SchemaDrift("a page leads to itself", "pageInfo.endCursor")
        after = page["pageInfo"]["endCursor"]


def _cursor(page: Json) -> Cursor | None:
    """Where to go on after a page: from the time of its last change. None after the last page.

    A broken run is taken up by that time, because Shopify's own cursors hold for one search text only. Its cursor is
    kept all the same: it tells pages apart whose changes all fall into one second.
    """
    dated = [node["updatedAt"] for node in page["nodes"] if node.get("updatedAt")]
    if page["pageInfo"]["hasNextPage"] and dated:
        return {"v": 1, "since": dated[-1], "after": page["pageInfo"]["endCursor"]}
    return None


def _changed(window: Window, cursor: Cursor | None) -> str:
    """The search text for what changed inside the window, or since the last page of a broken run."""
    start = datetime.fromisoformat(str(cursor["since"])) if cursor else window.start
    parts = [f"updated_at:>='{_stamp(start)}'"] if start else []
    return " AND ".join([*parts, f"updated_at:<'{_stamp(window.end)}'"])


def _whole_order(admin: Admin, node: Json) -> Json:
    return _complete(admin, node, "lineItems", queries.ORDER_LINES, lambda data: data["order"])


def _complete(admin: Admin, node: Json, name: str, document: str, find: Callable[[Json], Any]) -> Json:
    """`node` with all rows of its connection `name`."""
    first = node[name]
    if not first["pageInfo"]["hasNextPage"]:
        return node
    rows = list(first["nodes"])
    start = first["pageInfo"]["endCursor"]
    pages = admin.pages(document, lambda data: (find(data) or {}).get(name), start, id=node["id"], first=PAGE)
    for page in pages:
        rows += page["nodes"]
    return {**node, name: {"nodes": rows, "pageInfo": {"hasNextPage": False, "endCursor": None}}}


def _order_record(node: Json) -> Record:
    """An order whose personal data was kept back is another one, once the app may see it, though nobody changed it."""
    revision = _revision(node["updatedAt"])
    return Record(str(node["legacyResourceId"]), node, f"{revision} in part" if node.get("withheld") else revision)


def _place(node: Json) -> Place:
    said = node["address"]
    address = Address(
        line1=said.get("address1"),
        line2=said.get("address2"),
        city=said.get("city"),
        region=said.get("provinceCode") or said.get("province"),
        postal_code=said.get("zip"),
        country=said.get("countryCode"),
        phone=said.get("phone"),
        latitude=said.get("latitude"),
        longitude=said.get("longitude"),
    )
    return Place(numeric_id(node["id"]), node["name"], bool(node["isActive"]), address)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _revision(text: str) -> str:
    moment = datetime.fromisoformat(text).astimezone(UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
