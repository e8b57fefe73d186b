"""Amazon's marketplaces: where they are, in which currency they sell, and when their day ends.

Source: https://developer-docs.amazon.com/sp-api/docs/marketplace-ids, read 2026-11-22.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Region = Literal["na", "eu", "fe"]

HOSTS: dict[str, str] = {
    "na": "https://sellingpartnerapi-na.amazon.com",
    "eu": "https://sellingpartnerapi-eu.amazon.com",
    "fe": "https://sellingpartnerapi-fe.amazon.com",
}


@dataclass(frozen=True, slots=True)
class Marketplace:
    """`zone` is the IANA zone in which ship-by days are meant; `tax_on_top` is True where prices exclude tax."""

    country: str
    region: Region
    currency: str
    zone: str
    tax_on_top: bool = False


# Amazon runs its American and its Canadian selling day on Pacific time.
MARKETPLACES: dict[str, Marketplace] = {
    "ATVPDKIKX0DER": Marketplace("US", "na", "USD", "America/Los_Angeles", tax_on_top=True),
    "A2EUQ1WTGCTBG2": Marketplace("CA", "na", "CAD", "America/Los_Angeles", tax_on_top=True),
    "A1AM78C64UM0Y8": Marketplace("MX", "na", "MXN", "America/Mexico_City"),
    "A2Q3Y263D00KWC": Marketplace("BR", "na", "BRL", "America/Sao_Paulo"),
    "A28R8C7NBKEWEA": Marketplace("IE", "eu", "EUR", "Europe/Dublin"),
    "A1RKKUPIHCS9HS": Marketplace("ES", "eu", "EUR", "Europe/Madrid"),
    "A1F83G8C2ARO7P": Marketplace("GB", "eu", "GBP", "Europe/London"),
    "A13V1IB3VIYZZH": Marketplace("FR", "eu", "EUR", "Europe/Paris"),
    "AMEN7PMS3EDWL": Marketplace("BE", "eu", "EUR", "Europe/Brussels"),
    "A1805IZSGTT6HS": Marketplace("NL", "eu", "EUR", "Europe/Amsterdam"),
    "A1PA6795UKMFR9": Marketplace("DE", "eu", "EUR", "Europe/Berlin"),
    "APJ6JRA9NG5V4": Marketplace("IT", "eu", "EUR", "Europe/Rome"),
    "A2NODRKZP88ZB9": Marketplace("SE", "eu", "SEK", "Europe/Stockholm"),
    "AE08WJ6YKNBMC": Marketplace("ZA", "eu", "ZAR", "Africa/Johannesburg"),
    "A1C3SOZRARQ6R3": Marketplace("PL", "eu", "PLN", "Europe/Warsaw"),
    "ARBP9OOSHTCHU": Marketplace("EG", "eu", "EGP", "Africa/Cairo"),
    "A33AVAJ2PDY3EV": Marketplace("TR", "eu", "TRY", "Europe/Istanbul"),
    "A17E79C6D8DWNP": Marketplace("SA", "eu", "SAR", "Asia/Riyadh"),
    "A2VIGQ35RCS4UG": Marketplace("AE", "eu", "AED", "Asia/Dubai"),
    "A21TJRUUN4KGV": Marketplace("IN", "eu", "INR", "Asia/Kolkata"),
    "A19VAU5U5O7RUS": Marketplace("SG", "fe", "SGD", "Asia/Singapore"),
    "A39IBJ37TRP1C6": Marketplace("AU", "fe", "AUD", "Australia/Sydney"),
    "A1VC38T7YXB528": Marketplace("JP", "fe", "JPY", "Asia/Tokyo"),
}
