"""Receive: the door for webhooks. Verify over the raw bytes, store them, commit, and only then say yes."""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import orjson
import structlog

from hub.flows.runtime import Runtime
from hub.plugins import BrokenPluginError, UnknownPluginError
from hub.sdk import Connector, WebhookReceiver, WebhookRequest, errors
from hub.store import connections, inbox
from hub.store.connections import ConnectionRow, SealedSecrets, UnknownConnectionError
from hub.store.errors import SQLAlchemyError
from hub.store.inbox import Arrival, body_hash, partition_of
from hub.store.sealing import WrongKeyError

log = structlog.get_logger()

KEPT_HEADERS = ("content-type", "user-agent")  # with every x-… header; credentials are not kept


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer to a sender."""

    status: int
    body: bytes
    content_type: str = "application/json"
    retry_after_s: int | None = None


def receive(runtime: Runtime, connection_id: str, token: str, request: WebhookRequest) -> Receipt:
    """Take one delivery in.

    200 means stored (or known before), 401 a bad signature, 404 an unknown address, 405 a look at the address that is
    no handshake, 503 that the sender should come back: the database is away, the plugin is not installed or the key to
    the secrets is missing. What a paused connection is sent is kept as well, and waits until it is resumed: a refusal
    would lose it, and platforms drop a subscription that is refused too often.
    Nothing is mapped here and nobody is called.
    """
    try:
        with runtime.db.read() as tx:
            connection, sealed = connections.get_sealed(tx, connection_id)
    except UnknownConnectionError:
        return _say(404, "unknown address")
    except SQLAlchemyError:
        return _busy()
    if not hmac.compare_digest(connection.webhook_token.encode(), token.encode("utf-8", "replace")):
        return _say(404, "unknown address")
    try:
        return _take(runtime, connection, sealed, request)
    except SQLAlchemyError as error:
        log.error("receive.database_away", error=str(error))  # noqa: TRY400 - the cause is the database, not this code
        return _busy()


def _take(runtime: Runtime, connection: ConnectionRow, sealed: SealedSecrets, request: WebhookRequest) -> Receipt:
    try:
        plugin = runtime.plugin(connection)
        secrets, signing = sealed.open(runtime.keyring, connection.id, runtime.clock())
        connector = runtime.connector_with(plugin, connection, secrets, sealed.sign_ins)
    except (UnknownPluginError, BrokenPluginError, WrongKeyError) as error:
        log.warning("receive.cannot_open", connection=connection.name, error=str(error))
        return _busy()
    if not isinstance(connector, WebhookReceiver):
        return _say(404, "this connection takes no webhooks")
    greeting = connector.handshake(request)
    if greeting is not None:
        return Receipt(greeting.status, greeting.body, greeting.content_type)
    if request.method != "POST":
        return _say(405, "deliveries are posted")
    try:
        connector.verify(request, signing)
    except errors.SignatureInvalid as error:
        with runtime.db.begin() as tx:
            connections.reject_webhook(tx, connection.id, str(error), runtime.clock())
        return _say(401, str(error))
    arrivals = _arrivals(connector, request)
    with runtime.db.begin() as tx:
        fresh = inbox.store(tx, connection.id, arrivals, runtime.clock())
    runtime.wake_all({f"inbox:{partition_of(connection.id, one.external_id or one.dedupe_key)}" for one in fresh})
    theirs = connector.accepted()
    if theirs is not None:
        return Receipt(theirs.status, theirs.body, theirs.content_type)
    return _say(200, "received" if fresh else "known")


def _arrivals(connector: Connector, request: WebhookRequest) -> list[Arrival]:
    assert isinstance(connector, WebhookReceiver)  # noqa: S101 - checked by the caller
    headers = {name: value for name, value in request.headers.items() if name.startswith("x-") or name in KEPT_HEADERS}
    digest = body_hash(request.raw)
    try:
        events = connector.events(request)
    except Exception as error:  # noqa: BLE001 - whatever cannot be read is kept as it came, and shown
        known = any(stream.name for stream in connector.manifest.streams)
        stream = connector.manifest.streams[0].name if known else ""
        said = f"{type(error).__name__}: {error}"
        return [Arrival(stream, "", "", request.raw, f"body:{digest}", "webhook", headers=headers, error=said)]
    return [
        Arrival(
            stream=event.stream,
            topic=event.topic,
            external_id=event.external_id,
            body=request.raw if event.body is None else orjson.dumps(event.body),
            dedupe_key=f"{event.topic}:{event.event_id or digest}:{event.external_id if event.body else ''}",
            source="webhook",
            revision=event.revision,
            headers=headers,
        )
        for event in events
    ]


def _say(status: int, words: str) -> Receipt:
    return Receipt(status, orjson.dumps({"status": status, "message": words}))


def _busy() -> Receipt:
    return Receipt(503, orjson.dumps({"status": 503, "message": "try again soon"}), retry_after_s=10)
