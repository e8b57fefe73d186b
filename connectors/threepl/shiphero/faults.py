"""What ShipHero's errors mean for the hub.

Failures come with HTTP 200, a list of errors and null data. Source:
https://developer.shiphero.com/troubleshooting/error-glossary/, read 2026-11-22. The page tells people to look errors up
by their message, and its own example gives one number to things that are not alike, so the message decides here and
the number only where the message says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from hub.sdk import Response, errors

CREDITS = 30  # the one number that always means the same: too few credits
CREDITS_A_SECOND = 60

_TOO_FEW_CREDITS = re.compile(r"(enough|not sufficient|insufficient).*credits", re.IGNORECASE)
_BAD_TOKEN = re.compile(
    r"\b(token|jwt|signature)\b.*\b(expired|invalid|malformed|missing)\b|unauthenticated|"
    r"\b(expired|invalid)\b.*\btoken\b|authentication|log ?in required",
    re.IGNORECASE,
)
_FORBIDDEN = re.compile(
    r"permission|not authorized|unauthorized|not allowed to|missing scope|required scope|forbidden", re.IGNORECASE
)
_MISSING = re.compile(r"not found|does ?n[o']t exist|no such|could not find", re.IGNORECASE)
_DOUBLE = re.compile(r"already exists?|duplicate|already been (created|imported|registered)", re.IGNORECASE)
_BROKEN = re.compile(
    r"unexpected|internal (server )?error|time[d ]?-? ?out|try again|unavailable|unhandled", re.IGNORECASE
)
_OTHER_SCHEMA = re.compile(
    r"cannot query field|unknown (argument|type|field)|syntax error|expected type", re.IGNORECASE
)
_SECONDS = re.compile(r"(\d+(?:\.\d+)?)")


def classify(operation: str, complaints: Sequence[Mapping[str, Any]], *, safe: bool) -> errors.ConnectorError:
    """The error class of a failed operation; `safe` says that it only reads or may be repeated."""
    if not complaints:
        said = f"{operation}: ShipHero answered with neither data nor an error"
        return errors.NotFound(said) if safe else errors.OutcomeUnknown(said)
    first = next((item for item in complaints if item.get("code") == CREDITS), complaints[0])
    message, code = str(first.get("message", "")), first.get("code")
    said = f"{operation}: {message}" + (f" (request {first['request_id']})" if first.get("request_id") else "")
    if code == CREDITS or _TOO_FEW_CREDITS.search(message):
        return errors.RateLimited(said, wait_s(first), "graphql")
    if _OTHER_SCHEMA.search(message):
        return errors.SchemaDrift(said, operation)
    if _DOUBLE.search(message):
        return errors.AlreadyDone(said)
    if _MISSING.search(message) or code == 4:
        return errors.NotFound(said)
    if _BAD_TOKEN.search(message):
        return errors.AuthRejected(said)
    if _FORBIDDEN.search(message):
        return errors.MissingPermission(said)
    if _BROKEN.search(message):
        return errors.Transient(said) if safe else errors.OutcomeUnknown(said)
    return errors.Rejected(said, vendor_code=str(code or ""), field=str(first.get("field") or ""))


def is_dead_token(response: Response) -> bool:
    """Whether an answer refuses the access token, with HTTP 401 or with HTTP 200, errors and null data."""
    if b'"errors"' not in response.body:
        return False
    try:
        answer = orjson.loads(response.body)
        has_data = any((answer.get("data") or {}).values())
        return not has_data and isinstance(classify("", answer["errors"], safe=True), errors.AuthRejected)
    except (orjson.JSONDecodeError, AttributeError, TypeError, KeyError):
        return False


def wait_s(complaint: Mapping[str, Any]) -> float:
    """Seconds until there are enough credits: as stated, else from the credits that are missing."""
    stated = _SECONDS.search(str(complaint.get("time_remaining", "")))
    if stated:
        return max(1.0, float(stated.group(1)))
    needed, left = complaint.get("required_credits"), complaint.get("remaining_credits")
    if isinstance(needed, int) and isinstance(left, int):
        return max(1.0, (needed - left) / CREDITS_A_SECOND)
    return 10.0
