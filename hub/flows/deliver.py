"""Deliver: empty the outbox of one connection.

Claim and close; call; open and settle. No transaction is open while a call is out. A call that got no clear answer
leaves its row `unknown`: it is looked up by our reference, and never repeated blindly.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from hub.flows import papers, settle
from hub.flows.runtime import Runtime
from hub.sdk import Connector, FindByReference, errors
from hub.sdk.deadline import time_limit
from hub.store import connections, outbox
from hub.store.connections import ConnectionRow
from hub.store.database import new_id
from hub.store.errors import InterfaceError, OperationalError, PoolTimeout, SQLAlchemyError
from hub.store.ledger import StockConflictError

log = structlog.get_logger()

CALLS_AT_ONCE = 4  # also the size of a batch, so that no claimed row waits for its call
ASKED_AGAIN = timedelta(minutes=5)  # after a look-up that brought no answer
WRITTEN_AFTER_S = (0.0, 0.0, 0.1, 0.5, 1.0)  # pauses before each try to write an answer down
APART = 6  # times the quiet time lie between two look-ups of something that is not there
NOT_THERE = "not_there"  # the error code of what was looked up once and not found
# Only after these is one more "not there" believed. A call that got no answer may still be on its way, and some vendors
# list things late; what left before a backup was made has had its time.
BELIEVED_AFTER = frozenset({NOT_THERE, "restored"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one call: a result, or the error it ended with."""

    row: dict[str, Any]
    result: Any = None
    error: Exception | None = None


def deliver(runtime: Runtime, connection_id: str) -> int:
    """Send what is due for one connection; returns how many rows were dealt with. Call again until it returns 0.

    Safe to be killed at any point: a row that was being sent becomes unknown when its time is over.
    """
    now, until = runtime.clock(), time.monotonic() + runtime.call_time_s
    run = new_id()
    with runtime.db.read() as tx:
        connection = connections.get(tx, connection_id)
    # It is opened before anything is taken: what nobody could send must not count as sent.
    connector = _open(runtime, connection) if may_send(connection, now) else None
    if connector is None:
        return 0
    with runtime.db.begin() as tx:
        if not may_send(connections.get(tx, connection_id), now):
            return 0
        outbox.lapse(tx, connection_id, now)
        # Look-ups come first, for the quota too: the rest of their subjects waits for them.
        unknown = outbox.claim_unknown(tx, connection_id, run, now, CALLS_AT_ONCE, runtime.sending_time)
        due = [] if unknown else outbox.claim(tx, connection_id, run, now, CALLS_AT_ONCE, runtime.sending_time)
    if not unknown and not due:
        return 0
    with ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="deliver") as pool:
        for answer in pool.map(lambda row: _in_time(until, _call, runtime, connector, row), due):
            _settle(runtime, connection, connector, answer)
        for answer in pool.map(lambda row: _in_time(until, _look_up, runtime, connector, row), unknown):
            _settle(runtime, connection, connector, answer)
    return len(due) + len(unknown)


def may_send(connection: ConnectionRow, now: Any) -> bool:
    """Whether anything may leave by this connection now."""
    closed = connection.open_until is None or connection.open_until <= now
    return connection.status == "active" and not connection.outbox_held and closed


def _open(runtime: Runtime, connection: ConnectionRow) -> Connector | None:
    """The connector, or None when it cannot be had: its rows stay as they are, and `reopen` brings it back."""
    try:
        return runtime.connector(connection)
    except SQLAlchemyError:
        raise  # the database is away, which says nothing of the connection
    except Exception as error:  # noqa: BLE001 - the plugin is broken or missing, or the key is wrong
        log.warning("deliver.cannot_open", connection=connection.name, error=str(error))
        with runtime.db.begin() as tx:
            connections.stop(tx, connection, "unavailable", str(error))
        return None


