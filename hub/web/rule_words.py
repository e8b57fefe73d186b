"""Rule sets in words, for the page that shows them."""

from __future__ import annotations

from collections.abc import Iterator

from hub.domain.routing.rules import LineRemainder, OrderFilter
from hub.domain.routing.shapes import Step

ASSIGN = {
    "single": "all of it from one place",
    "split": "all of it, from at most {most} places",
    "partial": "as much as can be, from at most {most} places",
}
THEN = {
    "next": "is left to the next step",
    "backorder": "waits for stock",
    "preorder": "waits for its release",
    "hold": "puts the order on hold",
}


def when(said: OrderFilter) -> str:
    """Which orders a routing is for."""
    return "; ".join(_when(said)) or "every order"


def _when(said: OrderFilter) -> Iterator[str]:
    for words, names in (
        ("from {}", said.channels),
        ("to {}", said.countries),
        ("of the market {}", said.markets),
        ("tagged {}", said.tags),
        ("for {}", said.methods),
        ("in {}", said.currencies),
    ):
        if names:
            yield words.format(" or ".join(sorted(names)))
    if said.min_value_minor is not None:
        yield f"worth {said.min_value_minor} or more (minor units)"
    if said.max_value_minor is not None:
        yield f"worth {said.max_value_minor} or less (minor units)"


def where(step: Step) -> str:
    """Which places a step asks."""
    said = []
    if step.groups:
        said.append(f"in the group {' or '.join(sorted(step.groups))}")
    if step.radius_km is not None:
        said.append(f"within {step.radius_km} km")
    if step.min_stock:
        said.append(f"leaving {step.min_stock} of each article there")
    if step.ignore_capacity:
        said.append("even when full")
    if step.late_ok:
        said.append("even when late")
    return ", ".join(said) or "anywhere"


def how(step: Step) -> str:
    """How much a step wants of a place."""
    least = step.min_shipment_value_minor
    worth = f", each parcel worth {least} or more (minor units)" if least else ""
    return ASSIGN[step.assign].format(most=step.max_shipments) + worth


def then(code: str) -> str:
    """What happens to units without a place."""
    kind, _, argument = code.partition(":")
    if kind == "queue":
        return f"goes to the queue {argument}"
    if kind == "auto_cancel":
        return f"is cancelled after {argument} days"
    return THEN.get(kind, code)


def lines(said: LineRemainder) -> str:
    """Which lines a remainder is for."""
    parts = [
        *([f"the SKUs {', '.join(sorted(said.skus))}"] if said.skus else []),
        *([f"the categories {', '.join(sorted(said.categories))}"] if said.categories else []),
    ]
    return " in ".join(parts) or "every line"
