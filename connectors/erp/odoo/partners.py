"""The customer of a document: found by the channel's customer id or the e-mail, made once, addresses as children."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from connectors.erp.odoo.client import Odoo, Row
from connectors.erp.odoo.translate import customer_name, customer_ref, filled, like_exactly, link_id, street
from hub.domain.documents import Address
from hub.domain.ledgers import Posting
from hub.sdk import errors

ADDRESS_FIELDS = ("name", "street", "street2", "city", "zip", "country_id", "state_id")
FIELDS = ("ref", "email", "parent_id", *ADDRESS_FIELDS)


@dataclass(frozen=True, slots=True)
class Parties:
    """Ids of res.partner: who buys, where the invoice goes, where the goods go."""

    customer: int
    invoice: int
    delivery: int


@dataclass(frozen=True, slots=True)
class Places:
    """Countries by code, and states by (country id, code or name in lower case)."""

    countries: Mapping[str, int]
    states: Mapping[tuple[int, str], int]


def parties(odoo: Odoo, posting: Posting) -> Parties:
    """Find or make the partners of a document. Safe to repeat: what a lost answer has made is found again.

    Raises Rejected for a country that Odoo does not know.
    """
    places = places_of(odoo, (posting.bill_to, posting.ship_to))
    name = customer_name(posting.customer, posting.bill_to)
    bill_to, ship_to = (address_values(one, places, name) for one in (posting.bill_to, posting.ship_to))
    root, made = _customer(odoo, posting, bill_to)
    known = [root] if made else [root, *_children(odoo, int(root["id"]))]
    missing = _missing(known, bill_to, ship_to)
    if missing:
        values = [{**address, "type": kind, "parent_id": root["id"]} for kind, address in missing]
        ids = odoo.create("res.partner", values)
        known += [{"id": one, **address} for one, (_, address) in zip(ids, missing, strict=True)]
    return Parties(int(root["id"]), _fitting(known, bill_to), _fitting(known, ship_to))


def address_values(address: Address, places: Places, name: str) -> Row:
    """An address in Odoo's fields, empty ones left out; `name` stands in where the address has none."""
    country = places.countries.get(address.country or "", 0)
    region = (address.region or "").strip()
    state = places.states.get((country, region.lower().removeprefix(f"{(address.country or '').lower()}-")), 0)
    first, second = street(address, None if state else region or None)
    return filled(
        {
            "name": address.name or address.company or name,
            "street": first,
            "street2": second,
            "city": address.city,
            "zip": address.postal_code,
            "country_id": country or None,
            "state_id": state or None,
            "phone": address.phone,
            "company_name": address.company if address.name else None,
        }
    )


def places_of(odoo: Odoo, addresses: Collection[Address]) -> Places:
    """The countries and states of the addresses, in one call each."""
    codes = sorted({address.country for address in addresses if address.country})
    if not codes:
        return Places({}, {})
    found = odoo.search_read("res.country", [["code", "in", codes]], ["code"])
    countries = {row["code"]: int(row["id"]) for row in found}
    unknown = [code for code in codes if code not in countries]
    if unknown:
        raise errors.Rejected(f"Odoo does not know the country {', '.join(unknown)}", field="country")
    if not any(address.region for address in addresses):
        return Places(countries, {})
    domain = [["country_id", "in", sorted(countries.values())]]
    states: dict[tuple[int, str], int] = {}
    for row in odoo.search_read("res.country.state", domain, ["code", "name", "country_id"]):
        for name in (row["code"], row["name"]):
            states[link_id(row["country_id"]), str(name).lower()] = int(row["id"])
    return Places(countries, states)


def _customer(odoo: Odoo, posting: Posting, bill_to: Row) -> tuple[Row, bool]:
    """The customer's own partner, and whether it was made just now."""
    reference = customer_ref(posting)
    fits: list[object] = [["ref", "=", reference]]
    if posting.customer.email:
        fits = ["|", *fits, ["email", "=ilike", like_exactly(posting.customer.email.strip())]]
    found = odoo.search_read("res.partner", [["parent_id", "=", False], *fits], FIELDS)
    if found:
        return next((row for row in found if row["ref"] == reference), found[0]), False
    customer = posting.customer
    values = filled(
        {
            **bill_to,
            "name": customer_name(customer, posting.bill_to),
            "email": (customer.email or "").strip(),
            "phone": customer.phone or bill_to.get("phone"),
            "company_name": customer.company or bill_to.get("company_name"),
            "ref": reference,
        }
    )
    return {"id": odoo.create("res.partner", [values])[0], **values}, True


def _children(odoo: Odoo, customer: int) -> list[Row]:
    domain = [["parent_id", "=", customer], ["type", "in", ["invoice", "delivery", "other"]]]
    return odoo.search_read("res.partner", domain, FIELDS)


def _missing(known: Sequence[Row], bill_to: Row, ship_to: Row) -> list[tuple[str, Row]]:
    missing = []
    if not _fitting(known, bill_to):
        missing.append(("invoice", bill_to))
    if not _fitting(known, ship_to) and not _same(bill_to, ship_to):
        missing.append(("delivery", ship_to))
    return missing


def _fitting(known: Sequence[Row], address: Row) -> int:
    """The first partner with that address, or 0. An address that says nothing is the customer's own."""
    if not any(address.get(name) for name in ADDRESS_FIELDS if name != "name"):
        return int(known[0]["id"])
    return next((int(row["id"]) for row in known if _same(row, address)), 0)


def _same(one: Row, other: Row) -> bool:
    return all(_plain(one.get(name)) == _plain(other.get(name)) for name in ADDRESS_FIELDS)


def _plain(value: object) -> object:
    if isinstance(value, (list, tuple)):
        return value[0] if value else None
    return " ".join(value.split()).lower() if isinstance(value, str) else value or None
