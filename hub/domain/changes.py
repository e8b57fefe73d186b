"""Changes of an order after it came: what is asked, what it does to the order's document, and what it costs.

A channel's edit and a person's edit are the same thing here: a new document of the order. The channel states its own;
for a person it is made from what the order now says and what was asked. What lines, fulfillment orders and stock have
to follow is read from the difference, by the same functions for both.

Money follows the lines. What a line costs at another quantity is a function of that quantity and of the line as the
channel states it, so that the same units cost the same whichever way one came there: units are taken off one after the
other, each at its cumulative share (`nth_unit_share`), taxes and discounts with it, never at the list price.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from hub.domain.documents import Order
from hub.domain.entry import computed_total_minor
from hub.domain.money import to_decimal, to_minor

Json = dict[str, Any]

# From a state to those that may follow it. At most one change of an order is `requested` at a time.
STATES: Mapping[str, tuple[str, ...]] = {
    "requested": ("confirmed", "declined", "cancelled", "expired"),
    "confirmed": (),
    "declined": (),
    "cancelled": (),
    "expired": (),
}
MEANING: Mapping[str, str] = {
    "requested": "It was looked at and waits to be confirmed; one of an order at a time.",
    "confirmed": "It is done.",
    "declined": "Somebody said no to it.",
    "cancelled": "It was taken back.",
    "expired": "Nobody confirmed it in time.",
}
KINDS = ("edit", "cancel", "address", "method")
OURS = "hub:"  # how the ids of lines begin that were added here


@dataclass(frozen=True, slots=True)
class SetQuantity:
    """Have so many of a line, in the quantity that the order states; 0 takes it off. `line` is the channel's id."""

    line: str
    quantity: int


@dataclass(frozen=True, slots=True)
class AddLine:
    """Have an article that was not ordered. Prices are for one, in minor units of the order's currency."""

    line: str  # the id it gets, which begins with "hub:"
    sku: str
    quantity: int
    price_minor: int
    tax_minor: int = 0  # only where prices do not contain taxes
    title: str = ""


@dataclass(frozen=True, slots=True)
class ShipTo:
    """Send it to another address, as a canonical address."""

    address: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SetMethod:
    """Have it shipped, or have the customer collect it at a location of ours."""

    method: str
    location: str = ""  # code of the location where it is collected


@dataclass(frozen=True, slots=True)
class CancelOrder:
    """Cancel all that has not left."""

    reason: str = ""


Ask = SetQuantity | AddLine | ShipTo | SetMethod | CancelOrder
_ASKS: Mapping[str, type[Ask]] = {
    "set_quantity": SetQuantity,
    "add_line": AddLine,
    "ship_to": ShipTo,
    "set_method": SetMethod,
    "cancel": CancelOrder,
}


def to_json(asks: Iterable[Ask]) -> list[Json]:
    """Asks as they are stored."""
    names = {kind: name for name, kind in _ASKS.items()}
    return [{"do": names[type(ask)], **asdict(ask)} for ask in asks]


def from_json(rows: Iterable[Mapping[str, Any]]) -> list[Ask]:
    """Asks as they were stored. Raises ValueError for what is none."""
    found: list[Ask] = []
    for row in rows:
        values = {name: value for name, value in row.items() if name != "do"}
        try:
            found.append(_ASKS[row["do"]](**values))
        except (KeyError, TypeError) as error:
            raise ValueError(f"{dict(row)!r} is nothing that can be done to an order") from error
    return found


def kind_of(asks: Sequence[Ask]) -> str:
    """The one word for a change, by its weightiest ask."""
    if any(isinstance(ask, CancelOrder) for ask in asks):
        return "cancel"
    if any(isinstance(ask, SetQuantity | AddLine) for ask in asks):
        return "edit"
    return "address" if any(isinstance(ask, ShipTo) for ask in asks) else "method"


# --- documents ---------------------------------------------------------------------------------------------------


def after(current: Mapping[str, Any], channel: Mapping[str, Any], asks: Iterable[Ask], left: Mapping[str, int]) -> Json:
    """The document of the order once `asks` are done.

    `channel` is what the channel states, by which lines are priced; `left` is how many of a line have left already,
    which a cancellation cannot bring back. Raises ValueError, in words for people, for what makes no sense.
    """
    document: Json = {**current, "lines": [dict(line) for line in current["lines"]]}
    stated = {line["external_id"]: line for line in channel["lines"]}
    for ask in asks:
        match ask:
            case SetQuantity(line=key, quantity=quantity):
                _set_quantity(document, stated, key, quantity)
            case AddLine():
                document["lines"].append(_new_line(ask, document["currency"]))
            case ShipTo(address=address):
                document["shipping_address"] = dict(address)
            case SetMethod(method=method, location=location):
                document["delivery_method"] = method
                document.pop("pickup_location", None)
                if method == "pickup":
                    document["pickup_location"] = location
            case CancelOrder(reason=reason):
                document["status"] = "cancelled"
                document["cancel_reason"] = reason
                if any(left.values()):
                    _keep_left(document, stated, left)
    return document


