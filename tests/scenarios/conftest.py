"""The town is there for every scenario."""

from __future__ import annotations

from tests.scenarios.test_main_road import town

__all__ = ["town"]
