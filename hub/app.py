"""The hub, put together from its settings."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

from hub.engine.doors import open_door
from hub.engine.local import LocalEngine
from hub.flows.runtime import Runtime
from hub.flows.strategies import Adviser, adviser
from hub.plugins import entry_checks, rankers, registry, strategies
from hub.sdk.network import networks, session
from hub.settings import Settings
from hub.store.database import Database, open_database
from hub.store.quotas import SharedLimiter
from hub.store.sealing import Keyring, new_key


def load_keyring(settings: Settings) -> Keyring:
    """The keys from the settings or the key file; a new file, readable by its owner alone, at the very first start.

    Raises ValueError when a key is malformed.
    """
    if settings.keys:
        return Keyring.parse(settings.keys)
    path = Path(settings.keys_file)
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new_key("k1") + "\n")
    return Keyring.parse(path.read_text().replace("\n", ","))


def build_runtime(settings: Settings, db: Database, wake: Callable[[str], None]) -> Runtime:
    """What the steps need, from the settings."""
    return Runtime(
        db=db,
        keyring=load_keyring(settings),
        registry=registry(),
        wake=wake,
        networks=networks(settings.allow_networks.split(",")),
        ca_bundle=settings.ca_bundle or None,
        rankers=rankers(),
        strategies=strategies(),
        adviser=_adviser(settings, db),
        entry_checks=entry_checks(),
        sending_time=timedelta(seconds=settings.sending_s),
        unknown_quiet=timedelta(seconds=settings.unknown_quiet_s),
        listed_after=timedelta(seconds=settings.listed_after_s),
        public_url=settings.public_url,
        rehearsal_valid=timedelta(hours=settings.rehearsal_hours),
        quota_factor=settings.quota_factor,
    )


def _adviser(settings: Settings, db: Database) -> Adviser | None:
    """Who decides outside, where an address is set."""
    if not settings.routing_url:
        return None
    return adviser(
        settings.routing_url,
        session(networks(settings.allow_networks.split(","))),
        SharedLimiter(db, "routing", "routing"),
        token=settings.routing_token,
        time_limit_s=settings.routing_time_limit_s,
        ca_bundle=settings.ca_bundle or None,
    )


@dataclass(frozen=True, slots=True)
class Hub:
    """A runtime with the engine that answers its wake-ups in this process."""

    settings: Settings
    runtime: Runtime
    engine: LocalEngine


def build_hub(settings: Settings, db: Database | None = None) -> Hub:
    """The hub of a single process; the engine is not started."""
    database = db or open_database(settings.database)
    doorbell: list[LocalEngine] = []

    def wake(door: str) -> None:
        doorbell[0].wake(door)

    runtime = build_runtime(settings, database, wake)
    engine = LocalEngine(partial(open_door, runtime), settings.workers, settings.callers)
    doorbell.append(engine)
    return Hub(settings, runtime, engine)
