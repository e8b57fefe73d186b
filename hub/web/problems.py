"""Errors as the API tells them (RFC 9457)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from flask import Response
from werkzeug.http import HTTP_STATUS_CODES

TYPE = "application/problem+json"


class Problem(Exception):
    """Something the API refuses. `detail` says what to do; `errors` name places in the request."""

    def __init__(self, status: int, detail: str, errors: Sequence[dict[str, str]] = (), **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.more = more


def answer(problem: Problem) -> Response:
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTP_STATUS_CODES.get(problem.status, "Error"),
        "status": problem.status,
        "detail": problem.detail,
        **({"errors": problem.errors} if problem.errors else {}),
        **problem.more,
    }
    response = Response(orjson.dumps(body), problem.status, content_type=TYPE)
    if problem.status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="orderhub"'
    return response
