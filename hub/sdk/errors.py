"""What can go wrong with an outside system: a closed set, one class per next action of the hub.

A connector only classifies; the hub acts. Anything else that a connector raises is treated as a defect of the
connector: a read is tried once more, a write becomes `OutcomeUnknown`.
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Base of all errors that a connector may raise. The message is shown to people: keep the vendor's words."""

    code = "error"


class Transient(ConnectorError):
    """The call did not take effect and may be repeated later.

    `retry_after_s` is the vendor's wish in seconds. Counts towards the breaker.
    """

    code = "transient"

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(ConnectorError):
    """The vendor's quota is used up; try again after `retry_after_s` seconds. Not counted as an attempt."""

    code = "rate_limited"

    def __init__(self, message: str, retry_after_s: float, bucket: str = "default") -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
        self.bucket = bucket


class AuthRejected(ConnectorError):
    """The credential is refused for good: the connection needs a person to sign in again."""

    code = "auth_rejected"


class MissingPermission(ConnectorError):
    """The credential is good but lacks `scope`."""

    code = "missing_permission"

    def __init__(self, message: str, scope: str = "") -> None:
        super().__init__(message)
        self.scope = scope


class ConfigInvalid(ConnectorError):
    """A setting of the connection is wrong; `field` names it as in the config schema."""

    code = "config_invalid"

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class Rejected(ConnectorError):
    """The vendor's business "no" to this one item; repeating it unchanged is pointless.

    `vendor_code` and `field` are the vendor's own.
    """

    code = "rejected"

    def __init__(self, message: str, vendor_code: str = "", field: str = "") -> None:
        super().__init__(message)
        self.vendor_code = vendor_code
        self.field = field


class NotFound(ConnectorError):
    """The vendor says that the thing does not exist."""

    code = "not_found"


class Conflict(ConnectorError):
    """A compare-and-set or version check failed: read again, decide again."""

    code = "conflict"


class AlreadyDone(ConnectorError):
    """The vendor has done this before; `ref` is its id there. Treated as success."""

    code = "already_done"

    def __init__(self, message: str, ref: str = "") -> None:
        super().__init__(message)
        self.ref = ref


class OutcomeUnknown(ConnectorError):
    """The request was sent and no clear answer came back: it may or may not have taken effect.

    The hub looks it up by our reference or leaves it to a person; it never repeats it blindly.
    """

    code = "outcome_unknown"


class SchemaDrift(ConnectorError):
    """What came in no longer has the shape that is mapped; `path` names the place."""

    code = "schema_drift"

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class SignatureInvalid(ConnectorError):
    """A webhook whose signature is wrong, missing or too old. Nothing of it is stored."""

    code = "signature_invalid"


class Malformed(ConnectorError):
    """A body that cannot be read at all, such as broken JSON; it is stored and parked as it came."""

    code = "malformed"
