"""Problems in plain words: what is wrong, whose move it is, and what to do next.

Many rows can be one problem. Its fingerprint is made of where it happened and of the error without what differs from
one row to the next: numbers, ids, quoted names and times.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

Move = Literal["yours", "theirs"]

_VARYING = (
    re.compile(r"[\w.+-]+@[\w-]+\.[\w.]+"),
    re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE),
    re.compile(r"\b(?:FO|SH|SO|INV)-[\w-]+"),
    re.compile(r"'[^']*'|\"[^\"]*\"|“[^”]*”"),
    re.compile(r"\b[0-9a-f]{12,}\b", re.IGNORECASE),
    re.compile(r"\d+(?:[.,:]\d+)*"),
)


@dataclass(frozen=True, slots=True)
class Words:
    """A problem for people. `title` names it, `next_step` is what to do; `move` is who has to act."""

    title: str
    next_step: str
    move: Move


def normalised(error: str) -> str:
    """An error without what differs from one row to the next."""
    for pattern in _VARYING:
        error = pattern.sub("…", error)
    return " ".join(error.split())[:300]


def fingerprint(*parts: str) -> str:
    """The same text for the same problem, short enough for a link."""
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def of_inbox(channel: str, stream: str, code: str, path: str) -> Words:
    """A parked row of the inbox."""
    what = stream.replace("_", " ") or "a message"
    at = f" at {path}" if path else ""
    match code:
        case "malformed":
            return Words(
                f"{channel} sent {what} that cannot be read",
                "Look at the body. When the sender has put it right, replay the row, or set it aside.",
                "yours",
            )
        case "schema_drift":
            return Words(
                f"{channel} changed the shape of its {what}{at}",
                "Bring the field map in line with what is sent now, then replay.",
                "yours",
            )
        case "invalid_document":
            return Words(
                f"{what.capitalize()} of {channel} are mapped to something impossible{at}",
                "Put the field map right, then replay.",
                "yours",
            )
        case "mapping_failed":
            return Words(
                f"The field map for {what} of {channel} fails", "Put the field map right, then replay.", "yours"
            )
        case "privacy_request":
            return Words(
                f"{channel} asks for a person's data, or for its removal",
                "Answer within 30 days, then set the row aside.",
                "yours",
            )
        case "implausible_feed":
            return Words(
                f"{channel} states that most articles are out of stock",
                "Ask the warehouse. When it is so, accept the feed on the page Availability; otherwise set it aside.",
                "yours",
            )
        case "kept_by_lot":
            return Words(
                f"{channel} states other units of an article that is kept by lot or serial number",
                "Count the article there by lot or serial number, then set the row aside.",
                "yours",
            )
        case "gave_up":
            return Words(
                f"{what.capitalize()} of {channel} could not be applied",
                "Look at the error. When its cause is gone, replay.",
                "yours",
            )
    return Words(f"{what.capitalize()} of {channel} wait for a decision", "Look at the error, then replay.", "yours")


_DOES = {
    "submit": "take a fulfillment order",
    "cancel": "stop a fulfillment order",
    "buy_label": "sell a label",
    "void": "take a label back",
    "confirm": "be told of a shipment",
    "post": "book a document",
}


def of_outbox(channel: str, operation: str, status: str, *, looked_up: bool) -> Words:
    """A row of the outbox that did not go through. `looked_up`: the hub is finding out by itself."""
    does = _DOES.get(operation, operation.replace("_", " "))
    if status == "rejected":
        return Words(f"{channel} refused to {does}", _refused(operation), "yours")
    if status == "unknown" and looked_up:
        return Words(
            f"It is not known whether {channel} did: {does}",
            "Nothing: the hub looks it up by its reference. If you know the outcome, you can enter it.",
            "theirs",
        )
    if status == "unknown":
        return Words(
            f"It is not known whether {channel} did: {does}",
            f"Look at {channel} for the reference, then say whether it happened.",
            "yours",
        )
    if status == "held":
        return Words(
            f"Messages to {channel} are held back",
            "They were made before a backup was restored. Read the channels first, then release them.",
            "yours",
        )
    return Words(
        f"{channel} could not be reached to {does}",
        "The attempts are used up. When it is reachable again, retry; or set it aside.",
        "yours",
    )


def _refused(operation: str) -> str:
    if operation in {"submit", "buy_label"}:
        return (
            "Its units wait for another place. Look at the reason; this goes away when they have one, or set it aside."
        )
    if operation == "post":
        return (
            "Put right what the reason names, at the ERP or in the connection's settings, then retry or set it aside."
        )
    return "Look at the reason, put it right, then retry or set it aside."


_HOLDS = {
    "unmapped": ("An article is not linked", "Link the SKU to an article; the orders go on by themselves."),
    "totals_mismatch": ("An order does not add up", "Compare the order with the channel, then release the hold."),
    "address": ("There is no complete address", "Have the address completed at the channel, or release the hold."),
    "cancel_too_late": ("Cancelled after goods had left", "Settle it with the customer, then release the hold."),
    "remote_conflict": (
        "The channel opened a cancelled order again",
        "Decide with the channel, then release the hold.",
    ),
    "routing_exhausted": ("No location takes the order", "Look at the refusals, then release the hold to try again."),
    "risk": ("The channel warns of fraud", "Check the order, then release the hold or cancel."),
    "shipment_voided": ("A shipment was taken back", "Find out what was shipped, then release the hold."),
    "late_accept": ("A location accepted too late", "Make sure that nothing ships twice, then release the hold."),
    "not_collected": ("Nobody collected the goods", "Put them back on the shelf, or give them another day."),
    "unknown_there": (
        "It does not know an order when it is asked",
        "Look whether the order is there and may be shipped, then release the hold.",
    ),
    "stock_to_check": (
        "A location refused without naming the article",
        "Find out what is there, correct the stock, then release the hold.",
    ),
    "twin": ("An order came twice", "Ask the customer, then cancel one of the two or release the hold."),
    "at_risk": (
        "Goods that were promised may not be there",
        "Have the place look: where they are missing, refuse it there; where they are found, release the hold.",
    ),
    "pickup_refused": (
        "A store cannot have it ready",
        "Ask the customer, and choose on the order's page: another store, shipped instead, or cancelled.",
    ),
    "pickup_location": (
        "Nobody knows where the customer collects",
        "Link the channel's place and release the hold, or choose on the order's page: another store, or shipped.",
    ),
    "refund_due": (
        "Customers are to get money back",
        "Refund what the hold says at the channel; it ends when the channel says so, or when you release it.",
    ),
    "manual": ("Held by a person", "Release the hold when the reason is gone."),
}
WAITING_HOLDS = frozenset({"unpaid", "pending", "channel"})  # these end by themselves, when the channel says so


def of_hold(channel: str, kind: str) -> Words:
    """An active hold."""
    if kind == "channel":
        step = "Nothing: they go on when the channel lets them go."
        return Words(f"{channel}: orders are kept back there", step, "theirs")
    if kind in WAITING_HOLDS:
        return Words(f"{channel}: orders wait for payment", "Nothing: the channel tells when it is paid.", "theirs")
    title, step = _HOLDS.get(kind, (f"On hold: {kind.replace('_', ' ')}", "Look at the reason, then release the hold."))
    return Words(f"{channel}: {title[0].lower()}{title[1:]}", step, "yours")


def of_connection(channel: str, status: str, field: str | None) -> Words:
    """A connection that does not work."""
    match status:
        case "needs_sign_in":
            return Words(
                f"{channel} needs a new sign-in", "Enter the credentials anew and test the connection.", "yours"
            )
        case "misconfigured":
            where = f"the setting {field}" if field else "its settings or permissions"
            return Words(f"{channel} is set up wrongly", f"Put {where} right and test the connection.", "yours")
        case "unavailable":
            return Words(
                f"{channel} cannot be opened by this hub",
                "Install its plugin, or give the hub the key of its secrets; it goes on by itself then.",
                "yours",
            )
    return Words(
        f"{channel} does not answer",
        "Nothing: after many failures in a row the hub pauses and tries again by itself.",
        "theirs",
    )


def of_warning(channel: str) -> Words:
    """A connection that works, but for a part."""
    return Words(
        f"{channel} does not do everything that is asked of it",
        "Put right what it says, at the account or in the settings, then test the connection.",
        "yours",
    )


def of_listing(channel: str, *, tried_again: bool) -> Words:
    """A stock figure that a channel did not take."""
    if tried_again:
        return Words(f"{channel} did not take a stock figure", "Nothing: it is told again shortly.", "theirs")
    return Words(
        f"{channel} refuses a stock figure",
        "Put the listing right at the channel; the next change of stock tells it again.",
        "yours",
    )


def of_oversold(sku: str, location: str) -> Words:
    """A position that has promised more than there is."""
    return Words(
        f"{sku} is oversold at {location}",
        "Send the orders at risk from elsewhere, bring or buy units, release what is kept there, or cancel the newest.",
        "yours",
    )


def of_backlog(sku: str) -> Words:
    """More of an article is promised than may be."""
    return Words(
        f"More of {sku} is promised than may wait",
        "Buy some, raise its backorder limit, or cancel the newest orders that wait for it.",
        "yours",
    )


def of_failure(channel: str) -> Words:
    """Something that the hub itself failed at."""
    return Words(
        f"{channel}: the hub fails at something it should do by itself",
        "Look at the error, and report it where the hub is looked after. The others of its kind go on meanwhile.",
        "yours",
    )


def of_ledger(kind: str) -> Words:
    """Something in the stock books that does not add up."""
    if kind == "owners":
        return Words(
            "Units are kept for nobody, or fewer than they are kept for",
            "Look at the article. Reserved units that belong to nobody can be moved by hand; report the others.",
            "yours",
        )
    if kind == "counters":
        return Words(
            "An order does not add up to what was shipped of it",
            "Compare the order with its parcels, tell its customer what is missing, and report it.",
            "yours",
        )
    if kind == "lots":
        return Words("Lots do not add up to what is on hand", "Count these articles by lot or serial number.", "yours")
    return Words(
        "The stock differs from its ledger",
        "Something wrote past the ledger: find out what, count these positions, and settle the difference.",
        "yours",
    )
