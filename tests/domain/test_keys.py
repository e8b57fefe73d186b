"""Keys that are too long for their column stay different."""

from __future__ import annotations

import pytest

from hub.domain.keys import fitting


def test_a_key_that_fits_stays_as_it_is() -> None:
    assert fitting("k" * 40, 40) == "k" * 40


@pytest.mark.parametrize("last", ["a", "ab", "\ud800"])
def test_longer_keys_that_begin_alike_stay_different(last: str) -> None:
    one, other = fitting("k" * 300, 200), fitting("k" * 300 + last, 200)
    assert one != other
    assert (len(one), len(other)) == (200, 200)
    assert fitting("k" * 300 + last, 200) == other, "and the same one stays the same"
