"""Document numbers: short, unambiguous to read aloud, unique for all practical purposes (2^50 with ten letters)."""

from __future__ import annotations

import hashlib
import secrets

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def number(prefix: str, key: str = "", *, letters: int = 10) -> str:
    """A number such as TR-7K3QX0M2AB. The same `key` gives the same one, so that a repeated request is found."""
    drawn = hashlib.sha256(f"{prefix}:{key}".encode()).digest() if key else secrets.token_bytes(letters)
    return f"{prefix}-" + "".join(_ALPHABET[one % len(_ALPHABET)] for one in drawn[:letters])
