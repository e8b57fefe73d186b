"""Routing rule sets by version, and their rehearsals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import select

from hub import schemas
from hub.domain.routing.rules import DEFAULT, RuleSet, document_hash
from hub.store.database import Tx
from hub.store.tables import routing_rule_set

SCHEMA = "routing-rules.v1"


@dataclass(frozen=True, slots=True)
class Published:
    """The rules that count. `id` is None and `version` 0 for the built-in ones, until others are published."""

    id: str | None
    name: str
    version: int
    document_hash: str
    rules: RuleSet


BUILT_IN = Published(None, DEFAULT.name, 0, document_hash(DEFAULT), DEFAULT)


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