def _keep_left(document: Json, stated: Mapping[str, Mapping[str, Any]], left: Mapping[str, int]) -> None:
    """Leave nothing on the lines but what has left.

    A line that nobody states anything of was taken off before: what has left of it costs nothing any more.
    """
    for line in list(document["lines"]):
        key = line["external_id"]
        if line["quantity"] or stated.get(key, line)["quantity"]:
            _set_quantity(document, stated, key, left.get(key, 0))


def _set_quantity(document: Json, stated: Mapping[str, Mapping[str, Any]], key: str, quantity: int) -> None:
    place = next((at for at, line in enumerate(document["lines"]) if line["external_id"] == key), None)
    if place is None:
        raise ValueError(f"the order has no line {key!r}")
    if quantity < 0:
        raise ValueError("there cannot be fewer than 0 of a line")
    line = document["lines"][place]
    basis = stated.get(key, line)
    if not basis["quantity"]:
        basis = line  # the channel has taken it off, and here it stayed
    if quantity and not basis["quantity"] and not key.startswith(OURS):
        raise ValueError(f"nobody states what {_name(line)} costs any more: add it as an article, with its price")
    document["lines"][place] = at_quantity(basis, quantity, document["currency"])


def _new_line(ask: AddLine, currency: str) -> Json:
    if ask.quantity < 1:
        raise ValueError(f"add 1 or more of {ask.sku}")
    if min(ask.price_minor, ask.tax_minor) < 0:
        raise ValueError(f"{ask.sku} cannot cost less than nothing")
    line: Json = {"external_id": ask.line, "sku": ask.sku, "quantity": 0, "total_minor": 0}
    line["unit_price"] = to_decimal(ask.price_minor, currency)
    line["taxes"] = [{"amount_minor": 0, "title": to_decimal(ask.tax_minor, currency)}] if ask.tax_minor else []
    line["title"] = ask.title or ask.sku
    return at_quantity(line, ask.quantity, currency)


def at_quantity(line: Mapping[str, Any], quantity: int, currency: str) -> Json:
    """A line with another quantity and all its amounts.

    `line` is as the channel states it. Of a line that was added here every unit costs its price. Otherwise the first
    units taken off are worth `nth_unit_share` 1, 2, …, so that all of them are worth the line; and units beyond those
    stated cost what a stated one costs.
    """
    if line["external_id"].startswith(OURS):
        taxes = [{**tax, "amount_minor": to_minor(tax["title"], currency) * quantity} for tax in line.get("taxes", ())]
        total = to_minor(line["unit_price"], currency) * quantity
        return {**line, "quantity": quantity, "total_minor": total, "taxes": taxes}
    of = line["quantity"]

    def share(amount: int) -> int:
        return rest(amount, of, quantity)

    scaled: Json = {**line, "quantity": quantity, "total_minor": share(line["total_minor"])}
    if "subtotal_minor" in line:
        scaled["subtotal_minor"] = share(line["subtotal_minor"])
    for name in ("discounts", "taxes"):
        if name in line:
            scaled[name] = [{**one, "amount_minor": share(one["amount_minor"])} for one in line[name]]
    return scaled


def rest(amount: int, of: int, quantity: int) -> int:
    """What `quantity` units cost where `of` units cost `amount`: the whole less the cumulative shares of those taken
    off, as `nth_unit_share` gives them.
    """
    if amount < 0:
        return -rest(-amount, of, quantity)
    if of == 0:
        return 0
    return amount * quantity // of if quantity > of else amount - amount * (of - quantity) // of


