"""Finding and loading what installed packages offer under an entry-point group.

`importlib.metadata` says what is installed, stevedore loads it. stevedore's own list is not used: it is kept in a file
below the home directory, keyed by times cut to some minutes, so a plugin that was just installed again may be missed,
and it drops the second of two plugins with one name without a word (stevedore 5.10).
"""

from __future__ import annotations

import traceback
from collections import defaultdict
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, NoReturn

from stevedore.named import NamedExtensionManager


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that is installed and cannot be used. `dist` names who installed it, `traceback` says why."""

    name: str
    dist: str
    traceback: str

    @property
    def reason(self) -> str:
        """The last line of the traceback: the error in one line."""
        return self.traceback.strip().rsplit("\n", 1)[-1]


class PluginError(Exception):
    """Why a plugin that could be imported is refused. The message is shown to operators."""


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin that is installed under a name of its own. Nothing of it is imported yet."""

    point: EntryPoint

    @property
    def name(self) -> str:
        return self.point.name

    @property
    def dist(self) -> str:
        return self.point.dist.name if self.point.dist else "unknown"

    @property
    def version(self) -> str:
        return self.point.dist.version if self.point.dist else ""

    def __str__(self) -> str:
        return f"{self.dist} {self.version} ({self.point.value})"


def find(group: str) -> tuple[list[Found], list[BrokenPlugin]]:
    """What is installed under a group, by name; every name that is offered twice is refused altogether."""
    offers: dict[str, list[Found]] = defaultdict(list)
    for point in entry_points(group=group):
        offers[point.name].append(Found(point))
    single = [found[0] for _, found in sorted(offers.items()) if len(found) == 1]
    return single, [_duplicate(name, found) for name, found in sorted(offers.items()) if len(found) > 1]


def _duplicate(name: str, offers: list[Found]) -> BrokenPlugin:
    owners = sorted({found.dist for found in offers})
    listed = " and ".join(sorted(str(found) for found in offers))
    return BrokenPlugin(name, ", ".join(owners), f"{name} is offered more than once: {listed}. Uninstall all but one.")


class _OneExtension(NamedExtensionManager[Any]):
    """stevedore's loading of one entry point which was found before."""

    def __init__(self, point: EntryPoint) -> None:
        self._point = point
        super().__init__(
            point.group, [point.name], on_load_failure_callback=_give_up, on_missing_entrypoints_callback=None
        )

    def list_entry_points(self) -> list[EntryPoint]:
        return [self._point]


def _give_up(_manager: Any, _point: EntryPoint, error: BaseException) -> NoReturn:
    raise error


def load(found: Found) -> Any:
    """The object behind the entry point. Raises whatever the plugin's import raises."""
    return _OneExtension(found.point).extensions[0].plugin


def broken(found: Found, error: BaseException) -> BrokenPlugin:
    """The record of a failure, with the whole traceback unless the hub itself refused the plugin."""
    if isinstance(error, PluginError):
        return BrokenPlugin(found.name, found.dist, str(error))
    return BrokenPlugin(found.name, found.dist, "".join(traceback.format_exception(error)))
