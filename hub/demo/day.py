"""The day: what the chapters of the story are told with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.demo.script import Script, Standing
from hub.demo.teller import Teller
from hub.demo.town import Town
from hub.store import orders
from hub.store.views import order as order_view

Lines = Sequence[tuple[str, int]]

BERLIN = {
    "name": "Jona Example",
    "addressLine1": "Lindenweg 3",
    "city": "Berlin",
    "postalCode": "10115",
    "countryCode": "DE",
    "addressType": "RESIDENTIAL",
}


@dataclass(slots=True)
class Day:
    """The town, the script and the teller. `placed` are the shop's orders by number, for what comes of them later."""

    town: Town
    teller: Teller
    script: Script = field(default_factory=Script)
    placed: list[Any] = field(default_factory=list)

    def buy(self, lines: Lines, expected: Standing, why: str, **more: Any) -> Any:
        """Somebody orders in the web shop; the hub has not heard of it yet."""
        order = self.town.shop.place_order(list(lines), **more)
        self.script.expect("shop", str(order.id), order.name, why, expected)
        self.placed.append(order)
        return order

    def buy_and_tell(self, lines: Lines, expected: Standing, why: str, **more: Any) -> Any:
        """Somebody orders in the web shop, and its webhook arrives."""
        order = self.buy(lines, expected, why, **more)
        self.tell("orders/create", order)
        return order

    def tell(self, topic: str, order: Any) -> None:
        """The shop's webhook arrives and is taken."""
        self.town.tell_all([(topic, order)])

    def order_at_market(self, lines: Lines, expected: Standing, why: str, **more: Any) -> str:
        """Somebody orders at the marketplace; the hub hears of it when it asks next."""
        number = str(self.town.market.place_order(list(lines), **({"address": BERLIN} | more)))
        self.script.expect("market", number, number, why, expected)
        return number

    def settle(self, what: str = "The hub is at work") -> None:
        with self.teller.working(what):
            self.town.house.settle()

    def poll(self, role: str) -> None:
        with self.teller.working("The hub asks for news"):
            self.town.poll(role)
            self.town.house.settle()

    def say(self, words: str) -> None:
        self.teller.say(words)

    def detail(self, role: str, external_id: str) -> order_view.OrderDetail:
        """An order as the hub shows it. Raises KeyError when it does not know it."""

        def look(tx: Any) -> order_view.OrderDetail:
            found = orders.ids_by_external(tx, self.town.ids[role], [external_id])
            return order_view.detail(tx, found[external_id])

        return self.town.house.ask(look)

    def work_numbers(self, order: Any) -> Mapping[str, str]:
        """The numbers under which the 3PL has a shop order's parts that are still to be packed, by state."""
        detail = self.detail("shop", str(order.id))
        return {fo.number: fo.exec_status for fo in detail.fulfillment_orders if fo.handling == "threepl"}

    def tracking_numbers(self, role: str, external_id: str) -> list[str]:
        """Tracking numbers of an order's parcels that carry one of our own labels."""
        shipments = self.detail(role, external_id).shipments
        packages = [package for shipment in shipments for package in shipment.packages]
        return [package.tracking_number for package in packages if package.tracking_number and package.has_label]
