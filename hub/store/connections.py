"""Connections, their secrets, cursors, tokens and health."""

from __future__ import annotations

import secrets as random
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, func, insert, or_, select, update

from hub.store.database import Database, Tx, new_id, utcnow
from hub.store.sealing import Keyring
from hub.store.tables import connection, credential, cursor, external_ref, inquiry, webhook_rejection

WEBHOOK_SECRET = "webhook_secret"  # noqa: S105 - the name, or its beginning, of settings that only sign what comes in
SIGNING_OVERLAP = timedelta(hours=24)  # how long deliveries may still be signed with a secret that was replaced
CLAIM = timedelta(seconds=20)  # the longest that one worker may take to fetch a token


class UnknownConnectionError(KeyError):
    """There is no such connection."""

    def __str__(self) -> str:
        return f"there is no connection {self.args[0]!r}; `orderhub connection list` shows all"


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection as it stands in the database, without its secrets."""

    id: str
    plugin: str
    name: str
    config: Mapping[str, Any]
    config_version: int  # of the connector's form, when the settings were saved
    status: str
    status_reason: str
    status_field: str | None
    warning: str  # what it cannot do while it works
    account_id: str | None
    account_label: str | None
    zone: str
    stock_threshold: int
    publish_stock: bool
    location_group: str | None  # the locations whose stock it sells; None is all
    feed_guard_percent: int  # a feed that takes so many percent of its articles to nothing is parked; 0 is never
    webhook_token: str
    last_ok_at: datetime | None
    last_error_at: datetime | None
    last_error: str
    failures: int
    open_until: datetime | None
    outbox_held: bool
    restored_at: datetime | None  # when a backup was put in place
    created_at: datetime
    signed_in_at: datetime  # when new secrets were entered, or a test last showed that the account can be used
    entry_checks: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class SealedSecrets:
    """What a delivery may be signed with, still sealed: the settings, and the signing secrets that were replaced.

    `sign_ins` says of which sign-in the settings are.
    """

    settings: bytes = field(repr=False)
    replaced: bytes | None = field(repr=False)
    sign_ins: int

    def open(self, keyring: Keyring, connection_id: str, now: datetime) -> tuple[dict[str, str], list[str]]:
        """The secret settings, and every signing secret that counts now, those before included. Raises WrongKeyError.

        Vendors sign with the secret before for a while after it was changed, and repeat what they could not deliver.
        """
        settings: dict[str, str] = keyring.open(self.settings, connection_id)
        signing = [secret for name, secret in settings.items() if name.startswith(WEBHOOK_SECRET) and secret]
        replaced = keyring.open(self.replaced, connection_id) if self.replaced else []
        return settings, signing + [secret for secret, _ in _still_good(replaced, now)]


def _still_good(replaced: Iterable[Sequence[str]], now: datetime) -> list[Sequence[str]]:
    """Of (secret, end) those that have not ended."""
    return [one for one in replaced if datetime.fromisoformat(one[1]) > now]


_COLUMNS = [connection.c[name] for name in ConnectionRow.__slots__]
_WITH_SECRETS = (
    select(*_COLUMNS, credential.c.sealed, credential.c.signing_sealed, credential.c.sign_ins)
    .join(credential, credential.c.connection_id == connection.c.id)
    .where(connection.c.id == bindparam("key"))
)


def get(tx: Tx, key: str) -> ConnectionRow:
    """The connection with that id or name. Raises UnknownConnectionError."""
    row = tx.execute(select(*_COLUMNS).where(or_(connection.c.id == key, connection.c.name == key))).first()
    if row is None:
        raise UnknownConnectionError(key)
    return ConnectionRow(*row)


def get_sealed(tx: Tx, connection_id: str) -> tuple[ConnectionRow, SealedSecrets]:
    """The connection with that id and its secrets, still sealed, in one look. Raises UnknownConnectionError."""
    row = tx.execute(_WITH_SECRETS, {"key": connection_id}).first()
    if row is None:
        raise UnknownConnectionError(connection_id)
    return ConnectionRow(*row[:-3]), SealedSecrets(*row[-3:])


def every(tx: Tx) -> list[ConnectionRow]:
    """All connections by name."""
    return [ConnectionRow(*row) for row in tx.execute(select(*_COLUMNS).order_by(connection.c.name))]


def add(
    tx: Tx,
    keyring: Keyring,
    *,
    plugin: str,
    name: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    config_version: int = 1,
    zone: str = "UTC",
    now: datetime | None = None,
) -> str:
    """Store a new connection and seal its secrets; returns its id. The config must have been checked before."""
    connection_id, at = new_id(), now or utcnow()
    tx.execute(
        insert(connection).values(
            id=connection_id,
            plugin=plugin,
            name=name,
            config=dict(config),
            config_version=config_version,
            zone=zone,
            webhook_token=random.token_urlsafe(24),
            created_at=at,
            updated_at=at,
            signed_in_at=at,
        )
    )
    tx.execute(
        insert(credential).values(
            connection_id=connection_id, sealed=keyring.seal(dict(secrets), connection_id), updated_at=at
        )
    )
    return connection_id


def choose_checks(tx: Tx, connection_id: str, chosen: Mapping[str, Any], now: datetime) -> None:
    """Set which entry checks the orders of a connection pass, and their settings."""
    tx.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(entry_checks=dict(chosen) or None, updated_at=now)
    )


def change_settings(
    tx: Tx,
    keyring: Keyring,
    connection_id: str,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    now: datetime,
    *,
    config_version: int = 1,
) -> None:
    """Replace the plain settings and the secrets that are given; others stay.

    Deliveries signed with a signing secret that is replaced are taken for another day.
    A fetched token is dropped when anything changed. A refresh token that the vendor has rotated is dropped only with
    a new secret to sign in with: the one in the settings is dead since the rotation. Whoever is fetching a token with
    the secrets before can neither keep it nor stop the connection any more.
    """
    known, replaced = _lock_secrets(tx, keyring, connection_id)
    before = tx.execute(select(connection.c.config).where(connection.c.id == connection_id)).scalar_one()
    changed = {name for name, secret in secrets.items() if known.get(name) != secret}
    tx.execute(
        update(connection)
        .where(connection.c.id == connection_id)
        .values(config=dict(config), config_version=config_version, updated_at=now)
    )
    values: dict[str, Any] = {}
    if changed or before != dict(config):
        values["token_sealed"] = None
    if changed:
        values |= _sealed(keyring, connection_id, known, secrets, replaced, now)
    if changed - {WEBHOOK_SECRET}:
        values |= {"refresh_sealed": None, "token_claimed_until": None, "sign_ins": credential.c.sign_ins + 1}
        signed_in(tx, connection_id, now)
    if values:
        tx.execute(update(credential).where(credential.c.connection_id == connection_id).values(**values))


def bring_over(
    tx: Tx,
    keyring: Keyring,
    row: ConnectionRow,
    config: Mapping[str, Any],
    secrets: Mapping[str, str],
    config_version: int,
    now: datetime,
) -> bool:
    """Put settings of a newer version of the form in the place of those in `row`; False when somebody was faster.

    Secrets that the vendor told stay.
    """
    known, _ = _lock_secrets(tx, keyring, row.id)
    mine = tx.execute(
        update(connection)
        .where(connection.c.id == row.id, connection.c.config_version == row.config_version)
        .values(config=dict(config), config_version=config_version, updated_at=now)
        .returning(connection.c.id)
    ).first()
    if mine is not None:
        sealed = keyring.seal({**{name: known[name] for name in known if _is_told(name)}, **secrets}, row.id)
        statement = update(credential).where(credential.c.connection_id == row.id)
        tx.execute(statement.values(sealed=sealed, updated_at=now))
    return mine is not None


def set_options(tx: Tx, connection_id: str, options: Mapping[str, Any]) -> None:
    """Change name, zone or how stock is told and taken. Raises IntegrityError when the name is taken."""
    if options:
        tx.execute(update(connection).where(connection.c.id == connection_id).values(**options))


def keep_secrets(tx: Tx, keyring: Keyring, connection_id: str, secrets: Mapping[str, str], now: datetime) -> None:
    """Add secrets that the vendor told, beside those that a person entered. Fetched tokens stay.

    Deliveries signed with one that is replaced are taken for another day.
    """
    known, replaced = _lock_secrets(tx, keyring, connection_id)
    if all(known.get(name) == secret for name, secret in secrets.items()):
        return
    values = _sealed(keyring, connection_id, known, secrets, replaced, now)
    tx.execute(update(credential).where(credential.c.connection_id == connection_id).values(**values))


def _lock_secrets(tx: Tx, keyring: Keyring, connection_id: str) -> tuple[dict[str, str], list[Sequence[str]]]:
    """The secrets, and the signing secrets before with their ends, to be changed by nobody else meanwhile."""
    columns = select(credential.c.sealed, credential.c.signing_sealed)
    row = tx.execute(columns.where(credential.c.connection_id == connection_id).with_for_update()).one()
    replaced = keyring.open(row.signing_sealed, connection_id) if row.signing_sealed else []
    return keyring.open(row.sealed, connection_id), replaced


def _sealed(
    keyring: Keyring,
    connection_id: str,
    known: Mapping[str, str],
    secrets: Mapping[str, str],
    replaced: Iterable[Sequence[str]],
    now: datetime,
) -> dict[str, Any]:
    """The columns that hold `secrets` beside the `known` ones, and signing secrets which they replace."""
    values = {"sealed": keyring.seal({**known, **secrets}, connection_id), "updated_at": now}
    signing = [name for name in secrets if name.startswith(WEBHOOK_SECRET) and known.get(name)]
    gone = [known[name] for name in signing if known[name] != secrets[name]]
    if gone:
        until = now + SIGNING_OVERLAP
        kept = [[secret, until.isoformat()] for secret in gone] + list(_still_good(replaced, now))
        values |= {"signing_sealed": keyring.seal(kept, connection_id), "signing_until": until}
    return values


def forget_replaced(tx: Tx, now: datetime) -> int:
    """Forget replaced signing secrets which nothing may be signed with any more; returns of how many connections."""
    done = tx.execute(
        update(credential)
        .where(credential.c.signing_until <= now)
        .values(signing_sealed=None, signing_until=None)
        .returning(credential.c.connection_id)
    )
    return len(done.all())


def read_secrets(tx: Tx, keyring: Keyring, connection_id: str) -> dict[str, str]:
    """The secret settings in clear. Raises WrongKeyError."""
    sealed = tx.execute(select(credential.c.sealed).where(credential.c.connection_id == connection_id)).scalar_one()
    opened: dict[str, str] = keyring.open(sealed, connection_id)
    return opened


def own_secrets(tx: Tx, keyring: Keyring, connection_id: str) -> dict[str, str]:
    """The secret settings without those that the vendor told. Raises WrongKeyError."""
    known = read_secrets(tx, keyring, connection_id)
    return {name: secret for name, secret in known.items() if not _is_told(name)}


def _is_told(name: str) -> bool:
    return name.startswith(f"{WEBHOOK_SECRET}_")


def secret_status(tx: Tx, keyring: Keyring, connection_id: str) -> dict[str, bool]:
    """Which secrets are set; never their values."""
    return {name: bool(value) for name, value in read_secrets(tx, keyring, connection_id).items()}


def reseal(tx: Tx, keyring: Keyring, now: datetime) -> int:
    """Seal everything anew with the current key after a rotation; returns how many connections changed."""
    changed = 0
    for row in tx.execute(select(credential).with_for_update()).mappings().all():
        owner, values = row["connection_id"], {}
        for column in ("sealed", "token_sealed", "refresh_sealed", "signing_sealed"):
            if row[column] is not None and not keyring.is_current(row[column]):
                values[column] = keyring.seal(keyring.open(row[column], owner), owner)
        if values:
            tx.execute(update(credential).where(credential.c.connection_id == owner).values(updated_at=now, **values))
            changed += 1
    return changed


def set_status(
    tx: Tx, connection_id: str, status: str, reason: str = "", field: str | None = None, *, was: str = ""
) -> bool:
    """Set what a person has to know of the connection; True when it changed. With `was` only while it is that."""
    only = (connection.c.status == was,) if was else ()
    result = tx.execute(
        update(connection)
        .where(
            connection.c.id == connection_id,
            or_(connection.c.status != status, connection.c.status_reason != reason),
            *only,
        )
        .values(status=status, status_reason=reason, status_field=field, updated_at=utcnow())
        .returning(connection.c.id)
    )
    return result.first() is not None


def stop(tx: Tx, seen: ConnectionRow, status: str, reason: str, field: str | None = None) -> None:
    """A call has failed in a way that only a person can mend. `seen` is the connection as the call was made with it.

    Does nothing when it is not active any more, or when somebody has signed in or tested it meanwhile: then the
    failure is of before.
    """
    tx.execute(
        update(connection)
        .where(
            connection.c.id == seen.id,
            connection.c.status == "active",
            connection.c.signed_in_at == seen.signed_in_at,
        )
        .values(status=status, status_reason=reason, status_field=field, updated_at=utcnow())
    )


def signed_in(tx: Tx, connection_id: str, now: datetime) -> None:
    """The account can be used from now on; what is heard of before is old."""
    tx.execute(update(connection).where(connection.c.id == connection_id).values(signed_in_at=now))


def warn(tx: Tx, connection_id: str, said: str) -> None:
    """Note what the connection cannot do while it works; "" takes it back."""
    tx.execute(
        update(connection)
        .where(connection.c.id == connection_id, connection.c.warning != said)
        .values(warning=said, updated_at=utcnow())
    )


def set_account(tx: Tx, connection_id: str, account_id: str, label: str) -> None:
    """Remember the account behind the connection. Raises IntegrityError when another connection has it."""
    tx.execute(
        update(connection).where(connection.c.id == connection_id).values(account_id=account_id, account_label=label)
    )


def succeeded(tx: Tx, connection_id: str, now: datetime) -> None:
    """A call went well: the breaker closes."""
    tx.execute(
        update(connection).where(connection.c.id == connection_id).values(failures=0, open_until=None, last_ok_at=now)
    )


BREAKER_OPENS_AFTER = 10  # failures in a row
BREAKER_FIRST = timedelta(seconds=30)
BREAKER_LONGEST = timedelta(minutes=15)


def failed(tx: Tx, connection_id: str, error: str, now: datetime) -> None:
    """A call failed for a reason that may pass; after ten in a row the breaker opens, ever longer.

    Calls that were out when it opened do not count: one outage opens it once, however many calls it hits.
    """
    words = {"last_error": error, "last_error_at": now}
    tx.execute(update(connection).where(connection.c.id == connection_id).values(**words))
    failures = tx.execute(
        update(connection)
        .where(connection.c.id == connection_id, or_(connection.c.open_until.is_(None), connection.c.open_until <= now))
        .values(failures=connection.c.failures + 1)
        .returning(connection.c.failures)
    ).scalar_one_or_none()
    if failures is not None and failures >= BREAKER_OPENS_AFTER:
        pause = min(BREAKER_FIRST * 2 ** min(failures - BREAKER_OPENS_AFTER, 5), BREAKER_LONGEST)
        tx.execute(update(connection).where(connection.c.id == connection_id).values(open_until=now + pause))


def reject_webhook(tx: Tx, connection_id: str, reason: str, now: datetime) -> None:
    """Count a delivery that was refused; nothing of it is kept but the reason."""
    tx.execute(insert(webhook_rejection).values(id=new_id(), connection_id=connection_id, at=now, reason=reason))


REJECTIONS_KEPT = 1_000  # of each connection; a sender with a wrong secret may come again for ever


def forget_rejections(tx: Tx, kept: int = REJECTIONS_KEPT) -> int:
    """Forget the refused deliveries of each connection but for the newest; returns how many."""
    what = webhook_rejection.c
    count = select(what.connection_id).group_by(what.connection_id).having(func.count() > kept)
    forgotten = 0
    for connection_id in tx.execute(count).scalars().all():
        mine = what.connection_id == connection_id
        newest = select(what.id).where(mine).order_by(what.id.desc())
        last = tx.execute(newest.offset(kept).limit(1)).scalar_one()
        gone = delete(webhook_rejection).where(mine, what.id <= last).returning(what.id)
        forgotten += len(tx.execute(gone).all())
    return forgotten


def remove(tx: Tx, connection_id: str) -> None:
    """Forget a connection that was never used. Raises IntegrityError when orders or stock refer to it."""
    for table in (credential, cursor, inquiry, external_ref):
        tx.execute(delete(table).where(table.c.connection_id == connection_id))
    tx.execute(delete(connection).where(connection.c.id == connection_id))


@dataclass(frozen=True, slots=True)
class StoredTokens:
    """The access token of one connection, sealed in the database; only one worker fetches a new one.

    Returned times are aware UTC. Fits `hub.sdk.auth.TokenStore`. `sign_ins` is the sign-in whose secrets the worker
    has: after another one it neither claims nor keeps anything. `claim_lasts` is the longest that one worker may take:
    a worker that died while it fetched holds up the others for that long.
    """

    db: Database
    keyring: Keyring = field(repr=False)
    connection_id: str
    sign_ins: int
    clock: Callable[[], datetime] = utcnow
    claim_lasts: timedelta = CLAIM

    def read(self) -> Any:
        from hub.sdk.auth import Token  # noqa: PLC0415 - keeps the import list of the store short

        with self.db.read() as tx:
            row = tx.execute(
                select(credential.c.token_sealed, credential.c.token_renew_at, credential.c.token_expires_at).where(
                    credential.c.connection_id == self.connection_id
                )
            ).one()
        if row.token_sealed is None:
            return None
        return Token(self.keyring.open(row.token_sealed, self.connection_id), row.token_renew_at, row.token_expires_at)

    def claim(self) -> bool:
        now = self.clock()
        with self.db.begin() as tx:
            mine = tx.execute(
                update(credential)
                .where(
                    *self._mine,
                    or_(credential.c.token_claimed_until.is_(None), credential.c.token_claimed_until < now),
                )
                .values(token_claimed_until=now + self.claim_lasts)
                .returning(credential.c.connection_id)
            )
            return mine.first() is not None

    def release(self) -> None:
        with self.db.begin() as tx:
            tx.execute(update(credential).where(*self._mine).values(token_claimed_until=None))

    def save(self, token: Any, refresh_token: str | None) -> None:
        values: dict[str, Any] = {
            "token_sealed": self.keyring.seal(token.value, self.connection_id),
            "token_renew_at": token.renew_at,
            "token_expires_at": token.expires_at,
            "token_claimed_until": None,
        }
        if refresh_token:
            values["refresh_sealed"] = self.keyring.seal(refresh_token, self.connection_id)
        with self.db.begin() as tx:
            tx.execute(update(credential).where(*self._mine).values(**values))

    @property
    def _mine(self) -> tuple[ColumnElement[bool], ...]:
        return (credential.c.connection_id == self.connection_id, credential.c.sign_ins == self.sign_ins)

    def refresh_token(self) -> str | None:
        with self.db.read() as tx:
            sealed = tx.execute(
                select(credential.c.refresh_sealed).where(credential.c.connection_id == self.connection_id)
            ).scalar_one()
        return None if sealed is None else str(self.keyring.open(sealed, self.connection_id))
