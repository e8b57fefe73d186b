"""A small world to test in: a hub on a fresh database, moved by hand instead of by threads."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from hub.engine.doors import due_doors, open_door
from hub.flows.facts import set_on_hand
from hub.flows.receive import Receipt, receive
from hub.flows.runtime import Runtime
from hub.flows.timed import run_timed
from hub.plugins import config_errors, registry, split_secrets, strategies
from hub.sdk import WebhookRequest
from hub.store import catalog, connections
from hub.store.database import Database, Tx, utcnow
from hub.store.ledger import StockBook
from hub.store.sealing import Keyring, new_key
from hub.store.tables import inbox, stock_position, variant
from hub.store.tables import location as location_table
from hub.testing.context import LOOPBACK


@dataclass(slots=True)
class World:
    """A hub and its clock. `run` does all due work, one door after another, until nothing is due."""

    db: Database
    runtime: Runtime = field(init=False)
    ahead: timedelta = timedelta(0)
    woken: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.runtime = Runtime(
            db=self.db,
            keyring=Keyring.parse(new_key("test")),
            registry=registry(),
            wake=self.woken.add,
            networks=LOOPBACK,
            clock=self.now,
            strategies=strategies(),
        )

    def now(self) -> datetime:
        return utcnow() + self.ahead

    def later(self, **span: float) -> None:
        """Move the clock ahead, as timedelta takes it."""
        self.ahead += timedelta(**span)

    def connect(self, plugin: str, name: str, settings: Mapping[str, Any], *, poll: bool = False) -> str:
        """A connection with these settings, plain and secret together; its id. `poll` lets its streams be read."""
        from hub.store import cursors  # noqa: PLC0415 - only polled worlds need it

        manifest = self.runtime.registry.get(plugin).manifest
        wrong = config_errors(manifest, settings)
        assert not wrong, wrong  # noqa: S101 - a mistake in the test
        config, secrets = split_secrets(manifest, settings)
        with self.db.begin() as tx:
            made = connections.add(
                tx,
                self.runtime.keyring,
                plugin=plugin,
                name=name,
                config=config,
                secrets=secrets,
                config_version=manifest.config_version,
            )
            if poll:
                cursors.ensure(tx, made, {one.name: self.now() for one in manifest.streams if one.polled})
        return made

    def location(self, code: str, country: str = "US", **values: Any) -> str:
        """A location; its id."""
        with self.db.begin() as tx:
            return catalog.add_location(tx, self.now(), code=code, country=country, **values)

    def stock(self, table: str) -> None:
        """Set stock from a table whose first line names the articles and whose others a location and units:

        location  MUG  TEE
        BER         2    0

        Articles are made as needed, locations must exist.
        """
        head, *rows = [line.split() for line in table.strip().splitlines()]
        with self.db.begin() as tx:
            ids = catalog.add_variants(tx, [{"sku": sku} for sku in head[1:]], self.now())
            book = StockBook.open(tx, set(ids.values()), self.now(), "test")
            for code, *units in rows:
                place = catalog.location_by_code(tx, code)
                for sku, count in zip(head[1:], units, strict=True):
                    key = f"{code}:{sku}:{self.now().isoformat()}"
                    set_on_hand(book, place.id, ids[sku], int(count), ("test", code), key=key, reason="test")
            book.flush()

    def deliver(self, connection_id: str, headers: Mapping[str, str], body: bytes) -> Receipt:
        """Hand a webhook to the door, as a platform would."""
        lower = {name.lower(): value for name, value in headers.items()}
        with self.db.read() as tx:
            token = connections.get(tx, connection_id).webhook_token
        return receive(self.runtime, connection_id, token, WebhookRequest("POST", body, lower))

    def run(self, rounds: int = 50) -> None:
        """Do everything that is due. Raises AssertionError when it does not end."""
        for _ in range(rounds):
            doors = sorted(set(due_doors(self.runtime)) | self.woken)
            self.woken.clear()
            if not doors:
                return
            for door in doors:
                open_door(self.runtime, door)
        raise AssertionError(f"still due after {rounds} rounds: {sorted(due_doors(self.runtime))}")

    def clock_strikes(self, when: str = "minute") -> None:
        """Do what is due by the clock alone ("minute" or "night"), and everything that follows from it."""
        run_timed(self.runtime, when)
        self.run()

    def read(self, question: Callable[[Tx], Any]) -> Any:
        """Ask the database something."""
        with self.db.read() as tx:
            return question(tx)

    def on_shelf(self) -> dict[str, dict[str, tuple[int, int, int]]]:
        """(on hand, available, committed) by location code and SKU; empty positions are left out."""
        query = (
            select(
                location_table.c.code,
                variant.c.sku,
                stock_position.c.on_hand,
                stock_position.c.available,
                stock_position.c.committed,
            )
            .join(stock_position, stock_position.c.location_id == location_table.c.id)
            .join(variant, variant.c.id == stock_position.c.variant_id)
        )
        shelf: dict[str, dict[str, tuple[int, int, int]]] = {}
        for code, sku, *units in self.read(lambda tx: tx.execute(query).all()):
            if any(units):
                shelf.setdefault(code, {})[sku] = (units[0], units[1], units[2])
        return shelf

    def inbox_outcomes(self) -> dict[str, int]:
        """How many inbox rows ended how ("dead" for parked ones)."""
        found: dict[str, int] = {}
        for status, outcome in self.read(lambda tx: tx.execute(select(inbox.c.status, inbox.c.outcome)).all()):
            name = outcome if status == "done" else status
            found[name] = found.get(name, 0) + 1
        return found
