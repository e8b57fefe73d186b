"""Accounts: connect one, change its settings, test it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hub.flows.operate.errors import CheckFailedError, NotDoneError, SettingsError, actor
from hub.flows.operate.places import OfferedPlace, link_places
from hub.flows.operate.reach import doors_of, find, plugin_of
from hub.flows.operate.running import webhook_address
from hub.flows.runtime import Runtime
from hub.plugins import BrokenPluginError, ConfigError, LoadedPlugin, UnknownPluginError, config_errors, split_secrets
from hub.sdk import CheckResult, errors
from hub.store import availability, connections, cursors, events
from hub.store.connections import ConnectionRow
from hub.store.database import Tx
from hub.store.errors import IntegrityError
from hub.store.sealing import WrongKeyError

STATUS_OF = {
    errors.AuthRejected.code: "needs_sign_in",
    errors.MissingPermission.code: "misconfigured",
    errors.ConfigInvalid.code: "misconfigured",
}
MENDED_BY_CHECK = frozenset({"needs_sign_in", "misconfigured", "unavailable"})


@dataclass(frozen=True, slots=True)
class Added:
    """A new connection; `places` are offered to be linked to locations. `webhook_path` is "" when it takes none."""

    id: str
    name: str
    account_label: str
    places: tuple[OfferedPlace, ...]
    webhook_path: str


def add_connection(
    runtime: Runtime,
    plugin_name: str,
    name: str,
    values: Mapping[str, Any],
    *,
    person: str,
    check: bool = True,
    zone: str = "UTC",
    link: Mapping[str, str] | None = None,
) -> Added:
    """Connect an account. `values` are plain and secret settings together, `link` locations by the account's place id.

    Raises SettingsError naming each field, CheckFailedError when the account cannot be used (with `check` False it is
    stored untried), NotDoneError when the name or the account is connected already.
    """
    plugin = plugin_of(runtime, plugin_name)
    name = name.strip()
    given = _filled(values)
    wrong = config_errors(plugin.manifest, given)
    if not name:
        wrong = [ConfigError("name", "The name is missing."), *wrong]
    if wrong:
        raise SettingsError(wrong)
    config, secrets = split_secrets(plugin.manifest, given)
    connection_id = _store(runtime, plugin, name, config, secrets, zone)
    try:
        label = _try_out(runtime, connection_id) if check else ""
        _open_up(runtime, plugin, connection_id, actor(person))
        offered = link_places(runtime, connection_id, link or {}, person=person) if check else ()
    except BaseException:
        with runtime.db.begin() as tx:
            connections.remove(tx, connection_id)
        raise
    with runtime.db.read() as tx:
        row = connections.get(tx, connection_id)
    runtime.wake_all(doors_of(runtime, row))
    return Added(connection_id, name, label, offered, webhook_address(runtime, row))


def _store(
    runtime: Runtime, plugin: LoadedPlugin, name: str, config: dict[str, Any], secrets: dict[str, str], zone: str
) -> str:
    """Store it switched off, so that nothing runs before it was tried."""
    try:
        with runtime.db.begin() as tx:
            connection_id = connections.add(
                tx,
                runtime.keyring,
                plugin=plugin.name,
                name=name,
                config=config,
                secrets=secrets,
                config_version=plugin.manifest.config_version,
                zone=zone,
                now=runtime.clock(),
            )
            connections.set_status(tx, connection_id, "paused", "It is being tried.")
    except IntegrityError as error:
        raise SettingsError([ConfigError("name", f"There is a connection called {name} already.")]) from error
    return connection_id


def _try_out(runtime: Runtime, connection_id: str) -> str:
    with runtime.db.read() as tx:
        row = connections.get(tx, connection_id)
    result = _check(runtime, row)
    if not result.ok:
        raise CheckFailedError(result)
    _keep_account(runtime, row, result)
    with runtime.db.begin() as tx:
        connections.warn(tx, connection_id, result.warning)
    return result.label


def _open_up(runtime: Runtime, plugin: LoadedPlugin, connection_id: str, by: str) -> None:
    now = runtime.clock()
    with runtime.db.begin() as tx:
        cursors.ensure(tx, connection_id, {one.name: now for one in plugin.manifest.streams if one.polled})
        connections.set_status(tx, connection_id, "active")
        events.tell(tx, ("connection", connection_id), "connected", by, f"{plugin.manifest.label} was connected.", now)


def change_connection(
    runtime: Runtime,
    key: str,
    values: Mapping[str, Any],
    *,
    person: str,
    name: str | None = None,
    zone: str | None = None,
    stock_threshold: int | None = None,
    publish_stock: bool | None = None,
) -> CheckResult:
    """Change settings, then test the connection; returns how the test went. The settings are kept either way.

    `values` replaces the plain settings; secrets that are blank or not given stay. Raises SettingsError.
    """
    row = find(runtime, key)
    plugin = plugin_of(runtime, row.plugin)
    with runtime.db.read() as tx:
        known = connections.read_secrets(tx, runtime.keyring, row.id)
    given = _filled(values)
    config, secrets = split_secrets(plugin.manifest, given)
    own = plugin.manifest.config_schema.get("properties", {})
    kept = {name: secret for name, secret in known.items() if name in own}
    wrong = config_errors(plugin.manifest, {**config, **kept, **secrets})
    if stock_threshold is not None and stock_threshold < 0:
        wrong.append(ConfigError("stock_threshold", "Units kept from the channel must be at least 0."))
    if wrong:
        raise SettingsError(wrong)
    fresh = {name: secret for name, secret in secrets.items() if known.get(name) != secret}
    changed = sorted({key for key in {*config, *row.config} if config.get(key) != row.config.get(key)} | set(fresh))
    with runtime.db.begin() as tx:
        saved = plugin.manifest.config_version
        connections.change_settings(tx, runtime.keyring, row.id, config, fresh, runtime.clock(), config_version=saved)
        _change_options(tx, row, name, zone, stock_threshold, publish_stock)
        if stock_threshold not in (None, row.stock_threshold) or publish_stock not in (None, row.publish_stock):
            availability.mark_due(tx, connection_id=row.id)
        said = f"Settings were changed: {', '.join(changed)}." if changed else "Settings were saved."
        events.tell(tx, ("connection", row.id), "changed", actor(person), said, runtime.clock())
    runtime.wake("stock")
    return check_connection(runtime, row.id, person=person)


def _change_options(
    tx: Tx, row: ConnectionRow, name: str | None, zone: str | None, threshold: int | None, publish: bool | None
) -> None:
    options: dict[str, Any] = {"name": name, "zone": zone, "stock_threshold": threshold, "publish_stock": publish}
    try:
        connections.set_options(tx, row.id, {key: value for key, value in options.items() if value is not None})
    except IntegrityError as error:
        raise SettingsError([ConfigError("name", f"There is a connection called {name} already.")]) from error


def check_connection(runtime: Runtime, key: str, *, person: str) -> CheckResult:
    """Test a connection by one cheap read and remember the account behind it.

    A connection that was waiting for a person goes on when it works; a paused one stays paused.
    """
    row = find(runtime, key)
    result = _check(runtime, row)
    if result.ok:
        try:
            _keep_account(runtime, row, result)
        except NotDoneError as error:
            result = CheckResult(False, result.unique_id, result.label, str(error), errors.ConfigInvalid.code)
    _note_check(runtime, row, result, actor(person))
    if result.ok:
        runtime.wake_all(doors_of(runtime, row))
    return result


def _note_check(runtime: Runtime, row: ConnectionRow, result: CheckResult, by: str) -> None:
    now = runtime.clock()
    said = f"The test went well. {result.warning}".rstrip() if result.ok else f"The test failed: {result.error}"
    with runtime.db.begin() as tx:
        if result.ok and row.status in MENDED_BY_CHECK:
            connections.set_status(tx, row.id, "active", was=row.status)
        elif not result.ok and row.status != "paused" and result.error_code in STATUS_OF:
            status, field = STATUS_OF[result.error_code], result.field or None
            connections.set_status(tx, row.id, status, result.error, field, was=row.status)
        if result.ok:
            connections.signed_in(tx, row.id, now)
            connections.warn(tx, row.id, result.warning)
            connections.succeeded(tx, row.id, now)
            cursors.run_now(tx, row.id, now)
        events.tell(tx, ("connection", row.id), "tested", by, said, now)


def _check(runtime: Runtime, row: ConnectionRow) -> CheckResult:
    """One cheap read at the vendor, whatever comes of it."""
    try:
        return runtime.connector(row).check()
    except errors.ConnectorError as error:
        return CheckResult(False, error=str(error), error_code=error.code, field=getattr(error, "field", "") or "")
    except (UnknownPluginError, BrokenPluginError, WrongKeyError) as error:
        return CheckResult(False, error=str(error), error_code="unavailable")
    except Exception as error:  # noqa: BLE001 - a defect of the connector is shown, not raised
        return CheckResult(False, error=f"{type(error).__name__}: {error}", error_code="defect")


def _keep_account(runtime: Runtime, row: ConnectionRow, result: CheckResult) -> None:
    if not result.unique_id:
        return
    if row.account_id and row.account_id != result.unique_id:
        # Its orders, listings and cursors belong to the account it was made for.
        raise NotDoneError(
            f"these settings are of another account, {result.label or result.unique_id}; {row.name!r} is that of "
            f"{row.account_label or row.account_id}: connect the other one under a name of its own"
        )
    try:
        with runtime.db.begin() as tx:
            connections.set_account(tx, row.id, result.unique_id, result.label)
    except IntegrityError as error:
        with runtime.db.read() as tx:
            others = [one.name for one in connections.every(tx) if one.account_id == result.unique_id]
        twin = f" as {others[0]}" if others else ""
        raise NotDoneError(f"the account {result.label or result.unique_id} is connected already{twin}") from error


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without what a form left blank."""
    return {name: value for name, value in values.items() if value is not None and value != ""}
