"""Kits on their way through the hub: exploded when an order comes in, told to the channel as one line."""

from __future__ import annotations

from hub.domain import kits
from hub.flows.desk import Desk
from hub.store import shipments
from hub.store.availability import Component
from hub.store.database import Tx, new_id
from hub.store.orders import LineState, OrderState


def explode(desk: Desk, order: OrderState) -> None:
    """Give every line that is a kit its component lines, which are shipped in its place. Safe to call twice.

    A line that was routed while its article was no kit yet stays as it is.
    """
    done = {line.kit_line_id for line in order.lines}
    for line in list(order.lines):
        parts = desk.recipes.get(line.variant_id or "", ())
        if not parts or line.id in done or not line.ships or line.routed or not line.ordered:
            continue
        line.ships, line.changed = False, True
        order.lines += [_component(order, line, part, number) for number, part in enumerate(parts)]
        said = ", ".join(f"{part.quantity} x {part.sku}" for part in parts)
        desk.tell(order.id, ("order_line", line.id), "exploded", f"{line.sku or line.title} is a kit of {said}.")


def _component(order: OrderState, kit: LineState, part: Component, number: int) -> LineState:
    """The line of one component. The group keeps the components together at one location."""
    return LineState(
        new_id(),
        order.id,
        len(order.lines) + number,
        f"kit:{kit.id}:{part.sku}",
        part.sku,
        part.variant_id,
        part.title,
        kit.ordered * part.quantity,
        kit.cancelled * part.quantity,
        0,
        0,
        0,
        0,
        kit.group_key or (f"kit:{kit.id}" if part.keep_together else None),
        ships=True,
        kit_line_id=kit.id,
        is_new=True,
    )


def is_kit(order: OrderState, line: LineState) -> bool:
    """Whether the line was exploded into components."""
    return any(other.kit_line_id == line.id for other in order.lines)


def told_lines(tx: Tx, order: OrderState) -> dict[str, tuple[tuple[str, int], ...]]:
    """What the channel is told of each package of an order: (its own line id, units of it)."""
    line_of = {row.id: row.order_line_id for fo in order.fos for row in fo.lines}
    packages = [
        (package_id, [(line_of[fo_line_id], units) for fo_line_id, units in contents])
        for package_id, contents in shipments.contents(tx, order.id)
    ]
    sold, left = {line.id: line.external_id for line in order.lines}, unknown_to_channel(order)
    found = {}
    for package_id, contents in kits.as_sold(order.lines, packages).items():
        told = [(line_id, _within(left, line_id, units)) for line_id, units in contents]
        found[package_id] = tuple((sold[line_id], units) for line_id, units in told if units)
    return found


def unknown_to_channel(order: OrderState) -> dict[str, int]:
    """The most units that the channel may be told of lines which were added or raised here, by line."""
    if order.channel_document is None:
        return {}
    stated = {line["external_id"]: line["quantity"] for line in order.channel_document["lines"]}
    here = {line["external_id"]: line["quantity"] for line in order.document["lines"]}
    return {
        line.id: stated.get(key, 0) * max(1, line.wanted // here[key])
        for line in order.lines
        if (key := line.external_id) in here and here[key] > stated.get(key, 0)
    }


def _within(left: dict[str, int], line_id: str, units: int) -> int:
    """The units, as far as they are left; they are taken off what is left."""
    told = min(units, left.get(line_id, units))
    if line_id in left:
        left[line_id] -= told
    return told
