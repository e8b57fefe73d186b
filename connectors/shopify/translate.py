"""What the field maps of Shopify cannot say by themselves. Pure; every function is called with (value, env)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from html.parser import HTMLParser
from typing import Any, Protocol

from connectors.shopify.amounts import Books, DiscountShare, LineFacts, OrderFacts, TaxShare, books
from connectors.shopify.facts import decimal_text, instant, numeric_id, order_facts, revision_of
from hub.domain.money import to_decimal, to_minor

_GRAMS = {
    "GRAMS": Decimal(1),
    "KILOGRAMS": Decimal(1000),
    "OUNCES": Decimal("28.349523125"),
    "POUNDS": Decimal("453.59237"),
}
_RISK = ("none", "low", "medium", "high")
_METHODS = {"PICK_UP": "pickup", "RETAIL": "pickup", "LOCAL": "local", "NONE": "none"}
_PARTS = {"shippingAddress": "shipping_address", "billingAddress": "billing_address"}  # the rest is of the customer
_SPARED = {"phone", "latitude", "longitude"}  # an address is one without them
_OWN_SERVICES = {"manual", "gift_card"}


class Env(Protocol):
    """Where the field map stands: the whole record, the record around the current one, and the current one."""

    @property
    def root(self) -> Any: ...
    @property
    def parent(self) -> Any: ...
    @property
    def this(self) -> Any: ...


class _Reckoning:
    """An order's facts and books. Many fields of one order ask for them one after another: the last stays at hand.

    The order itself is kept with them, so that it is known by identity; the pair is exchanged in one step, so that
    threads only ever recompute.
    """

    def __init__(self) -> None:
        self._last: tuple[Any, OrderFacts, Books, dict[str, LineFacts]] | None = None

    def of(self, order: Mapping[str, Any]) -> tuple[OrderFacts, Books, dict[str, LineFacts]]:
        last = self._last
        if last is None or last[0] is not order:
            facts = order_facts(order)
            made = books(facts)
            last = (order, facts, made, {line.external_id: line for line in made.lines})
            self._last = last
        return last[1:]


_reckoning = _Reckoning()


def _books(env: Env) -> Books:
    return _reckoning.of(env.root)[1]


def _line(value: Any, env: Env) -> LineFacts:
    return _reckoning.of(env.root)[2][numeric_id(value.get("id"))]


def id_(value: Any, env: Env) -> str:  # noqa: ARG001 - the engine's calling convention
    """The numeric id as text, out of a global id or a number."""
    return numeric_id(value)


def unit_price(value: Any, env: Env) -> str:
    """The price of one unit with all places of the currency; GraphQL leaves zeros out which REST states."""
    order = env.root
    currency = str(order.get("currencyCode") or order.get("currency"))
    try:
        return to_decimal(to_minor(decimal_text(value), currency), currency)
    except ValueError:
        return decimal_text(value)  # a price finer than the currency's smallest unit


def line_quantity(value: Any, env: Env) -> int:
    return _line(value, env).wanted


def line_subtotal_minor(value: Any, env: Env) -> int:
    return _line(value, env).subtotal


def line_total_minor(value: Any, env: Env) -> int:
    return _line(value, env).total


def line_discounts(value: Any, env: Env) -> list[dict[str, Any]]:
    return [_discount(share) for share in _line(value, env).discounts if share.amount]


def line_taxes(value: Any, env: Env) -> list[dict[str, Any]]:
    return _taxes(_line(value, env).taxes, env)


def shipping(value: Any, env: Env) -> list[dict[str, Any]]:  # noqa: ARG001 - the engine's calling convention
    return [
        _filled(
            external_id=charge.external_id,
            title=charge.title,
            code=charge.code,
            carrier=charge.carrier,
            amount_minor=charge.amount,
            discounts=[_discount(share) for share in charge.discounts],
            taxes=_taxes(charge.taxes, env),
        )
        for charge in _books(env).shipping
    ]


def fees(value: Any, env: Env) -> list[dict[str, Any]]:  # noqa: ARG001 - the engine's calling convention
    return [
        _filled(kind=fee.kind, title=fee.title, amount_minor=fee.amount, taxes=_taxes(fee.taxes, env))
        for fee in _books(env).fees
    ]


def discounts(value: Any, env: Env) -> list[dict[str, Any]]:  # noqa: ARG001 - the engine's calling convention
    """Each discount of the order with all that it took off, in the order's own sequence."""
    found: dict[tuple[int, str, str], int] = {}
    for share in _books(env).discounts:
        name = (share.application or 0, share.code or "", share.title or "")
        found[name] = found.get(name, 0) + share.amount
    return [_filled(code=name[1], title=name[2], amount_minor=found[name]) for name in sorted(found)]


