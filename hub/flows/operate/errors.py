"""Why something that a person asked for was not done, in words to be shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hub.plugins import ConfigError
from hub.sdk import CheckResult


class OperateError(Exception):
    """Base of all of them; nothing was changed."""


class NotDoneError(OperateError):
    """What was asked for makes no sense as things stand; the message says why."""


class ChangedMeanwhileError(NotDoneError):
    """It says something else by now than what the person saw."""


class UsedKeyError(NotDoneError):
    """The same key came before with another request."""

    def __init__(self) -> None:
        super().__init__(
            "the same key came before with another request, so nothing was done: use a new key, or open the form anew"
        )


class SettingsError(OperateError):
    """Settings are wrong; `errors` names each field."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__("; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in errors))
        self.errors = tuple(errors)


class CheckFailedError(OperateError):
    """The connection was tried and does not work; `result` has the vendor's words and the field at fault."""

    def __init__(self, result: CheckResult) -> None:
        super().__init__(f"the connection does not work: {result.error or 'no reason given'}")
        self.result = result


def actor(person: str) -> str:
    """A person as the timeline names actors."""
    return f"person:{person}"[:120]


def still_to_come(moment: datetime | None, now: datetime) -> None:
    """Raises NotDoneError for a moment that is over."""
    if moment is not None and moment <= now:
        raise NotDoneError(f"{moment:%Y-%m-%d %H:%M} UTC is over: say a moment that is still to come")


def check_reason(reason: str) -> None:
    """Raises NotDoneError for a reason that says nothing."""
    if not reason.strip():
        raise NotDoneError("say why: the ledger keeps the reason for ever")
