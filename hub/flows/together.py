"""Together: do work for many in one transaction, and for each alone where that fails, so that one stops no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from hub.flows.runtime import Runtime
from hub.store import events
from hub.store.errors import OperationalError
from hub.store.ledger import StockConflictError

log = structlog.get_logger()

TRIES = 3  # of one whose stock changes meanwhile

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Task(Generic[T, R]):
    """Work on some things in one transaction.

    `doing` names it in words that go on after "The hub failed at"; `about` says what a thing is: ("order", its id).
    """

    doing: str
    work: Callable[[Sequence[T]], R]
    about: Callable[[T], tuple[str, str]]


def together(runtime: Runtime, many: Sequence[T], task: Task[T, R]) -> tuple[list[R], list[T]]:
    """What the work returned, once for all or once for each, and those that it failed for.

    A failure is logged, written once into the thing's timeline and shown among the problems. Raises OperationalError,
    since nothing can be done while the database is away.
    """
    try:
        return [task.work(many)], []
    except OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - rolled back, and each is tried alone
        log.warning("together.failed", doing=task.doing, many=len(many), error=str(error))
    done: list[R] = []
    failed: list[T] = []
    for one in many:
        try:
            done.append(_alone(task, one))
        except OperationalError:
            raise
        except Exception as error:
            log.exception("together.one_failed", doing=task.doing, about=task.about(one))
            said = f"The hub failed at {task.doing}: {type(error).__name__}: {error}"
            with runtime.db.begin() as tx:
                events.tell_failure(tx, task.about(one), said, runtime.clock())
            failed.append(one)
    return done, failed


def _alone(task: Task[T, R], one: T) -> R:
    for _ in range(TRIES - 1):
        try:
            return task.work([one])
        except StockConflictError:
            continue
    return task.work([one])
