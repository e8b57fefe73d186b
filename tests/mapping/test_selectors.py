"""Selectors: plain paths give what JMESPath gives, without it."""

from __future__ import annotations

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.mapping.selectors import Env, compile_selector

NAMES = st.sampled_from(["a", "b", "c"])
RECORDS = st.recursive(
    st.none() | st.integers(0, 3) | st.just("x") | st.booleans(),
    lambda inner: st.dictionaries(NAMES, inner, max_size=3) | st.lists(inner, max_size=3),
    max_leaves=12,
)
STEPS = st.lists(NAMES.map(lambda name: f".{name}") | st.integers(-3, 3).map(lambda n: f"[{n}]"), max_size=4)


def select(text, record, root=None, parent=None):
    return compile_selector(text, nested=True)(record, Env(root, parent, record))


@given(NAMES, STEPS, RECORDS)
def test_a_plain_path_selects_what_jmespath_selects(first, steps, record):
    path = first + "".join(steps)
    assert select(path, record) == jmespath.search(path, record)


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("@", {"a": [1, 2], "b-c": {"d": 3}}),
        ('"b-c".d', 3),
        ("a[*]", [1, 2]),
        ("length(a)", 2),
        ("a[?@ > `1`] | [0]", 2),
        ("$root", {"x": 1}),
        ("$root.x", 1),
        ("$parent.p[1]", 8),
        ("$parent", {"p": [7, 8]}),
        ("$this.a[-1]", 2),
        ("$root.x || $root.y", None),
    ],
)
def test_selectors_read_the_object_they_are_bound_to(selector, expected):
    record = {"a": [1, 2], "b-c": {"d": 3}}
    if selector.count("$") > 1:
        with pytest.raises(ValueError, match="is not JMESPath"):
            select(selector, record)
        return
    assert select(selector, record, root={"x": 1}, parent={"p": [7, 8]}) == expected
