"""doctor: look at everything that can be wrong, and say what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import typer

from hub.cli.edge import PROBLEMS
from hub.cli.output import AsJson, print_json, print_table
from hub.cli.session import opened, require_keys, runtime_of, settings
from hub.engine.lease import TICKS
from hub.flows import operate
from hub.flows.runtime import Runtime
from hub.store import connections, invariants, leases, ledger, lots, reservations
from hub.store.database import Tx
from hub.store.sealing import WrongKeyError
from hub.store.views import connections as connection_views
from hub.store.views import doors, health

Verdict = Literal["ok", "warn", "fail"]
MOST_LOST = 1_000  # reservations without an owner that are counted
SLOW = timedelta(minutes=5)  # a row that waits longer than this shows that nobody works
STUCK = timedelta(hours=1)
BAD_WORDS = {"needs sign-in", "misconfigured", "unavailable"}
UNEASY_WORDS = {"late", "error", "held back"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    check: str
    verdict: Verdict
    found: str
    to_do: str = ""


Check = Callable[[Runtime, Tx], Iterator[Finding]]


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(as_json: AsJson = False) -> None:
    """Look at database, keys, books, queues, connections, plugins and processes. Exit code 1 when something fails."""
    found = settings()
    with opened(found) as db:
        require_keys(found, db)
        hub = runtime_of(found, db)
        findings = [Finding("database", "ok", f"{db.writer.dialect.name}, schema is current")]
        with db.read() as tx:
            for check in CHECKS:
                findings += check(hub, tx)
    if as_json:
        print_json({"rows": findings, "ok": all(one.verdict != "fail" for one in findings)})
    else:
        print_table(
            ("Check", "", "Found", "What to do"),
            ((one.check, one.verdict, one.found, one.to_do) for one in findings),
            empty="",
        )
    if any(one.verdict == "fail" for one in findings):
        raise typer.Exit(PROBLEMS)


def _keys(hub: Runtime, tx: Tx) -> Iterator[Finding]:
    known = connections.every(tx)
    shut = []
    for row in known:
        try:
            connections.read_secrets(tx, hub.keyring, row.id)
        except WrongKeyError as error:
            shut.append(f"{row.name}: {error}")
    if shut:
        to_do = "Put the old key behind the current one in ORDERHUB_KEYS or the key file."
        yield Finding("keys", "fail", "; ".join(shut), to_do)
    else:
        yield Finding("keys", "ok", f"the secrets of {len(known)} connections open")


def _books(_: Runtime, tx: Tx) -> Iterator[Finding]:
    wrong = ledger.differences(tx)
    if wrong:
        found = f"{len(wrong)} stock figures differ from the sum of their moves"
        yield Finding(
            "stock ledger", "fail", found, "Something wrote past the ledger: count these positions and report it."
        )
    else:
        yield Finding("stock ledger", "ok", "every position is the sum of its moves")
    if by_lot := lots.differences(tx):
        found = f"{len(by_lot)} articles have other units on hand than in lots or serial numbers"
        yield Finding("lots", "warn", found, "Count them by lot: orderhub lot audit")
    yield from _kept_for(tx)
    lost = reservations.without_owner(tx, MOST_LOST)
    if lost:
        found = f"{len(lost)} reservations have no owner any more"
        yield Finding("reservations", "warn", found, "The next audit lets them go: orderhub stock audit")
    else:
        yield Finding("reservations", "ok", "every reservation has its owner")
    short = health.oversold(tx)
    if short:
        yield Finding("oversold", "warn", f"{short} units are promised that are not there", "orderhub stock oversold")


def _kept_for(tx: Tx) -> Iterator[Finding]:
    """What the database's own rules cannot hold: two sides of different tables."""
    leaks, wrong = invariants.owners(tx), invariants.counters(tx)
    if leaks:
        states = ", ".join(sorted({one["state"] for one in leaks}))
        found = f"{len(leaks)} stock figures ({states}) are not what orders, reservations and purchases hold"
        yield Finding("kept units", "fail", found, "See which: orderhub stock audit")
    else:
        yield Finding("kept units", "ok", "committed, reserved and incoming units all belong to something")
    if wrong:
        found = f"{len(wrong)} figures of orders differ from their fulfillment orders or packages"
        yield Finding("orders", "fail", found, "See which: orderhub stock audit")
    else:
        yield Finding("orders", "ok", "what was routed and shipped adds up")


