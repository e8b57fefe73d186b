"""Console sessions: the cookie holds 256 random bits, the database their SHA-256, and nothing else is trusted.

Flask's own signed cookie cannot be taken back, so it carries only form tokens and short messages.
"""

from __future__ import annotations

from datetime import timedelta

from flask import request
from flask import session as form_session
from werkzeug.wrappers import Response

from hub.store import people
from hub.web.context import Caller, console

LONGEST = timedelta(days=7)


def cookie_name() -> str:
    """With the prefix, a browser takes the cookie only over HTTPS, for the whole host and for no other."""
    return "__Host-orderhub" if console().settings.cookie_secure else "orderhub"


def find() -> Caller | None:
    """The person whose session the browser shows; None when it shows none that counts."""
    session_id = request.cookies.get(cookie_name(), "")
    if not session_id:
        return None
    runtime, rest = console().runtime, timedelta(hours=console().settings.session_hours)
    now = runtime.clock()
    with runtime.db.read() as tx:
        found = people.session_person(tx, session_id, now, rest)
    if found is None:
        return None
    person, seen_at = found
    if seen_at < now - people.SEEN_EVERY:
        with runtime.db.begin() as tx:
            people.seen(tx, session_id, now)
    return Caller(person.id, person.name or person.email, person.role, session_id)


def start(response: Response, person_id: str) -> Response:
    """Open a session and give the browser its id. Form tokens from before the sign-in stop working."""
    runtime = console().runtime
    with runtime.db.begin() as tx:
        session_id = people.open_session(tx, person_id, runtime.clock(), LONGEST)
    form_session.clear()
    response.set_cookie(
        cookie_name(),
        session_id,
        max_age=LONGEST,
        path="/",
        secure=console().settings.cookie_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def end(response: Response) -> Response:
    """Take the cookie back; the caller has ended the session in the database."""
    form_session.clear()
    response.delete_cookie(
        cookie_name(), path="/", secure=console().settings.cookie_secure, httponly=True, samesite="Lax"
    )
    return response
