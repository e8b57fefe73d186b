"""The doors: replay what arrived, and decide on messages that did not go through."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hub.domain.ledgers import Posted
from hub.domain.shipping import Cancelled, Label, Submitted
from hub.flows import settle
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.runtime import Runtime
from hub.store import events, inbox, orders, outbox
from hub.store.database import Tx
from hub.store.views import doors
from hub.store.views.doors import InboxQuery, InboxRow

MOST_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Retried:
    """What is sent again, and what is not with the reason, both by outbox id."""

    sent: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SetAside:
    """What is set aside, and what is not with the reason, both by outbox id."""

    done: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]


def replay(
    runtime: Runtime,
    *,
    person: str,
    ids: Collection[str] = (),
    query: InboxQuery | None = None,
    dry_run: bool = False,
) -> list[InboxRow]:
    """Handle rows of the inbox again with the field maps of today; returns them as they were before, oldest first.

    Rows are chosen by id, by query, or both. Those that wait anyhow are left out. What was applied before is
    recognised and not done twice. `dry_run` only says which rows they would be. At most MOST_AT_ONCE at once.
    """
    with runtime.db.read() as tx:
        chosen = set(ids) | (set(doors.inbox_ids(tx, query, MOST_AT_ONCE)) if query is not None else set())
        rows = [row for row in doors.inbox_by_id(tx, chosen) if row.status not in inbox.WAITING]
    if dry_run or not rows:
        return rows
    with runtime.db.begin() as tx:
        partitions = inbox.replay(tx, [row.id for row in rows])
        lines = [(("inbox", row.id), None, f"Replayed by {person}.", {"was": row.status}) for row in rows]
        events.tell_all(tx, lines, "replayed", actor(person), runtime.clock())
    runtime.wake_all({f"inbox:{partition}" for partition in partitions})
    return rows


def dismiss(runtime: Runtime, ids: Collection[str], *, person: str, reason: str) -> list[str]:
    """Set parked rows of the inbox aside, because nothing is to be done with them; returns their ids.

    They stay readable and can still be replayed.
    """
    now = runtime.clock()
    with runtime.db.begin() as tx:
        done = inbox.set_aside(tx, ids, now)
        said = f"Set aside by {person}: {reason or 'no reason given'}"
        events.tell_all(tx, [(("inbox", row_id), None, said, None) for row_id in done], "set_aside", actor(person), now)
    return done


def retry(runtime: Runtime, ids: Collection[str], *, person: str) -> Retried:
    """Send messages again that were given up or refused.

    One of unknown outcome is not sent again here: `resolve` it. A fulfillment order or label whose units were routed
    elsewhere meanwhile is refused, since it would ship twice.
    """
    now = runtime.clock()
    with runtime.db.begin() as tx:
        rows = outbox.read(tx, ids)
        moot = _moot(tx, rows)
        refused = {row["id"]: reason for row in rows if (reason := _why_not(row, moot))}
        refused |= dict.fromkeys(set(ids) - {row["id"] for row in rows}, "there is no such message")
        sent = [row for row in rows if row["id"] not in refused]
        connections = outbox.retry(tx, [row["id"] for row in sent], now)
        lines = [
            (("outbox", row["id"]), row["order_id"], f"{row['operation']} is sent again.", {"was": row["status"]})
            for row in sent
        ]
        events.tell_all(tx, lines, "retried", actor(person), now)
    runtime.wake_all({f"outbox:{connection_id}" for connection_id in connections})
    return Retried(tuple(row["id"] for row in sent), tuple(sorted(refused.items())))


def set_aside(runtime: Runtime, ids: Collection[str], *, person: str, reason: str) -> SetAside:
    """Set messages aside that were given up or refused, because nothing is to be done with them any more.

    They stay readable and can still be sent. One that would leave a fulfillment order with nobody at work on it, or
    waiting for an answer for ever, is refused. Safe to repeat. Raises NotDoneError without a reason.
    """
    if not reason.strip():
        raise NotDoneError("say why nothing is to be done with it")
    now = runtime.clock()
    with runtime.db.begin() as tx:
        rows = outbox.read(tx, ids)
        fos = {row["payload"]["fo_id"] for row in rows if "fo_id" in row["payload"]}
        live, asked = orders.live_fos(tx, fos), orders.asked_back(tx, fos)
        refused = {row["id"]: why for row in rows if (why := _why_not_aside(row, live, asked))}
        refused |= dict.fromkeys(set(ids) - {row["id"] for row in rows}, "there is no such message")
        done = outbox.set_aside(tx, [row["id"] for row in rows if row["id"] not in refused], now)
        said = f"Set aside by {person}: {reason.strip()}"
        lines = [
            (("outbox", row["id"]), row["order_id"], said, {"was": row["status"]}) for row in rows if row["id"] in done
        ]
        events.tell_all(tx, lines, "set_aside", actor(person), now)
    return SetAside(tuple(done), tuple(sorted(refused.items())))


def _why_not_aside(row: dict[str, Any], live: Collection[str], asked: Collection[str]) -> str:
    fo_id = row["payload"].get("fo_id")
    match row["status"], row["operation"]:
        case "set_aside", _:
            return ""
        case "dead" | "rejected", "submit" | "buy_label" if fo_id in live:
            return "its goods are still to leave: send it again, or ship, refuse or cancel them at the order"
        case "dead" | "rejected", "cancel" | "void" if fo_id in asked:
            return "it is not known whether the goods were stopped: say what happened instead"
        case "dead" | "rejected", _:
            return ""
        case status, _:
            return f"it is {status}"


def _moot(tx: Tx, rows: Collection[dict[str, Any]]) -> set[str]:
    """Those of the messages, by id, that hand out work which has ended since."""
    work = {row["id"]: row["payload"]["fo_id"] for row in rows if row["operation"] in outbox.MAKES_WORK}
    live = orders.live_fos(tx, set(work.values()))
    return {row_id for row_id, fo_id in work.items() if fo_id not in live}


def _why_not(row: dict[str, Any], moot: Collection[str]) -> str:
    match row["status"]:
        case "unknown":
            return "it is not known whether it happened: resolve it instead"
        case "held":
            return "it is held after a restore: release the connection's messages, so that it is looked up first"
        case "dead" | "rejected" | "retry_wait" | "set_aside":
            pass
        case status:
            return f"it is {status}"
    if row["id"] in moot:
        return "its units were routed elsewhere or cancelled meanwhile; sending it would ship them twice"
    return ""


def resolve(
    runtime: Runtime,
    outbox_id: str,
    *,
    happened: bool,
    person: str,
    external_id: str = "",
    number: str = "",
    tracking_number: str = "",
    carrier: str = "",
) -> bool:
    """Say what became of a message of unknown outcome, or of one that was given up or refused.

    When it happened, everything follows as if the answer had come: `external_id` is its id there, `number` the
    document number, `tracking_number` that of a label. When it did not, it is sent again, unless its units were routed
    elsewhere meanwhile. Returns whether it is sent again. Raises NotDoneError, also for work that was refused and whose
    units went elsewhere: it would ship twice.
    """
    now = runtime.clock()
    wakes: set[str] = set()
    with runtime.db.begin() as tx:
        found = outbox.read(tx, [outbox_id])
        if not found:
            raise NotDoneError(f"there is no outbox row {outbox_id!r}")
        row = found[0]
        if row["status"] not in {"unknown", "dead", "rejected"}:
            raise NotDoneError(f"its outcome is known: it is {row['status']}")
        moot = _moot(tx, [row])
        if row["status"] == "rejected":
            _open_again(tx, row, moot, now)
        again = not happened and not moot
        if happened:
            result = _result(row, external_id, number, tracking_number, carrier)
            settle.success(runtime, tx, row, result, wakes)
            said = f"{person} says that it happened" + (f", as {external_id}." if external_id else ".")
        elif again:
            outbox.put_off(tx, outbox_id, "pending", now, "resolved", f"{person}: it did not happen")
            said = f"{person} says that it did not happen; it is sent again."
        else:
            outbox.settle(tx, outbox_id, "superseded", now, error=f"{person}: it did not happen")
            said = f"{person} says that it did not happen; nobody wants it any more."
        wakes.add(f"outbox:{row['connection_id']}")
        entity = ("outbox", outbox_id)
        events.tell(tx, entity, "resolved", actor(person), said, now, order_id=row["order_id"])
    runtime.wake_all(wakes)
    return again


def _open_again(tx: Tx, row: dict[str, Any], moot: Collection[str], now: datetime) -> None:
    """A person knows better than the vendor's refusal: its outcome is open, for this transaction."""
    wrong = _why_not(row, moot)
    if wrong:
        raise NotDoneError(wrong)
    outbox.put_off(tx, row["id"], "unknown", now, row["error_code"] or "rejected", row["error"])


def _result(row: dict[str, Any], external_id: str, number: str, tracking_number: str, carrier: str) -> Any:
    """What the connector would have answered."""
    operation = row["operation"]
    if operation in {"submit", "buy_label", "post"} and not external_id:
        raise NotDoneError("say under which id it happened there")
    match operation:
        case "submit":
            return Submitted(external_id)
        case "cancel":
            return Cancelled(accepted=True)
        case "void":
            return True
        case "confirm":
            return external_id
        case "post":
            return Posted(external_id, number or external_id)
        case "buy_label":
            if not tracking_number:
                raise NotDoneError("say which tracking number the label has")
            return Label(external_id, carrier, "", tracking_number, 0, row["currency"] or "XXX", "PDF")
    raise NotDoneError(f"{operation} cannot be resolved by hand")
