"""The door out: what is to be told to an outside system, once each."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, exists, func, or_, select, update

from hub.domain.holds import STOPPED_BY
from hub.store import holds, inquiries
from hub.store.database import Tx, insert_new, new_id
from hub.store.rows import Rows, as_dicts, chunks
from hub.store.tables import connection, orders, outbox

UNSETTLED = ("pending", "sending", "retry_wait", "unknown", "held")
# The time a call may take before its row counts as lost; longer than every timeout of the HTTP client together.
SENDING_TIME = timedelta(seconds=120)
# What is written beside the unknown outcome of a row that may have left before a backup was restored.
RESTORED = {"error_code": "restored", "error": "a backup was restored: this may have been sent after it was made"}
SCHEDULE_S = (0, 5, 60, 300, 1800, 7200, 18000, 36000, 36000)


def key_for(connection_id: str, operation: str, fact: str) -> str:
    """The idempotency key of a business fact: the same however often it is derived."""
    return hashlib.sha256(f"{connection_id}|{operation}|{fact}".encode()).hexdigest()


def delivery(
    connection_id: str,
    operation: str,
    *,
    fact: str,
    subject_id: str,
    order_id: str | None,
    reference: str,
    payload: dict[str, Any],
    now: datetime,
    status: str = "pending",
    turn: int = 0,
) -> dict[str, Any]:
    """A row for the outbox. `fact` is the business fact; `reference` what a look-up at the vendor would use.

    Both have to be the same when the order is taken in again after a backup was restored. `status` is "held" or
    "unknown" for what may have left before that. `turn` is its place among the rows of its subject, since ids are made
    by the clocks of several machines.
    """
    return {
        "id": new_id(),
        "connection_id": connection_id,
        "operation": operation,
        "order_id": order_id,
        "subject_id": subject_id,
        "turn": turn,
        "idempotency_key": key_for(connection_id, operation, fact),
        "reference": reference,
        "payload": payload,
        "created_at": now,
        "next_at": now,
        "status": status,
        **(RESTORED if status == "unknown" else {"error_code": None, "error": ""}),
    }


def put(rows: Rows, row: dict[str, Any]) -> None:
    """Write a delivery together with the rows of the business change that causes it."""
    rows.add(outbox, **row)


def put_once(tx: Tx, rows: Collection[dict[str, Any]]) -> list[str]:
    """Write deliveries whose fact may have been written before; returns the ids of the new ones."""
    return list(insert_new(tx, outbox, list(rows), outbox.c.id))


def of_subject(tx: Tx, connection_id: str, subject_id: str) -> list[dict[str, Any]]:
    """Operation and payload of every delivery of one subject to a connection, in turn, however it ended."""
    mine = (outbox.c.connection_id == connection_id, outbox.c.subject_id == subject_id)
    query = select(outbox.c.operation, outbox.c.payload).where(*mine).order_by(outbox.c.turn)
    return as_dicts(tx.execute(query).all())


def claim(
    tx: Tx, connection_id: str, run: str, now: datetime, limit: int, sending_for: timedelta
) -> list[dict[str, Any]]:
    """Take due rows of a connection to send them: they are `sending` once the transaction commits.

    Rows of one subject leave in turn: a later one waits until the earlier is settled. What a hold stops is put off
    instead. The holds are read while the orders are locked, so that no hold comes between the look and the intent.
    """
    rows: list[dict[str, Any]] = []
    while not rows:
        due = as_dicts(tx.execute(_due(connection_id, now).limit(limit)).all())
        guarded = {row["order_id"] for row in due if row["operation"] in STOPPED_BY and row["order_id"]}
        for part in chunks(guarded):
            tx.execute(
                select(orders.c.id).where(orders.c.id.in_(part)).order_by(orders.c.id).with_for_update(read=True)
            )
        mine = _due(connection_id, now).where(outbox.c.id.in_([row["id"] for row in due]))
        locked = as_dicts(tx.execute(mine.with_for_update(skip_locked=True)).all())
        if not locked:
            return []
        stopped = _stopped(tx, locked)
        for row_id, words in stopped.items():
            later = {"next_at": now + CHECKED_AGAIN, "error_code": ON_HOLD, "error": words}
            tx.execute(update(outbox).where(outbox.c.id == row_id).values(**later))
        rows = [row for row in locked if row["id"] not in stopped]
    for part in chunks([row["id"] for row in rows]):
        tx.execute(
            update(outbox)
            .where(outbox.c.id.in_(part))
            .values(status="sending", claim=run, sending_until=now + sending_for, attempts=outbox.c.attempts + 1)
        )
    return [{**row, "claim": run} for row in rows]


_DUE = ("pending", "retry_wait")
ON_HOLD = "on_hold"  # the error code of what waits for a hold to end
CHECKED_AGAIN = timedelta(hours=1)  # should nobody wake it before


def waits_for(kind: str) -> str:
    """What is said of a row that a hold of this kind stops."""
    return f"waits for the hold to end ({kind.replace('_', ' ')})"


def _has_to_wait() -> Any:
    """An earlier row of the same subject is not settled yet."""
    earlier = outbox.alias("earlier")
    return exists().where(
        earlier.c.subject_id == outbox.c.subject_id,
        earlier.c.connection_id == outbox.c.connection_id,
        earlier.c.turn < outbox.c.turn,
        earlier.c.status.in_(UNSETTLED),
    )


def _due(connection_id: str, now: datetime) -> Select[Any]:
    return (
        select(outbox)
        .where(
            outbox.c.connection_id == connection_id,
            outbox.c.status.in_(_DUE),
            outbox.c.next_at <= now,
            ~_has_to_wait(),
        )
        .order_by(outbox.c.id)
    )


def _stopped(tx: Tx, rows: Collection[dict[str, Any]]) -> dict[str, str]:
    """What a row waits for, in words by row id: a hold, or its channel, when the order came in part."""
    found: dict[str, str] = {}
    parts = inquiries.waiting(tx, {row["order_id"] for row in rows if row["operation"] in STOPPED_BY})
    for operation, blocks in STOPPED_BY.items():
        mine = {row["subject_id"]: row for row in rows if row["operation"] == operation}
        kinds = holds.stopping(tx, [(fo_id, row["order_id"]) for fo_id, row in mine.items()], blocks) if mine else {}
        found |= {
            row["id"]: "waits for its channel to tell the rest" for row in mine.values() if row["order_id"] in parts
        }
        found |= {mine[fo_id]["id"]: waits_for(kind) for fo_id, kind in kinds.items()}
    return found


def lapse(tx: Tx, connection_id: str, now: datetime) -> int:
    """Rows whose sender was lost: nobody knows whether they arrived. Nor of those that were written as held while the
    connection was let go.
    """
    let_out(tx, connection_id, now)
    done = tx.execute(
        update(outbox)
        .where(outbox.c.connection_id == connection_id, outbox.c.status == "sending", outbox.c.sending_until < now)
        .values(
            status="unknown",
            claim=None,
            next_at=now,
            error_code="outcome_unknown",
            error="the process that was sending this was lost before it heard the answer",
        )
        .returning(outbox.c.id)
    )
    return len(done.all())


def claim_unknown(
    tx: Tx, connection_id: str, run: str, now: datetime, limit: int, sending_for: timedelta
) -> list[dict[str, Any]]:
    """Take rows of unknown outcome to look them up; they stay unknown, and are put off in case this run is lost.

    Of one subject the earlier row comes first: whether a cancellation arrived says nothing while it is not known
    whether there was anything to cancel.
    """
    query = (
        select(outbox)
        .where(
            outbox.c.connection_id == connection_id,
            outbox.c.status == "unknown",
            outbox.c.next_at <= now,
            ~_has_to_wait(),
        )
        .order_by(outbox.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    rows = as_dicts(tx.execute(query).all())
    for part in chunks([row["id"] for row in rows]):
        tx.execute(update(outbox).where(outbox.c.id.in_(part)).values(claim=run, next_at=now + sending_for))
    return [{**row, "claim": run} for row in rows]


def settle(tx: Tx, outbox_id: str, status: str, now: datetime, *, claim: str | None = None, **values: Any) -> bool:
    """End a row; False when somebody else has ended it meanwhile.

    With `claim` only while that run has the row, as in `put_off`: a "no" that comes late is not the answer to what
    another run has sent since. A "yes" always counts.
    """
    held = () if claim is None else (outbox.c.claim == claim,)
    open_ = ("sending", "unknown", "pending", "retry_wait", "dead")
    done = tx.execute(
        update(outbox)
        .where(outbox.c.id == outbox_id, outbox.c.status.in_(open_), *held)
        .values(status=status, settled_at=now, sending_until=None, claim=None, **values)
        .returning(outbox.c.id)
    )
    return done.first() is not None


def keep_result(tx: Tx, outbox_id: str, result: dict[str, Any]) -> None:
    """Keep with a delivery what it brought, for whoever needs it later."""
    tx.execute(update(outbox).where(outbox.c.id == outbox_id).values(result=result))


def kept_result(tx: Tx, subject_id: str, operation: str) -> dict[str, Any] | None:
    """What was kept with a delivery of this subject; None when nothing was."""
    mine = (outbox.c.subject_id == subject_id, outbox.c.operation == operation, outbox.c.result.is_not(None))
    found: dict[str, Any] | None = tx.execute(select(outbox.c.result).where(*mine).limit(1)).scalar()
    return found


def put_off(
    tx: Tx,
    outbox_id: str,
    status: str,
    when: datetime,
    code: str,
    error: str,
    *,
    attempt: bool = True,
    claim: str | None = None,
) -> None:
    """Try later (`retry_wait`) or look up later (`unknown`). `attempt` False gives the attempt back.

    With `claim` only while that run has the row: an answer that comes after the row was given to another run, which
    may be sending it at this moment, changes nothing.
    """
    held = (outbox.c.id == outbox_id,) if claim is None else (outbox.c.id == outbox_id, outbox.c.claim == claim)
    values: dict[str, Any] = {"attempts": outbox.c.attempts - 1} if not attempt else {}
    tx.execute(
        update(outbox)
        .where(*held)
        .values(
            status=status,
            next_at=when,
            error_code=code,
            error=error[:4000],
            sending_until=None,
            claim=None,
            **values,
        )
    )


def let_go(tx: Tx, subject_ids: Collection[str], now: datetime) -> list[str]:
    """Have the rows looked at again that wait for a hold on these; returns the connections that have mail."""
    found: set[str] = set()
    for part in chunks(subject_ids):
        done = tx.execute(
            update(outbox)
            .where(outbox.c.subject_id.in_(part), outbox.c.status.in_(_DUE), outbox.c.error_code == ON_HOLD)
            .values(next_at=now, error_code=None, error="")
            .returning(outbox.c.connection_id)
        )
        found |= set(done.scalars())
    return sorted(found)


MAKES_WORK = ("submit", "buy_label")  # the operations that make somebody ship
_later = outbox.alias("later")


def not_there(tx: Tx, row: Mapping[str, Any], now: datetime) -> None:
    """A row was looked up and had not arrived: it is sent again.

    Unless it was called back meanwhile: what calls it back goes next, and finds that nothing was handed over.
    """
    later = exists().where(
        _later.c.subject_id == outbox.c.subject_id,
        _later.c.connection_id == outbox.c.connection_id,
        _later.c.turn > outbox.c.turn,
        _later.c.operation.in_(("cancel", "void")),
        _later.c.status.in_(UNSETTLED),
    )
    called_back = tx.execute(
        update(outbox)
        .where(outbox.c.id == row["id"], outbox.c.claim == row["claim"], outbox.c.operation.in_(MAKES_WORK), later)
        .values(status="superseded", settled_at=now, claim=None, error_code=None, error="")
        .returning(outbox.c.id)
    )
    if called_back.first() is None:
        words = "looked up: it had not arrived"
        put_off(tx, row["id"], "pending", now, "looked_up", words, claim=row["claim"])


_NOT_OUT = ("pending", "retry_wait")
_GIVEN_UP = ("dead", "rejected")


def _made_before_restore() -> Any:
    return exists().where(connection.c.id == outbox.c.connection_id, connection.c.restored_at >= outbox.c.created_at)


def _is_inside() -> Any:
    """Nobody outside has been told. Of what was given up before a backup was made that is known until somebody has it
    sent again, which a restored database does not know.
    """
    return or_(outbox.c.status.in_(_NOT_OUT), and_(outbox.c.status.in_(_GIVEN_UP), ~_made_before_restore()))


def withdrawable(tx: Tx, subject_ids: Collection[str]) -> set[str]:
    """Those of the subjects that nobody outside has been told of, so that `withdraw` would take them back."""
    found: set[str] = set()
    for part in chunks(subject_ids):
        query = select(outbox.c.subject_id).where(
            outbox.c.subject_id.in_(part),
            outbox.c.operation.in_(MAKES_WORK),
            _is_inside(),
        )
        found |= set(tx.execute(query).scalars())
    return found


def withdraw(tx: Tx, subject_id: str, operations: Collection[str], now: datetime) -> set[str]:
    """Take back rows that have not left yet; returns the operations that were withdrawn."""
    done = tx.execute(
        update(outbox)
        .where(
            outbox.c.subject_id == subject_id,
            outbox.c.operation.in_(list(operations)),
            _is_inside(),
        )
        .values(status="superseded", settled_at=now)
        .returning(outbox.c.operation)
    )
    return set(done.scalars())


def read(tx: Tx, ids: Collection[str]) -> list[dict[str, Any]]:
    """Rows by id, oldest first, locked, each with its order's currency."""
    found: list[dict[str, Any]] = []
    for part in chunks(ids):
        locked = select(outbox).where(outbox.c.id.in_(part)).order_by(outbox.c.id).with_for_update()
        found += as_dicts(tx.execute(locked).all())
    wanted = {row["order_id"] for row in found if row["order_id"]}
    currencies: dict[str, str] = {}
    for part in chunks(wanted):
        known = tx.execute(select(orders.c.id, orders.c.currency).where(orders.c.id.in_(part)))
        currencies |= {row[0]: row[1] for row in known}
    return [{**row, "currency": currencies.get(row["order_id"])} for row in found]