def total_minor(value: Any, env: Env) -> int:  # noqa: ARG001 - the engine's calling convention
    return _books(env).total


def subtotal_minor(value: Any, env: Env) -> int:  # noqa: ARG001 - the engine's calling convention
    return sum(line.total for line in _books(env).lines)


def discount_minor(value: Any, env: Env) -> int:  # noqa: ARG001 - the engine's calling convention
    return sum(share.amount for share in _books(env).discounts)


def shipping_minor(value: Any, env: Env) -> int:  # noqa: ARG001 - the engine's calling convention
    return sum(charge.amount for charge in _books(env).shipping)


def tax_minor(value: Any, env: Env) -> int:  # noqa: ARG001 - the engine's calling convention
    return _books(env).tax


def duty_minor(value: Any, env: Env) -> int | None:  # noqa: ARG001 - the engine's calling convention
    return _fee_minor("duty", env)


def fee_minor(value: Any, env: Env) -> int | None:  # noqa: ARG001 - the engine's calling convention
    return _fee_minor("fee", env)


def tip_minor(value: Any, env: Env) -> int | None:  # noqa: ARG001 - the engine's calling convention
    return _fee_minor("tip", env)


def refunded_minor(value: Any, env: Env) -> int | None:  # noqa: ARG001 - the engine's calling convention
    return _reckoning.of(env.root)[0].refunded


def properties(value: Any, env: Env) -> list[dict[str, str]]:  # noqa: ARG001 - the engine's calling convention
    """Free properties of an order or line, those with a leading underscore included; values become text."""
    named = [(str(one.get("name") or one.get("key") or ""), one.get("value")) for one in value]
    return [{"name": name, "value": "" if said is None else str(said)} for name, said in named if name]


def tags(value: Any, env: Env) -> list[str]:  # noqa: ARG001 - the engine's calling convention
    """Tags as a list; the REST shape has them in one text with commas."""
    listed = value.split(",") if isinstance(value, str) else value
    return [tag.strip() for tag in listed if tag.strip()]


def coordinate(value: Any, env: Env) -> float:  # noqa: ARG001 - the engine's calling convention
    """Degrees; old payloads have them as text."""
    return float(value)


def weight_g(value: Any, env: Env) -> int:  # noqa: ARG001 - the engine's calling convention
    """Whole grams of a weight with its unit."""
    if value.get("unit") not in _GRAMS:
        raise ValueError(f"{value.get('unit')!r} is not a unit of weight that Shopify has")
    grams = Decimal(decimal_text(value["value"])) * _GRAMS[value["unit"]]
    return int(grams.to_integral_value(ROUND_HALF_UP))


def service(value: Any, env: Env) -> str | None:  # noqa: ARG001 - the engine's calling convention
    """Another service that ships the line; None when the merchant does."""
    return None if value in _OWN_SERVICES else str(value)


def delivery_method(value: Any, env: Env) -> str:
    """How the goods reach the customer; `value` is the whole order, in either shape."""
    del value
    order = env.root
    lines = order["lineItems"]["nodes"] if "lineItems" in order else order.get("line_items") or ()
    if lines and not any(line.get("requiresShipping", line.get("requires_shipping", True)) for line in lines):
        return "none"
    methods = [(one.get("deliveryMethod") or {}).get("methodType") for one in _nodes(order.get("fulfillmentOrders"))]
    stated = [_METHODS.get(method, "ship") for method in methods if method]
    if stated:
        return stated[0]
    if order.get("retailLocation") or (order.get("source_name") == "pos" and order.get("location_id")):
        return "pickup"
    for charge in _nodes(order.get("shippingLines")) or order.get("shipping_lines") or ():
        words = " ".join(str(charge.get(name) or "") for name in ("delivery_category", "deliveryCategory", "code"))
        if "pick" in words.lower():
            return "pickup"
        if "local" in words.lower():
            return "local"
    return "ship"


