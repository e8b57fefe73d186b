"""The phase of an order: one word for where it stands, derived from its facts and never stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal[
    "cancelled",
    "delivered",
    "in_transit",
    "fulfilment_failed",
    "on_hold",
    "amending",
    "unfillable",
    "backordered",
    "in_fulfilment",
    "routed",
    "ready",
    "pending",
]
IN_WORK = frozenset({"submitted", "accepted", "cancellation_rejected"})
ASKED_BACK = frozenset({"cancellation_requested"})


@dataclass(frozen=True, slots=True)
class Work:
    """The state of one fulfillment order."""

    exec_status: str
    request_status: str

    @property
    def is_live(self) -> bool:
        return self.exec_status in {"scheduled", "open", "in_progress"}


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What the phase rests on. Units are those which the hub has to ship; gift cards and the like do not count."""

    lifecycle: str
    ordered: int
    cancelled: int
    routed: int
    shipped: int
    delivered: int
    on_hold: bool
    work: tuple[Work, ...] = ()
    unfillable: int = 0  # units without a place that no policy lets wait for goods: somebody has to decide

    @property
    def wanted(self) -> int:
        """Units that somebody still wants, shipped ones included."""
        return self.ordered - self.cancelled


def phase(facts: OrderFacts) -> Phase:
    """The first of these that is true.

    An order that is completed without anything for the hub to ship counts as delivered. Units that are on their way
    decide only when nothing is left to ship, since the rest is what people have to look after.
    """
    live = [one for one in facts.work if one.is_live]
    if facts.lifecycle == "cancelled":
        return "cancelled"
    if facts.delivered >= facts.wanted and (facts.wanted > 0 or facts.lifecycle == "completed"):
        return "delivered"
    if facts.wanted > 0 and facts.shipped >= facts.wanted:
        return "in_transit"
    if any(one.exec_status == "incomplete" for one in facts.work):
        return "fulfilment_failed"
    if facts.on_hold:
        return "on_hold"
    if any(one.request_status in ASKED_BACK for one in live):
        return "amending"
    if facts.lifecycle == "open" and facts.unfillable > 0:
        return "unfillable"
    if facts.lifecycle == "open" and facts.wanted > facts.routed:
        return "backordered"
    if any(one.exec_status == "in_progress" or one.request_status in IN_WORK for one in live):
        return "in_fulfilment"
    if live:
        return "routed"
    return "ready" if facts.lifecycle == "open" else "pending"


def fulfillment(facts: OrderFacts) -> Literal["unfulfilled", "partial", "fulfilled"]:
    """How much of what is wanted has left."""
    if facts.shipped == 0:
        return "unfulfilled"
    return "fulfilled" if facts.shipped >= facts.wanted else "partial"
