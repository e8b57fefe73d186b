"""The town: the sandboxes of everybody whom the hub deals with, and a hub that is connected to all of them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from hub.demo.house import House
from hub.demo.post import Post
from hub.demo.wares import ARTICLES, AT_3PL, COUNTED, NORTH, SOLD_BY_CHANNEL, WEST, Article
from hub.flows import operate
from hub.flows.operate import ImportRow
from hub.plugins.discovery import find, load
from hub.store import catalog

SANDBOXES = "hub.sandboxes"
ME = "demo"
GERMANY = "A1PA6795UKMFR9"  # Amazon's id of its German marketplace
CARRIER_SECRET = "only-for-the-demo-on-loopback"  # noqa: S105 - the carrier here is a stand-in
AT_ONCE = 8  # webhooks on their way at the same time


class TownError(Exception):
    """The town could not be set up as the story needs it."""


@dataclass(slots=True)
class Town:
    """Everybody, by role. The sandboxes are found by entry point, so their types are not known here.

    `ids` are the hub's connections by role.
    """

    house: House
    shop: Any
    market: Any
    threepl: Any
    carrier: Any
    erp: Any
    post: Post = field(default_factory=Post)
    ids: dict[str, str] = field(default_factory=dict)

    # What the shop's platform does.

    def tell(self, topic: str, thing: Any, event_id: str | None = None) -> list[int]:
        """The shop sends a webhook to everybody who subscribed to its topic; gives the answers."""
        return self.hand_over(topic, *self.shop.webhook(topic, thing, event_id))

    def hand_over(self, topic: str, headers: Mapping[str, str], body: bytes) -> list[int]:
        """Deliver a webhook that was written before, to everybody who subscribed to its topic."""
        name = topic.upper().replace("/", "_")
        urls = [hook["uri"] for hook in self.shop.api.hooks if hook["topic"] == name]
        if not urls:
            raise TownError(f"nobody subscribed to {topic}")
        return [self.post.send(url, headers, body) for url in urls]

    def tell_all(self, deliveries: Sequence[tuple[str, Any]]) -> None:
        """Send many webhooks at once. Raises TownError when one is refused."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            answers = list(pool.map(lambda one: self.tell(*one), deliveries))
        refused = [status for one in answers for status in one if status != 200]
        if refused:
            raise TownError(f"the hub answered {refused} to good webhooks")

    # What the carrier's platform does.

    def scan(self, tracking_code: str, status: str) -> None:
        """A parcel is scanned, and everybody who registered hears of it."""
        self.carrier.advance(tracking_code, status)
        self.repeat_scan(tracking_code)

    def repeat_scan(self, tracking_code: str) -> None:
        """The carrier tells again how the parcel stands."""
        for hook in self.carrier.webhooks.values():
            body, headers = self.carrier.delivery(hook["url"], tracking_code)
            if self.post.send(hook["url"], headers, body) != 200:
                raise TownError(f"the hub refused the news of {tracking_code}")

    # What people do at the hub.

    def poll(self, role: str) -> None:
        """Have the hub read a connection now, and wait until it has."""
        began = time.time()
        operate.sync_now(self.house.runtime, self.ids[role], person=ME)
        self.house.wait_for_poll(self.ids[role], began)

    def count_stock(self, code: str, units: Mapping[str, int], reason: str) -> None:
        """Book counted units at one of our own locations."""
        rows = [ImportRow(number, sku, code, count) for number, (sku, count) in enumerate(units.items(), start=1)]
        results = operate.import_stock(self.house.runtime, rows, person=ME, reason=reason)
        wrong = [one.message for one in results if one.status == "error"]
        if wrong:
            raise TownError("; ".join(wrong))


@contextmanager
def open_town(house: House) -> Iterator[Town]:
    """Open every sandbox and connect the hub to it; close them at the end."""
    with ExitStack() as stack:
        made = {role: _sandbox(name, **settings) for role, (name, settings) in _ROLES.items()}
        for one in made.values():
            stack.enter_context(one.serve())
        town = Town(house, **made)
        _furnish(town)
        _connect(town)
        _lay_out(town)
        yield town


