"""Who may come in: people, their sessions, one-time links and API keys.

Of every secret that a browser or a program shows, only the SHA-256 is kept. They are 256 random bits, so a fast hash
is enough; passwords, which are not random, are hashed by the caller with argon2id.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from hub.store.database import Tx, new_id, utcnow
from hub.store.tables import api_key, person, setup_link, web_session

LINK_TIME = timedelta(hours=24)
LOCKED_AFTER = 5  # wrong passwords in a row
FIRST_LOCK = timedelta(minutes=1)
LONGEST_LOCK = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=1)  # a session's last use is written at most this often
KEY_PREFIX = "ohk_"


class UnknownPersonError(KeyError):
    """There is no such person."""

    def __str__(self) -> str:
        return f"there is no person {self.args[0]!r}; `orderhub person list` shows all"


class UnknownKeyError(KeyError):
    """There is no such API key."""

    def __str__(self) -> str:
        return f"there is no API key {self.args[0]!r}; `orderhub api-key list` shows all"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who may come in. `email` is lower case; `password_hash` is empty until a first password is chosen."""

    id: str
    email: str
    name: str
    role: str
    password_hash: str
    active: bool
    failed_sign_ins: int
    locked_until: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKeyRow:
    """A key for programs; its text was shown once and is not kept. `hint` are its last four characters."""

    id: str
    name: str
    hint: str
    role: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


_PERSON = [person.c[name] for name in Person.__slots__]
_KEY = [api_key.c[name] for name in ApiKeyRow.__slots__]


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


# One-time links.


def make_link(tx: Tx, now: datetime | None = None, person_id: str | None = None) -> str:
    """A token that works once within 24 hours: for this person's new password, or for the very first account.

    Links made for the same end before stop working.
    """
    at, token = now or utcnow(), secrets.token_urlsafe(32)
    tx.execute(delete(setup_link).where(setup_link.c.person_id.is_not_distinct_from(person_id)))
    tx.execute(insert(setup_link).values(token_hash=hash_of(token), person_id=person_id, expires_at=at + LINK_TIME))
    return token


def is_setup_link(tx: Tx, token: str, now: datetime) -> bool:
    """Whether the token would still make the first account."""
    query = select(func.count()).where(setup_link.c.token_hash == hash_of(token), *_first_account(now))
    return bool(tx.execute(query).scalar())


def has_setup_link(tx: Tx, now: datetime) -> bool:
    """Whether a link to the first account was made that still works."""
    return bool(tx.execute(select(func.count()).where(*_first_account(now))).scalar())


def _first_account(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return setup_link.c.person_id.is_(None), setup_link.c.used_at.is_(None), setup_link.c.expires_at > now


def link_person(tx: Tx, token: str, now: datetime) -> Person | None:
    """Whose new password the token would still make; nobody who is shut out."""
    query = (
        select(*_PERSON)
        .join(setup_link, setup_link.c.person_id == person.c.id)
        .where(
            setup_link.c.token_hash == hash_of(token),
            setup_link.c.used_at.is_(None),
            setup_link.c.expires_at > now,
            person.c.active.is_(True),
        )
    )
    row = tx.execute(query).first()
    return None if row is None else Person(*row)


def use_link(tx: Tx, token: str, now: datetime) -> bool:
    """Spend the token; True for exactly one of those who try."""
    spent = tx.execute(
        update(setup_link)
        .where(setup_link.c.token_hash == hash_of(token), setup_link.c.used_at.is_(None), setup_link.c.expires_at > now)
        .values(used_at=now)
        .returning(setup_link.c.token_hash)
    )
    return spent.first() is not None


# People.


def add_person(tx: Tx, *, email: str, name: str, role: str, password_hash: str, now: datetime) -> str:
    """Raises IntegrityError when the e-mail address is taken."""
    person_id = new_id()
    tx.execute(
        insert(person).values(
            id=person_id,
            email=email.strip().lower(),
            name=name.strip(),
            role=role,
            password_hash=password_hash,
            created_at=now,
        )
    )
    return person_id


def people(tx: Tx) -> list[Person]:
    """Everybody by e-mail, those who may not come in any more included."""
    return [Person(*row) for row in tx.execute(select(*_PERSON).order_by(person.c.email))]


def has_people(tx: Tx) -> bool:
    return tx.execute(select(person.c.id).limit(1)).first() is not None


def by_email(tx: Tx, email: str) -> Person | None:
    row = tx.execute(select(*_PERSON).where(person.c.email == email.strip().lower())).first()
    return None if row is None else Person(*row)


def by_id(tx: Tx, person_id: str) -> Person | None:
    row = tx.execute(select(*_PERSON).where(person.c.id == person_id)).first()
    return None if row is None else Person(*row)


def get(tx: Tx, key: str) -> Person:
    """The person with that e-mail address or id. Raises UnknownPersonError."""
    found = by_email(tx, key) or by_id(tx, key)
    if found is None:
        raise UnknownPersonError(key)
    return found


def owners(tx: Tx) -> list[str]:
    """Who may let people in, locked until the transaction ends: there must always be one of them."""
    query = select(person.c.id).where(person.c.role == "owner", person.c.active.is_(True)).order_by(person.c.id)
    return list(tx.execute(query.with_for_update()).scalars())


def change_person(tx: Tx, person_id: str, *, role: str, active: bool) -> None:
    """Change what somebody may do; who may not come in any more is signed out everywhere."""
    tx.execute(update(person).where(person.c.id == person_id).values(role=role, active=active))
    if not active:
        close_sessions(tx, person_id)


def set_password(tx: Tx, person_id: str, password_hash: str) -> None:
    """A new password ends every session."""
    tx.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(password_hash=password_hash, failed_sign_ins=0, locked_until=None)
    )
    close_sessions(tx, person_id)


