"""Webhooks that come twice, late, forged, broken or never, and partners that fail in the middle of a call."""

from __future__ import annotations

from hub.demo.day import Day
from hub.demo.script import standing
from hub.sdk.signatures import hmac_signature
from hub.testing import Fault


def unruly_webhooks(day: Day) -> None:
    _repeated(day)
    _late(day)
    _lost(day)
    _forged_and_broken(day)


def _repeated(day: Day) -> None:
    order = day.buy([("MUG", 1)], standing("in_transit", "EAST MUG 1"), "webhook sent five times")
    headers, body = day.town.shop.webhook("orders/create", order, "event-sent-again")
    for _ in range(3):
        day.town.hand_over("orders/create", headers, body)
    day.town.tell("orders/create", order, "event-under-a-new-number")
    day.town.tell("orders/updated", order)
    day.settle()
    day.say("One order's webhook came five times, under three numbers: one order, one parcel.")


def _late(day: Day) -> None:
    shop = day.town.shop
    later = standing("in_transit", "EAST BAG 1, WEST PEN 1")
    edited = day.buy([("BAG", 1)], later, "the update came before the order")
    gone = day.buy([("CAP", 2)], standing("cancelled", sales_orders=0), "the cancellation came before the order")
    early = [shop.webhook("orders/create", order) for order in (edited, gone)]
    day.tell("orders/updated", shop.edit_order(edited.id, add=[("PEN", 1)]))
    day.tell("orders/cancelled", shop.cancel_order(gone.id))
    day.settle()
    for headers, body in early:
        day.town.hand_over("orders/create", headers, body)
    day.settle()
    day.say("Two orders arrived after their own update and their own cancellation; the older news changed nothing.")


def _lost(day: Day) -> None:
    day.buy([("CAP", 1)], standing("in_transit", "EAST CAP 1"), "its webhook never came")
    day.poll("shop")
    day.say("One webhook never came. The sweep over the shop found the order.")


def _forged_and_broken(day: Day) -> None:
    shop, town = day.town.shop, day.town
    headers, body = shop.webhook("orders/create", day.placed[0])
    forged = town.hand_over("orders/create", {**headers, "X-Shopify-Hmac-Sha256": "bm90IHNpZ25lZA=="}, body)
    half = body[: len(body) // 2]
    signed = {**headers, "X-Shopify-Hmac-Sha256": hmac_signature(shop.webhook_secret, half)}
    broken = town.hand_over("orders/create", {**signed, "X-Shopify-Event-Id": "event-cut-in-half"}, half)
    day.settle()
    day.say(
        f"A forged webhook was answered {forged[0]} and nothing of it was stored. One that was cut in half was "
        f"answered {broken[0]} and parked under Problems, byte by byte as it came."
    )


def broken_wires(day: Day) -> None:
    town = day.town
    town.threepl.faults.append(Fault("effect_then_drop", match="order_create"))
    town.carrier.faults.append(Fault("error_500", match="POST /v2/shipments"))
    town.erp.faults.append(Fault("effect_then_drop", match="sale.order/create"))
    town.shop.faults.append(Fault("effect_then_drop", match="fulfillmentCreate"))
    town.market.faults.append(Fault("throttle", match="shipmentConfirmation", seconds=1))
    calm = "calls to others went wrong"
    day.buy_and_tell([("MUG", 1)], standing("in_transit", "EAST MUG 1"), f"{calm}: the 3PL's answer was lost")
    day.buy_and_tell([("POSTER", 1)], standing("in_transit", "WEST POSTER 1"), f"{calm}: the carrier said 500")
    day.buy_and_tell([("BAG", 1)], standing("in_transit", "EAST BAG 1"), f"{calm}: the ERP's answer was lost")
    day.buy_and_tell([("PEN", 1)], standing("in_transit", "WEST PEN 1"), f"{calm}: the shop's answer was lost")
    day.buy_and_tell([("CANDLE", 1)], standing("in_transit", "WEST CANDLE 1"), "the 3PL refused it")
    day.order_at_market([("MUG", 1)], standing("in_transit", "NORTH MUG 1"), f"{calm}: Amazon asked for patience")
    day.poll("market")
    day.settle("The hub looks up what became of its calls")
    day.say(
        "The 3PL took an order and hung up. The hub does not send it again: it looked it up by its number and "
        "found it. The ERP hung up in the middle of a sales order and the shop after a parcel: both looked up, "
        "both there once. The carrier's error 500 cost a few seconds and no second label, Amazon asked for "
        "patience and got it, and what the 3PL refused went out from California."
    )