def set_aside(tx: Tx, ids: Collection[str], now: datetime) -> list[str]:
    """A person wants nothing done with these rows that were given up or refused; returns those that were."""
    done: list[str] = []
    for part in chunks(ids):
        done += (
            tx.execute(
                update(outbox)
                .where(outbox.c.id.in_(part), outbox.c.status.in_(("dead", "rejected")))
                .values(status="set_aside", settled_at=now)
                .returning(outbox.c.id)
            )
            .scalars()
            .all()
        )
    return done


def close_refused(tx: Tx, subject_ids: Collection[str], now: datetime) -> None:
    """Nothing is left to do about work that was refused: its units are somewhere else."""
    for part in chunks(subject_ids):
        tx.execute(
            update(outbox)
            .where(
                outbox.c.subject_id.in_(part),
                outbox.c.operation.in_(MAKES_WORK),
                outbox.c.status == "rejected",
            )
            .values(status="superseded", settled_at=now)
        )


def retry(tx: Tx, ids: Collection[str], now: datetime) -> list[str]:
    """Send rows again that were given up, refused or set aside, as a person decided; the connections that have mail.

    What was given up before a backup was restored may have been sent again after it was made: it is looked up first.
    """
    status = case((_made_before_restore(), "unknown"), else_="pending")
    connections: set[str] = set()
    for part in chunks(ids):
        connections |= set(
            tx.execute(
                update(outbox)
                .where(outbox.c.id.in_(part), outbox.c.status.in_((*_GIVEN_UP, "retry_wait", "set_aside")))
                .values(status=status, attempts=0, next_at=now, settled_at=None)
                .returning(outbox.c.connection_id)
            ).scalars()
        )
    return sorted(connections)