def rehash(tx: Tx, person_id: str, password_hash: str) -> None:
    """The same password under newer costs."""
    tx.execute(update(person).where(person.c.id == person_id).values(password_hash=password_hash))


def sign_in_failed(tx: Tx, person_id: str, now: datetime) -> None:
    """Count a wrong password; the fifth in a row and every further one shuts the account, ever longer."""
    failures = tx.execute(
        update(person)
        .where(person.c.id == person_id)
        .values(failed_sign_ins=person.c.failed_sign_ins + 1)
        .returning(person.c.failed_sign_ins)
    ).scalar_one()
    if failures >= LOCKED_AFTER:
        pause = min(FIRST_LOCK * 2 ** min(failures - LOCKED_AFTER, 4), LONGEST_LOCK)
        tx.execute(update(person).where(person.c.id == person_id).values(locked_until=now + pause))


def sign_in_succeeded(tx: Tx, person_id: str) -> None:
    tx.execute(update(person).where(person.c.id == person_id).values(failed_sign_ins=0, locked_until=None))


# Sessions.


def open_session(tx: Tx, person_id: str, now: datetime, longest: timedelta) -> str:
    """A new session; returns the id that the browser keeps. Sessions that are over are swept out."""
    tx.execute(delete(web_session).where(web_session.c.expires_at <= now))
    session_id = secrets.token_urlsafe(32)
    tx.execute(
        insert(web_session).values(
            id_hash=hash_of(session_id), person_id=person_id, created_at=now, seen_at=now, expires_at=now + longest
        )
    )
    return session_id


def session_person(tx: Tx, session_id: str, now: datetime, rest: timedelta) -> tuple[Person, datetime] | None:
    """Whose session it is and when it was last used; None when it is over, unknown or its owner is shut out.

    `rest` is how long a session may lie idle.
    """
    row = tx.execute(
        select(web_session.c.seen_at, *_PERSON)
        .join(person, person.c.id == web_session.c.person_id)
        .where(
            web_session.c.id_hash == hash_of(session_id),
            web_session.c.expires_at > now,
            web_session.c.seen_at > now - rest,
            person.c.active.is_(True),
        )
    ).first()
    return None if row is None else (Person(*row[1:]), row[0])


def seen(tx: Tx, session_id: str, now: datetime) -> None:
    tx.execute(update(web_session).where(web_session.c.id_hash == hash_of(session_id)).values(seen_at=now))


def close_session(tx: Tx, session_id: str) -> None:
    tx.execute(delete(web_session).where(web_session.c.id_hash == hash_of(session_id)))


def close_sessions(tx: Tx, person_id: str | None = None) -> int:
    """End every session of a person, or of everybody; returns how many there were."""
    query = delete(web_session).returning(web_session.c.id_hash)
    if person_id is not None:
        query = query.where(web_session.c.person_id == person_id)
    return len(tx.execute(query).all())


def open_sessions(tx: Tx, people_ids: Collection[str], now: datetime) -> dict[str, int]:
    """How many sessions each person has open."""
    query = (
        select(web_session.c.person_id, func.count())
        .where(web_session.c.person_id.in_(list(people_ids)), web_session.c.expires_at > now)
        .group_by(web_session.c.person_id)
    )
    return {row[0]: int(row[1]) for row in tx.execute(query)}


# API keys.


def add_key(tx: Tx, name: str, role: str, now: datetime) -> str:
    """A new key; returns its text, which is not kept."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    tx.execute(
        insert(api_key).values(
            id=new_id(), name=name.strip(), key_hash=hash_of(key), hint=key[-4:], role=role, created_at=now
        )
    )
    return key


def keys(tx: Tx) -> list[ApiKeyRow]:
    """All keys, the newest first."""
    return [ApiKeyRow(*row) for row in tx.execute(select(*_KEY).order_by(api_key.c.id.desc()))]


def key_row(tx: Tx, key: str) -> ApiKeyRow | None:
    """The key with that text; None when there is none or it was revoked."""
    query = select(*_KEY).where(api_key.c.key_hash == hash_of(key), api_key.c.revoked_at.is_(None))
    row = tx.execute(query).first()
    return None if row is None else ApiKeyRow(*row)


def key_used(tx: Tx, key_id: str, now: datetime) -> None:
    """Note the use, once a minute at most."""
    tx.execute(
        update(api_key)
        .where(
            api_key.c.id == key_id,
            or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < now - SEEN_EVERY),
        )
        .values(last_used_at=now)
    )


def revoke_key(tx: Tx, key_id: str, now: datetime) -> bool:
    """The key stops working at once; False when it had stopped before."""
    done = tx.execute(
        update(api_key)
        .where(api_key.c.id == key_id, api_key.c.revoked_at.is_(None))
        .values(revoked_at=now)
        .returning(api_key.c.id)
    )
    return done.first() is not None
