"""Countries as shops write them, as ISO 3166-1 alpha-2 codes."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any

from babel import Locale
from babel.core import get_global

# Regions of CLDR that are not countries, though they have two letters.
_NOT_COUNTRIES = {"CP", "CQ", "DG", "EA", "EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}

# English first: it wins where a name means two countries. The others are the languages of large shop countries.
_LANGUAGES = (
    "en", "de", "fr", "es", "it", "nl", "pt", "pl", "sv", "da", "nb", "fi", "cs", "sk", "hu", "ro", "el", "tr", "bg",
    "hr", "sl", "et", "lv", "lt", "uk", "ja", "ko", "zh", "ar", "he",
)  # fmt: skip

# Names in use that CLDR lists in none of these languages: former, formal and everyday ones.
_ALSO = {
    "america": "US",
    "united states of america": "US",
    "britain": "GB",
    "england": "GB",
    "great britain": "GB",
    "northern ireland": "GB",
    "scotland": "GB",
    "wales": "GB",
    "united kingdom of great britain and northern ireland": "GB",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "turkey": "TR",
    "russian federation": "RU",
    "viet nam": "VN",
    "korea": "KR",
    "south korea": "KR",
    "republic of korea": "KR",
    "korea republic of": "KR",
    "republic of ireland": "IE",
    "macedonia": "MK",
    "swaziland": "SZ",
    "cape verde": "CV",
    "ivory coast": "CI",
    "burma": "MM",
    "hong kong": "HK",
    "macau": "MO",
    "macao": "MO",
    "moldova republic of": "MD",
    "tanzania united republic of": "TZ",
    "iran islamic republic of": "IR",
    "bolivia plurinational state of": "BO",
    "venezuela bolivarian republic of": "VE",
    "taiwan province of china": "TW",
    "palestine": "PS",
    "vatican": "VA",
    "brunei darussalam": "BN",
    "syrian arab republic": "SY",
    "lao peoples democratic republic": "LA",
    "peoples republic of china": "CN",
}


def country(value: Any) -> str:
    """The alpha-2 code of a country given as alpha-2, alpha-3, number or name. Raises ValueError for any other."""
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a country")  # noqa: TRY004 - wrong data, not a wrong call
    code = value.strip().upper()
    if code in _codes():
        return code
    found = _former(code) or _named(_plain(value))
    if found is None:
        raise ValueError(f"{value!r} is not a country that is known")
    return found


@cache
def _codes() -> frozenset[str]:
    former = get_global("territory_aliases")
    return frozenset(
        code
        for code in _regions("en")
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES and code not in former
    )


def _former(code: str) -> str | None:
    """The country of an alpha-3, numeric or replaced code that stands for one country only."""
    now = get_global("territory_aliases").get(code, ())
    return now[0] if len(now) == 1 and now[0] in _codes() else None


@cache
def _named(name: str) -> str | None:
    if name in _ALSO:
        return _ALSO[name]
    for language in _LANGUAGES:
        code = _names(language).get(name)
        if code:
            return code
    return None


def _regions(language: str) -> dict[str, str]:
    return {str(code): str(name) for code, name in Locale(language).territories.items()}


@cache
def _names(language: str) -> dict[str, str]:
    regions = _regions(language)
    return {_plain(regions[code]): code for code in sorted(_codes()) if code in regions}


def _plain(name: str) -> str:
    """A name without accents, punctuation and case."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("&", " and "))
    kept = "".join(
        letter if letter.isalnum() else "" if letter in "'\u2019." or unicodedata.combining(letter) else " "
        for letter in letters
    )
    return " ".join(kept.split())