def merged(before: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> tuple[Json, list[str]]:
    """The channel's new document with what was changed here kept, and where the two contradict each other.

    `before` is what the channel stated last, `ours` the order as it stood. What only one side has changed is taken
    from that side; what both changed to the same is agreed on; what they changed to different things stays as it is
    here, and is said.
    """
    document: Json = dict(theirs)
    said: list[str] = []
    for name, words in _ONE_VALUE:
        value, clash = _one_of_three(before.get(name), ours.get(name), theirs.get(name))
        if clash:
            said.append(f"another {words}")
        document.pop(name, None)
        if value is not None:
            document[name] = value
    if ours["status"] == "cancelled" != before["status"] and theirs["status"] == before["status"]:
        document["status"] = "cancelled"
    document["lines"] = list(_merged_lines(before, ours, theirs, said))
    return document, said


_ONE_VALUE = (
    ("shipping_address", "address"),
    ("delivery_method", "way of delivery"),
    ("pickup_location", "place of collection"),
)


def _one_of_three(before: Any, ours: Any, theirs: Any) -> tuple[Any, bool]:
    if ours in (before, theirs):
        return theirs, False
    return ours, theirs != before


def _merged_lines(
    before: Mapping[str, Any], ours: Mapping[str, Any], theirs: Mapping[str, Any], said: list[str]
) -> Iterable[Json]:
    stated = {line["external_id"]: line for line in before["lines"]}
    here = {line["external_id"]: line for line in ours["lines"]}
    there = {line["external_id"]: line for line in theirs["lines"]}
    for key, line in there.items():
        old, own = stated.get(key, line)["quantity"], here.get(key, line)["quantity"]
        quantity, clash = _one_of_three(old, own, line["quantity"]) if key in here and key in stated else (own, False)
        if key not in here:
            quantity = line["quantity"]
        if clash:
            said.append(f"{line['quantity']} x {_name(line)} instead of our {quantity}")
        basis = line if line["quantity"] else here.get(key, line)
        yield at_quantity(basis, quantity, theirs["currency"]) if quantity != line["quantity"] else dict(line)
    for key, line in here.items():
        if key in there:
            continue
        if key.startswith(OURS):
            yield dict(line)
        elif line["quantity"] != stated.get(key, line)["quantity"] and line["quantity"] > 0:
            said.append(f"{_name(line)} taken off instead of our {line['quantity']}")
            yield dict(line)


def _name(line: Mapping[str, Any]) -> str:
    return str(line.get("sku") or line.get("title") or line["external_id"])


def costed(document: Mapping[str, Any], channel: Mapping[str, Any], left: Mapping[str, int]) -> Json:
    """The document with nothing on the lines of a cancelled order but what has left."""
    if document["status"] != "cancelled":
        return dict(document)
    found: Json = {**document, "lines": [dict(line) for line in document["lines"]]}
    stated = {line["external_id"]: line for line in channel["lines"]}
    _keep_left(found, stated, left)
    return found


def between(before: Mapping[str, Any], document: Mapping[str, Any]) -> list[Ask]:
    """What leads from one document of an order to another."""
    if document["status"] == "cancelled" != before["status"]:
        return [CancelOrder(document.get("cancel_reason") or "")]
    found: list[Ask] = []
    old = {line["external_id"]: line for line in before["lines"]}
    new = {line["external_id"]: line for line in document["lines"]}
    for key in dict.fromkeys([*old, *new]):
        quantity = new[key]["quantity"] if key in new else 0
        if key not in old or old[key]["quantity"] != quantity:
            found.append(SetQuantity(key, quantity))
    if before.get("shipping_address") != document.get("shipping_address"):
        found.append(ShipTo(document.get("shipping_address") or {}))
    if _method(before) != _method(document):
        found.append(SetMethod(*_method(document)))
    return found


def with_totals(document: Json, before_minor: int, after_minor: int) -> Json:
    """The document with its total moved by what the parts moved. Sums that are not known any more are left out."""
    if before_minor == after_minor:
        return document
    unknown = ("subtotal_minor", "discount_minor", "tax_minor")
    totals = {name: value for name, value in document["totals"].items() if name not in unknown}
    return {**document, "totals": {**totals, "total_minor": totals["total_minor"] + after_minor - before_minor}}


def differences(channel: Order, order: Order) -> list[str]:
    """What the channel still says otherwise than the order here, in words."""
    found: list[str] = []
    if order.status == "cancelled" != channel.status:
        found.append(f"the order is {channel.status}")
    stated = {line.external_id: line for line in channel.lines}
    for line in order.lines:
        name, there = line.sku or line.title or line.external_id, stated.get(line.external_id)
        if there is None and line.quantity:
            found.append(f"no {name}")
        elif there is not None and there.quantity != line.quantity:
            found.append(f"{there.quantity} x {name}")
    if channel.shipping_address != order.shipping_address:
        found.append("the former address")
    if (channel.delivery_method, channel.pickup_location) != (order.delivery_method, order.pickup_location):
        found.append(f"delivery: {delivery(channel)}")
    return found


def delivery(order: Order) -> str:
    """How the order reaches the customer, with the place where it is collected."""
    where = f" at {order.pickup_location}" if order.pickup_location else ""
    return f"{order.delivery_method}{where}"


def _method(document: Mapping[str, Any]) -> tuple[str, str]:
    return (document.get("delivery_method", "ship"), document.get("pickup_location") or "")


# --- lines -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LineNow:
    """An order line as it stands, in units of our article."""

    id: str
    external_id: str
    name: str
    ordered: int
    cancelled: int
    routed: int
    shipped: int

    @property
    def wanted(self) -> int:
        return self.ordered - self.cancelled


@dataclass(frozen=True, slots=True)
class LineStep:
    """A line whose units change, to `after`. Of `fewer` units, `loose` ones have no place yet and `placed` ones have to
    come back from the place that was to ship them.
    """

    line: LineNow
    after: int

    @property
    def more(self) -> int:
        return max(0, self.after - self.line.wanted)

    @property
    def fewer(self) -> int:
        return max(0, self.line.wanted - self.after)

    @property
    def loose(self) -> int:
        return min(self.fewer, self.line.wanted - self.line.routed)

    @property
    def placed(self) -> int:
        return self.fewer - self.loose


def steps(lines: Iterable[LineNow], wanted: Mapping[str, int]) -> list[LineStep]:
    """The lines that change. `wanted` are units by the channel's line id; a line that is not in it is taken off.

    What has left stays, whatever is wanted of it.
    """
    found = (LineStep(line, max(line.shipped, wanted.get(line.external_id, 0))) for line in lines)
    return [step for step in found if step.after != step.line.wanted]


def gone(lines: Iterable[LineNow], before: Mapping[str, int], wanted: Mapping[str, int]) -> list[tuple[LineNow, int]]:
    """Units that are to be taken off and have left already, by line. Those that left unwanted count as lost before."""
    found = []
    for line in lines:
        stays = min(line.shipped, before.get(line.external_id, 0)) - wanted.get(line.external_id, 0)
        if stays > 0:
            found.append((line, stays))
    return found


# --- money -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MoneyChange:
    """What a change does to an order's money, in minor units. `paid_minor` is None where nobody knows what was paid.

    `refund_minor` and `collect_minor` are what the change makes due: goods that were added and never paid cost nothing
    to take off again.
    """

    currency: str
    before_minor: int
    after_minor: int
    paid_minor: int | None
    refund_minor: int
    collect_minor: int

    @property
    def delta_minor(self) -> int:
        return self.after_minor - self.before_minor


def money(channel: Order, before: Order, wanted: Order) -> MoneyChange:
    """The money of a change from `before` to `wanted`. What was paid is what the channel says of its own order."""
    first, last, paid = due_minor(before), due_minor(wanted), paid_minor(channel)
    if paid is None:
        return MoneyChange(before.currency, first, last, None, 0, 0)
    refund = max(0, paid - last) - max(0, paid - first)
    collect = max(0, last - paid) - max(0, first - paid)
    return MoneyChange(before.currency, first, last, paid, max(0, refund), max(0, collect))


def due_minor(order: Order) -> int:
    """What the order costs; nothing when none of it is left."""
    if order.status == "cancelled" and not any(line.quantity for line in order.lines):
        return 0
    return computed_total_minor(order)


def paid_minor(order: Order) -> int | None:
    """What the customer has paid or a bank has promised; None where the channel does not say."""
    refunded = order.totals.refunded_minor or 0
    match order.payment_status:
        case "paid" | "authorized" | "partially_refunded":
            return order.totals.total_minor - refunded
        case "unpaid" | "voided" | "refunded":
            return 0
    done = [one for one in order.payments if one.status == "succeeded" and one.kind in _PAYS]
    return sum(_PAYS[one.kind] * one.amount_minor for one in done) if done else None


_PAYS = {"capture": 1, "sale": 1, "refund": -1}


# --- looking first -----------------------------------------------------------------------------------------------


def moved(seen: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What has changed since somebody looked, in words; both map the name of a part to how it stands."""
    found = [f"{name} is new: {now[name]}" for name in now if name not in seen]
    found += [
        f"{name}: {seen[name]} before, {now[name]} now" for name in seen if now.get(name, seen[name]) != seen[name]
    ]
    return found + [f"{name} is gone" for name in seen if name not in now]
