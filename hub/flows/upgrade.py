"""Upgrade: bring the settings of connections to what a newer version of their connector wants."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from hub.flows.runtime import Runtime
from hub.plugins import ConfigError, LoadedPlugin, config_errors, split_secrets
from hub.store import connections, events
from hub.store.connections import ConnectionRow
from hub.store.database import Tx

log = structlog.get_logger()


def upgrade_settings(runtime: Runtime) -> int:
    """Bring settings over that were saved under an earlier `config_version`; returns of how many connections.

    Done when a process starts, before it works. Safe to repeat, and by several processes at once. Settings that cannot
    be brought over stay as they are, and their connection waits for a person.
    """
    plugins = {plugin.name: plugin for plugin in runtime.registry.plugins}
    with runtime.db.read() as tx:
        rows = [row for row in connections.every(tx) if row.plugin in plugins]
    return sum(
        _upgrade(runtime, row, plugins[row.plugin])
        for row in rows
        if row.config_version < plugins[row.plugin].manifest.config_version
    )


def _upgrade(runtime: Runtime, row: ConnectionRow, plugin: LoadedPlugin) -> bool:
    wanted, now = plugin.manifest.config_version, runtime.clock()
    with runtime.db.begin() as tx:
        secrets = connections.own_secrets(tx, runtime.keyring, row.id)
        settings, wrong = _brought_over(plugin, {**row.config, **secrets}, row.config_version)
        if wrong:
            _leave(tx, row, wrong[0], wanted)
            return False
        config, fresh = split_secrets(plugin.manifest, settings)
        mine = connections.bring_over(tx, runtime.keyring, row, config, fresh, wanted, now)
        if mine:
            said = f"The settings were brought to version {wanted} of the connector's form."
            events.tell(tx, ("connection", row.id), "upgraded", "hub", said, now)
    return mine


def _brought_over(
    plugin: LoadedPlugin, settings: Mapping[str, Any], version: int
) -> tuple[Mapping[str, Any], list[ConfigError]]:
    """The settings as the connector now wants them, and what is wrong with them."""
    try:
        brought = plugin.connector.migrate_config(settings, version)
        return brought, config_errors(plugin.manifest, brought)
    except Exception as error:  # noqa: BLE001 - a defect of the connector is shown, and stops no other connection
        return settings, [ConfigError("", f"{type(error).__name__}: {error}")]


def _leave(tx: Tx, row: ConnectionRow, wrong: ConfigError, wanted: int) -> None:
    said = f"The settings could not be brought to version {wanted} of the form: {wrong.message}"
    log.warning("upgrade.left", connection=row.name, error=said)
    connections.stop(tx, row, "misconfigured", said, wrong.field or None)
