"""Plugins: connectors, rankers and routing strategies that installed packages offer by entry point."""

from hub.plugins.discovery import BrokenPlugin
from hub.plugins.manifests import manifest_errors
from hub.plugins.registry import (
    BrokenPluginError,
    Functions,
    LoadedPlugin,
    Registry,
    UnknownPluginError,
    entry_checks,
    forget,
    rankers,
    registry,
    strategies,
)
from hub.plugins.settings import ConfigError, config_errors, schema_errors, split_secrets

__all__ = [
    "BrokenPlugin",
    "BrokenPluginError",
    "ConfigError",
    "Functions",
    "LoadedPlugin",
    "Registry",
    "UnknownPluginError",
    "config_errors",
    "entry_checks",
    "forget",
    "manifest_errors",
    "rankers",
    "registry",
    "schema_errors",
    "split_secrets",
    "strategies",
]
