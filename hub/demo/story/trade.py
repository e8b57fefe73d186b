"""Orders as they should be, orders from several places, and orders for more than there is."""

from __future__ import annotations

from hub.demo.day import Day
from hub.demo.script import standing


def morning(day: Day) -> None:
    shop = _shop_orders(day)
    market = _market_orders(day)
    day.town.tell_all([("orders/create", order) for order in shop])
    day.say(f"{len(shop)} orders came from the web shop by webhook, each signed and answered once it was stored.")
    day.poll("market")
    day.say(f"{market} orders were read from Amazon Germany, in euros.")
    day.settle()
    day.say(
        "American customers are served by the 3PL in New Jersey or by our own house in California, German ones "
        "from Hamburg. Every route has its reason in the order's timeline."
    )


def _shop_orders(day: Day) -> list[object]:
    """One and several lines, with discounts, taxes, gift cards and tips as they come."""
    usual = {"shipping": "4.90", "tax_rate": "0.08"}
    return [
        day.buy([("MUG", 1)], standing("in_fulfilment", kept="EAST MUG 1"), "still being packed", **usual),
        day.buy([("TEE-S", 2)], standing("in_transit", "EAST TEE-S 2"), "", **usual),
        day.buy([("CAP", 1)], standing("in_transit", "EAST CAP 1"), "discount code", discount=("WELCOME", "2.20")),
        day.buy([("BAG", 1)], standing("in_transit", "EAST BAG 1"), "", **usual),
        day.buy([("TEE-L", 2)], standing("in_fulfilment", kept="EAST TEE-L 2"), "still being packed"),
        day.buy([("MUG", 4)], standing("in_transit", "EAST MUG 4", told=2), "leaves in two parcels", **usual),
        day.buy([("TEE-M", 1)], standing("in_transit", "EAST TEE-M 1"), "gift card", gift_card="10.00"),
        day.buy([("CAP", 2)], standing("in_transit", "EAST CAP 2"), "with a tip", tip="3.00", **usual),
        day.buy([("MUG", 2), ("TEE-S", 1)], standing("in_transit", "EAST MUG 2, EAST TEE-S 1"), "", **usual),
        day.buy(
            [("TEE-M", 1), ("CAP", 1), ("BAG", 1)],
            standing("in_transit", "EAST TEE-M 1, EAST CAP 1, EAST BAG 1"),
            "sale on three lines",
            sale=("Autumn sale", "10.00"),
            **usual,
        ),
        day.buy([("MUG", 1), ("TEE-L", 2)], standing("in_transit", "EAST MUG 1, EAST TEE-L 2"), ""),
        day.buy([("BAG", 1), ("MUG", 1)], standing("in_transit", "EAST BAG 1, EAST MUG 1"), "", **usual),
        day.buy([("LAMP", 1)], standing("delivered", "WEST LAMP 1"), "", **usual),
        day.buy([("POSTER", 2)], standing("delivered", "WEST POSTER 2"), ""),
        day.buy([("PEN", 5)], standing("delivered", "WEST PEN 5"), "", **usual),
        day.buy([("LAMP", 1), ("PEN", 3)], standing("in_transit", "WEST LAMP 1, WEST PEN 3"), "", **usual),
        day.buy([("POSTER", 1), ("PEN", 2)], standing("in_transit", "WEST POSTER 1, WEST PEN 2"), ""),
        day.buy([("POSTER", 1)], standing("delivered", "WEST POSTER 1"), "", note="Please do not fold"),
        day.buy([("SOCKS", 2)], standing("in_transit", "NORTH SOCKS 2"), "from Hamburg, with customs form"),
    ]


def _market_orders(day: Day) -> int:
    for lines, expected, why in (
        ([("MUG", 1)], standing("delivered", "NORTH MUG 1"), ""),
        ([("TEE-M", 2)], standing("delivered", "NORTH TEE-M 2"), ""),
        ([("CAP", 1)], standing("delivered", "NORTH CAP 1"), ""),
        ([("SOCKS", 3)], standing("delivered", "NORTH SOCKS 3"), ""),
        ([("MUG", 2)], standing("delivered", "NORTH MUG 2"), ""),
        ([("CAP", 2)], standing("in_transit", "NORTH CAP 2"), ""),
        ([("MUG", 1), ("CAP", 1)], standing("in_transit", "NORTH MUG 1, NORTH CAP 1"), ""),
        ([("TEE-M", 1), ("SOCKS", 2)], standing("in_transit", "NORTH TEE-M 1, NORTH SOCKS 2"), ""),
        ([("TEE-L", 1)], standing("in_transit", "EAST TEE-L 1"), "only the 3PL has it"),
        ([("TEE-S", 1)], standing("in_transit", "EAST TEE-S 1"), "only the 3PL has it"),
        ([("MUG", 1), ("TEE-L", 1)], standing("in_transit", "EAST MUG 1, EAST TEE-L 1"), "one parcel, not two"),
        ([("PEN", 2)], standing("in_transit", "WEST PEN 2"), "from California, with customs form"),
    ):
        day.order_at_market(lines, expected, why)
    return day.script.count("market")


def several_places(day: Day) -> None:
    day.order_at_market([("BAG", 1), ("PEN", 1)], standing("in_transit", "EAST BAG 1, WEST PEN 1"), "two places")
    for lines, left, why in (
        ([("BAG", 1), ("LAMP", 1)], "EAST BAG 1, WEST LAMP 1", "two places"),
        ([("POSTER", 1), ("MUG", 1)], "EAST MUG 1, WEST POSTER 1", "two places"),
        ([("BAG", 1), ("LAMP", 1), ("SOCKS", 1)], "EAST BAG 1, WEST LAMP 1, NORTH SOCKS 1", "three places"),
    ):
        day.buy_and_tell(lines, standing("in_transit", left), why)
    day.poll("market")
    day.settle()
    day.say(
        "No place has a bag and a lamp, so the 3PL packs the bag and our own house the lamp: two parcels, one "
        "order. A third one also wants socks, which only Hamburg has: three parcels, and the shop hears of each."
    )


def short_of_stock(day: Day) -> None:
    day.buy_and_tell([("VASE", 1)], standing("in_transit", "EAST VASE 1"), "the last but one")
    day.settle()
    later = standing("in_transit", "EAST VASE 3", at_3pl=2, told=2)
    day.buy_and_tell([("VASE", 3)], later, "one at once, two after the delivery")
    day.settle()
    day.order_at_market([("VASE", 1)], standing("in_transit", "EAST VASE 1"), "waited for the delivery")
    both = standing("in_transit", "EAST TEE-L 1, EAST VASE 1", at_3pl=2, told=2)
    day.buy_and_tell([("TEE-L", 1), ("VASE", 1)], both, "the shirt at once, the vase after the delivery")
    short = standing("backordered", "WEST CLOCK 2", waits="CLOCK 2")
    day.buy_and_tell([("CLOCK", 4)], short, "two of four, the rest still waits")
    day.poll("market")
    day.settle()
    day.say(
        "There were two vases, and six were wanted: who came first got them, the others wait, and both channels show 0."
    )
    day.town.threepl.add_product("VASE", on_hand=8)
    day.town.threepl.notify("Inventory Update", "VASE")
    day.settle()
    day.say(
        "A delivery reached the 3PL; its webhook told of it, and the waiting orders got their vases, the oldest "
        "first. Nobody delivers clocks: that order stays half shipped and half waiting."
    )
