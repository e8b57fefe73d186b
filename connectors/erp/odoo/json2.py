"""The JSON-2 wire: POST /json/2/<model>/<method>, named arguments only.

An error comes as a status of 400 and above with an object of name, message, arguments, context and debug, and its
transaction was rolled back, so even a 500 of that shape is a clear "not done".
Source: https://www.odoo.com/documentation/19.0/developer/reference/external_api.html, read 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hub.sdk import Http, Response, errors

PASSING_TROUBLE = ("SerializationFailure", "OperationalError", "LockNotAvailable", "DeadlockDetected", "PoolError")


@dataclass(slots=True)
class Json2:
    """One database reached over JSON-2; the bearer key is added by `http`."""

    http: Http
    base_url: str
    database: str
    context: Mapping[str, Any] = field(default_factory=dict)
    _version: tuple[int, int] | None = None

    def version(self) -> tuple[int, int]:
        """Major and minor version. Raises ConfigInvalid when the server does not speak JSON-2."""
        if self._version is None:
            self._version = self._read_version()
        return self._version

    def call(self, model: str, method: str, ids: Sequence[int] | None, named: Mapping[str, Any], *, safe: bool) -> Any:
        """Call a public method and give back what it returned.

        Raises AuthRejected, MissingPermission, ConfigInvalid, NotFound, Rejected, Transient or OutcomeUnknown.
        """
        body = {**named, "context": {**self.context, **named.get("context", {})}}
        if ids is not None:
            body["ids"] = list(ids)
        response = self.http.post(
            f"{self.base_url}/json/2/{model}/{method}",
            json=body,
            headers={"X-Odoo-Database": self.database, "Content-Type": "application/json; charset=utf-8"},
            safe=safe,
            expect=(400, 401, 403, 404, 422) if safe else (400, 401, 403, 404, 422, 500),
        )
        if response.status >= 400:
            raise error_of(response, f"{model}.{method}")
        try:
            return response.json()
        except errors.SchemaDrift as error:
            if safe:
                raise
            raise errors.OutcomeUnknown(f"{model}.{method}: {error}") from error

    def _read_version(self) -> tuple[int, int]:
        response = self.http.get(f"{self.base_url}/web/version", auth=False, expect=(404,))
        try:
            info = response.json()["version_info"]
        except (errors.SchemaDrift, KeyError, TypeError) as error:
            raise too_old("it does not answer at /web/version") from error
        found = version_of(info)
        if found < (19, 0):
            raise too_old(f"it is version {found[0]}.{found[1]}")
        return found


def version_of(info: Sequence[Any]) -> tuple[int, int]:
    """Major and minor of Odoo's version_info, whose first part may be text such as "saas~18"."""
    major = str(info[0]).rpartition("~")[2]
    return int(major), int(info[1])


def too_old(why: str) -> errors.ConfigInvalid:
    return errors.ConfigInvalid(f"this server has no JSON-2 interface ({why}); choose XML-RPC", "protocol")


def error_of(response: Response, what: str) -> errors.ConnectorError:
    """The error class of an answer of 400 and above to the call `what`."""
    told = _told(response)
    if told is None:
        return _without_shape(response, what)
    name, message = str(told["name"]), str(told.get("message", ""))
    said = f"{what}: {message}"
    match response.status:
        case 401:
            return errors.AuthRejected(said)
        case 403 if name.endswith("AccessDenied"):
            return errors.AuthRejected(said)
        case 403:
            return errors.MissingPermission(said, scope=what)
        case 404 if name.endswith("MissingError"):
            return errors.NotFound(said)
        case 404:
            return errors.ConfigInvalid(f"{said}; is the app installed in this database?", "database")
        case 500 if name.endswith(PASSING_TROUBLE):
            return errors.Transient(said)
        case _:
            return errors.Rejected(said, vendor_code=name)


def _told(response: Response) -> Mapping[str, Any] | None:
    try:
        told = response.json()
    except errors.SchemaDrift:
        return None
    return told if isinstance(told, dict) and "name" in told else None


def _without_shape(response: Response, what: str) -> errors.ConnectorError:
    said = f"{what}: {response.status}: {response.text[:200]}"
    match response.status:
        case 401:
            return errors.AuthRejected(said)
        case 403:
            return errors.MissingPermission(said, scope=what)
        case 404:
            return errors.ConfigInvalid(f"{said}; the database is unknown, or older than Odoo 19", "database")
        case 500:
            return errors.OutcomeUnknown(said)
        case _:
            return errors.Rejected(said, vendor_code=str(response.status))
