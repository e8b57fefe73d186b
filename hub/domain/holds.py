"""Holds: what they stop, on what they may lie, and how they end."""

from __future__ import annotations

from collections.abc import Mapping

# From a state to those that may follow it.
STATES: Mapping[str, tuple[str, ...]] = {"active": ("released", "expired"), "released": (), "expired": ()}

MEANING: Mapping[str, str] = {
    "active": "It stops the step it names, or waits for somebody to see to it.",
    "released": "Somebody released it, or it is not so any more.",
    "expired": "Its time was over.",
}

ROUTING, RELEASE, LABEL, SHIP, EVERYTHING, NOTHING = BLOCKS = (
    "routing",
    "release",
    "label",
    "ship",
    "everything",
    "nothing",  # somebody has to see to something, and the order goes on meanwhile
)

MONEY = "money"  # source of the holds that ask for a refund

# A fulfillment order has its place already, so its routing cannot be held any more.
MAY_BLOCK: Mapping[str, tuple[str, ...]] = {"order": BLOCKS, "line": BLOCKS, "fo": (RELEASE, LABEL, SHIP)}

# What each step waits for. A 3PL ships what it is handed, and a bought label counts as shipped, without the hub being
# asked again: so a hold on shipping stops both of them.
STOPPED_BY: Mapping[str, frozenset[str]] = {
    "submit": frozenset({RELEASE, SHIP, EVERYTHING}),
    "buy_label": frozenset({RELEASE, LABEL, SHIP, EVERYTHING}),
    "ship": frozenset({RELEASE, SHIP, EVERYTHING}),
}

# Kinds that a person may choose, with what they mean; checks and connections have kinds of their own.
REASONS: Mapping[str, str] = {
    "manual": "Another reason",
    "customer": "Waits for the customer's answer",
    "payment": "Waits for money",
    "address": "The address has to be put right",
    "fraud": "Might be fraud",
    "stock": "The goods have to be looked at",
    "customs": "Papers for customs are missing",
    "gift": "Waits for a message or wrapping",
}