def _in_time(
    until: float,
    ask: Callable[[Runtime, Connector, dict[str, Any]], Answer],
    runtime: Runtime,
    connector: Connector,
    row: dict[str, Any],
) -> Answer:
    """An answer that ends by `until`, well before the row counts as lost to this run."""
    with time_limit(until - time.monotonic()):
        return ask(runtime, connector, row)


def _call(runtime: Runtime, connector: Connector, row: dict[str, Any]) -> Answer:
    """Write the papers and make the call."""
    try:
        return Answer(row, _operation(runtime, connector, row)())
    except Exception as error:  # noqa: BLE001 - classified in `_settle`
        return Answer(row, error=error)


def _operation(runtime: Runtime, connector: Connector, row: dict[str, Any]) -> Callable[[], Any]:
    """The call for a row, with its papers written from what the database now holds."""
    key, payload = row["idempotency_key"], row["payload"]
    target: Any = connector  # of whichever capability the operation needs; a missing one shows as the row's error
    with runtime.db.read() as tx:
        folder = papers.folder(tx, row["order_id"])
        match row["operation"]:
            case "submit":
                _look_again(folder, row)
                request = papers.fulfillment_request(folder, payload["fo_id"])
                return lambda: target.submit(request, key)
            case "cancel":
                ref = folder.fo(payload["fo_id"]).external_id
                if ref is None:  # it never got there
                    return lambda: settle.NEVER_ARRIVED
                return lambda: target.cancel(ref, payload["reason"], key)
            case "buy_label":
                _look_again(folder, row)
                label = papers.label_request(folder, payload["fo_id"])
                return lambda: target.buy_label(label, key)
            case "void":
                ref = folder.fo(payload["fo_id"]).external_id
                if ref is None:
                    return lambda: True
                return lambda: target.void(ref, key)
            case "confirm":
                notice = papers.shipment_notice(tx, folder, payload["shipment_id"], row["reference"])
                return lambda: target.confirm(notice, key)
            case "post":
                posting = papers.posting(tx, runtime, folder, row)
                return lambda: target.post(posting, key)
    raise errors.Rejected(f"the hub knows no operation {row['operation']!r}")


def _look_again(folder: papers.Folder, row: Mapping[str, Any]) -> None:
    """Whether the work is still to be handed out.

    A fulfillment order that has ended, or is being called back and has not arrived, needs no place any more. A hold
    that was put on an order without its lock may have come while the row was taken: it counts as well.
    """
    fo = folder.fo(row["payload"]["fo_id"])
    if not fo.is_live or (fo.request_status == "cancellation_requested" and row["status"] != "unknown"):
        raise _MootError(f"{fo.number} is not wanted any more")
    held = folder.state.stops(fo, row["operation"])
    if held is not None:
        raise _HeldError(outbox.waits_for(held.kind))


def _look_up(runtime: Runtime, connector: Connector, row: dict[str, Any]) -> Answer:
    """Find out what became of a row of unknown outcome."""
    how = connector.manifest.idempotency.get(row["operation"], "none")
    try:
        if how == "native":  # the vendor keeps our key, so repeating the call is the look-up
            return Answer(row, _operation(runtime, connector, row)())
        if how == "lookup" and isinstance(connector, FindByReference):
            found = connector.find(row["operation"], row["reference"])
            return Answer(row, found) if found is not None else Answer(row, error=_NotThereError())
    except Exception as error:  # noqa: BLE001 - classified in `_settle`
        return Answer(row, error=error)
    return Answer(row, error=_NoLookUpError(f"{row['operation']} cannot be looked up at this connection"))


class _NotThereError(Exception):
    """The look-up found nothing: the call had no effect, or none yet."""

    def __str__(self) -> str:
        return "looked up: it is not there"


class _NotCalledError(Exception):
    """Nobody was called; why stands in the message."""


class _MootError(_NotCalledError):
    """Nobody wants it done any more."""


class _HeldError(_NotCalledError):
    """A hold stops it."""


class _NoLookUpError(_NotCalledError):
    """There is no way to find out."""


