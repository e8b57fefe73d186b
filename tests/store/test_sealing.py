"""Secrets at rest: sealed for one row, by a key that is not in the database."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.store.sealing import Keyring, WrongKeyError, new_key

OLD, NEW = new_key("2025"), new_key("2026")


def flip(sealed: bytes, at: int) -> bytes:
    box = bytearray(sealed)
    box[at] ^= 1
    return bytes(box)


@settings(max_examples=30)
@given(
    st.recursive(st.text() | st.integers(-(2**53), 2**53) | st.none(), lambda inner: st.dictionaries(st.text(), inner))
)
def test_what_is_sealed_opens_again(value):
    keyring = Keyring.parse(NEW)
    assert keyring.open(keyring.seal(value, "row-1"), "row-1") == value


def test_the_same_secret_never_looks_the_same_and_never_shows():
    keyring = Keyring.parse(NEW)
    first, second = keyring.seal("hunter22", "row-1"), keyring.seal("hunter22", "row-1")
    assert first != second
    assert b"hunter22" not in first + second


def test_a_row_that_was_swapped_does_not_open():
    keyring = Keyring.parse(NEW)
    with pytest.raises(WrongKeyError, match="row-2 do not open"):
        keyring.open(keyring.seal("secret", "row-1"), "row-2")


def test_every_flipped_bit_is_noticed():
    keyring = Keyring.parse(NEW)
    sealed = keyring.seal("secret", "row-1")
    for at in range(len(sealed)):
        with pytest.raises(WrongKeyError):
            keyring.open(flip(sealed, at), "row-1")


@pytest.mark.parametrize(
    "sealed", [b"", b"plain", b"v1|a|b", b"v2|2026|AAAA|AAAA", b"v1|2026|%%|%%", b"v1|\xff|AAAA|AAAA"]
)
def test_what_was_never_sealed_is_said_to_be_damaged(sealed):
    with pytest.raises(WrongKeyError, match="row-1 are damaged"):
        Keyring.parse(NEW).open(sealed, "row-1")


def test_a_missing_key_says_which_one_and_where_to_put_it():
    sealed = Keyring.parse(OLD).seal("secret", "row-1")
    with pytest.raises(WrongKeyError, match=r"'2025'.*at hand are 2026.*ORDERHUB_KEYS, after the new one"):
        Keyring.parse(NEW).open(sealed, "row-1")


def test_a_rotated_keyring_opens_the_old_and_seals_with_the_new():
    sealed = Keyring.parse(OLD).seal("secret", "row-1")
    both = Keyring.parse(f"{NEW}, {OLD}")
    assert both.open(sealed, "row-1") == "secret"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal("secret", "row-1"))


def test_another_key_of_the_same_name_does_not_open():
    sealed = Keyring.parse(NEW).seal("secret", "row-1")
    with pytest.raises(WrongKeyError, match="do not open with key '2026'"):
        Keyring.parse(new_key("2026")).open(sealed, "row-1")


SHORT = base64.urlsafe_b64encode(b"x" * 31).decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no key"),
        (" , ", "there is no key"),
        ("no-colon", "must look like"),
        ("a:", "must look like"),
        ("a:%%%", "must look like"),
        ("a:abc", "must look like"),
        (f"a:{SHORT}", "must look like"),
        (NEW.replace("2026", "a|b"), "must look like"),
        (NEW.removeprefix("2026"), "must look like"),
        (f"{NEW},{NEW}", "two keys are called 2026"),
    ],
    ids=["empty", "blank", "no colon", "no key", "no base64", "few", "short", "bar in name", "no name", "twice"],
)
def test_a_bad_key_is_refused_without_showing_it(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        Keyring.parse(text)
    assert NEW.partition(":")[2] not in str(caught.value)


def test_keys_are_not_printed():
    printed = repr(Keyring.parse(NEW))
    assert NEW.partition(":")[2] not in printed
    assert "\\x" not in printed
