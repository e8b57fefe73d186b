"""Passwords: argon2id, at least twelve characters, and none that everybody tries first."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

SHORTEST = 12
LONGEST = 200
_COMMON = """
    password1234 123456789012 1234567890123 qwertyuiop12 qwertyuiop123 passwordpassword letmeinletmein administrator
    adminadminadmin welcome12345 iloveyou1234 abcdefghijkl orderhub1234 orderhuborderhub changemechangeme 111111111111
    000000000000 qwerty123456 1q2w3e4r5t6y password12345 passw0rd1234
"""
COMMON = frozenset(_COMMON.split())
_hasher = PasswordHasher()  # argon2id with the library's current costs
# Checked for e-mail addresses that nobody has, so that a miss takes as long as a wrong password.
_nobody = _hasher.hash("there is no such person")


def fault(password: str, email: str = "") -> str | None:
    """What is wrong with a new password, or None."""
    if len(password) < SHORTEST:
        return f"A password has at least {SHORTEST} characters; a few words in a row are easiest to remember."
    if len(password) > LONGEST:
        return f"A password has at most {LONGEST} characters."
    plain = password.casefold()
    if plain in COMMON or len(set(plain)) < 4 or (email and plain == email.casefold()):
        return "This password is among the first that are tried. Choose another one."
    return None


def hashed(password: str) -> str:
    return _hasher.hash(password)


def fits(stored: str | None, password: str) -> bool:
    """Whether the password is the stored one; takes the same time when nothing is stored, where none fits."""
    try:
        return _hasher.verify(stored or _nobody, password) and bool(stored)
    except (VerifyMismatchError, VerificationError, InvalidHashError):
        return False


def is_old(stored: str) -> bool:
    """Whether the hash was made with lower costs than today's."""
    return _hasher.check_needs_rehash(stored)
