"""Pages that say no."""

from __future__ import annotations

from flask import Response, render_template

SAID = {
    403: ("Not for your role", "Ask an owner of this hub if you need to do this."),
    404: ("Nothing here", "There is no such page, or it is gone."),
    413: ("Too large", "What was sent is larger than this hub takes."),
    429: ("Too many tries", "Wait a minute and try again."),
}


def page(code: int, title: str, words: str) -> Response:
    return Response(render_template("error.html", code=code, title=title, words=words), code, content_type="text/html")


def missing() -> Response:
    """For error handlers, which cannot abort."""
    return page(404, *SAID[404])
