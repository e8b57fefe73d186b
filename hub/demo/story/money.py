"""Money of other countries, orders that are not paid or not released, and sums that do not add up."""

from __future__ import annotations

from decimal import Decimal

from hub.demo.day import Day
from hub.demo.script import standing

HAMBURG = {
    "name": "Kim Example",
    "address1": "Alsterweg 12",
    "city": "Hamburg",
    "zip": "20095",
    "country": "Germany",
    "country_code": "DE",
}


def money_and_waiting(day: Day) -> None:
    shop = day.town.shop
    day.buy_and_tell([("MUG", 2)], standing("in_transit", "EAST MUG 2"), "paid in yen", currency="JPY", rate="150")
    day.buy_and_tell(
        [("TEE-S", 1)],
        standing("in_transit", "EAST TEE-S 1"),
        "paid in euros, VAT inside",
        currency="EUR",
        rate="0.92",
        ship_to=HAMBURG,
        tax_rate="0.19",
        tax_title="VAT",
        taxes_included=True,
    )
    _wrong_sum(day)
    paid_later = day.buy_and_tell([("CAP", 1)], standing("in_transit", "EAST CAP 1"), "paid later", paid="PENDING")
    day.buy_and_tell([("PEN", 1)], standing("on_hold: unpaid"), "never paid", paid="PENDING")
    by_amazon = standing("done by the channel", sales_orders=1)
    day.order_at_market([("CAP-FBA", 1)], by_amazon, "Amazon ships it from its own warehouse")
    released = day.order_at_market(
        [("SOCKS", 1)], standing("in_transit", "NORTH SOCKS 1"), "released by Amazon later", status="PENDING"
    )
    day.order_at_market([("MUG", 1)], standing("on_hold: pending"), "not released by Amazon", status="PENDING")
    day.poll("market")
    day.settle()
    day.tell("orders/updated", shop.edit_order(paid_later.id, paid="PAID"))
    day.town.market.release_order(released)
    day.poll("market")
    day.settle()
    day.say(
        "Yen have no cents and euros include VAT; both add up to the last unit. An order whose parts do not add "
        "up to its total is held, and so are the unpaid one and those that Amazon has not released; two of these "
        "were, later. What Amazon ships itself is only booked."
    )


def _wrong_sum(day: Day) -> None:
    """An order whose total is five dollars more than its parts, as a faulty app once wrote it."""
    held = standing("on_hold: totals_mismatch")
    day.buy_and_tell([("BAG", 1)], held, "its parts do not add up", unexplained=Decimal(5))
