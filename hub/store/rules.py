"""Routing rule sets by version, and their rehearsals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import Select, Update, func, insert, select, update

from hub import schemas
from hub.domain.routing.rules import DEFAULT, RuleSet, document, document_hash
from hub.store.database import Tx, new_id
from hub.store.tables import rehearsal, routing_rule_set

MOST_NAMED = 20  # versions that an error message names


class UnknownRulesError(LookupError):
    """There are no rules of this name, version or id."""


class UnknownRehearsalError(LookupError):
    """There is no rehearsal of this id."""


@dataclass(frozen=True, slots=True)
class Published:
    """The rules that count. `id` is None and `version` 0 for the built-in ones, until others are published."""

    id: str | None
    name: str
    version: int
    document_hash: str
    rules: RuleSet


@dataclass(frozen=True, slots=True)
class RuleSetRow:
    """One version of a rule set. The built-in one has the version 0 and no id."""

    id: str | None
    name: str
    version: int
    status: str  # draft, published, retired
    document: Mapping[str, Any]
    document_hash: str
    note: str
    rehearsal_id: str | None  # what it was published with
    created_by: str
    created_at: datetime | None
    published_at: datetime | None
    published_by: str | None

    @property
    def rules(self) -> RuleSet:
        return rules_of(self.document)

    @property
    def key(self) -> str:
        """How people name it, such as standard@3."""
        return f"{self.name}@{self.version}"


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A try of draft rules on past orders. `figures` and `differences` are None until it is done."""

    id: str
    draft_hash: str
    baseline_hash: str
    status: str  # running, done, failed
    orders: int  # how many are tried
    done: int  # how many have been
    figures: Mapping[str, Any] | None
    differences: Sequence[Mapping[str, Any]] | None
    error: str
    created_by: str
    created_at: datetime
    finished_at: datetime | None


BUILT_IN = Published(None, DEFAULT.name, 0, document_hash(DEFAULT), DEFAULT)
_BUILT_IN_ROW = RuleSetRow(
    None,
    DEFAULT.name,
    0,
    "published",
    document(DEFAULT),
    BUILT_IN.document_hash,
    "Built in.",
    None,
    "",
    None,
    None,
    None,
)
_RULES = [routing_rule_set.c[name] for name in RuleSetRow.__slots__]
_REHEARSAL = [rehearsal.c[name] for name in Rehearsal.__slots__]


def published(tx: Tx) -> Published:
    """The rules that count now: the published version, or the built-in ones."""
    row = tx.execute(select(routing_rule_set).where(routing_rule_set.c.status == "published")).first()
    if row is None:
        return BUILT_IN
    return Published(row.id, row.name, row.version, row.document_hash, rules_of(row.document))


def rules_of(document: Mapping[str, Any]) -> RuleSet:
    """The rule set that a stored document says."""
    return _parsed(orjson.dumps(document, option=orjson.OPT_SORT_KEYS))


@lru_cache(maxsize=32)
def _parsed(document: bytes) -> RuleSet:
    return schemas.structure(RuleSet, orjson.loads(document))


def versions(tx: Tx) -> list[RuleSetRow]:
    """All versions, the published one first and then the newest; the built-in rules while nothing is published."""
    query = select(*_RULES).order_by(
        (routing_rule_set.c.status == "published").desc(), routing_rule_set.c.created_at.desc(), routing_rule_set.c.id
    )
    rows = [RuleSetRow(*row) for row in tx.execute(query)]
    return rows if rows and rows[0].status == "published" else [_BUILT_IN_ROW, *rows]


def find(tx: Tx, key: str) -> RuleSetRow:
    """One version: by its id, by name@version, by name (the newest of it), or "published". Raises UnknownRulesError."""
    if key == "published":
        row = tx.execute(select(*_RULES).where(routing_rule_set.c.status == "published")).first()
        return _row(row) or _BUILT_IN_ROW
    name, at, version = key.rpartition("@")
    if at and version.isascii() and version.isdecimal() and len(version) < 9:
        query = _named(name).where(routing_rule_set.c.version == int(version))
    else:
        name, version = key, ""
        query = _named(key)
    found = _row(tx.execute(query.limit(1)).first()) or _row(
        tx.execute(select(*_RULES).where(routing_rule_set.c.id == key)).first()
    )
    if found is None and name == DEFAULT.name and version in ("", "0"):
        found = _built_in(tx)
    if found is None:
        known = ", ".join(one.key for one in versions(tx)[:MOST_NAMED])
        raise UnknownRulesError(f"there are no rules {key!r}; there are: {known}")
    return found


def _built_in(tx: Tx) -> RuleSetRow:
    """The built-in rules; retired as soon as others are published."""
    return _BUILT_IN_ROW if published(tx).id is None else replace(_BUILT_IN_ROW, status="retired")


def _named(name: str) -> Select[Any]:
    """Versions of a name, the newest first."""
    return select(*_RULES).where(routing_rule_set.c.name == name).order_by(routing_rule_set.c.version.desc())


def _row(row: Any) -> RuleSetRow | None:
    return None if row is None else RuleSetRow(*row)