def _settle(runtime: Runtime, connection: ConnectionRow, connector: Connector, answer: Answer) -> None:
    """Write down what came of a call. Never raises, so that the other answers in hand are written down too.

    What cannot be written down leaves its row unknown, or, with the database away, sending until its time is over.
    """
    failed: Exception | None = None
    for pause_s in WRITTEN_AFTER_S:
        time.sleep(pause_s)
        try:
            _write_down(runtime, connection, connector, answer)
        except (OperationalError, InterfaceError, PoolTimeout, StockConflictError) as error:
            failed = error
        except Exception as error:  # noqa: BLE001 - a defect with this one answer
            failed = error
            break
        else:
            return
    try:
        _not_written_down(runtime, answer, failed)
    except SQLAlchemyError as error:
        log.warning("deliver.database_away", outbox=answer.row["id"], error=str(error))


def _not_written_down(runtime: Runtime, answer: Answer, failed: Exception | None) -> None:
    row = answer.row
    log.error("deliver.not_written_down", operation=row["operation"], outbox=row["id"], exc_info=failed)
    ref = settle.ref_of(answer.result)
    came = f"it happened as {ref}" if ref else f"the answer was: {answer.error or 'done'}"
    said = f"{came}, which could not be written down: {type(failed).__name__}: {failed}"
    with runtime.db.begin() as tx:
        _put_off(tx, row, "unknown", runtime.clock() + ASKED_AGAIN, "not_settled", said)


def _write_down(runtime: Runtime, connection: ConnectionRow, connector: Connector, answer: Answer) -> None:
    """What came of a call, with all that follows from it, in one transaction."""
    doors: set[str] = set()
    row, result, error = answer.row, answer.result, answer.error
    if isinstance(error, errors.AlreadyDone) and (done := settle.done_before(row["operation"], error.ref)) is not None:
        result, error = done, None
    if error is None:
        with runtime.db.begin() as tx:
            settle.success(runtime, tx, row, result, doors)
            connections.succeeded(tx, connection.id, runtime.clock())
    elif row["status"] == "unknown" and not isinstance(error, _NotThereError):
        _keep_unknown(runtime, connection, row, error)
    else:
        _failed(runtime, connection, connector, row, error, doors)
    runtime.wake_all(doors)


def _keep_unknown(runtime: Runtime, connection: ConnectionRow, row: dict[str, Any], error: Exception) -> None:
    """A look-up without an answer: the row stays unknown, whatever its error would mean for a call.

    So it is where the look-up repeats the call under its key: a "no" may be to papers that have changed since, and
    says nothing of the first call then.
    """
    now, said = runtime.clock(), str(error)
    log.warning("deliver.not_looked_up", operation=row["operation"], outbox=row["id"], error=said)
    wait = ASKED_AGAIN
    with runtime.db.begin() as tx:
        match error:
            case errors.RateLimited(retry_after_s=seconds):
                wait = _spread(seconds)
            case errors.AuthRejected() | errors.MissingPermission() | errors.ConfigInvalid():
                _stop(tx, connection, error)
                wait = timedelta(0)
            case _NoLookUpError():
                wait = outbox.CHECKED_AGAIN  # a person has to say
            case _NotCalledError() | errors.Rejected() | errors.NotFound() | errors.Conflict() | errors.AlreadyDone():
                pass  # the vendor is well
            case _:
                wait = max(wait, timedelta(seconds=getattr(error, "retry_after_s", None) or 0))
                connections.failed(tx, connection.id, said, now)
        _put_off(tx, row, "unknown", now + wait, _code(error), said)


