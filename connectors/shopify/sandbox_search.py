"""The part of Shopify's search grammar that the connector uses: bounds on updated_at, joined by AND."""

from __future__ import annotations

import operator
import re
from datetime import datetime

from connectors.shopify.sandbox_graphql import QueryError

_BOUND = re.compile(r"updated_at:(>=|<=|>|<)'([^']+)'")
_TESTS = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


def changed_between(query: str | None, moment: datetime) -> bool:
    """Whether a time of change lies within all bounds of a search text. Raises QueryError for other terms."""
    text = query or ""
    if _BOUND.sub("", text).replace("AND", "").strip():
        raise QueryError(f"the sandbox cannot search for {text!r}", "BAD_REQUEST")
    return all(_TESTS[sign](moment, datetime.fromisoformat(bound)) for sign, bound in _BOUND.findall(text))