def add_draft(tx: Tx, rules: RuleSet, note: str, person: str, now: datetime) -> str:
    """A new version of the rules' name, as a draft; its id. Raises IntegrityError when another was added just now."""
    newest = tx.execute(
        select(func.max(routing_rule_set.c.version)).where(routing_rule_set.c.name == rules.name)
    ).scalar()
    rules_id = new_id()
    tx.execute(
        insert(routing_rule_set).values(
            id=rules_id,
            name=rules.name,
            version=(newest or 0) + 1,
            document=document(rules),
            document_hash=document_hash(rules),
            note=note,
            created_by=person,
            created_at=now,
        )
    )
    return rules_id


def change_draft(tx: Tx, row: RuleSetRow, rules: RuleSet, note: str) -> bool:
    """Replace what a draft says; False when it is no draft any more, or has changed since `row` was read."""
    done = tx.execute(
        update(routing_rule_set)
        .where(
            routing_rule_set.c.id == row.id,
            routing_rule_set.c.status == "draft",
            routing_rule_set.c.document_hash == row.document_hash,
        )
        .values(document=document(rules), document_hash=document_hash(rules), note=note)
        .returning(routing_rule_set.c.id)
    )
    return done.first() is not None


def publish(tx: Tx, row: RuleSetRow, rehearsal_id: str, person: str, now: datetime) -> bool:
    """Let a version count instead of the one before; False when it has changed since `row` was read.

    Raises IntegrityError when another was published at the same moment.
    """
    tx.execute(update(routing_rule_set).where(routing_rule_set.c.status == "published").values(status="retired"))
    done = tx.execute(
        update(routing_rule_set)
        .where(routing_rule_set.c.id == row.id, routing_rule_set.c.document_hash == row.document_hash)
        .values(status="published", rehearsal_id=rehearsal_id, published_at=now, published_by=person)
        .returning(routing_rule_set.c.id)
    )
    return done.first() is not None


def add_rehearsal(tx: Tx, draft: RuleSet, baseline: RuleSet, orders: int, person: str, now: datetime) -> str:
    """A rehearsal to be run on the last `orders` orders; its id. Both rule sets are kept with it as they are now."""
    rehearsal_id = new_id()
    tx.execute(
        insert(rehearsal).values(
            id=rehearsal_id,
            draft_hash=document_hash(draft),
            baseline_hash=document_hash(baseline),
            orders=orders,
            documents={"draft": document(draft), "baseline": document(baseline)},
            created_by=person,
            created_at=now,
        )
    )
    return rehearsal_id


def get_rehearsal(tx: Tx, rehearsal_id: str) -> Rehearsal:
    """Raises UnknownRehearsalError."""
    row = tx.execute(select(*_REHEARSAL).where(rehearsal.c.id == rehearsal_id)).first()
    if row is None:
        raise UnknownRehearsalError(f"there is no rehearsal {rehearsal_id!r}")
    return Rehearsal(*row)


def rehearsals(tx: Tx, draft_hash: str, limit: int = 20) -> list[Rehearsal]:
    """Rehearsals of the rules with this hash, newest first."""
    query = select(*_REHEARSAL).where(rehearsal.c.draft_hash == draft_hash).order_by(rehearsal.c.created_at.desc())
    return [Rehearsal(*row) for row in tx.execute(query.limit(limit))]


def rehearsed_rules(tx: Tx, rehearsal_id: str) -> tuple[RuleSet, RuleSet]:
    """(draft, baseline) as they were when the rehearsal was asked for."""
    documents = tx.execute(select(rehearsal.c.documents).where(rehearsal.c.id == rehearsal_id)).scalar_one()
    return rules_of(documents["draft"]), rules_of(documents["baseline"])


def running_rehearsals(tx: Tx) -> list[str]:
    """Ids of those that are not done, oldest first."""
    query = select(rehearsal.c.id).where(rehearsal.c.status == "running").order_by(rehearsal.c.created_at)
    return list(tx.execute(query).scalars())


def tell_progress(tx: Tx, rehearsal_id: str, orders: int, done: int) -> None:
    """Keep how far a running rehearsal has come."""
    tx.execute(_while_running(rehearsal_id).values(orders=orders, done=done))


def finish_rehearsal(
    tx: Tx, rehearsal_id: str, figures: Mapping[str, Any], differences: Sequence[Mapping[str, Any]], now: datetime
) -> None:
    """Keep what a rehearsal found."""
    tx.execute(
        _while_running(rehearsal_id).values(
            status="done", done=rehearsal.c.orders, figures=figures, differences=differences, finished_at=now
        )
    )


def fail_rehearsal(tx: Tx, rehearsal_id: str, error: str, now: datetime) -> None:
    """Keep why a rehearsal cannot be run."""
    tx.execute(_while_running(rehearsal_id).values(status="failed", error=error, finished_at=now))


def _while_running(rehearsal_id: str) -> Update:
    return update(rehearsal).where(rehearsal.c.id == rehearsal_id, rehearsal.c.status == "running")
