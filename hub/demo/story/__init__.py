"""The story, chapter by chapter. Every chapter writes its orders into the script before the hub hears of them."""

from __future__ import annotations

from collections.abc import Callable

from hub.demo.day import Day
from hub.demo.story.evening import evening
from hub.demo.story.minds import changes_of_mind, unknown_articles
from hub.demo.story.money import money_and_waiting
from hub.demo.story.noise import broken_wires, unruly_webhooks
from hub.demo.story.trade import morning, several_places, short_of_stock

Chapter = Callable[[Day], None]

CHAPTERS: tuple[tuple[str, Chapter], ...] = (
    ("A normal morning", morning),
    ("One order, several places", several_places),
    ("Short of stock", short_of_stock),
    ("A SKU nobody knows", unknown_articles),
    ("Changes of mind", changes_of_mind),
    ("Webhooks as they really come", unruly_webhooks),
    ("Foreign money, no money, not yet released", money_and_waiting),
    ("The others fail", broken_wires),
    ("Evening: parcels leave", evening),
)
