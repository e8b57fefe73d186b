"""Entry checks: what must be right before an order may be routed.

Each check is a plug-in of the group `hub.entry_checks`: an `EntryCheck` whose function looks at the order's document
and at the facts beside it, and gives a reason for every hold. It reads nothing else and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from hub.domain.documents import Fee, Order, OrderLine, ShippingCharge
from hub.domain.holds import BLOCKS, RELEASE, ROUTING
from hub.domain.keys import fitting
from hub.domain.money import to_decimal, to_minor

PAID_ENOUGH = frozenset({"paid", "authorized", "partially_refunded", "terms", "unknown"})
SOURCE = "entry"  # of the holds that checks make
HANDLE_CHARS = 80
TWIN_HANDLE = "twin:"  # how the handles begin that name an order's twin
TWIN_MINUTES = 10  # between two orders that may be one, unless a connection says otherwise


@dataclass(frozen=True, slots=True)
class HoldReason:
    """Why an order waits. `kind` is what people filter by.

    `handle` names the finding with the facts it rests on: it is one hold however often it is found, and once a person
    has released it, it comes back only when the facts, and so the handle, are others. `line` is the channel's id of the
    line that waits; "" is the whole order.
    """

    kind: str
    reason: str
    handle: str
    blocks: str = "routing"
    line: str = ""


@dataclass(frozen=True, slots=True)
class Twin:
    """Another order that looks the same and was here first."""

    order_id: str
    number: str
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Facts:
    """What a check may know beside the document."""

    unmapped: tuple[str, ...] = ()  # titles or SKUs of lines that are no article of ours
    twins: tuple[Twin, ...] = ()  # orders of the same e-mail address, total and lines that came shortly before
    placed: frozenset[str] = frozenset()  # ids of lines with units that have their place and have not left
    settings: Mapping[str, Any] = field(default_factory=dict)  # of this check, for the order's connection


Find = Callable[[Order, Facts], Iterable[HoldReason]]


@dataclass(frozen=True, slots=True)
class EntryCheck:
    """A check. `settings` are flat JSON Schema properties with their defaults; `on` is whether it runs unasked."""

    about: str
    find: Find
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on: bool = True

    def defaults(self) -> dict[str, Any]:
        return {name: rule["default"] for name, rule in self.settings.items() if "default" in rule}


def computed_total_minor(order: Order) -> int:
    """The order's total from its parts, in minor units of its currency."""
    total = sum(line.total_minor for line in order.lines)
    total += sum(charge.amount_minor for charge in order.shipping)
    total += sum(fee.amount_minor for fee in order.fees)
    return total if order.totals.taxes_included else total + added_tax_minor(order)


def added_tax_minor(order: Order) -> int:
    """All taxes on lines, shipping and fees."""
    taxed: tuple[OrderLine | ShippingCharge | Fee, ...] = (*order.lines, *order.shipping, *order.fees)
    return sum(tax.amount_minor for part in taxed for tax in part.taxes)


def findings(
    order: Order, facts: Facts, checks: Mapping[str, EntryCheck], chosen: Mapping[str, Any]
) -> list[HoldReason]:
    """Everything that keeps `order` from being routed.

    `chosen` are the connection's settings by check: {"on": …} and the check's own. An order that the channel itself
    keeps back is incomplete, so it waits for the channel alone. A check that fails is a finding of its own, since
    nobody knows what it would have found.
    """
    if order.status == "pending" and _is_on("pending", checks, chosen):
        checks = {name: check for name, check in checks.items() if name in {"pending", "channel", "unmapped"}}
    found: list[HoldReason] = []
    for name, check in checks.items():
        if not _is_on(name, checks, chosen):
            continue
        settings = check.defaults() | {key: value for key, value in chosen.get(name, {}).items() if key != "on"}
        try:
            found += _clipped(check.find(order, Facts(facts.unmapped, facts.twins, facts.placed, settings)))
        except Exception as error:  # noqa: BLE001 - a check may raise anything, and must not park the order
            words = f"{type(error).__name__}: {error}"
            said = f"The check {name} failed and nobody knows what it would have found. {words}"
            found.append(HoldReason("check_failed", said, fitting(f"check_failed:{name}:{words}", HANDLE_CHARS)))
    return found


