"""People and API keys: who may come in, what they may do, and the way back in for who lost the password."""

from __future__ import annotations

from hub.flows.operate.errors import NotDoneError
from hub.flows.runtime import Runtime
from hub.store import people
from hub.store.errors import IntegrityError
from hub.store.people import ApiKeyRow, Person, UnknownKeyError
from hub.store.tables.people import ROLES


def email_fault(email: str) -> str:
    """What is wrong with an e-mail address; empty when nothing is."""
    name, at, host = email.partition("@")
    if not (name and at and "." in host) or any(mark.isspace() for mark in email) or len(email) > 255:
        return "This must be an e-mail address such as anna@example.com."
    return ""


def add_person(runtime: Runtime, email: str, *, role: str, name: str = "", password_hash: str = "") -> str:
    """Let somebody in; the id. Without a password hash they choose a password by a one-time link."""
    wrong = email_fault(email)
    if wrong:
        raise NotDoneError(wrong)
    _check_role(role)
    try:
        with runtime.db.begin() as tx:
            return people.add_person(
                tx, email=email, name=name, role=role, password_hash=password_hash, now=runtime.clock()
            )
    except IntegrityError as error:
        raise NotDoneError(f"there is an account with the e-mail address {email}") from error


def link_for(runtime: Runtime, key: str) -> str:
    """The path of a page where this person chooses a new password, once and within a day.

    The password of before works until then. Raises UnknownPersonError.
    """
    with runtime.db.begin() as tx:
        found = people.get(tx, key)
        if not found.active:
            raise NotDoneError(f"{found.email} is shut out: let them in again first")
        return f"/new-password/{people.make_link(tx, runtime.clock(), found.id)}"


def change_person(runtime: Runtime, key: str, *, role: str | None = None, active: bool | None = None) -> Person:
    """Change what somebody may do, shut them out, or let them in again; how they stand now.

    Counts at once: who is shut out is signed out everywhere. Raises UnknownPersonError, and NotDoneError when nobody
    would be left who can let people in.
    """
    with runtime.db.begin() as tx:
        owners, found = people.owners(tx), people.get(tx, key)
        new_role, new_active = role or found.role, found.active if active is None else active
        _check_role(new_role)
        if owners == [found.id] and (new_role != "owner" or not new_active):
            raise NotDoneError(f"{found.email} is the last owner: make somebody else an owner first")
        people.change_person(tx, found.id, role=new_role, active=new_active)
        return people.get(tx, found.id)


def sign_out(runtime: Runtime, key: str = "") -> int:
    """End every session of a person, or of everybody; how many there were. Raises UnknownPersonError."""
    with runtime.db.begin() as tx:
        return people.close_sessions(tx, people.get(tx, key).id if key else None)


def add_key(runtime: Runtime, name: str, role: str) -> str:
    """A key for a program; its text, which is shown this once and not kept."""
    _check_role(role)
    if not name.strip():
        raise NotDoneError("say what the key is for")
    with runtime.db.begin() as tx:
        return people.add_key(tx, name[:120], role, runtime.clock())


def revoke_key(runtime: Runtime, key: str) -> ApiKeyRow:
    """Stop a key at once; `key` is its id, its name or its last characters. Raises UnknownKeyError."""
    with runtime.db.begin() as tx:
        live = [one for one in people.keys(tx) if one.revoked_at is None]
        fitting = [one for one in live if one.id == key] or [one for one in live if key in (one.name, one.hint)]
        if not fitting:
            raise UnknownKeyError(key)
        if len(fitting) > 1:
            which = ", ".join(f"{one.name} …{one.hint}: {one.id}" for one in fitting)
            raise NotDoneError(f"{len(fitting)} keys are called {key!r}; say which by its id ({which})")
        people.revoke_key(tx, fitting[0].id, runtime.clock())
        return fitting[0]


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise NotDoneError(f"there is no role {role!r}; there are {', '.join(ROLES)}")
