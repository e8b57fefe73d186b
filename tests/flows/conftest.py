"""What the tests of single steps share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.flows.scripted import SERVED


@pytest.fixture(autouse=True)
def _no_shop_answers_any_more() -> Iterator[None]:
    yield
    SERVED.close()
