"""Settings: people, API keys, sessions, one's own password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.flows import operate
from hub.flows.operate import NotDoneError
from hub.store import people
from hub.store.people import UnknownKeyError, UnknownPersonError
from hub.web import passwords, sessions
from hub.web.context import RANK, caller, console
from hub.web.signin import account_errors

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

ROLES = (
    ("viewer", "Viewer: may look at everything but contact data"),
    ("packer", "Packer: may also download labels"),
    ("ops", "Ops: may also work on orders, problems and stock"),
    ("manager", "Manager: may also change connections and locations, and cancel"),
    ("owner", "Owner: may also let people and programs in"),
)


@blueprint.get("/")
def show() -> Any:
    return _page()


def _page(
    errors: dict[str, str] | None = None, given: dict[str, str] | None = None, new_key: str = "", new_link: str = ""
) -> str:
    runtime, owner = console().runtime, caller().may("owner")
    with runtime.db.read() as tx:
        found = people.people(tx) if owner else []
        keys = people.keys(tx) if owner else []
        open_sessions = people.open_sessions(tx, [one.id for one in found] or [caller().id], runtime.clock())
    return render_template(
        "settings/show.html",
        people=found,
        keys=keys,
        sessions=open_sessions,
        roles=ROLES,
        errors=errors or {},
        given=given or {},
        new_key=new_key,
        new_link=new_link,
        now=runtime.clock(),
    )


@blueprint.post("/password")
def change_password() -> Any:
    runtime = console().runtime
    old, new = (request.form.get(name, "")[: passwords.LONGEST + 1] for name in ("old", "new"))
    with runtime.db.read() as tx:
        me = people.by_id(tx, caller().id)
    if me is None:
        abort(404)
    if console().sign_ins.take(f"password:{me.id}"):
        abort(429)
    if not passwords.fits(me.password_hash, old):
        return _page({"old": "This is not your password."}), 422
    weak = passwords.fault(new, me.email)
    if weak:
        return _page({"new": weak}), 422
    made = passwords.hashed(new)
    with runtime.db.begin() as tx:
        people.set_password(tx, me.id, made)
    # Every session is over, this one too; the browser at hand gets a new one.
    answer = sessions.start(redirect(url_for("settings.show")), me.id)
    flash("The password is changed, and you are signed out everywhere else.", "done")
    return answer


@blueprint.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    operate.sign_out(console().runtime, caller().id)
    return sessions.end(redirect(url_for("signin.sign_in")))


@blueprint.post("/sign-out-everybody")
def sign_out_everybody() -> Response:
    operate.sign_out(console().runtime)
    return sessions.end(redirect(url_for("signin.sign_in")))


@blueprint.post("/people")
def add_person() -> Any:
    runtime = console().runtime
    given = {name: request.form.get(name, "").strip()[:255] for name in ("email", "name", "role")}
    password = request.form.get("password", "")
    errors = account_errors(given["email"], password)
    if given["role"] not in RANK:
        errors["role"] = "Choose a role."
    with runtime.db.read() as tx:
        if people.by_email(tx, given["email"]) is not None:
            errors["email"] = "There is an account with this e-mail address."
    if errors:
        return _page(errors, given), 422
    operate.add_person(runtime, **given, password_hash=passwords.hashed(password))
    flash(
        f"{given['email']} may come in now. Hand over the password in person; it can be changed under Settings.", "done"
    )
    return redirect(url_for("settings.show"))


@blueprint.post("/people/<person_id>")
def change_person(person_id: str) -> Response:
    role, active = request.form.get("role", ""), request.form.get("active") == "yes"
    try:
        found = operate.change_person(console().runtime, person_id, role=role, active=active)
        flash(f"{found.email} is {'now ' + found.role if active else 'shut out, and signed out everywhere'}.", "done")
    except UnknownPersonError:
        abort(404)
    except NotDoneError as error:
        flash(f"{error}.", "error")
    return redirect(url_for("settings.show"))


@blueprint.post("/people/<person_id>/link")
def make_link(person_id: str) -> Any:
    """Make a one-time link to a new password; it is on this one page and nowhere else."""
    try:
        path = operate.link_for(console().runtime, person_id)
    except UnknownPersonError:
        abort(404)
    except NotDoneError as error:
        flash(f"{error}.", "error")
        return redirect(url_for("settings.show"))
    return _page(new_link=request.host_url.rstrip("/") + path)


@blueprint.post("/keys")
def add_key() -> Any:
    """Make a key; its text is on this one page and nowhere else."""
    name, role = request.form.get("key_name", "").strip()[:120], request.form.get("key_role", "")
    if not name or role not in RANK:
        return _page({"key_name": "Say what the key is for, and choose a role."}), 422
    return _page(new_key=operate.add_key(console().runtime, name, role))


@blueprint.post("/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    try:
        operate.revoke_key(console().runtime, key_id)
        flash("The key does not work any more.", "done")
    except UnknownKeyError:
        flash("The key had stopped working before.", "done")
    return redirect(url_for("settings.show"))
