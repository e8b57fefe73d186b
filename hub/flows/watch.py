"""Watch: keep a connection's webhook subscriptions in place, since platforms drop them without a word."""

from __future__ import annotations

import structlog

from hub.flows.runtime import Runtime
from hub.plugins import BrokenPluginError, UnknownPluginError
from hub.sdk import Subscription, WebhookProvisioner, errors, webhook_secret_name
from hub.store import connections
from hub.store.connections import ConnectionRow

log = structlog.get_logger()


def watch(runtime: Runtime, connection_id: str) -> int:
    """Have the vendor send webhooks to this hub; returns how many subscriptions there are.

    Does nothing without a public address or for a connection that is not active. Safe to repeat.
    """
    with runtime.db.read() as tx:
        connection = connections.get(tx, connection_id)
    if not runtime.public_url or connection.status != "active" or not _provisions(runtime, connection):
        return 0
    connector = runtime.connector(connection)
    assert isinstance(connector, WebhookProvisioner)  # noqa: S101 - its class was looked at above
    try:
        return len(subscribe(runtime, connection, connector, address(runtime.public_url, connection)))
    except errors.ConnectorError as error:
        log.warning("watch.failed", connection=connection.name, error=str(error))
        with runtime.db.begin() as tx:
            connections.failed(tx, connection.id, f"webhooks: {error}", runtime.clock())
        return 0


def subscribe(
    runtime: Runtime, connection: ConnectionRow, connector: WebhookProvisioner, url: str
) -> list[Subscription]:
    """Have all subscriptions to `url` made that are missing.

    A signing secret that the vendor tells once is kept before the next subscription is made.
    """
    found = []
    for one in connector.ensure(url):
        if one.secret:
            with runtime.db.begin() as tx:
                told = {webhook_secret_name(one.topic): one.secret}
                connections.keep_secrets(tx, runtime.keyring, connection.id, told, runtime.clock())
        found.append(one)
    return found


def watched(runtime: Runtime) -> list[str]:
    """Connections whose subscriptions can be looked after."""
    if not runtime.public_url:
        return []
    with runtime.db.read() as tx:
        rows = connections.every(tx)
    return [row.id for row in rows if row.status == "active" and _provisions(runtime, row)]


def address(public_url: str, connection: ConnectionRow) -> str:
    """Where a platform sends a connection's webhooks."""
    return f"{public_url.rstrip('/')}/in/{connection.id}/{connection.webhook_token}"


def _provisions(runtime: Runtime, connection: ConnectionRow) -> bool:
    try:
        return issubclass(runtime.plugin(connection).connector, WebhookProvisioner)
    except (UnknownPluginError, BrokenPluginError):
        return False


def forget_secrets(runtime: Runtime) -> int:
    """Forget signing secrets that were replaced so long ago that nothing may be signed with them any more."""
    with runtime.db.begin() as tx:
        return connections.forget_replaced(tx, runtime.clock())


def forget_rejections(runtime: Runtime) -> int:
    """Keep the newest refused deliveries of each connection; returns how many were forgotten."""
    with runtime.db.begin() as tx:
        return connections.forget_rejections(tx)
