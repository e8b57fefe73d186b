"""What CSV files of people have in common."""

from __future__ import annotations

import re

from hub.flows.operate.errors import NotDoneError

NOT_UTF8 = "this is no CSV file in UTF-8: save it as such, in a spreadsheet as CSV UTF-8"
_WHOLE = re.compile(r"[+-]?[0-9]{1,18}")


def text_of(content: bytes) -> str:
    """The text of a file. Raises NotDoneError for one in another encoding, in which names would be misread."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotDoneError(NOT_UTF8) from error


def whole(text: str) -> int | None:
    """A whole number in plain digits; None for anything else, such as 1_0, 12.0 or 1e2."""
    return int(text) if _WHOLE.fullmatch(text.strip()) else None
