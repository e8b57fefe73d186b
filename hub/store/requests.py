"""Requests that came with a key: what each asked for and what came of it, so that a repeated one is not done again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from hub.store.database import Tx, insert_new
from hub.store.tables import keyed_request


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that came before. `request` is the hash of what it asked for, `answer` what came of it."""

    request: str
    answer: dict[str, Any]


def find(tx: Tx, key: str) -> Kept | None:
    """What came under this key before."""
    row = tx.execute(select(keyed_request.c.request, keyed_request.c.answer).where(keyed_request.c.key == key)).first()
    return None if row is None else Kept(*row)


def claim(tx: Tx, key: str, request: str, now: datetime) -> Kept | None:
    """Take a key; None when it is taken now, else what came under it before.

    Whoever comes with the same key meanwhile waits until this transaction ends. When it is rolled back, the key is
    free again.
    """
    row = {"key": key, "request": request, "answer": {}, "at": now}
    return None if insert_new(tx, keyed_request, [row], keyed_request.c.key) else find(tx, key)


def keep(tx: Tx, key: str, answer: dict[str, Any]) -> None:
    """Note what came of a request whose key is taken."""
    tx.execute(update(keyed_request).where(keyed_request.c.key == key).values(answer=answer))


def forget(tx: Tx, key: str) -> None:
    """Nothing came of it: the key may be used for something else."""
    tx.execute(delete(keyed_request).where(keyed_request.c.key == key))
