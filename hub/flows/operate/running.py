"""Running connections: pause, resume, read again, let messages out, and have the vendor send webhooks."""

from __future__ import annotations

from datetime import datetime

from hub.flows import watch
from hub.flows.operate.errors import NotDoneError, actor
from hub.flows.operate.reach import connector_of, doors_of, find
from hub.flows.runtime import Runtime
from hub.plugins import BrokenPluginError, UnknownPluginError
from hub.sdk import WebhookProvisioner, WebhookReceiver, errors
from hub.store import connections, cursors, events, inbox, outbox
from hub.store.connections import ConnectionRow


def pause(runtime: Runtime, key: str, *, person: str, reason: str = "") -> None:
    """Do nothing for this connection until it is resumed: what it sends is kept and waits, nothing is sent to it."""
    row = find(runtime, key)
    with runtime.db.begin() as tx:
        if connections.set_status(tx, row.id, "paused", reason or f"Paused by {person}."):
            events.tell(tx, ("connection", row.id), "paused", actor(person), reason or "Paused.", runtime.clock())


def resume(runtime: Runtime, key: str, *, person: str) -> None:
    """Let a paused connection go on: what waits is taken and sent at once, and its webhooks are looked after."""
    row, now = find(runtime, key), runtime.clock()
    with runtime.db.begin() as tx:
        if row.status == "paused" and connections.set_status(tx, row.id, "active"):
            cursors.run_now(tx, row.id, now)
            events.tell(tx, ("connection", row.id), "resumed", actor(person), "Resumed.", now)
        came = {f"inbox:{partition}" for partition in inbox.waiting_partitions(tx, now)}
    runtime.wake_all({*doors_of(runtime, row), *came, f"watch:{row.id}"})


def sync_now(runtime: Runtime, key: str, *, person: str) -> list[str]:
    """Read every polled stream at once; returns their names. Raises NotDoneError where nothing may be read now."""
    row = find(runtime, key)
    if row.status != "active":
        why = "it is paused; resume it first" if row.status == "paused" else row.status_reason
        raise NotDoneError(f"{row.name} cannot be read: {why or row.status}")
    now = runtime.clock()
    with runtime.db.begin() as tx:
        cursors.run_now(tx, row.id, now)
        streams = [one["stream"] for one in cursors.of_connection(tx, row.id)]
        events.tell(tx, ("connection", row.id), "sync", actor(person), "Asked to read everything now.", now)
    runtime.wake_all({f"poll:{row.id}:{stream}" for stream in streams})
    return streams


def rewind(runtime: Runtime, key: str, stream: str, to: datetime | None, *, person: str) -> None:
    """Read a stream again from `to`; None is from the beginning. What is known is recognised and not made twice."""
    row = find(runtime, key)
    now = runtime.clock()
    with runtime.db.begin() as tx:
        if stream not in {one["stream"] for one in cursors.of_connection(tx, row.id)}:
            raise NotDoneError(f"{row.name} has no stream {stream!r} that is polled")
        cursors.rewind(tx, row.id, stream, to, now)
        since = f"{to:%Y-%m-%d %H:%M} UTC" if to else "the beginning"
        said = f"{stream} is read again from {since}."
        events.tell(tx, ("connection", row.id), "rewound", actor(person), said, now)
    runtime.wake(f"poll:{row.id}:{stream}")


def release_outbox(runtime: Runtime, key: str, *, person: str) -> int:
    """Let messages out again after a restore; returns how many were held.

    A held message may have been sent after the backup was made, so each is looked up at the vendor before anything is
    sent, as one whose outcome is unknown.
    """
    row = find(runtime, key)
    now = runtime.clock()
    with runtime.db.begin() as tx:
        released = outbox.release(tx, row.id, now)
        said = f"{released} messages that were held are looked up and sent."
        events.tell(tx, ("connection", row.id), "released", actor(person), said, now)
    runtime.wake_all({f"outbox:{row.id}", f"stock:{row.id}"})
    return released


def webhook_address(runtime: Runtime, row: ConnectionRow, public_url: str = "") -> str:
    """Where a platform sends this connection's webhooks: a path, or the whole address below `public_url`."""
    try:
        takes = issubclass(runtime.plugin(row).connector, WebhookReceiver)
    except (UnknownPluginError, BrokenPluginError):
        takes = False
    return watch.address(public_url, row) if takes else ""


def provision_webhooks(runtime: Runtime, key: str, public_url: str, *, person: str, anew: bool = False) -> list[str]:
    """Have the vendor send webhooks to this hub at `public_url`; returns the topics. Safe to repeat.

    `anew` removes those that are there first, for when their signing secrets are lost or wrong; what happens at the
    vendor in between is polled. Raises NotDoneError when the vendor offers no way to do it, or says no.
    """
    row = find(runtime, key)
    if not public_url.startswith(("https://", "http://")):
        raise NotDoneError(
            "the hub's public address is not known: set ORDERHUB_PUBLIC_URL, such as https://hub.example.com"
        )
    connector = connector_of(runtime, row)
    if not isinstance(connector, WebhookProvisioner):
        address = watch.address(public_url, row)
        raise NotDoneError(f"{row.name} cannot be told by API where to send webhooks; enter {address} there by hand")
    address = watch.address(public_url, row)
    try:
        if anew:
            connector.remove(address)
        found = watch.subscribe(runtime, row, connector, address)
    except errors.ConnectorError as error:
        raise NotDoneError(f"{row.name} did not take the webhooks: {error}") from error
    topics = sorted({one.topic for one in found})
    with runtime.db.begin() as tx:
        said = f"Webhooks {'were made anew' if anew else 'are sent'} for {', '.join(topics)}."
        events.tell(tx, ("connection", row.id), "webhooks", actor(person), said, runtime.clock())
    return topics
