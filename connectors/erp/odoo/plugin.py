"""The class behind the entry point: what Odoo can do for the hub."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from connectors.erp.odoo import lookups
from connectors.erp.odoo.client import Odoo as Client
from connectors.erp.odoo.client import client
from connectors.erp.odoo.ledger import Ledger
from connectors.erp.odoo.settings import CONFIG_SCHEMA, PRODUCT_SETTINGS
from connectors.erp.odoo.sources import Sources
from hub.domain.ledgers import Posted, Posting
from hub.sdk import (
    ApiKey,
    CatalogSource,
    CheckResult,
    Connector,
    Context,
    Cursor,
    FindByReference,
    LedgerSink,
    LocationSource,
    Manifest,
    Page,
    Place,
    RateLimit,
    StockSource,
    Stream,
    Window,
    errors,
)


class Odoo(Connector, LedgerSink, FindByReference, StockSource, CatalogSource, LocationSource):
    """Odoo 14 and later."""

    manifest = Manifest(
        id="odoo",
        label="Odoo",
        version="1.0.0",
        owner="orderhub",
        docs_url="https://www.odoo.com/documentation/19.0/developer/reference/external_api.html",
        description="Posts sales orders and invoices to Odoo; reads stock figures and products from it.",
        category="erp",
        config_schema=CONFIG_SCHEMA,
        auth=ApiKey(header="Authorization", secret="api_key", prefix="bearer "),  # noqa: S106 - a property's name
        streams=(
            Stream("stock", "inventory", "erp/odoo/stock.yml", polled=True),
            Stream("items", "product", "erp/odoo/items.yml", polled=True, every=timedelta(hours=1)),
        ),
        rate_limits=(RateLimit("default", per_second=10, burst=40),),
        idempotency={"post": "lookup"},
        sandbox=True,
    )

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._odoo: Client = client(ctx)
        self._ledger = Ledger(self._odoo, ctx.config)
        self._sources = Sources(self._odoo, ctx.clock)

    def check(self) -> CheckResult:
        """Version, key, database, company and the service products, by reading."""
        try:
            return self._look()
        except errors.ConnectorError as error:
            at = "api_key" if isinstance(error, errors.AuthRejected) else getattr(error, "field", "")
            return CheckResult(ok=False, error=str(error), error_code=error.code, field=at)

    def post(self, posting: Posting, key: str) -> Posted:  # noqa: ARG002 - the reference, stored in Odoo, is the key
        return self._ledger.post(posting)

    def find(self, operation: str, reference: str) -> Posted | None:
        """The finished document with that reference; a draft counts as not made, since `post` finishes it."""
        return self._ledger.find(reference) if operation == "post" else None

    def stock(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        return self._sources.stock(window, cursor)

    def items(self, window: Window, cursor: Cursor | None) -> Iterator[Page]:
        return self._sources.items(window, cursor)

    def places(self) -> list[Place]:
        return self._sources.places()

    def _look(self) -> CheckResult:
        config = self.ctx.config
        major, minor = self._odoo.version()
        domain = [["id", "=", config["company"]]] if config.get("company") else []
        companies = self._odoo.search_read("res.company", domain, ["name"])
        if not companies:
            raise errors.ConfigInvalid("Odoo has no company of that id for this user", "company")
        if len(companies) > 1:
            names = ", ".join(f"{row['id']} {row['name']}" for row in companies)
            raise errors.ConfigInvalid(f"this user sees several companies, choose one: {names}", "company")
        lookups.products(self._odoo, config, (), [kind for kind, name in PRODUCT_SETTINGS.items() if config.get(name)])
        company = companies[0]
        account = f"{urlsplit(str(config['base_url'])).netloc}/{config['database']}/{company['id']}"
        return CheckResult(ok=True, unique_id=account, label=f"{company['name']} (Odoo {major}.{minor})")
