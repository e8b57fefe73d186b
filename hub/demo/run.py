"""Running the demo: the whole story once, or with the console open afterwards."""

from __future__ import annotations

import logging
import random
import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from hub.demo import report
from hub.demo.day import Day
from hub.demo.house import HubError, open_house
from hub.demo.script import Script
from hub.demo.story import CHAPTERS
from hub.demo.teller import Teller, terminal
from hub.demo.town import TownError, open_town

NEW_ORDER_S = 20.0
IN_PLACE, ASTRAY = 0, 1
SOLD_IN_THE_EVENING = ("MUG", "TEE-S", "CAP", "BAG", "LAMP", "POSTER", "PEN")

Change = Callable[[Script], None]


def run(*, once: bool = False, minutes: float | None = None, port: int = 0, before_report: Change | None = None) -> int:
    """Tell the whole day and compare where every order is with where it belongs; 0 when all are in place, else 1.

    Unless `once`, the console then stays open for `minutes`, or until Ctrl-C, and orders go on coming in.
    `before_report` may change the script before it is compared.
    """
    teller = Teller(terminal())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # so that the hub is stopped too
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # the sandboxes' own servers
    try:
        with ExitStack() as stack:
            day = _open(stack, teller, port)
            verdict = _tell(day, before_report or (lambda _: None))
            if not once:
                _stay_open(day, minutes)
            return verdict
    except (HubError, TownError) as error:
        teller.console.print(f"[red]The demo cannot go on:[/red] {error}", soft_wrap=True)
        return ASTRAY


def _open(stack: ExitStack, teller: Teller, port: int) -> Day:
    """Start the hub and everybody around it."""
    teller.console.print(
        "[bold]Orderhub demo[/bold]: a shop, a marketplace, a 3PL, a carrier and an ERP on this machine."
    )
    with teller.working("Starting a hub on an empty database"):
        house = stack.enter_context(open_house(port))
    with teller.working("Connecting it to everybody and reading their catalogues and stock"):
        town = stack.enter_context(open_town(house))
    teller.console.print(f"The hub listens at {house.url} and is connected to all five ({teller.elapsed_s:.1f} s).")
    return Day(town, teller)


def _tell(day: Day, before_report: Change) -> int:
    for title, chapter in CHAPTERS:
        with day.teller.chapter(title):
            chapter(day)
    before_report(day.script)
    with day.teller.working("Looking where every order is"):
        found = report.compare(day)
    report.show(found, day.teller)
    return ASTRAY if found.wrong else IN_PLACE


def _stay_open(day: Day, minutes: float | None) -> None:
    """Leave the console open, with a new order now and then, until Ctrl-C or the time is over."""
    until = time.monotonic() + minutes * 60 if minutes is not None else float("inf")
    say = day.teller.console.print
    say(f"\n[bold]The console is open:[/bold] {day.town.house.invite()}", soft_wrap=True)
    say("The link makes the first account, once. A new order comes every 20 seconds; Ctrl-C ends everything.")
    try:
        while time.monotonic() < until:
            one_more(day)
            time.sleep(max(0.0, min(NEW_ORDER_S, until - time.monotonic())))
    except KeyboardInterrupt:
        say("\nClosed; nothing is kept.")


def one_more(day: Day) -> None:
    """One more order, and one parcel further on its way.

    By now people change settings in the console, so a webhook may be refused: that is told, and the day goes on.
    """
    shop, threepl = day.town.shop, day.town.threepl
    bought = random.sample(SOLD_IN_THE_EVENING, random.choice((1, 1, 2)))  # noqa: S311 - no secret
    order = shop.place_order([(sku, random.choice((1, 1, 2))) for sku in bought])  # noqa: S311 - as above
    came = ""
    try:
        day.tell("orders/create", order)
    except TownError as error:
        came = f" ({error}; the next reading of the shop finds the order)"
    waiting = [one for one in threepl.orders if one["fulfillment_status"] not in {"fulfilled", "canceled"}]
    if len(waiting) > 2:
        threepl.ship(waiting[0]["order_number"], f"1Z999AA1{random.randrange(10**10):010d}")  # noqa: S311 - as above
    day.say(f"{time.strftime('%H:%M:%S')}  {order.name}: {', '.join(bought)}{came}")
