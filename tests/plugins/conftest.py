"""Packages installed for one test: a module and a dist-info folder on the import path, as pip leaves them."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path

import pytest

from hub import plugins
from hub.mapping import vias

CONNECTOR = """
from hub.sdk import ApiKey, CheckResult, Connector, Manifest

class Demo(Connector):
    manifest = Manifest(
        id="{id}", label="Demo", version="1.0.0", owner="demo", docs_url="https://example.com/docs",
        config_schema={{"type": "object", "properties": {{"base_url": {{"type": "string", "title": "Address"}}}}}},
        requires_sdk="{requires_sdk}",
    )

    def check(self):
        return CheckResult(ok=True)
"""


class Packages:
    """A folder on the import path into which packages are installed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.modules: list[str] = []

    def install(self, dist: str, code: str, entry_points: dict[str, dict[str, str]], version: str = "1.0") -> None:
        """Install a package of one module; entry points are {group: {name: attribute of the module}}."""
        module = dist.replace("-", "_")
        self.modules.append(module)
        (self.folder / f"{module}.py").write_text(textwrap.dedent(code))
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n")
        lines: list[str] = []
        for group, points in entry_points.items():
            lines += [f"[{group}]", *(f"{name} = {module}:{attribute}" for name, attribute in points.items())]
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")

    def connector(self, dist: str, name: str, *, id: str = "", requires_sdk: str = ">=1,<2") -> None:  # noqa: A002
        """Install a working connector."""
        code = CONNECTOR.format(id=id or name, requires_sdk=requires_sdk)
        self.install(dist, code, {"hub.connectors": {name: "Demo"}})


def _forget() -> None:
    plugins.forget()
    vias.plugin_transforms.cache_clear()


@pytest.fixture
def packages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    made = Packages(tmp_path)
    _forget()
    yield made
    _forget()
    for module in made.modules:
        sys.modules.pop(module, None)