def _is_on(name: str, checks: Mapping[str, EntryCheck], chosen: Mapping[str, Any]) -> bool:
    return name in checks and bool(chosen.get(name, {}).get("on", checks[name].on))


def _clipped(found: Iterable[HoldReason]) -> list[HoldReason]:
    found = list(found)
    wrong = next((one.blocks for one in found if one.blocks not in BLOCKS), None)
    if wrong is not None:
        raise ValueError(f"a hold cannot block {wrong!r}, only {', '.join(BLOCKS)}")
    return [replace(one, kind=one.kind[:32], handle=fitting(one.handle, HANDLE_CHARS)) for one in found]


def find_unmapped(_order: Order, facts: Facts) -> Iterable[HoldReason]:
    for name in facts.unmapped:
        reason = f"{name} is not linked to an article of ours: link it, and the order goes on by itself."
        yield HoldReason("unmapped", reason, f"unmapped:{name}")


def find_pending(order: Order, _facts: Facts) -> Iterable[HoldReason]:
    if order.status == "pending":
        yield HoldReason("pending", "The channel has not released the order yet.", "pending")


def find_channel(order: Order, facts: Facts) -> Iterable[HoldReason]:
    """What the channel keeps back: all of the order, or the lines that it names.

    What has a place already is not handed over; what has none gets none.
    """
    goods = {line.external_id for index, line in enumerate(order.lines) if ships_by_us(order, index) and line.quantity}
    for held in order.holds:
        said = f" until {held.until:%Y-%m-%d %H:%M} UTC" if held.until else ""
        reason = f"The channel keeps it back{said}: {held.reason}"
        ends = f":{held.until:%Y%m%dT%H%M}" if held.until else ""
        whole = not held.lines or goods <= set(held.lines)
        for line in [""] if whole else sorted(goods.intersection(held.lines)):
            handle = f"channel:{held.external_id}{ends}:{line}"
            yield HoldReason("channel", reason, handle, _before_work(facts, line), line)


def _before_work(facts: Facts, line: str = "") -> str:
    """What to stop so that nobody begins to work on the order, or on a line of it."""
    return RELEASE if (line in facts.placed if line else facts.placed) else ROUTING


def find_unpaid(order: Order, _facts: Facts) -> Iterable[HoldReason]:
    if order.payment_status not in PAID_ENOUGH:
        said = order.payment_status.replace("_", " ")
        yield HoldReason("unpaid", f"The channel says {said}.", f"unpaid:{order.payment_status}")


def find_totals_mismatch(order: Order, facts: Facts) -> Iterable[HoldReason]:
    stated, computed = order.totals.total_minor, computed_total_minor(order)
    if abs(stated - computed) > facts.settings.get("tolerance_minor", 0):
        said, summed = (to_decimal(minor, order.currency) for minor in (stated, computed))
        reason = f"The channel states {said} {order.currency} and the parts add up to {summed}."
        yield HoldReason("totals_mismatch", reason, f"totals_mismatch:{stated - computed}")


def find_address(order: Order, _facts: Facts) -> Iterable[HoldReason]:
    if not needs_address(order):
        return
    seen = hashlib.sha256(repr(order.shipping_address).encode()).hexdigest()[:16]
    if "shipping_address" in order.withheld:
        said = "The channel may not tell us the whole delivery address: its connection says what it lacks."
        yield HoldReason("address", said, f"address:{seen}")
    elif not has_address(order):
        yield HoldReason("address", "There is no complete delivery address.", f"address:{seen}")


def find_risk(order: Order, facts: Facts) -> Iterable[HoldReason]:
    """The channel's own verdict, and its score where it states one as a number."""
    if order.risk is None:
        return
    limit, score = facts.settings.get("score"), _number(order.risk.score)
    facts_of = f"risk:{order.risk.level}:{order.risk.score or ''}"
    if order.risk.level == "high":
        yield HoldReason("risk", "The channel rates the risk of fraud as high.", facts_of, _before_work(facts))
    elif limit is not None and score is not None and score >= Decimal(str(limit)):
        said = f"The channel's fraud score is {score}, and {limit} or more is held."
        yield HoldReason("risk", said, facts_of, _before_work(facts))


