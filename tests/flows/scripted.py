"""A 3PL without a wire, for tests: it answers as it is told to, and remembers what it was asked and what it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from sqlalchemy import select

from connectors.shopify.sandbox import ShopifySandbox
from hub.domain.shipping import Cancelled, FulfillmentRequest, Submitted
from hub.engine.doors import due_doors, open_door
from hub.plugins import LoadedPlugin, Registry
from hub.sdk import CheckResult, Connector, FindByReference, FulfillmentTarget, Manifest, Page, errors
from hub.sdk.manifest import Idempotency
from hub.store import connections
from hub.store.connections import ConnectionRow
from hub.store.database import Database
from hub.store.tables import outbox
from hub.testing.world import World

SERVED = ExitStack()  # the shops that answer; closed after each test
ADDRESS = {"line1": "1 Dock Street", "city": "Newark", "postal_code": "07101", "country": "US"}


class House(Connector, FulfillmentTarget, FindByReference):
    """What it is to answer next stands in `says`, by what it is asked; when nothing does, it does what it is asked.

    An OutcomeUnknown takes effect before it is raised, every other error does not. A function is called for its answer.
    """

    manifest = Manifest(
        id="house",
        label="House",
        version="1.0.0",
        owner="tests",
        docs_url="https://example.com/docs",
        config_schema={"type": "object", "properties": {}},
        category="threepl",
        idempotency={"submit": "lookup", "cancel": "lookup"},
    )
    says: ClassVar[dict[str, list[Any]]] = {}
    asked: ClassVar[list[tuple[str, str]]] = []  # (what, reference or key)
    took: ClassVar[dict[str, str]] = {}  # references by what an order is known by: its key, or its running number

    def check(self) -> CheckResult:
        return CheckResult(ok=True)

    def submit(self, request: FulfillmentRequest, key: str) -> Submitted:
        answer = self._next("submit", request.number)
        if not isinstance(answer, Exception) or isinstance(answer, errors.OutcomeUnknown):
            known = self.manifest.idempotency["submit"] == "native"
            self.took[key if known else f"order {len(self.took) + 1}"] = request.number
        if isinstance(answer, Exception):
            raise answer
        return Submitted(f"R-{request.number}", accepted=True) if answer is None else answer

    def cancel(self, ref: str, reason: str, key: str) -> Cancelled:  # noqa: ARG002 - it asks for no reason
        answer = self._next("cancel", key)
        if isinstance(answer, Exception):
            raise answer
        return Cancelled(accepted=True) if answer is None else answer

    def find(self, operation: str, reference: str) -> Submitted | None:
        answer = self._next("find", reference)
        if isinstance(answer, Exception):
            raise answer
        is_there = operation == "submit" and reference in self.took.values()
        return Submitted(f"R-{reference}", accepted=True) if answer is None and is_there else None

    def updates(self, window: Any, cursor: Any) -> Iterator[Page]:  # noqa: ARG002 - nothing to tell
        yield from ()

    def _next(self, what: str, named: str) -> Any:
        self.asked.append((what, named))
        waiting = self.says.get(what, [])
        answer = waiting.pop(0) if waiting else None
        return answer() if callable(answer) else answer


NOTHING = "nothing"  # what `find` says of a thing that it does not list yet


@dataclass
class Warehouse:
    """A hub with a shop and one place, EAST, whose goods the house ships."""

    world: World
    shop: ShopifySandbox = field(default_factory=ShopifySandbox)
    shop_id: str = ""
    id: str = ""
    plugin: type[House] = House

    def buy(self, *lines: tuple[str, int]) -> None:
        """An order placed, asked for and routed; nothing of it has left."""
        self.tell("orders/create", self.shop.place_order(list(lines)))

    def tell(self, topic: str, order: object) -> None:
        """A webhook of the shop, taken in."""
        assert self.world.deliver(self.shop_id, *self.shop.webhook(topic, order)).status == 200
        for kind in ("inbox", "ask", "inbox"):
            self.open(kind)

    def open(self, kind: str) -> None:
        """Open the doors of one kind that have mail."""
        for door in sorted(due_doors(self.world.runtime)):
            if door.startswith(kind):
                open_door(self.world.runtime, door)

    def deliver(self) -> None:
        """Send and look up what is due at the house."""
        open_door(self.world.runtime, f"outbox:{self.id}")

    def rows(self, *columns: str) -> list[tuple[Any, ...]]:
        """These columns of the house's outbox, oldest first."""
        query = select(*(outbox.c[name] for name in columns)).where(outbox.c.connection_id == self.id)
        return [tuple(row) for row in self.world.read(lambda tx: tx.execute(query.order_by(outbox.c.id)).all())]

    @property
    def connection(self) -> ConnectionRow:
        return self.world.read(lambda tx: connections.get(tx, self.id))

    def made(self) -> list[str]:
        """What it was asked to make or find, in order."""
        return [what for what, _ in self.plugin.asked]


def warehouse(db: Database, protected: Mapping[str, Idempotency] | None = None) -> Warehouse:
    """Such a hub; `protected` says what keeps each operation from being done twice."""
    world = World(db)
    manifest = replace(House.manifest, idempotency=dict(protected or House.manifest.idempotency))
    plugin: type[House] = type("House", (House,), {"manifest": manifest, "says": {}, "asked": [], "took": {}})
    loaded = LoadedPlugin("house", "tests", "1.0", plugin, manifest, ("FulfillmentTarget", "FindByReference"))
    known = world.runtime.registry
    world.runtime = replace(world.runtime, registry=Registry((*known.plugins, loaded), known.broken))
    made = Warehouse(world, plugin=plugin)
    shop = made.shop
    base = SERVED.enter_context(shop.serve())
    settings = {
        "shop": shop.shop, "access_token": shop.token, "webhook_secret": shop.webhook_secret, "base_url": base,
    }  # fmt: skip
    made.shop_id = world.connect("shopify", "Web shop", settings)
    made.id = world.connect("house", "House", {})
    world.location("EAST", handling="threepl", handler_id=made.id, kind="3pl", address=ADDRESS)
    world.stock("location MUG\nEAST 10")
    shop.add_product("MUG", "10.00", stock=0)
    return made