_ROLES: dict[str, tuple[str, dict[str, Any]]] = {
    "shop": ("shopify", {}),
    "market": ("amazon", {"marketplace": GERMANY}),
    "threepl": ("shiphero", {}),
    "carrier": ("easypost", {}),
    "erp": ("odoo", {}),
}


def _sandbox(name: str, **settings: Any) -> Any:
    """A plugin's sandbox by its entry point; the hub knows no connector by import."""
    found, _ = find(SANDBOXES)
    try:
        return load(next(one for one in found if one.name == name))(**settings)
    except StopIteration as error:
        raise TownError(f"no package installed here offers a sandbox for {name}") from error


def _furnish(town: Town) -> None:
    """Put the articles on sale, on the 3PL's shelves and into the ERP's catalogue, as somebody did before the hub."""
    for article in ARTICLES:
        town.shop.add_product(article.sku, article.price, title=article.title, grams=article.weight_g)
        town.market.add_listing(article.sku, article.title, price=article.price)
        town.erp.add_product(article.sku, article.title)
    for sku, title in SOLD_BY_CHANNEL.items():
        town.market.add_listing(sku, title, price="12.00", quantity=40, by_amazon=True)
        town.erp.add_product(sku, title)
    for sku, units in AT_3PL.items():
        town.threepl.add_product(sku, on_hand=units)


def _connect(town: Town) -> None:
    """Connect every account, as a person does in the console, and have the webhooks set up."""
    runtime = town.house.runtime
    with runtime.db.begin() as tx:
        catalog.add_variants(tx, [_master_data(article) for article in ARTICLES if article.known], runtime.clock())
    for role, (label, settings) in _accounts(town).items():
        plugin = _ROLES[role][0]
        town.ids[role] = operate.add_connection(runtime, plugin, label, settings, person=ME).id
    for role in ("shop", "threepl", "carrier"):
        operate.provision_webhooks(runtime, town.ids[role], town.house.url, person=ME)


def _accounts(town: Town) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name and settings of every connection, as a person would fill in the forms."""
    shop, threepl, carrier = town.shop, town.threepl, town.carrier
    return {
        "shop": (
            "Web shop",
            {
                "shop": shop.shop,
                "access_token": shop.token,
                "webhook_secret": shop.webhook_secret,
                "base_url": shop.url,
            },
        ),
        "market": ("Amazon Germany", {**town.market.settings(), "region": "eu"}),
        "threepl": (
            "ShipHero",
            {"shop_name": "demo", "refresh_token": threepl.refresh_token, "base_url": threepl.url},
        ),
        "carrier": (
            "EasyPost",
            {
                "api_key": carrier.api_key,
                "webhook_secret": CARRIER_SECRET,
                "customs_signer": "Dana Example",
                "base_url": carrier.url,
            },
        ),
        "erp": ("Odoo", town.erp.settings()),
    }


def _master_data(article: Article) -> dict[str, Any]:
    return {
        "sku": article.sku,
        "title": article.title,
        "weight_g": article.weight_g,
        "hs_code": article.hs_code,
        "origin_country": "DE",
    }


def _lay_out(town: Town) -> None:
    """Make the three locations and say whose they are; the stock of two is counted, that of the 3PL is its own news."""
    runtime = town.house.runtime
    place = operate.places(runtime, town.ids["threepl"])[0]
    operate.add_location(
        runtime,
        "EAST",
        person=ME,
        name="3PL, New Jersey",
        kind="3pl",
        country="US",
        rank=100,
        handling="threepl",
        handler=town.ids["threepl"],
        warehouse=place.external_id,
    )
    for code, name, rank, address in (
        ("WEST", "Our warehouse, California", 200, WEST),
        ("NORTH", "Our warehouse, Hamburg", 300, NORTH),
    ):
        operate.add_location(
            runtime,
            code,
            person=ME,
            name=name,
            country=address["country"],
            rank=rank,
            address=address,
            handling="label",
            handler=town.ids["carrier"],
        )
    shop_place = operate.places(runtime, town.ids["shop"])[0]
    operate.link_places(runtime, town.ids["shop"], {shop_place.external_id: "EAST"}, person=ME)
    for code, units in COUNTED.items():
        town.count_stock(code, units, "first count")
    for role in ("threepl", "shop", "market"):
        town.poll(role)
    town.house.settle()