def pickup_location(value: Any, env: Env) -> str | None:
    """The place where the customer takes the goods; REST payloads name it for sales in a store only."""
    if delivery_method(value, env) != "pickup":
        return None
    order = env.root
    for one in _nodes(order.get("fulfillmentOrders")):
        place = (one.get("assignedLocation") or {}).get("location") or {}
        if place.get("legacyResourceId"):
            return str(place["legacyResourceId"])
    retail = order.get("retailLocation") or {}
    place_id = retail.get("legacyResourceId") or order.get("location_id")
    return str(place_id) if place_id else None


def status(value: Any, env: Env) -> str:
    del value
    order = env.root
    if order.get("cancelledAt") or order.get("cancelled_at"):
        return "cancelled"
    return "closed" if order.get("closedAt") or order.get("closed_at") else "open"


def exchange_rate(value: Any, env: Env) -> dict[str, str] | None:
    """The customer's currency and its rate, out of the order's total in both currencies; None for one currency."""
    shop = value.get("shopMoney") or value.get("shop_money") or {}
    seen = value.get("presentmentMoney") or value.get("presentment_money") or {}
    currency = seen.get("currencyCode") or seen.get("currency_code")
    order = env.root
    own = order.get("currencyCode") or order.get("currency")
    if not currency or currency == own or not Decimal(shop.get("amount") or 0):
        return None
    rate = (Decimal(seen["amount"]) / Decimal(shop["amount"])).quantize(Decimal("1e-8"), ROUND_HALF_EVEN)
    return {"currency": currency, "rate": f"{rate:f}", "source": "the order's totals"}


def risk(value: Any, env: Env) -> dict[str, Any] | None:  # noqa: ARG001 - the engine's calling convention
    """The worst of all assessments, with what spoke against the order."""
    assessments = value.get("assessments") or ()
    levels = [str(one.get("riskLevel") or "").lower() for one in assessments]
    known = [level for level in levels if level in _RISK]
    if not known:
        return None
    facts = [fact for one in assessments for fact in one.get("facts") or ()]
    against = [fact["description"] for fact in facts if fact.get("sentiment") == "NEGATIVE"]
    return _filled(level=max(known, key=_RISK.index), reasons=against)


def gift_cards(value: Any, env: Env) -> list[dict[str, Any]]:
    """Gift cards that paid for the order, out of its transactions."""
    currency = str(env.root["currencyCode"])
    used = [
        one
        for one in value
        if one.get("gateway") == "gift_card"
        and one.get("status") == "SUCCESS"
        and one.get("kind") in {"SALE", "CAPTURE"}
    ]
    return [
        _filled(
            last_digits="".join(sign for sign in str(one.get("accountNumber") or "") if sign.isalnum())[-4:],
            amount_minor=to_minor(decimal_text(one["amountSet"]["shopMoney"]["amount"]), currency),
        )
        for one in used
    ]


def revision(value: Any, env: Env) -> str:
    del value
    return revision_of(env.root)


def holds(value: Any, env: Env) -> list[dict[str, Any]]:  # noqa: ARG001 - the engine's calling convention
    """What Shopify keeps back: each hold of a fulfillment order, and one that is scheduled for later."""
    found = []
    for work in value:
        lines = work.get("lineIds", [])
        if work["status"] == "SCHEDULED":
            until = instant(work["fulfillAt"]) if work.get("fulfillAt") else None
            said = "it is scheduled for later"
            found.append(_filled(external_id=numeric_id(work["id"]), reason=said, until=until, lines=lines))
        elif work["status"] == "ON_HOLD":
            reasons = work.get("fulfillmentHolds") or [{"id": work["id"]}]
            found += [_filled(external_id=numeric_id(one["id"]), reason=_why(one), lines=lines) for one in reasons]
    return found


