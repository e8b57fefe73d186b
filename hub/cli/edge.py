"""The edge of the command line: every error becomes a sentence and an exit code, here and nowhere else."""

from __future__ import annotations

import sqlite3
from typing import Any

from typer.core import TyperGroup

from hub.cli.output import say_error
from hub.flows.operate import CheckFailedError, OperateError, SettingsError
from hub.flows.reorder import UnknownPlaceError
from hub.flows.rulefile import RuleFileError
from hub.plugins import BrokenPluginError, UnknownPluginError
from hub.store.connections import UnknownConnectionError
from hub.store.errors import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from hub.store.migrate import SchemaError
from hub.store.people import UnknownKeyError, UnknownPersonError
from hub.store.purchasing import UnknownPurchaseError
from hub.store.rules import UnknownRehearsalError, UnknownRulesError
from hub.store.sealing import WrongKeyError
from hub.store.suppliers import UnknownSupplierError
from hub.store.views import BadCursorError
from hub.store.views.doors import UnknownRowError
from hub.store.views.order import UnknownOrderError
from hub.store.views.stock import UnknownArticleError

OK, PROBLEMS, USAGE, NOT_FOUND, TROUBLE = 0, 1, 2, 3, 4


class KeyTroubleError(Exception):
    """The keys that seal secrets are missing or malformed; the message says what to do."""


class CannotStartError(Exception):
    """A process of the hub cannot start; the message says what to do."""


class NoSuchThingError(Exception):
    """What was named is not there; the message says what is."""


_NOT_FOUND = (
    UnknownConnectionError,
    UnknownKeyError,
    UnknownOrderError,
    UnknownPersonError,
    UnknownRowError,
    UnknownArticleError,
    UnknownPlaceError,
    UnknownPluginError,
    UnknownPurchaseError,
    UnknownRehearsalError,
    UnknownRulesError,
    UnknownSupplierError,
    NoSuchThingError,
)
_TROUBLE = (SchemaError, WrongKeyError, KeyTroubleError, CannotStartError, BrokenPluginError)


class Edge(TyperGroup):
    """The root command."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except _NOT_FOUND as error:
            say_error(str(error))
            ctx.exit(NOT_FOUND)
        except SettingsError as error:
            say_error(
                "the settings are not right", [f"{one.field or 'settings'}: {one.message}" for one in error.errors]
            )
            ctx.exit(USAGE)
        except RuleFileError as error:
            say_error("the rules are not right", [str(one) for one in error.mistakes])
            ctx.exit(PROBLEMS)
        except CheckFailedError as error:
            field = [f"the setting at fault is {error.result.field}"] if error.result.field else []
            say_error(str(error), field)
            ctx.exit(PROBLEMS)
        except OperateError as error:
            say_error(str(error))
            ctx.exit(PROBLEMS)
        except BadCursorError as error:
            say_error(str(error))
            ctx.exit(USAGE)
        except _TROUBLE as error:
            say_error(str(error))
            ctx.exit(TROUBLE)
        except (ArgumentError, NoSuchModuleError) as error:
            say_error(
                f"ORDERHUB_DATABASE is no database address that can be used: {error}",
                ["write sqlite:///orderhub.sqlite3, or postgresql://user:password@host/name"],
            )
            ctx.exit(TROUBLE)
        except (DatabaseError, sqlite3.Error) as error:
            if isinstance(error, DatabaseError) and type(error) not in (DatabaseError, OperationalError):
                raise  # the statement is wrong, not the database
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            say_error(
                f"the database cannot be used: {cause}", ["look at ORDERHUB_DATABASE, and whether the server runs"]
            )
            ctx.exit(TROUBLE)
