"""People change their minds, and shops sell what the hub has not heard of."""

from __future__ import annotations

from typing import Any

from hub.demo.day import Day
from hub.demo.script import standing
from hub.demo.town import ME
from hub.flows import operate

MOVED = {
    "name": "Ada Example",
    "address1": "9 Other Street",
    "city": "Springfield",
    "province": "Illinois",
    "province_code": "IL",
    "zip": "62704",
    "country": "United States",
    "country_code": "US",
    "phone": "+12175550100",
}


def unknown_articles(day: Day) -> None:
    told = {"MUG": 1, "SOAP": 1}  # the shop knows the soap by its own name
    linked = standing("in_transit", "EAST MUG 1, WEST SOAP-BAR 1", told_units=told)
    day.buy_and_tell([("SOAP", 1), ("MUG", 1)], linked, "unknown SKU, linked later")
    day.buy_and_tell([("GIFT-BOX", 1)], standing("on_hold: unmapped"), "unknown SKU, nobody links it")
    day.settle()
    day.say(
        "The shop sells SOAP, which is no article of ours. The order is kept whole and held, and nothing is guessed."
    )
    operate.link_sku(day.town.house.runtime, day.town.ids["shop"], "SOAP", article="SOAP-BAR", person=ME)
    day.settle()
    day.say("Somebody says that SOAP is our SOAP-BAR, and the order goes on by itself. The gift box waits for you.")


def changes_of_mind(day: Day) -> None:
    _cancelled_in_time(day)
    _stopped_at_the_3pl(day)
    _cancelled_at_the_market(day)
    _edited(day)
    _too_late(day)


def _cancelled_in_time(day: Day) -> None:
    runtime, threepl = day.town.house.runtime, day.town.ids["threepl"]
    operate.pause(runtime, threepl, person=ME, reason="The 3PL counts its stock.")
    order = day.buy_and_tell([("TEE-S", 2)], standing("cancelled", sales_orders=1), "cancelled before the handover")
    day.settle()
    day.tell("orders/cancelled", day.town.shop.cancel_order(order.id))
    day.settle()
    operate.resume(runtime, threepl, person=ME)
    day.say("The 3PL is paused to count its stock. An order that is cancelled in that time never reaches it.")


def _stopped_at_the_3pl(day: Day) -> None:
    stopped = standing("cancelled", stopped=1, sales_orders=1)
    order = day.buy_and_tell([("TEE-M", 1)], stopped, "cancelled after the handover")
    day.settle()
    day.tell("orders/cancelled", day.town.shop.cancel_order(order.id))
    day.settle()
    day.say(
        "Another was with the 3PL already: it is asked to stop first, and the shirt is on sale again when it agrees."
    )


def _cancelled_at_the_market(day: Day) -> None:
    stopped = standing("cancelled", stopped=1, sales_orders=1)
    number = day.order_at_market([("TEE-S", 1)], stopped, "cancelled by the buyer at Amazon")
    day.poll("market")
    day.town.market.cancel_order(number)
    day.poll("market")
    day.settle()


def _edited(day: Day) -> None:
    again: dict[str, Any] = {"at_3pl": 1, "stopped": 1}  # called back, and handed over anew
    shop = day.town.shop
    fewer = day.buy_and_tell([("MUG", 3)], standing("in_transit", "EAST MUG 1", **again), "three mugs, then one")
    more = standing("in_transit", "EAST CAP 1, WEST PEN 2, EAST MUG 1", at_3pl=2, told=3)
    longer = day.buy_and_tell([("CAP", 1)], more, "a mug and two pens added")
    dropped = standing("in_transit", "EAST CAP 1", **again)
    shorter = day.buy_and_tell([("TEE-M", 1), ("CAP", 1)], dropped, "a line dropped")
    moved = day.buy_and_tell([("BAG", 1)], standing("in_transit", "EAST BAG 1", **again), "sent to another address")
    day.settle()
    edits: list[Any] = [
        shop.edit_order(fewer.id, {"MUG": 1}),
        shop.edit_order(longer.id, add=[("PEN", 2), ("MUG", 1)]),
        shop.edit_order(shorter.id, {"TEE-M": 0}),
        shop.edit_order(moved.id, ship_to=MOVED),
    ]
    day.town.tell_all([("orders/updated", order) for order in edits])
    day.settle()
    day.say(
        "Four orders were edited: fewer units, more lines, one line less, another address. What the 3PL had was "
        "called back and handed over anew, and what was added went out beside it."
    )


def _too_late(day: Day) -> None:
    left = standing("in_transit", "EAST MUG 2", told=0, told_units={})
    order = day.buy_and_tell([("MUG", 2)], left, "cancelled too late: the parcel had left")
    day.settle()
    [number] = day.work_numbers(order)
    day.town.threepl.ship(number, "1Z999AA10900000001", notify=False)
    day.tell("orders/cancelled", day.town.shop.cancel_order(order.id))
    day.settle()
    day.town.threepl.notify("Shipment Update", number)
    day.settle()
    day.say(
        "One cancellation came too late: the parcel had left. The order says so, for somebody to write to the customer."
    )