def _why(hold: Mapping[str, Any]) -> str:
    said = [str(hold[name]) for name in ("displayReason", "reasonNotes") if hold.get(name)]
    return ": ".join(said) or "it is on hold"


def withheld(value: Any, env: Env) -> list[str]:  # noqa: ARG001 - the engine's calling convention
    """The document's parts of which Shopify kept back something that matters."""
    found = set()
    for name in value:
        whole, _, part = name.partition(".")
        if whole not in _PARTS or part not in _SPARED:
            found.add(_PARTS.get(whole, "customer"))
    return sorted(found)


def variant_options(value: Any, env: Env) -> list[dict[str, str]]:
    """The options of a variant in the REST shape, whose names stand at the product."""
    names = [str(option.get("name") or "") for option in env.root.get("options") or ()]
    values = [value.get(f"option{place}") for place in range(1, len(names) + 1)]
    return [{"name": name, "value": str(said)} for name, said in zip(names, values, strict=True) if name and said]


def plain_text(value: Any, env: Env) -> str:  # noqa: ARG001 - the engine's calling convention
    """The text of a description in HTML."""
    reader = _TextOfHtml()
    reader.feed(str(value))
    reader.close()
    return " ".join("".join(reader.parts).split())


def level_id(value: Any, env: Env) -> str:  # noqa: ARG001 - the engine's calling convention
    """A stock record has no id of its own in a webhook: item and location make one."""
    return f"{numeric_id(value['inventory_item_id'])}:{numeric_id(value['location_id'])}"


class _TextOfHtml(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []

    def handle_data(self, data: str) -> None:
        self.parts.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag in {"br", "p", "li", "div", "h1", "h2", "h3", "tr"}:
            self.parts.append(" ")


def _fee_minor(kind: str, env: Env) -> int | None:
    amounts = [fee.amount for fee in _books(env).fees if fee.kind == kind]
    return sum(amounts) if amounts else None


def _discount(share: DiscountShare) -> dict[str, Any]:
    return _filled(code=share.code, title=share.title, amount_minor=share.amount)


def _taxes(taxes: Iterable[TaxShare], env: Env) -> list[dict[str, Any]]:
    included = _books(env).taxes_included
    return [
        _filled(
            title=tax.title,
            rate=tax.rate,
            amount_minor=tax.amount,
            included=included,
            channel_liable=tax.channel_liable,
        )
        for tax in taxes
    ]


def _filled(**values: Any) -> dict[str, Any]:
    """A dict without what is empty; zero and false stay."""
    return {name: value for name, value in values.items() if value is not None and value not in ("", [])}


def _nodes(connection: Any) -> list[Any]:
    return (connection or {}).get("nodes") or []


TRANSFORMS: dict[str, Callable[..., Any]] = {
    "id": id_,
    "unit_price": unit_price,
    "line_quantity": line_quantity,
    "line_subtotal_minor": line_subtotal_minor,
    "line_total_minor": line_total_minor,
    "line_discounts": line_discounts,
    "line_taxes": line_taxes,
    "shipping": shipping,
    "fees": fees,
    "discounts": discounts,
    "total_minor": total_minor,
    "subtotal_minor": subtotal_minor,
    "discount_minor": discount_minor,
    "shipping_minor": shipping_minor,
    "tax_minor": tax_minor,
    "duty_minor": duty_minor,
    "fee_minor": fee_minor,
    "tip_minor": tip_minor,
    "refunded_minor": refunded_minor,
    "properties": properties,
    "tags": tags,
    "coordinate": coordinate,
    "weight_g": weight_g,
    "service": service,
    "delivery_method": delivery_method,
    "pickup_location": pickup_location,
    "status": status,
    "exchange_rate": exchange_rate,
    "risk": risk,
    "gift_cards": gift_cards,
    "revision": revision,
    "holds": holds,
    "withheld": withheld,
    "variant_options": variant_options,
    "plain_text": plain_text,
    "level_id": level_id,
}
"""Every function that a field map may name, as shopify.<name>."""
