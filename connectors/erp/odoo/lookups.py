"""What a document in Odoo refers to: currency, pricelist, products and taxes, each kind read in one call."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from connectors.erp.odoo.client import Odoo
from connectors.erp.odoo.settings import PRODUCT_SETTINGS
from connectors.erp.odoo.translate import link_id, mapped_taxes, rate_key
from hub.domain.ledgers import Posting
from hub.domain.money import exponent
from hub.sdk import errors


@dataclass(frozen=True, slots=True)
class Money:
    """The document's currency in Odoo; `pricelist` is 0 when the company has none in it and needs none."""

    currency: int
    pricelist: int


def money(odoo: Odoo, config: Mapping[str, Any], code: str) -> Money:
    """The currency and a pricelist in it, which is how a sales order gets its currency.

    Raises Rejected when Odoo lacks the currency, has it switched off, rounds it otherwise, or has no pricelist in it.
    """
    found = odoo.search_read(
        "res.currency", [["name", "=", code]], ["name", "active", "decimal_places"], with_archived=True
    )
    if not found or not found[0]["active"]:
        raise errors.Rejected(f"the currency {code} is not active in Odoo", field="currency")
    currency = found[0]
    if currency["decimal_places"] != exponent(code):
        raise errors.Rejected(f"Odoo rounds {code} to {currency['decimal_places']} decimals", field="currency")
    chosen = int(config.get("pricelists", {}).get(code, 0))
    domain: list[Any] = [["currency_id", "=", currency["id"]]]
    if chosen:
        domain.append(["id", "=", chosen])
    lists = odoo.search_read("product.pricelist", domain, ["currency_id"], limit=1)
    if lists:
        return Money(int(currency["id"]), int(lists[0]["id"]))
    if chosen:
        raise errors.ConfigInvalid(f"pricelist {chosen} does not exist or is not in {code}", "pricelists")
    if company_currency(odoo, config) != currency["id"]:
        raise errors.Rejected(f"Odoo has no pricelist in {code}", field="currency")
    return Money(int(currency["id"]), 0)


def company_currency(odoo: Odoo, config: Mapping[str, Any]) -> int:
    """Id of the currency of the company that is posted to."""
    domain = [["id", "=", config["company"]]] if config.get("company") else []
    found = odoo.search_read("res.company", domain, ["currency_id"], limit=1)
    if not found:
        raise errors.ConfigInvalid("Odoo has no company of that id", "company")
    return link_id(found[0]["currency_id"])


def service_codes(config: Mapping[str, Any], kinds: Collection[str]) -> dict[str, str]:
    """Internal references of the service products for kinds of lines. Raises ConfigInvalid for one not filled in."""
    for kind in sorted(kinds):
        setting = PRODUCT_SETTINGS[kind]
        if not config.get(setting):
            raise errors.ConfigInvalid(f"a document has a {kind} line, but no {kind} product is set", setting)
    return {kind: str(config[PRODUCT_SETTINGS[kind]]) for kind in kinds}


def products(odoo: Odoo, config: Mapping[str, Any], skus: Collection[str], kinds: Collection[str]) -> dict[str, int]:
    """Product ids by internal reference, of articles and of service products, in one call.

    Raises Rejected naming every SKU that Odoo does not know or has twice, ConfigInvalid for a service product.
    """
    services = service_codes(config, kinds)
    codes = sorted({*skus, *services.values()})
    found: dict[str, list[int]] = {}
    for row in odoo.search_read("product.product", [["default_code", "in", codes]], ["default_code"]):
        found.setdefault(str(row["default_code"]), []).append(int(row["id"]))
    for kind, code in services.items():
        if len(found.get(code, ())) != 1:
            raise errors.ConfigInvalid(f"Odoo has no single product {code!r}", PRODUCT_SETTINGS[kind])
    unknown = [sku for sku in sorted(skus) if sku not in found]
    if unknown:
        raise errors.Rejected(f"Odoo has no product for {', '.join(unknown)}", "unknown_sku", "sku")
    double = [sku for sku in sorted(skus) if len(found[sku]) > 1]
    if double:
        raise errors.Rejected(f"Odoo has several products for {', '.join(double)}", "ambiguous_sku", "sku")
    return {code: ids[0] for code, ids in found.items()}


def taxes(odoo: Odoo, config: Mapping[str, Any], posting: Posting) -> dict[str, int]:
    """Odoo's tax ids by rate for the taxes of a posting, under the policy "mapped"; empty under "line".

    Raises Rejected for a rate that the map does not name, ConfigInvalid when the map names a tax that computes
    something else.
    """
    if config.get("tax_policy", "line") != "mapped":
        return {}
    included = posting.taxes_included
    wanted = {rate_key(tax, included=included): tax for tax in mapped_taxes(posting.lines)}
    chosen = {str(rate): int(one) for rate, one in config.get("tax_map", {}).items()}
    chosen = {_normal(rate): one for rate, one in chosen.items()}
    unknown = [rate for rate, tax in sorted(wanted.items()) if rate not in chosen or not tax.rate]
    if unknown:
        raise errors.Rejected(f"the tax map has no entry for {', '.join(unknown)}", "unknown_tax", "taxes")
    if not wanted:
        return {}
    ids = sorted({chosen[rate] for rate in wanted})
    fields = ["amount", "amount_type", "price_include", "type_tax_use"]
    found = {int(row["id"]): row for row in odoo.search_read("account.tax", [["id", "in", ids]], fields)}
    for rate in wanted:
        row = found.get(chosen[rate])
        percent = Decimal(rate.partition(" ")[0]) * 100
        if row is None or row["type_tax_use"] != "sale" or row["amount_type"] != "percent":
            raise errors.ConfigInvalid(f"{rate}: {chosen[rate]} is not an active sales tax in percent", "tax_map")
        if Decimal(repr(row["amount"])) != percent or bool(row["price_include"]) != included:
            raise errors.ConfigInvalid(f"{rate}: Odoo's tax {chosen[rate]} computes otherwise", "tax_map")
    return {rate: chosen[rate] for rate in wanted}


def _normal(rate: str) -> str:
    number, _, rest = rate.partition(" ")
    return f"{Decimal(number).normalize():f}" + (f" {rest}" if rest else "")
