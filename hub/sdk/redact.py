"""Keeping secrets out of what people and logs get to see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from urllib.parse import quote, quote_plus

import orjson

MASK = "•••"
SHORTEST = 4  # characters; a shorter value would blot out ordinary words


def redactor(secrets: Iterable[str]) -> Callable[[str], str]:
    """A function that masks every one of `secrets`, also URL-encoded, form-encoded or as JSON wrote it."""
    forms = {form for secret in secrets if len(secret) >= SHORTEST for form in _forms(secret)}
    if not forms:
        return lambda text: text
    # The longest first, so that a secret which begins like another is masked whole.
    pattern = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    return lambda text: pattern.sub(MASK, text)


def credential_values(headers: Mapping[str, str]) -> list[str]:
    """The secret parts of headers that carry a credential: their values, with and without "Bearer " before them."""
    return [part for value in headers.values() for part in (value, value.rpartition(" ")[2])]


def _forms(secret: str) -> set[str]:
    escaped = orjson.dumps(secret).decode()[1:-1] if _is_text(secret) else secret
    stripped = secret.strip()
    encoded = {quote(secret, "", errors="replace"), quote_plus(secret, errors="replace")}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), form) for form in encoded}
    return {form for form in {secret, stripped, escaped, *encoded, *lower} if len(form) >= SHORTEST}


def _is_text(secret: str) -> bool:
    try:
        secret.encode()
    except UnicodeEncodeError:
        return False
    return True