def _failed(
    runtime: Runtime,
    connection: ConnectionRow,
    connector: Connector,
    row: dict[str, Any],
    error: Exception,
    doors: set[str],
) -> None:
    now, said = runtime.clock(), str(error)
    log.warning("deliver.failed", operation=row["operation"], outbox=row["id"], error=said)
    with runtime.db.begin() as tx:
        match error:
            case _NotThereError() if row["error_code"] not in BELIEVED_AFTER:
                _put_off(tx, row, "unknown", now + APART * runtime.unknown_quiet, NOT_THERE, f"{said} yet")
            case _NotThereError() if row["attempts"] >= len(outbox.SCHEDULE_S):
                words = "looked up again and again: it never arrived, although it was sent"
                outbox.settle(tx, row["id"], "dead", now, claim=row["claim"], error_code="gave_up", error=words)
            case _NotThereError():
                outbox.not_there(tx, row, now)
                doors.add(f"outbox:{connection.id}")
            case _MootError():
                outbox.settle(tx, row["id"], "superseded", now, claim=row["claim"], error=said)
                doors.add(f"outbox:{connection.id}")
            case _HeldError():
                later = now + outbox.CHECKED_AGAIN
                _put_off(tx, row, row["status"], later, outbox.ON_HOLD, said, attempt=False)
            case errors.Rejected() | errors.NotFound():
                settle.rejected(runtime, tx, row, error, doors)
            case errors.RateLimited(retry_after_s=seconds):
                _put_off(tx, row, "retry_wait", now + _spread(seconds), error.code, said, attempt=False)
            case errors.AuthRejected() | errors.MissingPermission() | errors.ConfigInvalid():
                _stop(tx, connection, error)
                _put_off(tx, row, "retry_wait", now, error.code, said, attempt=False)
            case errors.Transient() | errors.Conflict():
                connections.failed(tx, connection.id, said, now)
                _again(tx, row, error, now)
            case errors.AlreadyDone() if _may_look_up(connector, row):
                _put_off(tx, row, "unknown", now, error.code, said)
                doors.add(f"outbox:{connection.id}")
            case _:
                # No clear answer, or a defect of the connector: it may have taken effect.
                wait = runtime.unknown_quiet if _may_look_up(connector, row) else ASKED_AGAIN
                connections.failed(tx, connection.id, said, now)
                _put_off(tx, row, "unknown", now + wait, _code(error), said)


def _put_off(
    tx: Any, row: Mapping[str, Any], status: str, when: datetime, code: str, words: str, *, attempt: bool = True
) -> None:
    """Put the row off, as long as this run still has it."""
    outbox.put_off(tx, row["id"], status, when, code, words, attempt=attempt, claim=row["claim"])


def _may_look_up(connector: Connector, row: Mapping[str, Any]) -> bool:
    return connector.manifest.idempotency.get(row["operation"], "none") != "none"


def _again(tx: Any, row: dict[str, Any], error: errors.ConnectorError, now: Any) -> None:
    """Try again by the schedule, or give up and show it."""
    attempt = row["attempts"] + 1  # the claim counted this one
    if attempt >= len(outbox.SCHEDULE_S):
        said = {"error_code": error.code, "error": str(error)[:4000]}
        outbox.settle(tx, row["id"], "dead", now, claim=row["claim"], **said)
        return
    wait = max(outbox.SCHEDULE_S[attempt], getattr(error, "retry_after_s", None) or 0)
    jitter = 1 + random.uniform(-0.2, 0.2)  # noqa: S311 - spreads retries, no secret
    _put_off(tx, row, "retry_wait", now + timedelta(seconds=wait * jitter), error.code, str(error))


def _spread(seconds: float) -> timedelta:
    """A wait that the vendor asked for, and a little more, so that not everybody comes back at once."""
    return timedelta(seconds=seconds * random.uniform(1, 1.2))  # noqa: S311 - spreads retries, no secret


def _code(error: Exception) -> str:
    return error.code if isinstance(error, errors.ConnectorError) else "defect"


def _stop(tx: Any, connection: ConnectionRow, error: errors.ConnectorError) -> None:
    """The credentials or a setting are refused: a person has to act before anything else is sent."""
    status = "needs_sign_in" if isinstance(error, errors.AuthRejected) else "misconfigured"
    field = getattr(error, "field", None) or None
    connections.stop(tx, connection, status, str(error), field)
