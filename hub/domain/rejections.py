"""Why a place refuses, and what follows for its stock, for the order, and for the place: a closed list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Effect = Literal["release", "zero", "lose", "damage", "display"]


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason to refuse. `says` is what people choose, `then` tells them what the hub does."""

    code: str
    says: str
    then: str
    effect: Effect  # what becomes of the units that were committed here
    routes_again: bool = True
    excludes: bool = True  # the place is not asked again for these lines
    closes: bool = False  # the place takes nothing for a while
    learns: bool = False  # the place is not asked again for this destination
    hold: str = ""  # kind of the hold that the order gets, until which nothing of it goes on

    @property
    def is_of_articles(self) -> bool:
        """Whether it is said of articles, whose stock is not what the books say."""
        return self.effect != "release"


_LIST = (
    Reason(
        "not_in_stock",
        "It is not there",
        "All units of the article here are written off to 0, and other orders that were promised some are flagged. "
        "The article goes to another location.",
        "zero",
    ),
    Reason(
        "mismatch",
        "Something else is in its place",
        "The units asked for are written off here, and asked of another location.",
        "lose",
    ),
    Reason(
        "damaged",
        "It is damaged",
        "The units asked for are booked as damaged, and asked of another location.",
        "damage",
    ),
    Reason(
        "worn_display",
        "It is worn or on display",
        "The units asked for stay here, reserved for display, and are asked of another location.",
        "display",
    ),
    Reason(
        "no_capacity",
        "There is too much to do",
        "The units are free again. The location gets nothing new for a while, and the order goes elsewhere.",
        "release",
        closes=True,
    ),
    Reason(
        "closed",
        "The location is closed",
        "The units are free again. The location gets nothing new for a while, and the order goes elsewhere.",
        "release",
        closes=True,
    ),
    Reason(
        "undeliverable_destination",
        "It cannot be delivered there from here",
        "The units are free again. The location is not asked for this destination any more.",
        "release",
        learns=True,
    ),
    Reason(
        "incorrect_address",
        "The address is wrong",
        "The units are free again. The whole order waits on hold until a person has put the address right.",
        "release",
        routes_again=False,
        excludes=False,
        hold="address",
    ),
    Reason(
        "other",
        "Another reason",
        "The units are free again. The order goes to another location.",
        "release",
    ),
)
REASONS: Mapping[str, Reason] = {one.code: one for one in _LIST}
OTHER = REASONS["other"]
NOT_COLLECTED = Reason("not_collected", "Nobody collected it", "", "release")  # no refusal: the place had it ready

# Words in which fulfillers say it, for those that state no code of ours. The first that fits counts.
_WORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile("|".join(patterns), re.IGNORECASE))
    for code, *patterns in (
        (
            "incorrect_address",
            r"\b(invalid|incorrect|wrong|incomplete|bad) (\w+ )?address",
            r"\baddress (is |was )?(not valid|invalid|incorrect|wrong|incomplete)",
        ),
        ("undeliverable_destination", r"undeliverable", r"cannot (be )?deliver", r"(no service|not ship) to"),
        (
            "not_in_stock",
            r"out of stock",
            r"not in stock",
            r"\bno (stock|inventory)\b",
            r"insufficient (stock|inventory)",
            r"cannot find (the )?(item|article)",
        ),
        ("damaged", r"\bdamaged?\b", r"\bbroken\b", r"\bdefective\b"),
        ("worn_display", r"\bon display\b", r"\bworn\b"),
        ("mismatch", r"\bmismatch\b", r"\bwrong (item|product|article)\b"),
        ("no_capacity", r"\bno capacity\b", r"\b(over|at) capacity\b", r"\btoo busy\b"),
        ("closed", r"\b(store|warehouse|location) (is )?closed\b"),
    )
)


def reason_for(code: str | None, text: str) -> Reason:
    """The reason that a fulfiller means: its code where it is one of ours, otherwise what its words say.

    What nobody recognises is a plain refusal.
    """
    if code in REASONS and code != OTHER.code:
        return REASONS[str(code)]
    return next((REASONS[name] for name, pattern in _WORDS if pattern.search(text)), OTHER)
