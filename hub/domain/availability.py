"""How much a channel may sell: the one formula behind every published figure."""

from __future__ import annotations

from collections.abc import Iterable


def publishable(
    available_by_location: Iterable[int], *, unrouted: int = 0, threshold: int = 0, pack_size: int = 1
) -> int:
    """Sellable packs for one channel, never below zero.

    Each location is clamped at zero before summing, so that one place's shortage cannot eat another's stock.
    `unrouted` are units promised to orders that no location holds yet, `threshold` units kept from this channel.
    """
    units = sum(max(0, available) for available in available_by_location) - unrouted - threshold
    return max(0, units) // pack_size
