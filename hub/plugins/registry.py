"""The connectors that are installed, loaded once per process; a broken one never stops the hub."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from hub.domain.documents import Order
from hub.domain.entry import BUILT_IN_CHECKS, EntryCheck, Facts, HoldReason
from hub.plugins.discovery import BrokenPlugin, Found, PluginError, broken, find, load
from hub.plugins.manifests import manifest_errors
from hub.sdk import SDK_API, Connector, Manifest, capabilities

CONNECTORS = "hub.connectors"
RANKERS = "hub.routing.rankers"
STRATEGIES = "hub.routing.strategies"
ENTRY_CHECKS = "hub.entry_checks"

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LoadedPlugin:
    """A connector that can be used. `dist` and `version` are those of the package that installed it."""

    name: str
    dist: str
    version: str
    connector: type[Connector]
    manifest: Manifest
    capabilities: tuple[str, ...]


class UnknownPluginError(KeyError):
    """Nothing of this name is installed."""

    def __str__(self) -> str:
        return str(self.args[0])


class BrokenPluginError(Exception):
    """The plugin is installed but cannot be used; `plugin` says why."""

    def __init__(self, message: str, plugin: BrokenPlugin) -> None:
        super().__init__(message)
        self.plugin = plugin


@dataclass(frozen=True, slots=True)
class Registry:
    """All installed connectors, by name: those which can be used, and those which cannot."""

    plugins: tuple[LoadedPlugin, ...]
    broken: tuple[BrokenPlugin, ...]

    def get(self, name: str) -> LoadedPlugin:
        """The connector called `name`. Raises UnknownPluginError or BrokenPluginError."""
        for plugin in self.plugins:
            if plugin.name == name:
                return plugin
        raise _missing("connector", name, [plugin.name for plugin in self.plugins], self.broken)


@dataclass(frozen=True, slots=True)
class Functions(Mapping[str, Callable[..., Any]]):
    """Functions that plugins offer under one group, by name. `broken` are those that cannot be used.

    Asking for a name raises UnknownPluginError or BrokenPluginError.
    """

    group: str
    usable: Mapping[str, Callable[..., Any]]
    broken: tuple[BrokenPlugin, ...]

    def __getitem__(self, name: str) -> Callable[..., Any]:
        if name in self.usable:
            return self.usable[name]
        raise _missing(f"plugin of {self.group}", name, list(self.usable), self.broken)

    def __contains__(self, name: object) -> bool:
        return name in self.usable

    def __iter__(self) -> Iterator[str]:
        return iter(self.usable)

    def __len__(self) -> int:
        return len(self.usable)


@cache
def registry() -> Registry:
    """The installed connectors. Loaded at the first call; `forget()` makes the next call look again."""
    usable: list[LoadedPlugin] = []
    single, failed = find(CONNECTORS)
    for found in single:
        try:
            usable.append(_connector(found))
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, SystemExit included  # noqa: BLE001
            failed.append(broken(found, error))
    _tell(CONNECTORS, failed)
    return Registry(tuple(usable), _by_name(failed))


@cache
def rankers() -> Functions:
    """The rankers that routing may use."""
    return _functions(RANKERS)


@cache
def strategies() -> Functions:
    """The routing strategies."""
    return _functions(STRATEGIES)


@cache
def entry_checks() -> Mapping[str, EntryCheck]:
    """The entry checks, our own first. One that cannot be used fails on every order, so that nothing slips by it."""
    known = dict(BUILT_IN_CHECKS)
    single, failed = find(ENTRY_CHECKS)
    for found in single:
        try:
            known[found.name] = _entry_check(found)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, SystemExit included  # noqa: BLE001
            failed.append(broken(found, error))
    _tell(ENTRY_CHECKS, failed)
    return known | {one.name: EntryCheck(f"Cannot be used: {one.reason}", _failing(one)) for one in failed}


def _entry_check(found: Found) -> EntryCheck:
    check = load(found)
    if not isinstance(check, EntryCheck):
        raise PluginError(f"{found.point.value} is not an EntryCheck")
    return check


def _failing(plugin: BrokenPlugin) -> Callable[[Order, Facts], Iterable[HoldReason]]:
    def fail(_order: Order, _facts: Facts) -> Iterable[HoldReason]:
        raise PluginError(f"{plugin.name} ({plugin.dist}) cannot be used: {plugin.reason}")

    return fail


def forget() -> None:
    """Make the next call look again at what is installed. Modules that are imported stay imported."""
    for cached in (registry, rankers, strategies, entry_checks):
        cached.cache_clear()


def _functions(group: str) -> Functions:
    usable: dict[str, Callable[..., Any]] = {}
    single, failed = find(group)
    for found in single:
        try:
            usable[found.name] = _function(found)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may raise anything, SystemExit included  # noqa: BLE001
            failed.append(broken(found, error))
    _tell(group, failed)
    return Functions(group, usable, _by_name(failed))


def _function(found: Found) -> Callable[..., Any]:
    function: object = load(found)
    if not callable(function):
        raise PluginError(f"{found.point.value} is not a function")
    return function


def _connector(found: Found) -> LoadedPlugin:
    """The loaded connector. Raises PluginError for what could be imported but not be used."""
    connector = load(found)
    if not (isinstance(connector, type) and issubclass(connector, Connector)):
        raise PluginError(f"{found.point.value} is not a class that extends hub.sdk.Connector")
    manifest = getattr(connector, "manifest", None)
    if not isinstance(manifest, Manifest):
        raise PluginError(f"{found.point.value} has no manifest")
    if manifest.id != found.name:
        raise PluginError(f"the entry point is called {found.name} but its manifest says {manifest.id}")
    _check_sdk(manifest)
    if inspect.isabstract(connector):
        missing = ", ".join(sorted(connector.__abstractmethods__))
        raise PluginError(f"{found.point.value} promises what it does not implement: {missing}")
    if wrong := manifest_errors(connector):
        raise PluginError(f"its manifest breaks the rules: {'; '.join(wrong)}")
    return LoadedPlugin(found.name, found.dist, found.version, connector, manifest, tuple(capabilities(connector)))


def _check_sdk(manifest: Manifest) -> None:
    try:
        wanted = SpecifierSet(manifest.requires_sdk)
    except InvalidSpecifier as error:
        raise PluginError(f"requires_sdk {manifest.requires_sdk!r} is not a version range") from error
    if not wanted.contains(str(SDK_API)):
        raise PluginError(f"needs SDK {manifest.requires_sdk}, but this hub has SDK {SDK_API}")


def _missing(
    kind: str, name: str, usable: list[str], failed: tuple[BrokenPlugin, ...]
) -> UnknownPluginError | BrokenPluginError:
    for plugin in failed:
        if plugin.name == name:
            return BrokenPluginError(f"the {kind} {name} ({plugin.dist}) cannot be used: {plugin.reason}", plugin)
    return UnknownPluginError(f"no {kind} is called {name!r}; there are: {', '.join(usable) or 'none'}")


def _by_name(failed: list[BrokenPlugin]) -> tuple[BrokenPlugin, ...]:
    return tuple(sorted(failed, key=lambda plugin: plugin.name))


def _tell(group: str, failed: list[BrokenPlugin]) -> None:
    for plugin in failed:
        _log.warning("plugin_broken", group=group, name=plugin.name, dist=plugin.dist, reason=plugin.reason)