def find_twin(order: Order, facts: Facts) -> Iterable[HoldReason]:
    """Somebody may have pressed the button twice. Nothing is deleted: a person decides."""
    span = timedelta(minutes=facts.settings.get("minutes", TWIN_MINUTES))
    for twin in facts.twins:
        if abs(order.placed_at - twin.placed_at) <= span:
            said = f"{twin.number} of the same customer has the same lines and the same total. Cancel one, or release."
            yield HoldReason("twin", said, f"{TWIN_HANDLE}{twin.order_id}")


def find_value(order: Order, facts: Facts) -> Iterable[HoldReason]:
    limit = str(facts.settings.get("limit") or "")
    if not limit:
        return
    most = to_minor(limit, order.currency)
    if order.totals.total_minor > most:
        said = f"{to_decimal(order.totals.total_minor, order.currency)} {order.currency} is more than {limit}."
        yield HoldReason("value", said, f"value:{order.totals.total_minor}")


def _number(text: str | None) -> Decimal | None:
    try:
        number = Decimal(text or "")
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


PENDING = EntryCheck("The channel keeps the order back itself.", find_pending)
CHANNEL = EntryCheck("The channel holds the order or a part of it.", find_channel)
UNPAID = EntryCheck("The order is not paid, and not on terms either.", find_unpaid)
UNMAPPED = EntryCheck("A line is not linked to an article.", find_unmapped)
TOTALS_MISMATCH = EntryCheck(
    "The channel's total is not the sum of the parts.",
    find_totals_mismatch,
    {
        "tolerance_minor": {
            "type": "integer",
            "minimum": 0,
            "default": 0,
            "title": "Difference that is let pass",
            "description": "In the smallest unit of the order's currency, such as cents.",
        }
    },
)
ADDRESS = EntryCheck(
    "Goods are to be shipped and the address is not complete, or the channel may not tell us all of it.", find_address
)
RISK = EntryCheck(
    "The channel warns of fraud.",
    find_risk,
    {
        "score": {
            "type": "number",
            "title": "Score from which orders are held",
            "description": "On the channel's own scale. Left blank, only the verdict “high” holds an order.",
        }
    },
)
TWIN = EntryCheck(
    "An order with the same e-mail address, lines and total came shortly before.",
    find_twin,
    {
        "minutes": {
            "type": "integer",
            "minimum": 1,
            "maximum": 1440,
            "default": TWIN_MINUTES,
            "title": "Minutes between the two",
            "description": "Orders placed further apart are two orders.",
        }
    },
)
VALUE = EntryCheck(
    "The order is worth more than a limit.",
    find_value,
    {
        "limit": {
            "type": "string",
            "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$",
            "title": "Limit",
            "description": "An amount in the order's currency, such as 500.00. Left blank, there is none.",
        }
    },
)

# In the order in which people read their findings.
BUILT_IN_CHECKS: Mapping[str, EntryCheck] = {
    "unmapped": UNMAPPED,
    "pending": PENDING,
    "channel": CHANNEL,
    "unpaid": UNPAID,
    "totals_mismatch": TOTALS_MISMATCH,
    "address": ADDRESS,
    "risk": RISK,
    "twin": TWIN,
    "value": VALUE,
}


def signature(document: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    """What was bought, in a form that two orders can be compared by: SKU (or listing, or title) and quantity."""
    return tuple(
        sorted(
            (line.get("sku") or line.get("external_variant_id") or line.get("title") or "", line["quantity"])
            for line in document["lines"]
        )
    )


def ships_by_us(order: Order, line_index: int) -> bool:
    """Whether the hub has to ship this line: not for downloads, gift cards and what the channel ships itself."""
    line = order.lines[line_index]
    return line.requires_shipping and order.fulfilled_by == "merchant" and line.fulfilled_by == "merchant"


def needs_address(order: Order) -> bool:
    return order.delivery_method == "ship" and any(ships_by_us(order, i) for i in range(len(order.lines)))


def has_address(order: Order) -> bool:
    address = order.shipping_address
    return address is not None and bool(address.country and (address.line1 or address.city or address.postal_code))
