"""Secrets at rest: AES-256-GCM under a key that is not in the database, bound to the row they belong to."""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,40}")


class WrongKeyError(Exception):
    """A secret was sealed with a key that is not at hand."""


@dataclass(frozen=True, slots=True)
class Keyring:
    """Keys by id; the first seals, all of them open, so that a key can be rotated."""

    keys: Mapping[str, bytes] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Keyring:
        """A keyring from "id:base64,id:base64", the sealing key first. Raises ValueError saying what is wrong."""
        keys: dict[str, bytes] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, encoded = part.partition(":")
            raw = _raw_key(encoded)
            if len(raw) != 32 or not _NAME.fullmatch(name):
                raise ValueError(
                    "a key must look like id:<32 bytes in URL-safe base64>; make one with `orderhub keys new`"
                )
            if name in keys:
                raise ValueError(f"two keys are called {name}: the second one could never open anything")
            keys[name] = raw
        if not keys:
            raise ValueError("there is no key; make one with `orderhub keys new`")
        return cls(keys)

    def seal(self, value: Any, owner: str) -> bytes:
        """`value` (anything JSON can hold) sealed for `owner`, the id of the row that will hold it."""
        key_id, key = next(iter(self.keys.items()))
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(key).encrypt(nonce, orjson.dumps(value), owner.encode())
        return b"|".join((b"v1", key_id.encode(), base64.b64encode(nonce), base64.b64encode(sealed)))

    def open(self, sealed: bytes, owner: str) -> Any:
        """What was sealed for `owner`. Raises WrongKeyError when the key is missing or the row was swapped."""
        key_id, nonce, box = _parts(sealed, owner)
        key = self.keys.get(key_id)
        if key is None:
            known = ", ".join(self.keys)
            raise WrongKeyError(
                f"the secrets of {owner} are sealed with key {key_id!r} and the keys at hand are {known}: "
                "add the old key to ORDERHUB_KEYS, after the new one"
            )
        try:
            return orjson.loads(AESGCM(key).decrypt(nonce, box, owner.encode()))
        except InvalidTag as error:
            raise WrongKeyError(f"the secrets of {owner} do not open with key {key_id!r}") from error

    def is_current(self, sealed: bytes) -> bool:
        """Whether `sealed` was made with the sealing key."""
        return sealed.split(b"|")[1].decode() == next(iter(self.keys))


def _parts(sealed: bytes, owner: str) -> tuple[str, bytes, bytes]:
    """Key id, nonce and sealed box. Raises WrongKeyError for bytes that `seal` never made."""
    try:
        key_id, nonce, box = sealed.removeprefix(b"v1|").split(b"|")
        return key_id.decode(), base64.b64decode(nonce, validate=True), base64.b64decode(box, validate=True)
    except ValueError as error:
        raise WrongKeyError(f"the secrets of {owner} are damaged: they were not sealed by this hub") from error


def _raw_key(encoded: str) -> bytes:
    try:
        return base64.b64decode(encoded, altchars=b"-_", validate=True)
    except ValueError:
        return b""


def new_key(name: str) -> str:
    """A fresh key in the form `Keyring.parse` reads."""
    return f"{name}:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}"
