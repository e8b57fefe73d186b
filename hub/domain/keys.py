"""Keys that make a thing happen once."""

from __future__ import annotations

import hashlib


def fitting(key: str, most: int) -> str:
    """The key in at most so many characters (34 or more): a longer one is told apart by the hash of the whole."""
    if len(key) <= most:
        return key
    mark = hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]
    return f"{key[: most - 33]}:{mark}"
