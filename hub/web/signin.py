"""Signing in: the one-time link of the first start, then e-mail and password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.flows import operate
from hub.store import people
from hub.store.people import Person
from hub.web import passwords, sessions
from hub.web.context import caller, console

blueprint = Blueprint("signin", __name__)

# One answer for every miss, so that it tells nobody which addresses exist.
REFUSED = "That did not work. Check e-mail and password; after five wrong tries wait some minutes before the next."


@blueprint.route("/sign-in", methods=["GET", "POST"])
def sign_in() -> Any:
    target = _local(request.values.get("next", ""))
    if request.method == "GET":
        if sessions.find() is not None:
            return redirect(target)
        with console().runtime.db.read() as tx:
            empty = not people.has_people(tx)
        return render_template("sign_in.html", next=target, email="", error="", empty=empty)
    if console().sign_ins.take(request.remote_addr or ""):
        abort(429)
    email = request.form.get("email", "")[:255]
    found = _with_password(email, request.form.get("password", "")[: passwords.LONGEST])
    if found is None:
        page = render_template("sign_in.html", next=target, email=email, error=REFUSED, empty=False)
        return page, 401
    return sessions.start(redirect(target), found.id)


@blueprint.route("/first-run/<token>", methods=["GET", "POST"])
def first_run(token: str) -> Any:
    """Make the owner's account. The link works once and for a day."""
    runtime = console().runtime
    with runtime.db.read() as tx:
        if not people.is_setup_link(tx, token, runtime.clock()):
            return render_template("first_run.html", dead=True, errors={}, given={}), 404
    if request.method == "GET":
        return render_template("first_run.html", dead=False, errors={}, given={})
    given = {name: request.form.get(name, "").strip()[:255] for name in ("email", "name")}
    password = request.form.get("password", "")
    errors = account_errors(given["email"], password)
    with runtime.db.read() as tx:
        if people.by_email(tx, given["email"]) is not None:
            errors["email"] = "There is an account with this e-mail address: sign in with it."
    if errors:
        return render_template("first_run.html", dead=False, errors=errors, given=given), 422
    made = passwords.hashed(password)
    with runtime.db.begin() as tx:
        if not people.is_setup_link(tx, token, runtime.clock()) or not people.use_link(tx, token, runtime.clock()):
            abort(404)
        person_id = people.add_person(tx, **given, role="owner", password_hash=made, now=runtime.clock())
    return sessions.start(redirect(url_for("home.start")), person_id)


@blueprint.route("/new-password/<token>", methods=["GET", "POST"])
def new_password(token: str) -> Any:
    """Choose a password, by a link that an owner or the command line made. It works once and for a day."""
    runtime = console().runtime
    with runtime.db.read() as tx:
        person = people.link_person(tx, token, runtime.clock())
    if person is None:
        return render_template("new_password.html", person=None, error=""), 404
    if request.method == "GET":
        return render_template("new_password.html", person=person, error="")
    password = request.form.get("password", "")
    weak = passwords.fault(password, person.email)
    if weak:
        return render_template("new_password.html", person=person, error=weak), 422
    made = passwords.hashed(password)
    with runtime.db.begin() as tx:
        if not people.use_link(tx, token, runtime.clock()):
            abort(404)
        people.set_password(tx, person.id, made)
    return sessions.start(redirect(url_for("home.start")), person.id)


@blueprint.post("/sign-out")
def sign_out() -> Response:
    with console().runtime.db.begin() as tx:
        people.close_session(tx, caller().session_id)
    return sessions.end(redirect(url_for("signin.sign_in")))


def account_errors(email: str, password: str) -> dict[str, str]:
    """What is wrong with a new account, by field."""
    errors: dict[str, str] = {}
    wrong = operate.email_fault(email)
    if wrong:
        errors["email"] = wrong
    weak = passwords.fault(password, email)
    if weak:
        errors["password"] = weak
    return errors


def _with_password(email: str, password: str) -> Person | None:
    """The person, if the password is theirs and the account is open. Counts what goes wrong."""
    runtime = console().runtime
    now = runtime.clock()
    with runtime.db.read() as tx:
        found = people.by_email(tx, email)
    locked = found is not None and found.locked_until is not None and found.locked_until > now
    right = passwords.fits(found.password_hash if found else None, password)
    if found is None or locked or not found.active:
        return None
    with runtime.db.begin() as tx:
        if not right:
            people.sign_in_failed(tx, found.id, now)
            return None
        people.sign_in_succeeded(tx, found.id)
        if passwords.is_old(found.password_hash):
            people.rehash(tx, found.id, passwords.hashed(password))
    return found


def _local(target: str) -> str:
    """Where to go after signing in: an address of this console, never another host's."""
    inside = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if inside else url_for("home.start")
