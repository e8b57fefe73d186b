"""Once: a request that comes again under the same key is answered and not done again."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import orjson

from hub.flows.operate.errors import NotDoneError, UsedKeyError
from hub.store import requests
from hub.store.database import Tx, new_id


def run_of(key: str) -> str:
    """What everything that a request books is named by: the same for the same key, however long that is; else new."""
    return hashlib.sha256(key.encode()).hexdigest()[:32] if key else new_id()


def asking(*request: object) -> str:
    """The same text for requests that ask for the same. Raises NotDoneError for a number beyond 64 bits."""
    try:
        return hashlib.sha256(orjson.dumps(request)).hexdigest()
    except orjson.JSONEncodeError as error:
        raise NotDoneError("a number is too large to be meant") from error


def asked_before(tx: Tx, run: str, request: str, now: datetime) -> dict[str, Any] | None:
    """What came of this request when it came before; None when it is to be done, and the key is taken for it.

    Ask before any stock is locked, in the transaction that does it: when that is rolled back, the key is free again.
    Raises UsedKeyError when the key was used for another request.
    """
    kept = requests.claim(tx, run, request, now)
    if kept is not None and kept.request != request:
        raise UsedKeyError
    return None if kept is None else kept.answer