def hold_all(tx: Tx, now: datetime) -> int:
    """After a restore nothing leaves by itself; returns how many rows wait for a person."""
    tx.execute(update(connection).values(outbox_held=True, restored_at=now))
    done = tx.execute(
        update(outbox)
        .where(outbox.c.status.in_(("pending", "retry_wait", "sending", "unknown")))
        .values(status="held", claim=None, sending_until=None)
        .returning(outbox.c.id)
    )
    return len(done.all())


def release(tx: Tx, connection_id: str, now: datetime) -> int:
    """Let the held rows of a connection go on; returns how many. Each may have left after the backup was made, so all
    of them are of unknown outcome and are looked up before anything is sent.
    """
    tx.execute(update(connection).where(connection.c.id == connection_id).values(outbox_held=False))
    return let_out(tx, connection_id, now)


def let_out(tx: Tx, connection_id: str, now: datetime) -> int:
    """Have the held rows of a connection looked up; returns how many."""
    done = tx.execute(
        update(outbox)
        .where(outbox.c.connection_id == connection_id, outbox.c.status == "held")
        .values(status="unknown", next_at=now, **RESTORED)
        .returning(outbox.c.id)
    )
    return len(done.all())


def due_connections(tx: Tx, now: datetime) -> list[str]:
    """Connections that have something to send, to look up, or to give up on."""
    ready = or_(
        and_(outbox.c.status.in_(("pending", "retry_wait", "unknown")), outbox.c.next_at <= now),
        and_(outbox.c.status == "sending", outbox.c.sending_until < now),
        outbox.c.status == "held",  # written so while the connection was let go
    )
    query = (
        select(outbox.c.connection_id)
        .join(connection, connection.c.id == outbox.c.connection_id)
        .where(
            ready,
            connection.c.status == "active",
            connection.c.outbox_held.is_(False),
            or_(connection.c.open_until.is_(None), connection.c.open_until <= now),
        )
        .distinct()
    )
    return sorted(tx.execute(query).scalars())


def counts(tx: Tx) -> dict[str, int]:
    """Rows by status."""
    return {row[0]: int(row[1]) for row in tx.execute(select(outbox.c.status, func.count()).group_by(outbox.c.status))}
