"""Reading orders, products and places, each complete with all its lines and variants."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from connectors.shopify import queries
from connectors.shopify.client import PAGE, Admin, Json, TooCostly, gid
from connectors.shopify.facts import KEPT_BACK, WORK_ID, instant, numeric_id, revision_of
from hub.domain.documents import Address
from hub.sdk import Cursor, Page, Place, Record, Window, errors, read_each

FIRST_LINES = 20  # lines fetched with each order; longer orders are completed by further calls
FIRST_VARIANTS = 50
LIVE = frozenset({"OPEN", "IN_PROGRESS", *KEPT_BACK})  # fulfillment orders of which something is to be shipped


def orders(admin: Admin, window: Window, cursor: Cursor | None, rows: int) -> Iterator[Page]:
    """Pages of orders changed inside the window, oldest change first, each order complete.

    At the end come those of which only a part to be shipped has changed, such as put on hold: Shopify does not count
    that as a change of the order. When it finds a query too costly, half as many orders are asked for. Cursors: see
    `_cursor`.
    """
    changed = _changed(window, cursor)
    seen: set[str] = set()

    def ask(after: str | None, first: int) -> Any:
        return admin.read(queries.ORDERS, first=first, after=after, query=changed, lines=FIRST_LINES)["orders"]

    for page in _adaptive(ask, rows):
        found = read_each(page["nodes"], lambda node: _order_record(_whole_order(admin, node)))
        seen.update(one.external_id for one in found)
        yield Page(found, _cursor(page))
    for page in admin.pages(
        queries.CHANGED_WORK, lambda data: data["fulfillmentOrders"], first=PAGE, query=_changed(window, None)
    ):
        named = dict.fromkeys(numeric_id(one["orderId"]) for one in page["nodes"])
        rest = [external_id for external_id in named if external_id not in seen]
        seen.update(rest)
        if rest:
            yield Page(read_each(rest, lambda external_id: order(admin, external_id)))


def order(admin: Admin, external_id: str) -> Record:
    """One order as it is now, by its id or by that of one of its fulfillment orders. Raises NotFound."""
    if external_id.startswith(WORK_ID):
        work = admin.read(queries.ORDER_OF_WORK, id=external_id, lines=FIRST_LINES)["fulfillmentOrder"]
        node = work and work["order"]
    else:
        node = admin.read(queries.ORDER, id=gid("Order", external_id), lines=FIRST_LINES)["order"]
    if node is None:
        raise errors.NotFound(f"Shopify knows no order {external_id}")
    return _order_record(_whole_order(admin, node))


def several(admin: Admin, external_ids: Sequence[str]) -> Iterator[tuple[str, Record | None]]:
    """Each of these as `order` gives it, None for one that is not there; orders by their ids with one call."""
    parts = [one for one in external_ids if one.startswith(WORK_ID)]
    yield from _together(admin, [one for one in external_ids if one not in parts])
    for one in parts:
        try:
            yield one, order(admin, one)
        except errors.NotFound:
            yield one, None


def _together(admin: Admin, ids: Sequence[str]) -> Iterator[tuple[str, Record | None]]:
    if not ids:
        return
    try:
        nodes = admin.read(queries.ORDERS_BY_ID, ids=[gid("Order", one) for one in ids], lines=FIRST_LINES)["nodes"]
    except TooCostly:
        if len(ids) == 1:
            raise
        yield from _together(admin, ids[: len(ids) // 2])
        yield from _together(admin, ids[len(ids) // 2 :])
        return
    for one, node in zip(ids, nodes, strict=True):
        yield one, _order_record(_whole_order(admin, node)) if node else None


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
        return Record(str(node["legacyResourceId"]), body, instant(node["updatedAt"]))

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
    whole = _complete(admin, node, "lineItems", queries.ORDER_LINES, lambda data: data["order"])
    whole = _complete(admin, whole, "fulfillmentOrders", queries.ORDER_WORK, lambda data: data["order"])
    live = [one for one in whole["fulfillmentOrders"]["nodes"] if one["status"] in LIVE]
    held = [one for one in live if one["status"] in KEPT_BACK]
    if len(held) < len(live):  # only some of what is left to ship is kept back
        for one in held:
            one["lineIds"] = _lines_of_work(admin, one["id"])
    return whole


def _lines_of_work(admin: Admin, work_id: str) -> list[str]:
    """Ids of the order's lines of which a fulfillment order has something to ship."""
    pages = admin.pages(
        queries.FULFILLMENT_ORDER_LINES,
        lambda data: (data["fulfillmentOrder"] or {}).get("lineItems"),
        id=work_id,
        first=PAGE,
    )
    return [numeric_id(row["lineItem"]["id"]) for page in pages for row in page["nodes"] if row["remainingQuantity"]]


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
    """An order, marked by all that makes it another one though nobody changed it: what is kept back of it, and whether
    the app may not see all of it.
    """
    mark = revision_of(node)
    held = [one["id"] for part in node["fulfillmentOrders"]["nodes"] for one in part["fulfillmentHolds"]]
    if held:
        mark = f"{mark} held {hashlib.sha256(' '.join(sorted(held)).encode()).hexdigest()[:8]}"
    if node.get("withheld"):
        mark = f"{mark} in part"
    return Record(str(node["legacyResourceId"]), node, mark)


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
