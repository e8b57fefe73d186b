"""Settings: people, API keys, sessions, one's own password."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from hub.store import people
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


def _page(errors: dict[str, str] | None = None, given: dict[str, str] | None = None, new_key: str = "") -> str:
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
    with console().runtime.db.begin() as tx:
        people.close_sessions(tx, caller().id)
    return sessions.end(redirect(url_for("signin.sign_in")))


@blueprint.post("/sign-out-everybody")
def sign_out_everybody() -> Response:
    with console().runtime.db.begin() as tx:
        people.close_sessions(tx)
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
    made = passwords.hashed(password)
    with runtime.db.begin() as tx:
        people.add_person(tx, **given, password_hash=made, now=runtime.clock())
    flash(
        f"{given['email']} may come in now. Hand over the password in person; it can be changed under Settings.", "done"
    )
    return redirect(url_for("settings.show"))


@blueprint.post("/people/<person_id>")
def change_person(person_id: str) -> Response:
    role, active = request.form.get("role", ""), request.form.get("active") == "yes"
    with console().runtime.db.begin() as tx:
        found = people.by_id(tx, person_id)
        if found is None or role not in RANK:
            abort(404)
        loses = found.role == "owner" and found.active and not (role == "owner" and active)
        if loses and not people.other_owners(tx, person_id):
            flash("This is the last owner: make somebody else an owner first.", "error")
        else:
            people.change_person(tx, person_id, role=role, active=active)
            flash(f"{found.email} is {'now ' + role if active else 'shut out, and signed out everywhere'}.", "done")
    return redirect(url_for("settings.show"))


@blueprint.post("/keys")
def add_key() -> Any:
    """Make a key; its text is on this one page and nowhere else."""
    runtime = console().runtime
    name, role = request.form.get("key_name", "").strip()[:120], request.form.get("key_role", "")
    if not name or role not in RANK:
        return _page({"key_name": "Say what the key is for, and choose a role."}), 422
    with runtime.db.begin() as tx:
        made = people.add_key(tx, name, role, runtime.clock())
    return _page(new_key=made)


@blueprint.post("/keys/<key_id>/revoke")
def revoke_key(key_id: str) -> Response:
    runtime = console().runtime
    with runtime.db.begin() as tx:
        done = people.revoke_key(tx, key_id, runtime.clock())
    flash("The key does not work any more." if done else "The key had stopped working before.", "done")
    return redirect(url_for("settings.show"))
