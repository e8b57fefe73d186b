"""What an order waits for, in one sentence, and the one thing to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from hub.store.views.order import OrderDetail
from hub.web import words


@dataclass(frozen=True, slots=True)
class Step:
    """`tone` is one of `hub.web.words`; `target` a place on the order's page, or the name of a page, "" for none."""

    tone: str
    title: str
    text: str
    target: str = ""
    label: str = ""


def next_step(order: OrderDetail) -> Step:
    """The most pressing thing first."""
    unlinked = [line.sku or line.title for line in order.lines if line.ships and line.variant_id is None]
    stuck = [entry for entry in order.timeline if entry.status in {"dead", "rejected", "unknown"}]
    active = [one for one in order.holds if one.state == "active"]
    owed = [one.reason for one in active if one.kind == "refund_due"]
    match order.row.phase:
        case "cancelled" if owed:
            return Step(words.WAIT, "Cancelled, and money is to go back", " ".join(owed), "holds", "Look at the holds")
        case "cancelled":
            return Step(words.OFF, "Cancelled", "Nothing is left to do.")
        case _ if stuck:
            entry = stuck[0]
            return Step(
                words.BAD, "A message is stuck", f"{entry.message}. {entry.error}", "problems", "See the problem"
            )
        case _ if unlinked:
            said = f"{', '.join(unlinked)} is not linked to an article. Link it, and the order goes on by itself."
            return Step(words.BAD, "Link an article", said, "link", "Link it now")
        case "delivered":
            return Step(words.GOOD, "Done", "Every unit has arrived or needs no parcel.")
        case "in_transit":
            return Step(
                words.GOOD, "On its way", "Everything has left. The carrier's scans appear below.", "parcels", "Parcels"
            )
        case "on_hold" if beyond := [one.said for held in order.row.holds for one in held.beyond]:
            return Step(
                words.BAD, "On hold, and it leaves all the same", f"{'. '.join(beyond)}.", "holds", "Ask it back"
            )
        case "on_hold":
            return Step(words.WAIT, "On hold", " ".join(one.reason for one in active), "holds", "Look at the holds")
        case "backordered":
            units = sum(line.unrouted for line in order.lines)
            said = f"{units} units have no place yet. They are kept for this order and routed when stock comes in."
            return Step(words.WAIT, "Waits for stock", said, "stock", "Look at the stock")
        case "unfillable":
            units = sum(line.unrouted for line in order.lines)
            said = f"{units} units have no place, and the rules let nothing wait. Look again, or change the order."
            return Step(words.WAIT, "Nobody can ship it", said, "work", "Fulfillment")
        case "fulfilment_failed":
            return Step(
                words.BAD, "A place could not ship", "See the fulfillment orders for the reason.", "work", "Fulfillment"
            )
        case "amending":
            return Step(
                words.BUSY, "Being called back", "The place that packs it was asked to stop; its answer decides."
            )
        case "in_fulfilment":
            return Step(
                words.BUSY, "Being packed", "The place that ships it has it. Nothing to do here.", "work", "Fulfillment"
            )
        case "routed":
            return Step(
                words.BUSY, "Routed", "It is about to be handed over to the place that ships it.", "work", "Fulfillment"
            )
        case "pending":
            return Step(words.WAIT, "Waits for the channel", "The channel has not released the order yet.")
    return Step(words.BUSY, "Ready", "The order is being looked at.")
