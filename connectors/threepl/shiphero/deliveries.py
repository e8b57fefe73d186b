"""Bodies of the sandbox's webhooks, in the shapes of the pages below https://developer.shiphero.com/webhooks/."""

from __future__ import annotations

from connectors.threepl.shiphero.warehouse import Thing, Warehouse, identity, written


def body(warehouse: Warehouse, kind: str, subject: str) -> Thing:
    """What ShipHero sends of kind `kind`. `subject` is an order number, or a SKU for "Inventory Update"."""
    if kind == "Inventory Update":
        return _inventory_body(warehouse, subject)
    order = warehouse.find_order(subject)
    if kind == "Shipment Update":
        return _shipment_body(warehouse, order)
    told = {"webhook_type": kind, "order_id": order["legacy_id"], "order_uuid": order["id"]}
    if kind == "Order Packed Out":
        return {**told, "tote_id": "1", "tote_name": "Tote-1", "items": []}
    told |= {"order_number": order["order_number"], "partner_order_id": order["partner_order_id"]}
    now = written(warehouse.clock())
    match kind:
        case "Order Canceled":
            return {**told, "fulfillment-status": "canceled", "shop_name": order["shop_name"]}
        case "Order Allocated":
            return {**told, "allocated_at": now, "ready_to_ship": 1, "line_items": []}
    return {**told, "deallocated_at": now}


def _shipment_body(warehouse: Warehouse, order: Thing) -> Thing:
    shipment = next(item for item in reversed(warehouse.shipments) if item["order"] is order)
    label = shipment["shipping_labels"][0]
    place = next(item for item in warehouse.places if item["id"] == shipment["warehouse_id"])
    lines = [
        {
            "id": item["line_item"]["partner_line_item_id"], "shiphero_id": item["line_item"]["legacy_id"],
            "quantity": item["quantity"], "sku": item["line_item"]["sku"], "package": "Package #1",
        }
        for item in shipment["line_items"]
    ]  # fmt: skip
    fulfillment = {
        "shipment_id": shipment["legacy_id"], "shipment_uuid": shipment["id"], "webhook_type": "Shipment Update",
        "warehouse": place["identifier"], "warehouse_id": place["legacy_id"], "warehouse_uuid": place["id"],
        "partner_order_id": order["partner_order_id"], "order_number": order["order_number"],
        "order_uuid": order["id"], "tracking_number": label["tracking_number"], "line_items": lines,
        "custom_tracking_url": "", "shipping_carrier": label["carrier"],
        "shipping_method": label["shipping_method"],
        "completed": True, "created_at": shipment["created_date"].replace("T", " "), "order_gift_note": "",
    }  # fmt: skip
    return {"test": "0", "webhook_type": "Shipment Update", "fulfillment": fulfillment}


def _inventory_body(warehouse: Warehouse, sku: str) -> Thing:
    levels = [level for (article, _), level in warehouse.levels.items() if article == sku]
    items = [
        {
            "sku": sku, "inventory": str(sum(item["on_hand"] - item["allocated"] for item in levels)),
            "on_hand": str(sum(item["on_hand"] for item in levels)), "backorder_quantity": "0", "virtual": False,
            "updated_warehouse": {
                "warehouse_uuid": level["warehouse_id"], "identifier": level["warehouse_identifier"],
                "inventory": str(level["on_hand"] - level["allocated"]), "on_hand": str(level["on_hand"]),
                "backorder_quantity": "0", "non_sellable": level["non_sellable_quantity"],
            },
        }
        for level in levels
    ]  # fmt: skip
    return {"account_uuid": identity("Account", 1), "webhook_type": "Inventory Update", "inventory": items}
