"""Transfers between our own locations: what may follow what, and what comes of units that are received."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NEXT: Mapping[str, tuple[str, ...]] = {
    "draft": ("ready", "cancelled"),
    "ready": ("in_transit", "cancelled"),
    "in_transit": ("partially_received", "received", "closed_short"),
    "partially_received": ("partially_received", "received", "closed_short"),
    "closed_short": (),
    "received": (),
    "cancelled": (),
}
MEANING: Mapping[str, str] = {
    "draft": "It is written, and may be changed.",
    "ready": "Its units are kept at the source and are not sold.",
    "in_transit": "Its units have left the source; at the destination they are incoming and not sold.",
    "partially_received": "Some of its units have arrived, others have not.",
    "received": "All units that left have arrived.",
    "closed_short": "Closed although units are missing; each of them is lost, back at the source or still expected.",
    "cancelled": "Nothing left; the source has its units back.",
}
# Units may arrive in these; after closing short only what is still expected, which does not change the status.
ARRIVING = frozenset({"in_transit", "partially_received", "closed_short"})
CONDITIONS: Mapping[str, str] = {"good": "available", "damaged": "damaged", "to_inspect": "quality_hold"}
FATES = ("lost", "back_to_source", "still_expected")


class RefusedError(ValueError):
    """The step makes no sense as things stand; the message says what does."""


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one article on a transfer."""

    sku: str
    quantity: int  # to be sent
    shipped: int = 0  # left the source
    received: int = 0  # of the shipped ones, in whatever condition
    lost: int = 0
    back_to_source: int = 0
    over: int = 0  # arrived beyond what was shipped
    mis_shipped: int = 0  # arrived though the article was never on the transfer

    @property
    def expected(self) -> int:
        """Units that left and of which nothing is known since: what is under, once the transfer is closed short."""
        return self.shipped - self.received - self.lost - self.back_to_source


@dataclass(frozen=True, slots=True)
class Arrival:
    """How units that arrived are booked: first against what is expected, the rest as a difference."""

    received: int
    over: int
    mis_shipped: int


@dataclass(frozen=True, slots=True)
class Difference:
    """Where what arrived is not what left."""

    sku: str
    kind: str  # over, under or mis_shipped
    units: int


def check(status: str, wanted: str) -> None:
    """Raises RefusedError, naming the allowed next states."""
    if wanted not in NEXT[status]:
        allowed = ", ".join(NEXT[status]) or "nothing, it is final"
        raise RefusedError(f"a transfer that is {plain(status)} cannot become {plain(wanted)}; next can be: {allowed}")


def plain(status: str) -> str:
    return status.replace("_", " ")


def arrive(line: Line, units: int) -> Arrival:
    """What `units` (1 or more) of an article that arrived are."""
    taken = min(units, line.expected)
    rest = units - taken
    return Arrival(taken, rest if line.shipped else 0, 0 if line.shipped else rest)


def after_receipt(status: str, lines: Sequence[Line]) -> str:
    """The status once units have arrived. Raises RefusedError when none may arrive now."""
    if status not in ARRIVING:
        raise RefusedError(f"nothing can arrive on a transfer that is {plain(status)}")
    if status == "closed_short":
        return status
    wanted = "partially_received" if any(line.expected for line in lines) else "received"
    check(status, wanted)
    return wanted


def settle(line: Line, fates: Mapping[str, int]) -> dict[str, int]:
    """Missing units by fate; what is not named is still expected. Raises RefusedError when more are named."""
    unknown = set(fates) - set(FATES)
    if unknown:
        raise RefusedError(f"{line.sku}: a missing unit is {', '.join(FATES)}, and not {', '.join(sorted(unknown))}")
    if any(units < 0 for units in fates.values()):
        raise RefusedError(f"{line.sku}: units cannot be negative")
    gone = fates.get("lost", 0) + fates.get("back_to_source", 0)
    if gone + fates.get("still_expected", 0) > line.expected:
        raise RefusedError(f"{line.sku}: {line.expected} units are missing, and {sum(fates.values())} were named")
    return {"lost": fates.get("lost", 0), "back_to_source": fates.get("back_to_source", 0)}


def differences(status: str, lines: Sequence[Line]) -> list[Difference]:
    """All differences so far; units count as under once the transfer is closed short."""
    found = []
    for line in lines:
        under = line.shipped - line.received if status == "closed_short" else 0
        kinds = (("under", under), ("over", line.over), ("mis_shipped", line.mis_shipped))
        found += [Difference(line.sku, kind, units) for kind, units in kinds if units]
    return found
