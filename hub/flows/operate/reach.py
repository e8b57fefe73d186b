"""Finding a connection, its plugin and its connector."""

from __future__ import annotations

from datetime import timedelta

from hub.flows.operate.errors import NotDoneError
from hub.flows.runtime import Runtime
from hub.plugins import BrokenPluginError, LoadedPlugin, UnknownPluginError
from hub.sdk import Connector, Manifest
from hub.store import connections, cursors
from hub.store.connections import ConnectionRow


def find(runtime: Runtime, key: str) -> ConnectionRow:
    """Raises UnknownConnectionError."""
    with runtime.db.read() as tx:
        return connections.get(tx, key)


def plugin_of(runtime: Runtime, name: str) -> LoadedPlugin:
    try:
        return runtime.registry.get(name)
    except (UnknownPluginError, BrokenPluginError) as error:
        raise NotDoneError(str(error)) from error


def manifest_of(runtime: Runtime, plugin_name: str) -> Manifest:
    """What a connector says of itself. Raises NotDoneError when it is not installed or cannot be used."""
    return plugin_of(runtime, plugin_name).manifest


def connector_of(runtime: Runtime, row: ConnectionRow) -> Connector:
    try:
        return runtime.connector(row)
    except (UnknownPluginError, BrokenPluginError) as error:
        raise NotDoneError(str(error)) from error


def doors_of(runtime: Runtime, row: ConnectionRow) -> set[str]:
    """Every door of a connection."""
    with runtime.db.read() as tx:
        streams = [one["stream"] for one in cursors.of_connection(tx, row.id)]
    return {f"outbox:{row.id}", f"stock:{row.id}", *(f"poll:{row.id}:{stream}" for stream in streams)}


def intervals(runtime: Runtime) -> dict[tuple[str, str], timedelta]:
    """How often each polled stream of each plugin is read, as the read models want it."""
    return {
        (plugin.name, stream.name): stream.every
        for plugin in runtime.registry.plugins
        for stream in plugin.manifest.streams
        if stream.polled
    }
