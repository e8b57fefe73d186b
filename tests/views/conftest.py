"""The same hub as for what people do."""

from tests.operate.conftest import desk

__all__ = ["desk"]
