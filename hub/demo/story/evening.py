"""The 3PL ships what it has packed, the carrier scans parcels, and the channels tell the hub what it told them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.demo.day import Day

TWO_PARCELS = "leaves in two parcels"


def evening(day: Day) -> None:
    shipped = _ship(day)
    day.settle()
    day.say(f"The 3PL shipped {shipped} parcels and told of each by webhook. Two orders are still on its tables.")
    scans = _scan(day)
    day.settle()
    day.say(f"The carrier scanned our own parcels {scans} times, some twice and some late; none moved backwards.")
    _echo(day)
    day.settle()
    day.say("The shop echoed every shipment it had been told of, and the hub knew each of them already.")
    for role in ("threepl", "market"):
        day.poll(role)
    day.settle()


def _ship(day: Day) -> int:
    """The 3PL packs everything but what the script keeps on its tables; how many parcels left."""
    threepl = day.town.threepl
    kept, halved = set(_numbers(day, kept=True)), set(_numbers(day, kept=False))
    parcels = 0
    for order in list(threepl.orders):
        number = order["order_number"]
        if number in kept or order["fulfillment_status"] in {"fulfilled", "canceled"}:
            continue
        parts: list[dict[str, int] | None] = [None]
        if number in halved:
            parts = [{line["sku"]: line["quantity"] // 2 for line in order["line_items"]}, None]
        for part in parts:
            parcels += 1
            threepl.ship(number, f"1Z999AA1{parcels:010d}", part)
    return parcels


def _numbers(day: Day, *, kept: bool) -> Iterator[str]:
    """The 3PL's numbers of the orders that stay on its tables, or of those that leave in two parcels."""
    for one in day.script.orders:
        if one.expected.kept if kept else one.why == TWO_PARCELS:
            fos = day.detail(one.role, one.external_id).fulfillment_orders
            yield from (fo.number for fo in fos if fo.handling == "threepl")


def _scan(day: Day) -> int:
    """Every parcel of ours is on its way; those of the orders that are to arrive today arrive."""
    scans = 0
    for one in day.script.orders:
        if one.expected.state not in {"in_transit", "delivered"} or not one.expected.labels:
            continue
        for code in day.tracking_numbers(one.role, one.external_id):
            day.town.scan(code, "in_transit")
            scans += 1
            if one.expected.state == "delivered":
                scans += _arrive(day, code)
    return scans


def _arrive(day: Day, code: str) -> int:
    """A parcel arrives; the news of it is repeated, and that of the morning comes once more, too late."""
    carrier = day.town.carrier
    [url] = [hook["url"] for hook in carrier.webhooks.values()]
    late, headers = carrier.delivery(url, code)
    day.town.scan(code, "out_for_delivery")
    day.town.scan(code, "delivered")
    day.town.repeat_scan(code)
    day.town.post.send(url, headers, late)
    return 4


def _echo(day: Day) -> None:
    """A shop sends orders/updated whenever somebody, the hub included, changes an order."""
    told: list[tuple[str, Any]] = [
        ("orders/updated", order) for order in day.placed if day.town.shop.fulfillments(order.id)
    ]
    day.town.tell_all(told)
