"""The published material of the platforms, read beside the project and never copied into it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3] / "shared" / "contracts"
_COUNTS: Counter[tuple[str, str]] = Counter()


@pytest.fixture
def contracts() -> Path:
    """The folder with the published material; the test is skipped where it is absent."""
    if not ROOT.is_dir():
        pytest.skip(f"the published platform material is not beside the project ({ROOT})")
    return ROOT


@pytest.fixture
def count() -> Callable[..., None]:
    """Counts what was held to a published contract, such as ("Shopify", "order payloads mapped", 3)."""

    def add(platform: str, what: str, number: int = 1) -> None:
        _COUNTS[platform, what] += number

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _COUNTS:
        terminalreporter.section("published contracts")
        for (platform, what), number in sorted(_COUNTS.items()):
            terminalreporter.write_line(f"{platform:<12} {what:<60} {number:>6}")