def _queues(hub: Runtime, tx: Tx) -> Iterator[Finding]:
    now = hub.clock()
    waits = health.oldest_waiting(tx, now)
    for name, since in (("inbox", waits.inbox), ("outbox", waits.outbox), ("stock figures", waits.stock)):
        yield _waiting(name, since, now)
    parked = doors.inbox_counts(tx).get("dead", 0)
    sent = doors.outbox_counts(tx)
    if parked:
        yield Finding(
            "parked", "warn", f"{parked} rows of the inbox wait for a person", "orderhub inbox list --status dead"
        )
    for status, words in (
        ("dead", "given up"),
        ("rejected", "refused"),
        ("unknown", "of unknown outcome"),
        ("held", "held back"),
    ):
        if sent.get(status):
            to_do = f"orderhub outbox list --status {status}"
            yield Finding("messages", "warn", f"{sent[status]} messages are {words}", to_do)


def _waiting(name: str, since: datetime | None, now: datetime) -> Finding:
    if since is None:
        return Finding(name, "ok", "nothing waits")
    age = now - since
    minutes = int(age.total_seconds() // 60)
    if age < SLOW:
        return Finding(name, "ok", "what waits came just now")
    verdict: Verdict = "fail" if age > STUCK else "warn"
    return Finding(
        name, verdict, f"the oldest row is due for {minutes} minutes", "See whether the hub runs: orderhub serve."
    )


def _connections(hub: Runtime, tx: Tx) -> Iterator[Finding]:
    for one in connection_views.every(tx, hub.clock(), operate.intervals(hub)):
        name, reason = f"connection {one.row.name}", one.row.status_reason or one.row.last_error
        if one.word in BAD_WORDS:
            yield Finding(name, "fail", f"{one.word}: {reason}", f"orderhub connection check {one.row.name!r}")
        elif one.word in UNEASY_WORDS:
            yield Finding(
                name,
                "warn",
                f"{one.word}: {reason or 'its streams were not read in time'}",
                f"orderhub connection show {one.row.name!r}",
            )
        elif one.row.warning:
            yield Finding(name, "warn", one.row.warning, f"orderhub connection check {one.row.name!r}")
        else:
            yield Finding(name, "ok", one.word)


def _plugins(hub: Runtime, tx: Tx) -> Iterator[Finding]:
    used = {row.plugin for row in connections.every(tx)}
    for one in hub.registry.broken:
        verdict: Verdict = "fail" if one.name in used else "warn"
        yield Finding(f"plugin {one.name}", verdict, one.reason, f"Repair or remove the package {one.dist}.")
    missing = used - {one.name for one in hub.registry.plugins} - {one.name for one in hub.registry.broken}
    for name in sorted(missing):
        yield Finding(f"plugin {name}", "fail", "a connection uses it and it is not installed", "Install its package.")
    if not hub.registry.broken and not missing:
        yield Finding("plugins", "ok", f"{len(hub.registry.plugins)} can be used")


def _packages(_: Runtime, __: Tx) -> Iterator[Finding]:
    """`connectors` and `mappings` are common names: another package may have taken their place."""
    homes = {}
    for name in ("hub", "connectors", "mappings"):
        spec = find_spec(name)
        places = list(spec.submodule_search_locations or ()) if spec else []
        homes[name] = str(Path(places[0]).parent) if places else "nowhere"
    if len(set(homes.values())) > 1:
        found = ", ".join(f"{name} from {home}" for name, home in homes.items())
        yield Finding("packages", "warn", found, "Install Orderhub into an environment of its own.")
    else:
        yield Finding("packages", "ok", "hub, connectors and mappings come from one place")


def _process(_: Runtime, tx: Tx) -> Iterator[Finding]:
    held = leases.get(tx, TICKS)
    if held is None or held.expires_at < leases.clock(tx):
        yield Finding(
            "processes", "warn", "nothing works on this database", "Start `orderhub serve`, or web and worker."
        )
    else:
        yield Finding("processes", "ok", f"{held.holder.partition('@')[0]} works")


CHECKS: tuple[Check, ...] = (_keys, _books, _queues, _connections, _plugins, _packages, _process)
